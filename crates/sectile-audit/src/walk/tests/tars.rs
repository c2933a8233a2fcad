//! Tars that readers read differently. Each binary that a reader extracts is a blob, by position and through gzip.

mod sparse;

use super::*;
use crate::InsideSearch;

/// A header in ustar format, with a correct checksum.
fn header(name: &str, flag: u8, size: &[u8], change: impl FnOnce(&mut [u8; 512])) -> Vec<u8> {
    let mut block = [0; 512];
    block[..name.len()].copy_from_slice(name.as_bytes());
    for (at, field) in [(100, "0000644"), (108, "0000000"), (116, "0000000"), (136, "00000000000")] {
        block[at..at + field.len()].copy_from_slice(field.as_bytes());
    }
    block[124..124 + size.len()].copy_from_slice(size);
    block[156] = flag;
    block[257..265].copy_from_slice(b"ustar\x0000");
    change(&mut block);
    sum(&mut block);
    block.to_vec()
}

fn sum(block: &mut [u8; 512]) {
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
    block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
}

fn plain(name: &str, flag: u8, size: usize) -> Vec<u8> {
    header(name, flag, format!("{size:011o}").as_bytes(), |_| ())
}

fn padded(data: &[u8]) -> Vec<u8> {
    let mut padded = data.to_vec();
    padded.resize(data.len().next_multiple_of(512), 0);
    padded
}

fn entry(name: &str, flag: u8, data: &[u8]) -> Vec<u8> {
    [plain(name, flag, data.len()), padded(data)].concat()
}

/// The entry that the others hide.
fn hidden() -> Vec<u8> {
    entry("hidden", b'0', MODULE)
}

fn record(key: &str, value: &str) -> String {
    let rest = key.len() + value.len() + 3;
    let len = (1..4).map(|digits| rest + digits).find(|len| len.to_string().len() == len - rest).unwrap();
    format!("{len} {key}={value}\n")
}

fn records(records: &[(&str, &str)]) -> Vec<u8> {
    let data: String = records.iter().map(|(key, value)| record(key, value)).collect();
    entry("pax", b'x', data.as_bytes())
}

const END: [u8; 1024] = [0; 1024];

/// Walks a tar by position and through gzip, and returns the one result.
fn walk_both(parts: &[&[u8]]) -> Recorder {
    let bytes = parts.concat();
    let (by_position, streamed) = (walk_file(&bytes), walk_file(&gzip(&bytes)));
    assert_eq!(by_position.files(), streamed.files());
    assert_eq!(by_position.codes(), streamed.codes());
    let bytes = |recorder: &Recorder| recorder.blobs.iter().map(|blob| blob.bytes.clone()).collect::<Vec<_>>();
    assert_eq!(bytes(&by_position), bytes(&streamed));
    by_position
}

/// Asserts that a tar has the hidden module, and a finding.
fn assert_disputed(what: &str, parts: &[&[u8]]) -> Recorder {
    let recorder = walk_both(parts);
    assert!(recorder.blobs.iter().any(|blob| blob.bytes == MODULE), "{what}: {recorder:?}");
    assert!(recorder.has_fault(), "{what}: {recorder:?}");
    recorder
}

#[test]
fn types_without_data_that_have_a_size() {
    let size = hidden().len();
    for flag in *b"123456" {
        let what = char::from(flag).to_string();
        // The data is the next entry for readers that expect none, or the binary itself.
        assert_disputed(&what, &[&plain("l", flag, size), &hidden(), &END]);
        assert_disputed(&what, &[&entry("l", flag, MODULE), &entry("ok", b'0', OTHER), &END]);
        let sized = records(&[("size", &size.to_string())]);
        assert_disputed(&what, &[&sized, &plain("l", flag, 0), &hidden(), &END]);
    }
}

#[test]
fn entries_of_any_type_are_inspected() {
    for flag in (0..=255).filter(|flag| !b"123456".contains(flag)) {
        let recorder = walk_both(&[&entry("u", flag, MODULE), &entry("ok", b'0', OTHER), &END]);
        let files: Vec<_> = recorder.blobs.iter().map(|blob| &*blob.bytes).collect();
        assert_eq!(files, [MODULE, OTHER], "{flag}");
        let is_plain = matches!(flag, 0 | b'0' | b'7');
        assert_eq!(recorder.has_fault(), !is_plain, "{flag}: {recorder:?}");
    }
}

