//! `sectile show`: the metadata tree.

use std::ffi::OsString;

use clap::ArgMatches;
use sectile::interface::Interface;
use sectile::metadata::Metadata;
use sectile::oci::{Locator, Stored};
use sectile::report::Report;
use sectile::{Error, Limits, Outcome};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::input::Opened;
use crate::output::Output;
#[cfg(feature = "remote")]
use crate::remote;
use crate::{human, input};

pub fn run(file: &OsString, matches: &ArgMatches, output: &mut Output) -> Result<Exit, Failure> {
    if matches.get_flag("image") {
        return image(file, matches, output);
    }
    let shown = input::shown(file);
    if matches.get_flag("interface") {
        let (size, reading) = read_by(file, matches, |input| input.read_with_interface(Limits::default()))?;
        say(&Report::with_interface(&shown, size, &reading), matches, output)?;
        return finish(file, reading.map(|outcome| outcome.broken), output);
    }
    let (size, reading) = read_by(file, matches, |input| input.read(Limits::default()))?;
    say(&Report::new(&shown, size, &reading), matches, output)?;
    finish(file, reading.map(|outcome| outcome.broken), output)
}

/// The same, with what the image's manifest says instead, where that is something else.
fn image(file: &OsString, matches: &ArgMatches, output: &mut Output) -> Result<Exit, Failure> {
    let (size, reading) = opened(match input::as_url(file) {
        Some(url) => in_registry(url, matches),
        None => in_layout(file, matches),
    })?;
    if matches.get_flag("interface") {
        say(&Report::with_interface(file, size, &reading), matches, output)?;
        return finish(file, reading.map(|outcome| outcome.broken), output);
    }
    let reading = reading.map(|outcome| outcome.map(|(metadata, _)| metadata));
    say(&Report::new(file, size, &reading), matches, output)?;
    finish(file, reading.map(|outcome| outcome.broken), output)
}

const NO_IMAGE: &str = "--image asks for an image: `oci:DIR`, `oci:DIR:NAME`, `oci://HOST/REPOSITORY:TAG`";

type ReadImage = Measured<(Metadata<'static>, Interface)>;

fn in_layout(file: &OsString, matches: &ArgMatches) -> Result<ReadImage, Failure> {
    let locator = Locator::parse(file).ok_or_else(|| Failure::Other(NO_IMAGE.to_owned()))?;
    let stored = locator.and_then(|locator| Stored::open(&locator)).map_err(Error::from)?;
    let mut reading = stored.input().read_with_interface(Limits::default());
    if let Ok(outcome) = &mut reading {
        let metadata = &mut outcome.value.0;
        stored.compare(metadata);
        if matches.get_flag("verify") {
            stored.verify(metadata)?;
        }
    }
    Ok((Some(stored.input().len()), reading))
}

#[cfg(feature = "remote")]
fn in_registry(url: &str, matches: &ArgMatches) -> Result<ReadImage, Failure> {
    let image = input::in_registry(url).ok_or_else(|| Failure::Other(NO_IMAGE.to_owned()))?;
    if matches.get_flag("verify") {
        return Err(Failure::Other(
            "--verify reads all of a binary, and of a registry's only parts are read".to_owned(),
        ));
    }
    let mut held = remote::held(image)?;
    let mut reading = held.read_with_interface(Limits::default());
    if let Ok(outcome) = &mut reading {
        held.compare(&mut outcome.value.0);
    }
    Ok((Some(held.len()), reading))
}

#[cfg(not(feature = "remote"))]
fn in_registry(_: &str, _: &ArgMatches) -> Result<ReadImage, Failure> {
    Err(Failure::Other(input::LACKS_REMOTE.to_owned()))
}

fn say(report: &Report<'_>, matches: &ArgMatches, output: &mut Output) -> Result<(), Failure> {
    if matches.get_flag("json") {
        report.write_json(output.out())?;
    } else {
        human::show(report, output.out())?;
    }
    Ok(())
}

/// What a FILE argument names, as `read` reads it; and its size, where it could be opened.
pub fn read_by<T>(
    file: &OsString,
    matches: &ArgMatches,
    read: impl FnOnce(&mut Opened) -> Reading<T>,
) -> Result<Measured<T>, Failure> {
    opened(input::open(file, matches).map(|mut input| (Some(input.len()), read(&mut input))))
}

pub type Reading<T> = Result<Outcome<T>, Error>;

/// A reading, and the size of what was read.
pub type Measured<T> = (Option<u64>, Reading<T>);

/// What could not even be opened was read, too, and gave nothing.
pub fn opened<T>(opened: Result<Measured<T>, Failure>) -> Result<Measured<T>, Failure> {
    match opened {
        Err(Failure::Input(error)) => Ok((None, Err(error))),
        opened => opened,
    }
}

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
