//! Exceptions: the findings that they excuse, and their duration.

use std::ffi::OsStr;

use sectile::FindingCode;
use sectile_policy::report::Report;
use sectile_policy::{Day, Exception, JudgeContext, Policy};

use super::{lines, parsed};
use sectile_testing::binary::{custom, module};

const DIGEST: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// Violates two rules.
const RULES: &str = "required.fields = 'version'\nlicenses.allow = 'MIT'\n";

fn bytes() -> Vec<u8> {
    module(&[custom("licenses", "GPL-3.0-only")])
}

/// The refused codes, the excused codes, and whether the binary is accepted.
#[track_caller]
fn under(policy: &Policy, bytes: &[u8], context: &JudgeContext<'_>) -> (Vec<FindingCode>, Vec<FindingCode>, bool) {
    let reading = sectile_policy::read_slice(bytes, policy);
    let report = Report::for_policy(OsStr::new("a"), None, &reading);
    let verdict = policy.judge_with_context(&report, context);
    let of = |excepted: bool| {
        let judged = verdict.findings().iter().filter(move |judged| judged.exception().is_some() == excepted);
        judged.filter(|judged| judged.is_refused() || excepted).map(|judged| judged.finding().code()).collect()
    };
    assert!(verdict.findings().iter().all(|judged| !(judged.is_refused() && judged.exception().is_some())));
    // Excused findings stay in the verdict.
    assert!(lines(&verdict).len() >= lines(&policy.judge(&report)).len());
    (of(false), of(true), verdict.is_accepted())
}

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

const BOTH: [FindingCode; 2] = [FindingCode::MissingField, FindingCode::RefusedLicense];

#[test]
fn files_are_excused_by_path() {
    let policy = parsed(&format!("{RULES}[[exceptions]]\npaths = ['vendor/*', '*.old']\nreason = 'old'"));
    for (locations, excused) in [
        (&["vendor/a.wasm"][..], true),
        (&["./vendor/a.wasm"], true),
        (&["vendor/deep/a.wasm", "a.old"], true),
        (&["a.wasm"], false),
        (&["vendor/a.wasm", "release/a.wasm"], false), // every path must match
        (&["vendor/../release/a.wasm"], false),
        (&["vendor/.."], false),
        (&["x/vendor/a.wasm"], false),
        (&["Vendor/a.wasm"], false),
        (&[], false),
    ] {
        let locations: Vec<&OsStr> = locations.iter().map(OsStr::new).collect();
        let (refused, excepted, accepted) = under(&policy, &bytes(), &JudgeContext::new().with_locations(&locations));
        let (all, none) = (BOTH.to_vec(), Vec::new());
        let expected = if excused { (none, all) } else { (all, none) };
        assert_eq!(((refused, excepted), accepted), (expected, excused), "{locations:?}");
    }
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        let locations = [OsStr::from_bytes(b"vendor/\xff")];
        assert!(!under(&policy, &bytes(), &JudgeContext::new().with_locations(&locations)).2);
    }
    // Without context no exception holds.
    assert!(!under(&policy, &bytes(), &JudgeContext::new()).2);
}

#[test]
fn codes_are_excused_individually() {
    let text = format!("{RULES}[exceptions]\npaths = '*'\ncodes = 'refused-license'\nreason = 'asked the lawyers'");
    let locations = [OsStr::new("a")];
    let (refused, excepted, accepted) =
        under(&parsed(&text), &bytes(), &JudgeContext::new().with_locations(&locations));
    assert_eq!(
        (refused, excepted, accepted),
        (vec![FindingCode::MissingField], vec![FindingCode::RefusedLicense], false)
    );
    // An excused finding has a reason.
    let policy = parsed(&text);
    let bytes = bytes();
    let reading = sectile_policy::read_slice(&bytes, &policy);
    let report = Report::for_policy(OsStr::new("a"), None, &reading);
    let verdict = policy.judge_with_context(&report, &JudgeContext::new().with_locations(&locations));
    let excepted: Vec<_> = verdict.findings().iter().filter_map(|judged| judged.exception()).collect();
    assert_eq!(excepted.iter().map(|exception| exception.reason()).collect::<Vec<_>>(), ["asked the lawyers"]);
    assert_eq!(verdict.first_refused().map(|finding| finding.code()), Some(FindingCode::MissingField));
}

