//! Writes comma-separated values by RFC 4180: a line for each row.

use std::fmt::Write as _;
use std::io::{self, Write};

use crate::Row;
use sectile::Escaped;
use sectile::Severity;
use sectile::metadata::Field;
use sectile_advisories::{AdvisoryMatch, Rating};
use sectile_policy::JudgedFinding;
use sectile_policy::diff::RowChange;

/// A column.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Column {
    File,
    Row,
    Others,
    Size,
    Digest,
    Verified,
    Outcome,
    Reason,
    ReasonOffset,
    Kind,
    Name,
    Annotation(Field),
    Items,
    Producers,
    Packages,
    Findings(Severity),
    Refused,
    Excepted,
    Codes,
    FirstRefused,
    Advisories,
    WorstAdvisory,
    LargestKind,
    LargestName,
    LargestBytes,
    Accepted,
    BytesRead,
    Baseline,
    NewFindings,
}

impl Column {
    /// All columns in their order.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        use Column as C;
        let before =
            [C::File, C::Row, C::Others, C::Size, C::Digest, C::Verified, C::Outcome, C::Reason, C::ReasonOffset];
        let after = [C::Items, C::Producers, C::Packages];
        let refused = [C::Refused, C::Excepted, C::Codes, C::FirstRefused, C::Advisories, C::WorstAdvisory];
        let last = refused.into_iter().chain([C::LargestKind, C::LargestName, C::LargestBytes]);
        let fields = Field::ALL.into_iter().map(C::Annotation);
        let findings = Severity::ALL.into_iter().rev().map(C::Findings);
        let item = before.into_iter().chain([C::Kind, C::Name]).chain(fields).chain(after);
        item.chain(findings).chain(last).chain([C::Accepted, C::Baseline, C::NewFindings, C::BytesRead])
    }

    /// The name in the first line.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Row => "row",
            Self::Others => "others",
            Self::Size => "size",
            Self::Digest => "digest",
            Self::Verified => "verified",
            Self::Outcome => "outcome",
            Self::Reason => "reason",
            Self::ReasonOffset => "reason_offset",
            Self::Kind => "kind",
            Self::Name => "name",
            Self::Annotation(field) => field.section(),
            Self::Items => "items",
            Self::Producers => "producers",
            Self::Packages => "packages",
            Self::Findings(Severity::Error) => "errors",
            Self::Findings(Severity::Warning) => "warnings",
            Self::Findings(Severity::Note) => "notes",
            Self::Refused => "refused",
            Self::Excepted => "excepted",
            Self::Codes => "codes",
            Self::FirstRefused => "first_refused",
            Self::Advisories => "advisories",
            Self::WorstAdvisory => "worst_advisory",
            Self::LargestKind => "largest_kind",
            Self::LargestName => "largest_name",
            Self::LargestBytes => "largest_bytes",
            Self::Accepted => "accepted",
            Self::BytesRead => "bytes_read",
            Self::Baseline => "baseline",
            Self::NewFindings => "new_findings",
        }
    }

    /// The description for the docs.
    #[cfg(test)]
    pub(crate) fn help(self) -> &'static str {
        match self {
            Self::File => {
                "Name of the row: the path of the file, the image of a layer, or `PATH!ENTRY` for an entry of an archive."
            }
            Self::Row => "Kind of the row: `binary`, `archive` or `file`.",
            Self::Others => "Further names of the file, separated by ` | `.",
            Self::Size => "Size in bytes, if known.",
            Self::Digest => "SHA-256 digest as `sha256:…`, if known.",
            Self::Verified => "`true` if the digest was computed from all bytes.",
            Self::Outcome => "`complete`, `partial`, `unread` or `skipped`.",
            Self::Reason => "Reason if the file was not read to its end.",
            Self::ReasonOffset => "Absolute byte offset of the reason.",
            Self::Kind => "Kind of the root item: `module` or `component`.",
            Self::Name => "Name of the root item.",
            Self::Annotation(field) => field.help(),
            Self::Items => "Number of modules and components, including the root item.",
            Self::Producers => "Producers: field, name and version, separated by `; `.",
            Self::Packages => {
                "Number of packages: those that all items declare, and with `--packages all` those that the data names."
            }
            Self::Findings(Severity::Error) => "Number of errors under the policy, excluding excepted findings.",
            Self::Findings(Severity::Warning) => "Number of warnings under the policy, excluding excepted findings.",
            Self::Findings(Severity::Note) => "Number of notes under the policy, excluding excepted findings.",
            Self::Refused => "Number of findings that the policy refuses.",
            Self::Excepted => "Number of findings that an exception of the policy excuses.",
            Self::Codes => "Distinct codes of the findings, separated by spaces.",
            Self::FirstRefused => "Message of the first refused finding.",
            Self::Advisories => "Advisories about packages: identifier, package and version, separated by `; `.",
            Self::WorstAdvisory => "Severity of the most important advisory, or its class if it has no severity.",
            Self::LargestKind => "Kind of the largest section.",
            Self::LargestName => "Name of the largest section, if it is a custom section.",
            Self::LargestBytes => "Size of the largest section in bytes, including its header.",
            Self::Accepted => "`true` if the policy refuses no finding and the file was read to its end.",
            Self::BytesRead => "Number of bytes read from the file.",
            Self::Baseline => {
                "With `--baseline`: `new`, `changed`, `unchanged` or `gone`. A gone row has only its name."
            }
            Self::NewFindings => "With `--baseline`: number of findings that the earlier report does not have.",
        }
    }
}

