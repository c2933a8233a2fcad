//! The formats of documents.

/// A format of SBOMs, in JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SbomFormat {
    /// `CycloneDX` 1.6.
    #[default]
    CycloneDx16,
    /// `CycloneDX` 1.7.
    CycloneDx17,
    /// SPDX 2.3.
    Spdx23,
}

impl SbomFormat {
    /// All formats.
    pub const ALL: [Self; 3] = [Self::CycloneDx16, Self::CycloneDx17, Self::Spdx23];

    /// The name in the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CycloneDx16 => "cyclonedx-1.6",
            Self::CycloneDx17 => "cyclonedx-1.7",
            Self::Spdx23 => "spdx-2.3",
        }
    }

    /// The name without a version, if the format is the default of its family.
    pub const fn short_name(self) -> Option<&'static str> {
        match self {
            Self::CycloneDx16 => Some("cyclonedx"),
            Self::CycloneDx17 => None,
            Self::Spdx23 => Some("spdx"),
        }
    }

    /// The file name extensions that select the format.
    pub const fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::CycloneDx16 => &["cdx.json"],
            Self::CycloneDx17 => &[],
            Self::Spdx23 => &["spdx.json"],
        }
    }

    /// The registered media type of a document.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::CycloneDx16 | Self::CycloneDx17 => "application/vnd.cyclonedx+json",
            Self::Spdx23 => "application/spdx+json",
        }
    }

    /// The arrays of a document, in their order.
    pub(crate) const fn arrays(self) -> &'static [Array] {
        const fn array(key: &'static str, is_optional: bool, is_distinct: bool) -> Array {
            Array { key, is_optional, is_distinct }
        }
        const CYCLONEDX: [Array; 4] = [
            array("components", false, false),
            array("dependencies", false, false),
            array("compositions", true, false),
            array("vulnerabilities", true, false),
        ];
        const SPDX: [Array; 3] = [
            array("packages", false, false),
            array("relationships", false, false),
            array("hasExtractedLicensingInfos", true, true),
        ];
        match self {
            Self::CycloneDx16 | Self::CycloneDx17 => &CYCLONEDX,
            Self::Spdx23 => &SPDX,
        }
    }
}

/// An array of a document. Its elements come from every binary.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Array {
    pub(crate) key: &'static str,
    /// Whether the array is omitted if it has no elements.
    pub(crate) is_optional: bool,
    /// Whether several binaries may have an element in common, which then occurs once.
    pub(crate) is_distinct: bool,
}
