//! The findings of a plan.

use std::collections::BTreeSet;

use sectile::Glob;
use sectile::edit::{Edit, EditPlan, Strip};
use sectile::metadata::Field;
use sectile::{Finding, FindingCode, Limits, Severity};

use super::apply;
use sectile_testing::binary::{component, custom, module, nested, prefixed, producers, section};

fn plan(edit: &Edit, source: &[u8]) -> EditPlan {
    edit.plan_slice(source).unwrap()
}

fn found(edit: &Edit, source: &[u8]) -> Vec<(FindingCode, String, String)> {
    let tell = |finding: &Finding| (finding.code(), finding.path().to_string(), finding.message().to_owned());
    plan(edit, source).findings().iter().map(tell).collect()
}

fn vendor() -> Edit {
    Edit::new().set(Field::Vendor, "v").unwrap()
}

/// The part for which the finding says that a signature still holds; `None` without a finding.
fn signature(edit: &Edit, source: &[u8]) -> Option<String> {
    let planned = plan(edit, source);
    let broken: Vec<_> =
        planned.findings().iter().filter(|finding| finding.code() == FindingCode::BrokenSignature).collect();
    assert!(broken.len() <= 1);
    let finding = broken.first()?;
    assert_eq!((finding.section(), finding.offset()), (Some("signature"), 8));
    let standing = finding.message().split("before the ").nth(1).unwrap_or("nothing");
    Some(standing.split(" `").next().unwrap().to_owned())
}

#[test]
fn an_edit_breaks_a_signature_of_the_whole_item() {
    let source = module(&[custom("signature", "s"), section(1, &[0]), custom("vendor", "old")]);
    assert_eq!(signature(&vendor(), &source).as_deref(), Some("nothing"));
    assert_eq!(signature(&Edit::new().name("n").unwrap(), &source).as_deref(), Some("nothing"));
    assert_eq!(signature(&Edit::new(), &source), None);
    assert_eq!(signature(&Edit::new().set(Field::Vendor, "old").unwrap(), &source), None);
    // An edit of the signature itself is not an edit of the signed bytes.
    assert_eq!(signature(&vendor().remove("signature").unwrap(), &source), None);
    assert_eq!(signature(&vendor().put("signature", "new").unwrap(), &source), None);
}

/// `jwt` and similar sections sign all other sections of their module, wherever they are.
#[test]
fn an_edit_breaks_signatures_over_all_other_sections() {
    for name in ["jwt", "wasmcloud_jwt", "signature_wasmsign"] {
        let source = module(&[custom("vendor", "old"), section(1, &[0]), custom(name, "claims")]);
        let broken = |edit: &Edit, source: &[u8]| {
            let planned = plan(edit, source);
            let broken = planned.findings().iter().filter(|finding| finding.code() == FindingCode::BrokenSignature);
            broken
                .map(|finding| (finding.section().unwrap().to_owned(), finding.path().to_string()))
                .collect::<Vec<_>>()
        };
        let root = vec![(name.to_owned(), String::new())];
        assert_eq!(broken(&vendor(), &source), root);
        assert_eq!(broken(&Edit::new().name("n").unwrap(), &source), root);
        assert_eq!(broken(&Edit::new(), &source), []);
        assert_eq!(broken(&Edit::new().put(name, "other").unwrap(), &source), []);
        assert_eq!(broken(&vendor().put(name, "other").unwrap(), &source), []);
        assert_eq!(broken(&vendor().remove(name).unwrap(), &source), []);
        // A change in a nested item is a change of the enclosing one, and of no other.
        let other = module(&[custom(name, "claims"), custom("x", "")]);
        let tree = component(&[nested(&module(&[])), nested(&other), custom(name, "claims")]);
        assert_eq!(broken(&vendor().at("0".parse().unwrap()), &tree).len(), 1);
        let inner = Edit::new().at("0".parse().unwrap()).set(Field::Vendor, "v").unwrap();
        assert_eq!(broken(&inner, &tree), root);
        let inner = Edit::new().at("1".parse().unwrap()).set(Field::Vendor, "v").unwrap();
        assert_eq!(broken(&inner, &tree).len(), 2);
    }
}

