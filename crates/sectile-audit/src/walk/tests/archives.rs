use super::*;

/// Archives of all types with the same entries.
fn archives_of_every_kind() -> Vec<(&'static str, Vec<u8>)> {
    let entries: [(&str, &[u8]); 3] = [("package/app.wasm", MODULE), ("README", b"text"), ("lib/empty.wasm", b"")];
    let as_zip = |deflated: bool| zip(&entries.map(|(name, bytes)| (name, bytes, deflated)));
    vec![
        ("tar", tar(&entries)),
        ("tar.gz", gzip(&tar(&entries))),
        ("tar.zst", zstd(&tar(&entries))),
        ("zip", as_zip(false)),
        ("deflated zip", as_zip(true)),
        ("zip.gz", gzip(&as_zip(true))),
    ]
}

#[test]
fn every_type_of_archive_has_the_same_blobs() {
    for (kind, bytes) in archives_of_every_kind() {
        let recorder = walk_file(&bytes);
        assert_eq!(recorder.files(), ["a!package/app.wasm", "a!lib/empty.wasm"], "{kind}");
        assert_eq!(recorder.codes(), [""; 0], "{kind}");
        assert_eq!(recorder.passed, 1, "{kind}");
        let seen = &recorder.blobs[0];
        assert_eq!(&*seen.bytes, MODULE, "{kind}");
        assert_eq!(seen.is_part, ["tar", "zip"].contains(&kind), "{kind}");
        assert!(seen.has_state && !seen.broke && recorder.inflated > 0, "{kind}");
    }
}

#[test]
fn compressed_file_keeps_its_name() {
    for bytes in [
        gzip(MODULE),
        zstd(MODULE),
        [gzip(OTHER), gzip(&MODULE[8..])].concat(),
        [zstd(OTHER), skipped(), zstd(&MODULE[8..])].concat(),
    ] {
        let recorder = walk_file(&bytes);
        assert_eq!((recorder.files(), &*recorder.blobs[0].bytes), (vec!["a"], MODULE));
        assert_eq!(recorder.codes(), [""; 0]);
    }
    assert_eq!(walk_file(&gzip(b"text")).passed, 1);

    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("a.wasm.gz"), gzip(b"no module")).unwrap();
    fs::write(directory.path().join("b.wasm"), gzip(b"no module")).unwrap();
    fs::write(directory.path().join("c.gz"), gzip(b"no module")).unwrap();
    assert_eq!(walk_path(directory.path()).files(), ["a.wasm.gz", "b.wasm"]);
}

/// A blob as `sp-maybe-compressed-blob` writes it: a prefix and a zstd frame.
#[test]
fn substrate_runtimes_are_decompressed() {
    let runtime = |bytes: &[u8]| [&[0x52, 0xbc, 0x53, 0x76, 0x46, 0xdb, 0x8e, 0x05], &zstd(bytes)[..]].concat();
    let recorder = walk_file(&runtime(MODULE));
    assert_eq!((recorder.files(), &*recorder.blobs[0].bytes), (vec!["a"], MODULE));
    assert_eq!(recorder.codes(), [""; 0]);
    assert_eq!(walk_file(&runtime(b"text")).passed, 1);

    let inside = walk_file(&tar(&[("rt.compact.compressed.wasm", &runtime(MODULE))]));
    assert_eq!((inside.files(), &*inside.blobs[0].bytes), (vec!["a!rt.compact.compressed.wasm"], MODULE));
    let compressed = walk_file(&gzip(&runtime(MODULE)));
    assert_eq!(&*compressed.blobs[0].bytes, MODULE);

    let cut = &runtime(MODULE)[..20];
    assert_eq!(walk_file(cut).codes().len(), 1, "{:?}", walk_file(cut).codes());
}

/// A skippable frame.
fn skipped() -> Vec<u8> {
    [&0x184d_2a53_u32.to_le_bytes()[..], &3_u32.to_le_bytes(), b"abc"].concat()
}

#[test]
fn nested_archives() {
    let inner = zip(&[("c.wasm", MODULE, true), ("d.wasm", OTHER, false)]);
    let middle = gzip(&tar(&[("b.zip", &inner), ("x.wasm", OTHER)]));
    let zipped = zip(&[("m.tgz", &middle, false), ("n.tgz", &middle, true)]);
    let outer = tar(&[("o.zip", &zipped)]);
    let recorder = walk_file(&outer);
    let names = ["b.zip!c.wasm", "b.zip!d.wasm", "x.wasm"];
    let expected: Vec<_> =
        ["m.tgz", "n.tgz"].iter().flat_map(|middle| names.map(|name| format!("a!o.zip!{middle}!{name}"))).collect();
    assert_eq!(recorder.files(), expected);
    assert_eq!(recorder.codes(), [""; 0]);
    assert!(recorder.blobs.iter().all(|blob| blob.bytes == MODULE || blob.bytes == OTHER));

    for nested in 0..4 {
        let options = WalkOptions { max_nesting: nested, ..WalkOptions::default() };
        let recorder = walk_file_with(&outer, &options, Recorder::default());
        let codes = match nested {
            0 => vec![],
            1 => vec!["archive-limit a!o.zip"],
            2 => vec!["archive-limit a!o.zip!m.tgz", "archive-limit a!o.zip!n.tgz"],
            _ => vec!["archive-limit a!o.zip!m.tgz!b.zip", "archive-limit a!o.zip!n.tgz!b.zip"],
        };
        assert_eq!(recorder.codes(), codes, "{nested}");
    }
}

