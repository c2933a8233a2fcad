//! The part of a document that is about one binary.

use std::collections::HashMap;
use std::io::{self, Write};

use sectile::metadata::Field;

use super::elements::Elements;
use super::package::{ItemPackages, Package};
use super::reference::{CREATED, Reference, SEPARATOR};
use super::spdx::spdx_time;
use super::{Sbom, SbomFormat};

/// A binary, as a part of a document.
pub(crate) struct Part<'s, 'a> {
    pub(crate) sbom: &'s Sbom<'a>,
    /// Whether the document has several binaries, each with a number.
    pub(crate) is_numbered: bool,
    /// The time of the document in the form of SPDX.
    pub(crate) created: String,
    /// Positions of the nested items by the number of the enclosing item.
    children: HashMap<usize, Vec<usize>>,
}

impl<'s, 'a> Part<'s, 'a> {
    /// The only binary of a document.
    pub(crate) fn only(sbom: &'s Sbom<'a>) -> Self {
        let time = sbom.created.or(sbom.root.annotation(Field::Created));
        Self::new(sbom, false, spdx_time(time))
    }

    /// One of several binaries. Control characters stand for what only the document knows.
    pub(crate) fn numbered(sbom: &'s Sbom<'a>) -> Self {
        Self::new(sbom, true, char::from(CREATED).to_string())
    }

    fn new(sbom: &'s Sbom<'a>, is_numbered: bool, created: String) -> Self {
        let mut children: HashMap<usize, Vec<usize>> = HashMap::new();
        for (position, item) in sbom.nested.iter().enumerate() {
            children.entry(item.parent.unwrap_or(sbom.root.number)).or_default().push(position);
        }
        Self { sbom, is_numbered, created, children }
    }

    /// Writes the elements of the array at this position.
    pub(crate) fn write_array(&self, format: SbomFormat, array: usize, out: &mut impl Write) -> io::Result<()> {
        let array = &format.arrays()[array];
        let separator = if self.is_numbered && array.is_distinct { SEPARATOR } else { b',' };
        let mut elements = Elements::new(out, separator);
        match format {
            SbomFormat::CycloneDx16 | SbomFormat::CycloneDx17 => self.write_cyclonedx(array.key, &mut elements),
            SbomFormat::Spdx23 => self.write_spdx(array.key, &mut elements),
        }
    }

    pub(crate) fn reference(&self, item: &ItemPackages<'_>) -> Reference {
        Reference::new(item, self.is_numbered)
    }

    /// The items that an item directly encloses.
    pub(crate) fn children(&self, item: &ItemPackages<'_>) -> impl Iterator<Item = &'s ItemPackages<'a>> {
        let positions = self.children.get(&item.number).map(Vec::as_slice).unwrap_or_default();
        positions.iter().map(|&position| &self.sbom.nested[position])
    }

    /// The packages: the references of the package and of its item, then the item's path and the
    /// package.
    pub(crate) fn packages(&self) -> impl Iterator<Item = (Reference, Reference, (&'s str, &'s Package<'a>))> {
        self.sbom.items().flat_map(|item| {
            let reference = self.reference(item);
            let packages = item.packages().iter().enumerate();
            packages.map(move |(index, package)| (reference.package(index), reference, (&*item.path, package)))
        })
    }
}

/// How much of an item's packages is in the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Completeness {
    /// Some packages are missing, or may be.
    Incomplete,
    /// The item has no list.
    Unknown,
    /// The list is declared or embedded.
    Complete,
}

impl Completeness {
    pub(crate) const ALL: [Self; 3] = [Self::Incomplete, Self::Unknown, Self::Complete];

    /// The name that `CycloneDX` uses.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Incomplete => "incomplete",
            Self::Unknown => "unknown",
            Self::Complete => "complete",
        }
    }
}
