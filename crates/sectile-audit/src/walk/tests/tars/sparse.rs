//! Sparse entries: their holes are expanded, and every map that a reader may use is used.

use super::*;

/// A module with zeros, the map of its data in parts of whole blocks, and the data.
fn with_holes() -> (Vec<u8>, Vec<(usize, usize)>, Vec<u8>) {
    let content = [MODULE, &[0, 0x84, 0x20, 1, b'z'], &[0; 0x1002], &[0, 5, 4], b"last"].concat();
    let (first, last) = (512, content.len() - 30);
    let data = [&content[..first], &content[last..]].concat();
    let parts = vec![(0, first), (last, content.len() - last)];
    (content, parts, data)
}

/// An entry of the old GNU format.
fn old_sparse(parts: &[(usize, usize)], size: usize, data: &[u8]) -> Vec<u8> {
    let pair = |part: &(usize, usize)| format!("{:011o}\0{:011o}\0", part.0, part.1).into_bytes();
    let mut archive = header("s", b'S', format!("{:011o}", data.len()).as_bytes(), |block| {
        block[257..265].copy_from_slice(b"ustar  \0");
        block[483..494].copy_from_slice(format!("{size:011o}").as_bytes());
        for (nth, part) in parts.iter().take(4).enumerate() {
            block[386 + 24 * nth..][..24].copy_from_slice(&pair(part));
        }
        block[482] = u8::from(parts.len() > 4);
    });
    let mut rest = parts.get(4..).unwrap_or_default();
    while !rest.is_empty() {
        let (these, more) = rest.split_at(rest.len().min(21));
        let mut block = these.iter().flat_map(pair).collect::<Vec<_>>();
        block.resize(512, 0);
        block[504] = u8::from(!more.is_empty());
        archive.extend(block);
        rest = more;
    }
    archive.extend(padded(data));
    archive
}

