//! Every writer of the command against every kind of file that may exist at its output path.

use std::fs::{self, Permissions};
use std::io::Read;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::thread;

use rustix::fs::{CWD, FileType, Mode, XattrFlags, makedev, mknodat};
use sectile_testing::binary::{custom, module};

use crate::commands::{OLD, OLD_INDEX, Writer, writer, writers};
use crate::stage::{Stage, is_root};

/// A kind of file that may exist at an output path, and its fate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Missing,
    Empty,
    Private,
    Attribute,
    OtherOwner,
    ReadOnly,
    HardLink,
    Link,
    LinkChain,
    DanglingLink,
    LinkIntoNowhere,
    LinkLoop,
    Directory,
    Fifo,
    LinkToFifo,
    Device,
    LinkToDevice,
    Socket,
}

const KINDS: [Kind; 18] = [
    Kind::Missing,
    Kind::Empty,
    Kind::Private,
    Kind::Attribute,
    Kind::OtherOwner,
    Kind::ReadOnly,
    Kind::HardLink,
    Kind::Link,
    Kind::LinkChain,
    Kind::DanglingLink,
    Kind::LinkIntoNowhere,
    Kind::LinkLoop,
    Kind::Directory,
    Kind::Fifo,
    Kind::LinkToFifo,
    Kind::Device,
    Kind::LinkToDevice,
    Kind::Socket,
];

impl Kind {
    fn needs_root(self) -> bool {
        matches!(self, Self::OtherOwner | Self::Device | Self::LinkToDevice)
    }

    fn put(self, stage: &Stage, place: &Path) {
        let old = if place.ends_with("index.json") { OLD_INDEX } else { OLD };
        let elsewhere = stage.path("elsewhere");
        let node = |path: &Path, kind, device| mknodat(CWD, path, kind, Mode::from_raw_mode(0o666), device).unwrap();
        match self {
            Self::Missing => {}
            Self::Empty => fs::write(place, "").unwrap(),
            Self::Private | Self::Attribute | Self::OtherOwner | Self::ReadOnly => {
                fs::write(place, old).unwrap();
                if self == Self::Attribute {
                    rustix::fs::setxattr(place, "user.kept", b"yes", XattrFlags::empty()).unwrap();
                }
                if self == Self::OtherOwner {
                    chown(place, Some(65534), Some(12345)).unwrap();
                }
                let mode = if self == Self::ReadOnly { 0o444 } else { 0o600 };
                fs::set_permissions(place, Permissions::from_mode(mode)).unwrap();
            }
            Self::HardLink => {
                fs::write(&elsewhere, old).unwrap();
                fs::hard_link(&elsewhere, place).unwrap();
            }
            Self::Link => {
                fs::write(&elsewhere, old).unwrap();
                symlink(&elsewhere, place).unwrap();
            }
            Self::LinkChain => {
                fs::write(&elsewhere, old).unwrap();
                symlink("elsewhere", stage.path("second")).unwrap();
                symlink(stage.path("second"), place).unwrap();
            }
            Self::DanglingLink => symlink(&elsewhere, place).unwrap(),
            Self::LinkIntoNowhere => symlink("/nonexistent/directory/file", place).unwrap(),
            Self::LinkLoop => symlink(place, place).unwrap(),
            Self::Directory => fs::create_dir(place).unwrap(),
            Self::Fifo => node(place, FileType::Fifo, 0),
            Self::LinkToFifo => {
                node(&elsewhere, FileType::Fifo, 0);
                symlink(&elsewhere, place).unwrap();
            }
            Self::Device => node(place, FileType::CharacterDevice, makedev(1, 3)),
            Self::LinkToDevice => {
                node(&elsewhere, FileType::CharacterDevice, makedev(1, 3));
                symlink(&elsewhere, place).unwrap();
            }
            Self::Socket => drop(UnixListener::bind(place).unwrap()),
        }
    }

