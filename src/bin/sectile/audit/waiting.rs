//! How far an audit is, on a terminal and nowhere else.

use std::fmt;
use std::io::{self, IsTerminal};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use indicatif::{HumanBytes, HumanCount, HumanDuration, ProgressBar, ProgressState, ProgressStyle};
use sectile::audit::{Audit, Progress, Root};

/// What is shown while somebody waits.
pub struct Waiting;

/// What it shows is this old at the most.
const REFRESH: Duration = Duration::from_millis(100);

/// How it looks before it is known how much there is, and after.
const UNKNOWN: &str = "{spinner} {pos} files  {rate}  {msg}";
const KNOWN: &str = "{bar:30} {percent:>3} %  {pos} of {len} files  {rate}{left}  {msg}";

impl Waiting {
    /// Shows how far an audit is while `work` does it. How much there is in all is counted meanwhile.
    pub fn around<T>(audit: &Audit, roots: &[Root], progress: &Progress, work: impl FnOnce() -> T) -> T {
        if !io::stderr().is_terminal() {
            return work();
        }
        thread::scope(|scope| {
            let (ends, end) = sync_channel::<()>(0);
            let (counts, counted) = sync_channel(1);
            scope.spawn(move || counts.send(audit.count(roots, progress)));
            scope.spawn(move || show(progress, &counted, &end));
            let done = work();
            progress.stop(); // whoever still counts
            drop(ends);
            done
        })
    }
}

fn show(progress: &Progress, counted: &Receiver<Option<u64>>, end: &Receiver<()>) {
    let style = |template| {
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        style.with_key("rate", rate).with_key("left", left)
    };
    let bar = ProgressBar::new_spinner().with_style(style(UNKNOWN));
    while end.recv_timeout(REFRESH) == Err(RecvTimeoutError::Timeout) {
        if let Ok(Some(files)) = counted.try_recv() {
            bar.set_length(files);
            bar.set_style(style(KNOWN).progress_chars("━╸─"));
        }
        bar.set_position(progress.files());
        let (rows, refused) = (HumanCount(progress.rows()), HumanCount(progress.refused()));
        bar.set_message(format!("{rows} binaries, {refused} refused, {} read", HumanBytes(progress.bytes_read())));
        bar.tick();
    }
    bar.finish_and_clear();
}

// Of an error in these two nobody would hear.

fn rate(state: &ProgressState, out: &mut dyn fmt::Write) {
    _ = write!(out, "{:.0} a second", state.per_sec());
}

/// How long it will take, as soon as that can be told.
fn left(state: &ProgressState, out: &mut dyn fmt::Write) {
    let eta = state.eta();
    if !eta.is_zero() {
        _ = write!(out, "  {:#} left", HumanDuration(eta));
    }
}
