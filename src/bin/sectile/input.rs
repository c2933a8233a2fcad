//! What a FILE argument names.

use std::ffi::OsStr;
use std::io::{self, Read};

use clap::ArgMatches;
use sectile::Input;
use sectile::oci::Locator;

use crate::output::Failure;

/// Standard input is kept in a temporary file, and so much of it at the most.
const MAX_SPOOLED: u64 = 1 << 30;

/// Opens what a FILE argument names: a file, standard input, or an image's layer.
pub fn open(file: &OsStr, matches: &ArgMatches) -> Result<Input, Failure> {
    let input = named(file)?;
    if !matches.get_flag("map") {
        return Ok(input);
    }
    // SAFETY: whoever gives `--map` was told by its help that nobody may change the file meanwhile.
    #[allow(unsafe_code)]
    let input = unsafe { input.map() }?;
    Ok(input)
}

/// Opens a file, standard input, or an image's layer, to be read by positioned reads.
pub fn named(file: &OsStr) -> Result<Input, Failure> {
    if file == "-" { spool(io::stdin().lock()) } else { Ok(Input::locate(file)?) }
}

/// Whether a FILE argument names an image in a layout.
pub fn is_in_layout(file: &OsStr) -> bool {
    Locator::parse(file).is_some()
}

/// Puts a stream into a temporary file without a name, so that it can be read at any position.
fn spool(stream: impl Read) -> Result<Input, Failure> {
    let failure = |error| Failure::Other(format!("standard input cannot be kept in a temporary file: {error}"));
    let mut file = tempfile::tempfile().map_err(failure)?;
    let len = io::copy(&mut stream.take(MAX_SPOOLED + 1), &mut file).map_err(failure)?;
    if len > MAX_SPOOLED {
        return Err(Failure::Other(format!("more than {MAX_SPOOLED} bytes: give it as a file")));
    }
    Ok(Input::of(file)?)
}
