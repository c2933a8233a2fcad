//! Parquet reports: the same answers as from the JSON lines of the same audit.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::{Run, command, run_with_input};
use sectile_testing::binary::{custom, module};

fn sectile(directory: &Path, arguments: &str) -> Run {
    let mut command = command(arguments.split_whitespace());
    Run::of(command.current_dir(directory).stdin(std::process::Stdio::null()).output().unwrap())
}

fn licensed(license: &str) -> Vec<u8> {
    module(&[custom("licenses", license)])
}

/// A store and its reports `before.jsonl` and `before.parquet`; then one binary is new, one changed and one gone.
fn changed_store() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join("store").join(name);
    fs::create_dir(directory.path().join("store")).unwrap();
    for (name, license) in
        [("known.wasm", "nonsense"), ("changed.wasm", "MIT"), ("gone.wasm", "rubbish"), ("same.wasm", "MIT")]
    {
        fs::write(path(name), licensed(license)).unwrap();
    }
    let before = sectile(directory.path(), "audit store -o before.jsonl -o before.parquet");
    assert_eq!(before.status, 1, "{}", before.stderr);
    fs::write(path("changed.wasm"), licensed("0BSD")).unwrap();
    fs::write(path("new.wasm"), licensed("MIT")).unwrap();
    fs::remove_file(path("gone.wasm")).unwrap();
    directory
}

/// Both reports give the same answer to a command, in which REPORT is one of them.
#[track_caller]
fn assert_same(directory: &Path, arguments: &str) -> Run {
    let [of_lines, of_parquet] = ["jsonl", "parquet"].map(|format| {
        let run = sectile(directory, &arguments.replace("REPORT", &format!("before.{format}")));
        (run.status, run.stdout, run.stderr.replace(&format!("before.{format}"), "REPORT"))
    });
    assert!(of_parquet == of_lines, "{arguments}: {}", of_parquet.2);
    sectile(directory, &arguments.replace("REPORT", "before.parquet"))
}

#[test]
fn every_use_of_a_report_has_the_same_answer() {
    let directory = changed_store();
    fs::write(directory.path().join("policy.toml"), "[[licenses]]\nallow = ['Apache-2.0']\n").unwrap();
    let directory = directory.path();
    for format in ["table", "jsonl", "csv", "sarif", "html", "markdown", "junit", "github", "cyclonedx", "spdx"] {
        assert_same(directory, &format!("audit store --since REPORT --format {format}"));
        assert_same(directory, &format!("audit store --baseline REPORT --format {format}"));
        assert_same(directory, &format!("audit store --since REPORT --baseline REPORT --format {format}"));
        assert_same(directory, &format!("report REPORT --format {format}"));
        assert_same(directory, &format!("report REPORT --policy policy.toml --format {format}"));
    }
    assert_eq!(assert_same(directory, "audit store --baseline REPORT --fail-on new").status, 0);
    assert_same(directory, "audit store --since REPORT --hash");
    assert_same(directory, "audit store --since REPORT --policy policy.toml");
    for other in ["store", "before.jsonl", "before.parquet", "store/new.wasm"] {
        for format in ["", "--json"] {
            assert_same(directory, &format!("diff REPORT {other} {format}"));
            assert_same(directory, &format!("diff {other} REPORT {format}"));
        }
    }
    assert_eq!(sectile(directory, "diff before.jsonl before.parquet").status, 0);
}

#[test]
fn reports_are_read_from_standard_input() {
    let directory = changed_store();
    let read = |name: &str| fs::read(directory.path().join(name)).unwrap();
    let [of_lines, of_parquet] =
        ["before.jsonl", "before.parquet"].map(|name| run_with_input(["report", "-", "--format", "csv"], &read(name)));
    assert_eq!((of_parquet.status, &of_parquet.stdout), (1, &of_lines.stdout), "{}", of_parquet.stderr);
    let store = directory.path().join("store");
    let diff = run_with_input(["diff", "-", store.to_str().unwrap()], &read("before.parquet"));
    assert!(diff.status == 1 && diff.text().contains("1 gone"), "{}{}", diff.text(), diff.stderr);
}

