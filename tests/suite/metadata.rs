//! What a tree of metadata answers of its items.

use sectile::drive::Push;
use sectile::metadata::{Field, Metadata, Reader};
use sectile::scan::ItemKind;
use sectile::{Code, Limits, read_at};

use crate::support::binary::{component, custom, module, name, nested, prefixed, producers, section};
use crate::support::found::{self, codes, found, text};
use crate::support::mouths;
use crate::support::seeded::Seeded;

#[test]
fn an_item_knows_its_place() {
    let inner = module(&[section(1, b"\0")]);
    let bytes = component(&[nested(&module(&[])), custom("x", b""), nested(&component(&[nested(&inner)]))]);
    let metadata = mouths::metadata(&bytes);
    let places: Vec<_> = metadata.items().iter().map(|item| (item.kind(), item.parent(), item.index())).collect();
    assert_eq!(
        places,
        [
            (ItemKind::Component, None, 0),
            (ItemKind::Module, Some(0), 0),
            (ItemKind::Component, Some(0), 1),
            (ItemKind::Module, Some(2), 0),
        ]
    );
    let preambles: Vec<u64> =
        (0..bytes.len() as u64).filter(|&at| bytes[at as usize..].starts_with(b"\0asm")).collect();
    assert_eq!(metadata.items().iter().map(|item| item.start()).collect::<Vec<_>>(), preambles);
    let lens: Vec<u64> = metadata.items().iter().map(|item| item.end().unwrap() - item.start()).collect();
    assert_eq!(lens, [bytes.len(), 8, 8 + 2 + inner.len(), inner.len()].map(|len| len as u64));
}

#[test]
fn an_item_that_was_cut_off_is_not_whole_and_those_before_it_are() {
    let bytes = component(&[nested(&module(&[custom("version", "1")])), nested(&module(&[custom("version", "2")]))]);
    let whole = mouths::metadata(&bytes);
    let outcome = sectile::read_slice(&bytes[..bytes.len() - 1], Limits::default()).unwrap();
    assert!(outcome.broken.is_some());
    let is_whole = |metadata: &Metadata<'_>| metadata.items().iter().map(|item| item.is_whole()).collect::<Vec<_>>();
    assert_eq!(is_whole(&whole), [true, true, true]);
    assert_eq!(is_whole(&outcome.value), [false, true, false]);
}

#[test]
fn of_what_stands_more_than_once_the_first_and_the_last_are_kept() {
    for times in 1..=4 {
        let versions: Vec<String> = (1..=times).map(|n| format!("{n}.0.0")).collect();
        let mut sections: Vec<Vec<u8>> = versions.iter().map(|version| custom("version", version)).collect();
        sections.extend(versions.iter().map(|version| custom("name", name(version))));
        sections.push(custom("vendor", "v"));
        let bytes = module(&sections);
        let metadata = mouths::metadata(&bytes);
        let root = metadata.root();
        let first = root.first_annotation(Field::Version).and_then(|value| value.as_str());
        assert_eq!((first, text(root, Field::Version)), (Some("1.0.0"), versions.last().map(|last| &**last)));
        assert_eq!((root.sections_of(Field::Version), root.sections_of(Field::Vendor)), (times, 1));
        assert_eq!(root.sections_of(Field::Authors), 0);

        let names = [root.first_name(), root.name()].map(|name| name.and_then(|name| name.as_str()));
        assert_eq!(names, [Some("1.0.0"), versions.last().map(|last| &**last)]);
        assert_eq!(root.has_several_names(), times > 1);
        assert_eq!(root.first_annotation(Field::Vendor), root.annotation(Field::Vendor));
    }
}

#[test]
fn what_was_pushed_so_far_is_there() {
    let bytes = component(&[custom("version", "1"), nested(&module(&[])), custom("vendor", "v")]);
    let mut push = Push::new(Reader::copying(Limits::default()), Limits::default());
    let mut seen = Vec::new();
    for byte in &bytes {
        push.push(&[*byte]).unwrap();
        let so_far = push.visitor().so_far();
        seen.push(so_far.map(|read| (read.items().len(), text(read.root(), Field::Vendor).map(str::to_owned))));
    }
    assert_eq!(seen[6], None, "the preamble is not whole");
    assert_eq!(seen[7], Some((1, None)));
    assert_eq!(seen[bytes.len() - 2], Some((2, None)));
    assert_eq!(seen[bytes.len() - 1], Some((2, Some("v".to_owned()))));
}

