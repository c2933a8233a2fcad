//! Ecosystems of packages, and the order of their versions.

use semver::{Prerelease, Version};

/// An ecosystem of packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Ecosystem {
    /// Rust packages of crates.io.
    CratesIo,
    /// Go modules. `stdlib` is the standard library, and its versions are Go releases.
    Go,
    /// JavaScript packages of npm.
    Npm,
    /// Parts of the Rust toolchain: `std` is the standard library. Versions are Rust releases.
    Rust,
}

impl Ecosystem {
    /// All ecosystems.
    pub const ALL: [Self; 4] = [Self::CratesIo, Self::Go, Self::Npm, Self::Rust];

    /// The name in OSV records: `crates.io`, `Go` or `npm`. OSV has no records of `Rust`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CratesIo => "crates.io",
            Self::Go => "Go",
            Self::Npm => "npm",
            Self::Rust => "Rust",
        }
    }

    /// The type in package URLs: `cargo`, `golang`, `npm` or `generic`.
    pub const fn purl_type(self) -> &'static str {
        match self {
            Self::CratesIo => "cargo",
            Self::Go => "golang",
            Self::Npm => "npm",
            Self::Rust => "generic",
        }
    }

    /// The ecosystem with this name in OSV records. A suffix such as `:1.0` is ignored.
    pub fn from_name(name: &str) -> Option<Self> {
        let name = name.split(':').next().unwrap_or_default();
        Self::ALL.into_iter().find(|ecosystem| ecosystem.name() == name)
    }

    /// Parses a version; `None` if the ecosystem cannot compare it.
    ///
    /// | ecosystem | versions |
    /// | --- | --- |
    /// | crates.io | Semantic Versioning |
    /// | Rust | Semantic Versioning; missing numbers are 0 |
    /// | npm | Semantic Versioning, with or without a leading `v` or `=` |
    /// | Go | Semantic Versioning, with or without a leading `v`; missing numbers are 0; pseudo-versions are pre-releases, and `+incompatible` does not count; `go1.21rc2` is `1.21.0-rc.2` |
    pub(crate) fn version(self, text: &str) -> Option<Version> {
        match self {
            Self::CratesIo => Version::parse(text).ok(),
            Self::Npm => Version::parse(text.trim_start_matches(['=', 'v', ' '])).ok(),
            Self::Rust => completed(text),
            Self::Go => match text.strip_prefix("go") {
                Some(release) => go_release(release),
                None => completed(text.strip_prefix('v').unwrap_or(text)),
            },
        }
    }

    /// Whether two texts are the same version, without comparing their order.
    pub(crate) fn is_same(self, one: &str, other: &str) -> bool {
        match self {
            Self::CratesIo | Self::Rust => one == other,
            Self::Go | Self::Npm => one.trim_start_matches('v') == other.trim_start_matches('v'),
        }
    }
}

/// A version whose missing minor and patch numbers are 0.
fn completed(text: &str) -> Option<Version> {
    let numbers = text.find(['-', '+']).unwrap_or(text.len());
    let (numbers, rest) = text.split_at(numbers);
    let missing = 2usize.checked_sub(numbers.matches('.').count())?;
    Version::parse(&format!("{numbers}{}{rest}", ".0".repeat(missing))).ok()
}

/// A release of Go without `go`: `1.21.5`, `1.21rc2`, `1.22.1 X:boringcrypto`.
fn go_release(text: &str) -> Option<Version> {
    let word = text.split([' ', '-', '+']).next()?;
    let numbers = word.find(|character: char| character.is_ascii_alphabetic()).unwrap_or(word.len());
    let (numbers, stage) = word.split_at(numbers);
    let version = completed(numbers)?;
    if stage.is_empty() {
        return Some(version);
    }
    let number = stage.find(|character: char| character.is_ascii_digit())?;
    let (stage, number) = stage.split_at(number);
    Some(Version { pre: Prerelease::new(&format!("{stage}.{number}")).ok()?, ..version })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_parsed_by_the_rules_of_their_ecosystem() {
        for (ecosystem, text, version) in [
            (Ecosystem::CratesIo, "1.2.3-a+b", Some("1.2.3-a+b")),
            (Ecosystem::CratesIo, "v1.2.3", None),
            (Ecosystem::CratesIo, "1.2", None),
            (Ecosystem::Npm, "1.2.3", Some("1.2.3")),
            (Ecosystem::Npm, "v1.2.3", Some("1.2.3")),
            (Ecosystem::Npm, "=1.2.3", Some("1.2.3")),
            (Ecosystem::Npm, "latest", None),
            (Ecosystem::Rust, "1.90.0-nightly", Some("1.90.0-nightly")),
            (Ecosystem::Rust, "1.90", Some("1.90.0")),
            (Ecosystem::Rust, "stable", None),
            (Ecosystem::Go, "v1.2.3", Some("1.2.3")),
            (Ecosystem::Go, "1.2", Some("1.2.0")),
            (Ecosystem::Go, "v1", Some("1.0.0")),
            (Ecosystem::Go, "v2.0.0+incompatible", Some("2.0.0+incompatible")),
            (Ecosystem::Go, "v0.0.0-20220811171246-fbc7d0a398ab", Some("0.0.0-20220811171246-fbc7d0a398ab")),
            (Ecosystem::Go, "v1.2.4-0.20200101000000-0123456789ab", Some("1.2.4-0.20200101000000-0123456789ab")),
            (Ecosystem::Go, "go1.21.5", Some("1.21.5")),
            (Ecosystem::Go, "go1.21rc2", Some("1.21.0-rc.2")),
            (Ecosystem::Go, "go1.22.1 X:boringcrypto", Some("1.22.1")),
            (Ecosystem::Go, "(devel)", None),
            (Ecosystem::Go, "1.2.3.4", None),
            (Ecosystem::Go, "go", None),
            (Ecosystem::Go, "gorc", None),
            (Ecosystem::Go, "", None),
        ] {
            let parsed = ecosystem.version(text).map(|version| version.to_string());
            assert_eq!(parsed.as_deref(), version, "{text}");
        }
    }

    #[test]
    fn go_versions_have_the_order_of_go() {
        let ordered = [
            "v0.0.0-20200101000000-0123456789ab",
            "v0.0.0-20220811171246-fbc7d0a398ab",
            "v0.9.0",
            "v1.0.0-rc.1",
            "v1.0.0",
            "v1.0.1-0.20200101000000-0123456789ab",
            "v1.0.1",
            "v2.0.0+incompatible",
            "v2.0.1-0.20200101000000-0123456789ab+incompatible",
        ];
        for pair in ordered.windows(2) {
            let versions = [pair[0], pair[1]].map(|text| Ecosystem::Go.version(text).unwrap());
            assert!(versions[0].cmp_precedence(&versions[1]).is_lt(), "{pair:?}");
        }
    }
}