#[test]
fn names_that_end_in_a_slash() {
    let size = hidden().len();
    for flag in [0, b'0', b'7'] {
        for before in [vec![], records(&[("path", "d/")]), entry("@LongLink", b'L', b"d/\0")] {
            let name = if before.is_empty() { "d/" } else { "d" };
            assert_disputed(name, &[&before, &entry(name, flag, MODULE), &END]);
            assert_disputed(name, &[&before, &plain(name, flag, size), &hidden(), &END]);
        }
        assert!(!walk_both(&[&plain("d/", flag, 0), &hidden(), &END]).has_fault());
        // The name is replaced, and cut after a slash. Python reads an old entry as a directory.
        let long_name = entry("@LongLink", b'L', b"d/f\0");
        let recorder = walk_both(&[&long_name, &plain("d/", flag, size), &hidden(), &END]);
        assert_eq!((recorder.blobs.len(), recorder.has_fault()), (1, flag == 0));
        assert!(!walk_both(&[&long_name, &entry("d/", flag, MODULE), &END]).has_fault());
    }
}

#[test]
fn entries_after_the_end() {
    for zeros in [1, 2, 3, 20, 21, 100] {
        let zeros = vec![0; 512 * zeros];
        let recorder = assert_disputed("after", &[&entry("ok", b'0', OTHER), &zeros, &hidden(), &END]);
        assert_eq!(recorder.files(), ["a!ok", "a!hidden"]);
        assert_disputed("before", &[&zeros, &hidden(), &END]);
        // Nothing but zeros or other data follows.
        assert!(!walk_both(&[&hidden(), &zeros, &[b'x'; 1000]]).has_fault());
    }
    assert_disputed("garbage", &[&entry("ok", b'0', OTHER), &END, &[b'x'; 5000], &[0; 120], &hidden(), &END]);
    assert_eq!(walk_file(&[0; 5000]).passed, 1);
    let recorder = walk_file(&gzip(&[&[0; 5000][..], MODULE].concat()));
    assert_eq!((recorder.passed, recorder.errors.len()), (1, 0));
}

#[test]
fn headers_after_a_wrong_checksum() {
    let mut damaged = plain("ok", b'0', OTHER.len());
    damaged[150] ^= 1;
    let first = [&*damaged, &padded(OTHER)].concat();
    assert_disputed("first", &[&first, &hidden(), &END]);
    assert_disputed("later", &[&entry("ok", b'0', OTHER), &first, &hidden(), &END]);
    assert_disputed("garbage", &[&entry("ok", b'0', OTHER), &[b'x'; 5120], &hidden(), &END]);
    // Checksums that only some readers can decode.
    for text in [&b"0o%"[..], b"+%", b"\0\0%", b"\t%", b"%\0x"] {
        let mut odd: [u8; 512] = plain("odd", b'0', MODULE.len()).try_into().unwrap();
        let digits = std::str::from_utf8(&odd[148..154]).unwrap().trim_start_matches('0').to_owned();
        let text = std::str::from_utf8(text).unwrap().replace('%', &digits);
        odd[148..156].fill(0);
        odd[148..148 + text.len()].copy_from_slice(text.as_bytes());
        assert_disputed(&text, &[&entry("ok", b'0', OTHER), &odd, &padded(MODULE), &END]);
    }
}

