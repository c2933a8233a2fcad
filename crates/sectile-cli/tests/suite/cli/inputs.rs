//! Inputs that are not WebAssembly binaries. The message identifies them and suggests a command.

use std::ffi::OsStr;
use std::fs;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::{Run, run};
use sectile_testing::binary::module;

/// Every command that reads one FILE, with the arguments that follow FILE.
const COMMANDS: [(&str, &[&str]); 12] = [
    ("show", &[]),
    ("sections", &[]),
    ("get", &["licenses"]),
    ("check", &[]),
    ("sbom", &[]),
    ("digest", &[]),
    ("set", &["--licenses", "MIT"]),
    ("unset", &["licenses"]),
    ("put", &["note", "--data", "x"]),
    ("remove", &["note"]),
    ("strip", &[]),
    ("migrate", &[]),
];

fn run_on(command: &str, file: &OsStr, rest: &[&str]) -> Run {
    run([OsStr::new(command), file].into_iter().chain(rest.iter().map(OsStr::new)))
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn tar(bytes: &[u8]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes.len() as u64);
    archive.append_data(&mut header, "a.wasm", bytes).unwrap();
    archive.into_inner().unwrap()
}

#[test]
fn an_archive_is_named_with_the_command_that_opens_it() {
    let directory = tempfile::tempdir().unwrap();
    let tar = tar(&module(&[]));
    for (name, bytes, format) in [
        ("app.tgz", gzip(&tar), "gzip"),
        ("app.txt.gz", gzip(b"text"), "gzip"),
        ("app.tar", tar.clone(), "tar"),
        ("app.wasm", b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0".to_vec(), "zip"),
    ] {
        let path = directory.path().join(name);
        fs::write(&path, bytes).unwrap();
        for (command, rest) in COMMANDS {
            let run = run_on(command, path.as_os_str(), rest);
            let expected = format!(
                "sectile: {path}: not WebAssembly: this is {format} data; run `sectile audit {path}` to look into it\n",
                path = path.display()
            );
            assert_eq!((run.status, run.stderr), (2, expected), "{command}");
        }
    }
}

#[test]
fn a_format_that_is_not_opened_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("app.txz");
    fs::write(&path, b"\xfd7zXZ\0\0\x04").unwrap();
    let run = run_on("show", path.as_os_str(), &[]);
    assert!(
        run.stderr.ends_with("this is xz data, a format that Sectile does not open; unpack it first\n"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_directory_error_names_the_command_for_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    for (command, rest) in COMMANDS {
        let run = run_on(command, path.as_os_str(), rest);
        let expected = format!("sectile: {0}: is a directory; run `sectile audit {0}`\n", path.display());
        assert_eq!((run.status, run.stderr), (2, expected), "{command}");
    }
    fs::write(path.join("oci-layout"), "{}").unwrap();
    let run = run_on("show", path.as_os_str(), &[]);
    let image = format!("name one of its images as `oci:{}:NAME`\n", path.display());
    assert!(run.stderr.contains("is an image layout; ") && run.stderr.ends_with(&image), "{}", run.stderr);
}

#[test]
fn image_commands_have_the_same_errors() {
    let directory = tempfile::tempdir().unwrap();
    let archive = directory.path().join("app.tgz");
    fs::write(&archive, gzip(b"")).unwrap();
    let layout = directory.path().join("layout");
    for (command, rest) in [("annotations", &[][..]), ("config", &[]), ("layout", &["-o", layout.to_str().unwrap()])] {
        for (path, message) in [(archive.as_path(), "this is gzip data"), (directory.path(), "is a directory; run `")] {
            let args = [OsStr::new("oci"), OsStr::new(command), path.as_os_str()];
            let run = run(args.into_iter().chain(rest.iter().map(OsStr::new)));
            assert!(run.status == 2 && run.stderr.contains(message), "{command} {}", run.stderr);
        }
    }
    assert!(!layout.exists());
}

#[test]
fn a_missing_file_is_an_error_in_every_command() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("nowhere.wasm");
    for (command, rest) in COMMANDS {
        let run = run_on(command, path.as_os_str(), rest);
        assert_eq!((run.status, run.stderr), (2, format!("sectile: {}: no such file\n", path.display())), "{command}");
    }
}

#[test]
fn check_explains_unread_files() {
    let directory = tempfile::tempdir().unwrap();
    let archive = directory.path().join("a.tgz");
    fs::write(&archive, gzip(b"")).unwrap();
    let cut = directory.path().join("cut.wasm");
    fs::write(&cut, &module(&[sectile_testing::binary::custom("note", "text")])[..12]).unwrap();
    for (path, answer) in [
        (archive.as_path(), "refused: it is not WebAssembly"),
        (&cut, "refused: it cannot be read to its end"),
        (directory.path(), "not judged: it cannot be opened"),
    ] {
        let run = run_on("check", path.as_os_str(), &[]);
        assert_eq!((run.status, run.text()), (2, &*format!("{}: {answer}\n", path.display())));
    }
}

#[test]
fn suggestions_omit_paths_that_need_quotes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("two words; rm");
    fs::create_dir(&path).unwrap();
    let run = run_on("show", path.as_os_str(), &[]);
    assert!(run.stderr.ends_with("is a directory; run `sectile audit PATH`\n"), "{}", run.stderr);
}
