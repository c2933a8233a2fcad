//! Patterns for the names of custom sections.

use std::fmt;
use std::str::FromStr;

/// A pattern for the names of custom sections. `*` matches any characters, `?` one character,
/// `[a-z]` one of a set, `[!a-z]` one that is not in the set, and `[*]` a literal star. The whole
/// name must match, with its case.
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

/// Longest pattern in bytes: the matcher recurses once for each star.
const MAX_LEN: usize = 1_000;

impl Glob {
    /// Parses a pattern. Without `*`, `?` and `[`, it is a literal name of any length.
    ///
    /// # Errors
    ///
    /// The pattern is empty, has an unclosed bracket, or has more than 1,000 bytes.
    pub fn new(pattern: &str) -> Result<Self, GlobError> {
        if pattern.is_empty() {
            return Err(GlobError::new(pattern, "it is empty"));
        }
        if !pattern.contains(['*', '?', '[']) {
            return Ok(Self::literal(pattern));
        }
        if pattern.len() > MAX_LEN {
            return Err(GlobError { pattern: String::new(), why: "it has more than 1,000 bytes" });
        }
        let mut single = pattern.to_owned();
        while single.contains("**") {
            single = single.replace("**", "*"); // the `glob` crate treats `**` as directories
        }
        let compiled = glob::Pattern::new(&single).map_err(|error| GlobError::new(pattern, error.msg))?;
        Ok(Self(Matcher::Pattern(compiled)))
    }

    /// Creates a pattern that matches only this name.
    pub fn literal(name: impl Into<Box<str>>) -> Self {
        Self(Matcher::Literal(name.into()))
    }

    /// Whether the pattern matches a name. Takes time linear in the length of the name.
    pub fn matches(&self, name: &str) -> bool {
        match &self.0 {
            Matcher::Literal(literal) => **literal == *name,
            Matcher::Pattern(pattern) => pattern.matches(name),
        }
    }

    /// The pattern as text.
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

/// The error of parsing a [`Glob`].
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
        write!(f, "`{}` is not a pattern: {}", self.pattern, self.why)
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

    /// With quadratic or exponential time, this test would not finish.
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
