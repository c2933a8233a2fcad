//! The aspects in which binaries are compared.

use std::fmt;

macro_rules! aspects {
    ($($(#[doc = $help:literal])+ $variant:ident $name:literal;)*) => {
        /// An aspect in which binaries are compared.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Aspect {
            $($(#[doc = $help])+ $variant,)*
        }

        impl Aspect {
            /// The whole table, in the order of the output.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$variant),*];

            /// Name in the output.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

aspects! {
    /// Whether all of the binary was read.
    Outcome "outcome";
    /// The kind of an item: module or component.
    Kind "kind";
    /// The name of an item.
    Name "name";
    /// An annotation field of an item.
    Field "field";
    /// The version of a producer. The group is its field, such as `processed-by`.
    Producer "producer";
    /// A link to debug information. The name is that of its section.
    DebugLink "debug-link";
    /// The version of a package, and its source unless it is a public registry. The group is its ecosystem.
    Package "package";
    /// The kind of an import of the root item. The group is the module of a core import.
    Import "import";
    /// The kind of an export of the root item.
    Export "export";
    /// The number and the size of the sections of one name.
    Section "section";
    /// The message of a finding. The name is its code, the group its section.
    Finding "finding";
    /// The version of a package with a known defect. The name is the advisory, the group the package.
    Advisory "advisory";
    /// The SHA-256 of everything but custom sections.
    Content "content";
    /// The SHA-256 of all bytes.
    Digest "digest";
}

impl fmt::Display for Aspect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