#[test]
fn sizes_that_readers_decode_differently() {
    let size = hidden().len() as u64;
    let octal = format!("{size:o}");
    let base_256 = |first: u8, high: u8| [&[first, 0, 0, high][..], &size.to_be_bytes()].concat();
    let odd = [
        b"            ".to_vec(),
        format!("\0{octal:>10}").into_bytes(),
        format!("\0\0{octal}").into_bytes(),
        format!("+{octal}").into_bytes(),
        format!("-{octal}").into_bytes(),
        format!("0o{octal}").into_bytes(),
        format!("0x{octal}").into_bytes(),
        format!("{octal}x").into_bytes(),
        format!("{octal} 7").into_bytes(),
        format!("{octal}\x007").into_bytes(),
        format!("{octal}8").into_bytes(),
        format!("\t{octal}").into_bytes(),
        b"+AAAAAAAABA".to_vec(),
        b"abcdefghijk".to_vec(),
        base_256(0x81, 0),
        base_256(0xbf, 0),
        base_256(0xc0, 0),
        base_256(0xff, 0),
        base_256(0x80, 1),
        vec![0xff; 12],
    ];
    for field in &odd {
        let what = String::from_utf8_lossy(field);
        let first = header("f", b'0', field, |_| ());
        let recorder = assert_disputed(&what, &[&first, &hidden(), &entry("ok", b'0', OTHER), &END]);
        assert!(recorder.files().contains(&"a!ok"), "{what}: {recorder:?}");
    }
    // The data of an entry has each of its sizes.
    let data = MODULE.len();
    for (field, sizes) in [
        (format!("\0{data:>10o}").into_bytes(), vec![data]),
        (format!("+{data:o}").into_bytes(), vec![data]),
        ([&[0x81, 0, 0, 0][..], &(data as u64).to_be_bytes()].concat(), vec![data]),
        (b"zzz".to_vec(), vec![512]),
    ] {
        let first = header("f", b'0', &field, |_| ());
        let recorder = walk_both(&[&first, &padded(MODULE), &entry("ok", b'0', OTHER), &END]);
        for size in sizes {
            assert!(recorder.blobs.iter().any(|blob| blob.bytes == padded(MODULE)[..size]), "{recorder:?}");
        }
        assert!(recorder.has_fault());
    }
    // All readers agree about these.
    for field in [
        format!("{octal:>11}").into_bytes(),
        format!("{octal:0>12}").into_bytes(),
        format!("{octal} \0").into_bytes(),
        base_256(0x80, 0),
    ] {
        let recorder = walk_both(&[&header("f", b'0', &field, |_| ()), &hidden(), &END]);
        assert_eq!((recorder.files(), recorder.has_fault()), (vec!["a!f!hidden"], false));
    }
}

#[test]
fn sizes_in_extended_headers() {
    let size = hidden().len();
    let text = size.to_string();
    let f = |size: usize| plain("f", b'0', size);
    for odd in [
        &*format!("+{text}"),
        &format!(" {text}"),
        &format!("{text} "),
        &format!("0x{text}"),
        &format!("-{text}"),
        "1_000",
        "1e3",
        "99999999999999999999",
        "9223372036854775808",
        &format!("{text}x"),
    ] {
        for header_size in [0, size] {
            assert_disputed(odd, &[&records(&[("size", odd)]), &f(header_size), &hidden(), &END]);
        }
    }
    let sized = records(&[("size", &text)]);
    let zero = records(&[("size", "0")]);
    let named = records(&[("path", "p")]);
    let global = |value: &str| entry("g", b'g', record("size", value).as_bytes());
    let solaris = entry("X", b'X', record("size", &text).as_bytes());
    let long_name = entry("@LongLink", b'L', b"n\0");
    for (what, before, header_size) in [
        ("header and record", &[&sized][..], 512),
        ("no size", &[&zero], size),
        ("larger than the file", &[&records(&[("size", &(10_u64 << 30).to_string())])], 0),
        ("two headers", &[&sized, &named], 0),
        ("two sizes", &[&zero, &sized], 0),
        ("two records", &[&records(&[("size", "0"), ("size", &text)])], 0),
        ("global", &[&global(&text)], 0),
        ("Solaris", &[&solaris], 0),
        ("a global header between", &[&sized, &entry("g", b'g', record("a", "b").as_bytes())], 0),
        ("a name between", &[&sized, &long_name], 0),
        ("a name before", &[&long_name, &sized], 0),
        ("zeros between", &[&sized, &vec![0; 512]], 0),
        ("unset", &[&records(&[("size", "")])], size),
        ("realsize", &[&records(&[("GNU.sparse.realsize", &text)])], 0),
        ("sparse size", &[&records(&[("GNU.sparse.size", &text)])], 0),
    ] {
        let before: Vec<u8> = before.iter().flat_map(|part| part.iter().copied()).collect();
        assert_disputed(what, &[&before, &f(header_size), &hidden(), &END]);
    }
    // The content of an entry has each of its sizes.
    let global = global(&MODULE.len().to_string());
    assert_disputed("global", &[&global, &f(0), &padded(MODULE), &END]);
    let long = [MODULE, OTHER].concat();
    let real = records(&[("SCHILY.realsize", &MODULE.len().to_string())]);
    assert_disputed("SCHILY", &[&real, &entry("f", b'0', &long), &END]);
}

