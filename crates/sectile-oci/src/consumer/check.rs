//! Checks an image against the rules of consumers.

use std::collections::BTreeMap;
use std::path::Path;

use super::facts::Facts;
use super::manifest::{Manifest, ManifestJson};
use super::rules::{Outcome, RuleCheck};
use super::source::{ImageSource, LayoutSource};
use super::{Consumer, RULES, Rule};
use crate::LayoutError;
use crate::layout::index::ParsedDescriptor;
use crate::layout::{Locator, Pointer, parse};
use crate::layout::{check_marker, resolve::MAX_INDEX_DEPTH, select};
use crate::shape::Shape;
use sectile::digest::Digest;

/// The result of checking an image against the rules of consumers.
///
/// ```no_run
/// use sectile_oci::Locator;
/// use sectile_oci::consumer::{Consumer, ImageCheck};
///
/// let locator = Locator::parse("oci:layout:1.0".as_ref()).ok_or("not a locator")??;
/// let check = ImageCheck::from_layout(&locator, &[Consumer::Istio])?;
/// for finding in check.verdicts().iter().flat_map(|verdict| verdict.broken()) {
///     println!("{}: {} Found: {}.", finding.rule().name, finding.rule().text, finding.found());
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ImageCheck {
    digest: Digest,
    shape: Option<&'static Shape>,
    verdicts: Vec<ConsumerVerdict>,
}

/// Whether a consumer would load an image.
#[derive(Clone, Debug)]
pub struct ConsumerVerdict {
    consumer: Consumer,
    broken: Vec<RuleFinding>,
    unchecked: Vec<RuleFinding>,
}

/// A rule that an image breaks, or that could not be checked.
#[derive(Clone, Debug)]
pub struct RuleFinding {
    rule: &'static Rule,
    found: String,
}

impl ImageCheck {
    /// Checks an image in a layout on disk.
    ///
    /// # Errors
    ///
    /// The image does not exist, or the locator does not select one of several; a document is
    /// malformed or differs from its descriptor.
    pub fn from_layout(locator: &Locator, consumers: &[Consumer]) -> Result<Self, LayoutError> {
        check_marker(locator.directory())?;
        let pointer = select(locator, None)?;
        Self::run(&mut LayoutSource { directory: locator.directory() }, &pointer, consumers)
    }

    pub(crate) fn run<S: ImageSource>(
        source: &mut S,
        pointer: &Pointer,
        consumers: &[Consumer],
    ) -> Result<Self, S::Error> {
        let digest = pointer.digest;
        let mut images = Images { source, consumers, documents: BTreeMap::new(), facts: BTreeMap::new() };
        let shape = match images.document(pointer)? {
            Document::Image(manifest) => Some(manifest.shape()),
            Document::Index(_) => None,
        };
        let mut verdicts = Vec::new();
        for &consumer in consumers {
            verdicts.push(images.judge(pointer, consumer)?);
        }
        Ok(Self { digest, shape, verdicts })
    }

    /// Returns the digest of the manifest or index.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Returns the shape of the image; `None` for an index.
    pub fn shape(&self) -> Option<&'static Shape> {
        self.shape
    }

    /// Returns the verdicts, in the order of the consumers.
    pub fn verdicts(&self) -> &[ConsumerVerdict] {
        &self.verdicts
    }
}

impl ConsumerVerdict {
    /// Returns the consumer.
    pub fn consumer(&self) -> Consumer {
        self.consumer
    }

    /// Returns whether the consumer would load the image; `None` if that could not be checked.
    pub fn loads(&self) -> Option<bool> {
        match (&self.broken[..], &self.unchecked[..]) {
            ([], []) => Some(true),
            ([], _) => None,
            _ => Some(false),
        }
    }

    /// Returns the rules that the image breaks.
    pub fn broken(&self) -> &[RuleFinding] {
        &self.broken
    }

