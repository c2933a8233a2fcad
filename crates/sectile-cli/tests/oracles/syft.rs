//! Syft reads the documents: `syft convert` lists the packages of each.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::program::find;
use super::sbom::{crafted, documents};

/// The packages in a document, by name and version, with the number of their occurrences.
type Packages = BTreeMap<(String, String), usize>;

#[test]
#[ignore = "needs syft"]
fn converts_each_document() {
    let Some(syft) = find("converts_each_document", "syft") else { return };
    let directory = tempfile::tempdir().unwrap();
    let mut number = 0;
    for (name, bytes) in crafted() {
        fs::write(directory.path().join(name), bytes).unwrap();
        for document in documents(directory.path(), &["sbom", name], name) {
            let output = Command::new(&syft).arg("convert").arg(&document).args(["-q", "-o", "json"]).output().unwrap();
            let place = document.display();
            assert!(output.status.success(), "{place}: {}", String::from_utf8_lossy(&output.stderr));
            let read = serde_json::from_slice::<Value>(&output.stdout).unwrap();
            let read = read["artifacts"].as_array().unwrap().iter();
            let written = written(&document);
            number += written.values().sum::<usize>();
            let missing = missing(written, read.map(|package| (text(package, "name"), text(package, "version"))));
            assert_eq!(missing, Packages::new(), "{place}");
        }
    }
    assert!(number > 20, "{number}");
}

/// The packages with a purl.
fn written(document: &Path) -> Packages {
    let document: Value = serde_json::from_slice(&fs::read(document).unwrap()).unwrap();
    let mut packages = Packages::new();
    if let Some(list) = document["packages"].as_array() {
        for package in list.iter().filter(|package| package["externalRefs"].to_string().contains("\"purl\"")) {
            *packages.entry((text(package, "name"), text(package, "versionInfo"))).or_default() += 1;
        }
    } else {
        for package in
            document["components"].as_array().into_iter().flatten().filter(|package| package["purl"].is_string())
        {
            *packages.entry((text(package, "name"), text(package, "version"))).or_default() += 1;
        }
    }
    packages
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

/// The packages that were not read.
fn missing(written: Packages, read: impl Iterator<Item = (String, String)>) -> Packages {
    let mut missing = written;
    for package in read {
        if let Some(number) = missing.get_mut(&package) {
            *number = number.saturating_sub(1);
        }
    }
    missing.retain(|_, number| *number > 0);
    missing
}
