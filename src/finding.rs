//! What is wrong or notable, without ending the reading: one table of codes, and findings that fold.

use std::borrow::Cow;
use std::fmt;

use crate::escape::{Escaped, beginning};
use crate::scan::ItemPath;
use crate::scan::error::fmt_located;

/// How bad a finding is, unless a policy says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; nothing is wrong.
    Note,
    /// Readers may disagree, or a convention is not kept; the value can be used.
    Warning,
    /// A value cannot be used, or not trusted.
    Error,
}

impl Severity {
    /// All of them, the mildest first.
    pub const ALL: [Self; 3] = [Self::Note, Self::Warning, Self::Error];

    /// `note`, `warning` or `error`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

macro_rules! codes {
    ($($code:ident $name:literal $severity:ident $help:literal;)*) => {
        /// What kind of finding it is. The names are stable.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum FindingCode {
            $(#[doc = concat!("`", $name, "`: ", $help)] $code,)*
        }

        impl FindingCode {
            /// The whole table, in its order.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$code),*];

            /// The name that reports and policies use.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$code => $name,)* }
            }

            /// The severity unless a policy says otherwise.
            pub const fn severity(self) -> Severity {
                match self { $(Self::$code => Severity::$severity,)* }
            }

            /// What it means, in a sentence.
            pub const fn help(self) -> &'static str {
                match self { $(Self::$code => $help,)* }
            }
        }
    };
}

codes! {
    DuplicateSection "duplicate-section" Warning
        "A section stands more than once where one is meant; readers differ on which counts.";
    MisplacedSection "misplaced-section" Warning
        "A section does not stand where its convention pins it; loaders and linkers may refuse it or pass over it.";
    MisplacedProducers "misplaced-producers" Note
        "The `producers` section stands before `name`; its convention puts it behind, and some tools refuse the other order.";
    UnknownSection "unknown-section" Warning
        "A section id that the specifications give no meaning; a validator rejects it.";
    NotUtf8 "not-utf8" Error
        "A text is not UTF-8; only its bytes can be given.";
    EmptyValue "empty-value" Note
        "A metadata section is there and says nothing.";
    ControlCharacters "control-characters" Warning
        "A text holds control or bidirectional characters, which can deceive who reads it on a terminal.";
    TooLarge "too-large" Warning
        "A value exceeds a limit, and was not decoded or not kept.";
    NotSpdx "not-spdx" Error
        "A licence is not an SPDX expression.";
    DeprecatedLicense "deprecated-license" Warning
        "A licence expression uses an identifier that SPDX has deprecated.";
    ImpreciseLicense "imprecise-license" Warning
        "A license is not written as SPDX lists it: in another case, or misspelled; it is clear which one is meant.";
    NotUrl "not-url" Error
        "A value is not an absolute URL.";
    NotHttp "not-http" Error
        "A URL has another scheme than http or https.";
    VcsUrl "vcs-url" Warning
        "A source is what a version control system understands, and not a URL that a browser opens.";
    UrlCredentials "url-credentials" Warning
        "A URL carries a user name or a password.";
    NotRfc3339 "not-rfc3339" Error
        "A date is no RFC 3339 date-time.";
    MalformedName "malformed-name" Error
        "A name section cannot be read to its end.";
    MalformedProducers "malformed-producers" Error
        "A producers section cannot be read to its end.";
    DuplicateProducersField "duplicate-producers-field" Warning
        "A field stands more than once in a producers section; readers differ on which counts.";
    DuplicateProducer "duplicate-producer" Warning
        "A name stands more than once in a field of the producers; readers differ on which counts.";
    UnknownProducersField "unknown-producers-field" Note
        "A producers section has a field that its convention does not know; some readers refuse all of it.";
    MalformedDependencies "malformed-dependencies" Error
        "The `.dep-v0` section of cargo-auditable cannot be decoded, or holds more than it should.";
    MalformedRegistryMetadata "malformed-registry-metadata" Error
        "The `registry-metadata` section is no JSON object, or too deep.";
    DuplicateJsonKey "duplicate-json-key" Warning
        "A key stands more than once in a JSON object; readers differ on which counts.";
    RetiredSection "retired-section" Note
        "The `registry-metadata` section is retired; its fields have sections of their own now.";
    MalformedDebugLink "malformed-debug-link" Warning
        "A section that points to debugging data kept elsewhere cannot be decoded.";
    UnprefixedDebugLink "unprefixed-debug-link" Note
        "A link to debugging data has no length before its value, as older tools write it; all of the data is given.";
    AmbiguousDebugLink "ambiguous-debug-link" Warning
        "A link to debugging data can be read with a length before its value and without one; both values are given.";
    MalformedInterface "malformed-interface" Error
        "An import or export section, or a type that would tell a WIT package, cannot be decoded.";
    BrokenSignature "broken-signature" Warning
        "An edit changes what a signature signs; of what a `signature` section signs in parts, those before the change may still hold.";
    RemovedUnknown "removed-unknown" Warning
        "An edit strips a custom section whose purpose is not known; the program may need it.";
    StaleBuildId "stale-build-id" Note
        "An edit changes debugging data, and leaves the `build_id` that it is looked up by.";
    NearLimit "near-limit" Warning
        "An edit leaves an item or a section near the largest size that can be read, or more sections than are read back.";
    AnnotationDrift "annotation-drift" Warning
        "The manifest of an image says something else of its binary than the binary itself.";
    DigestMismatch "digest-mismatch" Error
        "A blob has not the digest that it is called by: it is damaged, or was tampered with.";
    MissingField "missing-field" Error
        "What a policy requires an item to say is not there, is empty, or cannot be read.";
    RefusedLicense "refused-license" Error
        "A licence is not permitted by a policy, or cannot be evaluated.";
    RefusedSection "refused-section" Error
        "A section is refused by a policy, for its name, its kind or its size.";
    RefusedImport "refused-import" Error
        "An import of the root item is refused by a policy.";
    RefusedSource "refused-source" Error
        "A URL that says where something comes from is refused by a policy, or leads where nobody can tell.";
    RefusedProducer "refused-producer" Error
        "A tool or language that made a binary is refused by a policy, for its name or its version.";
    RefusedDependency "refused-dependency" Error
        "A package that a binary was built from is refused by a policy, for its name, its version or its source.";
    ExpiredException "expired-exception" Warning
        "An exception that a policy makes for a file has expired, or nobody can say whether it has: it excuses nothing.";
    NotJudged "not-judged" Error
        "What a rule of a policy asks for was not read, or could not be, so that nobody can say whether the rule holds.";
    NotFollowed "not-followed" Note
        "A symbolic link inside a store, or a link inside an archive, leads somewhere; it is not followed.";
    NotAFile "not-a-file" Note
        "Something in a store is a FIFO, a socket or a device, and is not opened.";
    Unreadable "unreadable" Error
        "A file, a directory or an object of a store cannot be read.";
    MalformedArchive "malformed-archive" Warning
        "An archive without a binary, or an entry of one, is cut off, damaged, or contradicts itself.";
    DisputedArchive "disputed-archive" Error
        "An archive that holds a binary is damaged or contradicts itself: readers may disagree about what it holds.";
    UncoveredBytes "uncovered-bytes" Note
        "A zip has bytes that belong to none of its entries and records; readers ignore them.";
    NotOpened "not-opened" Warning
        "A file or an archive's entry has a format that may hold binaries and is not opened.";
    ArchiveLimit "archive-limit" Error
        "An archive is nested too deep, inflates too far, or is too large to be held; the rest of it is not looked into.";
    MalformedLayout "malformed-layout" Error
        "A document of an image layout or of a registry's storage is missing, damaged, or not what it is called by.";
    AbsentBlob "absent-blob" Note
        "An image names a blob that its store does not have, as for other platforms or with URLs elsewhere; it is not examined.";
    Changed "changed" Error
        "The file was changed while it was read; what was read may never have stood in it together.";
}

