//! Credential helpers: programs that are called as `docker-credential-NAME get`, `store` or `erase`.
//! They read the server's name or JSON from standard input and write JSON to standard output.
//! Source: the docker-credential-helpers project.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::error::CredentialError;
use super::secret::Credential;
use sectile::internal::quoted;

/// Maximum size of the output in bytes.
const MAX_OUTPUT: u64 = 1 << 16;

/// Interval at which the program's exit is polled.
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// The output of helpers that have no credentials for a server.
const UNKNOWN: &str = "credentials not found in native keychain";

/// The user name of an identity token.
const TOKEN_USER: &str = "<token>";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HelperOutput {
    username: String,
    secret: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct HelperInput<'a> {
    #[serde(rename = "ServerURL")]
    server_url: &'a str,
    username: &'a str,
    secret: &'a str,
}

/// A helper that a credentials file names.
pub(super) struct Helper<'a> {
    pub(super) name: &'a str,
    pub(super) file: &'a Path,
    pub(super) timeout: Duration,
}

impl Helper<'_> {
    /// Returns the program's name, for messages.
    pub(super) fn program(&self) -> String {
        quoted(&format!("docker-credential-{}", self.name)).trim_matches('`').to_owned()
    }

    /// Returns the credentials for a server; `None` if the helper has none.
    pub(super) fn find(&self, server: &str) -> Result<Option<Credential>, CredentialError> {
        self.call(|program| find_with(program, server, self.timeout))
    }

    /// Stores a password for a server.
    pub(super) fn store(&self, server: &str, user: &str, password: &str) -> Result<(), CredentialError> {
        let input = HelperInput { server_url: server, username: user, secret: password };
        let input = serde_json::to_string(&input).unwrap_or_default(); // cannot fail: three strings
        self.call(|program| done(&run(program, "store", &input, self.timeout)?))
    }

    /// Removes the credentials for a server. Returns whether the helper had any.
    pub(super) fn erase(&self, server: &str) -> Result<bool, CredentialError> {
        self.call(|program| {
            let (status, output) = run(program, "erase", server, self.timeout)?;
            if is_unknown(&output) { Ok(false) } else { done(&(status, output)).map(|()| true) }
        })
    }

    fn call<T>(&self, call: impl FnOnce(&str) -> Result<T, String>) -> Result<T, CredentialError> {
        let program = format!("docker-credential-{}", self.name);
        let result = match self.name {
            // A path could name any program.
            name if name.contains(['/', '\\', '\0']) => Err("is not a program name".to_owned()),
            _ => call(&program),
        };
        let (program, file) = (self.program(), self.file.to_owned());
        result.map_err(|reason| CredentialError::Helper { program, file, reason })
    }
}

fn find_with(program: &str, server: &str, timeout: Duration) -> Result<Option<Credential>, String> {
    let (status, output) = run(program, "get", server, timeout)?;
    if is_unknown(&output) && !status.success() {
        return Ok(None);
    }
    let output = (status, output);
    done(&output)?;
    // The output is not quoted, because it may contain a secret.
    let output: HelperOutput =
        serde_json::from_slice(&output.1).map_err(|_| "did not print the expected JSON".to_owned())?;
    Ok(Some(match &*output.username {
        TOKEN_USER => Credential::identity_token(output.secret),
        _ => Credential::password(output.username, output.secret),
    }))
}

/// Whether this is the output of a helper without credentials for a server.
fn is_unknown(output: &[u8]) -> bool {
    String::from_utf8_lossy(output).trim_start().starts_with(UNKNOWN)
}

fn done((status, _): &(ExitStatus, Vec<u8>)) -> Result<(), String> {
    if status.success() { Ok(()) } else { Err(format!("failed ({status}): log in again")) }
}

