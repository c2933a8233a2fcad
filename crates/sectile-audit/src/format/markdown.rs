//! Writes a summary in GitHub Flavored Markdown.
//!
//! Every value of the input is in a code span, where it cannot be markup, a link, a mention or HTML.

use std::ffi::OsStr;
use std::fmt;
use std::io::{self, Write};

use crate::amount::{ByteSize, Grouped, percent};
use crate::{AuditInfo, RowKind, Stop, Summary, VerdictLine};
use sectile::Escaped;

/// Maximum number of lines of a table of values of the input.
const MAX_LINES: usize = 20;

/// Writes a comment, which marks the output as an audit's.
pub(super) fn head(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "<!-- sectile audit -->")
}

/// Writes the summary.
pub(super) fn tail(info: &AuditInfo, summary: &Summary, stop: Option<&Stop>, out: &mut dyn Write) -> io::Result<()> {
    let paths: Vec<String> = info.paths.iter().take(3).map(|path| Code::os(path).to_string()).collect();
    let more = if info.paths.len() > paths.len() {
        format!(" and {} more", info.paths.len() - paths.len())
    } else {
        String::new()
    };
    writeln!(out, "## Audit of {}{more}\n", paths.join(", "))?;
    let mark = if summary.refused > 0 || summary.unread() > 0 || stop.is_some() { "❌" } else { "✅" };
    write!(out, "{mark} **{}**", VerdictLine(summary))?;
    match &info.policy_name {
        Some(policy) => writeln!(out, ", under {}", Code::os(policy))?,
        None => writeln!(out, ", without a policy")?,
    }
    for database in &info.databases {
        writeln!(out, "\nAdvisories of {}.", Code::new(&database.to_string()))?;
    }
    if let Some(comparison) = &summary.comparison {
        writeln!(out, "\nSince the baseline: {comparison}.")?;
    }
    if let Some(stop) = stop {
        write!(out, "\nThe audit was stopped before its end")?;
        match &stop.after {
            Some(file) => writeln!(out, ", after {}.", Code::os(file))?,
            None => writeln!(out, ", before its first row.")?,
        }
    }
    let kinds = RowKind::ALL.into_iter().map(|kind| (kind.plural(), summary.rows_of(kind)));
    let kinds = kinds.filter(|(_, count)| count.rows > 0).map(|(kind, count)| {
        let counts = [count.rows, count.accepted, count.refused, count.unjudged(), count.unread()];
        let [rows, accepted, refused, unjudged, unread] = counts.map(|number| Grouped(number).to_string());
        [kind.to_owned(), rows, accepted, refused, unjudged, unread]
    });
    table(out, "", &["Rows", "All", "Accepted", "Refused", "Unjudged", "Not read to the end"], kinds)?;
    let worst = summary.worst().map(|blob| {
        let more = if blob.refused > 1 { format!(" and {} more", Grouped(blob.refused - 1)) } else { String::new() };
        let rule = blob.location.as_ref().map(|location| format!(" by {}", Code::new(&location.to_string())));
        let rule = rule.unwrap_or_default();
        [
            Code::os(&blob.file).to_string(),
            blob.severity.to_string(),
            format!("`{}`", blob.code),
            format!("{}{rule}{more}", Code::new(&blob.message)),
        ]
    });
    table(out, "Refused first", &["File", "Severity", "Code", "Finding"], worst)?;
    let incomplete = summary.incomplete().map(|blob| {
        [Code::os(&blob.file).to_string(), blob.completeness.name().to_owned(), Code::new(&blob.message).to_string()]
    });
    table(out, "Not read to the end", &["File", "Outcome", "Reason"], incomplete)?;
    let advisories = summary.advisories().take(MAX_LINES).map(|count| {
        let advisory = count.affected.advisory();
        let severity = advisory.rating.map_or(advisory.class.name(), |rating| rating.name());
        let versions =
            count.versions.iter().map(|version| Code::new(version).to_string()).collect::<Vec<_>>().join(", ");
        let fixed =
            count.affected.fixed().iter().map(|fixed| Code::new(fixed).to_string()).collect::<Vec<_>>().join(", ");
        [
            Code::new(&advisory.id).to_string(),
            severity.to_owned(),
            format!("{} {versions}", Code::new(count.affected.package())),
            fixed,
            Code::new(&advisory.title).to_string(),
            Grouped(count.rows).to_string(),
        ]
    });
    table(out, "Advisories", &["Advisory", "Severity", "Package", "Fixed in", "Title", "Binaries"], advisories)?;
    let codes = summary.codes();
    let codes = codes.iter().map(|(code, count)| {
        let severity = count.worst().map_or("excepted", |severity| severity.name());
        let [rows, refused, excepted] =
            [count.rows, count.refused, count.excepted].map(|number| Grouped(number).to_string());
        [format!("`{code}`"), severity.to_owned(), rows, refused, excepted]
    });
    table(out, "Findings", &["Code", "Severity", "Rows", "Refused", "Excepted"], codes)?;
    let licensed_rows = summary.licensed + summary.unlicensed;
    let licenses = summary.licenses();
    let named = licenses.iter().take(MAX_LINES).map(|(license, rows)| (Code::new(license).to_string(), *rows));
    let none = (summary.unlicensed > 0).then(|| ("(none)".to_owned(), summary.unlicensed));
    let licenses =
        named.chain(none).map(|(license, rows)| [license, Grouped(rows).to_string(), percent(rows, licensed_rows)]);
    table(out, "Licenses", &["License", "Binaries", "Share"], licenses)?;
    writeln!(
        out,
        "\n{} of binaries; {} of {} in the store were read.",
        ByteSize(summary.bytes).short(),
        ByteSize(summary.store_bytes_read()).short(),
        ByteSize(summary.store_bytes).short()
    )
}

/// Writes a table under a heading, unless it has no rows.
fn table<const N: usize>(
    out: &mut dyn Write,
    heading: &str,
    columns: &[&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> io::Result<()> {
    let mut rows = rows.peekable();
    if rows.peek().is_none() {
        return Ok(());
    }
    if heading.is_empty() {
        writeln!(out)?;
    } else {
        writeln!(out, "\n### {heading}\n")?;
    }
    writeln!(out, "| {} |", columns.join(" | "))?;
    writeln!(out, "|{}", " --- |".repeat(N))?;
    for row in rows {
        writeln!(out, "| {} |", row.join(" | "))?;
    }
    Ok(())
}

/// A value of the input as a code span that may be in a table.
struct Code<'a>(Escaped<'a>);

impl<'a> Code<'a> {
    fn new(text: &'a str) -> Self {
        Self(Escaped::new(text))
    }

    fn os(text: &'a OsStr) -> Self {
        Self(Escaped::bytes(text.as_encoded_bytes()))
    }
}

impl fmt::Display for Code<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        if text.trim().is_empty() {
            return f.write_str("(empty)");
        }
        // A span ends at as many backticks as it begins with. Spaces at both ends are removed when it is rendered.
        let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
        let fence = "`".repeat(longest + 1);
        let space = if text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) { " " } else { "" };
        write!(f, "{fence}{space}{}{space}{fence}", text.replace('|', "\\|"))
    }
}
