//! The items of a metadata tree.

use sectile::drive::PushDriver;
use sectile::metadata::{Field, Item, Metadata, StreamReader};
use sectile::scan::ItemKind;
use sectile::{Error, FindingCode, Limits, read_at_with};

use sectile_testing::all_drivers::{self, Event};
use sectile_testing::binary::{chain, component, custom, module, name, nested, prefixed, producers, section};
use sectile_testing::files::real_files;
use sectile_testing::found::{self, codes, found, text};
use sectile_testing::seeded::Seeded;

#[test]
fn items_report_kind_parent_index_and_range() {
    let inner = module(&[section(1, b"\0")]);
    let bytes = component(&[nested(&module(&[])), custom("x", b""), nested(&component(&[nested(&inner)]))]);
    let metadata = all_drivers::metadata(&bytes);
    let parent = |item: Item<'_>| item.parent().map(Item::number);
    let places: Vec<_> = metadata.items().map(|item| (item.kind(), parent(item), item.index())).collect();
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
    assert_eq!(metadata.items().map(|item| item.start()).collect::<Vec<_>>(), preambles);
    let lens: Vec<u64> = metadata.items().map(|item| item.end().unwrap() - item.start()).collect();
    assert_eq!(lens, [bytes.len(), 8, 8 + 2 + inner.len(), inner.len()].map(|len| len as u64));
}

/// Path, number, parent and index are those that the scanner reports to a visitor, at any depth.
#[test]
fn items_match_the_scanners_events() {
    let inner = component(&[nested(&module(&[])), nested(&component(&[nested(&module(&[]))]))]);
    let bytes = component(&[nested(&inner), custom("x", b""), nested(&module(&[])), nested(&inner)]);
    let deep = chain(1_000, &component(&[]));
    for bytes in [module(&[]), bytes, deep].into_iter().chain(real_files().into_iter().map(|(_, bytes)| bytes)) {
        let (events, result) = all_drivers::scan(&bytes, Limits::default());
        result.unwrap();
        let entered = events.iter().filter_map(|event| match event {
            Event::Enter(entered) => Some(entered),
            _ => None,
        });
        let metadata = sectile::read_slice(&bytes).unwrap();
        assert_eq!(entered.clone().count(), metadata.items().len());
        for (entered, item) in entered.zip(metadata.items()) {
            let path = item.path();
            assert_eq!(Some(&path), entered.path.as_ref());
            assert_eq!((item.number(), item.depth()), (entered.item as usize, entered.depth));
            assert_eq!((item.kind(), item.index(), item.start()), (entered.kind, entered.index, entered.start));
            let parent = item.parent();
            assert_eq!(parent.map(Item::number), entered.parent.map(|parent| parent as usize));
            let (mut above, left) = (path.clone(), path.indexes().last().copied());
            assert_eq!(above.pop(), left);
            assert_eq!(parent.map(Item::path), left.map(|_| above));
            assert_eq!(metadata.item(&path).map(Item::number), Some(item.number()));
            let mut missing = path;
            missing.push(item.children());
            assert_eq!(metadata.item(&missing), None, "no child has that index");
        }
    }
}

#[test]
fn items_are_an_iterator_from_both_ends() {
    let bytes = component(&[nested(&component(&[nested(&module(&[]))])), nested(&module(&[]))]);
    let metadata = all_drivers::metadata(&bytes);
    let numbers = |items: Vec<Item<'_>>| items.into_iter().map(Item::number).collect::<Vec<_>>();
    assert_eq!(metadata.items().len(), 4);
    assert_eq!(numbers(metadata.items().collect()), [0, 1, 2, 3]);
    assert_eq!(numbers(metadata.items().rev().collect()), [3, 2, 1, 0]);
    assert_eq!((metadata.items().nth(2).map(Item::number), metadata.items().nth(4)), (Some(2), None));
    let mut items = metadata.items();
    assert_eq!((items.next().map(Item::number), items.next_back().map(Item::number)), (Some(0), Some(3)));
    assert_eq!((items.len(), items.size_hint()), (2, (2, Some(2))));
    assert_eq!(numbers(items.collect()), [1, 2]);
    assert_eq!(metadata.root().number(), 0);
}

