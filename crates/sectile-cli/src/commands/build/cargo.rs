//! `cargo sectile`: runs Cargo, then sets the metadata of the binaries that it reports.

use std::collections::BTreeMap;
use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use sectile_manifest::Project;

use super::artifact;
use super::judgment::judge;
use super::messages::{self, Artifact, Format, Line, MessageArgs};
use super::metadata::{BuildMetadata, GitSource};
use super::program;
use super::wrap::report;
use crate::args::{CargoAction, CargoArgs, ImageArgs, PublishArgs, PushArgs};
use crate::commands::{each_source, oci};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::source::InputSource;

pub fn run(args: &CargoArgs, output: &mut Output) -> Result<Exit, Failure> {
    match &args.action {
        CargoAction::Build => Build::new("build", &args.args, true).run(args, output).map(|(exit, _)| exit),
        CargoAction::Run => {
            build_and_run(args, "run", &Build::new("build", args_before_dashes(&args.args), false), output)
        }
        CargoAction::Test if args.args.iter().any(|arg| arg == "--no-run") => {
            Build::new("test", &args.args, true).run(args, output).map(|(exit, _)| exit)
        }
        // Documentation tests cannot be built without running them.
        CargoAction::Test if args_before_dashes(&args.args).iter().any(|arg| arg == "--doc") => {
            run_cargo("test", &args.args, output)
        }
        CargoAction::Test => {
            let mut build = Build::new("test", args_before_dashes(&args.args), false);
            build.args.others.push("--no-run".into());
            build_and_run(args, "test", &build, output)
        }
        CargoAction::Publish(publish_args) => publish(args, publish_args, output),
    }
}

/// The arguments for Cargo itself, without those for the program that it runs.
fn args_before_dashes(args: &[OsString]) -> &[OsString] {
    let end = args.iter().position(|arg| arg == "--").unwrap_or(args.len());
    &args[..end]
}

/// Builds and sets metadata, then lets Cargo run the finished build.
fn build_and_run(args: &CargoArgs, command: &str, build: &Build, output: &mut Output) -> Result<Exit, Failure> {
    match build.run(args, output)? {
        (Exit::Done, _) => run_cargo(command, &args.args, output),
        (exit, _) => Ok(exit),
    }
}

fn publish(args: &CargoArgs, publish: &PublishArgs, output: &mut Output) -> Result<Exit, Failure> {
    let mut build = Build::new("build", &args.args, true);
    let has_profile = build.args.others.iter().any(|arg| {
        let text = arg.to_string_lossy();
        ["--release", "-r", "--profile"].contains(&&*text) || text.starts_with("--profile=")
    });
    if !has_profile {
        build.args.others.insert(0, "--release".into());
    }
    build.is_to_stderr = true;
    let (exit, artifacts) = build.run(args, output)?;
    if exit != Exit::Done {
        return Ok(exit);
    }
    let published: Vec<&Artifact> = artifacts.iter().filter(|artifact| !artifact.is_dependency()).collect();
    let [artifact] = published[..] else { return Err(ambiguous_artifacts(&published)) };
    let push =
        PushArgs { image: ImageArgs::unedited(InputSource::for_path(&artifact.path)), registry: publish.push.clone() };
    each_source(std::slice::from_ref(&push.image.binary.source), output, |_, output| oci::push(&push, output))
}

fn ambiguous_artifacts(artifacts: &[&Artifact]) -> Failure {
    let names: Vec<String> =
        artifacts.iter().map(|artifact| sectile::Escaped::file(&artifact.path).to_string()).collect();
    Failure::Other(if names.is_empty() {
        "the build has no WebAssembly binary; name a target, such as --target wasm32-wasip2".to_owned()
    } else {
        format!("the build has several binaries, name one with -p, --bin or --example: {}", names.join(", "))
    })
}

/// The Cargo program: the one that runs this command, or the one in `PATH`.
fn cargo_program() -> OsString {
    env::var_os("CARGO").filter(|program| !program.is_empty()).unwrap_or_else(|| "cargo".into())
}

/// Runs a Cargo command that inherits standard input and output.
fn run_cargo(command: &str, args: &[OsString], output: &mut Output) -> Result<Exit, Failure> {
    output.flush()?;
    let program = cargo_program();
    let mut child = program::start(Command::new(&program).arg(command).args(args))?;
    program::wait(&mut child, &program)
}

/// A Cargo build that reports its artifacts.
struct Build {
    command: &'static str,
    args: MessageArgs,
    /// Whether this is the only run of Cargo, so that its diagnostics are shown.
    is_only: bool,
    /// Whether other Cargo output goes to standard error, because standard output has another use.
    is_to_stderr: bool,
}

impl Build {
    fn new(command: &'static str, args: &[OsString], is_only: bool) -> Self {
        Self { command, args: MessageArgs::new(args), is_only, is_to_stderr: false }
    }

    /// Builds, sets the metadata of the binaries, and judges them.
    fn run(&self, args: &CargoArgs, output: &mut Output) -> Result<(Exit, Vec<Artifact>), Failure> {
        let (mut exit, mut artifacts) = self.build(output)?;
        if exit != Exit::Done {
            return Ok((exit, artifacts));
        }
        let packages = Packages::read(args, &artifacts, output)?;
        let embedded = set_all(&packages, artifacts.iter().filter(|artifact| artifact.is_dependency()), output)?;
        if embedded.exit == Exit::Done && embedded.is_any_changed {
            // Packages embed the binaries of their artifact dependencies. A second build embeds
            // them with their metadata.
            (exit, artifacts) = self.build(output)?;
            if exit != Exit::Done {
                return Ok((exit, artifacts));
            }
        }
        let others = artifacts.iter().filter(|artifact| !artifact.is_dependency());
        exit = embedded.exit.max(set_all(&packages, others, output)?.exit);
        if exit == Exit::Done {
            exit = packages.judge(args, &artifacts, output)?;
        }
        Ok((exit, artifacts))
    }

