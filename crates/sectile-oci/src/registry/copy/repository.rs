//! A repository of a registry that images are copied from or to.

use std::cell::RefCell;
use std::io::Read;
use std::path::PathBuf;
use std::time::Instant;

use super::super::blob_download::BlobDownload;
use super::super::blob_upload::BlobTransfer;
use super::super::client::Client;
use super::super::image::{ACCEPTED_MEDIA_TYPES, DEFAULT_TAG, RegistryImageError};
use super::super::reference::Reference;
use super::super::sequential_blob::SequentialBlob;
use super::super::session::{Access, BlobSource, Session};
use super::{CopiedDocument, Root, Sink, Source, check_requested};
use crate::layout::Pointer;
use crate::layout::index::ParsedDescriptor;
use sectile::digest::Digest;

pub(super) struct RepositorySource<'c> {
    reference: &'c Reference,
    session: RefCell<Session<'c>>,
}

impl<'c> RepositorySource<'c> {
    pub(super) fn new(client: &'c Client, reference: &'c Reference) -> Result<Self, RegistryImageError> {
        Ok(Self { reference, session: RefCell::new(Session::new(client, reference, Access::Pull)?) })
    }
}

/// Limits the time of the next requests for documents.
fn limit_time(session: &mut Session<'_>) {
    session.set_deadline(Instant::now().checked_add(session.client().options.total_timeout));
}

impl Source for RepositorySource<'_> {
    fn root(&self) -> Result<Root, RegistryImageError> {
        if let Some(digest) = self.reference.digest() {
            return Ok(Root { pointer: Pointer::new(digest), bytes: None });
        }
        let session = &mut *self.session.borrow_mut();
        limit_time(session);
        let tag = self.reference.tag().unwrap_or(DEFAULT_TAG);
        let response = session.manifest_response(tag, &ACCEPTED_MEDIA_TYPES.join(", "))?;
        // A manifest without a media type has the one of the response.
        let media_type = response.field("content-type").map(|field| field.split(';').next().unwrap_or_default().trim());
        let media_type = media_type.filter(|media_type| ACCEPTED_MEDIA_TYPES.contains(media_type)).map(str::to_owned);
        let pointer = Pointer { media_type, ..Pointer::new(Digest::new(&response.body)) };
        Ok(Root { pointer, bytes: Some(response.body) })
    }

    fn document_path(&self, digest: Digest) -> PathBuf {
        PathBuf::from(format!("{}/{}@{digest}", self.reference.registry(), self.reference.repository()))
    }

    fn document(&self, digest: Digest) -> Result<Vec<u8>, RegistryImageError> {
        let session = &mut *self.session.borrow_mut();
        limit_time(session);
        Ok(session.manifest(&digest.to_string(), &ACCEPTED_MEDIA_TYPES.join(", "))?)
    }

    fn blob(&self, digest: Digest, size: u64) -> Result<Box<dyn Read + '_>, RegistryImageError> {
        Ok(Box::new(BlobDownload::begin(self.session.borrow_mut(), digest, size)?))
    }

    fn referrers(&self, subject: Digest) -> Result<Vec<ParsedDescriptor>, RegistryImageError> {
        let session = &mut *self.session.borrow_mut();
        limit_time(session);
        Ok(session.referrers(subject)?)
    }
}

pub(super) struct RepositorySink<'c> {
    reference: &'c Reference,
    session: Session<'c>,
}

impl<'c> RepositorySink<'c> {
    pub(super) fn new(
        client: &'c Client,
        reference: &'c Reference,
        mount_source: Option<&'c str>,
    ) -> Result<Self, RegistryImageError> {
        let session = Session::new(client, reference, Access::Push)?.with_mount_source(mount_source);
        Ok(Self { reference, session })
    }

    /// Writes a document under a tag or its digest, unless that already names it.
    fn put(&mut self, name: &str, document: &CopiedDocument) -> Result<bool, RegistryImageError> {
        let CopiedDocument { digest, media_type, bytes, .. } = document;
        if self.session.named_digest(name)? == Some(*digest) {
            return Ok(false);
        }
        let response = self.session.put_manifest(name, *digest, media_type, bytes)?;
        if let Some(subject) = document.subject.filter(|_| response.field("oci-subject").is_none()) {
            self.session.list_referrer(subject, &document.referrer_descriptor())?;
        }
        Ok(true)
    }
}

impl Sink for RepositorySink<'_> {
    fn check_root(&self, digest: Digest) -> Result<(), RegistryImageError> {
        check_requested(self.reference.digest(), digest)
    }

    fn put_blob(
        &mut self,
        blob: &SequentialBlob<'_>,
        digest: Digest,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<BlobTransfer, RegistryImageError> {
        Ok(self.session.put_blob(digest, blob, &mut |sent| progress(sent, blob.len()))?)
    }

    fn put_document(&mut self, document: &CopiedDocument) -> Result<bool, RegistryImageError> {
        self.put(&document.digest.to_string(), document)
    }

    fn name_root(&mut self, document: &CopiedDocument) -> Result<bool, RegistryImageError> {
        match self.reference.tag() {
            Some(tag) => self.put(tag, document),
            None => Ok(false),
        }
    }
}
