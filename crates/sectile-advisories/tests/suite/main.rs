//! External tests of the crate, in one binary that is linked once.
#![allow(clippy::unwrap_used, clippy::pedantic)]

mod bad_input;
mod database;
#[cfg(feature = "zip")]
mod fuzz;
mod oracle;
mod osv;

use std::path::PathBuf;

use sectile_advisories::{Advisories, Ecosystem, PackageId};
use sectile_testing::files::project;

/// A few advisories of RustSec's database.
fn sample() -> PathBuf {
    project().join("crates/sectile-advisories/tests/advisory-db")
}

/// The whole database: the directory in `SECTILE_ADVISORY_DB`, or a directory beside the project.
fn whole() -> Option<PathBuf> {
    let given = std::env::var_os("SECTILE_ADVISORY_DB").map(PathBuf::from);
    given.or_else(|| Some(project().join("../shared/advisory-db")).filter(|path| path.is_dir()))
}

fn read(path: impl AsRef<std::path::Path>) -> Advisories {
    let mut advisories = Advisories::default();
    advisories.read(path).unwrap();
    advisories
}

/// The identifiers of the advisories that affect a version.
fn ids(advisories: &Advisories, ecosystem: Ecosystem, name: &str, version: &str) -> Vec<String> {
    let matches = advisories.matches(PackageId::new(ecosystem, name, version));
    assert!(matches.unjudged.is_empty(), "{name} {version}");
    matches.affected.iter().map(|affected| affected.advisory().id.to_string()).collect()
}
