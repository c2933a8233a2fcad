//! A page to be looked at in a browser, with everything in it: the summary, a table of all rows, a page for each blob.
//!
//! The summary is written here, and so is there without a script. The rows are data in the page, a line of JSON each; its script
//! makes the table and the pages of them. Nothing is loaded: the page says so itself, by a policy that allows its own script and
//! its own style, by their digests, and nothing else. A value of the input meets the page as text alone: in markup written here it
//! is escaped, in data nothing ends a script element, and the script sets texts, never markup.

mod data;
mod family;
mod overview;
mod text;

use std::io::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

pub(super) use self::data::row;
use self::text::Html;
use crate::audit::{About, Stop, Summary};
use crate::digest::Digest;

const STYLE: &str = include_str!("page.css");
/// One scope, in rooms of its own.
const SCRIPT: &str = concat!(
    "\"use strict\";\n(() => {\n",
    include_str!("rows.js"),
    include_str!("table.js"),
    include_str!("blob.js"),
    include_str!("map.js"),
    include_str!("page.js"),
    "})();\n"
);
/// The mark: a square that is cut along its joints.
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E\
    %3Cpath fill='%233d6ea8' d='M1 1h8L4 15H1z'/%3E%3Cpath fill='%23d19a2e' d='M10.200 1H15v5.600L8.500 5.700z'/%3E\
    %3Cpath fill='%23b8475f' d='M8.100 6.800 15 7.700V15H5.200z'/%3E%3C/svg%3E";

