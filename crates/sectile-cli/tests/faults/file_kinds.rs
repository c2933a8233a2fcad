//! Output paths: links, long names, and special files.

use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::thread;

use rustix::fs::{CWD, FileType, Mode as FileMode, XattrFlags, mknodat};

use crate::modes::{MODES, Mode, source};
use crate::stage::Stage;

/// Arguments that change `a.wasm`.
const SET: [&str; 4] = ["set", "a.wasm", "--licenses", "MIT OR Apache-2.0"];

fn mode(name: &str) -> &'static Mode {
    MODES.iter().find(|mode| mode.name == name).unwrap()
}

fn set(args: &[&'static str]) -> Vec<&'static str> {
    [&SET, args].concat()
}

fn edited() -> Vec<u8> {
    mode("replace").result()
}

fn has_content(stage: &Stage, name: &str, content: &[u8]) -> bool {
    stage.content(name).as_deref() == Some(content)
}

#[test]
fn a_symbolic_link_is_followed_and_not_replaced() {
    for args in [&[][..], &["--in-place"]] {
        let stage = Stage::plain();
        fs::create_dir(stage.path("far")).unwrap();
        fs::rename(stage.path("a.wasm"), stage.path("far/real.wasm")).unwrap();
        symlink("far/real.wasm", stage.path("second.wasm")).unwrap();
        symlink("second.wasm", stage.path("a.wasm")).unwrap();
        stage.run(&set(args)).succeeds();
        assert!(has_content(&stage, "far/real.wasm", &edited()));
        for (link, leads_to) in [("a.wasm", "second.wasm"), ("second.wasm", "far/real.wasm")] {
            assert_eq!(fs::read_link(stage.path(link)).unwrap(), OsStr::new(leads_to));
        }
        assert_eq!(stage.leftovers(), ["far", "second.wasm"]);
        assert_eq!(crate::stage::names(&stage.path("far")), ["real.wasm"]);
    }
}

#[test]
fn an_output_may_be_a_dangling_link() {
    let stage = Stage::plain();
    fs::write(stage.path("there.wasm"), b"old").unwrap();
    symlink("there.wasm", stage.path("out.wasm")).unwrap();
    stage.run(&set(&["-o", "out.wasm"])).succeeds();
    assert!(has_content(&stage, "there.wasm", &edited()) && stage.path("out.wasm").is_symlink());

    let stage = Stage::plain();
    symlink("new.wasm", stage.path("out.wasm")).unwrap();
    stage.run(&set(&["-o", "out.wasm"])).succeeds();
    assert!(has_content(&stage, "new.wasm", &edited()) && stage.path("out.wasm").is_symlink());

    for leads_to in ["loop.wasm", "a.wasm"] {
        let stage = Stage::plain();
        symlink(leads_to, stage.path("loop.wasm")).unwrap();
        let why =
            if leads_to == "a.wasm" { "the output is the input itself" } else { "loop.wasm: cannot open the file" };
        stage.run(&set(&["-o", "loop.wasm"])).refused(why);
        assert!(has_content(&stage, "a.wasm", &source()));
        assert_eq!(stage.leftovers(), ["loop.wasm"]);
    }
    let stage = Stage::plain();
    symlink("loop.wasm", stage.path("loop.wasm")).unwrap();
    stage.run(&["unset", "loop.wasm", "authors"]).refused("loop.wasm");
}

#[test]
fn hard_links_are_broken_only_with_force() {
    for (args, is_done, other_is_new) in
        [(&[][..], false, false), (&["--force"], true, false), (&["--in-place"], true, true)]
    {
        let stage = Stage::plain();
        fs::hard_link(stage.path("a.wasm"), stage.path("other")).unwrap();
        let ended = stage.run(&set(args));
        if is_done {
            ended.succeeds()
        } else {
            ended.refused("2 hard links")
        };
        assert_eq!(has_content(&stage, "a.wasm", &edited()), is_done, "{args:?}");
        assert_eq!(has_content(&stage, "other", &edited()), other_is_new, "{args:?}");
        let links = fs::metadata(stage.path("a.wasm")).unwrap().nlink();
        assert_eq!(links, if args == ["--force"] { 1 } else { 2 });
        assert_eq!(stage.leftovers(), ["other"]);
    }
    let stage = Stage::plain();
    fs::hard_link(stage.path("a.wasm"), stage.path("out.wasm")).unwrap();
    stage.run(&set(&["-o", "out.wasm", "--force"])).refused("the output is the input itself");
    assert!(has_content(&stage, "a.wasm", &source()));
}

#[test]
fn file_names_of_maximum_length_are_written() {
    let name = "n".repeat(255);
    for args in [&[][..], &["--in-place"]] {
        let stage = Stage::plain();
        fs::rename(stage.path("a.wasm"), stage.path(&name)).unwrap();
        let args = [&["set", &*name, "--licenses", "MIT OR Apache-2.0"], args].concat();
        stage.run(&args).succeeds();
        assert!(has_content(&stage, &name, &edited()));
        assert_eq!(stage.leftovers(), [&*name]);
    }
    let stage = Stage::plain();
    stage.run(&["set", "a.wasm", "--licenses", "MIT OR Apache-2.0", "-o", &name]).succeeds();
    assert!(has_content(&stage, &name, &edited()));
    stage.run(&["set", "a.wasm", "--licenses", "ISC", "-o", &format!("{name}n")]).refused("too long");
    assert_eq!(stage.leftovers(), [&*name]);
}

#[test]
fn devices_and_fifos_are_written_to_and_not_replaced() {
    let stage = Stage::plain();
    let null = fs::metadata("/dev/null").unwrap();
    stage.run(&set(&["-o", "/dev/null"])).succeeds();
    assert_eq!(fs::metadata("/dev/null").unwrap().rdev(), null.rdev());
    stage.run(&set(&["-o", "/dev/full"])).refused("cannot write: No space left on device");
    stage.run(&set(&["-o", "."])).refused("Is a directory");
    stage.run(&set(&["-o", "no/such/place.wasm"])).refused("cannot create a file in the same directory");
    stage.run(&set(&["-o", "new/"])).refused("new/: ");
    stage.run(&set(&["-o", ""])).refused("cannot move the new file to its destination");

    mknodat(CWD, stage.path("fifo"), FileType::Fifo, FileMode::from_raw_mode(0o600), 0).unwrap();
    let fifo = stage.path("fifo");
    let reader = thread::spawn(move || {
        let mut content = Vec::new();
        fs::File::open(fifo).unwrap().read_to_end(&mut content).unwrap();
        content
    });
    stage.run(&set(&["-o", "fifo"])).succeeds();
    assert_eq!(reader.join().unwrap(), edited());
    // The command does not wait for a writer of the FIFO.
    stage.run(&["set", "fifo", "--licenses", "ISC"]).refused("is a FIFO");
    assert!(has_content(&stage, "a.wasm", &source()));
    assert_eq!(stage.leftovers(), ["fifo"]);
}

#[test]
fn an_edit_without_changes_does_not_write() {
    for args in [&[][..], &["--in-place"]] {
        let stage = Stage::plain();
        let before = fs::metadata(stage.path("a.wasm")).unwrap();
        stage.run(&[&["set", "a.wasm", "--licenses", "MIT"], args].concat()).succeeds();
        let after = fs::metadata(stage.path("a.wasm")).unwrap();
        assert_eq!(
            (before.ino(), before.modified().unwrap(), before.ctime_nsec()),
            (after.ino(), after.modified().unwrap(), after.ctime_nsec())
        );
        assert!(stage.leftovers().is_empty());
    }
}

#[test]
fn mode_and_attributes_are_carried_over() {
    for (number, name) in ["replace", "-o, over a file", "--in-place, grown"].into_iter().enumerate() {
        let mode = mode(name);
        let stage = Stage::of(mode);
        let path = stage.path(mode.target());
        // Mode bits that the system clears when the owner changes, and attributes that new files
        // get.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o6751)).unwrap();
        rustix::fs::setxattr(&path, "user.second", &vec![7; 1 << number], XattrFlags::empty()).unwrap();
        let before = fs::metadata(&path).unwrap();
        stage.run(&mode.args()).succeeds();
        let after = fs::metadata(&path).unwrap();
        assert_eq!((before.uid(), before.gid()), (after.uid(), after.gid()));
        if name != "--in-place, grown" || crate::stage::is_root() {
            assert_eq!(after.mode() & 0o7777, 0o6751, "{name}");
        }
        let mut value = Vec::with_capacity(100);
        rustix::fs::getxattr(&path, "user.second", rustix::buffer::spare_capacity(&mut value)).unwrap();
        assert_eq!(value, vec![7; 1 << number]);
    }
}
