//! Pages and files in `docs` that are generated from the source.

#[cfg(unix)]
mod ci;
pub mod schema;

use std::fs;

use sectile_testing::files::project;

/// The package has two programs: `cargo run -p sectile-cli` needs to know which one the README means.
#[test]
fn the_readme_runs_the_command() {
    let readme = fs::read_to_string(project().join("README.md")).unwrap();
    assert!(readme.contains("cargo run --release -p sectile-cli -- show tests/files/"));
    let package = fs::read_to_string(project().join("crates/sectile-cli/Cargo.toml")).unwrap();
    assert!(package.contains("default-run = \"sectile\"\n"));
}