#[test]
fn tar_in_a_module_with_an_odd_checksum() {
    let len = 512 + 512 + padded(MODULE).len() - OTHER.len() - 6;
    let section = [0, len as u8 & 0x7f | 0x80, (len >> 7) as u8 | 0x80, 0x80, 0x80, 0, 3, b't', b'a', b'r'];
    let module = [OTHER, &section, &[0; 512][..512 - OTHER.len() - section.len()]].concat();
    for change in
        [|sum: u32| format!("+{sum:o}").into_bytes(), |sum: u32| [&[0x80, 0, 0, 0][..], &sum.to_be_bytes()].concat()]
    {
        let mut odd = plain("m", b'0', MODULE.len());
        let sum = u32::from_str_radix(std::str::from_utf8(&odd[148..154]).unwrap(), 8).unwrap();
        let field = change(sum);
        odd[148..156].fill(0);
        odd[148..148 + field.len()].copy_from_slice(&field);
        assert_disputed("odd", &[&module, &odd, &padded(MODULE), &END]);
    }
}

#[test]
fn entries_that_python_skips() {
    let text = [&*hidden(), b"text"].concat();
    for at in [100, 108, 116, 136, 329, 337] {
        for flag in *b"0x" {
            let odd = header("odd", flag, format!("{:011o}", text.len()).as_bytes(), |block| {
                block[at..at + 6].copy_from_slice(b"junk!\0");
            });
            // A tar in an entry is read in any case.
            let after = [&b"x".repeat(512)[..], &text].concat();
            let odd_after = header("odd", flag, format!("{:011o}", after.len()).as_bytes(), |block| block[at] = b'8');
            assert_disputed("inside", &[&odd, &padded(&text), &END]);
            assert_disputed("inside", &[&odd_after, &padded(&after), &END]);
            let honest = header("odd", b'0', b"00000000004", |block| block[at] = b'8');
            assert!(!walk_both(&[&honest, &padded(b"text"), &hidden(), &END]).has_fault());
        }
    }
}

