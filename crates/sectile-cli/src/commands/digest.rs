//! `sectile digest`: the digests of a file and of its content without metadata.

use sectile::Limits;
use sectile_policy::report::DigestReport;

use crate::args::DigestArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::input;
use crate::output::Output;
use crate::reading::SizedReading;
use crate::source::InputSource;
use crate::text;

pub fn run(source: &InputSource, args: &DigestArgs, output: &mut Output) -> Result<Exit, Failure> {
    let opened = input::open_binary(source, args.map);
    let reading = opened.map(|input| SizedReading::new(input.len(), input.digests_with(Limits::default())));
    let reading = SizedReading::or_empty(reading)?;
    if args.report.json {
        DigestReport::new(source.name(), reading.size, &reading.outcome).write_json(output.out())?;
    } else if let (Some(size), Some(digests)) = (reading.size, reading.outcome.value()) {
        text::write_digests(source.name(), size, digests, output.layout(), output.out())?;
    }
    Ok(reading.finish(source, output))
}
