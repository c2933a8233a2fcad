use super::*;

/// What a file shows when it is cut off at every byte, or when a byte in it is another.
fn of_mutants(bytes: &[u8], mut check: impl FnMut(usize, Shown)) {
    // Of what is long, most is padding.
    let places = || (0..bytes.len()).step_by(1 + bytes.len() / 512);
    for end in places() {
        check(end, show_file(&bytes[..end]));
    }
    for at in places() {
        let mut bytes = bytes.to_vec();
        bytes[at] ^= 0x41;
        check(usize::MAX, show_file(&bytes));
    }
}

#[test]
fn what_is_cut_off_says_so() {
    let module = [MODULE, b"\x00\x05\x04name"].concat();
    for bytes in [gzip(&module), zstd(&module)] {
        of_mutants(&bytes, |end, shown| {
            if end != usize::MAX && end > 3 {
                assert_eq!(shown.codes(), ["malformed-archive a"], "{end}");
            }
            if let [blob] = &shown.blobs[..] {
                assert!(end == usize::MAX || module.starts_with(&blob.bytes), "{end}");
            }
        });
    }
}

#[test]
fn damaged_archives_end() {
    let entries: [(&str, &[u8]); 2] = [("a.wasm", MODULE), ("b.wasm", b"text")];
    let zips = zip(&[("a.wasm", MODULE, true), ("b.wasm", MODULE, false)]);
    of_mutants(&zips, |end, shown| {
        assert!(shown.blobs.len() <= 2);
        if end != usize::MAX && end > 3 {
            assert!(!shown.troubles.is_empty(), "{end}");
        }
    });
    let tars = tar(&entries)[..2048].to_vec();
    of_mutants(&tars, |end, shown| {
        let by_gzip = if end == usize::MAX { return } else { show_file(&gzip(&tars[..end])) };
        if end >= 512 {
            assert_eq!(shown.files(), by_gzip.files(), "{end}");
            assert_eq!(shown.codes(), by_gzip.codes(), "{end}");
        }
    });
}

#[test]
fn a_wrong_checksum_is_told_behind_the_blob() {
    let mut gzipped = gzip(MODULE);
    let crc = gzipped.len() - 8;
    gzipped[crc] ^= 1;
    let mut frame = zstd(MODULE);
    *frame.last_mut().unwrap() ^= 1;
    for bytes in [gzipped.clone(), frame] {
        let shown = show_file(&bytes);
        assert_eq!((&*shown.blobs[0].bytes, shown.codes()), (MODULE, vec!["malformed-archive a".to_owned()]));
        assert!(shown.blobs[0].broke);
    }
    // Inside another one, it is the entry that is broken.
    let shown = show_file(&tar(&[("m.gz", &gzipped), ("n.wasm", OTHER)]));
    assert_eq!(
        (shown.files(), shown.codes()),
        (vec!["a!m.gz", "a!n.wasm"], vec!["malformed-archive a!m.gz".to_owned()])
    );
    // Nobody reads all of something else, to see.
    let mut text = gzip(&vec![b'x'; 1 << 16]);
    let crc = text.len() - 8;
    text[crc] ^= 1;
    assert_eq!(show_file(&text).troubles.len(), 0);
    // What stands behind the stream is not gzip.
    assert_eq!(show_file(&[gzip(MODULE), b"garbage".to_vec()].concat()).codes(), ["malformed-archive a"]);
}

