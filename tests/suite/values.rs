//! Values compared with wasm-metadata, and invariants of any read.

use std::collections::HashSet;

use sectile::Limits;
use sectile::metadata::{Field, Item, Metadata, Value};
use sectile::scan::{ItemKind, ItemPath};
use wasm_metadata::{AddMetadata, AddMetadataField, Payload};

use sectile_testing::all_drivers;
use sectile_testing::binary::{component, custom, module, name, nested, prefixed, producers, section, zlib};
use sectile_testing::files::{files, real_files};
use sectile_testing::found::{self, found};
use sectile_testing::seeded::Seeded;

// The oracle

/// Asserts that the metadata is what wasm-metadata reads. Returns whether wasm-metadata reads the
/// file.
#[track_caller]
fn agrees(bytes: &[u8], what: &str) -> bool {
    let Ok(payload) = Payload::from_binary(bytes) else { return false };
    let metadata = all_drivers::metadata(bytes);
    let mut peers = Vec::new();
    flatten(&payload, &ItemPath::root(), &mut peers);
    assert_eq!(metadata.items().len(), peers.len(), "{what}: items");
    for (item, (path, peer)) in metadata.items().zip(peers) {
        let what = format!("{what}, item `{path}`");
        assert_eq!(item.path(), path, "{what}");
        compare(bytes, item, peer, &what);
    }
    true
}

/// The items in file order, with their paths.
fn flatten<'a>(payload: &'a Payload, path: &ItemPath, items: &mut Vec<(ItemPath, &'a Payload)>) {
    items.push((path.clone(), payload));
    if let Payload::Component { children, .. } = payload {
        for (index, child) in children.iter().enumerate() {
            let mut path = path.clone();
            path.push(index as u32);
            flatten(child, &path, items);
        }
    }
}

fn compare(bytes: &[u8], item: Item<'_>, payload: &Payload, what: &str) {
    let peer = payload.metadata();
    let (kind, children) = match payload {
        Payload::Component { children, .. } => (ItemKind::Component, children.len()),
        Payload::Module(_) => (ItemKind::Module, 0),
    };
    assert_eq!((item.kind(), item.children() as usize), (kind, children), "{what}");
    assert_eq!(item.range(), Some(peer.range.clone()), "{what}: range");
    assert_eq!(item.name().map(|name| name.as_str().unwrap()), peer.name.as_deref(), "{what}: name");

    let text = |value: Option<&dyn ToString>| value.map(ToString::to_string);
    for (field, expected) in [
        (Field::Authors, text(peer.authors.as_ref().map(|value| value as _))),
        (Field::Description, text(peer.description.as_ref().map(|value| value as _))),
        (Field::Licenses, text(peer.licenses.as_ref().map(|value| value as _))),
        (Field::Revision, text(peer.revision.as_ref().map(|value| value as _))),
        (Field::Version, text(peer.version.as_ref().map(|value| value as _))),
    ] {
        assert_eq!(found::text(item, field), expected.as_deref(), "{what}: {field}");
    }
    // wasm-metadata normalizes these: the raw value must normalize to the same.
    let homepage = |raw| wasm_metadata::Homepage::new(raw).unwrap().to_string();
    let expected = peer.homepage.as_ref().map(ToString::to_string);
    assert_eq!(found::text(item, Field::Homepage).map(homepage), expected, "{what}: homepage");
    let source = |raw| wasm_metadata::Source::new(raw).unwrap().to_string();
    let expected = peer.source.as_ref().map(ToString::to_string);
    assert_eq!(found::text(item, Field::Source).map(source), expected, "{what}: source");

    compare_producers(bytes, item, peer.producers.as_ref(), what);
    compare_dependencies(item, peer.dependencies.as_ref(), what);
}

/// Fields with their names and versions.
type Fields<'a> = Vec<(&'a str, Vec<(&'a str, &'a str)>)>;

