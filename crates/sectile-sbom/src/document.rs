//! The document, written piece by piece.

use std::fmt;
use std::io::{self, Write};

use super::{PackageList, Sbom, purl};
use sectile::internal::json::{write_array, write_text};
use sectile::metadata::{Field, Item, Package};
use sectile::scan::ItemPath;

impl<'a> Sbom<'a> {
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
        let packages = self.lists().flat_map(|list| {
            let path = short_path(&list.item.path());
            let of_list = (0..).zip(list.packages);
            of_list.map(move |(index, package)| (BomRef::item(list).package(index), path.clone(), package))
        });
        write_array(out, packages, |out, (of, path, package)| write_package(out, of, &path, package))?;
        write!(out, r#","dependencies":"#)?;
        self.write_dependencies(out)?;
        if let Some(aggregate) = self.aggregate() {
            write!(out, r#","compositions":[{{"aggregate":"{aggregate}","dependencies":["{}"]}}]"#, BomRef::ROOT)?;
        }
        writeln!(out, "}}")
    }

    /// The `aggregate` of the document, if it needs one.
    fn aggregate(&self) -> Option<&'static str> {
        match (self.is_complete(), self.has_lists()) {
            (false, _) => Some("incomplete"),
            (true, false) => Some("unknown"),
            (true, true) => None,
        }
    }

    fn write_root(&self, out: &mut impl Write) -> io::Result<()> {
        let root = self.metadata.root();
        let name = own_name(root).or(self.name).unwrap_or(root.kind().name());
        write_item(out, BomRef::ROOT, name, root, "")?;
        if self.nested().next().is_some() {
            write!(out, r#","components":"#)?;
            write_array(out, self.nested(), |out, list| {
                let path = list.item.path();
                let called = format!("{} {}", list.item.kind(), short_path(&path));
                let name = own_name(list.item).unwrap_or(&called);
                write_item(out, BomRef::item(list), name, list.item, &path.to_string())?;
                write!(out, "}}")
            })?;
        }
        write!(out, "}}")
    }

    /// The nested items that have a list.
    fn nested(&self) -> impl Iterator<Item = PackageList<'a>> + use<'a> {
        self.lists().filter(|list| list.number > 0)
    }

    fn write_dependencies(&self, out: &mut impl Write) -> io::Result<()> {
        let own = self.lists().find(|list| list.number == 0);
        let own = own
            .into_iter()
            .flat_map(|list| top_packages(list.packages).map(move |index| BomRef::item(list).package(index)));
        write!(out, "[")?;
        write_dependency(out, BomRef::ROOT, self.nested().map(BomRef::item).chain(own))?;
        for list in self.lists() {
            let item = BomRef::item(list);
            if item != BomRef::ROOT {
                write!(out, ",")?;
                write_dependency(out, item, top_packages(list.packages).map(|index| item.package(index)))?;
            }
            for (index, package) in list.packages.iter().enumerate() {
                let mut on = package.dependencies.clone();
                on.sort_unstable();
                on.dedup(); // the schema requires unique items
                write!(out, ",")?;
                write_dependency(out, item.package(index), on.into_iter().map(|on| item.package(on)))?;
            }
        }
        write!(out, "]")
    }
}

fn own_name(item: Item<'_>) -> Option<&str> {
    item.name().and_then(|name| name.as_str()).filter(|name| !name.is_empty())
}

/// The root package of a list; if it has none, the packages that no other package depends on.
fn top_packages(packages: &[Package]) -> impl Iterator<Item = usize> + use<> {
    let root = packages.iter().position(|package| package.root);
    let mut is_needed = vec![root.is_some(); packages.len()];
    for &index in packages.iter().flat_map(|package| &package.dependencies) {
        is_needed[index] = true; // the decoder checked the indexes
    }
    let unneeded = is_needed.into_iter().enumerate().filter(|(_, is_needed)| !is_needed).map(|(index, _)| index);
    root.into_iter().chain(unneeded)
}

/// The `bom-ref` of an item, by its number in file order, or of a package, by its index in the item's list. The path of
/// the item would be too long in deep trees.
#[derive(Clone, Copy, PartialEq, Eq)]
struct BomRef {
    item: usize,
    package: Option<usize>,
}

impl BomRef {
    const ROOT: Self = Self { item: 0, package: None };

    fn item(list: PackageList<'_>) -> Self {
        Self { item: list.number, package: None }
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

/// A path with its middle omitted if it is very long. The component of the item has the full path.
fn short_path(path: &ItemPath) -> String {
    const MAX_DEPTH: usize = 16;
    match path.indexes() {
        [first, .., before, last] if path.indexes().len() > MAX_DEPTH => format!("{first}/…/{before}/{last}"),
        _ => path.to_string(),
    }
}

/// Writes an item up to its nested components.
fn write_item(out: &mut impl Write, of: BomRef, name: &str, item: Item<'_>, path: &str) -> io::Result<()> {
    write!(out, r#"{{"type":"application","mime-type":"application/wasm","bom-ref":"{of}","name":"#)?;
    write_text(out, name)?;
    if let Some(version) = item.annotation(Field::Version).and_then(|version| version.as_str()) {
        write!(out, r#","version":"#)?;
        write_text(out, version)?;
    }
    let properties = [("sectile:item", path), ("sectile:kind", item.kind().name())];
    write!(out, r#","properties":"#)?;
    write_array(out, properties, write_property)
}

fn write_package(out: &mut impl Write, of: BomRef, path: &str, package: &Package) -> io::Result<()> {
    let kind = if package.root { "application" } else { "library" };
    write!(out, r#"{{"type":"{kind}","bom-ref":"{of}","name":"#)?;
    write_text(out, &package.name)?;
    write!(out, r#","version":"#)?;
    write_text(out, &package.version)?;
    let scope = if package.build { "excluded" } else { "required" };
    write!(out, r#","scope":"{scope}""#)?;
    if let Some(purl) = purl(package) {
        write!(out, r#","purl":"#)?;
        write_text(out, &purl)?;
    }
    write!(out, r#","properties":"#)?;
    write_array(out, [("sectile:item", path), ("sectile:source", &package.source)], write_property)?;
    write!(out, "}}")
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
