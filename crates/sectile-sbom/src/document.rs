//! The document, written piece by piece.

use std::fmt;
use std::io::{self, Write};

use super::{ItemPackages, Package, Sbom, Vulnerability};
use sectile::internal::json::{write_array, write_text};

impl Sbom<'_> {
    /// Writes the document as one JSON object and a line feed, with its keys in a fixed order.
    ///
    /// # Errors
    ///
    /// Errors of the writer.
    pub fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        write!(out, r#"{{"$schema":"http://cyclonedx.org/schema/bom-1.6.schema.json","bomFormat":"CycloneDX""#)?;
        write!(out, r#","specVersion":"1.6","version":1,"metadata":{{"#)?;
        if let Some(created) = self.created {
            write!(out, r#""timestamp":"#)?;
            write_text(out, created)?;
            write!(out, ",")?;
        }
        let version = env!("CARGO_PKG_VERSION");
        write!(
            out,
            r#""tools":{{"components":[{{"type":"application","name":"sectile","version":"{version}"}}]}},"component":"#
        )?;
        self.write_root(out)?;
        write!(out, r#"}},"components":"#)?;
        let packages = self.lists().flat_map(|item| {
            let of_item = (0..).zip(item.packages());
            of_item.map(move |(index, package)| (BomRef::item(item).package(index), &*item.path, package))
        });
        write_array(out, packages, |out, (of, path, package)| write_package(out, of, path, package))?;
        write!(out, r#","dependencies":"#)?;
        self.write_dependencies(out)?;
        if let Some(aggregate) = self.aggregate() {
            write!(out, r#","compositions":[{{"aggregate":"{aggregate}","dependencies":["{}"]}}]"#, self.root_ref())?;
        }
        self.write_vulnerabilities(out)?;
        writeln!(out, "}}")
    }

    fn write_vulnerabilities(&self, out: &mut impl Write) -> io::Result<()> {
        if self.vulnerabilities.is_empty() {
            return Ok(());
        }
        write!(out, r#","vulnerabilities":"#)?;
        write_array(out, &self.vulnerabilities, |out, vulnerability| {
            write!(out, r#"{{"id":"#)?;
            write_text(out, &vulnerability.id)?;
            write_vulnerability(out, vulnerability)?;
            let known = vulnerability.affects.iter().filter_map(|&(number, index)| {
                let item = self.lists().find(|item| item.number == number)?;
                (index < item.packages().len()).then(|| BomRef::item(item).package(index))
            });
            write!(out, r#","affects":"#)?;
            write_array(out, known, |out, of| write!(out, r#"{{"ref":"{of}"}}"#))?;
            write!(out, "}}")
        })
    }

    /// The `aggregate` of the document, if it needs one.
    fn aggregate(&self) -> Option<&'static str> {
        match (self.is_complete() && !self.has_recovered(), self.has_lists()) {
            (false, _) => Some("incomplete"),
            (true, false) => Some("unknown"),
            (true, true) => None,
        }
    }

    fn root_ref(&self) -> BomRef {
        BomRef::item(&self.root)
    }

    fn write_root(&self, out: &mut impl Write) -> io::Result<()> {
        let root = &self.root;
        write_item(out, self.root_ref(), root.name.as_deref().or(self.name).unwrap_or(root.kind.name()), root)?;
        if !self.nested.is_empty() {
            write!(out, r#","components":"#)?;
            write_array(out, &self.nested, |out, item| {
                let called = format!("{} {}", item.kind, item.path);
                write_item(out, BomRef::item(item), item.name.as_deref().unwrap_or(&called), item)?;
                write!(out, "}}")
            })?;
        }
        write!(out, "}}")
    }

    fn write_dependencies(&self, out: &mut impl Write) -> io::Result<()> {
        let root = self.root_ref();
        let own = top_packages(self.root.packages()).map(|index| root.package(index));
        write!(out, "[")?;
        write_dependency(out, root, self.nested.iter().map(BomRef::item).chain(own))?;
        for list in self.lists() {
            let item = BomRef::item(list);
            if item != root {
                write!(out, ",")?;
                write_dependency(out, item, top_packages(list.packages()).map(|index| item.package(index)))?;
            }
            for (index, package) in list.packages().iter().enumerate() {
                let mut on = package.dependencies.to_vec();
                on.sort_unstable();
                on.dedup(); // the schema requires unique items
                write!(out, ",")?;
                write_dependency(out, item.package(index), on.into_iter().map(|on| item.package(on)))?;
            }
        }
        write!(out, "]")
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

/// The `bom-ref` of an item (its number in file order) or of a package (its index in the item's
/// list). The path of an item would be too long in deep trees, and paths are shortened.
#[derive(Clone, Copy, PartialEq, Eq)]
struct BomRef {
    item: usize,
    package: Option<usize>,
}

impl BomRef {
    fn item(item: &ItemPackages<'_>) -> Self {
        Self { item: item.number, package: None }
    }

    fn package(self, package: usize) -> Self {
        Self { package: Some(package), ..self }
    }
}

impl fmt::Display for BomRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.package {
            None => write!(f, "item:{}", self.item),
            Some(package) => write!(f, "item:{}#{package}", self.item),
        }
    }
}

/// Writes an item up to its nested components.
fn write_item(out: &mut impl Write, of: BomRef, name: &str, item: &ItemPackages<'_>) -> io::Result<()> {
    write!(out, r#"{{"type":"application","mime-type":"application/wasm","bom-ref":"{of}","name":"#)?;
    write_text(out, name)?;
    if let Some(version) = &item.version {
        write!(out, r#","version":"#)?;
        write_text(out, version)?;
    }
    let properties = [("sectile:item", &*item.path), ("sectile:kind", item.kind.name())];
    write!(out, r#","properties":"#)?;
    write_array(out, properties, write_property)
}

fn write_package(out: &mut impl Write, of: BomRef, path: &str, package: &Package<'_>) -> io::Result<()> {
    let kind = if package.root { "application" } else { "library" };
    write!(out, r#"{{"type":"{kind}","bom-ref":"{of}","name":"#)?;
    write_text(out, &package.name)?;
    write!(out, r#","version":"#)?;
    write_text(out, &package.version)?;
    let scope = if package.build { "excluded" } else { "required" };
    write!(out, r#","scope":"{scope}""#)?;
    if let Some(purl) = &package.purl {
        write!(out, r#","purl":"#)?;
        write_text(out, purl)?;
    }
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
    Ok(())
}

fn write_property<W: Write>(out: &mut W, (name, value): (&str, &str)) -> io::Result<()> {
    write!(out, r#"{{"name":"{name}","value":"#)?;
    write_text(out, value)?;
    write!(out, "}}")
}

fn write_dependency(out: &mut impl Write, of: BomRef, on: impl Iterator<Item = BomRef>) -> io::Result<()> {
    write!(out, r#"{{"ref":"{of}","dependsOn":"#)?;
    write_array(out, on, |out, on| write!(out, r#""{on}""#))?;
    write!(out, "}}")
}
