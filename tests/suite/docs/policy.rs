//! What `docs/policy.md` says is so: its tables are those in the source, its example is a policy that uses every key, and what
//! it says of licences is what is judged.

use std::ffi::OsStr;
use std::fmt::Write;

use sectile::policy::{self, Key, Table, Takes};
use sectile::report::Report;
use sectile::{Policy, Severity};

use super::sections::fenced;
use super::{stands_between, text_of};
use crate::support::binary::{custom, module, producers};

mod schema;

const POLICY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/policy.md");
const BEGIN: &str = "<!-- the table of keys: made of it, by `BLESS=1 cargo test docs` -->\n";

fn text() -> String {
    text_of(POLICY)
}

fn keys() -> String {
    let mut table = "| key | takes | without it | |\n| --- | --- | --- | --- |\n".to_owned();
    for key in Key::all().filter(|key| key.table != Table::Severity) {
        let dot = if key.table == Table::Top { "" } else { "." };
        let default = if key.default.is_empty() { String::new() } else { format!("`{}`", key.default) };
        let takes = match key.takes {
            Takes::Number { least: 1, .. } => "a whole number, 1 at the least",
            takes => takes.name(),
        };
        let name = format!("{}{dot}{}", key.table.name(), key.name);
        writeln!(table, "| `{name}` | {takes} | {default} | {} |", key.help).unwrap();
    }
    table
}

#[test]
fn the_keys_are_those_of_the_table() {
    stands_between(POLICY, BEGIN, &keys());
}

#[test]
fn the_example_is_a_policy_with_every_key() {
    let [example] = &fenced(&text(), "toml")[..] else { panic!("there is one example") };
    let policy = Policy::parse("policy.toml", example).unwrap();
    assert_eq!((policy.refuse, policy.limits.depth, policy.rules().count()), (Severity::Error, 16, 14));
    assert_eq!(policy.exceptions().count(), 2);
    assert_eq!(policy.severity(sectile::Code::MisplacedProducers), None);
    let lines: Vec<&str> = example.lines().collect();
    for table in Table::ALL {
        let header = |line: &&str| line.starts_with('[') && line.contains(&format!("[{}]", table.name()));
        assert!(table == Table::Top || lines.iter().any(header), "{table:?}");
        for key in Key::all().filter(|key| key.table == table && table != Table::Severity) {
            let mut inside = table == Table::Top;
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

/// The rows of a table of what is accepted: what is quoted in the first two cells, and whether it is.
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

/// Whether a rule has something against a binary of this section.
fn refuses(rule: &str, sections: &[Vec<u8>]) -> bool {
    let policy = Policy::parse("policy.toml", rule).unwrap();
    let bytes = module(sections);
    let reading = policy::read_slice(&bytes, &policy);
    let verdict = policy.judge(&Report::of_reading(OsStr::new("a"), None, &reading));
    verdict.judged.iter().any(|judged| judged.rule.is_some())
}

/// Holds the table behind a heading against what is judged of a field; gives how many cases it has.
fn what_is_allowed_is_so(rule: &str, field: &str, any: &str) -> usize {
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
fn what_it_says_of_licences_and_sources_is_so() {
    assert!(what_is_allowed_is_so("licenses", "licenses", "MIT") >= 10);
    assert!(what_is_allowed_is_so("sources", "source", "*") >= 12);
}

#[test]
fn what_it_says_of_versions_is_so() {
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
