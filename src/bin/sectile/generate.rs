//! What the command says of itself: completions and manual pages.

use std::path::PathBuf;

use clap::ArgMatches;
use clap_complete::Shell;

use crate::args;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Output, escaped};

pub fn completions(matches: &ArgMatches, output: &mut Output) -> Result<Exit, Failure> {
    let shell = *matches.get_one::<Shell>("SHELL").expect("clap asks for a shell");
    // The generator panics where it cannot write: let it write to memory.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut args::command(), "sectile", &mut script);
    std::io::Write::write_all(output.out(), &script)?;
    Ok(Exit::Done)
}

pub fn man(matches: &ArgMatches) -> Result<Exit, Failure> {
    let directory = matches.get_one::<PathBuf>("DIR").expect("clap asks for a directory");
    let write = || {
        std::fs::create_dir_all(directory)?;
        clap_mangen::generate_to(args::command(), directory)
    };
    write().map_err(|error| {
        let directory = escaped(directory.as_os_str());
        Failure::Other(format!("{directory}: the manual pages cannot be written: {error}"))
    })?;
    Ok(Exit::Done)
}
