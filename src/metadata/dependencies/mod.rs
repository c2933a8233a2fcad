//! The `.dep-v0` section of cargo-auditable: the crates that a binary was built from, as
//! zlib-compressed JSON. Source: cargo-auditable's `PARSING.md` and its JSON schema.

#[cfg(feature = "dependencies")]
mod decode;
#[cfg(feature = "dependencies")]
mod encode;

#[cfg(feature = "dependencies")]
pub(crate) use self::decode::decode;

#[cfg(feature = "dependencies")]
use super::check::ValueError;
use super::value::Value;

/// Packages that an item was built from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependencies<'a> {
    pub(crate) raw: Value<'a>,
    #[cfg(feature = "dependencies")]
    pub(crate) packages: Vec<Package>,
}

impl<'a> Dependencies<'a> {
    /// The section's data, compressed as written.
    pub fn raw(&self) -> &Value<'a> {
        &self.raw
    }

    /// The packages in the section's order; empty if the section cannot be decoded.
    #[cfg(feature = "dependencies")]
    pub fn packages(&self) -> &[Package] {
        &self.packages
    }

    /// Encodes packages as the data of the section. The same packages give the same bytes.
    ///
    /// # Errors
    ///
    /// A version is not a semantic version, several packages are roots, a dependency is not in the
    /// list, or dependencies are circular.
    #[cfg(feature = "dependencies")]
    pub fn encode(packages: &[Package]) -> Result<Vec<u8>, ValueError> {
        self::encode::encode(packages)
    }

    /// Memory in bytes of the section's data and the decoded packages, which can be a thousand
    /// times larger.
    pub(crate) fn size(&self) -> usize {
        let raw = self.raw.as_bytes().len();
        #[cfg(feature = "dependencies")]
        return raw + self.packages.iter().map(Package::size).sum::<usize>();
        #[cfg(not(feature = "dependencies"))]
        return raw;
    }

    /// Converts to dependencies that borrow nothing.
    pub fn into_owned(self) -> Dependencies<'static> {
        Dependencies {
            raw: self.raw.into_owned(),
            #[cfg(feature = "dependencies")]
            packages: self.packages,
        }
    }
}

/// A package that a binary was built from.
#[cfg(feature = "dependencies")]
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Package {
    /// The crate's name.
    pub name: String,
    /// Semantic version.
    pub version: String,
    /// Source: `crates.io`, `git`, `local`, `registry`, or a value defined later.
    pub source: String,
    /// Whether it is only a build dependency, not part of the binary.
    pub build: bool,
    /// Whether it is the root package, which produces the binary.
    pub root: bool,
    /// Indexes of its dependencies in the list.
    pub dependencies: Vec<usize>,
}

#[cfg(feature = "dependencies")]
impl Package {
    /// Creates a package that is part of the binary, without dependencies.
    pub fn new(name: impl Into<String>, version: impl Into<String>, source: impl Into<String>) -> Self {
        let (name, version, source) = (name.into(), version.into(), source.into());
        Self { name, version, source, build: false, root: false, dependencies: Vec::new() }
    }

    fn size(&self) -> usize {
        let texts = [&self.name, &self.version, &self.source].map(|text| allocated(text.len()));
        size_of::<Self>() + texts.iter().sum::<usize>() + allocated(size_of_val(&*self.dependencies))
    }
}

/// The memory that an allocator takes for this many bytes, roughly.
#[cfg(feature = "dependencies")]
fn allocated(len: usize) -> usize {
    if len == 0 { 0 } else { (len + 8).next_multiple_of(16).max(32) }
}

#[cfg(all(test, feature = "dependencies"))]
mod tests {
    use super::*;

    #[test]
    fn the_size_counts_allocations_of_texts_and_references() {
        let package = |name: &str, version: &str, source: &str, dependencies| Package {
            name: name.into(),
            version: version.into(),
            source: source.into(),
            build: false,
            root: false,
            dependencies,
        };
        let packages = vec![package("ab", "1.0.0", "git", vec![1, 1, 1]), package("", "", "", vec![])];
        let dependencies = Dependencies { raw: Value::bytes(b"1234567".into(), 0..7), packages };
        assert_eq!(dependencies.size(), 7 + 2 * size_of::<Package>() + 3 * 32 + 32);
    }
}