/// Writes the line with the names of the columns.
pub(super) fn head(out: &mut dyn Write) -> io::Result<()> {
    let names: Vec<_> = Column::all().map(Column::name).collect();
    write!(out, "{}\r\n", names.join(","))
}

/// Writes one line.
pub(super) fn row(row: &Row<'_>, out: &mut Vec<u8>) -> io::Result<()> {
    let mut text = String::new();
    for (nth, column) in Column::all().enumerate() {
        if nth > 0 {
            out.push(b',');
        }
        text.clear();
        value(row, column, &mut text).map_err(io::Error::other)?;
        push_field(out, &text);
    }
    out.extend(b"\r\n");
    Ok(())
}

/// Writes the line of a row that only an earlier report has.
pub(super) fn gone(change: &RowChange, out: &mut Vec<u8>) {
    for (nth, column) in Column::all().enumerate() {
        if nth > 0 {
            out.push(b',');
        }
        match column {
            Column::File => {
                let file = change.old.as_ref().map(|row| row.facts().file().as_encoded_bytes());
                push_field(out, &Escaped::bytes(file.unwrap_or_default()).to_string());
            }
            Column::Baseline => push_field(out, change.state.name()),
            _ => {}
        }
    }
    out.extend(b"\r\n");
}

fn value(row: &Row<'_>, column: Column, out: &mut String) -> std::fmt::Result {
    let counts = |judged: &mut dyn Iterator<Item = u64>| judged.fold(0, u64::saturating_add);
    match column {
        Column::File => write!(out, "{}", Escaped::bytes(row.file.as_encoded_bytes())),
        Column::Row => out.write_str(row.row_kind.name()),
        Column::Others => {
            joined(out, " | ", &row.other_names, |out, name| write!(out, "{}", Escaped::bytes(name.as_encoded_bytes())))
        }
        Column::Size => number(out, row.size),
        Column::Digest => text(out, row.digest.as_deref()),
        Column::Verified => write!(out, "{}", row.verified),
        Column::Outcome => out.write_str(row.completeness.name()),
        Column::Reason => text(out, row.reason.as_ref().map(|reason| &*reason.message)),
        Column::ReasonOffset => number(out, row.reason.as_ref().and_then(|reason| reason.offset)),
        Column::Kind => out.write_str(row.kind.map_or("", |kind| kind.name())),
        Column::Name => text(out, row.name.as_deref()),
        Column::Annotation(field) => {
            let value = row.annotations.iter().find(|(of, _)| *of == field);
            text(out, value.map(|(_, value)| &**value))
        }
        Column::Items => write!(out, "{}", row.items),
        Column::Producers => joined(out, "; ", &row.producers, |out, [field, name, version]| {
            let gap = if version.is_empty() { "" } else { " " };
            write!(out, "{}: {}{gap}{}", Escaped::new(field), Escaped::new(name), Escaped::new(version))
        }),
        Column::Packages => write!(out, "{}", row.package_count),
        Column::Findings(severity) => {
            let counts_here =
                |judged: &&JudgedFinding<'_>| judged.severity() == severity && judged.exception().is_none();
            let judged = row.findings.iter().filter(counts_here);
            write!(out, "{}", counts(&mut judged.map(|judged| judged.finding().count())))
        }
        Column::Refused => {
            let judged = row.findings.iter().filter(|judged| judged.is_refused());
            write!(out, "{}", counts(&mut judged.map(|judged| judged.finding().count())))
        }
        Column::Excepted => {
            let judged = row.findings.iter().filter(|judged| judged.exception().is_some());
            write!(out, "{}", counts(&mut judged.map(|judged| judged.finding().count())))
        }
        Column::Codes => joined(out, " ", &row.codes(), |out, code| out.write_str(code.name())),
        Column::FirstRefused => {
            let first = row.findings.iter().find(|judged| judged.is_refused());
            text(out, first.map(|judged| judged.finding().message()))
        }
        Column::Advisories => joined(out, "; ", &row.advisories().collect::<Vec<_>>(), |out, found| {
            let [id, package, version] =
                [&found.advisory().id, found.affected.package(), &found.version].map(Escaped::new);
            write!(out, "{id} {package} {version}")
        }),
        Column::WorstAdvisory => {
            let worst = row.advisories().map(AdvisoryMatch::advisory).max_by_key(|advisory| advisory.weight());
            text(out, worst.map(|worst| worst.rating.map_or(worst.class.name(), Rating::name)))
        }
        Column::LargestKind => text(out, row.largest.as_ref().map(|largest| &*largest.kind)),
        Column::LargestName => text(out, row.largest.as_ref().and_then(|largest| largest.name.as_deref())),
        Column::LargestBytes => number(out, row.largest.as_ref().map(|largest| largest.bytes)),
        Column::Accepted => write!(out, "{}", row.accepted),
        Column::BytesRead => write!(out, "{}", row.bytes_read),
        Column::Baseline => out.write_str(row.change.as_ref().map_or("", |change| change.state.name())),
        Column::NewFindings => {
            number(out, row.change.as_ref().map(|change| change.findings.new_findings().count() as u64))
        }
    }
}

