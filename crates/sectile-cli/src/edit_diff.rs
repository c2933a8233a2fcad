//! The values that an edit removes and adds.

use std::collections::{HashMap, HashSet};
use std::io;
use std::ops::Range;

use sectile::drive::{self, ReadAt};
use sectile::edit::EditPlan;
use sectile::scan::{DataRequest, ItemPath, ItemStart, Section, Visitor};
use sectile::splice::{Piece, Plan};
use sectile::{Error, Input, Item, Limits, Metadata};

/// Maximum length in bytes of data that is shown. Longer data is described by its length.
const MAX_SHOWN: u64 = 1_000;

/// A value that only the old or only the new binary has.
#[derive(Debug, PartialEq, Eq)]
pub struct Difference {
    pub side: Side,
    /// The item that holds the section.
    pub path: ItemPath,
    pub section: String,
    pub value: DifferentValue,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Old,
    New,
}

#[derive(Debug, PartialEq, Eq)]
pub enum DifferentValue {
    Text(String),
    /// Long or non-text data, described by its length.
    Data(u64),
    /// A producer, as its field, name and version.
    Producer([String; 3]),
}

/// The differences between a binary and its edited copy, in the order of the changes; old values
/// come first.
pub fn differences(planned: &EditPlan, input: &Input) -> Result<Vec<Difference>, Error> {
    let plan = planned.plan();
    let edited = plan.reader(input);
    let mut finder = DifferenceFinder {
        old: changed_sections(input, plan.source_len(), &kept(plan, |_, source| source.clone()))?,
        new: changed_sections(
            &edited,
            plan.len(),
            &kept(plan, |start, source| start..start + (source.end - source.start)),
        )?,
        old_metadata: metadata(input, plan.source_len())?,
        new_metadata: metadata(&edited, plan.len())?,
        differences: Vec::new(),
    };
    let mut seen = HashSet::new();
    for change in planned.changes() {
        // Sections with the same name in one item are compared together.
        if seen.insert((change.path(), change.section())) {
            finder.compare(change.path(), change.section());
        }
    }
    Ok(finder.differences)
}

/// The metadata, even if a limit truncated it.
fn metadata(source: &impl ReadAt, len: u64) -> Result<Metadata<'static>, Error> {
    match sectile::read_at(source, len) {
        Err(error) if error.partial().is_some() => Ok(error.into_partial().expect("checked above")),
        metadata => metadata,
    }
}

/// The ranges that a plan keeps, in order, with offsets of either side.
fn kept(plan: &Plan, range: impl Fn(u64, &Range<u64>) -> Range<u64>) -> Vec<Range<u64>> {
    let mut start = 0;
    let mut ranges = Vec::new();
    for piece in plan.pieces() {
        start += match piece {
            Piece::Keep(source) => {
                ranges.push(range(start, source));
                source.end - source.start
            }
            Piece::Insert(bytes) => bytes.len() as u64,
        };
    }
    ranges
}

struct DifferenceFinder {
    old: ChangedSections,
    new: ChangedSections,
    old_metadata: Metadata<'static>,
    new_metadata: Metadata<'static>,
    differences: Vec<Difference>,
}

impl DifferenceFinder {
    fn compare(&mut self, path: &ItemPath, section: &str) {
        let (old, new) = (self.values(Side::Old, path, section), self.values(Side::New, path, section));
        let (is_old, is_new) =
            (|value: &DifferentValue| !new.contains(value), |value: &DifferentValue| !old.contains(value));
        let sides =
            [(Side::Old, old.iter().map(is_old).collect::<Vec<_>>()), (Side::New, new.iter().map(is_new).collect())];
        for ((side, is_different), values) in sides.into_iter().zip([old, new]) {
            let values = values.into_iter().zip(is_different).filter(|(_, is_different)| *is_different);
            let difference = |(value, _)| Difference { side, path: path.clone(), section: section.to_owned(), value };
            self.differences.extend(values.map(difference));
        }
    }

