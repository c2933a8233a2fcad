//! A layout on disk that images are copied from or to.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::io::Read;
use std::path::PathBuf;

use super::super::blob_upload::BlobTransfer;
use super::super::image::RegistryImageError;
use super::super::referrer::fallback_tag;
use super::super::sequential_blob::SequentialBlob;
use super::super::session::BlobSource;
use super::{CopiedDocument, DocumentJson, MAX_DOCUMENTS, Root, Sink, Source, check_requested};
use crate::layout::index::ParsedDescriptor;
use crate::layout::resolve::parse_digest;
use crate::layout::{blob_path, check_marker, listed, open_regular, parse, read_json, select};
use crate::{Layout, LayoutError, Locator, RefName, Selector};
use sectile::digest::Digest;
use sectile::splice::WriteOptions;

pub(super) struct LayoutSource<'l> {
    locator: &'l Locator,
    /// The manifests of the index that refer to a manifest, by its digest.
    referrers: OnceCell<HashMap<Digest, Vec<ParsedDescriptor>>>,
}

impl<'l> LayoutSource<'l> {
    pub(super) fn open(locator: &'l Locator) -> Result<Self, LayoutError> {
        check_marker(locator.directory())?;
        Ok(Self { locator, referrers: OnceCell::new() })
    }

    fn read(&self, digest: Digest) -> Result<Vec<u8>, LayoutError> {
        read_json(&self.document_path(digest))
    }

    /// Finds the manifests with a subject, and the indexes under fallback tags.
    fn find_referrers(&self) -> Result<HashMap<Digest, Vec<ParsedDescriptor>>, LayoutError> {
        let mut found: HashMap<Digest, Vec<ParsedDescriptor>> = HashMap::new();
        let listed = listed(self.locator.directory())?;
        if listed.len() > MAX_DOCUMENTS {
            return Err(LayoutError::TooManyManifests(MAX_DOCUMENTS));
        }
        for descriptor in listed {
            let Ok(digest) = descriptor.digest.parse::<Digest>() else { continue };
            let Ok(bytes) = self.read(digest) else { continue };
            let Ok(json) = parse::<DocumentJson>(&self.document_path(digest), &bytes) else { continue };
            let tagged = descriptor.ref_name().and_then(|name| name.replacen('-', ":", 1).parse::<Digest>().ok());
            match (json.subject, tagged, json.manifests) {
                (Some(subject), _, _) => {
                    let path = self.document_path(digest);
                    found.entry(parse_digest(&path, &subject.digest)?).or_default().push(descriptor);
                }
                (None, Some(subject), Some(manifests)) if descriptor.ref_name() == Some(&fallback_tag(subject)) => {
                    found.entry(subject).or_default().extend(manifests);
                }
                _ => {}
            }
        }
        Ok(found)
    }
}

impl Source for LayoutSource<'_> {
    fn root(&self) -> Result<Root, RegistryImageError> {
        Ok(Root { pointer: select(self.locator, None)?, bytes: None })
    }

    fn document_path(&self, digest: Digest) -> PathBuf {
        blob_path(self.locator.directory(), digest)
    }

    fn document(&self, digest: Digest) -> Result<Vec<u8>, RegistryImageError> {
        Ok(self.read(digest)?)
    }

    fn blob(&self, digest: Digest, _: u64) -> Result<Box<dyn Read + '_>, RegistryImageError> {
        Ok(Box::new(open_regular(&blob_path(self.locator.directory(), digest))?))
    }

    fn referrers(&self, subject: Digest) -> Result<Vec<ParsedDescriptor>, RegistryImageError> {
        if self.referrers.get().is_none() {
            _ = self.referrers.set(self.find_referrers()?);
        }
        let referrers = self.referrers.get().and_then(|referrers| referrers.get(&subject));
        Ok(referrers.cloned().unwrap_or_default())
    }
}

pub(super) struct LayoutSink {
    layout: Layout,
    name: Option<RefName>,
    digest: Option<Digest>,
}

impl LayoutSink {
    pub(super) fn open(locator: &Locator, options: WriteOptions) -> Result<Self, LayoutError> {
        let (name, digest) = match locator.selector() {
            Selector::Only => (None, None),
            Selector::Name(name) => (Some(name.parse()?), None),
            Selector::Digest(digest) => (None, Some(*digest)),
        };
        Ok(Self { layout: Layout::open_or_create(locator.directory(), options)?, name, digest })
    }
}

impl Sink for LayoutSink {
    fn check_root(&self, digest: Digest) -> Result<(), RegistryImageError> {
        check_requested(self.digest, digest)
    }

    fn put_blob(
        &mut self,
        blob: &SequentialBlob<'_>,
        digest: Digest,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<BlobTransfer, RegistryImageError> {
        let stored = self.layout.add_verified_blob(digest, blob.len(), || blob.read_from(0))?;
        progress(blob.len(), blob.len());
        Ok(if stored { BlobTransfer::Sent } else { BlobTransfer::Existing })
    }

    fn put_document(&mut self, document: &CopiedDocument) -> Result<bool, RegistryImageError> {
        let CopiedDocument { digest, bytes, .. } = document;
        let stored = self.layout.add_verified_blob(*digest, bytes.len() as u64, || Ok(Box::new(&**bytes)))?;
        if document.subject.is_some() {
            self.layout.add_to_index(&document.referrer_descriptor(), None)?;
        }
        Ok(stored)
    }

    fn name_root(&mut self, document: &CopiedDocument) -> Result<bool, RegistryImageError> {
        // A referrer without a name is already listed.
        if document.subject.is_some() && self.name.is_none() {
            return Ok(false);
        }
        Ok(self.layout.add_to_index(&document.descriptor(), self.name.as_ref())?)
    }
}
