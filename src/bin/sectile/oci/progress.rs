//! How far long work has come, on a terminal and nowhere else.

use std::io::{self, IsTerminal, Write};

/// A line on standard error that is written again and again, and gone in the end.
pub struct Progress {
    what: &'static str,
    is_shown: bool,
    /// What it says now, if it says something.
    percent: Option<u64>,
}

/// Work on fewer bytes is not long.
const LONG: u64 = 1 << 20;

impl Progress {
    pub fn new(what: &'static str) -> Self {
        Self { what, is_shown: io::stderr().is_terminal(), percent: None }
    }

    /// So much is done, of so much.
    pub fn at(&mut self, done: u64, of: u64) {
        let percent = done.min(of) * 100 / of.max(1);
        if !self.is_shown || of < LONG || self.percent == Some(percent) {
            return;
        }
        self.percent = Some(percent);
        // Of an error here nobody would hear.
        let mut stderr = io::stderr().lock();
        _ = write!(stderr, "\r{}: {percent:3} % of {:.1} MB", self.what, of as f64 / 1e6).and_then(|()| stderr.flush());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.percent.is_some() {
            _ = io::stderr().lock().write_all(b"\r\x1b[K");
        }
    }
}
