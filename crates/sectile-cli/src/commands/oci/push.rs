//! `sectile oci push`. The file itself is not changed.

use std::io::Write;

use sectile_oci::registry::{Artifact, AttachedArtifact, Client, PushedImage};
use sectile_oci::{Image, PushReport};
use sectile_sbom::{Sbom, SbomFormat};

use super::binary::EditedBinary;
use super::options::image_options;
use super::progress::PercentLine;
use crate::args::PushArgs;
use crate::commands::sbom;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::registry;
use crate::source::InputSource;
use crate::text;
use crate::timestamp;

/// The format of the attached document.
const SBOM_FORMAT: SbomFormat = SbomFormat::CycloneDx16;

pub fn run(args: &PushArgs, output: &mut Output) -> Result<Exit, Failure> {
    let source = &args.image.binary.source;
    let binary = EditedBinary::open(&args.image.binary, output)?;
    let image = Image::new(&binary.input, &binary.plan, &image_options(&args.image)?)?;
    let sbom = args.registry.sbom.then(|| build_sbom(args, &binary, output)).transpose()?;

    let client = registry::client(args.registry.scheme)?;
    if args.registry.dry_run {
        let preview = client.preview_push(&args.registry.reference, &image, &binary.plan, &binary.input)?;
        let report = PushReport::preview(source.name(), &image, &preview);
        if args.registry.report.json {
            report.write_json(output.out())?;
        } else {
            text::write_push_preview(&report, output.layout(), output.out())?;
        }
        return Ok(sbom.map_or(Exit::Done, |(_, exit)| exit));
    }
    let mut line = PercentLine::new("pushing", args.registry.no_progress);
    let mut on_progress = |sent, total| line.update(sent, total);
    let pushed = client.push(&args.registry.reference, &image, &binary.plan, &binary.input, &mut on_progress)?;
    drop(line);
    if let (Some(tag), Some(previous)) = (args.registry.reference.tag(), pushed.moved_from()) {
        output.print_note(None, &format_args!("moved {tag} from {previous}"));
    }
    let (sbom, exit) = sbom.map_or((None, Exit::Done), |(sbom, exit)| (Some(sbom), exit));
    let attached = sbom.map(|sbom| attach(&client, &pushed, &sbom, source)).transpose()?;

    let reported = if args.registry.report.json {
        PushReport::new(source.name(), &image, &pushed, attached.as_ref()).write_json(output.out())
    } else {
        writeln!(output.out(), "{}", pushed.reference())
    };
    output.flush_report("the image is pushed", reported.map_err(Failure::Output))?;
    Ok(exit)
}

/// The SBOM of the image's binary. Prints diagnostics about missing parts.
fn build_sbom(args: &PushArgs, binary: &EditedBinary, output: &mut Output) -> Result<(Vec<u8>, Exit), Failure> {
    let (source, plan) = (&args.image.binary.source, &binary.plan);
    let (name, created) = (source.file_name(), timestamp::created(args.image.annotations.created.as_deref())?);
    let metadata = sectile::read_at(&plan.reader(&binary.input), plan.len())?;
    let mut bytes = Vec::new();
    let sbom = sbom::describe(Sbom::from_metadata(&metadata), name.as_deref(), created.as_deref())?;
    sbom.write(SBOM_FORMAT, &mut bytes)?;
    Ok((bytes, sbom::print_gaps(source, &sbom, true, output)))
}

/// Pushes the SBOM as an artifact that refers to the image.
fn attach(
    client: &Client,
    pushed: &PushedImage,
    sbom: &[u8],
    source: &InputSource,
) -> Result<AttachedArtifact, Failure> {
    let title = source.file_name().map(|name| format!("{name}.cdx.json"));
    let artifact = Artifact::new(SBOM_FORMAT.media_type(), sbom).with_title(title.as_deref());
    client.attach(pushed, &artifact).map_err(|error| Failure::Sbom(pushed.reference().to_string(), error))
}
