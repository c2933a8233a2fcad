//! The framing rules one by one, each through every driver and compared with the reference.

use sectile::Limits;
use wasmparser::{Validator, WasmFeatures};

use super::{accepted, accepted_alone, rejected, sections};
use sectile_testing::all_drivers::{Event, scan};
use sectile_testing::binary::{
    COMPONENT, MODULE, chain, component, custom, leb128, module, nested, padded, prefixed, section,
};
use sectile_testing::bodies::{self, Verdict};

/// A section header that does not match the bytes after it.
fn header(id: u8, size: u32) -> Vec<u8> {
    [&[id], &*leb128(size)].concat()
}

/// A module of bytes that are not complete sections.
fn raw_module(bytes: &[u8]) -> Vec<u8> {
    [&MODULE, bytes].concat()
}

/// A custom section with a name of this many bytes and no data.
fn named(len: usize) -> Vec<u8> {
    custom(&"n".repeat(len), "")
}

#[test]
fn rule_01_the_preamble_is_of_a_module_or_a_component() {
    accepted(&MODULE);
    accepted(&COMPONENT);
    for place in 0..8 {
        for bit in 0..8 {
            for preamble in [MODULE, COMPONENT] {
                let mut bytes = preamble;
                bytes[place] ^= 1 << bit;
                let (offset, reason) = if place < 4 { (0, "not WebAssembly") } else { (4, "neither a module") };
                assert_eq!(rejected(&bytes, offset, reason), []);
            }
        }
    }
    for len in 0..8 {
        for preamble in [MODULE, COMPONENT, [0; 8], [0xff; 8]] {
            assert_eq!(rejected(&preamble[..len], len, "not WebAssembly"), []);
        }
    }
    // The version of a module with the layer of a component, and the reverse.
    rejected(b"\0asm\x01\0\x01\0", 4, "unsupported version 1, layer 1");
    rejected(b"\0asm\x0d\0\0\0", 4, "unsupported version 13, layer 0");
    // Drafts of the component model.
    rejected(b"\0asm\x0a\0\x01\0", 4, "unsupported version 10, layer 1");
    rejected(b"\0asm\x0c\0\x01\0", 4, "unsupported version 12, layer 1");
}

#[test]
fn rule_02_an_empty_body_is_valid() {
    assert_eq!(accepted(&MODULE).len(), 2);
    assert_eq!(accepted(&component(&[nested(&MODULE), nested(&COMPONENT)])).len(), 8);
}

#[test]
fn rule_03_ids_of_0x80_and_more_are_malformed() {
    for id in 0x80..=0xff {
        for sections in [&[id, 0][..], &[id], &[0, 1, 0, id, 0x80]] {
            let at = 8 + sections.iter().position(|byte| *byte == id).unwrap();
            rejected(&raw_module(sections), at, "malformed section id");
            rejected(&[&COMPONENT, sections].concat(), at, "malformed section id");
        }
    }
}

#[test]
fn rule_04_unknown_ids_pass() {
    for id in 14..=127 {
        let events = accepted(&module(&[section(id, b"any"), section(id, b"")]));
        assert_eq!(sections(&events), [(id, ""), (id, "")]);
    }
    for id in 12..=127 {
        let events = accepted(&component(&[section(id, b"any"), section(id, b"")]));
        assert_eq!(sections(&events), [(id, ""), (id, "")]);
    }
}

#[test]
fn rule_05_sizes_take_up_to_five_bytes() {
    for width in 1..=5 {
        let sized = [&[15], &*padded(3, width), b"any"].concat();
        let events = accepted(&module(&[sized, custom("behind", "")]));
        assert_eq!(sections(&events), [(15, ""), (0, "behind")]);
        let name = [&*padded(4, width), b"namedata"].concat();
        let events = accepted(&module(&[section(0, &name), custom("behind", "")]));
        assert_eq!(sections(&events), [(0, "name"), (0, "behind")]);
        let Event::Section { data, .. } = &events[1] else { panic!("{events:?}") };
        assert_eq!(*data, 14 + width as u64..18 + width as u64);
    }
}

