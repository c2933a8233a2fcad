//! Inputs pushed in chunks.

use sectile::Cost;
use sectile::drive::PushDriver;
use sectile::scan::Visitor;
use sectile::{Error, Limits};

use crate::recorded::record_seed;

/// Pushes the bytes in chunks of these sizes, repeated. At least one size must not be 0.
///
/// # Panics
///
/// The reported cost differs from the pushed bytes and chunks.
pub fn push<V: for<'w> Visitor<'w>>(
    bytes: &[u8],
    sizes: &[usize],
    visitor: V,
    limits: Limits,
) -> (V, Result<(), Error>) {
    record_seed(bytes);
    let mut push = PushDriver::with_limits(visitor, limits);
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
    let (visitor, error, _) = push.finish_visitor().into_parts();
    (visitor.expect("it is given back"), error.map_or(Ok(()), Err))
}
