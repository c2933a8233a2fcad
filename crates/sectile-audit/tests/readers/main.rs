//! Law 11: an audit sees every module that any other program would extract.
//!
//! Third-party programs and libraries extract inconsistent archives. Each extracted module must have a
//! row in the audit, or the archive must have an error. `cargo xtask ci readers` installs these
//! programs, and `cargo xtask readers CASES SEED` runs a campaign.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::pedantic)]

mod accepted;
mod audits;
mod borrowed;
mod choices;
mod comparison;
mod compress;
mod generator;
mod libraries;
mod modules;
mod ordinary;
mod programs;
mod shrink;
mod tar;
mod zip;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use self::comparison::{Table, Workshop};
use self::generator::Case;

/// A number from the environment.
fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")))
}

#[test]
#[ignore = "needs other people's programs"]
fn other_tools_extract_only_what_an_audit_lists() {
    const CHUNK: u64 = 1_000;
    let cases = setting("SECTILE_READERS_CASES", 3_000);
    let start = setting("SECTILE_READERS_FIRST", 0);
    let seed = setting("SECTILE_READERS_SEED", 1);
    let sample = setting("SECTILE_READERS_SAMPLE", 1).max(1) as usize;
    let most_shrunk = setting("SECTILE_READERS_SHRINK", 5);
    // Cases with this word in their recipe are counted, but not shrunk.
    let skipped_files = std::env::var("SECTILE_READERS_PASS_OVER").ok();
    // The reader whose modules a shrunk case must hide. By default, any reader of the case.
    let by = std::env::var("SECTILE_READERS_BY").ok();
    limit_files();
    let workshop = Workshop::new();
    let (mut table, mut hiding, mut slow) = (Table::default(), Vec::new(), 0);
    let mut known_disagreements = BTreeMap::new();
    let kept = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("hidden");
    _ = fs::remove_dir_all(&kept);
    fs::create_dir_all(&kept).unwrap();
    for first in (start..start + cases).step_by(CHUNK as usize) {
        let chunk: Vec<Case> =
            (first..(start + cases).min(first + CHUNK)).map(|number| Case::new(seed, number)).collect();
        let comparison = workshop.compare(&chunk, sample);
        for (nth, extractions) in comparison.hidden() {
            let readers: BTreeSet<String> = extractions.iter().map(|one| one.reader.clone()).collect();
            match accepted::find(&chunk[nth], &readers) {
                Some(reason) => *known_disagreements.entry(reason).or_insert(0_u64) += 1,
                None => hiding.push((first + nth as u64, readers, chunk[nth].clone())),
            }
        }
        for (nth, time) in &comparison.slow {
            let Case { extension, bytes, recipe, .. } = &chunk[*nth];
            let path = kept.join(libraries::file_name(first as usize + nth, extension));
            libraries::write(&path, bytes);
            println!("{}: the audit takes {time:.1?}\n  {}\n", path.display(), recipe.join("\n  "));
        }
        slow += comparison.slow.len();
        table.add(&comparison);
        let (readers, audit) = comparison.times;
        eprintln!("{} cases, {} hidden (readers {readers:.1?}, audit {audit:.1?})", table.cases, table.hidden());
    }
    println!("{table}");
    for (reason, cases) in &known_disagreements {
        println!("{cases} cases are accepted: {reason}\n");
    }
    let list = hiding.iter().map(|(number, readers, case)| {
        let readers: Vec<&str> = readers.iter().map(String::as_str).collect();
        format!("{number}\t{}\t{}\n", readers.join(", "), case.recipe.join("; "))
    });
    libraries::write(&kept.join("list.txt"), list.collect::<String>().as_bytes());
    let mut known = BTreeSet::new();
    let mut shrunk = 0;
    for (number, readers, case) in &hiding {
        if shrunk == most_shrunk {
            break;
        }
        if case.recipe.iter().any(|step| skipped_files.as_ref().is_some_and(|word| step.contains(word))) {
            continue;
        }
        let readers = by.clone().map_or_else(|| readers.clone(), |by| BTreeSet::from([by]));
        let small = shrink::shrink(&workshop, case.clone(), &readers);
        if !known.insert(small.recipe.clone()) {
            continue;
        }
        shrunk += 1;
        let path = kept.join(libraries::file_name(*number as usize, small.extension));
        libraries::write(&path, &small.bytes);
        let comparison = workshop.compare(std::slice::from_ref(&small), 1);
        let hidden = comparison.hidden();
        let small_readers: Vec<_> =
            hidden.values().flatten().map(|one| format!("{} by {}", one.module, one.reader)).collect();
        let recipe = format!(
            "case {number} of seed {seed}, {}\nmodule {}\n  (before it was shrunk: {})\n  {}\n",
            path.display(),
            small_readers.join(", "),
            readers.iter().cloned().collect::<Vec<_>>().join(", "),
            small.recipe.join("\n  ")
        );
        libraries::write(&path.with_extension("recipe.txt"), recipe.as_bytes());
        println!("{recipe}");
    }
    assert!(slow == 0, "the audits of {slow} cases are slow");
    assert!(hiding.is_empty(), "{} cases hide modules from the audit; some are in {}", hiding.len(), kept.display());
}

