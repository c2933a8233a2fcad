//! Rows as columns agree with the JSON lines of the same rows.

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, RecordBatch, StructArray};
use arrow_schema::DataType;
use base64::Engine;
use sectile_audit::{Audit, Format, FormatWriter, Progress};
use sectile_testing::binary::{
    chain, component, custom, module, module_with_data, name, nested, packages, prefixed, producers, section,
};
use serde_json::{Map, Value, json};

use crate::store::{Store, gzip, tar};
use crate::{default_audit, with_policy};

const POLICY: &str = r#"
packages = "all"

[[licenses]]
allow = ["MIT"]

[[imports]]
names = "env.*"

[[exceptions]]
paths = "*excused.wasm"
codes = "refused-license"
reason = "known"
"#;

/// Rows of every kind and outcome, with every column in use.
pub fn varied() -> Store {
    let store = Store::new();
    let tools = producers(&[("processed-by", &[("rustc", "1.80.0"), ("clang", "18")][..]), ("sdk", &[("b", "2")])]);
    let declared = packages(&[("atty", "0.2.14"), ("smallvec", "1.6.0")]);
    let import = section(2, &[&[1][..], &prefixed("env"), &prefixed("abort"), &[0, 0]].concat());
    store.put("a.wasm", module(&[section(1, &[1, 0x60, 0, 0]), import, custom("producers", tools), declared.clone()]));
    store.put("excused.wasm", module(&[custom("licenses", "ISC"), custom("version", [0xff])]));
    let data = b"/home/u/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/time-0.1.43/src/lib.rs\0";
    let tree = component(&[
        nested(&module(&[custom("name", "x"), declared])),
        nested(&module_with_data(data)),
        custom("component-name", name("tree")),
    ]);
    store.put("tree.wasm", &tree);
    store.put("cut.wasm", &tree[..tree.len() - 3]);
    store.put("deep.wasm", chain(60, &module(&[custom("version", "1")])));
    store.put("many.tgz", gzip(&tar(&[("x/b.wasm".to_owned(), module(&[custom("licenses", "MIT")]))])));
    store.put("truncated.tgz", &gzip(&tar(&[("b.wasm".to_owned(), tree)]))[..90]);
    store.put("other.7z", b"7z\xbc\xaf\x27\x1c\0\x04 other bytes");
    let encoded = base64::engine::general_purpose::STANDARD.encode(module(&[custom("licenses", "MIT")]));
    store.put("inside.js", format!("load('{encoded}')"));
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        store.put(std::ffi::OsStr::from_bytes(b"not \xff utf8.wasm"), module(&[]));
        std::os::unix::fs::symlink("a.wasm", store.path("link.wasm")).unwrap();
    }
    store
}

fn audit() -> Audit {
    with_policy(POLICY).with_threads(2).with_hashing(true)
}

/// The batches and the JSON lines of the same audit.
fn both(audit: &Audit, store: &Store) -> (Vec<RecordBatch>, String) {
    let (mut batches, mut lines) = (Vec::new(), Vec::new());
    let mut receive = |batch| {
        batches.push(batch);
        Ok(())
    };
    let outputs = &mut [FormatWriter::for_batches(&mut receive), FormatWriter::new(Format::Jsonl, &mut lines)];
    audit.run_with_outputs(&store.paths(), outputs, &Progress::new()).unwrap();
    (batches, String::from_utf8(lines).unwrap())
}

/// A value of a column as JSON.
fn value(array: &dyn Array, nth: usize) -> Value {
    if array.is_null(nth) {
        return Value::Null;
    }
    match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().value(nth).into(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(nth).into(),
        DataType::Boolean => array.as_boolean().value(nth).into(),
        DataType::Binary => array.as_binary::<i32>().value(nth).to_vec().into(),
        DataType::Struct(_) => fields(array.as_struct(), nth),
        DataType::List(_) => {
            let items = array.as_list::<i32>().value(nth);
            (0..items.len()).map(|nth| value(&items, nth)).collect()
        }
        other => panic!("{other} is not a type that every reader takes"),
    }
}

fn fields(array: &StructArray, nth: usize) -> Value {
    let fields = array.column_names().into_iter().zip(array.columns());
    Value::Object(fields.map(|(name, column)| (name.to_owned(), value(column, nth))).collect())
}

pub fn rows(batches: &[RecordBatch]) -> Vec<Value> {
    let rows = batches.iter().map(|batch| StructArray::from(batch.clone()));
    rows.flat_map(|rows| (0..rows.len()).map(move |nth| fields(&rows, nth))).collect()
}

