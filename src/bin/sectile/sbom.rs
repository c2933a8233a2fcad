//! `sectile sbom`: the dependencies of a tree, for others to read.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use clap::ArgMatches;
use sectile::Limits;
use sectile::sbom::Sbom;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::{created, human, input, show};

pub fn run(file: &OsString, matches: &ArgMatches, output: &mut Output) -> Result<Exit, Failure> {
    let (name, created) = (file_name(file), created::given(matches)?);
    let outcome = input::open(file, matches)?.read(Limits::default())?;
    let sbom = described(Sbom::of(&outcome), name.as_deref(), created.as_deref())?;
    sbom.write_json(output.out())?;
    let exit = say_lacking(file, &sbom, outcome.is_complete(), output);
    Ok(exit.max(show::finish(file, Ok(outcome.broken), output)?))
}

/// Says on standard error what an SBOM lacks.
pub fn say_lacking(file: &OsString, sbom: &Sbom<'_>, is_whole: bool, output: &mut Output) -> Exit {
    if !sbom.has_lists() && is_whole {
        let note =
            "no item has a list of its dependencies (cargo-auditable's `.dep-v0`): what went into it is not known";
        output.complain(Some(file), &note);
    }
    for finding in sbom.findings() {
        let place = human::Place(finding);
        output
            .complain(Some(file), &format_args!("{}{place}; the document says that it is incomplete", finding.message));
    }
    if sbom.is_complete() { Exit::Done } else { Exit::Failed }
}

/// The SBOM of a file with this name, made at this time.
pub fn described<'a>(sbom: Sbom<'a>, name: Option<&'a str>, created: Option<&'a str>) -> Result<Sbom<'a>, Failure> {
    let sbom = if let Some(name) = name { sbom.named(name) } else { sbom };
    match created {
        Some(created) => sbom.created(created).map_err(|flaw| Failure::Other(flaw.message)),
        None => Ok(sbom),
    }
}

/// What a FILE argument names, without its directory. A stream has no name, and an image's is not its layer's.
pub fn file_name(file: &OsStr) -> Option<String> {
    let is_image = input::is_in_layout(file) || input::as_url(file).and_then(input::in_registry).is_some();
    let is_path = file != "-" && !is_image;
    let shown = input::shown(file);
    let name = Path::new(&*shown).file_name().filter(|_| is_path)?;
    Some(name.to_string_lossy().into_owned())
}
