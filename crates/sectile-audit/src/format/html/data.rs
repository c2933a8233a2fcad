//! Writes the rows as data for the script of the page.

use std::io::{self, Write};

use super::family::SectionFamily;
use crate::row::RowSource;
use crate::{Completeness, Row, RowKind};
use sectile::Escaped;
use sectile::FindingCode;
use sectile::internal::beginning;
use sectile::internal::json::{write_array, write_text};
use sectile::metadata::Field;
use sectile_policy::{JudgedFinding, PolicyLocation};

/// Maximum length of a text in bytes. JSON lines contain all of it.
const MAX_TEXT_LEN: usize = 2_000;
/// Maximum length of a list.
const MAX_LIST_LEN: usize = 200;
/// The largest integer that a script represents exactly.
const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

/// Writes a row as an array on one line. `rows.js` names its elements.
pub(in crate::format) fn row(row: &Row<'_>, out: &mut Vec<u8>) -> io::Result<()> {
    if starts_element(row.nth) {
        out.extend(b"</script>\n<script type=\"application/json\" class=\"rows\">\n");
    }
    let start = out.len();
    write_row(row, out)?;
    escape_markup(out, start);
    Ok(())
}

/// Whether a row starts a new script element, as about one in 512 does. The browser stays responsive between elements.
///
/// Rows are written without knowing the others, so their number decides.
pub(super) const fn starts_element(nth: u64) -> bool {
    nth.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 55 == 1
}

fn write_row(row: &Row<'_>, out: &mut Vec<u8>) -> io::Result<()> {
    write!(out, "[\"{}\",", row.nth)?;
    text(out, &name(row.file.as_encoded_bytes()))?;
    write!(out, ",")?;
    write_array(out, row.other_names.iter().take(MAX_LIST_LEN), |out, other| {
        text(out, &name(other.as_encoded_bytes()))
    })?;
    write!(out, ",{},", row.other_names.len())?;
    optional_number(out, row.size)?;
    write!(out, ",")?;
    optional_text(out, row.digest.as_deref())?;
    write!(out, ",{},{},", u8::from(row.verified), row.completeness as u8)?;
    match &row.reason {
        None => write!(out, "0")?,
        Some(reason) => {
            write!(out, "[")?;
            text(out, &reason.message)?;
            write!(out, ",")?;
            optional_number(out, reason.offset)?;
            write!(out, "]")?;
        }
    }
    write!(out, ",\"{}\",", row.kind.map_or("", |kind| kind.name()))?;
    optional_text(out, row.name.as_deref())?;
    write!(out, ",")?;
    write_array(out, &row.annotations, |out, (field, value)| {
        write!(out, "[{},", *field as u8)?;
        text(out, value)?;
        write!(out, "]")
    })?;
    write!(out, ",")?;
    number(out, row.items)?;
    write!(out, ",")?;
    write_array(out, row.producers.iter().take(MAX_LIST_LEN), |out, producer| {
        write_array(out, producer, |out, part| text(out, part))
    })?;
    write!(out, ",")?;
    number(out, row.package_count)?;
    write!(out, ",")?;
    write_array(out, &row.section_totals, |out, share| {
        write!(out, "[{},", SectionFamily::for_kind(&share.kind) as usize)?;
        text(out, &share.kind)?;
        write!(out, ",")?;
        number(out, share.sections)?;
        write!(out, ",")?;
        number(out, share.bytes)?;
        write!(out, "]")
    })?;
    write!(out, ",")?;
    match &row.largest {
        None => write!(out, "0")?,
        Some(largest) => {
            write!(out, "[")?;
            text(out, &largest.kind)?;
            write!(out, ",")?;
            optional_text(out, largest.name.as_deref())?;
            write!(out, ",")?;
            number(out, largest.bytes)?;
            write!(out, "]")?;
        }
    }
    write!(out, ",")?;
    write_array(out, &row.spans, |out, span| {
        write!(out, "[{},", SectionFamily::for_kind(span.name.as_deref().unwrap_or(&span.kind)) as usize)?;
        text(out, &span.kind)?;
        write!(out, ",")?;
        optional_text(out, span.name.as_deref())?;
        write!(out, ",{},", span.depth)?;
        number(out, span.range.0)?;
        write!(out, ",")?;
        number(out, span.range.1.saturating_sub(span.range.0))?;
        write!(out, ",")?;
        number(out, span.sections)?;
        write!(out, "]")
    })?;
    write!(out, ",")?;
    write_array(out, &row.findings, write_finding)?;
    write!(out, ",{},", u8::from(row.accepted))?;
    number(out, row.bytes_read)?;
    write!(out, ",\"{}\",", row.row_kind.name())?;
    text(out, read_from(row))?;
    write!(out, "]")
}