/// Writes what stands before the rows; their data begins.
pub(super) fn head(about: &About, out: &mut dyn Write) -> io::Result<()> {
    let [style, script] = [STYLE, SCRIPT].map(|text| STANDARD.encode(Digest::of(text.as_bytes()).as_bytes()));
    let mut paths: Vec<String> =
        about.paths.iter().take(3).map(|path| Html::bytes(path.as_encoded_bytes()).to_string()).collect();
    if about.paths.len() > paths.len() {
        paths.push(format!("{} more", about.paths.len() - paths.len()));
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
    overview::masthead(about, &title, out)?;
    writeln!(
        out,
        "<p id=\"loading\" role=\"status\" hidden>Reading the rows …</p>\n<script type=\"application/json\" class=\"rows\">"
    )
}

/// Writes what stands behind the rows: the summary, what the script names things by, and the script.
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

    use super::family::Family;
    use super::*;
    use crate::audit::form::Form;
    use crate::audit::sample::{HOSTILE, about, bare, excused, finding, hostile, usual, written};
    use crate::audit::{Audit, Ended};
    use crate::finding::{Code, Severity};
    use crate::metadata::Field;
    use crate::policy::Policy;

    fn page() -> (String, usize) {
        let rows: Vec<_> = (0..2_500).map(|nth| if nth % 7 == 0 { hostile(nth) } else { usual(nth) }).collect();
        let stop = Stop { behind: Some(HOSTILE[0].into()) };
        (String::from_utf8(written(Form::Html, &rows, Some(&stop))).unwrap(), rows.len())
    }

    /// What a browser takes for the content of the data's elements.
    fn lines(page: &str) -> Vec<Value> {
        let elements = page.split("<script type=\"application/json\" class=\"rows\">").skip(1);
        let texts = elements.map(|rest| rest.split_once("</script>").unwrap().0);
        let lines = texts.flat_map(|text| text.lines().filter(|line| !line.is_empty()));
        lines.map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn the_data_is_that_of_the_rows() {
        let (page, number) = page();
        let lines = lines(&page);
        assert_eq!(lines.len(), number);
        for (nth, line) in (0..).zip(&lines) {
            let row = if nth % 7 == 0 { hostile(nth) } else { usual(nth) };
            assert_eq!(line[0], nth.to_string());
            assert_eq!(line[10], row.name.as_deref().unwrap());
            assert_eq!(line[17].as_array().unwrap().len(), row.drawn.len());
            assert_eq!(line[18].as_array().unwrap().len(), row.judged.len());
        }
    }

    #[test]
    fn a_policy_without_a_name_is_one() {
        let head_by = |policy: Policy| {
            let mut page = Vec::new();
            head(&Audit::new(policy).about, &mut page).unwrap();
            String::from_utf8(page).unwrap()
        };
        let mut stricter = Policy::default();
        stricter.refuse = Severity::Warning;
        assert!(head_by(Policy::default()).contains("none: errors refuse"));
        assert!(!head_by(stricter).contains("errors refuse"));
    }

    /// There are as many elements as are written here, and none that a value has brought.
    #[test]
    fn no_value_becomes_markup() {
        let (page, number) = page();
        assert_eq!(page.matches("<script").count(), page.matches("</script>").count());
        let begun = (0..number as u64).filter(|nth| data::begins_element(*nth)).count();
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

    /// What the script says again of what is said elsewhere.
    #[test]
    fn the_script_agrees_with_what_it_stands_beside() {
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
            assert_eq!(is_written_out, crate::escape::is_deceptive(character), "{character:?}");
        }
        let list = |names: &[&str]| format!("{names:?};");
        assert!(SCRIPT.contains(&list(&Ended::ALL.map(Ended::name))));
        assert!(SCRIPT.contains(&list(&Severity::ALL.map(Severity::name))));
        for family in Family::ALL {
            assert!(STYLE.contains(&format!(".{}", family.class())), "{}", family.class());
        }
    }

    /// The policy allows what stands in the page, to the byte, and no other place is named that something could come from.
    #[test]
    fn nothing_else_may_run() {
        let (page, _) = page();
        let between = |open: &str, close: &str| {
            let (_, rest) = page.split_once(open).unwrap();
            rest.split_once(close).unwrap().0.to_owned()
        };
        let policy = between("Content-Security-Policy\" content=\"", "\"");
        for element in [between("<style>", "</style>"), between("<script>", "</script>")] {
            let digest = STANDARD.encode(Digest::of(element.as_bytes()).as_bytes());
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
    fn what_is_excused_says_why() {
        let mut row = usual(0);
        row.judged = vec![excused(Code::NotSpdx, HOSTILE[0]), finding(Code::NotUrl, None, 9, "not excused")];
        let page = String::from_utf8(written(Form::Html, &[row], None)).unwrap();
        let judged = &lines(&page)[0][18];
        assert_eq!((judged[0].as_array().unwrap().len(), &judged[0][8]), (9, &Value::from(HOSTILE[0])));
        assert_eq!(judged[1].as_array().unwrap().len(), 8);
        assert!(SCRIPT.contains("`excepted: ${reason}`"), "which shows it");
    }

    #[test]
    fn what_there_is_much_of_is_counted() {
        let mut page = Vec::new();
        let paths = (0..12).map(|nth| format!("<{nth}>").into()).collect();
        head(&About { paths, ..about() }, &mut page).unwrap();
        let title = "&lt;0&gt;, &lt;1&gt;, &lt;2&gt;, 9 more";
        assert!(String::from_utf8(page).unwrap().contains(title));
        // More licences than are counted one by one, and blobs that say the same of those that are not.
        let licensed = |nth: u64| {
            let mut row = bare(nth, std::ffi::OsStr::new("f"));
            row.annotations.push((Field::Licenses, format!("{:05}", nth.min(4_999)).into()));
            row
        };
        let rows: Vec<_> = (0..4_096 + 2_000).map(licensed).collect();
        let page = String::from_utf8(written(Form::Html, &rows, None)).unwrap();
        assert!(page.contains("and 2,000 blobs with licences that are not counted one by one"));
        assert!(!String::from_utf8(written(Form::Html, &rows[..4_096], None)).unwrap().contains("one by one"));
    }

    #[test]
    fn what_was_stopped_says_where() {
        let page = |stop| String::from_utf8(written(Form::Html, &[], Some(&stop))).unwrap();
        assert!(page(Stop { behind: None }).contains("There is no row."));
        assert!(page(Stop { behind: Some("<a>".into()) }).contains("The last row is that of <code>&lt;a&gt;</code>."));
    }
}
