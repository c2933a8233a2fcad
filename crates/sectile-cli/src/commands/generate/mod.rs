//! `sectile completions` and `sectile man`: completion scripts and manual pages.

mod bash;
mod fish;
mod manual;

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use clap::Command;
use clap_complete::Shell;
use sectile::internal::OutputPlace;
use sectile::internal::directory::OpenDirectory;
use sectile::splice::{WriteError, WriteOptions};

use crate::args::{self, CompletionsArgs, ManArgs};
use crate::display::escaped;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

pub fn completions(args: CompletionsArgs, output: &mut Output) -> Result<Exit, Failure> {
    let mut command = args::command();
    command.build();
    let mut script = String::new();
    match args.shell {
        Shell::Bash => bash::write_script(&command, &mut script),
        Shell::Fish => {
            script = generated(Shell::Fish, &mut command);
            fish::write_positional_values(&command, &mut script)
        }
        shell => {
            script = generated(shell, &mut command);
            Ok(())
        }
    }
    .expect("a string takes all text");
    output.out().write_all(script.as_bytes())?;
    Ok(Exit::Done)
}

/// The script from the generator of `clap_complete`. The generator panics on write errors, so it
/// writes to memory.
fn generated(shell: Shell, command: &mut Command) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, command, "sectile", &mut script);
    String::from_utf8(script).expect("the texts of this program are UTF-8")
}

pub fn man(args: &ManArgs) -> Result<Exit, Failure> {
    let opened = match std::fs::create_dir_all(&args.directory) {
        // Something else has the name, or the system cannot tell: opening it reports the reason.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        created => created,
    };
    let opened = opened.and_then(|()| OpenDirectory::open(&args.directory));
    let directory = opened.map_err(|error| {
        let directory = escaped(args.directory.as_os_str());
        Failure::Other(format!("{directory}: the manual pages cannot be written: {error}"))
    })?;
    let directory = Arc::new(directory);
    let options = WriteOptions { sync: false, ..WriteOptions::default() };
    let failed = |name: &str, error| Failure::Write(error, Some(args.directory.join(name).into_os_string()));
    let mut pages = Vec::new();
    // Every path is checked before any page is written.
    for (name, page) in manual::pages()? {
        let place = OutputPlace::open_in(&directory, Path::new(&name), options);
        let place = place.and_then(|place| place.check_replaceable(options).map(|()| place));
        pages.push((place.map_err(|error| failed(&name, error))?, name, page));
    }
    for (place, name, page) in pages {
        let written = place.create(options).and_then(|file| {
            file.file().write_all(&page).map_err(WriteError::Write)?;
            file.finish(|| Ok(()))
        });
        written.map_err(|error| failed(&name, error))?;
    }
    Ok(Exit::Done)
}
