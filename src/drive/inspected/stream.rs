//! A stream that is watched as it passes.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use futures_core::stream::FusedStream;

use super::{ChunkInspector, Inspected, InspectedError};

/// Where the watch refuses, the stream gives that as an error, in the place of the chunk that shows it, and ends. What is
/// not [`Unpin`] goes into a `Box::pin` first.
impl<S, B, E, W> Stream for Inspected<S, W>
where
    S: Stream<Item = Result<B, E>> + Unpin,
    B: AsRef<[u8]>,
    W: ChunkInspector + Unpin,
{
    type Item = Result<B, InspectedError<E, W::Refusal>>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.is_over() {
            return Poll::Ready(None);
        }
        let item = ready!(Pin::new(&mut self.inner).poll_next(context));
        let shown = match &item {
            Some(Ok(chunk)) => self.show(Some(chunk.as_ref())),
            Some(Err(_)) => Ok(()),
            None => self.show(None),
        };
        Poll::Ready(match shown {
            Ok(()) => item.map(|item| item.map_err(InspectedError::Source)),
            Err(refusal) => Some(Err(InspectedError::Refused(refusal))),
        })
    }

    /// At most one more than the stream gives: a refusal at its end.
    fn size_hint(&self) -> (usize, Option<usize>) {
        if self.is_over() { (0, Some(0)) } else { (0, self.inner.size_hint().1.and_then(|upper| upper.checked_add(1))) }
    }
}

impl<S, W> FusedStream for Inspected<S, W>
where
    Self: Stream,
{
    fn is_terminated(&self) -> bool {
        self.is_over()
    }
}
