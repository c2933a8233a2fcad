//! Differences between binaries and between reports.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;

use sectile::Field;
use sectile::edit::{Edit, Strip};
use sectile::scan::ItemPath;
use sectile_policy::diff::{
    Aspect, BinaryFacts, Comparison, FactValue, FactsReader, FindingState, ReportError, ReportIndex, ReportRow,
    RowChange, RowState, compare, compare_reports,
};
use sectile_policy::report::Report;
use sectile_policy::{Packages, Policy};
use sectile_testing::binary::{component, custom, module, name, nested, packages, producers, section};
use sectile_testing::memory::measure;
use sectile_testing::seeded::Seeded;

fn facts(bytes: &[u8]) -> BinaryFacts {
    let reading = FactsReader::new(&Policy::default()).with_interface().read_at(bytes, bytes.len() as u64);
    BinaryFacts::for_reading("a.wasm".as_ref(), Some(bytes.len() as u64), &reading)
}

fn comparison(old: &[u8], new: &[u8]) -> Comparison {
    compare(&facts(old), &facts(new))
}

fn lines(comparison: &Comparison) -> Vec<String> {
    comparison.differences().iter().map(ToString::to_string).collect()
}

/// The item of a random binary.
#[derive(Clone, Debug, Default)]
struct Item {
    is_component: bool,
    fields: BTreeMap<Field, String>,
    name: Option<String>,
    producers: BTreeMap<(String, String), String>,
    customs: BTreeMap<String, Vec<u8>>,
    items: Vec<Item>,
}

const PRODUCERS: [[&str; 2]; 4] =
    [["language", "Rust"], ["processed-by", "rustc"], ["processed-by", "wit-component"], ["sdk", "Emscripten"]];
const CUSTOMS: [&str; 4] = [".debug_info", ".debug_line", "note", "target_features"];

fn text(random: &mut Seeded) -> String {
    format!("v{}", random.below(1_000_000))
}

fn value(field: Field, random: &mut Seeded) -> String {
    match field {
        Field::Created => format!("2026-01-{:02}T12:00:00Z", 1 + random.below(28)),
        Field::Licenses => ["MIT", "Apache-2.0", "MIT OR Apache-2.0", "0BSD"][random.below(4)].to_owned(),
        Field::Documentation | Field::Homepage | Field::Source => format!("https://example.com/{}", text(random)),
        _ => text(random),
    }
}

impl Item {
    fn random(random: &mut Seeded, depth: usize) -> Self {
        let mut item = Self { is_component: depth > 0 && random.once_in(2), ..Self::default() };
        for field in Field::ALL {
            if random.once_in(2) {
                item.fields.insert(field, value(field, random));
            }
        }
        item.name = random.once_in(2).then(|| text(random));
        for [field, name] in PRODUCERS {
            if random.once_in(2) {
                item.producers.insert((field.to_owned(), name.to_owned()), text(random));
            }
        }
        for name in CUSTOMS {
            if random.once_in(2) {
                let len = random.below(40);
                item.customs.insert(name.to_owned(), random.bytes(len));
            }
        }
        if item.is_component {
            item.items = (0..random.below(4)).map(|_| Self::random(random, depth - 1)).collect();
        }
        item
    }

    fn encode(&self) -> Vec<u8> {
        let mut sections: Vec<Vec<u8>> = self.items.iter().map(|item| nested(&item.encode())).collect();
        if let Some(own) = &self.name {
            sections.push(custom(if self.is_component { "component-name" } else { "name" }, name(own)));
        }
        let mut fields = BTreeMap::<&str, Vec<(&str, &str)>>::new();
        for ((field, name), version) in &self.producers {
            fields.entry(field).or_default().push((name, version));
        }
        if !fields.is_empty() {
            let fields: Vec<(&str, &[(&str, &str)])> = fields.iter().map(|(name, values)| (*name, &**values)).collect();
            sections.push(custom("producers", producers(&fields)));
        }
        sections.extend(self.fields.iter().map(|(field, value)| custom(field.section(), value)));
        sections.extend(self.customs.iter().map(|(name, data)| custom(name, data)));
        if self.is_component { component(&sections) } else { module(&sections) }
    }

