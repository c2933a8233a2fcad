//! `sectile wrap`: runs a command, then sets the metadata of the binaries that it wrote.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use sectile::splice::WriteOptions;
use sectile::{Edit, Input};
use sectile_manifest::{Project, outputs};

use super::judgment::judge;
use super::metadata::BuildMetadata;
use super::program;
use super::revisions::Revisions;
use crate::args::WrapArgs;
use crate::commands::each_source;
use crate::display::escaped;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::input;
use crate::output::Output;
use crate::source::InputSource;

pub fn run(args: &WrapArgs, output: &mut Output) -> Result<Exit, Failure> {
    // An invalid manifest is reported before a long build.
    let project = find_project(args.build.metadata.manifest.as_deref())?;
    let (name, arguments) = args.command.split_first().expect("clap requires a command");
    output.flush()?;
    let mut child = program::start(Command::new(name).args(arguments))?;
    let exit = program::wait(&mut child, name)?;
    if exit != Exit::Done {
        return Ok(exit);
    }
    let binaries = find_binaries(args, output)?;
    let directory = project.as_ref().and_then(|project| project.manifests().last()?.path().parent());
    let directory = directory.filter(|directory| !directory.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let metadata = BuildMetadata::new(&args.build, project.as_ref(), Some(directory), &mut Revisions::default())?;
    metadata.print_notes(output);
    let sources: Vec<InputSource> = binaries.into_iter().map(|path| InputSource::for_path(&path)).collect();
    each_source(&sources, output, |source, output| {
        set(source, &metadata.edit, output)?;
        judge(&args.build.policy, project.as_ref(), source, output)
    })
}

/// The project of the given manifest, or the nearest one.
fn find_project(manifest: Option<&Path>) -> Result<Option<Project>, Failure> {
    if let Some(manifest) = manifest {
        return Ok(Some(Project::open(manifest)?));
    }
    let directory = env::current_dir()
        .map_err(|error| Failure::Other(format!("the current directory cannot be found: {error}")))?;
    Ok(Project::nearest(directory)?)
}

/// The binaries that the options name, or else those that the command line names.
fn find_binaries(args: &WrapArgs, output: &mut Output) -> Result<Vec<PathBuf>, Failure> {
    if !args.outputs.is_empty() {
        return Ok(args.outputs.clone());
    }
    let mut binaries = Vec::new();
    for path in outputs(&args.command[1..]) {
        match skip_reason(&path) {
            None => binaries.push(path),
            Some(reason) => {
                output.print_note(Some(&InputSource::for_path(&path)), &format_args!("no metadata set: {reason}"));
            }
        }
    }
    if binaries.is_empty() {
        let name = escaped(&args.command[0]);
        return Err(Failure::Other(format!("the arguments of `{name}` name no output file; add --output FILE")));
    }
    Ok(binaries)
}

/// The reason why a command's output is not a binary to edit.
fn skip_reason(path: &Path) -> Option<&'static str> {
    if path.extension().is_some_and(|extension| extension == "o" || extension == "obj") {
        return Some("an object file");
    }
    if path.is_dir() {
        return Some("a directory");
    }
    match Input::open(path).map(|input| input.read().is_ok()) {
        Ok(true) => None,
        Ok(false) => Some("not WebAssembly"),
        Err(_) => Some("the command did not write it"),
    }
}

/// Sets the metadata of a file. A file that is up to date is not written.
fn set(source: &InputSource, edit: &Edit, output: &mut Output) -> Result<(), Failure> {
    let input = input::open_local(source, false)?;
    input::check_not_torn(source)?;
    let planned = edit.plan_input(&input)?;
    for finding in planned.findings() {
        output.print_finding(source, finding);
    }
    planned.plan().replace(source.argument(), WriteOptions { sync: false, force: false })?;
    report(source, planned.changes().len(), output);
    Ok(())
}

/// Prints how many sections changed.
pub fn report(source: &InputSource, changes: usize, output: &mut Output) {
    match changes {
        0 => output.print_detail(Some(source), &"already up to date"),
        1 => output.print_note(Some(source), &"metadata set (1 section)"),
        number => output.print_note(Some(source), &format_args!("metadata set ({number} sections)")),
    }
}
