//! Policies of any bytes and of any tables, and their verdicts on any binary.

use std::ffi::OsStr;

use arbitrary::Unstructured;
use sectile::drive::PushDriver;
use sectile::metadata::Field;
use sectile::scan::SectionKind;
use sectile::{FindingCode, Outcome};
use sectile_policy::report::Report;
use sectile_policy::{
    ItemGroup, JudgeContext, JudgedFinding, Policy, PolicyError, PolicyKey, PolicyReader, PolicyTable, PolicyValueType,
    Reading, RequiredValue, Sources, section_kinds,
};

/// Parses the bytes before the first preamble as a policy and judges the binary after them. Does the same with a policy
/// of any tables and keys, generated from those bytes.
///
/// # Panics
///
/// Parsing is not deterministic, an error has no position in the text, or drivers disagree. A truncated binary is
/// accepted, or refused for a reason that does not hold for the whole. An exception hides a finding.
pub fn policy(input: &[u8]) {
    let end = input.windows(4).position(|window| window == b"\0asm").unwrap_or(input.len());
    let (text, binary) = input.split_at(end);
    let binary = if binary.is_empty() { b"\0asm\x01\0\0\0" } else { binary };
    let generated = generate(&mut Unstructured::new(text));
    let parse = || Policy::parse("policy.toml", &generated).unwrap_or_else(|error| panic!("{error}\n{generated}"));
    let policy = parse();
    assert_eq!(policy.fingerprint(), parse().fingerprint());
    check_verdicts(&policy, binary, text.len());

    let Ok(text) = str::from_utf8(text) else { return };
    let parsed = Policy::parse("policy.toml", text);
    assert_eq!(format!("{parsed:?}"), format!("{:?}", Policy::parse("policy.toml", text)));
    match parsed {
        Ok(policy) => check_verdicts(&policy, binary, text.len()),
        Err(PolicyError::Invalid { line, column, message, .. }) => {
            let line = text.split('\n').nth(line as usize - 1).expect("the text has the line");
            assert!((1..=line.chars().count() as u64 + 1).contains(&column) && !message.is_empty());
        }
        Err(error) => panic!("{error}"),
    }
}

fn check_verdicts(policy: &Policy, binary: &[u8], cut: usize) {
    let outcome = sectile_policy::read_slice(binary, policy);
    check_exceptions(policy, &outcome);
    let whole = judge(policy, &outcome);
    assert_eq!(judge(policy, &sectile_policy::read_at(binary, binary.len() as u64, policy)), whole);
    assert_eq!(judge(policy, &pushed(binary, &[3], policy)), whole);

    let cut = &binary[..binary.len() - binary.len().min(1 + cut % 16)];
    let outcome = sectile_policy::read_slice(cut, policy);
    if outcome.is_complete() {
        return; // a binary of its own
    }
    let (refused, accepted) = judge(policy, &outcome);
    assert!(!accepted);
    // If findings are folded, those that are listed may be others.
    if !whole.0.iter().any(|line| line.contains("further findings")) {
        assert!(refused.iter().all(|line| whole.0.contains(line)), "{refused:?} {whole:?}");
    }
}

/// Reads bytes that are pushed in chunks of these sizes, again and again; one of them is not 0.
pub fn pushed(bytes: &[u8], sizes: &[usize], policy: &Policy) -> Outcome<Reading<'static>> {
    let mut push = PushDriver::new(PolicyReader::stream(policy));
    let mut rest = bytes;
    for size in sizes.iter().cycle() {
        let (chunk, behind) = rest.split_at((*size).min(rest.len()));
        if rest.is_empty() || push.push(chunk).is_err() {
            break;
        }
        rest = behind;
    }
    push.finish()
}

/// Exceptions keep findings and their severities, and only excuse what would be refused without them.
fn check_exceptions(policy: &Policy, outcome: &Outcome<Reading<'_>>) {
    let report = Report::for_policy(OsStr::new("a"), None, outcome);
    let plain = policy.judge(&report);
    let locations = [OsStr::new("vendor/a")];
    let digest = format!("sha256:{}", "0".repeat(64));
    let day = "2026-06-15".parse().expect("it is a day");
    let context = JudgeContext::new().with_locations(&locations).with_verified_digest(&digest);
    let verdict = policy.judge_with_context(&report, &context.with_day(Some(day)));
    assert!(verdict.findings().len() >= plain.findings().len());
    for (with, without) in verdict.findings().iter().zip(plain.findings()) {
        assert_eq!((with.finding(), with.severity()), (without.finding(), without.severity()));
        assert!(without.exception().is_none());
        assert_eq!(with.is_refused(), without.is_refused() && with.exception().is_none());
    }
    let added = &verdict.findings()[plain.findings().len()..];
    assert!(added.iter().all(|judged| judged.finding().code() == FindingCode::ExpiredException));
    assert!(!verdict.is_accepted() || verdict.is_complete());
}