impl fmt::Display for FindingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Something wrong or notable, and where.
///
/// `Display` gives the code, the place and the message in one line, escaped so that it is safe on a terminal.
///
/// ```
/// let metadata = sectile::read_slice(b"\0asm\x01\0\0\0\x00\x0d\x08licensesMIT!")?;
/// let finding = metadata.findings().iter().next().expect("it is not an SPDX expression");
/// assert_eq!(finding.code(), sectile::FindingCode::NotSpdx);
/// assert!(finding.to_string().starts_with("not-spdx (at offset 0x13): `MIT!` is not an SPDX expression"));
/// # Ok::<(), sectile::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    code: FindingCode,
    path: ItemPath,
    offset: u64,
    section: Option<Box<str>>,
    message: Cow<'static, str>,
    count: u64,
}

impl Finding {
    pub(crate) fn new(
        code: FindingCode,
        path: ItemPath,
        offset: u64,
        section: Option<&str>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { code, path, offset, section: section.map(Into::into), message: message.into(), count: 1 }
    }

    pub(crate) fn with_count(self, count: u64) -> Self {
        Self { count, ..self }
    }

    /// The kind of finding.
    pub fn code(&self) -> FindingCode {
        self.code
    }

    /// The default severity of its code. A policy may change it.
    pub fn severity(&self) -> Severity {
        self.code.severity()
    }

    /// Path of the item.
    pub fn path(&self) -> &ItemPath {
        &self.path
    }

    /// Absolute byte offset.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Name of the custom section, if the finding is about one.
    pub fn section(&self) -> Option<&str> {
        self.section.as_deref()
    }

    /// The problem, in one line. It may quote the input: escape it for a terminal.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Number of findings that this one represents: itself and those folded into it.
    pub fn count(&self) -> u64 {
        self.count
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt_located(f, &self.code, Some(self.offset), &self.path)?;
        write!(f, ": {}", Escaped::new(&self.message))
    }
}

