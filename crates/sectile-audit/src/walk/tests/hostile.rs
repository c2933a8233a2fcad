use super::*;

/// Inspects a file truncated at every byte, and with every byte changed.
fn for_each_mutant(bytes: &[u8], mut check: impl FnMut(usize, Recorder)) {
    // Most of a long file is padding.
    let places = || (0..bytes.len()).step_by(1 + bytes.len() / 512);
    for end in places() {
        check(end, walk_file(&bytes[..end]));
    }
    for at in places() {
        let mut bytes = bytes.to_vec();
        bytes[at] ^= 0x41;
        check(usize::MAX, walk_file(&bytes));
    }
}

#[test]
fn truncated_streams_are_malformed() {
    let module = [MODULE, b"\x00\x05\x04name"].concat();
    for bytes in [gzip(&module), zstd(&module)] {
        for_each_mutant(&bytes, |end, recorder| {
            if end != usize::MAX && end > 3 {
                assert_eq!(recorder.codes(), [format!("{} a", recorder.fault())], "{end}");
            }
            if let [blob] = &recorder.blobs[..] {
                assert!(end == usize::MAX || module.starts_with(&blob.bytes), "{end}");
            }
        });
    }
}

#[test]
fn damaged_archives_terminate() {
    let entries: [(&str, &[u8]); 2] = [("a.wasm", MODULE), ("b.wasm", b"text")];
    let zips = zip(&[("a.wasm", MODULE, true), ("b.wasm", MODULE, false)]);
    for_each_mutant(&zips, |end, recorder| {
        assert!(recorder.blobs.len() <= 4); // each of two entries in two ways
        if end != usize::MAX && end > 3 {
            assert!(!recorder.errors.is_empty(), "{end}");
        }
    });
    let tars = tar(&entries)[..2048].to_vec();
    for_each_mutant(&tars, |end, recorder| {
        let by_gzip = if end == usize::MAX { return } else { walk_file(&gzip(&tars[..end])) };
        if end >= 512 {
            assert_eq!(recorder.files(), by_gzip.files(), "{end}");
            assert_eq!(recorder.codes(), by_gzip.codes(), "{end}");
        }
    });
}

#[test]
fn wrong_checksum_is_reported_after_the_blob() {
    let mut gzipped = gzip(MODULE);
    let crc = gzipped.len() - 8;
    gzipped[crc] ^= 1;
    let mut frame = zstd(MODULE);
    *frame.last_mut().unwrap() ^= 1;
    for bytes in [gzipped.clone(), frame] {
        let recorder = walk_file(&bytes);
        assert_eq!((&*recorder.blobs[0].bytes, recorder.codes()), (MODULE, vec!["disputed-archive a".to_owned()]));
        assert!(recorder.blobs[0].broke);
    }
    // In another archive, the error is that of the entry.
    let recorder = walk_file(&tar(&[("m.gz", &gzipped), ("n.wasm", OTHER)]));
    assert_eq!(
        (recorder.files(), recorder.codes()),
        (vec!["a!m.gz", "a!n.wasm"], vec!["disputed-archive a!m.gz".to_owned()])
    );
    // Other files are read to their ends, too, where an archive may be.
    let mut text = gzip(&vec![b'x'; 1 << 16]);
    let crc = text.len() - 8;
    text[crc] ^= 1;
    assert_eq!(walk_file(&text).codes(), ["malformed-archive a"]);
    // The bytes after the stream are not gzip.
    assert_eq!(walk_file(&[gzip(MODULE), b"garbage".to_vec()].concat()).codes(), ["disputed-archive a"]);
}

/// Bytes that do not compress.
fn incompressible(len: usize) -> Vec<u8> {
    let mut state = 7_u32;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..len).map(next).collect()
}

