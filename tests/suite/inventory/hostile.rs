//! Inputs that try to cost too much.

use sectile::FindingCode;
use sectile::drive::PushDriver;
use sectile::inventory::{Inventory, InventoryReader};
use sectile_testing::binary::{MODULE, active, data_section, leb128, module, module_with_data, passive};
use sectile_testing::bodies::collect;
use sectile_testing::memory::measure;

const INDEX: &str = "/c/registry/src/index.crates.io-1949cf8c6b5b557f";

/// Pushes a module with one data segment, whose contents a function writes piece by piece.
fn push_data(pieces: u64, piece_len: usize, mut piece: impl FnMut(u64, &mut Vec<u8>)) -> Inventory {
    let contents = pieces * piece_len as u64;
    let segment = [&[1], &*leb128(1), &*leb128(contents as u32)].concat();
    let section = [&[11][..], &leb128((segment.len() as u64 + contents) as u32), &segment].concat();
    let mut push = PushDriver::new(InventoryReader::new());
    push.push(&[&MODULE[..], &section].concat()).unwrap();
    let mut buffer = Vec::new();
    for nth in 0..pieces {
        buffer.clear();
        piece(nth, &mut buffer);
        assert_eq!(buffer.len(), piece_len);
        push.push(&buffer).unwrap();
    }
    push.finish().complete().unwrap()
}

#[test]
fn millions_of_matches_are_folded_in_bounded_memory() {
    let lines: String = (0..100).map(|nth| format!("{INDEX}/crate-1.0.{nth:02}/src/lib.rs\0")).collect();
    let (found, allocated) =
        measure(|| push_data(2_000, lines.len(), |_, piece| piece.extend_from_slice(lines.as_bytes())));
    assert_eq!(found.packages().len(), 100);
    assert!(found.packages().iter().all(|package| package.count == 2_000));
    assert!(allocated.peak < 1 << 20, "{allocated:?}");
}

#[test]
fn distinct_packages_have_a_limit() {
    const PER_PIECE: u64 = 100;
    let line = |nth: u64| format!("{INDEX}/crate-{nth:08}.0.0/src/lib.rs\0");
    let (found, allocated) = measure(|| {
        push_data(1_000, line(0).len() * PER_PIECE as usize, |nth, piece| {
            (0..PER_PIECE).for_each(|at| piece.extend_from_slice(line(nth * PER_PIECE + at).as_bytes()));
        })
    });
    let kept = found.packages().len();
    assert!((5_000..50_000).contains(&kept), "{kept}");
    let [finding] = Vec::from_iter(found.findings())[..] else { panic!("{:?}", found.findings()) };
    assert_eq!(finding.code(), FindingCode::TooLarge);
    assert!(finding.message().starts_with(&format!("{} places", 100_000 - kept)), "{}", finding.message());
    assert!(allocated.peak < 12 << 20, "{allocated:?}");
}

/// Each window holds thousands of segments, which would be slow if a boundary cost a search.
#[test]
fn tiny_segments_cost_little_memory() {
    let text = format!("{INDEX}/x-1.0.0/src/lib.rs\0");
    let segments: Vec<Vec<u8>> = (0..400)
        .flat_map(|nth: u32| {
            let start = nth * text.len() as u32;
            text.bytes().zip(start..).map(|(byte, address)| active(address, [byte])).collect::<Vec<_>>()
        })
        .collect();
    let bytes = module(&[data_section(&segments)]);
    let (found, allocated) = measure(|| sectile::inventory::read_slice(&bytes).unwrap());
    assert_eq!((found.packages().len(), found.packages()[0].count), (1, 400));
    assert!(allocated.peak < 1 << 20, "{allocated:?}");
}

#[test]
fn endless_build_information_is_bounded() {
    let start = b"\x30\x77\xaf\x0c\x92\x74\x08\x02\x41\xe1\xc1\x07\xe6\xd6\x18\xe6";
    let lines = "build\tx=y\n".repeat(500_000);
    let bytes = module_with_data([&start[..], lines.as_bytes()].concat());
    let (found, allocated) = measure(|| sectile::inventory::read_slice(&bytes).unwrap());
    assert!(found.go_builds()[0].settings.len() <= 64 && !found.go_builds()[0].complete);
    assert!(allocated.peak < 1 << 20, "{allocated:?}");
    let builds = [&start[..], b"path\tx\n\0"].concat().repeat(10_000);
    let found = sectile::inventory::read_slice(&module_with_data(builds)).unwrap();
    assert_eq!(found.go_builds().len(), 64);
    assert_eq!(found.findings().iter().map(|finding| finding.count()).sum::<u64>(), 10_000);
}

#[test]
fn control_characters_are_not_part_of_a_name() {
    for text in [
        format!("{INDEX}/se\x1b[31mrde-1.0.0/src/lib.rs\0"),
        format!("{INDEX}/serde-1.0.0\u{202e}/src/lib.rs\0"),
        "node_modules/a\nb/package.json name: \"a\nb\", version: \"1.0.0\"".to_owned(),
    ] {
        assert!(sectile::inventory::read_slice(&module_with_data(&text)).unwrap().packages().is_empty(), "{text:?}");
    }
}

/// A truncated section is searched up to its last byte, with every driver and window.
#[test]
fn a_truncated_input_has_every_package_before_the_cut() {
    let path = format!("{INDEX}/x-1.0.0/src/lib.rs");
    let contents = [path.as_bytes(), &[b'.'; 9_000], b"\0", path.replace("x-1", "y-1").as_bytes(), b".end"].concat();
    let bytes = module(&[data_section(&[passive(&contents), passive(b"more")])]);
    let start = bytes.len() - contents.len() - 6;
    let second = start + contents.len() - ".end".len();
    for (cut, names) in [
        (start, &[][..]),
        (start + path.len() - 1, &[]),
        (start + path.len(), &["x"]),
        (second - 1, &["x"]),
        (second, &["x", "y"]),
        (second + 4, &["x", "y"]),
        (bytes.len() - 5, &["x", "y"]),
    ] {
        let bytes = &bytes[..cut];
        let (expected, error) = collect(bytes, &[1000], InventoryReader::new);
        assert!(error.is_some(), "{cut}");
        let expected = expected.unwrap();
        let found: Vec<_> = expected.packages().iter().map(|package| &*package.name).collect();
        assert_eq!((found, expected.findings().is_empty()), (names.to_vec(), true), "{cut}");
        assert_eq!(expected.bytes_searched(), (cut - start + 4) as u64, "{cut}");
        for window in [1, 100, 8_000] {
            let windowed = || InventoryReader::new().with_window(window);
            assert_eq!(collect(bytes, &[7], windowed).0.as_ref(), Some(&expected), "{cut}, windows of {window}");
        }
    }
}
