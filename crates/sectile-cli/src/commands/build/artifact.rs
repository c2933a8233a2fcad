//! Sets the metadata of a binary that Cargo built.
//!
//! Cargo keeps a binary under two names, which are hard links of one file: `deps/app.wasm`, and
//! `app.wasm` in the directory above. Each build recreates the second link if it is missing. So
//! both names are replaced, and remain hard links of one file.
//!
//! The edit starts from the file that Cargo wrote, which is kept in `deps/.sectile`. So fields that
//! the settings now omit disappear, and the result does not depend on earlier builds. The kept file has
//! the modification time of the edited one. If the times differ, Cargo has rebuilt the binary.

use std::fs::{self, File, FileTimes, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime};

use sectile::internal::fingerprint::FileFingerprint;
use sectile::internal::lock::{LockError, Locked};
use sectile::splice::{WriteError, WriteOptions};
use sectile::{Edit, Input};

use super::messages::Artifact;
use crate::display::escaped;
use crate::failure::Failure;
use crate::output::Output;
use crate::source::InputSource;

/// Whether a binary and its other names have the metadata, as far as this can be known without the
/// lock of the target directory. Nothing is written.
pub fn is_up_to_date(artifact: &Artifact, edit: &Edit) -> bool {
    let files = ArtifactFiles::new(&artifact.path);
    files.state().is_ok_and(|state| files.have(edit, &state).unwrap_or(false))
}

/// The section that lists a binary's dependencies. Source: cargo-auditable.
pub const DEPENDENCIES: &str = ".dep-v0";

/// The origin of the dependency list in a binary.
pub enum DependencyList {
    /// The compiler wrote it.
    Compiler,
    /// An earlier run of this command wrote it for the same build.
    Current(Vec<u8>),
    /// There is none, or it is of an earlier build.
    None,
}

impl DependencyList {
    /// Finds the list in a binary.
    pub fn find(artifact: &Artifact) -> Result<Self, Failure> {
        let files = ArtifactFiles::new(&artifact.path);
        let is_edited = files.state()?.is_edited;
        let original = Input::open(if is_edited { &files.original } else { &files.main })?.read()?;
        if original.items().any(|item| item.dependencies().is_some()) {
            return Ok(Self::Compiler);
        }
        let current = Input::open(&files.main)?.read()?;
        let list = current.root().dependencies().map(|list| list.raw().as_bytes().to_owned());
        Ok(list.map_or(Self::None, Self::Current))
    }
}

/// Sets the metadata of a binary, and returns the number of sections that changed; 0 if it is up to
/// date.
pub fn set(artifact: &Artifact, edit: &Edit, output: &mut Output) -> Result<usize, Failure> {
    let source = InputSource::for_path(&artifact.path);
    let _lock = lock_target_directory(&artifact.path, output)?;
    let metadata = fs::metadata(&artifact.path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => Failure::Other("the file that Cargo reported does not exist".to_owned()),
        _ => io_failure("read", &artifact.path, &error),
    })?;
    if metadata.permissions().readonly() {
        return Err(WriteError::ReadOnly.into());
    }
    let files = ArtifactFiles::new(&artifact.path);
    let state = files.state()?;
    if files.have(edit, &state)? {
        return Ok(0);
    }
    if !state.is_edited {
        files.keep_original()?;
    }
    let original = Input::open(&files.original)?;
    let planned = edit.plan_input(&original)?;
    for finding in planned.findings() {
        output.print_finding(&source, finding);
    }
    let new = files.original.with_extension("new");
    planned.plan().write_file(&original, &new, WriteOptions { sync: false, force: true })?;
    drop(original);
    let modified = if artifact.is_linkable { state.modified } else { SystemTime::now() };
    files.put(&new, modified).inspect_err(|_| _ = fs::remove_file(&new))?;
    Ok(planned.changes().len())
}

/// The names of one binary.
struct ArtifactFiles {
    /// The name that Cargo hard-links its other names to.
    main: PathBuf,
    others: Vec<PathBuf>,
    /// The file that Cargo wrote.
    original: PathBuf,
}

struct ArtifactState {
    /// Whether the main file is an edit of the original.
    is_edited: bool,
    len: u64,
    modified: SystemTime,
}

impl ArtifactFiles {
    fn new(path: &Path) -> Self {
        let main = linked_file(path);
        let others = if main.as_deref().is_some_and(|main| main != path) { vec![path.to_owned()] } else { Vec::new() };
        let main = main.unwrap_or_else(|| path.to_owned());
        let name = main.file_name().unwrap_or_default();
        let original = main.with_file_name(".sectile").join(name);
        Self { main, others, original }
    }

    fn state(&self) -> Result<ArtifactState, Failure> {
        let failed = |error| io_failure("read", &self.main, &error);
        let metadata = fs::metadata(&self.main).map_err(failed)?;
        let modified = metadata.modified().map_err(failed)?;
        let original = fs::metadata(&self.original).and_then(|original| original.modified());
        Ok(ArtifactState {
            is_edited: original.is_ok_and(|original| original == modified),
            len: metadata.len(),
            modified,
        })
    }

    /// Whether all names are those of a file that has the metadata of this edit.
    fn have(&self, edit: &Edit, state: &ArtifactState) -> Result<bool, Failure> {
        // Every requested value is present, and the length leaves no room for another one.
        let has_len = !state.is_edited || edit.plan_input(&Input::open(&self.original)?)?.plan().len() == state.len;
        Ok(has_len
            && edit.plan_input(&Input::open(&self.main)?)?.plan().is_identity()
            && self.others.iter().all(|other| is_copy(other, &self.main)))
    }

