//! Exceptions: what they excuse, what they never do, and for how long.

use std::ffi::OsStr;

use sectile::policy::{self, Day, Exception, Subject};
use sectile::report::Report;
use sectile::{Code, Policy};

use super::{lines, parsed};
use crate::support::binary::{custom, module};

const DIGEST: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// Breaks two rules.
const RULES: &str = "required.fields = 'version'\nlicenses.allow = 'MIT'\n";

fn bytes() -> Vec<u8> {
    module(&[custom("licenses", "GPL-3.0-only")])
}

/// The codes that refuse it, those that are excused, and whether it is accepted.
#[track_caller]
fn under(policy: &Policy, bytes: &[u8], subject: &Subject<'_>) -> (Vec<Code>, Vec<Code>, bool) {
    let reading = policy::read_slice(bytes, policy);
    let report = Report::of_reading(OsStr::new("a"), None, &reading);
    let verdict = policy.judge_as(&report, subject);
    let of = |excepted: bool| {
        let judged = verdict.judged.iter().filter(move |judged| judged.excepted.is_some() == excepted);
        judged.filter(|judged| judged.refused || excepted).map(|judged| judged.finding.code).collect()
    };
    assert!(verdict.judged.iter().all(|judged| !(judged.refused && judged.excepted.is_some())));
    // All that is found is there, whether it is excused or not.
    assert!(lines(&verdict).len() >= lines(&policy.judge(&report)).len());
    (of(false), of(true), verdict.is_accepted())
}

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

const BOTH: [Code; 2] = [Code::MissingField, Code::RefusedLicense];

#[test]
fn places_are_excused() {
    let policy = parsed(&format!("{RULES}[[exceptions]]\npaths = ['vendor/*', '*.old']\nreason = 'old'"));
    for (locations, excused) in [
        (&["vendor/a.wasm"][..], true),
        (&["./vendor/a.wasm"], true),
        (&["vendor/deep/a.wasm", "a.old"], true),
        (&["a.wasm"], false),
        (&["vendor/a.wasm", "release/a.wasm"], false), // every place must be
        (&["vendor/../release/a.wasm"], false),
        (&["vendor/.."], false),
        (&["x/vendor/a.wasm"], false),
        (&["Vendor/a.wasm"], false),
        (&[], false),
    ] {
        let locations: Vec<&OsStr> = locations.iter().map(OsStr::new).collect();
        let (refused, excepted, accepted) = under(&policy, &bytes(), &Subject::new().at(&locations));
        let (all, none) = (BOTH.to_vec(), Vec::new());
        let expected = if excused { (none, all) } else { (all, none) };
        assert_eq!(((refused, excepted), accepted), (expected, excused), "{locations:?}");
    }
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        let locations = [OsStr::from_bytes(b"vendor/\xff")];
        assert!(!under(&policy, &bytes(), &Subject::new().at(&locations)).2);
    }
    // Without a subject none holds.
    assert!(!under(&policy, &bytes(), &Subject::new()).2);
}

#[test]
fn codes_are_excused_one_by_one() {
    let text = format!("{RULES}[exceptions]\npaths = '*'\ncodes = 'refused-license'\nreason = 'asked the lawyers'");
    let locations = [OsStr::new("a")];
    let (refused, excepted, accepted) = under(&parsed(&text), &bytes(), &Subject::new().at(&locations));
    assert_eq!((refused, excepted, accepted), (vec![Code::MissingField], vec![Code::RefusedLicense], false));
    // What is excused says why.
    let policy = parsed(&text);
    let bytes = bytes();
    let reading = policy::read_slice(&bytes, &policy);
    let report = Report::of_reading(OsStr::new("a"), None, &reading);
    let verdict = policy.judge_as(&report, &Subject::new().at(&locations));
    let excepted: Vec<_> = verdict.judged.iter().filter_map(|judged| judged.excepted.as_deref()).collect();
    assert_eq!(excepted.iter().map(|exception| exception.reason()).collect::<Vec<_>>(), ["asked the lawyers"]);
    assert_eq!(verdict.first_refused().map(|finding| finding.code), Some(Code::MissingField));
}

#[test]
fn digests_are_excused_as_the_store_names_them_or_only_verified() {
    let other = DIGEST.replace('a', "b");
    let by = |more: &str| parsed(&format!("{RULES}[exceptions]\ndigests = '{DIGEST}'\nreason = 'known'\n{more}"));
    let accepts = |policy: &Policy, subject: Subject<'_>| under(policy, &bytes(), &subject).2;
    let named = by("");
    assert!(accepts(&named, Subject::new().named(DIGEST)) && accepts(&named, Subject::new().verified(DIGEST)));
    assert!(accepts(&named, Subject::new().named(&DIGEST.replace(":a", ":A"))));
    assert!(!accepts(&named, Subject::new().named(&other)) && !accepts(&named, Subject::new().named("sha256:")));
    let verified = by("verified = true");
    assert!(!accepts(&verified, Subject::new().named(DIGEST)) && accepts(&verified, Subject::new().verified(DIGEST)));
    // With places, both must hold.
    let both = by("paths = 'vendor/*'");
    let (there, elsewhere) = ([OsStr::new("vendor/a")], [OsStr::new("a")]);
    assert!(accepts(&both, Subject::new().named(DIGEST).at(&there)));
    assert!(!accepts(&both, Subject::new().named(DIGEST).at(&elsewhere)));
    assert!(!accepts(&both, Subject::new().at(&there)));
}

