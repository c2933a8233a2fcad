//! The gate: what it lets through, what it refuses, and how early.

#[cfg(all(feature = "http", feature = "json"))]
mod server;

use sectile::digest::Digest;
use sectile::gate::{Accepted, Gate, Refused, Why};
use sectile::metadata::Field;
use sectile::oci::AnnotationOptions;
use sectile::policy::{self, Items, Licenses, Policy, Required, Rule, Sections};
use sectile::report::Report;
use sectile::{Code, Limits};

use crate::support::binary::{component, custom, module, nested, producers, section};
use crate::support::files::real_files;
use crate::support::growth::assert_linear;
use crate::support::memory::measure;

/// Pushes in chunks of one size; with how many bytes it took, where it is refused.
fn upload(mut gate: Gate, bytes: &[u8], size: usize) -> Result<Accepted, (usize, Refused)> {
    for (number, chunk) in bytes.chunks(size).enumerate() {
        gate.push(chunk).map_err(|refused| (number * size + chunk.len(), refused))?;
    }
    gate.finish().map_err(|refused| (usize::MAX, refused))
}

fn gate(policy: &Policy) -> Gate {
    Gate::new(policy.clone())
}

#[track_caller]
fn refused(gate: Gate, bytes: &[u8]) -> (usize, Refused) {
    upload(gate, bytes, 1).map(|_| ()).unwrap_err()
}

fn strict() -> Policy {
    let glob = |text: &str| text.parse::<sectile::edit::Glob>().unwrap();
    Policy::default()
        .with(Rule::new(Required::new(Items::root(), [Field::Version.into()])))
        .with(Rule::new(Licenses::new(Items::all()).allow("MIT").unwrap()))
        .with(Rule::new(Sections::new(Items::all()).named([glob(".debug_*")])))
}

#[test]
fn what_is_accepted_is_what_was_pushed() {
    let (mut fit, files) = (0, real_files());
    for (name, bytes) in &files {
        let policy = Policy::default();
        let reading = policy::read_slice(bytes, &policy);
        let report = Report::of_reading(name.as_ref(), None, &reading);
        let fits = policy.judge(&report).is_accepted();
        fit += usize::from(fits);
        for size in [1, 1000, usize::MAX] {
            match upload(gate(&policy), bytes, size) {
                Ok(accepted) => {
                    assert!(fits, "{name}");
                    assert_eq!((accepted.digest, accepted.size), (Digest::of(bytes), bytes.len() as u64));
                    assert_eq!(accepted.metadata(), &reading.as_ref().unwrap().value.metadata);
                    assert!(accepted.policy().judge(&accepted.report(name.as_ref())).is_accepted());
                    assert_eq!(
                        accepted.annotations(&AnnotationOptions::new()),
                        sectile::oci::annotations(accepted.metadata().root(), &AnnotationOptions::new())
                    );
                }
                Err((_, refused)) => assert!(!fits, "{name}: {refused}"),
            }
        }
    }
    assert!(fit >= 10, "{fit} of {}", files.len());
}

/// Whatever the chunks, and whether the length is declared, it is what the policy says of the whole.
#[test]
fn no_chunking_changes_the_verdict() {
    let cases = [
        module(&[custom("version", "1"), custom("licenses", "MIT")]),
        module(&[custom("licenses", "MIT")]),
        module(&[custom("version", "1"), custom("licenses", "GPL-3.0-only"), custom("licenses", "MIT")]),
        module(&[custom("version", "1"), custom(".debug_info", "x")]),
        module(&[custom("version", "1"), custom("source", "nowhere")]),
        component(&[nested(&module(&[custom("licenses", "GPL-3.0-only")])), custom("version", "1")]),
        component(&[nested(&module(&[custom("licenses", "MIT")])), custom("version", "1")]),
        component(&[nested(&module(&[custom("licenses", "MIT")])), custom("version", "")]),
    ];
    let policy = strict();
    let mut accepted = 0;
    for bytes in cases {
        let reading = policy::read_slice(&bytes, &policy);
        let fits = policy.judge(&Report::of_reading("".as_ref(), None, &reading)).is_accepted();
        accepted += usize::from(fits);
        for size in [1, 3, 20, usize::MAX] {
            let declared = gate(&policy).declared(bytes.len() as u64);
            for gate in [gate(&policy), declared] {
                let result = upload(gate, &bytes, size);
                assert_eq!(result.is_ok(), fits, "{:?}", result.err());
            }
        }
    }
    assert_eq!(accepted, 2);
}