#[test]
fn output_before_damage_is_inspected() {
    let rest = incompressible(200_000);
    let section = [MODULE, &[0, 0xc2, 0x9a, 0x0c, 1, b'n'], &rest].concat();
    let archive = tar(&[("m", MODULE), ("n", &rest)]);
    let zipped = zip(&[("m", MODULE, false), ("n", &rest, false)]);
    let frame = |bytes: &[u8]| {
        let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0, 0x50]; // a window of 1 MiB
        let mut blocks = bytes.chunks(1 << 17).peekable();
        while let Some(block) = blocks.next() {
            let header = u32::from(blocks.peek().is_none()) | (block.len() as u32) << 3;
            frame.extend([&header.to_le_bytes()[..3], block].concat());
        }
        frame
    };
    for (bytes, files) in [(section, ["a"]), (archive, ["a!m"]), (zipped, ["a!m"])] {
        for (compressed, smallest) in [(gzip(&bytes), 3 << 9), (zstd(&bytes), 140_000), (frame(&bytes), 3 << 9)] {
            for end in [compressed.len() - 1, compressed.len() - 9, compressed.len() - 60_000, smallest] {
                let recorder = walk_file(&compressed[..end]);
                let mut seen = recorder.files();
                seen.dedup(); // a truncated zip is read in two ways
                assert_eq!(seen, files, "{end}");
                assert!(bytes.starts_with(&recorder.blobs[0].bytes) || recorder.blobs[0].bytes == MODULE);
                assert!(recorder.has_fault(), "{end} {recorder:?}");
            }
        }
    }
    // All bytes before the damage are inflated: the last of them are a module.
    for len in [0, 100, 5000, 33_000, 131_072] {
        for compress in [&gzip as &dyn Fn(&[u8]) -> Vec<u8>, &frame] {
            let bytes = incompressible(len + 3000);
            let mut compressed = compress(&tar(&[("n", &bytes[..len]), ("m", MODULE), ("o", &bytes[len..])]));
            let end = compressed.len() - 2000;
            let recorder = walk_file(&compressed[..end]);
            assert_eq!((recorder.files(), recorder.has_fault()), (vec!["a!m"], true), "{len}");
            if compressed[0] == 0x1f {
                compressed[end..].fill(0xff);
                let recorder = walk_file(&compressed);
                assert!(recorder.files().contains(&"a!m") && recorder.has_fault(), "{len}");
            }
        }
    }
    // A zip in a damaged stream, and one without remaining bytes.
    let whole = gzip(&zip(&[("m", MODULE, true)]));
    for change in [whole.len() - 8, whole.len() - 1] {
        let mut damaged = whole.clone();
        damaged[change] ^= 1;
        for bytes in [damaged.clone(), [&*damaged, b"junk"].concat(), whole[..change].to_vec()] {
            let recorder = walk_file(&bytes);
            assert_eq!((recorder.files(), recorder.has_fault()), (vec!["a!m"], true));
        }
    }
}

#[test]
fn gzip_headers_that_some_readers_accept() {
    let honest = gzip(MODULE);
    let (start, data) = honest.split_at(10);
    let with = |flags: u8, fields: &[u8]| [&start[..3], &[flags], &start[4..], fields, data].concat();
    let sum = |flags: u8, fields: &[u8]| {
        (crc32fast::hash(&[&start[..3], &[flags], &start[4..], fields].concat()) as u16).to_le_bytes()
    };
    for (flags, fields, is_honest) in [
        (0, vec![], true),
        (1, vec![], true),
        (2, sum(2, b"").to_vec(), true),
        (2, vec![1, 2], false),
        (4, b"\x05\0extra".to_vec(), true),
        (8, b"name\0".to_vec(), true),
        (16, b"comment\0".to_vec(), true),
        (28, b"\0\0name\0comment\0".to_vec(), true),
        (30, [&b"\0\0\0\0"[..], &sum(30, b"\0\0\0\0")].concat(), true),
        (0x20, vec![], false),
        (0x40, vec![], false),
        (0x80, vec![], false),
        (0xe8, b"name\0".to_vec(), false),
    ] {
        let recorder = walk_file(&with(flags, &fields));
        assert_eq!((recorder.files(), recorder.has_fault()), (vec!["a"], !is_honest), "{flags:x}");
        assert_eq!((&*recorder.blobs[0].bytes, recorder.blobs[0].broke), (MODULE, false));
        let text = [&start[..3], &[flags], &start[4..], &fields, &gzip(b"text")[10..]].concat();
        let codes = if is_honest { vec![] } else { vec!["malformed-archive a"] };
        assert_eq!(walk_file(&text).codes(), codes, "{flags:x}");
    }
    // A header that does not end.
    for (flags, fields) in [(4, &b"\xff\xffx"[..]), (8, b"name"), (2, b"")] {
        let bytes = [&start[..3], &[flags], &start[4..], fields].concat();
        assert_eq!(walk_file(&bytes).codes(), ["malformed-archive a"]);
    }
    // Some readers continue after a wrong checksum.
    let mut first = gzip(&MODULE[..9]);
    let crc = first.len() - 8;
    first[crc] ^= 1;
    let recorder = walk_file(&[first, gzip(&MODULE[9..])].concat());
    assert_eq!((&*recorder.blobs[0].bytes, recorder.codes()), (MODULE, vec!["disputed-archive a".to_owned()]));
}

