//! Inputs that arrive in chunks.

use sectile::drive::{Cost, Push};
use sectile::scan::Visitor;
use sectile::{Error, Limits};

/// Pushes the bytes in chunks of these sizes, again and again; one of them is not 0, or there would be no end.
///
/// # Panics
///
/// Pushing costs something else than what is pushed.
pub fn push<V: for<'w> Visitor<'w>>(
    bytes: &[u8],
    sizes: &[usize],
    visitor: V,
    limits: Limits,
) -> (V, Result<(), Error>) {
    let mut push = Push::new(visitor, limits);
    let mut rest = bytes;
    let mut expected = Cost::default();
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (chunk, behind) = rest.split_at((*size).min(rest.len()));
        rest = behind;
        expected.bytes += chunk.len() as u64;
        expected.reads += 1;
        let result = push.push(chunk);
        assert_eq!(push.cost(), expected, "pushing costs what is pushed");
        if let Err(error) = result {
            return (push.into_visitor(), Err(error));
        }
    }
    push.finish()
}
