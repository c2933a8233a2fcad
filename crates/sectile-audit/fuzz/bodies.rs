//! Audits any bytes as a file of a store. All runs give the same rows, in bounded work.

use std::fs;

use sectile_audit::{Audit, Format, Progress, WalkOptions};
use sectile_policy::Policy;

/// Maximum number of bytes that the file may inflate to.
const MAX_INFLATED: u64 = 1 << 20;

/// Audits a directory with this file, on one thread and on two.
pub fn archives(data: &[u8]) {
    let directory = tempfile::tempdir().expect("there is a place for temporary files");
    let path = directory.path().join("a.wasm");
    fs::write(&path, data).expect("the file can be written");
    let audit = |threads| {
        let mut options = WalkOptions::default();
        (options.max_inflated, options.max_held_bytes, options.max_entries) = (MAX_INFLATED, MAX_INFLATED, 10_000);
        Audit::new(Policy::default()).with_walk(options).with_threads(threads)
    };
    for format in Format::ALL {
        let run = |threads| {
            let mut out = Vec::new();
            let outcome = audit(threads).run(&[directory.path().into()], Some(format), &mut out, &Progress::new());
            (out, outcome.expect("memory can be written").summary)
        };
        let (answer, summary) = run(1);
        assert_eq!(summary.store_bytes, data.len() as u64);
        assert!(run(2) == (answer, summary), "another answer in the format {}", format.name());
    }
}