/// Runs a program without a shell, and kills it after the timeout.
fn run(program: &str, action: &str, input: &str, timeout: Duration) -> Result<(ExitStatus, Vec<u8>), String> {
    let mut command = Command::new(program);
    command.arg(action).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let start = Instant::now();
    let mut child = KillOnDrop(command.spawn().map_err(|error| format!("cannot be started: {error}"))?);
    if let Some(mut stdin) = child.0.stdin.take() {
        _ = stdin.write_all(input.as_bytes()); // a program that does not read its input is not an error
    }
    let stdout = child.0.stdout.take().expect("standard output is piped");
    let (sender, receiver) = mpsc::channel();
    // The thread is not joined. A process that inherited the pipe may keep it open after the
    // program exits.
    thread::spawn(move || {
        let mut output = Vec::new();
        let read = stdout.take(MAX_OUTPUT + 1).read_to_end(&mut output);
        _ = sender.send(read.map(|_| output));
    });
    let timed_out = || format!("did not respond within {timeout:?}");
    let status = loop {
        match child.0.try_wait().map_err(|error| format!("cannot be waited for: {error}"))? {
            Some(status) => break status,
            None if start.elapsed() >= timeout => return Err(timed_out()),
            None => thread::sleep(POLL_INTERVAL),
        }
    };
    let output = receiver.recv_timeout(timeout.saturating_sub(start.elapsed())).map_err(|_| timed_out())?;
    let output = output.map_err(|error| format!("cannot be read from: {error}"))?;
    if output.len() as u64 > MAX_OUTPUT {
        return Err(format!("printed more than {MAX_OUTPUT} bytes"));
    }
    Ok((status, output))
}

/// A running program that is killed on drop.
struct KillOnDrop(Child);

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        if let Ok(None) = self.0.try_wait() {
            _ = self.0.kill();
            _ = self.0.wait();
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    const LONG: Duration = Duration::from_secs(20);

    fn run_script(script: &str, timeout: Duration) -> Result<Option<Credential>, String> {
        let directory = tempfile::tempdir().unwrap();
        let program = directory.path().join("helper");
        // Written by another process. A child process started in the meantime would inherit the
        // writable file, which would prevent its execution.
        let text = format!("#!/bin/sh\n{script}\n");
        let mut writer = Command::new("tee").arg(&program).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        writer.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        assert!(writer.wait().unwrap().success());
        fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
        find_with(program.to_str().unwrap(), "r.example.com", timeout)
    }

    #[test]
    fn helpers_are_called_as_by_docker() {
        let echo = r#"test "$1" = get && printf '{"ServerURL":"","Username":"me","Secret":"%s"}' "$(cat)""#;
        assert_eq!(run_script(echo, LONG), Ok(Some(Credential::password("me", "r.example.com"))));
        let token = r#"echo '{"Username":"<token>","Secret":"t"}'"#;
        assert_eq!(run_script(token, LONG), Ok(Some(Credential::identity_token("t"))));
        assert_eq!(run_script("echo credentials not found in native keychain; exit 1", LONG), Ok(None));
    }

    #[test]
    fn failures_of_helpers_quote_no_output() {
        for (script, why) in [
            ("echo hunter2; echo hunter2 >&2; exit 3", "failed (exit status: 3)"),
            ("echo hunter2", "did not print the expected JSON"),
            ("kill -9 $$", "signal"),
            ("yes hunter2", ""), // ended by its closed output
        ] {
            let error = run_script(script, LONG).unwrap_err();
            assert!(error.contains(why) && !error.contains("hunter2"), "{script}: {error}");
        }
        assert!(find_with("/nowhere/at/all", "", LONG).unwrap_err().contains("cannot be started"));
        let helper = Helper { name: "../x", file: Path::new("config.json"), timeout: LONG };
        let error = helper.find("r.example.com").unwrap_err().to_string();
        assert!(error.contains("not a program name") && error.contains("config.json"), "{error}");
    }

    #[test]
    fn helpers_are_killed_after_the_timeout() {
        let start = Instant::now();
        // A program that sleeps, and one whose child keeps its output open.
        for script in ["sleep 60", "sleep 60 & exit 0"] {
            assert!(
                run_script(script, Duration::from_millis(300)).unwrap_err().contains("did not respond within"),
                "{script}"
            );
        }
        assert!(start.elapsed() < Duration::from_secs(20));
    }
}
