//! Judges uploads while they arrive.
//!
//! A [`Gate`] inspects the chunks of an upload as they pass to storage. It refuses the upload as
//! early as its bytes allow, and describes an accepted upload at the end. `examples/gate.rs` is an
//! HTTP server that streams uploads to disk through a gate.
//!
//! ```
//! use sectile::{FindingCode, Field};
//! use sectile_policy::Policy;
//! use sectile_policy::gate::Gate;
//!
//! let mut gate = Gate::new(Policy::default()).with_max_bytes(500 << 20).with_declared_len(23);
//! for chunk in [&b"\0asm\x01\0\0\0\x00\x0d\x08lice"[..], b"nsesMIT!"] {
//!     if let Err(refusal) = gate.push(chunk) {
//!         assert!(refusal.to_string().starts_with("not-spdx (at offset 0x13): `MIT!` is not an SPDX expression"));
//!         assert_eq!(refusal.finding().map(|finding| finding.code()), Some(FindingCode::NotSpdx));
//!     }
//! }
//! assert!(gate.finish().is_err()); // for the same reason
//!
//! let mut gate = Gate::new(Policy::default());
//! gate.push(b"\0asm\x01\0\0\0\x00\x0c\x08licensesMIT")?;
//! let accepted = gate.finish()?;
//! assert_eq!(accepted.size(), 22);
//! assert_eq!(accepted.digest(), sectile::digest::Digest::new(b"\0asm\x01\0\0\0\x00\x0c\x08licensesMIT"));
//! assert_eq!(accepted.metadata().root().text(Field::Licenses), Some("MIT"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # When an upload is refused
//!
//! | reason | refused |
//! | --- | --- |
//! | malformed framing, an exceeded limit | with the chunk that shows it |
//! | more bytes than declared or permitted | with the first chunk beyond the limit |
//! | a declared length that is not permitted | with the first chunk, even an empty one |
//! | a finding that the policy refuses: a bad value, a refused section or import | with the chunk that shows it |
//! | a refused license, URL or dependency | at the end of its item, because a later section may replace it |
//! | missing metadata | at the end of the item: for a nested item with the first chunk after it |
//! | a refused package that only the data names | at the end of the upload |
//! | missing metadata of the root, fewer bytes than declared, truncation | at the end of the upload |
//!
//! If the length was declared, the header of the last section shows the end of the root. The gate
//! then judges the root before the rest of the upload arrives. It refuses a section that exceeds
//! the declared length when the header of the section arrives.
//!
//! Later bytes never revoke a finding. The gate therefore never refuses an upload early that it
//! would accept at the end. For uploads with thousands of items, imports or values, the gate judges
//! less often, so that judging takes no longer than reading.
//!
//! # Memory
//!
//! A gate holds the values, the findings and the section that is being collected. One upload takes
//! at most 16 MiB, or 24 MiB if the policy has a rule on imports, regardless of its length.
//! [`Gate::LIMITS`] sets this bound. Each limit that the policy sets replaces one of these. The
//! memory is released with the gate, or with the [`Accepted`] or [`Refusal`] that it returns. A
//! gate performs no I/O.

mod accepted;
mod claim;
mod refusal;

use std::ffi::OsString;
use std::sync::Arc;

pub use self::accepted::Accepted;
use self::claim::Claim;
pub use self::refusal::{Refusal, RefusalKind};

use crate::report::Report;
use crate::{Day, Policy, PolicyLocation, PolicyReader};
use sectile::Error;
use sectile::Finding;
use sectile::Limits;
use sectile::digest::{Digest, Hasher};
use sectile::drive::{ChunkInspector, PushDriver};
use sectile::internal::{limit_error, longer_error, outcome, shorter_error, unread_error};
use sectile::metadata::StreamReader;
use sectile::scan::Collector;

/// Judges one upload. The [module](self) describes when an upload is refused.
#[derive(Debug)]
pub struct Gate {
    policy: Arc<Policy>,
    max_bytes: u64,
    declared: Option<u64>,
    claim: Claim,
    state: GateState,
}

