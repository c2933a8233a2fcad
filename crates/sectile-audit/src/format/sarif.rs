//! Writes SARIF 2.1.0: one run, a rule for each finding code and each advisory, a result for each finding.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::Path;

use crate::{AuditInfo, Completeness, Row, RowCount, RowKind, Stop, Summary};
use sectile::Escaped;
use sectile::digest::Hasher;
use sectile::internal::json::{write_array, write_object, write_text};
use sectile::{Finding, FindingCode, Severity};
use sectile_advisories::{Affected, is_web_address};
use sectile_policy::JudgedFinding;
use sectile_policy::diff::{RowChange, SavedFinding};

/// Maximum number of further names in a result.
const MAX_OTHER_NAMES: usize = 16;
/// The name and the version of the fingerprint. The version changes if the hashed values change.
const FINGERPRINT: &str = "sectileFinding/v1";

/// Writes the start of the log, up to the results.
pub(super) fn head(out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "{{\"$schema\":\"https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json\",\
         \"version\":\"2.1.0\",\"runs\":[{{\"results\":["
    )
}

/// Writes the tool and its rules: the codes of findings, and the advisories that were found.
fn tool(summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    let mut out = out;
    write!(
        out,
        "{{\"driver\":{{\"name\":\"sectile\",\"semanticVersion\":\"{}\",\"rules\":[",
        env!("CARGO_PKG_VERSION")
    )?;
    for (nth, code) in FindingCode::ALL.into_iter().enumerate() {
        write!(
            out,
            "{}\n{{\"id\":\"{code}\",\"name\":\"{}\",\"shortDescription\":{{\"text\":",
            if nth > 0 { "," } else { "" },
            pascal_case(code.name())
        )?;
        write_message(&mut out, code.help())?;
        write!(out, "}},\"fullDescription\":{{\"text\":")?;
        write_message(&mut out, &format!("{} {}", code.help(), code.why()))?;
        write!(out, "}},\"help\":{{\"text\":")?;
        write_text(&mut out, &format!("{}\n\n{}\n\n{}", code.help(), code.why(), code.fix()))?;
        write!(out, "}},\"defaultConfiguration\":{{\"level\":\"{}\"}}}}", code.severity())?;
    }
    let mut ids = HashSet::new();
    for count in summary.advisories().filter(|count| ids.insert(&*count.affected.advisory().id)) {
        writeln!(out, ",")?;
        advisory_rule(&count.affected, &mut out)?;
    }
    write!(out, "]}}}}")
}

/// Writes the rule of an advisory.
fn advisory_rule(affected: &Affected, out: &mut impl Write) -> io::Result<()> {
    let (advisory, fixed) = (affected.advisory(), affected.fixed());
    write!(out, "{{\"id\":")?;
    write_text(out, &advisory.id)?;
    let title = if advisory.title.is_empty() { &advisory.id } else { &advisory.title };
    write!(out, ",\"shortDescription\":{{\"text\":")?;
    write_message(out, title)?;
    write!(out, "}},\"help\":{{\"text\":")?;
    let package = Escaped::new(affected.package());
    let update = match fixed {
        [] => format!("No fixed version of {package} is known. Replace the package."),
        fixed => format!("Update {package} to {}, then build the binary again.", Escaped::new(&fixed.join(" or "))),
    };
    write_text(out, &format!("{}\n\n{update}\n\n{}", Escaped::new(title), Escaped::new(&advisory.url)))?;
    write!(out, "}}")?;
    if is_web_address(&advisory.url) {
        write!(out, ",\"helpUri\":")?;
        write_text(out, &advisory.url)?;
    }
    write!(out, ",\"properties\":{{\"tags\":[\"security\",\"{}\"]", advisory.class.name())?;
    if let Some(score) = advisory.score {
        write!(out, ",\"security-severity\":\"{score}\"")?;
    }
    write!(out, ",\"aliases\":")?;
    write_array(out, &*advisory.aliases, |out, alias| write_text(out, &Escaped::new(alias).to_string()))?;
    write!(out, "}}}}")
}

/// Writes the results of a row, separated by commas. A row without findings has none.
pub(super) fn row(row: &Row<'_>, out: &mut Vec<u8>) -> io::Result<()> {
    let gone = row.change.as_ref().map_or(&[][..], |change| change.findings.gone());
    if row.findings.is_empty() && gone.is_empty() {
        return Ok(());
    }
    let uri = uri(&row.file);
    for (nth, judged) in row.findings.iter().enumerate() {
        if nth > 0 {
            out.extend(b",\n");
        }
        result(row, &uri, nth, judged, out)?;
    }
    if !row.findings.is_empty() && !gone.is_empty() {
        out.extend(b",\n");
    }
    absent(gone, &uri, out)
}

