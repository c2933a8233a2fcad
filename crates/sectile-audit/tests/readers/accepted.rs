//! Disagreements that are accepted. `docs/audit.md` lists them.

use std::collections::BTreeSet;

use super::generator::Case;

/// A kind of case in which some readers extract a module that the audit misses.
struct Accepted {
    /// Only these readers extract it.
    readers: &'static [&'static str],
    /// Steps of the case's recipe.
    steps: &'static [&'static str],
    reason: &'static str,
}

const SIGNATURES: &str =
    "7-Zip searches whole files for the signatures of archives. The audit reads the first pages and the end.";

const ACCEPTED: [Accepted; 5] = [
    Accepted { readers: &["7z"], steps: &["prefixed", "tar at depth 0"], reason: SIGNATURES },
    // These are not gzip, and contain a tar in an uncompressed block.
    Accepted { readers: &["7z"], steps: &["gzip", "method: 0"], reason: SIGNATURES },
    Accepted { readers: &["7z"], steps: &["gzip", "method: 7"], reason: SIGNATURES },
    Accepted { readers: &["7z"], steps: &["gzip", "method: 9"], reason: SIGNATURES },
    // This is not a tar. Its gzip stream is found by its signature.
    Accepted { readers: &["7z"], steps: &["gzip", "checksum: \"zeros\""], reason: SIGNATURES },
];

/// The reason to accept that these readers alone extract modules from a case.
pub(crate) fn find(case: &Case, readers: &BTreeSet<String>) -> Option<&'static str> {
    let accepted = ACCEPTED.iter().find(|accepted| {
        readers.iter().all(|reader| accepted.readers.contains(&&**reader))
            && accepted.steps.iter().all(|&wanted| case.recipe.iter().any(|step| step == wanted))
    });
    Some(accepted?.reason)
}
