//! Random edits. Every driver makes the same plan, all other bytes are preserved, the requested
//! change is made, and a repeated edit changes nothing.

use std::ops::Range;

use arbitrary::Unstructured;

use sectile::Glob;
use sectile::Limits;
use sectile::edit::{Change, ChangeKind, Edit, EditError, EditPlan, Strip};
use sectile::metadata::{Field, Item, Metadata};
use sectile::scan::ItemPath;
use sectile::splice::{Piece, Plan};

use super::outline::{Outline, ScanEvent};
use super::{framing, generate};

/// Bytes of the fuzz input that choose the edit. The rest is the binary.
pub const CONTROLS: usize = 64;

/// The result of a successful edit.
pub struct Edited {
    pub source: Vec<u8>,
    pub bytes: Vec<u8>,
}

/// Edits the binary as chosen by the control bytes.
///
/// # Panics
///
/// The plan violates a guarantee.
pub fn plans(input: &[u8]) -> Option<Edited> {
    let (controls, rest) = input.split_first_chunk::<CONTROLS>()?;
    let mut fuel = Unstructured::new(controls);
    let source = match fuel.arbitrary::<u8>().unwrap_or(0) % 4 {
        0 => rest.to_vec(),
        1 => generate::binary(&mut Unstructured::new(rest)),
        _ => random_item(&mut Unstructured::new(rest), 0),
    };
    let random = RandomEdit::of(&mut fuel);
    check(&random, &source).map(|bytes| Edited { source, bytes })
}

/// Applies the edit to a source and checks all guarantees.
fn check(random: &RandomEdit, source: &[u8]) -> Option<Vec<u8>> {
    let planned = plan(&random.edit, source);
    if let Ok(nothing) = plan(&Edit::new(), source) {
        assert!(nothing.plan().is_identity() && nothing.findings().is_empty());
    }
    let planned = match planned {
        Ok(planned) => planned,
        Err(error) => {
            let scanned = Outline::of(source).error;
            let is_of_source = matches!(error, EditError::Source(_));
            assert!(is_of_source == scanned.is_some() || matches!(error, EditError::Twice(_)), "{error} {scanned:?}");
            return None;
        }
    };
    let edited = concatenation(planned.plan(), source);
    let (before, after) = (framing(source), framing(&edited));
    assert!(
        after <= before,
        "{before:?}, and {after:?} when edited by {:?}: {:?} {:x?} {:x?} {:?}",
        random.list,
        Outline::of(&edited).error,
        source,
        edited,
        planned.plan()
    );
    check_unchanged_sections(planned.changes(), source, &edited);
    for finding in planned.findings() {
        assert!(finding.offset() <= source.len() as u64 && !finding.message().is_empty(), "{finding:?}");
    }
    let metadata = sectile::read_slice(&edited).unwrap();
    random.check(&metadata, &edited);
    if !random.appends {
        let again = plan(&random.edit, &edited).expect("it could be done once");
        assert!(again.plan().is_identity() && again.changes().is_empty(), "an edit repeated: {again:?}");
    }
    check_undo(source);
    Some(edited)
}

/// Plans in memory and with positioned reads.
fn plan(edit: &Edit, source: &[u8]) -> Result<EditPlan, EditError> {
    let planned = edit.plan_slice(source);
    let read = edit.plan_at(source, source.len() as u64);
    match (&planned, &read) {
        (Ok(planned), Ok(read)) => assert_eq!(planned, read, "the plans differ"),
        (planned, read) => assert_eq!(format!("{planned:?}"), format!("{read:?}"), "the errors differ"),
    }
    planned
}

