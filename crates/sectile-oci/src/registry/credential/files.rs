//! Credentials files. Sources: `containers-auth.json(5)`; Docker's `config.json`, in the
//! documentation of `docker login`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::GeneralPurpose;
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};
use serde::Deserialize;

use super::super::reference::{DOCKER, Reference};
use super::error::CredentialError;
use super::helper::Helper;
use super::secret::Credential;
use sectile::internal::{Link, open};

/// Maximum size of a file in bytes.
const MAX_FILE_SIZE: u64 = 1 << 20;

/// The key of Docker Hub in these files.
const DOCKER_KEY: &str = "https://index.docker.io/v1/";

/// Returns the files of a user with these environment variables.
pub(super) fn user_files(variable: impl Fn(&str) -> Option<OsString>) -> Vec<PathBuf> {
    let path = |name| variable(name).map(PathBuf::from);
    if let Some(file) = path("REGISTRY_AUTH_FILE") {
        return vec![file];
    }
    let home = path(if cfg!(windows) { "USERPROFILE" } else { "HOME" });
    let in_home = |path: &str| home.as_ref().map(|home| home.join(path));
    let runtime = path("XDG_RUNTIME_DIR").map(|directory| directory.join("containers")).or_else(runtime_directory);
    let config = path("XDG_CONFIG_HOME").or_else(|| in_home(".config")).map(|directory| directory.join("containers"));
    let docker = path("DOCKER_CONFIG").or_else(|| in_home(".docker"));
    let podman = [runtime, config].into_iter().flatten().map(|directory| directory.join("auth.json"));
    podman.chain(docker.map(|directory| directory.join("config.json"))).collect()
}

/// Returns Podman's runtime directory for sessions without `XDG_RUNTIME_DIR`.
#[cfg(target_os = "linux")]
#[allow(clippy::unnecessary_wraps)] // `None` on other systems
fn runtime_directory() -> Option<PathBuf> {
    Some(format!("/run/containers/{}", rustix::process::getuid().as_raw()).into())
}

#[cfg(not(target_os = "linux"))]
fn runtime_directory() -> Option<PathBuf> {
    None
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct AuthFile {
    auths: Option<BTreeMap<String, AuthEntry>>,
    cred_helpers: Option<BTreeMap<String, String>>,
    creds_store: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct AuthEntry {
    /// `user:password` in Base64.
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
    registrytoken: Option<String>,
}

/// Returns the file to which the user's credentials are written: one that Docker and Podman read.
pub(super) fn written_file(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    user_files(variable).pop()
}

/// Finds the credentials for a reference's registry in a file.
pub(super) fn find(
    file: &Path,
    reference: &Reference,
    helper_timeout: Duration,
) -> Result<Option<Credential>, CredentialError> {
    let Some(text) = read(file).map_err(|error| CredentialError::Unreadable(file.to_owned(), error))? else {
        return Ok(None);
    };
    let malformed = |reason| CredentialError::Malformed { file: file.to_owned(), reason };
    if text.is_empty() {
        return Ok(None); // Podman creates an empty file first
    }
    // The error of serde is not shown, because it may quote a secret.
    let file_config: AuthFile = serde_json::from_slice(&text)
        .map_err(|error| malformed(format!("not JSON in the format of Docker and Podman (line {})", error.line())))?;
    let run_helper =
        |name: &str| Helper { name, file, timeout: helper_timeout }.find(server_name(reference.registry()));
    let helpers = file_config.cred_helpers.unwrap_or_default();
    if let Some((_, name)) = best_match(&helpers, reference).filter(|(_, name)| !name.is_empty()) {
        return run_helper(name);
    }
    let auths = file_config.auths.unwrap_or_default();
    if let Some((_, entry)) = best_match(&auths, reference)
        && let Some(credential) = entry.credential().map_err(|reason| malformed(reason.to_owned()))?
    {
        return Ok(Some(credential));
    }
    file_config.creds_store.filter(|name| !name.is_empty()).map_or(Ok(None), |name| run_helper(&name))
}

/// Reads a file; `None` if it does not exist.
fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let file = match open(path, OpenOptions::new().read(true), Link::Followed) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        file => file?,
    };
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    let mut text = Vec::new();
    file.take(MAX_FILE_SIZE + 1).read_to_end(&mut text)?;
    if text.len() as u64 > MAX_FILE_SIZE {
        return Err(io::Error::other("larger than 1 MiB"));
    }
    Ok(Some(text))
}