    /// The values of the changed sections of this name. These are decoded values if those differ,
    /// otherwise the data.
    fn values(&self, side: Side, path: &ItemPath, section: &str) -> Vec<DifferentValue> {
        let decode = match section {
            "producers" => producers,
            "name" | "component-name" => own_name,
            _ => return self.data(side, path, section),
        };
        let decoded = [&self.old_metadata, &self.new_metadata].map(|metadata| metadata.item(path).map(decode));
        let [old, new] = decoded.map(Option::unwrap_or_default);
        match side {
            _ if old == new => self.data(side, path, section),
            Side::Old => old,
            Side::New => new,
        }
    }

    fn data(&self, side: Side, path: &ItemPath, section: &str) -> Vec<DifferentValue> {
        let sections = match side {
            Side::Old => &self.old,
            Side::New => &self.new,
        };
        let named = sections.get(path).and_then(|sections| sections.get(section));
        named.into_iter().flatten().map(ChangedSection::value).collect()
    }
}

fn producers(item: Item<'_>) -> Vec<DifferentValue> {
    let fields = item.producers().fields();
    let values = fields.flat_map(|field| field.values().map(move |value| (field.name(), value)));
    values.map(|(field, (name, version))| DifferentValue::Producer([field, name, version].map(str::to_owned))).collect()
}

fn own_name(item: Item<'_>) -> Vec<DifferentValue> {
    let text = |value: &sectile::metadata::Value<'_>| String::from_utf8_lossy(value.as_bytes()).into_owned();
    item.name().map(|name| DifferentValue::Text(text(name))).into_iter().collect()
}

/// Changed sections by their item and name.
type ChangedSections = HashMap<ItemPath, HashMap<String, Vec<ChangedSection>>>;

/// A custom section that one side has and the plan does not keep.
struct ChangedSection {
    len: u64,
    /// The data, if it is short.
    data: Option<Vec<u8>>,
}

impl ChangedSection {
    fn value(&self) -> DifferentValue {
        let text = self.data.as_ref().and_then(|data| std::str::from_utf8(data).ok());
        text.map_or(DifferentValue::Data(self.len), |text| DifferentValue::Text(text.to_owned()))
    }
}

/// The custom sections of a binary that are not inside one of the kept ranges.
fn changed_sections(source: &impl ReadAt, len: u64, kept: &[Range<u64>]) -> Result<ChangedSections, Error> {
    let mut finder = ChangeFinder { kept, path: ItemPath::root(), found: Vec::new() };
    drive::scan_at(source, len, &mut finder, Limits::default()).complete()?;
    let mut sections = ChangedSections::new();
    for (path, name, range) in finder.found {
        let len = range.end - range.start;
        let data = (len <= MAX_SHOWN).then(|| read_range(source, range)).transpose()?;
        sections.entry(path).or_default().entry(name).or_default().push(ChangedSection { len, data });
    }
    Ok(sections)
}

struct ChangeFinder<'a> {
    kept: &'a [Range<u64>],
    path: ItemPath,
    found: Vec<(ItemPath, String, Range<u64>)>,
}

impl Visitor<'_> for ChangeFinder<'_> {
    fn enter(&mut self, item: &ItemStart<'_>) {
        if item.parent().is_some() {
            self.path.push(item.index());
        }
    }

    fn section(&mut self, section: &Section<'_>) -> DataRequest {
        let range = section.range();
        let next = self.kept.partition_point(|kept| kept.end < range.end);
        let is_kept = self.kept.get(next).is_some_and(|kept| kept.start <= range.start);
        if section.is_custom() && !is_kept {
            self.found.push((self.path.clone(), section.name().to_owned(), section.data()));
        }
        DataRequest::Nothing
    }

    fn leave(&mut self, _: u32, _: u64) {
        self.path.pop();
    }
}

fn read_range(source: &impl ReadAt, range: Range<u64>) -> Result<Vec<u8>, Error> {
    let mut data = vec![0; (range.end - range.start) as usize];
    let mut filled = 0;
    while filled < data.len() {
        match source.read_at(&mut data[filled..], range.start + filled as u64) {
            Ok(0) => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(data)
}
