//! Zips that readers read differently. Each binary that a reader extracts is a blob.
//!
//! The comments name readers that extract the binary: unzip 6.0, 7-Zip 16.02, Python 3.11, Go 1.26, bsdtar 3.6, `BusyBox`
//! 1.35, and Java 17 (`ZipFile`, and `ZipInputStream`, which reads headers).

mod build;
mod zip64;

use super::*;
use build::{Entry, build, build_with_end, crc, deflate, end, module_entry, parts, shorts, text_entry, u32_bytes};

const TEXT: &[u8] = b"some text\n";

/// Each way in which a file may contain a zip: directly, in a tar, in a compressed tar, and in a zip.
fn in_every_container(zip: &[u8]) -> [Vec<u8>; 5] {
    [
        zip.to_vec(),
        tar(&[("b", zip), ("after", b"text")]),
        gzip(&tar(&[("b", zip), ("after", b"text")])),
        build(&[Entry::stored("b", zip), text_entry()]),
        build(&[Entry::deflated("b", zip), text_entry()]),
    ]
}

#[track_caller]
fn finds_noting_uncovered_bytes(what: &str, bytes: &[u8]) {
    assert_eq!(finds(what, bytes), ["uncovered-bytes"], "{what}");
    assert_eq!(walk_file(bytes).blobs.len(), 1, "{what}");
}

/// Checks that a file gives the module in some way, and returns its codes.
#[track_caller]
fn finds(what: &str, bytes: &[u8]) -> Vec<String> {
    let recorder = walk_file(bytes);
    assert!(recorder.blobs.iter().any(|blob| blob.bytes == MODULE), "{what}: {recorder:?}");
    let mut codes: Vec<_> = recorder.errors.iter().map(|error| error.code.name().to_owned()).collect();
    codes.dedup();
    codes
}

#[track_caller]
fn finds_quietly(what: &str, bytes: &[u8]) {
    assert_eq!(finds(what, bytes), [""; 0], "{what}");
    assert_eq!(walk_file(bytes).blobs.len(), 1, "{what}");
}

#[track_caller]
fn finds_with_dispute(what: &str, bytes: &[u8]) {
    let codes = finds(what, bytes);
    assert!(codes.contains(&"disputed-archive".to_owned()), "{what}: {codes:?}");
}

#[test]
fn zip_is_found_from_its_end() {
    let entries = [module_entry(), text_entry()];
    let plain = build(&entries);
    let counted = |prefix: &[u8]| {
        let (body, directory) = parts(&entries, prefix.len());
        [prefix, &body, &directory, &end(2, directory.len(), prefix.len() + body.len(), b"")].concat()
    };
    let crx = [b"Cr24\x03\0\0\0\xc8\0\0\0", &[b'k'; 200][..]].concat();
    for prefix in [
        &b"#!/usr/bin/env python3\n"[..],
        b"PK\x07\x08",
        b"PK00",
        &crx,
        &[&b"MZ"[..], &vec![0x90; 100_000]].concat(),
        &[&b"#!/bin/sh"[..], &[b'\n'; 5000]].concat(),
    ] {
        for zip in [[prefix, &plain].concat(), counted(prefix)] {
            for bytes in in_every_container(&zip) {
                finds_quietly("a prefix", &bytes);
            }
        }
    }
}

#[test]
fn bytes_after_a_zip_do_not_hide_it() {
    for len in [1, 65_000, 65_536, 66_000, 1 << 20] {
        let bytes = [build(&[module_entry()]), vec![b'x'; len]].concat();
        finds_noting_uncovered_bytes("a tail", &bytes); // 65,536 and more: unzip, 7-Zip, Python, Go, bsdtar, Java
    }
    let commented = build_with_end(&[module_entry()], |size, offset| end(1, size, offset, &vec![b'c'; 65_535]));
    finds_quietly("a comment", &commented);
    finds_quietly("a comment after a prefix", &[b"#!/bin/sh\n".to_vec(), commented].concat());
}

