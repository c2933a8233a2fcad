//! Writes a plan to files atomically.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::Path;

use super::attributes;
use super::copy::splice;
use super::output::OutputPlace;
use super::target::{LockPurpose, Target};
use super::{Plan, WriteError, WriteOptions};
use crate::drive;
use crate::error::Error;
use crate::fs::atomic::{Access, AtomicFile};
use crate::input::Input;
use crate::limits::Limits;
use crate::scan::{DataRequest, Section, Visitor};

impl Plan {
    /// Replaces the plan's source file atomically. At every instant, and after a kill, readers see
    /// either the old or the new file. The same holds after a power loss, unless
    /// [`WriteOptions::sync`] is off.
    ///
    /// Writes a temporary file in the same directory, gives it the old file's mode, owner and, on
    /// Linux, extended attributes, and renames it. The kernel copies kept ranges if it can.
    /// Symbolic links are followed and stay. If the plan changes nothing, nothing is written.
    ///
    /// ```no_run
    /// use sectile::{Edit, Field, Input, splice::WriteOptions};
    ///
    /// let edit = Edit::new().set(Field::Licenses, "MIT OR Apache-2.0")?;
    /// let planned = edit.plan_input(&Input::open("app.wasm")?)?;
    /// planned.plan().replace("app.wasm", WriteOptions::default())?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// - The plan is for bytes in memory, or for another file or state of it.
    /// - The file is read-only, has several hard links, or has attributes that cannot be preserved,
    ///   unless [`WriteOptions::force`] is set.
    /// - Another process edits the file, or an in-place edit was interrupted.
    /// - The system reports an error.
    ///
    /// See [`WriteError`].
    pub fn replace(&self, path: impl AsRef<Path>, options: WriteOptions) -> Result<(), WriteError> {
        let target = Target::lock(path.as_ref(), LockPurpose::Replace { force: options.force })?;
        if self.fingerprint != Some(target.fingerprint) {
            return Err(WriteError::OtherSource);
        }
        target.check_whole()?;
        if self.is_identity() {
            return Ok(());
        }
        self.write_over(&target, options)
    }

    /// Writes the output to another file. An existing regular file is replaced like in
    /// [`replace`](Self::replace). A special file, such as a device or a FIFO, is written to.
    /// Symbolic links are followed and stay, even if their target does not exist yet.
    ///
    /// # Errors
    ///
    /// As for [`replace`](Self::replace). [`WriteError::SameFile`] if the output is the source.
    /// [`WriteError::Place`] if another process creates a file at the path in the meantime.
    pub fn write_file(&self, source: &Input, path: impl AsRef<Path>, options: WriteOptions) -> Result<(), WriteError> {
        if !self.is_for(source) {
            return Err(WriteError::OtherSource);
        }
        let place = OutputPlace::open(path.as_ref(), options)?;
        place.check_other_than(source.fingerprint().file)?;
        let output = place.create(options)?;
        match output.temporary() {
            Some(file) => self.fill(source.file(), file, options)?,
            None => self.write_to(source, &mut output.file()).map_err(WriteError::Write)?,
        }
        output.finish(|| source_unchanged(source))
    }

    fn write_over(&self, target: &Target, options: WriteOptions) -> Result<(), WriteError> {
        if !options.force {
            target.check_replaceable()?;
        }
        let file = AtomicFile::create(target.place.clone(), Access::Private).map_err(WriteError::Create)?;
        self.fill(&target.file, &file, options)?;
        attributes::carry_over(&target.file, file.file(), options.force)?;
        finish(file, options, AtomicFile::persist, || target.check_unchanged())
    }

    fn fill(&self, source: &File, file: &AtomicFile, options: WriteOptions) -> Result<(), WriteError> {
        if !options.sync {
            allocate(file.file(), self.len());
        }
        splice(self, source, file.file()).map_err(WriteError::Write)?;
        check_framing(file.file(), self.len())
    }
}

/// Moves a written temporary file to its destination, and syncs it if requested.
///
/// # Errors
///
/// The system reports an error, or the error of `unchanged`.
pub fn finish(
    file: AtomicFile,
    options: WriteOptions,
    persist: impl FnOnce(AtomicFile) -> io::Result<()>,
    unchanged: impl FnOnce() -> Result<(), WriteError>,
) -> Result<(), WriteError> {
    let directory = file.directory(options.sync).map_err(WriteError::Sync)?;
    sync(file.file(), options).map_err(WriteError::Sync)?;
    unchanged()?;
    persist(file).map_err(WriteError::Place)?;
    directory.sync().map_err(WriteError::SyncDirectory)
}

/// Allocates the blocks of a file. Otherwise ext4 delays the rename of an unsynced file until its
/// blocks are allocated and being written (`auto_da_alloc`), which callers without `sync` do not
/// want to wait for.
fn allocate(file: &File, len: u64) {
    #[cfg(target_os = "linux")]
    {
        // Some file systems do not support this, and a full disk is reported by the write.
        _ = rustix::fs::fallocate(file, rustix::fs::FallocateFlags::empty(), 0, len);
    }
    #[cfg(not(target_os = "linux"))]
    {
        _ = (file, len);
    }
}

fn source_unchanged(source: &Input) -> Result<(), WriteError> {
    match source.changed() {
        Ok(false) => Ok(()),
        Ok(true) => Err(WriteError::Changed),
        Err(error) => Err(WriteError::Open(error)),
    }
}

/// Syncs a file if requested.
pub(super) fn sync(file: &File, options: WriteOptions) -> io::Result<()> {
    if options.sync { file.sync_all() } else { Ok(()) }
}

/// Checks that a written file has this length and valid framing.
pub(super) fn check_framing(file: &File, len: u64) -> Result<(), WriteError> {
    struct IgnoreSections;
    impl Visitor<'_> for IgnoreSections {
        fn section(&mut self, _: &Section<'_>) -> DataRequest {
            DataRequest::Nothing
        }
    }
    // The caller's limits were applied to the source when the plan was made.
    let limits = Limits {
        max_depth: u32::MAX,
        max_items: u32::MAX,
        max_sections: u64::MAX,
        max_name_len: u32::MAX,
        ..Limits::default()
    };
    let result = drive::scan_at(file, len, &mut IgnoreSections, limits).complete();
    let result = result.and_then(|()| match file.metadata() {
        Ok(metadata) if metadata.len() == len => Ok(()),
        Ok(_) => Err(Error::io(io::Error::from(ErrorKind::InvalidData), Some(len))),
        Err(error) => Err(error.into()),
    });
    result.map_err(|error| WriteError::Unsound(Box::new(error)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn torn_files_are_rejected() {
        for (bytes, len, is_valid) in [
            (&b"\0asm\x01\0\0\0\x00\x05\x04note"[..], 15, true),
            (b"\0asm\x01\0\0\0\x00\x05\x04not", 14, false),
            (b"\0asm\x01\0\0\0\x00\x05\x04not", 15, false),
            (b"\0asm\x01\0\0\0\x00\x05\x04note", 8, false),
            (b"", 0, false),
        ] {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(bytes).unwrap();
            let result = check_framing(&file, len);
            assert_eq!(matches!(result, Err(WriteError::Unsound(_))), !is_valid, "{bytes:?}: {result:?}");
        }
    }
}
