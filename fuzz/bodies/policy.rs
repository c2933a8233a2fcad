//! Policies of any bytes, and what they make of any binary.

use std::ffi::OsStr;

use sectile::drive::{Cost, Push};
use sectile::metadata::Copied;
use sectile::policy::{self, PolicyError, Reader, Reading};
use sectile::report::Report;
use sectile::{Error, Outcome, Policy};

/// Reads what stands before the first preamble as a policy, judges the binary behind it, and holds both against what is
/// promised: the same again; places that the text has; one verdict from every mouth; what breaks off is never accepted, and is
/// refused for nothing that the whole is not refused for.
pub fn policy(input: &[u8]) {
    let end = input.windows(4).position(|window| window == b"\0asm").unwrap_or(input.len());
    let (text, binary) = input.split_at(end);
    let Ok(text) = str::from_utf8(text) else { return };
    let parsed = Policy::parse("policy.toml", text);
    assert_eq!(format!("{parsed:?}"), format!("{:?}", Policy::parse("policy.toml", text)));
    let policy = match parsed {
        Ok(policy) => policy,
        Err(PolicyError::Wrong { line, column, message, .. }) => {
            let line = text.split('\n').nth(line as usize - 1).expect("the text has the line");
            assert!((1..=line.chars().count() as u64 + 1).contains(&column) && !message.is_empty());
            return;
        }
        Err(error) => panic!("{error}"),
    };
    let binary = if binary.is_empty() { b"\0asm\x01\0\0\0" } else { binary };
    let whole = judge(&policy, &policy::read_slice(binary, &policy));
    assert_eq!(judge(&policy, &policy::read_at(binary, binary.len() as u64, &policy)), whole);
    let pushed = push(&policy, binary);
    assert_eq!(judge(&policy, &pushed), whole);

    let cut = &binary[..binary.len() - binary.len().min(1 + text.len() % 16)];
    let reading = policy::read_slice(cut, &policy);
    if reading.as_ref().is_ok_and(Outcome::is_complete) {
        return; // a binary of its own
    }
    let (refused, accepted) = judge(&policy, &reading);
    assert!(!accepted);
    // Where some are folded, others may be of another part of the same file.
    if !whole.0.iter().any(|line| line.contains("further findings")) {
        assert!(refused.iter().all(|line| whole.0.contains(line)), "{refused:?} {whole:?}");
    }
}

/// What breaks a rule, and whether the whole is accepted.
fn judge(policy: &Policy, reading: &Result<Outcome<Reading<'_>>, Error>) -> (Vec<String>, bool) {
    let verdict = policy.judge(&Report::of_reading(OsStr::new("a"), None, reading));
    let of_rules = verdict.judged.iter().filter(|judged| judged.rule.is_some());
    let line = |judged: &policy::Judged<'_>| {
        let finding = &judged.finding;
        format!("{} {} {} {:?} {}", finding.code, finding.path, finding.offset, finding.section, finding.message)
    };
    (of_rules.map(line).collect(), verdict.is_accepted())
}

fn push(policy: &Policy, binary: &[u8]) -> Result<Outcome<Reading<'static>>, Error> {
    let mut push = Push::new(Reader::copying(policy), policy.limits);
    for chunk in binary.chunks(3) {
        if let Err(error) = push.push(chunk) {
            return outcome(push.into_visitor(), Err(error));
        }
    }
    let (reader, result) = push.finish();
    outcome(reader, result)
}

fn outcome(reader: Reader<'static, Copied>, result: Result<(), Error>) -> Result<Outcome<Reading<'static>>, Error> {
    match (reader.finish(), result) {
        (Some(value), result) => Ok(Outcome { value, broken: result.err(), cost: Cost::default() }),
        (None, Err(error)) => Err(error),
        (None, Ok(())) => unreachable!("a reading that succeeds has entered the root"),
    }
}