#[test]
fn the_text_of_a_field_is_its_value() {
    let bytes = module(&[custom("authors", "me"), custom("vendor", b"\xff"), custom("version", "")]);
    let metadata = all_drivers::metadata(&bytes);
    let root = metadata.root();
    for field in Field::ALL {
        assert_eq!(root.text(field), root.annotation(field).and_then(|value| value.as_str()), "{field}");
    }
    let texts = [Field::Authors, Field::Vendor, Field::Version, Field::Source].map(|field| root.text(field));
    assert_eq!(texts, [Some("me"), None, Some(""), None]);
    assert!(root.annotation(Field::Vendor).is_some(), "its bytes are not UTF-8");
}

#[test]
fn truncated_items_are_incomplete() {
    let bytes = component(&[nested(&module(&[custom("version", "1")])), nested(&module(&[custom("version", "2")]))]);
    let whole = all_drivers::metadata(&bytes);
    let outcome = sectile::read_slice_with(&bytes[..bytes.len() - 1], Limits::default());
    assert!(outcome.error().is_some_and(Error::is_truncated));
    let is_whole = |metadata: &Metadata<'_>| metadata.items().map(|item| item.is_complete()).collect::<Vec<_>>();
    assert_eq!(is_whole(&whole), [true, true, true]);
    assert_eq!(is_whole(outcome.value().unwrap()), [false, true, false]);
}

#[test]
fn the_first_and_last_of_duplicates_are_kept() {
    for times in 1..=4 {
        let versions: Vec<String> = (1..=times).map(|n| format!("{n}.0.0")).collect();
        let mut sections: Vec<Vec<u8>> = versions.iter().map(|version| custom("version", version)).collect();
        sections.extend(versions.iter().map(|version| custom("name", name(version))));
        sections.push(custom("vendor", "v"));
        let bytes = module(&sections);
        let metadata = all_drivers::metadata(&bytes);
        let root = metadata.root();
        let first = root.first_annotation(Field::Version).and_then(|value| value.as_str());
        assert_eq!((first, text(root, Field::Version)), (Some("1.0.0"), versions.last().map(|last| &**last)));
        assert_eq!((root.section_count(Field::Version), root.section_count(Field::Vendor)), (times, 1));
        assert_eq!(root.section_count(Field::Authors), 0);

        let names = [root.first_name(), root.name()].map(|name| name.and_then(|name| name.as_str()));
        assert_eq!(names, [Some("1.0.0"), versions.last().map(|last| &**last)]);
        assert_eq!(root.has_several_names(), times > 1);
        assert_eq!(root.first_annotation(Field::Vendor), root.annotation(Field::Vendor));
    }
}

#[test]
fn metadata_read_so_far_is_available() {
    let bytes = component(&[custom("version", "1"), nested(&module(&[])), custom("vendor", "v")]);
    let mut push = PushDriver::new(StreamReader::new());
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
fn control_characters_are_found_and_foreign_letters_are_not() {
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
        assert!(!codes(&all_drivers::metadata(&bytes)).contains(&FindingCode::ControlCharacters));
    }
    for section in texts("a\u{202e}b") {
        let bytes = module(&[section]);
        let metadata = all_drivers::metadata(&bytes);
        let finding = metadata.findings().iter().find(|finding| finding.code() == FindingCode::ControlCharacters);
        assert_eq!(finding.map(|finding| finding.count()), Some(1), "{:?}", codes(&metadata));
    }
}

#[test]
fn findings_of_producers_quote_names() {
    let bytes =
        module(&[custom("producers", producers(&[("tool", &[("a", ""), ("b", ""), ("b", "")]), ("tool", &[])]))]);
    let metadata = all_drivers::metadata(&bytes);
    let messages: Vec<&str> = metadata.findings().iter().map(|finding| finding.message()).collect();
    assert_eq!(messages, ["unknown field `tool`", "a second `b` in `tool`", "a second field `tool`"]);
}