#[derive(Debug)]
enum GateState {
    Reading(Box<UploadReader>),
    Refused(Refusal),
}

#[derive(Debug)]
struct UploadReader {
    push: PushDriver<PolicyReader<StreamReader>>,
    /// `None` if the caller computes the digest.
    hasher: Option<Hasher>,
    /// Whether the end of the root is known, even if its last bytes have not arrived.
    is_whole: bool,
    /// Number of bytes that had been inspected when the upload was last judged.
    judged_at: u64,
    /// Number of pushed bytes from which the upload is judged again.
    judge_from: u64,
}

impl Gate {
    /// Limits for an upload, smaller than those for a file because a server reads many uploads at
    /// once. An item beyond the limit is an error. A value beyond its limit is a finding
    /// (`too-large`). The [module](self#memory) states the memory that the limits bound.
    pub const LIMITS: Limits = Limits {
        max_items: 2_000, // a component of 1,000 modules and 1,000 components is the largest that validators accept
        max_section_data: 256 << 10,
        max_interface_section: 8 << 20,
        max_retained_bytes: 2 << 20,
        max_inflated: 512 << 10,
        max_findings_per_code: 16,
        ..Limits::DEFAULT
    };

    /// A gate for one upload. Gates may share a policy. A limit of the policy replaces the limit in
    /// [`LIMITS`](Self::LIMITS) if it differs from the default.
    pub fn new(policy: impl Into<Arc<Policy>>) -> Self {
        let mut policy = policy.into();
        let limits = policy.limits.or(Self::LIMITS);
        if policy.limits != limits {
            Arc::make_mut(&mut policy).limits = limits;
        }
        let push = PushDriver::new(PolicyReader::stream(&policy));
        let reader = UploadReader { push, hasher: Some(Hasher::new()), is_whole: false, judged_at: 0, judge_from: 0 };
        Self {
            policy,
            max_bytes: u64::MAX,
            declared: None,
            claim: Claim::default(),
            state: GateState::Reading(Box::new(reader)),
        }
    }

    /// Refuses uploads of more bytes than this.
    #[must_use]
    pub fn with_max_bytes(self, bytes: u64) -> Self {
        Self { max_bytes: bytes, ..self }
    }

    /// Sets the declared length, such as the value of `Content-Length`. An upload of another length
    /// is refused.
    #[must_use]
    pub fn with_declared_len(self, bytes: u64) -> Self {
        Self { declared: Some(bytes), ..self }
    }

    /// Adds a location of the upload, for the policy's exceptions.
    #[must_use]
    pub fn with_location(mut self, location: impl Into<OsString>) -> Self {
        self.claim.locations.push(location.into());
        self
    }

    /// Sets the claimed digest, `sha256:…`, for the policy's exceptions. An exception for it holds
    /// until all bytes have arrived, and afterwards only if the digest is correct. Without a claim,
    /// exceptions by digest do not hold, because the digest is known only at the end of the upload.
    #[must_use]
    pub fn with_digest(mut self, digest: impl Into<String>) -> Self {
        self.claim.digest = Some(digest.into());
        self
    }

    /// Does not compute the digest, which the caller computes or does not need. Bytes that the gate
    /// does not need may then be [skipped](Self::skip).
    #[must_use]
    pub fn without_hashing(mut self) -> Self {
        if let GateState::Reading(reader) = &mut self.state {
            reader.hasher = None;
        }
        self
    }

    /// Sets the day, for exceptions that expire.
    #[must_use]
    pub fn with_day(mut self, today: Day) -> Self {
        self.claim.today = Some(today);
        self
    }

