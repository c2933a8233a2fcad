//! `sectile show`: the metadata tree.

use std::ffi::OsString;

use clap::ArgMatches;
use sectile::metadata::Metadata;
use sectile::report::Report;
use sectile::{Error, Limits, Outcome};

use crate::exit::Exit;
use crate::output::{Failure, Output};
use crate::{human, input};

pub fn run(file: &OsString, matches: &ArgMatches, output: &mut Output) -> Result<Exit, Failure> {
    let (size, reading) = read(file, matches)?;
    let report = Report::new(file, size, &reading);
    if matches.get_flag("json") {
        report.write_json(output.out())?;
    } else {
        human::show(&report, output.out())?;
    }
    finish(file, reading.map(|outcome| outcome.broken), output)
}

/// What a FILE argument names, read: its size, where it could be opened, and its metadata.
pub fn read(file: &OsString, matches: &ArgMatches) -> Result<(Option<u64>, Reading), Failure> {
    match input::open(file, matches) {
        Ok(input) => Ok((Some(input.len()), input.read(Limits::default()))),
        Err(Failure::Input(error)) => Ok((None, Err(error))),
        Err(failure) => Err(failure),
    }
}

type Reading = Result<Outcome<Metadata<'static>>, Error>;

/// Says why a reading broke off, and gives the exit status that it asks for.
pub fn finish(file: &OsString, reading: Result<Option<Error>, Error>, output: &mut Output) -> Result<Exit, Failure> {
    match reading {
        Ok(None) => Ok(Exit::Done),
        Ok(Some(broken)) => {
            output.complain(Some(file), &Failure::Input(broken));
            Ok(Exit::Failed)
        }
        Err(error) => Err(error.into()),
    }
}