#[test]
fn a_bomb_is_left_at_the_limit() {
    let bomb = [MODULE, &vec![0; 2 << 20]].concat();
    let options = WalkOptions { inflated: 1 << 17, ..WalkOptions::default() };
    for bytes in [
        gzip(&bomb),
        zstd(&bomb),
        zip(&[("m", &bomb, true)]),
        gzip(&tar(&[("m", &bomb)])),
        gzip(&gzip(&bomb)),
        zip(&[("m.gz", &gzip(&bomb), true)]),
    ] {
        let shown = show_file_with(&bytes, &options, Shown::default());
        assert_eq!(shown.troubles.len(), 1, "{:?}", shown.troubles);
        assert_eq!(shown.troubles[0].code.name(), "archive-limit");
        assert!(shown.blobs.iter().all(|blob| blob.broke && blob.bytes.len() <= 1 << 17));
    }
    // All that is in one file counts together.
    let entries: Vec<_> = (0..8).map(|_| ("m", &bomb[..1 << 15], true)).collect();
    let shown = show_file_with(&zip_of_duplicates(&entries), &options, Shown::default());
    assert!(shown.blobs.len() <= 4 && shown.troubles.len() == 1, "{:?}", shown.troubles);
}

/// A zip whose entries may have the same name.
fn zip_of_duplicates(entries: &[(&str, &[u8], bool)]) -> Vec<u8> {
    let names: Vec<String> = (0..entries.len()).map(|nth| format!("{nth:02}")).collect();
    let all: Vec<_> = names.iter().zip(entries).map(|(name, entry)| (&**name, entry.1, entry.2)).collect();
    zip(&all)
}

#[test]
fn limits_of_entries_nesting_and_what_is_held() {
    let entries: Vec<_> = (0..100).map(|_| ("m", OTHER)).collect();
    let limited = |bytes: &[u8], options: &WalkOptions| show_file_with(bytes, options, Shown::default());
    let options = WalkOptions { entries: 10, ..WalkOptions::default() };
    for bytes in [tar(&entries), gzip(&tar(&entries)), tar(&[("t", &tar(&entries))])] {
        let shown = limited(&bytes, &options);
        assert!(matches!(shown.blobs.len(), 9 | 10) && shown.codes()[0].starts_with("archive-limit"), "{shown:?}");
    }
    let zips: Vec<_> = (0..100).map(|_| ("m", OTHER, false)).collect();
    assert_eq!(limited(&zip_of_duplicates(&zips), &options).blobs.len(), 10);

    let mut nested = MODULE.to_vec();
    for _ in 0..100 {
        nested = gzip(&tar(&[("t", &nested)]));
    }
    let options = WalkOptions { nested: u32::MAX, ..WalkOptions::default() };
    assert_eq!(limited(&nested, &options).codes().len(), 1);
    let mut nested = MODULE.to_vec();
    for _ in 0..100 {
        nested = gzip(&nested);
    }
    assert_eq!(limited(&nested, &options).codes(), ["archive-limit a"]);

    let options = WalkOptions { held: 1 << 10, ..WalkOptions::default() };
    let large = zip(&[("m", &[7; 4096], false), ("n", MODULE, true)]);
    assert_eq!(limited(&large, &options).blobs.len(), 1); // it lies in a file
    assert_eq!(limited(&gzip(&large), &options).codes(), ["archive-limit a"]);
    let small = zip(&[("n", MODULE, true)]);
    assert_eq!(limited(&zip(&[("s.zip", &small, true), ("t.zip", &small, true)]), &options).blobs.len(), 2);

    // A frame that asks for a window of 1 GiB.
    let window = [&[0x28, 0xb5, 0x2f, 0xfd, 0, 0xa0][..], &[1, 0, 0]].concat();
    assert_eq!(show_file(&window).codes(), ["archive-limit a"]);

    // Frames inside one another, each with a window of 1 MiB: it is one file that they belong to.
    let frame = |bytes: &[u8]| {
        let block = 1 | (bytes.len() as u32) << 3; // the last one, as it is
        [&[0x28, 0xb5, 0x2f, 0xfd, 0, 0x50][..], &block.to_le_bytes()[..3], bytes].concat()
    };
    let nested = frame(&frame(MODULE));
    let held = |held| limited(&nested, &WalkOptions { held, ..WalkOptions::default() });
    assert_eq!((held(3 << 19).blobs.len(), held(3 << 19).codes()), (0, vec!["archive-limit a".to_owned()]));
    assert_eq!((held(2 << 20).blobs.len(), held(2 << 20).codes().len()), (1, 0));
    let beside = tar(&[("a", &frame(MODULE)), ("b", &frame(MODULE))]);
    assert_eq!(limited(&beside, &WalkOptions { held: 3 << 19, ..WalkOptions::default() }).blobs.len(), 2);
}

