//! The errors in the documents of a store, up to a limit.

use crate::blob::{BlobLocation, WalkError};
use sectile::{FindingCode, Severity};

/// The first errors in the documents of a store. A hostile document may cause an error every few bytes.
#[derive(Default)]
pub(super) struct StoreErrors {
    errors: Vec<WalkError>,
    omitted: u64,
    /// Whether omitted findings include more than notes.
    omits_errors: bool,
}

impl StoreErrors {
    const MAX_REPORTED: usize = 1_000;

    pub(super) fn add(&mut self, error: WalkError) {
        if self.errors.len() < Self::MAX_REPORTED {
            return self.errors.push(error);
        }
        self.omitted += 1;
        self.omits_errors |= error.code.severity() > Severity::Note;
    }

    pub(super) fn finish(mut self, store: BlobLocation) -> Vec<WalkError> {
        if self.omitted > 0 {
            let code = if self.omits_errors { FindingCode::MalformedLayout } else { FindingCode::AbsentBlob };
            let message = format!("{} more findings on its images are left out", self.omitted);
            self.errors.push(WalkError::new(store, code, message));
        }
        self.errors
    }
}
