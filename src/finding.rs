//! Findings: problems and notable facts that do not stop a read. Contains the table of codes, and a
//! list that merges repeated findings.

use std::borrow::Cow;
use std::fmt;

use crate::escape::{Escaped, beginning};
use crate::scan::ItemPath;
use crate::scan::error::fmt_located;

/// Severity of a finding. A policy can override the severity of each code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Information. Nothing is wrong.
    Note,
    /// The value is usable, but readers may disagree on it, or it violates a convention.
    Warning,
    /// A value cannot be used or trusted.
    Error,
}

impl Severity {
    /// All severities, from the lowest to the highest.
    pub const ALL: [Self; 3] = [Self::Note, Self::Warning, Self::Error];

    /// Returns `note`, `warning` or `error`.
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
    ($($code:ident $name:literal $severity:ident $help:literal $why:literal $fix:literal;)*) => {
        /// The kind of a finding. The names are stable.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum FindingCode {
            $(#[doc = concat!("`", $name, "`: ", $help)] $code,)*
        }

        impl FindingCode {
            /// All codes, in table order.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$code),*];

            /// The name that reports and policies use.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$code => $name,)* }
            }

            /// Returns the default severity. A policy can override it.
            pub const fn severity(self) -> Severity {
                match self { $(Self::$code => Severity::$severity,)* }
            }

            /// Description of the finding, in one sentence.
            pub const fn help(self) -> &'static str {
                match self { $(Self::$code => $help,)* }
            }

            /// Why the finding matters, in a few sentences.
            pub const fn why(self) -> &'static str {
                match self { $(Self::$code => $why,)* }
            }

            /// How to resolve the finding, in a few sentences.
            pub const fn fix(self) -> &'static str {
                match self { $(Self::$code => $fix,)* }
            }
        }
    };
}

