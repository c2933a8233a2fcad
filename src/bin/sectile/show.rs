//! `sectile show`: the metadata tree.

use std::ffi::OsString;

use clap::ArgMatches;
use sectile::metadata::Metadata;
use sectile::oci::{Locator, Stored};
use sectile::report::Report;
use sectile::{Error, Input, Limits, Outcome};

use crate::exit::Exit;
use crate::output::{Failure, Output};
use crate::{human, input};

pub fn run(file: &OsString, matches: &ArgMatches, output: &mut Output) -> Result<Exit, Failure> {
    if matches.get_flag("image") {
        return image(file, matches, output);
    }
    if matches.get_flag("interface") {
        let (size, reading) = read_by(file, matches, |input| input.read_with_interface(Limits::default()))?;
        say(&Report::with_interface(file, size, &reading), matches, output)?;
        return finish(file, reading.map(|outcome| outcome.broken), output);
    }
    let (size, reading) = read(file, matches)?;
    say(&Report::new(file, size, &reading), matches, output)?;
    finish(file, reading.map(|outcome| outcome.broken), output)
}

/// The same, with what the image's manifest says instead, where that is something else.
fn image(file: &OsString, matches: &ArgMatches, output: &mut Output) -> Result<Exit, Failure> {
    let Some(locator) = Locator::parse(file) else {
        return Err(Failure::Other("--image asks for an image in a layout: `oci:DIR`, `oci:DIR:NAME`".to_owned()));
    };
    let stored = Stored::open(&locator?)?;
    let mut reading = stored.input().read_with_interface(Limits::default());
    if let Ok(outcome) = &mut reading {
        let metadata = &mut outcome.value.0;
        stored.compare(metadata);
        if matches.get_flag("verify") {
            stored.verify(metadata)?;
        }
    }
    let size = Some(stored.input().len());
    if matches.get_flag("interface") {
        say(&Report::with_interface(file, size, &reading), matches, output)?;
        return finish(file, reading.map(|outcome| outcome.broken), output);
    }
    let reading = reading.map(|outcome| outcome.map(|(metadata, _)| metadata));
    say(&Report::new(file, size, &reading), matches, output)?;
    finish(file, reading.map(|outcome| outcome.broken), output)
}

fn say(report: &Report<'_>, matches: &ArgMatches, output: &mut Output) -> Result<(), Failure> {
    if matches.get_flag("json") {
        report.write_json(output.out())?;
    } else {
        human::show(report, output.out())?;
    }
    Ok(())
}

/// What a FILE argument names, read: its size, where it could be opened, and its metadata.
pub fn read(file: &OsString, matches: &ArgMatches) -> Result<(Option<u64>, Reading<Metadata<'static>>), Failure> {
    read_by(file, matches, |input| input.read(Limits::default()))
}

/// The same, as `read` reads it.
pub fn read_by<T>(
    file: &OsString,
    matches: &ArgMatches,
    read: impl FnOnce(&Input) -> Reading<T>,
) -> Result<(Option<u64>, Reading<T>), Failure> {
    match input::open(file, matches) {
        Ok(input) => Ok((Some(input.len()), read(&input))),
        Err(Failure::Input(error)) => Ok((None, Err(error))),
        Err(failure) => Err(failure),
    }
}

type Reading<T> = Result<Outcome<T>, Error>;

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
