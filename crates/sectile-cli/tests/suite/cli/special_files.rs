//! Names that are not UTF-8, files that are not regular, files without permission, and symbolic links.

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::time::{Duration, Instant};

use super::*;
use sectile_testing::files::make_fifo;

#[test]
fn a_file_name_that_is_not_utf8_is_base64_in_json() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(OsStr::from_bytes(b"caf\xe9.wasm"));
    fs::write(&path, MODULE).unwrap();
    let path = Path::new(OsStr::from_bytes(b"caf\xe9.wasm"));
    let run = |args: &[&str]| {
        let mut command = command(args);
        Run::of(command.arg(path).current_dir(&directory).output().unwrap())
    };
    assert_eq!(run(&["show", "--json"]).json()["file"], serde_json::json!({"base64": "Y2Fm6S53YXNt"}));
    assert!(run(&["show"]).text().starts_with("caf\\xe9.wasm: module"));
}

#[test]
fn special_files_are_rejected_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let fifo = directory.path().join("fifo");
    make_fifo(&fifo);
    let begin = Instant::now();
    for (path, what) in
        [(fifo.as_path(), "is a FIFO"), (directory.path(), "is a directory"), (Path::new("/dev/null"), "is a device")]
    {
        for command in ["show", "sections", "check"] {
            let run = run([OsStr::new(command), path.as_os_str()]);
            assert_eq!(run.status, 2);
            assert!(run.stderr.contains(what), "{}", run.stderr);
        }
    }
    assert!(begin.elapsed() < Duration::from_secs(60), "a FIFO is not waited for");
}

#[test]
fn an_unreadable_file_is_reported() {
    let (directory, path) = file(&MODULE);
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    let mut command = command([OsStr::new("show"), path.as_os_str()]);
    if fs::read(&path).is_ok() {
        command.uid(65534); // root may read everything
    }
    // Another user may be unable to reach the binary in a private target directory.
    let Ok(output) = command.output() else {
        // Not printed with a macro, because the test harness captures the output of a passing
        // test.
        _ = writeln!(std::io::stderr(), "SKIPPED: the other user cannot run the binary");
        return;
    };
    let run = Run::of(output);
    assert_eq!(run.status, 2);
    assert!(run.stderr.contains("Permission denied"), "{}", run.stderr);
}

#[test]
fn a_symbolic_link_is_followed() {
    let (directory, path) = file(&MODULE);
    let link = directory.path().join("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    assert_eq!(run([OsStr::new("show"), link.as_os_str()]).status, 0);
}
