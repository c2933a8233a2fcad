//! `sectile digest`: what a file is, and what it is without its metadata.

use std::ffi::OsString;

use clap::ArgMatches;
use sectile::Limits;
use sectile::report::DigestReport;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::{human, input, show};

pub fn run(file: &OsString, matches: &ArgMatches, output: &mut Output) -> Result<Exit, Failure> {
    let opened = input::open_here(file, matches);
    let (size, reading) = show::opened(opened.map(|input| (Some(input.len()), input.digests(Limits::default()))))?;
    let report = DigestReport::new(file, size, &reading);
    if matches.get_flag("json") {
        report.write_json(output.out())?;
    } else {
        human::digests(&report, output.out())?;
    }
    show::finish(file, reading.map(|outcome| outcome.broken), output)
}
