//! The commands that edit a file, and `sectile recover`.

mod missing;
mod sink;

use std::io::{self, ErrorKind, Write};

use sectile::Input;
use sectile::edit::EditPlan;
use sectile::splice::{self, Recovered, WriteError};
use sectile_policy::diff::{Comparison, compare_edit};
use sectile_policy::report::EditReport;

use self::missing::Missing;
use self::sink::EditSink;
use super::each_source;
use crate::args::{EditArgs, EditOperation, MetadataArgs, RecoverArgs};
use crate::build_edit::{build_edit, read_section_data};
use crate::display::escaped;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::input;
use crate::output::Output;
use crate::source::InputSource;
use crate::text;

const WRITTEN: &str = "the file is written";
const PUSHED: &str = "the image is written";

/// Runs one of the editing commands on each FILE.
pub fn run(args: &EditArgs, output: &mut Output) -> Result<Exit, Failure> {
    let section_data = read_section_data(args)?;
    each_source(&args.sources, output, |source, output| {
        let edited = SourceEdit { args, source, section_data: section_data.as_deref() }.run(output);
        match edited {
            // If the reader closed the pipe, its reports are lost, but the other files are still
            // edited.
            Err(Failure::Output(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(Exit::Done),
            edited => edited,
        }
    })
}

/// The result of an edit.
#[derive(Clone, Copy)]
struct WrittenEdit<'a> {
    is_written: bool,
    /// The image that was written, with its digest.
    image: Option<&'a str>,
    /// Whether the binary is on standard output.
    is_stdout: bool,
}

/// The edit of one FILE.
struct SourceEdit<'a> {
    args: &'a EditArgs,
    source: &'a InputSource,
    section_data: Option<&'a [u8]>,
}

impl SourceEdit<'_> {
    fn run(&self, output: &mut Output) -> Result<Exit, Failure> {
        let Self { args, source, .. } = self;
        let sink = EditSink::new(args, source)?;
        sink.check_other_inputs(args)?;
        let input = input::open_local(source, false)?;
        input::check_not_torn(source)?;
        let (planned, notes) = self.plan(&input).map_err(|failure| match input::check_not_torn(source) {
            // Another process started to write to the file in the meantime, which explains the
            // failure.
            Err(torn) => torn,
            Ok(()) if input.changed().unwrap_or(false) => WriteError::Changed.into(),
            Ok(()) => failure,
        })?;
        // An edit in place overwrites the input.
        let comparison = self.is_reported(&sink, output).then(|| compare_edit(&planned, &input)).transpose()?;
        let image = sink.write(&planned, source, &input, args.write, output)?;
        let is_written = sink.is_written(planned.plan());
        self.print_files(&sink, is_written, output);
        for note in &notes {
            output.print_note(Some(source), note);
        }
        let missing = Missing::new(args, &planned);
        missing.print(source, output);
        let written = WrittenEdit { is_written, image: image.as_deref(), is_stdout: sink.is_stdout() };
        let reported = self.write_report(&planned, comparison.as_ref(), written, output);
        if is_written && !sink.is_stdout() {
            output.flush_report(if image.is_some() { PUSHED } else { WRITTEN }, reported)?;
        } else {
            reported.and_then(|()| output.flush())?;
        }
        Ok(missing.exit())
    }

    /// Prints the files that are read and written, if the command is verbose.
    fn print_files(&self, sink: &EditSink, is_written: bool, output: &mut Output) {
        if let EditOperation::Set(MetadataArgs { manifest: Some(manifest), .. }) = &self.args.operation {
            output.print_detail(Some(self.source), &format_args!("read {}", escaped(manifest.as_os_str())));
        }
        if let Some(path) = sink.path().filter(|_| is_written) {
            output.print_detail(Some(self.source), &format_args!("wrote {}", escaped(path)));
        }
    }

    fn plan(&self, input: &Input) -> Result<(EditPlan, Vec<String>), Failure> {
        let (edit, notes) = build_edit(self.args, self.source, self.section_data, input)?;
        let edit = if self.args.write.force { edit.force() } else { edit };
        Ok((edit.plan_input(input)?, notes))
    }

    /// Whether the differences are reported.
    fn is_reported(&self, sink: &EditSink, output: &Output) -> bool {
        self.args.report.json || !sink.is_stdout() && (self.args.dry_run || output.shows_success())
    }

    /// Reports the edit; on standard error if the result is on standard output.
    fn write_report(
        &self,
        planned: &EditPlan,
        comparison: Option<&Comparison>,
        written: WrittenEdit<'_>,
        output: &mut Output,
    ) -> Result<(), Failure> {
        let (args, name) = (self.args, self.source.name());
        let WrittenEdit { is_written, image, is_stdout } = written;
        for finding in planned.findings() {
            output.print_finding(self.source, finding);
        }
        let report = EditReport::new(name, planned, is_written).with_comparison(comparison).with_image(image);
        match (args.report.json, is_stdout, comparison) {
            (true, false, _) => report.write_json(output.out())?,
            (true, true, _) => {
                let mut line = Vec::new();
                report.write_json(&mut line)?;
                _ = io::stderr().lock().write_all(&line);
            }
            (false, _, Some(comparison)) => {
                text::write_edit(name, planned.plan(), comparison, is_written, output.out())?;
                if let Some(image) = image {
                    writeln!(output.out(), "{}", escaped(image.as_ref()))?;
                }
            }
            (false, _, None) => {}
        }
        Ok(())
    }
}

/// `sectile recover`.
pub fn recover(args: &RecoverArgs, output: &mut Output) -> Result<Exit, Failure> {
    let file = args.source.argument();
    if args.source.is_stdin() {
        return Err(Failure::Other("standard input cannot be recovered: give the file".to_owned()));
    }
    let outcome = match splice::recover(file, args.write)? {
        Recovered::NotBegun => "the edit had not begun; the file is the old one",
        Recovered::Undone => "the edit is undone; the file is the old one",
        Recovered::Finished => "the edit was complete; the file is the new one",
        _ => "recovered",
    };
    if output.shows_success() {
        let reported = writeln!(output.out(), "{}: {outcome}", escaped(file)).map_err(Failure::Output);
        output.flush_report(WRITTEN, reported)?;
    }
    Ok(Exit::Done)
}
