//! Rows that are judged again by a database of advisories, against parsing them.
//!
//! | row | baseline | target |
//! | --- | --- | --- |
//! | 200,000 rows of binaries with 20 packages each | parsing them with `serde_json` | at most 2 x |
//!
//! Both sides take turns. The line gives the fastest round of each, and the median of the ratios of the rounds.

use std::fmt::Write;
use std::path::Path;

use sectile_advisories::Advisories;
use sectile_audit::{Audit, Format, Progress, SavedRows};
use sectile_policy::Policy;
use sectile_testing::bench::rounds::{paired, print_ratio};
use sectile_testing::binary::{custom, module, packages};

fn main() {
    let measures = std::env::args().any(|arg| arg == "--bench"); // `cargo test --benches` runs it briefly
    let (number, rounds) = if measures { (200_000, 7) } else { (100, 1) };
    let rows = rows(number);
    let database = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sectile-advisories/tests/advisory-db");
    let mut advisories = Advisories::default();
    advisories.read(database).expect("the database is complete");
    let policy = Policy::default().with_advisories(advisories);

    let ours = || {
        let saved = SavedRows::read(rows.as_bytes()).expect("these are rows");
        let outcome = saved.with_policy(&policy, None, None).write(&mut []).expect("nothing is written");
        assert_eq!(outcome.summary.refused, number as u64);
        outcome.summary.rows
    };
    let theirs = || {
        let lines = rows.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("it is JSON"));
        lines.filter(|line| line.get("row").is_some()).count() as u64
    };
    print_ratio("judge rows again", "serde_json", &paired(rounds, ours, theirs), 2.0);
}

/// The rows of an audit of one binary, whose row is repeated under other names.
fn rows(number: usize) -> String {
    let store = tempfile::tempdir().expect("there is a place for temporary files");
    let names: Vec<String> = (0..18).map(|nth| format!("package-{nth}")).collect();
    let mut list: Vec<(&str, &str)> = names.iter().map(|name| (&**name, "1.2.3")).collect();
    list.extend([("smallvec", "1.6.0"), ("atty", "0.2.14")]);
    let bytes = module(&[custom("licenses", "MIT"), custom("version", "1.0.0"), packages(&list)]);
    std::fs::write(store.path().join("a.wasm"), bytes).expect("the disk has room");
    let mut text = Vec::new();
    let roots = [store.path().into()];
    let audit = Audit::new(Policy::default());
    audit.run(&roots, Some(Format::Jsonl), &mut text, &Progress::new()).expect("memory can be written");
    let text = String::from_utf8(text).expect("JSON is UTF-8");
    let [head, row, tail] = text.lines().collect::<Vec<_>>()[..] else { panic!("one row") };
    let mut rows = format!("{head}\n");
    for nth in 0..number {
        writeln!(rows, "{}", row.replace("a.wasm", &format!("{nth}.wasm"))).expect("memory can be written");
    }
    rows + tail + "\n"
}
