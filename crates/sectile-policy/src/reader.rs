//! Reads what a policy needs, in one pass.

use std::path::Path;

use sectile::drive::{self, Fetch, FetchOptions, ReadAt};
use sectile::interface::{self, CombinedReader};
use sectile::internal::{CHANGED, add_root_finding, collect_checked, outcome};
use sectile::inventory::{Inventory, InventoryReader};
use sectile::metadata::{Item, Metadata, SliceReader, StreamReader};
use sectile::scan::{Both, Collector, DataRequest, ItemStart, Section, Visitor};
use sectile::{Cost, Error, FindingCode, Input, Limits, Outcome};

use super::section_matches::SectionRuleVisitor;
use super::{Demand, Packages, Policy, Reading};
use crate::report::Report;

impl Policy {
    /// Whether more than metadata is needed. If not, the metadata reader alone is a little
    /// faster.
    pub(crate) fn needs_more(&self) -> bool {
        let by_rules = self.rules().any(|rule| match rule.demand() {
            Demand::Required(_)
            | Demand::Licenses(_)
            | Demand::Sources(_)
            | Demand::Producers(_)
            | Demand::Dependencies(_)
            | Demand::Advisories(_) => false,
            Demand::Sections(_) | Demand::Imports(_) => true,
        });
        by_rules || self.packages == Packages::All
    }
}

/// Collector of everything that a policy needs, within the policy's limits. Use
/// [`PolicyReader::slice`] for bytes in memory that outlive the values, [`PolicyReader::stream`]
/// for everything else.
///
/// ```
/// use sectile::drive::PushDriver;
/// use sectile_policy::{Policy, PolicyReader};
///
/// let mut push = PushDriver::new(PolicyReader::stream(&Policy::default()));
/// push.push(b"\0asm\x01\0\0\0")?;
/// assert_eq!(push.finish().complete()?.metadata().items().len(), 1);
/// # Ok::<(), sectile::Error>(())
/// ```
#[derive(Debug)]
pub struct PolicyReader<R>(Both<CombinedReader<SectionRuleVisitor<R>>, Option<InventoryReader>>);

impl PolicyReader<SliceReader<'_>> {
    /// A reader whose values borrow from the input.
    pub fn slice(policy: &Policy) -> Self {
        Self::new(SliceReader::with_limits(policy.limits), policy)
    }
}

impl PolicyReader<StreamReader> {
    /// A reader whose values are copied out of the input.
    pub fn stream(policy: &Policy) -> Self {
        Self::new(StreamReader::with_limits(policy.limits), policy)
    }

    /// Reads an open file. A change of the file during the read is a finding (`changed`).
    pub fn read_input(self, input: &Input) -> Outcome<Reading<'static>> {
        collect_checked(input, self, |reading| {
            add_root_finding(&mut reading.metadata, FindingCode::Changed, 0, None, CHANGED.to_owned());
        })
    }

    /// The work of judging the data read so far: the number of items, imports, exports and
    /// findings, and the bytes of values that rules inspect.
    pub(crate) fn judging_cost(&self, policy: &Policy) -> usize {
        let read = self.combined().custom().inner.so_far();
        let of_metadata = read.map_or(0, |read| read.items().len() + read.findings().iter().len());
        let inspected = if policy.inspects_values() { read.map_or(0, inspected_bytes) } else { 0 };
        let of_interface =
            self.combined().interface_so_far().map_or(0, |read| read.imports().len() + read.exports().len());
        of_metadata + inspected.saturating_sub(FREE_BYTES) + of_interface
    }

    /// The packages that the data read so far names, compared with the declared lists.
    fn inventory_so_far(&self) -> Option<Inventory> {
        let mut inventory = self.0.second().as_ref()?.so_far()?;
        inventory.reconcile(self.combined().custom().inner.so_far()?);
        Some(inventory)
    }

    /// Calls a function with a report of the data read so far. `unread` marks the report as
    /// partial. Further bytes never revoke the refusal of a partial report.
    pub(crate) fn judge_partial<T>(
        &self,
        unread: Option<&Error>,
        judge: impl FnOnce(&Report<'_>) -> Option<T>,
    ) -> Option<T> {
        let with_rules = self.combined().custom();
        let matches = with_rules.so_far();
        let report = Report::from_parts("".as_ref(), None, Some(with_rules.inner.so_far()?), unread, Cost::default());
        let report = report.with_parts(self.combined().interface_so_far(), matches.as_ref());
        // Only the end of the root shows that all data was searched.
        let inventory = unread.is_none().then(|| self.inventory_so_far()).flatten();
        judge(&Report { inventory: inventory.as_ref(), ..report })
    }
}

