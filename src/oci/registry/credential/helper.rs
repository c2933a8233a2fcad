//! Programs that keep credentials: `docker-credential-NAME get`, the server's name on standard input, JSON on standard
//! output. Source: the docker-credential-helpers project.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::{Credential, CredentialError};
use crate::escape::quoted;

/// Bytes of an answer at the most.
const MAX_ANSWER: u64 = 1 << 16;

/// How often it is looked whether a program has ended.
const TICK: Duration = Duration::from_millis(10);

/// What helpers print where they know nothing of a server.
const UNKNOWN: &str = "credentials not found in native keychain";

/// The user name that stands for an identity token.
const TOKEN: &str = "<token>";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    username: String,
    secret: String,
}

/// Asks the helper of this name, which a file names; `None` where it knows nothing of the server.
pub(super) fn ask(
    name: &str,
    server: &str,
    file: &Path,
    patience: Duration,
) -> Result<Option<Credential>, CredentialError> {
    let program = format!("docker-credential-{name}");
    let asked = match name {
        // Nothing but a name, which is looked for where programs are.
        name if name.contains(['/', '\\', '\0']) => Err("is no name of a program".to_owned()),
        _ => ask_program(&program, server, patience),
    };
    let program = quoted(&program).trim_matches('`').to_owned();
    asked.map_err(|why| CredentialError::Helper { program, file: file.to_owned(), why })
}

fn ask_program(program: &str, server: &str, patience: Duration) -> Result<Option<Credential>, String> {
    let (status, answer) = run(program, server, patience)?;
    if !status.success() {
        let is_unknown = String::from_utf8_lossy(&answer).trim_start().starts_with(UNKNOWN);
        return if is_unknown { Ok(None) } else { Err(format!("fails ({status}): log in again")) };
    }
    // What it printed may be secret, in part or with a mistake in it.
    let answer: Answer = serde_json::from_slice(&answer)
        .map_err(|_| "gives something other than the JSON that is asked for".to_owned())?;
    Ok(Some(match &*answer.username {
        TOKEN => Credential::identity_token(answer.secret),
        _ => Credential::password(answer.username, answer.secret),
    }))
}

/// Runs the program, without a shell, for so long at the most.
fn run(program: &str, server: &str, patience: Duration) -> Result<(ExitStatus, Vec<u8>), String> {
    let mut command = Command::new(program);
    command.arg("get").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let begun = Instant::now();
    let mut child = Running(command.spawn().map_err(|error| format!("cannot be run: {error}"))?);
    if let Some(mut stdin) = child.0.stdin.take() {
        _ = stdin.write_all(server.as_bytes()); // one that does not read knows the answer
    }
    let stdout = child.0.stdout.take().expect("it is piped");
    let (sender, receiver) = mpsc::channel();
    // Whoever has inherited the pipe may hold it open longer than the program runs: nobody waits for this thread.
    thread::spawn(move || {
        let mut answer = Vec::new();
        let read = stdout.take(MAX_ANSWER + 1).read_to_end(&mut answer);
        _ = sender.send(read.map(|_| answer));
    });
    let late = || format!("has given no answer within {patience:?}");
    let status = loop {
        match child.0.try_wait().map_err(|error| format!("cannot be waited for: {error}"))? {
            Some(status) => break status,
            None if begun.elapsed() >= patience => return Err(late()),
            None => thread::sleep(TICK),
        }
    };
    let answer = receiver.recv_timeout(patience.saturating_sub(begun.elapsed())).map_err(|_| late())?;
    let answer = answer.map_err(|error| format!("cannot be read from: {error}"))?;
    if answer.len() as u64 > MAX_ANSWER {
        return Err(format!("gives more than {MAX_ANSWER} bytes"));
    }
    Ok((status, answer))
}

/// A program that is ended when nobody waits for it any more.
struct Running(Child);

impl Drop for Running {
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

    fn asked(script: &str, patience: Duration) -> Result<Option<Credential>, String> {
        let directory = tempfile::tempdir().unwrap();
        let program = directory.path().join("helper");
        // Written by another process: this one may be about to start one of its own, which would hold the file open for
        // writing, and then it cannot be run.
        let text = format!("#!/bin/sh\n{script}\n");
        let mut writer = Command::new("tee").arg(&program).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        writer.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        assert!(writer.wait().unwrap().success());
        fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
        ask_program(program.to_str().unwrap(), "r.example.com", patience)
    }

    #[test]
    fn helpers_are_asked_as_docker_asks_them() {
        let echo = r#"test "$1" = get && printf '{"ServerURL":"","Username":"me","Secret":"%s"}' "$(cat)""#;
        assert_eq!(asked(echo, LONG), Ok(Some(Credential::password("me", "r.example.com"))));
        let token = r#"echo '{"Username":"<token>","Secret":"t"}'"#;
        assert_eq!(asked(token, LONG), Ok(Some(Credential::identity_token("t"))));
        assert_eq!(asked("echo credentials not found in native keychain; exit 1", LONG), Ok(None));
    }

    #[test]
    fn helpers_that_fail() {
        for (script, why) in [
            ("echo hunter2; echo hunter2 >&2; exit 3", "fails (exit status: 3)"),
            ("echo hunter2", "other than the JSON"),
            ("kill -9 $$", "signal"),
            ("yes hunter2", ""), // it is told to stop by its output being closed
        ] {
            let error = asked(script, LONG).unwrap_err();
            assert!(error.contains(why) && !error.contains("hunter2"), "{script}: {error}");
        }
        assert!(ask_program("/nowhere/at/all", "", LONG).unwrap_err().contains("cannot be run"));
        let named = ask("../x", "r.example.com", Path::new("config.json"), LONG).unwrap_err().to_string();
        assert!(named.contains("no name of a program") && named.contains("config.json"), "{named}");
    }

    #[test]
    fn nobody_waits_for_ever() {
        let begun = Instant::now();
        // One that sleeps, and one that leaves another behind that holds its output open.
        for script in ["sleep 60", "sleep 60 & exit 0"] {
            assert!(asked(script, Duration::from_millis(300)).unwrap_err().contains("no answer within"), "{script}");
        }
        assert!(begun.elapsed() < Duration::from_secs(20));
    }
}