#[test]
fn sparse_entries_are_expanded() {
    let (content, parts, data) = with_holes();
    let size = content.len().to_string();
    let numbers: Vec<String> = parts.iter().flat_map(|part| [part.0.to_string(), part.1.to_string()]).collect();
    let map = numbers.join(",");
    let in_data = padded(format!("{}\n{}\n", parts.len(), numbers.join("\n")).as_bytes());
    let many: Vec<_> = (0..60).map(|at| (at, 0)).chain([(0, content.len())]).rev().collect::<Vec<_>>();
    let many: Vec<_> = many.iter().map(|&(at, len)| if len == 0 { (content.len(), 0) } else { (at, len) }).collect();
    let mut pairs = vec![("GNU.sparse.size", &*size), ("GNU.sparse.numblocks", "2")];
    pairs.extend(
        ["GNU.sparse.offset", "GNU.sparse.numbytes"].into_iter().cycle().zip(numbers.iter().map(|part| &**part)),
    );
    let listed = [("GNU.sparse.size", &*size), ("GNU.sparse.map", &map), ("GNU.sparse.name", "s.wasm")];
    let first = [("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.realsize", &size)];
    for (what, archive) in [
        ("old", old_sparse(&parts, content.len(), &data)),
        ("old, continued", old_sparse(&many, content.len(), &content)),
        ("0.0", [records(&pairs), entry("s", b'0', &data)].concat()),
        ("0.1", [records(&listed), entry("s", b'0', &data)].concat()),
        ("1.0", [records(&first), entry("s", b'0', &[&*in_data, &data].concat())].concat()),
    ] {
        let recorder = walk_both(&[&archive, &entry("ok", b'0', OTHER), &END]);
        assert_eq!(recorder.blobs[0].bytes, content, "{what}");
        assert_eq!(recorder.blobs.last().unwrap().bytes, OTHER, "{what}");
        // BusyBox and 7-Zip write the data unchanged.
        let has_data = recorder.blobs.iter().any(|blob| blob.bytes == data);
        assert_eq!(has_data, what == "0.0" || what == "0.1", "{what}");
        assert!(!recorder.has_fault(), "{what}: {recorder:?}");
    }
    // GNU tar reads each part from its own block; other readers do not.
    for padded_parts in [false, true] {
        let (first, last) = (MODULE.len() + 20, content.len() - 30);
        let parts = [(0, first), (last, content.len() - last)];
        let first = if padded_parts { padded(&content[..first]) } else { content[..first].to_vec() };
        let archive = old_sparse(&parts, content.len(), &[&*first, &content[last..]].concat());
        let recorder = walk_both(&[&archive, &END]);
        assert!(recorder.blobs.iter().any(|blob| blob.bytes == content) && recorder.has_fault(), "{recorder:?}");
    }
    let tiny: Vec<_> = (0..60).map(|at| (at, 1)).chain([(60, MODULE.len())]).collect();
    let long = [MODULE, &MODULE[8..], &[0; 60]].concat()[..60 + MODULE.len()].to_vec();
    assert!(walk_both(&[&old_sparse(&tiny, long.len(), &long), &END]).has_fault());
    // A map out of order, one that does not cover the data, and none.
    let swapped = [&MODULE[8..], &MODULE[..8]].concat();
    let swapped = old_sparse(&[(8, MODULE.len() - 8), (0, 8)], MODULE.len(), &swapped);
    assert_disputed("swapped", &[&swapped, &END]);
    assert_disputed("short", &[&old_sparse(&[(0, 8)], 8, MODULE), &END]);
    // A sparse entry of a type that most readers do not treat as a file.
    let len = MODULE.len().to_string();
    let in_data = [padded(format!("1\n0\n{len}\n").as_bytes()), MODULE.to_vec()].concat();
    let keys = [("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.realsize", &*len)];
    for flag in *b"XNLxg" {
        assert_disputed("type", &[&records(&keys), &entry("s", flag, &in_data), &entry("ok", b'0', OTHER), &END]);
    }
    // The map has more data than the size of the entry.
    for size in [&b"-0000000026"[..], b"00000000000", b"00000000007", b"zzz"] {
        let mut archive = old_sparse(&[(0, MODULE.len())], MODULE.len(), MODULE);
        archive[124..136].fill(0);
        archive[124..124 + size.len()].copy_from_slice(size);
        sum(archive.first_chunk_mut().unwrap());
        assert_disputed(&String::from_utf8_lossy(size), &[&archive, &entry("ok", b'0', OTHER), &END]);
        let in_data = padded(format!("1\n0\n{}\n", MODULE.len()).as_bytes());
        let len = MODULE.len().to_string();
        let keys = [("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.realsize", &*len)];
        let first = header("s", b'0', size, |_| ());
        let parts = [&*records(&keys), &first, &in_data, &padded(MODULE), &entry("ok", b'0', OTHER), &END];
        let recorder = walk_both(&parts);
        assert!(recorder.has_fault(), "{recorder:?}");
    }
    for keys in [
        &[("GNU.sparse.size", "9"), ("GNU.sparse.map", "0,x")][..],
        &[("GNU.sparse.size", "9"), ("GNU.sparse.map", "0,0")],
        &[("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.realsize", "9")],
        &[("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.map", "0,9")],
        &[("GNU.sparse.major", "7")],
    ] {
        assert_disputed("map", &[&records(keys), &entry("s", b'0', MODULE), &END]);
    }
}