#[test]
fn it_is_refused_as_early_as_the_bytes_allow() {
    let behind = section(11, &[0; 500]);
    let early = |first: Vec<u8>| {
        let len = 8 + first.len();
        let (at, refused) = refused(gate(&strict()), &module(&[first, behind.clone()]));
        assert_eq!((refused.why(), refused.size()), (Why::Policy, at as u64), "{refused}");
        (len - at, refused.finding().unwrap().code)
    };
    assert_eq!(early(custom("source", "nowhere")), (0, Code::NotUrl));
    assert_eq!(early(custom(".debug_info", "0123456789")), (10, Code::RefusedSection)); // its data is not waited for

    // A licence may be said again, until the item has ended.
    let inner = module(&[custom("licenses", "GPL-3.0-only")]);
    let bytes = component(&[nested(&inner), nested(&module(&[])), custom("version", "1")]);
    let (at, refusal) = refused(gate(&strict()), &bytes);
    assert_eq!(refusal.finding().unwrap().code, Code::RefusedLicense);
    assert!(at <= 8 + 2 + inner.len() + 4, "{at}");

    // What is missing of the root is known at its end, which is known with the last header where the length is declared.
    let bytes = module(&[custom("note", "x"), behind]);
    let (at, refusal) = refused(gate(&strict()), &bytes);
    assert_eq!((at, refusal.finding().unwrap().code), (usize::MAX, Code::MissingField));
    let (at, refusal) = refused(gate(&strict()).declared(bytes.len() as u64), &bytes);
    assert_eq!((at, refusal.finding().unwrap().code), (bytes.len() - 500, Code::MissingField));
}

/// An import is refused with the section that it stands in.
#[cfg(feature = "interface")]
#[test]
fn an_import_is_refused_when_it_comes() {
    let imports = [&[1, 3][..], b"env", &[3], b"log", &[0, 0]].concat();
    let types = section(1, &[1, 0x60, 0, 0]);
    let start = module(&[types, section(2, &imports)]);
    let bytes = [&start[..], &section(11, &[0; 500])].concat();
    let glob = "env*".parse::<sectile::edit::Glob>().unwrap();
    let rule = policy::Imports::named([glob]);
    let (at, refusal) = refused(gate(&Policy::default().with(Rule::new(rule))), &bytes);
    assert_eq!((at, refusal.finding().unwrap().code), (start.len(), Code::RefusedImport));
}

#[test]
fn framing_and_limits_are_refused_at_once() {
    let (at, refusal) = refused(gate(&Policy::default()), b"\0asm\x01\0\0\0\x80\x01aaaa");
    assert_eq!((at, refusal.why()), (9, Why::Malformed));
    assert!(refusal.error().unwrap().is_malformed() && refusal.finding().is_none());
    let mut policy = Policy::default();
    policy.limits.sections = 1;
    let (at, refusal) = refused(gate(&policy), &module(&[section(1, &[0]), section(3, &[0]), section(10, &[0])]));
    assert_eq!((at, refusal.why()), (13, Why::Limit));
    let (_, refusal) = refused(gate(&Policy::default()), b"\x7fELF\x02\x01\x01\0\0");
    assert!(refusal.reading().is_none() && refusal.error().unwrap().is_not_wasm());
    let (_, refusal) = refused(gate(&Policy::default()), b"");
    assert_eq!(refusal.to_string(), "not WebAssembly: the input is empty (at offset 0x0)");
    assert!(format!("{refusal:?}").contains("Empty"), "{refusal:?}");
}