codes! {
    DuplicateSection "duplicate-section" Warning
        "A section occurs more than once where one is expected."
        "Readers disagree on which one counts, so two tools may show different values for the same file."
        "Keep one section: `sectile set` replaces all of them with one value, and `sectile remove` removes them.";
    MisplacedSection "misplaced-section" Warning
        "A section is not at the position that its convention requires."
        "Loaders and linkers may refuse the file or ignore the section. `dylink.0`, for example, must be the first section."
        "Rebuild the file with a tool that keeps the order of sections, or remove the section if nothing uses it.";
    MisplacedProducers "misplaced-producers" Note
        "The `producers` section of the root module comes before its `name` section."
        "The tool conventions put `producers` after `name`, and some readers of core modules refuse the other order."
        "Set the producers again with `sectile set --processed-by`, which writes the section after `name`, or report it to the tool that wrote the file.";
    UnknownSection "unknown-section" Warning
        "The id of a section has no meaning in the specifications."
        "A validator rejects the file, so runtimes do not load it."
        "Rebuild the file, or update the tool that wrote it. The section may belong to a proposal that is not finished.";
    NotUtf8 "not-utf8" Error
        "A text is not UTF-8."
        "The specifications require UTF-8. Other tools reject the value or show something else. Only its bytes can be reported."
        "Write the value again as UTF-8, with `sectile set` for a field.";
    EmptyValue "empty-value" Note
        "A metadata section exists but is empty."
        "An empty value tells a reader nothing, and a policy that requires the field refuses it."
        "Set a value with `sectile set`, or remove the section with `sectile unset`.";
    ControlCharacters "control-characters" Warning
        "A text contains control characters or characters that change the direction of text."
        "Such characters can hide or reorder text on a terminal or in a browser, and so deceive a person who reads it."
        "Write the value again without them. If the file comes from another person, treat the value as an attempt to deceive.";
    TooLarge "too-large" Warning
        "A value exceeds a limit and was not decoded or not kept."
        "Nothing is known about a value that was not decoded, so rules on it cannot be judged."
        "If the size is legitimate, raise the limit in `[limits]` of the policy. Otherwise remove or shorten the value.";
    NotSpdx "not-spdx" Error
        "A license is not an SPDX license expression."
        "Tools that check licenses cannot evaluate it, and policies refuse it."
        "Set an SPDX expression, such as `MIT OR Apache-2.0`, with `sectile set --licenses`. Use `LicenseRef-NAME` for a license that is not on the SPDX list.";
    DeprecatedLicense "deprecated-license" Warning
        "A license expression uses an identifier that SPDX has deprecated."
        "The meaning is still clear, but tools that accept only current identifiers reject it."
        "Set the current identifier, for example `GPL-2.0-only` instead of `GPL-2.0`.";
    ImpreciseLicense "imprecise-license" Warning
        "A license is misspelled, but its meaning is clear."
        "Strict tools reject an expression that is not written as SPDX lists it."
        "Set the spelling that the message gives.";
    NotUrl "not-url" Error
        "A value is not an absolute URL."
        "It cannot be followed, and rules on sources refuse it."
        "Set an absolute URL, such as `https://example.org/project`.";
    NotHttp "not-http" Error
        "A URL has a scheme other than http or https."
        "A reader expects a page that a browser opens. Other schemes may run programs or open local files."
        "Set an `https://` URL.";
    VcsUrl "vcs-url" Warning
        "A source is a location for a version control system, not a URL for a browser."
        "Git understands `git@host:path`, but other readers of the field do not."
        "Set the `https://` URL of the repository.";
    UrlCredentials "url-credentials" Warning
        "A URL contains a user name or a password."
        "Everyone who has the file can read the credentials. A user name can also make a URL look like that of another host."
        "Set the URL without them. If they were real, revoke them, because the file may have been copied.";
    NotRfc3339 "not-rfc3339" Error
        "A date is not an RFC 3339 date-time."
        "Other tools cannot parse it, and registries may refuse an image that has it."
        "Set a date such as `2026-01-31T12:00:00Z` with `sectile set --created`.";
    MalformedName "malformed-name" Error
        "A name section cannot be read to its end."
        "The name of the item may be missing or wrong, and debuggers may show nothing."
        "Rebuild the file. If no tool needs the names, remove the section with `sectile strip --names`.";
    MalformedProducers "malformed-producers" Error
        "A producers section cannot be read to its end."
        "The tools that made the binary are not known. Rules on producers cannot be judged, which refuses the file."
        "Rebuild the file, or replace the whole section: `sectile unset FILE producers`, then `sectile set --processed-by`.";
    DuplicateProducersField "duplicate-producers-field" Warning
        "A field occurs more than once in a producers section."
        "Readers disagree on which one counts, and some reject the section."
        "Rebuild the file with a current tool, or write the section again.";
    DuplicateProducer "duplicate-producer" Warning
        "A name occurs more than once in a field of the producers section."
        "Readers disagree on which version counts."
        "Set the version of that producer with `sectile set`, or rebuild the file with a current tool.";
    UnknownProducersField "unknown-producers-field" Note
        "A producers section has a field that its convention does not define."
        "Some readers reject the whole section because of one such field."
        "Use `language`, `processed-by` or `sdk`. Nothing needs to be done if all your tools read the file.";
    MalformedDependencies "malformed-dependencies" Error
        "The `.dep-v0` section of cargo-auditable cannot be decoded, or holds more than it should."
        "The packages in the binary are not known, so an SBOM is incomplete and rules on dependencies cannot be judged."
        "Build the binary again with a current `cargo auditable`.";
    UndeclaredPackage "undeclared-package" Warning
        "The data names a package that the item's declared list lacks."
        "The declared list is incomplete, or belongs to another build, so answers that depend on it are wrong."
        "Build the binary again with a current `cargo auditable`, and do not copy `.dep-v0` from another binary.";
    MalformedInventory "malformed-inventory" Warning
        "Data that lists packages cannot be decoded."
        "The inventory of the binary may be incomplete."
        "Rebuild the file. Treat a file from another person as an attempt to hide its contents.";
    MalformedRegistryMetadata "malformed-registry-metadata" Error
        "The `registry-metadata` section is not a JSON object, or nests too deep."
        "Its fields cannot be read or moved to sections of their own."
        "Set the fields with `sectile set`, and remove the section with `sectile remove`.";
    DuplicateJsonKey "duplicate-json-key" Warning
        "A key occurs more than once in a JSON object."
        "Readers disagree on which value counts."
        "Write the JSON again with each key once.";
    RetiredSection "retired-section" Note
        "The `registry-metadata` section is retired."
        "Each of its fields has a section of its own now, and current tools read only those."
        "Run `sectile migrate FILE`.";
    MalformedDebugLink "malformed-debug-link" Warning
        "A section that points to debugging data in another file cannot be decoded."
        "Debuggers do not find the data."
        "Rebuild the file, or remove the section with `sectile remove`.";
    UnprefixedDebugLink "unprefixed-debug-link" Note
        "A link to debugging data has no length before its value."
        "Older tools write it so. Readers that expect the length may read another value."
        "Nothing needs to be done if your debugger finds the data. A current tool writes the length.";
    AmbiguousDebugLink "ambiguous-debug-link" Warning
        "A link to debugging data can be read with and without a length before its value."
        "Two readers may look for the data under different names. Both values are reported."
        "Write the section again with a current tool.";
    MalformedInterface "malformed-interface" Error
        "An import section, an export section, or a type of a WIT package cannot be decoded."
        "The imports and exports are known only in part, so rules on imports cannot be judged."
        "Rebuild the file. A runtime would probably reject it too.";
    BrokenSignature "broken-signature" Warning
        "An edit changes bytes that a signature covers."
        "Verification of the signature fails after the edit. Signatures of the parts before the change may still hold."
        "Sign the file again after the edit, or make the edit before signing.";
    RemovedUnknown "removed-unknown" Warning
        "An edit removes a custom section with an unknown purpose."
        "The program or its platform may need the section."
        "Test the result, or keep the section with `--keep`.";
    StaleBuildId "stale-build-id" Note
        "An edit changes debugging data but keeps the `build_id` that identifies it."
        "Debuggers may combine the file with data that no longer fits."
        "Remove `build_id` too, or build the file again.";
    NearLimit "near-limit" Warning
        "An edit leaves an item or a section near the largest size that can be read, or more sections than can be read back."
        "Other tools, or a later edit, may fail."
        "Reduce the data, or split the file.";
    AnnotationDrift "annotation-drift" Warning
        "The manifest of an image and its binary state different values."
        "A person who reads the registry sees something else than a person who reads the binary."
        "Create the image again from the binary with `sectile oci layout` or `sectile oci push`.";
    DigestMismatch "digest-mismatch" Error
        "The digest of a blob does not match the name of the blob."
        "The blob is damaged, or someone changed it."
        "Fetch it again from a trusted source. If the difference stays, do not use the file.";
    MissingField "missing-field" Error
        "Metadata that a rule of the policy requires is missing, empty or unreadable."
        "Your policy requires it, for example so that every binary can be traced to its source."
        "Set the field with `sectile set`, in the build if possible. The message names the field, and `rule` the place in the policy.";
    RefusedLicense "refused-license" Error
        "A license is not permitted by the policy, or cannot be evaluated."
        "Your policy lists the licenses under which binaries may be used."
        "Ask for permission, replace the binary, or correct the value if it is wrong. The policy can allow the license or have an exception.";
    RefusedSection "refused-section" Error
        "The policy refuses a section by its name, kind or size."
        "Your policy keeps such sections out, for example debugging data of published files."
        "Remove a custom section with `sectile remove` or `sectile strip`. Other sections need a new build.";
    RefusedImport "refused-import" Error
        "The policy refuses an import of the root item."
        "An import is what the binary can do in its host. Your policy does not permit this one."
        "Build the binary without the import, or change the rule if the binary is trusted with it.";
    RefusedSource "refused-source" Error
        "The policy refuses a URL, or the URL may lead to different places."
        "Your policy lists the places that binaries may come from."
        "Check where the binary comes from. Correct the URL if it is wrong, or allow the place in the policy.";
    RefusedProducer "refused-producer" Error
        "The policy refuses a tool or language that made the binary, by its name or version."
        "Your policy keeps out tools that are too old, have known defects, or are not supported."
        "Build the binary again with a permitted tool or version.";
    RefusedDependency "refused-dependency" Error
        "The policy refuses a package in the binary, by its name, version or source."
        "Your policy keeps out packages that are vulnerable, abandoned or not permitted."
        "Update or replace the package, then build the binary again.";
    Advisory "advisory" Warning
        "A database has an advisory about a package in the binary, and the policy does not refuse it."
        "The package has a known defect, or its authors no longer maintain it."
        "Update the package to a version that the advisory does not affect, then build the binary again.";
    RefusedAdvisory "refused-advisory" Error
        "The policy refuses a package in the binary because of an advisory about it."
        "A program with the package may be exposed to a known vulnerability."
        "Update the package to a version that the advisory does not affect, then build the binary again. If the binary does not use the defect, add an exception with the identifier of the advisory.";
    ExpiredException "expired-exception" Warning
        "An exception of the policy for this file has expired, or the day is not known."
        "It excuses nothing any more, so the findings of the file count again."
        "Resolve the findings, or decide anew and set a later day in `expires`.";
    NotJudged "not-judged" Error
        "A rule of the policy could not be judged, because its data was not read or is unreadable."
        "The file may break the rule, so it is not accepted."
        "Look at the other findings of the file for the cause. If a limit is the cause, raise it in `[limits]` of the policy.";
    NotFollowed "not-followed" Note
        "A link in a store or an archive was not followed."
        "The target is outside the audit, or is audited under its own name."
        "Add the target to the paths of the audit if it is not below them.";
    NotAFile "not-a-file" Note
        "A store contains a FIFO, a socket or a device, which was not opened."
        "Opening it could block the audit or have side effects."
        "Remove it from the store. Nothing needs to be done if it belongs there.";
    Unreadable "unreadable" Error
        "A file, a directory or an object of a store cannot be read."
        "It may hide binaries, so the audit is not complete."
        "Run the audit with the needed permissions, or repair the store. The message has the cause.";
    MalformedArchive "malformed-archive" Warning
        "An archive in which no binary was found is truncated, damaged or inconsistent."
        "Entries after the damage may hide binaries."
        "Create the archive again, or remove it from the store.";
    DisputedArchive "disputed-archive" Error
        "An archive that contains a binary is damaged or inconsistent, so that readers may disagree on its contents."
        "A person or a tool may extract another file than the one that was audited."
        "Create the archive again with a current tool. Treat an archive from another person as an attempt to deceive.";
    UncoveredBytes "uncovered-bytes" Note
        "A zip has bytes that belong to none of its entries and records."
        "Readers ignore these bytes, but another program may use them."
        "Create the archive again if the bytes are not expected.";
    NotOpened "not-opened" Warning
        "A file or an archive entry has a format that may hold binaries and is not opened."
        "Binaries in it are not audited."
        "Extract it and audit the contents, or refuse such formats with `severity.hidden = \"error\"` in the policy.";
    ArchiveLimit "archive-limit" Error
        "An archive nests too deep, inflates too far, or is too large."
        "The rest of the archive was not examined and may hide binaries."
        "Extract the archive and audit the contents, or raise the limit, for example with `--nested` or `--archive-rows`.";
    MalformedLayout "malformed-layout" Error
        "A document of an image layout or a registry storage is missing, damaged, or does not match its name."
        "Images that only this document lists are not audited."
        "Repair the layout, for example by pulling the image again.";
    AbsentBlob "absent-blob" Note
        "An image names a blob that its store does not contain."
        "The blob was not examined. Stores often omit blobs of other platforms and blobs with URLs elsewhere."
        "Pull the image completely if the blob should be here. A policy can make this an error.";
    UnverifiedDigest "unverified-digest" Note
        "An image names a blob by another digest than SHA-256."
        "The blob was examined as a file. Neither its digest nor the images that it may list were verified."
        "Name the blob by its SHA-256, or verify it with another tool.";
    Changed "changed" Error
        "The file changed while it was read."
        "The values that were read may never have been in the file together."
        "Run the command again when nothing writes to the file.";
}

