//! Policies: every rule accepts and refuses, through every mouth; their files say where they are wrong.

mod exceptions;
mod file;
mod hostile;
mod rules;
mod sources;

use std::ffi::OsStr;

use sectile::drive::{self, FetchOptions};
use sectile::policy::{self, Reader, Reading};
use sectile::report::Report;
use sectile::{Error, Input, Outcome, Policy, Verdict};

use crate::support::mouths;
use crate::support::ranges::{Ranges, now};

/// The policy of a file's text.
#[track_caller]
fn parsed(text: &str) -> Policy {
    Policy::parse("policy.toml", text).unwrap_or_else(|error| panic!("{error}"))
}

/// What is judged, in a line each: severity, code, item, section, message, count; and whether it is refused.
fn lines(verdict: &Verdict<'_>) -> Vec<String> {
    let line = |judged: &policy::Judged<'_>| {
        let finding = &judged.finding;
        let section = finding.section.as_deref().unwrap_or("-");
        let mark = if judged.refused { "!" } else { "" };
        let (severity, code, path, offset) = (judged.severity, finding.code, &finding.path, finding.offset);
        let (message, count) = (&finding.message, finding.count);
        format!("{mark}{severity} {code} at {path}:{offset} {section} x{count}: {message}")
    };
    verdict.judged.iter().map(line).collect()
}

/// The verdict on a reading: its lines, whether it is accepted, and what broke the reading off.
fn verdict(policy: &Policy, reading: &Result<Outcome<Reading<'_>>, Error>) -> (Vec<String>, bool, Option<String>) {
    let report = Report::of_reading(OsStr::new("a.wasm"), None, reading);
    let verdict = policy.judge(&report);
    (lines(&verdict), verdict.is_accepted(), report.broken.map(ToString::to_string))
}

/// Judges through every mouth, asserts that all say the same, and gives it.
#[track_caller]
fn judge(bytes: &[u8], policy: &Policy) -> (Vec<String>, bool) {
    let expected = verdict(policy, &policy::read_slice(bytes, policy));
    assert_eq!(verdict(policy, &policy::read_at(bytes, bytes.len() as u64, policy)), expected, "positioned reads");
    let input = Input::of(mouths::file(bytes)).unwrap();
    assert_eq!(verdict(policy, &input.read_for(policy)), expected, "a file");
    for mut source in [Ranges::of(bytes), Ranges::silent(bytes)] {
        let fetched = now(policy::read_fetch(&mut source, FetchOptions::default(), policy));
        assert_eq!(verdict(policy, &fetched), expected, "{source:?}");
    }
    for sizes in [&[1][..], &[7, 1, 0, 64], &[4096]] {
        let (reader, result) = mouths::push(bytes, sizes, Reader::copying(policy), policy.limits);
        let cost = drive::Cost::default();
        let reading = match (reader.finish(), result) {
            (Some(value), result) => Ok(Outcome { value, broken: result.err(), cost }),
            (None, result) => Err(result.unwrap_err()),
        };
        assert_eq!(verdict(policy, &reading), expected, "chunks of {sizes:?}");
    }
    (expected.0, expected.1)
}

/// The lines of a verdict by a policy's text.
#[track_caller]
fn judged(bytes: &[u8], text: &str) -> Vec<String> {
    judge(bytes, &parsed(text)).0
}