/// The columns that a row in JSON should have. Those of the root item are looked up in it.
fn expected(row: &Value) -> Value {
    let item = &row["item"];
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut columns = Map::new();
    let mut set = |name: &str, value: Value| _ = columns.insert(name.to_owned(), value);
    for name in ["row", "size", "digest", "verified", "state", "outcome", "accepted", "bytes_read", "largest"] {
        set(name, row[name].clone());
    }
    set("reason", row.get("reason").cloned().unwrap_or_default());
    set("encoding", list(&row["encoding"]).into());
    set("kind", item["kind"].clone());
    set("name", item["name"].as_str().map_or(Value::Null, Value::from));
    for field in sectile::metadata::Field::ALL {
        set(field.section(), item["annotations"][field.section()].as_str().map_or(Value::Null, Value::from));
    }
    let packages = list(&row["packages"]).into_iter().map(|mut package| {
        let package_keys = package.as_object_mut().unwrap();
        for key in ["checksum", "replaces"] {
            package_keys.entry(key).or_insert(Value::Null);
        }
        package
    });
    set("packages", packages.collect());
    let imports = item.get("imports").map(|imports| {
        let one = |one: &Value| {
            let part = |key: &str| one.get(key).cloned().unwrap_or_default();
            json!({"module": part("module"), "name": part("name"), "kind": part("kind"), "implements": part("implements")})
        };
        list(imports).iter().map(one).collect()
    });
    set("imports", imports.unwrap_or_default());
    let totals = row["section_totals"].as_object().into_iter().flatten();
    set("sections", totals.map(|(kind, total)| json!({"kind": kind, "count": total[0], "bytes": total[1]})).collect());
    let finding = |finding: &Value| {
        let mut finding = finding.clone();
        let keys = finding.as_object_mut().unwrap();
        let is_excepted = keys.get("excepted").is_some_and(|excepted| !excepted.is_null());
        keys.insert("excepted".to_owned(), is_excepted.into());
        keys.entry("count").or_insert(1.into());
        finding
    };
    let findings: Vec<Value> = list(&row["findings"]).iter().map(finding).collect();
    for (name, severity) in [("errors", "error"), ("warnings", "warning"), ("notes", "note")] {
        let counted = findings.iter().filter(|one| one["severity"] == severity && one["excepted"] == false);
        set(name, counted.map(|one| one["count"].as_u64().unwrap()).sum::<u64>().into());
    }
    for key in ["refused", "excepted"] {
        let counted = findings.iter().filter(|one| one[key] == true);
        set(key, counted.map(|one| one["count"].as_u64().unwrap()).sum::<u64>().into());
    }
    set("findings", findings.into());
    let formats = row.get("not_opened").and_then(Value::as_object).into_iter().flatten();
    set("not_opened", formats.map(|(format, files)| json!({"format": format, "files": files})).collect());
    Value::Object(columns)
}

#[test]
fn columns_equal_the_json_of_the_rows() {
    let (batches, lines) = both(&audit(), &varied());
    let of_lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let of_lines: Vec<Value> = of_lines.filter(|line| line.get("row").is_some()).collect();
    let rows = rows(&batches);
    assert_eq!(rows.len(), of_lines.len());
    let mut used = Map::new();
    for (row, line) in rows.iter().zip(&of_lines) {
        let mut row = row.clone();
        // JSON objects have no order here.
        row["sections"].as_array_mut().unwrap().sort_by_key(|section| section["kind"].to_string());
        for (name, value) in expected(line).as_object().unwrap() {
            assert_eq!(&row[name], value, "{name} of {}", line["file"]);
        }
        for (name, value) in row.as_object().unwrap() {
            if !value.is_null() && *value != json!([]) {
                used.insert(name.clone(), value.clone());
            }
        }
        match line["file"].as_str() {
            Some(file) => assert_eq!((&row["file"], &row["file_raw"]), (&file.into(), &Value::Null)),
            None => assert!(row["file_raw"].is_array() && row["file"].as_str().unwrap().contains('\u{fffd}')),
        }
    }
    let unused: Vec<&str> =
        rows[0].as_object().unwrap().keys().map(|name| &**name).filter(|name| !used.contains_key(*name)).collect();
    // Images, advisories and comparisons need other audits. Few fields are in the files.
    let others = ["image", "others", "advisories", "baseline", "file_raw", "authors", "created", "description"];
    let others = [&others[..], &["documentation", "homepage", "revision", "source", "vendor", "version"]].concat();
    assert!(unused.iter().all(|name| others.contains(name)), "{unused:?} is not tested");
}

#[test]
fn bytes_do_not_depend_on_threads_or_other_outputs() {
    let store = Store::large();
    for format in [Format::Parquet, Format::Arrow] {
        let write = |threads, also: Option<Format>| {
            let (mut out, mut other) = (Vec::new(), Vec::new());
            let mut outputs = vec![FormatWriter::new(format, &mut out)];
            outputs.extend(also.map(|also| FormatWriter::new(also, &mut other)));
            let audit = default_audit().with_threads(threads);
            audit.run_with_outputs(&store.paths(), &mut outputs, &Progress::new()).unwrap();
            drop(outputs);
            out
        };
        let one = write(1, None);
        for (threads, also) in [(2, None), (5, Some(Format::Html)), (3, Some(Format::Jsonl)), (8, None)] {
            assert!(write(threads, also) == one, "{} on {threads} threads", format.name());
        }
    }
}

#[test]
fn readers_of_each_format_return_the_batches() {
    let store = varied();
    let (batches, _) = both(&audit(), &store);
    let expected = rows(&batches);
    let write = |format| {
        let mut out = Vec::new();
        audit().run(&store.paths(), Some(format), &mut out, &Progress::new()).unwrap();
        out
    };
    let stream = write(Format::Arrow);
    let stream = arrow_ipc::reader::StreamReader::try_new(&*stream, None).unwrap();
    assert_eq!(stream.schema(), sectile_audit::schema());
    assert_eq!(rows(&stream.map(Result::unwrap).collect::<Vec<_>>()), expected);
    let bytes = bytes::Bytes::from(write(Format::Parquet));
    let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap();
    let metadata = reader.metadata().file_metadata().clone();
    let keys: Vec<_> = metadata.key_value_metadata().unwrap().iter().map(|pair| &*pair.key).collect();
    assert_eq!(keys, ["sectile", "sectile.audit", "sectile.summary"]);
    assert_eq!(rows(&reader.build().unwrap().map(Result::unwrap).collect::<Vec<_>>()), expected);
}

#[test]
fn an_error_of_the_receiver_ends_the_audit() {
    let store = Store::large();
    let mut receive = |_| Err(std::io::Error::other("full"));
    let outputs = &mut [FormatWriter::for_batches(&mut receive)];
    let error = default_audit().run_with_outputs(&store.paths(), outputs, &Progress::new()).unwrap_err();
    assert_eq!(error.to_string(), "full");
}