#[test]
fn rule_06_a_fifth_byte_has_four_bits() {
    for fifth in 0x10..=0xff {
        let number = [0x80, 0x80, 0x80, 0x80, fifth, 0];
        let sized = [&[15], &number[..]].concat();
        rejected(&raw_module(&sized), 9, "malformed size");
        rejected(&component(&[nested(&raw_module(&sized))]), 19, "malformed size");
        rejected(&module(&[section(0, &number)]), 10, "malformed length");
        rejected(&module(&[section(0, &[&number[..], b"name"].concat())]), 10, "malformed length");
    }
    for fifth in 0x01..=0x0f {
        let number = [0x80, 0x80, 0x80, 0x80, fifth];
        let sized = [&[15], &number[..]].concat();
        // A valid size that is much too large.
        rejected(&raw_module(&sized), 14, "ends inside the unknown section");
        rejected(&component(&[nested(&raw_module(&sized))]), 19, "section too large");
        rejected(&module(&[section(0, &number)]), 10, "goes past the end");
    }
}

#[test]
fn rule_07_a_section_ends_in_its_parent() {
    for (size, fits) in [(3, true), (4, false), (u32::MAX, false)] {
        let inner = raw_module(&[&*header(15, size), b"any"].concat());
        let bytes = component(&[nested(&inner), custom("behind", "")]);
        if fits {
            accepted(&bytes);
        } else {
            rejected(&bytes, 19, "section too large");
        }
    }
    // At every depth, a nested item ends inside its parent.
    let inner = [&COMPONENT[..], &header(1, 9), &MODULE].concat();
    rejected(&component(&[nested(&inner), custom("behind", "")]), 19, "section too large");
    let inner = raw_module(&[&*header(0, 9), &prefixed("name")].concat());
    assert_eq!(rejected(&component(&[nested(&inner), custom("behind", "")]), 19, "section too large").len(), 3);
}

#[test]
fn rule_08_a_section_ends_in_the_input() {
    for size in [4, 5, 1 << 20, u32::MAX] {
        let bytes = raw_module(&[&*header(15, size), b"any"].concat());
        let events = rejected(&bytes, bytes.len(), "ends inside the unknown section that begins at 0x8");
        assert_eq!(sections(&events), [(15, "")]);
        let bytes = raw_module(&[&*header(0, size.saturating_add(5)), &prefixed("name"), b"any"].concat());
        let events = rejected(&bytes, bytes.len(), "ends inside the custom section that begins at 0x8");
        assert_eq!(sections(&events), [(0, "name")]);
    }
    // The length of the name is missing.
    for cut in [&[0][..], &[0, 9], &[0, 9, 4], b"\0\x09\x04nam"] {
        let bytes = raw_module(cut);
        let events = rejected(&bytes, bytes.len(), "ends inside the header");
        assert_eq!(sections(&events), []);
    }
}

#[test]
fn rule_09_a_nested_item_may_go_past_the_input() {
    let inner = module(&[custom("name", "data"), section(1, &[0])]);
    for (size, is_cut) in [(inner.len(), false), (inner.len() + 1, true), (1 << 30, true)] {
        let bytes = [&COMPONENT[..], &header(1, size as u32), &inner].concat();
        let events = if is_cut {
            rejected(&bytes, bytes.len(), "ends inside the module whose section begins at 0x8")
        } else {
            accepted(&bytes)
        };
        assert_eq!(sections(&events), [(1, ""), (0, "name"), (1, "")]);
    }
}

