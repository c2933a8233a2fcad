//! Packages, and how each was found.

use std::fmt;

use crate::scan::ItemPath;

/// A package that an item contains.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Package {
    /// Name of the package, such as `serde` or `golang.org/x/text`.
    pub name: String,
    /// Version as recorded. It is a revision for a Git checkout and for the Rust compiler; may be
    /// empty.
    pub version: String,
    /// The ecosystem that the name belongs to.
    pub ecosystem: Ecosystem,
    /// Source of the package, such as `crates.io` or `git`; empty if it is unknown.
    pub source: String,
    /// How the package was found.
    pub evidence: Evidence,
    /// How reliable the evidence is.
    pub confidence: Confidence,
    /// Number of the item that contains it, in the order of entering; the root is 0.
    pub item: usize,
    /// Path of the item.
    pub path: ItemPath,
    /// Absolute byte offset in the first evidence, where the search recognized it.
    pub offset: u64,
    /// Number of places in the item that name the package.
    pub count: u64,
    /// The checksum that Go records, such as `h1:…`.
    pub checksum: Option<String>,
    /// Name and version of the package that it replaces, if Go records a replacement.
    pub replaces: Option<String>,
}

impl Package {
    /// A package from a saved report, in the root item.
    pub(crate) fn rebuilt(name: &str, version: &str, ecosystem: Ecosystem, source: &str, evidence: Evidence) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            ecosystem,
            source: source.to_owned(),
            evidence,
            confidence: Confidence::High,
            item: 0,
            path: ItemPath::root(),
            offset: 0,
            count: 1,
            checksum: None,
            replaces: None,
        }
    }
}

/// The ecosystem of a package's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Ecosystem {
    /// A crate.
    Cargo,
    /// A Go module.
    Go,
    /// An npm package.
    Npm,
    /// A library or compiler without a package manager.
    Generic,
}

impl Ecosystem {
    /// All variants.
    pub const ALL: [Self; 4] = [Self::Cargo, Self::Go, Self::Npm, Self::Generic];

    /// Name in reports, which is the type of its package URLs: `cargo`, `golang`, `npm` or
    /// `generic`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cargo => "cargo",
            Self::Go => "golang",
            Self::Npm => "npm",
            Self::Generic => "generic",
        }
    }
}

impl fmt::Display for Ecosystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

macro_rules! evidence {
    ($($variant:ident $name:literal $list:ident $help:literal;)*) => {
        /// How a package was found.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Evidence {
            $(#[doc = concat!("`", $name, "`: ", $help)] $variant,)*
        }

        impl Evidence {
            /// The whole table, in its order.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$variant),*];

            /// Name in reports.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The kind of list that such a package belongs to.
            pub const fn list(self) -> ListKind {
                match self { $(Self::$variant => ListKind::$list,)* }
            }

            /// Description, in one sentence.
            pub const fn help(self) -> &'static str {
                match self { $(Self::$variant => $help,)* }
            }
        }
    };
}

evidence! {
    DepV0 "dep-v0" Declared "The `.dep-v0` section of cargo-auditable lists the crate.";
    GoModInfo "go-modinfo" Embedded "The build information that Go embeds lists the module.";
    RegistryPath "registry-path" Recovered "A source file of the crate has a path in Cargo's registry directory.";
    VendorPath "vendor-path" Recovered "A source file of the crate has a path in a directory of `cargo vendor --versioned-dirs`.";
    CheckoutPath "checkout-path" Recovered "A source file has a path in a Git checkout of Cargo.";
    StdPath "std-path" Recovered "A source file of the crate has a path among the dependencies of Rust's standard library.";
    RustcPath "rustc-path" Recovered "A source file of Rust's standard library names the commit or version of the compiler.";
    NpmPath "npm-path" Recovered "A bundler left the path and the contents of the package's `package.json`, or a path of pnpm.";
    VersionText "version-text" Recovered "The library's own text states its name and version.";
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Kind of a list of packages. Lists of different kinds are not merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ListKind {
    /// A tool wrote the list into a section for this purpose. It should be complete.
    Declared,
    /// The toolchain embeds the list in every binary. It should be complete.
    Embedded,
    /// The list was recovered from other data. It is incomplete by nature.
    Recovered,
}

impl ListKind {
    /// Name in reports: `declared`, `embedded` or `recovered`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Declared => "declared",
            Self::Embedded => "embedded",
            Self::Recovered => "recovered",
        }
    }
}

impl fmt::Display for ListKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Reliability of the evidence for a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Confidence {
    /// A form that only package managers write, but that may name a part of the package or a copy.
    Medium,
    /// A form that only the toolchain or the library itself writes.
    High,
}

impl Confidence {
    /// Name in reports: `medium` or `high`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A package as an extractor finds it, borrowed from the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FoundPackage<'t> {
    pub(super) name: &'t str,
    pub(super) version: &'t str,
    pub(super) ecosystem: Ecosystem,
    pub(super) source: &'static str,
    pub(super) evidence: Evidence,
    pub(super) confidence: Confidence,
}

impl FoundPackage<'_> {
    /// Whether it is the package that was found before.
    pub(super) fn is(&self, package: &Package) -> bool {
        package.name == self.name
            && package.version == self.version
            && package.ecosystem == self.ecosystem
            && package.source == self.source
    }
}
