//! The one row that says what was found in an input, or done to it: for people, for scripts, for policies.

#[cfg(feature = "digest")]
mod digest;
mod edit;
#[cfg(feature = "json")]
pub(crate) mod json;
#[cfg(feature = "oci")]
mod layout;
#[cfg(feature = "push")]
mod push;

#[cfg(feature = "digest")]
pub use self::digest::DigestReport;
pub use self::edit::EditReport;
#[cfg(feature = "json")]
pub use self::json::SectionsJson;
#[cfg(feature = "oci")]
pub use self::layout::LayoutReport;
#[cfg(feature = "push")]
pub use self::push::PushReport;

use std::ffi::OsStr;

use crate::drive::Cost;
use crate::error::{Error, Outcome};
use crate::finding::Finding;
#[cfg(feature = "interface")]
use crate::interface::Interface;
use crate::metadata::Metadata;
use crate::policy::{Reading, Sighted};

/// What a reading of one input gave, whatever that was.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Report<'a> {
    /// What the input is called.
    pub file: &'a OsStr,
    /// Its length in bytes; `None` where that is not known.
    pub size: Option<u64>,
    /// What was read; `None` where nothing could be.
    pub metadata: Option<&'a Metadata<'a>>,
    /// What the root item imports and exports; `None` where nobody asked.
    #[cfg(feature = "interface")]
    pub interface: Option<&'a Interface>,
    /// What a policy's rules about sections found; `None` where it was not read for a policy that has some.
    pub sighted: Option<&'a Sighted>,
    /// What is wrong or notable with the place rather than with the bytes: it was changed meanwhile, it is no regular file.
    pub around: &'a [Finding],
    /// Why not all was read; `None` where all was.
    pub broken: Option<&'a Error>,
    /// What the reading cost.
    pub cost: Cost,
}

impl<'a> Report<'a> {
    /// A report of a reading.
    pub fn new(file: &'a OsStr, size: Option<u64>, reading: &'a Result<Outcome<Metadata<'_>>, Error>) -> Self {
        match reading {
            Ok(outcome) => Self::of(file, size, Some(&outcome.value), outcome.broken.as_ref(), outcome.cost),
            Err(error) => Self::of(file, size, None, Some(error), Cost::default()),
        }
    }

    /// A report of a reading that gave the interface, too.
    #[cfg(feature = "interface")]
    pub fn with_interface(
        file: &'a OsStr,
        size: Option<u64>,
        reading: &'a Result<Outcome<(Metadata<'_>, Interface)>, Error>,
    ) -> Self {
        match reading {
            Ok(Outcome { value: (metadata, interface), broken, cost }) => {
                Self { interface: Some(interface), ..Self::of(file, size, Some(metadata), broken.as_ref(), *cost) }
            }
            Err(error) => Self::of(file, size, None, Some(error), Cost::default()),
        }
    }

    /// A report of a reading for a policy.
    pub fn of_reading(file: &'a OsStr, size: Option<u64>, reading: &'a Result<Outcome<Reading<'_>>, Error>) -> Self {
        match reading {
            Ok(Outcome { value, broken, cost }) => Self {
                #[cfg(feature = "interface")]
                interface: value.interface.as_ref(),
                sighted: value.sighted.as_ref(),
                ..Self::of(file, size, Some(&value.metadata), broken.as_ref(), *cost)
            },
            Err(error) => Self::of(file, size, None, Some(error), Cost::default()),
        }
    }

    pub(crate) fn of(
        file: &'a OsStr,
        size: Option<u64>,
        metadata: Option<&'a Metadata<'a>>,
        broken: Option<&'a Error>,
        cost: Cost,
    ) -> Self {
        Self {
            file,
            size,
            metadata,
            #[cfg(feature = "interface")]
            interface: None,
            sighted: None,
            around: &[],
            broken,
            cost,
        }
    }

    /// What is wrong or notable.
    pub fn findings(&self) -> impl Iterator<Item = &'a Finding> + use<'a> {
        let of_metadata = self.metadata.into_iter().flat_map(Metadata::findings);
        #[cfg(feature = "interface")]
        let of_metadata = of_metadata.chain(self.interface.into_iter().flat_map(Interface::findings));
        of_metadata.chain(self.around)
    }

    /// Whether all of the input was read.
    pub fn is_complete(&self) -> bool {
        self.broken.is_none()
    }
}