impl<R> PolicyReader<R> {
    fn new(reader: R, policy: &Policy) -> Self {
        let needs_imports = policy.rules().any(|rule| matches!(rule.demand(), Demand::Imports(_)));
        let interface = needs_imports.then(|| interface::InterfaceReader::with_limits(policy.limits));
        let inventory = (policy.packages == Packages::All).then(|| InventoryReader::with_limits(policy.limits));
        Self(Both::new(CombinedReader::new(SectionRuleVisitor::new(reader, policy), interface), inventory))
    }

    /// Reads imports and exports within these limits, even if no rule needs them.
    #[must_use]
    pub fn with_interface(self, limits: Limits) -> Self {
        let (combined, inventory) = self.0.into_parts();
        let (custom, _) = combined.into_parts();
        let interface = interface::InterfaceReader::with_limits(limits);
        Self(Both::new(CombinedReader::new(custom, Some(interface)), inventory))
    }

    fn combined(&self) -> &CombinedReader<SectionRuleVisitor<R>> {
        self.0.first()
    }
}

impl<'v, R: Collector<Value = Metadata<'v>>> Collector for PolicyReader<R> {
    type Value = Reading<'v>;

    fn limits(&self) -> Limits {
        self.combined().custom().inner.limits()
    }

    fn finish(self) -> Option<Reading<'v>> {
        let (combined, inventory) = self.0.into_parts();
        let (with_rules, interface) = combined.into_parts();
        let (reader, section_matches) = with_rules.finish();
        let metadata = reader.finish()?;
        let mut inventory = inventory.and_then(Collector::finish);
        if let Some(inventory) = &mut inventory {
            inventory.reconcile(&metadata);
        }
        Some(Reading { interface: interface.and_then(Collector::finish), inventory, metadata, section_matches })
    }
}

/// Inspecting this many bytes of values takes negligible time.
const FREE_BYTES: usize = 256;

/// Bytes of values that rules inspect, plus the number of packages.
fn inspected_bytes(metadata: &Metadata<'_>) -> usize {
    let of_item = |item: Item<'_>| {
        let values = item.annotations().map(|(_, value)| value.as_bytes().len()).sum::<usize>();
        let producers = item.producers().ranges().map(|range| (range.end - range.start) as usize).sum::<usize>();
        let packages = item.dependencies().map_or(0, |dependencies| dependencies.packages().len());
        values + producers + packages
    };
    metadata.items().map(of_item).sum()
}

impl<'w, R: Visitor<'w>> Visitor<'w> for PolicyReader<R> {
    fn enter(&mut self, entry: &ItemStart<'_>) {
        self.0.enter(entry);
    }

    #[inline]
    fn section(&mut self, section: &Section<'w>) -> DataRequest {
        self.0.section(section)
    }

    #[inline]
    fn data(&mut self, bytes: &'w [u8], start: u64) -> DataRequest {
        self.0.data(bytes, start)
    }

    fn truncated(&mut self, end: u64) -> DataRequest {
        self.0.truncated(end)
    }

    fn leave(&mut self, item: u32, end: u64) {
        self.0.leave(item, end);
    }
}

/// Reads what a policy needs from a binary in memory. The values borrow from it.
pub fn read_slice<'a>(bytes: &'a [u8], policy: &Policy) -> Outcome<Reading<'a>> {
    if policy.needs_more() {
        return drive::collect_slice(bytes, PolicyReader::slice(policy));
    }
    sectile::read_slice_with(bytes, policy.limits).map(Reading::from)
}

/// Reads what a policy needs from `len` bytes of a source with positioned reads.
pub fn read_at<R: ReadAt + ?Sized>(source: &R, len: u64, policy: &Policy) -> Outcome<Reading<'static>> {
    if policy.needs_more() {
        return drive::collect_at(source, len, PolicyReader::stream(policy));
    }
    sectile::read_at_with(source, len, policy.limits).map(Reading::from)
}

/// Reads what a policy needs from a source of byte ranges.
pub async fn read_fetch<F: Fetch>(source: &mut F, options: FetchOptions, policy: &Policy) -> Outcome<Reading<'static>> {
    if policy.needs_more() {
        return drive::collect_fetch(source, PolicyReader::stream(policy), options).await;
    }
    sectile::read_fetch_with(source, options, policy.limits).await.map(Reading::from)
}

/// Reads what a policy needs from a file.
pub fn read(path: impl AsRef<Path>, policy: &Policy) -> Outcome<Reading<'static>> {
    match Input::open(path) {
        Ok(input) => read_input(&input, policy),
        Err(error) => outcome(None, Some(error), Cost::default()),
    }
}

/// Reads what a policy needs from an open file. A change of the file during the read is a finding
/// (`changed`).
pub fn read_input(input: &Input, policy: &Policy) -> Outcome<Reading<'static>> {
    if !policy.needs_more() {
        return input.read_with(policy.limits).map(Reading::from);
    }
    PolicyReader::stream(policy).read_input(input)
}
