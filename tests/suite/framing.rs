//! The framing, against wasmparser.

use sectile::Limits;

use crate::support::binary::{component, custom, module, nested, section};
use crate::support::mouths::{Event, scan};

#[test]
fn a_small_tree() {
    let bytes = component(&[nested(&module(&[section(1, &[0]), custom("name", "abcd")])), custom("x", "")]);
    let (events, result) = scan(&bytes, Limits::default());
    result.unwrap();
    assert_eq!(events.iter().filter(|event| matches!(event, Event::Section { .. })).count(), 4);
    assert_eq!(events.last(), Some(&Event::Leave(0, bytes.len() as u64)));
}