#[test]
fn binary_that_is_also_an_archive_is_both() {
    let padded = |len: usize| {
        let payload = [&b"\x04poly"[..], &vec![b'p'; len - 5]].concat();
        [&OTHER[..8], &[0, (len & 0x7f) as u8 | 0x80, (len >> 7) as u8], &payload].concat()
    };
    let zipped = [padded(300), build(&[module_entry()])].concat();
    let tarred = [padded(512 - 11), tar(&[("b.wasm", MODULE)])].concat();
    let large = [padded(8000), vec![0; 300_000], build(&[module_entry()]), vec![0; 60_000]].concat();
    for (what, bytes) in [("a zip", &zipped), ("a tar", &tarred), ("a zip far from the start", &large)] {
        for held in in_every_container(bytes) {
            let recorder = walk_file(&held);
            let count = |bytes: &[u8]| recorder.blobs.iter().filter(|blob| blob.bytes == bytes).count();
            assert_eq!(
                (count(bytes), count(MODULE), recorder.blobs.len()),
                (1, 1, 2),
                "{what}: {:?}",
                recorder.files()
            );
            assert_eq!(recorder.codes(), [""; 0], "{what}");
        }
    }
    // A compressed file, a tar and a text that end in a zip.
    for first in [gzip(TEXT), zstd(TEXT), tar(&[("t", TEXT)]), TEXT.to_vec()] {
        finds("an archive at the end", &[first, build(&[module_entry()])].concat());
    }
    // Bytes that only look like an end record are not an archive.
    for tail in [&b"PK\x05\x06"[..], &end(1, 46, 0, b""), &end(9, 9, 9, b"text"), &[0; 22]] {
        let recorder = walk_file(&[MODULE, tail].concat());
        assert_eq!((recorder.files(), recorder.errors.len()), (vec!["a"], 0), "{tail:?}");
        let recorder = walk_file(&[b"a text", tail].concat());
        assert_eq!((recorder.blobs.len(), recorder.errors.len(), recorder.passed), (0, 0, 1), "{tail:?}");
    }
}

#[test]
fn end_record_does_not_hide_entries() {
    let entries = [text_entry(), module_entry()];
    for (what, count, size) in [
        ("fewer entries", 1, None),            // unzip, 7-Zip, Python, BusyBox, bsdtar
        ("no entries", 0, None),               // the same
        ("more entries", 9, None),             // the same
        ("a shorter directory", 1, Some(51)),  // unzip, 7-Zip, BusyBox
        ("no directory", 0, Some(0)),          // 7-Zip, bsdtar, BusyBox
        ("a longer directory", 2, Some(1000)), // 7-Zip, bsdtar, BusyBox
    ] {
        let bytes = build_with_end(&entries, |len, offset| end(count, size.unwrap_or(len), offset, b""));
        finds_with_dispute(what, &bytes);
    }
    let wrong_offset = build_with_end(&entries, |len, _| end(2, len, 0, b""));
    finds_with_dispute("a wrong offset", &wrong_offset); // unzip, 7-Zip
    let cut_comment = build_with_end(&entries, |len, offset| {
        let mut end = end(2, len, offset, b"");
        end[20..].copy_from_slice(&500_u16.to_le_bytes());
        end
    });
    finds_with_dispute("a truncated comment", &cut_comment); // unzip, 7-Zip, Python, bsdtar, BusyBox
}

#[test]
fn several_directories_are_all_read() {
    let (first, second) = (build(&[module_entry()]), build(&[text_entry()]));
    finds_with_dispute("two zips", &[&*first, &second].concat()); // readers of headers
    finds_with_dispute("two zips, the other way round", &[&*second, &first].concat()); // readers of directories
    // A zip in the comment: unzip, Python, Go and Java read that one.
    let commented = build_with_end(&[text_entry()], |len, offset| end(1, len, offset, &first));
    finds_with_dispute("a zip in a comment", &commented);
    let commented = build_with_end(&[module_entry()], |len, offset| end(1, len, offset, &end(0, 0, 0, b"")));
    finds_with_dispute("an end record in a comment", &commented); // Python sees an empty zip
    // The values of one end record lead to two directories.
    let (body, _) = parts(&[module_entry(), text_entry()], 0);
    let to_module = module_entry().central(0);
    let to_text = text_entry().central(module_entry().local().len() as u32);
    for (one, other) in [(&to_module, &to_text), (&to_text, &to_module)] {
        let bytes = [&*body, one, other, &end(1, other.len(), body.len(), b"")].concat();
        finds_with_dispute("two directories", &bytes);
    }
    // A nested archive is not a second directory.
    let nested = build(&[Entry::stored("b.zip", &first)]);
    finds_quietly("a nested archive", &nested);
}

