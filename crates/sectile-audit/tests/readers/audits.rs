//! The audit's answer about all cases of a directory.

use std::collections::BTreeSet;
use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sectile_audit::{Audit, Format, Progress};
use sectile_policy::Policy;
use serde_json::Value;

use super::modules::LICENSE;

/// The audit's answer about one case.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    /// The modules with a row that has their license and does not accept them.
    pub(crate) listed: BTreeSet<usize>,
    /// The findings about archives: those of severity error, and those about unopened formats.
    pub(crate) errors: Vec<String>,
}

/// Codes of findings about an archive itself, not about a binary in it.
const ARCHIVE_CODES: [&str; 5] = ["archive-limit", "disputed-archive", "malformed-archive", "not-opened", "unreadable"];

/// Audits one file, to measure its time.
pub(crate) fn audit_file(file: &Path) {
    Audit::new(Policy::default()).run(&[file.into()], None, &mut std::io::sink(), &Progress::new()).unwrap();
}

/// A path in a row. Bytes that are not UTF-8 are encoded.
fn path_of(value: &Value) -> Option<String> {
    let decoded = || BASE64_STANDARD.decode(value["base64"].as_str()?).ok();
    value.as_str().map(str::to_owned).or_else(|| Some(String::from_utf8_lossy(&decoded()?).into_owned()))
}

/// Audits a directory with this number of files, by a policy that refuses the license of all
/// modules. Returns one answer per file.
pub(crate) fn audit(directory: &Path, files: usize) -> Vec<Answer> {
    let policy = format!("[licenses]\ndeny = [\"{LICENSE}\"]\n");
    let audit = Audit::new(Policy::parse("policy.toml", &policy).unwrap());
    let mut out = Vec::new();
    audit.run(&[directory.into()], Some(Format::Jsonl), &mut out, &Progress::new()).unwrap();
    let mut answers = vec![Answer::default(); files];
    for line in String::from_utf8(out).unwrap().lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let Some(file) = path_of(&row["file"]).or(path_of(&row["archive"])) else { continue };
        let name = file.strip_prefix(directory.to_str().unwrap()).unwrap().trim_start_matches('/');
        let answer = &mut answers[name[..6].parse::<usize>().unwrap()];
        let findings = row["findings"].as_array().map(Vec::as_slice).unwrap_or_default();
        let version = row["item"]["annotations"]["version"].as_str();
        let module = version.and_then(|version| version.get(..2)?.parse::<usize>().ok());
        // The license is refused, or trailing data makes the module malformed.
        let has_license = row["item"]["annotations"]["licenses"] == LICENSE;
        answer.listed.extend(module.filter(|_| has_license && row["accepted"] == false));
        let is_told = |finding: &&Value| {
            let is_any = |codes: &[&str]| codes.iter().any(|code| finding["code"] == *code);
            is_any(&["not-opened"]) || finding["severity"] == "error" && is_any(&ARCHIVE_CODES)
        };
        let text = |finding: &Value| {
            let [code, message] = ["code", "message"].map(|key| finding[key].as_str().unwrap_or_default());
            format!("{code}: {message}")
        };
        answer.errors.extend(findings.iter().filter(is_told).map(text));
    }
    answers
}
