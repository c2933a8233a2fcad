//! `sectile audit`: every binary of some stores, judged.

mod waiting;

use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anstream::StripStream;
use clap::ArgMatches;
use sectile::audit::{Audit, Audited, Earlier, EarlierError, Ended, Form, Progress, Root, WalkOptions, write_whole};

use self::waiting::Waiting;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Output, escaped};
use crate::{check, human, input};

pub fn run(matches: &ArgMatches, output: &mut Output) -> Result<Exit, Failure> {
    let named = matches.get_many::<PathBuf>("PATH").into_iter().flatten();
    let roots = named.map(|path| root(path.as_os_str())).collect::<Result<Vec<Root>, _>>()?;
    let format = matches.get_one::<String>("format").map_or("", String::as_str);
    let form = Form::ALL.into_iter().find(|form| form.name() == format);
    let place = matches.get_one::<OsString>("output").map(OsString::as_os_str).filter(|place| *place != "-");
    let audit = audit(matches, form, place)?;
    let progress = Progress::new();
    stop_when_interrupted(&progress);
    let mut answer = || answer(&audit, &roots, form, place, &progress, output);
    // Rows that a terminal shows say by themselves how far it is.
    let are_seen = form.is_some() && place.is_none() && io::stdout().is_terminal();
    let audited = if are_seen { answer() } else { Waiting::around(&audit, &roots, &progress, answer) }?;
    if let Some(stop) = &audited.stop {
        let behind = stop.behind.as_deref().map(|behind| format!(" behind {}", escaped(behind))).unwrap_or_default();
        let resume =
            if form == Some(Form::Jsonl) { "; what is done is written, and --resume goes on from there" } else { "" };
        output.complain(None, &format!("stopped{behind}{resume}"));
    }
    Ok(exit(&audited))
}

/// What a PATH argument names, which has to be there as far as that can be told without asking anybody far away.
fn root(named: &OsStr) -> Result<Root, Failure> {
    let fail = |error: &dyn std::fmt::Display| Failure::Other(format!("{}: {error}", escaped(&input::shown(named))));
    if named == "-" {
        return Err(Failure::Other("standard input is no PATH; `sectile check -` judges what comes by it".to_owned()));
    }
    let Some(url) = input::as_url(named) else {
        return match Path::new(named).metadata() {
            Ok(_) => Ok(Root::from(named)),
            Err(_) if input::is_in_layout(named) => {
                Err(fail(&"an audit takes the directory of a layout, and looks at all images in it"))
            }
            Err(error) => Err(fail(&error)),
        };
    };
    #[cfg(feature = "remote")]
    {
        let root = Root::url(url, &sectile::remote::RemoteOptions::default()).map_err(|error| fail(&error))?;
        match root.as_path() {
            Some(path) => path.metadata().map(|_| root.clone()).map_err(|error| fail(&error)),
            None => Ok(root),
        }
    }
    #[cfg(not(feature = "remote"))]
    {
        _ = url;
        Err(fail(&input::LACKS_REMOTE))
    }
}

/// Audits, and writes the answer.
fn answer(
    audit: &Audit,
    roots: &[Root],
    form: Option<Form>,
    place: Option<&OsStr>,
    progress: &Progress,
    output: &mut Output,
) -> Result<Audited, Failure> {
    let cannot = |place: &OsStr, error| Failure::Other(format!("{}: cannot be written: {error}", escaped(place)));
    let Some(form) = form else {
        let table = |audited: &Audited, mut out: &mut dyn Write| {
            human::summary(&audited.about, &audited.summary, audited.stop.as_ref(), &mut out)
        };
        let audited = audit.run(roots, None, &mut io::sink(), progress)?;
        match place {
            None => table(&audited, output.out())?,
            Some(place) => {
                let mut text = StripStream::new(Vec::new()); // no file has colours
                table(&audited, &mut text)?;
                write_whole(place, |out| out.write_all(&text.into_inner())).map_err(|error| cannot(place, error))?;
            }
        }
        return Ok(audited);
    };
    match place {
        None => Ok(audit.run(roots, Some(form), output.out(), progress)?),
        Some(place) => {
            write_whole(place, |out| audit.run(roots, Some(form), out, progress)).map_err(|error| cannot(place, error))
        }
    }
}

/// The audit that the arguments ask for.
fn audit(matches: &ArgMatches, form: Option<Form>, place: Option<&OsStr>) -> Result<Audit, Failure> {
    let judge = check::judge(matches)?;
    let mut walking = WalkOptions::default();
    walking.ignore_rules = matches.get_flag("ignore-rules");
    if let Some(nested) = matches.get_one::<u32>("nested") {
        walking.nested = *nested;
    }
    #[cfg(feature = "remote")]
    if let Some(in_flight) = matches.get_one::<u16>("in-flight") {
        walking.in_flight = usize::from(*in_flight);
    }
    let mut audit = Audit::new(judge.policy).with_walk(walking).hashing(matches.get_flag("hash"));
    if let Some(threads) = matches.get_one::<u16>("threads") {
        audit = audit.on_threads(usize::from(*threads));
    }
    if let Some(policy) = matches.get_one::<PathBuf>("policy") {
        audit = audit.by_name(policy);
    }
    if let Some(today) = judge.today {
        audit = audit.on_day(today);
    }
    match earlier(matches, form, place)? {
        Some((path, earlier)) => audit.since(earlier).map_err(|error| unusable(&path, &error)),
        None => Ok(audit),
    }
}

/// The earlier report whose rows are to be taken.
fn earlier(
    matches: &ArgMatches,
    form: Option<Form>,
    place: Option<&OsStr>,
) -> Result<Option<(PathBuf, Earlier)>, Failure> {
    let path = if matches.get_flag("resume") {
        let (Some(Form::Jsonl), Some(place)) = (form, place) else {
            return Err(Failure::Other(
                "--resume goes on with an answer in a file, in the format jsonl (--format jsonl)".to_owned(),
            ));
        };
        match Path::new(place) {
            place if place.exists() => place.to_owned(),
            _ => return Ok(None), // it was cut off before anything was written
        }
    } else {
        let Some(since) = matches.get_one::<PathBuf>("since") else { return Ok(None) };
        since.clone()
    };
    let earlier = Earlier::open(&path).map_err(|error| unusable(&path, &error))?;
    Ok(Some((path, earlier)))
}

fn unusable(path: &Path, error: &EarlierError) -> Failure {
    let why = match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => format!("{error}: audit without it"),
    };
    Failure::Other(format!("{}: {why}", escaped(path.as_os_str())))
}

/// The first interruption ends the audit with what is done; the second ends the process.
fn stop_when_interrupted(progress: &Progress) {
    #[cfg(unix)]
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        // Where they cannot be registered, the first one ends the process.
        let flag = progress.stop_flag();
        _ = signal_hook::flag::register_conditional_default(signal, std::sync::Arc::clone(&flag));
        _ = signal_hook::flag::register(signal, flag);
    }
    #[cfg(not(unix))]
    {
        _ = progress;
    }
}

/// The answer to whether all is well.
fn exit(audited: &Audited) -> Exit {
    let summary = &audited.summary;
    let unread = summary.ended(Ended::Partial) + summary.ended(Ended::Unread);
    if audited.stop.is_some() || unread > 0 {
        Exit::Failed
    } else if summary.refused > 0 {
        Exit::No
    } else {
        Exit::Done
    }
}