#[test]
fn malformed_records_end_one_header() {
    let text = hidden().len().to_string();
    for data in [
        format!("{}\0\0\0", record("path", "n")),
        format!("99 size={text}\n"),
        format!("9 size={text}\n"),
        format!("size={text}\n"),
        format!("0 size={text}\n"),
        format!(" {}", record("size", &text)),
        record("size", &text).replacen(' ', "\t", 1),
        record(" size", &text),
        format!("garbage\n{}", record("size", &text)),
        format!("6 abc\n{}", record("size", &text)),
        format!("{}\n\n", record("a", "b")),
        record("size", &text).trim_end().to_owned(),
    ] {
        for size in [0, hidden().len()] {
            let recorder = assert_disputed(
                &data,
                &[
                    &entry("x", b'x', data.as_bytes()),
                    &plain("f", b'0', size),
                    &hidden(),
                    &entry("ok", b'0', OTHER),
                    &END,
                ],
            );
            assert!(recorder.files().contains(&"a!ok"), "{data}");
        }
    }
    // Python reads the padding of an extended header, too.
    let record = record("size", &text);
    let padding = padded(format!("11 comment=\n{record}").as_bytes());
    assert_disputed("padding", &[&plain("x", b'x', 12), &padding, &plain("f", b'0', 0), &hidden(), &END]);
    // More sizes than are kept.
    let many: Vec<_> = (0..100).map(|size| size.to_string()).collect();
    let many: Vec<_> = many.iter().map(|size| ("size", &**size)).collect();
    let recorder = walk_both(&[&records(&many), &entry("f", b'0', MODULE), &END]);
    assert!(recorder.codes().iter().any(|code| code == "archive-limit a"), "{recorder:?}");
    // A header that is a binary.
    for flag in *b"xgXLKN" {
        for data in [MODULE.to_vec(), gzip(MODULE), zstd(MODULE), tar(&[("m", MODULE)])] {
            assert_disputed("content", &[&entry("x", flag, &data), &entry("ok", b'0', OTHER), &END]);
            assert_disputed("content", &[&plain("l", b'2', 1), &entry("x", flag, &data), &END]);
            for size in [data.len() + 700, 3 << 20] {
                let large = [plain("x", flag, size), padded(&data)].concat();
                let is_found = |recorder: &Recorder| recorder.blobs.iter().any(|blob| blob.bytes.starts_with(MODULE));
                for parts in [vec![], plain("l", b'2', 1)] {
                    let recorder = walk_both(&[&parts, &large]);
                    assert!(is_found(&recorder) && recorder.has_fault(), "{flag} {size} {recorder:?}");
                }
            }
        }
    }
    let large = entry("x", b'x', &vec![b'x'; 2 << 20]);
    let recorder = walk_both(&[&large, &hidden(), &END]);
    assert_eq!(recorder.blobs.len(), 1);
    assert!(recorder.codes().iter().any(|code| code == "archive-limit a"), "{recorder:?}");
}

#[test]
fn ordinary_archives_have_no_finding() {
    let label = header("label", b'V', b"", |block| block[257..265].copy_from_slice(b"ustar  \0"));
    for (what, before) in [
        ("a label", label),
        ("an unset size", records(&[("size", ""), ("path", "")])),
        ("a character set", records(&[("hdrcharset", "BINARY")])),
        ("the same size", records(&[("size", &MODULE.len().to_string())])),
        ("a blank size", header("d/", b'5', b"", |_| ())),
        ("a link", header("l", b'2', b"", |block| block[157] = b'x')),
        ("a comment", entry("g", b'g', record("comment", "20 size=999999\n").as_bytes())),
        ("a dump of a directory", entry("d/", b'D', b"Yf\0Nf\0\0")),
        ("a long name", [entry("@LongLink", b'L', b"d/f\0"), entry("d/", b'0', b"x")].concat()),
        ("a long link", entry("@LongLink", b'K', b"target\0")),
    ] {
        let recorder = walk_both(&[&before, &hidden(), &entry("ok", b'0', OTHER), &END]);
        let names: Vec<_> = recorder.blobs.iter().map(|blob| &*blob.bytes).collect();
        assert_eq!(names, [MODULE, OTHER], "{what}");
        assert!(!recorder.has_fault(), "{what}: {recorder:?}");
    }
}

#[test]
fn headers_are_searched_only_while_readers_disagree() {
    let body = vec![b'x'; 1 << 20];
    let unset = records(&[("size", "")]);
    let bytes = [&*unset, &entry("f", b'0', b"text"), &entry("large", b'0', &body), &hidden(), &END].concat();
    let options = WalkOptions { inside: InsideSearch::Never, ..WalkOptions::default() };
    let recorder = walk_file_with(&bytes, &options, Recorder::default());
    assert_eq!((recorder.files(), recorder.errors.len()), (vec!["a!hidden"], 0));
    assert!(recorder.inflated < 200 << 10, "{}", recorder.inflated);
    // Bodies that are held are released.
    let entries = unset.len() as u64 + body.len() as u64;
    let options = WalkOptions { max_held_bytes: entries, ..WalkOptions::default() };
    let many = [&*plain("l", b'2', 1), &entry("f", b'0', &body).repeat(8), &hidden(), &END].concat();
    let recorder = walk_file_with(&gzip(&many), &options, Recorder::default());
    assert_eq!(recorder.files(), ["a!hidden"]);
    assert!(recorder.codes().iter().all(|code| !code.starts_with("archive-limit")), "{recorder:?}");
    // A binary that cannot be held is a finding.
    let module = [MODULE, &[0, 0x80, 0x80, 0xc0, 0, 1, b'x'], &vec![0; (1 << 20) - 2]].concat();
    let large = [&*plain("l", b'2', 1), &entry("f", b'0', &module), &hidden(), &END].concat();
    let options = WalkOptions { max_held_bytes: 1 << 18, ..WalkOptions::default() };
    let recorder = walk_file_with(&gzip(&large), &options, Recorder::default());
    assert_eq!(recorder.files(), ["a!f", "a!hidden"]);
    assert!(recorder.blobs[0].broke && recorder.codes().contains(&"archive-limit a!f".to_owned()), "{recorder:?}");
}