    /// Inspects the next bytes. Push an empty chunk to check the declared length before the first
    /// bytes arrive.
    ///
    /// # Errors
    ///
    /// The upload is refused. Further bytes cannot change this, and further calls return the same
    /// refusal.
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), Refusal> {
        self.advance(chunk.len() as u64, |reader| {
            reader.push.push(chunk)?;
            if let Some(hasher) = &mut reader.hasher {
                hasher.update(chunk);
            }
            Ok(())
        })
    }

    /// Number of the next bytes that the gate does not need: 0 unless it is
    /// [`without_hashing`](Self::without_hashing). [`skip`](Self::skip) passes over them.
    pub fn skippable(&self) -> u64 {
        match &self.state {
            GateState::Reading(reader) if reader.hasher.is_none() => reader.push.skippable(),
            _ => 0,
        }
    }

    /// Passes over the next bytes of the upload without seeing them. They count as pushed.
    ///
    /// # Errors
    ///
    /// As for [`push`](Self::push). More than [`skippable`](Self::skippable) bytes refuse the upload,
    /// because the rest cannot be judged.
    pub fn skip(&mut self, len: u64) -> Result<(), Refusal> {
        let is_hashed = |reader: &UploadReader| reader.hasher.is_some();
        self.advance(len, |reader| {
            if is_hashed(reader) { Err(unread_error(reader.push.cost().bytes)) } else { reader.push.skip(len) }
        })
    }

    fn advance(&mut self, len: u64, feed: impl FnOnce(&mut UploadReader) -> Result<(), Error>) -> Result<(), Refusal> {
        let GateState::Reading(reader) = &mut self.state else { return self.refusal() };
        match reader.advance(len, (&self.policy, &self.claim), (self.max_bytes, self.declared), feed) {
            Ok(()) => Ok(()),
            Err(stop) => self.refuse(stop),
        }
    }

    /// Number of bytes that were pushed.
    pub fn size(&self) -> u64 {
        match &self.state {
            GateState::Reading(reader) => reader.push.cost().bytes,
            GateState::Refused(refusal) => refusal.size(),
        }
    }

    /// Ends the upload. Bytes that are pushed afterwards exceed the declared length.
    ///
    /// # Errors
    ///
    /// The upload is refused, now or earlier.
    pub fn end(&mut self) -> Result<(), Refusal> {
        self.end_with_digest(None)
    }

    /// As [`end`](Self::end), with the digest of the bytes if the gate is
    /// [`without_hashing`](Self::without_hashing). If neither computed it, no exception for a digest
    /// holds.
    ///
    /// # Errors
    ///
    /// As for [`end`](Self::end).
    pub fn end_with_digest(&mut self, computed: Option<Digest>) -> Result<(), Refusal> {
        let size = self.size();
        let GateState::Reading(reader) = &mut self.state else { return self.refusal() };
        let hasher = reader.hasher.as_ref();
        self.claim.verify(|| hasher.map_or(computed, |hasher| Some(hasher.clone().finish())));
        let declared = self.declared.replace(size).filter(|declared| *declared != size);
        let ended = match declared {
            Some(declared) => Err(Stop::new(RefusalKind::Length, shorter_error(declared, size))),
            None => reader.end(size).map_err(Stop::from).and_then(|()| reader.judge((&self.policy, &self.claim))),
        };
        ended.or_else(|stop| self.refuse(stop))
    }

    /// Ends the upload and returns the accepted upload.
    ///
    /// # Errors
    ///
    /// As for [`end`](Self::end).
    pub fn finish(self) -> Result<Accepted, Refusal> {
        self.finish_with_digest(None)
    }

    /// As [`finish`](Self::finish), with the digest as for
    /// [`end_with_digest`](Self::end_with_digest).
    ///
    /// # Errors
    ///
    /// As for [`end`](Self::end).
    pub fn finish_with_digest(mut self, computed: Option<Digest>) -> Result<Accepted, Refusal> {
        self.end_with_digest(computed)?;
        match self.state {
            GateState::Refused(refusal) => Err(refusal),
            GateState::Reading(reader) => {
                let UploadReader { push, hasher, .. } = *reader;
                let cost = push.cost();
                let reading = outcome(push.into_visitor().finish(), None, cost);
                Ok(Accepted {
                    reading,
                    policy: self.policy,
                    claim: self.claim,
                    digest: hasher.map_or(computed, |hasher| Some(hasher.finish())),
                    size: cost.bytes,
                })
            }
        }
    }

    fn refusal(&self) -> Result<(), Refusal> {
        match &self.state {
            GateState::Refused(refusal) => Err(refusal.clone()),
            GateState::Reading(_) => Ok(()),
        }
    }

    /// Keeps the values read so far, and drops the reader.
    fn refuse(&mut self, stop: Stop) -> Result<(), Refusal> {
        if let GateState::Reading(reader) = &mut self.state {
            let nothing = PushDriver::new(PolicyReader::stream(&self.policy));
            let push = std::mem::replace(&mut reader.push, nothing);
            let cost = push.cost();
            let reading = outcome(push.into_visitor().finish(), stop.error, cost);
            let judge = (Arc::clone(&self.policy), self.claim.clone());
            let refusal = Refusal::new(stop.kind, stop.refused.map(|refused| *refused), reading, cost.bytes, judge);
            self.state = GateState::Refused(refusal);
        }
        self.refusal()
    }
}

