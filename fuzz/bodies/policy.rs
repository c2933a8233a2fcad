//! Policies of any bytes, and of any tables, and what they make of any binary.

use std::ffi::OsStr;

use arbitrary::Unstructured;
use sectile::drive::Cost;
use sectile::metadata::{Copied, Field};
use sectile::policy::{
    self, Group, Key, PolicyError, Reader, Reading, RequiredValue, SectionKind, Sources, Subject, Table, Takes,
};
use sectile::report::Report;
use sectile::{Code, Error, Outcome, Policy};

use super::chunks::push;

/// Reads what stands before the first preamble as a policy, judges the binary behind it, and holds both against what is
/// promised: the same again; places that the text has; one verdict from every mouth; what breaks off is never accepted, and is
/// refused for nothing that the whole is not refused for; an exception hides nothing, and excuses nothing twice. The same for
/// a policy that is made of what stands there, of all tables and keys.
pub fn policy(input: &[u8]) {
    let end = input.windows(4).position(|window| window == b"\0asm").unwrap_or(input.len());
    let (text, binary) = input.split_at(end);
    let binary = if binary.is_empty() { b"\0asm\x01\0\0\0" } else { binary };
    let made = made(&mut Unstructured::new(text));
    let parse = || Policy::parse("policy.toml", &made).unwrap_or_else(|error| panic!("{error}\n{made}"));
    let policy = parse();
    assert_eq!(policy.fingerprint(), parse().fingerprint());
    judged(&policy, binary, text.len());

    let Ok(text) = str::from_utf8(text) else { return };
    let parsed = Policy::parse("policy.toml", text);
    assert_eq!(format!("{parsed:?}"), format!("{:?}", Policy::parse("policy.toml", text)));
    match parsed {
        Ok(policy) => judged(&policy, binary, text.len()),
        Err(PolicyError::Wrong { line, column, message, .. }) => {
            let line = text.split('\n').nth(line as usize - 1).expect("the text has the line");
            assert!((1..=line.chars().count() as u64 + 1).contains(&column) && !message.is_empty());
        }
        Err(error) => panic!("{error}"),
    }
}

fn judged(policy: &Policy, binary: &[u8], cut: usize) {
    let reading = policy::read_slice(binary, policy);
    excepted(policy, &reading);
    let whole = judge(policy, &reading);
    assert_eq!(judge(policy, &policy::read_at(binary, binary.len() as u64, policy)), whole);
    let (reader, result) = push(binary, &[3], Reader::copying(policy), policy.limits);
    assert_eq!(judge(policy, &outcome(reader, result)), whole);

    let cut = &binary[..binary.len() - binary.len().min(1 + cut % 16)];
    let reading = policy::read_slice(cut, policy);
    if reading.as_ref().is_ok_and(Outcome::is_complete) {
        return; // a binary of its own
    }
    let (refused, accepted) = judge(policy, &reading);
    assert!(!accepted);
    // Where some are folded, others may be of another part of the same file.
    if !whole.0.iter().any(|line| line.contains("further findings")) {
        assert!(refused.iter().all(|line| whole.0.contains(line)), "{refused:?} {whole:?}");
    }
}

/// What exceptions do: what is excused is still there, and what is refused is refused without them.
fn excepted(policy: &Policy, reading: &Result<Outcome<Reading<'_>>, Error>) {
    let report = Report::of_reading(OsStr::new("a"), None, reading);
    let plain = policy.judge(&report);
    let locations = [OsStr::new("vendor/a")];
    let digest = format!("sha256:{}", "0".repeat(64));
    let subject = Subject::new().at(&locations).verified(&digest).on("2026-06-15".parse().expect("it is a day"));
    let verdict = policy.judge_as(&report, &subject);
    assert!(verdict.judged.len() >= plain.judged.len());
    for (with, without) in verdict.judged.iter().zip(&plain.judged) {
        assert_eq!((&with.finding, with.severity), (&without.finding, without.severity));
        assert!(without.excepted.is_none() && with.refused == (without.refused && with.excepted.is_none()));
    }
    let behind = &verdict.judged[plain.judged.len()..];
    assert!(behind.iter().all(|judged| judged.finding.code == Code::ExpiredException));
    assert!(!verdict.is_accepted() || verdict.complete);
}