#[test]
fn foreign_letters_are_not_deceptive_and_control_characters_are_wherever_they_stand() {
    let texts = |text: &str| {
        [
            custom(text, b""),
            custom("name", name(text)),
            custom("sourceMappingURL", prefixed(text)),
            custom("producers", producers(&[("sdk", &[(text, "1")])])),
            custom("producers", producers(&[("sdk", &[("a", text)])])),
            custom("producers", producers(&[(text, &[])])),
        ]
    };
    for section in texts("grüße, 世界") {
        let bytes = module(&[section]);
        assert!(!codes(&mouths::metadata(&bytes)).contains(&Code::ControlCharacters));
    }
    for section in texts("a\u{202e}b") {
        let bytes = module(&[section]);
        let metadata = mouths::metadata(&bytes);
        let finding = metadata.findings().iter().find(|finding| finding.code == Code::ControlCharacters);
        assert_eq!(finding.map(|finding| finding.count), Some(1), "{:?}", codes(&metadata));
    }
}

#[test]
fn findings_of_producers_quote_what_they_are_about() {
    let bytes =
        module(&[custom("producers", producers(&[("tool", &[("a", ""), ("b", ""), ("b", "")]), ("tool", &[])]))]);
    let metadata = mouths::metadata(&bytes);
    let messages: Vec<&str> = metadata.findings().iter().map(|finding| &*finding.message).collect();
    assert_eq!(messages, ["unknown field `tool`", "a second `b` in `tool`", "a second field `tool`"]);
}

#[test]
fn whether_producers_are_empty_or_malformed() {
    let data = |fields| producers(fields);
    let fine = data(&[("sdk", &[("a", "1"), ("a", "2")])]);
    for (sections, is_empty, is_whole) in [
        (vec![], true, true),
        (vec![data(&[])], true, true),
        (vec![fine.clone()], false, true),
        (vec![fine.clone(), data(&[])], false, true),
        (vec![fine[..fine.len() - 1].to_vec()], false, false),
        (vec![[&*fine, b"!"].concat()], false, false),
        (vec![fine[..3].to_vec(), fine.clone()], false, false),
        (vec![fine.clone(), fine[..3].to_vec()], false, false),
    ] {
        let sections: Vec<_> = sections.iter().map(|data| custom("producers", data)).collect();
        let bytes = module(&sections);
        let metadata = mouths::metadata(&bytes);
        let producers = metadata.root().producers();
        assert_eq!((producers.is_empty(), producers.is_whole()), (is_empty, is_whole), "{:?}", found(&metadata));
    }
}

#[test]
fn a_malformed_section_says_what_is_wrong_with_it() {
    for (section, code, message) in [
        (
            custom("producers", b"\xff\xff\xff\xff\xff"),
            Code::MalformedProducers,
            "not a LEB128 number of at most 32 bits",
        ),
        (custom("producers", b"\x01\x09sdk"), Code::MalformedProducers, "a length that goes past the end"),
        (custom("producers", b"\x01\x01\xff\0"), Code::MalformedProducers, "not UTF-8"),
        (custom("build_id", b"\x09ab"), Code::MalformedDebugLink, "a length that goes past the end"),
        (custom("build_id", b"\x01ab"), Code::MalformedDebugLink, "bytes behind the value"),
        (custom("build_id", b""), Code::EmptyValue, "the section is empty"),
        (custom("name", b""), Code::EmptyValue, "the section is empty"),
        (custom("name", b"\0\x02\x05a"), Code::MalformedName, "a length that goes past the end"),
        (
            custom("name", [section(0, &prefixed("n")), section(1, b"12"), vec![2, 9]].concat()),
            Code::MalformedName,
            "a subsection goes past the end of the section",
        ),
    ] {
        let bytes = module(&[section]);
        let metadata = mouths::metadata(&bytes);
        let findings: Vec<_> = metadata.findings().iter().map(|finding| (finding.code, &*finding.message)).collect();
        assert_eq!(findings, [(code, message)]);
    }
}

#[test]
fn a_name_that_is_too_long_says_how_long_it_is() {
    let bytes = module(&[custom("x", b""), custom("name", name(&"n".repeat(40)))]);
    let metadata = sectile::read_slice(&bytes, Limits { data: 30, ..Limits::default() }).unwrap().value;
    let findings: Vec<_> = metadata.findings().iter().map(|finding| (finding.code, &*finding.message)).collect();
    assert_eq!(findings, [(Code::TooLarge, "a name of 41 bytes; more than 30 are not decoded")]);
}

#[cfg(feature = "json")]
#[test]
fn registry_metadata_that_is_no_object_is_told_so() {
    let bytes = module(&[custom("registry-metadata", b"[1]")]);
    let metadata = mouths::metadata(&bytes);
    let malformed = metadata.findings().iter().find(|finding| finding.code == Code::MalformedRegistryMetadata).unwrap();
    assert_eq!(&*malformed.message, "invalid type: sequence, expected a JSON object at line 1 column 0");
}

