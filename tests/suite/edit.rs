//! Edits make the requested change and preserve all other bytes.

mod file;
#[cfg(feature = "json")]
mod migrate;
mod properties;
mod strip;
mod warnings;

use sectile::Glob;
use sectile::edit::{Edit, EditError};
use sectile::metadata::{Field, Metadata};
use sectile::scan::ItemPath;
use sectile::{FindingCode, Input, Limits};
use wasmparser::{Validator, WasmFeatures};

use sectile_testing::all_drivers::{file, metadata, read};
use sectile_testing::binary::{
    COMPONENT, MODULE, component, custom, leb128, module, name, nested, padded, prefixed, producers, section, sound,
};
use sectile_testing::bodies::concatenation;
use sectile_testing::files::real_files;
use sectile_testing::found::text;

/// Applies an edit and checks it with every oracle that works for any edit.
#[track_caller]
pub fn apply(edit: &Edit, source: &[u8]) -> Vec<u8> {
    let planned = edit.plan_slice(source).unwrap();
    let by_reads = edit.plan_at(&file(source), source.len() as u64).unwrap();
    assert_eq!(planned, by_reads, "the plan depends on the driver");
    let input = Input::from_file(file(source)).unwrap();
    let of_file = edit.plan_input(&input).unwrap();
    assert_eq!(planned.plan().pieces(), of_file.plan().pieces(), "the plan of a file differs");
    assert_eq!((planned.findings(), planned.changes()), (of_file.findings(), of_file.changes()));
    let plan = planned.plan();
    let edited = concatenation(plan, source);
    assert_eq!(plan.to_vec(source).as_deref(), Some(&edited[..]));
    let mut written = Vec::new();
    plan.write_to(&file(source), &mut written).unwrap();
    assert!(written == edited, "the sinks differ");
    assert_eq!(plan.len(), edited.len() as u64);
    assert_eq!(plan.is_identity(), edited == source && plan.inserted() == 0);

    let (_, result) = read(&edited, Limits::default());
    result.unwrap();
    assert_eq!(verdict(&edited), verdict(source), "the verdict of the validator changed");
    let again = edit.plan_slice(&edited).unwrap();
    assert!(again.plan().is_identity(), "a repeated edit is not the identity: {again:?}");
    edited
}

/// The validator's verdict without offsets, and without the numbers that it assigns to types.
pub fn verdict(bytes: &[u8]) -> Result<(), String> {
    let result = Validator::new_with_features(WasmFeatures::all()).validate_all(bytes);
    result.map(drop).map_err(|error| {
        let mut parts = error.message().split("globally_unique_id: ");
        let first = parts.next().unwrap_or_default();
        let rest = parts.map(|rest| rest.trim_start_matches(|digit: char| digit.is_ascii_digit()));
        std::iter::once(first).chain(rest).collect::<Vec<_>>().join("globally_unique_id: ")
    })
}

fn paths(metadata: &Metadata<'_>) -> Vec<ItemPath> {
    metadata.items().map(|item| item.path()).collect()
}

#[test]
fn an_empty_edit_is_the_identity() {
    for (_, source) in real_files() {
        assert_eq!(apply(&Edit::new(), &source), source);
    }
}

#[test]
fn every_field_at_every_item_of_real_files() {
    for (file, source) in real_files() {
        for path in paths(&metadata(&source)) {
            for field in Field::ALL {
                let edit = Edit::new().at(path.clone()).set(field, sound(field)).unwrap();
                let edited = apply(&edit, &source);
                let (before, after) = (metadata(&source), metadata(&edited));
                assert_eq!(text(after.item(&path).unwrap(), field), Some(sound(field)), "{file} {path}");
                for (old, new) in before.items().zip(after.items()) {
                    for other in Field::ALL.into_iter().filter(|other| *other != field || old.path() != path) {
                        assert_eq!(text(old, other), text(new, other), "{file}");
                    }
                    assert_eq!(old.name().map(|name| name.as_bytes()), new.name().map(|name| name.as_bytes()));
                }
            }
        }
    }
}