fn text(out: &mut String, value: Option<&str>) -> std::fmt::Result {
    value.map_or(Ok(()), |value| write!(out, "{}", Escaped::new(value)))
}

fn number(out: &mut String, value: Option<u64>) -> std::fmt::Result {
    value.map_or(Ok(()), |value| write!(out, "{value}"))
}

fn joined<T>(
    out: &mut String,
    between: &str,
    values: &[T],
    write_one: impl Fn(&mut String, &T) -> std::fmt::Result,
) -> std::fmt::Result {
    for (nth, value) in values.iter().enumerate() {
        if nth > 0 {
            out.push_str(between);
        }
        write_one(out, value)?;
    }
    Ok(())
}

/// Appends a field, quoted if necessary. Adds an apostrophe before each part that a spreadsheet would evaluate: the
/// field, and each part after a character that divides cells in some countries or settings.
fn push_field(out: &mut Vec<u8>, text: &str) {
    let quoted = text.contains(['"', ',', ';', '\r', '\n', '\t']) || text.starts_with(' ') || text.ends_with(' ');
    if quoted {
        out.push(b'"');
    }
    for cell in text.split_inclusive(DIVIDERS) {
        if is_formula(cell) {
            out.push(b'\'');
        }
        for part in cell.split_inclusive('"') {
            out.extend(part.as_bytes());
            if part.ends_with('"') {
                out.push(b'"');
            }
        }
    }
    if quoted {
        out.push(b'"');
    }
}

/// Characters at which a spreadsheet may begin a cell, and their wide forms.
const DIVIDERS: [char; 11] = [',', ';', '\t', '\r', '\n', '|', '，', '；', '｜', '、', '\u{85}'];