impl fmt::Display for FindingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A problem or a notable fact, with its location.
///
/// `Display` writes the code, the location and the message on one line, escaped for a terminal.
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

    /// Returns the default severity of the code. A policy can override it.
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

    /// Name of the custom section, if the finding concerns one. A name longer than 400 bytes is
    /// truncated.
    pub fn section(&self) -> Option<&str> {
        self.section.as_deref()
    }

    /// Description of the problem, on one line. It may quote the input: escape it before printing
    /// to a terminal.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Number of occurrences that this finding represents: itself and those merged into it.
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

/// The findings of one read, in the order in which they were reported.
///
/// Consecutive findings of one code with the same item and section name are merged into one finding
/// with a count. [`Limits::max_findings_per_code`](crate::Limits::max_findings_per_code) limits the
/// findings of each code. Further findings of the code are merged into one more finding with a
/// count.
#[derive(Clone, Debug)]
pub struct Findings {
    list: Vec<Finding>,
    limit: u32,
    /// State of each code; `None` until the first finding, because most reads have none.
    of_code: Option<Box<[Last; FindingCode::ALL.len()]>>,
}

/// The last finding of one code.
#[derive(Clone, Copy, Debug, Default)]
struct Last {
    /// Number of findings with this code in the list.
    number: u32,
    /// Index in the list.
    place: u32,
    /// Number of the finding's item.
    item: u32,
}