#[test]
fn stripped_sections_of_unknown_purpose_are_found() {
    let source = module(&[custom("psp-runtime", vec![1; 900]), custom(".debug_x", "d"), custom("licenses", "MIT")]);
    let all = Edit::new().strip(Strip::new().all());
    let found = found(&all, &source);
    assert!(
        matches!(&found[..], [(FindingCode::RemovedUnknown, _, message)] if message.contains("psp-runtime")),
        "{found:?}"
    );
    assert_eq!(self::found(&Edit::new().strip(Strip::new()), &source), []);
    let named = Edit::new().strip(Strip::new().all()).remove("psp-runtime").unwrap();
    assert_eq!(self::found(&named, &source), []);
    let matched = Edit::new().strip(Strip::new().all()).remove_matching(Glob::literal("psp-runtime"));
    assert_eq!(self::found(&matched, &source), []);
}

/// Readers join the data of such sections, so that none is dropped for another.
#[test]
fn sections_that_readers_join_are_added_to() {
    for name in ["contractmetav0", "contractspecv0", "signature_delimiter", "__wasm_bindgen_unstable"] {
        let source = module(&[custom(name, "one"), section(1, &[0]), custom(name, "two")]);
        let put = Edit::new().put(name, "three").unwrap();
        let three = apply(&put, &source);
        assert_eq!(three, module(&[custom(name, "one"), section(1, &[0]), custom(name, "two"), custom(name, "three")]));
        assert_eq!(apply(&put, &three), three, "a repeated edit changes nothing");
        assert_eq!(apply(&Edit::new().put(name, "one").unwrap(), &source), source);
        assert_eq!(apply(&Edit::new().remove(name).unwrap(), &source), module(&[section(1, &[0])]));
        let metadata = sectile::read_slice(&source).unwrap();
        assert!(metadata.findings().is_empty(), "{:?}", metadata.findings());
        assert_eq!(metadata.root().sections_named(name), 2);
    }
}

#[test]
fn signed_parts_before_the_change_stay_valid() {
    let delimiter = || custom("signature_delimiter", [7; 16]);
    let source = module(&[
        custom("signature", "s"),
        section(1, &[0]),
        delimiter(),
        custom("x", "1"),
        delimiter(),
        custom("y", "1"),
        delimiter(),
    ]);
    let put = |name: &str| Edit::new().put(name, "2").unwrap();
    assert_eq!(signature(&put("x"), &source).as_deref(), Some("1st"));
    assert_eq!(signature(&put("y"), &source).as_deref(), Some("2nd"));
    assert_eq!(signature(&put("z"), &source).as_deref(), Some("3rd"));
    assert_eq!(signature(&Edit::new().remove("signature_delimiter").unwrap(), &source).as_deref(), Some("nothing"));
    assert_eq!(signature(&put("z").put("x", "2").unwrap(), &source).as_deref(), Some("1st"));
    assert!(apply(&put("z"), &source).starts_with(&source), "the signature must stay first");
}

#[test]
fn an_edit_breaks_signatures_of_enclosing_items() {
    let signed = |sections: Vec<u8>| component(&[custom("signature", "s"), sections]);
    let inner = nested(&signed(nested(&module(&[]))));
    let source = signed([nested(&module(&[])), custom("signature_delimiter", ""), inner].concat());
    let at = |path: &str| found(&vendor().at(path.parse().unwrap()).set(Field::Authors, "me").unwrap(), &source);
    let paths = |path: &str| -> Vec<String> { at(path).into_iter().map(|(_, path, _)| path).collect() };
    assert_eq!(paths("1/0"), ["", "1"]);
    assert_eq!(paths("0"), [""]);
    let only = |path: &str| Edit::new().at(path.parse().unwrap()).set(Field::Authors, "me").unwrap();
    assert_eq!(signature_at(&only("1/0"), &source, ""), "1st");
    assert_eq!(signature_at(&only("0"), &source, ""), "nothing");
    // A new inner signature does not repair the outer one.
    let resigned = only("1/0").at("1".parse().unwrap()).put("signature", "t").unwrap();
    assert_eq!(found(&resigned, &source).len(), 1);
}

fn signature_at(edit: &Edit, source: &[u8], path: &str) -> String {
    let message = found(edit, source).into_iter().find(|found| found.1 == path).unwrap().2;
    let standing = message.split("before the ").nth(1).unwrap_or("nothing");
    standing.split(" `").next().unwrap().to_owned()
}

