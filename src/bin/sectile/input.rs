//! What a FILE argument names.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::io::{self, Read};

use clap::ArgMatches;
use sectile::drive::{Cost, ReadAt};
use sectile::interface::Interface;
use sectile::metadata::Metadata;
use sectile::oci::Locator;
use sectile::policy::Reading;
use sectile::scan::Visitor;
use sectile::{Error, Input, Limits, Outcome, Policy};

use crate::failure::Failure;
use crate::output::escaped;

/// Standard input is kept in a temporary file, and so much of it at the most.
const MAX_SPOOLED: u64 = 1 << 30;

/// What a FILE argument names, to be read.
pub enum Opened {
    Here(Input),
    #[cfg(feature = "remote")]
    Remote(Box<crate::remote::Remote>),
}

/// Does the same with either.
macro_rules! either {
    ($opened:expr, $input:ident => $do:expr) => {
        match $opened {
            Opened::Here($input) => $do,
            #[cfg(feature = "remote")]
            Opened::Remote($input) => $do,
        }
    };
}

impl Opened {
    pub fn len(&self) -> u64 {
        either!(self, input => input.len())
    }

    pub fn scan<V: for<'w> Visitor<'w>>(&mut self, visitor: &mut V, limits: Limits) -> (Result<(), Error>, Cost) {
        either!(self, input => input.scan(visitor, limits))
    }

    pub fn read(&mut self, limits: Limits) -> Result<Outcome<Metadata<'static>>, Error> {
        either!(self, input => input.read(limits))
    }

    pub fn read_with_interface(&mut self, limits: Limits) -> Result<Outcome<(Metadata<'static>, Interface)>, Error> {
        either!(self, input => input.read_with_interface(limits))
    }

    pub fn read_for(&mut self, policy: &Policy) -> Result<Outcome<Reading<'static>>, Error> {
        either!(self, input => input.read_for(policy))
    }

    /// Reads bytes from this offset on, and gives their number; 0 at the end.
    pub fn read_part(&mut self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        match self {
            Self::Here(input) => input.read_at(buffer, offset),
            #[cfg(feature = "remote")]
            Self::Remote(remote) => remote.read_part(buffer, offset),
        }
    }
}

/// Opens what a FILE argument names: a file, standard input, an image's layer, or something that lies elsewhere.
pub fn open(file: &OsStr, matches: &ArgMatches) -> Result<Opened, Failure> {
    if let Some(url) = as_url(file) {
        if matches.get_flag("map") {
            return Err(Failure::Other("--map is for files on this machine".to_owned()));
        }
        return open_url(url);
    }
    Ok(Opened::Here(open_here(file, matches)?))
}

/// Opens what a FILE argument names on this machine, mapped into memory where that is asked for.
pub fn open_here(file: &OsStr, matches: &ArgMatches) -> Result<Input, Failure> {
    let input = named(file)?;
    if !matches.get_flag("map") {
        return Ok(input);
    }
    // SAFETY: whoever gives `--map` was told by its help that nobody may change the file meanwhile.
    #[allow(unsafe_code)]
    let input = unsafe { input.map() }?;
    Ok(input)
}

/// The URL that a FILE argument is, if it is one. The case of its scheme does not matter. Source: RFC 3986, 3.1.
pub fn as_url(file: &OsStr) -> Option<&str> {
    const SCHEMES: [&str; 10] = ["s3", "s3a", "gs", "az", "abfs", "abfss", "http", "https", "file", "oci"];
    let file = file.to_str()?;
    let (scheme, _) = file.split_once("://")?;
    SCHEMES.iter().any(|known| scheme.eq_ignore_ascii_case(known)).then_some(file)
}

#[cfg(feature = "remote")]
fn open_url(url: &str) -> Result<Opened, Failure> {
    crate::remote::open(url)
}

#[cfg(not(feature = "remote"))]
fn open_url(_: &str) -> Result<Opened, Failure> {
    Err(Failure::Other(LACKS_REMOTE.to_owned()))
}

#[cfg(not(feature = "remote"))]
pub const LACKS_REMOTE: &str = "this `sectile` is built without what reads elsewhere than on this machine: build it with \
                            `--features full`";

/// What a URL names in a registry, if that is where it leads.
pub fn in_registry(url: &str) -> Option<&str> {
    let (scheme, image) = url.split_once("://")?;
    scheme.eq_ignore_ascii_case("oci").then_some(image)
}

/// A FILE argument as it is shown: a URL without what may be as good as a password, which is all behind its path, a user who
/// has one, and every user of a web server.
pub fn shown(file: &OsStr) -> Cow<'_, OsStr> {
    let Some((scheme, rest)) = as_url(file).and_then(|url| url.split_once("://")) else { return Cow::Borrowed(file) };
    let whole = rest.split(['?', '#']).next().unwrap_or_default();
    let (place, path) = whole.split_at(whole.find('/').unwrap_or(whole.len()));
    let host = match place.rsplit_once('@') {
        Some((user, host)) if user.contains(':') || scheme.to_ascii_lowercase().starts_with("http") => host,
        _ => place,
    };
    Cow::Owned(format!("{scheme}://{host}{path}").into())
}

/// Opens what lies on this machine: a file, standard input, or an image's layer in a layout.
pub fn named(file: &OsStr) -> Result<Input, Failure> {
    if as_url(file).is_some() {
        return Err(Failure::Other(
            "only `show`, `sections`, `get`, `check` and `sbom` read what lies elsewhere: download it first".to_owned(),
        ));
    }
    if file == "-" { spool(io::stdin().lock()) } else { Ok(Input::locate(file)?) }
}

/// Whether a FILE argument names an image in a layout.
pub fn is_in_layout(file: &OsStr) -> bool {
    as_url(file).is_none() && Locator::parse(file).is_some()
}

/// Puts a stream into a temporary file without a name, so that it can be read at any position.
fn spool(stream: impl Read) -> Result<Input, Failure> {
    let failure = |error| {
        let directory = std::env::temp_dir();
        let directory = escaped(directory.as_os_str());
        Failure::Other(format!("it cannot be kept in a temporary file in {directory}: {error} (TMPDIR says where)"))
    };
    let mut file = tempfile::tempfile().map_err(failure)?;
    let len = io::copy(&mut stream.take(MAX_SPOOLED + 1), &mut file).map_err(failure)?;
    if len > MAX_SPOOLED {
        return Err(Failure::Other(format!("it has more than {MAX_SPOOLED} bytes: give it as a file")));
    }
    Ok(Input::of(file)?)
}