#[test]
fn output_before_corrupt_data_is_examined() {
    const RESERVED_BLOCK: u8 = 7;
    let corrupt = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
        encoder.write_all(bytes).unwrap();
        encoder.flush().unwrap();
        [&encoder.get_ref()[..], &[RESERVED_BLOCK]].concat()
    };
    let bytes = corrupt(&tar(&[("app.wasm", MODULE), ("other", &[b'x'; 10_000])]));
    let recorder = walk_file(&bytes);
    assert_eq!((recorder.files(), recorder.codes()), (vec!["a!app.wasm"], vec!["disputed-archive a".to_owned()]));
    assert_eq!((&*recorder.blobs[0].bytes, recorder.blobs[0].broke), (MODULE, false));

    let recorder = walk_file(&corrupt(MODULE));
    assert_eq!((&*recorder.blobs[0].bytes, recorder.blobs[0].broke), (MODULE, true));
    assert_eq!(recorder.codes(), ["disputed-archive a"]);
}

#[test]
fn decompression_bomb_stops_at_the_limit() {
    let bomb = [MODULE, &vec![0; 2 << 20]].concat();
    let options = WalkOptions { max_inflated: 1 << 17, ..WalkOptions::default() };
    for bytes in [
        gzip(&bomb),
        zstd(&bomb),
        zip(&[("m", &bomb, true)]),
        gzip(&tar(&[("m", &bomb)])),
        gzip(&gzip(&bomb)),
        zip(&[("m.gz", &gzip(&bomb), true)]),
    ] {
        let recorder = walk_file_with(&bytes, &options, Recorder::default());
        assert_eq!(recorder.errors.len(), 1, "{:?}", recorder.errors);
        assert_eq!(recorder.errors[0].code.name(), "archive-limit");
        assert!(recorder.blobs.iter().all(|blob| blob.broke && blob.bytes.len() <= 1 << 17));
    }
    // The limit applies to all entries of a file together.
    let entries: Vec<_> = (0..8).map(|_| ("m", &bomb[..1 << 15], true)).collect();
    let recorder = walk_file_with(&zip_of_duplicates(&entries), &options, Recorder::default());
    assert!(recorder.blobs.len() <= 4 && recorder.errors.len() == 1, "{:?}", recorder.errors);
}

/// A zip whose entries may have the same name.
fn zip_of_duplicates(entries: &[(&str, &[u8], bool)]) -> Vec<u8> {
    let names: Vec<String> = (0..entries.len()).map(|nth| format!("{nth:02}")).collect();
    let all: Vec<_> = names.iter().zip(entries).map(|(name, entry)| (&**name, entry.1, entry.2)).collect();
    zip(&all)
}

