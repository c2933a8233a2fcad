//! Policy files: errors have a line and column, and list what is valid.

use sectile::{FindingCode, Severity};
use sectile_policy::{Policy, PolicyError};

#[track_caller]
fn error(text: &str) -> String {
    Policy::parse("policy.toml", text).unwrap_err().to_string()
}

#[test]
fn errors_have_positions_and_hints() {
    for (text, place, message) in [
        ("refus = 1", "1:1: refus:", "did you mean `refuse`? Valid keys: refuse, packages, limits, severity, required"),
        ("refuse = 'fatal'", "1:10: refuse:", "valid severities: note, warning, error"),
        ("refuse = 'ignore'", "1:10: refuse:", "is not a severity"),
        ("\n\n refuse = 3", "3:11: refuse:", "expected a string, found a number"),
        ("refuse = 1979-05-27", "1:10: refuse:", "found a date or time"),
        ("refuse = 'error'\nrefuse = 'note'", "2:1:", "duplicate key"),
        ("[limits]\ndepth = 3\n[limits]", "3:2:", "duplicate key"),
        ("refuse = ", "1:10:", ""),
        ("\u{feff}refus = 1", "1:1: refus:", "unknown key"),
        ("[limits]\ndepth = -1", "2:9: limits.depth:", "a whole number from 1 to 4294967295, found -1"),
        ("limits.depth = 0", "1:16: limits.depth:", "from 1 to"),
        ("limits.depth = 4_294_967_296", "1:16:", "found 4294967296"),
        ("limits.kept = 9223372036854775808", "1:15:", "from 0 to 9223372036854775807"),
        ("limits.depth = 1.5", "1:16:", "a whole number from 1"),
        ("limits.depth = '3'", "1:16:", "found a string"),
        ("limits.deep = 3", "1:8: limits.deep:", "depth, items, sections, name, data, interface, kept"),
        ("limits = 3", "1:10: limits:", "a table, found a number"),
        (
            "[severity]\nnot-spdy = 'note'",
            "2:1: severity.not-spdy:",
            "unknown code of a finding; did you mean `not-spdx`? `sectile explain --list` lists all codes",
        ),
        (
            "[severity]\nnot-spdx = 'none'",
            "2:12: severity.not-spdx:",
            "did you mean `note`? Valid severities: note, warning, error, ignore",
        ),
        ("licenses = 3", "1:12: licenses:", "a table, or a list of tables"),
        ("licenses = [3]", "1:13: licenses:", "a table, found a number"),
        ("[[licenses]]", "1:1: licenses:", "empty rule: add `allow` or `deny`"),
        ("[licenses]\nallow = ['MIT', 'ü', 'X11R99']", "2:17: licenses.allow:", "`ü` is not an SPDX expression"),
        ("[licenses]\nallow = ['MIT',\n\n  'Apache 2.0']", "4:3: licenses.allow:", "did you mean `Apache-2.0`?"),
        ("licenses.deny = ''", "1:17:", "empty"),
        ("licenses.deny = 'MIT AND ISC'", "1:17: licenses.deny:", "joins licenses with `AND`"),
        ("licenses.allow = []", "1:18: licenses.allow:", "empty list"),
        ("licenses.allow = [['MIT']]", "1:19:", "a string, found a list"),
        ("licenses.allow = ['MIT', 'MIT']", "1:26:", "`MIT` occurs twice"),
        ("licenses.allow = { a = 1 }", "1:18:", "a list of strings, found a table"),
        ("licenses = { allow = 'MIT', severity = 'ignore' }", "1:40: licenses.severity:", "is not a severity"),
        (
            "licenses = { allow = 'MIT', fields = 'x' }",
            "1:29: licenses.fields:",
            "items, allow, deny, unknown, severity, reason",
        ),
        ("required.items = 'root'", "1:1: required:", "add `fields`"),
        ("required = { fields = 'license' }", "1:23: required.fields:", "name, authors, created"),
        ("required = { fields = 'name', items = '3/x' }", "1:39: required.items:", "root, nested, modules"),
        ("required = { fields = 'name', items = '' }", "1:39:", "is not a group of items"),
        ("[[sections]]\nnames = ['a', '[']", "2:15: sections.names:", "`[` is not a pattern"),
        ("[[sections]]\nkinds = 'cod'", "2:9: sections.kinds:", "did you mean `code`? docs/policy.md lists all kinds"),
        (
            "[[sections]]\nnames = 'a'\n[[sections]]\nitems = 'all'",
            "3:1: sections:",
            "add `names`, `kinds` or `larger-than`",
        ),
        ("[[sections]]\nlarger-than = -5", "2:15: sections.larger-than:", "found -5"),
        ("imports.except = 'a'", "1:1: imports:", "add `names`"),
        ("imports = { names = 'a', items = 'root' }", "1:26: imports.items:", "names, except, severity, reason"),
        (
            "sources.allow = 'github.com/*'",
            "1:17: sources.allow:",
            "is not a pattern for URLs: write it as https://HOST/PATH",
        ),
        ("[sources]\ndeny = ['*', 'https://git*.com/x']", "2:14: sources.deny:", "in a host `*` stands for all of it"),
        (
            "[sources]\nallow = '*'\nfields = 'vendor'",
            "3:10: sources.fields:",
            "`vendor` does not hold a URL; valid fields: documentation",
        ),
        ("[sources]\nallow = '*'\nfields = 'name'", "3:10: sources.fields:", "`name` does not hold a URL"),
        ("sources.fields = 'source'", "1:1: sources:", "add `allow` or `deny`"),
        ("producers.fields = 'tool'", "1:20: producers.fields:", "valid fields: language, processed-by, sdk"),
        ("producers.versions = ['<1', 'new']", "1:29: producers.versions:", "`new` is not a range of versions"),
        ("producers = { names = 'a', required = 1 }", "1:39: producers.required:", "`true` or `false`, found a number"),
        ("producers = { required = false }", "1:13: producers:", "add `fields`, `names` or `versions`"),
        ("producers = { items = 'all' }", "1:13: producers:", "add `fields`, `names`, `versions` or `required`"),
        ("dependencies = { required = true, names = 'a' }", "1:16: dependencies:", "in another rule"),
        ("dependencies = { required = false }", "1:16: dependencies:", "add `names`, `versions` or `sources`"),
        (
            "[[exceptions]]\nreason = 'r'",
            "1:1: exceptions:",
            "incomplete exception: add `paths`, `digests` or `advisories`",
        ),
        ("[[exceptions]]\npaths = '*'", "1:1: exceptions:", "incomplete exception: add `reason`"),
        ("[exceptions]\npaths = '*'\nreason = ' '", "3:10: exceptions.reason:", "needs a reason"),
        ("[exceptions]\npaths = '*'\nreason = 'r'\nexpires = 2026-02-30", "4:", ""),
        (
            "[exceptions]\npaths = '*'\nreason = 'r'\nexpires = '26-02-03'",
            "4:11: exceptions.expires:",
            "not a day such as",
        ),
        (
            "[exceptions]\npaths = '*'\nreason = 'r'\nexpires = 07:32:00",
            "4:11: exceptions.expires:",
            "not a day such as",
        ),
        ("[exceptions]\npaths = '*'\nreason = 'r'\nexpires = 2026", "4:11: exceptions.expires:", "found a number"),
        (
            "[exceptions]\npaths = '*'\nreason = 'r'\ncodes = 'all'",
            "4:9: exceptions.codes:",
            "`all` is not the code of a finding",
        ),
        ("[exceptions]\ndigests = 'abc'\nreason = 'r'", "2:11: exceptions.digests:", "`abc` is not a digest"),
        ("[exceptions]\npaths = '*'\nreason = 'r'\nverified = true", "1:1: exceptions:", "`verified` needs `digests`"),
        ("imports = { names = 'a', reason = 3 }", "1:35: imports.reason:", "a string"),
    ] {
        let error = error(text);
        assert!(error.starts_with(&format!("policy.toml:{place}")) && error.contains(message), "{text}\n{error}");
    }
    let Err(PolicyError::Invalid { line, column, key, .. }) = Policy::parse("p", "\n limits.x = 1") else { panic!() };
    assert_eq!((line, column, &*key), (2, 9, "limits.x"));
    // Deceptive characters are escaped.
    assert!(!error("\"\\u001b[2J\u{202e}\" = 1").contains(['\u{1b}', '\u{202e}']));
}

