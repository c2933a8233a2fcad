//! `sectile check`: the findings, judged.

use std::ffi::OsString;

use clap::ArgMatches;
use sectile::report::Report;
use sectile::{Policy, Severity};

use crate::exit::Exit;
use crate::output::{Failure, Output};
use crate::{human, input, show};

pub fn run(file: &OsString, matches: &ArgMatches, output: &mut Output) -> Result<Exit, Failure> {
    let (size, reading) = show::read(file, matches)?;
    let shown = input::shown(file);
    let report = Report::new(&shown, size, &reading);
    let verdict = policy(matches).judge(&report);
    let refused = verdict.judged.iter().any(|judged| judged.refused);
    if matches.get_flag("json") {
        report.write_verdict_json(&verdict, output.out())?;
    } else {
        human::check(&shown, &verdict, output.out())?;
    }
    let exit = show::finish(file, reading.map(|outcome| outcome.broken), output)?;
    Ok(exit.max(if refused { Exit::No } else { Exit::Done }))
}

fn policy(matches: &ArgMatches) -> Policy {
    let mut policy = Policy::default();
    let name = matches.get_one::<String>("refuse");
    if let Some(severity) = Severity::ALL.into_iter().find(|severity| Some(severity.name()) == name.map(|name| &**name))
    {
        policy.refuse = severity;
    }
    policy
}
