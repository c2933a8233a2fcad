//! Hostile text on a terminal and in JSON, its length, and colors.

use super::*;

/// Texts that would control a terminal.
const HOSTILE: &str = "\x1b[2J\x1b]0;owned\x07\r\nfaked: ok\u{9b}31m\u{202e}\u{2066}\u{200b}\x7f";

#[test]
fn input_is_escaped_on_a_terminal() {
    let inner = module(&[custom("name", name(HOSTILE))]);
    let bytes = component(&[
        nested(&inner),
        custom("description", HOSTILE),
        custom("licenses", HOSTILE),
        custom("homepage", HOSTILE),
        custom("created", HOSTILE),
        custom(HOSTILE, ""),
        custom("component-name", name(HOSTILE)),
        custom("producers", producers(&[(HOSTILE, &[(HOSTILE, HOSTILE), (HOSTILE, HOSTILE)]), (HOSTILE, &[])])),
        custom("sourceMappingURL", [&[HOSTILE.len() as u8][..], HOSTILE.as_bytes()].concat()),
        custom("registry-metadata", format!("{{\"a\":1,\"a\":\"{HOSTILE}\"}}")),
    ]);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(format!("a{}.wasm", HOSTILE.replace('/', "")));
    fs::write(&path, &bytes).unwrap();
    for args in [
        &["show"][..],
        &["show", "--interface"],
        &["show", "--color", "never"],
        &["sections"],
        &["check"],
        &["check", "--refuse", "note"],
        &["digest"],
        &["audit"],
        &["strip", "--all", "--dry-run"],
        &["set", "--dry-run", "--vendor", "v"],
    ] {
        let run = run(args.iter().map(OsStr::new).chain([path.as_os_str()]));
        assert_ne!(run.status, 2, "{args:?} {}", run.stderr);
        for text in [run.text(), &run.stderr] {
            let deceptive = |character: &char| {
                *character != '\n'
                    && (character.is_control()
                        || ('\u{200b}'..='\u{2069}').contains(character) && *character != '\u{2026}')
            };
            assert_eq!(text.chars().find(deceptive), None, "{text:?}");
            assert!(!text.contains("\nfaked"), "{text:?}");
        }
    }
    // JSON contains it exactly.
    let json = run([OsStr::new("show"), OsStr::new("--json"), path.as_os_str()]).json();
    assert_eq!(json["item"]["annotations"]["description"], HOSTILE);
    assert_eq!(json["item"]["name"], HOSTILE);
    assert_eq!(json["file"], path.to_str().unwrap());
    assert_eq!(json["item"]["producers"][HOSTILE][0], serde_json::json!([HOSTILE, HOSTILE]));
    let json = run([OsStr::new("sections"), OsStr::new("--json"), path.as_os_str()]).json();
    assert!(json["sections"].as_array().unwrap().iter().any(|section| section["name"] == HOSTILE));
}

/// JSON may also be shown on a terminal.
#[test]
fn json_is_exact_and_safe_on_a_terminal() {
    let hostile = "a\u{9b}31m\u{202e}\u{2066}\u{200b}\x7f\u{85}\u{feff}\u{e0041}\x1bb";
    let bytes = component(&[
        nested(&module(&[custom("name", name(hostile))])),
        custom("description", hostile),
        custom(hostile, ""),
        custom("producers", producers(&[(hostile, &[(hostile, hostile)])])),
        custom("registry-metadata", format!("{{\"authors\":[\"{}\"]}}", hostile.replace('\x1b', ""))),
    ]);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(format!("{hostile}.wasm"));
    fs::write(&path, bytes).unwrap();
    for args in [
        &["show", "--json"][..],
        &["show", "--json", "--interface"],
        &["sections", "--json"],
        &["check", "--json"],
        &["digest", "--json"],
        &["set", "--dry-run", "--json", "--allow-invalid", "--vendor", hostile],
        &["audit", "--format", "jsonl"],
        &["audit", "--format", "sarif"],
        &["audit", "--format", "csv"],
        &["audit", "--format", "html"],
        &["sbom"],
        &["oci", "annotations"],
        &["oci", "config"],
    ] {
        let run = run(args.iter().map(OsStr::new).chain([path.as_os_str()]));
        assert!(run.status < 2 || args[0] == "oci", "{args:?} {}", run.stderr);
        for text in [run.text(), &run.stderr] {
            let raw = text.chars().find(|&character| character != '\n' && character != '\r' && is_deceptive(character));
            assert_eq!(raw, None, "{args:?} {text:?}");
        }
    }
    let json = run([OsStr::new("show"), OsStr::new("--json"), path.as_os_str()]);
    assert!(
        json.text().contains(r"a\u009b31m\u202e\u2066\u200b\u007f\u0085\ufeff\udb40\udc41\u001bb"),
        "{}",
        json.text()
    );
    assert_eq!(json.json()["item"]["annotations"]["description"], hostile);
}

