//! Judging a source by a policy.

use std::ffi::c_char;

use sectile_policy::report::Report;
use sectile_policy::{Day, JudgeContext, Packages, PolicyReader};

use crate::boundary::{Out, free, guarded, path, reference, text};
use crate::buffer::Buffer;
use crate::document::record_change;
use crate::error::{Error, Failure, Status};
use crate::source::{Source, without_cost_if_unread};

/// The rules that a source is judged by. Several threads may use one at a time.
pub struct Policy(sectile_policy::Policy);

impl Policy {
    pub fn to_inner(&self) -> sectile_policy::Policy {
        self.0.clone()
    }
}

/// Parses the text of a policy file, in TOML. `name` is the file's in messages.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sectile_policy_parse(
    toml: *const c_char,
    name: *const c_char,
    policy: *mut *mut Policy,
    error: *mut *mut Error,
) -> Status {
    let body = || {
        // SAFETY: the head of the header is the contract.
        let (out, toml, name) = unsafe { (Out::handle(policy, "policy")?, text(toml, "toml")?, path(name, "name")?) };
        out.set_handle(Policy(sectile_policy::Policy::parse(name, toml)?));
        Ok(())
    };
    // SAFETY: the head of the header is the contract.
    unsafe { guarded(error, body) }
}

/// Frees a policy. NULL is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sectile_policy_free(policy: *mut Policy) {
    // SAFETY: the caller guarantees a policy of this library that is freed once.
    unsafe { free(policy) };
}

/// Rules also see the packages that are recovered from data, even if the policy does not require it.
pub const SECTILE_CHECK_RECOVERED: u32 = 1;

/// Judges a source by a policy, or by the default one if it is NULL.
///
/// `accepted` becomes 1 or 0. `verdict`, unless it is NULL, is the document of `sectile check --json`. `now` is the time
/// in seconds since 1970 at which exceptions of the policy expire, such as `time(NULL)`. `options` are
/// `SECTILE_CHECK_…`, or 0.
///
/// A source that is malformed, truncated or not WebAssembly has a verdict too: it is not accepted. An error is only one
/// of the system or of an argument.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sectile_check(
    source: *const Source,
    policy: *const Policy,
    now: i64,
    options: u32,
    accepted: *mut u32,
    verdict: *mut Buffer,
    error: *mut *mut Error,
) -> Status {
    let body = || {
        // SAFETY: the head of the header is the contract.
        let (accepted, json) = unsafe { (Out::new(accepted, "accepted")?, Out::optional(verdict)) };
        accepted.set(0);
        if let Some(json) = &json {
            json.set(Buffer::EMPTY);
        }
        // SAFETY: the head of the header is the contract.
        let (source, policy) = unsafe { (reference(source, "source")?, policy.as_ref()) };
        let mut policy = policy.map_or_else(sectile_policy::Policy::default, Policy::to_inner);
        match options {
            0 => {} // as the policy says
            SECTILE_CHECK_RECOVERED => policy.packages = Packages::All,
            _ => return Err(Failure::argument(format!("unknown options: {options:#x}"))),
        }
        let expires = policy.exceptions().any(|exception| exception.expiry().is_some());
        let day = match expires.then(|| Day::from_unix_seconds(now)) {
            Some(None) => return Err(Failure::argument(format!("`now` is not a time of these millennia: {now}"))),
            day => day.flatten(),
        };
        let outcome = without_cost_if_unread(source.collect(PolicyReader::stream(&policy), record_change));
        if let Some(failure) = outcome.error().map(Failure::from).filter(|failure| failure.status() == Status::Io) {
            return Err(failure);
        }
        let report = Report::for_policy(source.name(), Some(source.len()), &outcome);
        let location = source.input().map(|_| source.name());
        let context = JudgeContext::new().with_day(day).with_locations(location.as_slice());
        let verdict = policy.judge_with_context(&report, &context);
        if let Some(json) = &json {
            json.set(Buffer::document(|json| report.write_verdict_json(&verdict, json))?);
        }
        accepted.set(u32::from(verdict.is_accepted()));
        Ok(())
    };
    // SAFETY: the head of the header is the contract.
    unsafe { guarded(error, body) }
}
