//! Concurrent reading of many sources.

use futures_util::stream::{self, StreamExt};

use sectile::drive::{Fetch, FetchOptions};
use sectile::{Limits, Metadata, Outcome, read_fetch_with};

/// Reads the metadata of many sources, at most `max_concurrent` at a time and at least one.
///
/// The requests of one source are sequential. So `max_concurrent` is also the maximum number of
/// concurrent requests. `on_outcome` is called with each completed outcome and the index of its
/// source.
pub async fn read_many<F: Fetch>(
    sources: impl IntoIterator<Item = F>,
    max_concurrent: usize,
    options: FetchOptions,
    limits: Limits,
    mut on_outcome: impl FnMut(usize, Outcome<Metadata<'static>>),
) {
    let readings = sources.into_iter().enumerate().map(|(index, mut source)| async move {
        let outcome = read_fetch_with(&mut source, options, limits).await;
        (index, outcome)
    });
    let mut readings = stream::iter(readings).buffer_unordered(max_concurrent.max(1));
    while let Some((index, outcome)) = readings.next().await {
        on_outcome(index, outcome);
    }
}
