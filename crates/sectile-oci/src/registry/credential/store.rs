//! Storing and removing credentials, as `docker login` and `docker logout` do.

use std::fs::{self, DirBuilder};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::value::{RawValue, to_raw_value};

use super::super::reference::RegistryHost;
use super::HELPER_TIMEOUT;
use super::error::CredentialError;
use super::files::{is_key_of, server_name, written_file};
use super::helper::Helper;
use crate::json_members::{Members, write_object};
use sectile::internal::OutputPlace;
use sectile::internal::atomic::Access;
use sectile::splice::{WriteError, WriteOptions};

/// The place where credentials are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CredentialPlace {
    /// A file. The password in it is not encrypted.
    File(PathBuf),
    /// A credential helper, by the name of its program.
    Helper(String),
}

/// The file in which a user's credentials are stored, in the format of Docker and Podman.
///
/// If the file names a credential helper for a registry, the helper stores the password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialFile {
    path: PathBuf,
    helper_timeout: Duration,
}

const AUTHS: &str = "auths";

impl CredentialFile {
    /// A file at this path, which need not exist.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), helper_timeout: HELPER_TIMEOUT }
    }

    /// The file of the user who runs this process: `$REGISTRY_AUTH_FILE`,
    /// `$DOCKER_CONFIG/config.json` or `~/.docker/config.json`. `None` without a home directory.
    pub fn for_user() -> Option<Self> {
        written_file(|name| std::env::var_os(name).filter(|value| !value.is_empty())).map(Self::new)
    }

    /// Returns the path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Stores a password for a registry. Replaces earlier credentials for it. Everything else in
    /// the file stays as it is.
    ///
    /// The file is replaced atomically. Only its owner can read it.
    ///
    /// # Errors
    ///
    /// The file cannot be read or written, or is not in the format of Docker, or the helper fails.
    pub fn store(
        &self,
        registry: &RegistryHost,
        user: &str,
        password: &str,
    ) -> Result<CredentialPlace, CredentialError> {
        let server = server_name(registry.as_str());
        let mut file = self.open()?;
        let helper = file.helper_for(registry)?;
        let (entry, place) = if let Some(name) = &helper {
            let helper = self.helper(name);
            helper.store(server, user, password)?;
            ("{}".to_owned(), CredentialPlace::Helper(helper.program()))
        } else {
            let pair = STANDARD.encode(format!("{user}:{password}"));
            (format!("{{\"auth\":\"{pair}\"}}"), CredentialPlace::File(self.path.clone()))
        };
        file.remove_entries(registry)?;
        file.add_entry(server, entry)?;
        file.write()?;
        Ok(place)
    }

    /// Removes the credentials for a registry, also from a helper. Returns whether there were any.
    ///
    /// # Errors
    ///
    /// As for [`store`](Self::store).
    pub fn erase(&self, registry: &RegistryHost) -> Result<bool, CredentialError> {
        let mut file = self.open()?;
        let is_erased = match file.helper_for(registry)? {
            Some(name) => self.helper(&name).erase(server_name(registry.as_str()))?,
            None => false,
        };
        if !file.remove_entries(registry)? {
            return Ok(is_erased);
        }
        file.write()?;
        Ok(true)
    }

    fn helper<'a>(&'a self, name: &'a str) -> Helper<'a> {
        Helper { name, file: &self.path, timeout: self.helper_timeout }
    }

    /// Opens the file for a change, which excludes other writers.
    fn open(&self) -> Result<OpenFile<'_>, CredentialError> {
        let unwritable = |error| CredentialError::Unwritable(self.path.clone(), error);
        let unreadable = |error| CredentialError::Unreadable(self.path.clone(), error);
        create_parent(&self.path).map_err(|error| unwritable(WriteError::Open(error)))?;
        hide_from_others(&self.path).map_err(|error| unwritable(WriteError::Open(error)))?;
        let options = WriteOptions { sync: true, force: false };
        let place = OutputPlace::open(&self.path, options).map_err(unwritable)?;
        let mut text = Vec::new();
        if let Some(mut existing) = place.existing() {
            existing.read_to_end(&mut text).map_err(unreadable)?;
        }
        let mut file = OpenFile { path: &self.path, place, options, members: Members::default() };
        if !text.is_empty() {
            file.members = file.parse(&text)?;
        }
        Ok(file)
    }
}

/// A credentials file that is being changed.
struct OpenFile<'a> {
    path: &'a Path,
    place: OutputPlace,
    options: WriteOptions,
    members: Members,
}