/// Writes the results of a row that only an earlier report has.
pub(super) fn gone(change: &RowChange, out: &mut Vec<u8>) -> io::Result<()> {
    let Some(row) = &change.old else { return Ok(()) };
    absent(row.findings(), &uri(row.facts().file()), out)
}

/// Writes the results that only an earlier report has, separated by commas.
fn absent(findings: &[SavedFinding], uri: &str, out: &mut Vec<u8>) -> io::Result<()> {
    for (nth, finding) in findings.iter().enumerate() {
        if nth > 0 {
            out.extend(b",\n");
        }
        write!(out, "{{\"ruleId\":")?;
        write_text(out, finding.advisory.as_ref().map_or(&*finding.code, |advisory| &advisory.id))?;
        write!(out, ",\"level\":")?;
        write_text(out, &finding.severity)?;
        write!(out, ",\"baselineState\":\"absent\",\"message\":{{\"text\":")?;
        write_message(out, &finding.message)?;
        write!(out, "}},\"locations\":[{{\"physicalLocation\":{{\"artifactLocation\":{{\"uri\":")?;
        write_text(out, uri)?;
        write!(out, "}}}}}}]}}")?;
    }
    Ok(())
}

fn result(row: &Row<'_>, uri: &str, nth: usize, judged: &JudgedFinding<'_>, out: &mut Vec<u8>) -> io::Result<()> {
    let finding = judged.finding();
    let code = finding.code();
    match judged.advisory() {
        Some(found) => {
            write!(out, "{{\"ruleId\":")?;
            write_text(out, &found.advisory().id)?;
        }
        None => write!(out, "{{\"ruleId\":\"{code}\",\"ruleIndex\":{}", code as usize)?,
    }
    write!(out, ",\"level\":\"{}\"", judged.severity())?;
    if let Some(state) = row.change.as_ref().and_then(|change| change.findings.states().get(nth)) {
        write!(out, ",\"baselineState\":\"{}\"", state.name())?;
    }
    write!(out, ",\"message\":{{\"text\":")?;
    write_message(out, finding.message())?;
    write!(out, "}},\"locations\":[{{\"physicalLocation\":{{\"artifactLocation\":{{\"uri\":")?;
    write_text(out, uri)?;
    write!(out, "}}")?;
    // The integers of the schema are signed.
    if let Ok(offset) = i64::try_from(finding.offset()) {
        write!(out, ",\"region\":{{\"byteOffset\":{offset},\"byteLength\":0}}")?;
    }
    write!(out, "}},\"logicalLocations\":[")?;
    logical_location(finding, out)?;
    write!(out, "]}}]")?;
    if finding.count() > 1 {
        write!(out, ",\"occurrenceCount\":{}", finding.count().min(i64::MAX as u64))?;
    }
    write!(out, ",\"partialFingerprints\":{{\"{FINGERPRINT}\":\"{}\"}}", fingerprint(row, nth))?;
    if let Some(exception) = judged.exception() {
        write!(out, ",\"suppressions\":[{{\"kind\":\"external\",\"status\":\"accepted\",\"justification\":")?;
        write_text(out, &Escaped::new(exception.reason()).to_string())?;
        if let Some(location) = exception.location() {
            write!(out, ",\"properties\":{{\"rule\":")?;
            write_text(out, &Escaped::new(&location.to_string()).to_string())?;
            write!(out, "}}")?;
        }
        write!(out, "}}]")?;
    }
    if let Some(location) = judged.location() {
        write!(out, ",\"relatedLocations\":[{{\"physicalLocation\":{{\"artifactLocation\":{{\"uri\":")?;
        write_text(out, &self::uri(location.file().as_ref()))?;
        write!(
            out,
            "}},\"region\":{{\"startLine\":{}}}}},\"message\":{{\"text\":\"the rule\"}}}}]",
            location.line().max(1)
        )?;
    }
    write!(out, ",\"properties\":{{\"row\":\"{}\",\"refused\":{}", row.row_kind.name(), judged.is_refused())?;
    write!(out, ",\"rule\":")?;
    match judged.location() {
        Some(location) => write_text(out, &Escaped::new(&location.to_string()).to_string())?,
        None => write!(out, "null")?,
    }
    if let Some(digest) = &row.digest {
        write!(out, ",\"digest\":")?;
        write_text(out, digest)?;
        write!(out, ",\"verified\":{}", row.verified)?;
    }
    if !row.other_names.is_empty() {
        write!(out, ",\"otherNames\":{},\"others\":", row.other_names.len())?;
        write_array(out, row.other_names.iter().take(MAX_OTHER_NAMES), |out, name| write_text(out, &shown(name)))?;
    }
    write!(out, "}}}}")
}

