//! The document, written piece by piece.

use std::fmt;
use std::io::{self, Write};

use super::{List, Sbom, purl};
use crate::json::{write_array, write_text};
use crate::metadata::{Field, Item, Package};
use crate::scan::Path;

impl<'a> Sbom<'a> {
    /// Writes the document as one JSON object and a line feed, with its keys in a fixed order.
    ///
    /// # Errors
    ///
    /// Those of the writer.
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
            let path = shown(&self.metadata.path(list.item));
            let of_list = (0..).zip(list.packages);
            of_list.map(move |(place, package)| (Ref::of(list).to(place), path.clone(), package))
        });
        write_array(out, packages, |out, (of, path, package)| write_package(out, of, &path, package))?;
        write!(out, r#","dependencies":"#)?;
        self.write_dependencies(out)?;
        if let Some(aggregate) = self.aggregate() {
            write!(out, r#","compositions":[{{"aggregate":"{aggregate}","dependencies":["{}"]}}]"#, Ref::ROOT)?;
        }
        writeln!(out, "}}")
    }

    /// What is to be said of how complete the document is, beyond what its sections can.
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
        write_item(out, Ref::ROOT, name, root, "")?;
        if self.nested().next().is_some() {
            write!(out, r#","components":"#)?;
            write_array(out, self.nested(), |out, list| {
                let path = self.metadata.path(list.item);
                let called = format!("{} {}", list.item.kind(), shown(&path));
                let name = own_name(list.item).unwrap_or(&called);
                write_item(out, Ref::of(list), name, list.item, &path.to_string())?;
                write!(out, "}}")
            })?;
        }
        write!(out, "}}")
    }

    /// The nested items that have a list.
    fn nested(&self) -> impl Iterator<Item = List<'a>> + use<'a> {
        self.lists().filter(|list| list.place > 0)
    }

    fn write_dependencies(&self, out: &mut impl Write) -> io::Result<()> {
        let own = self.lists().find(|list| list.place == 0);
        let own = own.into_iter().flat_map(|list| tops(list.packages).map(move |place| Ref::of(list).to(place)));
        write!(out, "[")?;
        write_dependency(out, Ref::ROOT, self.nested().map(Ref::of).chain(own))?;
        for list in self.lists() {
            let item = Ref::of(list);
            if item != Ref::ROOT {
                write!(out, ",")?;
                write_dependency(out, item, tops(list.packages).map(|place| item.to(place)))?;
            }
            for (place, package) in list.packages.iter().enumerate() {
                let mut on = package.dependencies.clone();
                on.sort_unstable();
                on.dedup(); // the schema wants each once
                write!(out, ",")?;
                write_dependency(out, item.to(place), on.into_iter().map(|on| item.to(on)))?;
            }
        }
        write!(out, "]")
    }
}

fn own_name<'a>(item: &'a Item<'_>) -> Option<&'a str> {
    item.name().and_then(|name| name.as_str()).filter(|name| !name.is_empty())
}

/// What an item is made of: its root package. In a list that names none: those that no other needs.
fn tops(packages: &[Package]) -> impl Iterator<Item = usize> + use<> {
    let root = packages.iter().position(|package| package.root);
    let mut is_needed = vec![root.is_some(); packages.len()];
    for &place in packages.iter().flat_map(|package| &package.dependencies) {
        is_needed[place] = true; // places were checked when the list was decoded
    }
    let unneeded = is_needed.into_iter().enumerate().filter(|(_, is_needed)| !is_needed).map(|(place, _)| place);
    root.into_iter().chain(unneeded)
}

/// A `bom-ref`: an item's, by its number in the order of the file, or that of a package, by its place in the item's list.
/// (Not by the item's path, which may be a thousand numbers long, and is written once.)
#[derive(Clone, Copy, PartialEq, Eq)]
struct Ref {
    item: usize,
    package: Option<usize>,
}

impl Ref {
    const ROOT: Self = Self { item: 0, package: None };

    fn of(list: List<'_>) -> Self {
        Self { item: list.place, package: None }
    }

    fn to(self, package: usize) -> Self {
        Self { package: Some(package), ..self }
    }
}

impl fmt::Display for Ref {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.package {
            None => write!(f, "item:{}", self.item),
            Some(package) => write!(f, "item:{}#{package}", self.item),
        }
    }
}

/// A path as each package gives it: its middle left out where it is very long. The item's own component has all of it.
fn shown(path: &Path) -> String {
    const DEEPEST: usize = 16;
    match path.indexes() {
        [first, .., before, last] if path.indexes().len() > DEEPEST => format!("{first}/…/{before}/{last}"),
        _ => path.to_string(),
    }
}

/// Writes an item up to the components that it holds.
fn write_item(out: &mut impl Write, of: Ref, name: &str, item: &Item<'_>, path: &str) -> io::Result<()> {
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

fn write_package(out: &mut impl Write, of: Ref, path: &str, package: &Package) -> io::Result<()> {
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

fn write_dependency(out: &mut impl Write, of: Ref, on: impl Iterator<Item = Ref>) -> io::Result<()> {
    write!(out, r#"{{"ref":"{of}","dependsOn":"#)?;
    write_array(out, on, |out, on| write!(out, r#""{on}""#))?;
    write!(out, "}}")
}
