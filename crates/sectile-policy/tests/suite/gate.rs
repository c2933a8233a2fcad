//! The gate: the uploads that it accepts and refuses, and how early.

mod memory;
mod server;

use sectile::digest::Digest;
use sectile::metadata::Field;
use sectile::{FindingCode, Limits};
use sectile_policy::gate::{Accepted, Gate, Refusal, RefusalKind};
use sectile_policy::report::Report;
use sectile_policy::{Day, Imports, Items, Licenses, Policy, Producers, Required, Rule, Sections};

use sectile_testing::binary::{active, component, custom, data_section, module, nested, producers, section};
use sectile_testing::files::real_files;
use sectile_testing::growth::assert_linear;
use sectile_testing::memory::measure;

/// Pushes chunks of one size. A refusal includes the number of bytes pushed.
fn upload(mut gate: Gate, bytes: &[u8], size: usize) -> Result<Accepted, (usize, Refusal)> {
    for (number, chunk) in bytes.chunks(size).enumerate() {
        gate.push(chunk).map_err(|refused| (number * size + chunk.len(), refused))?;
    }
    gate.finish().map_err(|refused| (usize::MAX, refused))
}

fn gate(policy: &Policy) -> Gate {
    Gate::new(policy.clone())
}

#[track_caller]
fn refused(gate: Gate, bytes: &[u8]) -> (usize, Refusal) {
    upload(gate, bytes, 1).map(|_| ()).unwrap_err()
}

fn strict() -> Policy {
    let glob = |text: &str| text.parse::<sectile::Glob>().unwrap();
    Policy::default()
        .with_rule(Rule::new(Required::new(Items::root(), [Field::Version.into()])))
        .with_rule(Rule::new(Licenses::new(Items::all()).allow("MIT").unwrap()))
        .with_rule(Rule::new(Sections::new(Items::all()).with_names([glob(".debug_*")])))
}

#[test]
fn accepted_uploads_match_the_pushed_bytes() {
    let (mut fit, files) = (0, real_files());
    for (name, bytes) in &files {
        let policy = Policy::default();
        let reading = sectile_policy::read_slice(bytes, &policy);
        let report = Report::for_policy(name.as_ref(), None, &reading);
        let fits = policy.judge(&report).is_accepted();
        fit += usize::from(fits);
        for size in [1, 1000, usize::MAX] {
            match upload(gate(&policy), bytes, size) {
                Ok(accepted) => {
                    assert!(fits, "{name}");
                    assert_eq!((accepted.digest(), accepted.size()), (Digest::new(bytes), bytes.len() as u64));
                    assert_eq!(accepted.metadata(), reading.value().unwrap().metadata());
                    assert!(accepted.policy().judge(&accepted.report(name.as_ref())).is_accepted());
                }
                Err((_, refused)) => assert!(!fits, "{name}: {refused}"),
            }
        }
    }
    assert!(fit >= 10, "{fit} of {}", files.len());
}

/// The verdict is that of the whole binary, for any chunks, with or without a declared length.
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
        let reading = sectile_policy::read_slice(&bytes, &policy);
        let fits = policy.judge(&Report::for_policy("".as_ref(), None, &reading)).is_accepted();
        accepted += usize::from(fits);
        for size in [1, 3, 20, usize::MAX] {
            let declared = gate(&policy).with_declared_len(bytes.len() as u64);
            for gate in [gate(&policy), declared] {
                let result = upload(gate, &bytes, size);
                assert_eq!(result.is_ok(), fits, "{:?}", result.err());
            }
        }
    }
    assert_eq!(accepted, 2);
}