#[test]
fn valid_files_are_read() {
    let policy = Policy::parse("p", "refuse = 'note'\nlimits.items = 0x10\nseverity.not-url = 'ignore'").unwrap();
    assert_eq!((policy.refuse, policy.limits.max_items, policy.limits.max_depth), (Severity::Note, 16, 1_000));
    assert_eq!(
        (policy.severity(FindingCode::NotUrl), policy.severity(FindingCode::NotHttp)),
        (None, Some(Severity::Error))
    );
    assert_eq!(Policy::parse("p", "").unwrap(), Policy::default());
    assert_eq!(Policy::parse("p", "licenses = []\n[limits]\n[severity]\n").unwrap(), Policy::default());
    let all = FindingCode::ALL.map(|code| format!("{code} = \"{}\"\n", code.severity())).concat();
    let policy = Policy::parse("p", &format!("[severity]\n{all}")).unwrap();
    assert!(FindingCode::ALL.iter().all(|code| policy.severity(*code) == Some(code.severity())));
    // One table, or a list of them; one string, or a list of them.
    let same = [
        "[[imports]]\nnames = ['a']",
        "[imports]\nnames = 'a'",
        "imports = [{ names = 'a' }]",
        "imports.names = ['a']",
    ];
    let policies = same.map(|text| Policy::parse("p", text).unwrap());
    assert!(policies.windows(2).all(|pair| pair[0] == pair[1]));
}

/// One key for all codes about hidden binaries. The keys of the codes override it, in any order.
#[test]
fn severity_of_hidden_binaries_is_one_key() {
    let severities = |text: &str| {
        let policy = Policy::parse("policy.toml", text).unwrap();
        [FindingCode::DisputedArchive, FindingCode::NotOpened, FindingCode::MalformedArchive]
            .map(|code| policy.severity(code))
    };
    let (note, warning, error) = (Some(Severity::Note), Some(Severity::Warning), Some(Severity::Error));
    for (text, expected) in [
        ("", [error, warning, warning]),
        ("severity.hidden = 'error'", [error, error, warning]),
        ("severity.hidden = 'ignore'", [None, None, warning]),
        ("[severity]\nhidden = 'error'\nnot-opened = 'note'", [error, note, warning]),
        ("[severity]\ndisputed-archive = 'warning'\nhidden = 'note'", [warning, note, warning]),
    ] {
        assert_eq!(severities(text), expected, "{text}");
    }
    assert!(Policy::parse("policy.toml", "severity.hidden = 'fatal'").is_err());
}