#[test]
fn producers_report_whether_they_are_empty_or_malformed() {
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
        let metadata = all_drivers::metadata(&bytes);
        let producers = metadata.root().producers();
        assert_eq!((producers.is_empty(), producers.is_complete()), (is_empty, is_whole), "{:?}", found(&metadata));
    }
}

#[test]
fn debug_links_of_both_conventions_are_read() {
    let uuid: Vec<u8> = (0x30..0x40).collect();
    let counted: Vec<u8> = (15..31).collect();
    for (name, data, values, code) in [
        ("build_id", &uuid, vec![&uuid[..]], FindingCode::UnprefixedDebugLink),
        ("build_id", &counted, vec![&counted[1..], &counted], FindingCode::AmbiguousDebugLink),
        (
            "sourceMappingURL",
            &b"https://a.example/b".to_vec(),
            vec![b"https://a.example/b"],
            FindingCode::UnprefixedDebugLink,
        ),
        ("external_debug_info", &b"app.debug.wasm".to_vec(), vec![b"app.debug.wasm"], FindingCode::UnprefixedDebugLink),
    ] {
        let bytes = module(&[custom(name, data)]);
        let metadata = all_drivers::metadata(&bytes);
        let links: Vec<_> = metadata.root().debug_links().map(|(name, value)| (name, value.as_bytes())).collect();
        assert_eq!(links, values.iter().map(|value| (name, *value)).collect::<Vec<_>>());
        for (_, value) in metadata.root().debug_links() {
            let range = value.range().start as usize..value.range().end as usize;
            assert_eq!(&bytes[range], value.as_bytes());
        }
        let findings: Vec<_> = metadata.findings().iter().map(|finding| (finding.code(), finding.section())).collect();
        assert_eq!(findings, [(code, Some(name))]);
    }
}

#[test]
fn messages_say_why_a_section_is_malformed() {
    for (section, code, message) in [
        (
            custom("producers", b"\xff\xff\xff\xff\xff"),
            FindingCode::MalformedProducers,
            "not a LEB128 number of at most 32 bits",
        ),
        (custom("producers", b"\x01\x09sdk"), FindingCode::MalformedProducers, "a length that goes past the end"),
        (custom("producers", b"\x01\x01\xff\0"), FindingCode::MalformedProducers, "not UTF-8"),
        (custom("build_id", b"\x09ab"), FindingCode::MalformedDebugLink, "a length that goes past the end"),
        (custom("build_id", b"\x01ab"), FindingCode::MalformedDebugLink, "bytes after the value"),
        (custom("build_id", b""), FindingCode::EmptyValue, "the section is empty"),
        (custom("name", b""), FindingCode::EmptyValue, "the section is empty"),
        (custom("name", b"\0\x02\x05a"), FindingCode::MalformedName, "a length that goes past the end"),
        (
            custom("name", [section(0, &prefixed("n")), section(1, b"12"), vec![2, 9]].concat()),
            FindingCode::MalformedName,
            "a subsection goes past the end of the section",
        ),
    ] {
        let bytes = module(&[section]);
        let metadata = all_drivers::metadata(&bytes);
        let findings: Vec<_> = metadata.findings().iter().map(|finding| (finding.code(), finding.message())).collect();
        assert_eq!(findings, [(code, message)]);
    }
}

#[test]
fn the_message_for_a_long_name_has_its_length() {
    let bytes = module(&[custom("x", b""), custom("name", name(&"n".repeat(40)))]);
    let metadata =
        sectile::read_slice_with(&bytes, Limits { max_section_data: 30, ..Limits::default() }).into_value().unwrap();
    let findings: Vec<_> = metadata.findings().iter().map(|finding| (finding.code(), finding.message())).collect();
    assert_eq!(findings, [(FindingCode::TooLarge, "a name of 41 bytes; more than 30 are not decoded")]);
}