#[test]
fn refusal_is_as_early_as_possible() {
    let behind = section(11, &[0; 500]);
    let early = |first: Vec<u8>| {
        let len = 8 + first.len();
        let (at, refused) = refused(gate(&strict()), &module(&[first, behind.clone()]));
        assert_eq!((refused.kind(), refused.size()), (RefusalKind::Policy, at as u64), "{refused}");
        (len - at, refused.finding().unwrap().code())
    };
    assert_eq!(early(custom("source", "nowhere")), (0, FindingCode::NotUrl));
    // Before its data arrives.
    assert_eq!(early(custom(".debug_info", "0123456789")), (10, FindingCode::RefusedSection));

    // A later section may replace a license, until the item ends.
    let inner = module(&[custom("licenses", "GPL-3.0-only")]);
    let bytes = component(&[nested(&inner), nested(&module(&[])), custom("version", "1")]);
    let (at, refusal) = refused(gate(&strict()), &bytes);
    assert_eq!(refusal.finding().unwrap().code(), FindingCode::RefusedLicense);
    assert!(at <= 8 + 2 + inner.len() + 4, "{at}");

    // Missing metadata of the root is known at its end. With a declared length, this is at the
    // header of the last section.
    let bytes = module(&[custom("note", "x"), behind]);
    let (at, refusal) = refused(gate(&strict()), &bytes);
    assert_eq!((at, refusal.finding().unwrap().code()), (usize::MAX, FindingCode::MissingField));
    let (at, refusal) = refused(gate(&strict()).with_declared_len(bytes.len() as u64), &bytes);
    assert_eq!((at, refusal.finding().unwrap().code()), (bytes.len() - 500, FindingCode::MissingField));
}

#[test]
fn import_is_refused_with_its_section() {
    let imports = [&[1, 3][..], b"env", &[3], b"log", &[0, 0]].concat();
    let types = section(1, &[1, 0x60, 0, 0]);
    let start = module(&[types, section(2, &imports)]);
    let bytes = [&start[..], &section(11, &[0; 500])].concat();
    let glob = "env*".parse::<sectile::Glob>().unwrap();
    let rule = Imports::new([glob]);
    let (at, refusal) = refused(gate(&Policy::default().with_rule(Rule::new(rule))), &bytes);
    assert_eq!((at, refusal.finding().unwrap().code()), (start.len(), FindingCode::RefusedImport));
}

#[test]
fn framing_errors_and_limits_refuse_at_once() {
    let (at, refusal) = refused(gate(&Policy::default()), b"\0asm\x01\0\0\0\x80\x01aaaa");
    assert_eq!((at, refusal.kind()), (9, RefusalKind::Malformed));
    assert!(refusal.error().unwrap().is_malformed() && refusal.finding().is_none());
    let mut policy = Policy::default();
    policy.limits.max_sections = 1;
    let (at, refusal) = refused(gate(&policy), &module(&[section(1, &[0]), section(3, &[0]), section(10, &[0])]));
    assert_eq!((at, refusal.kind()), (13, RefusalKind::Limit));
    let (_, refusal) = refused(gate(&Policy::default()), b"\x7fELF\x02\x01\x01\0\0");
    assert!(refusal.reading().is_none() && refusal.error().unwrap().is_not_wasm());
    let (_, refusal) = refused(gate(&Policy::default()), b"");
    assert_eq!(refusal.to_string(), "not WebAssembly: the input is empty (at offset 0x0)");
    let debug = format!("{refusal:?}");
    assert!(debug.contains("Malformed") && debug.contains("the input is empty"), "{debug}");
}