#[test]
fn rule_10_a_number_ends_in_its_container() {
    // The size of a section continues past its item. The bytes that follow do not matter.
    for width in 1..=4 {
        let begun = [&[15], &padded(0, 5)[..width]].concat();
        for after in [custom("x", ""), vec![15, 0], vec![0, 0x80, 0x80, 0x80, 0x80, 0]] {
            let bytes = component(&[nested(&raw_module(&begun)), after.clone()]);
            assert_eq!(bodies::framing(&bytes), Verdict::Rejected, "{bytes:x?}");
            let error = scan(&bytes, Limits::default()).1.unwrap_err();
            assert_eq!(error.offset(), Some(19), "{error}");
        }
    }
    // The length of a name continues past its section, in the root and in a nested item.
    for width in 1..=4 {
        let begun = section(0, &padded(0, 5)[..width]);
        for after in [custom("x", ""), custom("", ""), vec![15, 0]] {
            rejected(&module(&[begun.clone(), after.clone()]), 10, "malformed length");
            rejected(&component(&[nested(&module(std::slice::from_ref(&begun))), after]), 20, "malformed length");
        }
        rejected(&module(&[begun]), 10, "malformed length");
    }
}

#[test]
fn rule_11_a_custom_section_of_no_bytes_has_no_name() {
    rejected(&module(&[section(0, &[])]), 10, "has no name");
    rejected(&module(&[section(0, &[]), custom("x", "")]), 10, "has no name");
    rejected(&component(&[nested(&module(&[section(0, &[])]))]), 20, "has no name");
}

#[test]
fn rule_12_an_empty_custom_name_is_valid() {
    let events = accepted(&module(&[custom("", ""), custom("", "data"), section(0, &padded(0, 5))]));
    assert_eq!(sections(&events), [(0, ""); 3]);
}

#[test]
fn rule_13_a_custom_name_has_at_most_100_000_bytes() {
    for len in [99_999, 100_000] {
        let events = accepted(&component(&[named(len), nested(&module(&[named(len)]))]));
        assert_eq!(sections(&events).len(), 3);
        let Event::Section { name, .. } = &events[1] else { panic!("{events:?}") };
        assert_eq!(name.len(), len);
    }
    rejected(&module(&[named(100_001)]), 12, "more than 100000 bytes in a custom section's name");
    rejected(&component(&[nested(&module(&[named(100_001)]))]), 24, "more than 100000 bytes");
    // The length alone shows it.
    rejected(&module(&[named(100_001)])[..16], 12, "more than 100000 bytes");
}

#[test]
fn rule_14_a_custom_name_is_strict_utf8() {
    let valid = ["\0", "\x1b[2J", "\u{feff}", "\u{202e}", "\u{7ff}\u{800}", "\u{d7ff}\u{e000}", "\u{10000}\u{10ffff}"];
    let invalid: [&[u8]; 12] = [
        b"\x80",
        b"\xbf",
        b"\xc0\x80",
        b"\xc1\xbf",
        b"\xe0\x80\x80",
        b"\xe0\x9f\xbf",
        b"\xed\xa0\x80",
        b"\xed\xbf\xbf",
        b"\xf0\x8f\xbf\xbf",
        b"\xf4\x90\x80\x80",
        b"\xf8\x88\x80\x80\x80",
        b"\xff",
    ];
    // At every position, in names of every length with its own code path.
    for (before, after) in [(0, 0), (1, 0), (0, 1), (3, 0), (7, 0), (0, 8), (5, 8), (9, 5), (16, 0), (30, 40), (200, 1)]
    {
        let name = |piece: &[u8]| [&*vec![b'a'; before], piece, &vec![b'z'; after]].concat();
        for piece in valid {
            let name = name(piece.as_bytes());
            let events = accepted(&module(&[section(0, &prefixed(&name))]));
            assert_eq!(sections(&events), [(0, std::str::from_utf8(&name).unwrap())]);
        }
        for piece in invalid {
            let bytes = module(&[section(0, &prefixed(name(piece))), custom("x", "")]);
            let start = bytes.windows(piece.len()).position(|window| window == piece).unwrap();
            rejected(&bytes, start, "is not UTF-8");
        }
    }
    // A character that continues in the data.
    for (name, data) in [("\u{e9}", 1), ("\u{20ac}", 1), ("\u{20ac}", 2), ("\u{1f600}", 3)] {
        let (begun, rest) = name.as_bytes().split_at(name.len() - data);
        rejected(&module(&[section(0, &[&*prefixed(begun), rest].concat())]), 11, "is not UTF-8");
    }
}

