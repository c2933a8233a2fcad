//! Any bytes as a file of a store: an audit gives rows, the same again, and in bounded work.

use std::fs;

use sectile::Policy;
use sectile::audit::{Audit, Form, Progress, WalkOptions};

/// Bytes that a file of these few may inflate to here.
const INFLATED: u64 = 1 << 20;

/// Audits a directory with this file in it, twice, on one thread and on two.
pub fn archives(data: &[u8]) {
    let directory = tempfile::tempdir().expect("there is a place for temporary files");
    let path = directory.path().join("a.wasm");
    fs::write(&path, data).expect("the disk has room");
    let audit = |threads| {
        let mut walking = WalkOptions::default();
        (walking.inflated, walking.held, walking.entries) = (INFLATED, INFLATED, 10_000);
        Audit::new(Policy::default()).with_walk(walking).on_threads(threads)
    };
    for form in Form::ALL {
        let run = |threads| {
            let mut out = Vec::new();
            let audited = audit(threads).run(&[directory.path().into()], Some(form), &mut out, &Progress::new());
            (out, audited.expect("memory has room").summary)
        };
        let (answer, summary) = run(1);
        assert_eq!(summary.store_bytes, data.len() as u64);
        assert!(run(2) == (answer, summary), "another answer in the form {}", form.name());
    }
}
