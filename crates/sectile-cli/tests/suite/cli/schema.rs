//! `docs/schema` describes all JSON that the command prints, and nothing else.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Stdio;

use serde_json::{Map, Value, json};

use super::packages::with_packages;
use super::push::push_command;
use super::{Run, command};
use crate::docs::schema::{Document, check};
use sectile::metadata::Field;
use sectile_testing::binary::{
    chain, component, custom, dependencies, module, nested, packages, producers, section, sound, zlib,
};
use sectile_testing::registry::{Registry, start};

/// Printed JSON, with the schema that describes it.
struct Samples(Vec<(Document, Value)>);

impl Samples {
    fn of_all_documents() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut samples = Self(Vec::new());
        write_inputs(directory.path());
        samples.add_reports(directory.path());
        samples.add_edits(directory.path());
        samples.add_differences(directory.path());
        samples.add_images(directory.path());
        samples.add_audits(directory.path());
        samples
    }

    fn add(&mut self, document: Document, directory: &Path, arguments: &str) {
        let run = run_in(directory, arguments);
        let text = if run.stdout.starts_with(b"{") { run.text() } else { &run.stderr };
        self.add_lines(document, text);
    }

    fn add_lines(&mut self, document: Document, text: &str) {
        let before = self.0.len();
        let lines = text.lines().filter(|line| line.starts_with('{'));
        self.0.extend(lines.map(|line| (document, serde_json::from_str(line).unwrap())));
        assert!(self.0.len() > before, "{document:?} has no line: {text}");
    }

    fn add_reports(&mut self, directory: &Path) {
        for file in ["full.wasm", "cut.wasm", "text.wasm", "absent.wasm", "deep.wasm", "affected.wasm"] {
            for (document, command) in [
                (Document::Show, "show"),
                (Document::Sections, "sections"),
                (Document::Check, "check"),
                (Document::Check, "check --policy policy.toml"),
                (Document::Check, "check --advisories database"),
                (Document::Digest, "digest"),
            ] {
                self.add(document, directory, &format!("{command} --json {file}"));
            }
        }
        self.add(Document::Explain, directory, "explain --json not-spdx duplicate-section");
        self.add(Document::PolicyCheck, directory, "policy check --json policy.toml");
        self.add(Document::PolicyShow, directory, "policy show --json policy.toml");
        self.add(Document::PolicyShow, directory, "policy show --json every-key.toml");
        for command in ["show", "check"] {
            for file in ["found.wasm", "many.wasm"] {
                self.add(document_of(command), directory, &format!("{command} --json --packages all {file}"));
            }
        }
        for file in ["broken.wasm", "importing.wasm", "implementing.wasm", "wit.wasm"] {
            self.add(Document::Show, directory, &format!("show --json --interface {file}"));
        }
    }

    fn add_edits(&mut self, directory: &Path) {
        for edit in [
            "set full.wasm --version 2 --dry-run",
            "set full.wasm --licenses nonsense --allow-invalid",
            "set full.wasm --licenses nonsense --allow-invalid -o -",
            "unset full.wasm licenses",
            "put full.wasm source --data nowhere",
            "remove full.wasm build_id",
            "strip full.wasm --all",
            "migrate full.wasm --at 0 --allow-invalid",
            "migrate full.wasm --at 0 --allow-invalid",
            "set small.wasm --vendor v --to oci:edited:1.0",
        ] {
            self.add(Document::Edit, directory, &format!("{edit} --json"));
        }
    }

    fn add_differences(&mut self, directory: &Path) {
        for options in [
            "full.wasm small.wasm",
            "--content cut.wasm full.wasm",
            "small.wasm sections.wasm",
            "affected.wasm --packages all found.wasm",
            ". small.wasm",
        ] {
            self.add(Document::Diff, directory, &format!("diff --json {options}"));
        }
    }

    fn add_images(&mut self, directory: &Path) {
        self.add(Document::OciLayout, directory, "oci layout small.wasm -o layout --json");
        self.add(Document::OciLayout, directory, "oci layout small.wasm -o layout --json --ref 1.0");
        self.add(Document::OciAnnotations, directory, "oci annotations small.wasm --annotation com.example.a=b");
        self.add(Document::Show, directory, "show --json --image --verify oci:layout:1.0");
        self.add(Document::OciCheck, directory, "oci check --json oci:layout:1.0");
        let (server, _) = start(Registry::default(), |_| None);
        for options in [&["--json"][..], &["--json", "--sbom"], &["--json", "--dry-run"]] {
            let to = format!("{}/app:1.0", server.address);
            let mut push = push_command(directory, &directory.join("small.wasm"), &to, options);
            let run = Run::of(push.stdin(Stdio::null()).output().unwrap());
            self.add_lines(Document::OciPush, run.text());
        }
    }

    fn add_audits(&mut self, directory: &Path) {
        add_images_to_layout(directory);
        for options in ["", "--policy policy.toml", "--hash", "--nested 0", "--packages all", "--advisories database"] {
            self.add(Document::AuditLine, directory, &format!("audit --json . {options}"));
        }
        let earlier = run_in(directory, "audit --json full.wasm cut.wasm");
        fs::write(directory.join("earlier.jsonl"), earlier.stdout).unwrap();
        self.add(Document::AuditLine, directory, "audit --json full.wasm small.wasm cut.wasm --baseline earlier.jsonl");
    }
}

