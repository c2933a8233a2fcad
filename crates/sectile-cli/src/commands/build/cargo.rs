//! `cargo sectile`: runs Cargo, then sets the metadata of the binaries that it reports.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sectile::Field;

use super::cargo_args::{Format, MessageArgs, args_before_dashes, option_value};
use super::dependencies::dependencies;
use super::messages::{self, Artifact, Line, Unit};
use super::packages::Packages;
use super::program;
use super::revisions::Revisions;
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
        let mut built = self.build(args, output)?;
        if built.exit != Exit::Done {
            return Ok((built.exit, built.artifacts));
        }
        let mut packages = built.packages.take().unwrap_or_else(|| built.read_packages(args, &self.args.others))?;
        packages.print_notes(output);
        let embedded = packages.set_all(built.artifacts.iter().filter(|it| it.is_dependency()), output)?;
        if embedded.exit == Exit::Done && embedded.is_any_changed {
            // Packages embed the binaries of their artifact dependencies. A second build embeds
            // them with their metadata.
            built = self.build(args, output)?;
            if built.exit != Exit::Done {
                return Ok((built.exit, built.artifacts));
            }
            packages = built.packages.take().unwrap_or_else(|| built.read_packages(args, &self.args.others))?;
        }
        let others = built.artifacts.iter().filter(|artifact| !artifact.is_dependency());
        let mut exit = embedded.exit.max(packages.set_all(others, output)?.exit);
        if exit == Exit::Done {
            exit = packages.judge(args, &built.artifacts, output)?;
        }
        Ok((exit, built.artifacts))
    }

    /// Runs Cargo, and reads the metadata of the packages meanwhile.
    fn build(&self, args: &CargoArgs, output: &mut Output) -> Result<Built, Failure> {
        output.flush()?;
        let program = cargo_program();
        let mut command = Command::new(&program);
        command.arg(self.command);
        for format in self.message_formats() {
            command.arg("--message-format").arg(format);
        }
        command.args(&self.args.others).stdout(Stdio::piped());
        let mut child = program::start(&mut command)?;
        let mut built = Built::new(self.start_revisions(args));
        let stdout = child.stdout.take().expect("standard output is a pipe");
        let mut diagnostics = Vec::new();
        let result = messages::read(stdout, |text, line| {
            let is_text = matches!(line, Line::Text);
            let is_finished = matches!(line, Line::Finished);
            match line {
                Line::Target { unit, binaries, is_fresh } => {
                    built.add(binaries, is_fresh);
                    built.units.extend(args.audit.then_some(unit));
                }
                Line::Diagnostic(message) if !self.forwards_messages() => {
                    diagnostics.push(message);
                    if self.is_only {
                        print_diagnostics(&mut diagnostics);
                    }
                }
                Line::Malformed => built.is_readable = false,
                _ => {}
            }
            match is_text || self.forwards_messages() {
                true if self.is_to_stderr => _ = io::stderr().lock().write_all(text),
                true => output.out().write_all(text).and_then(|()| output.out().flush())?,
                false => {}
            }
            if is_finished {
                // Cargo does not exit at once, and does not write binaries any more.
                built.packages = Some(built.read_packages(args, &self.args.others));
            }
            Ok::<(), io::Error>(())
        });
        built.exit = program::wait(&mut child, &program)?;
        if built.exit != Exit::Done {
            print_diagnostics(&mut diagnostics);
        }
        result?.map_err(|error| Failure::Other(format!("the messages of Cargo cannot be read: {error}")))?;
        if built.exit == Exit::Done && !built.is_readable {
            let advice = "build in directories whose names are UTF-8";
            return Err(Failure::Other(format!("a message of Cargo is not JSON in UTF-8; {advice}")));
        }
        Ok(built)
    }

    /// Starts to read the revision of the package that is built, if it may be needed.
    fn start_revisions(&self, args: &CargoArgs) -> Revisions {
        let is_set = args.build.metadata.fields.iter().any(|(field, _)| *field == Field::Revision);
        if args.build.no_git || is_set {
            return Revisions::default();
        }
        let manifest = option_value(&self.args.others, "--manifest-path").map(PathBuf::from);
        let directory = manifest.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
        std::path::absolute(Path::new(".").join(directory)).map(Revisions::start).unwrap_or_default()
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

/// The result of a run of Cargo.
struct Built {
    exit: Exit,
    /// The binaries of local packages and of artifact dependencies.
    artifacts: Vec<Artifact>,
    /// Everything that was compiled, for the lists of dependencies.
    units: Vec<Unit>,
    /// Whether every target was up to date.
    is_fresh: bool,
    /// Whether every message could be read.
    is_readable: bool,
    revisions: Revisions,
    /// The packages of the artifacts, if they were read while Cargo ran.
    packages: Option<Result<Packages, Failure>>,
}

impl Built {
    fn new(revisions: Revisions) -> Self {
        let (artifacts, units) = (Vec::new(), Vec::new());
        Self { exit: Exit::Done, artifacts, units, is_fresh: true, is_readable: true, revisions, packages: None }
    }

    fn add(&mut self, binaries: Vec<Artifact>, is_fresh: bool) {
        self.is_fresh &= is_fresh;
        self.artifacts.extend(binaries.into_iter().filter(|it| it.is_local || it.is_dependency()));
    }

    fn read_packages(&mut self, args: &CargoArgs, cargo_args: &[OsString]) -> Result<Packages, Failure> {
        if !self.is_fresh {
            self.revisions.discard_early();
        }
        let mut packages = Packages::default();
        for artifact in &self.artifacts {
            let dependencies = || dependencies(artifact, &self.units, &cargo_program(), cargo_args);
            packages.add(args, artifact, &mut self.revisions, dependencies)?;
        }
        Ok(packages)
    }
}
