//! `sectile policy init`, `check` and `show`.

use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;

use sectile_audit::ReportFile;
use sectile_policy::{Policy, PolicySettings};

use crate::args::{PolicyCheckArgs, PolicyInitArgs, PolicyShowArgs};
use crate::display::escaped;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::{policy_file, text, timestamp};

pub fn init(args: &PolicyInitArgs, output: &mut Output) -> Result<Exit, Failure> {
    let Some(path) = &args.output else {
        output.out().write_all(Policy::STARTER.as_bytes())?;
        return Ok(Exit::Done);
    };
    // A policy is handwritten, so it is not replaced by accident.
    if !args.write.force && Path::new(path).metadata().is_ok_and(|metadata| metadata.is_file() && metadata.len() > 0) {
        return Err(Failure::Other(format!("{}: the file is not empty; use --force to replace it", escaped(path))));
    }
    let cannot_write = |error| Failure::Write(error, Some(path.clone()));
    let file = ReportFile::open(path, args.write).map_err(cannot_write)?;
    file.write(|out| out.write_all(Policy::STARTER.as_bytes())).map_err(cannot_write)?;
    Ok(Exit::Done)
}

pub fn check(args: &PolicyCheckArgs, output: &mut Output) -> Result<Exit, Failure> {
    let mut exit = Exit::Done;
    for file in &args.files {
        match policy_file::read_settings(file) {
            Ok(settings) => write_check(file.as_os_str(), &settings, args, output)?,
            Err(error) => {
                output.print_diagnostic(None, &Failure::from(error));
                exit = Exit::Failed;
            }
        }
    }
    Ok(exit)
}

fn write_check(
    file: &OsStr,
    settings: &PolicySettings,
    args: &PolicyCheckArgs,
    output: &mut Output,
) -> Result<(), Failure> {
    let policy = settings.policy();
    let expires = policy.exceptions().any(|exception| exception.expiry().is_some());
    let warnings = policy.warnings(if expires { timestamp::today()? } else { None });
    if args.report.json {
        settings.write_check_json(&warnings, output.out())?;
    } else if output.shows_success() {
        text::write_policy_check(file, policy, &warnings, output.out())?;
    }
    Ok(())
}

pub fn show(args: &PolicyShowArgs, output: &mut Output) -> Result<Exit, Failure> {
    let settings = policy_file::read_settings(&args.file)?;
    if args.json {
        settings.write_json(output.out())?;
    } else {
        settings.write_toml(output.out())?;
    }
    Ok(Exit::Done)
}