#[test]
fn set_and_unset_restores_the_original() {
    for (file, source) in real_files() {
        let metadata = metadata(&source);
        for (item, path) in metadata.items().zip(paths(&metadata)) {
            for field in [Field::Authors, Field::Version].into_iter().filter(|field| item.annotation(*field).is_none())
            {
                let set = Edit::new().at(path.clone()).set(field, sound(field)).unwrap();
                let unset = Edit::new().at(path.clone()).unset(field).unwrap();
                let changed = apply(&set, &source);
                let back = apply(&unset, &changed);
                // A size field that grew stays wide.
                let widened = back.len() - source.len();
                assert!(widened <= path.indexes().len(), "{file} {path}");
                assert!(widened > 0 || back == source, "{file} {path}");
            }
        }
    }
}

#[test]
fn names_at_every_item_of_real_files() {
    for (file, source) in real_files() {
        for path in paths(&metadata(&source)) {
            let edited = match Edit::new().at(path.clone()).name("new name").unwrap().plan_slice(&source) {
                Ok(_) => apply(&Edit::new().at(path.clone()).name("new name").unwrap(), &source),
                Err(EditError::MovesLinked) if file.ends_with(".o") => continue,
                Err(error) => panic!("{file} {path}: {error}"),
            };
            let after = metadata(&edited);
            let item = after.item(&path).unwrap();
            assert_eq!(item.name().and_then(|name| name.as_str()), Some("new name"), "{file} {path}");
            let found: Vec<_> = after.findings().iter().map(|finding| finding.code()).collect();
            let before: Vec<_> = metadata(&source).findings().iter().map(|finding| finding.code()).collect();
            assert_eq!(found, before, "{file} {path}: an edit adds a finding");
            let cleared = apply(&Edit::new().at(path.clone()).clear_name().unwrap(), &edited);
            assert_eq!(metadata(&cleared).item(&path).unwrap().name(), None);
        }
    }
}

#[test]
fn producers_at_every_item_of_real_files() {
    for (file, source) in real_files() {
        for path in paths(&metadata(&source)) {
            let add = Edit::new().at(path.clone()).add_producer("sdk", "ours", "1").add_producer("sdk", "theirs", "");
            let edited = match add.plan_slice(&source) {
                Ok(_) => apply(&add, &source),
                Err(EditError::MovesLinked) if file.ends_with(".o") => continue,
                Err(error) => panic!("{file} {path}: {error}"),
            };
            let all = |bytes: &[u8]| -> Vec<(String, String, String)> {
                let metadata = metadata(bytes);
                let fields = metadata.item(&path).unwrap().producers().fields();
                fields
                    .flat_map(|field| {
                        field.values().map(move |(name, version)| (field.name().into(), name.into(), version.into()))
                    })
                    .collect()
            };
            let (before, after) = (all(&source), all(&edited));
            assert!(before.iter().all(|value| after.contains(value)), "{file} {path}");
            assert_eq!(after.len(), before.len() + 2);
            let drop = Edit::new().at(path.clone()).drop_producer("sdk", "ours").drop_producer("sdk", "theirs");
            let back = apply(&drop, &edited);
            assert_eq!(all(&back), before, "{file} {path}");
        }
    }
}

#[test]
fn wasm_metadata_reads_what_was_written() {
    for (file, source) in real_files() {
        let edit = Edit::new()
            .set(Field::Authors, "me")
            .and_then(|edit| edit.set(Field::Licenses, "MIT"))
            .and_then(|edit| edit.set(Field::Homepage, "https://example.com/a"))
            .unwrap();
        let payload = wasm_metadata::Payload::from_binary(&apply(&edit, &source)).unwrap();
        let read = payload.metadata();
        assert_eq!(read.authors.as_ref().unwrap().to_string(), "me", "{file}");
        assert_eq!(read.licenses.as_ref().unwrap().to_string(), "MIT", "{file}");
        assert_eq!(read.homepage.as_ref().unwrap().to_string(), "https://example.com/a", "{file}");
    }
}