/// Writes the item and the section: `3/0`, `3/0 section licenses`.
fn logical_location(finding: &Finding, out: &mut Vec<u8>) -> io::Result<()> {
    let item = if finding.path().is_root() { "root".to_owned() } else { finding.path().to_string() };
    match finding.section() {
        None => write!(out, "{{\"name\":\"{item}\",\"fullyQualifiedName\":\"{item}\",\"kind\":\"module\"}}"),
        Some(section) => {
            let section = Escaped::new(section).to_string();
            write!(out, "{{\"name\":")?;
            write_text(out, &section)?;
            write!(out, ",\"fullyQualifiedName\":")?;
            write_text(out, &format!("{item} section {section}"))?;
            write!(out, ",\"kind\":\"resource\"}}")
        }
    }
}

/// Computes the fingerprint of a finding, which is stable across audits and unique within one.
///
/// It covers the file, the code, the item, the section, and the number of equal findings before. It does not cover the
/// offset, which moves with every edit.
fn fingerprint(row: &Row<'_>, nth: usize) -> String {
    let finding = row.findings[nth].finding();
    let is_alike = |other: &&JudgedFinding<'_>| {
        let other = other.finding();
        (other.code(), other.path(), other.section()) == (finding.code(), finding.path(), finding.section())
    };
    let before = row.findings[..nth].iter().filter(is_alike).count();
    let section = finding.section();
    let mut hasher = Hasher::new();
    let path = finding.path().to_string();
    let mut parts = vec![row.file.as_encoded_bytes(), finding.code().name().as_bytes(), path.as_bytes()];
    if let Some(found) = row.findings[nth].advisory() {
        parts.extend([&*found.advisory().id, found.affected.package(), &found.version].map(str::as_bytes));
    }
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.update(&[u8::from(section.is_some())]);
    hasher.update(section.unwrap_or_default().as_bytes());
    hasher.update(&(before as u64).to_le_bytes());
    let mut hex = hasher.finish().hex();
    hex.truncate(32);
    hex
}