/// A report of rows, and an audit that continues one, write the same Parquet file as the audit itself.
#[test]
fn parquet_is_written_from_rows_and_continued() {
    let directory = changed_store();
    let directory = directory.path();
    let read = |name: &str| fs::read(directory.join(name)).unwrap();
    assert_eq!(sectile(directory, "report before.jsonl -o again.parquet").status, 1);
    assert!(read("again.parquet") == read("before.parquet"));
    assert_eq!(sectile(directory, "report before.parquet -o again.jsonl").status, 1);
    assert!(read("again.jsonl") == read("before.jsonl"));
    for _ in 0..2 {
        let resumed = sectile(directory, "audit store -o rows.parquet --resume");
        assert_eq!(resumed.status, 1, "{}", resumed.stderr);
    }
    let (resumed, fresh) =
        (sectile(directory, "report rows.parquet --format csv"), sectile(directory, "audit store --format csv"));
    let without_bytes_read = |run: Run| {
        let lines = run.text().lines().map(|line| line.rsplit_once(',').unwrap().0.to_owned());
        lines.collect::<Vec<_>>()
    };
    assert_eq!(without_bytes_read(resumed), without_bytes_read(fresh));
}

#[test]
fn unusable_parquet_files_are_errors() {
    let directory = changed_store();
    let whole = fs::read(directory.path().join("before.parquet")).unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(directory.path().join(name), bytes).unwrap();
    let at = whole.windows(8).rposition(|window| window == b"sectile\0").unwrap();
    let mut version = whole.clone();
    version[at - 4] = 7;
    write("version.parquet", &version);
    let mut other = whole.clone();
    other[at] = b'S';
    write("other.parquet", &other);
    write("cut.parquet", &whole[..whole.len() - 9]);
    let mut damaged = whole.clone();
    damaged[at - 20] ^= 1;
    write("damaged.parquet", &damaged);
    for (file, message) in [
        ("version", "the report has version 7 of the columns, and this version of Sectile reads version 1"),
        ("other", "it has no saved rows"),
        ("cut", "truncated Parquet file"),
        ("damaged", "the saved rows of the Parquet report are damaged"),
    ] {
        for arguments in
            ["audit store --since F", "audit store --baseline F", "report F", "report F --refuse error", "diff F store"]
        {
            let run = sectile(directory.path(), &arguments.replace('F', &format!("{file}.parquet")));
            assert_eq!((run.status, run.stdout.len()), (2, 0), "{arguments} {file}");
            let (name, is_named) = (format!("{file}.parquet: "), run.stderr.contains(message));
            assert!(is_named && run.stderr.contains(&name), "{arguments}: {}", run.stderr);
        }
    }
}

#[cfg(unix)]
#[test]
fn a_report_that_others_may_write_is_not_trusted() {
    use std::os::unix::fs::PermissionsExt;

    let directory = changed_store();
    let report = directory.path().join("before.parquet");
    fs::set_permissions(&report, fs::Permissions::from_mode(0o666)).unwrap();
    let run = sectile(directory.path(), "audit store --since before.parquet");
    assert!(run.status == 2 && run.stderr.contains("--trust-report"), "{}", run.stderr);
    assert_eq!(sectile(directory.path(), "audit store --since before.parquet --trust-report").status, 1);
}

/// `script` gives the command a terminal.
#[cfg(target_os = "linux")]
#[test]
fn binary_rows_are_not_written_to_a_terminal() {
    let directory = changed_store();
    for arguments in
        ["audit store --format parquet", "audit store --format arrow", "report before.jsonl --format parquet"]
    {
        let line = format!("{} {arguments}", env!("CARGO_BIN_EXE_sectile"));
        let mut script = std::process::Command::new("script");
        script.args(["-qec", &line, "/dev/null"]).current_dir(directory.path()).stdin(std::process::Stdio::null());
        let output = script.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(2), "{arguments}: {text}");
        assert!(text.contains("standard output is a terminal: give a file with -o, or a pipe"), "{arguments}: {text}");
        let piped = sectile(directory.path(), arguments);
        assert!(piped.status == 1 && piped.stdout.len() > 1_000, "{arguments}");
    }
}

/// Color codes in values are not removed, as they are from text.
#[test]
fn binary_rows_are_the_same_in_a_file_and_in_a_pipe() {
    let directory = changed_store();
    fs::write(directory.path().join("store/color.wasm"), module(&[custom("vendor", "\u{1b}[31mred\u{1b}[0m")]))
        .unwrap();
    for format in ["parquet", "arrow"] {
        let piped = sectile(directory.path(), &format!("audit store --format {format}"));
        assert_eq!(sectile(directory.path(), &format!("audit store -o {format}=file")).status, 1);
        assert!(piped.stdout == fs::read(directory.path().join("file")).unwrap(), "{format}");
    }
}