#[test]
fn a_length_that_is_not_kept_is_refused() {
    let bytes = module(&[custom("note", "x"), section(11, &[0; 50])]);
    let len = bytes.len() as u64;
    let policy = Policy::default();
    upload(gate(&policy).declared(len).at_most(len), &bytes, 7).unwrap();

    // Fewer declared: the header shows it that goes beyond, or else the first byte too many.
    let (at, refusal) = refused(gate(&policy).declared(len - 1), &bytes);
    assert_eq!((at, refusal.why()), (bytes.len() - 50, Why::Malformed));
    let longer = [&bytes[..], &custom("more", "")].concat();
    let (at, refusal) = refused(gate(&policy).declared(len), &longer);
    assert_eq!((at, refusal.why()), (bytes.len() + 1, Why::Length));
    assert!(refusal.error().unwrap().is_length(), "{refusal}");

    // More declared.
    let (at, refusal) = refused(gate(&policy).declared(len + 1), &bytes);
    assert_eq!((at, refusal.why()), (usize::MAX, Why::Length));
    assert!(refusal.error().unwrap().is_truncated(), "{refusal}");

    // More than is permitted.
    let (at, refusal) = refused(gate(&policy).at_most(20), &bytes);
    assert_eq!((at, refusal.why()), (21, Why::TooLarge));
    let mut declared = gate(&policy).at_most(len).declared(len + 1);
    assert_eq!(declared.push(b"").unwrap_err().why(), Why::TooLarge);
}

#[test]
fn a_refusal_stays_and_so_does_the_end() {
    let mut refusing = gate(&Policy::default());
    let first = refusing.push(b"no wasm.").unwrap_err().to_string();
    for chunk in [&b""[..], b"x"] {
        assert_eq!(refusing.push(chunk).unwrap_err().to_string(), first);
    }
    assert_eq!(refusing.end().unwrap_err().to_string(), first);
    assert_eq!(refusing.finish().unwrap_err().to_string(), first);

    let mut ended = gate(&Policy::default());
    ended.push(&module(&[])).unwrap();
    ended.end().unwrap();
    ended.end().unwrap();
    assert_eq!(ended.push(b"x").unwrap_err().why(), Why::Length);
}

#[test]
fn a_cut_anywhere_is_refused() {
    let bytes = component(&[custom("authors", "A"), nested(&module(&[section(1, &[0])])), custom("note", "x")]);
    let mut sound = 0;
    for end in 0..bytes.len() {
        let whole = sectile::read_slice(&bytes[..end], Limits::default()).is_ok_and(|outcome| outcome.is_complete());
        sound += usize::from(whole);
        assert_eq!(upload(gate(&Policy::default()), &bytes[..end], 3).is_ok(), whole, "{end}");
        assert!(upload(gate(&Policy::default()).declared(bytes.len() as u64), &bytes[..end], 3).is_err(), "{end}");
    }
    assert_eq!(sound, 3);
}

#[test]
fn a_line_of_a_refusal_is_safe_on_a_terminal() {
    let (_, refusal) = refused(gate(&Policy::default()), &module(&[custom("source", "\x1b[31mred\u{202e}")]));
    let line = refusal.to_string();
    assert!(!line.chars().any(|c| c.is_control() || c == '\u{202e}'), "{line:?}");
}

#[test]
fn its_memory_does_not_grow_with_the_upload() {
    let bytes = module(&[custom("note", "x"), section(11, &vec![0; 20_000_000])]);
    let mut gate = gate(&strict());
    let (result, allocated) = measure(|| bytes.chunks(16 << 10).try_for_each(|chunk| gate.push(chunk)));
    result.unwrap();
    assert!(allocated.total < 4000, "{allocated:?}");
}

