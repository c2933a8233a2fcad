//! Rules about sources, producers and dependencies.

use super::{judge, judged, parsed};
use sectile_testing::binary::{MODULE, zlib};
use sectile_testing::binary::{component, custom, module, nested, producers};

/// Ignores all findings except violations.
const QUIET: &str = "\
    severity.not-url = 'ignore'\n\
    severity.vcs-url = 'ignore'\n\
    severity.url-credentials = 'ignore'\n\
    severity.not-utf8 = 'ignore'\n\
    severity.too-large = 'ignore'\n\
    severity.empty-value = 'ignore'\n\
    severity.not-http = 'ignore'\n\
    severity.duplicate-section = 'ignore'\n\
    severity.malformed-producers = 'ignore'\n\
    severity.malformed-dependencies = 'ignore'\n\
    severity.duplicate-json-key = 'ignore'\n\
";

/// Whether a policy of one rule accepts these bytes, and its findings.
#[track_caller]
fn under(rule: &str, bytes: &[u8]) -> Result<(), Vec<String>> {
    let (lines, accepted) = judge(bytes, &parsed(&format!("{QUIET}{rule}")));
    assert_eq!(accepted, lines.is_empty(), "{lines:?}");
    if accepted { Ok(()) } else { Err(lines) }
}

#[test]
fn sources_are_judged_by_item() {
    let inner = module(&[custom("source", "https://evil.example/x")]);
    let bytes = component(&[nested(&inner), custom("source", "https://github.com/acme/x")]);
    let allow = "sources.allow = 'https://github.com/acme/*'";
    let message = "`source` `https://evil.example/x` is refused: it is not allowed";
    assert_eq!(under(allow, &bytes), Err(vec![format!("!error refused-source at 0:27 source x1: {message}")]));
    assert_eq!(under(&format!("{allow}\nsources.items = 'root'"), &bytes), Ok(()));
    let denied = under("sources.deny = '*://evil.example/*'", &bytes).unwrap_err();
    assert!(denied.len() == 1 && denied[0].ends_with("is refused: `*://evil.example/*` is denied"), "{denied:?}");
    assert_eq!(under("sources = { allow = '*', deny = '*://other.example/*' }", &bytes), Ok(()));
    // Other fields are judged if requested; missing fields are not judged.
    let home = module(&[custom("homepage", "https://evil.example/"), custom("documentation", "https://ok.example/")]);
    assert_eq!(under(allow, &home), Ok(()));
    let fields = "sources = { allow = 'https://ok.example/*', fields = ['homepage', 'documentation'], reason = 'ask' }";
    let refused = under(fields, &home).unwrap_err();
    assert!(refused.len() == 1 && refused[0].contains("`homepage`") && refused[0].ends_with("(ask)"), "{refused:?}");
}

#[test]
fn hidden_sources_are_refused() {
    let ok = || custom("source", "https://github.com/acme/x");
    let of = |value: &[u8]| custom("source", value);
    for sections in [
        vec![of(b"https://github.com.evil.example/acme/x")],
        vec![of(b"https://github.com@evil.example/acme/x")],
        vec![of(b"https://github.com/acme/../evil/x")],
        vec![of(b"https://github.com/acme/%2E%2e/evil/x")],
        vec![of(b"git@github.com:acme/x")],
        vec![of(b"nowhere")],
        vec![of(b"")],
        vec![of(b"https://github.com/acme/\xff")],
        vec![of("https://github.com/acme/".repeat(1_000).as_bytes())],
        vec![of("https://github.com/acme/".repeat(100_000).as_bytes())], // exceeds the limit of decoding
        vec![ok(), of(b"https://evil.example/")],
        vec![of(b"https://evil.example/"), ok()],
        vec![of(b"https://evil.example/"), ok(), ok()],
    ] {
        let lines = under("sources.allow = 'https://github.com/acme/*'", &module(&sections)).unwrap_err();
        assert!(lines[0].starts_with("!error refused-source"), "{lines:?}");
    }
    for value in [&b"https://GitHub.COM/acme/x"[..], b"https://github.com:443/acme/%78"] {
        assert_eq!(under("sources.allow = 'https://github.com/acme/*'", &module(&[of(value)])), Ok(()));
    }
    // A rule that only denies refuses ambiguous URLs, too.
    for value in [&b"nowhere"[..], b"https://ok.example/a/../b", b"git@evil.example:x", b"https://me@EVIL.example:1/x"]
    {
        assert!(under("sources.deny = '*://evil.example/*'", &module(&[of(value)])).is_err());
    }
    // Encoded invisible characters stay encoded, in patterns and URLs.
    for value in [&b"https://ok.example/%78%20y"[..], b"https://ok.example/x%20Y"] {
        assert!(under("sources.deny = 'https://ok.example/x%20y'", &module(&[of(value)])).is_err());
    }
}

fn made_by(entries: &[(&str, &str)]) -> Vec<u8> {
    custom("producers", producers(&[("processed-by", entries)]))
}

