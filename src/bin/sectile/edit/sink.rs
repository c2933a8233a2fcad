//! Where the result goes.

use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal, Write, stdout};

use clap::ArgMatches;
use sectile::Input;
use sectile::edit::Planned;
use sectile::splice::{Plan, WriteError, WriteOptions};

use crate::failure::Failure;
use crate::input::is_in_layout;
use crate::output::Output;

/// Where the result of an edit goes.
pub enum Sink {
    /// Nowhere: it is shown what would be done.
    Nowhere,
    /// The file itself, replaced.
    Replace(OsString),
    /// The file itself, written to where it differs.
    InPlace(OsString),
    /// Another file.
    File(OsString),
    Stdout,
}

impl Sink {
    /// What the arguments ask for.
    pub fn of(file: &OsStr, matches: &ArgMatches) -> Result<Self, Failure> {
        let out = matches.get_one::<OsString>("output");
        if matches.get_flag("dry-run") {
            return Ok(Self::Nowhere);
        }
        match out {
            Some(out) if out == "-" && stdout().is_terminal() => {
                Err(Failure::Other("standard output is a terminal: give a file with -o, or a pipe".to_owned()))
            }
            Some(out) if out == "-" => Ok(Self::Stdout),
            Some(out) => Ok(Self::File(out.clone())),
            None if file == "-" => Err(Failure::Other(
                "standard input cannot be changed: say with -o where the result is to go".to_owned(),
            )),
            None if is_in_layout(file) => Err(Failure::Other(
                "an image's layer is called by its digest, and cannot be changed: say with -o where the result is to go"
                    .to_owned(),
            )),
            None if matches.get_flag("in-place") => Ok(Self::InPlace(file.to_owned())),
            None => Ok(Self::Replace(file.to_owned())),
        }
    }

    /// Carries a plan out.
    pub fn write(
        &self,
        planned: &Planned,
        input: &Input,
        options: WriteOptions,
        output: &mut Output,
    ) -> Result<(), Failure> {
        let plan = &planned.plan;
        match self {
            Self::Nowhere => Ok(()),
            Self::Replace(path) => Ok(plan.replace(path, options)?),
            Self::InPlace(path) => Ok(plan.write_in_place(path, options)?),
            Self::File(path) => plan.write_file(input, path, options).map_err(|error| {
                let is_of_input = matches!(error, WriteError::Changed | WriteError::OtherSource);
                Failure::Write(error, Some(path.clone()).filter(|_| !is_of_input))
            }),
            Self::Stdout => to_stdout(plan, input, output),
        }
    }

    /// Whether something was written.
    pub fn is_written(&self, plan: &Plan) -> bool {
        match self {
            Self::Nowhere => false,
            Self::Replace(_) | Self::InPlace(_) => !plan.is_identity(),
            Self::File(_) | Self::Stdout => true,
        }
    }

    /// Whether the result is on standard output.
    pub fn is_stdout(&self) -> bool {
        matches!(self, Self::Stdout)
    }
}

/// Writes to standard output all of it, or fails: unlike a list, a binary is no use where its reader has seen enough.
fn to_stdout(plan: &Plan, input: &Input, output: &mut Output) -> Result<(), Failure> {
    let mut out = Noting { out: output.out(), has_failed: false };
    let written = plan.write_to(input, &mut out).and_then(|()| out.flush());
    if let Err(error) = written {
        let has_failed = out.has_failed;
        return Err(if has_failed {
            Failure::Result(error)
        } else {
            Failure::Other(format!("it cannot be read: {error}"))
        });
    }
    match input.changed() {
        Ok(false) => Ok(()),
        Ok(true) => Err(WriteError::Changed.into()),
        Err(error) => Err(WriteError::Open(error).into()),
    }
}

/// Tells an error of the writer from one of what is read.
struct Noting<W> {
    out: W,
    has_failed: bool,
}

impl<W: Write> Write for Noting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes);
        self.has_failed |= written.is_err();
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.out.flush();
        self.has_failed |= flushed.is_err();
        flushed
    }
}
