//! Exceptions that excuse nothing in a whole run.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Exception, JudgedFinding, Policy, PolicyLocation};
use sectile::FindingCode;

/// Records which exceptions of a policy a run uses. Threads may share it.
///
/// An exception is used if a verdict names it: it excuses a finding, or would excuse one but has
/// expired. If several exceptions match one finding, the verdict names the first.
#[derive(Debug)]
pub struct ExceptionUse<'p> {
    exceptions: Vec<(&'p Exception, AtomicBool)>,
    /// The indexes of exceptions from a file.
    by_location: HashMap<&'p PolicyLocation, usize>,
    /// The indexes of exceptions made in code. They have no location, so their reasons identify
    /// them.
    by_reason: HashMap<&'p str, Vec<usize>>,
}

impl Policy {
    /// A record of the exceptions that a run uses. None is used yet.
    pub fn exception_use(&self) -> ExceptionUse<'_> {
        let mut record = ExceptionUse {
            exceptions: self.exceptions().map(|exception| (exception, AtomicBool::new(false))).collect(),
            by_location: HashMap::new(),
            by_reason: HashMap::new(),
        };
        for (nth, exception) in self.exceptions().enumerate() {
            match exception.location() {
                Some(location) => _ = record.by_location.insert(location, nth),
                None => record.by_reason.entry(exception.reason()).or_default().push(nth),
            }
        }
        record
    }
}

impl<'p> ExceptionUse<'p> {
    /// Records the exceptions that these findings name. They may come from an earlier report by the
    /// same policy.
    pub fn add<'f>(&self, findings: impl IntoIterator<Item = &'f JudgedFinding<'f>>) {
        if self.exceptions.is_empty() {
            return;
        }
        for judged in findings {
            if let Some(exception) = judged.exception() {
                match exception.location() {
                    Some(location) => self.set_used(self.by_location.get(location)),
                    None => self.set_used(self.by_reason.get(exception.reason()).into_iter().flatten()),
                }
            }
            if judged.finding().code() == FindingCode::ExpiredException {
                match judged.location() {
                    Some(location) => self.set_used(self.by_location.get(location)),
                    // The finding does not name the expired exception, so every candidate counts.
                    None => self.set_used(self.by_reason.values().flatten().filter(|nth| self.expires(**nth))),
                }
            }
        }
    }

    /// The exceptions that are not used, in the order of the policy.
    pub fn unused(&self) -> impl Iterator<Item = &'p Exception> {
        self.exceptions.iter().filter(|(_, used)| !used.load(Ordering::Relaxed)).map(|(exception, _)| *exception)
    }

    fn expires(&self, nth: usize) -> bool {
        self.exceptions[nth].0.expiry().is_some()
    }

    fn set_used<'n>(&self, indexes: impl IntoIterator<Item = &'n usize>) {
        for nth in indexes {
            self.exceptions[*nth].1.store(true, Ordering::Relaxed);
        }
    }
}
