//! Policies. Every rule accepts and refuses, with every driver, and errors in policy files have
//! positions.

mod advisories;
mod exceptions;
mod file;
mod hostile;
mod rules;
mod settings;
mod sources;

use std::ffi::OsStr;

use sectile::drive::FetchOptions;
use sectile::{Input, Outcome};
use sectile_policy::report::Report;
use sectile_policy::{JudgedFinding, Policy, Reading, Verdict};

use sectile_testing::all_drivers;
use sectile_testing::ranges::{Ranges, now};

use crate::fuzz::bodies::pushed;

/// The policy of a file's text.
#[track_caller]
fn parsed(text: &str) -> Policy {
    Policy::parse("policy.toml", text).unwrap_or_else(|error| panic!("{error}"))
}

/// A line for each judged finding: whether it is refused, severity, code, item, section, count,
/// message.
fn lines(verdict: &Verdict<'_>) -> Vec<String> {
    let line = |judged: &JudgedFinding<'_>| {
        let finding = judged.finding();
        let section = finding.section().unwrap_or("-");
        let mark = if judged.is_refused() { "!" } else { "" };
        let (severity, code, path, offset) = (judged.severity(), finding.code(), finding.path(), finding.offset());
        let (message, count) = (finding.message(), finding.count());
        format!("{mark}{severity} {code} at {path}:{offset} {section} x{count}: {message}")
    };
    verdict.findings().iter().map(line).collect()
}

/// The verdict on a reading: its lines, whether it is accepted, and the error that ended the
/// reading.
fn verdict(policy: &Policy, reading: &Outcome<Reading<'_>>) -> (Vec<String>, bool, Option<String>) {
    let report = Report::for_policy(OsStr::new("a.wasm"), None, reading);
    let verdict = policy.judge(&report);
    (lines(&verdict), verdict.is_accepted(), report.error().map(ToString::to_string))
}

/// Judges with every driver, asserts that all agree, and returns the lines and whether the binary
/// is accepted.
#[track_caller]
fn judge(bytes: &[u8], policy: &Policy) -> (Vec<String>, bool) {
    let expected = verdict(policy, &sectile_policy::read_slice(bytes, policy));
    let read = sectile_policy::read_at(bytes, bytes.len() as u64, policy);
    assert_eq!(verdict(policy, &read), expected, "positioned reads");
    let input = Input::from_file(all_drivers::file(bytes)).unwrap();
    assert_eq!(verdict(policy, &sectile_policy::read_input(&input, policy)), expected, "a file");
    for mut source in [Ranges::of(bytes), Ranges::silent(bytes)] {
        let fetched = now(sectile_policy::read_fetch(&mut source, FetchOptions::default(), policy));
        assert_eq!(verdict(policy, &fetched), expected, "{source:?}");
    }
    for sizes in [&[1][..], &[7, 1, 0, 64], &[4096]] {
        assert_eq!(verdict(policy, &pushed(bytes, sizes, policy)), expected, "chunks of {sizes:?}");
    }
    (expected.0, expected.1)
}

/// The lines of a verdict by a policy's text.
#[track_caller]
fn judged(bytes: &[u8], text: &str) -> Vec<String> {
    judge(bytes, &parsed(text)).0
}