/// The findings of one reading, in the order in which they were made.
///
/// The same code in the same section name of the same item, again and again, is one finding with a count. Beyond a
/// limit of findings of one code ([`Limits::max_findings_per_code`](crate::Limits::max_findings_per_code)) the rest of that code is one
/// more, with their count.
#[derive(Clone, Debug)]
pub struct Findings {
    list: Vec<Finding>,
    limit: u32,
    /// `None` until there is one: most readings find nothing.
    of_code: Option<Box<[Last; FindingCode::ALL.len()]>>,
}

/// The last finding of one code.
#[derive(Clone, Copy, Debug, Default)]
struct Last {
    /// How many of the code stand in the list.
    number: u32,
    /// Its place in the list.
    place: u32,
    /// The number of the item that it is about.
    item: u32,
}

/// Compares what was found; a limit that was not met makes no difference.
impl PartialEq for Findings {
    fn eq(&self, other: &Self) -> bool {
        self.list == other.list
    }
}

impl Eq for Findings {}

impl Findings {
    /// An empty list that keeps this many findings of each code.
    #[doc(hidden)]
    pub fn with_limit(limit: u32) -> Self {
        Self { list: Vec::new(), limit, of_code: None }
    }

    /// Adds a finding about the item of this number, folded into the last one of the same code, item and section. The
    /// path and the message are made only if it is not folded.
    #[doc(hidden)]
    #[cold]
    pub fn add(
        &mut self,
        code: FindingCode,
        item: u32,
        offset: u64,
        section: Option<&str>,
        describe: impl FnOnce() -> (ItemPath, Cow<'static, str>),
    ) {
        self.add_folding(code, item, offset, section, true, describe);
    }

    /// Adds a finding that only the limit folds into another.
    #[doc(hidden)]
    pub fn add_apart(
        &mut self,
        code: FindingCode,
        item: u32,
        offset: u64,
        section: Option<&str>,
        describe: impl FnOnce() -> (ItemPath, Cow<'static, str>),
    ) {
        self.add_folding(code, item, offset, section, false, describe);
    }

    fn add_folding(
        &mut self,
        code: FindingCode,
        item: u32,
        offset: u64,
        section: Option<&str>,
        folds: bool,
        describe: impl FnOnce() -> (ItemPath, Cow<'static, str>),
    ) {
        let of_code = self.of_code.get_or_insert_with(|| Box::new([Last::default(); FindingCode::ALL.len()]));
        let last = &mut of_code[code as usize];
        if last.number > 0 {
            let finding = &mut self.list[last.place as usize];
            let same = folds && last.item == item && finding.section.as_deref() == section;
            if same || last.number > self.limit {
                finding.count += 1;
                return;
            }
        }
        let (path, message) = describe();
        let mut message = shortened(message);
        if last.number == self.limit {
            message = format!("{message}; and further findings of this kind").into();
        }
        *last = Last { number: last.number + 1, place: self.list.len() as u32, item };
        self.list.push(Finding::new(code, path, offset, section, message));
    }

    /// Returns the findings, in the order in which they were found.
    pub fn into_vec(self) -> Vec<Finding> {
        self.list
    }

    /// The findings, in the order in which they were made.
    pub fn iter(&self) -> std::slice::Iter<'_, Finding> {
        self.list.iter()
    }

    /// How many there are; those that were folded into another one are in its [`count`](Finding::count).
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

/// A message that is not long: findings are kept beside the limit of values, and what a decoder says may quote all of
/// what it was given.
fn shortened(message: Cow<'static, str>) -> Cow<'static, str> {
    const LONGEST: usize = 400;
    if message.len() <= LONGEST { message } else { format!("{}…", beginning(&message, LONGEST)).into() }
}

impl<'a> IntoIterator for &'a Findings {
    type Item = &'a Finding;
    type IntoIter = std::slice::Iter<'a, Finding>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_kebab_case() {
        let mut names = FindingCode::ALL.map(FindingCode::name);
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
        for code in FindingCode::ALL {
            assert!(code.name().bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'));
            assert!(code.help().ends_with('.'), "{code}");
        }
    }

    fn add(findings: &mut Findings, item: u32, offset: u64) {
        let describe = || (ItemPath::from_iter([item]), "bad".into());
        findings.add(FindingCode::NotUrl, item, offset, Some("source"), describe);
    }

    #[test]
    fn repeated_findings_are_counted() {
        let mut findings = Findings::with_limit(8);
        for offset in 0..1_000_000 {
            add(&mut findings, 0, offset);
        }
        let [finding] = &findings.list[..] else { panic!("{findings:?}") };
        assert_eq!((finding.count, finding.offset), (1_000_000, 0));
    }

    #[test]
    fn findings_beyond_the_limit_are_folded() {
        let mut findings = Findings::with_limit(8);
        for item in 0..100 {
            add(&mut findings, item, u64::from(item));
        }
        assert_eq!(findings.list.len(), 9);
        assert_eq!((findings.list[8].count, findings.list[8].offset), (92, 8));
        assert_eq!(findings.iter().map(|finding| finding.count).sum::<u64>(), 100);
    }
}
