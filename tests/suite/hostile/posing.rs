//! Several of what there is one of, and items that pose as others.

use sectile::metadata::Field;
use sectile::{Limits, read_slice};

use crate::support::binary::{component, custom, module, name, nested, prefixed, producers};
use crate::support::found::{self, found, text};
use crate::support::memory::measure;
use crate::support::mouths;

#[test]
fn of_duplicates_the_last_counts_and_a_finding_says_so() {
    for field in Field::ALL {
        let good = match field.expects() {
            sectile::metadata::Expects::DateTime => ["2026-01-31T12:00:00Z", "2026-02-01T00:00:00Z"],
            sectile::metadata::Expects::License => ["MIT", "Apache-2.0"],
            _ => ["https://example.com/a", "https://example.com/b"],
        };
        let section = field.section();
        let bytes = module(&[custom(section, good[0]), custom(section, good[1])]);
        let metadata = mouths::metadata(&bytes);
        assert_eq!(text(metadata.root(), field), Some(good[1]));
        assert_eq!(found(&metadata), [format!("duplicate-section {section}")]);
    }
}

#[test]
fn an_empty_duplicate_counts_too() {
    let bytes = module(&[custom("authors", "me"), custom("authors", "")]);
    let metadata = mouths::metadata(&bytes);
    assert_eq!(text(metadata.root(), Field::Authors), Some(""));
    assert_eq!(found(&metadata), ["duplicate-section authors", "empty-value authors"]);
}

#[test]
fn a_million_duplicates_are_one_finding() {
    let duplicates = custom("authors", "a").repeat(999_999);
    let bytes = module(&[duplicates, custom("authors", "the last")]);
    let (outcome, allocated) = measure(|| read_slice(&bytes, Limits::default()).unwrap());
    let metadata = outcome.complete().unwrap();
    assert_eq!(text(metadata.root(), Field::Authors), Some("the last"));
    assert_eq!(found(&metadata), ["duplicate-section authors ×999999"]);
    assert!(allocated.peak <= 16 << 10, "{allocated:?}");

    let bytes = module(&[custom("authors", "a").repeat(2000)]);
    assert_eq!(found(&mouths::metadata(&bytes)), ["duplicate-section authors ×1999"]);
}

#[test]
fn a_million_duplicates_of_changing_names_are_a_few_findings() {
    let pair = [custom("authors", "a"), custom("vendor", "b")].concat();
    let bytes = module(&[pair.repeat(100_000)]);
    let metadata = read_slice(&bytes, Limits::default()).unwrap().complete().unwrap();
    assert!(metadata.findings().iter().count() <= 65);
    assert_eq!(metadata.findings().iter().map(|finding| finding.count).sum::<u64>(), 199_998);
}

#[test]
fn what_a_nested_item_says_is_never_the_roots() {
    let posing = Field::ALL.map(|field| custom(field.section(), "posing")).concat();
    let posing = [
        posing,
        custom("name", name("posing")),
        custom("component-name", name("posing")),
        custom("producers", producers(&[("sdk", &[("posing", "1")])])),
        custom("registry-metadata", "{}"),
        custom("build_id", prefixed("posing")),
        custom(".dep-v0", ""),
    ]
    .concat();
    let posing = [posing];
    for inner in [module(&posing), component(&posing)] {
        for bytes in [
            component(&[nested(&inner)]),
            component(&[custom("x", ""), nested(&inner), custom("x", "")]),
            component(&[nested(&component(&[nested(&inner)]))]),
        ] {
            let (metadata, result) = mouths::read(&bytes, Limits::default());
            result.unwrap();
            let metadata = metadata.unwrap();
            let (poser, others) = metadata.items().split_last().unwrap();
            for item in others {
                assert_eq!((item.annotations().count(), item.name(), item.debug_links().count()), (0, None, 0));
                assert!(item.producers().is_empty() && item.producers().ranges().next().is_none());
                assert_eq!((item.dependencies(), item.registry_metadata()), (None, None));
            }
            assert_eq!(poser.annotations().count(), Field::ALL.len());
            assert_eq!(found::name(poser), Some("posing"));
            let path = metadata.path(poser);
            assert!(!metadata.findings().is_empty() && metadata.findings().iter().all(|finding| finding.path == path));
        }
    }
}

#[test]
fn the_same_section_in_several_items_is_no_duplicate() {
    let inner = |author| nested(&module(&[custom("authors", author), custom("name", name(author))]));
    let outer = [custom("authors", "root"), inner("first"), inner("second"), custom("component-name", name("root"))];
    let bytes = component(&outer);
    let metadata = mouths::metadata(&bytes);
    assert!(metadata.findings().is_empty(), "{:?}", metadata.findings());
    for (item, author) in metadata.items().iter().zip(["root", "first", "second"]) {
        assert_eq!((text(item, Field::Authors), found::name(item)), (Some(author), Some(author)));
    }
}

/// No path is made up for it, but nothing ends, either.
#[test]
fn the_path_of_an_item_of_another_tree() {
    let bytes = component(&[nested(&component(&[nested(&component(&[nested(&module(&[]))]))]))]);
    let deep = read_slice(&bytes, Limits::default()).unwrap().value;
    let other = module(&[]);
    let flat = read_slice(&other, Limits::default()).unwrap().value;
    let paths = deep.items().iter().map(|item| (deep.path(item), flat.path(item)));
    for (depth, (own, others)) in paths.enumerate() {
        assert_eq!(own.indexes().len(), depth);
        assert!(others.indexes().len() <= depth);
    }
}
