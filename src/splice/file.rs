//! A plan written to files, each of which is wholly there or not at all.

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
    /// Replaces the file that the plan was made for: every reader, at every instant, sees wholly the old or wholly the
    /// new one, and so it is after a kill or, unless [`WriteOptions::sync`] is off, a power cut.
    ///
    /// What is kept is copied by the kernel into a temporary file in the same directory, which takes over mode, owner
    /// and, on Linux, extended attributes, and then the place. A symbolic link is followed, and stays. Where the plan changes
    /// nothing, nothing is written.
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
    /// The plan was made for bytes and not for a file, or for another file or state of it; the file is read-only, has
    /// several hard links, or attributes that cannot be kept, and nobody forced it; someone else edits it, or an edit
    /// in place was cut off; and what the system says. See [`WriteError`].
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

    /// Writes a file of its own. One that is there already is replaced as [`replace`](Self::replace) does it; what is
    /// no regular file, such as a device or a FIFO, is written to. A symbolic link is followed and stays, also one that
    /// leads to a file that does not exist yet.
    ///
    /// # Errors
    ///
    /// As for [`replace`](Self::replace); the output is the input; and where there was no file, somebody else has put
    /// one there meanwhile ([`WriteError::Place`]).
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
        finish(file, options, AtomicFile::put, || target.check_unchanged())
    }

    fn fill(&self, source: &File, file: &AtomicFile, options: WriteOptions) -> Result<(), WriteError> {
        if !options.sync {
            allocate(file.file(), self.len());
        }
        splice(self, source, file.file()).map_err(WriteError::Write)?;
        check_sound(file.file(), self.len())
    }
}

/// Puts a file that is written into its place, and waits for the disk, if that is asked for.
///
/// # Errors
///
/// The error of the system, or that the file was changed in the meantime.
pub fn finish(
    file: AtomicFile,
    options: WriteOptions,
    put: impl FnOnce(AtomicFile) -> io::Result<()>,
    unchanged: impl FnOnce() -> Result<(), WriteError>,
) -> Result<(), WriteError> {
    let directory = file.directory(options.sync).map_err(WriteError::Sync)?;
    sync(file.file(), options).map_err(WriteError::Sync)?;
    unchanged()?;
    put(file).map_err(WriteError::Place)?;
    directory.sync().map_err(WriteError::SyncDirectory)
}

/// Gives a file its blocks at once. Otherwise ext4 has the renamer of a file wait until they are found and their writing
/// has begun, for the sake of those who do not sync; whoever says that nobody is to wait for the disk has no use for that.
fn allocate(file: &File, len: u64) {
    #[cfg(target_os = "linux")]
    {
        // Not every file system can; and whether there is room for it, writing will tell.
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

/// Waits until what was written has reached the disk, if that is asked for.
pub(super) fn sync(file: &File, options: WriteOptions) -> io::Result<()> {
    if options.sync { file.sync_all() } else { Ok(()) }
}

/// Scans what was written: it has this length, and can be read to its end.
pub(super) fn check_sound(file: &File, len: u64) -> Result<(), WriteError> {
    struct Nobody;
    impl Visitor<'_> for Nobody {
        fn section(&mut self, _: &Section<'_>) -> DataRequest {
            DataRequest::Nothing
        }
    }
    // Whoever made the plan has applied limits to the source.
    let limits = Limits {
        max_depth: u32::MAX,
        max_items: u32::MAX,
        max_sections: u64::MAX,
        max_name_len: u32::MAX,
        ..Limits::default()
    };
    let result = drive::scan_at(file, len, &mut Nobody, limits).complete();
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
    fn torn_files_are_not_sound() {
        for (bytes, len, is_sound) in [
            (&b"\0asm\x01\0\0\0\x00\x05\x04note"[..], 15, true),
            (b"\0asm\x01\0\0\0\x00\x05\x04not", 14, false),
            (b"\0asm\x01\0\0\0\x00\x05\x04not", 15, false),
            (b"\0asm\x01\0\0\0\x00\x05\x04note", 8, false),
            (b"", 0, false),
        ] {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(bytes).unwrap();
            let result = check_sound(&file, len);
            assert_eq!(matches!(result, Err(WriteError::Unsound(_))), !is_sound, "{bytes:?}: {result:?}");
        }
    }
}