/// wasm-metadata keeps the last section, the last of duplicate fields, and the last version of
/// duplicate names.
fn compare_producers(bytes: &[u8], item: Item<'_>, peer: Option<&wasm_metadata::Producers>, what: &str) {
    let sections: Vec<&[u8]> =
        item.producers().ranges().map(|range| &bytes[range.start as usize..range.end as usize]).collect();
    assert_eq!(sections.last().is_some(), peer.is_some(), "{what}: producers");

    // All producers in the file, section by section.
    let alone: Vec<Vec<u8>> = sections.iter().map(|data| module(&[custom("producers", data)])).collect();
    let alone: Vec<Metadata<'_>> =
        alone.iter().map(|bytes| sectile::read_slice_with(bytes, Limits::default()).into_value().unwrap()).collect();
    let all: Fields<'_> = alone.iter().flat_map(|metadata| found::producers(metadata.root())).collect();
    assert_eq!(found::producers(item), all, "{what}: producers");

    for (section, data) in alone.iter().zip(&sections) {
        let peer = wasm_metadata::Producers::from_bytes(data, 0).unwrap();
        assert_eq!(as_a_map(&found::producers(section.root())), fields(&peer), "{what}: producers");
    }
    if let (Some(peer), Some(last)) = (peer, alone.last()) {
        assert_eq!(as_a_map(&found::producers(last.root())), fields(peer), "{what}: producers");
    }
}

fn fields(peer: &wasm_metadata::Producers) -> Fields<'_> {
    peer.iter()
        .map(|(field, values)| (&**field, values.iter().map(|(name, version)| (&**name, &**version)).collect()))
        .collect()
}

/// The last value of duplicate keys, at the position of the first, as in wasm-metadata's map.
fn as_a_map<'a>(all: &Fields<'a>) -> Fields<'a> {
    fn last_of<'a, T: Clone>(pairs: impl Iterator<Item = (&'a str, T)>) -> Vec<(&'a str, T)> {
        let mut map: Vec<(&str, T)> = Vec::new();
        for (key, value) in pairs {
            match map.iter_mut().find(|(other, _)| *other == key) {
                Some(entry) => entry.1 = value,
                None => map.push((key, value)),
            }
        }
        map
    }
    last_of(all.iter().map(|(field, values)| (*field, last_of(values.iter().copied()))))
}

#[cfg(not(feature = "dependencies"))]
fn compare_dependencies(item: Item<'_>, peer: Option<&wasm_metadata::Dependencies>, what: &str) {
    assert_eq!(item.dependencies().is_some(), peer.is_some(), "{what}: dependencies");
}

#[cfg(feature = "dependencies")]
fn compare_dependencies(item: Item<'_>, peer: Option<&wasm_metadata::Dependencies>, what: &str) {
    assert_eq!(item.dependencies().is_some(), peer.is_some(), "{what}: dependencies");
    let (Some(item), Some(peer)) = (item.dependencies(), peer) else { return };
    let peers = &peer.version_info().packages;
    assert_eq!(item.packages().len(), peers.len(), "{what}: packages");
    for (package, peer) in item.packages().iter().zip(peers) {
        let ours = (&package.name, &package.version, &package.source);
        assert_eq!(ours, (&peer.name, &peer.version.to_string(), &peer.source.clone().into()), "{what}");
        assert_eq!(package.dependencies, peer.dependencies, "{what}");
        assert_eq!((package.build, package.root), (format!("{:?}", peer.kind) == "Build", peer.root), "{what}");
    }
}

// Invariants of any read

