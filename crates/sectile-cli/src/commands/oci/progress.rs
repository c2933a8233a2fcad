//! The progress of a push, shown on a terminal.

use std::io::{self, IsTerminal, Write};

/// A line on standard error that is rewritten as work proceeds, and erased on drop.
pub struct PercentLine {
    label: &'static str,
    is_shown: bool,
    /// The percentage shown, if any.
    percent: Option<u64>,
}

/// No progress is shown for fewer bytes.
const MIN_TOTAL: u64 = 1 << 20;

impl PercentLine {
    /// A line for a terminal, unless it is hidden.
    pub fn new(label: &'static str, is_hidden: bool) -> Self {
        Self { label, is_shown: !is_hidden && io::stderr().is_terminal(), percent: None }
    }

    pub fn update(&mut self, done: u64, total: u64) {
        let percent = done.min(total) * 100 / total.max(1);
        if !self.is_shown || total < MIN_TOTAL || self.percent == Some(percent) {
            return;
        }
        self.percent = Some(percent);
        // There is nowhere to report a failure of standard error.
        let mut stderr = io::stderr().lock();
        _ = write!(stderr, "\r{}: {percent:3} % of {:.1} MB", self.label, total as f64 / 1e6)
            .and_then(|()| stderr.flush());
    }
}

impl Drop for PercentLine {
    fn drop(&mut self) {
        if self.percent.is_some() {
            _ = io::stderr().lock().write_all(b"\r\x1b[K");
        }
    }
}
