//! Matching packages with a database, against parsing the rows that hold them.
//!
//! | row | baseline | target |
//! | --- | --- | --- |
//! | 1,000,000 packages, one in six with an advisory | parsing their rows | at most 0.3 x |
//!
//! The database is the one in `SECTILE_ADVISORY_DB`, or the few advisories of the tests.
//!
//! Both sides take turns. The line gives the fastest round of each, and the median of the ratios of the rounds.

use std::borrow::Cow;
use std::fmt::Write;
use std::path::PathBuf;

use serde::Deserialize;

use sectile_advisories::{Advisories, Affected, Ecosystem, PackageId};
use sectile_testing::bench::rounds::{paired, print_ratio};

/// A list of packages, as a row of an audit has it.
#[derive(Deserialize)]
struct List<'l> {
    #[serde(borrow)]
    dependencies: Vec<Package<'l>>,
}

#[derive(Deserialize)]
struct Package<'l> {
    #[serde(borrow)]
    name: Cow<'l, str>,
    #[serde(borrow)]
    version: Cow<'l, str>,
    #[serde(borrow)]
    source: Cow<'l, str>,
    #[serde(borrow)]
    kind: Cow<'l, str>,
    root: bool,
    dependencies: Vec<usize>,
}

fn main() {
    let measures = std::env::args().any(|arg| arg == "--bench"); // `cargo test --benches` runs it briefly
    let (packages, rounds) = if measures { (1_000_000, 15) } else { (1_000, 1) };
    let sample = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/advisory-db"));
    let path = std::env::var_os("SECTILE_ADVISORY_DB").map_or(sample, PathBuf::from);
    let mut advisories = Advisories::default();
    advisories.read(path).expect("the database is complete");

    let rows = rows(&advisories, packages);
    let lists: Vec<List<'_>> = rows.iter().map(|row| serde_json::from_str(row).expect("it is a row")).collect();
    let ours = || {
        let packages = lists.iter().flat_map(|list| &list.dependencies);
        let of = |package: &Package<'_>| {
            let id = PackageId::new(Ecosystem::CratesIo, &package.name, &package.version);
            advisories.matches(id).affected.len() as u64
        };
        packages.map(of).sum::<u64>()
    };
    let theirs = || {
        let parse = |row: &String| {
            let list: List<'_> = serde_json::from_str(row).expect("it is a row");
            let sizes = list.dependencies.iter().map(|package| {
                let texts = package.source.len() + package.kind.len();
                texts + usize::from(package.root) + package.dependencies.len()
            });
            sizes.sum::<usize>() as u64
        };
        rows.iter().map(parse).sum::<u64>()
    };
    println!("{packages} packages, {} matches", ours());
    print_ratio("match packages", "parsing", &paired(rounds, ours, theirs), 0.3);
}

/// Lists of 200 packages. One in six packages has the name of one with advisories.
fn rows(advisories: &Advisories, packages: usize) -> Vec<String> {
    let named: Vec<&str> = advisories.affected().map(Affected::package).collect();
    let package = |nth: usize| {
        let mut text = String::from("{\"name\":\"");
        let scattered = nth.wrapping_mul(0x9e37_79b9);
        match nth % 6 {
            0 => text += named[scattered % named.len()],
            _ => write!(text, "package-{}", scattered % 100_000).expect("memory can be written"),
        }
        let (minor, patch) = (scattered % 13, scattered % 7);
        write!(text, "\",\"version\":\"{}.{minor}.{patch}\",\"source\":\"crates.io\",\"kind\":\"runtime\"", nth % 3)
            .expect("memory can be written");
        write!(text, ",\"root\":false,\"dependencies\":[{},{}]}}", nth % 200, (nth + 7) % 200)
            .expect("memory can be written");
        text
    };
    let list = |first: usize| {
        let packages: Vec<String> = (first..packages.min(first + 200)).map(package).collect();
        format!("{{\"dependencies\":[{}]}}", packages.join(","))
    };
    (0..packages).step_by(200).map(list).collect()
}
