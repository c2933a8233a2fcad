//! SPDX documents. Source: the SPDX specification 2.3 and its JSON schema.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};

use jiff::Timestamp;
use sectile::internal::json::{write_array, write_text};
use sectile::metadata::Field;

use super::Vulnerability;
use super::elements::Elements;
use super::license::License;
use super::package::{ItemPackages, Package};
use super::part::{Completeness, Part};
use super::reference::Reference;

/// The time of a document without another one.
const NO_TIME: &str = "1970-01-01T00:00:00Z";

/// A time as SPDX writes it: in UTC, without fractions of a second. A fixed time if there is none.
pub(crate) fn spdx_time(time: Option<&str>) -> String {
    let time = time.and_then(|time| time.replacen(' ', "T", 1).to_ascii_uppercase().parse::<Timestamp>().ok());
    let seconds = time.and_then(|time| Timestamp::from_second(time.as_second()).ok());
    seconds.map_or_else(|| NO_TIME.to_owned(), |seconds| seconds.to_string())
}

/// Writes the start of a document with this name, up to its arrays.
pub(crate) fn write_head(name: &str, created: &str, out: &mut impl Write) -> io::Result<()> {
    write!(out, r#"{{"spdxVersion":"SPDX-2.3","dataLicense":"CC0-1.0","SPDXID":"SPDXRef-DOCUMENT","creationInfo":"#)?;
    write!(out, r#"{{"creators":["{TOOL}"],"created":"{created}"}},"name":"#)?;
    write_text(out, name)
}

/// The program that writes the document.
const TOOL: &str = concat!("Tool: sectile-", env!("CARGO_PKG_VERSION"));

/// Writes the end of a document, whose namespace has this digest of all before it.
pub(crate) fn write_end(digest: &str, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, r#","documentNamespace":"https://spdx.org/spdxdocs/sectile-{digest}"}}"#)
}

/// The identifier of the store that a document of several binaries describes.
const STORE: &str = "SPDXRef-store";

/// Writes the store that a document of several binaries describes.
pub(crate) fn write_store(name: &str, out: &mut impl Write) -> io::Result<()> {
    write!(out, r#"{{"SPDXID":"{STORE}","name":"#)?;
    write_text(out, name)?;
    write!(out, r#","supplier":"NOASSERTION"{NOTHING_KNOWN},"licenseDeclared":"NOASSERTION"}}"#)
}

/// Writes the elements of an array that are about the store: it contains all binaries.
pub(crate) fn write_store_elements<W: Write>(
    array: &str,
    binaries: u64,
    is_complete: bool,
    elements: &mut Elements<'_, W>,
) -> io::Result<()> {
    if array != "relationships" {
        return Ok(());
    }
    write_relationship(elements, &"SPDXRef-DOCUMENT", "DESCRIBES", &STORE)?;
    for number in 1..=binaries {
        write_relationship(elements, &STORE, "CONTAINS", &format_args!("SPDXRef-{number}-item-0"))?;
    }
    if !is_complete {
        write_relationship(elements, &STORE, "CONTAINS", &"NOASSERTION")?;
    }
    Ok(())
}

/// The required members that a binary does not state.
const NOTHING_KNOWN: &str = r#","downloadLocation":"NOASSERTION","filesAnalyzed":false,"licenseConcluded":"NOASSERTION","copyrightText":"NOASSERTION""#;

impl Part<'_, '_> {
    /// Writes the elements of an array.
    pub(crate) fn write_spdx<W: Write>(&self, array: &str, elements: &mut Elements<'_, W>) -> io::Result<()> {
        match array {
            "packages" => {
                let advisories = self.advisories();
                let of = |reference: &Reference| advisories.get(reference).map(Vec::as_slice).unwrap_or_default();
                for item in self.sbom.items() {
                    self.write_spdx_item(elements.next()?, item, of(&self.reference(item)))?;
                }
                for (reference, _, (path, package)) in self.packages() {
                    self.write_spdx_package(elements.next()?, reference, path, package, of(&reference))?;
                }
                Ok(())
            }
            "relationships" => self.write_relationships(elements),
            _ => self.write_license_texts(elements),
        }
    }

    fn write_spdx_item(
        &self,
        out: &mut impl Write,
        item: &ItemPackages<'_>,
        advisories: &[&Vulnerability<'_>],
    ) -> io::Result<()> {
        let is_root = item.number == self.sbom.root.number;
        write!(out, r#"{{"SPDXID":"{}","name":"#, self.reference(item).spdx_id())?;
        if is_root {
            write_text(out, self.sbom.root_name())?;
        } else {
            write_text(out, &item.shown_name())?;
        }
        let source = match (item.annotation(Field::Source), item.annotation(Field::Revision)) {
            (None, None) => None,
            (source, revision) => Some(format!(
                "built from {}, revision {}",
                source.unwrap_or("an unknown source"),
                revision.unwrap_or("unknown")
            )),
        };
        let texts = [
            ("versionInfo", item.annotation(Field::Version)),
            ("packageFileName", self.sbom.file.filter(|_| is_root)),
            ("homepage", item.link(Field::Homepage)),
            ("sourceInfo", source.as_deref()),
            ("description", item.annotation(Field::Description)),
        ];
        for (key, text) in texts {
            if let Some(text) = text {
                write!(out, r#","{key}":"#)?;
                write_text(out, text)?;
            }
        }
        write_actor(out, "supplier", "Organization", item.annotation(Field::Vendor))?;
        if item.annotation(Field::Authors).is_some() {
            write_actor(out, "originator", "Person", item.annotation(Field::Authors))?;
        }
        write!(out, r#"{NOTHING_KNOWN},"licenseDeclared":"#)?;
        match item.annotation(Field::Licenses).map(License::new) {
            None => write_text(out, "NOASSERTION")?,
            Some(license) => write_text(out, &license.declared().0)?,
        }
        if let Some(digest) = self.sbom.digest.filter(|_| is_root) {
            write!(out, r#","checksums":[{{"algorithm":"SHA256","checksumValue":"{}"}}]"#, digest.hex())?;
        }
        write_references(out, None, advisories)?;
        write!(out, r#","primaryPackagePurpose":"APPLICATION","annotations":["#)?;
        let kind = item.kind.map_or("binary", sectile::scan::ItemKind::name);
        self.write_annotation(out, &format!("sectile: {kind}, {}", shown_item(&item.path)))?;
        write!(out, "]}}")
    }

    fn write_spdx_package(
        &self,
        out: &mut impl Write,
        reference: Reference,
        path: &str,
        package: &Package<'_>,
        advisories: &[&Vulnerability<'_>],
    ) -> io::Result<()> {
        write!(out, r#"{{"SPDXID":"{}","name":"#, reference.spdx_id())?;
        write_text(out, &package.name)?;
        write!(out, r#","versionInfo":"#)?;
        write_text(out, &package.version)?;
        write!(out, r#","supplier":"NOASSERTION"{NOTHING_KNOWN},"licenseDeclared":"NOASSERTION""#)?;
        write_references(out, package.purl.as_deref(), advisories)?;
        let purpose = if package.root { "APPLICATION" } else { "LIBRARY" };
        write!(out, r#","primaryPackagePurpose":"{purpose}","annotations":["#)?;
        let (evidence, item) = (package.evidence(), shown_item(path));
        let place = match package.found {
            Some(found) => format!(" at offset {} with {} confidence", found.offset, found.confidence),
            None => String::new(),
        };
        self.write_annotation(out, &format!("sectile: {} by {evidence} in {item}{place}", evidence.list()))?;
        write!(out, "]}}")
    }

    fn write_annotation(&self, out: &mut impl Write, comment: &str) -> io::Result<()> {
        let created = &self.created;
        write!(out, r#"{{"annotator":"{TOOL}","annotationDate":"{created}","annotationType":"OTHER","comment":"#)?;
        write_text(out, comment)?;
        write!(out, "}}")
    }

    fn write_relationships<W: Write>(&self, elements: &mut Elements<'_, W>) -> io::Result<()> {
        if !self.is_numbered {
            let root = self.reference(&self.sbom.root).spdx_id();
            write_relationship(elements, &"SPDXRef-DOCUMENT", "DESCRIBES", &root)?;
        }
        for item in self.sbom.items() {
            let reference = self.reference(item);
            for child in self.children(item) {
                write_relationship(elements, &reference.spdx_id(), "CONTAINS", &self.reference(child).spdx_id())?;
            }
            for (index, package) in item.packages().iter().enumerate() {
                let (of_item, of_package) = (reference.spdx_id(), reference.package(index).spdx_id());
                if package.build {
                    write_relationship(elements, &of_package, "BUILD_DEPENDENCY_OF", &of_item)?;
                } else {
                    write_relationship(elements, &of_item, "CONTAINS", &of_package)?;
                }
                for &on in &*package.dependencies {
                    write_relationship(elements, &of_package, "DEPENDS_ON", &reference.package(on).spdx_id())?;
                }
            }
            if self.sbom.completeness(item) != Completeness::Complete {
                write_relationship(elements, &reference.spdx_id(), "CONTAINS", &"NOASSERTION")?;
            }
        }
        Ok(())
    }

    /// Writes the licenses of all items that are not on the SPDX list.
    fn write_license_texts<W: Write>(&self, elements: &mut Elements<'_, W>) -> io::Result<()> {
        let mut texts = BTreeMap::new();
        for item in self.sbom.items() {
            let Some(license) = item.annotation(Field::Licenses).map(License::new) else { continue };
            texts.extend(license.declared().1.into_iter().map(|(id, text)| (id, text.to_owned())));
        }
        for (id, text) in texts {
            let out = elements.next()?;
            write!(out, r#"{{"licenseId":"{id}","extractedText":"#)?;
            write_text(out, &text)?;
            write!(out, "}}")?;
        }
        Ok(())
    }

    /// The vulnerabilities with an address, by the affected package or item.
    fn advisories(&self) -> HashMap<Reference, Vec<&Vulnerability<'_>>> {
        let mut advisories: HashMap<_, Vec<_>> = HashMap::new();
        for vulnerability in self.sbom.vulnerabilities.iter().filter(|vulnerability| !vulnerability.url.is_empty()) {
            let packages = vulnerability.affects.iter().map(|&(number, index)| (number, Some(index)));
            let items = vulnerability.affects_items.iter().map(|&number| (number, None));
            for (number, index) in packages.chain(items) {
                let Some(item) = self.sbom.item(number).map(|item| self.reference(item)) else { continue };
                let affected = index.map_or(item, |index| item.package(index));
                advisories.entry(affected).or_default().push(vulnerability);
            }
        }
        advisories
    }
}

/// Writes the external references: the package URL, and the advisories.
fn write_references(out: &mut impl Write, purl: Option<&str>, advisories: &[&Vulnerability<'_>]) -> io::Result<()> {
    let purl = purl.map(|purl| ("PACKAGE-MANAGER", "purl", purl, None));
    let links = advisories.iter().map(|found| ("SECURITY", "advisory", &*found.url, Some(found)));
    let mut external = purl.into_iter().chain(links).peekable();
    if external.peek().is_none() {
        return Ok(());
    }
    write!(out, r#","externalRefs":"#)?;
    write_array(out, external, |out, (category, kind, locator, advisory)| {
        write!(out, r#"{{"referenceCategory":"{category}","referenceType":"{kind}","referenceLocator":"#)?;
        write_text(out, locator)?;
        if let Some(advisory) = advisory {
            write!(out, r#","comment":"#)?;
            write_text(out, &summary(advisory))?;
        }
        write!(out, "}}")
    })
}

/// Writes a person or an organization. `NOASSERTION` without a name.
fn write_actor(out: &mut impl Write, key: &str, kind: &str, name: Option<&str>) -> io::Result<()> {
    write!(out, r#","{key}":"#)?;
    // Parentheses would be read as an address, and line feeds end the value.
    let is_space = |character: char| character.is_whitespace() || matches!(character, '(' | ')');
    let words: Vec<&str> = name.unwrap_or_default().split(is_space).filter(|word| !word.is_empty()).collect();
    if words.is_empty() {
        write_text(out, "NOASSERTION")
    } else {
        write_text(out, &format!("{kind}: {}", words.join(" ")))
    }
}

fn write_relationship<W: Write>(
    elements: &mut Elements<'_, W>,
    element: &dyn std::fmt::Display,
    kind: &str,
    related: &dyn std::fmt::Display,
) -> io::Result<()> {
    let out = elements.next()?;
    write!(out, r#"{{"spdxElementId":"{element}","relationshipType":"{kind}","relatedSpdxElement":"{related}"}}"#)
}

/// The item at a path, in a sentence.
fn shown_item(path: &str) -> String {
    if path.is_empty() { "the root item".to_owned() } else { format!("item {path}") }
}

/// A vulnerability in one line: its identifier and summary, the instruction, and why it does not matter.
fn summary(vulnerability: &Vulnerability<'_>) -> String {
    let detail = vulnerability.analysis.as_ref().map(|analysis| &*analysis.detail);
    let parts = [&*vulnerability.description, &vulnerability.recommendation, detail.unwrap_or_default()];
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    format!("{}: {}", vulnerability.id, parts.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_in_utc_and_whole_seconds() {
        for (time, expected) in [
            ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z"),
            ("2026-01-31T12:00:00.75+01:00", "2026-01-31T11:00:00Z"),
            ("2026-01-31 12:00:00z", "2026-01-31T12:00:00Z"),
            ("yesterday", NO_TIME),
        ] {
            assert_eq!(spdx_time(Some(time)), expected, "{time}");
        }
        assert_eq!(spdx_time(None), NO_TIME);
    }
}
