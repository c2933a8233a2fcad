//! Reading what a policy asks for, in one pass.

use super::sections::{Sighted, Watched};
use super::{Demand, Policy};
#[cfg(feature = "gate")]
use crate::drive::Cost;
use crate::drive::{self, Fetch, FetchOptions, ReadAt};
use crate::error::{Error, Outcome};
use crate::finding::Code;
#[cfg(feature = "interface")]
use crate::interface::{self, Along, Interface};
use crate::metadata::{self, Borrowed, Copied, Keep, Metadata};
use crate::read::{CHANGED, outcome};
#[cfg(feature = "gate")]
use crate::report::Report;
use crate::scan::{Entry, Section, Visitor, Want};
use crate::store::Input;

/// What a policy asks to be read of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reading<'a> {
    /// What it says of itself.
    pub metadata: Metadata<'a>,
    /// What the root item imports and exports; `None` where no rule asks.
    #[cfg(feature = "interface")]
    pub interface: Option<Interface>,
    /// What the rules about sections found; `None` where there are none.
    pub sighted: Option<Sighted>,
}

impl<'a> From<Metadata<'a>> for Reading<'a> {
    fn from(metadata: Metadata<'a>) -> Self {
        Self {
            metadata,
            #[cfg(feature = "interface")]
            interface: None,
            sighted: None,
        }
    }
}

impl Policy {
    /// Whether a rule asks for more than metadata. Where none does, the reader of metadata alone gives the same, and is a
    /// little faster: no section is shown to anybody else.
    pub(crate) fn asks_more(&self) -> bool {
        self.rules().any(|rule| match rule.demand {
            Demand::Required(_)
            | Demand::Licenses(_)
            | Demand::Sources(_)
            | Demand::Producers(_)
            | Demand::Dependencies(_) => false,
            Demand::Sections(_) => true,
            #[cfg(feature = "interface")]
            Demand::Imports(_) => true,
        })
    }
}

/// Reads what a policy asks for from whatever drives it, by the limits of the policy: [`Reader::borrowing`] for bytes in
/// memory that outlive the values, [`Reader::copying`] for everything else.
///
/// ```
/// use sectile::drive::Push;
/// use sectile::policy::{Policy, Reader};
///
/// let policy = Policy::default();
/// let mut push = Push::new(Reader::copying(&policy), policy.limits);
/// push.push(b"\0asm\x01\0\0\0")?;
/// let (reader, result) = push.finish();
/// result?;
/// assert!(reader.finish().is_some());
/// # Ok::<(), sectile::Error>(())
/// ```
#[derive(Debug)]
pub struct Reader<'v, K>(Both<'v, K>);

#[cfg(feature = "interface")]
type Both<'v, K> = Along<Watched<metadata::Reader<'v, K>>>;
#[cfg(not(feature = "interface"))]
type Both<'v, K> = Watched<metadata::Reader<'v, K>>;

impl Reader<'_, Borrowed> {
    /// A reader whose values borrow from the input.
    pub fn borrowing(policy: &Policy) -> Self {
        Self::new(metadata::Reader::borrowing(policy.limits), policy)
    }
}

impl Reader<'static, Copied> {
    /// A reader whose values are copied out of the input.
    pub fn copying(policy: &Policy) -> Self {
        Self::new(metadata::Reader::copying(policy.limits), policy)
    }
}

impl<'v, K> Reader<'v, K> {
    fn new(reader: metadata::Reader<'v, K>, policy: &Policy) -> Self {
        let both = Watched::new(reader, policy);
        #[cfg(feature = "interface")]
        let both = {
            let asks = policy.rules().any(|rule| matches!(rule.demand, Demand::Imports(_)));
            Along::new(both, asks.then(|| interface::Reader::new(policy.limits)))
        };
        Self(both)
    }

    /// What was read so far; `None` where not even the root's preamble was.
    pub fn finish(self) -> Option<Reading<'v>> {
        #[cfg(feature = "interface")]
        let (watched, interface) = (self.0.of_custom, self.0.reader.and_then(interface::Reader::finish));
        #[cfg(not(feature = "interface"))]
        let watched = self.0;
        let (reader, sighted) = watched.finish();
        Some(Reading {
            metadata: reader.finish()?,
            #[cfg(feature = "interface")]
            interface,
            sighted,
        })
    }
}

/// So many bytes of values are looked through in no time.
#[cfg(feature = "gate")]
const FEW: usize = 256;

/// The bytes of values that rules look through, and the packages.
#[cfg(feature = "gate")]
fn looked_through(metadata: &Metadata<'_>) -> usize {
    let of_item = |item: &metadata::Item<'_>| {
        let values = item.annotations().map(|(_, value)| value.as_bytes().len()).sum::<usize>();
        let producers = item.producers().ranges().map(|range| (range.end - range.start) as usize).sum::<usize>();
        #[cfg(feature = "dependencies")]
        let packages = item.dependencies().map_or(0, |dependencies| dependencies.packages.len());
        #[cfg(not(feature = "dependencies"))]
        let packages = 0;
        values + producers + packages
    };
    metadata.items().iter().map(of_item).sum()
}