#[test]
fn limits_on_entries_nesting_and_held_memory() {
    let entries: Vec<_> = (0..100).map(|_| ("m", OTHER)).collect();
    let limited = |bytes: &[u8], options: &WalkOptions| walk_file_with(bytes, options, Recorder::default());
    let options = WalkOptions { max_entries: 10, ..WalkOptions::default() };
    for bytes in [tar(&entries), gzip(&tar(&entries)), tar(&[("t", &tar(&entries))])] {
        let recorder = limited(&bytes, &options);
        assert!(
            matches!(recorder.blobs.len(), 9 | 10) && recorder.codes()[0].starts_with("archive-limit"),
            "{recorder:?}"
        );
    }
    let zips: Vec<_> = (0..100).map(|_| ("m", OTHER, false)).collect();
    assert_eq!(limited(&zip_of_duplicates(&zips), &options).blobs.len(), 10);

    let mut nested = MODULE.to_vec();
    for _ in 0..100 {
        nested = gzip(&tar(&[("t", &nested)]));
    }
    let options = WalkOptions { max_nesting: u32::MAX, ..WalkOptions::default() };
    assert_eq!(limited(&nested, &options).codes().len(), 1);
    let mut nested = MODULE.to_vec();
    for _ in 0..100 {
        nested = gzip(&nested);
    }
    assert_eq!(limited(&nested, &options).codes(), ["archive-limit a"]);

    let options = WalkOptions { max_held_bytes: 1 << 10, ..WalkOptions::default() };
    let large = zip(&[("m", &[7; 4096], false), ("n", MODULE, true)]);
    assert_eq!(limited(&large, &options).blobs.len(), 1); // entries in a file are not held
    assert_eq!(limited(&gzip(&large), &options).codes(), ["archive-limit a"]);
    let small = zip(&[("n", MODULE, true)]);
    assert_eq!(limited(&zip(&[("s.zip", &small, true), ("t.zip", &small, true)]), &options).blobs.len(), 2);

    // A frame with a window of 1 GiB.
    let window = [&[0x28, 0xb5, 0x2f, 0xfd, 0, 0xa0][..], &[1, 0, 0]].concat();
    assert_eq!(walk_file(&window).codes(), ["archive-limit a"]);

    // Nested frames with windows of 1 MiB each share the limit of their file.
    let frame = |bytes: &[u8]| {
        let block = 1 | (bytes.len() as u32) << 3; // the last block, not compressed
        [&[0x28, 0xb5, 0x2f, 0xfd, 0, 0x50][..], &block.to_le_bytes()[..3], bytes].concat()
    };
    let nested = frame(&frame(MODULE));
    let held = |held| limited(&nested, &WalkOptions { max_held_bytes: held, ..WalkOptions::default() });
    assert_eq!((held(3 << 19).blobs.len(), held(3 << 19).codes()), (0, vec!["archive-limit a".to_owned()]));
    assert_eq!((held(2 << 20).blobs.len(), held(2 << 20).codes().len()), (1, 0));
    let beside = tar(&[("a", &frame(MODULE)), ("b", &frame(MODULE))]);
    assert_eq!(limited(&beside, &WalkOptions { max_held_bytes: 3 << 19, ..WalkOptions::default() }).blobs.len(), 2);
}

#[test]
fn many_empty_entries_are_cheap() {
    let header = tar(&[("empty", b"")])[..512].to_vec();
    let recorder = walk_file(&header.repeat(100_000));
    assert_eq!((recorder.passed, recorder.errors.len()), (100_000, 0));
    let recorder = walk_file(&gzip(&header.repeat(100_000)));
    assert_eq!((recorder.passed, recorder.errors.len()), (100_000, 0));
}

/// Changes the first header of a tar, and fixes its checksum.
fn with_header(tar: &[u8], change: impl FnOnce(&mut tar::Header)) -> Vec<u8> {
    let mut header = tar::Header::from_byte_slice(&tar[..512]).clone();
    change(&mut header);
    header.set_cksum();
    [header.as_bytes(), &tar[512..]].concat()
}

