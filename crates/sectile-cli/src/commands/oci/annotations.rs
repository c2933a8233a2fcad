//! `sectile oci annotations`.

use super::binary::EditedBinary;
use super::options::annotation_options;
use crate::args::AnnotationsArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

pub fn run(args: &AnnotationsArgs, output: &mut Output) -> Result<Exit, Failure> {
    let EditedBinary { input, plan } = EditedBinary::open(&args.binary, output)?;
    let options = annotation_options(&args.annotations, args.binary.metadata.allow_invalid)?;
    let metadata = sectile::read_at(&plan.reader(&input), plan.len())?;
    let annotations = sectile_oci::annotations(metadata.root(), &options)?;
    sectile_oci::write_annotations_json(&annotations, output.out())?;
    Ok(Exit::Done)
}
