//! Patterns for the names of custom sections.

use std::fmt;
use std::str::FromStr;

/// A pattern that names of custom sections are matched against: `*` is any characters, `?` any one, `[a-z]` one of these,
/// `[!a-z]` one that is none of these; `[*]` is a star itself. A name is matched as a whole, and its case counts.
///
/// ```
/// use sectile::Glob;
///
/// let glob = Glob::new(".debug_*")?;
/// assert!(glob.matches(".debug_info") && !glob.matches("reloc..debug_info"));
/// assert!(Glob::literal("what[0]*").matches("what[0]*"));
/// # Ok::<(), sectile::GlobError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob(Matcher);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Matcher {
    Literal(Box<str>),
    Pattern(glob::Pattern),
}

/// A longer pattern is refused: matching one takes as many calls within one another as it has stars.
const LONGEST: usize = 1_000;

impl Glob {
    /// Reads a pattern.
    ///
    /// # Errors
    ///
    /// It is empty, a bracket is not closed, or it has more than 1,000 bytes and is no plain name.
    pub fn new(pattern: &str) -> Result<Self, GlobError> {
        if pattern.is_empty() {
            return Err(GlobError::new(pattern, "it is empty"));
        }
        if !pattern.contains(['*', '?', '[']) {
            return Ok(Self::literal(pattern));
        }
        if pattern.len() > LONGEST {
            return Err(GlobError { pattern: String::new(), why: "it has more than 1,000 bytes" });
        }
        let mut single = pattern.to_owned();
        while single.contains("**") {
            single = single.replace("**", "*"); // which are something else for paths
        }
        let compiled = glob::Pattern::new(&single).map_err(|error| GlobError::new(pattern, error.msg))?;
        Ok(Self(Matcher::Pattern(compiled)))
    }

    /// A pattern that matches this name and no other.
    pub fn literal(name: impl Into<Box<str>>) -> Self {
        Self(Matcher::Literal(name.into()))
    }

    /// Whether it matches a name. The time that this takes grows with the name's length and no faster.
    pub fn matches(&self, name: &str) -> bool {
        match &self.0 {
            Matcher::Literal(literal) => **literal == *name,
            Matcher::Pattern(pattern) => pattern.matches(name),
        }
    }

    /// The pattern.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Matcher::Literal(literal) => literal,
            Matcher::Pattern(pattern) => pattern.as_str(),
        }
    }
}

impl FromStr for Glob {
    type Err = GlobError;

    fn from_str(pattern: &str) -> Result<Self, GlobError> {
        Self::new(pattern)
    }
}

/// A text that is no [`Glob`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GlobError {
    pattern: String,
    why: &'static str,
}

impl GlobError {
    fn new(pattern: &str, why: &'static str) -> Self {
        Self { pattern: pattern.to_owned(), why }
    }
}

impl fmt::Display for GlobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no pattern: {}", self.pattern, self.why)
    }
}

impl std::error::Error for GlobError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, name: &str) -> bool {
        Glob::new(pattern).unwrap().matches(name)
    }

    #[test]
    fn names_are_matched_as_a_whole() {
        for (pattern, name) in [
            ("name", "name"),
            (".debug_*", ".debug_info"),
            (".debug_*", ".debug_"),
            ("component-type:*", "component-type:wit-bindgen:0.62.0:some:thing/world@1.0.0"),
            ("icp:* candid:*", "icp:public candid:service"),
            ("?", "é"),
            ("a?c", "a/c"),
            ("[ab]*[!x]", "b1"),
            ("x[*]", "x*"),
            ("**", ".hidden/\n"),
            ("a**b", "ab"),
            ("\\", "\\"),
            ("{a,b}", "{a,b}"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("name", "component-name"),
            ("name", "names"),
            (".debug_*", "reloc..debug_info"),
            ("Name", "name"),
            ("?", ""),
            ("?", "ab"),
            ("x[*]", "xy"),
            ("[!a]", "a"),
        ] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
        let name = "star*and[bracket]?".repeat(5_000);
        assert!(Glob::literal(&*name).matches(&name));
    }

    #[test]
    fn malformed_patterns_are_refused() {
        for pattern in ["", "[", "[]", "a[b", "[!", "[!]", &"*a".repeat(501)] {
            assert!(Glob::new(pattern).is_err(), "{pattern}");
        }
        assert!(Glob::new(&"a".repeat(100_000)).is_ok());
    }

    /// Exponential time would not end here; nor would a quadratic number of steps in the name's length.
    #[test]
    fn hostile_patterns_take_linear_time() {
        let name = "a".repeat(100_000);
        for pattern in
            ["*a".repeat(499) + "b", "a*".repeat(499) + "b", "*?".repeat(499) + "b", "*[!b]".repeat(199) + "b*c"]
        {
            assert!(!matches(&pattern, &name), "{pattern}");
        }
    }
}