    /// Returns the rules that could not be checked.
    pub fn unchecked(&self) -> &[RuleFinding] {
        &self.unchecked
    }
}

impl RuleFinding {
    /// Returns the rule.
    pub fn rule(&self) -> &'static Rule {
        self.rule
    }

    /// Describes the part of the image that breaks the rule, or prevents the check.
    pub fn found(&self) -> &str {
        &self.found
    }
}

/// The documents and images that were read.
struct Images<'s, S> {
    source: &'s mut S,
    consumers: &'s [Consumer],
    documents: BTreeMap<Digest, Vec<u8>>,
    facts: BTreeMap<Digest, Facts>,
}

enum Document {
    Image(Box<Manifest>),
    Index(Vec<ParsedDescriptor>),
}

impl<S: ImageSource> Images<'_, S> {
    /// Selects the image of a consumer, and checks its rules.
    fn judge(&mut self, root: &Pointer, consumer: Consumer) -> Result<ConsumerVerdict, S::Error> {
        let mut verdict = ConsumerVerdict { consumer, broken: Vec::new(), unchecked: Vec::new() };
        let rules = || RULES.iter().filter(|rule| rule.consumers.contains(&consumer));
        let mut pointer = Pointer { digest: root.digest, size: root.size, media_type: root.media_type.clone() };
        for depth in 0..=MAX_INDEX_DEPTH {
            let manifests = match self.document(&pointer)? {
                Document::Index(manifests) => manifests,
                Document::Image(manifest) => {
                    let facts = self.facts(pointer.digest, *manifest, depth > 0)?;
                    for rule in rules() {
                        let RuleCheck::Image(check) = rule.check else { continue };
                        match check(facts) {
                            Outcome::Kept => {}
                            Outcome::Broken(found) => verdict.broken.push(RuleFinding { rule, found }),
                            Outcome::Unchecked(found) => verdict.unchecked.push(RuleFinding { rule, found }),
                        }
                    }
                    return Ok(verdict);
                }
            };
            for rule in rules() {
                let RuleCheck::Index(select) = rule.check else { continue };
                match select(&manifests, depth > 0) {
                    Ok(selected) => pointer = entry_pointer(&self.source.path(pointer.digest), &manifests[selected])?,
                    Err(found) => {
                        verdict.broken.push(RuleFinding { rule, found });
                        return Ok(verdict);
                    }
                }
            }
        }
        Err(LayoutError::TooDeep.into())
    }

    fn document(&mut self, pointer: &Pointer) -> Result<Document, S::Error> {
        let path = self.source.path(pointer.digest);
        if !self.documents.contains_key(&pointer.digest) {
            let bytes = self.source.document(pointer)?;
            self.documents.insert(pointer.digest, bytes);
        }
        let bytes = &self.documents[&pointer.digest];
        pointer.parse_document(&path, bytes)?;
        let ManifestJson { media_type, config, layers, manifests, annotations } = parse(&path, bytes)?;
        match (manifests, layers) {
            (Some(manifests), None) => Ok(Document::Index(manifests)),
            (None, Some(layers)) => Ok(Document::Image(Box::new(Manifest { media_type, config, layers, annotations }))),
            _ => Err(LayoutError::malformed(&path, "it is neither an index nor an image").into()),
        }
    }

    fn facts(&mut self, digest: Digest, manifest: Manifest, is_in_index: bool) -> Result<&Facts, S::Error> {
        if !self.facts.contains_key(&digest) {
            let facts = Facts::read(self.source, manifest, is_in_index, self.consumers)?;
            self.facts.insert(digest, facts);
        }
        Ok(&self.facts[&digest])
    }
}

fn entry_pointer(path: &Path, entry: &ParsedDescriptor) -> Result<Pointer, LayoutError> {
    let digest = entry.digest.parse().map_err(|source| LayoutError::InvalidDigest { file: path.to_owned(), source })?;
    Ok(Pointer { digest, size: Some(entry.size), media_type: Some(entry.media_type.clone()) })
}
