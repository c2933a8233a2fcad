//! `sectile show`: the metadata of a file.

use sectile::metadata::StreamReader;
use sectile_policy::report::Report;
use sectile_policy::{Policy, PolicyReader, Reading};

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
        Some(comparison) => SizedReading::or_empty(read_image(source, args, comparison))?,
        None => SizedReading::read(source, args.map, |input| input.read_by(reader(args)))?,
    };
    let report = Report::for_policy(source.name(), reading.size, &reading.outcome);
    let left_out = write_report(&report, args, output)?;
    Ok(reading.finish_bounded(source, left_out, output))
}

/// Reads what is shown.
fn reader(args: &ShowArgs) -> PolicyReader<StreamReader> {
    let mut policy = Policy::default();
    policy.packages = args.packages.unwrap_or_default();
    let reader = PolicyReader::stream(&policy);
    if args.interface { reader.with_interface(policy.limits) } else { reader }
}

/// Writes a report, and returns the number of rows that were left out.
fn write_report(report: &Report<'_>, args: &ShowArgs, output: &mut Output) -> Result<u64, Failure> {
    if args.report.json {
        return Ok(report.write_json(output.out())?);
    }
    text::write_metadata(report, args.packages.is_some(), output.layout(), output.out())?;
    Ok(0)
}

/// Reads the binary of an image. Annotations that differ from its metadata become findings.
fn read_image(
    source: &InputSource,
    args: &ShowArgs,
    comparison: ImageComparison,
) -> Result<SizedReading<Reading<'static>>, Failure> {
    match source.location() {
        InputLocation::RegistryImage(image) => read_registry_image(source, image, args, comparison),
        _ => read_layout_image(source, args, comparison),
    }
}

fn read_layout_image(
    source: &InputSource,
    args: &ShowArgs,
    comparison: ImageComparison,
) -> Result<SizedReading<Reading<'static>>, Failure> {
    let stored = input::open_layout_image(source)?;
    let mut outcome = reader(args).read_input(stored.input());
    if let Some(metadata) = outcome.value_mut().map(Reading::metadata_mut) {
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
    args: &ShowArgs,
    comparison: ImageComparison,
) -> Result<SizedReading<Reading<'static>>, Failure> {
    let mut input = RemoteInput::from_image(remote::open_image(image, source.platform())?)?;
    let mut outcome = input.collect(reader(args));
    if let Some(metadata) = outcome.value_mut().map(Reading::metadata_mut) {
        input.compare(metadata);
        if comparison.verify {
            input.verify(metadata)?;
        }
    }
    Ok(SizedReading::new(input.len(), outcome))
}
