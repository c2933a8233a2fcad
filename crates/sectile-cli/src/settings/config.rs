//! The user's configuration file.

use std::env;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use sectile::Escaped;
use sectile::internal::untrusted_reason;
use sectile_document::file::{FileError, open_regular, read_from};
use sectile_document::{Value, line_and_column};
use sectile_policy::internal::hint;

use super::Settings;
use super::keys::KEYS;
use crate::display::escaped;
use crate::failure::Failure;

/// Names the configuration file. If empty, no file is read.
const VARIABLE: &str = "SECTILE_CONFIG";

/// Sets the values of the file. Without `SECTILE_CONFIG`, the file may be missing.
pub fn apply(settings: &mut Settings) -> Result<(), Failure> {
    let (path, is_required) = match env::var_os(VARIABLE) {
        Some(path) if path.is_empty() => return Ok(()),
        Some(path) => (PathBuf::from(path), true),
        None => match default_path() {
            Some(path) => (path, false),
            None => return Ok(()),
        },
    };
    match read(&path) {
        Ok(text) => apply_text(settings, &path, &text),
        Err(FileError::Io(error)) if !is_required && is_absent(&path, &error) => Ok(()),
        Err(error) => Err(unusable(&path, &describe(&error))),
    }
}

/// Whether the file is missing, or its directory belongs to another user. A service may run with
/// the home directory of another user.
fn is_absent(path: &Path, error: &io::Error) -> bool {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => true,
        ErrorKind::PermissionDenied => path.symlink_metadata().is_err(),
        _ => false,
    }
}

/// The file in the platform's directory for user configuration.
fn default_path() -> Option<PathBuf> {
    let absolute = |path: PathBuf| Some(path).filter(|path| path.is_absolute());
    let home = || env::home_dir().and_then(absolute);
    let directory = if cfg!(windows) {
        env::var_os("APPDATA").map(PathBuf::from).and_then(absolute)
    } else if cfg!(target_os = "macos") {
        home().map(|home| home.join("Library/Application Support"))
    } else {
        let xdg = env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).and_then(absolute);
        xdg.or_else(|| home().map(|home| home.join(".config")))
    };
    Some(directory?.join("sectile").join("config.toml"))
}

/// Reads the file, unless another user may have written it.
fn read(path: &Path) -> Result<String, FileError> {
    let file = open_regular(path)?;
    if let Some(reason) = untrusted_reason(&file)? {
        return Err(io::Error::other(reason).into());
    }
    read_from(file)
}

fn describe(error: &FileError) -> String {
    match error {
        FileError::Io(error) => error.to_string(),
        FileError::NotRegular => "it is not a regular file".to_owned(),
        FileError::TooLarge => "it is larger than 1 MiB".to_owned(),
        FileError::NotUtf8(_) => "it is not UTF-8".to_owned(),
    }
}

fn unusable(path: &Path, reason: &str) -> Failure {
    let path = escaped(path.as_os_str());
    Failure::Other(format!("{path}: the configuration cannot be used: {reason} (an empty {VARIABLE} ignores it)"))
}

fn apply_text(settings: &mut Settings, path: &Path, text: &str) -> Result<(), Failure> {
    let invalid = |start, message: &str| {
        let (line, column) = line_and_column(text, start);
        Failure::Other(format!("{}:{line}:{column}: {message}", escaped(path.as_os_str())))
    };
    let root = sectile_document::toml(text).map_err(|error| invalid(error.start, &error.message))?;
    let Value::Table(entries) = &root.value else { return Ok(()) };
    for (name, node) in entries {
        let Some(key) = KEYS.iter().find(|key| key.name == name) else {
            return Err(invalid(node.key_start, &unknown(name)));
        };
        let applied = key.apply_entry(settings, node, path);
        applied.map_err(|error| invalid(node.start, &format!("{name}: {error}")))?;
    }
    Ok(())
}

fn unknown(name: &str) -> String {
    let hint = hint(name, "keys", &KEYS.each_ref().map(|key| key.name), "`sectile --help`");
    format!("unknown key `{}`{hint}", Escaped::new(name))
}
