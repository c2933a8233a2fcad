//! What a registry puts before its storage: it watches an upload as it passes, refuses it as early as its bytes allow, and
//! says at the end what was stored.
//!
//! ```
//! use sectile::Code;
//! use sectile::gate::Gate;
//! use sectile::oci::AnnotationOptions;
//! use sectile::policy::Policy;
//!
//! let mut gate = Gate::new(Policy::default()).at_most(500 << 20).declared(23);
//! for chunk in [&b"\0asm\x01\0\0\0\x00\x0d\x08lice"[..], b"nsesMIT!"] {
//!     if let Err(refused) = gate.push(chunk) {
//!         assert!(refused.to_string().starts_with("not-spdx (at offset 0x13): `MIT!` is no SPDX expression"));
//!         assert_eq!(refused.finding().map(|finding| finding.code), Some(Code::NotSpdx));
//!     }
//! }
//! assert!(gate.finish().is_err()); // for the same reason
//!
//! let mut gate = Gate::new(Policy::default());
//! gate.push(b"\0asm\x01\0\0\0\x00\x0c\x08licensesMIT")?;
//! let accepted = gate.finish()?;
//! assert_eq!(accepted.size, 22);
//! assert_eq!(accepted.digest, sectile::digest::Digest::of(b"\0asm\x01\0\0\0\x00\x0c\x08licensesMIT"));
//! let annotations = accepted.annotations(&AnnotationOptions::new())?;
//! assert_eq!(annotations["org.opencontainers.image.licenses"], "MIT");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # When what is decided
//!
//! | what | is refused |
//! | --- | --- |
//! | malformed framing, an exceeded limit | with the chunk that shows it |
//! | more bytes than declared, or than are permitted at the most; a declaration of more than that | with the chunk that goes beyond; at once |
//! | a finding that the policy refuses: a bad value, a refused section, import or licence | with the chunk that shows it; of a licence, when the item that says it has ended, as the item may say it again |
//! | what an item must say and does not | when that item has ended: a nested one with the first chunk behind it |
//! | what the root must say and does not, fewer bytes than declared, an early end | at the end |
//!
//! Where the length was declared, the end is known as soon as the last section's header is: the root has ended then, all is
//! decided but whether the bytes come, and a section that goes past the declared length is refused with its header.
//!
//! A finding is never taken back by what follows it, and so no upload is refused early that would be accepted at the end.
//! (Where there are thousands of items, imports, or bytes of values that rules look through, judging may wait for as many bytes
//! as there are of them, so that it takes no longer than reading does.)
//!
//! # What it holds
//!
//! What the policy's [`Limits`](crate::Limits) allow, whatever the upload's length: the values, the findings, and what is
//! being gathered. It writes nothing, and answers nobody: that is for whoever calls it. `examples/gate.rs` is an HTTP server
//! that streams uploads to disk through it.

mod accepted;
mod claim;
mod refused;

use std::ffi::OsString;
use std::sync::Arc;

pub use self::accepted::Accepted;
use self::claim::Claim;
pub use self::refused::{Refused, Why};

use crate::digest::Hasher;
use crate::drive::{Push, Watch};
use crate::error::{Error, Reason};
use crate::finding::Finding;
use crate::metadata::Copied;
use crate::policy::{Day, Policy, Reader};
use crate::read::outcome;
use crate::report::Report;
use crate::scan::{Fault, Path};

/// Watches one upload. See the [module](self) for what it decides, and when.
#[derive(Debug)]
pub struct Gate {
    policy: Arc<Policy>,
    /// The most bytes that are permitted, and those that were declared.
    most: u64,
    declared: Option<u64>,
    claim: Claim,
    state: State,
}

#[derive(Debug)]
enum State {
    Open(Box<Open>),
    Refused(Refused),
}

#[derive(Debug)]
struct Open {
    push: Push<Reader<'static, Copied>>,
    hasher: Hasher,
    /// Whether the root was read to its end, of which the body may still be on its way.
    whole: bool,
    /// How much was looked at when it was judged last, and from how many bytes on it is judged again.
    judged: u64,
    next: u64,
}

impl Gate {
    /// Begins an upload that is judged by this policy, and read by its limits. Many gates may share one.
    pub fn new(policy: impl Into<Arc<Policy>>) -> Self {
        let policy = policy.into();
        let push = Push::new(Reader::copying(&policy), policy.limits);
        let open = Open { push, hasher: Hasher::new(), whole: false, judged: 0, next: 0 };
        Self { policy, most: u64::MAX, declared: None, claim: Claim::default(), state: State::Open(Box::new(open)) }
    }

    /// Refuses uploads of more bytes than this.
    #[must_use]
    pub fn at_most(self, bytes: u64) -> Self {
        Self { most: bytes, ..self }
    }

    /// So many bytes are said to come, as `Content-Length` says it: fewer are refused, and more.
    #[must_use]
    pub fn declared(self, bytes: u64) -> Self {
        Self { declared: Some(bytes), ..self }
    }

    /// It is to lie at this place, and at each other that is given: what the policy makes an exception for.
    #[must_use]
    pub fn at(mut self, location: impl Into<OsString>) -> Self {
        self.claim.locations.push(location.into());
        self
    }

    /// It is said to have this digest, `sha256:…`. An exception for it holds until the bytes are all there, and then only if
    /// they have it. (An exception for a digest that nobody announced does not hold: what it excuses would have to be let
    /// through to the end.)
    #[must_use]
    pub fn named(mut self, digest: impl Into<String>) -> Self {
        self.claim.digest = Some(digest.into());
        self
    }

    /// It is judged on this day, by which exceptions expire.
    #[must_use]
    pub fn on(mut self, today: Day) -> Self {
        self.claim.today = Some(today);
        self
    }