#[test]
fn digests_are_excused_by_name_or_if_verified() {
    let other = DIGEST.replace('a', "b");
    let by = |more: &str| parsed(&format!("{RULES}[exceptions]\ndigests = '{DIGEST}'\nreason = 'known'\n{more}"));
    let accepts = |policy: &Policy, context: JudgeContext<'_>| under(policy, &bytes(), &context).2;
    let named = by("");
    assert!(
        accepts(&named, JudgeContext::new().with_digest(DIGEST))
            && accepts(&named, JudgeContext::new().with_verified_digest(DIGEST))
    );
    assert!(accepts(&named, JudgeContext::new().with_digest(&DIGEST.replace(":a", ":A"))));
    assert!(
        !accepts(&named, JudgeContext::new().with_digest(&other))
            && !accepts(&named, JudgeContext::new().with_digest("sha256:"))
    );
    let verified = by("verified = true");
    assert!(
        !accepts(&verified, JudgeContext::new().with_digest(DIGEST))
            && accepts(&verified, JudgeContext::new().with_verified_digest(DIGEST))
    );
    // With paths, both must match.
    let both = by("paths = 'vendor/*'");
    let (there, elsewhere) = ([OsStr::new("vendor/a")], [OsStr::new("a")]);
    assert!(accepts(&both, JudgeContext::new().with_digest(DIGEST).with_locations(&there)));
    assert!(!accepts(&both, JudgeContext::new().with_digest(DIGEST).with_locations(&elsewhere)));
    assert!(!accepts(&both, JudgeContext::new().with_locations(&there)));
}

#[test]
fn exceptions_expire_after_their_last_day() {
    let text = |expires: &str| format!("{RULES}[exceptions]\npaths = '*'\nreason = 'soon'\nexpires = {expires}");
    let locations = [OsStr::new("a")];
    let context = JudgeContext::new().with_locations(&locations);
    for expires in ["2026-11-26", "'2026-11-26'"] {
        let policy = parsed(&text(expires));
        assert_eq!(policy.exceptions().next().unwrap().expiry(), Some(day("2026-11-26")));
        assert!(under(&policy, &bytes(), &context.with_day(day("2026-11-26"))).2);
        for context in [context.with_day(day("2026-11-27")), context] {
            assert_eq!(under(&policy, &bytes(), &context), (BOTH.to_vec(), vec![], false));
        }
    }
    let policy = parsed(&(text("2026-11-26") + "\n[severity]\nmissing-field = 'ignore'\nrefused-license = 'note'"));
    let judged = |context: &JudgeContext<'_>, bytes: &[u8]| {
        let reading = sectile_policy::read_slice(bytes, &policy);
        lines(&policy.judge_with_context(&Report::for_policy(OsStr::new("a"), None, &reading), context))
    };
    let lines = judged(&context.with_day(day("2027-01-01")), &bytes());
    let expected = "warning expired-exception at :0 - x1: the exception `soon` has expired: it held until 2026-11-26";
    assert_eq!((lines.len(), &*lines[1]), (2, expected));
    let lines = judged(&context, &bytes());
    assert!(lines[1].ends_with("`soon` holds until 2026-11-26, but the current day is not known"), "{lines:?}");
    // No finding if the exception would not have excused anything.
    assert!(judged(&context.with_day(day("2027-01-01")), &module(&[])).is_empty());
    // No finding if another exception holds.
    let two = parsed(
        &(text("2026-11-26").replace("[exceptions]", "[[exceptions]]")
            + "\n[[exceptions]]\npaths = 'a'\nreason = 'ever'"),
    );
    assert_eq!(under(&two, &bytes(), &context.with_day(day("2027-01-01"))), (vec![], BOTH.to_vec(), true));
}

#[test]
fn unreliable_judgments_are_excused_only_by_code() {
    let locations = [OsStr::new("a")];
    let context = JudgeContext::new().with_locations(&locations);
    let malformed = module(&[custom("producers", b"\x01\x03sdk\x09")]);
    let text =
        "producers.names = 'x'\nseverity.malformed-producers = 'ignore'\n[exceptions]\npaths = '*'\nreason = 'r'\n";
    assert_eq!(under(&parsed(text), &malformed, &context), (vec![FindingCode::NotJudged], vec![], false));
    let named = parsed(&format!("{text}codes = 'not-judged'"));
    assert_eq!(under(&named, &malformed, &context), (vec![], vec![FindingCode::NotJudged], true));
    // Truncated input is never accepted.
    let all = FindingCode::ALL.map(|code| format!("'{code}'")).join(", ");
    let everything = parsed(&format!("{RULES}[exceptions]\npaths = '*'\nreason = 'r'\ncodes = [{all}]"));
    let bytes = bytes();
    assert!(under(&everything, &bytes, &context).2);
    assert!(!under(&everything, &bytes[..bytes.len() - 1], &context).2);
    assert!(!under(&everything, b"\x7fELF", &context).2);
}

