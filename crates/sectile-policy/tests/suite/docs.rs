//! `docs/policy.md` matches the code. Its tables are generated, its example uses every key, and its
//! cases have the documented verdicts.

use std::ffi::OsStr;
use std::fmt::Write;

use sectile::{FindingCode, Limits, Severity};
use sectile_policy::gate::Gate;
use sectile_policy::report::Report;
use sectile_policy::{Policy, PolicyKey, PolicyTable, PolicyValueType, section_kinds};

use sectile_testing::binary::{custom, module, producers};
use sectile_testing::docs::{assert_generated, text_of};

mod schema;

const POLICY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/policy.md");
const GUARANTEES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guarantees.md");
const BEGIN: &str = "<!-- the table of keys: made of it, by `BLESS=1 cargo test --workspace --all-features docs` -->\n";

fn text() -> String {
    text_of(POLICY)
}

/// Whether a key is a code of findings, which `docs/reference.md` lists.
fn is_code(key: &PolicyKey) -> bool {
    key.table == PolicyTable::Severity && FindingCode::ALL.iter().any(|code| code.name() == key.name)
}

fn keys() -> String {
    let mut table = "| key | takes | without it | |\n| --- | --- | --- | --- |\n".to_owned();
    for key in PolicyKey::all().filter(|key| !is_code(key)) {
        let dot = if key.table == PolicyTable::Top { "" } else { "." };
        let default = if key.default.is_empty() { String::new() } else { format!("`{}`", key.default) };
        let value_type = match key.value_type {
            PolicyValueType::Number { min: 1, .. } => "a whole number, 1 at the least",
            value_type => value_type.name(),
        };
        let name = format!("{}{dot}{}", key.table.name(), key.name);
        writeln!(table, "| `{name}` | {value_type} | {default} | {} |", key.help).unwrap();
    }
    table
}

#[test]
fn table_of_keys_is_generated() {
    assert_generated(POLICY, BEGIN, &keys());
}

/// Messages about unknown kinds of sections refer to this list.
#[test]
fn all_kinds_of_sections_are_listed() {
    let kinds: Vec<_> = section_kinds().map(|kind| format!("`{}`", kind.name())).collect();
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let expected = format!("The kinds are {}.", kinds.join(", "));
    assert!(words(&text()).contains(&expected), "docs/policy.md should have: {expected}");
}

/// A limit that equals the one for files has no row.
#[test]
fn limits_of_a_gate_are_documented() {
    let number = |number: u64| match number {
        _ if number >= 1 << 20 && number.is_multiple_of(1 << 20) => format!("{} MiB", number >> 20),
        _ if number >= 1 << 10 && number.is_multiple_of(1 << 10) => format!("{} KiB", number >> 10),
        _ if number >= 1_000 => format!("{},{:03}", number / 1_000, number % 1_000),
        _ => number.to_string(),
    };
    let (gate, file) = (Gate::LIMITS, Limits::DEFAULT);
    let rows = [
        ("items", u64::from(gate.max_items), u64::from(file.max_items)),
        ("data", u64::from(gate.max_section_data), u64::from(file.max_section_data)),
        ("interface", u64::from(gate.max_interface_section), u64::from(file.max_interface_section)),
        ("kept", gate.max_retained_bytes, file.max_retained_bytes),
        ("inflated", u64::from(gate.max_inflated), u64::from(file.max_inflated)),
        ("findings", u64::from(gate.max_findings_per_code), u64::from(file.max_findings_per_code)),
    ];
    let rows = rows.map(|(key, gate, file)| format!("| `limits.{key}` | {} | {} |\n", number(gate), number(file)));
    let table = format!("\n| limit | of a gate | of a file |\n| --- | --- | --- |\n{}\n", rows.concat());
    assert!(text_of(GUARANTEES).contains(&table), "{table}");
    let others = Limits {
        max_items: file.max_items,
        max_section_data: file.max_section_data,
        max_interface_section: file.max_interface_section,
        max_retained_bytes: file.max_retained_bytes,
        max_inflated: file.max_inflated,
        max_findings_per_code: file.max_findings_per_code,
        ..gate
    };
    assert_eq!(others, file);
}