#[test]
fn overlapping_entries_are_limited() {
    // Each header claims all that follows it.
    let count = 2000;
    let headers: Vec<u8> = (0..count).flat_map(|nth| plain("f", b'1', 512 * (count - nth) + MODULE.len())).collect();
    let started = std::time::Instant::now();
    let recorder = walk_both(&[&headers, &padded(MODULE), &END]);
    assert!(recorder.codes().iter().any(|code| code == "archive-limit a"), "{recorder:?}");
    assert!(started.elapsed().as_secs() < 20);
}

#[test]
fn bytes_after_gzip_streams() {
    let archive = [&*hidden(), &END].concat();
    for (inner, file) in [(MODULE, "a"), (&*archive, "a!hidden")] {
        for zeros in [1, 511, 512, 100_000] {
            let recorder = walk_file(&[gzip(inner), vec![0; zeros]].concat());
            assert_eq!((recorder.files(), recorder.errors.len()), (vec![file], 0), "{zeros}");
            assert_eq!((&*recorder.blobs[0].bytes, recorder.blobs[0].broke), (MODULE, false));
            let more = [gzip(inner), vec![0; zeros], gzip(OTHER)].concat();
            assert!(walk_file(&more).has_fault());
        }
        let recorder = walk_file(&[gzip(inner), b"garbage".to_vec()].concat());
        assert_eq!((recorder.files(), recorder.blobs[0].broke), (vec![file], false));
        assert!(recorder.has_fault());
        let recorder = walk_file(&[gzip(b""), gzip(inner)].concat());
        assert_eq!((recorder.files(), recorder.errors.len()), (vec![file], 0));
    }
    // Python decodes the streams after zeros.
    let recorder = walk_file(&[gzip(&MODULE[..9]), vec![0; 9], gzip(&MODULE[9..])].concat());
    assert_eq!((&*recorder.blobs[0].bytes, recorder.has_fault()), (MODULE, true));
    // A header that is cut after zeros is malformed.
    assert!(walk_file(&[gzip(MODULE), vec![0; 9], vec![0x1f, 0x8b]].concat()).has_fault());
}

/// No reader finds the length of the first entry. A header follows inside the last block of its data.
#[test]
fn header_in_the_last_block_of_an_entry_without_a_size() {
    let sparse = records(&[("GNU.sparse.size", "1300"), ("GNU.sparse.map", "0,1300,650,650")]);
    let unsized_header = header("s", b'0', b"zero", |_| ());
    let data = vec![b's'; 4 * 512];
    let directory = plain("d/", b'5', 0);
    assert_disputed("sparse", &[&sparse, &unsized_header, &data, &directory, &hidden(), &END]);
}

/// The name in a module's first block is empty, and so is that of the next header.
#[test]
fn tar_with_empty_names_in_a_module() {
    let size = b"00000000000";
    let first = header("", b'0', size, |block| block[..8].copy_from_slice(OTHER));
    for between in [0, 1, 3] {
        let bytes = [&*first, &vec![0; 512 * between], &entry("", b'0', MODULE), &END].concat();
        for bytes in [gzip(&bytes), bytes] {
            let recorder = walk_file(&bytes);
            assert!(recorder.blobs.iter().any(|blob| blob.bytes == MODULE), "{between}: {recorder:?}");
        }
    }
}
