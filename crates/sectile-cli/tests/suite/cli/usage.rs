//! Usage: versions, help, completions and manual pages, and wrong arguments.

use super::*;

#[test]
fn the_verbose_version_lists_features_and_the_target() {
    let short = run(["--version"]);
    assert_eq!(short.text(), concat!("sectile ", env!("CARGO_PKG_VERSION"), "\n"));
    let details = run(["-vV"]);
    assert_eq!((details.status, &*details.stderr), (0, ""));
    let remote =
        if cfg!(feature = "remote") { "features: remote\n" } else { "features: (none)\nnot built in: remote\n" };
    assert!(details.text().starts_with(&format!("{}{remote}target: ", short.text())), "{}", details.text());
    assert!(details.text().contains(std::env::consts::ARCH) && details.text().ends_with("\nJSON schema: 2\n"));
    for args in [["--version", "--verbose"], ["--verbose", "--version"], ["-V", "-v"], ["-v", "-V"]] {
        assert_eq!(run(args).stdout, details.stdout, "{args:?}");
    }
    assert_eq!(run(["-v"]).status, 2);
}

#[test]
fn completions_and_manual_pages() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let run = run(["completions", shell]);
        assert_eq!(run.status, 0);
        for word in ["show", "sections", "check", "get", "recover", "annotations", "--data-file", "--plain-http"] {
            let said = if shell == "fish" { word.trim_start_matches('-') } else { word };
            assert!(run.text().contains(said), "{shell} {word}");
        }
    }
    let directory = tempfile::tempdir().unwrap();
    let pages = directory.path().join("man/man1");
    assert_eq!(run([OsStr::new("man"), pages.as_os_str()]).status, 0);
    for (page, says) in [
        ("sectile.1", ".TH"),
        ("sectile-show.1", "interface"),
        ("sectile-oci-push.1", "plain"),
        ("sectile-set.1", "revision"),
    ] {
        assert!(fs::read_to_string(pages.join(page)).unwrap().contains(says), "{page}");
    }
    for page in fs::read_dir(&pages).unwrap() {
        let page = page.unwrap().path();
        let text = fs::read_to_string(&page).unwrap();
        let sections = [".SH NAME", ".SH SYNOPSIS", ".SH \"EXIT STATUS\"", ".SH \"SEE ALSO\""];
        assert!(sections.iter().all(|section| text.contains(section)), "{}", page.display());
        assert!(!text.contains(".SH EXTRA"), "{}", page.display());
    }
    let audit = fs::read_to_string(pages.join("sectile-audit.1")).unwrap();
    assert!(
        audit.contains(".SH EXAMPLES\n.nf\nsectile audit dist\n") && audit.contains("\\fBsectile\\fR(1)"),
        "{audit}"
    );
    let (_directory, path) = file(b"in the way");
    let run = run([OsStr::new("man"), path.as_os_str()]);
    assert!(run.status == 2 && run.stderr.contains("a.wasm: the manual pages cannot be written"), "{}", run.stderr);
}

/// Help omits inputs that a command cannot use or that are not built in.
#[test]
fn help_states_the_inputs_of_each_command() {
    for (command, reads_elsewhere) in [("show", true), ("get", true), ("digest", false), ("set", false)] {
        let help = run([command, "--help"]);
        assert_eq!(help.text().contains("https://"), reads_elsewhere && cfg!(feature = "remote"), "{command}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn help_that_cannot_be_written_is_status_2() {
    for args in [&["--help"][..], &["--version"], &["set", "--help"]] {
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let run = Run::of(command(args).stdout(full).output().unwrap());
        assert_eq!(run.status, 2, "{args:?}");
        assert!(run.stderr.starts_with("sectile: cannot write standard output"), "{args:?} {}", run.stderr);
    }
}

#[test]
fn wrong_usage_is_status_2() {
    for args in
        [&[][..], &["show"], &["frobnicate"], &["show", "--frobnicate", "x"], &["get", "x"], &["completions", "tcsh"]]
    {
        assert_eq!(run(args).status, 2, "{args:?}");
    }
    assert_eq!(run(["--help"]).status, 0);
    assert_eq!(run(["--version"]).status, 0);
}
