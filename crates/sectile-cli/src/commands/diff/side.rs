//! One of two things that are compared.

use std::io::{Seek, Write};
use std::path::Path;

use sectile::Input;
use sectile::drive::ReadAt;
use sectile_audit::{Audit, Format, Progress, is_parquet};

use super::binary::Binary;
use crate::commands::audit;
use crate::failure::Failure;
use crate::input;
use crate::judge::Judge;
use crate::source::{InputLocation, InputSource};

/// One of two things that are compared.
pub enum Side {
    /// A binary, with its input if it is open.
    Binary(Option<Input>),
    /// A report as JSON lines or Parquet.
    Report(Input),
    /// A root with any number of binaries.
    Root,
}

/// The first bytes of a report as JSON lines.
const REPORT_HEAD: &[u8] = b"{\"schema\":";

impl Side {
    /// Finds out what a source names.
    pub fn open(source: &InputSource) -> Result<Self, Failure> {
        match source.location() {
            InputLocation::File if Path::new(source.argument()).is_dir() => Ok(Self::Root),
            // A name that is not that of a file may be that of a row.
            InputLocation::File => match input::open_local(source, false) {
                Ok(input) if is_report(&input) => Ok(Self::Report(input)),
                Ok(input) if input::is_packed(&input) => Ok(Self::Root),
                Ok(input) => Ok(Self::Binary(Some(input))),
                Err(_) => Ok(Self::Binary(None)),
            },
            InputLocation::Stdin => {
                let input = input::open_local(source, false)?;
                Ok(if is_report(&input) { Self::Report(input) } else { Self::Binary(Some(input)) })
            }
            InputLocation::RegistryImage(name) => {
                let last = name.rsplit('/').next().unwrap_or_default();
                Ok(if last.contains([':', '@', '!']) { Self::Binary(None) } else { Self::Root })
            }
            InputLocation::Url(url) if url.ends_with('/') => Ok(Self::Root),
            InputLocation::Url(_) | InputLocation::LayoutImage => Ok(Self::Binary(None)),
        }
    }

    /// The rows of a report, of an audit of a root, or of a binary.
    pub fn into_rows(self, source: &InputSource, judge: &Judge, progress: &Progress) -> Result<Input, Failure> {
        let mut file = match self {
            Self::Report(input) => return audit::report::lines(input),
            Self::Binary(_) | Self::Root => tempfile::tempfile().map_err(input::not_kept)?,
        };
        match self {
            Self::Binary(opened) => {
                let line = Binary::read_line(source, opened, judge)?;
                file.write_all(&line).map_err(input::not_kept)?;
            }
            Self::Report(_) | Self::Root => {
                let audit = Audit::new(judge.policy.clone()).with_interface();
                let audit = match judge.today {
                    Some(today) => audit.with_day(today),
                    None => audit,
                };
                let roots = [audit::root(source)?];
                let mut out = std::io::BufWriter::new(&mut file);
                audit.run(&roots, Some(Format::Jsonl), &mut out, progress).map_err(input::not_kept)?;
                out.flush().map_err(input::not_kept)?;
            }
        }
        file.rewind().map_err(input::not_kept)?;
        Ok(Input::from_file(file)?)
    }
}

fn is_report(input: &Input) -> bool {
    let mut head = [0; REPORT_HEAD.len()];
    is_parquet(input) || matches!(input.read_at(&mut head, 0), Ok(read) if head[..read] == *REPORT_HEAD)
}