#[test]
fn tars_with_all_entry_types() {
    let long = format!("{}/app.wasm", "d/".repeat(200));
    let mut builder = tar::Builder::new(Vec::new());
    let add = |builder: &mut tar::Builder<_>, mut header: tar::Header, name: &str, bytes: &[u8]| {
        header.set_size(bytes.len() as u64);
        builder.append_data(&mut header, name, bytes).unwrap();
    };
    add(&mut builder, tar::Header::new_gnu(), &long, MODULE);
    builder.append_pax_extensions([("path", &b"pax\nname.wasm"[..]), ("comment", b"x\n20 size=999999\n")]).unwrap();
    add(&mut builder, tar::Header::new_ustar(), "short", MODULE);
    add(&mut builder, tar::Header::new_old(), "old", OTHER);
    let mut link = tar::Header::new_gnu();
    for entry_type in [tar::EntryType::Symlink, tar::EntryType::Link] {
        link.set_entry_type(entry_type);
        link.set_size(0);
        builder.append_link(&mut link, "link.wasm", "/etc/passwd").unwrap();
    }
    let mut directory = tar::Header::new_gnu();
    directory.set_entry_type(tar::EntryType::Directory);
    add(&mut builder, directory, "directory.wasm", b"");
    // An extended header repeats the size. A global header changes no entry.
    let mut global = tar::Header::new_ustar();
    global.set_entry_type(tar::EntryType::XGlobalHeader);
    add(&mut builder, global, "pax_global_header", b"20 comment=01234567\n");
    builder.append_pax_extensions([("size", MODULE.len().to_string().as_bytes())]).unwrap();
    let mut sized = tar::Header::new_ustar();
    sized.set_path("sized.wasm").unwrap();
    sized.set_size(MODULE.len() as u64);
    sized.set_cksum();
    builder.append(&sized, MODULE).unwrap();
    let mut sparse = tar::Header::new_gnu();
    sparse.set_entry_type(tar::EntryType::GNUSparse);
    let gnu = sparse.as_gnu_mut().unwrap();
    gnu.sparse[0].set_offset(0);
    gnu.sparse[0].set_length(OTHER.len() as u64);
    gnu.set_real_size(OTHER.len() as u64);
    add(&mut builder, sparse, "sparse.wasm", OTHER);
    let mut header = tar::Header::new_gnu();
    header.as_mut_bytes()[..14].copy_from_slice(b"../../../x/etc");
    header.set_size(OTHER.len() as u64);
    header.set_cksum();
    builder.append(&header, OTHER).unwrap();
    let tar = builder.into_inner().unwrap();
    for bytes in [tar.clone(), gzip(&tar)] {
        let recorder = walk_file(&bytes);
        let names =
            [&*format!("a!{long}"), "a!pax\nname.wasm", "a!old", "a!sized.wasm", "a!sparse.wasm", "a!../../../x/etc"];
        assert_eq!(recorder.files(), names);
        let bytes: Vec<_> = recorder.blobs.iter().map(|blob| &*blob.bytes).collect();
        assert_eq!(bytes, [MODULE, MODULE, OTHER, MODULE, OTHER, OTHER]);
        assert_eq!(recorder.codes(), ["not-followed a"]);
        assert!(recorder.errors[0].message.contains("2 links"), "{recorder:?}");
    }
}

#[test]
fn little_of_stored_entries_is_read() {
    let body = [MODULE, &[1, 0x80, 0x80, 0x80, 1], &vec![0; 1 << 21]].concat();
    let names: Vec<String> = (0..8).map(|nth| format!("{nth}")).collect();
    let tars: Vec<_> = names.iter().map(|name| (&**name, &*body)).collect();
    let zips: Vec<_> = names.iter().map(|name| (&**name, &*body, false)).collect();
    // The ends may be those of zips. In a zip, the checksums of binaries are verified.
    for (bytes, most) in [(tar(&tars), 8 * (66 << 10) + (160 << 10)), (zip(&zips), 8 * (67 << 10) + (17 << 20))] {
        let recorder = walk_file(&bytes);
        assert_eq!(recorder.blobs.len(), 8);
        assert!(recorder.inflated < most, "{} of {}", recorder.inflated, bytes.len());
    }
}

#[test]
fn walk_of_an_archive_can_be_stopped() {
    let entries: Vec<_> = (0..100).map(|_| ("m", MODULE)).collect();
    for bytes in [tar(&entries), gzip(&tar(&entries))] {
        let recorder =
            walk_file_with(&bytes, &WalkOptions::default(), Recorder { stops_after: Some(3), ..Recorder::default() });
        assert_eq!((recorder.blobs.len(), recorder.codes().len()), (3, 0));
    }
}

#[test]
fn unread_rest_of_a_stream_is_skipped() {
    let large = [MODULE, &[1, 0x80, 0x80, 0x80, 1], &vec![0; 1 << 21]].concat();
    let recorder = Recorder { reads: Some(10), ..Recorder::default() };
    let recorder = walk_file_with(&gzip(&tar(&[("l", &large), ("m", MODULE)])), &WalkOptions::default(), recorder);
    assert_eq!((recorder.files(), recorder.codes()), (vec!["a!l", "a!m"], vec![]));
}
