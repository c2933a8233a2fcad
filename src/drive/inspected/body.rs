//! `Inspected` as the body of a request or a response.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::{ChunkInspector, Inspected, InspectedError};

/// Frames, the size hint and the end pass unchanged. Trailers are not inspected. On a refusal, the
/// body fails in place of the refused frame, which may be the last one. An HTTP library may never
/// poll a body that is empty from the start: check the inspector afterwards. Wrap a body that is
/// not [`Unpin`] in `Box::pin`.
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
        if self.is_finished() && !self.inner.is_end_stream() {
            return Poll::Ready(None); // refused earlier
        }
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(context));
        let mut inspected = match &frame {
            Some(Ok(frame)) => frame.data_ref().map_or(Ok(()), |chunk| self.inspect(Some(chunk))),
            Some(Err(_)) => return Poll::Ready(frame.map(|frame| frame.map_err(InspectedError::Source))),
            None => Ok(()),
        };
        // A body is not polled again after its last frame.
        if inspected.is_ok() && !self.is_finished() && (frame.is_none() || self.inner.is_end_stream()) {
            inspected = self.inspect(None);
        }
        Poll::Ready(match inspected {
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