#[test]
fn wrong_declared_length_is_refused() {
    let bytes = module(&[custom("note", "x"), section(11, &[0; 50])]);
    let len = bytes.len() as u64;
    let policy = Policy::default();
    upload(gate(&policy).with_declared_len(len).with_max_bytes(len), &bytes, 7).unwrap();

    // Fewer bytes declared: refused with the first header that exceeds them, or with the first
    // excess byte.
    let (at, refusal) = refused(gate(&policy).with_declared_len(len - 1), &bytes);
    assert_eq!((at, refusal.kind()), (bytes.len() - 50, RefusalKind::Malformed));
    let longer = [&bytes[..], &custom("more", "")].concat();
    let (at, refusal) = refused(gate(&policy).with_declared_len(len), &longer);
    assert_eq!((at, refusal.kind()), (bytes.len() + 1, RefusalKind::Length));
    assert!(refusal.error().unwrap().is_length(), "{refusal}");

    // More bytes declared.
    let (at, refusal) = refused(gate(&policy).with_declared_len(len + 1), &bytes);
    assert_eq!((at, refusal.kind()), (usize::MAX, RefusalKind::Length));
    assert!(refusal.error().unwrap().is_truncated(), "{refusal}");

    // More bytes than permitted.
    let (at, refusal) = refused(gate(&policy).with_max_bytes(20), &bytes);
    assert_eq!((at, refusal.kind()), (21, RefusalKind::TooLarge));
    let mut declared = gate(&policy).with_max_bytes(len).with_declared_len(len + 1);
    assert_eq!(declared.push(b"").unwrap_err().kind(), RefusalKind::TooLarge);
}

#[test]
fn refusal_and_end_are_final() {
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
    assert_eq!(ended.push(b"x").unwrap_err().kind(), RefusalKind::Length);
}

#[test]
fn truncated_uploads_are_refused() {
    let bytes = component(&[custom("authors", "A"), nested(&module(&[section(1, &[0])])), custom("note", "x")]);
    let mut sound = 0;
    for end in 0..bytes.len() {
        let whole = sectile::read_slice_with(&bytes[..end], Limits::default()).is_complete();
        sound += usize::from(whole);
        assert_eq!(upload(gate(&Policy::default()), &bytes[..end], 3).is_ok(), whole, "{end}");
        assert!(
            upload(gate(&Policy::default()).with_declared_len(bytes.len() as u64), &bytes[..end], 3).is_err(),
            "{end}"
        );
    }
    assert_eq!(sound, 3);
}

#[test]
fn refusal_is_safe_on_a_terminal() {
    let (_, refusal) = refused(gate(&Policy::default()), &module(&[custom("source", "\x1b[31mred\u{202e}")]));
    let line = refusal.to_string();
    assert!(!line.chars().any(|c| c.is_control() || c == '\u{202e}'), "{line:?}");
}

#[test]
fn memory_does_not_grow_with_the_upload() {
    let bytes = module(&[custom("note", "x"), section(11, &vec![0; 20_000_000])]);
    let mut gate = gate(&strict());
    let (result, allocated) = measure(|| bytes.chunks(16 << 10).try_for_each(|chunk| gate.push(chunk)));
    result.unwrap();
    assert!(allocated.total < 4000, "{allocated:?}");
}

/// Thousands of items with a rule, in the smallest chunks. The gate must not judge after every
/// chunk.
#[test]
fn judging_time_is_linear() {
    let inner = nested(&module(&[custom("licenses", "MIT")]));
    let mut policy = Policy::default().with_rule(Rule::new(Licenses::new(Items::all()).allow("MIT").unwrap()));
    policy.limits.max_items = u32::MAX;
    let make = |items| component(&vec![inner.clone(); items]);
    assert_linear(8_000, make, |bytes| upload(gate(&policy), bytes, 1).unwrap());

    // The same for a large value followed by many sections.
    let refused = Producers::refused(Items::all()).with_names(["evil".parse().unwrap()]);
    let policy = Policy::default().with_rule(Rule::new(refused));
    let make = |number: usize| {
        let entries: Vec<_> = (0..number).map(|number| (format!("tool {number}"), "1.0.0".to_owned())).collect();
        let entries: Vec<_> = entries.iter().map(|(name, version)| (&**name, &**version)).collect();
        let data = producers(&[("processed-by", &entries)]);
        [module(&[custom("producers", data)]), b"\x00\x02\x01x".repeat(20 * number)].concat()
    };
    assert_linear(1_000, make, |bytes| upload(gate(&policy), bytes, 1).unwrap());
}

