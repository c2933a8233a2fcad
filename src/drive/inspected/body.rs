//! The body of a request or a response that is watched as it passes.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::{ChunkInspector, Inspected, InspectedError};

/// Frames pass as they are: data, and trailers, which the watch is not shown; and so do the body's size and whether it has
/// ended. Where the watch refuses, the body fails, in the place of the frame that shows it, the last one included. (A body
/// that ends without a frame may not be asked for any: who must know looks at the watch.) What is not [`Unpin`] goes into a
/// `Box::pin` first.
impl<B, W> Body for Inspected<B, W>
where
    B: Body<Data = Bytes> + Unpin,
    W: ChunkInspector + Unpin,
{
    type Data = Bytes;
    type Error = InspectedError<B::Error, W::Refusal>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.is_over() && !self.inner.is_end_stream() {
            return Poll::Ready(None); // was refused
        }
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(context));
        let mut shown = match &frame {
            Some(Ok(frame)) => frame.data_ref().map_or(Ok(()), |chunk| self.show(Some(chunk))),
            Some(Err(_)) => return Poll::Ready(frame.map(|frame| frame.map_err(InspectedError::Source))),
            None => Ok(()),
        };
        // Nobody asks again for frames after the last.
        if shown.is_ok() && !self.is_over() && (frame.is_none() || self.inner.is_end_stream()) {
            shown = self.show(None);
        }
        Poll::Ready(match shown {
            Ok(()) => frame.map(|frame| frame.map_err(InspectedError::Source)),
            Err(refusal) => Some(Err(InspectedError::Refused(refusal))),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
