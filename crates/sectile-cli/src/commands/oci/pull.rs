//! `sectile oci pull`.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;

use sectile::digest::Hasher;
use sectile::internal::OutputPlace;
use sectile::splice::WriteError;
use sectile_oci::TITLE_KEY;
use sectile_oci::registry::RegistryImage;

use super::progress::PercentLine;
use crate::args::PullArgs;
use crate::display::escaped;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, Output};
use crate::registry;

const PULLED: &str = "the file is written";

pub fn run(args: &PullArgs, output: &mut Output) -> Result<Exit, Failure> {
    let client = registry::client(args.scheme)?;
    let image = RegistryImage::open_for(client, args.reference.clone(), args.platform.as_ref());
    let image = image.map_err(Failure::from_image)?;
    let line = PercentLine::new("pulling", args.no_progress);
    match &args.output {
        Some(path) if path == "-" => {
            output::refuse_terminal()?;
            copy_layer(&image, output.out(), line).map_err(|failure| match failure {
                Failure::Write(WriteError::Write(error), _) => Failure::BinaryOutput(error),
                failure => failure,
            })?;
            output.flush().map_err(|failure| match failure {
                Failure::Output(error) => Failure::BinaryOutput(error),
                failure => failure,
            })?;
            return Ok(Exit::Done);
        }
        Some(path) => write_file(&image, path, args, line)?,
        None => {
            let path = OsString::from(default_name(&image));
            match is_pulled(&image, &path)? {
                Some(true) => {}
                Some(false) => {
                    let path = escaped(&path).to_string();
                    return Err(Failure::Other(format!("{path} has other contents; use -o {path} to replace it")));
                }
                None => write_file(&image, &path, args, line)?,
            }
            return report(&image, &path, output);
        }
    }
    report(&image, args.output.as_deref().unwrap_or_default(), output)
}

/// Prints the file and the image.
fn report(image: &RegistryImage, path: &std::ffi::OsStr, output: &mut Output) -> Result<Exit, Failure> {
    if output.shows_success() {
        let reference = image.reference().clone().with_digest(image.digest());
        let reported = writeln!(output.out(), "{}: {reference}", escaped(path)).map_err(Failure::Output);
        output.flush_report(PULLED, reported)?;
    }
    Ok(Exit::Done)
}

/// The file name for an image: the title of its layer if that is safe, or that of its repository.
fn default_name(image: &RegistryImage) -> String {
    let title = image.layer().annotations().get(TITLE_KEY).filter(|title| is_safe_name(title));
    let repository = image.reference().repository();
    let last = repository.rsplit('/').next().unwrap_or(repository);
    title.cloned().unwrap_or_else(|| format!("{last}.wasm"))
}

/// Whether a name from a registry can name a file in the current directory on every system: a
/// plain name of a WebAssembly file that is not hidden.
fn is_safe_name(name: &str) -> bool {
    const MAX_LEN: usize = 200;
    const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];
    let Some(stem) = name.strip_suffix(".wasm") else { return false };
    let first = stem.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let is_numbered = |prefix| first.strip_prefix(prefix).is_some_and(|rest: &str| rest.len() == 1);
    let is_device = DEVICES.contains(&&*first) || is_numbered("com") || is_numbered("lpt");
    name.len() <= MAX_LEN
        && stem.starts_with(|character: char| character.is_ascii_alphanumeric() || character == '_')
        && stem.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-+@".contains(&byte))
        && !is_device
}

/// Whether a file is the layer; `None` if it does not exist.
fn is_pulled(image: &RegistryImage, path: &OsString) -> Result<Option<bool>, Failure> {
    let cannot_read = |error: io::Error| Failure::Other(format!("{}: cannot be read: {error}", escaped(path)));
    let metadata = match Path::new(path).symlink_metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        metadata => metadata.map_err(cannot_read)?,
    };
    if !metadata.is_file() || metadata.len() != image.layer().size() {
        return Ok(Some(false));
    }
    let mut hasher = Hasher::new();
    io::copy(&mut File::open(path).map_err(cannot_read)?, &mut hasher).map_err(cannot_read)?;
    Ok(Some(hasher.finish() == image.layer().digest()))
}

/// Writes the layer to a file, which is replaced only by a complete layer with the right digest.
fn write_file(image: &RegistryImage, path: &OsString, args: &PullArgs, line: PercentLine) -> Result<(), Failure> {
    let cannot_write = |error| Failure::Write(error, Some(path.clone()));
    let place = OutputPlace::open(Path::new(path), args.write).map_err(cannot_write)?;
    let file = place.create(args.write).map_err(cannot_write)?;
    copy_layer(image, &mut file.file(), line).map_err(|failure| match failure {
        Failure::Write(error, None) => cannot_write(error),
        failure => failure,
    })?;
    file.finish(|| Ok(())).map_err(cannot_write)
}

fn copy_layer(image: &RegistryImage, out: &mut impl Write, mut line: PercentLine) -> Result<(), Failure> {
    let size = image.layer().size();
    let mut layer = image.read_layer()?;
    let mut buffer = vec![0; 256 << 10];
    let mut done = 0;
    loop {
        match layer.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(len) => {
                out.write_all(&buffer[..len]).map_err(|error| Failure::Write(WriteError::Write(error), None))?;
                done += len as u64;
                line.update(done, size);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(Failure::Input(error.into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_safe_name;

    #[test]
    fn only_plain_names_of_wasm_files_are_safe() {
        for name in ["a.wasm", "app-1.2_x+y@z.wasm", "_a.wasm", "console.wasm", "a..b.wasm"] {
            assert!(is_safe_name(name), "{name}");
        }
        let long = format!("{}.wasm", "a".repeat(200));
        for name in [
            "",
            ".wasm",
            "a",
            "a.sh",
            "..wasm",
            "../a.wasm",
            "a/b.wasm",
            "a\\b.wasm",
            "-a.wasm",
            ".a.wasm",
            "a b.wasm",
            "c:a.wasm",
            "a\n.wasm",
            "\u{202e}a.wasm",
            "nul.wasm",
            "COM1.wasm",
            "con.x.wasm",
            "a.wasm.",
            &long,
        ] {
            assert!(!is_safe_name(name), "{name}");
        }
    }
}