#[test]
fn example_uses_every_key() {
    let text = text();
    let [_, rest] = text.split("```toml\n").collect::<Vec<_>>()[..] else { panic!("there is one example") };
    let (example, _) = rest.split_once("```").unwrap();
    let policy = Policy::parse("policy.toml", example).unwrap();
    assert_eq!((policy.refuse, policy.limits.max_depth, policy.rules().count()), (Severity::Error, 16, 16));
    assert_eq!(policy.exceptions().count(), 3);
    assert_eq!(policy.severity(FindingCode::EmptyValue), None);
    assert_eq!(policy.severity(FindingCode::NotOpened), Some(Severity::Error));
    let lines: Vec<&str> = example.lines().collect();
    for table in PolicyTable::ALL {
        let header = |line: &&str| line.starts_with('[') && line.contains(&format!("[{}]", table.name()));
        assert!(table == PolicyTable::Top || lines.iter().any(header), "{table:?}");
        for key in PolicyKey::all().filter(|key| key.table == table && !is_code(key)) {
            let mut inside = table == PolicyTable::Top;
            let stands = lines.iter().any(|line| {
                if line.starts_with('[') {
                    inside = header(line);
                }
                inside && line.starts_with(&format!("{} = ", key.name))
            });
            assert!(stands, "{table:?} {}", key.name);
        }
    }
}

/// The rows of a table of cases: the values, the rule, and whether the values are accepted.
fn rows(text: &str, head: &str) -> Vec<(Vec<String>, String, bool)> {
    let (_, table) = text.split_once(head).unwrap();
    let row = |row: &str| {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").collect();
        let quoted = |cell: &str| cell.split('`').skip(1).step_by(2).map(ToOwned::to_owned).collect::<Vec<_>>();
        let by = quoted(cells[1]).into_iter().next().unwrap_or_default();
        (quoted(cells[0]), by, cells[2].trim().starts_with("accepted"))
    };
    table.lines().skip(1).take_while(|line| line.starts_with('|')).map(row).collect()
}

/// Whether a rule refuses a module of these sections.
fn refuses(rule: &str, sections: &[Vec<u8>]) -> bool {
    let policy = Policy::parse("policy.toml", rule).unwrap();
    let bytes = module(sections);
    let reading = sectile_policy::read_slice(&bytes, &policy);
    let verdict = policy.judge(&Report::for_policy(OsStr::new("a"), None, &reading));
    verdict.findings().iter().any(|judged| judged.rule().is_some())
}

/// Judges the cases of the table after a heading; returns their number.
fn check_cases(rule: &str, field: &str, any: &str) -> usize {
    let text = text();
    let behind = &text[text.find(&format!("### `[[{rule}]]`")).unwrap()..];
    let mut cases = 0;
    for (values, allow, accepted) in rows(behind, "| in the binary | where `allow` is | |\n") {
        let allow = if allow.is_empty() { any } else { &*allow };
        for value in values {
            let sections = if value == field { vec![] } else { vec![custom(field, &value)] };
            assert_eq!(refuses(&format!("{rule}.allow = \"{allow}\""), &sections), !accepted, "{value}");
            cases += 1;
        }
    }
    cases
}

#[test]
fn license_and_source_cases_hold() {
    assert!(check_cases("licenses", "licenses", "MIT") >= 10);
    assert!(check_cases("sources", "source", "*") >= 12);
}

#[test]
fn version_cases_hold() {
    let rows = rows(&text(), "| in the binary | where `versions` is | |\n");
    assert!(rows.len() >= 5, "{rows:?}");
    for (values, range, accepted) in rows {
        for version in values {
            let data = producers(&[("processed-by", &[("rustc", &version)])]);
            let rule = format!("producers = {{ names = \"rustc\", versions = \"{range}\" }}");
            assert_eq!(refuses(&rule, &[custom("producers", data)]), !accepted, "{version}");
        }
    }
}