#[test]
fn entry_types_do_not_hide_content() {
    for entry in [Entry::stored("a.wasm", MODULE), module_entry()] {
        let with = |change: &dyn Fn(&mut Entry)| build(&[entry.clone().with(change), text_entry()]);
        let unicode = |name: &[u8], real: &[u8]| {
            [&shorts(&[0x7075, 5 + name.len() as u16])[..], b"\x01", &u32_bytes(&[crc(real)]), name].concat()
        };
        for (what, bytes) in [
            // 7-Zip, Python, Go, bsdtar and Java
            ("a symbolic link", with(&|entry| entry.attributes = 0o120_777 << 16)),
            ("a slash", with(&|entry| entry.name = b"d/".to_vec())),
            ("a backslash", with(&|entry| entry.name = b"d\\".to_vec())),
            ("a NUL", with(&|entry| entry.name = b"a\0b".to_vec())),
            ("a NUL at the end", with(&|entry| entry.name = b"a\0".to_vec())),
            ("a slash after a NUL", with(&|entry| entry.name = b"a\0/".to_vec())),
            ("a slash in the header", with(&|entry| entry.own_name = Some(b"d/".to_vec()))),
            ("a slash in the Unicode name", with(&|entry| entry.extra = unicode(b"d/", b"a.wasm"))),
            (
                "a Unicode name of a file",
                with(&|entry| (entry.name, entry.extra) = (b"d/".to_vec(), unicode(b"a.wasm", b"d/"))),
            ),
            (
                "a slash in the Unicode name of another encoding",
                with(&|entry| (entry.name, entry.extra) = (b"\x82".to_vec(), unicode("é/".as_bytes(), b"\x82"))),
            ),
            ("attributes of a directory", with(&|entry| entry.attributes = 0o040_755 << 16)),
            ("attributes of a directory of DOS", with(&|entry| entry.attributes = 0x10)),
        ] {
            finds_with_dispute(what, &bytes);
        }
    }
    // Directories without content, and links, are ordinary.
    let directory = |entry: Entry| entry.with(|entry| entry.attributes = 0o040_755 << 16 | 0x10);
    let link = Entry::stored("l.wasm", b"../a.wasm").with(|entry| entry.attributes = 0o120_777 << 16);
    let bytes =
        build(&[directory(Entry::stored("d/", b"")), directory(Entry::deflated("e/", b"")), link, module_entry()]);
    assert_eq!(finds("directories and links", &bytes), ["not-followed"]);
    assert_eq!(walk_file(&bytes).files(), ["a!a.wasm"]);
    let nested = Entry::stored("l", &gzip(MODULE)).with(|entry| entry.attributes = 0o120_777 << 16);
    finds_with_dispute("a link with an archive", &build(&[nested]));
}