/// Returns the registry's name for helpers, which is also its key in `auths`.
pub(super) fn server_name(registry: &str) -> &str {
    if registry == DOCKER { DOCKER_KEY } else { registry }
}

/// Returns the entry with the longest matching key. A key names the reference's repository, one of
/// its namespaces, or its registry.
fn best_match<'m, T>(entries: &'m BTreeMap<String, T>, reference: &Reference) -> Option<(&'m str, &'m T)> {
    let name = format!("{}/{}", reference.registry().to_ascii_lowercase(), reference.repository());
    let matching = entries.iter().map(|(key, value)| (key.as_str(), value)).filter_map(|(key, value)| {
        let key_name = normalize_key(key);
        let is_prefix = name.strip_prefix(&*key_name).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        is_prefix.then_some((key_name.len(), key, value))
    });
    // Of two equivalent keys, the shorter one wins: Docker's `https://HOST/v1/` is older than
    // `HOST`.
    matching.max_by_key(|(len, key, _)| (*len, usize::MAX - key.len())).map(|(_, key, value)| (key, value))
}

/// Returns whether a key names this registry, and not one of its repositories.
pub(super) fn is_key_of(key: &str, registry: &str) -> bool {
    normalize_key(key) == registry.to_ascii_lowercase()
}

/// Returns the registry or the repository that a key names. Old keys of Docker are URLs of
/// registries.
fn normalize_key(key: &str) -> String {
    let bare = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://"));
    let (host, path) = bare.unwrap_or(key).split_once('/').unwrap_or((bare.unwrap_or(key), ""));
    let host = host.to_ascii_lowercase();
    let host = match &*host {
        "index.docker.io" | "registry-1.docker.io" => DOCKER.to_owned(),
        _ => host,
    };
    // Only a key that is not a URL can name a repository.
    let path = path.trim_end_matches('/');
    if bare.is_some() || matches!(path, "" | "v1" | "v2") { host } else { format!("{host}/{path}") }
}

impl AuthEntry {
    /// Returns the credentials; `None` for an empty entry, which Docker writes if a helper has the
    /// secret.
    fn credential(&self) -> Result<Option<Credential>, &'static str> {
        let non_empty = |value: &Option<String>| value.clone().filter(|value| !value.is_empty());
        if let Some(token) = non_empty(&self.registrytoken) {
            return Ok(Some(Credential::registry_token(token)));
        }
        if let Some(token) = non_empty(&self.identitytoken) {
            return Ok(Some(Credential::identity_token(token)));
        }
        if let Some(auth) = non_empty(&self.auth) {
            let (user, password) = decode(&auth).ok_or("an `auth` value is not Base64 of `USER:PASSWORD`")?;
            return Ok(Some(Credential::password(user, password)));
        }
        let pair = non_empty(&self.username).zip(non_empty(&self.password));
        Ok(pair.map(|(user, password)| Credential::password(user, password)))
    }
}

