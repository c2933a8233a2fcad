//! Judging an upload while it arrives.

use std::ffi::{OsStr, c_char};

use sectile_policy::Day;
use sectile_policy::gate::{Refusal, RefusalKind};
use sectile_policy::report::Report;

use crate::boundary::{Out, exclusive, free, guarded, path, values};
use crate::buffer::Buffer;
use crate::check::Policy;
use crate::error::{Error, Failure, Status};
use crate::source::UNNAMED;

/// A gate for one upload. It refuses the upload as early as its bytes allow, in bounded memory. One thread may use it at a
/// time.
pub struct Gate {
    /// `None` after the end.
    gate: Option<sectile_policy::gate::Gate>,
}

/// Makes a gate for one upload, with a policy, or the default one if it is NULL. The gate keeps the policy.
///
/// `location` is the path of the upload for the exceptions of the policy; NULL for none. `now` is the time in seconds
/// since 1970 at which exceptions expire. An upload of another length than `declared` or of more than `max` bytes is
/// refused; `SECTILE_NO_LENGTH` is for none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sectile_gate_new(
    policy: *const Policy,
    location: *const c_char,
    now: i64,
    declared: u64,
    max: u64,
    gate: *mut *mut Gate,
    error: *mut *mut Error,
) -> Status {
    let body = || {
        // SAFETY: the head of the header is the contract.
        let (out, policy) = unsafe { (Out::handle(gate, "gate")?, policy.as_ref()) };
        let policy = policy.map_or_else(sectile_policy::Policy::default, Policy::to_inner);
        let mut gate = sectile_policy::gate::Gate::new(policy).with_max_bytes(max);
        if declared != SECTILE_NO_LENGTH {
            gate = gate.with_declared_len(declared);
        }
        if let Some(day) = Day::from_unix_seconds(now) {
            gate = gate.with_day(day);
        }
        if !location.is_null() {
            // SAFETY: the head of the header is the contract.
            gate = gate.with_location(unsafe { path(location, "location") }?);
        }
        out.set_handle(Gate { gate: Some(gate) });
        Ok(())
    };
    // SAFETY: the head of the header is the contract.
    unsafe { guarded(error, body) }
}

/// No length is declared, or no maximum.
pub const SECTILE_NO_LENGTH: u64 = u64::MAX;

/// Frees a gate. NULL is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sectile_gate_free(gate: *mut Gate) {
    // SAFETY: the caller guarantees a gate of this library that is freed once.
    unsafe { free(gate) };
}

/// Judges the next chunk of an upload. The status is 0, or says why the upload is refused: `SECTILE_STATUS_MALFORMED`,
/// `SECTILE_STATUS_LIMIT`, or `SECTILE_STATUS_REFUSED` by the policy or for its length. Later bytes cannot change this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sectile_gate_feed(
    gate: *mut Gate,
    data: *const u8,
    len: usize,
    error: *mut *mut Error,
) -> Status {
    let body = || {
        // SAFETY: the head of the header is the contract.
        let (gate, data) = unsafe { (exclusive(gate, "gate")?, values(data, len, "data")?) };
        let mut inner = gate.gate.take().ok_or_else(ended)?; // not put back if it panics
        let result = inner.push(data);
        gate.gate = Some(inner);
        result.map_err(|refusal| Failure::from(&refusal))
    };
    // SAFETY: the head of the header is the contract.
    unsafe { guarded(error, body) }
}

/// Ends an upload. The status is 0 if it is accepted, or as for `sectile_gate_feed`. `verdict`, unless it is NULL, is the
/// document of `sectile check --json` in both cases. The gate can then only be freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sectile_gate_end(gate: *mut Gate, verdict: *mut Buffer, error: *mut *mut Error) -> Status {
    let body = || {
        // SAFETY: the head of the header is the contract.
        let json = unsafe { Out::optional(verdict) };
        if let Some(json) = &json {
            json.set(Buffer::EMPTY);
        }
        // SAFETY: the head of the header is the contract.
        let gate = unsafe { exclusive(gate, "gate")? }.gate.take().ok_or_else(ended)?;
        let name = OsStr::new(UNNAMED);
        let write = |report: &Report<'_>, verdict: &sectile_policy::Verdict<'_>| -> Result<(), Failure> {
            let Some(json) = &json else { return Ok(()) };
            json.set(Buffer::document(|json| report.write_verdict_json(verdict, json))?);
            Ok(())
        };
        match gate.finish() {
            Ok(accepted) => {
                let report = accepted.report(name);
                write(&report, &accepted.verdict(&report))
            }
            Err(refusal) => {
                let report = refusal.report(name);
                write(&report, &refusal.verdict(&report))?;
                Err(Failure::from(&refusal))
            }
        }
    };
    // SAFETY: the head of the header is the contract.
    unsafe { guarded(error, body) }
}

impl From<&Refusal> for Failure {
    fn from(refusal: &Refusal) -> Self {
        let status = match refusal.kind() {
            RefusalKind::Malformed => Status::Malformed,
            RefusalKind::Limit => Status::Limit,
            _ => Status::Refused,
        };
        let error = refusal.error().and_then(sectile::Error::offset);
        Self::at(status, refusal.finding().map(sectile::Finding::offset).or(error), refusal.to_string())
    }
}

fn ended() -> Failure {
    Failure::argument("the upload has ended: free `gate`")
}