    /// The next bytes. An empty chunk changes nothing, but that what was declared is looked at: push one to have that done
    /// before any bytes come.
    ///
    /// # Errors
    ///
    /// The upload is refused, whatever follows. Pushing on gives the same refusal.
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), Refused> {
        let State::Open(open) = &mut self.state else { return self.refusal() };
        match open.push(chunk, (&self.policy, &self.claim), self.most, self.declared) {
            Ok(()) => Ok(()),
            Err(why) => self.refuse(why),
        }
    }

    /// How many bytes were pushed.
    pub fn size(&self) -> u64 {
        match &self.state {
            State::Open(open) => open.push.cost().bytes,
            State::Refused(refused) => refused.size(),
        }
    }

    /// The upload ends here. What is pushed behind that is more than was declared.
    ///
    /// # Errors
    ///
    /// It is refused: as it is, or was already.
    pub fn end(&mut self) -> Result<(), Refused> {
        let size = self.size();
        let State::Open(open) = &mut self.state else { return self.refusal() };
        self.claim.hold_against(|| open.hasher.clone().finish());
        let declared = self.declared.replace(size).filter(|declared| *declared != size);
        let ended = match declared {
            Some(declared) => Err(Stop::because(Why::Length, Reason::Shorter(declared), size)),
            None => open.end(size).map_err(Stop::from).and_then(|()| open.judge((&self.policy, &self.claim))),
        };
        ended.or_else(|stop| self.refuse(stop))
    }

    /// The upload ends here, and is accepted: what it holds.
    ///
    /// # Errors
    ///
    /// As for [`end`](Self::end).
    pub fn finish(mut self) -> Result<Accepted, Refused> {
        self.end()?;
        match self.state {
            State::Refused(refused) => Err(refused),
            State::Open(open) => {
                let Open { push, hasher, .. } = *open;
                let cost = push.cost();
                let reading = outcome(push.into_visitor().finish(), Ok(()), cost);
                Ok(Accepted {
                    reading,
                    policy: self.policy,
                    claim: self.claim,
                    digest: hasher.finish(),
                    size: cost.bytes,
                })
            }
        }
    }

    fn refusal(&self) -> Result<(), Refused> {
        match &self.state {
            State::Refused(refused) => Err(refused.clone()),
            State::Open(_) => Ok(()),
        }
    }

    /// Keeps what was read so far, and lets go of the rest.
    fn refuse(&mut self, stop: Stop) -> Result<(), Refused> {
        if let State::Open(open) = &mut self.state {
            let nothing = Push::new(Reader::copying(&self.policy), self.policy.limits);
            let push = std::mem::replace(&mut open.push, nothing);
            let cost = push.cost();
            let broken = stop.error.map_or(Ok(()), Err);
            let reading = outcome(push.into_visitor().finish(), broken, cost);
            let by = (Arc::clone(&self.policy), self.claim.clone());
            let refused = Refused::new(stop.why, stop.finding, reading, cost.bytes, by);
            self.state = State::Refused(refused);
        }
        self.refusal()
    }
}

impl Watch for Gate {
    type Refusal = Refused;

    fn watch(&mut self, chunk: &[u8]) -> Result<(), Refused> {
        self.push(chunk)
    }

    fn end(&mut self) -> Result<(), Refused> {
        Gate::end(self)
    }
}

/// Why nothing more is let through.
struct Stop {
    why: Why,
    finding: Option<Finding>,
    /// What of the reading is not known; `None` where all was read.
    error: Option<Error>,
}

impl Stop {
    #[cold]
    fn because(why: Why, reason: impl Into<Reason>, offset: u64) -> Self {
        Self { why, finding: None, error: Some(Error::new(reason, offset, Path::root())) }
    }
}

/// What breaks the framing, or a limit of reading.
impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        let why = if error.is_limit() { Why::Limit } else { Why::Malformed };
        Self { why, finding: None, error: Some(error) }
    }
}

impl Open {
    fn push(&mut self, chunk: &[u8], by: (&Policy, &Claim), most: u64, declared: Option<u64>) -> Result<(), Stop> {
        let size = self.push.cost().bytes + chunk.len() as u64;
        if size.max(declared.unwrap_or_default()) > most {
            let fault = Fault::Limit { what: "bytes in the input", max: most };
            return Err(Stop::because(Why::TooLarge, fault, most.min(size)));
        }
        if let Some(declared) = declared.filter(|declared| size > *declared) {
            return Err(Stop::because(Why::Length, Reason::Longer(declared), declared));
        }
        self.push.push(chunk)?;
        // Nothing more is needed than comes: what was declared is the end, before it is there.
        if let Some(end) = declared.filter(|end| !self.whole && self.push.needed().end > *end) {
            self.end(end)?;
            self.judge(by)?;
        } else if self.push.looked_at() != self.judged && size >= self.next {
            self.judge(by)?;
        }
        self.hasher.update(chunk);
        Ok(())
    }

    fn end(&mut self, end: u64) -> Result<(), Error> {
        if !self.whole {
            self.push.end(end)?;
            self.whole = true;
        }
        Ok(())
    }

    fn judge(&mut self, (policy, claim): (&Policy, &Claim)) -> Result<(), Stop> {
        let size = self.push.cost().bytes;
        let reader = self.push.visitor();
        self.judged = self.push.looked_at();
        self.next = size + reader.weight(policy) as u64;
        let unread = || Error::new(Reason::Unread, size, Path::root());
        let error = (!self.whole).then(unread);
        let judge = |report: &Report<'_>| claim.judge(policy, report).first_refused().cloned();
        match reader.so_far(error.as_ref(), judge) {
            Some(finding) => Err(Stop { why: Why::Policy, finding: Some(finding), error }),
            None => Ok(()),
        }
    }
}
