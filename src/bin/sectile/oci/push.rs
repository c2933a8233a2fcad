//! `sectile oci push`: a file becomes an image of a registry, and nothing becomes of the file.

use std::ffi::{OsStr, OsString};
use std::io::Write;

use clap::ArgMatches;
use sectile::Limits;
use sectile::oci::Image;
use sectile::oci::registry::{Artifact, Attached, Client, ClientOptions, Credentials, Pushed, Reference, Scheme};
use sectile::report::PushReport;
use sectile::sbom::{MEDIA_TYPE, Sbom};

use super::progress::Progress;
use super::{Source, image_options};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::{created, sbom};

pub fn run(file: &OsString, matches: &ArgMatches, output: &mut Output) -> Result<Exit, Failure> {
    let reference = matches.get_one::<Reference>("REFERENCE").expect("clap asks for a reference");
    let source = Source::open(file, matches, output)?;
    let image = Image::of(&source.input, &source.plan, &image_options(matches)?, Limits::default())?;
    let sbom = matches.get_flag("sbom").then(|| sbom_of(file, matches, &source, output)).transpose()?;

    let client = Client::new(Credentials::of_user(), options(matches));
    let mut progress = Progress::new("pushing");
    let pushed = client.push(reference, &image, &source.plan, &source.input, &mut |sent, of| progress.at(sent, of))?;
    drop(progress);
    let (sbom, exit) = sbom.map_or((None, Exit::Done), |(sbom, exit)| (Some(sbom), exit));
    let attached = sbom.map(|sbom| attach(&client, &pushed, &sbom, file)).transpose()?;

    let said = if matches.get_flag("json") {
        PushReport::new(file, &image, &pushed, attached.as_ref()).write_json(output.out())
    } else {
        writeln!(output.out(), "{}", pushed.reference)
    };
    output.told("the image is pushed", said.map_err(Failure::Output))?;
    Ok(exit)
}

fn options(matches: &ArgMatches) -> ClientOptions {
    let scheme = match (matches.get_flag("plain-http"), matches.get_flag("https")) {
        (true, _) => Scheme::Http,
        (_, true) => Scheme::Https,
        _ => Scheme::Auto,
    };
    ClientOptions { scheme, ..Default::default() }
}

/// The SBOM of what is pushed. What it lacks is said.
fn sbom_of(
    file: &OsString,
    matches: &ArgMatches,
    Source { input, plan }: &Source,
    output: &mut Output,
) -> Result<(Vec<u8>, Exit), Failure> {
    let (name, created) = (sbom::file_name(file), created::given(matches)?);
    let metadata = sectile::read_at(&plan.reader(input), plan.len(), Limits::default())?.complete()?;
    let mut bytes = Vec::new();
    let sbom = sbom::described(Sbom::new(&metadata), name.as_deref(), created.as_deref())?;
    sbom.write_json(&mut bytes)?;
    Ok((bytes, sbom::say_lacking(file, &sbom, true, output)))
}

/// Pushes the SBOM beside what was pushed.
fn attach(client: &Client, pushed: &Pushed, sbom: &[u8], file: &OsStr) -> Result<Attached, Failure> {
    let title = sbom::file_name(file).map(|name| format!("{name}.cdx.json"));
    let artifact = Artifact::new(MEDIA_TYPE, sbom).titled(title.as_deref());
    client.attach(pushed, &artifact).map_err(|error| Failure::Sbom(pushed.reference.to_string(), error))
}
