//! Outputs of a command that knows several formats: `--format FORMAT` and `-o [FORMAT=]FILE`.

use std::ffi::{OsStr, OsString};

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Arg, ArgAction, ArgMatches, ValueHint};
use sectile_audit::Format;
use sectile_sbom::SbomFormat;

use super::matches::{all, choice, optional};
use super::options::{OUTPUT, output};
use crate::display::escaped;
use crate::failure::Failure;

/// A format that `--format` and `-o` name.
pub trait OutputFormat: Copy + PartialEq + Send + Sync + 'static {
    /// All formats.
    const ALL: &'static [Self];
    /// The format of standard output, if no option names one.
    const DEFAULT: Self;

    fn name(self) -> &'static str;

    /// The name without a version.
    fn short_name(self) -> Option<&'static str>;

    /// The file name extensions that select the format.
    fn extensions(self) -> &'static [&'static str];

    /// The names of all formats.
    fn names() -> Vec<(&'static str, Self)> {
        let formats = Self::ALL.iter();
        formats
            .flat_map(|format| format.short_name().into_iter().chain([format.name()]).map(|name| (name, *format)))
            .collect()
    }

    /// The format for the extension of a file name, ignoring case.
    fn for_file(file: &OsStr) -> Option<Self> {
        let name = file.to_string_lossy().to_ascii_lowercase();
        let has_extension = |extension: &&str| name.strip_suffix(*extension).is_some_and(|stem| stem.ends_with('.'));
        Self::ALL.iter().copied().find(|format| format.extensions().iter().any(has_extension))
    }
}

/// An output format of an audit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditFormat {
    /// A summary in text.
    Table,
    /// A format of the library.
    Rows(Format),
}

impl AuditFormat {
    pub const JSON_LINES: Self = Self::Rows(Format::Jsonl);

    /// Whether the output is not text.
    pub fn is_binary(self) -> bool {
        matches!(self, Self::Rows(format) if format.is_binary())
    }

    /// Whether a later audit can read the output.
    pub fn saves_rows(self) -> bool {
        matches!(self, Self::Rows(format) if format.saves_rows())
    }
}

impl OutputFormat for AuditFormat {
    const ALL: &'static [Self] = &{
        let mut all = [Self::Table; Format::ALL.len() + 1];
        let mut nth = 0;
        while nth < Format::ALL.len() {
            all[nth + 1] = Self::Rows(Format::ALL[nth]);
            nth += 1;
        }
        all
    };
    const DEFAULT: Self = Self::Table;

    fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Rows(format) => format.name(),
        }
    }

    fn short_name(self) -> Option<&'static str> {
        match self {
            Self::Table => None,
            Self::Rows(format) => format.short_name(),
        }
    }

    fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Table => &["txt"],
            Self::Rows(format) => format.extensions(),
        }
    }
}

impl OutputFormat for SbomFormat {
    const ALL: &'static [Self] = &Self::ALL;
    const DEFAULT: Self = Self::CycloneDx16;

    fn name(self) -> &'static str {
        self.name()
    }

    fn short_name(self) -> Option<&'static str> {
        self.short_name()
    }

    fn extensions(self) -> &'static [&'static str] {
        self.extensions()
    }
}

const FORMAT: &str = "format";

/// `--format`.
pub fn format<F: OutputFormat>() -> Arg {
    Arg::new(FORMAT).long(FORMAT).value_name("FORMAT").value_parser(choice(F::names()))
}

/// `-o`, for several outputs.
pub fn output_files<F: OutputFormat + std::fmt::Debug>() -> Arg {
    output()
        .value_name("[FORMAT=]FILE")
        .action(ArgAction::Append)
        .value_parser(OsStringValueParser::new().map(OutputArg::<F>::parse))
        .value_hint(ValueHint::FilePath)
}

/// Where an output goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutputPlace {
    Stdout,
    File(OsString),
}

