//! Destinations of an edited binary.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::path::Path;

use sectile::Input;
use sectile::edit::EditPlan;
use sectile::internal::fingerprint::FileFingerprint;
use sectile::splice::{Plan, WriteError, WriteOptions};

use crate::args::{EditArgs, EditOperation, PutArgs, PutData};
use crate::commands::oci;
use crate::failure::Failure;
use crate::image_name::ImageName;
use crate::output::{self, Output};
use crate::source::InputSource;

/// The destination of an edited binary.
pub enum EditSink {
    /// None: a dry run.
    Nowhere,
    /// The input file, replaced.
    Replace(OsString),
    /// The input file, overwritten where it differs.
    InPlace(OsString),
    /// Another file.
    File(OsString),
    /// An image, in a registry or a layout.
    Image(ImageName),
    Stdout,
}

impl EditSink {
    pub fn new(args: &EditArgs, source: &InputSource) -> Result<Self, Failure> {
        if args.dry_run {
            return Ok(Self::Nowhere);
        }
        if let Some(image) = &args.to {
            return Ok(Self::Image(image.clone()));
        }
        match &args.output {
            Some(_) if args.is_to_stdout() => output::refuse_terminal().map(|()| Self::Stdout),
            Some(output) => Ok(Self::File(output.clone())),
            None if source.is_stdin() => {
                Err(Failure::Other("standard input cannot be changed: name the result with -o".to_owned()))
            }
            None if source.is_image() => Err(Failure::Other(
                "the layer of an image is named by its digest and cannot be changed: write another image with --to \
                 IMAGE, or a file with -o"
                    .to_owned(),
            )),
            None if args.in_place => Ok(Self::InPlace(source.argument().to_owned())),
            None => Ok(Self::Replace(source.argument().to_owned())),
        }
    }

    /// Rejects an output that is also another input: a manifest, or the data of a section.
    pub fn check_other_inputs(&self, args: &EditArgs) -> Result<(), Failure> {
        let Self::File(output) = self else { return Ok(()) };
        let input = match &args.operation {
            EditOperation::Set(metadata) => metadata.manifest.as_deref(),
            EditOperation::Put(PutArgs { data: PutData::File(path), .. }) if path.as_os_str() != "-" => Some(&**path),
            _ => None,
        };
        let id = |path: &Path| path.metadata().ok().and_then(|metadata| FileFingerprint::new(&metadata).file);
        match input.and_then(id) {
            Some(file) if id(Path::new(output)) == Some(file) => {
                Err(Failure::Write(WriteError::AmongInputs, Some(output.clone())))
            }
            _ => Ok(()),
        }
    }

    /// Writes the edited binary. Returns the name of the image that is written, if any.
    pub fn write(
        &self,
        planned: &EditPlan,
        source: &InputSource,
        input: &Input,
        options: WriteOptions,
        output: &mut Output,
    ) -> Result<Option<String>, Failure> {
        let plan = planned.plan();
        match self {
            Self::Nowhere => {}
            Self::Replace(path) => plan.replace(path, options)?,
            Self::InPlace(path) => plan.write_in_place(path, options)?,
            Self::File(path) => plan.write_file(input, path, options).map_err(|error| {
                let is_of_input = matches!(error, WriteError::Changed | WriteError::OtherSource);
                Failure::Write(error, Some(path.clone()).filter(|_| !is_of_input))
            })?,
            Self::Image(image) => return oci::write_back(image, source, input, plan, options).map(Some),
            Self::Stdout => write_to_stdout(plan, input, output)?,
        }
        Ok(None)
    }

    /// Whether a file or standard output was written.
    pub fn is_written(&self, plan: &Plan) -> bool {
        match self {
            Self::Nowhere => false,
            Self::Replace(_) | Self::InPlace(_) => !plan.is_identity(),
            Self::File(_) | Self::Image(_) | Self::Stdout => true,
        }
    }

    /// The file that is written, if any.
    pub fn path(&self) -> Option<&OsStr> {
        match self {
            Self::Replace(path) | Self::InPlace(path) | Self::File(path) => Some(path),
            Self::Nowhere | Self::Image(_) | Self::Stdout => None,
        }
    }

    /// Whether the result is on standard output.
    pub fn is_stdout(&self) -> bool {
        matches!(self, Self::Stdout)
    }
}

/// Writes to standard output. A broken pipe is a failure, because a partial binary is useless.
fn write_to_stdout(plan: &Plan, input: &Input, output: &mut Output) -> Result<(), Failure> {
    let mut out = WriteMonitor { out: output.out(), has_failed: false };
    let written = plan.write_to(input, &mut out).and_then(|()| out.flush());
    if let Err(error) = written {
        let has_failed = out.has_failed;
        return Err(if has_failed {
            Failure::BinaryOutput(error)
        } else {
            Failure::Other(format!("it cannot be read: {error}"))
        });
    }
    match input.changed() {
        Ok(false) => Ok(()),
        Ok(true) => Err(WriteError::Changed.into()),
        Err(error) => Err(WriteError::Open(error).into()),
    }
}

/// Distinguishes failures of the writer from failures of the reader.
struct WriteMonitor<W> {
    out: W,
    has_failed: bool,
}

impl<W: Write> Write for WriteMonitor<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes);
        self.has_failed |= written.is_err();
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.out.flush();
        self.has_failed |= flushed.is_err();
        flushed
    }
}