/// The text of a policy of any tables with any of their keys.
fn generate(fuel: &mut Unstructured<'_>) -> String {
    let mut text = String::new();
    for table in PolicyTable::RULES.into_iter().chain([PolicyTable::Exceptions]) {
        for _ in 0..fuel.int_in_range(0..=2).unwrap_or_default() {
            text += &format!("[[{}]]\n", table.name());
            let lists = table == PolicyTable::Dependencies && fuel.arbitrary().unwrap_or_default();
            for key in PolicyKey::all().filter(|key| key.table == table) {
                // The first key of each required group is present; a flag may require another rule.
                let is_required = table.required_keys().iter().any(|group| group[0] == key.name);
                let is_present = match (lists, key.name) {
                    (_, "verified") => false,
                    (true, name) => ["items", "required"].contains(&name),
                    (false, "required") => table == PolicyTable::Producers && fuel.arbitrary().unwrap_or_default(),
                    (false, _) => is_required || fuel.arbitrary().unwrap_or_default(),
                };
                if is_present {
                    text += &format!("{} = {}\n", key.name, generate_value(key.value_type, fuel));
                }
            }
        }
    }
    text
}

fn generate_value(value_type: PolicyValueType, fuel: &mut Unstructured<'_>) -> String {
    let zeros = format!("sha256:{}", "0".repeat(64));
    let kinds: Vec<_> = section_kinds().map(SectionKind::name).collect();
    let fields: Vec<_> = RequiredValue::all().map(RequiredValue::name).collect();
    let url_fields: Vec<_> = Sources::url_fields().map(Field::section).collect();
    let choices: &[&str] = match value_type {
        PolicyValueType::Severity => &["note", "warning", "error"],
        PolicyValueType::SeverityOrIgnore => &["note", "warning", "error", "ignore"],
        PolicyValueType::Number { .. } => return fuel.int_in_range(1..=100).unwrap_or(1).to_string(),
        PolicyValueType::Boolean => return "true".to_owned(),
        PolicyValueType::Day => {
            return fuel.choose(&["2026-06-14", "2026-06-15", "'2027-01-01'"]).unwrap_or(&"2026-06-15").to_string();
        }
        PolicyValueType::Items if fuel.arbitrary().unwrap_or_default() => &["0", "1", "0/0"],
        PolicyValueType::Items => &ItemGroup::ALL.map(ItemGroup::name),
        PolicyValueType::Fields => &fields,
        PolicyValueType::Kinds => &kinds,
        PolicyValueType::UrlFields => &url_fields,
        PolicyValueType::UrlPatterns => {
            &["*", "https://*/*", "*://example.org/*", "https://*.example.org/a*", "ssh://git@*/x"]
        }
        PolicyValueType::ProducersFields => &["language", "processed-by", "sdk"],
        PolicyValueType::Licenses => &["MIT", "Apache-2.0", "GPL-2.0-or-later"],
        PolicyValueType::Versions => &["*", "<1", ">=1.2, <2", "^0.2.1", "=1.2.*"],
        PolicyValueType::Codes => &FindingCode::ALL.map(FindingCode::name),
        PolicyValueType::Digests => &[&zeros],
        PolicyValueType::AdvisoryClasses => &["malware", "vulnerability", "unsound", "unmaintained", "notice"],
        PolicyValueType::Packages => &["declared", "all"],
        PolicyValueType::Rating => &["none", "low", "medium", "high", "critical"],
        _ => &["*", "a*", "vendor/*", "?", "[a-z]*", "*e*"],
    };
    format!("'{}'", fuel.choose(choices).unwrap_or(&choices[0]))
}

/// The violations of rules, and whether the whole is accepted.
fn judge(policy: &Policy, outcome: &Outcome<Reading<'_>>) -> (Vec<String>, bool) {
    let verdict = policy.judge(&Report::for_policy(OsStr::new("a"), None, outcome));
    let of_rules = verdict.findings().iter().filter(|judged| judged.rule().is_some());
    let line = |judged: &JudgedFinding<'_>| {
        let finding = judged.finding();
        let (code, path, offset) = (finding.code(), finding.path(), finding.offset());
        format!("{code} {path} {offset} {:?} {}", finding.section(), finding.message())
    };
    (of_rules.map(line).collect(), verdict.is_accepted())
}