#[test]
fn a_field_is_replaced_in_place() {
    let source = module(&[custom("a", "1"), custom("authors", "me"), custom("b", "2")]);
    let edited = apply(&Edit::new().set(Field::Authors, "you and me").unwrap(), &source);
    assert_eq!(edited, module(&[custom("a", "1"), custom("authors", "you and me"), custom("b", "2")]));
}

#[test]
fn setting_a_duplicate_field_leaves_one_section() {
    let source = module(&[custom("authors", "me"), custom("x", ""), custom("authors", "you")]);
    let edited = apply(&Edit::new().set(Field::Authors, "us").unwrap(), &source);
    assert_eq!(edited, module(&[custom("authors", "us"), custom("x", "")]));
    assert_eq!(apply(&Edit::new().unset(Field::Authors).unwrap(), &source), module(&[custom("x", "")]));
}

#[test]
fn a_malformed_value_is_replaced_and_others_are_kept() {
    let source = module(&[
        custom("licenses", "no license"),
        custom("authors", b"\xff"),
        custom("homepage", "HTTPS://Example.com:443/a/../b"),
    ]);
    let edited = apply(&Edit::new().set(Field::Licenses, "MIT").unwrap(), &source);
    assert_eq!(
        edited,
        module(&[
            custom("licenses", "MIT"),
            custom("authors", b"\xff"),
            custom("homepage", "HTTPS://Example.com:443/a/../b")
        ])
    );
}

#[test]
fn padded_sizes_keep_their_width() {
    let body = [&*prefixed("authors"), b"me"].concat();
    let wide = |body: &[u8]| [&[0], &*padded(body.len() as u32, 5), body].concat();
    let inner = [&MODULE[..], &wide(&body)].concat();
    let source = [&COMPONENT[..], &[1], &padded(inner.len() as u32, 4), &inner].concat();
    let edit = Edit::new().at("0".parse().unwrap()).set(Field::Authors, "you and me").unwrap();
    let body = [&*prefixed("authors"), b"you and me"].concat();
    let inner = [&MODULE[..], &wide(&body)].concat();
    assert_eq!(apply(&edit, &source), [&COMPONENT[..], &[1], &padded(inner.len() as u32, 4), &inner].concat());
}

#[test]
fn a_size_field_grows_only_where_it_must() {
    let inner = module(&[section(1, &[0]), custom("x", [0; 100])]);
    assert!(inner.len() < 128);
    let source = component(&[nested(&component(&[nested(&inner)])), custom("tail", "")]);
    let edit = Edit::new().at("0/0".parse().unwrap()).set(Field::Description, "a longer text").unwrap();
    let inner = module(&[section(1, &[0]), custom("x", [0; 100]), custom("description", "a longer text")]);
    assert_eq!(apply(&edit, &source), component(&[nested(&component(&[nested(&inner)])), custom("tail", "")]));
}

#[test]
fn one_edit_changes_several_items() {
    let source = component(&[nested(&module(&[])), nested(&component(&[nested(&module(&[]))]))]);
    let edit = |field| {
        ["", "0", "1", "1/0"]
            .into_iter()
            .fold(Edit::new(), |edit, path| edit.at(path.parse().unwrap()).set(field, sound(field)).unwrap())
    };
    let edited = apply(&edit(Field::Vendor), &source);
    let with = custom("vendor", "some text");
    let expected = component(&[
        nested(&module(std::slice::from_ref(&with))),
        nested(&component(&[nested(&module(std::slice::from_ref(&with))), with.clone()])),
        with,
    ]);
    assert_eq!(edited, expected);
}

/// Items that end at the same offset: insertions for the innermost come first.
#[test]
fn items_that_end_at_the_same_offset_are_edited() {
    let source = component(&[nested(&component(&[nested(&module(&[]))]))]);
    let edit = ["", "0/0", "0"].into_iter().fold(Edit::new(), |edit, path| {
        edit.at(path.parse().unwrap()).set(Field::Vendor, format!("vendor of {path}")).unwrap()
    });
    let vendor = |path: &str| custom("vendor", format!("vendor of {path}"));
    let inner = component(&[nested(&module(&[vendor("0/0")])), vendor("0")]);
    assert_eq!(apply(&edit, &source), component(&[nested(&inner), vendor("")]));
}