#[test]
fn a_stale_build_id_is_a_note() {
    let id = custom("build_id", prefixed([1, 2]));
    let source = module(&[custom(".debug_info", "i"), custom("external_debug_info", prefixed("a")), id.clone()]);
    let codes = |edit: &Edit| found(edit, &source).into_iter().map(|found| found.0).collect::<Vec<_>>();
    assert_eq!(codes(&Edit::new().strip(Strip::new())), [FindingCode::StaleBuildId]);
    assert_eq!(codes(&Edit::new().put(".debug_info", "j").unwrap()), [FindingCode::StaleBuildId]);
    assert_eq!(codes(&Edit::new().remove("external_debug_info").unwrap()), [FindingCode::StaleBuildId]);
    assert_eq!(codes(&Edit::new().strip(Strip::new()).remove("build_id").unwrap()), []);
    assert_eq!(codes(&Edit::new().remove_matching(Glob::new("*").unwrap())), []);
    assert_eq!(codes(&vendor()), []);
    assert_eq!(FindingCode::StaleBuildId.severity(), Severity::Note);
    // A build id is only about the debug sections of its own item.
    let apart = component(&[nested(&module(&[id])), nested(&module(&[custom(".debug_info", "i")]))]);
    assert_eq!(found(&Edit::new().strip(Strip::new()), &apart), []);
}

#[test]
fn unchecked_values_are_findings_of_the_plan() {
    let source = component(&[nested(&module(&[custom("source", "old")]))]);
    let edit = Edit::new().at("0".parse().unwrap()).set_unchecked(Field::Source, "git@github.com:a/b.git").unwrap();
    let edit = edit.set(Field::Licenses, "GPL-3.0").unwrap();
    let planned = plan(&edit, &source);
    let place = |section: &[u8]| source.windows(section.len()).position(|bytes| bytes == section).unwrap() as u64;
    let reported: Vec<_> = (planned.findings().iter())
        .map(|finding| (finding.code(), finding.section().unwrap(), finding.path().to_string(), finding.offset()))
        .collect();
    let (old, end) = (place(&custom("source", "old")), source.len() as u64);
    assert_eq!(
        reported,
        [
            (FindingCode::VcsUrl, "source", "0".to_owned(), old),
            (FindingCode::DeprecatedLicense, "licenses", "0".to_owned(), end)
        ]
    );
    assert!(planned.findings()[1].message().contains("GPL-3.0-only"));
}

