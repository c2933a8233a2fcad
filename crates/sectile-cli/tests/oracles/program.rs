//! Programs that may be missing.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use sectile_testing::files::project;

/// The program that `.ci/peers` installed with Go, or else that of the system. `None`, with a message, if there is none.
pub fn find(name: &str, program: &str) -> Option<PathBuf> {
    let installed = project().join("target/go/bin").join(program);
    if installed.is_file() {
        return Some(installed);
    }
    let mut command = Command::new(program);
    if command.arg("--version").stdin(Stdio::null()).output().is_ok() {
        return Some(program.into());
    }
    // Not printed with a macro, because the test harness captures the output of a passing test.
    _ = writeln!(io::stderr(), "SKIPPED: {name}: {program} is not installed (.ci/peers installs it)");
    None
}