/// Writes the end of the results and the outcome of the run.
pub(super) fn tail(info: &AuditInfo, summary: &Summary, stop: Option<&Stop>, out: &mut dyn Write) -> io::Result<()> {
    let mut out = out;
    write!(out, "\n],\"tool\":")?;
    tool(summary, out)?;
    write!(out, ",\"invocations\":[{{\"executionSuccessful\":{}", stop.is_none())?;
    write!(out, ",\"toolExecutionNotifications\":")?;
    let broken = summary.rows_with(Completeness::Partial) + summary.rows_with(Completeness::Unread);
    let listed = summary.incomplete().count() as u64;
    let further =
        (broken > listed).then(|| format!("{} further files could not be read to their end", broken - listed));
    let stopped = stop.map(|stop| match &stop.after {
        Some(place) => format!("The audit was stopped after {}.", shown(place)),
        None => "The audit was stopped before its first row.".to_owned(),
    });
    let of_files = summary.incomplete().map(|blob| {
        let message = format!("{}: {}", blob.completeness.name(), blob.message);
        let level = if blob.completeness == Completeness::Unread { Severity::Error } else { Severity::Warning };
        (level, Cow::Owned(message), Some(&blob.file))
    });
    let others = further.map(|text| (Severity::Warning, text)).into_iter();
    let others = others.chain(stopped.map(|text| (Severity::Error, text)));
    let others = others.map(|(level, text)| (level, Cow::<str>::Owned(text), None));
    write_array(&mut out, of_files.chain(others), |out, (level, message, file)| {
        write!(out, "\n{{\"level\":\"{level}\",\"message\":{{\"text\":")?;
        write_message(out, &message)?;
        write!(out, "}}")?;
        if let Some(file) = file {
            write!(out, ",\"locations\":[{{\"physicalLocation\":{{\"artifactLocation\":{{\"uri\":")?;
            write_text(out, &uri(file))?;
            write!(out, "}}}}}}]")?;
        }
        write!(out, "}}")
    })?;
    write!(out, "}}],\"properties\":{{\"paths\":")?;
    write_array(&mut out, &info.paths, |out, path| write_text(out, &shown(path)))?;
    if let Some(policy) = &info.policy_name {
        write!(out, ",\"policy\":")?;
        write_text(&mut out, &shown(policy))?;
        write!(out, ",\"policyFingerprint\":")?;
        write_text(&mut out, &info.fingerprint)?;
    }
    if let Some(day) = &info.day {
        write!(out, ",\"day\":")?;
        write_text(&mut out, day)?;
    }
    if !info.databases.is_empty() {
        write!(out, ",\"databases\":")?;
        write_array(&mut out, &info.databases, |out, database| {
            write_text(out, &Escaped::new(&database.to_string()).to_string())
        })?;
    }
    let Summary { rows, accepted, refused, bytes, store_bytes, .. } = summary;
    let bytes_read = summary.store_bytes_read();
    write!(out, ",\"rows\":{rows},\"accepted\":{accepted},\"refused\":{refused}")?;
    write!(out, ",\"excepted\":{},\"unusedExceptions\":", summary.excepted)?;
    write_array(&mut out, summary.unused_exceptions(), |out, unused| {
        write!(out, "{{\"reason\":")?;
        write_text(out, &Escaped::new(&unused.reason).to_string())?;
        write!(out, ",\"rule\":")?;
        match &unused.location {
            Some(location) => write_text(out, &Escaped::new(&location.to_string()).to_string())?,
            None => write!(out, "null")?,
        }
        write!(out, "}}")
    })?;
    write!(out, ",\"byRow\":{{")?;
    for (nth, kind) in RowKind::ALL.into_iter().enumerate() {
        let RowCount { rows, accepted, refused, .. } = summary.rows_of(kind);
        let comma = if nth > 0 { "," } else { "" };
        let name = kind.plural();
        write!(out, "{comma}\"{name}\":{{\"rows\":{rows},\"accepted\":{accepted},\"refused\":{refused}}}")?;
    }
    write!(out, "}},\"notOpened\":{{\"files\":{},\"formats\":", summary.not_opened_files)?;
    write_object(&mut out, summary.not_opened(), |out, (format, files)| {
        write_text(out, &Escaped::new(format).to_string())?;
        write!(out, ":{files}")
    })?;
    writeln!(out, "}},\"bytes\":{bytes},\"storeBytes\":{store_bytes},\"bytesRead\":{bytes_read}}}}}]}}")
}

/// A name of the store as text.
fn shown(name: &OsStr) -> Cow<'_, str> {
    match name.to_str() {
        Some(name) => name.into(),
        None => Escaped::bytes(name.as_encoded_bytes()).to_string().into(),
    }
}

