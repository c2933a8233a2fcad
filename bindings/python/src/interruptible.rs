//! Reads of a file without the interpreter lock that a signal, such as Ctrl-C, interrupts.

use std::cell::Cell;
use std::io;

use pyo3::Python;
use sectile::Input;
use sectile::drive::ReadAt;

/// The bytes that are read between two looks at the signals: some milliseconds.
const BYTES_PER_CHECK: u64 = 16 << 20;

/// A file whose reads fail once a Python signal handler raises.
pub struct Interruptible<'i> {
    input: &'i Input,
    unchecked: Cell<u64>,
}

impl<'i> Interruptible<'i> {
    pub fn new(input: &'i Input) -> Self {
        Self { input, unchecked: Cell::new(0) }
    }
}

impl ReadAt for Interruptible<'_> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let read = self.input.read_at(buffer, offset)?;
        let unchecked = self.unchecked.get() + read as u64;
        self.unchecked.set(unchecked % BYTES_PER_CHECK);
        if unchecked >= BYTES_PER_CHECK {
            Python::attach(|py| py.check_signals()).map_err(io::Error::other)?;
        }
        Ok(read)
    }
}