    /// The paths of the item and of all items in it.
    fn paths(&self, path: &ItemPath, paths: &mut Vec<ItemPath>) {
        paths.push(path.clone());
        for (index, item) in (0..).zip(&self.items) {
            let mut child = path.clone();
            child.push(index);
            item.paths(&child, paths);
        }
    }

    fn at(&self, path: &ItemPath) -> &Self {
        path.indexes().iter().fold(self, |item, index| &item.items[*index as usize])
    }
}

/// Path, aspect, name, old and new value of a difference; of a section only whether it exists.
type Expected = (ItemPath, Aspect, String, Option<String>, Option<String>);

/// A random edit, and the differences that it makes.
fn random_edit(root: &Item, random: &mut Seeded) -> (Edit, Vec<Expected>) {
    let mut paths = Vec::new();
    root.paths(&ItemPath::root(), &mut paths);
    let (mut edit, mut expected) = (Edit::new(), Vec::new());
    for path in paths {
        if !random.once_in(3) {
            continue;
        }
        let item = root.at(&path);
        edit = edit.at(path.clone());
        let mut expect = |aspect, name: &str, old: Option<&String>, new: Option<&String>| {
            if old != new {
                expected.push((path.clone(), aspect, name.to_owned(), old.cloned(), new.cloned()));
            }
        };
        for field in Field::ALL {
            let old = item.fields.get(&field);
            if random.once_in(4) {
                let new = value(field, random);
                edit = edit.set(field, &new).unwrap();
                expect(Aspect::Field, field.section(), old, Some(&new));
            } else if random.once_in(6) {
                edit = edit.unset(field).unwrap();
                expect(Aspect::Field, field.section(), old, None);
            }
        }
        if random.once_in(3) {
            let new = text(random);
            edit = edit.name(&new).unwrap();
            expect(Aspect::Name, "", item.name.as_ref(), Some(&new));
        } else if random.once_in(4) {
            edit = edit.clear_name().unwrap();
            expect(Aspect::Name, "", item.name.as_ref(), None);
        }
        if random.once_in(4) {
            edit = edit.unset_producers().unwrap();
            for ((_, name), version) in &item.producers {
                expect(Aspect::Producer, name, Some(version), None);
            }
        } else if random.once_in(2) {
            let [field, name] = PRODUCERS[random.below(PRODUCERS.len())];
            let new = text(random);
            edit = edit.add_producer(field, name, &new);
            let old = item.producers.get(&(field.to_owned(), name.to_owned()));
            expect(Aspect::Producer, name, old, Some(&new));
        }
        let mut removed = Vec::new();
        if random.once_in(3) {
            edit = edit.strip(Strip::new().this_item_only());
            removed.extend([".debug_info", ".debug_line"]);
        } else if random.once_in(3) {
            edit = edit.remove("note").unwrap();
            removed.push("note");
        }
        for name in removed {
            let old = item.customs.contains_key(name).then(String::new);
            expect(Aspect::Section, name, old.as_ref(), None);
        }
    }
    (edit, expected)
}

#[test]
fn the_difference_to_an_edited_copy_is_the_edit() {
    let mut random = Seeded::new(25);
    let mut made = 0;
    for case in 0..600 {
        let root = Item::random(&mut random, 3);
        let source = root.encode();
        let (edit, mut expected) = random_edit(&root, &mut random);
        let planned = edit.plan_slice(&source).unwrap();
        let mut edited = Vec::new();
        planned.plan().write_to(&source[..], &mut edited).unwrap();
        let comparison = comparison(&source, &edited);
        let text = |value: Option<&FactValue>| {
            value.map(|value| match value {
                FactValue::Text(text) => text.clone(),
                _ => String::new(),
            })
        };
        let mut found: Vec<Expected> = (comparison.differences().iter())
            .filter(|difference| difference.aspect() != Aspect::Finding)
            .map(|one| {
                (one.path().clone(), one.aspect(), one.name().to_owned(), text(one.old()), text(one.new_value()))
            })
            .collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "case {case}: {root:?}");
        made += expected.len();
    }
    assert!(made > 2_000, "{made}");
}

