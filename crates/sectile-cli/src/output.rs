//! Standard output, and diagnostics on standard error.

use std::fmt;
use std::io::{self, BufWriter, ErrorKind, IsTerminal, StdoutLock, Write};
use std::mem;

use anstream::{AutoStream, ColorChoice};
use sectile::{Escaped, Finding, Severity};

use crate::args::Verbosity;
use crate::diagnosis;
use crate::display::{FindingLocation, escaped};
use crate::failure::Failure;
use crate::source::InputSource;
use crate::text::Layout;

/// The processing of bytes on their way to standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputMode {
    /// Machine-readable output: every byte is unchanged.
    Raw,
    /// Text output: styles are kept or removed.
    Styled(ColorChoice),
}

/// Standard output, buffered.
pub struct Output {
    stdout: BufWriter<AutoStream<StdoutLock<'static>>>,
    /// Set after a failed write. Part of the output is lost, so nothing more is written.
    is_broken: bool,
    verbosity: Verbosity,
    layout: Layout,
}

/// Rejects binary output to a terminal.
pub fn refuse_terminal() -> Result<(), Failure> {
    if io::stdout().is_terminal() {
        return Err(Failure::Other("standard output is a terminal: give a file with -o, or a pipe".to_owned()));
    }
    Ok(())
}

impl Output {
    pub fn new(mode: OutputMode, verbosity: Verbosity) -> Self {
        let choice = match mode {
            OutputMode::Raw => ColorChoice::AlwaysAnsi,
            OutputMode::Styled(ColorChoice::Auto) => AutoStream::choice(&io::stdout()),
            OutputMode::Styled(choice) => choice,
        };
        let stdout = BufWriter::with_capacity(64 << 10, AutoStream::new(io::stdout().lock(), choice));
        let layout = match mode {
            OutputMode::Raw => Layout::for_file(), // not used
            OutputMode::Styled(_) => Layout::for_stdout(),
        };
        Self { stdout, is_broken: false, verbosity, layout }
    }

    /// Whether to print success messages.
    pub fn shows_success(&self) -> bool {
        self.verbosity > Verbosity::Quiet
    }

    /// The layout of text output.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// The writer for standard output.
    pub fn out(&mut self) -> &mut impl Write {
        &mut self.stdout
    }

    /// Writes out the buffer.
    pub fn flush(&mut self) -> Result<(), Failure> {
        if self.is_broken {
            return Ok(()); // already reported
        }
        self.stdout.flush().map_err(|error| {
            self.is_broken = true;
            // Discards the rest of the buffer, which a drop would otherwise write again.
            let nothing = BufWriter::new(AutoStream::never(io::stdout().lock()));
            _ = mem::replace(&mut self.stdout, nothing).into_parts();
            Failure::Output(error)
        })
    }

    /// Writes out a report of finished work. On errors other than a broken pipe, the failure says
    /// that the work is done.
    pub fn flush_report(&mut self, done: &'static str, written: Result<(), Failure>) -> Result<(), Failure> {
        written.and_then(|()| self.flush()).map_err(|failure| match failure {
            Failure::Output(error) if error.kind() != ErrorKind::BrokenPipe => Failure::Unreported(done, error),
            failure => failure,
        })
    }

    /// Flushes standard output, then prints an error, or an answer that matches the exit status.
    pub fn print_diagnostic(&mut self, source: Option<&InputSource>, message: &dyn fmt::Display) {
        _ = self.flush();
        print_diagnostic(source, message);
    }

    /// Flushes standard output, then prints a warning or a note, unless the command is quiet.
    pub fn print_note(&mut self, source: Option<&InputSource>, message: &dyn fmt::Display) {
        if self.verbosity > Verbosity::Quiet {
            self.print_diagnostic(source, message);
        }
    }

    /// Flushes standard output, then prints a detail, if the command is verbose.
    pub fn print_detail(&mut self, source: Option<&InputSource>, message: &dyn fmt::Display) {
        if self.verbosity == Verbosity::Verbose {
            self.print_diagnostic(source, message);
        }
    }

    /// Flushes standard output, then prints why a source could not be processed.
    pub fn print_failure(&mut self, source: &InputSource, failure: &Failure) {
        match diagnosis::explain(source, failure) {
            Some(message) => self.print_diagnostic(Some(source), &message),
            None => self.print_diagnostic(Some(source), failure),
        }
    }

    /// Flushes standard output, then prints a finding as a diagnostic.
    pub fn print_finding(&mut self, source: &InputSource, finding: &Finding) {
        let (severity, location) = (finding.severity(), FindingLocation(finding));
        let message = format!("{severity}: {}{location}", finding.message());
        match severity {
            Severity::Error => self.print_diagnostic(Some(source), &message),
            Severity::Warning | Severity::Note => self.print_note(Some(source), &message),
        }
    }
}

/// Prints a diagnostic on standard error, always on one line.
pub fn print_diagnostic(source: Option<&InputSource>, message: &dyn fmt::Display) {
    let message = message.to_string();
    let message = Escaped::new(&message);
    let line = match source {
        Some(source) => format!("sectile: {}: {message}\n", escaped(source.name())),
        None => format!("sectile: {message}\n"),
    };
    // One write, so that lines of several processes do not mix. A failure of this write cannot be
    // reported.
    _ = io::stderr().lock().write_all(line.as_bytes());
}
