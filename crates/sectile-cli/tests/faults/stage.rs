//! A directory in which one run of the command can fail, and its state afterwards.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use rustix::fs::XattrFlags;
use sectile_testing::server::Server;
use tempfile::TempDir;

use crate::modes::{Mode, Sink, source};

/// The owner of the files if root runs the tests. It is another user, so that the owner must be
/// preserved.
const OWNER: u32 = 65534;
const MODE: u32 = 0o640;
const ATTRIBUTE: (&str, &[u8]) = ("user.sectile-test", b"carried over");

/// A directory with the input files of a mode.
pub struct Stage {
    directory: TempDir,
    /// A registry that the commands use.
    pub registry: Option<Server>,
}

/// The result of a run.
#[derive(Debug)]
pub struct Ended {
    /// `None` if it was killed.
    pub status: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    pub fn of(output: Output) -> Self {
        let is_killed = output.status.signal() == Some(9);
        assert!(is_killed || output.status.code().is_some(), "{output:?}");
        Self {
            status: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    #[track_caller]
    pub fn succeeds(self) -> Self {
        assert_eq!((self.status, &*self.stderr), (Some(0), ""), "{self:?}");
        self
    }

    /// Asserts a refusal in one line that contains these words.
    #[track_caller]
    pub fn refused(self, words: &str) -> Self {
        assert!(self.status == Some(2) && self.stderr.contains(words), "{self:?}");
        assert_eq!(self.stderr.matches('\n').count(), 1, "{self:?}");
        self
    }
}

/// The command.
pub fn sectile() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sectile"));
    clean(&mut command);
    command
}

/// Another program that runs the command.
pub fn through(program: &str, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(args).arg(env!("CARGO_BIN_EXE_sectile"));
    clean(&mut command);
    command
}

fn clean(command: &mut Command) {
    command.env("SECTILE_CONFIG", ""); // the user's own configuration is not read
    command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE").env_remove("LD_LIBRARY_PATH").stdin(Stdio::null());
}

/// Runs the command.
pub fn end(command: &mut Command) -> Ended {
    Ended::of(command.output().unwrap_or_else(|error| panic!("{command:?}: {error}")))
}

/// A directory in memory if possible, because some tests sync a thousand times.
pub fn directory() -> TempDir {
    if let Ok(shared) = tempfile::tempdir_in("/dev/shm") {
        // Older systems do not support attributes there.
        if rustix::fs::setxattr(shared.path(), ATTRIBUTE.0, ATTRIBUTE.1, XattrFlags::empty()).is_ok() {
            return shared;
        }
    }
    tempfile::tempdir().unwrap()
}

impl Stage {
    /// The files before a mode runs. `None` if the interruption left nothing to recover.
    pub fn of(mode: &Mode) -> Self {
        let stage = Self { directory: directory(), registry: None };
        put(&stage.path("a.wasm"), &source());
        if let (Sink::OverFile, Some(old)) = (mode.sink, mode.old()) {
            put(&stage.path("out.wasm"), &old);
        }
        if let Sink::Recover(call, nth) = mode.sink {
            let kill = format!("inject={call}:signal=KILL:when={nth}");
            let ended = stage.run_traced(&mode.cut_off(), &["-e", &format!("trace={call}"), "-e", &kill]);
            assert!(ended.status.is_none() && stage.journal().is_some(), "{mode:?} {ended:?}");
        }
        stage
    }

    /// An ordinary file of the current user.
    pub fn plain() -> Self {
        let stage = Self { directory: directory(), registry: None };
        fs::write(stage.path("a.wasm"), source()).unwrap();
        stage
    }

    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The address of the registry.
    pub fn host(&self) -> String {
        self.registry.as_ref().map(|registry| registry.address.to_string()).unwrap_or_default()
    }

    pub fn run(&self, args: &[&str]) -> Ended {
        end(sectile().args(args).current_dir(self.directory.path()))
    }

    /// Runs a shell script, in which `$0` is the command.
    pub fn shell(&self, script: &str) -> Ended {
        let mut shell = Command::new("sh");
        shell.args(["-c", script, env!("CARGO_BIN_EXE_sectile")]).current_dir(self.directory.path());
        clean(&mut shell);
        end(&mut shell)
    }

    /// Runs a mode under strace.
    pub fn run_traced(&self, mode: &Mode, options: &[&str]) -> Ended {
        let strace = [&["-f", "-qq", "-o", "/dev/null"], options].concat();
        end(through("strace", &strace).args(mode.args()).current_dir(self.directory.path()))
    }

    /// Runs a mode under strace, and returns the log.
    pub fn log(&self, mode: &Mode, options: &[&str]) -> (Ended, String) {
        let log = tempfile::NamedTempFile::new().unwrap();
        let strace = [&["-f", "-qq", "-o", log.path().to_str().unwrap()], options].concat();
        let ended = end(through("strace", &strace).args(mode.args()).current_dir(self.directory.path()));
        (ended, fs::read_to_string(log.path()).unwrap())
    }

    /// The content of a file; `None` if it does not exist.
    pub fn content(&self, name: &str) -> Option<Vec<u8>> {
        fs::read(self.path(name)).ok()
    }

    /// Whether a file has the owner, mode and attributes of its predecessor.
    pub fn has_attributes(&self, name: &str) -> bool {
        let path = self.path(name);
        let metadata = fs::metadata(&path).unwrap();
        let mut value = Vec::with_capacity(100);
        let attribute = rustix::fs::getxattr(&path, ATTRIBUTE.0, rustix::buffer::spare_capacity(&mut value));
        let owner = std::os::unix::fs::MetadataExt::uid(&metadata);
        metadata.permissions().mode() & 0o7777 == MODE
            && attribute.is_ok()
            && value == ATTRIBUTE.1
            && (owner == OWNER || !is_root())
    }

    /// The names of temporary files that the command left.
    pub fn leftovers(&self) -> Vec<String> {
        let mut names = names(self.directory.path());
        names.retain(|name| name != "a.wasm" && name != "out.wasm");
        names
    }

    pub fn journal(&self) -> Option<String> {
        self.leftovers().into_iter().find(|name| name.ends_with(".journal"))
    }
}

/// The names in a directory, sorted.
pub fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// A file with an owner, a mode and an attribute to preserve.
fn put(path: &Path, content: &[u8]) {
    fs::write(path, content).unwrap();
    rustix::fs::setxattr(path, ATTRIBUTE.0, ATTRIBUTE.1, XattrFlags::empty()).unwrap();
    if is_root() {
        chown(path, Some(OWNER), Some(OWNER)).unwrap();
    }
    fs::set_permissions(path, fs::Permissions::from_mode(MODE)).unwrap();
}

pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