#[test]
fn empty_entries_cost_next_to_nothing() {
    let header = tar(&[("empty", b"")])[..512].to_vec();
    let shown = show_file(&header.repeat(100_000));
    assert_eq!((shown.passed, shown.troubles.len()), (100_000, 0));
    let shown = show_file(&gzip(&header.repeat(100_000)));
    assert_eq!((shown.passed, shown.troubles.len()), (100_000, 0));
}

/// Sets bytes in a tar's first header, and its checksum.
fn with_header(tar: &[u8], change: impl FnOnce(&mut tar::Header)) -> Vec<u8> {
    let mut header = tar::Header::from_byte_slice(&tar[..512]).clone();
    change(&mut header);
    header.set_cksum();
    [header.as_bytes(), &tar[512..]].concat()
}

#[test]
fn tars_that_lie() {
    let honest = tar(&[("a.wasm", MODULE), ("b.wasm", OTHER)]);
    let larger = with_header(&honest, |header| header.set_size(1 << 40));
    let largest = with_header(&honest, |header| {
        header.as_mut_bytes()[124..136]
            .copy_from_slice(&[0x80, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    });
    let no_number = with_header(&honest, |header| header.as_mut_bytes()[124..136].copy_from_slice(b"zzzzzzzzzzz\0"));
    for (bytes, blobs) in [(larger, 1), (largest, 0), (no_number, 0)] {
        for bytes in [bytes.clone(), gzip(&bytes)] {
            let shown = show_file(&bytes);
            assert_eq!((shown.blobs.len(), shown.codes()), (blobs, vec!["malformed-archive a".to_owned()]));
        }
    }
    // A name of 16 GiB, and records of none.
    for (kind, size) in [(tar::EntryType::GNULongName, 16 << 30), (tar::EntryType::XHeader, MODULE.len() as u64)] {
        let bytes = with_header(&honest, |header| {
            header.set_entry_type(kind);
            header.set_size(size);
        });
        assert_eq!(show_file(&bytes).codes(), ["malformed-archive a"]);
    }
    // A name of which half is there, and one that is no archive any more.
    let long = tar(&[(&*"n".repeat(300), MODULE)]);
    for (end, what) in [(512 + 200, "header"), (512 + 301, "data")] {
        for bytes in [long[..end].to_vec(), gzip(&long[..end])] {
            let shown = show_file(&bytes);
            assert_eq!((shown.blobs.len(), shown.codes()), (0, vec!["malformed-archive a".to_owned()]));
            assert!(shown.troubles[0].message.contains(what), "{end} {:?}", shown.troubles);
        }
    }
    // Sparse headers that go on for ever.
    let sparse = with_header(&honest, |header| {
        header.set_entry_type(tar::EntryType::GNUSparse);
        header.as_gnu_mut().unwrap().set_is_extended(true);
    });
    assert!(show_file(&[&sparse[..512], &[1; 5000]].concat()).troubles.len() == 1);
}

/// The places of the two headers of a zip's first entry: its own, and the directory's.
fn headers(zip: &[u8]) -> (usize, usize) {
    let central = zip.windows(4).position(|bytes| bytes == b"PK\x01\x02").unwrap();
    (0, central)
}

#[test]
fn zips_that_lie() {
    let honest = zip(&[("a.wasm", MODULE, true), ("b.wasm", OTHER, false)]);
    let (local, central) = headers(&honest);
    let with = |at: usize, byte: u8| {
        let mut bytes = honest.clone();
        assert_ne!(bytes[at], byte);
        bytes[at] = byte;
        bytes
    };
    for (what, bytes) in [
        ("a name", with(local + 30, b'x')),
        ("a method", with(local + 8, 0)),
        ("encryption", with(local + 6, 1)),
        ("a checksum", with(local + 14, honest[local + 14] ^ 1)),
        ("a size", with(local + 22, 1)),
        ("the directory's size", with(central + 24, 1)),
        ("where it lies", with(central + 42, 1)),
        ("how far it goes", with(central + 22, 1)),
    ] {
        let shown = show_file(&bytes);
        assert_eq!(shown.files(), ["a!b.wasm"], "{what}");
        assert_eq!(shown.codes(), ["malformed-archive a!a.wasm"], "{what}");
    }
    // Said by both.
    let mut wrong = with(local + 22, 1);
    wrong[central + 24] = 1;
    let shown = show_file(&wrong);
    assert_eq!(shown.codes(), ["malformed-archive a!a.wasm"], "{shown:?}");
    let second = honest.windows(4).rposition(|bytes| bytes == b"PK\x03\x04").unwrap();
    let second_central = honest.windows(4).rposition(|bytes| bytes == b"PK\x01\x02").unwrap();
    let mut stored = with(second + 22, OTHER.len() as u8 + 1);
    stored[second_central + 24] = OTHER.len() as u8 + 1;
    let shown = show_file(&stored);
    assert_eq!((shown.files(), shown.codes()), (vec!["a!a.wasm"], vec!["malformed-archive a!b.wasm".to_owned()]));
    assert!(shown.troubles[0].message.contains("two sizes"), "{shown:?}");
    let mut encrypted = with(local + 6, honest[local + 6] | 1);
    encrypted[central + 8] |= 1;
    assert_eq!(show_file(&encrypted).codes(), ["unreadable a!a.wasm"]);
    let mut by_bzip2 = with(local + 8, 12);
    by_bzip2[central + 10] = 12;
    assert_eq!(show_file(&by_bzip2).codes(), ["unreadable a!a.wasm"]);
}

#[test]
fn entries_of_a_zip_that_share_bytes() {
    // The directory lists the one entry a thousand times.
    let one = zip(&[("a.wasm", MODULE, true)]);
    let (_, central) = headers(&one);
    let end = one.len() - 22;
    let record = &one[central..end];
    let mut bytes = [&one[..central], &record.repeat(1000), &one[end..]].concat();
    let start = bytes.len() - 22;
    bytes[start + 8..start + 10].copy_from_slice(&1000_u16.to_le_bytes());
    bytes[start + 10..start + 12].copy_from_slice(&1000_u16.to_le_bytes());
    bytes[start + 12..start + 16].copy_from_slice(&(1000 * record.len() as u32).to_le_bytes());
    let shown = show_file(&bytes);
    assert_eq!(shown.files(), ["a!a.wasm"]);
    assert_eq!(shown.troubles.len(), 17); // sixteen, and the number of the others
    assert!(shown.troubles[16].message.contains("983 more"), "{:?}", shown.troubles[16]);
    assert_eq!(shown.troubles[16].place.file, "a");
}

/// The directory's records of a zip, in another order: each is told by where it says that its entry lies.
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
fn entries_of_a_zip_in_any_order() {
    let all: Vec<_> = (0..32).map(|nth| if nth % 3 == 0 { ("m", OTHER, false) } else { ("m", MODULE, true) }).collect();
    let all = zip_of_duplicates(&all);
    let backwards = directory_of(&all, |records| records.into_iter().rev().map(<[u8]>::to_vec).collect());
    let inside_out = directory_of(&all, |records| {
        let (even, odd): (Vec<_>, Vec<_>) = (0..records.len()).partition(|nth| nth % 2 == 0);
        even.into_iter().chain(odd).map(|nth| records[nth].to_vec()).collect()
    });
    let mut files = Vec::new();
    for bytes in [all.clone(), backwards, inside_out] {
        let shown = show_file(&bytes);
        assert!(shown.troubles.is_empty(), "{:?}", shown.troubles);
        let mut names: Vec<_> = shown.files().into_iter().map(str::to_owned).collect();
        names.sort();
        files.push(names);
    }
    assert!(files[0].len() == 32 && files[1] == files[0] && files[2] == files[0], "{files:#?}");
    // Each that is not beside another is remembered by itself, and that not without end.
    let gaps = directory_of(&all, |records| records.into_iter().step_by(2).map(<[u8]>::to_vec).collect());
    let held = |held| show_file_with(&gaps, &WalkOptions { held, ..WalkOptions::default() }, Shown::default());
    assert_eq!((held(1 << 10).blobs.len(), held(1 << 10).troubles.len()), (16, 0));
    assert_eq!((held(100).blobs.len(), held(100).codes()), (4, vec!["archive-limit a".to_owned()]));
}

#[test]
fn links_in_a_zip_are_counted_and_not_followed() {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    for name in ["a.wasm", "b.wasm"] {
        writer.add_symlink(name, "/etc/passwd", options).unwrap();
    }
    writer.start_file("c.wasm", options).unwrap();
    writer.write_all(MODULE).unwrap();
    let shown = show_file(&writer.finish().unwrap().into_inner());
    assert_eq!((shown.files(), shown.codes()), (vec!["a!c.wasm"], vec!["not-followed a".to_owned()]));
    assert!(shown.troubles[0].message.contains("2 links"), "{shown:?}");
}

/// Frames that are to be skipped, and are cut off.
#[test]
fn a_frame_to_be_skipped_that_is_cut_off_says_so() {
    let skipped = |len: u32, has: usize| [&[0x50, 0x2a, 0x4d, 0x18][..], &len.to_le_bytes(), &vec![0; has]].concat();
    let shown = show_file(&[zstd(MODULE), skipped(100, 100)].concat());
    assert_eq!((shown.files(), shown.codes().len()), (vec!["a"], 0));
    let shown = show_file(&[zstd(MODULE), skipped(100, 99)].concat());
    assert_eq!((shown.files(), shown.codes()), (vec!["a"], vec!["malformed-archive a".to_owned()]));
}

/// Sets random bytes, cuts out and repeats random pieces: whatever comes of it ends, is no more than the limits allow, and is
/// the same by position and through gzip.
#[test]
fn anything_at_all() {
    let inner = zip(&[("c.wasm", MODULE, true), ("d.wasm", OTHER, false)]);
    let tarred = tar(&[("a.wasm", MODULE), ("b.zip", &inner), ("c.gz", &gzip(MODULE))]);
    let sources = [tarred[..tarred.len() - 1024].to_vec(), inner, gzip(&tarred), zstd(MODULE)];
    let options = WalkOptions { inflated: 1 << 20, entries: 1000, held: 1 << 20, ..WalkOptions::default() };
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
                0 => bytes[at] = random(256) as u8,
                1 => drop(bytes.splice(at..(at + random(600)).min(bytes.len()), [])),
                _ => bytes.extend_from_within(at..(at + random(600)).min(bytes.len())),
            }
        }
        let plain = show_file_with(&bytes, &options, Shown::default());
        assert!(plain.blobs.len() <= 1000 && plain.troubles.len() <= 100, "{nth}");
        assert!(plain.blobs.iter().map(|blob| blob.bytes.len()).sum::<usize>() <= bytes.len() + (1 << 20), "{nth}");
        if crate::audit::walk::kind::Kind::of(&bytes) == crate::audit::walk::kind::Kind::Tar {
            let gzipped = show_file_with(&gzip(&bytes), &options, Shown::default());
            assert_eq!(plain.files(), gzipped.files(), "{nth}");
            assert_eq!(plain.codes(), gzipped.codes(), "{nth}");
            let bytes = |shown: &Shown| shown.blobs.iter().map(|blob| blob.bytes.clone()).collect::<Vec<_>>();
            assert_eq!(bytes(&plain), bytes(&gzipped), "{nth}");
        }
    }
}