/// The naive oracle: the concatenated pieces. Kept ranges must be in order.
pub fn concatenation(plan: &Plan, source: &[u8]) -> Vec<u8> {
    let (mut bytes, mut kept, mut inserted) = (Vec::new(), 0, 0);
    for piece in plan.pieces() {
        match piece {
            Piece::Keep(range) => {
                assert!(kept <= range.start && range.start < range.end, "{plan:?}");
                kept = range.end;
                bytes.extend(&source[range.start as usize..range.end as usize]);
            }
            Piece::Insert(more) => {
                assert!(!more.is_empty());
                inserted += more.len() as u64;
                bytes.extend(more);
            }
        }
    }
    assert_eq!(plan.len(), bytes.len() as u64);
    assert_eq!(plan.inserted(), inserted);
    let dropped: u64 = plan.dropped().map(|range| range.end - range.start).sum();
    assert_eq!(plan.kept() + dropped, source.len() as u64);
    assert!(plan.to_vec(source).as_ref() == Some(&bytes));
    bytes
}

/// A section of an item.
struct LocatedSection<'a> {
    id: u8,
    name: &'a str,
    range: Range<u64>,
    payload: u64,
    holds_item: bool,
}

/// The sections and the end of each item.
fn sections_of_items(bytes: &[u8]) -> Vec<(Vec<LocatedSection<'_>>, u64)> {
    let mut items: Vec<(Vec<LocatedSection<'_>>, u64)> = Vec::new();
    let outline = Outline::of(bytes);
    assert!(outline.error.is_none());
    for event in outline.events {
        match event {
            ScanEvent::Enter(entry) => {
                if let Some(parent) = entry.parent {
                    items[parent as usize].0.last_mut().unwrap().holds_item = true;
                }
                items.push((Vec::new(), 0));
            }
            ScanEvent::Section(section) => items[section.item() as usize].0.push(LocatedSection {
                id: section.id(),
                name: if section.is_custom() { section.name() } else { "" },
                range: section.range(),
                payload: section.payload().start,
                holds_item: false,
            }),
            ScanEvent::Leave { item, end } => items[item as usize].1 = end,
        }
    }
    items
}

/// Asserts that every unchanged section is byte-identical and in order. The size field of a section
/// that holds an item must keep its width unless the new size does not fit.
fn check_unchanged_sections(changes: &[Change], source: &[u8], edited: &[u8]) {
    let (old, new) = (sections_of_items(source), sections_of_items(edited));
    assert_eq!(old.len(), new.len(), "the number of items changed");
    let mut rest = changes.to_vec();
    let order = |change: &Change| (change.range().start, change.range().end);
    assert!(changes.is_sorted_by_key(order), "{changes:?}");
    let paths = paths(source);
    for (place, ((old, end), (new, _))) in old.iter().zip(&new).enumerate() {
        let mut new = new.iter();
        let mut take = |range: Range<u64>, kind: fn(ChangeKind) -> bool| {
            let is_it =
                |change: &Change| *change.path() == paths[place] && change.range() == range && kind(change.kind());
            rest.iter().position(is_it).map(|place| rest.remove(place))
        };
        let size = |section: &LocatedSection<'_>| section.range.end - section.range.start;
        let mut added = |at: u64, new: &mut std::slice::Iter<'_, LocatedSection<'_>>| {
            while let Some(change) = take(at..at, |kind| kind == ChangeKind::Added) {
                let section = new.next().expect("what was added is there");
                assert_eq!(
                    (section.id, section.name, size(section)),
                    (0, change.section(), change.after()),
                    "{change:?}"
                );
                assert_eq!(change.before(), 0);
            }
        };
        for section in old {
            added(section.range.start, &mut new);
            let of = |change: &&Change| *change.path() == paths[place] && change.range() == section.range;
            match changes.iter().find(of) {
                Some(change) => {
                    assert_eq!((section.id, section.name, size(section)), (0, change.section(), change.before()));
                    if change.kind() == ChangeKind::Removed {
                        assert_eq!(change.after(), 0);
                        continue;
                    }
                    let new = new.next().unwrap();
                    assert_eq!((new.id, new.name, size(new)), (0, section.name, change.after()), "{change:?}");
                    check_size_width(section, new);
                }
                None if section.holds_item => {
                    let new = new.next().unwrap();
                    assert!(new.holds_item && new.id == section.id);
                    check_size_width(section, new);
                }
                None => {
                    let new = new.next().unwrap();
                    assert!(slice(source, &section.range) == slice(edited, &new.range), "{:?}", section.range);
                }
            }
        }
        added(*end, &mut new);
        assert!(new.next().is_none(), "unexpected section");
    }
    assert!(rest.iter().all(|change| change.kind() != ChangeKind::Added), "{rest:?}");
}

fn check_size_width(old: &LocatedSection<'_>, new: &LocatedSection<'_>) {
    let width = |section: &LocatedSection<'_>| section.payload - section.range.start - 1;
    let size = new.range.end - new.payload;
    let needed = (1..5).find(|width| size < 1 << (7 * width)).unwrap_or(5);
    assert_eq!(width(new), width(old).max(needed), "a size field's width");
}

fn slice<'b>(bytes: &'b [u8], range: &Range<u64>) -> &'b [u8] {
    &bytes[range.start as usize..range.end as usize]
}