#[test]
fn equal_binaries_have_no_difference() {
    let mut random = Seeded::new(7);
    for _ in 0..50 {
        let source = Item::random(&mut random, 3).encode();
        assert!(comparison(&source, &source).is_equal());
    }
}

#[test]
fn packages_imports_exports_and_sections_are_compared() {
    let old = wat("(module (import \"env\" \"f\" (func)) (memory (export \"memory\") 1))");
    let new = wat("(module (import \"env\" \"g\" (func)) (memory (export \"memory\") 1) (data (i32.const 0) \"abc\"))");
    let old = [old, packages(&[("a", "1.0.0"), ("b", "1.0.0"), ("b", "2.0.0")])].concat();
    let new = [new, packages(&[("b", "2.0.0"), ("b", "3.0.0"), ("c", "1.0.0")])].concat();
    let found = lines(&comparison(&old, &new));
    assert_eq!(
        found,
        [
            "- package a 1.0.0",
            "package b: 1.0.0 → 3.0.0",
            "+ package c 1.0.0",
            "- import env.f",
            "+ import env.g",
            "+ section data 11 bytes",
        ]
    );
}

fn wat(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

#[test]
fn sections_that_values_do_not_explain_are_differences() {
    let both = |twin: &[u8]| module(&[custom("version", twin), custom("version", "1")]);
    assert_eq!(
        lines(&comparison(&both(b"0"), &both(b"0123"))),
        ["section version: 2 sections, 22 bytes → 2 sections, 25 bytes"]
    );
    let names = |functions: usize| {
        let mut data = name("m");
        data.extend(section(1, &vec![0; functions]));
        module(&[custom("name", data)])
    };
    assert_eq!(lines(&comparison(&names(900), &names(90))).len(), 1, "names of functions");
}

#[test]
fn a_row_of_a_report_equals_its_binary() {
    let mut random = Seeded::new(3);
    for _ in 0..100 {
        let bytes = Item::random(&mut random, 3).encode();
        let row = ReportRow::parse(&line(&bytes)).unwrap();
        let comparison = compare(row.facts(), &facts(&bytes));
        assert!(comparison.is_equal(), "{:?}", lines(&comparison));
        assert_eq!(comparison.not_compared(), [Aspect::Section]);
    }
}

/// The line of a report on a binary.
fn line(bytes: &[u8]) -> Vec<u8> {
    let reading = FactsReader::new(&Policy::default()).with_interface().read_at(bytes, bytes.len() as u64);
    let mut line = Vec::new();
    Report::for_policy("a.wasm".as_ref(), Some(bytes.len() as u64), &reading.outcome).write_json(&mut line).unwrap();
    line
}

/// A report on binaries by name.
fn report(rows: &[(&str, &[u8])]) -> Vec<u8> {
    let mut report = br#"{"schema":2,"audit":{"version":"0","paths":["root"],"policy":null,"fingerprint":"f","day":null,"hashed":false}}"#.to_vec();
    report.push(b'\n');
    for (file, bytes) in rows {
        let text = String::from_utf8(line(bytes)).unwrap();
        report.extend(text.replacen("\"a.wasm\"", &format!("\"root/{file}\""), 1).into_bytes());
    }
    report.extend(b"{\"schema\":2,\"summary\":{\"stopped\":false}}\n");
    report
}

/// A file with this content.
fn saved(report: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(report).unwrap();
    file
}

fn changes(old: &[u8], new: &[u8]) -> Result<Vec<RowChange>, ReportError> {
    let (index, mut changes) = (ReportIndex::new(saved(old))?, Vec::new());
    compare_reports(&index, new, |change| {
        changes.push(change);
        Ok::<(), ReportError>(())
    })?;
    Ok(changes)
}

#[test]
fn reports_are_compared_by_name_then_gone_rows_follow() {
    let [one, two, bad] = ["MIT", "0BSD", "nonsense"].map(|license| module(&[custom("licenses", license)]));
    let old = report(&[("z", &one), ("same", &one), ("a", &bad), ("twin", &one), ("twin", &two)]);
    let new = report(&[("new", &bad), ("twin", &one), ("same", &one), ("z", &bad), ("twin", &bad)]);
    let found = changes(&old, &new).unwrap();
    let states: Vec<_> = found.iter().map(|change| change.state).collect();
    let [new, gone, changed, unchanged] = RowState::ALL;
    assert_eq!(states, [new, unchanged, unchanged, changed, changed, gone]);
    let findings: Vec<_> = found.iter().map(|change| change.findings.states()).collect();
    assert_eq!(findings[0], [FindingState::New]);
    assert_eq!(findings[3], [FindingState::New]);
    assert_eq!(found[5].findings.gone().len(), 1);
    assert_eq!(found[5].old.as_ref().unwrap().facts().file(), "root/a");
}

#[test]
fn only_rows_are_compared_even_with_other_names() {
    let one = module(&[custom("version", "1")]);
    let found = changes(&report(&[("old", &one)]), &report(&[("new", &one)])).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].state, RowState::Unchanged);
}

