//! Options of an image and of its annotations.

use sectile::{Escaped, Field};
use sectile_oci::{AnnotationOptions, ImageOptions};

use crate::args::{AnnotationArgs, ImageArgs};
use crate::failure::Failure;
use crate::timestamp;

pub fn image_options(args: &ImageArgs) -> Result<ImageOptions, Failure> {
    Ok(ImageOptions {
        annotations: annotation_options(&args.annotations, args.binary.metadata.allow_invalid)?,
        shape: args.shape,
        author: args.author.clone(),
        os: args.os.clone(),
        target: args.target.clone(),
        file_name: args.file_name.clone(),
        ..ImageOptions::default()
    })
}

pub fn annotation_options(args: &AnnotationArgs, allow_invalid: bool) -> Result<AnnotationOptions, Failure> {
    let mut options = AnnotationOptions::new();
    let mut is_dated = false;
    for annotation in &args.annotations {
        let Some((key, value)) = annotation.split_once('=') else {
            let annotation = Escaped::new(annotation);
            return Err(Failure::Other(format!("--annotation needs KEY=VALUE, not `{annotation}`")));
        };
        is_dated |= key == Field::Created.oci_key();
        options = options.with_annotation(key, value)?;
    }
    // SOURCE_DATE_EPOCH is only a default; `--created` overrides `--annotation`.
    let created = timestamp::created(args.created.as_deref())?;
    if let Some(created) = created.filter(|_| args.created.is_some() || !is_dated) {
        options = options.with_annotation(Field::Created.oci_key(), created)?;
    }
    options = options.with_duplicates(args.duplicates);
    Ok(options.with_allow_invalid(allow_invalid))
}