impl OpenFile<'_> {
    /// Parses a part of the file. The error of serde is not shown, because it may quote a secret.
    fn parse<T: serde::de::DeserializeOwned>(&self, json: &[u8]) -> Result<T, CredentialError> {
        serde_json::from_slice(json).map_err(|error| {
            let reason = format!("not JSON in the format of Docker and Podman (line {})", error.line());
            CredentialError::Malformed { file: self.path.to_owned(), reason }
        })
    }

    fn member<T: serde::de::DeserializeOwned>(&self, key: &str) -> Result<Option<T>, CredentialError> {
        self.members.find(key).filter(|json| *json != "null").map(|json| self.parse(json.as_bytes())).transpose()
    }

    /// Returns the name of the helper for a registry.
    fn helper_for(&self, registry: &RegistryHost) -> Result<Option<String>, CredentialError> {
        let helpers: Members = self.member("credHelpers")?.unwrap_or_default();
        let own = helpers.0.iter().find(|(key, _)| is_key_of(key, registry.as_str()));
        let name = match own {
            Some((_, name)) => Some(self.parse(name.get().as_bytes())?),
            None => self.member::<String>("credsStore")?,
        };
        Ok(name.filter(|name: &String| !name.is_empty()))
    }

    /// Removes the entries of a registry. Returns whether there were any.
    fn remove_entries(&mut self, registry: &RegistryHost) -> Result<bool, CredentialError> {
        let mut auths: Members = self.member(AUTHS)?.unwrap_or_default();
        let before = auths.0.len();
        auths.0.retain(|(key, _)| !is_key_of(key, registry.as_str()));
        let is_removed = auths.0.len() < before;
        if is_removed {
            self.set_auths(&auths)?;
        }
        Ok(is_removed)
    }

    fn add_entry(&mut self, key: &str, entry: String) -> Result<(), CredentialError> {
        let mut auths: Members = self.member(AUTHS)?.unwrap_or_default();
        auths.0.push((key.to_owned(), self.raw(entry)?));
        self.set_auths(&auths)
    }

    fn set_auths(&mut self, auths: &Members) -> Result<(), CredentialError> {
        let values = auths.0.iter().map(|(key, value)| (&**key, value.get()));
        let json = if auths.0.is_empty() { "{}".to_owned() } else { write_object(values, "\n\t\t", ",\n\t\t", "\n\t") };
        let json = self.raw(json)?;
        match self.members.0.iter_mut().find(|(key, _)| key == AUTHS) {
            Some((_, value)) => *value = json,
            None => self.members.0.push((AUTHS.to_owned(), json)),
        }
        Ok(())
    }

    fn raw(&self, json: String) -> Result<Box<RawValue>, CredentialError> {
        let malformed = || CredentialError::Malformed { file: self.path.to_owned(), reason: "malformed".to_owned() };
        RawValue::from_string(json).or_else(|_| to_raw_value(&())).map_err(|_| malformed())
    }

    fn write(self) -> Result<(), CredentialError> {
        let values = self.members.0.iter().map(|(key, value)| (&**key, value.get()));
        let json = write_object(values, "\n\t", ",\n\t", "\n") + "\n";
        let (place, options) = (self.place, self.options);
        let write = || {
            let output = place.create_with(Access::Private, options)?;
            output.file().write_all(json.as_bytes()).map_err(WriteError::Write)?;
            output.finish(|| Ok(()))
        };
        write().map_err(|error| CredentialError::Unwritable(self.path.to_owned(), error))
    }
}

/// Creates the directory of the file, which only its owner can read.
fn create_parent(path: &Path) -> io::Result<()> {
    let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) else { return Ok(()) };
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    match builder.create(parent) {
        // The system cannot tell whether it is a directory: using it reports the reason.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        created => created,
    }
}

/// Removes the access of others to an existing file, because it gets a password.
fn hide_from_others(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_file() && metadata.permissions().mode() & 0o077 != 0 => {
                let mode = metadata.permissions().mode() & 0o700;
                fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    #[cfg(not(unix))]
    {
        _ = fs::metadata(path);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host() -> RegistryHost {
        "r.example.com:5000".parse().unwrap()
    }

    #[test]
    fn everything_else_in_the_file_stays() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("new/config.json");
        let file = CredentialFile::new(&path);
        assert_eq!(file.store(&host(), "me", "a:b").unwrap(), CredentialPlace::File(path.clone()));
        let first = "{\n\t\"auths\":{\n\t\t\"r.example.com:5000\":{\"auth\":\"bWU6YTpi\"}\n\t}\n}\n";
        assert_eq!(fs::read_to_string(&path).unwrap(), first);

        let text = r#"{"z": {"b": 1,  "a": 2.50}, "auths": {"https://r.example.com:5000/v1/": {"auth": "eDp5"},
            "other": {"auth": "eDp5"}, "r.example.com:5000/team": {}}, "a": null}"#;
        fs::write(&path, text).unwrap();
        file.store(&host(), "me", "secret").unwrap();
        let written = fs::read_to_string(&path).unwrap();
        let parts = [r#""z":{"b": 1,  "a": 2.50}"#, r#""other":{"auth": "eDp5"}"#, r#""r.example.com:5000/team":{}"#];
        assert!(parts.iter().all(|part| written.contains(part)) && !written.contains("v1"), "{written}");
        assert!(written.find("\"z\"") < written.find("\"auths\"") && written.contains("\"a\":null"), "{written}");

        assert!(file.erase(&host()).unwrap() && !file.erase(&host()).unwrap());
        assert!(fs::read_to_string(&path).unwrap().contains("\"other\""));
    }

    #[test]
    fn a_malformed_file_is_left_unchanged() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config.json");
        for text in ["hunter2", "[]", r#"{"auths":["hunter2"]}"#, r#"{"credsStore":["hunter2"]}"#] {
            fs::write(&path, text).unwrap();
            let error = CredentialFile::new(&path).store(&host(), "me", "5ec12e7").unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("hunter2") && !shown.contains("5ec12e7"), "{shown}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_the_file() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config.json");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        CredentialFile::new(&path).store(&host(), "me", "x").unwrap();
        assert_eq!(mode(&path), 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        CredentialFile::new(&path).store(&host(), "me", "y").unwrap();
        assert_eq!(mode(&path), 0o600);
    }
}