#[cfg(feature = "gate")]
impl<K> Reader<'_, K> {
    /// How much was read so far, as far as judging it by a policy takes longer the more that is: the items, imports, exports and
    /// findings, and what rules look through.
    pub(crate) fn weight(&self, policy: &Policy) -> usize {
        let watched = &self.0;
        #[cfg(feature = "interface")]
        let (watched, interface) = (&watched.of_custom, watched.reader.as_ref().and_then(interface::Reader::so_far));
        let of_metadata = watched.inner.so_far().map_or(0, |read| read.items().len() + read.findings().iter().len());
        let looked_through = if policy.rules.is_empty() { 0 } else { watched.inner.so_far().map_or(0, looked_through) };
        let of_metadata = of_metadata + looked_through.saturating_sub(FEW);
        #[cfg(feature = "interface")]
        let of_metadata = of_metadata + interface.map_or(0, |read| read.imports().len() + read.exports().len());
        of_metadata
    }

    /// What somebody makes of the report of what was read so far; `None` where that is nothing. `unread` says that the rest is
    /// not known: what is refused then is refused whatever comes.
    pub(crate) fn so_far<T>(&self, unread: Option<&Error>, judge: impl FnOnce(&Report<'_>) -> Option<T>) -> Option<T> {
        let watched = &self.0;
        #[cfg(feature = "interface")]
        let (watched, interface) = (&watched.of_custom, watched.reader.as_ref().and_then(interface::Reader::so_far));
        let sighted = watched.so_far();
        judge(&Report {
            #[cfg(feature = "interface")]
            interface,
            sighted: sighted.as_ref(),
            ..Report::of("".as_ref(), None, Some(watched.inner.so_far()?), unread, Cost::default())
        })
    }
}

impl<'w, 'v, K: Keep<'w, 'v>> Visitor<'w> for Reader<'v, K> {
    fn enter(&mut self, entry: &Entry) {
        self.0.enter(entry);
    }

    #[inline]
    fn section(&mut self, section: &Section<'w>) -> Want {
        self.0.section(section)
    }

    #[inline]
    fn data(&mut self, bytes: &'w [u8], start: u64) -> Want {
        self.0.data(bytes, start)
    }

    fn leave(&mut self, item: u32, end: u64) {
        self.0.leave(item, end);
    }
}

/// Reads what a policy asks for of a binary in memory. The values borrow from it.
///
/// # Errors
///
/// As for [`read_slice`](crate::read_slice).
pub fn read_slice<'a>(bytes: &'a [u8], policy: &Policy) -> Result<Outcome<Reading<'a>>, Error> {
    if !policy.asks_more() {
        return Ok(crate::read_slice(bytes, policy.limits)?.map(Reading::from));
    }
    let mut reader = Reader::borrowing(policy);
    let (result, cost) = drive::slice(bytes, &mut reader, policy.limits);
    outcome(reader.finish(), result, cost)
}

/// Reads what a policy asks for of a file, or of anything else with positioned reads, of `len` bytes.
///
/// # Errors
///
/// As for [`read_at`](crate::read_at).
pub fn read_at<R: ReadAt + ?Sized>(source: &R, len: u64, policy: &Policy) -> Result<Outcome<Reading<'static>>, Error> {
    if !policy.asks_more() {
        return Ok(crate::read_at(source, len, policy.limits)?.map(Reading::from));
    }
    let mut reader = Reader::copying(policy);
    let (result, cost) = drive::read_at(source, len, &mut reader, policy.limits);
    outcome(reader.finish(), result, cost)
}

/// Reads what a policy asks for of what a source gives by ranges.
///
/// # Errors
///
/// As for [`read_fetch`](crate::read_fetch).
pub async fn read_fetch<F: Fetch>(
    source: &mut F,
    options: FetchOptions,
    policy: &Policy,
) -> Result<Outcome<Reading<'static>>, Error> {
    if !policy.asks_more() {
        return Ok(crate::read_fetch(source, options, policy.limits).await?.map(Reading::from));
    }
    let mut reader = Reader::copying(policy);
    let (result, cost) = drive::fetch(source, &mut reader, options, policy.limits).await;
    outcome(reader.finish(), result, cost)
}

impl Input {
    /// Reads what a policy asks for, in one pass and by its limits. A file that was changed meanwhile is a finding
    /// (`changed`).
    ///
    /// # Errors
    ///
    /// As for [`read`](Self::read).
    pub fn read_for(&self, policy: &Policy) -> Result<Outcome<Reading<'static>>, Error> {
        if !policy.asks_more() {
            return Ok(self.read(policy.limits)?.map(Reading::from));
        }
        let mut reader = Reader::copying(policy);
        let read = self.scan(&mut reader, policy.limits);
        self.outcome(reader.finish(), read, |reading| reading.metadata.find_in_root(Code::Changed, CHANGED))
    }
}