/// Decodes a user and a password. Some tools omit the padding of the Base64, and pad the password
/// with NUL.
fn decode(auth: &str) -> Option<(String, String)> {
    let lenient = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let decoded = GeneralPurpose::new(&STANDARD, lenient).decode(auth.trim()).ok()?;
    let decoded = String::from_utf8(decoded).ok()?;
    let (user, password) = decoded.split_once(':')?;
    Some((user.to_owned(), password.trim_end_matches('\0').to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(10);

    fn found(text: &str, reference: &str) -> Result<Option<Credential>, CredentialError> {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("config.json");
        std::fs::write(&file, text).unwrap();
        find(&file, &reference.parse().unwrap(), TIMEOUT)
    }

    fn me(password: &str) -> Credential {
        Credential::password("me", password)
    }

    #[test]
    fn the_longest_key_wins() {
        // Returns the credentials. `None` for an empty entry, which Docker writes if a helper has
        // the secret.
        let text = r#"{"auths":{"r.example.com":{"auth":"bWU6YQ=="},"r.example.com/team":{"auth":"bWU6Yg"},
            "r.example.com/team/app":{"auth":"bWU6Yw=="},"https://old.example.com/v1/":{"auth":"bWU6YQ=="},
            "http://[::1]:5000":{"auth":"bWU6YQ=="}}}"#;
        for (reference, password) in [
            ("r.example.com/team/app:1", Some("c")),
            ("R.example.com/team/app:1", Some("c")),
            ("r.example.com/team/app/x", Some("c")),
            ("r.example.com/team/apple", Some("b")),
            ("r.example.com/teams", Some("a")),
            ("old.example.com/x", Some("a")),
            ("[::1]:5000/x", Some("a")),
            ("r.example.com:443/team", None),
            ("example.com/r.example.com", None),
        ] {
            assert_eq!(found(text, reference).unwrap(), password.map(me), "{reference}");
        }
    }

    #[test]
    fn dockers_own_registry_has_many_names() {
        for key in ["https://index.docker.io/v1/", "docker.io", "index.docker.io", "registry-1.docker.io"] {
            let text = format!(r#"{{"auths":{{"{key}":{{"auth":"bWU6YQ=="}}}}}}"#);
            assert_eq!(found(&text, "docker.io/a/b").unwrap(), Some(me("a")), "{key}");
            assert_eq!(found(&text, "index.docker.io/b").unwrap(), Some(me("a")), "{key}");
        }
    }

    #[test]
    fn every_form_of_an_entry_is_read() {
        for (entry, credential) in [
            (r#"{"username":"me","password":"a"}"#, Some(me("a"))),
            (r#"{"auth":"bWU6OmE6"}"#, Some(me(":a:"))),
            (r#"{"auth":"bWU6YQAA"}"#, Some(me("a"))),
            (r#"{"auth":"bWU6YQ==","identitytoken":"t"}"#, Some(Credential::identity_token("t"))),
            (r#"{"auth":"","registrytoken":"t","email":"x"}"#, Some(Credential::registry_token("t"))),
            (r#"{"auth":"","identitytoken":""}"#, None),
            ("{}", None),
        ] {
            let text = format!(r#"{{"auths":{{"r.example.com":{entry}}},"credsStore":"","x":1}}"#);
            assert_eq!(found(&text, "r.example.com/a").unwrap(), credential, "{entry}");
        }
    }

    #[test]
    fn a_missing_or_empty_file_has_no_credentials() {
        assert_eq!(found("", "r.example.com/a").unwrap(), None);
        assert_eq!(found("{}", "r.example.com/a").unwrap(), None);
        assert_eq!(find(Path::new("/nowhere/at/all"), &"r.example.com/a".parse().unwrap(), TIMEOUT).unwrap(), None);
    }

    #[test]
    fn errors_name_the_file_and_no_secret() {
        for text in [
            "{\n\"auths\":{\"r.example.com\":\"hunter2\"}}",
            "{\"auths\":{\"r.example.com\":{\"auth\":[\"hunter2\"]}}}",
            "{\"auths\":{\"r.example.com\":{\"auth\":\"hunter2\"}}}",
            "hunter2",
        ] {
            let error = found(text, "r.example.com/a").unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(shown.contains("config.json") && !shown.contains("hunter2"), "{shown}");
        }
    }

    #[test]
    fn a_large_file_and_a_directory_are_refused() {
        assert!(found(&" ".repeat(2 << 20), "r.example.com/a").is_err());
        let directory = tempfile::tempdir().unwrap();
        assert!(find(directory.path(), &"r.example.com/a".parse().unwrap(), TIMEOUT).is_err());
    }

    #[test]
    fn credential_files_are_those_of_docker_and_podman() {
        let paths = |variables: &[(&str, &str)]| {
            let files =
                user_files(|name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into()));
            files.iter().map(|file| file.to_str().unwrap().replace('\\', "/")).collect::<Vec<_>>()
        };
        let home = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
        assert_eq!(paths(&[("REGISTRY_AUTH_FILE", "/a/b"), (home, "/h")]), ["/a/b"]);
        assert_eq!(
            paths(&[("XDG_RUNTIME_DIR", "/r"), (home, "/h")]),
            ["/r/containers/auth.json", "/h/.config/containers/auth.json", "/h/.docker/config.json"]
        );
        assert_eq!(
            paths(&[("XDG_RUNTIME_DIR", "/r"), ("XDG_CONFIG_HOME", "/c"), ("DOCKER_CONFIG", "/d"), (home, "/h")]),
            ["/r/containers/auth.json", "/c/containers/auth.json", "/d/config.json"]
        );
    }
}