#[test]
fn header_and_directory_are_both_read() {
    let stored = Entry::stored("a.wasm", MODULE);
    let deflated = module_entry();
    let disguised = |own: u16, listed: u16, data: Vec<u8>| {
        Entry::compressed("a.wasm", MODULE, data, listed).with(|entry| entry.own_method = Some(own))
    };
    for (what, entry) in [
        ("names", deflated.clone().with(|entry| entry.own_name = Some(b"b.txt".to_vec()))),
        ("the method of the header", disguised(0, 8, MODULE.to_vec())), // unzip, bsdtar, Java
        ("the method of the directory", disguised(8, 0, MODULE.to_vec())), // Python, Go
        ("the deflated data of the directory", disguised(0, 8, deflate(MODULE))),
        ("the deflated data of the header", disguised(8, 0, deflate(MODULE))),
        ("encryption in the header", deflated.clone().with(|entry| entry.own_flags = Some(1))), // unzip, Python, Go
        (
            "encryption in the directory", // 7-Zip, Go, bsdtar, BusyBox
            deflated.clone().with(|entry| (entry.flags, entry.own_flags) = (1, Some(0))),
        ),
        (
            "a short size in the directory",
            stored.clone().with(|entry| {
                (entry.compressed, entry.own_sizes) = (2, Some((22, 22)));
            }),
        ),
        (
            "a size of nothing in the directory",
            stored.clone().with(|entry| {
                (entry.compressed, entry.own_sizes) = (0, Some((22, 22)));
            }),
        ),
        // Java's `ZipInputStream` inflates to the end of the data.
        ("two short sizes", deflated.clone().with(|entry| (entry.compressed, entry.own_sizes) = (1, Some((1, 22))))),
        ("no compressed size", deflated.clone().with(|entry| (entry.compressed, entry.own_sizes) = (0, Some((0, 22))))),
        (
            "a directory of no compressed size",
            deflated.clone().with(|entry| {
                (entry.name, entry.compressed, entry.own_sizes) = (b"d/".to_vec(), 0, Some((0, 22)));
            }),
        ),
        (
            "a link of a short size",
            deflated.clone().streamed().with(|entry| (entry.attributes, entry.compressed) = (0o120_777 << 16, 1)),
        ),
        (
            "a short size of stored data in the header", // Java's `ZipInputStream`
            disguised(0, 8, MODULE.to_vec()).with(|entry| entry.own_sizes = Some((1, 22))),
        ),
        (
            "a short size of stored data that is not listed",
            stored.clone().with(|entry| (entry.offset, entry.own_sizes) = (Some(9), Some((1, 22)))),
        ),
        (
            "a directory of no compressed size in the header alone",
            disguised(8, 0, deflate(MODULE)).with(|entry| {
                (entry.name, entry.own_sizes) = (b"d/".to_vec(), Some((0, 22)));
            }),
        ),
        (
            "an empty name, no compressed size, and a wrong offset",
            Entry::deflated("", MODULE).with(|entry| (entry.offset, entry.own_sizes) = (Some(1), Some((0, 22)))),
        ),
        (
            "an empty name, a short size, and a wrong offset",
            Entry::deflated("", MODULE).with(|entry| (entry.offset, entry.own_sizes) = (Some(1), Some((1, 22)))),
        ),
        ("an empty name, and a wrong offset", Entry::stored("", MODULE).with(|entry| entry.offset = Some(1))),
        ("a size past the end", deflated.clone().with(|entry| entry.compressed = 99_999)), // all but bsdtar
        ("a size of the content", stored.clone().with(|entry| entry.compressed = 2)),      // BusyBox, Java
    ] {
        finds_with_dispute(what, &build(&[entry, text_entry()]));
    }
    let unsigned = {
        let mut bytes = build(std::slice::from_ref(&stored));
        bytes[2] = 9;
        bytes
    };
    finds_with_dispute("a wrong signature", &unsigned); // BusyBox
    for (what, entry) in [
        ("a wrong checksum of stored data", stored.clone().with(|entry| entry.crc = 1)),
        ("a wrong checksum", deflated.clone().with(|entry| entry.crc = 1)),
        ("a wrong size", deflated.clone().with(|entry| entry.size = 9)),
        ("no size", deflated.clone().with(|entry| (entry.size, entry.crc) = (0, 0))),
    ] {
        finds_with_dispute(what, &build(&[entry]));
    }
    let doubly = stored.with(|entry| (entry.size, entry.own_sizes) = (4, Some((22, 4))));
    finds_with_dispute("two sizes of stored data", &build(&[doubly]));
}