/// Asserts the invariants for a read of these bytes.
#[track_caller]
fn check_invariants(bytes: &[u8], metadata: &Metadata<'_>) {
    assert_eq!(&metadata.clone().into_owned(), metadata);
    for finding in metadata.findings() {
        assert!(finding.offset() <= bytes.len() as u64, "{finding:?} in {} bytes", bytes.len());
        assert!(metadata.item(finding.path()).is_some(), "{finding:?}");
        assert!(finding.count() >= 1);
    }
    let mut paths = HashSet::new();
    for (place, item) in metadata.items().enumerate() {
        let path = item.path();
        assert_eq!((item.number(), metadata.item(&path).map(Item::number)), (place, Some(place)));
        assert_eq!(path.to_string().parse(), Ok(path.clone()));
        assert_eq!(path.indexes().len(), item.depth() as usize);
        let parent = item.parent();
        assert!(parent.is_none_or(|parent| parent.number() < place) && parent.is_none() == path.is_root());
        if let Some(parent) = parent {
            assert_eq!([parent.path().indexes(), &[item.index()]].concat(), path.indexes());
        }
        check_range(bytes, item);
        assert!(paths.insert(path));
    }
    assert_eq!(metadata.item(&ItemPath::from_iter([metadata.root().children()])), None);
}

/// Asserts that every value is at its range.
fn check_range(bytes: &[u8], item: Item<'_>) {
    let stands = |value: &Value<'_>| {
        let range = value.range();
        assert_eq!(&bytes[range.start as usize..range.end as usize], value.as_bytes());
        assert!(range.start >= item.start() && item.end().is_none_or(|end| range.end <= end), "outside its item");
    };
    item.annotations().for_each(|(_, value)| stands(value));
    item.debug_links().for_each(|(_, value)| stands(value));
    item.name().into_iter().chain(item.registry_metadata()).for_each(stands);
    item.dependencies().into_iter().for_each(|dependencies| stands(dependencies.raw()));

    let mut fields = Vec::new();
    for range in item.producers().ranges() {
        let bytes = module(&[custom("producers", &bytes[range.start as usize..range.end as usize])]);
        let alone = sectile::read_slice_with(&bytes, Limits::default()).into_value().unwrap();
        let own = |(field, values): (&str, Vec<(&str, &str)>)| {
            (field.to_owned(), values.iter().map(|&(name, version)| (name.to_owned(), version.to_owned())).collect())
        };
        fields.extend(found::producers(alone.root()).into_iter().map(own));
    }
    let expected: Vec<(String, Vec<(String, String)>)> = fields;
    let ours = found::producers(item);
    assert_eq!(ours.len(), expected.len());
    for ((field, values), (expected, expected_values)) in ours.iter().zip(&expected) {
        assert_eq!(field, expected);
        assert!(values.iter().copied().eq(expected_values.iter().map(|(name, version)| (&**name, &**version))));
    }

    let shares: u64 = item.section_sizes().map(|share| share.bytes()).sum();
    if let Some(range) = item.range().filter(|range| range.end <= bytes.len() as u64) {
        assert!(shares + 8 <= range.end - range.start);
    }
}

// Real files

#[test]
fn real_files_agree_with_wasm_metadata() {
    for (name, bytes) in real_files() {
        assert!(agrees(&bytes, &name), "{name}: the oracle does not read it");
        check_invariants(&bytes, &all_drivers::metadata(&bytes));
    }
}

#[test]
#[ignore = "needs benches/corpus/fetch"]
fn the_corpus_agrees_with_wasm_metadata() {
    let mut compared = 0;
    for (name, bytes) in files("benches/corpus/files") {
        // Files that the oracle refuses must be read, too.
        let metadata = all_drivers::metadata(&bytes);
        compared += usize::from(agrees(&bytes, &name));
        check_invariants(&bytes, &metadata);
        println!("{name}: {:?}", found(&metadata));
    }
    assert!(compared > 70, "{compared}");
}

/// Valid files have no findings.
#[test]
fn findings_of_real_files() {
    for (name, bytes) in real_files() {
        assert_eq!(found(&all_drivers::metadata(&bytes)), Vec::<String>::new(), "{name}");
    }
}

// Generated files

