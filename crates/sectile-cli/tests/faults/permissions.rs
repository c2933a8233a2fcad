//! Missing permissions. Root may do anything, so these tests run the command as an unprivileged user.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::process::Command;

use crate::modes::{MODES, source};
use crate::stage::{Ended, Stage, end};

const NOBODY: u32 = 65534;
const OTHER: u32 = 12345;

fn as_nobody(stage: &Stage, args: &[&str]) -> Ended {
    as_member(stage, &["--clear-groups"], args)
}

fn as_member(stage: &Stage, groups: &[&str], args: &[&str]) -> Ended {
    // The user who runs the program must be able to reach it, wherever the tests are built. Another
    // process copies it. A file that is open for writing cannot be run, and a process started by
    // another test may inherit it.
    let reachable = tempfile::tempdir().unwrap();
    fs::set_permissions(reachable.path(), Permissions::from_mode(0o755)).unwrap();
    let copy = reachable.path().join("sectile");
    assert!(Command::new("cp").arg(env!("CARGO_BIN_EXE_sectile")).arg(&copy).status().unwrap().success());
    let setpriv = [&["--reuid=65534", "--regid=65534"], groups, &[copy.to_str().unwrap()]].concat();
    let mut command = Command::new("setpriv");
    end(command.args(setpriv).args(args).current_dir(stage.directory()))
}

/// A file of this owner and mode, in a directory of this owner and mode.
fn stage(file: (u32, u32, u32), directory: (u32, u32)) -> Stage {
    let stage = Stage::plain();
    let path = stage.path("a.wasm");
    chown(&path, Some(file.0), Some(file.1)).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(file.2)).unwrap();
    chown(stage.directory(), Some(directory.0), Some(directory.0)).unwrap();
    fs::set_permissions(stage.directory(), Permissions::from_mode(directory.1)).unwrap();
    stage
}

