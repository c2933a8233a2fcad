//! `Inspected` as a stream.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use futures_core::stream::FusedStream;

use super::{ChunkInspector, Inspected, InspectedError};

/// On a refusal, the stream yields the error in place of the refused chunk and ends. Wrap a stream
/// that is not [`Unpin`] in `Box::pin`.
impl<S, B, E, W> Stream for Inspected<S, W>
where
    S: Stream<Item = Result<B, E>> + Unpin,
    B: AsRef<[u8]>,
    W: ChunkInspector + Unpin,
{
    type Item = Result<B, InspectedError<E, W::Refusal>>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.is_finished() {
            return Poll::Ready(None);
        }
        let item = ready!(Pin::new(&mut self.inner).poll_next(context));
        let inspected = match &item {
            Some(Ok(chunk)) => self.inspect(Some(chunk.as_ref())),
            Some(Err(_)) => Ok(()),
            None => self.inspect(None),
        };
        Poll::Ready(match inspected {
            Ok(()) => item.map(|item| item.map_err(InspectedError::Source)),
            Err(refusal) => Some(Err(InspectedError::Refused(refusal))),
        })
    }

    /// At most one item more than the inner stream: a refusal at its end.
    fn size_hint(&self) -> (usize, Option<usize>) {
        if self.is_finished() {
            (0, Some(0))
        } else {
            (0, self.inner.size_hint().1.and_then(|upper| upper.checked_add(1)))
        }
    }
}

impl<S, W> FusedStream for Inspected<S, W>
where
    Self: Stream,
{
    fn is_terminated(&self) -> bool {
        self.is_finished()
    }
}
