//! The annotation table: one row per annotation that has its own custom section.

use std::fmt;

macro_rules! fields {
    ($($field:ident $section:literal $key:literal $check:ident $help:literal;)*) => {
        /// An annotation: a custom section whose data is the bare UTF-8 value, and its equivalent
        /// OCI annotation.
        ///
        /// Source: the OCI image specification's `annotations.md`, and the tool-conventions
        /// proposal for OCI-compatible custom sections.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Field {
            $(#[doc = concat!($help, " Section `", $section, "`, annotation `org.opencontainers.image.", $key, "`.")] $field,)*
        }

        impl Field {
            /// All fields, in table order.
            pub const ALL: [Self; [$($section),*].len()] = [$(Self::$field),*];

            /// Returns the name of the custom section.
            pub const fn section(self) -> &'static str {
                match self { $(Self::$field => $section,)* }
            }

            /// Returns the key of the OCI annotation.
            pub const fn oci_key(self) -> &'static str {
                match self { $(Self::$field => concat!("org.opencontainers.image.", $key),)* }
            }

            /// Returns the expected kind of value.
            pub const fn expects(self) -> Expects {
                match self { $(Self::$field => Expects::$check,)* }
            }

            /// Returns a one-sentence description of the field.
            pub const fn help(self) -> &'static str {
                match self { $(Self::$field => $help,)* }
            }
        }
    };
}

fields! {
    Authors "authors" "authors" Text "People or organizations that made it, with contact details.";
    Created "created" "created" DateTime "Date and time of the build.";
    Description "description" "description" Text "Description for people.";
    Documentation "documentation" "documentation" Url "URL of the documentation.";
    Homepage "homepage" "url" Url "URL of a page with more information.";
    Licenses "licenses" "licenses" License "License of the binary.";
    Revision "revision" "revision" Text "Revision of the source that it was built from.";
    Source "source" "source" Repository "URL of the source that it was built from.";
    Vendor "vendor" "vendor" Text "Organization or person that distributes it.";
    Version "version" "version" Text "Version of the packaged software.";
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.section())
    }
}

/// Expected kind of value of a [`Field`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Expects {
    /// Free text.
    Text,
    /// An RFC 3339 date-time.
    DateTime,
    /// An `http` or `https` URL.
    Url,
    /// An `http` or `https` URL. A version control URL, such as `git@host:path`, is only a
    /// [finding](crate::FindingCode::VcsUrl).
    Repository,
    /// An SPDX license expression.
    License,
}

impl Expects {
    /// Returns the name shown in messages, such as `RFC 3339 date-time`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::DateTime => "RFC 3339 date-time",
            Self::Url | Self::Repository => "URL",
            Self::License => "SPDX expression",
        }
    }
}

impl fmt::Display for Expects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_and_keys_are_unique() {
        for (nth, field) in Field::ALL.into_iter().enumerate() {
            for other in &Field::ALL[..nth] {
                assert_ne!(field.section(), other.section());
                assert_ne!(field.oci_key(), other.oci_key());
            }
        }
    }
}