#[test]
fn what_expires_holds_on_its_last_day_and_says_so_after() {
    let text = |expires: &str| format!("{RULES}[exceptions]\npaths = '*'\nreason = 'soon'\nexpires = {expires}");
    let locations = [OsStr::new("a")];
    let subject = Subject::new().at(&locations);
    for expires in ["2026-11-26", "'2026-11-26'"] {
        let policy = parsed(&text(expires));
        assert_eq!(policy.exceptions().next().unwrap().expires(), Some(day("2026-11-26")));
        assert!(under(&policy, &bytes(), &subject.on(day("2026-11-26"))).2);
        for subject in [subject.on(day("2026-11-27")), subject] {
            assert_eq!(under(&policy, &bytes(), &subject), (BOTH.to_vec(), vec![], false));
        }
    }
    let policy = parsed(&(text("2026-11-26") + "\n[severity]\nmissing-field = 'ignore'\nrefused-license = 'note'"));
    let judged = |subject: &Subject<'_>, bytes: &[u8]| {
        let reading = policy::read_slice(bytes, &policy);
        lines(&policy.judge_as(&Report::of_reading(OsStr::new("a"), None, &reading), subject))
    };
    let lines = judged(&subject.on(day("2027-01-01")), &bytes());
    let expected = "warning expired-exception at :0 - x1: the exception `soon` has expired: it held until 2026-11-26";
    assert_eq!((lines.len(), &*lines[1]), (2, expected));
    let lines = judged(&subject, &bytes());
    assert!(lines[1].ends_with("`soon` holds until 2026-11-26, and nobody says which day it is"), "{lines:?}");
    // It says nothing where it would have excused nothing.
    assert!(judged(&subject.on(day("2027-01-01")), &module(&[])).is_empty());
    // Nor where another one does.
    let two = parsed(
        &(text("2026-11-26").replace("[exceptions]", "[[exceptions]]")
            + "\n[[exceptions]]\npaths = 'a'\nreason = 'ever'"),
    );
    assert_eq!(under(&two, &bytes(), &subject.on(day("2027-01-01"))), (vec![], BOTH.to_vec(), true));
}

#[test]
fn what_a_judgement_cannot_be_trusted_by_is_not_excused_by_the_way() {
    let locations = [OsStr::new("a")];
    let subject = Subject::new().at(&locations);
    let malformed = module(&[custom("producers", b"\x01\x03sdk\x09")]);
    let text =
        "producers.names = 'x'\nseverity.malformed-producers = 'ignore'\n[exceptions]\npaths = '*'\nreason = 'r'\n";
    assert_eq!(under(&parsed(text), &malformed, &subject), (vec![Code::NotJudged], vec![], false));
    let named = parsed(&format!("{text}codes = 'not-judged'"));
    assert_eq!(under(&named, &malformed, &subject), (vec![], vec![Code::NotJudged], true));
    // What breaks off is never accepted, whatever is excused.
    let all = Code::ALL.map(|code| format!("'{code}'")).join(", ");
    let everything = parsed(&format!("{RULES}[exceptions]\npaths = '*'\nreason = 'r'\ncodes = [{all}]"));
    let bytes = bytes();
    assert!(under(&everything, &bytes, &subject).2);
    assert!(!under(&everything, &bytes[..bytes.len() - 1], &subject).2);
    assert!(!under(&everything, b"\x7fELF", &subject).2);
}

#[test]
fn an_exception_has_a_reason_and_is_for_something() {
    assert!(Exception::because(" \n").is_err());
    let nothing = Policy::default().excepting(Exception::because("r").unwrap());
    let locations = [OsStr::new("a")];
    let bad = module(&[custom("homepage", "nowhere")]);
    assert!(!under(&nothing, &bad, &Subject::new().at(&locations).verified(DIGEST)).2);
    for digest in [
        "",
        "sha256:",
        "sha256:zz",
        &DIGEST.replace("256", "512"),
        &DIGEST.replace("sha256", "md5"),
        &DIGEST.replace('a', "ä"),
    ] {
        assert!(Exception::because("r").unwrap().of_digest(digest).is_err(), "{digest}");
    }
}

#[test]
fn a_fingerprint_tells_policies_apart() {
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
    // How it is written makes no difference, nor who put it together.
    assert_eq!(parsed("# x\nrefuse = \"error\"\n[limits]\n").fingerprint(), Policy::default().fingerprint());
    assert_eq!(parsed("[[imports]]\nnames = ['a']").fingerprint(), parsed("imports.names = 'a'").fingerprint());
}

/// Threads of an audit share one.
#[test]
fn policies_are_shared_by_threads() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Policy>();
    shared::<Exception>();
}