fn document_of(command: &str) -> Document {
    if command == "show" { Document::Show } else { Document::Check }
}

/// Inputs of all kinds: valid, truncated and not WebAssembly; with every value and with hostile
/// values; archives; and others.
fn write_inputs(directory: &Path) {
    let write = |name: &str, bytes: &[u8]| fs::write(directory.join(name), bytes).unwrap();
    let mut sections: Vec<_> = Field::ALL.map(|field| custom(field.section(), sound(field))).to_vec();
    sections.extend([
        custom("name", b"\x00\x05\x04\xff\x1b[m"),
        custom("producers", producers(&[("processed-by", &[("a", "1\u{202e}")]), ("sdk", &[])])),
        custom("vendor", b"caf\xe9\x1b[31m"),
        custom("registry-metadata", r#"{"license":"MIT","categories":["a"]}"#),
        custom("build_id", b"\x02\xab\xcd"),
        custom("unknown\u{202e}", b"\0"),
        dependencies("a"),
    ]);
    let inner = module(&sections);
    sections[0] = nested(&inner);
    sections.push(custom("registry-metadata", b"\xff"));
    sections.extend((0..70).map(|_| custom("licenses", "nonsense")));
    let full = component(&sections);
    write("full.wasm", &full);
    write("cut.wasm", &full[..full.len() - 1]);
    write("text.wasm", b"no WebAssembly");
    write("deep.wasm", &chain(60, &module(&[])));
    let small = module(&[custom("licenses", "MIT"), custom("version", "1"), section(0, b"\x01nothing")]);
    write("small.wasm", &small);
    let digits: Vec<String> = small.iter().map(|byte| format!("{byte:02x}")).collect();
    write("hidden.js", format!("load('{}')", digits.concat()).as_bytes());
    let sections: Vec<_> = (0..10_001).map(|nth| custom(&nth.to_string(), b"")).collect();
    write("sections.wasm", &module(&sections));
    write("affected.wasm", &module(&[packages(&[("smallvec", "1.6.0"), ("atty", "0.2.14")])]));
    for advisory in ["crates/smallvec/RUSTSEC-2021-0003.md", "crates/atty/RUSTSEC-2021-0145.md"] {
        let (from, to) = (super::advisories::database().join(advisory), directory.join("database").join(advisory));
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from, to).unwrap();
    }
    write("importing.wasm", &wat::parse_str(r#"(module (import "env" "f" (func)) (export "g" (func 0)))"#).unwrap());
    let implementing = r#"(component (import "a" (implements "my:keys/values@1.2.0") (instance)))"#;
    write("implementing.wasm", &wat::parse_str(implementing).unwrap());
    write("broken.wasm", &module(&[section(2, &[9, 9]), custom("producers", [1])]));
    write("found.wasm", &with_packages(""));
    let many = r#"{"name":"p","version":"1.0.0","source":"git"}"#;
    let many = format!(r#"{{"packages":[{}]}}"#, vec![many; 3_000].join(","));
    write("many.wasm", &module(&[custom(".dep-v0", zlib(many))]));
    let wit = sectile_testing::files::project().join("tests/files/wit-package.component.wasm");
    write("wit.wasm", &fs::read(wit).unwrap());

    let mut packed = tar::Builder::new(Vec::new());
    for (name, bytes) in [("in.wasm", &small[..]), ("cut.wasm", &small[..9]), ("a.xz", b"\xfd7zXZ\0\0\x04"), ("b", b"")]
    {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        packed.append_data(&mut header, name, bytes).unwrap();
    }
    write("packed.tar", &packed.into_inner().unwrap());
    write("a.7z", b"7z\xbc\xaf\x27\x1c");
    write("broken.zip", b"PK\x03\x04");
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        std::os::unix::fs::symlink("small.wasm", directory.join("link.wasm")).unwrap();
        let hostile = directory.join(OsStr::from_bytes(b"\xff\x1b[m.wasm"));
        if cfg!(target_os = "linux") {
            fs::write(hostile, &small).unwrap(); // other systems reject the name
        }
    }
    let policy = "[[licenses]]\nallow = 'MIT'\n[[required]]\nfields = 'authors'\n\
                  [[exceptions]]\npaths = '*full.wasm'\ncodes = 'refused-license'\nreason = 'a'\n\
                  [[exceptions]]\npaths = '*small.wasm'\nexpires = 9999-12-30\nreason = 'b'\n";
    write("policy.toml", policy.as_bytes());
    let page = fs::read_to_string(sectile_testing::files::project().join("docs/policy.md")).unwrap();
    let example = page.split_once("```toml\n").unwrap().1.split_once("```").unwrap().0;
    write("every-key.toml", example.as_bytes());
}

/// Adds more names for an image to the layout than a row can have.
fn add_images_to_layout(directory: &Path) {
    let index = directory.join("layout/index.json");
    let mut listed: Value = serde_json::from_slice(&fs::read(&index).unwrap()).unwrap();
    let images = listed["manifests"].as_array_mut().unwrap();
    for nth in 0..70 {
        let mut image = images[0].clone();
        image["annotations"] = json!({ "org.opencontainers.image.ref.name": format!("more-{nth}") });
        images.push(image);
    }
    fs::write(&index, listed.to_string()).unwrap();
}

fn run_in(directory: &Path, arguments: &str) -> Run {
    let mut command = command(arguments.split_whitespace());
    Run::of(command.current_dir(directory).env_remove("SOURCE_DATE_EPOCH").stdin(Stdio::null()).output().unwrap())
}

#[test]
fn all_json_has_a_schema() {
    let samples = Samples::of_all_documents();
    for (document, value) in &samples.0 {
        check(*document, value).unwrap_or_else(|error| panic!("{error}\n{value}"));
    }
    for document in Document::ALL {
        assert!(samples.0.iter().any(|(found, _)| *found == document), "{document:?}");
    }
    keys_are_complete(&samples);
    changes_are_found(&samples);
}

/// The schemas have no key that the command never prints.
fn keys_are_complete(samples: &Samples) {
    let mut printed = BTreeSet::new();
    samples
        .0
        .iter()
        .for_each(|(_, value)| for_each_object(value, &mut |_, object| printed.extend(object.keys().cloned())));
    let mut described = BTreeSet::new();
    for document in Document::ALL {
        for file in [document.file(), "common.schema.json"] {
            let text = fs::read_to_string(super::project().join("docs/schema").join(file)).unwrap();
            for_each_object(&serde_json::from_str(&text).unwrap(), &mut |_, object| {
                let properties = object.get("properties").and_then(Value::as_object);
                described.extend(properties.into_iter().flat_map(Map::keys).cloned());
            });
        }
    }
    let never: Vec<_> = described.difference(&printed).collect();
    assert!(never.is_empty(), "never printed: {never:?}");
}

/// An undescribed key is an error, and so is the lack of a required key.
fn changes_are_found(samples: &Samples) {
    const FREE: [&str; 8] = [
        "annotations",
        "first_annotations",
        "producers",
        "section_totals",
        "formats",
        "not_opened",
        "registry_metadata",
        "OciAnnotations",
    ];
    const OPTIONAL: [&str; 40] = [
        "encoding",
        "documents",
        "advisories",
        "databases",
        "count",
        "excepted",
        "dependencies",
        "registry_metadata",
        "debug_links",
        "imports",
        "exports",
        "wit_package",
        "module",
        "implements",
        "omits_locations",
        "items_left_out",
        "not_opened",
        "image",
        "checksum",
        "replaces",
        "go_builds",
        "packages_left_out",
        "first_annotations",
        "incomplete",
        "incomplete_producers",
        "incomplete_interface",
        "sections_left_out",
        "section_list",
        "excludes_wasm",
        "searched",
        "group",
        "content",
        "not_compared",
        "differences",
        "left_out",
        "new_findings",
        "gone_findings",
        "baseline",
        "data_digest",
        "advisory",
    ];
    let mut seen = BTreeSet::new();
    for (document, value) in &samples.0 {
        let mut changed = Vec::new();
        for_each_object(value, &mut |pointer, object| {
            let holder = pointer.rsplit('/').find(|part| part.parse::<usize>().is_err()).unwrap_or_default();
            let holder = if pointer.is_empty() { format!("{document:?}") } else { holder.to_owned() };
            if holder != "registry_metadata" {
                changed.push((pointer.to_owned(), None));
            }
            // Only the schema of a policy itself defines which settings of a table are optional.
            let is_table = *document == Document::PolicyShow && pointer.split('/').count() == 3;
            let is_free = FREE.contains(&&*holder) || is_table;
            let keys = object.keys().filter(|key| !is_free && !OPTIONAL.contains(&&***key));
            changed.extend(keys.map(|key| (pointer.to_owned(), Some(key.clone()))));
        });
        for (pointer, key) in changed {
            let kind: String = pointer.split('/').filter(|part| part.parse::<usize>().is_err()).collect();
            if !seen.insert((format!("{document:?}"), kind, key.clone(), value.get("row").is_some())) {
                continue; // one of each kind
            }
            let mut other = value.clone();
            let object = other.pointer_mut(&pointer).unwrap().as_object_mut().unwrap();
            match &key {
                Some(key) => _ = object.remove(key),
                None => _ = object.insert("unexpected".to_owned(), Value::Null),
            }
            assert!(check(*document, &other).is_err(), "{document:?} {pointer} {key:?}: {other}");
        }
    }
    assert!(seen.len() > 200, "{}", seen.len());
}

/// Calls a function with each object and its JSON pointer.
fn for_each_object(value: &Value, found: &mut impl FnMut(&str, &Map<String, Value>)) {
    let mut open = vec![(String::new(), value)];
    while let Some((pointer, value)) = open.pop() {
        match value {
            Value::Array(values) => {
                open.extend(values.iter().enumerate().map(|(nth, value)| (format!("{pointer}/{nth}"), value)));
            }
            Value::Object(object) => {
                found(&pointer, object);
                let escaped = |key: &str| key.replace('~', "~0").replace('/', "~1");
                open.extend(object.iter().map(|(key, value)| (format!("{pointer}/{}", escaped(key)), value)));
            }
            _ => {}
        }
    }
}