#[test]
fn tars_with_wrong_headers_are_malformed() {
    let honest = tar(&[("a.wasm", MODULE), ("b.wasm", OTHER)]);
    let larger = with_header(&honest, |header| header.set_size(1 << 40));
    let largest = with_header(&honest, |header| {
        header.as_mut_bytes()[124..136]
            .copy_from_slice(&[0x80, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    });
    let no_number = with_header(&honest, |header| header.as_mut_bytes()[124..136].copy_from_slice(b"zzzzzzzzzzz\0"));
    // The data of the first entry is one with the second, or the second follows it.
    for (bytes, files) in [
        (larger, &["a!a.wasm", "a!a.wasm!b.wasm"][..]),
        (largest, &["a!b.wasm", "a!a.wasm", "a!a.wasm!b.wasm"]),
        (no_number, &["a!a.wasm", "a!a.wasm", "a!b.wasm"]),
    ] {
        for bytes in [bytes.clone(), gzip(&bytes)] {
            let recorder = walk_file(&bytes);
            assert_eq!(recorder.files(), files);
            assert!(recorder.has_fault(), "{recorder:?}");
        }
    }
    // A name of 16 GiB.
    let long_name = with_header(&honest, |header| {
        header.set_entry_type(tar::EntryType::GNULongName);
        header.set_size(16 << 30);
    });
    let recorder = walk_file(&long_name);
    assert_eq!(recorder.codes(), ["disputed-archive a"]);
    assert_eq!(recorder.files(), ["a!b.wasm", "a!a.wasm", "a!a.wasm!b.wasm"]);
    // Malformed records.
    let records = with_header(&honest, |header| header.set_entry_type(tar::EntryType::XHeader));
    let recorder = walk_file(&records);
    assert_eq!(recorder.files(), ["a!a.wasm", "a!b.wasm"]);
    assert!(recorder.has_fault(), "{recorder:?}");
    // A truncated name, and a truncated entry.
    let long = tar(&[(&*"n".repeat(300), MODULE)]);
    for (end, what) in [(512 + 200, "header"), (512 + 301, "data")] {
        for bytes in [long[..end].to_vec(), gzip(&long[..end])] {
            let recorder = walk_file(&bytes);
            assert_eq!((recorder.blobs.len(), recorder.codes()), (0, vec!["malformed-archive a".to_owned()]));
            assert!(recorder.errors[0].message.contains(what), "{end} {:?}", recorder.errors);
        }
    }
    // Endless sparse headers.
    let sparse = with_header(&honest, |header| {
        header.set_entry_type(tar::EntryType::GNUSparse);
        header.as_gnu_mut().unwrap().set_is_extended(true);
    });
    let endless = walk_file(&[&sparse[..512], &[1; 5000]].concat());
    assert!(endless.has_fault(), "{endless:?}");
}

/// The offsets of the two headers of a zip's first entry: its own and that in the directory.
fn headers(zip: &[u8]) -> (usize, usize) {
    let central = zip.windows(4).position(|bytes| bytes == b"PK\x01\x02").unwrap();
    (0, central)
}

#[test]
fn zips_with_inconsistent_headers_are_disputed() {
    let honest = zip(&[("a.wasm", MODULE, true), ("b.wasm", OTHER, false)]);
    let (local, central) = headers(&honest);
    let with = |at: usize, byte: u8| {
        let mut bytes = honest.clone();
        assert_ne!(bytes[at], byte);
        bytes[at] = byte;
        bytes
    };
    for (what, bytes) in [
        ("names", with(local + 30, b'x')),
        ("compression methods", with(local + 8, 0)),
        ("flags for encryption", with(local + 6, 1)),
        ("checksums", with(local + 14, honest[local + 14] ^ 1)),
        ("sizes", with(local + 22, 1)),
        ("sizes", with(central + 24, 1)),
        ("sizes", with(central + 22, 1)),
    ] {
        let recorder = walk_file(&bytes);
        let is_found = |name: &str, bytes: &[u8]| recorder.blobs.iter().any(|b| b.file == name && b.bytes == bytes);
        assert!(is_found("a!a.wasm", MODULE) && is_found("a!b.wasm", OTHER), "{what} {recorder:?}");
        assert_eq!(recorder.codes()[0], "disputed-archive a!a.wasm", "{what}");
        assert!(recorder.errors[0].message.contains(what), "{what} {:?}", recorder.errors);
    }
    let recorder = walk_file(&with(central + 42, 1));
    assert_eq!(recorder.codes()[0], "disputed-archive a!a.wasm");
    assert!(recorder.files().contains(&"a!a.wasm"), "a reader of headers finds it: {recorder:?}");
    // Both headers agree on a wrong size.
    let mut wrong = with(local + 22, 1);
    wrong[central + 24] = 1;
    let recorder = walk_file(&wrong);
    assert_eq!(recorder.codes(), ["disputed-archive a!a.wasm"], "{recorder:?}");
    let second = honest.windows(4).rposition(|bytes| bytes == b"PK\x03\x04").unwrap();
    let second_central = honest.windows(4).rposition(|bytes| bytes == b"PK\x01\x02").unwrap();
    let mut stored = with(second + 22, OTHER.len() as u8 + 1);
    stored[second_central + 24] = OTHER.len() as u8 + 1;
    let recorder = walk_file(&stored);
    assert!(recorder.files().starts_with(&["a!a.wasm", "a!b.wasm"]), "{recorder:?}");
    assert!(recorder.errors[0].message.contains("two sizes"), "{recorder:?}");
    let mut encrypted = with(local + 6, honest[local + 6] | 1);
    encrypted[central + 8] |= 1;
    assert_eq!(walk_file(&encrypted).codes(), ["not-opened a!a.wasm"]);
    let mut by_bzip2 = with(local + 8, 12);
    by_bzip2[central + 10] = 12;
    assert_eq!(walk_file(&by_bzip2).codes(), ["not-opened a!a.wasm"]);
}

#[test]
fn overlapping_zip_entries_are_disputed() {
    // The directory lists the only entry a thousand times.
    let one = zip(&[("a.wasm", MODULE, true)]);
    let (_, central) = headers(&one);
    let end = one.len() - 22;
    let record = &one[central..end];
    let mut bytes = [&one[..central], &record.repeat(1000), &one[end..]].concat();
    let start = bytes.len() - 22;
    bytes[start + 8..start + 10].copy_from_slice(&1000_u16.to_le_bytes());
    bytes[start + 10..start + 12].copy_from_slice(&1000_u16.to_le_bytes());
    bytes[start + 12..start + 16].copy_from_slice(&(1000 * record.len() as u32).to_le_bytes());
    let recorder = walk_file(&bytes);
    assert_eq!(recorder.files(), ["a!a.wasm"]);
    assert_eq!(recorder.errors.len(), 17); // sixteen, and the count of the others
    assert!(recorder.errors[16].message.contains("983 more"), "{:?}", recorder.errors[16]);
    assert_eq!(recorder.errors[16].location.file, "a");
}

/// Reorders the directory of a zip. Each record contains the offset of its entry.
fn directory_of(zip: &[u8], order: impl Fn(Vec<&[u8]>) -> Vec<Vec<u8>>) -> Vec<u8> {
    let (_, central) = headers(zip);
    let end = zip.len() - 22;
    let starts: Vec<_> = (central..end).filter(|&at| zip[at..].starts_with(b"PK\x01\x02")).collect();
    let ends = starts[1..].iter().copied().chain([end]);
    let records = order(starts.iter().copied().zip(ends).map(|(start, end)| &zip[start..end]).collect());
    let (number, directory) = (records.len() as u16, records.concat());
    let mut tail = zip[end..].to_vec();
    tail[8..10].copy_from_slice(&number.to_le_bytes());
    tail[10..12].copy_from_slice(&number.to_le_bytes());
    tail[12..16].copy_from_slice(&(directory.len() as u32).to_le_bytes());
    [&zip[..central], &directory, &tail].concat()
}

#[test]
fn zip_entries_may_have_any_order() {
    let all: Vec<_> = (0..32).map(|nth| if nth % 3 == 0 { ("m", OTHER, false) } else { ("m", MODULE, true) }).collect();
    let all = zip_of_duplicates(&all);
    let backwards = directory_of(&all, |records| records.into_iter().rev().map(<[u8]>::to_vec).collect());
    let inside_out = directory_of(&all, |records| {
        let (even, odd): (Vec<_>, Vec<_>) = (0..records.len()).partition(|nth| nth % 2 == 0);
        even.into_iter().chain(odd).map(|nth| records[nth].to_vec()).collect()
    });
    let mut files = Vec::new();
    for bytes in [all.clone(), backwards, inside_out] {
        let recorder = walk_file(&bytes);
        assert!(recorder.errors.is_empty(), "{:?}", recorder.errors);
        let mut names: Vec<_> = recorder.files().into_iter().map(str::to_owned).collect();
        names.sort();
        files.push(names);
    }
    assert!(files[0].len() == 32 && files[1] == files[0] && files[2] == files[0], "{files:#?}");
    // Headers and ranges that are not adjacent take memory, up to the limit.
    let gaps = directory_of(&all, |records| records.into_iter().step_by(2).map(<[u8]>::to_vec).collect());
    let held = |held| {
        walk_file_with(&gaps, &WalkOptions { max_held_bytes: held, ..WalkOptions::default() }, Recorder::default())
    };
    let unlisted = |recorder: &Recorder| recorder.codes().iter().all(|code| code.starts_with("disputed-archive"));
    assert!(held(4 << 10).blobs.len() == 32 && unlisted(&held(4 << 10)), "{:?}", held(4 << 10));
    assert_eq!((held(200).blobs.len(), held(200).codes()), (3, vec!["archive-limit a".to_owned()]));
}

#[test]
fn links_in_a_zip_are_counted_not_followed() {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    for name in ["a.wasm", "b.wasm"] {
        writer.add_symlink(name, "/etc/passwd", options).unwrap();
    }
    writer.start_file("c.wasm", options).unwrap();
    writer.write_all(MODULE).unwrap();
    let recorder = walk_file(&writer.finish().unwrap().into_inner());
    assert_eq!((recorder.files(), recorder.codes()), (vec!["a!c.wasm"], vec!["not-followed a".to_owned()]));
    assert!(recorder.errors[0].message.contains("2 links"), "{recorder:?}");
}

#[test]
fn truncated_skippable_frame_is_malformed() {
    let skipped = |len: u32, has: usize| [&[0x50, 0x2a, 0x4d, 0x18][..], &len.to_le_bytes(), &vec![0; has]].concat();
    let recorder = walk_file(&[zstd(MODULE), skipped(100, 100)].concat());
    assert_eq!((recorder.files(), recorder.codes().len()), (vec!["a"], 0));
    let recorder = walk_file(&[zstd(MODULE), skipped(100, 99)].concat());
    assert_eq!((recorder.files(), recorder.codes()), (vec!["a"], vec!["disputed-archive a".to_owned()]));
}

/// Changes, removes and repeats random parts. The walk ends within the limits, with the same result by position and
/// through gzip.
#[test]
fn random_changes_stay_within_the_limits() {
    let inner = zip(&[("c.wasm", MODULE, true), ("d.wasm", OTHER, false)]);
    let tarred = tar(&[("a.wasm", MODULE), ("b.zip", &inner), ("c.gz", &gzip(MODULE))]);
    let sources = [tarred[..tarred.len() - 1024].to_vec(), inner, gzip(&tarred), zstd(MODULE)];
    let options =
        WalkOptions { max_inflated: 1 << 20, max_entries: 1000, max_held_bytes: 1 << 20, ..WalkOptions::default() };
    let mut state = 1_u64;
    let mut random = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below.max(1)
    };
    for nth in 0..600 {
        let mut bytes = sources[nth % sources.len()].clone();
        for _ in 0..=random(4) {
            let at = random(bytes.len());
            match random(3) {
                _ if bytes.is_empty() => {}
                0 => bytes[at] = random(256) as u8,
                1 => drop(bytes.splice(at..(at + random(600)).min(bytes.len()), [])),
                _ => bytes.extend_from_within(at..(at + random(600)).min(bytes.len())),
            }
        }
        let plain = walk_file_with(&bytes, &options, Recorder::default());
        assert!(plain.blobs.len() <= 1000 && plain.errors.len() <= 100, "{nth}");
        assert!(plain.blobs.iter().map(|blob| blob.bytes.len()).sum::<usize>() <= bytes.len() + (1 << 20), "{nth}");
        let is_tar = crate::walk::file_kind::FileKind::detect(&bytes) == crate::walk::file_kind::FileKind::Tar;
        // A tar in a stream is not searched for a zip at its end.
        let is_also_zip = plain.files().iter().any(|name| ["a!c.wasm", "a!d.wasm"].contains(name));
        if is_tar && !is_also_zip {
            let gzipped = walk_file_with(&gzip(&bytes), &options, Recorder::default());
            assert_eq!(plain.files(), gzipped.files(), "{nth}");
            // A tar that is also a zip is not searched for within gzip.
            if !crate::walk::zip_sign::has_zip_end(&bytes) {
                assert_eq!(plain.codes(), gzipped.codes(), "{nth}");
            }
            let bytes = |recorder: &Recorder| recorder.blobs.iter().map(|blob| blob.bytes.clone()).collect::<Vec<_>>();
            assert_eq!(bytes(&plain), bytes(&gzipped), "{nth}");
        }
    }
}