impl OutputPlace {
    /// Whether it is standard output, a FIFO or a device. Their names do not imply a format.
    fn is_stream(&self) -> bool {
        match self {
            Self::Stdout => true,
            Self::File(file) => std::fs::metadata(file).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir()),
        }
    }
}

/// A value of `-o`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputArg<F> {
    /// The format, given or implied by the extension.
    format: Option<F>,
    /// Whether the format is given explicitly.
    is_explicit: bool,
    place: OutputPlace,
}

impl<F: OutputFormat> OutputArg<F> {
    /// Parses `FORMAT=FILE` or `FILE`.
    pub fn parse(argument: OsString) -> Self {
        for (name, format) in F::names() {
            if let Some(file) = strip_prefix(&argument, &format!("{name}=")) {
                return Self { format: Some(format), is_explicit: true, place: place(file) };
            }
        }
        let place = place(argument);
        let format = match &place {
            OutputPlace::Stdout => None,
            OutputPlace::File(file) => F::for_file(file),
        };
        Self { format, is_explicit: false, place }
    }
}

fn place(argument: OsString) -> OutputPlace {
    if argument == "-" { OutputPlace::Stdout } else { OutputPlace::File(argument) }
}

fn strip_prefix(argument: &OsStr, prefix: &str) -> Option<OsString> {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::{OsStrExt, OsStringExt};
        let rest = argument.as_bytes().strip_prefix(prefix.as_bytes())?;
        Some(OsString::from_vec(rest.to_vec()))
    }
    #[cfg(not(unix))]
    {
        Some(argument.to_str()?.strip_prefix(prefix)?.into())
    }
}

/// The values of `--format` and of all `-o`.
#[derive(Clone, Debug)]
pub struct OutputArgs<F> {
    pub format: Option<F>,
    pub places: Vec<OutputArg<F>>,
}

/// One output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormatOutput<F> {
    pub format: F,
    pub place: OutputPlace,
}

impl<F: OutputFormat + std::fmt::Debug> OutputArgs<F> {
    pub fn from_matches(matches: &ArgMatches) -> Self {
        Self { format: optional(matches, FORMAT), places: all(matches, OUTPUT) }
    }

    /// Sets the format of standard output, if no option names a format or an output.
    pub fn set_default_format(&mut self, format: F) {
        if self.format.is_none() && self.places.is_empty() {
            self.format = Some(format);
        }
    }

    /// Resolves the outputs. At most one goes to standard output.
    ///
    /// `--format` is the format of a FILE that has no explicit format and no known extension.
    /// Without such a FILE, that format goes to standard output.
    pub fn resolve(&self) -> Result<Vec<FormatOutput<F>>, Failure> {
        let mut outputs = Vec::new();
        let mut is_taken = false;
        for OutputArg { format, is_explicit, place } in &self.places {
            let format = format.or(self.format).or(place.is_stream().then_some(F::DEFAULT));
            let Some(format) = format else { return Err(unknown_format::<F>(place)) };
            is_taken |= !is_explicit && self.format == Some(format);
            outputs.push(FormatOutput { format, place: place.clone() });
        }
        if outputs.is_empty() || self.format.is_some() && !is_taken {
            let format = self.format.unwrap_or(F::DEFAULT);
            outputs.push(FormatOutput { format, place: OutputPlace::Stdout });
        }
        for (nth, output) in outputs.iter().enumerate() {
            if outputs[..nth].iter().any(|other| other.place == output.place) {
                let place = match &output.place {
                    OutputPlace::Stdout => "standard output".to_owned(),
                    OutputPlace::File(file) => escaped(file).to_string(),
                };
                return Err(Failure::Other(format!("two outputs go to {place}; write one of them to another file")));
            }
        }
        Ok(outputs)
    }

    /// The format of standard output, if anything is written there.
    pub fn stdout_format(&self) -> Option<F> {
        let outputs = self.resolve().ok()?;
        outputs.into_iter().find(|output| output.place == OutputPlace::Stdout).map(|output| output.format)
    }
}