#[test]
fn producers_are_refused_by_field_name_and_version() {
    let data = producers(&[
        ("language", &[("Rust", "2021"), ("C11", "")]),
        ("processed-by", &[("rustc", "1.69.0 (84c898d65 2023-04-16)"), ("wit-component", "0.245.1"), ("clang", "?")]),
    ]);
    let bytes = component(&[nested(&module(&[custom("producers", &data)])), made_by(&[("rustc", "1.82.0")])]);
    for (rule, expected) in [
        ("names = 'rustc', versions = '<1.70'", &["0 rustc"][..]),
        ("names = 'rustc'", &[" rustc", "0 rustc"]),
        ("names = 'rustc', items = 'root'", &[" rustc"]),
        ("names = 'rustc', versions = ['=1.69.0', '>=1.82']", &[" rustc", "0 rustc"]),
        ("names = '*', versions = '<1', fields = 'processed-by'", &["0 wit-component", "0 clang"]),
        ("fields = 'language'", &["0 Rust", "0 C11"]),
        ("fields = 'sdk'", &[]),
        ("names = '*', except = ['rustc', 'wit-*', 'clang', 'Rust']", &["0 C11"]),
        ("versions = '>=2021'", &["0 Rust", "0 C11", "0 clang"]),
        ("names = 'clang', versions = '<1'", &["0 clang"]), // versions that cannot be compared are refused
    ] {
        let lines = under(&format!("producers = {{ {rule} }}"), &bytes).err().unwrap_or_default();
        let found = lines.iter().map(|line| {
            let (_, place) = line.split_once("refused-producer at ").unwrap();
            let (path, rest) = place.split_once(':').unwrap();
            format!("{path} {}", rest.split('`').nth(1).unwrap())
        });
        assert_eq!(found.collect::<Vec<_>>(), expected, "{rule}");
    }
    let lines = under("producers = { names = 'clang', versions = '<1' }", &bytes).unwrap_err();
    let expected = "the producer `clang`, version `?`, is refused: its version cannot be compared";
    assert!(lines[0].ends_with(expected), "{lines:?}");
}

#[test]
fn producers_are_required_of_each_item() {
    let with = module(&[made_by(&[("rustc", "1.82.0 (f6e511eec 2024-10-15)")])]);
    let required = |more: &str| format!("producers = {{ required = true, names = 'rustc'{more} }}");
    assert_eq!(under(&required(", versions = '>=1.82'"), &with), Ok(()));
    let lines = under(&required(", versions = '>1.82'"), &with).unwrap_err();
    assert_eq!(
        lines,
        ["!error missing-field at :20 producers x1: a required producer is missing: `rustc`, with a matching version"]
    );
    let lines = under(&required(", fields = 'sdk'"), &with).unwrap_err();
    assert!(lines[0].ends_with("a required producer is missing: `rustc`, in `sdk`"), "{lines:?}");
    let unclear = module(&[made_by(&[("rustc", "stable")])]);
    assert_eq!(under(&required(""), &unclear), Ok(()));
    assert!(under(&required(", versions = '*'"), &unclear).unwrap_err()[0].contains("the version `stable` of "));
    // Producers of other items do not count.
    let both = component(&[nested(&with)]);
    let paths = |rule: &str| -> Vec<String> {
        let lines = under(rule, &both).err().unwrap_or_default();
        lines.iter().map(|line| line.split(" at ").nth(1).unwrap().split(' ').next().unwrap().to_owned()).collect()
    };
    assert_eq!(paths(&required("")), [":0"]);
    assert_eq!(paths(&required(", items = 'modules'")), [""; 0]);
    assert_eq!(paths(&required(", items = ['0', '1/0']")), [":0"]);
}

#[test]
fn unreadable_producers_are_not_judged() {
    let cut = module(&[custom("producers", b"\x01\x0cprocessed-by\x02\x04llvm\x011\x05rustc\xff")]);
    let lines = under("producers.names = 'rustc'", &cut).unwrap_err();
    assert!(lines.len() == 1 && lines[0].starts_with("!error not-judged at :20 producers"), "{lines:?}");
    let lines = under("producers = { names = 'rustc', required = true }", &cut).unwrap_err();
    assert!(lines[0].starts_with("!error not-judged"), "{lines:?}");
    // Entries before the error are judged, and may satisfy a requirement.
    assert_eq!(under("producers = { names = 'llvm', required = true }", &cut), Ok(()));
    let lines = under("producers.names = 'llvm'", &cut).unwrap_err();
    assert!(lines[0].contains("refused-producer") && lines[1].contains("not-judged"), "{lines:?}");
    let large = module(&[made_by(&[("rustc", &"1".repeat(100))])]);
    assert!(under("producers.names = 'x'\nlimits.data = 50", &large).unwrap_err()[0].contains("not-judged"));
    // Reading one of two sections is not enough.
    let two = module(&[made_by(&[("a", "")]), made_by(&[("rustc", &"1".repeat(100))])]);
    assert!(under("producers.names = 'x'\nlimits.data = 50", &two).is_err());
    assert_eq!(under("producers.names = 'x'", &two), Ok(()));
}

