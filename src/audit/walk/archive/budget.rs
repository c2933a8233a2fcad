//! What may be spent on one file and all that is in it; and readers that keep to it.

use std::cell::{Cell, RefCell};
use std::io::{self, Read};

use crate::audit::walk::WalkOptions;
use crate::finding::Code;
#[cfg(feature = "remote")]
use crate::remote::RemoteError;

/// What is left to be spent on one file of a store.
pub(super) struct Budget {
    inflated: Cell<u64>,
    entries: Cell<u64>,
    held: Cell<u64>,
    read: Cell<u64>,
    /// The first failure of those that one led to another, until it is told.
    fault: RefCell<Option<(Code, String)>>,
    /// Whether nothing more is to be looked into.
    spent: Cell<bool>,
    spoilt: Cell<bool>,
}

impl Budget {
    pub(super) fn new(options: &WalkOptions) -> Self {
        Self {
            inflated: Cell::new(options.inflated),
            entries: Cell::new(options.entries),
            held: Cell::new(options.held),
            read: Cell::new(0),
            fault: RefCell::new(None),
            spent: Cell::new(false),
            spoilt: Cell::new(false),
        }
    }

    /// So many bytes were read of the file.
    pub(super) fn read(&self, bytes: u64) {
        self.read.set(self.read.get() + bytes);
    }

    /// So many of them are handed over, to be counted by who takes them.
    pub(super) fn hand_over(&self, bytes: u64) {
        self.read.set(self.read.get().saturating_sub(bytes));
    }

    pub(super) fn bytes_read(&self) -> u64 {
        self.read.get()
    }

    /// One more entry; whether it may be looked into.
    pub(super) fn entry(&self) -> bool {
        let left = self.entries.get().checked_sub(1);
        self.entries.set(left.unwrap_or(0));
        if left.is_none() {
            self.exceed("it has more entries than are looked into".to_owned());
        }
        left.is_some()
    }

    /// How many bytes may still be held.
    pub(super) fn holdable(&self) -> u64 {
        self.held.get()
    }

    /// So many bytes are held, until they are [let go](Self::let_go).
    pub(super) fn hold(&self, bytes: u64) {
        self.held.set(self.held.get() - bytes);
    }

    pub(super) fn let_go(&self, bytes: u64) {
        self.held.set(self.held.get() + bytes);
    }

    /// More is asked for than a limit allows: the file is left as it is.
    pub(super) fn exceed(&self, message: String) {
        self.spent.set(true);
        self.fail(Code::ArchiveLimit, message);
    }

    /// The file itself cannot be read.
    pub(super) fn unreadable(&self, error: &io::Error) {
        self.spoil(Code::Unreadable, error);
    }

    fn spoil(&self, code: Code, error: &io::Error) {
        self.spent.set(true); // whatever is read next would fail again, or be something else
        self.spoilt.set(true);
        self.fail(code, error.to_string());
    }

    /// Whether not all of the file could be read: another time, it may be.
    pub(super) fn is_spoilt(&self) -> bool {
        self.spoilt.get()
    }

    fn fail(&self, code: Code, message: String) {
        self.fault.borrow_mut().get_or_insert((code, message));
    }

    /// Whether the file is not to be looked into any further.
    pub(super) fn is_spent(&self) -> bool {
        self.spent.get()
    }

    pub(super) fn has_fault(&self) -> bool {
        self.fault.borrow().is_some()
    }

    /// What went wrong first, if nobody has told it.
    pub(super) fn take_fault(&self) -> Option<(Code, String)> {
        self.fault.borrow_mut().take()
    }
}

/// A decoder, whose bytes are counted, and whose first error is kept.
pub(super) struct Inflating<'b, R> {
    decoder: R,
    budget: &'b Budget,
    /// How many bytes came out of it.
    pub(super) len: u64,
    failed: bool,
}

impl<'b, R: Read> Inflating<'b, R> {
    pub(super) fn new(decoder: R, budget: &'b Budget) -> Self {
        Self { decoder, budget, len: 0, failed: false }
    }
}

impl<R: Read> Read for Inflating<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.budget.inflated.get();
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let over = || io::Error::other("a limit is exceeded");
        if self.failed || self.budget.is_spent() {
            return Err(over());
        }
        if most == 0 && !buffer.is_empty() {
            self.failed = true;
            self.budget.exceed("it inflates further than the limit".to_owned());
            return Err(over());
        }
        match self.decoder.read(&mut buffer[..most]) {
            Ok(read) => {
                let left = self.budget.inflated.get(); // what it reads from may be counted, too
                self.budget.inflated.set(left.saturating_sub(read as u64));
                self.len += read as u64;
                Ok(read)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => {
                self.failed = true;
                let is_limit = error.kind() == io::ErrorKind::QuotaExceeded;
                let code = if is_limit { Code::ArchiveLimit } else { Code::MalformedArchive };
                self.budget.fail(code, error.to_string());
                Err(error)
            }
        }
    }
}

/// What comes from a store, whose bytes are counted as read, and whose first error is kept.
#[cfg(feature = "remote")]
pub(super) struct Counted<'b> {
    stream: &'b mut dyn Read,
    budget: &'b Budget,
}

#[cfg(feature = "remote")]
impl<'b> Counted<'b> {
    pub(super) fn new(stream: &'b mut dyn Read, budget: &'b Budget) -> Self {
        Self { stream, budget }
    }
}

#[cfg(feature = "remote")]
impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.stream.read(buffer);
        match &read {
            Ok(read) => self.budget.read(*read as u64),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                let changed = RemoteError::within(error) == Some(&RemoteError::Changed);
                self.budget.spoil(if changed { Code::Changed } else { Code::Unreadable }, error);
            }
        }
        read
    }
}
