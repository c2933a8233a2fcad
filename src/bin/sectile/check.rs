//! `sectile check`: what is wrong with a file, judged by a policy.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::ArgMatches;
use sectile::policy::{Day, Subject};
use sectile::report::Report;
use sectile::{Policy, Severity};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::show::{finish, read_by};
use crate::{created, human, input};

/// What is judged by, and on which day, where that matters.
pub struct Judge {
    pub policy: Policy,
    pub today: Option<Day>,
}

pub fn run(file: &OsString, judge: &Judge, matches: &ArgMatches, output: &mut Output) -> Result<Exit, Failure> {
    let (size, reading) = read_by(file, matches, |input| input.read_for(&judge.policy))?;
    let shown = input::shown(file);
    let report = Report::of_reading(&shown, size, &reading);
    let locations = [&*shown];
    let mut subject = Subject::new();
    if file != "-" {
        subject = subject.at(&locations); // what comes by standard input lies nowhere
    }
    subject.today = judge.today;
    let verdict = judge.policy.judge_as(&report, &subject);
    let refused = verdict.is_refused();
    if matches.get_flag("json") {
        report.write_verdict_json(&verdict, output.out())?;
    } else {
        human::check(&shown, &verdict, output.out())?;
    }
    let exit = finish(file, reading.map(|outcome| outcome.broken), output)?;
    Ok(exit.max(if refused { Exit::No } else { Exit::Done }))
}

/// What the arguments ask to judge by.
pub fn judge(matches: &ArgMatches) -> Result<Judge, Failure> {
    let policy = policy(matches)?;
    let expires = policy.exceptions().any(|exception| exception.expires().is_some());
    let today = if expires { created::today()? } else { None };
    Ok(Judge { policy, today })
}

/// The policy that the arguments ask for. What is said by hand wins over the file.
fn policy(matches: &ArgMatches) -> Result<Policy, Failure> {
    let mut policy = match matches.get_one::<PathBuf>("policy") {
        Some(path) => Policy::read(path)?,
        None => Policy::default(),
    };
    if let Some(name) = matches.get_one::<String>("refuse") {
        let severity = Severity::ALL.into_iter().find(|severity| severity.name() == name);
        policy.refuse = severity.expect("clap asks for one of these");
    }
    Ok(policy)
}
