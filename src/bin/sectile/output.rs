//! Where output goes, and complaints.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::{self, BufWriter, ErrorKind, StdoutLock, Write};
use std::mem;

use anstream::{AutoStream, ColorChoice};
use clap::ArgMatches;
use sectile::Escaped;

use crate::args::TABLE;
use crate::failure::Failure;
use crate::input;

/// Standard output, buffered.
pub struct Output {
    stdout: BufWriter<AutoStream<StdoutLock<'static>>>,
    /// A part of what was written is lost, and nobody knows which: nothing more is written.
    is_broken: bool,
}

impl Output {
    /// Output as the arguments ask for it: for people, its styles are dropped where nobody can see them; for machines,
    /// every byte passes.
    pub fn new(matches: &ArgMatches) -> Self {
        let is_to_stdout = || matches.try_get_one::<OsString>("output").ok().flatten().is_some_and(|out| out == "-");
        let is_json = || matches.try_get_one::<bool>("json").ok().flatten().is_none_or(|json| *json);
        let for_machines = match matches.try_get_one::<String>("format").ok().flatten() {
            Some(format) => format != TABLE,
            None => is_to_stdout() || is_json(), // the result of an edit
        };
        let color = matches.try_get_one::<String>("color").ok().flatten();
        let choice = match color.map(String::as_str) {
            _ if for_machines => ColorChoice::AlwaysAnsi,
            Some("always") => ColorChoice::Always,
            Some("never") => ColorChoice::Never,
            _ => AutoStream::choice(&io::stdout()),
        };
        let stdout = BufWriter::with_capacity(64 << 10, AutoStream::new(io::stdout().lock(), choice));
        Self { stdout, is_broken: false }
    }

    /// Where to write.
    pub fn out(&mut self) -> &mut impl Write {
        &mut self.stdout
    }

    /// Writes out what is buffered.
    pub fn flush(&mut self) -> Result<(), Failure> {
        if self.is_broken {
            return Ok(()); // it was said
        }
        self.stdout.flush().map_err(|error| {
            self.is_broken = true;
            // What is left in the buffer is not to be tried again when it is dropped.
            let nothing = BufWriter::new(AutoStream::never(io::stdout().lock()));
            _ = mem::replace(&mut self.stdout, nothing).into_parts();
            Failure::Output(error)
        })
    }

    /// Writes out what was said of something that is done. Nobody is to think that it is not, because it could not be said;
    /// who has read enough knows.
    pub fn told(&mut self, done: &'static str, said: Result<(), Failure>) -> Result<(), Failure> {
        said.and_then(|()| self.flush()).map_err(|failure| match failure {
            Failure::Output(error) if error.kind() != ErrorKind::BrokenPipe => Failure::Unsaid(done, error),
            failure => failure,
        })
    }

    /// Says on standard error what could not be done, behind what was printed so far.
    pub fn complain(&mut self, file: Option<&OsString>, message: &dyn fmt::Display) {
        _ = self.flush();
        complain(file, message);
    }
}

/// Says on standard error what could not be done.
pub fn complain(file: Option<&OsString>, message: &dyn fmt::Display) {
    // One line, whatever the file's name and the message hold. If standard error is closed, nobody wants to know.
    let message = message.to_string();
    let message = Escaped::new(&message);
    let mut stderr = io::stderr().lock();
    _ = match file {
        Some(file) => writeln!(stderr, "sectile: {}: {message}", escaped(&input::shown(file))),
        None => writeln!(stderr, "sectile: {message}"),
    };
}

/// A file's name, safe to show.
pub fn escaped(file: &OsStr) -> Escaped<'_> {
    Escaped::bytes(if file == "-" { b"standard input" } else { file.as_encoded_bytes() })
}