#[test]
fn rule_15_data_is_opaque_and_names_repeat() {
    let all: Vec<u8> = (0..=255).collect();
    let twice = [custom("name", &all), custom("name", b"\0asm\x01\0\0\0")];
    assert_eq!(sections(&accepted(&module(&twice))), [(0, "name"); 2]);
    assert_eq!(sections(&accepted(&component(&twice))), [(0, "name"); 2]);
}

#[test]
fn a_name_ends_in_its_section() {
    let after = custom("nnnn", "");
    for len in [0, 1, 7, 127, 128, 300] {
        for width in 2..=5 {
            for (declared, fits) in [(len, true), (len + 1, false), (len + 2, false), (1 << 28, false)] {
                let payload =
                    [&*padded(declared, width.max(leb128(declared).len())), &vec![b'n'; len as usize]].concat();
                let bytes = module(&[section(0, &payload), after.clone()]);
                let start = bytes.len() - after.len() - payload.len();
                if fits {
                    assert_eq!(sections(&accepted(&bytes)).len(), 2);
                } else {
                    rejected(&bytes, start, "goes past the end of its section");
                    // Even if the input ends at the same offset.
                    rejected(&bytes[..start + payload.len()], start, "goes past the end of its section");
                }
            }
        }
    }
}

/// Sections of a module in order, with bodies that the reference accepts.
const ORDER: [u8; 13] = [1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11];

fn empty(id: u8) -> Vec<u8> {
    section(id, &[0])
}

#[test]
fn rule_16_known_sections_are_in_order_and_unique() {
    accepted(&module(&ORDER.map(empty)));
    for (rank, id) in ORDER.into_iter().enumerate() {
        for (other_rank, other) in ORDER.into_iter().enumerate() {
            let bytes = module(&[empty(id), empty(other)]);
            if rank < other_rank {
                accepted(&bytes);
            } else {
                rejected(&bytes, 11, "section out of order");
            }
        }
    }
}

#[test]
fn rule_17_custom_and_unknown_sections_are_not_ordered() {
    let mut all = vec![custom("x", ""), section(14, b"")];
    for id in ORDER {
        all.extend([empty(id), custom("x", ""), section(127, b""), section(14, b"")]);
    }
    assert_eq!(sections(&accepted(&module(&all))).len(), 2 + 4 * 13);
    // They do not reset the order.
    for between in [custom("x", ""), section(14, b"")] {
        rejected(&module(&[empty(1), between.clone(), empty(1)]), 11 + between.len(), "section out of order");
    }
}

#[test]
fn rule_18_component_sections_may_be_in_any_order() {
    let ids = [2, 3, 5, 6, 7, 8, 10, 11];
    for id in ids {
        for other in ids {
            accepted(&component(&[empty(id), empty(other), empty(id)]));
        }
    }
    let modules = [nested(&module(&[empty(1)])), nested(&module(&[empty(1)]))];
    accepted(&component(&[&modules[..], &[nested(&COMPONENT), nested(&COMPONENT)]].concat()));
}

#[test]
fn rule_19_section_1_holds_a_module_and_section_4_a_component() {
    accepted(&component(&[section(1, &MODULE), section(4, &COMPONENT)]));
    rejected(&component(&[section(4, &MODULE)]), 10, "nested component does not begin");
    rejected(&component(&[section(1, &COMPONENT)]), 10, "nested module does not begin");
    for id in [1, 4] {
        for preamble in [*b"\0asm\x02\0\0\0", *b"\0asm\x0d\0\0\0", *b"\0asn\x01\0\0\0", [0; 8]] {
            let bytes = component(&[section(id, &preamble)]);
            assert_eq!(sections(&rejected(&bytes, 10, "does not begin with the preamble")), [(id, "")]);
        }
    }
}

