//! Pushing an image, with its layer streamed from the input.

use std::io::{self, Read};

use super::client::Client;
use super::error::{RegistryError, RegistryFault};
use super::manifest_upload::{ManifestUpload, PushedImage};
use super::reference::Reference;
use super::session::{Access, BlobSource, Session};
use crate::binary_layer::BinaryLayer;
use crate::{Image, WrittenShape};
use sectile::Input;
use sectile::splice::Plan;

/// The layer with the binary.
struct LayerBlob<'a> {
    content: BinaryLayer<'a>,
    size: u64,
}

impl BlobSource for LayerBlob<'_> {
    fn len(&self) -> u64 {
        self.size
    }

    fn read_from(&self, offset: u64) -> io::Result<Box<dyn Read + '_>> {
        self.content.read_from(offset)
    }

    fn is_changed(&self) -> io::Result<bool> {
        self.content.input.changed()
    }
}

impl Client {
    /// Pushes an image whose layer is made of the result of `plan` for `input`.
    ///
    /// The layer is streamed through one buffer. Blobs that the registry already has are not sent.
    /// `progress` is called repeatedly with the number of blob bytes that are done, and the total.
    ///
    /// # Errors
    ///
    /// The registry rejected the image or cannot be reached, or the input changed since the image
    /// was created.
    pub fn push(
        &self,
        reference: &Reference,
        image: &Image,
        plan: &Plan,
        input: &Input,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<PushedImage, RegistryError> {
        self.with_upload(reference, image, plan, input, |mut session, upload| session.put(upload, progress))
    }

    /// Returns the result that [`push`](Self::push) would have. Nothing is sent, but the registry is
    /// asked for the rights of a push.
    ///
    /// # Errors
    ///
    /// The registry denies access or cannot be reached, or the input changed since the image was
    /// created.
    pub fn preview_push(
        &self,
        reference: &Reference,
        image: &Image,
        plan: &Plan,
        input: &Input,
    ) -> Result<PushedImage, RegistryError> {
        self.with_upload(reference, image, plan, input, |mut session, upload| session.preview(upload))
    }

    fn with_upload(
        &self,
        reference: &Reference,
        image: &Image,
        plan: &Plan,
        input: &Input,
        run: impl FnOnce(Session<'_>, &ManifestUpload<'_>) -> Result<PushedImage, RegistryError>,
    ) -> Result<PushedImage, RegistryError> {
        let session = Session::new(self, reference, Access::Push)?;
        let is_other_size = image.shape() != WrittenShape::Compat && plan.len() != image.layer().size();
        if !sectile::internal::is_plan_for(plan, input) || is_other_size {
            return Err(session.error(None, RegistryFault::Changed));
        }
        let layer =
            LayerBlob { content: BinaryLayer { shape: image.shape(), input, plan }, size: image.layer().size() };
        let upload = ManifestUpload {
            manifest: image.manifest(),
            digest: image.descriptor().digest(),
            blobs: [(image.config_descriptor().digest(), &image.config()), (image.layer().digest(), &layer)],
        };
        run(session, &upload)
    }
}