/// The findings of a plan about a section are those that a reader of the result reports.
#[test]
fn findings_of_a_plan_match_a_read_of_the_result() {
    let put = |name: &str, data: &[u8]| Edit::new().put(name, data).unwrap();
    let append = |name: &str, data: &[u8]| Edit::new().append(name, data).unwrap();
    let set = |name: &str, data: &[u8]| {
        let field = Field::ALL.into_iter().find(|field| field.section() == name)?;
        let text = std::str::from_utf8(data).ok()?;
        let strictly = Edit::new().set(field, text).unwrap_or_default();
        let both = Edit::new().set(field, text).unwrap_or_default().append(name, "\u{7f}").unwrap();
        Some([Edit::new().set_unchecked(field, text).unwrap(), strictly, both])
    };
    let mut codes = BTreeSet::new();
    for source in [module(&[]), component(&[])] {
        for (name, data) in [
            ("licenses", &b"MIT/Apache-2.0"[..]),
            ("licenses", b"MIT"),
            ("licenses", b"GPL-3.0"),
            ("vendor", b""),
            ("authors", b"\xff"),
            ("authors", b""),
            ("source", b"git@github.com:a/b.git"),
            ("homepage", b"javascript:alert(1)\x1b"),
            ("producers", b"\x01\x04tool\x00"),
            ("producers", b"\x7f"),
            ("name", b"\x00\x7f"),
            ("build_id", b"\x05a"),
            ("registry-metadata", b"{}"),
            ("registry-metadata", br#"{"authors":[],"authors":[]}"#),
            (".dep-v0", b"no zlib"),
            ("note\u{202e}", b"whatever it is"),
            ("note", b""),
        ] {
            for edit in [put(name, data), append(name, data)].into_iter().chain(set(name, data).into_iter().flatten()) {
                let planned = plan(&edit, &source);
                let reported = planned.findings();
                let edited = planned.plan().to_vec(&source).unwrap();
                let read = sectile::read_slice(&edited).unwrap();
                let of = |finding: &Finding| {
                    (finding.code(), finding.section().map(str::to_owned), finding.message().to_owned())
                };
                // Duplicates are the purpose of appending.
                let read = read.findings().iter().filter(|finding| finding.code() != FindingCode::DuplicateSection);
                assert_eq!(reported.iter().map(of).collect::<Vec<_>>(), read.map(of).collect::<Vec<_>>());
                assert!(
                    reported.iter().all(|finding| finding.offset() == source.len() as u64),
                    "its offset must be the end of the source"
                );
                codes.extend(reported.iter().map(|finding| finding.code().name()));
            }
        }
    }
    for code in ["imprecise-license", "not-utf8", "empty-value", "vcs-url", "malformed-producers", "control-characters"]
    {
        assert!(codes.contains(code), "{code} is none of {codes:?}");
    }
    // A replaced section has only findings about its new data.
    let source = module(&[custom("licenses", "no license"), custom("vendor", "v")]);
    assert_eq!(plan(&put("licenses", b"MIT"), &source).findings(), []);
}

#[test]
fn deceptive_names_and_producers_are_warnings() {
    let source = component(&[nested(&module(&[custom("producers", producers(&[("language", &[("C", "11")])]))]))]);
    let set = |name: &str, producer: &str, version: &str| {
        let edit = Edit::new().at("0".parse().unwrap()).name(name).unwrap();
        let planned = plan(&edit.add_producer("sdk", producer, version).drop_producer("sdk", "\u{202e}"), &source);
        let found = planned.findings().iter();
        found
            .map(|finding| (finding.code(), finding.section().map(str::to_owned), finding.path().to_string()))
            .collect::<Vec<_>>()
    };
    let deceives = |section: &str| (FindingCode::ControlCharacters, Some(section.to_owned()), "0".to_owned());
    assert_eq!(set("name", "tool", "1"), Vec::new());
    assert_eq!(set("n\u{1b}[31m", "tool", "1"), [deceives("name")]);
    assert_eq!(set("name", "t\u{202e}l", "1"), [deceives("producers")]);
    assert_eq!(set("name", "tool", "1\n2"), [deceives("producers")]);
}

#[test]
fn exceeding_the_section_limit_is_a_warning() {
    let source = module(&[custom("x", "1")]);
    let limits = Limits { max_sections: 1, ..Limits::default() };
    let codes = |edit: &Edit| -> Vec<FindingCode> {
        edit.clone()
            .with_limits(limits)
            .plan_slice(&source)
            .unwrap()
            .findings()
            .iter()
            .map(|finding| finding.code())
            .collect()
    };
    assert_eq!(codes(&vendor()), [FindingCode::NearLimit]);
    assert_eq!(codes(&vendor().remove("x").unwrap()), []);
}

/// An item near the maximum size. Most of its bytes are not examined.
#[test]
fn an_item_near_the_size_limit_is_a_warning() {
    use sectile_testing::binary::{COMPONENT, MODULE, padded};
    use sectile_testing::sources::Sparse;
    let huge = |len: u64| {
        let body = len - 14;
        let head = [&COMPONENT[..], &[1], &padded(len as u32, 5), &MODULE, &[11], &padded(body as u32, 5)].concat();
        Sparse::default().bytes(head).zeros(body)
    };
    let plan = |len: u64| {
        let source = huge(len);
        vendor().at("0".parse().unwrap()).set(Field::Authors, "me").unwrap().plan_at(&source, source.len())
    };
    let codes =
        |len: u64| -> Vec<FindingCode> { plan(len).unwrap().findings().iter().map(|finding| finding.code()).collect() };
    assert_eq!(codes(900 << 20), [FindingCode::NearLimit, FindingCode::NearLimit]); // the item and the root
    assert_eq!(codes(800 << 20), []);
    let error = plan(1 << 30).unwrap_err();
    assert!(matches!(error, sectile::edit::EditError::TooLarge { offset: 8, .. }), "{error}");
}