/// GNU tar and Python skip the zip, with options.
#[test]
fn tar_outside_of_a_zips_entries_is_found() {
    let mut zip = build(&[text_entry()]);
    zip.resize(zip.len().next_multiple_of(512), 0);
    let without_directory = [&Entry::stored("t", TEXT).local()[..], &[0; 512]].concat();
    for start in [zip, without_directory[..512].to_vec()] {
        let bytes = [start, tar(&[("b.wasm", MODULE)])].concat();
        for bytes in in_every_container(&bytes) {
            finds_with_dispute("a tar after a zip", &bytes);
        }
    }
    // A tar in an entry is an archive in the archive.
    for offset in 0..=1 {
        let name = "n".repeat(512 - 30 + offset);
        finds_quietly("a tar in a zip", &build(&[Entry::stored(&name, &tar(&[("b.wasm", MODULE)]))]));
    }
}

/// Readers decompress the file, and open the zip that ends there.
#[test]
fn zip_at_the_end_of_a_compressed_tar_is_found() {
    let zip = build(&[module_entry()]);
    let texts = tar(&[("t", TEXT)]);
    let large = build(&[Entry::stored("large", &vec![0; 100_000]), module_entry()]);
    for zip in [&zip, &large] {
        for bytes in [gzip(&[&*texts, zip].concat()), zstd(&[&*texts, zip, &[0; 1024]].concat())] {
            finds_with_dispute("a zip after a tar", &bytes);
        }
        // The zip is an entry, after many others or alone.
        let texts = [("t", TEXT); 300];
        finds_quietly("the last entry", &gzip(&tar(&[&texts[..], &[("b", zip)]].concat())));
        finds_quietly("the last entry of a tar in a tar", &gzip(&tar(&[("b", &tar(&[("b", zip)]))])));
        finds_quietly("the only entry", &zstd(&tar(&[("b", zip)])));
    }
    // Only the end of the directory is among the bytes that are held.
    let many: Vec<_> = (0..2_000).map(|nth| Entry::stored(&format!("{nth}"), TEXT)).collect();
    let many = build(&[&[module_entry()], &*many].concat());
    let recorder = walk_file(&gzip(&[&*tar(&[("b.wasm", OTHER)]), &many].concat()));
    assert!(recorder.has_fault(), "{recorder:?}");
    let recorder = walk_file(&gzip(&tar(&[("b", &many)])));
    assert_eq!((recorder.blobs.len(), recorder.has_fault()), (1, false), "{recorder:?}");
}

#[test]
fn headers_that_the_directory_does_not_list_are_found() {
    let hidden = || module_entry().unlisted();
    for (what, bytes) in [
        ("first", build(&[hidden(), text_entry()])),
        ("between", build(&[text_entry(), hidden(), text_entry()])),
        ("between, with a descriptor", build(&[text_entry(), hidden().streamed(), text_entry()])),
        ("last", build(&[text_entry(), hidden()])),
        ("in an archive without entries", build(&[hidden()])),
    ] {
        finds_with_dispute(what, &bytes); // BusyBox and Java read headers, as bsdtar does in a pipe
    }
    // In data that ends earlier for a reader of headers.
    let inner = module_entry().local();
    let short = crc(b"short");
    let by_size = Entry::stored("t", &[b"short", &*inner].concat()).with(|entry| entry.own_sizes = Some((5, 5)));
    let by_descriptor = [&b"shortPK\x07\x08"[..], &u32_bytes(&[short, 5, 5]), &inner].concat();
    let by_descriptor = Entry::stored("t", &by_descriptor).streamed();
    let deflated = deflate(b"short");
    let after = [&*deflated, b"PK\x07\x08", &u32_bytes(&[short, deflated.len() as u32, 5]), &inner].concat();
    let by_stream = Entry::compressed("t", b"short", after, 8).streamed();
    let by_stream_only = Entry::compressed("t", b"short", [deflated, inner].concat(), 8);
    for (what, entry) in [
        ("a size", by_size),
        ("a descriptor", by_descriptor),
        ("the end of a stream with a descriptor", by_stream),
        ("the end of a stream", by_stream_only),
    ] {
        finds_with_dispute(what, &build(&[entry, text_entry()]));
    }
    // Without a directory, some readers extract what the headers say.
    let (body, directory) = parts(&[module_entry(), text_entry(), Entry::stored("b.wasm", OTHER).streamed()], 0);
    for cut in [&*body, &[&*body, &directory[..50]].concat()] {
        let recorder = walk_file(cut);
        assert_eq!(
            (recorder.files(), recorder.codes()),
            (vec!["a!a.wasm", "a!b.wasm"], vec!["disputed-archive a".to_owned()])
        );
    }
}

