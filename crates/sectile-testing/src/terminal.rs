//! A pseudo-terminal.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// Runs a command whose standard error is a terminal. Returns its output and the text on the
/// terminal. Whenever the text grows, `meanwhile` is called with all of it so far.
pub fn run(command: &mut Command, mut meanwhile: impl FnMut(&mut Child, &str)) -> (ExitStatus, Vec<u8>, String) {
    let (terminal, end) = open();
    let mut child = begin(command.stdout(Stdio::piped()), end);
    let mut stdout = child.stdout.take().unwrap();
    let given = thread::spawn(move || {
        let mut given = Vec::new();
        stdout.read_to_end(&mut given).unwrap();
        given
    });
    let text = read_to_end_of_terminal(terminal, |text| meanwhile(&mut child, text));
    (child.wait().unwrap(), given.join().unwrap(), text)
}

/// Runs a command whose standard output and error are a terminal, and returns the text on it.
pub fn run_to_end(command: &mut Command) -> (ExitStatus, String) {
    let (terminal, end) = open();
    let mut child = begin(command.stdout(end.try_clone().unwrap()), end);
    command.stdout(Stdio::null());
    let text = read_to_end_of_terminal(terminal, |_| {});
    (child.wait().unwrap(), text)
}

/// A terminal, and the end to which a command writes.
fn open() -> (OwnedFd, File) {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap();
    let end = OpenOptions::new().read(true).write(true).open(name.to_str().unwrap()).unwrap();
    (terminal, end)
}

fn begin(command: &mut Command, end: File) -> Child {
    let child = command.env("TERM", "xterm").stdin(Stdio::null()).stderr(end).spawn().unwrap();
    command.stderr(Stdio::null()); // only the child keeps its end of the terminal
    child
}

/// The text until the last writer closes the terminal.
fn read_to_end_of_terminal(terminal: OwnedFd, mut on_text: impl FnMut(&str)) -> String {
    let (mut terminal, mut text, mut buffer) = (File::from(terminal), Vec::new(), [0; 4_096]);
    loop {
        match terminal.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => {
                text.extend_from_slice(&buffer[..read]);
                on_text(&String::from_utf8_lossy(&text));
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => break, // Linux reports a hangup in this way
        }
    }
    String::from_utf8(text).unwrap()
}
