//! Locations in the file of a policy.

use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use super::RuleError;

/// The location of a rule or an exception: the path of the policy as the caller passed it, and the
/// line where the table begins.
///
/// `Display` writes `policy.toml:12`. The name is not escaped: escape it for a terminal.
///
/// ```
/// use sectile_policy::Policy;
///
/// let policy = Policy::parse("policy.toml", "# ours\n[[licenses]]\nallow = [\"MIT\"]\n")?;
/// let location = policy.rules().next().and_then(|rule| rule.location()).expect("it was loaded from a file");
/// assert_eq!((location.to_string().as_str(), location.line()), ("policy.toml:2", 2));
/// # Ok::<(), sectile_policy::PolicyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PolicyLocation {
    file: Arc<str>,
    line: u64,
}

impl PolicyLocation {
    pub(super) fn new(file: &Path, line: u64) -> Self {
        Self { file: file.to_string_lossy().into(), line }
    }

    /// The file of the policy as it was given. Bytes that are not UTF-8 are replaced.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The line, counted from 1.
    pub fn line(&self) -> u64 {
        self.line
    }

    pub(super) fn at_line(&self, line: u64) -> Self {
        Self { file: Arc::clone(&self.file), line }
    }
}

impl fmt::Display for PolicyLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// Parses the form that `Display` writes.
impl FromStr for PolicyLocation {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let parts = text.rsplit_once(':').and_then(|(file, line)| Some((file, line.parse().ok()?)));
        let (file, line) = parts.ok_or_else(|| RuleError::new("not a location such as `policy.toml:12`"))?;
        Ok(Self { file: file.into(), line })
    }
}
