//! The rows as data in the page.

use std::io::{self, Write};

use super::family::Family;
use crate::audit::Row;
use crate::escape::{Escaped, beginning};
use crate::finding::Code;
use crate::json::{write_array, write_text};
use crate::metadata::Field;

/// The longest text, in bytes, that the page holds of a value. JSON lines have all of it.
const LONGEST: usize = 2_000;
/// Of lists, so many.
const MOST: usize = 200;
/// The largest number that a script holds exactly.
const LARGEST: u64 = (1 << 53) - 1;

/// Writes a row as an array in a line. Its places are named in `rows.js`.
pub(in crate::audit::form) fn row(row: &Row<'_>, out: &mut Vec<u8>) -> io::Result<()> {
    if begins_element(row.nth) {
        out.extend(b"</script>\n<script type=\"application/json\" class=\"rows\">\n");
    }
    let start = out.len();
    write_row(row, out)?;
    disarm(out, start);
    Ok(())
}

/// Whether a row is the first in another element: about one in 512 is. The script reads element by element, and lets the browser
/// breathe in between; and since rows are written without knowing of the others, their numbers must say it.
pub(super) const fn begins_element(nth: u64) -> bool {
    nth.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 55 == 1
}

fn write_row(row: &Row<'_>, out: &mut Vec<u8>) -> io::Result<()> {
    write!(out, "[\"{}\",", row.nth)?;
    text(out, &name(row.file.as_encoded_bytes()))?;
    write!(out, ",")?;
    write_array(out, row.others.iter().take(MOST), |out, other| text(out, &name(other.as_encoded_bytes())))?;
    write!(out, ",{},", row.others.len())?;
    optional_number(out, row.size)?;
    write!(out, ",")?;
    optional_text(out, row.digest.as_deref())?;
    write!(out, ",{},{},", u8::from(row.verified), row.ended as u8)?;
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
    write_array(out, row.producers.iter().take(MOST), |out, producer| {
        write_array(out, producer, |out, part| text(out, part))
    })?;
    write!(out, ",")?;
    number(out, row.packages)?;
    write!(out, ",")?;
    write_array(out, &row.shares, |out, share| {
        write!(out, "[{},", Family::of(&share.kind) as usize)?;
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
    write_array(out, &row.drawn, |out, drawn| {
        write!(out, "[{},", Family::of(drawn.name.as_deref().unwrap_or(&drawn.kind)) as usize)?;
        text(out, &drawn.kind)?;
        write!(out, ",")?;
        optional_text(out, drawn.name.as_deref())?;
        write!(out, ",{},", drawn.depth)?;
        number(out, drawn.range.0)?;
        write!(out, ",")?;
        number(out, drawn.range.1.saturating_sub(drawn.range.0))?;
        write!(out, ",")?;
        number(out, drawn.sections)?;
        write!(out, "]")
    })?;
    write!(out, ",")?;
    write_array(out, &row.judged, |out, judged| {
        let finding = &judged.finding;
        let refused = u8::from(judged.refused);
        write!(out, "[{},{},{refused},\"{}\",", finding.code as usize, judged.severity as u8, finding.path)?;
        number(out, finding.offset)?;
        write!(out, ",")?;
        optional_text(out, finding.section.as_deref())?;
        write!(out, ",")?;
        text(out, &finding.message)?;
        write!(out, ",")?;
        number(out, finding.count)?;
        if let Some(exception) = &judged.excepted {
            write!(out, ",")?;
            text(out, exception.reason())?;
        }
        write!(out, "]")
    })?;
    write!(out, ",{},", u8::from(row.accepted))?;
    number(out, row.bytes_read)?;
    write!(out, "]")
}

/// What the script calls codes and fields, by their numbers.
pub(super) fn tables(out: &mut Vec<u8>) -> io::Result<()> {
    write!(out, "{{\"codes\":")?;
    write_array(out, Code::ALL, |out, code| {
        write!(out, "[\"{code}\",")?;
        write_text(out, code.help())?;
        write!(out, "]")
    })?;
    write!(out, ",\"fields\":")?;
    write_array(out, Field::ALL, |out, field| write!(out, "\"{field}\""))?;
    write!(out, ",\"families\":")?;
    write_array(out, Family::ALL, |out, family| write!(out, "[\"{}\",\"{}\"]", family.class(), family.label()))?;
    write!(out, "}}")?;
    disarm(out, 0);
    Ok(())
}

/// A file's name; the bytes of one that is no text are written out.
fn name(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(name) => name.to_owned(),
        Err(_) => Escaped::bytes(bytes).to_string(),
    }
}

fn text(out: &mut Vec<u8>, text: &str) -> io::Result<()> {
    if text.len() <= LONGEST {
        return write_text(out, text);
    }
    write_text(out, &format!("{}… ({} bytes)", beginning(text, LONGEST), text.len()))
}

fn optional_text(out: &mut Vec<u8>, value: Option<&str>) -> io::Result<()> {
    match value {
        Some(value) => text(out, value),
        None => write!(out, "null"),
    }
}

fn number(out: &mut Vec<u8>, number: u64) -> io::Result<()> {
    if number <= LARGEST { write!(out, "{number}") } else { write!(out, "\"{number}\"") }
}

fn optional_number(out: &mut Vec<u8>, value: Option<u64>) -> io::Result<()> {
    match value {
        Some(value) => number(out, value),
        None => write!(out, "null"),
    }
}

/// Writes out what would end the element that the JSON stands in, and general punctuation, to which separators of lines and
/// bidirectional controls belong. In JSON these characters stand in strings alone.
fn disarm(out: &mut Vec<u8>, start: usize) {
    let is_armed = |byte: &u8| matches!(byte, b'<' | b'>' | b'&' | 0xe2);
    let Some(first) = out[start..].iter().position(is_armed) else { return };
    let rest = out.split_off(start + first);
    let mut at = 0;
    while at < rest.len() {
        let (character, length) = match rest[at..] {
            [armed @ (b'<' | b'>' | b'&'), ..] => (u32::from(armed), 1),
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
    fn what_is_written_out_is_read_back() {
        let general: String = ('\u{2000}'..='\u{20ff}').collect();
        for hostile in ["</script><!--&amp;", "a\u{2028}b\u{2029}\u{202e}…", "é日本\u{10ffff}", &general, "\"\\\0"]
        {
            let mut out = b"<".to_vec();
            text(&mut out, hostile).unwrap();
            disarm(&mut out, 1);
            assert!(!out[1..].iter().any(|byte| matches!(byte, b'<' | b'>' | b'&')));
            assert_eq!(serde_json::from_slice::<String>(&out[1..]).unwrap(), hostile);
        }
        let mut out = Vec::new();
        text(&mut out, &"é".repeat(2_000)).unwrap();
        assert!(out.len() < 2_100);
    }
}
