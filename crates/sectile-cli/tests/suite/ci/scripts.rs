//! Scripts in their own directory, with stand-ins for programs that would build or fetch something.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use sectile_testing::binary::{custom, module};

/// A directory for a script. `work` is a checkout, and `bin` comes first in `PATH`.
pub struct Sandbox(TempDir);

impl Sandbox {
    pub fn new() -> Self {
        let sandbox = Self(tempfile::tempdir().unwrap());
        for name in ["work", "bin", "temp"] {
            fs::create_dir(sandbox.path(name)).unwrap();
        }
        sandbox
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// Adds a binary with this license to the checkout.
    pub fn add_binary(&self, name: &str, license: &str) {
        self.write(&format!("work/{name}"), module(&[custom("licenses", license)]));
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// Adds a program of these lines of bash.
    pub fn add_program(&self, name: &str, lines: &str) {
        use std::os::unix::fs::PermissionsExt;
        let path = format!("bin/{name}");
        self.write(&path, format!("#!/usr/bin/env bash\n{lines}\n"));
        fs::set_permissions(self.path(&path), fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Adds a `cargo` that records its arguments in `cargo`. It puts the built command where Cargo
    /// would install or build it.
    pub fn add_cargo(&self) {
        let lines = format!(
            "printf '%s\\n' \"$PWD\" \"$@\" >>'{}'\n\
             while [ $# -gt 0 ]; do case $1 in\n\
             --root) to=$2/bin; shift ;;\n--target-dir) to=${{to:-$2/release}}; shift ;;\nesac; shift; done\n\
             mkdir -p \"$to\" && ln -sf '{}' \"$to/sectile\"",
            self.path("cargo").display(),
            env!("CARGO_BIN_EXE_sectile"),
        );
        self.add_program("cargo", &lines);
    }

    /// A command in the checkout, without variables of the service that runs the tests.
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path: OsString =
            std::env::join_paths([self.path("bin")].into_iter().chain(std::env::split_paths(&path))).unwrap();
        command.current_dir(self.path("work")).env("PATH", path);
        command.env("SECTILE_CONFIG", ""); // the user's own configuration is not read
        for variable in ["SOURCE_DATE_EPOCH", "NO_COLOR", "CLICOLOR_FORCE", "CARGO_TARGET_DIR"] {
            command.env_remove(variable);
        }
        command
    }
}