/// Whether a spreadsheet may evaluate a cell. Spaces and quotes before the sign do not prevent it.
fn is_formula(cell: &str) -> bool {
    let start = cell.trim_start_matches(|character: char| {
        character.is_whitespace() || character.is_control() || matches!(character, '"' | '＂' | '\u{feff}' | '\u{200b}')
    });
    start.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠', '﹢', '﹣', '﹦', '﹫', '−'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{bare, hostile, usual};

    fn written(row: &Row<'_>) -> String {
        let mut out = Vec::new();
        super::row(row, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn field(text: &str) -> String {
        let mut out = Vec::new();
        push_field(&mut out, text);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn fields_are_quoted_and_formulas_disarmed() {
        let cases = [
            ("plain text", "plain text"),
            ("a,b", "\"a,b\""),
            ("say \"a\"", "\"say \"\"a\"\"\""),
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("＝1", "'＝1"),
            ("=HYPERLINK(\"a\",\"b\")", "\"'=HYPERLINK(\"\"a\"\",\"\"b\"\")\""),
            (" =1", "\"' =1\""),
            ("x;=1+1", "\"x;'=1+1\""),
            ("x; +1; @a", "\"x;' +1;' @a\""),
            ("x;\"=1+1\"", "\"x;'\"\"=1+1\"\"\""),
            ("x;＝1", "\"x;'＝1\""),
            ("x；=1", "x；'=1"),
            ("x,-1", "\"x,'-1\""),
            ("x\t=1", "\"x\t'=1\""),
            ("x\r\n=1", "\"x\r\n'=1\""),
            ("\r=1", "\"\r'=1\""),
            ("a | =1", "a |' =1"),
            ("\u{a0}=1", "'\u{a0}=1"),
            ("a;b=1-2", "\"a;b=1-2\""),
            ("", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(field(text), expected);
        }
    }

    /// A CSV parser returns the value of the row for every column.
    #[test]
    fn parsed_lines_equal_the_rows() {
        let mut text = Vec::new();
        head(&mut text).unwrap();
        let rows: Vec<_> = (0..200).map(|nth| if nth % 2 == 0 { hostile(nth) } else { usual(nth) }).collect();
        for row in &rows {
            super::row(row, &mut text).unwrap();
        }
        let mut reader = csv::ReaderBuilder::new().terminator(csv::Terminator::CRLF).from_reader(&text[..]);
        let names: Vec<String> = reader.headers().unwrap().iter().map(ToOwned::to_owned).collect();
        let place = |name: &str| names.iter().position(|other| other == name).unwrap();
        let lines: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        assert_eq!(lines.len(), rows.len());
        for (line, row) in lines.iter().zip(&rows) {
            assert_eq!(line.len(), names.len());
            assert_eq!(line[place("size")], row.size.unwrap().to_string());
            assert_eq!(line[place("outcome")], *row.completeness.name());
            let plain = |name: &str| line[place(name)].strip_prefix('\'').unwrap_or(&line[place(name)]).to_owned();
            let name = Escaped::new(row.name.as_deref().unwrap()).to_string();
            assert!(plain("name") == name || line[place("name")] == *name);
            for value in line {
                assert!(!value.starts_with(['=', '+', '-', '@']), "{value}");
                assert!(!value.chars().any(sectile::internal::is_deceptive), "{value:?}");
            }
        }
    }

    /// No cell is a formula, for any divider.
    #[test]
    fn no_cell_is_a_formula_in_any_locale() {
        let mut hostile = hostile(0);
        let starts = ["=1+1", "+1", "-1", "@SUM(A1)", "＝1", "－1"];
        let values: Vec<String> = starts
            .iter()
            .flat_map(|start| {
                [";", "; ", "\t", ",", "\r", "|", "; \"", ";\"\"", "；"].map(|divider| format!("x{divider}{start}"))
            })
            .collect();
        for value in &values {
            hostile.name = Some(value.into());
            hostile.file = std::borrow::Cow::Borrowed(std::ffi::OsStr::new(value));
            hostile.other_names = vec![std::borrow::Cow::Borrowed(std::ffi::OsStr::new(value)); 3];
            hostile.producers =
                vec![[value.into(), value.into(), value.into()], ["=1".into(), "=2".into(), "=3".into()]];
            hostile.annotations = Field::ALL.map(|field| (field, value.into())).to_vec();
            let line = written(&hostile);
            for divider in [b',', b';', b'\t', b'|'] {
                for quotes in [true, false] {
                    let mut reader = csv::ReaderBuilder::new();
                    let reader = reader.has_headers(false).flexible(true).delimiter(divider).quoting(quotes);
                    for record in reader.from_reader(line.as_bytes()).byte_records() {
                        for cell in &record.unwrap() {
                            let cell = String::from_utf8_lossy(cell);
                            assert!(!is_formula(&cell), "{value:?} {:?}: {cell:?}", char::from(divider));
                        }
                    }
                }
            }
        }
    }

    /// The table in the docs is generated from these columns; `BLESS=1` updates it.
    #[test]
    fn columns_match_the_docs() {
        const BEGIN: &str = "columns` -->\n";
        let page = sectile_testing::files::project().join("docs/audit.md");
        let docs = std::fs::read_to_string(&page).unwrap().replace("\r\n", "\n");
        let (before, rest) = docs.split_once(BEGIN).unwrap();
        let (_, after) = rest.split_once("<!-- its end -->").unwrap();
        let mut table = "\n| column | |\n| --- | --- |\n".to_owned();
        for column in Column::all() {
            writeln!(table, "| `{}` | {} |", column.name(), column.help().replace('|', "\\|")).unwrap();
        }
        let expected = format!("{before}{BEGIN}{table}\n<!-- its end -->{after}");
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&page, &expected).unwrap();
        }
        assert!(docs == expected || std::env::var_os("BLESS").is_some(), "run it with BLESS=1");
    }

    #[test]
    fn unknown_values_are_empty() {
        let row = bare(0, std::borrow::Cow::Borrowed("a.wasm".as_ref()));
        let line = written(&row);
        assert!(line.starts_with("a.wasm,binary,,,,false,unread,,,,,"), "{line}");
        assert!(line.ends_with(",false,,,0\r\n"), "{line}");
        assert_eq!(line.matches(',').count() + 1, Column::all().count());
    }
}