#[cfg(feature = "json")]
#[test]
fn of_keys_that_stand_twice_the_first_is_named_and_all_are_counted() {
    let keys: String = (0..66).map(|nth| format!("\"{nth}\":1,\"{nth}\":2,")).collect();
    let bytes = module(&[custom("registry-metadata", format!("{{{keys}\"end\":1}}"))]);
    let metadata = mouths::metadata(&bytes);
    let finding = metadata.findings().iter().find(|finding| finding.code == Code::DuplicateJsonKey).unwrap();
    assert_eq!((&*finding.message, finding.count), ("a second key `0`", 66));
}

#[test]
fn shares_are_what_was_put_together() {
    // The names are the binary formats'; `core:module` and `component` hold items.
    let module_kinds = [
        "type",
        "import",
        "function",
        "table",
        "memory",
        "tag",
        "global",
        "export",
        "start",
        "element",
        "data count",
        "code",
        "data",
    ];
    let module_ids = [1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11];
    let component_kinds =
        ["core instance", "core type", "instance", "alias", "type", "canon", "start", "import", "export"];
    let component_ids = [2, 3, 5, 6, 7, 8, 9, 10, 11];
    let mut seeded = Seeded::new(7);
    for round in 0..200 {
        let ordered: Vec<(&str, Vec<u8>)> = if round % 2 == 0 {
            let all = module_kinds.into_iter().zip(module_ids);
            all.filter(|_| !seeded.once_in(3)).map(|(kind, id)| (kind, section(id, &[7; 5]))).collect()
        } else {
            let mut any = || {
                let place = seeded.below(component_ids.len());
                (component_kinds[place], section(component_ids[place], &vec![7; seeded.below(300)]))
            };
            (0..20).map(|_| any()).collect()
        };
        let mut all = Vec::new();
        for (kind, bytes) in ordered {
            all.push((kind, bytes));
            let data = vec![b'x'; seeded.below(200)];
            match seeded.below(8) {
                0 => all.push(("custom", custom("what nobody knows", &data))),
                1 => all.push(("authors", custom("authors", &data))),
                2 => all.push(("producers", custom("producers", producers(&[])))),
                3 => all.push(("unknown", section(0x70 + seeded.below(9) as u8, &data))),
                4 if round % 2 == 1 => all.push(("core module", nested(&module(&[])))),
                5 if round % 2 == 1 => all.push(("component", nested(&component(&[])))),
                _ => {}
            }
        }
        let mut expected: Vec<(&str, u64, u64)> = Vec::new();
        for (kind, bytes) in &all {
            match expected.iter_mut().find(|(other, ..)| other == kind) {
                Some((_, sections, sum)) => (*sections, *sum) = (*sections + 1, *sum + bytes.len() as u64),
                None => expected.push((kind, 1, bytes.len() as u64)),
            }
        }
        let sections: Vec<_> = all.into_iter().map(|(_, bytes)| bytes).collect();
        let bytes = if round % 2 == 0 { module(&sections) } else { component(&sections) };
        let metadata = mouths::metadata(&bytes);
        let shares: Vec<_> = metadata.root().shares().map(|share| (share.kind, share.sections, share.bytes)).collect();
        assert_eq!(shares, expected);
    }
}

#[test]
fn what_must_be_the_first_is_found_where_it_is_not() {
    let first = || custom("dylink.0", b"\x01\x04\0\0\0\0");
    let elsewhere = |metadata: &Metadata<'_>| codes(metadata).contains(&Code::MisplacedSection);
    for (before, misplaced) in [
        (vec![], false),
        (vec![first()], false), // there are two, which is another finding
        (vec![section(1, b"\0")], true),
        (vec![section(0x70, b"")], true),
        (vec![custom("note", b"")], true),
        (vec![custom("authors", b"a")], true),
        (vec![first(), custom("authors", b"a")], true),
        (vec![first(), custom("note", b"")], true),
    ] {
        let bytes = module(&[before, vec![first()]].concat());
        let metadata = mouths::metadata(&bytes);
        assert_eq!(elsewhere(&metadata), misplaced, "{:?}", found(&metadata));
    }
}

/// The other subsections, with the names of functions, are hopped over: their headers are read, wherever they stand.
#[test]
fn of_a_name_section_the_headers_and_the_own_name_are_read() {
    let functions = section(1, &[0; 300_000]);
    let mut data = functions.repeat(5);
    data.extend(section(0, &prefixed("own")));
    data.extend(functions.repeat(5));
    let bytes = module(&[custom("name", &data)]);
    let outcome = read_at(&bytes[..], bytes.len() as u64, Limits::default()).unwrap();
    assert_eq!(found::name(outcome.value.root()), Some("own"));
    assert!(outcome.cost.bytes < 50_000, "{:?}", outcome.cost);
}
