//! The framing, against wasmparser.

use sectile::Limits;

use crate::fuzz_bodies::bodies::{self, Verdict};
use crate::support::mouths::{Event, scan};

mod components;
mod ends;
mod far;
mod generated;
mod mutants;
mod rules;
mod sections;

/// Both accept the input; what the scanner says of it.
#[track_caller]
fn accepted(bytes: &[u8]) -> Vec<Event> {
    assert_eq!(bodies::framing(bytes), Verdict::Accepted);
    let (events, result) = scan(bytes, Limits::default());
    result.unwrap();
    events
}

/// The reference alone rejects the input, for what no framing shows; what the scanner says of it.
#[track_caller]
fn accepted_alone(bytes: &[u8]) -> Vec<Event> {
    assert_eq!(bodies::framing(bytes), Verdict::BrokenBody);
    let (events, result) = scan(bytes, Limits::default());
    result.unwrap();
    events
}

/// Both reject the input, and the scanner does so there, and for that reason; what it says before.
#[track_caller]
fn rejected(bytes: &[u8], offset: usize, reason: &str) -> Vec<Event> {
    assert_eq!(bodies::framing(bytes), Verdict::Rejected);
    let (events, result) = scan(bytes, Limits::default());
    let error = result.unwrap_err();
    assert_eq!((error.offset(), error.is_malformed()), (Some(offset as u64), !error.is_limit()), "{error}");
    assert!(error.to_string().contains(reason), "{error}");
    events
}

/// The sections among the events, as id and name.
fn sections(events: &[Event]) -> Vec<(u8, &str)> {
    let section = |event| match event {
        &Event::Section { id, ref name, .. } => Some((id, &**name)),
        _ => None,
    };
    events.iter().filter_map(section).collect()
}
