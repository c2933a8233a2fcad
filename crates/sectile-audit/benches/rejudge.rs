//! Rows that are judged again by a database of advisories, against parsing them.
//!
//! | row | baseline | target |
//! | --- | --- | --- |
//! | 200,000 rows of binaries with 20 packages each | parsing them with `serde_json` | at most 2 x |
//! | the rows of the real corpus | its audit with all packages | 100 x as fast |
//!
//! Both sides take turns. The line gives the fastest round of each, and the median of the ratios of the rounds.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use sectile_advisories::Advisories;
use sectile_audit::{Audit, Format, FormatWriter, Progress, Root, SavedRows};
use sectile_policy::{Packages, Policy};
use sectile_testing::bench::rounds::{paired, print_ratio};
use sectile_testing::binary::{custom, module, packages};
use sectile_testing::files::project;

fn main() {
    let measures = std::env::args().any(|arg| arg == "--bench"); // `cargo test --benches` runs it briefly
    let (number, rounds) = if measures { (200_000, 5) } else { (100, 1) };
    let database = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sectile-advisories/tests/advisory-db");
    let mut advisories = Advisories::default();
    advisories.read(database).expect("the database is complete");
    let mut policy = Policy::default().with_advisories(advisories);
    policy.packages = Packages::All;
    generated(&policy, number, rounds);
    real(&Arc::new(policy), if measures { 5 } else { 0 });
}

fn generated(policy: &Policy, number: usize, rounds: usize) {
    let rows = rows(number);
    let ours = || {
        let saved = SavedRows::read(rows.as_bytes()).expect("these are rows");
        let outcome = saved.with_policy(policy, None, None).write(&mut []).expect("nothing is written");
        assert_eq!(outcome.summary.refused, number as u64);
        outcome.summary.rows
    };
    let theirs = || {
        let lines = rows.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("it is JSON"));
        lines.filter(|line| line.get("row").is_some()).count() as u64
    };
    print_ratio("judge rows again", "serde_json", &paired(rounds, ours, theirs), 2.0);
}

/// Measures the real corpus, if it was fetched.
fn real(policy: &Arc<Policy>, rounds: usize) {
    let corpus = project().join("benches/corpus/files");
    if !corpus.exists() || rounds == 0 {
        println!("rejudge/corpus: was not fetched, or is not measured");
        return;
    }
    let roots = [Root::from(corpus.canonicalize().expect("it exists"))];
    let audit = Audit::new(Arc::clone(policy));
    let mut rows = Vec::new();
    let first = audit.run(&roots, Some(Format::Jsonl), &mut rows, &Progress::new()).expect("memory can be written");
    let (number, refused) = (first.summary.rows, first.summary.refused);
    let ours = || {
        let saved = SavedRows::read(&*rows).expect("these are rows");
        let mut out = Vec::new();
        let outputs = &mut [FormatWriter::new(Format::Jsonl, &mut out)];
        let outcome = saved.with_policy(policy, None, None).write(outputs).expect("memory can be written");
        assert_eq!((outcome.summary.rows, outcome.summary.refused), (number, refused));
        number
    };
    let theirs = || {
        audit
            .run(&roots, Some(Format::Jsonl), &mut Vec::new(), &Progress::new())
            .expect("memory can be written")
            .summary
            .rows
    };
    let ratios = paired(rounds, ours, theirs);
    let fastest = ratios.theirs / ratios.ours;
    println!(
        "| judge the corpus again: {number} rows in {:.2} ms, the audit {:.0} ms, {fastest:.0} x as fast (median {:.0}; to reach 100): {}\n",
        ratios.ours * 1e3,
        ratios.theirs * 1e3,
        1.0 / ratios.median,
        if fastest >= 100.0 { "reached" } else { "MISSED" },
    );
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
