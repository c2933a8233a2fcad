//! `sectile completions` and `sectile man`: completion scripts and manual pages.

use std::io::Write;

use crate::args::{self, CompletionsArgs, ManArgs};
use crate::display::escaped;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

pub fn completions(args: CompletionsArgs, output: &mut Output) -> Result<Exit, Failure> {
    // The generator panics if a write fails, so it writes to memory.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut args::command(), "sectile", &mut script);
    output.out().write_all(&script)?;
    Ok(Exit::Done)
}

pub fn man(args: &ManArgs) -> Result<Exit, Failure> {
    let write = || {
        std::fs::create_dir_all(&args.directory)?;
        clap_mangen::generate_to(args::command(), &args.directory)
    };
    write().map_err(|error| {
        let directory = escaped(args.directory.as_os_str());
        Failure::Other(format!("{directory}: the manual pages cannot be written: {error}"))
    })?;
    Ok(Exit::Done)
}