#[test]
fn holes_of_sparse_entries_cost_little() {
    let terabyte = 1_u64 << 40;
    let sparse = |name: &str, size: u64, parts: &[(u64, usize)], data: &[u8]| {
        let numbers: Vec<_> = parts.iter().flat_map(|part| [part.0.to_string(), part.1.to_string()]).collect();
        let size = size.to_string();
        let keys = [("GNU.sparse.size", &*size), ("GNU.sparse.map", &numbers.join(",")), ("GNU.sparse.name", name)];
        [records(&keys), entry("s", b'0', data)].concat()
    };
    let limit = |recorder: &Recorder| recorder.codes().iter().any(|code| code.starts_with("archive-limit"));
    let started = std::time::Instant::now();
    // Disk images and logs with holes.
    let image = [&[b'x'; 512][..], &[b'y'; 512]].concat();
    let images: Vec<u8> =
        (0..200).flat_map(|_| sparse("disk.img", terabyte, &[(1 << 20, 512), (terabyte - 512, 512)], &image)).collect();
    let empty: Vec<u8> = (0..200).flat_map(|_| sparse("empty.img", terabyte, &[(terabyte, 0)], b"")).collect();
    let recorder = walk_both(&[&images, &empty, &hidden(), &END]);
    assert_eq!((recorder.files(), recorder.errors.len()), (vec!["a!hidden"], 0), "{recorder:?}");
    // A tar or a zip in a hole's file is found.
    let archive = padded(&tar(&[("m", MODULE)]));
    let recorder = walk_both(&[&sparse("t", terabyte, &[(terabyte / 2, archive.len())], &archive), &END]);
    assert!(recorder.blobs.iter().any(|blob| blob.bytes == MODULE) && limit(&recorder), "{recorder:?}");
    let zipped = padded(&zip(&[("m", MODULE, true)]));
    let recorder = walk_both(&[&sparse("z", terabyte, &[(0, zipped.len())], &zipped), &END]);
    assert!(recorder.blobs.iter().any(|blob| blob.bytes == MODULE), "{recorder:?}");
    // A binary that has larger holes than are read.
    for parts in [[(0, MODULE.len()), (terabyte, 0)], [(0, MODULE.len() - 1), (terabyte - 1, 1)]] {
        let recorder = walk_both(&[&sparse("m", terabyte, &parts, MODULE), &entry("ok", b'0', OTHER), &END]);
        assert_eq!(recorder.blobs.last().unwrap().bytes, OTHER);
        assert!(recorder.blobs[0].broke && limit(&recorder), "{recorder:?}");
    }
    // Many of them share a limit.
    let hole = 12 << 20;
    let one = sparse("m", hole + 1, &[(0, MODULE.len() - 1), (hole, 1)], MODULE);
    let recorder = walk_both(&[&one.repeat(40), &END]);
    assert_eq!((recorder.blobs[0].bytes.len() as u64, recorder.blobs[0].broke), (hole + 1, false));
    let whole = recorder.blobs.iter().filter(|blob| blob.bytes.len() as u64 > hole);
    assert!(limit(&recorder) && whole.count() < 4);
    let swapped = sparse("m", hole, &[(hole - 1, 1), (0, MODULE.len() - 1)], MODULE);
    assert!(limit(&walk_both(&[&swapped.repeat(1000), &END])));
    assert!(started.elapsed().as_secs() < 30, "{:?}", started.elapsed());
}

/// A reader that cannot decode the extended header reads the entry by its own header.
#[test]
fn sparse_entries_are_also_read_by_their_own_size() {
    let plus = format!("+{}", MODULE.len());
    for sparse in [&[("size", &*plus), ("GNU.sparse.minor", "0")][..], &[("GNU.sparse.size", "9"), ("size", &plus)]] {
        for name in ["s", "s/"] {
            assert_disputed("sparse", &[&records(sparse), &entry(name, b'0', MODULE), &END]);
        }
    }
}

/// A global map without parts has no data, and the entry has some.
#[test]
fn empty_map_does_not_hide_data() {
    let size = records(&[("size", &format!("+{}", MODULE.len()))]);
    let map = record("GNU.sparse.map", "0,0");
    let global = entry("g", b'g', map.as_bytes());
    assert_disputed("empty map", &[&size, &global, &entry("s", b'0', MODULE), &END]);
}

/// Python uses the map of the first header, and the map of a header beside that of the old format.
#[test]
fn every_map_of_a_sparse_entry_is_used() {
    let len = MODULE.len().to_string();
    let map = format!("1,{}", MODULE.len() - 1);
    let first = records(&[("GNU.sparse.size", &len), ("GNU.sparse.map", &map)]);
    for second in [&[("GNU.sparse.major", "1")][..], &[("GNU.sparse.size", &len), ("GNU.sparse.map", "0,9")]] {
        assert_disputed("two maps", &[&first, &records(second), &entry("s", b'0', &MODULE[1..]), &END]);
    }
    let old = old_sparse(&[(0, 9)], MODULE.len(), &MODULE[1..]);
    assert_disputed("two formats", &[&first, &old, &END]);
}
