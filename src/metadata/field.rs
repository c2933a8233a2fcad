//! THE table: the annotations that stand in sections of their own.

use std::fmt;

macro_rules! fields {
    ($($field:ident $section:literal $key:literal $check:ident $help:literal;)*) => {
        /// An annotation: a custom section whose data is the bare UTF-8 value, and the OCI annotation that says the same.
        ///
        /// Source: the OCI image specification's `annotations.md`, and the tool-conventions proposal for OCI-compatible
        /// custom sections.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Field {
            $(#[doc = concat!($help, " Section `", $section, "`, annotation `org.opencontainers.image.", $key, "`.")] $field,)*
        }

        impl Field {
            /// The whole table, in its order.
            pub const ALL: [Self; [$($section),*].len()] = [$(Self::$field),*];

            /// The name of the custom section.
            pub const fn section(self) -> &'static str {
                match self { $(Self::$field => $section,)* }
            }

            /// The key of the OCI annotation.
            pub const fn oci_key(self) -> &'static str {
                match self { $(Self::$field => concat!("org.opencontainers.image.", $key),)* }
            }

            /// What a value must be.
            pub const fn expects(self) -> Expects {
                match self { $(Self::$field => Expects::$check,)* }
            }

            /// What it says, in a sentence.
            pub const fn help(self) -> &'static str {
                match self { $(Self::$field => $help,)* }
            }
        }
    };
}

fields! {
    Authors "authors" "authors" Text "Who made it: people or organisations, with how to reach them.";
    Created "created" "created" DateTime "When it was built.";
    Description "description" "description" Text "What it is, for people.";
    Documentation "documentation" "documentation" Url "Where its documentation is.";
    Homepage "homepage" "url" Url "Where to learn more about it.";
    Licenses "licenses" "licenses" License "The licence that it is under.";
    Revision "revision" "revision" Text "The revision of the source that it was built from.";
    Source "source" "source" Repository "Where the source is that it was built from.";
    Vendor "vendor" "vendor" Text "The organisation or person that distributes it.";
    Version "version" "version" Text "The version of what is packaged.";
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.section())
    }
}

/// What the value of a [`Field`] must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Expects {
    /// Free text.
    Text,
    /// An RFC 3339 date-time.
    DateTime,
    /// An `http` or `https` URL.
    Url,
    /// An `http` or `https` URL; what a version control system understands instead is tolerated.
    Repository,
    /// An SPDX licence expression.
    License,
}

impl Expects {
    /// What it must be, in words.
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