/// The data of an empty section and a new section start at the same offset.
#[test]
fn an_empty_last_section_takes_its_value_before_an_addition() {
    let source = module(&[custom("vendor", "")]);
    let edit = Edit::new().set(Field::Authors, "me").unwrap().set(Field::Vendor, "v").unwrap();
    assert_eq!(apply(&edit, &source), module(&[custom("vendor", "v"), custom("authors", "me")]));
}

#[test]
fn only_subsection_0_of_a_name_section_changes() {
    let rest = [section(1, b"not to be parsed"), section(9, b"\xff\xff")].concat();
    let old = module(&[custom("name", [section(0, &prefixed("old")), rest.clone()].concat())]);
    let edited = apply(&Edit::new().name("a new one").unwrap(), &old);
    assert_eq!(edited, module(&[custom("name", [section(0, &prefixed("a new one")), rest.clone()].concat())]));
    let cleared = apply(&Edit::new().clear_name().unwrap(), &edited);
    assert_eq!(cleared, module(&[custom("name", rest.clone())]));
    assert_eq!(apply(&Edit::new().name("old").unwrap(), &cleared), old);
}

#[test]
fn an_emptied_name_section_is_removed() {
    let source = module(&[custom("x", ""), custom("name", section(0, &prefixed("n"))), custom("y", "")]);
    assert_eq!(apply(&Edit::new().clear_name().unwrap(), &source), module(&[custom("x", ""), custom("y", "")]));
    let empty = module(&[custom("name", "")]);
    assert_eq!(apply(&Edit::new().clear_name().unwrap(), &empty), empty);
    assert_eq!(apply(&Edit::new().name("n").unwrap(), &empty), module(&[custom("name", section(0, &prefixed("n")))]));
}

#[test]
fn setting_a_name_leaves_one_name_in_two_name_sections() {
    let rest = section(1, b"kept");
    let with = |own: &str| custom("name", [section(0, &prefixed(own)), rest.clone()].concat());
    let source = module(&[custom("name", rest.clone()), with("first"), with("second")]);
    let edited = apply(&Edit::new().name("only").unwrap(), &source);
    assert_eq!(edited, module(&[custom("name", rest.clone()), with("only"), custom("name", rest.clone())]));
}

#[test]
fn new_sections_are_placed_where_linkers_accept_them() {
    let known = [section(1, &[0]), section(11, &[0])].concat();
    let (features, made) = (custom("target_features", [0]), custom("producers", producers(&[("sdk", &[("a", "1")])])));
    let named = custom("name", section(0, &prefixed("n")));
    let source = module(&[known.clone(), made.clone(), features.clone(), custom("x", "")]);
    assert_eq!(
        apply(&Edit::new().name("n").unwrap(), &source),
        module(&[known.clone(), named.clone(), made.clone(), features.clone(), custom("x", "")])
    );
    let source = module(&[known.clone(), features.clone()]);
    let both = Edit::new().add_producer("sdk", "a", "1").name("n").unwrap().set(Field::Vendor, "v").unwrap();
    let expected = module(&[known, named, made, features, custom("vendor", "v")]);
    assert_eq!(apply(&both, &source), expected);
}

#[test]
fn two_producers_sections_are_merged_without_loss() {
    let first = producers(&[("sdk", &[("a", "1")]), ("sdk", &[("b", "2")]), ("unknown", &[("u", "")])]);
    let second = producers(&[("language", &[("Rust", "")])]);
    let source = module(&[custom("producers", first), custom("producers", second.clone())]);
    let edited = apply(&Edit::new().add_producer("sdk", "b", "3"), &source);
    let first = producers(&[("sdk", &[("a", "1")]), ("sdk", &[("b", "3")]), ("unknown", &[("u", "")])]);
    assert_eq!(edited, module(&[custom("producers", first.clone()), custom("producers", second)]));
    let dropped = apply(&Edit::new().drop_producer("language", "Rust"), &edited);
    assert_eq!(dropped, module(&[custom("producers", first)]));
}

