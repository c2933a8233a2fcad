//! `sectile sbom`: the dependencies of a tree, for others to read.

use std::ffi::OsString;
use std::path::Path;

use clap::ArgMatches;
use sectile::Limits;
use sectile::sbom::Sbom;

use crate::exit::Exit;
use crate::output::{Failure, Output};
use crate::{created, human, input, show};

pub fn run(file: &OsString, matches: &ArgMatches, output: &mut Output) -> Result<Exit, Failure> {
    let created = created::given(matches)?;
    let outcome = input::open(file, matches)?.read(Limits::default())?;
    let mut sbom = Sbom::new(&outcome.value, outcome.is_complete());
    // A stream has no name, and an image's is not its layer's.
    let is_path = file != "-" && !input::is_in_layout(file);
    let name = Path::new(file).file_name().filter(|_| is_path).map(|name| name.to_string_lossy());
    if let Some(name) = &name {
        sbom = sbom.named(name);
    }
    if let Some(created) = &created {
        sbom = sbom.created(created).map_err(|flaw| Failure::Other(flaw.message))?;
    }
    sbom.write_json(output.out())?;
    if !sbom.has_lists() && outcome.is_complete() {
        let note =
            "no item has a list of its dependencies (cargo-auditable's `.dep-v0`): what went into it is not known";
        output.complain(Some(file), &note);
    }
    for finding in sbom.flaws() {
        let place = human::Place(finding);
        output
            .complain(Some(file), &format_args!("{}{place}; the document says that it is incomplete", finding.message));
    }
    let exit = if sbom.is_complete() { Exit::Done } else { Exit::Failed };
    Ok(exit.max(show::finish(file, Ok(outcome.broken), output)?))
}
