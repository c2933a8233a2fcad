//! Databases of advisories, and VEX documents.

use std::path::PathBuf;

use sectile_advisories::{Advisories, VexDocument};
use sectile_policy::Policy;

use crate::display::escaped;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

/// Reads databases of advisories; `None` without a path.
pub fn read(paths: &[PathBuf]) -> Result<Option<Advisories>, Failure> {
    if paths.is_empty() {
        return Ok(None);
    }
    let mut advisories = Advisories::default();
    for path in paths {
        let failure = |error| Failure::Other(format!("--advisories {}: {error}", escaped(path.as_os_str())));
        advisories.read(path).map_err(failure)?;
    }
    Ok(Some(advisories))
}

/// Adds the statements of VEX documents to a policy.
pub fn add_vex(policy: Policy, paths: &[PathBuf]) -> Result<Policy, Failure> {
    paths.iter().try_fold(policy, |policy, path| {
        let failure =
            |error: &dyn std::fmt::Display| Failure::Other(format!("--vex {}: {error}", escaped(path.as_os_str())));
        let document = VexDocument::read(path).map_err(|error| failure(&error))?;
        policy.with_vex(&document).map_err(|error| failure(&error))
    })
}

/// Names the databases, and prints their problems. A database with a problem is incomplete.
pub fn announce(advisories: Option<&Advisories>, output: &mut Output) -> Exit {
    let Some(advisories) = advisories else { return Exit::Done };
    for database in advisories.databases() {
        output.print_note(None, &format_args!("advisories: {database}"));
    }
    for problem in advisories.problems() {
        output.print_diagnostic(None, &format_args!("advisory not used: {problem}"));
    }
    let problems: u64 = advisories.databases().iter().map(|database| database.problems).sum();
    match problems - advisories.problems().len() as u64 {
        0 => {}
        more => output.print_diagnostic(None, &format_args!("{more} more problems in the databases of advisories")),
    }
    if problems == 0 { Exit::Done } else { Exit::Failed }
}
