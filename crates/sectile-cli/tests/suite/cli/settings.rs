//! Defaults from variables and from the user's configuration file.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::{Run, command};
use sectile_testing::binary::{custom, module};

/// The path of the file below the home directory, or below `XDG_CONFIG_HOME`.
const DIRECTORY: &str = if cfg!(target_os = "macos") { "Library/Application Support/sectile" } else { "sectile" };

const VARIABLES: [&str; 7] = ["COLOR", "POLICY", "REFUSE", "THREADS", "FORMAT", "NO_PROGRESS", "HASH"];

/// A home directory with a binary that has a warning, and a policy that refuses it.
struct Home {
    directory: TempDir,
}

impl Home {
    fn new(config: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let home = Self { directory };
        fs::create_dir(home.path("tree")).unwrap();
        fs::write(home.path("tree/a.wasm"), module(&[custom("licenses", "mit")])).unwrap();
        fs::create_dir_all(home.path(DIRECTORY)).unwrap();
        home.configure(config);
        home.write(&format!("{DIRECTORY}/policy.toml"), "[[required]]\nfields = [\"vendor\"]\n");
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn config(&self) -> PathBuf {
        self.path(DIRECTORY).join("config.toml")
    }

    fn configure(&self, text: &str) {
        fs::write(self.config(), text).unwrap();
    }

    /// The command in the tree, with the configuration in its usual place.
    fn command(&self, args: &[&str]) -> Command {
        let mut command = command(args);
        let config = self.directory.path();
        command.current_dir(self.path("tree")).env_remove("SECTILE_CONFIG");
        command.env("HOME", config).env("XDG_CONFIG_HOME", config).env("APPDATA", config);
        for name in VARIABLES {
            command.env_remove(format!("SECTILE_{name}"));
        }
        command
    }

    fn run(&self, args: &[&str]) -> Run {
        Run::of(self.command(args).output().unwrap())
    }

    fn run_with(&self, args: &[&str], variables: &[(&str, &str)]) -> Run {
        Run::of(self.command(args).envs(variables.iter().copied()).output().unwrap())
    }
}

#[test]
fn options_win_over_variables_and_variables_over_the_file() {
    let home = Home::new("refuse = \"error\"\n");
    let check = |args: &[&str], variables: &[(&str, &str)]| {
        home.run_with(&[&["check", "a.wasm"], args].concat(), variables).status
    };
    assert_eq!(check(&[], &[]), 0);
    assert_eq!(check(&[], &[("SECTILE_REFUSE", "warning")]), 1);
    assert_eq!(check(&["--refuse", "error"], &[("SECTILE_REFUSE", "warning")]), 0);
    home.configure("refuse = \"warning\"\n");
    assert_eq!(check(&[], &[]), 1);
    assert_eq!(check(&[], &[("SECTILE_REFUSE", "error")]), 0);
    assert_eq!(check(&[], &[("SECTILE_REFUSE", "")]), 1, "an empty variable is not set");
    assert_eq!(check(&[], &[("SECTILE_CONFIG", "")]), 0, "no file");
}

#[test]
fn settings_come_from_the_file_and_from_variables() {
    let home = Home::new("");
    let is_plain = |run: &Run| !run.text().contains('\x1b');
    assert!(is_plain(&home.run(&["show", "a.wasm"])));
    let format = |run: &Run| run.text().starts_with("{\"schema\":");
    let hashed = |run: &Run| run.text().contains("\"digest\":\"sha256:");
    type Case<'c> = (&'c str, &'c str, &'c [&'c str], fn(&Run) -> bool);
    let cases: [Case<'_>; 5] = [
        ("color", "\"always\"", &["show", "a.wasm"], |run| run.text().contains('\x1b')),
        ("format", "\"jsonl\"", &["audit", "."], format),
        ("hash", "true", &["audit", "--format", "jsonl", "."], hashed),
        ("threads", "3", &["audit", "."], |run| run.status == 0),
        ("no-progress", "true", &["audit", "."], |run| run.status == 0),
    ];
    for (key, value, args, is_applied) in cases {
        home.configure(&format!("{key} = {value}\n"));
        let from_file = home.run(args);
        assert!(from_file.status == 0 && is_applied(&from_file), "{key}: {} {}", from_file.text(), from_file.stderr);
        let variable = format!("SECTILE_{}", key.to_uppercase().replace('-', "_"));
        home.configure("");
        let from_variable = home.run_with(args, &[(&variable, value.trim_matches('"'))]);
        assert!(is_applied(&from_variable), "{variable}: {} {}", from_variable.text(), from_variable.stderr);
        let invalid = home.run_with(args, &[(&variable, "x")]);
        let message = format!("sectile: {variable}: `x` is not ");
        assert!(invalid.status == 2 && invalid.stderr.starts_with(&message), "{}", invalid.stderr);
    }
}

#[test]
fn a_default_format_does_not_add_an_output() {
    let home = Home::new("format = \"jsonl\"\n");
    assert!(home.run(&["audit", "."]).text().starts_with("{\"schema\":"));
    for args in [&["audit", ".", "-o", "../report.csv"][..], &["audit", ".", "-o", "table=../report.txt"]] {
        let run = home.run(args);
        assert_eq!((run.status, run.text()), (0, ""), "{args:?} {}", run.stderr);
    }
    assert!(home.run(&["audit", ".", "--format", "csv"]).text().contains("a.wasm,"), "an option wins");
}

#[test]
fn a_policy_from_a_default_is_named() {
    let home = Home::new("policy = \"policy.toml\"\n");
    let file = home.path(&format!("{DIRECTORY}/policy.toml"));
    for args in [&["check", "a.wasm"][..], &["audit", "."]] {
        let run = home.run(args);
        let config = home.config();
        let message = format!("sectile: judging by the policy {} (from {})\n", file.display(), config.display());
        assert!(run.status == 1 && run.stderr.starts_with(&message), "{} {}", run.text(), run.stderr);
        let run = home.run_with(args, &[("SECTILE_POLICY", file.to_str().unwrap())]);
        assert!(run.status == 1 && run.stderr.contains("(from SECTILE_POLICY)\n"), "{}", run.stderr);
        home.write("other.toml", "");
        let other = home.path("other.toml");
        let run = home.run(&[args, &["--policy", other.to_str().unwrap()]].concat());
        assert_eq!((run.status, &*run.stderr), (0, ""), "{}", run.text());
    }
    assert_eq!(home.run(&["check", "-q", "a.wasm"]).stderr, "");
}

#[test]
fn a_wrong_file_is_an_error_with_its_line() {
    let home = Home::new("");
    for (text, expected) in [
        ("color = \"never\"\ncolour = \"never\"\n", ":2:1: unknown key `colour`; did you mean `color`? Valid keys: "),
        (
            "[section]\n",
            ":1:2: unknown key `section`; valid keys: color, policy, refuse, threads, format, no-progress, hash\n",
        ),
        ("color = \"purple\"\n", ":1:9: color: `purple` is not one of `auto`, `always`, `never`\n"),
        ("\n  color = true\n", ":2:11: color: expected a string, found true or false\n"),
        ("threads = \"2\"\n", ":1:11: threads: expected a number, found a string\n"),
        ("threads = 0\n", ":1:11: threads: `0` is not a number from 1 to 1024\n"),
        ("hash = 1\n", ":1:8: hash: expected true or false, found a number\n"),
        ("color = \n", ":1:9: "),
    ] {
        home.configure(text);
        let run = home.run(&["show", "a.wasm"]);
        let place = format!("sectile: {}{expected}", home.config().display());
        assert!(run.status == 2 && run.text().is_empty() && run.stderr.starts_with(&place), "{text:?} {}", run.stderr);
    }
    // Scripts and pages do not depend on the configuration.
    assert_eq!(home.run(&["completions", "bash"]).status, 0);
}

#[test]
fn another_file_is_named_by_a_variable_and_must_exist() {
    let home = Home::new("color = \"purple\"\n");
    home.write("mine.toml", "refuse = \"warning\"\n");
    let mine = home.path("mine.toml");
    assert_eq!(home.run_with(&["check", "a.wasm"], &[("SECTILE_CONFIG", mine.to_str().unwrap())]).status, 1);
    let missing = home.run_with(&["check", "a.wasm"], &[("SECTILE_CONFIG", "nowhere.toml")]);
    assert!(
        missing.status == 2 && missing.stderr.contains("nowhere.toml: the configuration cannot be used"),
        "{}",
        missing.stderr
    );
    fs::remove_file(home.config()).unwrap();
    assert_eq!(home.run(&["check", "a.wasm"]).status, 0);
}

#[cfg(unix)]
#[test]
fn a_file_that_others_may_write_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new("refuse = \"warning\"\n");
    let path = home.config();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    let run = home.run(&["check", "a.wasm"]);
    assert!(run.status == 2 && run.stderr.contains("others may write to it"), "{}", run.stderr);
    fs::remove_file(&path).unwrap();
    sectile_testing::files::make_fifo(&path);
    let run = home.run(&["check", "a.wasm"]);
    assert!(run.status == 2 && run.stderr.contains("not a regular file"), "{}", run.stderr);
}

#[test]
fn settings_are_not_read_from_the_audited_directory() {
    let home = Home::new("");
    for name in ["config.toml", "sectile.toml", ".sectile.toml", "policy.toml", "sectile/config.toml"] {
        let path = Path::new("tree").join(name);
        fs::create_dir_all(home.path("tree/sectile")).unwrap();
        home.write(path.to_str().unwrap(), "refuse = \"note\"\npolicy = \"policy.toml\"\n");
    }
    for args in [&["check", "a.wasm"][..], &["audit", "."]] {
        let relative = home.run_with(args, &[("XDG_CONFIG_HOME", ".")]);
        assert_eq!((home.run(args).status, relative.status, &*relative.stderr), (0, 0, ""), "{args:?}");
    }
}

#[test]
fn help_and_the_manual_list_variables() {
    let home = Home::new("");
    let help = home.run(&["--help"]);
    assert_eq!(home.run(&["man", "pages"]).status, 0);
    let page = fs::read_to_string(home.path("tree/pages/sectile.1")).unwrap();
    assert!(page.contains(".SH ENVIRONMENT\n") && page.contains(".SH FILES\n"), "{page}");
    for name in VARIABLES.map(|name| format!("SECTILE_{name}")).iter().chain([&"SECTILE_CONFIG".to_owned()]) {
        assert!(help.text().contains(&**name) && page.contains(&**name), "{name}");
    }
}