#[test]
fn exceptions_need_a_reason_and_a_file() {
    assert!(Exception::new(" \n").is_err());
    let nothing = Policy::default().with_exception(Exception::new("r").unwrap());
    let locations = [OsStr::new("a")];
    let bad = module(&[custom("homepage", "nowhere")]);
    assert!(!under(&nothing, &bad, &JudgeContext::new().with_locations(&locations).with_verified_digest(DIGEST)).2);
    for digest in [
        "",
        "sha256:",
        "sha256:zz",
        &DIGEST.replace("256", "512"),
        &DIGEST.replace("sha256", "md5"),
        &DIGEST.replace('a', "ä"),
    ] {
        assert!(Exception::new("r").unwrap().with_digest(digest).is_err(), "{digest}");
    }
}

#[test]
fn fingerprints_distinguish_policies() {
    let texts = [
        "",
        "refuse = 'warning'",
        "limits.depth = 3",
        "severity.not-url = 'ignore'",
        "severity.not-url = 'note'",
        "licenses.allow = 'MIT'",
        "licenses.deny = 'MIT'",
        "licenses = { allow = 'MIT', severity = 'note' }",
        "licenses = { allow = 'MIT', reason = 'r' }",
        "sources.allow = 'https://a.example/*'",
        "sources.deny = 'https://a.example/*'",
        "producers.names = 'a'",
        "producers = { names = 'a', versions = '<1' }",
        "producers = { names = 'a', versions = '<2' }",
        "producers = { names = 'a', required = true }",
        "dependencies.names = 'a'",
        "dependencies.sources = 'a'",
        "sections.names = 'a'",
        "imports.names = 'a'",
        "exceptions = { paths = 'a', reason = 'r' }",
        "exceptions = { paths = 'b', reason = 'r' }",
        "exceptions = { paths = 'a', reason = 's' }",
        "exceptions = { paths = 'a', reason = 'r', expires = 2026-01-01 }",
        "exceptions = { paths = 'a', reason = 'r', codes = 'not-url' }",
    ];
    let prints: Vec<String> = texts.iter().map(|text| parsed(text).fingerprint()).collect();
    for (nth, print) in prints.iter().enumerate() {
        assert!(!prints[..nth].contains(print), "{}", texts[nth]);
        assert_eq!(*print, parsed(texts[nth]).fingerprint());
    }
    // The form of the file makes no difference, and neither does building the policy in code.
    assert_eq!(parsed("# x\nrefuse = \"error\"\n[limits]\n").fingerprint(), Policy::default().fingerprint());
    assert_eq!(parsed("[[imports]]\nnames = ['a']").fingerprint(), parsed("imports.names = 'a'").fingerprint());
}

#[test]
fn unused_exceptions_are_known_after_a_run() {
    let unused = |policy: &Policy| {
        let record = policy.exception_use();
        let bytes = bytes();
        let reading = sectile_policy::read_slice(&bytes, policy);
        let report = Report::for_policy(OsStr::new("a"), None, &reading);
        let locations = [OsStr::new("a")];
        let context = JudgeContext::new().with_locations(&locations).with_day(day("2026-01-01"));
        record.add(policy.judge_with_context(&report, &context).findings());
        record.unused().map(|exception| exception.reason().to_owned()).collect::<Vec<_>>()
    };
    let exception = |paths: &str, reason: &str, more: &str| {
        format!("[[exceptions]]\npaths = '{paths}'\nreason = '{reason}'\n{more}\n")
    };
    let text = [
        exception("a", "used", "codes = 'missing-field'"),
        exception("a", "second", "codes = 'missing-field'"),
        exception("b", "elsewhere", ""),
        exception("a", "other code", "codes = 'not-url'"),
        exception("a", "expired", "expires = 2020-01-01"),
        exception("b", "expired elsewhere", "expires = 2020-01-01"),
    ];
    let expected = ["second", "elsewhere", "other code", "expired elsewhere"];
    assert_eq!(unused(&parsed(&format!("{RULES}{}", text.concat()))), expected);
    // Exceptions built in code have no location in a file.
    let made = |paths: &str, reason: &str| Exception::new(reason).unwrap().with_paths([paths.parse().unwrap()]);
    let policy = parsed(RULES).with_exception(made("a", "used")).with_exception(made("b", "elsewhere"));
    assert_eq!(unused(&policy), ["elsewhere"]);
    let expired = made("a", "expired").with_expiry(day("2020-01-01"));
    assert_eq!(unused(&parsed(RULES).with_exception(expired)), Vec::<String>::new());
}

/// The threads of an audit share a policy.
#[test]
fn policies_can_be_shared_by_threads() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Policy>();
    shared::<Exception>();
}