/// A policy's text, of any tables with any of their keys.
fn made(fuel: &mut Unstructured<'_>) -> String {
    let mut text = String::new();
    for table in Table::RULES.into_iter().chain([Table::Exceptions]) {
        for _ in 0..fuel.int_in_range(0..=2).unwrap_or_default() {
            text += &format!("[[{}]]\n", table.name());
            let lists = table == Table::Dependencies && fuel.arbitrary().unwrap_or_default();
            for key in Key::all().filter(|key| key.table == table) {
                // The first of each group of which one must stand does; the flags are those that ask for another rule.
                let asked = table.asks().iter().any(|group| group[0] == key.name);
                let stands = match (lists, key.name) {
                    (_, "verified") => false,
                    (true, name) => ["items", "required"].contains(&name),
                    (false, "required") => table == Table::Producers && fuel.arbitrary().unwrap_or_default(),
                    (false, _) => asked || fuel.arbitrary().unwrap_or_default(),
                };
                if stands {
                    text += &format!("{} = {}\n", key.name, made_value(key.takes, fuel));
                }
            }
        }
    }
    text
}

fn made_value(takes: Takes, fuel: &mut Unstructured<'_>) -> String {
    let zeros = format!("sha256:{}", "0".repeat(64));
    let kinds: Vec<_> = SectionKind::all().map(SectionKind::name).collect();
    let fields: Vec<_> = RequiredValue::all().map(RequiredValue::name).collect();
    let url_fields: Vec<_> = Sources::url_fields().map(Field::section).collect();
    let choices: &[&str] = match takes {
        Takes::Severity => &["note", "warning", "error"],
        Takes::Weight => &["note", "warning", "error", "ignore"],
        Takes::Number { .. } => return fuel.int_in_range(1..=100).unwrap_or(1).to_string(),
        Takes::Flag => return "true".to_owned(),
        Takes::Day => {
            return fuel.choose(&["2026-06-14", "2026-06-15", "'2027-01-01'"]).unwrap_or(&"2026-06-15").to_string();
        }
        Takes::Items if fuel.arbitrary().unwrap_or_default() => &["0", "1", "0/0"],
        Takes::Items => &Group::ALL.map(Group::name),
        Takes::Fields => &fields,
        Takes::Kinds => &kinds,
        Takes::UrlFields => &url_fields,
        Takes::UrlPatterns => &["*", "https://*/*", "*://example.org/*", "https://*.example.org/a*", "ssh://git@*/x"],
        Takes::ProducersFields => &["language", "processed-by", "sdk"],
        Takes::Licenses => &["MIT", "Apache-2.0", "GPL-2.0-or-later"],
        Takes::Versions => &["*", "<1", ">=1.2, <2", "^0.2.1", "=1.2.*"],
        Takes::Codes => &Code::ALL.map(Code::name),
        Takes::Digests => &[&zeros],
        _ => &["*", "a*", "vendor/*", "?", "[a-z]*", "*e*"],
    };
    format!("'{}'", fuel.choose(choices).unwrap_or(&choices[0]))
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

fn outcome(reader: Reader<'static, Copied>, result: Result<(), Error>) -> Result<Outcome<Reading<'static>>, Error> {
    match (reader.finish(), result) {
        (Some(value), result) => Ok(Outcome { value, broken: result.err(), cost: Cost::default() }),
        (None, Err(error)) => Err(error),
        (None, Ok(())) => unreachable!("a reading that succeeds has entered the root"),
    }
}