#[test]
fn rule_20_a_nested_item_has_at_most_1_gib() {
    // Truncated. The complete ones are in `large`.
    for (id, inner) in [(1, MODULE), (4, COMPONENT)] {
        let bytes = |size| [&COMPONENT[..], &header(id, size), &inner].concat();
        rejected(&bytes(1 << 30), 22, "the input ends inside the");
        for size in [(1 << 30) + 1, u32::MAX] {
            assert_eq!(sections(&rejected(&bytes(size), 9, "at most 1 GiB")), []);
        }
    }
    // It also goes past its parent, which is reported first.
    let inner = [&COMPONENT[..], &header(1, u32::MAX)].concat();
    rejected(&component(&[nested(&inner)]), 19, "section too large");
}

#[test]
fn rule_21_a_nested_body_holds_its_preamble() {
    for (id, inner) in [(1, MODULE), (4, COMPONENT)] {
        for len in 0..8 {
            let events = rejected(&component(&[section(id, &inner[..len])]), 10, "too short");
            assert_eq!(sections(&events), [(id, "")]);
            // The bytes that follow do not matter.
            let bytes = [&COMPONENT[..], &header(id, len as u32), &inner, &inner].concat();
            rejected(&bytes, 10, "too short");
        }
    }
}

#[test]
fn rule_22_modules_never_nest() {
    // A table section and a type section. Their bodies are not parsed.
    let bytes = module(&[section(1, &MODULE), section(4, &COMPONENT)]);
    assert_eq!(sections(&accepted(&bytes)), [(1, ""), (4, "")]);
}

#[test]
fn rule_23_sections_are_contiguous() {
    for second in [MODULE, COMPONENT] {
        rejected(&[&*module(&[custom("x", "")]), &second].concat(), 12, "second preamble");
        rejected(&[&*component(&[nested(&MODULE)]), &second].concat(), 18, "second preamble");
        rejected(&[&MODULE[..], &second].concat(), 8, "second preamble");
    }
    // In a nested item, the bytes parse as a custom section of 97 bytes that goes past the item.
    let inner = [&MODULE[..], &MODULE].concat();
    rejected(&component(&[nested(&inner)]), 19, "section too large");
    let inner = [&MODULE[..], &MODULE, &[0; 100]].concat();
    rejected(&component(&[nested(&inner)]), 18, "second preamble");
    rejected(&module(&[empty(1), vec![0x80]]), 11, "malformed section id");
    rejected(&module(&[empty(1), vec![0]]), 12, "ends inside the header of the section that begins at 0xb");
}

#[test]
fn rule_24_a_depth_of_1000_accepts_everything_valid() {
    let is_valid = |depth| Validator::new_with_features(WasmFeatures::all()).validate_all(&chain(depth, &COMPONENT));
    let deepest = (1..=1_001).rev().find(|depth| is_valid(*depth).is_ok()).unwrap();
    assert!((900..=1_000).contains(&deepest), "{deepest}");
    for depth in [deepest, 1_000] {
        let events = accepted(&chain(depth, &COMPONENT));
        assert_eq!(events.len(), 3 * depth - 1);
    }
    let bytes = chain(1_001, &COMPONENT);
    assert_eq!(bodies::framing(&bytes), Verdict::Accepted, "the parser does not limit the depth");
    let error = scan(&bytes, Limits::default()).1.unwrap_err();
    assert!(error.is_limit(), "{error}");
    assert_eq!(error.offset(), Some(bytes.len() as u64 - 8));

    // The scan does not recurse.
    let deep = chain(90_000, &COMPONENT);
    assert_eq!(bodies::framing(&deep), Verdict::Accepted);
    assert_eq!(bodies::framing(&deep[..deep.len() - 1]), Verdict::Rejected);
}