    /// Runs Cargo, and returns the binaries of local packages and of artifact dependencies.
    fn build(&self, output: &mut Output) -> Result<(Exit, Vec<Artifact>), Failure> {
        output.flush()?;
        let program = cargo_program();
        let mut command = Command::new(&program);
        command.arg(self.command);
        for format in self.message_formats() {
            command.arg("--message-format").arg(format);
        }
        command.args(&self.args.others).stdout(Stdio::piped());
        let mut child = program::start(&mut command)?;
        let stdout = child.stdout.take().expect("standard output is a pipe");
        let (mut artifacts, mut diagnostics) = (Vec::new(), Vec::new());
        let result = messages::read(stdout, |text, line| {
            let is_passed = match line {
                Line::Artifacts(found) => {
                    artifacts.extend(found);
                    self.forwards_messages()
                }
                Line::Diagnostic(message) => {
                    if !self.forwards_messages() {
                        diagnostics.push(message);
                        if self.is_only {
                            print_diagnostics(&mut diagnostics);
                        }
                    }
                    self.forwards_messages()
                }
                Line::Other => self.forwards_messages(),
                Line::Text => true,
            };
            match is_passed {
                true if self.is_to_stderr => Ok(_ = io::stderr().lock().write_all(text)),
                true => output.out().write_all(text).and_then(|()| output.out().flush()),
                false => Ok(()),
            }
        });
        let exit = program::wait(&mut child, &program)?;
        if exit != Exit::Done {
            print_diagnostics(&mut diagnostics);
        }
        result?.map_err(|error| Failure::Other(format!("the messages of Cargo cannot be read: {error}")))?;
        artifacts.retain(|artifact| artifact.is_local || artifact.is_dependency());
        Ok((exit, artifacts))
    }

    /// Whether messages are passed on to standard output.
    fn forwards_messages(&self) -> bool {
        self.is_only && self.args.format == Format::Json
    }

    fn message_formats(&self) -> Vec<&OsStr> {
        match self.args.format {
            _ if self.forwards_messages() => self.args.given.iter().map(OsString::as_os_str).collect(),
            Format::Short => vec![OsStr::new("json-diagnostic-short")],
            _ if self.is_only => vec![OsStr::new("json-render-diagnostics")],
            // The second run of Cargo shows the diagnostics of a build that succeeds.
            _ if io::stderr().is_terminal() => vec![OsStr::new("json-diagnostic-rendered-ansi")],
            _ => vec![OsStr::new("json")],
        }
    }
}

fn print_diagnostics(diagnostics: &mut Vec<String>) {
    for message in diagnostics.drain(..) {
        _ = io::stderr().lock().write_all(message.as_bytes());
    }
}

/// The packages of the binaries, by manifest.
struct Packages(BTreeMap<PathBuf, (Project, BuildMetadata)>);

impl Packages {
    fn read(args: &CargoArgs, artifacts: &[Artifact], output: &mut Output) -> Result<Self, Failure> {
        let mut packages = BTreeMap::new();
        for artifact in artifacts {
            if packages.contains_key(&artifact.manifest) {
                continue;
            }
            let project = Project::open(&artifact.manifest)?;
            let directory = artifact.manifest.parent().filter(|_| artifact.is_local);
            let git = directory.map_or(GitSource::None, GitSource::WorkTree);
            let metadata = BuildMetadata::new(&args.build, Some(&project), git)?;
            metadata.print_notes(output);
            packages.insert(artifact.manifest.clone(), (project, metadata));
        }
        Ok(Self(packages))
    }

    fn judge(&self, args: &CargoArgs, artifacts: &[Artifact], output: &mut Output) -> Result<Exit, Failure> {
        let mut worst = Exit::Done;
        for artifact in artifacts {
            let project = self.0.get(&artifact.manifest).map(|(project, _)| project);
            let source = InputSource::for_path(&artifact.path);
            worst = worst.max(judge(&args.build.policy, project, &source, output)?);
        }
        Ok(worst)
    }
}

struct Changed {
    exit: Exit,
    is_any_changed: bool,
}

/// Sets the metadata of these binaries. A failure does not stop the others.
fn set_all<'a>(
    packages: &Packages,
    artifacts: impl IntoIterator<Item = &'a Artifact>,
    output: &mut Output,
) -> Result<Changed, Failure> {
    let mut changed = Changed { exit: Exit::Done, is_any_changed: false };
    for artifact in artifacts {
        let source = InputSource::for_path(&artifact.path);
        let Some((_, metadata)) = packages.0.get(&artifact.manifest) else { continue };
        match artifact::set(artifact, &metadata.edit, output) {
            Ok(sections) => {
                changed.is_any_changed |= sections > 0;
                report(&source, sections, output);
            }
            Err(failure @ Failure::Output(_)) => return Err(failure),
            Err(failure) => {
                output.print_failure(&source, &failure);
                changed.exit = Exit::Failed;
            }
        }
    }
    Ok(changed)
}