#[test]
fn ordinary_zips_give_no_findings() {
    let nothing = |bytes: &[u8], what: &str| finds_quietly(what, bytes);
    let empty_descriptor = Entry::stored("e", b"").with(|entry| {
        (entry.flags, entry.descriptor) = (8, vec![0; 12]);
    });
    let descriptors = [
        module_entry().streamed(),
        Entry::stored("t", TEXT).streamed(),
        Entry::stored("e", b"").streamed(),
        empty_descriptor,
        Entry::deflated("u", TEXT).streamed().with(|entry| drop(entry.descriptor.drain(..4))),
        Entry::deflated("v", TEXT).streamed().with(|entry| {
            let sizes = [entry.compressed, entry.size].map(|size| u64::from(size).to_le_bytes()).concat();
            entry.descriptor = [&b"PK\x07\x08"[..], &u32_bytes(&[entry.crc]), &sizes].concat();
        }),
    ];
    nothing(&build(&descriptors), "descriptors in all forms");
    for extra in [&b"UT\0\0"[..], b"UT\x05\0\x01", b"\x01", b"\xfe\xca\0\0", b"up\x06\0\x01\0\0\0\0x"] {
        nothing(&build(&[module_entry().with(|entry| entry.extra = extra.to_vec())]), "an odd extra field");
    }
    let (body, directory) = parts(&[module_entry()], 0);
    let block = [&[7; 300][..], b"APK Sig Block 42"].concat();
    let end = |gap: usize| end(1, directory.len(), body.len() + gap, b"");
    nothing(&[&*body, &block, &directory, &end(block.len())].concat(), "a signature of an APK");
    nothing(&[&*body, &directory, b"PK\x05\x05\x03\0abc", &end(0)].concat(), "a signature of the directory");
    for entry in [module_entry(), Entry::stored("a.wasm", MODULE)] {
        let sized = entry.streamed().with(|entry| entry.own_sizes = Some((0, entry.size)));
        nothing(&build(&[sized, text_entry()]), "a header with a size and no compressed size"); // zip to a pipe
    }
    let padding = Entry::stored("", b"").with(|entry| entry.extra = vec![0; 100]).unlisted();
    nothing(&build(&[text_entry(), padding, module_entry()]), "a header that fills a gap");
    let marked = Entry::stored("t", b"a text with PK\x03\x04 in it, and PK\x05\x06 too: the signatures of a zip");
    nothing(&build(&[marked, module_entry()]), "signatures in data");
}