fn set(how: &[&'static str]) -> Vec<&'static str> {
    [&["set", "a.wasm", "--licenses", "MIT OR Apache-2.0"], how].concat()
}

#[track_caller]
fn is(stage: &Stage, edited: bool) {
    let expected = if edited { MODES[0].result() } else { source() };
    assert!(stage.content("a.wasm").as_deref() == Some(&expected));
    assert!(stage.leftovers().is_empty(), "{:?}", stage.leftovers());
}

#[test]
#[ignore = "needs root"]
fn a_read_only_file_of_the_user_needs_force() {
    let private = (NOBODY, 0o700);
    let ours = || stage((NOBODY, NOBODY, 0o444), private);
    for how in [&[][..], &["--in-place"]] {
        let stage = ours();
        as_nobody(&stage, &set(how)).refused(if how.is_empty() {
            "read-only; use --force"
        } else {
            "Permission denied"
        });
        is(&stage, false);
    }
    let stage = ours();
    as_nobody(&stage, &set(&["--force"])).succeeds();
    is(&stage, true);
    assert_eq!(fs::metadata(stage.path("a.wasm")).unwrap().mode() & 0o7777, 0o444);
    // The file cannot be written to, even with `--force`.
    let stage = ours();
    let refused = as_nobody(&stage, &set(&["--force", "--in-place"])).refused("Permission denied");
    assert!(!refused.stderr.contains("--force"), "{refused:?}");
    is(&stage, false);
    // Root is also refused, although the system would allow it.
    for how in [&[][..], &["--in-place"]] {
        let stage = ours();
        stage.run(&set(how)).refused("read-only; use --force");
        is(&stage, false);
        stage.run(&[&set(how)[..], &["--force"]].concat()).succeeds();
        is(&stage, true);
    }
}

#[test]
#[ignore = "needs root"]
fn a_read_only_directory_stays_unchanged() {
    for how in [&[][..], &["--in-place"], &["-o", "out.wasm"]] {
        let stage = stage((NOBODY, NOBODY, 0o644), (NOBODY, 0o500));
        as_nobody(&stage, &set(how)).refused("cannot create a file in the same directory: Permission denied");
        is(&stage, false);
    }
    // If names can be created but not listed, a sync is impossible. The command refuses before it
    // writes anything.
    for how in [&[][..], &["--in-place"]] {
        let stage = stage((NOBODY, NOBODY, 0o644), (NOBODY, 0o300));
        as_nobody(&stage, &set(how)).refused("Permission denied");
        is(&stage, false);
        as_nobody(&stage, &[&set(how)[..], &["--no-sync"]].concat()).succeeds();
        is(&stage, true);
    }
}

#[test]
#[ignore = "needs root"]
fn an_owner_that_cannot_be_kept_is_refused() {
    let theirs = || stage((OTHER, OTHER, 0o6666), (NOBODY, 0o700));
    let stage = theirs();
    as_nobody(&stage, &set(&[])).refused("cannot preserve the file's owner");
    is(&stage, false);
    as_nobody(&stage, &set(&["--force"])).succeeds();
    is(&stage, true);
    // The set-ID bits of the old owner are not kept for the new one.
    let metadata = fs::metadata(stage.path("a.wasm")).unwrap();
    assert_eq!((metadata.uid(), metadata.gid(), metadata.mode() & 0o7777), (NOBODY, NOBODY, 0o666));
    let stage = theirs();
    as_nobody(&stage, &set(&["--in-place"])).succeeds();
    is(&stage, true);
    assert_eq!(fs::metadata(stage.path("a.wasm")).unwrap().uid(), OTHER);
    // The group can be kept if the user is a member of it.
    for (groups, is_kept) in [(&["--groups=12345"][..], true), (&["--clear-groups"], false)] {
        let stage = self::stage((NOBODY, OTHER, 0o2660), (NOBODY, 0o700));
        let ended = as_member(&stage, groups, &set(&[]));
        if is_kept {
            ended.succeeds()
        } else {
            ended.refused("owner")
        };
        is(&stage, is_kept);
        let metadata = fs::metadata(stage.path("a.wasm")).unwrap();
        assert_eq!((metadata.uid(), metadata.gid(), metadata.mode() & 0o7777), (NOBODY, OTHER, 0o2660));
    }
}

/// Capabilities were granted to the previous content.
#[test]
#[ignore = "needs root"]
fn file_capabilities_are_dropped_with_new_content() {
    use rustix::fs::{XattrFlags, getxattr, setxattr};

    let stage = Stage::plain();
    let path = stage.path("a.wasm");
    let capability = || getxattr(&path, "security.capability", &mut [0; 64][..]);
    // Revision 2, effective: CAP_NET_BIND_SERVICE.
    let granted = [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    setxattr(&path, "security.capability", &granted, XattrFlags::empty()).unwrap();
    assert_eq!(capability(), Ok(granted.len()));
    stage.run(&set(&[])).succeeds();
    is(&stage, true);
    assert!(capability().is_err());
}

#[test]
#[ignore = "needs root"]
fn inaccessible_files_stay_unchanged() {
    let stage = stage((NOBODY, NOBODY, 0o200), (NOBODY, 0o700));
    as_nobody(&stage, &set(&[])).refused("Permission denied");
    is(&stage, false);
    // A readable file of another user.
    let stage = self::stage((OTHER, OTHER, 0o644), (NOBODY, 0o700));
    as_nobody(&stage, &set(&[])).refused("read-only; use --force");
    is(&stage, false);
    as_nobody(&stage, &set(&["--force"])).succeeds();
    is(&stage, true);
}

/// Unreadable paths are recorded, and the walk continues.
#[test]
#[ignore = "needs root"]
fn an_audit_reports_inaccessible_files_and_continues() {
    let stage = Stage::plain();
    for directory in ["a", "b", "c"] {
        fs::create_dir(stage.path(directory)).unwrap();
        fs::write(stage.path(&format!("{directory}/m.wasm")), source()).unwrap();
    }
    fs::write(stage.path("c/unreadable.wasm"), source()).unwrap();
    for (name, mode) in [("", 0o755), ("a", 0o755), ("b", 0o700), ("c", 0o755), ("c/unreadable.wasm", 0o600)] {
        fs::set_permissions(stage.path(name), Permissions::from_mode(mode)).unwrap();
    }
    for format in ["jsonl", "table", "csv", "sarif", "html"] {
        let ended = as_nobody(&stage, &["audit", ".", "--format", format]);
        assert_eq!(ended.status, Some(2), "{format} {ended:?}");
        if format != "jsonl" {
            continue;
        }
        let outcome = |name: &str| {
            let rows: Vec<serde_json::Value> =
                ended.stdout.lines().map(|row| serde_json::from_str(row).unwrap()).collect();
            let row = rows.into_iter().find(|row| row["file"].as_str().is_some_and(|file| file.ends_with(name)));
            row.map(|row| row["outcome"].as_str().unwrap().to_owned())
        };
        for (name, expected) in [("a/m.wasm", "complete"), ("c/m.wasm", "complete"), ("/b", "unread")] {
            assert_eq!(outcome(name).as_deref(), Some(expected), "{name}: {}", ended.stdout);
        }
        assert_eq!(outcome("c/unreadable.wasm").as_deref(), Some("unread"), "{}", ended.stdout);
        assert!(ended.stdout.contains("Permission denied"), "{}", ended.stdout);
    }
}

#[test]
#[ignore = "needs root"]
fn an_access_control_list_is_carried_over() {
    // Not every in-memory file system supports them.
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.wasm");
    fs::write(&path, source()).unwrap();
    let run = |program: &str, args: &[&str]| {
        let output = Command::new(program).args(args).arg(&path).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    run("setfacl", &["-m", "u:12345:rw,g:54321:r,m::rw"]);
    // An access control list that the directory gives to new files. The old file does not have it.
    Command::new("setfacl").args(["-d", "-m", "u:777:rwx"]).arg(directory.path()).status().unwrap();
    let before = run("getfacl", &["-cp"]);
    assert!(before.contains("user:12345:rw-"), "{before}");
    let mut command = crate::stage::sectile();
    end(command.args(["set", "a.wasm", "--licenses", "MIT OR Apache-2.0"]).current_dir(directory.path())).succeeds();
    assert_eq!(run("getfacl", &["-cp"]), before);
    run("setfacl", &["-b"]);
    let before = run("getfacl", &["-cp"]);
    let mut command = crate::stage::sectile();
    end(command.args(["set", "a.wasm", "--licenses", "MIT"]).current_dir(directory.path())).succeeds();
    assert_eq!(run("getfacl", &["-cp"]), before);
}
