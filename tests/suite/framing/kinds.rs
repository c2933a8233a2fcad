//! The meaning of every section id in both kinds of items.

use std::collections::HashSet;

use sectile::Limits;
use sectile::scan::{DataRequest, ItemKind, Section, SectionKind, Visitor};

use sectile_testing::binary::{COMPONENT, MODULE, section};
use sectile_testing::files::real_files;

/// By id. Source: the core specification's *Modules*.
const MODULE_NAMES: [&str; 14] = [
    "custom",
    "type",
    "import",
    "function",
    "table",
    "memory",
    "global",
    "export",
    "start",
    "element",
    "code",
    "data",
    "data count",
    "tag",
];

/// By id. Source: the component model's *Binary Format*.
const COMPONENT_NAMES: [&str; 12] = [
    "custom",
    "core module",
    "core instance",
    "core type",
    "component",
    "instance",
    "alias",
    "type",
    "canon",
    "start",
    "import",
    "export",
];

fn kinds() -> impl Iterator<Item = (ItemKind, u8, Option<&'static str>)> {
    let ids = |item, names: &'static [&'static str]| {
        (0..=u8::MAX).map(move |id| (item, id, names.get(usize::from(id)).copied()))
    };
    ids(ItemKind::Module, &MODULE_NAMES).chain(ids(ItemKind::Component, &COMPONENT_NAMES))
}

#[test]
fn every_id_has_its_specified_name() {
    for (item, id, name) in kinds() {
        let kind = SectionKind::new(item, id);
        assert_eq!(kind.name(), name.unwrap_or("unknown"), "{item} {id}");
        assert_eq!(kind.to_string(), kind.name());
        assert_eq!(kind == SectionKind::Other(id), name.is_none(), "{item} {id}");
    }
}

#[test]
fn a_kind_means_the_same_in_modules_and_components() {
    let mut names = HashSet::new();
    let mut known = HashSet::new();
    for (item, id, name) in kinds() {
        names.extend(name);
        known.extend(name.map(|_| SectionKind::new(item, id)));
    }
    assert_eq!((names.len(), known.len()), (21, 21), "the number of kinds differs from that of names");
    let both = |module, component| {
        assert_eq!(SectionKind::new(ItemKind::Module, module), SectionKind::new(ItemKind::Component, component));
    };
    [(0, 0), (1, 7), (2, 10), (7, 11), (8, 9)].into_iter().for_each(|(module, component)| both(module, component));
    assert_ne!(SectionKind::new(ItemKind::Module, 1), SectionKind::new(ItemKind::Component, 1));
}

/// Compares what each section says of itself.
#[derive(Default)]
struct Check(u64);

impl Visitor<'_> for Check {
    fn section(&mut self, section: &Section<'_>) -> DataRequest {
        self.0 += 1;
        let kind = section.kind();
        assert_eq!(kind, SectionKind::new(section.item_kind(), section.id()));
        assert_eq!(section.is_custom(), kind == SectionKind::Custom);
        assert_eq!(section.is_unknown(), kind == SectionKind::Other(section.id()));
        assert_eq!(section.holds_item(), matches!(kind, SectionKind::CoreModule | SectionKind::Component));
        DataRequest::Nothing
    }
}

#[test]
fn a_section_answers_its_kind() {
    let mut check = Check::default();
    for (_, bytes) in real_files() {
        sectile::drive::scan_slice(&bytes, &mut check, Limits::default()).complete().unwrap();
    }
    assert!(check.0 > 200, "{}", check.0);
    let custom = section(0, b"\x01x");
    for (preamble, holds) in [(MODULE, &[][..]), (COMPONENT, &[1, 4])] {
        for id in (1..0x80).filter(|id| !holds.contains(id)) {
            let bytes = [&preamble[..], &custom, &section(id, b"\0")].concat();
            sectile::drive::scan_slice(&bytes, &mut check, Limits::default()).complete().unwrap();
        }
    }
}
