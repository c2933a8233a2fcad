//! Writes one self-contained page: the summary, a table of all rows, and a page for each blob.
//!
//! The summary is static markup. The rows are data, one JSON line each; a script builds the table and the pages from
//! them. The page loads nothing: its content security policy allows only its own script and style, by their digests.
//!
//! Values of the input reach the page as text only. They are escaped in markup, cannot end a script element in data,
//! and the script sets text, never markup.

mod data;
mod family;
mod overview;
mod text;

use std::io::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

pub(super) use self::data::row;
pub(super) use self::text::HtmlText;
use crate::{AuditInfo, Stop, Summary};
use sectile::digest::Digest;

const STYLE: &str = include_str!("page.css");
/// All script files in one scope.
const SCRIPT: &str = concat!(
    "\"use strict\";\n(() => {\n",
    include_str!("text.js"),
    include_str!("rows.js"),
    include_str!("query.js"),
    include_str!("table.js"),
    include_str!("blob.js"),
    include_str!("map.js"),
    include_str!("page.js"),
    "})();\n"
);
/// The logo: a square cut into three parts.
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E\
    %3Cpath fill='%233d6ea8' d='M1 1h8L4 15H1z'/%3E%3Cpath fill='%23d19a2e' d='M10.200 1H15v5.600L8.500 5.700z'/%3E\
    %3Cpath fill='%23b8475f' d='M8.100 6.800 15 7.700V15H5.200z'/%3E%3C/svg%3E";

/// Writes everything before the rows, and begins their data.
pub(super) fn head(info: &AuditInfo, out: &mut dyn Write) -> io::Result<()> {
    let [style, script] = [STYLE, SCRIPT].map(|text| STANDARD.encode(Digest::new(text.as_bytes()).as_bytes()));
    let mut paths: Vec<String> =
        info.paths.iter().take(3).map(|path| HtmlText::bytes(path.as_encoded_bytes()).to_string()).collect();
    if info.paths.len() > paths.len() {
        paths.push(format!("{} more", info.paths.len() - paths.len()));
    }
    let title = if paths.is_empty() { "an audit".to_owned() } else { paths.join(", ") };
    write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'sha256-{script}'; \
         style-src 'sha256-{style}'; img-src data:; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{title} · Sectile audit</title>\n<link rel=\"icon\" href=\"{ICON}\">\n<style>{STYLE}</style>\n</head>\n<body>\n"
    )?;
    overview::masthead(info, &title, out)?;
    writeln!(
        out,
        "<p id=\"loading\" role=\"status\" hidden>Reading the rows …</p>\n<script type=\"application/json\" class=\"rows\">"
    )
}