/// The last of several changes to one producer wins. Dropping it in between does not change its
/// position.
#[test]
fn a_dropped_and_readded_producer_keeps_its_position() {
    let sdk = |values: &[(&str, &str)]| module(&[custom("producers", producers(&[("sdk", values)]))]);
    let edit = Edit::new().drop_producer("sdk", "a").add_producer("sdk", "a", "2").add_producer("sdk", "b", "1");
    assert_eq!(apply(&edit, &module(&[])), sdk(&[("a", "2"), ("b", "1")]));
    assert_eq!(apply(&edit, &sdk(&[("a", "1"), ("c", "")])), sdk(&[("a", "2"), ("c", ""), ("b", "1")]));
    let none = Edit::new().add_producer("sdk", "a", "2").drop_producer("sdk", "a");
    assert_eq!(apply(&none, &module(&[])), module(&[]));
    assert_eq!(apply(&none, &sdk(&[("a", "1")])), module(&[]));
}

#[test]
fn put_append_and_remove() {
    let source = module(&[custom("x", "1"), custom("x", "2")]);
    assert_eq!(apply(&Edit::new().put("x", "3").unwrap(), &source), module(&[custom("x", "3")]));
    assert_eq!(apply(&Edit::new().remove("x").unwrap(), &source), MODULE);
    let planned = Edit::new().append("x", "3").unwrap().plan_slice(&source).unwrap();
    let plan = planned.plan();
    assert_eq!(plan.to_vec(&source).unwrap(), module(&[custom("x", "1"), custom("x", "2"), custom("x", "3")]));
    assert_eq!(plan.pieces().len(), 2);
}

#[test]
fn impossible_edits_are_errors_without_a_plan() {
    let source = component(&[nested(&module(&[custom("name", b"\x00\x05abc"), custom("producers", b"\x09")]))]);
    let plan = |edit: Edit| edit.plan_slice(&source).unwrap_err();
    let inner = || Edit::new().at("0".parse().unwrap());
    assert!(matches!(
        plan(Edit::new().at("1".parse().unwrap()).set(Field::Vendor, "v").unwrap()),
        EditError::NoItem(_)
    ));
    assert!(matches!(plan(inner().name("n").unwrap()), EditError::Unreadable { section: "name", .. }));
    assert!(matches!(plan(inner().add_producer("sdk", "a", "")), EditError::Unreadable { section: "producers", .. }));
    assert!(matches!(plan(inner().name("n").unwrap().put("name", "").unwrap()), EditError::Twice(_)));
    let broken = &source[..source.len() - 1];
    let error = Edit::new().set(Field::Vendor, "v").unwrap().plan_slice(broken).unwrap_err();
    assert!(matches!(error, EditError::Source(_)));

    assert!(matches!(Edit::new().set(Field::Homepage, "javascript:alert(1)"), Err(EditError::Invalid { .. })));
    assert!(matches!(Edit::new().set(Field::Source, "git@github.com:a/b.git"), Err(EditError::Invalid { .. })));
    assert!(Edit::new().set_unchecked(Field::Source, "git@github.com:a/b.git").is_ok());
    assert!(Edit::new().set(Field::Licenses, "GPL-3.0").is_ok());
    assert!(matches!(Edit::new().set(Field::Vendor, "v").unwrap().unset(Field::Vendor), Err(EditError::Twice(_))));
    assert!(matches!(Edit::new().put("", "x"), Err(EditError::SectionName(0))));
    assert!(matches!(Edit::new().put("x".repeat(100_001), "x"), Err(EditError::SectionName(100_001))));
    // A malformed section does not affect another one.
    assert!(inner().set(Field::Vendor, "v").unwrap().plan_slice(&source).is_ok());
}