fn paths(bytes: &[u8]) -> Vec<ItemPath> {
    let metadata = sectile::read_slice_with(bytes, Limits::default()).into_value().unwrap();
    metadata.items().map(|item| item.path()).collect()
}

/// Asserts that setting and unsetting an absent field restores the original, except for size fields
/// that grew.
fn check_undo(source: &[u8]) {
    let metadata = sectile::read_slice_with(source, Limits::default()).into_value().unwrap();
    for item in metadata.items().rev().take(3).filter(|item| item.annotation(Field::Vendor).is_none()) {
        let path = item.path();
        let at = || Edit::new().at(path.clone());
        let set = at().set(Field::Vendor, "v".repeat(9)).unwrap();
        let Ok(there) = set.plan_slice(source) else { continue };
        if there.changes()[0].kind() != ChangeKind::Added {
            continue; // malformed, but present
        }
        let there = there.plan().to_vec(source).unwrap();
        let unset = at().unset(Field::Vendor).unwrap().plan_slice(&there).unwrap();
        let back = unset.plan().to_vec(&there).unwrap();
        let widened = back.len() - source.len();
        assert!(widened <= path.indexes().len() && (widened > 0 || back == source), "{path}");
    }
}

/// The requested changes, as an edit and as a list to check.
struct RandomEdit {
    edit: Edit,
    list: Vec<(ItemPath, RandomChange)>,
    appends: bool,
}