/// Compares only the findings, not the limits.
impl PartialEq for Findings {
    fn eq(&self, other: &Self) -> bool {
        self.list == other.list
    }
}

impl Eq for Findings {}

impl Findings {
    /// Creates an empty list that holds at most this many findings of each code, and one more for
    /// the rest.
    #[doc(hidden)]
    pub fn with_limit(limit: u32) -> Self {
        Self { list: Vec::new(), limit, of_code: None }
    }

    /// Adds a finding about the item with this number. The finding is merged into the last finding
    /// of its code if both have the same item and section, or if the limit of the code is exceeded.
    /// Calls `describe` only if the finding is not merged.
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

    /// Adds a finding. The finding is merged into another only if the limit of its code is exceeded.
    #[doc(hidden)]
    pub fn add_unfolded(
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
        let section = section.map(|section| shortened(Cow::Borrowed(section)));
        let of_code = self.of_code.get_or_insert_with(|| Box::new([Last::default(); FindingCode::ALL.len()]));
        let last = &mut of_code[code as usize];
        if last.number > 0 {
            let finding = &mut self.list[last.place as usize];
            let same = folds && last.item == item && finding.section.as_deref() == section.as_deref();
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
        self.list.push(Finding::new(code, path, offset, section.as_deref(), message));
    }

    /// Returns the findings, in the order in which they were found.
    pub fn into_vec(self) -> Vec<Finding> {
        self.list
    }

    /// The findings, in the order in which they were reported.
    pub fn iter(&self) -> std::slice::Iter<'_, Finding> {
        self.list.iter()
    }

    /// Number of findings in the list. Merged findings are included in [`Finding::count`] instead.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether the list is empty.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

/// Truncates a long text. The limit on retained values does not cover findings, and a quoted text
/// may be as long as the input.
fn shortened(text: Cow<'_, str>) -> Cow<'_, str> {
    const LONGEST: usize = 400;
    if text.len() <= LONGEST { text } else { format!("{}…", beginning(&text, LONGEST)).into() }
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
            for text in [code.help(), code.why(), code.fix()] {
                assert!(text.ends_with('.') && text.len() <= 200, "{code}: {text}");
            }
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
