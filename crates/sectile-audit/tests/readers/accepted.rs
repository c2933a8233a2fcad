//! Disagreements that are accepted. `docs/audit.md` lists them.

use std::collections::BTreeSet;

use super::generator::Case;

/// A kind of case in which some readers extract a module that the audit does not see.
struct Accepted {
    /// Only these readers extract it.
    readers: &'static [&'static str],
    /// A step of the case's recipe.
    step: &'static str,
    reason: &'static str,
}

const ACCEPTED: [Accepted; 1] = [Accepted {
    readers: &["7z"],
    step: "prefixed",
    reason: "7-Zip searches whole files for the signature of a tar. The audit reads the first pages and the end.",
}];

/// The reason to accept that these readers alone extract modules from a case.
pub(crate) fn find(case: &Case, readers: &BTreeSet<String>) -> Option<&'static str> {
    let accepted = ACCEPTED.iter().find(|accepted| {
        readers.iter().all(|reader| accepted.readers.contains(&&**reader))
            && case.recipe.iter().any(|step| step == accepted.step)
    });
    Some(accepted?.reason)
}
