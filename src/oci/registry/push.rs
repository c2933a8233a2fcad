//! An image, streamed out of the file that it is made of.

use std::io::{self, Read, Seek, SeekFrom};

use super::client::Client;
use super::error::{Fault, RegistryError};
use super::package::{Package, Pushed};
use super::reference::Reference;
use super::session::{Access, Session, Source};
use crate::oci::Image;
use crate::splice::Plan;
use crate::store::Input;

/// What a plan makes of a file.
struct Spliced<'a> {
    plan: &'a Plan,
    input: &'a Input,
}

impl Source for Spliced<'_> {
    fn len(&self) -> u64 {
        self.plan.len()
    }

    fn from(&self, offset: u64) -> io::Result<Box<dyn Read + '_>> {
        let mut reader = self.plan.reader(self.input);
        reader.seek(SeekFrom::Start(offset))?;
        Ok(Box::new(reader))
    }

    fn is_changed(&self) -> io::Result<bool> {
        self.input.changed()
    }
}

impl Client {
    /// Pushes an image whose layer is what a plan makes of the input that it was made for. The layer is streamed: no more
    /// of it than a buffer is ever in memory. What the registry has already is not sent. `progress` is told again and again
    /// how many bytes of blobs are done with, and of how many.
    ///
    /// # Errors
    ///
    /// The registry does not have it, and why; or the input was changed since the image was made.
    pub fn push(
        &self,
        reference: &Reference,
        image: &Image,
        plan: &Plan,
        input: &Input,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Pushed, RegistryError> {
        let mut session = Session::new(self, reference, Access::Push)?;
        if !plan.is_for(input) || plan.len() != image.layer().size {
            return Err(session.error(None, Fault::Changed));
        }
        let spliced = Spliced { plan, input };
        let package = Package {
            manifest: image.manifest(),
            digest: image.descriptor().digest,
            blobs: [(image.config_descriptor().digest, &image.config()), (image.layer().digest, &spliced)],
        };
        session.put(&package, progress)
    }
}
