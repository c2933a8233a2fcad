//! The identifiers of items and packages in a document.

use std::fmt;

use crate::package::ItemPackages;

/// A control character for the number of the binary in a document of several binaries.
///
/// JSON never contains control characters, so that these stand for values that only the document
/// knows.
pub(crate) const BINARY_NUMBER: u8 = 1;

/// A control character for the time of an SPDX document.
pub(crate) const CREATED: u8 = 2;

/// A control character between elements that several binaries may have in common.
pub(crate) const SEPARATOR: u8 = 3;

/// An item (its number in file order) or a package (its index in the item's list). The path of an
/// item would be too long in deep trees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Reference {
    item: usize,
    package: Option<usize>,
    /// Whether the document has several binaries.
    is_numbered: bool,
}

impl Reference {
    pub(crate) fn new(item: &ItemPackages<'_>, is_numbered: bool) -> Self {
        Self { item: item.number, package: None, is_numbered }
    }

    pub(crate) fn package(self, package: usize) -> Self {
        Self { package: Some(package), ..self }
    }

    /// As a `bom-ref` of `CycloneDX`.
    pub(crate) fn bom_ref(self) -> BomRef {
        BomRef(self)
    }

    /// As an identifier of SPDX.
    pub(crate) fn spdx_id(self) -> SpdxId {
        SpdxId(self)
    }
}

pub(crate) struct BomRef(Reference);

impl fmt::Display for BomRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Reference { item, package, is_numbered } = self.0;
        if is_numbered {
            write!(f, "{}/", char::from(BINARY_NUMBER))?;
        }
        write!(f, "item:{item}")?;
        package.map_or(Ok(()), |package| write!(f, "#{package}"))
    }
}

pub(crate) struct SpdxId(Reference);

impl fmt::Display for SpdxId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Reference { item, package, is_numbered } = self.0;
        write!(f, "SPDXRef-")?;
        if is_numbered {
            write!(f, "{}-", char::from(BINARY_NUMBER))?;
        }
        write!(f, "item-{item}")?;
        package.map_or(Ok(()), |package| write!(f, "-{package}"))
    }
}
