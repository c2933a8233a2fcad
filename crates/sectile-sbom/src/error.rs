//! Errors of the data for an SBOM.

use thiserror::Error;

/// The items of an SBOM contradict one another.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum SbomError {
    /// Two items have the same number.
    #[error("two items have the number {0}")]
    DuplicateItem(usize),
    /// The enclosing item of an item does not come before it.
    #[error("item {item} is in item {parent}, which does not come before it")]
    MissingParent {
        /// Number of the item.
        item: usize,
        /// Number of the enclosing item.
        parent: usize,
    },
    /// A package depends on one that is not in its list.
    #[error("package {package} of item {item} depends on package {dependency}, which is not in its list")]
    MissingPackage {
        /// Number of the item.
        item: usize,
        /// Index of the package in the item's list.
        package: usize,
        /// The index that is missing from the list.
        dependency: usize,
    },
}
