//! Framing, compared with wasmparser.

use sectile::Limits;

use sectile_testing::all_drivers::{Event, scan};
use sectile_testing::bodies::{self, Verdict};

mod components;
mod generated;
mod kinds;
mod large;
mod mutants;
mod rules;
mod sections;
mod truncation;

/// Asserts that both accept the input, and returns the scanner's events.
#[track_caller]
fn accepted(bytes: &[u8]) -> Vec<Event> {
    assert_eq!(bodies::framing(bytes), Verdict::Accepted);
    let (events, result) = scan(bytes, Limits::default());
    result.unwrap();
    events
}

/// Asserts that only the reference rejects the input, because of a body, and returns the scanner's
/// events.
#[track_caller]
fn accepted_alone(bytes: &[u8]) -> Vec<Event> {
    assert_eq!(bodies::framing(bytes), Verdict::BrokenBody);
    let (events, result) = scan(bytes, Limits::default());
    result.unwrap();
    events
}

/// Asserts that both reject the input, the scanner with this offset and reason. Returns the events
/// before the error.
#[track_caller]
fn rejected(bytes: &[u8], offset: usize, reason: &str) -> Vec<Event> {
    assert_eq!(bodies::framing(bytes), Verdict::Rejected);
    let (events, result) = scan(bytes, Limits::default());
    let error = result.unwrap_err();
    assert_eq!((error.offset(), error.is_malformed()), (Some(offset as u64), !error.is_limit()), "{error}");
    assert!(error.to_string().contains(reason), "{error}");
    events
}

/// Id and name of the sections among the events.
fn sections(events: &[Event]) -> Vec<(u8, &str)> {
    let section = |event| match event {
        &Event::Section { id, ref name, .. } => Some((id, &**name)),
        _ => None,
    };
    events.iter().filter_map(section).collect()
}
