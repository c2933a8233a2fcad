//! Separate file systems, mounted for the duration of a test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A mounted file system, which is unmounted on drop.
pub struct Mounted {
    directory: TempDir,
    place: PathBuf,
}

impl Mounted {
    /// Mounts a file system in memory with this capacity.
    pub fn in_memory(size: &str) -> Self {
        Self::of(|_, place| run("mount", &["-t", "tmpfs", "-o", &format!("size={size}"), "sectile-test"], place))
    }

    /// Mounts a file system in a file, created by this program.
    pub fn made_by(program: &str, args: &[&str], size: u64) -> Self {
        Self::of(|directory, place| {
            let image = directory.join("image");
            fs::File::create(&image).unwrap().set_len(size).unwrap();
            run(program, args, &image);
            run("mount", &["-o", "loop", image.to_str().unwrap()], place);
        })
    }

    fn of(mount: impl FnOnce(&Path, &Path)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("mounted");
        fs::create_dir(&place).unwrap();
        mount(directory.path(), &place);
        Self { directory, place }
    }

    pub fn path(&self) -> &Path {
        assert!(self.directory.path().is_dir());
        &self.place
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        _ = Command::new("umount").arg(&self.place).status();
    }
}

#[track_caller]
fn run(program: &str, args: &[&str], path: &Path) {
    let output =
        Command::new(program).args(args).arg(path).output().unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(output.status.success(), "{program} {output:?}");
}