    /// The outcome according to the rules.
    fn outcome(self, writer: &Writer, force: bool) -> Outcome {
        match self {
            Self::Empty if writer.place.ends_with("index.json") => Outcome::Refused, // it is malformed
            Self::Missing | Self::Empty | Self::Private | Self::Attribute | Self::OtherOwner => Outcome::Written,
            Self::ReadOnly | Self::HardLink if force => Outcome::Written,
            Self::Link | Self::LinkChain | Self::DanglingLink if writer.is_named => Outcome::WrittenThrough,
            Self::Fifo | Self::LinkToFifo | Self::Device | Self::LinkToDevice if writer.is_named => Outcome::Streamed,
            _ => Outcome::Refused,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Written,
    /// The link stays, and its target is the written file.
    WrittenThrough,
    /// The special file stays, and receives the output.
    Streamed,
    Refused,
}

/// Inode, mode, number of links, owner, group, and content.
type State = (u64, u32, u64, u32, u32, Option<Vec<u8>>);

/// The properties of a file that a refused writer must not change.
fn state(path: &Path) -> Option<State> {
    let metadata = path.symlink_metadata().ok()?;
    let content = metadata.is_file().then(|| fs::read(path).unwrap());
    Some((metadata.ino(), metadata.mode(), metadata.nlink(), metadata.uid(), metadata.gid(), content))
}

#[test]
fn every_command_handles_every_kind_of_output_file() {
    let mut cases = 0;
    thread::scope(|scope| {
        let writers = writers().into_iter().filter(|writer| writer.takes_any_content);
        let runs: Vec<_> = writers
            .map(|writer| {
                scope.spawn(move || {
                    let mut cases = 0;
                    for kind in KINDS.into_iter().filter(|kind| !kind.needs_root() || is_root()) {
                        for force in if writer.has_force { &[false, true][..] } else { &[false] } {
                            check(&writer, kind, *force);
                            cases += 1;
                        }
                    }
                    cases
                })
            })
            .collect();
        cases = runs.into_iter().map(|run| run.join().unwrap()).sum();
    });
    assert!(cases > 400, "{cases}");
}

fn check(writer: &Writer, kind: Kind, force: bool) {
    let (stage, name) = writer.stage();
    let place = stage.path(&name);
    kind.put(&stage, &place);
    let elsewhere = stage.path("elsewhere");
    let before = (state(&place), state(&elsewhere), stage.leftovers());
    let force: &[_] = if force { &["--force"] } else { &[] };
    let outcome = kind.outcome(writer, !force.is_empty());
    let case = format!("{kind:?} {outcome:?} {:?} {force:?}", writer.args);
    let is_fifo = matches!(kind, Kind::Fifo | Kind::LinkToFifo) && outcome == Outcome::Streamed;
    let reader = is_fifo.then(|| {
        let fifo = place.clone();
        thread::spawn(move || {
            let mut content = Vec::new();
            fs::File::open(fifo).unwrap().read_to_end(&mut content).unwrap();
            content
        })
    });
    let ended = writer.run_with(&stage, &[], force);
    let starts = |content: Vec<u8>| content.starts_with(writer.start);
    match outcome {
        Outcome::Refused => {
            assert!(ended.status == Some(2) && ended.stderr.lines().count() == 1, "{case} {ended:?}");
            assert_eq!((state(&place), state(&elsewhere), stage.leftovers()), before, "{case} {ended:?}");
            if matches!(kind, Kind::ReadOnly | Kind::HardLink) && writer.has_force {
                assert!(ended.stderr.contains("--force"), "{case} {ended:?}");
            }
            return;
        }
        Outcome::Written => {
            assert!(place.symlink_metadata().unwrap().is_file(), "{case} {ended:?}");
            assert!(starts(fs::read(&place).unwrap()), "{case} {ended:?}");
            let after = fs::metadata(&place).unwrap();
            if let Some((inode, mode, _, uid, gid, _)) = before.0 {
                assert_ne!(after.ino(), inode, "{case}: it is replaced");
                assert_eq!((after.mode(), after.uid(), after.gid(), after.nlink()), (mode, uid, gid, 1), "{case}");
            }
            if kind == Kind::Attribute {
                rustix::fs::getxattr(&place, "user.kept", &mut [0; 8][..]).expect(&case);
            }
            assert_eq!(state(&elsewhere).and_then(|state| state.5), before.1.and_then(|state| state.5), "{case}");
        }
        Outcome::WrittenThrough => {
            assert_eq!(state(&place), before.0, "{case}");
            assert!(starts(fs::read(&elsewhere).unwrap()), "{case} {ended:?}");
        }
        Outcome::Streamed => {
            assert_eq!(state(&place), before.0, "{case}");
            let kind = fs::metadata(&place).unwrap().file_type();
            assert!(kind.is_fifo() || kind.is_char_device(), "{case}");
            if let Some(reader) = reader {
                assert!(starts(reader.join().unwrap()), "{case} {ended:?}");
            }
        }
    }
    assert!(writer.is_success(&ended), "{case} {ended:?}");
    let leftovers = |directory: &Path| {
        let names = crate::stage::names(directory);
        assert!(names.iter().all(|name| !name.starts_with(".sectile-")), "{case} {names:?}");
    };
    leftovers(stage.directory());
    leftovers(place.parent().unwrap());
}

#[test]
fn a_link_to_an_open_file_is_written_at_its_position() {
    for args in ["set", "put", "remove", "audit store --format jsonl", "audit store --format html", "sbom", "report"] {
        let writer = writer(args);
        for link in ["/proc/self/fd/1", "/proc/thread-self/fd/1", "/dev/stdout", "/dev/fd/1", "to-stdout", "/dev/fd/9"]
        {
            let (stage, _) = writer.stage();
            symlink("/proc/self/fd/1", stage.path("to-stdout")).unwrap();
            fs::write(stage.path("log"), "before\n").unwrap();
            let inode = fs::metadata(stage.path("log")).unwrap().ino();
            let args: Vec<&str> = writer.args.iter().map(|arg| if *arg == writer.place { link } else { arg }).collect();
            // Other writers to the same file append after the output.
            let redirect = if link == "/dev/fd/9" { "9>>log" } else { ">>log" };
            let script = format!(
                "{{ \"$0\" {} || true; echo after >&{}; }} {redirect}",
                args.join(" "),
                &redirect[..1].replace('>', "1")
            );
            let ended = stage.shell(&script);
            let log = stage.content("log").unwrap();
            assert!(log.starts_with(&[b"before\n", writer.start].concat()), "{link} {args:?} {ended:?}");
            let end = log.windows(6).filter(|window| *window == b"after\n").count();
            assert!(end == 1 && log.ends_with(b"after\n") || writer.args[0] != "audit", "{link} {args:?} {ended:?}");
            assert_eq!(fs::metadata(stage.path("log")).unwrap().ino(), inode, "{link} {args:?}");
            assert!(stage.path("to-stdout").is_symlink());
        }
    }
}

/// An output is tested with each name of the input.
#[test]
fn an_input_is_never_the_output() {
    let aliases = ["store/b.wasm", "link", "hard", "link-to-directory/b.wasm", "store/../store/b.wasm"];
    for args in [
        &["set", "store/b.wasm", "--licenses", "MIT"][..],
        &["strip", "store/b.wasm", "--all"],
        &["audit", "store/b.wasm", "--format", "table"],
        &["audit", "store/b.wasm", "--format", "jsonl"],
        &["audit", "store", "--format", "jsonl"],
        &["audit", ".", "--format", "html"],
        &["audit", "other", "store", "--format", "csv"],
        &["audit", "link-to-directory", "--format", "table"],
        // Only its hard link is below the root.
        &["audit", "other", "--format", "sarif"],
        &["audit", "other", "--format", "table"],
    ] {
        for alias in aliases {
            for force in [false, true] {
                let (stage, _) = writer("set").stage();
                fs::create_dir(stage.path("other")).unwrap();
                fs::hard_link(stage.path("store/b.wasm"), stage.path("other/hard.wasm")).unwrap();
                fs::hard_link(stage.path("store/b.wasm"), stage.path("hard")).unwrap();
                symlink("store/b.wasm", stage.path("link")).unwrap();
                symlink("store", stage.path("link-to-directory")).unwrap();
                let before = (state(&stage.path("store/b.wasm")), stage.leftovers());
                let args = [args, &["-o", alias], if force { &["--force"] } else { &[] }].concat();
                let ended = stage.run(&args);
                assert_eq!(ended.status, Some(2), "{args:?} {ended:?}");
                let is_told = ["the output is the input itself", "the output is one of the inputs", "hard links"];
                assert!(is_told.iter().any(|part| ended.stderr.contains(part)), "{args:?} {ended:?}");
                assert!(!force || !ended.stderr.contains("hard links"), "{args:?} {ended:?}");
                assert_eq!((state(&stage.path("store/b.wasm")), stage.leftovers()), before, "{args:?}");
            }
        }
    }
}

/// Policies, manifests, data, and the documents of a layout are also inputs.
#[test]
fn an_output_is_not_one_of_the_other_inputs() {
    let (stage, _) = writer("set").stage();
    let put = |name: &str, content: &str| fs::write(stage.path(name), content).unwrap();
    put("policy.toml", "refuse = \"warning\"\n");
    put("Cargo.toml", "[package]\nname = \"a\"\nversion = \"1.0.0\"\n");
    put("data", "data");
    put("store/.gitignore", "*.tmp\n");
    put("store/notes.txt", "notes\n");
    symlink("data", stage.path("data-link")).unwrap();
    stage.run(&["oci", "layout", "a.wasm", "-o", "store/layout"]).succeeds();
    for args in [
        &["audit", "store", "--policy", "policy.toml", "-o", "html=policy.toml"][..],
        &["set", "a.wasm", "--from", "Cargo.toml", "-o", "Cargo.toml"],
        &["put", "a.wasm", "x", "--data-file", "data", "-o", "data"],
        &["put", "a.wasm", "x", "--data-file", "data", "-o", "data-link"],
        &["audit", "store", "--ignore-rules", "--format", "csv", "-o", "store/.gitignore"],
        &["audit", "store", "-o", "store/notes.txt"],
        &["audit", "store", "-o", "jsonl=rows.jsonl", "-o", "sarif=store/layout/index.json"],
        &["audit", "store/layout", "--format", "jsonl", "-o", "store/layout/oci-layout"],
        &["audit", "oci", "store", "--format", "jsonl", "-o", "store/layout/oci-layout"],
    ] {
        let place = args[args.len() - 1];
        let place = stage.path(place.split_once('=').map_or(place, |(_, file)| file));
        let before = state(&place);
        fs::create_dir_all(stage.path("oci")).unwrap();
        let ended = stage.run(args).refused("the output is one of the inputs; give another file");
        assert_eq!(state(&place), before, "{ended:?}");
    }
}

/// An earlier report below an audited directory is replaced by an equal report.
#[test]
fn an_earlier_report_in_the_tree_is_replaced() {
    for format in ["table", "jsonl", "csv", "sarif", "html"] {
        let (stage, _) = writer("set").stage();
        let args = ["audit", "store", "--format", format, "-o", "store/report"];
        let mut earlier = Vec::new();
        for round in 0..3 {
            let ended = stage.run(&args);
            assert!(matches!(ended.status, Some(0 | 1)), "{format} {round} {ended:?}");
            let report = stage.content("store/report").unwrap();
            // The summary counts the bytes of the store, which includes the report.
            assert!(round < 2 || report.len().abs_diff(earlier.len()) < 8, "{format} {round}");
            earlier = report;
        }
    }
}

/// The row whose place is the blob.
const LAYOUT: &str = "oci layout a.wasm -o images --no-sync";

#[test]
fn a_layout_is_not_written_through_links() {
    for link in ["images/blobs", "images/blobs/sha256"] {
        let (stage, _) = writer(LAYOUT).stage();
        let elsewhere = stage.path("far");
        fs::create_dir_all(elsewhere.join("sha256")).unwrap();
        fs::remove_dir_all(stage.path(link)).unwrap();
        symlink(&elsewhere, stage.path(link)).unwrap();
        let index = stage.content("images/index.json");
        stage.run(&["oci", "layout", "a.wasm", "-o", "images"]).refused("it is a symbolic link");
        assert_eq!(crate::stage::names(&elsewhere), ["sha256"]);
        assert_eq!(crate::stage::names(&elsewhere.join("sha256")), [""; 0]);
        assert_eq!(stage.content("images/index.json"), index);
    }
    for name in ["oci-layout", "index.json"] {
        let (stage, _) = writer(LAYOUT).stage();
        let at = stage.path("images").join(name);
        fs::rename(&at, stage.path("moved")).unwrap();
        symlink(stage.path("moved"), &at).unwrap();
        let before = (stage.content("moved"), stage.leftovers());
        stage.run(&["oci", "layout", "a.wasm", "-o", "images"]).refused("is not a regular file");
        assert_eq!((stage.content("moved"), stage.leftovers()), before);
    }
    // The user names the directory itself.
    let (stage, _) = writer(LAYOUT).stage();
    symlink("images", stage.path("to-layout")).unwrap();
    stage.run(&["oci", "layout", "a.wasm", "-o", "to-layout", "--ref", "a"]).succeeds();
    stage.run(&["show", "--image", "--verify", "oci:images:a"]).succeeds();
}

#[test]
fn an_existing_blob_is_hashed_before_it_is_kept() {
    let (stage, blob) = writer(LAYOUT).stage();
    let right = stage.content("a.wasm").unwrap();
    let mut planted = right.clone();
    *planted.last_mut().unwrap() ^= 1;
    for content in [planted, right[..right.len() - 1].to_vec(), Vec::new()] {
        fs::write(stage.path(&blob), content).unwrap();
        stage.run(&["oci", "layout", "a.wasm", "-o", "images", "--ref", "a"]).succeeds();
        assert!(stage.content(&blob).unwrap() == right);
        stage.run(&["show", "--image", "--verify", "oci:images:a"]).succeeds();
    }
    // A correct blob stays, regardless of its mode and its names.
    fs::hard_link(stage.path(&blob), stage.path("other")).unwrap();
    fs::set_permissions(stage.path(&blob), Permissions::from_mode(0o400)).unwrap();
    let before = state(&stage.path(&blob));
    stage.run(&["oci", "layout", "a.wasm", "-o", "images", "--ref", "b"]).succeeds();
    assert_eq!(state(&stage.path(&blob)), before);
    // A blob whose digest differs from its name stays. The image is created from its content.
    let (stage, blob) = writer(LAYOUT).stage();
    fs::write(stage.path(&blob), module(&[custom("licenses", "0BSD")])).unwrap();
    let before = state(&stage.path(&blob));
    let args = ["oci", "layout", &blob, "-o", "images"];
    stage.run(&args).succeeds();
    assert_eq!(state(&stage.path(&blob)), before);
}

/// The command never appends to a file that it reads.
#[test]
fn standard_output_is_not_the_input() {
    let (stage, _) = writer("set").stage();
    let before = stage.content("a.wasm");
    for args in ["set a.wasm --licenses ISC -o -", "get a.wasm licenses", "show a.wasm --json", "oci config a.wasm"] {
        stage.shell(&format!("\"$0\" {args} >> a.wasm")).refused("the output is the input itself");
        assert_eq!(stage.content("a.wasm"), before, "{args}");
    }
}
