//! The layout of text output at several widths. `BLESS=1` rewrites the expected texts.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
#[cfg(unix)]
use unicode_width::UnicodeWidthStr;

use super::command;
use sectile_testing::binary::{component, custom, module, name, nested, producers, section};
#[cfg(unix)]
use sectile_testing::terminal;

/// A directory with binaries that have long names and values.
fn tree() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let deep = directory.path().join("a-directory-with-a-long-name/another-directory-with-a-long-name");
    fs::create_dir_all(&deep).unwrap();
    let long = module(&[
        custom("name", name("an-item-with-a-name-that-is-longer-than-a-narrow-terminal-is-wide")),
        custom(
            "description",
            "A description of several words that does not fit into one line of a terminal of 80 columns",
        ),
        custom("licenses", "MIT AND no license at all, with a long text behind it"),
        custom("revision", "0123456789abcdef0123456789abcdef01234567"),
        custom(
            "producers",
            producers(&[(
                "processed-by",
                &[("a tool with a rather long name", "1.2.3 (0123456789abcdef 2026-01-01)")],
            )]),
        ),
        section(11, &[0; 3_000]),
    ]);
    fs::write(deep.join("long.wasm"), component(&[nested(&long), custom("licenses", "MIT")])).unwrap();
    fs::write(directory.path().join("short.wasm"), module(&[custom("licenses", "Apache-2.0")])).unwrap();
    fs::write(directory.path().join("cut.wasm"), &module(&[section(11, &[0; 100])])[..50]).unwrap();
    directory
}

const LONG: &str = "a-directory-with-a-long-name/another-directory-with-a-long-name/long.wasm";

const COMMANDS: [(&str, &[&str]); 4] = [
    ("audit", &["audit", "--no-progress", "."]),
    ("show", &["show", LONG]),
    ("sections", &["sections", LONG]),
    ("digest", &["digest", LONG]),
];

fn expected_file(name: &str, width: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/widths/{name}-{width}.txt"))
}

#[track_caller]
fn is_as_expected(name: &str, width: &str, text: &str) {
    let file = expected_file(name, width);
    if std::env::var_os("BLESS").is_some() {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, text).unwrap();
    }
    let expected = fs::read_to_string(&file).unwrap_or_default().replace("\r\n", "\n");
    assert!(text == expected, "{}: run the test with BLESS=1, and look at what changes:\n{text}", file.display());
}

/// The layout-specific parts of a summary: all but the first paragraph.
fn tables(name: &str, text: &str) -> String {
    if name == "audit" { text.split_once("\n\n").unwrap().1.to_owned() } else { text.to_owned() }
}

#[cfg(unix)]
#[test]
fn text_fits_the_width_of_the_terminal() {
    let directory = tree();
    for width in ["60", "80", "140"] {
        for (name, args) in COMMANDS {
            let mut command = command(args);
            command.current_dir(directory.path()).env("COLUMNS", width).env("NO_COLOR", "1");
            let (_, shown) = terminal::run_to_end(&mut command);
            let shown = shown.replace("\r\n", "\n");
            let is_message = |line: &&str| line.starts_with("sectile: ");
            let shown: String = shown.split_inclusive('\n').filter(|line| !is_message(line)).collect();
            let shown = tables(name, &shown);
            for line in shown.lines() {
                let is_one_word = !line.trim().contains(' ');
                assert!(line.width() <= width.parse().unwrap() || is_one_word, "{name} {width}: {line}");
            }
            is_as_expected(name, width, &shown);
        }
    }
}

#[test]
fn paths_and_values_are_whole_in_a_pipe() {
    let directory = tree();
    for (name, args) in COMMANDS {
        let output = command(args).current_dir(directory.path()).env_remove("COLUMNS").output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains(LONG), "{name}: {text}");
        is_as_expected(name, "pipe", &tables(name, &text));
    }
    let narrow = command(["audit", "."]).current_dir(directory.path()).env("COLUMNS", "1").output().unwrap();
    let narrow = String::from_utf8(narrow.stdout).unwrap();
    let heading = narrow.lines().find(|line| line.starts_with("findings")).unwrap();
    assert!(heading.ends_with("rows") && heading.len() <= 40, "the least width is 40: {heading}");
}

#[cfg(unix)]
#[test]
fn bars_and_differences_have_colors() {
    let directory = tree();
    let mut audit = command(["audit", "--color", "always", "."]);
    let text = String::from_utf8(audit.current_dir(directory.path()).output().unwrap().stdout).unwrap();
    assert!(text.contains("\x1b[36m█"), "bars are cyan: {text}");
    assert!(text.contains("\x1b[1m\x1b[31m█") || text.contains("\x1b[1;31m█"), "bars of errors are red: {text}");
    let mut set = command(["set", "-n", "--color", "always", "--licenses", "MIT", "short.wasm"]);
    let text = String::from_utf8(set.current_dir(directory.path()).output().unwrap().stdout).unwrap();
    assert!(text.contains("\x1b[33mlicenses: Apache-2.0 → MIT\x1b[0m\n"), "{text:?}");
}