/// An exception by path applies from the first byte. One by digest applies until the digest turns
/// out to be wrong. No exception accepts a truncated upload.
#[test]
fn exceptions_apply_to_uploads() {
    let bytes = module(&[custom("licenses", "GPL-3.0-only"), custom("note", "x")]);
    let digest = Digest::new(&bytes).to_string();
    let text = |by: &str| format!("licenses.allow = 'MIT'\n[exceptions]\n{by}\nreason = 'known'\nexpires = 2026-11-26");
    let day = |text: &str| text.parse::<Day>().unwrap();
    let by_path = Policy::parse("p", &text("paths = 'vendor/*'")).unwrap();
    let by_digest = Policy::parse("p", &text(&format!("digests = '{digest}'\nverified = true"))).unwrap();
    let today = |policy: &Policy| gate(policy).with_day(day("2026-11-26"));
    for size in [1, 7, usize::MAX] {
        for gate in [
            today(&by_path).with_location("vendor/a"),
            today(&by_digest).with_digest(&*digest),
            today(&by_digest).with_digest(&*digest).with_declared_len(bytes.len() as u64),
        ] {
            let accepted = upload(gate, &bytes, size).unwrap();
            let report = accepted.report("a".as_ref());
            let verdict = accepted.verdict(&report);
            assert!(verdict.is_accepted() && verdict.findings().iter().any(|judged| judged.exception().is_some()));
            assert!(!accepted.policy().judge(&report).is_accepted());
        }
        for gate in [
            today(&by_path),
            today(&by_path).with_location("vendor/a").with_location("release/a"),
            gate(&by_path).with_location("vendor/a"),
            gate(&by_path).with_location("vendor/a").with_day(day("2026-11-27")),
            today(&by_digest),
            today(&by_digest).with_digest(Digest::new(b"other").to_string()),
        ] {
            let (_, refused) = upload(gate, &bytes, size).unwrap_err();
            assert_eq!(refused.finding().map(|finding| finding.code()), Some(FindingCode::RefusedLicense));
            assert!(refused.verdict(&refused.report("a".as_ref())).is_refused());
        }
        // For other bytes under that digest, the exception applies until all have arrived.
        let other = [&bytes[..], &custom("note", "y")].concat();
        let (at, refused) = upload(today(&by_digest).with_digest(&*digest), &other, size).unwrap_err();
        assert_eq!((at, refused.kind()), (usize::MAX, RefusalKind::Policy));
        assert!(refused.verdict(&refused.report("a".as_ref())).is_refused());
        assert!(upload(today(&by_path).with_location("vendor/a"), &bytes[..bytes.len() - 1], size).is_err());
    }
}

/// A server reads many uploads concurrently.
#[test]
fn a_gate_keeps_fewer_values_than_a_reading_of_a_file() {
    let value = vec![b'a'; 100_000];
    let items = |count| component(&vec![nested(&module(&[custom("description", &value[..])])); count]);
    let findings = |bytes: &[u8], policy: Policy| {
        let mut gate = Gate::new(policy);
        let pushed = bytes.chunks(65_536).try_for_each(|chunk| gate.push(chunk));
        match pushed.and_then(|()| gate.finish()) {
            Ok(accepted) => accepted.metadata().findings().iter().map(|found| found.code().name().to_owned()).collect(),
            Err(refusal) => vec![refusal.to_string()],
        }
    };
    let is_limited = |found: &[String]| found.iter().any(|found| found.contains("too-large"));
    let kept = Gate::LIMITS.max_retained_bytes as usize / value.len();
    assert!(!is_limited(&findings(&items(kept - 1), Policy::default())));
    assert!(is_limited(&findings(&items(kept + 1), Policy::default())));
    // A policy that sets limits uses them.
    let mut policy = Policy::default();
    policy.limits.max_retained_bytes *= 2;
    assert!(!is_limited(&findings(&items(kept + 1), policy)));
}