#[derive(Clone, Debug)]
enum RandomChange {
    Set(Field, String),
    Unset(Field),
    Name(String),
    Unname,
    AddProducer(&'static str, &'static str, &'static str),
    DropProducer(&'static str, &'static str),
    UnsetProducers,
    Put(&'static str, Vec<u8>),
    Append(Vec<u8>),
    Remove(&'static str),
    RemoveMatching(&'static str),
    Strip { names: bool, all: bool, deep: bool },
    Force,
}

/// Names of sections that are written and removed.
const NAMES: [&str; 10] =
    ["x", "name", "component-name", "producers", ".debug_info", "linking", "signature", "dylink.0", "é", "vendor"];
const GLOBS: [&str; 8] = ["*", ".debug_*", "x", "?", "[!a-m]*", "reloc.*", "*name", "lin[k]ing"];
const FIELDS: [&str; 3] = ["sdk", "language", "processed-by"];
const PRODUCERS: [&str; 3] = ["a", "Rust", ""];
const TEXTS: [&str; 5] = ["", "noon", "a name of some length", "é", "MIT"];
/// Data that only appended sections have.
const APPENDED: &str = "appended";

impl RandomEdit {
    /// Random changes. A change that conflicts with earlier ones is omitted.
    fn of(fuel: &mut Unstructured<'_>) -> Self {
        let mut random = Self { edit: Edit::new(), list: Vec::new(), appends: false };
        for _ in 0..=fuel.int_in_range(0..=5).unwrap_or(0) {
            let depth = *fuel.choose(&[0, 0, 0, 0, 0, 0, 1, 2]).unwrap_or(&0);
            let path: ItemPath = (0..depth).map(|_| fuel.int_in_range(0..=1).unwrap_or(0)).collect();
            let change = RandomChange::of(fuel);
            if let Ok(edit) = change.apply_to(random.edit.clone().at(path.clone())) {
                random.edit = edit;
                random.appends |= matches!(change, RandomChange::Append(_));
                random.list.push((path, change));
            }
        }
        random
    }

    fn check(&self, metadata: &Metadata<'_>, edited: &[u8]) {
        let sections_of_items = sections_of_items(edited);
        for (nth, (path, change)) in self.list.iter().enumerate() {
            if matches!(change, RandomChange::Force) {
                continue; // which is not about an item
            }
            let item = metadata.item(path).expect("editing a missing item is an error");
            let place = item.number();
            let data: Vec<_> = sections_of_items[place].0.iter().filter(|section| section.id == 0).collect();
            let named = |name: &str| data.iter().filter(|section| section.name == name).count();
            let later = self.list[nth + 1..].iter().filter(|(other, _)| other == path).map(|(_, change)| change);
            match change {
                RandomChange::Set(field, value) => {
                    assert_eq!(item.annotation(*field).map(|value| value.as_bytes()), Some(value.as_bytes()));
                    assert_eq!(named(field.section()), 1);
                }
                RandomChange::Unset(field) => assert_eq!((item.annotation(*field), named(field.section())), (None, 0)),
                RandomChange::Name(name) => assert_eq!(item.name().and_then(|name| name.as_str()), Some(&**name)),
                RandomChange::Unname => assert_eq!(item.name(), None),
                RandomChange::AddProducer(field, name, version) => {
                    let is_other = |change: &RandomChange| matches!(change, RandomChange::AddProducer(f, n, _) | RandomChange::DropProducer(f, n) if f == field && n == name);
                    assert!(later.clone().any(is_other) || has_producer(item, field, name, Some(version)));
                }
                RandomChange::DropProducer(field, name) => {
                    let is_other = |change: &RandomChange| matches!(change, RandomChange::AddProducer(f, n, _) if f == field && n == name);
                    assert!(later.clone().any(is_other) || !has_producer(item, field, name, None));
                }
                RandomChange::UnsetProducers => assert_eq!(named("producers"), 0),
                RandomChange::Put(name, bytes) => {
                    let section = data.iter().find(|section| section.name == *name).unwrap();
                    assert!(slice(edited, &section.range).ends_with(bytes) && named(name) == 1);
                }
                RandomChange::Append(_) => assert!(named(APPENDED) > 0),
                RandomChange::Remove(name) => assert_eq!(named(name), 0),
                RandomChange::RemoveMatching(glob) => {
                    let glob = Glob::new(glob).unwrap();
                    let stays = |section: &&LocatedSection<'_>| section.name != APPENDED && glob.matches(section.name);
                    let is_made = |section: &LocatedSection<'_>| {
                        self.list.iter().any(|(other, change)| other == path && change.writes(section.name))
                    };
                    assert!(!data.iter().any(|section| stays(section) && !is_made(section)), "{glob:?}");
                }
                RandomChange::Strip { .. }
                    if later.clone().any(|change| matches!(change, RandomChange::Strip { .. })) => {}
                RandomChange::Strip { deep, .. } => self.check_strip(path, *deep, metadata, &sections_of_items),
                RandomChange::Force => {}
            }
        }
    }

    /// Asserts that stripped items have no debug sections.
    fn check_strip(
        &self,
        path: &ItemPath,
        deep: bool,
        metadata: &Metadata<'_>,
        sections_of_items: &[(Vec<LocatedSection<'_>>, u64)],
    ) {
        for (item, (sections, _)) in metadata.items().zip(sections_of_items) {
            let here = item.path();
            let is_other = self.list.iter().any(|(other, change)| {
                matches!(change, RandomChange::Strip { .. })
                    && here.indexes().starts_with(other.indexes())
                    && other != path
            });
            if is_other || !(here == *path || deep && here.indexes().starts_with(path.indexes())) {
                continue;
            }
            let is_put = |name: &str| self.list.iter().any(|(other, change)| *other == here && change.writes(name));
            for section in sections.iter().filter(|section| section.id == 0 && !is_put(section.name)) {
                let target = section.name.strip_prefix("reloc.").unwrap_or(section.name);
                assert!(!target.starts_with(".debug_"), "{} in {here}", section.name);
            }
        }
    }
}

fn has_producer(item: Item<'_>, field: &str, name: &str, version: Option<&str>) -> bool {
    let mut fields = item.producers().fields().filter(|found| found.name() == field);
    fields.any(|field| {
        let is_it = |found: (&str, &str)| found.0 == name && version.is_none_or(|version| version == found.1);
        field.values().any(is_it)
    })
}

impl RandomChange {
    fn of(fuel: &mut Unstructured<'_>) -> Self {
        fn pick<T: Copy>(fuel: &mut Unstructured<'_>, choices: &[T]) -> T {
            *fuel.choose(choices).unwrap_or(&choices[0])
        }
        let kind: u8 = fuel.int_in_range(0..=15).unwrap_or(0);
        let data = |fuel: &mut Unstructured<'_>| {
            let long = [0, 1, 3, 40, 127, 16_400];
            vec![fuel.arbitrary().unwrap_or(b'x'); pick(fuel, &long)]
        };
        match kind {
            0 | 1 => Self::Set(pick(fuel, &Field::ALL), pick(fuel, &TEXTS).repeat(pick(fuel, &[1, 1, 40]))),
            2 => Self::Unset(pick(fuel, &Field::ALL)),
            3 | 4 => Self::Name(pick(fuel, &TEXTS).repeat(pick(fuel, &[1, 1, 40]))),
            5 => Self::Unname,
            6 | 7 => Self::AddProducer(pick(fuel, &FIELDS), pick(fuel, &PRODUCERS), pick(fuel, &TEXTS)),
            8 => Self::DropProducer(pick(fuel, &FIELDS), pick(fuel, &PRODUCERS)),
            9 => Self::UnsetProducers,
            10 => Self::Put(pick(fuel, &NAMES), data(fuel)),
            11 => Self::Append(data(fuel)),
            12 => Self::Remove(pick(fuel, &NAMES)),
            13 => Self::RemoveMatching(pick(fuel, &GLOBS)),
            14 => Self::Strip {
                names: fuel.arbitrary().unwrap_or(false),
                all: fuel.arbitrary().unwrap_or(false),
                deep: fuel.arbitrary().unwrap_or(true),
            },
            _ => Self::Force,
        }
    }

    fn apply_to(&self, edit: Edit) -> Result<Edit, EditError> {
        match self.clone() {
            Self::Set(field, value) => edit.set_unchecked(field, value),
            Self::Unset(field) => edit.unset(field),
            Self::Name(name) => edit.name(name),
            Self::Unname => edit.clear_name(),
            Self::AddProducer(field, name, version) => Ok(edit.add_producer(field, name, version)),
            Self::DropProducer(field, name) => Ok(edit.drop_producer(field, name)),
            Self::UnsetProducers => edit.unset_producers(),
            Self::Put(name, data) => edit.put(name, data),
            Self::Append(data) => edit.append(APPENDED, data),
            Self::Remove(name) => edit.remove(name),
            Self::RemoveMatching(glob) => Ok(edit.remove_matching(Glob::new(glob).unwrap())),
            Self::Strip { names, all, deep } => {
                let strip = Strip::new().keep(Glob::literal("kept"));
                let strip = if names { strip.names() } else { strip };
                let strip = if all { strip.all() } else { strip };
                Ok(edit.strip(if deep { strip } else { strip.this_item_only() }))
            }
            Self::Force => Ok(edit.force()),
        }
    }

    /// Whether the change writes a section with this name. Other changes then do not remove it.
    fn writes(&self, name: &str) -> bool {
        match self {
            Self::Set(field, _) => field.section() == name,
            Self::Put(put, _) => *put == name,
            Self::Append(_) => name == APPENDED,
            _ => false,
        }
    }
}

/// Custom sections that edits change, with possible data.
const CUSTOM_SECTIONS: [(&str, &[u8]); 24] = [
    ("name", b"\x00\x05\x04noon\x01\x03abc"),
    ("name", b"\x01\x01x\x00\x86\x80\x00\x84\x00noon"),
    ("name", b"\x00\x06\x04noon!"),
    ("name", b"\x00\x05\x04noon\x00\x02\x01a"),
    ("name", b"\x00\x09"),
    ("component-name", b"\x00\x05\x04noon"),
    ("component-name", b"\x02\x00"),
    ("producers", b"\x01\x03sdk\x01\x01a\x011"),
    ("producers", b"\x02\x08language\x01\x04Rust\x00\x03sdk\x02\x01a\x00\x01a\x00"),
    ("producers", b"\x81\x00\x03sdk\x00"),
    ("producers", b"\x00"),
    ("producers", b"\x09"),
    ("authors", b"me"),
    ("authors", b"\xff"),
    ("vendor", b""),
    ("licenses", b"MIT/Apache-2.0"),
    ("x", b"data"),
    ("kept", b"data"),
    (".debug_info", b"info"),
    ("reloc..debug_info", b"\x05\x00"),
    ("linking", b"\x02"),
    ("target_features", b"\x00"),
    ("signature", b"\x01"),
    ("signature_delimiter", b"0123456789abcdef"),
];

/// An item with such sections and nested items, with possibly padded size fields.
fn random_item(fuel: &mut Unstructured<'_>, depth: u32) -> Vec<u8> {
    let is_module = fuel.ratio(1, 2).unwrap_or(true);
    let mut bytes = if is_module { b"\0asm\x01\0\0\0".to_vec() } else { b"\0asm\x0d\0\x01\0".to_vec() };
    let section = |fuel: &mut Unstructured<'_>, id: u8, payload: &[u8]| {
        let width = fuel.int_in_range(0..=5).unwrap_or(0);
        let mut section = vec![id];
        section.extend(leb128(payload.len() as u32, width));
        section.extend(payload);
        section
    };
    for _ in 0..fuel.int_in_range(0..=8).unwrap_or(0) {
        let kind: u8 = fuel.int_in_range(0..=9).unwrap_or(0);
        if kind < 7 || is_module {
            let (name, data) = CUSTOM_SECTIONS[fuel.choose_index(CUSTOM_SECTIONS.len()).unwrap_or(0)];
            let mut payload = leb128(name.len() as u32, fuel.int_in_range(0..=2).unwrap_or(0));
            payload.extend(name.as_bytes());
            payload.extend(data);
            bytes.extend(section(fuel, 0, &payload));
        } else if depth < 4 {
            let item = random_item(fuel, depth + 1);
            let id = if item[4] == 1 { 1 } else { 4 };
            bytes.extend(section(fuel, id, &item));
        }
    }
    bytes
}

fn leb128(value: u32, width: usize) -> Vec<u8> {
    let needed = (1..5).find(|width| u64::from(value) < 1 << (7 * width)).unwrap_or(5);
    let width = width.max(needed);
    (0..width)
        .map(|nth| (u64::from(value) >> (7 * nth)) as u8 & 0x7f | if nth + 1 < width { 0x80 } else { 0 })
        .collect()
}