#[cfg(feature = "json")]
#[test]
fn registry_metadata_must_be_an_object() {
    let bytes = module(&[custom("registry-metadata", b"[1]")]);
    let metadata = all_drivers::metadata(&bytes);
    let malformed =
        metadata.findings().iter().find(|finding| finding.code() == FindingCode::MalformedRegistryMetadata).unwrap();
    assert_eq!(malformed.message(), "invalid type: sequence, expected a JSON object at line 1 column 0");
}

#[cfg(feature = "json")]
#[test]
fn duplicate_keys_are_counted_and_the_first_is_named() {
    let keys: String = (0..66).map(|nth| format!("\"{nth}\":1,\"{nth}\":2,")).collect();
    let bytes = module(&[custom("registry-metadata", format!("{{{keys}\"end\":1}}"))]);
    let metadata = all_drivers::metadata(&bytes);
    let finding = metadata.findings().iter().find(|finding| finding.code() == FindingCode::DuplicateJsonKey).unwrap();
    assert_eq!((finding.message(), finding.count()), ("a second key `0`", 66));
}

#[test]
fn section_sizes_match_the_sections() {
    // The names of the binary formats. Sections of the kinds `core module` and `component` hold
    // items.
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
                0 => all.push(("custom", custom("an unknown section", &data))),
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
        let metadata = all_drivers::metadata(&bytes);
        let shares: Vec<_> =
            metadata.root().section_sizes().map(|share| (share.name(), share.sections(), share.bytes())).collect();
        assert_eq!(shares, expected);
    }
}

#[test]
fn misplaced_first_sections_are_findings() {
    let first = || custom("dylink.0", b"\x01\x04\0\0\0\0");
    let elsewhere = |metadata: &Metadata<'_>| codes(metadata).contains(&FindingCode::MisplacedSection);
    for (before, misplaced) in [
        (vec![], false),
        (vec![first()], false), // a duplicate, which is another finding
        (vec![section(1, b"\0")], true),
        (vec![section(0x70, b"")], true),
        (vec![custom("note", b"")], true),
        (vec![custom("authors", b"a")], true),
        (vec![first(), custom("authors", b"a")], true),
        (vec![first(), custom("note", b"")], true),
    ] {
        let bytes = module(&[before, vec![first()]].concat());
        let metadata = all_drivers::metadata(&bytes);
        assert_eq!(elsewhere(&metadata), misplaced, "{:?}", found(&metadata));
    }
}

/// Only readers of core modules refuse the order, and they do not read components.
#[test]
fn only_a_root_module_has_misplaced_producers() {
    let (first, second) = (custom("producers", producers(&[])), custom("name", name("a")));
    let inner = module(&[first.clone(), second.clone()]);
    for (bytes, expected) in [
        (inner.clone(), true),
        (module(&[second, first.clone()]), false),
        (component(&[nested(&inner)]), false),
        (component(&[first, custom("component-name", name("a"))]), false),
    ] {
        let metadata = all_drivers::metadata(&bytes);
        let is_found = codes(&metadata).contains(&FindingCode::MisplacedProducers);
        assert_eq!(is_found, expected, "{:?}", found(&metadata));
    }
}

/// Only the headers of the other subsections are read. The names of functions are skipped.
#[test]
fn only_headers_and_the_own_name_of_a_name_section_are_read() {
    let functions = section(1, &[0; 300_000]);
    let mut data = functions.repeat(5);
    data.extend(section(0, &prefixed("own")));
    data.extend(functions.repeat(5));
    let bytes = module(&[custom("name", &data)]);
    let outcome = read_at_with(&bytes[..], bytes.len() as u64, Limits::default());
    assert_eq!(found::name(outcome.value().unwrap().root()), Some("own"));
    assert!(outcome.cost().bytes < 50_000, "{:?}", outcome.cost());
}
