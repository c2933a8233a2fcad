//! Explains failures to read a local FILE, and suggests the command that can read it.

use std::error::Error as _;
use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::path::Path;

use sectile::{Error, Input};
use sectile_audit::FileFormat;

use crate::failure::Failure;
use crate::source::{InputLocation, InputSource};

/// A clearer message than that of the failure, if there is one.
pub fn explain(source: &InputSource, failure: &Failure) -> Option<String> {
    let Failure::Input(error) = failure else { return None };
    if *source.location() != InputLocation::File {
        return None;
    }
    let path = Path::new(source.argument());
    if error.is_not_wasm() {
        return explain_format(path);
    }
    if is_missing(error) {
        return Some("no such file".to_owned());
    }
    (error.offset().is_none() && path.is_dir()).then(|| explain_directory(path))
}

fn explain_format(path: &Path) -> Option<String> {
    let format = FileFormat::detect(&Input::open(path).ok()?).ok()??;
    let name = format.name();
    Some(if format.is_opened() {
        format!("not WebAssembly: this is {name} data; run `sectile audit {}` to look into it", quoted(path))
    } else {
        format!("not WebAssembly: this is {name} data, a format that Sectile does not open; unpack it first")
    })
}

fn explain_directory(path: &Path) -> String {
    let audit = format!("run `sectile audit {}`", quoted(path));
    if path.join("oci-layout").is_file() {
        format!("is an image layout; {audit}, or name one of its images as `oci:{}:NAME`", quoted(path))
    } else {
        format!("is a directory; {audit}")
    }
}

fn is_missing(error: &Error) -> bool {
    let source = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    source.is_some_and(|source| source.kind() == ErrorKind::NotFound)
}

/// The path for a suggested command; the word `PATH` if the path needs shell quoting.
fn quoted(path: &Path) -> &str {
    let is_plain = |text: &&str| {
        !text.starts_with('-') && text.chars().all(|each| each.is_alphanumeric() || "/._-+@,%".contains(each))
    };
    OsStr::to_str(path.as_os_str()).filter(is_plain).unwrap_or("PATH")
}
