//! Pushing an image, with its layer streamed from the input.

use std::io::{self, Read, Seek, SeekFrom};

use super::client::Client;
use super::error::{RegistryError, RegistryFault};
use super::manifest_upload::{ManifestUpload, PushedImage};
use super::reference::Reference;
use super::session::{Access, BlobSource, Session};
use crate::Image;
use sectile::Input;
use sectile::splice::Plan;

/// The result of a plan for an input.
struct SplicedLayer<'a> {
    plan: &'a Plan,
    input: &'a Input,
}

impl BlobSource for SplicedLayer<'_> {
    fn len(&self) -> u64 {
        self.plan.len()
    }

    fn read_from(&self, offset: u64) -> io::Result<Box<dyn Read + '_>> {
        let mut reader = self.plan.reader(self.input);
        reader.seek(SeekFrom::Start(offset))?;
        Ok(Box::new(reader))
    }

    fn is_changed(&self) -> io::Result<bool> {
        self.input.changed()
    }
}

impl Client {
    /// Pushes an image whose layer is the result of `plan` for `input`.
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
        let mut session = Session::new(self, reference, Access::Push)?;
        if !sectile::internal::is_plan_for(plan, input) || plan.len() != image.layer().size() {
            return Err(session.error(None, RegistryFault::Changed));
        }
        let layer = SplicedLayer { plan, input };
        let upload = ManifestUpload {
            manifest: image.manifest(),
            digest: image.descriptor().digest(),
            blobs: [(image.config_descriptor().digest(), &image.config()), (image.layer().digest(), &layer)],
        };
        session.put(&upload, progress)
    }
}