fn word(seeded: &mut Seeded) -> String {
    const WORDS: [&str; 12] =
        ["", "a", "wasm", "1.0.0", "grüße", "🦀", "two words", "Jane <jane@example.com>", "\n", "\u{202e}", "\0", "-"];
    let number = seeded.below(4);
    (0..number).map(|_| seeded.pick(&WORDS)).collect()
}

fn pairs(seeded: &mut Seeded) -> Vec<(String, String)> {
    (0..seeded.below(4)).map(|_| (word(seeded), word(seeded))).collect()
}

/// Sets a few fields with wasm-metadata's own writer.
fn annotate(seeded: &mut Seeded, bytes: Vec<u8>) -> Vec<u8> {
    const LICENSES: [&str; 4] = ["MIT", "MIT OR Apache-2.0", "Apache-2.0 WITH LLVM-exception", "(MIT AND Zlib) OR ISC"];
    const URLS: [&str; 4] =
        ["https://example.com/", "https://example.com:8443/a?b#c", "http://xn--gre-6ka8i.example/", "https://a.b/%20"];
    fn maybe<T: std::fmt::Debug + Clone>(
        seeded: &mut Seeded,
        value: impl FnOnce(&mut Seeded) -> T,
    ) -> AddMetadataField<T> {
        if seeded.once_in(2) { AddMetadataField::Set(value(seeded)) } else { AddMetadataField::Keep }
    }
    let mut edit = AddMetadata::default();
    edit.name = maybe(seeded, word);
    edit.language = pairs(seeded);
    edit.processed_by = pairs(seeded);
    edit.sdk = pairs(seeded);
    edit.authors = maybe(seeded, |seeded| wasm_metadata::Authors::new(word(seeded)));
    edit.description = maybe(seeded, |seeded| wasm_metadata::Description::new(word(seeded)));
    edit.licenses = maybe(seeded, |seeded| wasm_metadata::Licenses::new(seeded.pick(&LICENSES)).unwrap());
    edit.source = maybe(seeded, |seeded| wasm_metadata::Source::new(seeded.pick(&URLS)).unwrap());
    edit.homepage = maybe(seeded, |seeded| wasm_metadata::Homepage::new(seeded.pick(&URLS)).unwrap());
    edit.revision = maybe(seeded, |seeded| wasm_metadata::Revision::new(word(seeded)));
    edit.version = maybe(seeded, |seeded| wasm_metadata::Version::new(word(seeded)));
    edit.to_wasm(&bytes).unwrap_or(bytes) // wasm-metadata rejects name maps out of order
}

/// Appends a section that wasm-metadata's writers cannot write: URLs that it would normalize, raw
/// names and producers, dependencies.
fn append(seeded: &mut Seeded, bytes: &mut Vec<u8>) {
    let is_component = bytes.starts_with(&sectile_testing::binary::COMPONENT);
    bytes.extend(match seeded.below(6) {
        0 => custom("homepage", "HTTPS://Example.com:443/a/../b"),
        1 => custom("source", "git+ssh://git@EXAMPLE.com/%7Ea"),
        2 => {
            let mut names = wasm_metadata::ModuleNames::empty();
            names.set_name(&word(seeded));
            section(0, &[prefixed("name"), bare(&names.raw_custom_section().unwrap())].concat())
        }
        3 if is_component => {
            let mut names = wasm_metadata::ComponentNames::empty();
            names.set_name(&word(seeded));
            section(0, &[prefixed("component-name"), bare(&names.raw_custom_section().unwrap())].concat())
        }
        3 | 4 => {
            let mut producers = wasm_metadata::Producers::empty();
            for field in ["sdk", "language", "processed-by"] {
                pairs(seeded).iter().for_each(|(name, version)| producers.add(field, name, version));
            }
            section(0, &[prefixed("producers"), bare(&producers.raw_custom_section())].concat())
        }
        _ => dependencies(seeded),
    });
}