/// The archives that Go and CPython test their readers with.
#[test]
#[ignore = "needs other people's programs"]
fn test_data_of_go_and_cpython_hides_nothing() {
    limit_files();
    let cases = borrowed::cases();
    let has_modules = |case: &&Case| !case.recipe.contains(&"0 modules".to_owned());
    let planted = cases.iter().filter(has_modules).count();
    assert!(cases.len() > 70 && planted > 20, "{} cases, {planted} with modules", cases.len());
    let comparison = Workshop::new().compare(&cases, 1);
    let mut table = Table::default();
    table.add(&comparison);
    println!("{table}");
    for (case, answer) in cases.iter().zip(&comparison.answers) {
        if !answer.errors.is_empty() {
            println!("{}: {}", case.recipe.join(", "), answer.errors.join("; "));
        }
    }
    let hidden: Vec<String> = comparison
        .hidden()
        .into_iter()
        .map(|(nth, modules)| {
            let by = modules.iter().map(|one| format!("{} by {}", one.module, one.reader)).collect::<Vec<_>>();
            format!("{}: {}", cases[nth].recipe.join(", "), by.join(", "))
        })
        .collect();
    assert!(hidden.is_empty() && comparison.slow.is_empty(), "{hidden:#?}");
}

/// Cases 379385 and 539078 ended an entry of unknown size before the block that was read.
#[test]
fn audits_of_generated_cases_end() {
    let directory = tempfile::tempdir().unwrap();
    let cases: Vec<Case> = (379_300..379_400).chain(539_050..539_100).map(|number| Case::new(7, number)).collect();
    for (nth, case) in cases.iter().enumerate() {
        libraries::write(&directory.path().join(libraries::file_name(nth, case.extension)), &case.bytes);
    }
    audits::audit_file(directory.path());
}

#[test]
#[ignore = "needs other people's programs"]
fn ordinary_archives_have_no_errors() {
    let directory = tempfile::tempdir().unwrap();
    ordinary::check(&libraries::Libraries::build(directory.path()).go);
}

/// Limits the size of files that programs write when they extract a lie.
fn limit_files() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let limit = Some(64 << 20);
    setrlimit(Resource::Fsize, Rlimit { current: limit, maximum: limit }).unwrap();
}

#[test]
fn cases_are_the_same_in_every_run() {
    for number in 0..300 {
        let case = Case::new(1, number);
        let again = Case::replay(case.choices.clone());
        assert!(Case::new(1, number).bytes == case.bytes && again.bytes == case.bytes, "{number}: {:?}", case.recipe);
    }
}