/// A section that exceeds a limit is not decoded, so an edit of it is refused. Other edits are not.
#[test]
fn sections_too_large_to_decode_are_not_edited() {
    let long = "a".repeat(100);
    let limits = Limits { max_section_data: 50, ..Limits::default() };
    let source = module(&[
        custom("name", section(0, &prefixed(&*long))),
        custom("producers", producers(&[("sdk", &[(&*long, "1")])])),
    ]);
    let plan = |edit: Edit| edit.with_limits(limits).plan_slice(&source);
    for (edit, name, said) in [
        (Edit::new().name("n").unwrap(), "name", "its name is too long"),
        (Edit::new().add_producer("sdk", "a", ""), "producers", "it exceeds the size limit"),
    ] {
        let Err(EditError::Unreadable { section, why, .. }) = plan(edit) else { panic!("{name}") };
        assert_eq!((section, why), (name, said));
    }
    for edit in [Edit::new().set(Field::Vendor, "v").unwrap(), Edit::new().remove("producers").unwrap()] {
        assert!(!plan(edit).unwrap().plan().is_identity());
    }
}

/// An edit that sets a section and removes it by a pattern contradicts itself.
#[test]
fn a_section_removed_by_a_pattern_cannot_be_set() {
    let glob = |pattern: &str| Edit::new().remove_matching(Glob::new(pattern).unwrap());
    let refused = |edit: Edit| matches!(edit.plan_slice(&MODULE), Err(EditError::Twice(_)));
    assert!(refused(glob("x*").put("x", "1").unwrap()));
    assert!(refused(glob("[uv]endor").set(Field::Vendor, "v").unwrap()));
    assert!(refused(glob("name").name("n").unwrap()));
    assert!(refused(glob("*").add_producer("sdk", "a", "")));
    assert!(refused(Edit::new().unset_producers().unwrap().add_producer("sdk", "a", "")));
    // Removing a section twice is allowed.
    let source = module(&[custom("x", ""), custom("xy", ""), custom("y", "")]);
    let both = glob("x*").remove("x").unwrap().remove_matching(Glob::literal("xy"));
    assert_eq!(apply(&both, &source), module(&[custom("y", "")]));
    // The same name in another item is another section.
    let tree = component(&[nested(&module(&[custom("x", "")]))]);
    let apart = glob("x").at("0".parse().unwrap()).put("x", "1").unwrap();
    assert_eq!(apply(&apart, &tree), component(&[nested(&module(&[custom("x", "1")]))]));
}

#[test]
fn values_that_cannot_be_read_back_are_refused() {
    assert!(matches!(Edit::new().set_unchecked(Field::Vendor, "a\0b"), Err(EditError::Nul(_))));
    assert!(matches!(Edit::new().set(Field::Vendor, "a\0b"), Err(EditError::Invalid { .. })));
    assert!(matches!(Edit::new().name("a\0b"), Err(EditError::Nul(_))));
    assert!(matches!(Edit::new().put("a\0b", ""), Err(EditError::Nul(_))));
    assert!(matches!(Edit::new().append("a\0b", ""), Err(EditError::Nul(_))));
    // A section with any name may be removed, and data may contain NUL.
    let source = module(&[custom("a\0b", ""), custom("x", "")]);
    let edit = Edit::new().remove("a\0b").unwrap().put("x", "\0").unwrap();
    assert_eq!(apply(&edit, &source), module(&[custom("x", "\0")]));

    let plan = |edit: &Edit, limits: Limits| edit.clone().with_limits(limits).plan_slice(&MODULE).map(drop);
    assert!(matches!(plan(&Edit::new().add_producer("sdk", "a\0b", ""), Limits::default()), Err(EditError::Nul(_))));
    let few = Limits { max_section_data: 10, max_name_len: 10, ..Limits::default() };
    let long = "a".repeat(11);
    for edit in [
        Edit::new().set(Field::Vendor, &*long).unwrap(),
        Edit::new().name(&long[..6]).unwrap(),
        Edit::new().add_producer("sdk", &*long, ""),
        Edit::new().add_producer("sdk", "a", "").add_producer("sdk", "b", ""),
        Edit::new().put(&*long, "").unwrap(),
        Edit::new().append(&*long, "").unwrap(),
        Edit::new().append("vendor", &*long).unwrap(),
    ] {
        let error = plan(&edit, few).unwrap_err();
        assert!(matches!(error, EditError::TooLong { .. }), "{error}");
        assert!(plan(&edit, Limits::default()).is_ok());
    }
    // Existing producers count, too.
    let source = module(&[custom("producers", producers(&[("sdk", &[("a", "")])]))]);
    let limits = Limits { max_section_data: source.len() as u32 - 8 - 2 - 10, ..Limits::default() };
    assert!(Edit::new().add_producer("sdk", "a", "1").with_limits(limits).plan_slice(&source).is_err());
    assert!(Edit::new().drop_producer("sdk", "a").with_limits(limits).plan_slice(&source).is_ok());
}