/// The data of a custom section, from the oracle's `raw_custom_section`: size, name, data.
fn bare(raw: &[u8]) -> Vec<u8> {
    let bytes = [&sectile_testing::binary::MODULE[..], b"\0", raw].concat();
    let mut data = None;
    for payload in wasmparser::Parser::new(0).parse_all(&bytes) {
        if let wasmparser::Payload::CustomSection(reader) = payload.unwrap() {
            data = Some(reader.data().to_vec());
        }
    }
    data.unwrap()
}

fn dependencies(seeded: &mut Seeded) -> Vec<u8> {
    let number = seeded.below(6);
    let packages = (0..number).map(|place| {
        serde_json::json!({
            "name": format!("package-{place}"),
            "version": format!("{}.{}.0-rc.1+build", seeded.below(10), seeded.below(10)),
            "source": seeded.pick(&["crates.io", "git", "local", "registry", "moon"]),
            "kind": seeded.pick(&["build", "runtime"]),
            "dependencies": (0..place).filter(|_| seeded.once_in(2)).collect::<Vec<_>>(),
            "root": place + 1 == number,
        })
    });
    let json = serde_json::json!({ "packages": packages.collect::<Vec<_>>(), "format": 3 });
    custom(".dep-v0", zlib(json.to_string()))
}

/// A module of wasm-smith, sometimes with custom sections.
fn smith(seeded: &mut Seeded) -> Vec<u8> {
    let seed = seeded.bytes(600);
    let config = wasm_smith::Config {
        generate_custom_sections: seeded.once_in(2),
        max_funcs: 3,
        max_instructions: 20,
        ..wasm_smith::Config::default()
    };
    let made = wasm_smith::Module::new(config, &mut arbitrary::Unstructured::new(&seed));
    made.map_or_else(|_| module(&[]), |made| made.to_bytes())
}

/// A component of wasm-smith.
fn smith_component(seeded: &mut Seeded) -> Vec<u8> {
    let seed = seeded.bytes(2000);
    let made = wasm_smith::Component::new(wasm_smith::Config::default(), &mut arbitrary::Unstructured::new(&seed));
    made.map_or_else(|_| component(&[]), |made| made.to_bytes())
}

/// A module, or a component with nested items up to this depth, each with or without metadata.
fn tree(seeded: &mut Seeded, depth: usize) -> Vec<u8> {
    let mut bytes = if depth == 0 || seeded.once_in(4) {
        if seeded.once_in(3) { smith_component(seeded) } else { smith(seeded) }
    } else {
        let children: Vec<Vec<u8>> = (0..seeded.below(4)).map(|_| nested(&tree(seeded, depth - 1))).collect();
        component(&children)
    };
    for _ in 0..seeded.below(3) {
        if seeded.once_in(2) {
            bytes = annotate(seeded, bytes);
        } else {
            append(seeded, &mut bytes);
        }
    }
    bytes
}

#[test]
fn generated_modules_agree_with_wasm_metadata() {
    for seed in 0..400 {
        let seeded = &mut Seeded::new(seed);
        let bytes = smith(seeded);
        let mut bytes = annotate(seeded, bytes);
        append(seeded, &mut bytes);
        assert!(agrees(&bytes, &format!("seed {seed}")), "seed {seed}: the oracle does not read it");
        check_invariants(&bytes, &all_drivers::metadata(&bytes));
    }
}

#[test]
fn generated_trees_agree_with_wasm_metadata() {
    let mut items = 0;
    for seed in 0..200 {
        let bytes = tree(&mut Seeded::new(seed << 32), 3);
        assert!(agrees(&bytes, &format!("seed {seed}")), "seed {seed}: the oracle does not read it");
        let metadata = all_drivers::metadata(&bytes);
        check_invariants(&bytes, &metadata);
        items += metadata.items().len();
    }
    assert!(items > 500, "{items}");
}