#[test]
fn rule_25_the_root_ends_with_the_input() {
    // The last section may be of any kind. Roots over 4 GiB are in `large`.
    let bytes = component(&[nested(&module(&[custom("x", "")])), custom("y", "")]);
    let events = accepted(&bytes);
    assert_eq!(events.last(), Some(&Event::Leave(0, bytes.len() as u64)));
    let Event::Enter(root) = &events[0] else { panic!("{events:?}") };
    assert_eq!(root.end, None);
}

#[test]
fn malformed_bodies_are_not_errors() {
    let component_start = section(9, &[0, 0, 0]);
    let bodies = [
        module(&[section(1, &[])]),
        module(&[section(1, &[0x80])]),
        module(&[section(2, &[0xff; 6])]),
        module(&[section(3, &[1])]),
        module(&[section(3, &[2]), section(10, &[1, 0])]),
        module(&[section(10, &[])]),
        module(&[section(10, &[1])]),
        module(&[section(3, &[1]), section(10, &[1, 5, 0])]),
        module(&[section(3, &[1]), section(10, &[1, 1, 0, 9])]),
        module(&[section(8, &[])]),
        module(&[section(8, &[0, 0])]),
        module(&[section(12, &[1])]),
        module(&[section(12, &[1, 1])]),
        module(&[section(12, &[1]), section(11, &[2])]),
        component(&[section(9, &[])]),
        component(&[section(9, &[0, 0xff, 0xff, 0x03])]),
        component(&[section(9, &[0, 0, 0, 0])]),
        component(&[component_start.clone(), component_start]),
        component(&[section(2, &[])]),
        component(&[nested(&module(&[section(12, &[1])]))]),
    ];
    for bytes in bodies {
        accepted_alone(&bytes);
    }
    // The reference reads these numbers past the end of the section.
    for after in [custom("\u{7f}", ""), section(15, &[0xff; 6]), vec![]] {
        accepted_alone(&module(&[section(10, &[]), after.clone()]));
        accepted_alone(&module(&[section(10, &[0x80]), after.clone()]));
        accepted_alone(&module(&[section(3, &[1]), section(10, &[1]), after.clone()]));
        accepted_alone(&module(&[section(3, &[1]), section(10, &[1, 0xff]), after]));
    }
}

#[test]
fn an_error_names_its_item() {
    let wrong = module(&[section(0, &[])]);
    let bytes = component(&[nested(&MODULE), nested(&component(&[nested(&MODULE), nested(&wrong)]))]);
    let error = scan(&bytes, Limits::default()).1.unwrap_err();
    assert_eq!(error.path().to_string(), "1/1");
}

#[test]
fn exceeding_a_limit_ends_the_scan() {
    let bytes = component(&[nested(&MODULE), custom("abc", ""), nested(&component(&[nested(&MODULE)]))]);
    let exceeded = |limits| {
        let (events, result) = scan(&bytes, limits);
        let error = result.unwrap_err();
        assert!(error.is_limit() && !error.is_malformed(), "{error}");
        (events.len(), error.offset().unwrap())
    };
    let limits = Limits::default();
    assert_eq!(exceeded(Limits { max_depth: 1, ..limits }), (2, 10));
    assert_eq!(exceeded(Limits { max_depth: 2, ..limits }).1, bytes.len() as u64 - 8);
    assert_eq!(exceeded(Limits { max_items: 0, ..limits }), (0, 0));
    assert_eq!(exceeded(Limits { max_items: 1, ..limits }), (2, 10));
    assert_eq!(exceeded(Limits { max_items: 3, ..limits }).1, bytes.len() as u64 - 8);
    assert_eq!(exceeded(Limits { max_sections: 0, ..limits }), (1, 8));
    assert_eq!(exceeded(Limits { max_sections: 1, ..limits }), (4, 18));
    assert_eq!(exceeded(Limits { max_name_len: 2, ..limits }), (4, 20));
    let all = Limits { max_depth: 3, max_items: 4, max_sections: 4, max_name_len: 3, ..limits };
    scan(&bytes, all).1.unwrap();
}