#[test]
fn unusable_reports_are_errors() {
    let one = module(&[]);
    let good = report(&[("a", &one)]);
    let other_schema = String::from_utf8(good.clone()).unwrap().replace("\"schema\":2", "\"schema\":1").into_bytes();
    let no_row = [&good[..], b"{\"schema\":2,\"file\":7}\n"].concat();
    let not_utf8 = [&good[..], b"{\"schema\":2,\"file\":\"\xff\"}\n"].concat();
    let deep = format!("{{\"schema\":2,\"file\":\"a\",\"item\":{}\n", "[".repeat(100_000)).into_bytes();
    for (bad, is_expected) in [
        (&b""[..], (|error| matches!(error, ReportError::NotAReport)) as fn(&ReportError) -> bool),
        (b"\0asm\x01\0\0\0\n", |error| matches!(error, ReportError::NotAReport)),
        (b"{}\n", |error| matches!(error, ReportError::NotAReport)),
        (&other_schema, |error| matches!(error, ReportError::Schema(1))),
        (&no_row, |error| matches!(error, ReportError::NotARow(4))),
        (&not_utf8, |error| matches!(error, ReportError::NotARow(4))),
        (&deep, |error| matches!(error, ReportError::NotAReport)),
    ] {
        assert!(is_expected(&changes(bad, &good).unwrap_err()), "{:?}", String::from_utf8_lossy(bad));
        assert!(changes(&good, bad).is_err());
    }
}

#[test]
fn a_truncated_report_is_incomplete() {
    let one = module(&[]);
    let good = report(&[("a", &one), ("b", &one)]);
    let whole = ReportIndex::new(saved(&good)).unwrap();
    assert!(whole.is_complete() && whole.len() == 2);
    for cut in [good.len() - 10, good.len() - 60] {
        let index = ReportIndex::new(saved(&good[..cut])).unwrap();
        assert!(!index.is_complete());
        let is_complete = compare_reports(&whole, &good[..cut], |_| Ok::<(), ReportError>(())).unwrap();
        assert!(!is_complete);
    }
}

#[test]
fn found_packages_are_compared_if_they_are_read() {
    let mut policy = Policy::default();
    policy.packages = Packages::All;
    let bytes = module(&[]);
    let reading = FactsReader::new(&policy).read_at(&bytes[..], bytes.len() as u64);
    assert!(reading.outcome.value().unwrap().inventory().is_some());
}

/// Only hashes of names and positions of rows are in memory.
#[test]
fn an_index_takes_little_memory() {
    const ROWS: usize = 100_000;
    let mut report = Vec::new();
    for nth in 0..ROWS {
        writeln!(report, "{{\"schema\":2,\"file\":\"{nth:0>200}\",\"size\":8}}").unwrap();
    }
    let file = saved(&report);
    let (index, allocated) = measure(|| ReportIndex::new(file).unwrap());
    assert_eq!(index.len(), ROWS);
    assert!(allocated.peak < ROWS as u64 * 64 + (1 << 20), "{allocated:?}");
}
