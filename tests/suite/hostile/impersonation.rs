//! Duplicate values, and items that impersonate others.

use sectile::metadata::Field;
use sectile::{Limits, read_slice, read_slice_with};

use sectile_testing::all_drivers;
use sectile_testing::binary::{component, custom, module, name, nested, prefixed, producers};
use sectile_testing::found::{self, found, text};
use sectile_testing::memory::measure;

#[test]
fn the_last_duplicate_wins_with_a_finding() {
    for field in Field::ALL {
        let good = match field.expects() {
            sectile::metadata::Expects::DateTime => ["2026-01-31T12:00:00Z", "2026-02-01T00:00:00Z"],
            sectile::metadata::Expects::License => ["MIT", "Apache-2.0"],
            _ => ["https://example.com/a", "https://example.com/b"],
        };
        let section = field.section();
        let bytes = module(&[custom(section, good[0]), custom(section, good[1])]);
        let metadata = all_drivers::metadata(&bytes);
        assert_eq!(text(metadata.root(), field), Some(good[1]));
        assert_eq!(found(&metadata), [format!("duplicate-section {section}")]);
    }
}

#[test]
fn an_empty_duplicate_wins_too() {
    let bytes = module(&[custom("authors", "me"), custom("authors", "")]);
    let metadata = all_drivers::metadata(&bytes);
    assert_eq!(text(metadata.root(), Field::Authors), Some(""));
    assert_eq!(found(&metadata), ["duplicate-section authors", "empty-value authors"]);
}

#[test]
fn a_million_duplicates_are_one_finding() {
    let duplicates = custom("authors", "a").repeat(999_999);
    let bytes = module(&[duplicates, custom("authors", "the last")]);
    let (outcome, allocated) = measure(|| read_slice_with(&bytes, Limits::default()));
    let metadata = outcome.complete().unwrap();
    assert_eq!(text(metadata.root(), Field::Authors), Some("the last"));
    assert_eq!(found(&metadata), ["duplicate-section authors ×999999"]);
    assert!(allocated.peak <= 16 << 10, "{allocated:?}");

    let bytes = module(&[custom("authors", "a").repeat(2000)]);
    assert_eq!(found(&all_drivers::metadata(&bytes)), ["duplicate-section authors ×1999"]);
}

#[test]
fn a_million_duplicates_of_changing_names_are_a_few_findings() {
    let pair = [custom("authors", "a"), custom("vendor", "b")].concat();
    let bytes = module(&[pair.repeat(100_000)]);
    let metadata = read_slice(&bytes).unwrap();
    assert!(metadata.findings().iter().count() <= 65);
    assert_eq!(metadata.findings().iter().map(|finding| finding.count()).sum::<u64>(), 199_998);
}

#[test]
fn nested_values_are_never_the_roots() {
    let annotations = Field::ALL.map(|field| custom(field.section(), "fake")).concat();
    let sections = [
        annotations,
        custom("name", name("fake")),
        custom("component-name", name("fake")),
        custom("producers", producers(&[("sdk", &[("fake", "1")])])),
        custom("registry-metadata", "{}"),
        custom("build_id", prefixed("fake")),
        custom(".dep-v0", ""),
    ]
    .concat();
    let sections = [sections];
    for inner in [module(&sections), component(&sections)] {
        for bytes in [
            component(&[nested(&inner)]),
            component(&[custom("x", ""), nested(&inner), custom("x", "")]),
            component(&[nested(&component(&[nested(&inner)]))]),
        ] {
            let (metadata, result) = all_drivers::read(&bytes, Limits::default());
            result.unwrap();
            let metadata = metadata.unwrap();
            let mut others = metadata.items();
            let impostor = others.next_back().unwrap();
            assert!(others.len() > 0);
            for item in others {
                assert_eq!((item.annotations().count(), item.name(), item.debug_links().count()), (0, None, 0));
                assert!(item.producers().is_empty() && item.producers().ranges().next().is_none());
                assert_eq!((item.dependencies(), item.registry_metadata()), (None, None));
            }
            assert_eq!(impostor.annotations().count(), Field::ALL.len());
            assert_eq!(found::name(impostor), Some("fake"));
            let path = impostor.path();
            assert!(
                !metadata.findings().is_empty() && metadata.findings().iter().all(|finding| *finding.path() == path)
            );
        }
    }
}

#[test]
fn the_same_section_in_several_items_is_not_a_duplicate() {
    let inner = |author| nested(&module(&[custom("authors", author), custom("name", name(author))]));
    let outer = [custom("authors", "root"), inner("first"), inner("second"), custom("component-name", name("root"))];
    let bytes = component(&outer);
    let metadata = all_drivers::metadata(&bytes);
    assert!(metadata.findings().is_empty(), "{:?}", metadata.findings());
    for (item, author) in metadata.items().zip(["root", "first", "second"]) {
        assert_eq!((text(item, Field::Authors), found::name(item)), (Some(author), Some(author)));
    }
}

/// A path that exists in one tree does not resolve in another.
#[test]
fn a_path_of_another_tree_is_not_found() {
    let bytes = component(&[nested(&component(&[nested(&component(&[nested(&module(&[]))]))]))]);
    let deep = read_slice(&bytes).unwrap();
    let other = module(&[]);
    let flat = read_slice(&other).unwrap();
    for (depth, item) in deep.items().enumerate() {
        let path = item.path();
        assert_eq!(path.indexes(), vec![0; depth]);
        assert_eq!(deep.item(&path).map(|item| item.number()), Some(depth));
        assert_eq!(flat.item(&path).is_some(), depth == 0);
    }
}
