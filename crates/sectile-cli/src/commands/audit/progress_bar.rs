//! The progress of an audit, shown on a terminal.

use std::fmt;
use std::io::{self, IsTerminal};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use indicatif::{HumanBytes, HumanCount, HumanDuration, ProgressBar, ProgressState, ProgressStyle};
use sectile_audit::{Audit, Progress, Root};

/// Time between updates.
const REFRESH: Duration = Duration::from_millis(100);

/// Templates while the total number of files is unknown, and once it is known.
const UNKNOWN_TOTAL: &str = "{spinner} {pos} files  {rate}  {msg}";
const KNOWN_TOTAL: &str = "{bar:30} {percent:>3} %  {pos} of {len} files  {rate}{left}  {msg}";

/// Shows the progress of an audit while `work` runs it. The total is counted at the same time.
pub fn show_while<T>(audit: &Audit, roots: &[Root], progress: &Progress, work: impl FnOnce() -> T) -> T {
    if !io::stderr().is_terminal() {
        return work();
    }
    thread::scope(|scope| {
        let (ends, end) = sync_channel::<()>(0);
        let (counts, counted) = sync_channel(1);
        scope.spawn(move || counts.send(audit.count(roots, progress)));
        scope.spawn(move || show(progress, &counted, &end));
        let done = work();
        progress.stop(); // ends the count
        drop(ends);
        done
    })
}

fn show(progress: &Progress, counted: &Receiver<Option<u64>>, end: &Receiver<()>) {
    let style = |template| {
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        style.with_key("rate", rate).with_key("left", left)
    };
    let bar = ProgressBar::new_spinner().with_style(style(UNKNOWN_TOTAL));
    while end.recv_timeout(REFRESH) == Err(RecvTimeoutError::Timeout) {
        if let Ok(Some(files)) = counted.try_recv() {
            bar.set_length(files);
            bar.set_style(style(KNOWN_TOTAL).progress_chars("━╸─"));
        }
        bar.set_position(progress.files());
        let (binaries, refused) = (HumanCount(progress.binaries()), HumanCount(progress.refused()));
        let read = HumanBytes(progress.bytes_read());
        bar.set_message(format!("{binaries} binaries, {refused} refused, {read} read"));
        bar.tick();
    }
    bar.finish_and_clear();
}

fn rate(state: &ProgressState, out: &mut dyn fmt::Write) {
    _ = write!(out, "{:.0} a second", state.per_sec());
}

/// The remaining time, once it can be estimated.
fn left(state: &ProgressState, out: &mut dyn fmt::Write) {
    let eta = state.eta();
    if eta.as_secs() > 0 {
        _ = write!(out, "  {:#} left", HumanDuration(eta));
    }
}