/// Writes a message, which may quote the input and is shown in a browser.
///
/// Deceptive characters are escaped. Links `[text](target)` and placeholders `{0}` are escaped as the specification
/// says (3.11.5, 3.11.6).
fn write_message(out: &mut impl Write, message: &str) -> io::Result<()> {
    let mut text = Escaped::new(message).to_string();
    if text.contains("](") {
        text = text.replace('\\', "\\\\").replace('[', "\\[").replace(']', "\\]");
    }
    let is_argument = |piece: &str| {
        piece
            .split_once('}')
            .is_some_and(|(number, _)| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
    };
    if text.split('{').skip(1).any(is_argument) {
        text = text.replace('{', "{{").replace('}', "}}");
    }
    write_text(out, &text)
}

/// The URI of a blob: relative for a relative path, with all other bytes percent-encoded.
fn uri(file: &OsStr) -> String {
    let bytes = file.as_encoded_bytes();
    let scheme = bytes.windows(3).position(|window| window == b"://").filter(|&end| {
        end > 1 && bytes[..end].iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
    });
    let mut uri = String::with_capacity(bytes.len() + 8);
    let first = bytes.split(|&byte| byte == b'/').next().unwrap_or_default();
    if scheme.is_some() {
        // The URL of an object has a scheme already.
    } else if Path::new(file).is_absolute() {
        uri += if bytes.starts_with(b"/") { "file://" } else { "file:///" };
    } else if first.contains(&b':') || first.is_empty() {
        uri += "./"; // otherwise the first segment would look like a scheme, or be empty
    }
    let after_scheme = scheme.map_or(0, |end| end + 3);
    uri.extend(bytes[..after_scheme].iter().map(|&byte| char::from(byte)));
    for &byte in &bytes[after_scheme..] {
        match byte {
            _ if is_of_path(byte) => uri.push(char::from(byte)),
            b'\\' if cfg!(windows) => uri.push('/'),
            _ => {
                use std::fmt::Write;
                _ = write!(uri, "%{byte:02X}");
            }
        }
    }
    uri
}

/// Whether a byte is valid in the path of a URI without encoding (RFC 3986, 3.3).
fn is_of_path(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~/!$&'()*+,;=:@".contains(&byte)
}

fn pascal_case(name: &str) -> String {
    name.split('-')
        .flat_map(|word| word[..1].chars().map(|c| c.to_ascii_uppercase()).chain(word[1..].chars()))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use serde_json::Value;

    use super::*;
    use crate::format::Format;
    use crate::sample::{counted, excused, finding, hostile, info, summary, usual, written};

    #[test]
    fn rules_explain_their_codes() {
        let log: Value = serde_json::from_slice(&written(Format::Sarif, &[], None)).unwrap();
        let rules = log["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
        for (rule, code) in rules.iter().zip(FindingCode::ALL) {
            let help = rule["help"]["text"].as_str().unwrap();
            assert!(help.contains(code.fix()) && help.contains(code.why()), "{code}");
            assert!(rule["fullDescription"]["text"].as_str().unwrap().starts_with(code.help()), "{code}");
        }
    }

    #[test]
    fn results_name_the_rule_of_the_policy() {
        let mut row = usual(0);
        row.findings =
            vec![finding(FindingCode::RefusedLicense, None, 9, "m"), finding(FindingCode::NotUrl, None, 9, "m")];
        let log: Value = serde_json::from_slice(&written(Format::Sarif, &[row], None)).unwrap();
        let results = &log["runs"][0]["results"];
        assert_eq!(results[0]["properties"]["rule"], "policy.toml:7");
        let place = &results[0]["relatedLocations"][0]["physicalLocation"];
        assert_eq!(
            (&place["artifactLocation"]["uri"], &place["region"]["startLine"]),
            (&"policy.toml".into(), &7.into())
        );
        assert_eq!((&results[1]["properties"]["rule"], results[1].get("relatedLocations")), (&Value::Null, None));
    }

    #[test]
    fn every_finding_is_a_result() {
        let rows: Vec<_> = (0..300).map(|nth| if nth % 3 == 0 { hostile(nth) } else { usual(nth) }).collect();
        let stop = Stop { after: Some("store/a".into()) };
        let text = written(Format::Sarif, &rows, Some(&stop));
        let log: Value = serde_json::from_slice(&text).unwrap();
        let run = &log["runs"][0];
        let results = run["results"].as_array().unwrap();
        let judged: Vec<_> = rows.iter().flat_map(|row| &row.findings).collect();
        assert_eq!(results.len(), judged.len());
        for (result, judged) in results.iter().zip(&judged) {
            let code = judged.finding().code();
            assert_eq!(result["ruleId"], *code.name());
            let index = result["ruleIndex"].as_u64().unwrap() as usize;
            assert_eq!(run["tool"]["driver"]["rules"][index]["id"], *code.name());
            assert_eq!(result["level"], *judged.severity().name());
            assert_eq!(result["properties"]["refused"], judged.is_refused());
        }
        let prints: HashSet<_> = results.iter().map(|result| result["partialFingerprints"].to_string()).collect();
        let of_files = |row: &&Row<'_>| !row.findings.is_empty();
        let files: HashSet<_> = rows.iter().filter(of_files).map(|row| &row.file).collect();
        assert!(prints.len() >= files.len());
        assert_eq!(run["invocations"][0]["executionSuccessful"], false);
        let broken = summary(&rows).incomplete().count();
        let notifications = run["invocations"][0]["toolExecutionNotifications"].as_array().unwrap();
        assert_eq!(notifications.len(), broken + 2); // the count of further files, and the stop
        let messages = results.iter().map(|result| result["message"]["text"].as_str().unwrap());
        assert!(!messages.into_iter().any(|message| message.contains(['\u{202e}', '\x1b'])));
    }

    #[test]
    fn log_without_rows_is_valid() {
        for rows in [vec![], vec![usual(1)]] {
            let log: Value = serde_json::from_slice(&written(Format::Sarif, &rows, None)).unwrap();
            assert_eq!(
                log["runs"][0]["results"].as_array().unwrap().len(),
                rows.iter().flat_map(|row| &row.findings).count()
            );
            assert_eq!(log["runs"][0]["invocations"][0]["executionSuccessful"], true);
            assert_eq!(log["runs"][0]["properties"]["day"], info().day.unwrap());
        }
    }

    #[test]
    fn paths_become_encoded_uris() {
        let cases = [
            ("a/b c.wasm", "a/b%20c.wasm"),
            ("dist/app.tgz!package/app.wasm", "dist/app.tgz!package/app.wasm"),
            ("a:b/c", "./a:b/c"),
            ("//a", "file:////a"),
            ("s3://bucket/a b", "s3://bucket/a%20b"),
            ("javascript:alert(1)", "./javascript:alert(1)"),
            ("100%<>\"?#[]", "100%25%3C%3E%22%3F%23%5B%5D"),
            ("é", "%C3%A9"),
        ];
        for (name, expected) in cases.into_iter().filter(|(name, _)| cfg!(unix) || !name.starts_with('/')) {
            assert_eq!(uri(OsStr::new(name)), expected);
        }
        #[cfg(unix)]
        {
            use std::os::unix::ffi::OsStrExt;
            assert_eq!(uri(OsStr::from_bytes(b"/a\xff\n")), "file:///a%FF%0A");
        }
    }

    #[test]
    fn messages_have_no_links_and_no_placeholders() {
        let message = |text: &str| {
            let mut out = Vec::new();
            write_message(&mut out, text).unwrap();
            serde_json::from_slice::<String>(&out).unwrap()
        };
        assert_eq!(message("see [here](javascript:alert)"), "see \\[here\\](javascript:alert)");
        assert_eq!(message("a {0} b"), "a {{0}} b");
        assert_eq!(message("a[0] {x} \u{202e}"), "a[0] {x} \\u{202e}");
    }

    /// A moved section keeps the fingerprint of its finding, and an equal finding gets another one.
    #[test]
    fn fingerprints_are_stable() {
        let mut row = usual(0);
        let judged = |offsets: [u64; 2]| offsets.map(|offset| finding(FindingCode::NotUrl, Some("source"), offset, ""));
        row.findings = judged([10, 20]).into();
        let before = [0, 1].map(|nth| fingerprint(&row, nth));
        row.findings = judged([17, 27]).into();
        assert_eq!([0, 1].map(|nth| fingerprint(&row, nth)), before);
        assert_ne!(before[0], before[1]);
        assert_eq!(row.codes(), [FindingCode::NotUrl]);
    }

    /// A finding with an exception is a suppressed result, with the reason.
    #[test]
    fn exception_is_a_suppression() {
        let mut row = usual(0);
        row.findings = vec![
            excused(FindingCode::NotSpdx, "theirs: \u{202e}</a>"),
            counted(FindingCode::NotUrl, None, 9, "not excused", u64::MAX),
        ];
        let log: Value = serde_json::from_slice(&written(Format::Sarif, &[row], None)).unwrap();
        let results = &log["runs"][0]["results"];
        let suppression = serde_json::json!([{
            "kind": "external", "status": "accepted", "properties": {"rule": "policy.toml:23"}, "justification": "theirs: \\u{202e}</a>",
        }]);
        assert_eq!((&results[0]["ruleId"], &results[0]["suppressions"]), (&"not-spdx".into(), &suppression));
        assert_eq!((&results[1]["ruleId"], results[1].get("suppressions")), (&"not-url".into(), None));
        let counts = [0, 1].map(|nth| results[nth].get("occurrenceCount").and_then(Value::as_i64));
        assert_eq!(counts, [None, Some(i64::MAX)]);
    }

    #[test]
    fn stop_before_the_first_row_is_a_notification() {
        let log: Value = serde_json::from_slice(&written(Format::Sarif, &[], Some(&Stop { after: None }))).unwrap();
        let invocation = &log["runs"][0]["invocations"][0];
        assert_eq!(invocation["executionSuccessful"], false);
        let notifications = invocation["toolExecutionNotifications"].as_array().unwrap();
        assert_eq!(notifications.len(), 1);
        assert_eq!(notifications[0]["message"]["text"], "The audit was stopped before its first row.");
    }
}