    /// Keeps the file that Cargo wrote under another name.
    fn keep_original(&self) -> Result<(), Failure> {
        let failed = |error| io_failure("keep", &self.main, &error);
        if let Some(directory) = self.original.parent() {
            fs::create_dir_all(directory).map_err(failed)?;
        }
        let kept = self.original.with_extension("kept");
        _ = fs::remove_file(&kept);
        if fs::hard_link(&self.main, &kept).is_err() {
            copy_with_time(&self.main, &kept).map_err(failed)?; // a file system without hard links
        }
        fs::rename(&kept, &self.original).inspect_err(|_| _ = fs::remove_file(&kept)).map_err(failed)
    }

    /// Replaces the main file with a new file, and links the other names to it.
    fn put(&self, new: &Path, modified: SystemTime) -> Result<(), Failure> {
        let failed = |error| io_failure("write", &self.main, &error);
        let permissions = fs::metadata(&self.main).map_err(failed)?.permissions();
        fs::set_permissions(new, permissions).map_err(failed)?;
        set_modified(new, modified).map_err(failed)?;
        // If the process is killed in between, the main file is either an edit of the original or
        // the original.
        set_modified(&self.original, modified).map_err(failed)?;
        fs::rename(new, &self.main).map_err(failed)?;
        self.link_others()
    }

    /// Links the other names to the main file, if they are not links yet. Cargo would do so in the
    /// next build.
    fn link_others(&self) -> Result<(), Failure> {
        for other in &self.others {
            if is_copy(other, &self.main) {
                continue;
            }
            let failed = |error| io_failure("write", other, &error);
            let link = self.original.with_extension("link");
            _ = fs::remove_file(&link);
            if fs::hard_link(&self.main, &link).is_err() {
                copy_with_time(&self.main, &link).map_err(failed)?;
            }
            fs::rename(&link, other).inspect_err(|_| _ = fs::remove_file(&link)).map_err(failed)?;
        }
        Ok(())
    }
}

/// The file in `deps`, or in the same directory, that Cargo linked this one to.
fn linked_file(path: &Path) -> Option<PathBuf> {
    let directory = path.parent()?;
    let name = path.file_name()?;
    let crate_name = name.to_str().map(|name| name.replace('-', "_"));
    let directories = [directory.join("deps"), directory.to_owned()];
    let candidates = directories.iter().filter_map(|directory| fs::read_dir(directory).ok());
    let candidates = candidates.flat_map(|entries| entries.flatten().map(|entry| entry.path()));
    let is_wasm = |candidate: &PathBuf| candidate != path && candidate.extension() == path.extension();
    let mut candidates: Vec<PathBuf> = candidates.filter(is_wasm).collect();
    candidates.sort();
    if let Some(same) = candidates.iter().find(|candidate| is_same_file(candidate, path)) {
        return Some(same.clone());
    }
    // Without hard links, Cargo copies `deps/NAME.wasm` or `deps/NAME-HASH.wasm`.
    let crate_name = crate_name?;
    let stem = crate_name.strip_suffix(".wasm")?;
    let is_copied = |candidate: &&PathBuf| {
        let name = candidate.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        let hash = name.strip_prefix(stem).and_then(|rest| rest.strip_prefix('-'));
        let is_named = name == stem || hash.is_some_and(|hash| hash.len() == 16);
        is_named && candidate.parent() != Some(directory) && has_same_content(candidate, path)
    };
    candidates.iter().find(is_copied).cloned()
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    let id = |path: &Path| fs::metadata(path).ok().and_then(|metadata| FileFingerprint::new(&metadata).file);
    id(one).is_some_and(|one| id(other) == Some(one))
}

/// Whether one file is a link of the other, or a copy, as on a file system without hard links.
fn is_copy(one: &Path, other: &Path) -> bool {
    is_same_file(one, other) || has_same_content(one, other)
}

fn has_same_content(one: &Path, other: &Path) -> bool {
    let len = |path: &Path| fs::metadata(path).map(|metadata| metadata.len());
    matches!((len(one), len(other)), (Ok(one), Ok(other)) if one == other)
        && matches!((fs::read(one), fs::read(other)), (Ok(one), Ok(other)) if one == other)
}

fn copy_with_time(from: &Path, to: &Path) -> io::Result<()> {
    fs::copy(from, to)?;
    set_modified(to, fs::metadata(from)?.modified()?)
}

fn set_modified(path: &Path, time: SystemTime) -> io::Result<()> {
    OpenOptions::new().write(true).open(path)?.set_times(FileTimes::new().set_modified(time))
}

/// The locks of Cargo's target directory. Source: Cargo's `Layout`.
const LOCKS: [&str; 3] = [".cargo-lock", ".cargo-build-lock", ".cargo-artifact-lock"];

/// Waits until no other build uses the target directory, and locks it.
fn lock_target_directory(path: &Path, output: &mut Output) -> Result<Vec<Locked>, Failure> {
    let mut locks = Vec::new();
    let mut is_told = false;
    // `deps/artifact/NAME-HASH/bin/app.wasm` is the deepest path of a binary.
    for directory in path.ancestors().skip(1).take(6) {
        for path in LOCKS.map(|name| directory.join(name)) {
            loop {
                let Ok(file) = File::open(&path) else { break };
                match Locked::exclusive(file) {
                    Ok(lock) => locks.push(lock),
                    Err(LockError::Held) => {
                        if !is_told {
                            output.print_note(None, &"waiting for another build in the target directory");
                            is_told = true;
                        }
                        thread::sleep(Duration::from_millis(20));
                        continue;
                    }
                    Err(LockError::Io(error)) => return Err(io_failure("lock", &path, &error)),
                }
                break;
            }
        }
        if !locks.is_empty() {
            break;
        }
    }
    Ok(locks)
}

fn io_failure(what: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::Other(format!("cannot {what} {}: {error}", escaped(path.as_os_str())))
}