fn listing(packages: &[(&str, &str, &str)]) -> Vec<u8> {
    let package = |(name, version, source): &(&str, &str, &str)| {
        let root = *name == "app";
        format!(r#"{{"name":"{name}","version":"{version}","source":"{source}","root":{root}}}"#)
    };
    let packages: Vec<String> = packages.iter().map(package).collect();
    custom(".dep-v0", zlib(format!(r#"{{"packages":[{}]}}"#, packages.join(","))))
}

#[test]
fn dependencies_are_refused_by_name_version_and_source() {
    let list = [
        ("app", "1.0.0", "local"),
        ("openssl", "0.10.1", "crates.io"),
        ("openssl", "0.11.0-rc.1", "crates.io"),
        ("time", "0.1.45", "git"),
        ("other", "2.0.0", "registry"),
    ];
    let bytes = component(&[nested(&module(&[listing(&list)]))]);
    for (rule, expected) in [
        ("names = 'openssl', versions = '<0.11'", &["openssl", "openssl"][..]),
        ("names = 'openssl', versions = '=0.10.1'", &["openssl"]),
        ("names = 'time'", &["time"]),
        ("versions = '>=1'", &["app", "other"]),
        ("sources = ['git', 'local']", &["time"]), // the root package has no source
        ("names = '*', except = ['app', 'openssl', 'time']", &["other"]),
        ("names = 'time', items = 'root'", &[]),
        ("names = 'tim'", &[]),
        ("required = true, items = '0'", &[]),
    ] {
        let lines = under(&format!("dependencies = {{ {rule} }}"), &bytes).err().unwrap_or_default();
        assert!(lines.iter().all(|line| line.starts_with("!error refused-dependency at 0:")), "{lines:?}");
        let found: Vec<&str> = lines.iter().map(|line| line.split('`').nth(1).unwrap()).collect();
        assert_eq!(found, expected, "{rule}");
    }
    let lines = under("dependencies = { sources = 'git', reason = 'publish it' }", &bytes).unwrap_err();
    let expected = "the dependency `time`, version `0.1.45`, is refused (from git) (publish it)";
    assert!(lines[0].ends_with(expected), "{lines:?}");
    let lines = under("dependencies = { required = true, items = ['root', '7'] }", &bytes).unwrap_err();
    assert!(lines.len() == 2 && lines[0].ends_with("is required, but is missing"), "{lines:?}");
}

#[test]
fn unreadable_dependencies_are_not_judged() {
    let one = listing(&[("app", "1.0.0", "local")]);
    let data = |data: &[u8]| custom(".dep-v0", data);
    for sections in [
        vec![data(b"")],
        vec![data(b"corrupt")],
        vec![data(&zlib("{\"packages\":[]}"))],
        vec![data(&zlib("[]"))],
        vec![data(&vec![0; 2 << 20])],
        vec![data(&zlib(" ".repeat(16 << 20)))],
        vec![one.clone(), one.clone()],
        vec![listing(&[("evil", "1.0.0", "git")]), one.clone()],
    ] {
        for rule in ["names = 'evil'", "required = true"] {
            let lines = under(&format!("dependencies = {{ {rule} }}"), &module(&sections)).unwrap_err();
            assert!(lines.len() == 1 && lines[0].starts_with("!error not-judged at :"), "{lines:?}");
        }
    }
    assert_eq!(under("dependencies.names = 'evil'", &MODULE), Ok(()));
    // Findings up to the limit are listed; more are counted.
    let names: Vec<String> = (0..1_000).map(|number| format!("p{number}")).collect();
    let many: Vec<_> = names.iter().map(|name| (&**name, "1.0.0", "git")).collect();
    let lines = under("dependencies.names = 'p*'\nlimits.findings = 3", &module(&[listing(&many)])).unwrap_err();
    assert!(lines.len() == 4 && lines[3].contains("x997:"), "{lines:?}");
}

/// Rules that need only metadata read no additional bytes.
#[test]
fn metadata_rules_read_no_more_bytes() {
    let bytes =
        module(&[custom("source", "https://a.example/"), made_by(&[("rustc", "1.0.0")]), custom("x", [0; 5_000])]);
    let policy = parsed("sources.allow = '*'\nproducers.names = 'x'\ndependencies.names = 'x'");
    let reading = sectile_policy::read_at(&*bytes, bytes.len() as u64, &policy);
    let plain = sectile::read_at_with(&*bytes, bytes.len() as u64, policy.limits);
    assert_eq!((reading.cost(), reading.value().unwrap().section_matches()), (plain.cost(), None));
    assert!(
        judged(&bytes, "producers = { names = 'rustc', severity = 'note' }")[0].starts_with("note refused-producer")
    );
}
