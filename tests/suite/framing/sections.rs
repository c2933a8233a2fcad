//! The accessors of a section.

use sectile::Limits;
use sectile::scan::{DataRequest, ItemKind, Section, Visitor};

use super::{accepted, rejected};
use sectile_testing::binary::{MODULE, component, custom, leb128, module, nested, padded, prefixed, section};

/// Records the accessors of each section.
#[derive(Default)]
struct Answers(Vec<(ItemKind, u32, &'static str, String)>, Vec<[std::ops::Range<u64>; 4]>, Vec<[bool; 3]>);

impl Visitor<'_> for Answers {
    fn section(&mut self, section: &Section<'_>) -> DataRequest {
        assert_eq!(section.name().as_bytes(), section.name_bytes());
        self.0.push((section.item_kind(), section.item(), section.kind().name(), section.name().to_owned()));
        self.1.push([section.range(), section.header(), section.payload(), section.data()]);
        self.2.push([section.is_custom(), section.is_unknown(), section.holds_item()]);
        DataRequest::Nothing
    }
}

fn answers(bytes: &[u8]) -> Answers {
    let mut answers = Answers::default();
    sectile::drive::scan_slice(bytes, &mut answers, Limits::default()).complete().unwrap();
    answers
}

#[test]
fn sections_report_kind_and_name() {
    let inner = module(&[section(1, b"\0"), section(0x33, b""), custom("vendor", b"v")]);
    let bytes = component(&[section(7, b"\0"), nested(&inner), nested(&component(&[])), custom("x", b"")]);
    let Answers(names, _, kinds) = answers(&bytes);
    let names: Vec<_> = names.iter().map(|(kind, item, section, name)| (*kind, *item, *section, &**name)).collect();
    use ItemKind::{Component, Module};
    assert_eq!(
        names,
        [
            (Component, 0, "type", ""),
            (Component, 0, "core module", ""),
            (Module, 1, "type", ""),
            (Module, 1, "unknown", ""),
            (Module, 1, "custom", "vendor"),
            (Component, 0, "component", ""),
            (Component, 0, "custom", "x"),
        ]
    );
    let is = |custom, unknown, holds_item| [custom, unknown, holds_item];
    assert_eq!(
        kinds,
        [
            is(false, false, false),
            is(false, false, true),
            is(false, false, false),
            is(false, true, false),
            is(true, false, false),
            is(false, false, true),
            is(true, false, false),
        ]
    );
}

#[test]
fn sections_report_ranges_at_any_width() {
    for width in 1..=5 {
        for name_width in 1..=5 {
            let name = [&*padded(6, name_width), b"vendor"].concat();
            let payload = [&*name, b"data"].concat();
            let custom = [&[0][..], &padded(payload.len() as u32, width), &payload].concat();
            let code = [&[10][..], &padded(3, width), b"abc"].concat();
            let Answers(names, ranges, _) = answers(&module(&[custom.clone(), code]));
            assert_eq!(names.iter().map(|(.., name)| &**name).collect::<Vec<_>>(), ["vendor", ""]);

            let (header, end) = (8 + 1 + width as u64, 8 + custom.len() as u64);
            assert_eq!(ranges[0], [8..end, 8..header, header..end, header + name.len() as u64..end]);
            let (start, header) = (end, end + 1 + width as u64);
            assert_eq!(ranges[1], [start..header + 3, start..header, header..header + 3, header..header + 3]);
        }
    }
}

/// Names of some lengths are checked in words of several bytes.
#[test]
fn section_names_are_utf8_at_any_length() {
    for len in 1..40 {
        for at in 0..len {
            for bad in [&[0x80][..], &[0xff], &vec![0x80; len - at]] {
                let mut name = vec![0; len];
                name[at..at + bad.len()].copy_from_slice(bad);
                let payload = prefixed(&name);
                let bytes = [&MODULE, &[0][..], &leb128(payload.len() as u32), &payload].concat();
                rejected(&bytes, bytes.len() - len + at, "UTF-8");
            }
        }
        accepted(&module(&[custom(&"\0".repeat(len), b""), custom(&"\x7f".repeat(len), b"")]));
    }
}