/// Thousands of items with a rule about each, pushed in the smallest chunks: it must not be judged at each of them.
#[test]
fn judging_takes_time_in_proportion_to_the_upload() {
    let inner = nested(&module(&[custom("licenses", "MIT")]));
    let policy = Policy::default().with(Rule::new(Licenses::new(Items::all()).allow("MIT").unwrap()));
    let make = |items| component(&vec![inner.clone(); items]);
    assert_linear(8_000, make, |bytes| upload(gate(&policy), bytes, 1).unwrap());

    // Nor where there is much to look through, and sections again and again behind it.
    let refused = policy::Producers::refused(Items::all()).named(["evil".parse().unwrap()]);
    let policy = Policy::default().with(Rule::new(refused));
    let make = |number: usize| {
        let entries: Vec<_> = (0..number).map(|number| (format!("tool {number}"), "1.0.0".to_owned())).collect();
        let entries: Vec<_> = entries.iter().map(|(name, version)| (&**name, &**version)).collect();
        let data = producers(&[("processed-by", &entries)]);
        [module(&[custom("producers", data)]), b"\x00\x02\x01x".repeat(20 * number)].concat()
    };
    assert_linear(1_000, make, |bytes| upload(gate(&policy), bytes, 1).unwrap());
}

/// An exception by place holds from the first byte, one by digest until it turns out that the bytes have another; and none makes
/// an upload pass that breaks off.
#[cfg(feature = "policy")]
#[test]
fn exceptions_hold_for_uploads() {
    let bytes = module(&[custom("licenses", "GPL-3.0-only"), custom("note", "x")]);
    let digest = Digest::of(&bytes).to_string();
    let text = |by: &str| format!("licenses.allow = 'MIT'\n[exceptions]\n{by}\nreason = 'known'\nexpires = 2026-11-26");
    let day = |text: &str| text.parse::<policy::Day>().unwrap();
    let by_path = Policy::parse("p", &text("paths = 'vendor/*'")).unwrap();
    let by_digest = Policy::parse("p", &text(&format!("digests = '{digest}'\nverified = true"))).unwrap();
    let today = |policy: &Policy| gate(policy).on(day("2026-11-26"));
    for size in [1, 7, usize::MAX] {
        for gate in [
            today(&by_path).at("vendor/a"),
            today(&by_digest).named(&*digest),
            today(&by_digest).named(&*digest).declared(bytes.len() as u64),
        ] {
            let accepted = upload(gate, &bytes, size).unwrap();
            let report = accepted.report("a".as_ref());
            let verdict = accepted.verdict(&report);
            assert!(verdict.is_accepted() && verdict.judged.iter().any(|judged| judged.excepted.is_some()));
            assert!(!accepted.policy().judge(&report).is_accepted());
        }
        for gate in [
            today(&by_path),
            today(&by_path).at("vendor/a").at("release/a"),
            gate(&by_path).at("vendor/a"),
            gate(&by_path).at("vendor/a").on(day("2026-11-27")),
            today(&by_digest),
            today(&by_digest).named(Digest::of(b"other").to_string()),
        ] {
            let (_, refused) = upload(gate, &bytes, size).unwrap_err();
            assert_eq!(refused.finding().map(|finding| finding.code), Some(Code::RefusedLicense));
            assert!(refused.verdict(&refused.report("a".as_ref())).is_refused());
        }
        // Of other bytes under that digest the exception holds until they are all there.
        let other = [&bytes[..], &custom("note", "y")].concat();
        let (at, refused) = upload(today(&by_digest).named(&*digest), &other, size).unwrap_err();
        assert_eq!((at, refused.why()), (usize::MAX, Why::Policy));
        assert!(refused.verdict(&refused.report("a".as_ref())).is_refused());
        assert!(upload(today(&by_path).at("vendor/a"), &bytes[..bytes.len() - 1], size).is_err());
    }
}