#[test]
fn entries_without_a_usable_directory_are_found() {
    let module = [&OTHER[..8], &[0, 5], b"\x04poly"].concat();
    for prefix in [&b"#!/bin/sh\nexit\n"[..], &module, b"junk"] {
        let (body, directory) = parts(&[module_entry()], prefix.len());
        let offset = prefix.len() + body.len();
        let len = directory.len();
        let ended = |end: Vec<u8>| [prefix, &body, &directory, &end].concat();
        let shifted = |end: Vec<u8>| [prefix, &build(&[module_entry()])[..body.len() + len], &end].concat();
        for (what, bytes) in [
            ("a directory of 0 bytes", shifted(end(1, 0, body.len(), b""))),
            ("a longer directory", shifted(end(1, len + 1, body.len(), b""))),
            ("bytes after the directory", shifted([&b"signed: yes"[..], &end(1, len, body.len(), b"")].concat())),
            ("no end record", ended(Vec::new())),
            ("a truncated directory", [prefix, &body, &directory[..50]].concat()),
            ("no directory", [prefix, &body].concat()),
            ("an empty directory", [prefix, &body, &end(0, 0, offset, b"")].concat()),
        ] {
            for bytes in in_every_container(&bytes) {
                finds_with_dispute(what, &bytes); // 7-Zip
            }
        }
        // unzip, if the record states another part of a split archive
        for behind in [vec![b'z'; 70_000], vec![0; 70_000]] {
            let whole = ended(end(1, len, offset, b""));
            for bytes in in_every_container(&[whole, behind].concat()) {
                let codes = finds("a zip far from the end", &bytes);
                assert!(codes.is_empty() || codes == ["uncovered-bytes"], "{codes:?}");
            }
        }
        let (nameless, _) = parts(&[Entry::stored("", MODULE)], 0);
        finds_with_dispute("no directory and no name", &[prefix, &nameless].concat()); // 7-Zip
        // A reader takes the sizes from the record in the directory, whose end record is wrong.
        let (mut unsized_body, directory) = parts(&[module_entry()], prefix.len());
        unsized_body[18..26].fill(0xff);
        let bytes = [prefix, &unsized_body, &directory, &end(1, 1, unsized_body.len(), b"")].concat();
        finds_with_dispute("no sizes in the header", &bytes); // 7-Zip
        // Java's `ZipInputStream` inflates to the end of the data.
        let (mut unsized_body, _) = parts(&[module_entry()], prefix.len());
        unsized_body[18..22].fill(0);
        finds_with_dispute("a compressed size of 0", &[prefix, &unsized_body].concat());
        // Entries without a binary are not an archive.
        let (body, _) = parts(&[text_entry()], 0);
        let recorder = walk_file(&[prefix, &body].concat());
        assert_eq!(recorder.codes(), [""; 0]);
    }
}

#[test]
fn bytes_that_no_entry_covers_are_noted() {
    let (first, second) = (text_entry().local(), module_entry().local());
    let listing = |gap: usize| {
        let (first, second) = (text_entry().central(0), module_entry().central((first.len() + gap) as u32));
        [first, second].concat()
    };
    let zip = |between: &[u8], before_directory: &[u8], before_end: &[u8], after: &[u8]| {
        let directory = listing(between.len());
        let offset = first.len() + between.len() + second.len() + before_directory.len();
        let end = end(2, directory.len(), offset, b"");
        [&*first, between, &second, before_directory, &directory, before_end, &end, after].concat()
    };
    for junk in [&b"x"[..], b"some bytes that belong to no entry", &[b'x'; 5000]] {
        for (what, bytes) in [
            ("between entries", zip(junk, b"", b"", b"")),
            ("before the directory", zip(b"", junk, b"", b"")),
            ("after the end record", zip(b"", b"", b"", junk)),
            ("in all places", zip(junk, junk, b"", junk)),
        ] {
            for bytes in in_every_container(&bytes) {
                finds_noting_uncovered_bytes(what, &bytes);
            }
        }
        let bytes = zip(b"", b"", junk, b"");
        let codes = finds("before the end record", &bytes);
        assert!(codes.contains(&"uncovered-bytes".to_owned()), "{codes:?}");
    }
    finds_noting_uncovered_bytes("before the first entry", &[b"unknown", &*zip(b"", b"", b"", b"")].concat());
    for padding in [1, 29, 30, 5000] {
        finds_quietly("zeros", &zip(&vec![0; padding], &vec![0; padding], b"", &vec![0; padding]));
    }
    let hidden = Entry::deflated("b.wasm", OTHER).local();
    for bytes in [zip(&hidden, b"", b"", b""), zip(b"", &hidden, b"", b""), zip(b"", b"", &hidden, b"")] {
        finds_with_dispute("an entry", &bytes);
        assert_eq!(walk_file(&bytes).blobs.len(), 2);
    }
    let without_binary = [TEXT, &build(&[text_entry()])].concat();
    assert_eq!(walk_file(&without_binary).codes(), ["uncovered-bytes a"]);
}

