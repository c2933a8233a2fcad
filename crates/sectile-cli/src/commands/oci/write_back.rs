//! Edited binaries that are written as images.

use sectile::Input;
use sectile::splice::{Plan, WriteOptions};
use sectile_oci::registry::Scheme;
use sectile_oci::{Image, Layout, RefName, Selector};

use super::options::image_options;
use crate::args::ImageArgs;
use crate::failure::Failure;
use crate::image_name::ImageName;
use crate::registry;
use crate::source::InputSource;

/// Writes the result of an edit as an image, with its metadata as annotations. Returns the name of
/// the image with its digest.
pub fn write_back(
    target: &ImageName,
    source: &InputSource,
    input: &Input,
    plan: &Plan,
    options: WriteOptions,
) -> Result<String, Failure> {
    let image_options = image_options(&ImageArgs::unedited(source.clone()))?;
    match target {
        ImageName::Registry(reference) => {
            let image = Image::new(input, plan, &image_options)?;
            let pushed = registry::client(Scheme::Auto)?.push(reference, &image, plan, input, &mut |_, _| {})?;
            Ok(pushed.reference().to_string())
        }
        ImageName::Layout(locator) => {
            let name: Option<RefName> = match locator.selector() {
                Selector::Name(name) => Some(name.parse()?),
                Selector::Only => None,
                _ => return Err(Failure::Other("a new image has another digest: give it a name, oci:DIR:NAME".into())),
            };
            let layout = Layout::open_or_create(locator.directory(), options)?;
            let added = layout.add(input, plan, name.as_ref(), &image_options)?;
            Ok(format!("oci:{}@{}", locator.directory().display(), added.image().descriptor().digest()))
        }
    }
}
