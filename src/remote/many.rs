//! Many objects at once.

use futures_util::stream::{self, StreamExt};

use crate::drive::{Fetch, FetchOptions};
use crate::error::{Error, Outcome};
use crate::limits::Limits;
use crate::metadata::Metadata;
use crate::read::read_fetch;

/// Reads the metadata of many sources, `in_flight` of them at a time (and one at the least): of each, requests follow one
/// another, so that no more are under way. What comes of each is told as it comes, with its place in the list.
pub async fn read_all<F: Fetch>(
    sources: impl IntoIterator<Item = F>,
    in_flight: usize,
    options: FetchOptions,
    limits: Limits,
    mut tell: impl FnMut(usize, Result<Outcome<Metadata<'static>>, Error>),
) {
    let readings = sources.into_iter().enumerate().map(|(nth, mut source)| async move {
        let reading = read_fetch(&mut source, options, limits).await;
        (nth, reading)
    });
    let mut readings = stream::iter(readings).buffer_unordered(in_flight.max(1));
    while let Some((nth, reading)) = readings.next().await {
        tell(nth, reading);
    }
}
