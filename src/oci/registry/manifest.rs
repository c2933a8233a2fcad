//! Manifests of a registry.

use ureq::http::{Method, header};

use super::error::{Fault, RegistryError};
use super::session::{Ask, Body, Session};
use super::transport::Answer;
use super::upload::confirm;
use crate::digest::Digest;
use crate::oci::MAX_MANIFEST;

impl Session<'_> {
    /// Whether a tag, or a digest, names this manifest already.
    pub(super) fn has_manifest(&mut self, name: &str, digest: Digest, media_type: &str) -> Result<bool, RegistryError> {
        let ask = Ask::new(Method::HEAD, self.url(&format!("manifests/{name}"))?).field(header::ACCEPT, media_type);
        let request = format!("HEAD {}", ask.url);
        let answer = self.ask(ask)?;
        match answer.status {
            200 => Ok(answer.field("docker-content-digest").is_some_and(|found| found.parse() == Ok(digest))),
            404 => Ok(false),
            _ => Err(self.error(Some(request), Fault::unwanted(&answer))),
        }
    }

    /// Refuses a manifest that registries take, and then do not give again.
    pub(super) fn check_size(&self, manifest: &[u8]) -> Result<(), RegistryError> {
        let len = manifest.len();
        if len as u64 > MAX_MANIFEST { Err(self.error(None, Fault::Manifest(len))) } else { Ok(()) }
    }

    /// Puts a manifest under a tag, or under its digest.
    pub(super) fn put_manifest(
        &mut self,
        name: &str,
        digest: Digest,
        media_type: &str,
        manifest: &[u8],
    ) -> Result<Answer, RegistryError> {
        let url = self.url(&format!("manifests/{name}"))?;
        let request = Some(format!("PUT {url}"));
        self.check_size(manifest)?;
        let mut ignored = |_| {};
        let body = Body { source: &manifest, range: 0..manifest.len() as u64, progress: &mut ignored };
        let ask = Ask::new(Method::PUT, url).field(header::CONTENT_TYPE, media_type).body(body);
        let answer = self.ask(ask)?;
        let confirmed = match answer.status {
            200..=202 | 204 => confirm(&answer, digest),
            _ => Err(Fault::unwanted(&answer)),
        };
        confirmed.map_err(|fault| self.error(request, fault))?;
        Ok(answer)
    }

    /// The manifest of a tag or a digest, of one of these media types.
    pub(super) fn manifest(&mut self, name: &str, media_types: &str) -> Result<Vec<u8>, RegistryError> {
        let ask = Ask::new(Method::GET, self.url(&format!("manifests/{name}"))?).field(header::ACCEPT, media_types);
        let request = format!("GET {}", ask.url);
        let answer = self.ask(ask)?;
        match answer.status {
            200 => Ok(answer.body),
            _ => Err(self.error(Some(request), Fault::unwanted(&answer))),
        }
    }
}