/// The paths of deep items are long, and every row has one.
#[test]
fn json_has_at_most_40_bytes_for_each_byte_of_the_file() {
    let deep = |inner: Vec<u8>, depth: usize| (0..depth).fold(inner, |inner, _| component(&[nested(&inner)]));
    let empty = section(0, b"\0");
    let sections = module(&vec![empty.clone(); 40_000]);
    let items = component(&vec![nested(&module(&[])); 8_000]);
    let findings = module(&(0..2_000).map(|nth| custom("licenses", format!("{nth}?"))).collect::<Vec<_>>());
    let named = component(&vec![nested(&module(&[custom("name", name("\u{9b}"))])); 4_000]);
    for (what, inner) in [("sections", sections), ("items", items), ("findings", findings), ("names", named)] {
        for depth in [1, 900] {
            let (_directory, path) = file(&deep(inner.clone(), depth));
            let len = fs::metadata(&path).unwrap().len();
            for command in ["sections", "show", "check"] {
                let run = run([OsStr::new(command), OsStr::new("--json"), path.as_os_str()]);
                let answer = run.text();
                let bound = (40 * len).max(256 << 10) + 4_096;
                assert!(answer.len() as u64 <= bound, "{what} {depth} {command}: {} of {len}", answer.len());
                if command != "show" || depth < 30 {
                    serde_json::from_str::<Value>(answer).unwrap(); // the parser does not read deeper trees
                }
                let is_cut = run.stderr.contains("rows are left out: the output would have more than 40 bytes");
                assert_eq!(is_cut, answer.contains("rows are left out"), "{what} {depth} {command}");
                assert!(
                    !is_cut || run.status == 2 && answer.contains("\"outcome\":\"partial\""),
                    "{what} {depth} {command}"
                );
                let is_expected = matches!((what, depth, command), ("sections", 900, "sections") | ("items", 900, _));
                assert!(is_cut || !is_expected || command == "check", "{what} {depth} {command} {}", answer.len());
            }
        }
    }
    // The kept part is unchanged.
    let (_directory, path) = file(&module(&vec![empty; 1_000]));
    let json = run([OsStr::new("sections"), OsStr::new("--json"), path.as_os_str()]).json();
    assert_eq!((json["sections"].as_array().unwrap().len(), &json["outcome"]), (1_000, &Value::from("complete")));
}

/// A script may pass arguments from untrusted sources.
#[test]
fn echoed_arguments_are_escaped() {
    let hostile = "x\x1b[2J\u{9b}31m\u{202e}\nerror: faked\x07";
    for args in [
        &[hostile][..],
        &["show", hostile, "--x\x1b[31m"],
        &["show", &format!("--{hostile}"), "a"],
        &["set", "a.wasm", &format!("--{hostile}=x")],
        &["audit", "a", "--format", hostile],
        &["audit", "a", "--threads", hostile],
        &["audit", "a", "--refuse", hostile],
        &["get", "a", "b", "--at", hostile],
        &["unset", "a", hostile],
        &["oci", hostile],
        &["oci", "push", "a", hostile],
        &["oci", "push", "a", "example.com/b", hostile],
        &["completions", hostile],
        &["show", "a", "--color", hostile],
        &["help", hostile],
    ] {
        let run = run(args);
        assert_eq!(run.status, 2, "{args:?}");
        for text in [run.text(), &run.stderr] {
            let raw = text.chars().find(|&character| character != '\n' && is_deceptive(character));
            assert_eq!(raw, None, "{args:?} {text:?}");
            assert!(!text.contains("\nerror: faked"), "{args:?} {text:?}");
        }
        assert!(run.stderr.contains(r"\x1b"), "{args:?} {}", run.stderr);
    }
}

/// Text output is truncated, but never within a character. JSON is complete.
#[test]
fn long_values_are_truncated_in_text_but_not_in_json() {
    let long = format!("a{}", "é".repeat(2_000));
    let tools: Vec<String> = (0..40).map(|nth| format!("tool{nth}")).collect();
    let tools: Vec<(&str, &str)> = tools.iter().map(|tool| (&**tool, "1")).collect();
    let bytes = module(&[
        custom("producers", producers(&[("processed-by", &tools)])),
        custom("description", &long),
        custom("vendor", ""),
        custom("authors", [0xff; 1_500]),
    ]);
    let (_directory, path) = file(&bytes);
    let shown = run([OsStr::new("show"), path.as_os_str()]);
    let text = shown.text();
    assert_eq!((shown.status, &*shown.stderr), (0, ""));
    assert!(text.contains(&format!("a{}… (4,001 bytes)", "é".repeat(499))), "{text}");
    assert!(text.contains("tool31") && !text.contains("tool32") && text.contains("… and 8 more"), "{text}");
    assert!(text.lines().any(|line| line.contains("vendor") && line.ends_with("(empty)")), "{text}");
    assert!(text.contains("\\xff… (1,500 bytes)"), "{text}");
    let (_, json) = show_json(&bytes);
    assert_eq!(json["item"]["annotations"]["description"], long);
    assert_eq!(json["item"]["producers"]["processed-by"].as_array().unwrap().len(), 40);
}

#[test]
fn colors_are_for_terminals() {
    let (_directory, path) = file(&module(&[custom("licenses", "mit")]));
    let show =
        |args: &[&str]| run([OsStr::new("show"), path.as_os_str()].into_iter().chain(args.iter().map(OsStr::new)));
    assert!(!show(&[]).text().contains('\x1b'));
    assert!(show(&["--color", "always"]).text().contains("\x1b["));
    assert!(!show(&["--color", "never"]).text().contains('\x1b'));
    assert_eq!(show(&["--color", "sometimes"]).status, 2);
}
