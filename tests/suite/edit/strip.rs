//! The sections that stripping removes and keeps.

use std::fs;

use sectile::Glob;
use sectile::edit::{ChangeKind, Edit, EditError, EditPlan, Strip};
use sectile::metadata::{Metadata, SectionPurpose};

use super::{apply, real_files, verdict};
use sectile_testing::all_drivers::metadata;
use sectile_testing::binary::{component, custom, module, name, nested, padded, prefixed, producers, section};
use sectile_testing::found;
use sectile_testing::growth::assert_linear;

fn debug() -> Vec<u8> {
    [custom(".debug_info", "info"), custom(".debug_str", [7; 200])].concat()
}

/// Sections that stripping keeps.
fn kept() -> Vec<u8> {
    [
        custom("name", name("mine")),
        custom("producers", producers(&[("sdk", &[("kit", "1")])])),
        custom("authors", "me"),
        custom("build_id", prefixed([1, 2, 3])),
        custom("sourceMappingURL", prefixed("a.map")),
        custom("external_debug_info", prefixed("a.debug.wasm")),
        custom("target_features", [0]),
        custom("unheard-of", "x"),
    ]
    .concat()
}

fn strip(strip: Strip) -> Edit {
    Edit::new().strip(strip)
}

fn plan(edit: &Edit, source: &[u8]) -> EditPlan {
    edit.plan_slice(source).unwrap()
}

fn removed(planned: &EditPlan) -> Vec<String> {
    assert!(planned.changes().iter().all(|change| change.kind() == ChangeKind::Removed));
    planned.changes().iter().map(|change| format!("{}:{}", change.path(), change.section())).collect()
}

#[test]
fn debug_sections_are_removed_from_every_item() {
    let inner = |debug: &[u8]| nested(&module(&[custom("dylink.0", ""), kept(), debug.to_vec()]));
    let tree =
        |debug: Vec<u8>| component(&[inner(&debug), nested(&component(&[inner(&debug), kept()])), kept(), debug]);
    let source = tree(debug());
    let edit = strip(Strip::new());
    assert_eq!(apply(&edit, &source), tree(vec![]));
    let planned = plan(&edit, &source);
    assert_eq!(
        removed(&planned),
        ["0:.debug_info", "0:.debug_str", "1/0:.debug_info", "1/0:.debug_str", ":.debug_info", ":.debug_str"]
    );
    let saved: u64 = planned.changes().iter().map(|change| change.before() - change.after()).sum();
    let narrower = saved - (source.len() as u64 - planned.plan().len());
    assert_eq!(narrower, 0, "size fields keep their width");
}

#[test]
fn strip_may_be_limited_to_one_item() {
    let inner = module(&[debug()]);
    let source = component(&[nested(&inner), nested(&component(&[nested(&inner), debug()])), debug()]);
    let at = |path: &str, strip| plan(&Edit::new().at(path.parse().unwrap()).strip(strip), &source);
    assert_eq!(removed(&at("", Strip::new().this_item_only())), [":.debug_info", ":.debug_str"]);
    assert_eq!(removed(&at("1", Strip::new().this_item_only())), ["1:.debug_info", "1:.debug_str"]);
    assert_eq!(removed(&at("1", Strip::new())), ["1/0:.debug_info", "1/0:.debug_str", "1:.debug_info", "1:.debug_str"]);
    // The strip of an item overrides those of its enclosing items.
    let edit = strip(Strip::new()).at("1".parse().unwrap()).strip(Strip::new().keep(Glob::new("*").unwrap()));
    assert_eq!(removed(&plan(&edit, &source)), ["0:.debug_info", "0:.debug_str", ":.debug_info", ":.debug_str"]);
    let missing = Edit::new().at("2".parse().unwrap()).strip(Strip::new());
    assert!(matches!(missing.plan_slice(&source), Err(EditError::NoItem(_))));
}

#[test]
fn names_are_stripped_on_request_except_the_items_own() {
    let own = |own: &str| custom("name", section(0, &prefixed(own)));
    let tree = |inner: Vec<u8>, unnamed: Vec<u8>| component(&[nested(&module(&[inner])), nested(&module(&[unnamed]))]);
    let source = tree(custom("name", name("mine")), custom("name", section(1, b"not to be parsed")));
    assert_eq!(apply(&strip(Strip::new()), &source), source);
    assert_eq!(apply(&strip(Strip::new().names()), &source), tree(own("mine"), vec![]));
    let kept = Strip::new().names().keep(Glob::literal("name"));
    assert_eq!(apply(&strip(kept), &source), source);
    // Together with a new name for one of them.
    let edit = strip(Strip::new().names()).at("1".parse().unwrap()).name("new").unwrap();
    assert_eq!(apply(&edit, &source), tree(own("mine"), own("new")));
}

#[test]
fn malformed_name_sections_are_kept() {
    let source = module(&[custom("name", b"\x01\x09x"), debug()]);
    let planned = plan(&strip(Strip::new().names()), &source);
    assert_eq!(removed(&planned), [":.debug_info", ":.debug_str"]);
    assert_eq!(planned.findings()[0].code(), sectile::FindingCode::MalformedName);
}

#[test]
fn strip_all_removes_sections_without_a_known_purpose() {
    let source = module(&[kept(), debug(), custom("x", ""), custom("go.buildid", "id")]);
    let edit = strip(Strip::new().all().keep(Glob::new("go.*").unwrap()));
    let edited = apply(&edit, &source);
    assert_eq!(edited, module(&[kept().without(&custom("unheard-of", "x")), custom("go.buildid", "id")]));
    // Sections that the same edit puts are not stripped.
    let edit = edit.put("x", "wanted").unwrap().append("y", "").unwrap();
    let planned = plan(&edit, &source);
    let metadata_of = planned.plan().to_vec(&source).unwrap();
    assert!(metadata_of.ends_with(&custom("y", "")));
    assert!(metadata_of.windows(6).any(|bytes| bytes == b"wanted"));
}

