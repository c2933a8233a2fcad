//! Writes a plan to a file. The kernel copies kept ranges if it can.

use std::fs::File;
use std::io::{self, ErrorKind};

use super::{Piece, Plan};
use crate::drive::ReadAt;
use crate::error::Reason;

/// Buffer size in bytes for copies without the kernel.
const BUFFER: usize = 128 << 10;

/// Maximum bytes per `copy_file_range` call, which copies less than 2 GiB.
const MAX_COPY: u64 = 1 << 30;

/// Writes the output of a plan to the empty file `out`. File systems that share blocks (btrfs, XFS)
/// share complete blocks at unchanged offsets instead of copying them.
pub(super) fn splice(plan: &Plan, source: &File, out: &File) -> io::Result<()> {
    let mut position = 0;
    let mut copier = Copier::new(source, out);
    for piece in plan.pieces() {
        match piece {
            Piece::Keep(range) => copier.copy(range.start, position, piece.len())?,
            Piece::Insert(bytes) => write_all_at(out, bytes, position)?,
        }
        position += piece.len();
    }
    Ok(())
}

/// Copies ranges from one file to another.
pub(super) struct Copier<'a> {
    source: &'a File,
    out: &'a File,
    /// Whether to use `copy_file_range`. Cleared when it is unsupported.
    by_kernel: bool,
    /// Maximum bytes per call.
    max_len: u64,
}

impl<'a> Copier<'a> {
    pub(super) fn new(source: &'a File, out: &'a File) -> Self {
        Self { source, out, by_kernel: cfg!(target_os = "linux"), max_len: MAX_COPY }
    }

    pub(super) fn copy(&mut self, mut from: u64, mut to: u64, mut len: u64) -> io::Result<()> {
        while self.by_kernel && len > 0 {
            match copy_file_range(self.source, from, self.out, to, len.min(self.max_len)) {
                // Some kernels return 0 for files they cannot copy. Reading detects the end of the
                // source.
                Ok(0) | Err(Refusal::Unsupported) => self.by_kernel = false,
                Ok(copied) => {
                    from += copied;
                    to += copied;
                    len -= copied;
                }
                Err(Refusal::Interrupted) => {}
                Err(Refusal::Failed(error)) => return Err(error),
            }
        }
        each_chunk(self.source, from, len, |chunk| {
            write_all_at(self.out, chunk, to)?;
            to += chunk.len() as u64;
            Ok(())
        })
    }
}

/// Passes a range of the source to `visit`, one buffer at a time.
pub(super) fn each_chunk<R: ReadAt + ?Sized>(
    source: &R,
    offset: u64,
    len: u64,
    mut visit: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut buffer = vec![0; len.min(BUFFER as u64) as usize];
    let mut done = 0;
    while done < len {
        let chunk = &mut buffer[..(len - done).min(BUFFER as u64) as usize];
        read_exact_at(source, chunk, offset + done)?;
        visit(chunk)?;
        done += chunk.len() as u64;
    }
    Ok(())
}

/// Fills the buffer from this offset. Fails with `UnexpectedEof` if the source ends before.
pub(super) fn read_exact_at<R: ReadAt + ?Sized>(source: &R, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    let read = read_at_most(source, buffer, offset)?;
    if read == buffer.len() { Ok(()) } else { Err(ErrorKind::UnexpectedEof.into()) }
}

