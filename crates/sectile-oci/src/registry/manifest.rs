//! Requests for manifests.

use ureq::http::{Method, header};

use super::blob_upload::check_digest;
use super::error::{RegistryError, RegistryFault};
use super::image::ACCEPTED_MEDIA_TYPES;
use super::session::{ApiRequest, RequestPayload, Session};
use super::transport::Response;
use crate::MAX_MANIFEST_SIZE;
use sectile::digest::Digest;

impl Session<'_> {
    /// Returns the digest of the manifest or index that a tag or a digest names, if there is one.
    pub(super) fn named_digest(&mut self, name: &str) -> Result<Option<Digest>, RegistryError> {
        let url = self.url(&format!("manifests/{name}"))?;
        let request = ApiRequest::new(Method::HEAD, url).with_field(header::ACCEPT, &ACCEPTED_MEDIA_TYPES.join(", "));
        let request_name = request.name();
        let response = self.send(request)?;
        match response.status {
            200 => match response.field("docker-content-digest").and_then(|digest| digest.parse().ok()) {
                Some(digest) => Ok(Some(digest)),
                None => match name.parse() {
                    Ok(digest) => Ok(Some(digest)),
                    Err(_) => Ok(Some(Digest::new(&self.document(name)?))),
                },
            },
            404 => Ok(None),
            _ => Err(self.error(Some(request_name), RegistryFault::unexpected_status(&response))),
        }
    }

    /// Rejects a manifest that registries would accept but not return.
    pub(super) fn check_manifest_size(&self, manifest: &[u8]) -> Result<(), RegistryError> {
        let len = manifest.len();
        if len as u64 > MAX_MANIFEST_SIZE { Err(self.error(None, RegistryFault::ManifestSize(len))) } else { Ok(()) }
    }

    /// Sends a manifest under a tag or its digest.
    pub(super) fn put_manifest(
        &mut self,
        name: &str,
        digest: Digest,
        media_type: &str,
        manifest: &[u8],
    ) -> Result<Response, RegistryError> {
        let url = self.url(&format!("manifests/{name}"))?;
        let request_name = format!("PUT {url}");
        self.check_manifest_size(manifest)?;
        let mut ignore = |_| {};
        let payload = RequestPayload { source: &manifest, range: 0..manifest.len() as u64, progress: &mut ignore };
        let request =
            ApiRequest::new(Method::PUT, url).with_field(header::CONTENT_TYPE, media_type).with_payload(payload);
        let response = self.send(request)?;
        let checked = match response.status {
            200..=202 | 204 => check_digest(&response, digest),
            _ => Err(RegistryFault::unexpected_status(&response)),
        };
        checked.map_err(|fault| self.error(Some(request_name), fault))?;
        Ok(response)
    }

    /// Returns the manifest with a tag or a digest, if it has one of these media types.
    pub(super) fn manifest(&mut self, name: &str, media_types: &str) -> Result<Vec<u8>, RegistryError> {
        self.manifest_response(name, media_types).map(|response| response.body)
    }

    /// Returns the response with the manifest, which declares its media type.
    pub(super) fn manifest_response(&mut self, name: &str, media_types: &str) -> Result<Response, RegistryError> {
        let url = self.url(&format!("manifests/{name}"))?;
        let request = ApiRequest::new(Method::GET, url).with_field(header::ACCEPT, media_types);
        let request_name = request.name();
        let response = self.send(request)?;
        match response.status {
            200 => Ok(response),
            _ => Err(self.error(Some(request_name), RegistryFault::unexpected_status(&response))),
        }
    }
}