trait Without {
    fn without(&self, gone: &[u8]) -> Vec<u8>;
}

impl Without for Vec<u8> {
    fn without(&self, gone: &[u8]) -> Vec<u8> {
        let at = self.windows(gone.len()).position(|bytes| bytes == gone).unwrap();
        [&self[..at], &self[at + gone.len()..]].concat()
    }
}

#[test]
fn strip_keeps_the_width_of_padded_sizes() {
    let tree = |sections: Vec<u8>| {
        let inner = module(&[sections]);
        component(&[[&[1], &*padded(inner.len() as u32, 5), &inner].concat()])
    };
    assert_eq!(apply(&strip(Strip::new()), &tree([kept(), debug()].concat())), tree(kept()));
}

/// Compares all decoded values, and all sections with a purpose other than debugging.
#[test]
fn strip_keeps_everything_else_in_real_files() {
    for (file, source) in real_files() {
        let before = metadata(&source);
        for all in [false, true] {
            let edit = strip(if all { Strip::new().all() } else { Strip::new() });
            let edited = match edit.plan_slice(&source) {
                Ok(_) => apply(&edit, &source),
                Err(EditError::MovesLinked) if file.ends_with(".o") => continue,
                Err(error) => panic!("{file}: {error}"),
            };
            let after = metadata(&edited);
            assert_eq!(decoded_values(&before), decoded_values(&after), "{file}");
            for (old, new) in before.items().zip(after.items()) {
                let purposes = |item: sectile::metadata::Item<'_>| -> Vec<_> {
                    let keeps = |share: &sectile::metadata::SectionSize| {
                        share.name() != "custom" && share.purpose() != Some(SectionPurpose::Debug)
                    };
                    let shares = item.section_sizes().filter(keeps);
                    shares
                        .filter(|share| share.purpose().is_some())
                        .map(|share| (share.name(), share.bytes()))
                        .collect()
                };
                assert_eq!(purposes(old), purposes(new), "{file}");
                assert!(!new.section_sizes().any(|share| share.purpose() == Some(SectionPurpose::Debug)), "{file}");
            }
        }
    }
}

/// All decoded values as text.
fn decoded_values(metadata: &Metadata<'_>) -> Vec<String> {
    let item = |item: sectile::metadata::Item<'_>| {
        let annotations: Vec<_> = item.annotations().map(|(field, value)| (field, value.as_bytes().to_vec())).collect();
        let links: Vec<_> = item.debug_links().map(|(name, value)| (name, value.as_bytes().to_vec())).collect();
        let dependencies = item.dependencies().map(|dependencies| dependencies.raw().as_bytes().to_vec());
        format!("{:?} {annotations:?} {links:?} {dependencies:?} {:?}", found::name(item), found::producers(item))
    };
    metadata.items().map(item).collect()
}

/// Symbols and relocations of an object refer to its debug sections.
#[test]
fn objects_are_stripped_only_with_force() {
    let source = fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/files/clang-fib.o")).unwrap();
    let refused = strip(Strip::new()).plan_slice(&source);
    assert!(matches!(refused, Err(EditError::MovesLinked)));
    let forced = strip(Strip::new()).force();
    let edited = apply(&forced, &source);
    let planned = plan(&forced, &source);
    let gone = removed(&planned);
    assert!(gone.iter().all(|section| section.contains(".debug_")) && gone.contains(&":reloc..debug_info".to_owned()));
    assert!(verdict(&edited).is_ok() && edited.windows(7).any(|bytes| bytes == b"linking"));
    // An object without debug sections is not changed.
    let bare = module(&[section(10, &[0]), custom("linking", [2]), custom("reloc.CODE", [0, 0])]);
    assert_eq!(apply(&strip(Strip::new()), &bare), bare);
}

#[test]
fn linker_sections_are_removed_only_with_force() {
    let source = module(&[section(10, &[0]), custom("linking", [2]), custom("reloc.CODE", [0, 0]), custom("x", "")]);
    for glob in ["linking", "reloc.*", "*"] {
        let edit = Edit::new().remove_matching(Glob::new(glob).unwrap());
        let refused = edit.plan_slice(&source);
        assert!(matches!(refused, Err(EditError::MovesLinked)), "{glob}");
        apply(&edit.force(), &source);
    }
    assert!(matches!(Edit::new().remove("linking").unwrap().plan_slice(&source), Err(EditError::MovesLinked)));
}

/// The time is linear in the number of items: one scan and one plan.
#[test]
fn stripping_many_items_takes_one_pass() {
    let items = 590;
    let inner = nested(&module(&[section(1, &[0]), debug(), custom("authors", "me")]));
    assert_linear(
        4 * items,
        |items| component(&vec![inner.clone(); items]),
        |source| plan(&strip(Strip::new()), source),
    );
    let source = component(&vec![inner; items]);
    let planned = plan(&strip(Strip::new()), &source);
    assert_eq!(planned.changes().len(), 2 * items);
    let stripped = nested(&module(&[section(1, &[0]), custom("authors", "me")]));
    let edited = planned.plan().to_vec(&source).unwrap();
    // Each size field keeps its two bytes.
    assert_eq!(edited.len(), 8 + items * (stripped.len() + 1));
    metadata(&edited);
}
