//! The segments of data sections.

use sectile::FindingCode;
use sectile_testing::binary::{active, data_section, leb128, module, passive, prefixed, section};

use super::{inventory, listed};

const PATH: &[u8] = b"/c/registry/src/index.crates.io-1949cf8c6b5b557f/x-1.0.0/src/lib.rs";

fn packages_in(segments: &[Vec<u8>]) -> Vec<String> {
    let found = inventory(&module(&[data_section(segments)]));
    assert!(found.findings().is_empty(), "{found:?}");
    listed(&found)
}

#[test]
fn a_match_crosses_segments_only_where_memory_is_contiguous() {
    const FOUND: [&str; 1] = ["x 1.0.0 registry-path"];
    for cut in 1..PATH.len() {
        let (first, rest) = PATH.split_at(cut);
        let end = 100 + cut as u32;
        // The file's extension decides, so a cut after it splits nothing.
        assert_eq!(packages_in(&[active(100, first), active(end, rest)]), FOUND, "{cut}");
        assert_eq!(packages_in(&[active(100, first), active(end, []), active(end, rest)]), FOUND, "{cut}");
        for segments in [
            [active(100, first), active(end + 9, rest)],
            [active(end, rest), active(100, first)],
            [passive(first), passive(rest)],
            [active(100, first), passive(rest)],
        ] {
            let found = packages_in(&segments);
            // Without its first directory, a path still names the crate.
            assert!(cut <= 3 || found.is_empty(), "{cut}: {found:?}");
        }
    }
}

#[test]
fn segments_of_every_form() {
    let contents = prefixed(PATH);
    for header in [
        &[0, 0x41, 0x00, 0x0b][..],                           // i32.const 0
        &[0, 0x41, 0x80, 0x80, 0x80, 0x80, 0x78, 0x0b],       // i32.const -2147483648
        &[0, 0x42, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01, 0x0b], // i64.const
        &[0, 0x23, 0x00, 0x0b],                               // global.get 0
        &[0, 0x23, 0x00, 0x41, 0x08, 0x6a, 0x0b],             // global.get 0, i32.const 8, i32.add
        &[1],                                                 // passive
        &[2, 0x03, 0x41, 0x00, 0x0b],                         // memory 3
        &[2, 0x83, 0x80, 0x00, 0x41, 0x00, 0x0b],             // a padded index
    ] {
        assert_eq!(packages_in(&[[header, &contents].concat()]), ["x 1.0.0 registry-path"], "{header:x?}");
    }
}

#[test]
fn a_malformed_section_is_searched_as_it_is() {
    let cases = [
        [&leb128(1)[..], &[3], PATH].concat(),                   // unknown flags
        [&leb128(1)[..], &[1], &leb128(1 << 20), PATH].concat(), // longer than the section
        [&leb128(1)[..], &[0, 0x41, 0x00, 0xff], PATH].concat(), // an unknown instruction
        [&leb128(0)[..], PATH].concat(),                         // bytes after the last segment
        [&[0xff, 0xff, 0xff, 0xff, 0xff], PATH].concat(),        // a malformed number
    ];
    for payload in cases {
        let found = inventory(&module(&[section(11, &payload)]));
        assert_eq!(listed(&found), ["x 1.0.0 registry-path"], "{}", payload.escape_ascii());
        let codes: Vec<_> = found.findings().iter().map(|finding| finding.code()).collect();
        assert_eq!(codes, [FindingCode::MalformedInventory], "{}", payload.escape_ascii());
    }
}

#[test]
fn matches_cut_by_the_end_of_a_section_are_not_found() {
    for cut in 0..PATH.len() {
        let found = packages_in(&[active(0, &PATH[..cut])]);
        assert!(found.is_empty(), "{cut}: {found:?}");
    }
}

#[test]
fn empty_sections_have_no_packages() {
    assert!(packages_in(&[]).is_empty());
    assert!(packages_in(&[active(0, []), passive([])]).is_empty());
    let found = inventory(&module(&[section(11, &[])]));
    assert!(found.packages().is_empty());
    assert_eq!(found.bytes_searched(), 0);
}

/// Only data sections are read.
#[test]
fn other_sections_are_not_searched() {
    let text = section(10, PATH);
    let custom = sectile_testing::binary::custom(".debug_str", PATH);
    let found = inventory(&module(&[text, data_section(&[passive(b"x")]), custom]));
    assert_eq!((found.packages().len(), found.bytes_searched()), (0, 4));
}