/// Packages that the data names are judged once all data was searched.
#[test]
fn packages_of_the_data_are_judged_at_the_end() {
    let path = "/home/u/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/smallvec-1.6.0/src/lib.rs\0";
    let bytes = module(&[data_section(&[active(0, path)]), custom("x", [0; 100])]);
    let rule = "[[dependencies]]\nnames = 'smallvec'\n";
    let policy = |packages: &str| Policy::parse("a.toml", &format!("packages = '{packages}'\n{rule}")).unwrap();
    for size in [1, 64, usize::MAX] {
        assert!(upload(gate(&policy("declared")), &bytes, size).is_ok());
        let (at, refusal) = upload(gate(&policy("all")), &bytes, size).map(|_| ()).unwrap_err();
        assert_eq!((at, refusal.kind()), (usize::MAX, RefusalKind::Policy));
        assert_eq!(refusal.finding().map(|finding| finding.code()), Some(FindingCode::RefusedDependency));
    }
    // With a declared length, the header of the last section shows the end of the root.
    let (at, _) = refused(gate(&policy("all")).with_declared_len(bytes.len() as u64), &bytes);
    assert!(at < bytes.len() - 90, "{at}");
}

/// Bytes that a gate without hashing does not need change nothing if they are skipped.
#[test]
fn skipped_bytes_do_not_change_the_verdict() {
    let large = "x".repeat(100_000);
    for sections in [
        &[custom("version", "1"), section(11, large.as_bytes()), custom("licenses", "MIT")][..],
        &[custom("version", "1"), section(11, large.as_bytes()), custom("licenses", "GPL-3.0-only")],
        &[section(11, large.as_bytes())],
    ] {
        let bytes = module(sections);
        let mut gate = gate(&strict()).without_hashing();
        let (mut at, mut pushed) = (0, 0);
        while at < bytes.len() {
            let skippable = gate.skippable().min((bytes.len() - at) as u64);
            let end = if skippable == 0 { at + 1 } else { at + skippable as usize };
            let step = if skippable == 0 { gate.push(&bytes[at..end]) } else { gate.skip(skippable) };
            pushed += usize::from(skippable == 0);
            if step.is_err() {
                break;
            }
            at = end;
        }
        assert!(pushed < 200, "{pushed} bytes were pushed");
        let digest = Digest::new(&bytes);
        match (gate.finish_with_digest(Some(digest)), upload(Gate::new(strict()), &bytes, 1_000)) {
            (Ok(skipped), Ok(accepted)) => {
                assert_eq!((skipped.digest(), skipped.size()), (accepted.digest(), accepted.size()));
                assert_eq!(skipped.metadata(), accepted.metadata());
            }
            (Err(skipped), Err((_, refused))) => assert_eq!(skipped.to_string(), refused.to_string()),
            (skipped, pushed) => panic!("{skipped:?}, {pushed:?}"),
        }
    }
}

#[test]
fn a_gate_that_hashes_cannot_skip() {
    let mut gate = gate(&Policy::default());
    gate.push(b"\0asm\x01\0\0\0\x0b\x10").unwrap();
    assert_eq!(gate.skippable(), 0);
    assert_eq!(gate.skip(1).unwrap_err().kind(), RefusalKind::Malformed);
}

/// Without a digest from the caller, an exception for a digest does not hold.
#[test]
fn an_unhashed_claim_needs_the_digest_of_the_caller() {
    let bytes = module(&[custom("licenses", "GPL-3.0-only")]);
    let digest = Digest::new(&bytes);
    let exception = sectile_policy::Exception::new("known").unwrap().with_digest(&digest.to_string()).unwrap();
    let policy = strict().with_exception(exception);
    for (computed, is_accepted) in [(Some(digest), true), (None, false), (Some(Digest::new(b"")), false)] {
        let mut gate = gate(&policy).without_hashing().with_digest(digest.to_string());
        gate.push(&bytes).unwrap();
        assert_eq!(gate.finish_with_digest(computed).is_ok(), is_accepted);
    }
}