/// The reader also takes the name from the name section of the other kind of item.
#[test]
fn clearing_a_name_clears_the_other_kinds_name_section() {
    let source = module(&[custom("name", name("mine")), custom("component-name", name("stray"))]);
    let bare = custom("component-name", section(1, b"not to be parsed"));
    let edited = apply(&Edit::new().name("new").unwrap(), &source);
    assert_eq!(edited, module(&[custom("name", name("new")), bare.clone()]));
    assert_eq!(name_of(&edited), "new");
    let cleared = apply(&Edit::new().clear_name().unwrap(), &module(&[custom("component-name", name("stray"))]));
    assert_eq!(cleared, module(&[bare]));
}

#[test]
fn a_name_subsection_with_trailing_bytes_is_replaced() {
    let source = module(&[custom("name", [section(0, b"\x01nmore"), section(1, b"kept")].concat())]);
    for new in ["n", "other"] {
        let expected = module(&[custom("name", [section(0, &prefixed(new)), section(1, b"kept")].concat())]);
        assert_eq!(apply(&Edit::new().name(new).unwrap(), &source), expected);
    }
}

#[test]
fn put_sections_are_placed_where_linkers_accept_them() {
    let (name, made) = (custom("name", section(0, &prefixed("n"))), custom("producers", producers(&[])));
    let (code, features) = (section(10, &[0]), custom("target_features", [0]));
    let put = |edit: Edit, section: &str, data: Vec<u8>| edit.put(section, data).unwrap();
    let edit = put(put(Edit::new(), "producers", producers(&[])), "name", section(0, &prefixed("n")));
    let source = module(&[code.clone(), features.clone()]);
    assert_eq!(apply(&edit, &source), module(&[code, name, made, features]));
}

#[test]
fn sections_that_a_linker_names_by_index_do_not_move() {
    let source = module(&[
        section(10, &[0]),
        custom(".debug_info", ""),
        custom("linking", [2]),
        custom("reloc.CODE", leb128(0)),
    ]);
    let refused = |edit: Edit| matches!(edit.plan_slice(&source), Err(EditError::MovesLinked));
    assert!(refused(Edit::new().remove(".debug_info").unwrap()));
    apply(&Edit::new().set(Field::Vendor, "v").unwrap().name("n").unwrap(), &source);
    let unlinked = module(&[section(10, &[0]), custom(".debug_info", "")]);
    apply(&Edit::new().remove(".debug_info").unwrap(), &unlinked);
}

#[test]
fn a_module_with_a_name_section_out_of_order_is_edited() {
    let source = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/files/adapter-yosys.wasm")).unwrap();
    let before =
        metadata(&source).findings().iter().filter(|finding| finding.code() == FindingCode::MalformedName).count();
    let edited = apply(&Edit::new().set(Field::Vendor, "v").unwrap().name(name_of(&source)).unwrap(), &source);
    let after =
        metadata(&edited).findings().iter().filter(|finding| finding.code() == FindingCode::MalformedName).count();
    assert_eq!((before, after), (0, 0));
    assert!(edited.starts_with(&source));
}

fn name_of(bytes: &[u8]) -> String {
    let name = metadata(bytes).root().name().and_then(|name| name.as_str().map(str::to_owned));
    name.unwrap_or_default()
}

#[test]
fn setting_the_name_that_was_read_changes_nothing() {
    let source = module(&[custom("name", name("mine"))]);
    assert_eq!(apply(&Edit::new().name("mine").unwrap(), &source), source);
}