fn unknown_format<F: OutputFormat>(place: &OutputPlace) -> Failure {
    let file = match place {
        OutputPlace::Stdout => "-".into(),
        OutputPlace::File(file) => escaped(file).to_string(),
    };
    let formats: Vec<&str> = F::names().into_iter().map(|(name, _)| name).collect();
    let formats = formats.join(", ");
    Failure::Other(format!(
        "cannot tell the format of {file} from its name; use `-o FORMAT={file}` with one of {formats}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(format: Option<&str>, places: &[&str]) -> Result<Vec<String>, String> {
        let format = format.map(|name| AuditFormat::ALL.iter().copied().find(|format| format.name() == name).unwrap());
        let places = places.iter().map(|place| OutputArg::parse(place.into())).collect();
        let outputs = OutputArgs { format, places }.resolve().map_err(|failure| failure.to_string())?;
        let text = |output: FormatOutput<AuditFormat>| match output.place {
            OutputPlace::Stdout => format!("{}=-", output.format.name()),
            OutputPlace::File(file) => format!("{}={}", output.format.name(), file.to_str().unwrap()),
        };
        Ok(outputs.into_iter().map(text).collect())
    }

    #[test]
    fn outputs_follow_from_formats_and_names() {
        let cases: [(Option<&str>, &[&str], &[&str]); 19] = [
            (None, &[], &["table=-"]),
            (None, &["-"], &["table=-"]),
            (Some("csv"), &[], &["csv=-"]),
            (Some("csv"), &["-"], &["csv=-"]),
            (None, &["report.html"], &["html=report.html"]),
            (None, &["a/REPORT.HTM"], &["html=a/REPORT.HTM"]),
            (None, &["r.sarif.json", "r.xml"], &["sarif=r.sarif.json", "junit=r.xml"]),
            (None, &["github=-", "a=b.md"], &["github=-", "markdown=a=b.md"]),
            (None, &["jsonl=out", "html=-"], &["jsonl=out", "html=-"]),
            (None, &["html=r.csv"], &["html=r.csv"]),
            (Some("jsonl"), &["out"], &["jsonl=out"]),
            (Some("jsonl"), &["out.jsonl"], &["jsonl=out.jsonl"]),
            (Some("jsonl"), &["report.html"], &["html=report.html", "jsonl=-"]),
            (Some("jsonl"), &["jsonl=rows"], &["jsonl=rows", "jsonl=-"]),
            (Some("table"), &["rows.jsonl"], &["jsonl=rows.jsonl", "table=-"]),
            (Some("table"), &["rows.jsonl", "out"], &["jsonl=rows.jsonl", "table=out"]),
            (None, &["table=out.html"], &["table=out.html"]),
            (None, &["a.cdx.json", "a.spdx.json"], &["cyclonedx-1.6=a.cdx.json", "spdx-2.3=a.spdx.json"]),
            (None, &["cyclonedx=a", "cyclonedx-1.7=b"], &["cyclonedx-1.6=a", "cyclonedx-1.7=b"]),
        ];
        for (format, places, outputs) in cases {
            assert_eq!(resolve(format, places).unwrap(), outputs, "{format:?} {places:?}");
        }
    }

    #[test]
    fn unknown_formats_and_shared_outputs_are_errors() {
        for places in [&["out"][..], &["report.json"], &[".html.bak"], &["pdf=out"], &["html"]] {
            assert!(resolve(None, places).unwrap_err().contains("cannot tell the format of"), "{places:?}");
        }
        for (format, places) in
            [(None, &["html=-", "csv=-"][..]), (Some("csv"), &["html=-"]), (None, &["a.csv", "jsonl=a.csv"])]
        {
            assert!(resolve(format, places).unwrap_err().contains("two outputs go to"), "{places:?}");
        }
    }
}