/// Fills the buffer from this offset, up to the end of the source. Returns the number of bytes
/// read.
pub(super) fn read_at_most<R: ReadAt + ?Sized>(source: &R, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut len = 0;
    while len < buffer.len() {
        match source.read_at(&mut buffer[len..], offset + len as u64) {
            Ok(0) => break,
            Ok(read) => len += check_read_len(buffer.len() - len, read)?,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(len)
}

/// Rejects a read length larger than requested, which a faulty [`ReadAt`] may return.
pub(super) fn check_read_len(requested: usize, read: usize) -> io::Result<usize> {
    let excess = || io::Error::new(ErrorKind::InvalidData, Reason::MoreThanRequested);
    (read <= requested).then_some(read).ok_or_else(excess)
}

/// Writes all bytes at this offset.
pub(super) fn write_all_at(out: &File, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match write_at(out, bytes, offset) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => {
                bytes = &bytes[written..];
                offset += written as u64;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(unix)]
fn write_at(out: &File, bytes: &[u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::write_at(out, bytes, offset)
}

#[cfg(windows)]
fn write_at(out: &File, bytes: &[u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_write(out, bytes, offset)
}

/// WebAssembly without WASI has no files.
#[cfg(not(any(unix, windows)))]
fn write_at(_: &File, _: &[u8], _: u64) -> io::Result<usize> {
    Err(ErrorKind::Unsupported.into())
}

/// Reason why the kernel copied nothing.
#[allow(dead_code)] // on systems without `copy_file_range`
enum Refusal {
    Interrupted,
    /// The kernel cannot copy between these files; a buffer is used instead.
    Unsupported,
    Failed(io::Error),
}

#[cfg(target_os = "linux")]
fn copy_file_range(source: &File, mut from: u64, out: &File, mut to: u64, len: u64) -> Result<u64, Refusal> {
    use rustix::io::Errno;
    match rustix::fs::copy_file_range(source, Some(&mut from), out, Some(&mut to), len as usize) {
        Ok(copied) => Ok(copied as u64),
        Err(Errno::INTR) => Err(Refusal::Interrupted),
        // Sandboxes return EPERM or EACCES.
        Err(Errno::XDEV | Errno::INVAL | Errno::PERM | Errno::ACCESS | Errno::NOSYS | Errno::OPNOTSUPP) => {
            Err(Refusal::Unsupported)
        }
        Err(error) => Err(Refusal::Failed(error.into())),
    }
}

#[cfg(not(target_os = "linux"))]
fn copy_file_range(_: &File, _: u64, _: &File, _: u64, _: u64) -> Result<u64, Refusal> {
    Err(Refusal::Unsupported)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::splice::Patch;
    use std::io::Write;

    #[test]
    fn copies_with_and_without_the_kernel_agree() {
        let bytes: Vec<u8> = (0..3 * BUFFER as u32 + 17).map(|n| (n % 251) as u8).collect();
        let mut source = tempfile::tempfile().unwrap();
        source.write_all(&bytes).unwrap();
        let patches = vec![
            Patch { range: 5..9, bytes: b"inserted".to_vec() },
            Patch { range: 1000..bytes.len() as u64 - 3, bytes: vec![] },
        ];
        for patches in [vec![], patches] {
            let plan = Plan::new(bytes.len() as u64, patches);
            let out = tempfile::tempfile().unwrap();
            splice(&plan, &source, &out).unwrap();
            let mut read = vec![0; plan.len() as usize];
            read_exact_at(&out, &mut read, 0).unwrap();
            assert!(read == plan.to_vec(&bytes).unwrap() && out.metadata().unwrap().len() == plan.len());
        }
        // Sandboxes and some file systems do not support the call.
        let can = matches!(copy_file_range(&source, 0, &tempfile::tempfile().unwrap(), 0, 1), Ok(1));
        for (by_kernel, max_len) in [(true, MAX_COPY), (true, 10_007), (false, MAX_COPY)] {
            let out = tempfile::tempfile().unwrap();
            let mut copier = Copier { source: &source, out: &out, by_kernel, max_len };
            copier.copy(7, 0, 0).unwrap();
            copier.copy(1, 3, bytes.len() as u64 - 1).unwrap();
            assert_eq!(copier.by_kernel, by_kernel && can, "a kernel that supports the call copies everything");
            let mut read = vec![0; bytes.len() - 1];
            read_exact_at(&out, &mut read, 3).unwrap();
            assert!(read == bytes[1..]);
            let short = copier.copy(1, 0, bytes.len() as u64);
            assert_eq!(short.unwrap_err().kind(), ErrorKind::UnexpectedEof);
        }
    }

    #[test]
    fn interruptions_are_retried_and_errors_are_returned() {
        /// Returns errors of this kind this many times, then one byte at a time.
        struct Faulty(ErrorKind, std::cell::Cell<u32>);
        impl ReadAt for Faulty {
            fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
                match self.1.get().checked_sub(1) {
                    Some(left) => {
                        self.1.set(left);
                        Err(self.0.into())
                    }
                    None if offset < 9 => {
                        buffer[0] = offset as u8;
                        Ok(1)
                    }
                    None => Ok(0),
                }
            }
        }
        let mut buffer = [0; 4];
        assert_eq!(read_at_most(&Faulty(ErrorKind::Interrupted, 3.into()), &mut buffer, 2).unwrap(), 4);
        assert_eq!(buffer, [2, 3, 4, 5]);
        assert_eq!(read_at_most(&Faulty(ErrorKind::Interrupted, 3.into()), &mut buffer, 7).unwrap(), 2);
        let error = read_at_most(&Faulty(ErrorKind::TimedOut, 1.into()), &mut buffer, 2).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        let short = read_exact_at(&Faulty(ErrorKind::TimedOut, 0.into()), &mut buffer, 7).unwrap_err();
        assert_eq!(short.kind(), ErrorKind::UnexpectedEof);
    }
}