/// Writes everything after the rows: the summary, the names that the script uses, and the script.
pub(super) fn tail(summary: &Summary, stop: Option<&Stop>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n</script>")?;
    overview::write(summary, stop, out)?;
    let mut tables = Vec::new();
    data::tables(&mut tables)?;
    out.write_all(b"<script type=\"application/json\" id=\"tables\">")?;
    out.write_all(&tables)?;
    write!(out, "</script>\n<script>{SCRIPT}</script>\n</body>\n</html>\n")
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::family::SectionFamily;
    use super::*;
    use crate::format::Format;
    use crate::sample::{HOSTILE, bare, excused, finding, hostile, info, usual, written};
    use crate::{Audit, Completeness, RowKind};
    use sectile::metadata::Field;
    use sectile::{FindingCode, Severity};
    use sectile_policy::Policy;

    fn page() -> (String, usize) {
        let rows: Vec<_> = (0..2_500).map(|nth| if nth % 7 == 0 { hostile(nth) } else { usual(nth) }).collect();
        let stop = Stop { after: Some(HOSTILE[0].into()) };
        (String::from_utf8(written(Format::Html, &rows, Some(&stop))).unwrap(), rows.len())
    }

    /// The lines that a browser sees in the data elements.
    fn lines(page: &str) -> Vec<Value> {
        let elements = page.split("<script type=\"application/json\" class=\"rows\">").skip(1);
        let texts = elements.map(|rest| rest.split_once("</script>").unwrap().0);
        let lines = texts.flat_map(|text| text.lines().filter(|line| !line.is_empty()));
        lines.map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn page_data_equals_the_rows() {
        let (page, number) = page();
        let lines = lines(&page);
        assert_eq!(lines.len(), number);
        for (nth, line) in (0..).zip(&lines) {
            let row = if nth % 7 == 0 { hostile(nth) } else { usual(nth) };
            assert_eq!(line[0], nth.to_string());
            assert_eq!(line[10], row.name.as_deref().unwrap());
            assert_eq!(line[17].as_array().unwrap().len(), row.spans.len());
            assert_eq!(line[18].as_array().unwrap().len(), row.findings.len());
        }
    }

    #[test]
    fn unnamed_policy_differs_from_no_policy() {
        let head_by = |policy: Policy| {
            let mut page = Vec::new();
            head(&Audit::new(policy).info, &mut page).unwrap();
            String::from_utf8(page).unwrap()
        };
        let mut stricter = Policy::default();
        stricter.refuse = Severity::Warning;
        assert!(head_by(Policy::default()).contains("none: errors refuse"));
        assert!(!head_by(stricter).contains("errors refuse"));
    }

    /// All script elements are written by this module; no value adds one.
    #[test]
    fn values_do_not_become_markup() {
        let (page, number) = page();
        assert_eq!(page.matches("<script").count(), page.matches("</script>").count());
        let begun = (0..number as u64).filter(|nth| data::starts_element(*nth)).count();
        assert!(begun > 2);
        assert_eq!(page.matches("<script").count(), 1 + begun + 2, "of rows, of the tables, and the page's own");
        assert!(!page.contains("<script>alert"));
        let (_, body) = page.split_once("<body>").unwrap();
        let (markup, _) = body.rsplit_once("<script>").unwrap();
        for hostile in ["<img", "onerror=alert(1)>", "<svg onload", "<style", "<!--", "\u{202e}", "\u{2028}", "\x1b"] {
            assert!(!markup.contains(hostile), "{hostile}");
        }
        assert!(!markup.contains(" style=") && !markup.contains("<a href=\"javascript"));
    }

    /// The constants in the script equal those in this crate.
    #[test]
    fn script_constants_equal_those_of_the_crate() {
        let (_, class) = SCRIPT.split_once("const DECEPTIVE = /[").unwrap();
        let (class, _) = class.split_once("]/u;").unwrap();
        let mut ranges: Vec<(u32, u32)> = Vec::new();
        let mut goes_on = false;
        for piece in class.split("\\u").skip(1) {
            let (code, ends_open) = (piece.trim_end_matches('-').trim_matches(['{', '}']), piece.ends_with('-'));
            let code = u32::from_str_radix(code, 16).unwrap();
            match ranges.last_mut() {
                Some(range) if goes_on => range.1 = code,
                _ => ranges.push((code, code)),
            }
            goes_on = ends_open;
        }
        for character in '\0'..=char::MAX {
            let is_written_out = ranges.iter().any(|&(from, to)| (from..=to).contains(&u32::from(character)));
            assert_eq!(is_written_out, sectile::internal::is_deceptive(character), "{character:?}");
        }
        let list = |names: &[&str]| format!("{names:?};");
        assert!(SCRIPT.contains(&list(&Completeness::ALL.map(Completeness::name))));
        assert!(SCRIPT.contains(&list(&Severity::ALL.map(Severity::name))));
        for kind in RowKind::ALL {
            assert!(SCRIPT.contains(&format!("\"row:{}\"", kind.name())), "{}", kind.name());
        }
        for family in SectionFamily::ALL {
            assert!(STYLE.contains(&format!(".{}", family.class())), "{}", family.class());
        }
    }

    /// The content security policy allows exactly the script and the style in the page, and the page names no other
    /// source.
    #[test]
    fn content_security_policy_allows_only_the_page() {
        let (page, _) = page();
        let between = |open: &str, close: &str| {
            let (_, rest) = page.split_once(open).unwrap();
            rest.split_once(close).unwrap().0.to_owned()
        };
        let policy = between("Content-Security-Policy\" content=\"", "\"");
        for element in [between("<style>", "</style>"), between("<script>", "</script>")] {
            let digest = STANDARD.encode(Digest::new(element.as_bytes()).as_bytes());
            assert!(policy.contains(&format!("'sha256-{digest}'")));
        }
        assert!(policy.starts_with("default-src 'none'; "));
        for sink in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(", "fetch("] {
            assert!(!SCRIPT.contains(sink), "{sink}");
        }
        assert!(!STYLE.contains("url(") && !STYLE.contains("@import"));
        assert!(!SCRIPT.contains("</script") && !SCRIPT.contains("<!--"));
    }

    #[test]
    fn exceptions_show_their_reason() {
        let mut row = usual(0);
        row.findings =
            vec![excused(FindingCode::NotSpdx, HOSTILE[0]), finding(FindingCode::NotUrl, None, 9, "not excused")];
        let page = String::from_utf8(written(Format::Html, &[row], None)).unwrap();
        let judged = &lines(&page)[0][18];
        assert_eq!((judged[0].as_array().unwrap().len(), &judged[0][9][0]), (10, &Value::from(HOSTILE[0])));
        assert_eq!(judged[1].as_array().unwrap().len(), 9);
    }

    #[test]
    fn long_lists_are_counted() {
        let mut page = Vec::new();
        let paths = (0..12).map(|nth| format!("<{nth}>").into()).collect();
        head(&AuditInfo { paths, ..info() }, &mut page).unwrap();
        let title = "&lt;0&gt;, &lt;1&gt;, &lt;2&gt;, 9 more";
        assert!(String::from_utf8(page).unwrap().contains(title));
        // More licenses than are counted separately, and blobs that repeat an uncounted one.
        let licensed = |nth: u64| {
            let mut row = bare(nth, std::ffi::OsStr::new("f"));
            row.annotations.push((Field::Licenses, format!("{:05}", nth.min(4_999)).into()));
            row
        };
        let rows: Vec<_> = (0..4_096 + 2_000).map(licensed).collect();
        let page = String::from_utf8(written(Format::Html, &rows, None)).unwrap();
        assert!(page.contains("and 2,000 blobs with licenses that are not counted one by one"));
        assert!(!String::from_utf8(written(Format::Html, &rows[..4_096], None)).unwrap().contains("one by one"));
    }

    #[test]
    fn stopped_audit_names_its_last_row() {
        let page = |stop| String::from_utf8(written(Format::Html, &[], Some(&stop))).unwrap();
        assert!(page(Stop { after: None }).contains("No row was written."));
        assert!(page(Stop { after: Some("<a>".into()) }).contains("The last row is for <code>&lt;a&gt;</code>."));
    }
}