/// Changed, removed and duplicated bytes: no panic, all drivers agree, and the invariants hold.
#[test]
fn mutants_are_consistent() {
    let mut originals: Vec<Vec<u8>> = real_files().into_iter().map(|(_, bytes)| bytes).collect();
    originals.retain(|bytes| bytes.len() < 6000);
    originals.extend((0..10).map(|seed| tree(&mut Seeded::new(seed), 2)));
    originals.push(everything());
    let (mut whole, mut broken, mut compared) = (0, 0, 0);
    for seed in 0..600 {
        let seeded = &mut Seeded::new(seed);
        let mut bytes = originals[seeded.below(originals.len())].clone();
        for _ in 0..=seeded.below(3) {
            mutate(seeded, &mut bytes);
        }
        let (metadata, result) = all_drivers::read(&bytes, Limits::default());
        if let Some(metadata) = &metadata {
            check_invariants(&bytes, metadata);
        }
        if result.is_ok() {
            whole += 1;
            compared += usize::from(agrees(&bytes, &format!("mutant {seed}")));
        } else {
            broken += 1;
        }
    }
    assert!(whole > 50 && broken > 50 && compared > 20, "{whole} whole, {compared} of them compared; {broken} broken");
}

fn mutate(seeded: &mut Seeded, bytes: &mut Vec<u8>) {
    if bytes.is_empty() {
        return;
    }
    // Most headers are at the beginning, and metadata is at the end.
    let near = bytes.len().min(200);
    let at = match seeded.below(3) {
        0 => seeded.below(bytes.len()),
        1 => seeded.below(near),
        _ => bytes.len() - 1 - seeded.below(near),
    };
    match seeded.below(5) {
        0 => bytes[at] = seeded.number() as u8,
        1 => bytes[at] ^= 1 << seeded.below(8),
        2 => bytes.truncate(at),
        3 => {
            let piece = bytes[at..].iter().copied().take(40).collect::<Vec<_>>();
            bytes.splice(at..at, piece);
        }
        _ => drop(bytes.drain(at..(at + 7).min(bytes.len()))),
    }
}

/// One of each decoded section, some of them malformed, in a module in a component.
fn everything() -> Vec<u8> {
    let all = Field::ALL.map(|field| custom(field.section(), "https://example.com/grüße"));
    let inner = module(&[
        all.concat(),
        custom("name", name("inner")),
        custom("producers", producers(&[("language", &[("C", "17")]), ("new", &[("a", "\x1b")])])),
        custom(".dep-v0", zlib(r#"{"packages":[{"name":"a","version":"1.0.0","source":"git"}]}"#)),
        custom("registry-metadata", r#"{"a":{"b":[1]},"a":2}"#),
        custom("build_id", prefixed([0xff; 20])),
        custom("sourceMappingURL", prefixed("a.map")),
        custom("external_debug_info", prefixed("a.debug.wasm")),
        custom("vendor", b"caf\xe9"),
    ]);
    component(&[nested(&inner), custom("component-name", name("outer")), custom("authors", "me")])
}

#[test]
fn one_of_each_section_is_consistent() {
    let bytes = everything();
    let metadata = all_drivers::metadata(&bytes);
    check_invariants(&bytes, &metadata);
    let item = metadata.items().nth(1).unwrap();
    assert_eq!(item.annotations().count(), Field::ALL.len());
    let in_order: Vec<Field> = item.annotations().map(|(field, _)| field).collect();
    assert_eq!(in_order, Field::ALL);
    let links: Vec<&str> = item.debug_links().map(|(section, _)| section).collect();
    assert_eq!(links, ["build_id", "sourceMappingURL", "external_debug_info"]);
    for end in 0..bytes.len() {
        let (metadata, result) = all_drivers::read(&bytes[..end], Limits::default());
        if let Some(metadata) = &metadata {
            check_invariants(&bytes[..end], metadata);
        }
        assert!(result.is_err() || bytes[end] <= 1, "cut at {end}: only before a section may it be whole");
    }
}