#[test]
fn methods_that_are_not_read_are_not_opened() {
    let by = |method, name: &str, data: &[u8]| build(&[Entry::compressed(name, MODULE, data.to_vec(), method)]);
    for (method, format) in [(9, "Deflate64"), (12, "bzip2"), (14, "LZMA"), (95, "xz"), (98, "PPMd"), (77, "77")] {
        let recorder = walk_file(&by(method, "x", b"data"));
        assert_eq!(recorder.codes(), ["not-opened a"]);
        assert!(recorder.not_opened[0].contains(format), "{recorder:?}");
    }
    for method in [20, 93] {
        finds_quietly("Zstandard", &by(method, "x", &zstd(MODULE)));
    }
    let encrypted = module_entry().with(|entry| entry.flags = 1);
    assert_eq!(walk_file(&build(&[encrypted])).codes(), ["not-opened a!a.wasm"]);
    let (body, directory) = parts(&[module_entry()], 0);
    let directory = [&b"PK\x06\x08"[..], &vec![9; directory.len()]].concat();
    let bytes = [&*body, &directory, &end(1, directory.len(), body.len(), b"")].concat();
    assert!(walk_file(&bytes).codes().contains(&"not-opened a".to_owned()));
}

#[test]
fn overlapping_entries_take_linear_time() {
    // The directory lists entries whose headers are all in the data of the first.
    let mut inner = Vec::new();
    for nth in 0..2000 {
        inner.extend(Entry::stored(&format!("{nth:04}"), b"").with(|entry| entry.own_sizes = Some((0, 0))).local());
    }
    let len = inner.len() as u32;
    let header = inner.len() / 2000;
    let mut entries = vec![Entry::stored("a", &inner)];
    let start = entries[0].local().len() - inner.len();
    for nth in 0..2000 {
        let left = len - (nth * header) as u32 - header as u32;
        entries.push(Entry::stored(&format!("{nth:04}"), b"").with(|entry| {
            entry.offset = Some((start + nth * header) as u32);
            (entry.compressed, entry.size) = (left, left);
        }));
    }
    let (body, directory) = (entries[0].local(), entries.iter().flat_map(|entry| entry.central(0)).collect::<Vec<_>>());
    let bytes = [&*body, &directory, &end(2001, directory.len(), body.len(), b"")].concat();
    let recorder = walk_file(&bytes);
    assert!(recorder.codes().contains(&"archive-limit a".to_owned()), "{:?}", recorder.codes());
    assert!(recorder.inflated < 100 * bytes.len() as u64, "{} of {}", recorder.inflated, bytes.len());
}

#[test]
fn archive_after_an_executable_is_reported() {
    let mut elf = [&b"\x7fELF\x02\x01\x01"[..], &[0; 57]].concat();
    elf[0x28..0x30].copy_from_slice(&5000_u64.to_le_bytes()); // where the section headers are
    elf[0x3a..0x3e].copy_from_slice(&shorts(&[64, 2]));
    elf.resize(5128, 1);
    let mut pe = [&b"MZ"[..], &[0; 0x3a], &u32_bytes(&[0x40]), b"PE\0\0", &shorts(&[0x8664, 1]), &[0; 16]].concat();
    let section = [&[0; 16][..], &u32_bytes(&[1000, 6000]), &[0; 16]].concat();
    pe.extend(section);
    pe.resize(7000, 1);
    for program in [elf, pe] {
        assert_eq!((walk_file(&program).passed, walk_file(&program).errors.len()), (1, 0));
        for (archive, format) in [(&b"7z\xbc\xaf\x27\x1c\0\x04"[..], "7z"), (b"Rar!\x1a\x07\x01\0", "rar")] {
            let bytes = [&*program, archive, &vec![2; 70_000]].concat();
            for bytes in [bytes.clone(), tar(&[("a", &bytes)])] {
                let recorder = walk_file(&bytes);
                assert_eq!(
                    (recorder.errors.len(), &*recorder.not_opened),
                    (1, &[format.to_owned()][..]),
                    "{recorder:?}"
                );
            }
        }
    }
}
