//! `CycloneDX` documents. Source: the JSON schemas of 1.6 and 1.7, which do not differ in what is
//! written here.

use std::io::{self, Write};

use sectile::internal::json::{write_array, write_text};
use sectile::inventory::ListKind;
use sectile::metadata::Field;

use super::elements::Elements;
use super::license::License;
use super::package::{ItemPackages, Package};
use super::part::{Completeness, Part};
use super::reference::Reference;
use super::{SbomFormat, Vulnerability, VulnerabilityAnalysis};

/// The longest version that the schema accepts, in characters.
const MAX_VERSION: usize = 1_024;

/// Writes the start of a document, up to the component that it describes.
pub(crate) fn write_head(format: SbomFormat, created: Option<&str>, out: &mut impl Write) -> io::Result<()> {
    let version = if format == SbomFormat::CycloneDx17 { "1.7" } else { "1.6" };
    write!(out, r#"{{"$schema":"http://cyclonedx.org/schema/bom-{version}.schema.json","bomFormat":"CycloneDX""#)?;
    write!(out, r#","specVersion":"{version}","version":1,"metadata":{{"tools":{{"components":["#)?;
    let tool = env!("CARGO_PKG_VERSION");
    write!(out, r#"{{"type":"application","name":"sectile","version":"{tool}"}}]}}"#)?;
    if let Some(created) = created {
        write!(out, r#","timestamp":"#)?;
        write_text(out, created)?;
    }
    write!(out, r#","component":"#)
}

/// Writes the store that a document of several binaries describes.
pub(crate) fn write_store(name: &str, out: &mut impl Write) -> io::Result<()> {
    write!(out, r#"{{"type":"file","bom-ref":"{STORE}","name":"#)?;
    write_text(out, name)?;
    write!(out, "}}")
}

/// Writes the elements of an array that are about the store: it contains all binaries.
pub(crate) fn write_store_elements<W: Write>(
    array: &str,
    binaries: u64,
    is_complete: bool,
    elements: &mut Elements<'_, W>,
) -> io::Result<()> {
    match array {
        "dependencies" => {
            let out = elements.next()?;
            write!(out, r#"{{"ref":"{STORE}","dependsOn":"#)?;
            write_array(out, 1..=binaries, |out, number| write!(out, r#""{number}/item:0""#))?;
            write!(out, "}}")
        }
        "compositions" => {
            let aggregate = if is_complete { Completeness::Complete } else { Completeness::Incomplete }.name();
            write!(elements.next()?, r#"{{"aggregate":"{aggregate}","assemblies":["{STORE}"]}}"#)
        }
        _ => Ok(()),
    }
}

/// The `bom-ref` of the store.
const STORE: &str = "store";

impl Part<'_, '_> {
    /// Writes the elements of an array.
    pub(crate) fn write_cyclonedx<W: Write>(&self, array: &str, elements: &mut Elements<'_, W>) -> io::Result<()> {
        match array {
            "components" => {
                if self.is_numbered {
                    self.write_root_component(elements.next()?)?;
                }
                for (reference, item, package) in self.packages() {
                    write_package(elements.next()?, reference, item, package)?;
                }
                Ok(())
            }
            "dependencies" => self.write_dependencies(elements),
            "compositions" => self.write_compositions(elements),
            _ => self.write_vulnerabilities(elements),
        }
    }

    /// Writes the root item, with the nested items as its components.
    pub(crate) fn write_root_component(&self, out: &mut impl Write) -> io::Result<()> {
        let root = &self.sbom.root;
        self.write_item(out, self.sbom.root_name(), root)?;
        if !self.sbom.nested.is_empty() {
            write!(out, r#","components":"#)?;
            write_array(out, &self.sbom.nested, |out, item| {
                self.write_item(out, &item.shown_name(), item)?;
                write!(out, "}}")
            })?;
        }
        write!(out, "}}")
    }

    /// Writes an item up to its nested components.
    fn write_item(&self, out: &mut impl Write, name: &str, item: &ItemPackages<'_>) -> io::Result<()> {
        let reference = self.reference(item).bom_ref();
        write!(out, r#"{{"type":"application","mime-type":"application/wasm","bom-ref":"{reference}""#)?;
        if let Some(vendor) = item.annotation(Field::Vendor) {
            write!(out, r#","supplier":{{"name":"#)?;
            write_text(out, vendor)?;
            write!(out, "}}")?;
        }
        if let Some(authors) = item.annotation(Field::Authors) {
            write!(out, r#","authors":[{{"name":"#)?;
            write_text(out, authors)?;
            write!(out, "}}]")?;
        }
        write!(out, r#","name":"#)?;
        write_text(out, name)?;
        let version = item.annotation(Field::Version).filter(|version| version.chars().count() <= MAX_VERSION);
        for (key, text) in [("version", version), ("description", item.annotation(Field::Description))] {
            if let Some(text) = text {
                write!(out, r#","{key}":"#)?;
                write_text(out, text)?;
            }
        }
        let is_root = item.number == self.sbom.root.number;
        if let Some(digest) = self.sbom.digest.filter(|_| is_root) {
            write!(out, r#","hashes":[{{"alg":"SHA-256","content":"{}"}}]"#, digest.hex())?;
        }
        write_license(out, item)?;
        write_links(out, item)?;
        let file = self.sbom.file.filter(|_| is_root);
        let kind = item.kind.map(|kind| ("sectile:kind", kind.name()));
        let others = [("sectile:file", file), ("sectile:revision", item.annotation(Field::Revision))];
        let properties = [("sectile:item", &*item.path)].into_iter().chain(kind);
        let properties = properties.chain(others.into_iter().filter_map(|(name, value)| Some((name, value?))));
        write!(out, r#","properties":"#)?;
        write_array(out, properties, write_property)
    }

    fn write_dependencies<W: Write>(&self, elements: &mut Elements<'_, W>) -> io::Result<()> {
        for item in self.sbom.items() {
            let reference = self.reference(item);
            let children = self.children(item).map(|child| self.reference(child));
            let own = top_packages(item.packages()).map(|index| reference.package(index));
            write_dependency(elements.next()?, reference, children.chain(own))?;
            for (index, package) in item.packages().iter().enumerate() {
                let mut on = package.dependencies.to_vec();
                on.sort_unstable();
                on.dedup(); // the schema requires unique items
                let on = on.into_iter().map(|on| reference.package(on));
                write_dependency(elements.next()?, reference.package(index), on)?;
            }
        }
        Ok(())
    }

    fn write_compositions<W: Write>(&self, elements: &mut Elements<'_, W>) -> io::Result<()> {
        for completeness in Completeness::ALL {
            let mut items = self.sbom.items().filter(|item| self.sbom.completeness(item) == completeness).peekable();
            if items.peek().is_none() {
                continue;
            }
            let out = elements.next()?;
            write!(out, r#"{{"aggregate":"{}","dependencies":"#, completeness.name())?;
            write_array(out, items, |out, item| write!(out, r#""{}""#, self.reference(item).bom_ref()))?;
            write!(out, "}}")?;
        }
        Ok(())
    }

    fn write_vulnerabilities<W: Write>(&self, elements: &mut Elements<'_, W>) -> io::Result<()> {
        for vulnerability in &self.sbom.vulnerabilities {
            let out = elements.next()?;
            write!(out, r#"{{"id":"#)?;
            write_text(out, &vulnerability.id)?;
            write_vulnerability(out, vulnerability)?;
            let known = vulnerability.affects.iter().filter_map(|&(number, index)| {
                let item = self.sbom.item(number)?;
                Some((self.reference(item).package(index), Some(item.packages().get(index)?)))
            });
            let items = vulnerability.affects_items.iter().filter_map(|&number| self.sbom.item(number));
            let items = items.map(|item| (self.reference(item), None));
            write!(out, r#","affects":"#)?;
            write_array(out, known.chain(items), |out, (reference, package)| {
                write!(out, r#"{{"ref":"{}""#, reference.bom_ref())?;
                if let Some(package) = package {
                    write!(out, r#","versions":[{{"version":"#)?;
                    write_text(out, &package.version)?;
                    write!(out, r#","status":"affected"}}]"#)?;
                }
                write!(out, "}}")
            })?;
            write!(out, "}}")?;
        }
        Ok(())
    }
}

/// The root package of a list, and the packages that were found in data. If it has no root package,
/// the packages that no other package depends on.
fn top_packages(packages: &[Package<'_>]) -> impl Iterator<Item = usize> + use<> {
    let root = packages.iter().position(|package| package.root);
    let mut is_needed: Vec<bool> = packages.iter().map(|package| root.is_some() && package.found.is_none()).collect();
    for &index in packages.iter().flat_map(|package| &*package.dependencies) {
        is_needed[index] = true;
    }
    let unneeded = is_needed.into_iter().enumerate().filter(|(_, is_needed)| !is_needed).map(|(index, _)| index);
    root.into_iter().chain(unneeded)
}

fn write_license(out: &mut impl Write, item: &ItemPackages<'_>) -> io::Result<()> {
    let (before, text, after) = match item.annotation(Field::Licenses).map(License::new) {
        None | Some(License::Unknown(_)) => return Ok(()),
        Some(License::Expression(text)) => (r#","licenses":[{"expression":"#, text, "}]"),
        Some(License::Text(text)) => (r#","licenses":[{"license":{"name":"#, text.into(), "}}]"),
    };
    write!(out, "{before}")?;
    write_text(out, &text)?;
    write!(out, "{after}")
}

/// Writes the addresses that are valid.
fn write_links(out: &mut impl Write, item: &ItemPackages<'_>) -> io::Result<()> {
    const LINKS: [(Field, &str); 3] =
        [(Field::Source, "vcs"), (Field::Homepage, "website"), (Field::Documentation, "documentation")];
    let mut links = LINKS.into_iter().filter_map(|(field, kind)| Some((kind, item.link(field)?))).peekable();
    if links.peek().is_none() {
        return Ok(());
    }
    write!(out, r#","externalReferences":"#)?;
    write_array(out, links, |out, (kind, url)| {
        write!(out, r#"{{"type":"{kind}","url":"#)?;
        write_text(out, url)?;
        write!(out, "}}")
    })
}

fn write_package(
    out: &mut impl Write,
    reference: Reference,
    item: Reference,
    (path, package): (&str, &Package<'_>),
) -> io::Result<()> {
    let kind = if package.root { "application" } else { "library" };
    write!(out, r#"{{"type":"{kind}","bom-ref":"{}","name":"#, reference.bom_ref())?;
    write_text(out, &package.name)?;
    write!(out, r#","version":"#)?;
    write_text(out, &package.version)?;
    let scope = if package.build { "excluded" } else { "required" };
    write!(out, r#","scope":"{scope}""#)?;
    if let Some(purl) = &package.purl {
        write!(out, r#","purl":"#)?;
        write_text(out, purl)?;
    }
    write_evidence(out, item, package)?;
    write!(out, r#","properties":"#)?;
    let mut properties = vec![("sectile:item", path), ("sectile:source", &package.source)];
    let offset = package.found.map(|found| found.offset.to_string());
    if let (Some(found), Some(offset)) = (package.found, &offset) {
        let (evidence, confidence) = (found.evidence.name(), found.confidence.name());
        properties.extend([
            ("sectile:evidence", evidence),
            ("sectile:confidence", confidence),
            ("sectile:offset", offset),
        ]);
    }
    write_array(out, properties, write_property)?;
    write!(out, "}}")
}

/// Writes how the package was identified, and where.
fn write_evidence(out: &mut impl Write, item: Reference, package: &Package<'_>) -> io::Result<()> {
    let (field, value) = match &package.purl {
        Some(purl) => ("purl", purl),
        None => ("name", &package.name),
    };
    let (evidence, certainty) = (package.evidence(), package.certainty());
    let technique = match evidence.list() {
        ListKind::Declared | ListKind::Embedded => "manifest-analysis",
        ListKind::Recovered => "binary-analysis",
    };
    write!(out, r#","evidence":{{"identity":[{{"field":"{field}","confidence":{certainty},"concludedValue":"#)?;
    write_text(out, value)?;
    write!(out, r#","methods":[{{"technique":"{technique}","confidence":{certainty},"value":"{evidence}"}}]}}]"#)?;
    if let Some(found) = package.found {
        write!(out, r#","occurrences":[{{"location":"{}","offset":{}}}]"#, item.bom_ref(), found.offset)?;
    }
    write!(out, "}}")
}

/// Writes a vulnerability between its identifier and the affected packages.
fn write_vulnerability(out: &mut impl Write, vulnerability: &Vulnerability<'_>) -> io::Result<()> {
    if !vulnerability.url.is_empty() {
        write!(out, r#","source":{{"url":"#)?;
        write_text(out, &vulnerability.url)?;
        write!(out, "}}")?;
    }
    if !vulnerability.aliases.is_empty() {
        write!(out, r#","references":"#)?;
        write_array(out, &vulnerability.aliases, |out, alias| {
            write!(out, r#"{{"id":"#)?;
            write_text(out, alias)?;
            write!(out, r#","source":{{}}}}"#)
        })?;
    }
    if let Some(severity) = &vulnerability.severity {
        write!(out, r#","ratings":[{{"severity":"#)?;
        write_text(out, severity)?;
        if let Some(score) = &vulnerability.score {
            write!(out, r#","score":{score}"#)?;
        }
        write!(out, "}}]")?;
    }
    for (key, text) in [("description", &vulnerability.description), ("recommendation", &vulnerability.recommendation)]
    {
        if !text.is_empty() {
            write!(out, r#","{key}":"#)?;
            write_text(out, text)?;
        }
    }
    if let Some(VulnerabilityAnalysis { state, detail }) = &vulnerability.analysis {
        write!(out, r#","analysis":{{"#)?;
        if let Some(state) = state {
            write!(out, r#""state":"{state}","#)?;
        }
        write!(out, r#""detail":"#)?;
        write_text(out, detail)?;
        write!(out, "}}")?;
    }
    Ok(())
}

fn write_property<W: Write>(out: &mut W, (name, value): (&str, &str)) -> io::Result<()> {
    write!(out, r#"{{"name":"{name}","value":"#)?;
    write_text(out, value)?;
    write!(out, "}}")
}

fn write_dependency(out: &mut impl Write, reference: Reference, on: impl Iterator<Item = Reference>) -> io::Result<()> {
    write!(out, r#"{{"ref":"{}","dependsOn":"#, reference.bom_ref())?;
    write_array(out, on, |out, on| write!(out, r#""{}""#, on.bom_ref()))?;
    write!(out, "}}")
}
