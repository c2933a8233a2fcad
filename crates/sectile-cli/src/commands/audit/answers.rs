//! The outputs of an audit: standard output, and files that are replaced after all output is
//! written.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};

use anstream::StripStream;
use sectile::splice::{WriteError, WriteOptions};
use sectile_audit::{AuditOutcome, FormatWriter, ReportFile, ReportWriter};
use sectile_policy::diff::ReportError;

use crate::args::{AuditFormat, FormatOutput, OutputPlace};
use crate::failure::Failure;
use crate::output::{Output, refuse_terminal};
use crate::text::{self, Layout};

/// The outputs, resolved before any input is read.
pub struct Answers(Vec<Answer>);

struct Answer {
    format: AuditFormat,
    /// `None` for standard output.
    file: Option<(OsString, ReportFile)>,
}

impl Answers {
    /// Resolves the files. None of them may be an input.
    pub fn open(
        outputs: &[FormatOutput<AuditFormat>],
        options: WriteOptions,
        check: impl Fn(&ReportFile) -> Result<(), WriteError>,
    ) -> Result<Self, Failure> {
        let open = |path: &OsString| -> Result<(OsString, ReportFile), Failure> {
            let report = ReportFile::open(path, options).and_then(|report| check(&report).map(|()| report));
            Ok((path.clone(), report.map_err(|error| cannot_write(path, error))?))
        };
        let answer = |output: &FormatOutput<AuditFormat>| {
            let file = match &output.place {
                OutputPlace::Stdout if output.format.is_binary() => refuse_terminal().map(|()| None)?,
                OutputPlace::Stdout => None,
                OutputPlace::File(path) => Some(open(path)?),
            };
            Ok(Answer { format: output.format, file })
        };
        Ok(Self(outputs.iter().map(answer).collect::<Result<_, Failure>>()?))
    }

    pub fn files(&self) -> impl Iterator<Item = &ReportFile> {
        self.0.iter().filter_map(|answer| Some(&answer.file.as_ref()?.1))
    }

    /// Writes all outputs: `run` writes the rows, and its outcome yields the summaries.
    pub fn write(
        self,
        output: &mut Output,
        run: impl FnOnce(&mut [FormatWriter<'_>]) -> io::Result<AuditOutcome>,
    ) -> Result<AuditOutcome, Failure> {
        let mut writers = Vec::with_capacity(self.0.len());
        for Answer { format, file } in self.0 {
            let file = match file {
                None => None,
                Some((path, report)) => {
                    let writer = report.create().map_err(|error| cannot_write(&path, error))?;
                    Some((path, writer))
                }
            };
            writers.push(AnswerWriter { format, file });
        }
        let outcome = match write_rows(&mut writers, output, run) {
            Ok(outcome) => outcome,
            Err(error) => return Err(failure(error, &writers)),
        };
        for AnswerWriter { format, file } in &mut writers {
            if *format == AuditFormat::Table {
                match file {
                    None => text::write_summary(&outcome, output.layout(), output.out())?,
                    Some((path, writer)) => {
                        let mut uncolored = StripStream::new(Vec::new());
                        text::write_summary(&outcome, Layout::for_file(), &mut uncolored)?;
                        let written = writer.write_all(&uncolored.into_inner());
                        written.map_err(|error| cannot_write(path, WriteError::Write(error)))?;
                    }
                }
            }
        }
        for AnswerWriter { file, .. } in writers {
            let Some((path, writer)) = file else { continue };
            writer.finish().map_err(|error| cannot_write(&path, error))?;
        }
        Ok(outcome)
    }
}

struct AnswerWriter {
    format: AuditFormat,
    file: Option<(OsString, ReportWriter)>,
}

fn write_rows(
    writers: &mut [AnswerWriter],
    output: &mut Output,
    run: impl FnOnce(&mut [FormatWriter<'_>]) -> io::Result<AuditOutcome>,
) -> io::Result<AuditOutcome> {
    let mut stdout = Some(output.out());
    let mut formats = Vec::with_capacity(writers.len());
    for AnswerWriter { format, file } in writers {
        let AuditFormat::Rows(format) = *format else { continue };
        match file {
            Some((_, writer)) => formats.push(FormatWriter::new(format, writer)),
            None => formats.extend(stdout.take().map(|out| FormatWriter::new(format, out))),
        }
    }
    run(&mut formats)
}

/// The failure of an audit whose rows could not be written. Its cause is a file, standard output,
/// or the audit.
fn failure(error: io::Error, writers: &[AnswerWriter]) -> Failure {
    let files = || writers.iter().filter_map(|writer| writer.file.as_ref());
    let error = match error.downcast::<ReportError>() {
        Ok(error) => return error.into(),
        Err(error) => error,
    };
    match error.downcast::<WriteError>() {
        Ok(error) => match files().next() {
            Some((path, _)) => cannot_write(path, error),
            None => error.into(),
        },
        Err(error) => match files().find(|(_, writer)| writer.has_failed()) {
            Some((path, _)) => cannot_write(path, WriteError::Write(error)),
            None => error.into(),
        },
    }
}

fn cannot_write(path: &OsStr, error: WriteError) -> Failure {
    Failure::Write(error, Some(path.to_owned()))
}
