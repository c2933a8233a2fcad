//! `sectile show`: the metadata of a file.

use sectile::interface::Interface;
use sectile::{Limits, Metadata};
use sectile_policy::report::Report;

use crate::args::{ImageComparison, ShowArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::input;
use crate::output::Output;
use crate::reading::SizedReading;
use crate::remote::{self, RemoteInput};
use crate::source::{InputLocation, InputSource};
use crate::text;

pub fn run(source: &InputSource, args: &ShowArgs, output: &mut Output) -> Result<Exit, Failure> {
    let reading = match args.image {
        Some(comparison) => SizedReading::or_empty(read_image(source, comparison))?,
        None if args.interface => {
            SizedReading::read(source, args.map, |input| input.read_with_interface(Limits::default()))?
        }
        None => {
            let reading = SizedReading::read(source, args.map, |input| input.read_with(Limits::default()))?;
            return show_metadata(source, reading, args, output);
        }
    };
    if !args.interface {
        return show_metadata(source, reading.map(|(metadata, _)| metadata), args, output);
    }
    let report = Report::with_interface(source.name(), reading.size, &reading.outcome);
    let left_out = write_report(&report, args, output)?;
    Ok(reading.finish_bounded(source, left_out, output))
}

type InterfaceReading = SizedReading<(Metadata<'static>, Interface)>;

fn show_metadata(
    source: &InputSource,
    reading: SizedReading<Metadata<'static>>,
    args: &ShowArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let left_out = write_report(&Report::new(source.name(), reading.size, &reading.outcome), args, output)?;
    Ok(reading.finish_bounded(source, left_out, output))
}

/// Writes a report, and returns the number of rows that were left out.
fn write_report(report: &Report<'_>, args: &ShowArgs, output: &mut Output) -> Result<u64, Failure> {
    if args.report.json {
        return Ok(report.write_json(output.out())?);
    }
    text::write_metadata(report, args.packages, output.layout(), output.out())?;
    Ok(0)
}

/// Reads the binary of an image. Annotations that differ from its metadata become findings.
fn read_image(source: &InputSource, comparison: ImageComparison) -> Result<InterfaceReading, Failure> {
    match source.location() {
        InputLocation::RegistryImage(image) => read_registry_image(source, image, comparison),
        _ => read_layout_image(source, comparison),
    }
}

fn read_layout_image(source: &InputSource, comparison: ImageComparison) -> Result<InterfaceReading, Failure> {
    let stored = input::open_layout_image(source)?;
    let mut outcome = stored.input().read_with_interface(Limits::default());
    if let Some((metadata, _)) = outcome.value_mut() {
        stored.compare(metadata);
        if comparison.verify {
            stored.verify(metadata)?;
        }
    }
    Ok(SizedReading::new(stored.input().len(), outcome))
}

fn read_registry_image(
    source: &InputSource,
    image: &str,
    comparison: ImageComparison,
) -> Result<InterfaceReading, Failure> {
    let mut input = RemoteInput::from_image(remote::open_image(image, source.platform())?)?;
    let mut outcome = input.read_with_interface(Limits::default());
    if let Some((metadata, _)) = outcome.value_mut() {
        input.compare(metadata);
        if comparison.verify {
            input.verify(metadata)?;
        }
    }
    Ok(SizedReading::new(input.len(), outcome))
}