impl ChunkInspector for Gate {
    type Refusal = Refusal;

    fn inspect(&mut self, chunk: &[u8]) -> Result<(), Refusal> {
        self.push(chunk)
    }

    fn end(&mut self) -> Result<(), Refusal> {
        Gate::end(self)
    }
}

/// The reason to stop an upload.
struct Stop {
    kind: RefusalKind,
    /// The finding that the policy refuses, and the location of the rule that it breaks.
    refused: Option<Box<(Finding, Option<PolicyLocation>)>>,
    /// Why the reading is partial; `None` if everything was read.
    error: Option<Error>,
}

impl Stop {
    #[cold]
    fn new(kind: RefusalKind, error: Error) -> Self {
        Self { kind, refused: None, error: Some(error) }
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        let kind = if error.is_limit() { RefusalKind::Limit } else { RefusalKind::Malformed };
        Self::new(kind, error)
    }
}

impl UploadReader {
    /// Checks that `len` more bytes are permitted, passes them to the scanner, and judges the upload.
    fn advance(
        &mut self,
        len: u64,
        judge: (&Policy, &Claim),
        (max_bytes, declared): (u64, Option<u64>),
        feed: impl FnOnce(&mut Self) -> Result<(), Error>,
    ) -> Result<(), Stop> {
        let size = self.push.cost().bytes.saturating_add(len);
        if size.max(declared.unwrap_or_default()) > max_bytes {
            let error = limit_error("bytes in the input", max_bytes, max_bytes.min(size));
            return Err(Stop::new(RefusalKind::TooLarge, error));
        }
        if let Some(declared) = declared.filter(|declared| size > *declared) {
            return Err(Stop::new(RefusalKind::Length, longer_error(declared, declared)));
        }
        feed(self)?;
        // The scanner needs nothing before the declared end: the end of the root is known.
        if let Some(end) = declared.filter(|end| !self.is_whole && self.push.needed().end > *end) {
            self.end(end)?;
            self.judge(judge)?;
        } else if self.push.bytes_examined() != self.judged_at && size >= self.judge_from {
            self.judge(judge)?;
        }
        Ok(())
    }

    fn end(&mut self, end: u64) -> Result<(), Error> {
        if !self.is_whole {
            self.push.end(end)?;
            self.is_whole = true;
        }
        Ok(())
    }

    fn judge(&mut self, (policy, claim): (&Policy, &Claim)) -> Result<(), Stop> {
        let size = self.push.cost().bytes;
        let reader = self.push.visitor();
        self.judged_at = self.push.bytes_examined();
        self.judge_from = size + reader.judging_cost(policy) as u64;
        let unread = || unread_error(size);
        let error = (!self.is_whole).then(unread);
        let judge = |report: &Report<'_>| {
            let verdict = claim.judge(policy, report);
            let refused = verdict.findings().iter().find(|judged| judged.is_refused())?;
            Some((refused.finding().clone(), refused.location().cloned()))
        };
        match reader.judge_partial(error.as_ref(), judge) {
            Some(refused) => Err(Stop { kind: RefusalKind::Policy, refused: Some(Box::new(refused)), error }),
            None => Ok(()),
        }
    }
}
