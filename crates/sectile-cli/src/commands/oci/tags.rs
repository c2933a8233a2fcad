//! `sectile oci tags`.

use std::io::Write;

use crate::args::TagsArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::registry;

pub fn run(args: &TagsArgs, output: &mut Output) -> Result<Exit, Failure> {
    // The grammar of tags has only printable ASCII characters.
    for tag in registry::client(args.scheme)?.tags(&args.repository)? {
        writeln!(output.out(), "{tag}")?;
    }
    Ok(Exit::Done)
}
