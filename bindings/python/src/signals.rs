//! Long work that a signal, such as Ctrl-C, stops.

use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use pyo3::prelude::*;
use sectile_audit::Progress;

use crate::error;

/// Interval between looks at the signals, and between calls of the progress function.
const SIGNAL_INTERVAL: Duration = Duration::from_millis(50);

/// Works on another thread, without the interpreter lock. A Python signal handler that raises stops the work.
pub fn while_signals_are_checked<T: Send>(
    py: Python<'_>,
    counts: &Progress,
    progress: Option<&Bound<'_, PyAny>>,
    work: impl FnOnce() -> T + Send,
) -> PyResult<T> {
    let progress = progress.map(|progress| progress.clone().unbind());
    py.detach(|| {
        let (done, ended) = sync_channel(1);
        thread::scope(|scope| {
            let worker = thread::Builder::new().spawn_scoped(scope, move || {
                let result = work();
                _ = done.send(()); // the receiver waits, unless a signal stopped the work
                result
            });
            let worker = worker.map_err(|fault| Python::attach(|py| error::from_io_error(py, &fault, None)))?;
            let watch = || {
                while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(SIGNAL_INTERVAL) {
                    Python::attach(|py| {
                        py.check_signals()?;
                        let Some(progress) = &progress else { return Ok(()) };
                        progress.call1(py, (counts.files(), counts.rows(), counts.bytes_read())).map(|_| ())
                    })?;
                }
                Ok(())
            };
            let watched: PyResult<()> = watch();
            if watched.is_err() {
                counts.stop();
            }
            let result = worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            watched.map(|()| result)
        })
    })
}