fn write_finding(out: &mut Vec<u8>, judged: &JudgedFinding<'_>) -> io::Result<()> {
    let finding = judged.finding();
    let refused = u8::from(judged.is_refused());
    write!(out, "[{},{},{refused},\"{}\",", finding.code() as usize, judged.severity() as u8, finding.path())?;
    number(out, finding.offset())?;
    write!(out, ",")?;
    optional_text(out, finding.section())?;
    write!(out, ",")?;
    text(out, finding.message())?;
    write!(out, ",")?;
    number(out, finding.count())?;
    write!(out, ",")?;
    location(out, judged.location())?;
    if let Some(exception) = judged.exception() {
        write!(out, ",[")?;
        text(out, exception.reason())?;
        write!(out, ",")?;
        optional_text(out, exception.expiry().map(|day| day.to_string()).as_deref())?;
        write!(out, ",")?;
        location(out, exception.location())?;
        write!(out, "]")?;
    }
    write!(out, "]")
}

/// The source of the data if no bytes were read for the row alone. Empty if the number needs no explanation.
fn read_from(row: &Row<'_>) -> &'static str {
    match (&row.source, row.row_kind, row.completeness) {
        _ if row.bytes_read > 0 => "",
        (_, RowKind::Archive, _) => "counted with its entries",
        (_, _, Completeness::Unread | Completeness::Skipped) => "nothing",
        (RowSource::Baseline(_), ..) => "taken from the earlier report",
        (RowSource::Report(_), ..) => "inflated from its archive",
    }
}

/// Writes the names that the script uses for numbered codes, fields and families.
pub(super) fn tables(out: &mut Vec<u8>) -> io::Result<()> {
    write!(out, "{{\"codes\":")?;
    write_array(out, FindingCode::ALL, |out, code| {
        write!(out, "[\"{code}\",")?;
        for (nth, text) in [code.help(), code.why(), code.fix()].into_iter().enumerate() {
            write!(out, "{}", if nth > 0 { "," } else { "" })?;
            write_text(out, text)?;
        }
        write!(out, "]")
    })?;
    write!(out, ",\"fields\":")?;
    write_array(out, Field::ALL, |out, field| write!(out, "\"{field}\""))?;
    write!(out, ",\"families\":")?;
    write_array(out, SectionFamily::ALL, |out, family| write!(out, "[\"{}\",\"{}\"]", family.class(), family.label()))?;
    write!(out, "}}")?;
    escape_markup(out, 0);
    Ok(())
}

/// A file name as text. The bytes of a name that is not UTF-8 are escaped.
fn name(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(name) => name.to_owned(),
        Err(_) => Escaped::bytes(bytes).to_string(),
    }
}

fn text(out: &mut Vec<u8>, text: &str) -> io::Result<()> {
    if text.len() <= MAX_TEXT_LEN {
        return write_text(out, text);
    }
    write_text(out, &format!("{}… ({} bytes)", beginning(text, MAX_TEXT_LEN), text.len()))
}

fn optional_text(out: &mut Vec<u8>, value: Option<&str>) -> io::Result<()> {
    match value {
        Some(value) => text(out, value),
        None => write!(out, "null"),
    }
}

fn location(out: &mut Vec<u8>, location: Option<&PolicyLocation>) -> io::Result<()> {
    optional_text(out, location.map(ToString::to_string).as_deref())
}

fn number(out: &mut Vec<u8>, number: u64) -> io::Result<()> {
    if number <= MAX_SAFE_INTEGER { write!(out, "{number}") } else { write!(out, "\"{number}\"") }
}

fn optional_number(out: &mut Vec<u8>, value: Option<u64>) -> io::Result<()> {
    match value {
        Some(value) => number(out, value),
        None => write!(out, "null"),
    }
}

/// Escapes the characters that could end the script element, and general punctuation, which includes line separators
/// and bidirectional controls. In JSON these characters occur in strings only.
fn escape_markup(out: &mut Vec<u8>, start: usize) {
    let is_escaped = |byte: &u8| matches!(byte, b'<' | b'>' | b'&' | 0xe2);
    let Some(first) = out[start..].iter().position(is_escaped) else { return };
    let rest = out.split_off(start + first);
    let mut at = 0;
    while at < rest.len() {
        let (character, length) = match rest[at..] {
            [character @ (b'<' | b'>' | b'&'), ..] => (u32::from(character), 1),
            [0xe2, second @ (0x80 | 0x81), third, ..] => {
                (0x2000 | u32::from(second & 1) << 6 | u32::from(third & 0x3f), 3)
            }
            _ => {
                out.push(rest[at]);
                at += 1;
                continue;
            }
        };
        _ = write!(out, "\\u{character:04x}");
        at += length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_data_parses_to_the_same_text() {
        let general: String = ('\u{2000}'..='\u{20ff}').collect();
        for hostile in ["</script><!--&amp;", "a\u{2028}b\u{2029}\u{202e}…", "é日本\u{10ffff}", &general, "\"\\\0"]
        {
            let mut out = b"<".to_vec();
            text(&mut out, hostile).unwrap();
            escape_markup(&mut out, 1);
            assert!(!out[1..].iter().any(|byte| matches!(byte, b'<' | b'>' | b'&')));
            assert_eq!(serde_json::from_slice::<String>(&out[1..]).unwrap(), hostile);
        }
        let mut out = Vec::new();
        text(&mut out, &"é".repeat(2_000)).unwrap();
        assert!(out.len() < 2_100);
    }
}
