//! Pushed chunks: the chunk that shows an error, the cost, and inspection of bytes in transit.

use std::io::{Read, Write};
use std::sync::{Arc, Mutex};

use sectile::drive::{ChunkInspector, Inspected, PushDriver};
use sectile::metadata::StreamReader;
use sectile::scan::{DataRequest, Section, Visitor};
use sectile::{Error, Limits};
use sectile_testing::all_drivers::Recorder;
use sectile_testing::binary::{component, custom, module, nested, section};
use sectile_testing::growth::assert_linear;
use sectile_testing::memory::measure;

fn push() -> PushDriver<Recorder> {
    PushDriver::with_limits(Recorder::default(), Limits::default())
}

/// Pushes byte by byte, and returns the number of bytes up to the failure.
#[track_caller]
fn fails_after(bytes: &[u8]) -> (usize, Error) {
    let mut push = push();
    for (at, byte) in bytes.iter().enumerate() {
        if let Err(error) = push.push(&[*byte]) {
            return (at + 1, error);
        }
    }
    panic!("it does not fail")
}

#[test]
fn errors_come_at_the_first_malformed_byte() {
    let module = module(&[]);
    let after = |rest: &[u8]| [&module[..], rest].concat();
    let name = |bytes: &[u8]| after(&[&[0, 120, 100], bytes, &[b'x'; 200]].concat());
    let cases = [
        ("magic", b"\0bsm\x01\0\0\0\0\0".to_vec(), 8), // all eight bytes show the format
        ("version", b"\0asm\x02\0\0\0\0\0".to_vec(), 8),
        ("id", after(&[0x80, 1, 0, 0]), 9),
        ("size", after(&[1, 0xff, 0xff, 0xff, 0xff, 0x10, 0, 0]), 14),
        ("no name", after(&[0, 0, 0]), 10),
        ("length of a name", after(&[0, 9, 0xff, 0xff, 0xff, 0xff, 0x10, 0, 0]), 15),
        ("name past the section", after(&[0, 3, 3, b'a', b'b', b'c']), 11),
        ("name", name(b"abc\xff"), 15),
        ("name, in the middle of a letter", name("aé".as_bytes().split_last().unwrap().1), 14),
        ("order", after(&[3, 1, 0, 1, 1, 0]), 13),
    ];
    for (what, bytes, expected) in cases {
        let (at, error) = fails_after(&bytes);
        assert_eq!(at, expected, "{what}: {error}");
        let slice =
            sectile::drive::scan_slice(&bytes, &mut Recorder::default(), Limits::default()).complete().unwrap_err();
        assert_eq!(error.to_string(), slice.to_string(), "{what}");
    }
}

#[test]
fn a_nested_preamble_fails_at_its_first_wrong_byte() {
    let mut bytes = component(&[nested(&module(&[]))]);
    let at = bytes.windows(8).rposition(|window| window == b"\0asm\x01\0\0\0").unwrap();
    bytes[at + 2] = b'x';
    let (failed, error) = fails_after(&bytes);
    assert_eq!((failed, error.offset()), (at + 3, Some(at as u64)), "{error}");
}

#[test]
fn a_long_name_is_validated_once_in_any_chunking() {
    let name = "é".repeat(40_000);
    let bytes = module(&[custom(&name, "x")]);
    for size in [1, 2, 3, 1000, 16 << 10] {
        let mut push = push();
        bytes.chunks(size).for_each(|chunk| push.push(chunk).unwrap());
        push.finish_visitor().complete().unwrap();
    }
    let make = |len: usize| module(&[custom(&"é".repeat(len / 2), "x")]);
    assert_linear(99_000, make, |bytes| {
        bytes.chunks(1).try_fold(push(), |mut push, chunk| push.push(chunk).map(|()| push))
    });
    let mut bad = bytes.clone();
    let at = bad.len() - 10;
    bad[at] = 0xff;
    assert!(fails_after(&bad).0 <= at + 2);
}

#[test]
fn errors_are_repeated() {
    let bytes = [&module(&[])[..], &[0x80, 1]].concat();
    let mut push = push();
    let error = push.push(&bytes).unwrap_err().to_string();
    for chunk in [&b""[..], b"x", &bytes] {
        assert_eq!(push.push(chunk).unwrap_err().to_string(), error);
    }
    assert_eq!(push.finish_visitor().complete().unwrap_err().to_string(), error);
}

#[test]
fn empty_chunks_change_nothing() {
    let bytes = module(&[custom("note", "abc"), section(1, &[0])]);
    let mut push = push();
    push.push(b"").unwrap();
    for byte in &bytes {
        push.push(&[*byte]).unwrap();
        push.push(b"").unwrap();
    }
    push.push(b"").unwrap();
    push.finish_visitor().complete().unwrap();
}

#[test]
fn truncation_anywhere_is_the_error_of_a_slice() {
    let bytes =
        component(&[custom("authors", "A"), nested(&module(&[custom("name", "\0\x04\x03abc"), section(1, &[0])]))]);
    for end in 0..bytes.len() {
        let mut push = push();
        let pushed = bytes[..end].iter().try_for_each(|byte| push.push(&[*byte]));
        let finished = push.finish_visitor().complete().map(drop);
        let slice = sectile::drive::scan_slice(&bytes[..end], &mut Recorder::default(), Limits::default()).complete();
        let message = |result: Result<(), Error>| result.err().map(|error| error.to_string());
        assert_eq!(message(pushed.and(finished)), message(slice), "{end}");
    }
}

#[test]
fn needed_is_the_range_that_the_scanner_waits_for() {
    let bytes = module(&[custom("authors", "me"), section(10, &[0; 500]), custom("vendor", "v")]);
    let mut push = PushDriver::new(StreamReader::new());
    assert_eq!(push.needed(), 0..1);
    for (at, byte) in bytes.iter().enumerate() {
        let needed = push.needed();
        assert!(needed.start <= needed.end && needed.end > at as u64, "at {at}: {needed:?}");
        push.push(&[*byte]).unwrap();
        assert!(push.needed().start >= needed.start, "the needed range moved back");
    }
    assert_eq!(push.needed().start, bytes.len() as u64);

    // Inside a body, the next header is needed.
    let mut push = PushDriver::new(StreamReader::new());
    push.push(&bytes[..100]).unwrap();
    assert_eq!(push.needed().start, bytes.len() as u64 - custom("vendor", "v").len() as u64);
    // After an error, nothing is needed.
    let mut push = self::push();
    push.push(b"\0bsm\x01\0\0\0").unwrap_err();
    assert!(push.needed().is_empty());
}

/// Bytes outside the needed ranges may have any value.
#[test]
fn bytes_that_are_not_needed_are_not_examined() {
    let valid = module(&[custom("authors", "me"), section(10, &[0; 5000]), custom("vendor", "v")]);
    let mut push = PushDriver::new(StreamReader::new());
    for (at, byte) in valid.iter().enumerate() {
        let is_needed = push.needed().start <= at as u64;
        push.push(&[if is_needed { *byte } else { 0xff }]).unwrap();
    }
    assert_eq!(push.finish().complete().unwrap(), sectile::read_slice(&valid).unwrap());
}

#[test]
fn the_rest_of_the_last_body_may_be_declared_instead_of_pushed() {
    let bytes = component(&[custom("authors", "me"), nested(&module(&[])), section(2, &[0; 5000])]);
    let (len, expected) = (bytes.len() as u64, sectile::read_slice(&bytes).unwrap());
    for pushed in [200, bytes.len() - 1, bytes.len()] {
        let mut push = PushDriver::new(StreamReader::new());
        push.push(&bytes[..pushed]).unwrap();
        push.end(len).unwrap();
        assert_eq!(push.visitor().so_far(), Some(&expected), "the root has ended");
        let outcome = push.finish();
        assert_eq!((outcome.cost().bytes, outcome.value()), (pushed as u64, Some(&expected)));
        outcome.complete().unwrap();
    }
    // The rest may still be pushed.
    let mut push = PushDriver::with_limits(Recorder::default(), Limits::default());
    push.push(&bytes[..200]).unwrap();
    push.end(len).unwrap();
    bytes[200..].chunks(7).for_each(|chunk| push.push(chunk).unwrap());
    push.end(len).unwrap();
    let ended = push.finish_visitor().complete().unwrap();
    let (events, _) = sectile_testing::all_drivers::scan(&bytes, Limits::default());
    assert_eq!(ended.events, events, "the root must end once");
}

#[test]
fn an_end_inside_an_item_is_the_error_of_a_slice() {
    let bytes = component(&[nested(&module(&[section(1, &[0; 300])])), custom("note", "abc"), section(2, &[0; 300])]);
    for end in 0..bytes.len() + 10 {
        // All available bytes, or fewer if the scanner skips the rest.
        for pushed in [end.min(bytes.len()), end.min(50)] {
            let mut push = push();
            push.push(&bytes[..pushed]).unwrap();
            if push.needed().start < end as u64 && pushed < end {
                continue; // the scanner needs more than was pushed
            }
            let slice =
                sectile::drive::scan_slice(&bytes[..end.min(bytes.len())], &mut Recorder::default(), Limits::default());
            let expected = if end > bytes.len() {
                "the input ends inside".to_owned()
            } else {
                slice.error().map_or_else(String::new, ToString::to_string)
            };
            let ended = push.end(end as u64).err().map_or_else(String::new, |error| error.to_string());
            assert!(
                ended.starts_with(&expected) && ended.is_empty() == expected.is_empty(),
                "{end} {pushed}: {ended} {expected}"
            );
        }
    }
}

#[test]
fn bytes_past_a_declared_end_are_an_error() {
    let bytes = module(&[custom("authors", "me"), section(10, &[0; 300])]);
    let len = bytes.len() as u64;
    let mut push = PushDriver::new(StreamReader::new());
    push.push(&bytes).unwrap();
    push.end(len).unwrap();
    for other in [len - 1, len + 1] {
        let error = push.end(other).unwrap_err();
        assert!(error.is_length() && error.is_malformed(), "{error}");
        assert_eq!((error.offset(), error.is_truncated()), (Some(other.min(len)), other < len));
    }
    push.push(b"").unwrap();
    for _ in 0..2 {
        let error = push.push(b"\x01").unwrap_err();
        assert!(error.is_length() && error.offset() == Some(len), "{error}");
    }
    let (metadata, error, _) = push.finish().into_parts();
    assert!(error.unwrap().is_length());
    assert_eq!(metadata.unwrap(), sectile::read_slice(&bytes).unwrap(), "metadata before the declared end is lost");
}

/// Requests the data of each custom section and records its address.
#[derive(Default)]
struct DataAddresses(Vec<*const u8>);

impl Visitor<'_> for DataAddresses {
    fn section(&mut self, section: &Section<'_>) -> DataRequest {
        if section.is_custom() { DataRequest::Bytes(section.data()) } else { DataRequest::Nothing }
    }

    fn data(&mut self, bytes: &[u8], _: u64) -> DataRequest {
        self.0.push(bytes.as_ptr());
        DataRequest::Nothing
    }
}

#[test]
fn data_within_one_chunk_is_not_copied() {
    let bytes = module(&[section(1, &[0; 500]), custom("note", "0123456789"), custom("more", "0123456789")]);
    let data = bytes.windows(10).position(|window| window == b"0123456789").unwrap();
    for cut in 0..data {
        let mut push = PushDriver::with_limits(DataAddresses::default(), Limits::default());
        let (first, second) = bytes.split_at(cut);
        push.push(first).unwrap();
        push.push(second).unwrap();
        assert_eq!(push.visitor().0[0], bytes[data..].as_ptr(), "cut at {cut}");
    }
}

#[test]
fn chunks_do_not_allocate() {
    let mut bytes = module(&[section(1, &[0])]);
    for id in 2..=11 {
        bytes.extend(section(id, &vec![0; 100_000]));
    }
    let chunks: Vec<_> = bytes.chunks(1000).collect();
    let mut push = PushDriver::new(StreamReader::new());
    push.push(chunks[0]).unwrap();
    let (result, allocated) = measure(|| chunks[1..].iter().try_for_each(|chunk| push.push(chunk)));
    result.unwrap();
    // A header may span two chunks.
    assert!(allocated.total <= 64, "{allocated:?} for {} chunks", chunks.len());
    push.finish().complete().unwrap();
}

#[test]
fn the_buffer_is_bounded_and_released() {
    let text = "x".repeat(500_000);
    let bytes = module(&[custom("dylink.0", &text), section(1, &vec![0; 3_000_000])]);
    let mut push = PushDriver::with_limits(DataAddresses::default(), Limits::default());
    let ((), allocated) = measure(|| bytes.chunks(1000).for_each(|chunk| push.push(chunk).unwrap()));
    assert!(allocated.largest <= 500_000 + 1000, "{allocated:?}");
    let (_, freed) = measure(|| drop(push));
    assert_eq!(freed.peak, 0);

    // A declared size does not allocate.
    let mut push = PushDriver::with_limits(DataAddresses::default(), Limits::default());
    let header = [&module(&[])[..], &[0, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, b'a', b'x']].concat();
    let (result, allocated) = measure(|| push.push(&header));
    result.unwrap();
    assert!(allocated.total < 100, "{allocated:?}");
}

/// Lets this many bytes pass in total.
struct ByteQuota(usize);

impl ChunkInspector for ByteQuota {
    type Refusal = std::fmt::Error;

    fn inspect(&mut self, chunk: &[u8]) -> Result<(), std::fmt::Error> {
        self.0 = self.0.checked_sub(chunk.len()).ok_or(std::fmt::Error)?;
        Ok(())
    }

    fn end(&mut self) -> Result<(), std::fmt::Error> {
        if self.0 == 0 { Ok(()) } else { Err(std::fmt::Error) }
    }
}

#[test]
fn inspected_bytes_pass_unchanged() {
    let bytes = module(&[custom("note", "abc"), section(1, &[0; 100])]);
    let mut inspected = Inspected::new(&bytes[..], push());
    let mut read = Vec::new();
    inspected.read_to_end(&mut read).unwrap();
    assert_eq!(read, bytes);
    let reading = inspected.into_parts().1.finish_visitor().complete().unwrap();

    let mut inspected = Inspected::new(Vec::new(), push());
    for chunk in bytes.chunks(7) {
        inspected.write_all(chunk).unwrap();
    }
    inspected.flush().unwrap();
    let (written, pushed) = inspected.into_parts();
    assert_eq!(written, bytes);
    assert_eq!(pushed.finish_visitor().complete().unwrap().events, reading.events);

    // Input that is not WebAssembly passes, too: the push driver never refuses.
    let mut read = Vec::new();
    let mut inspected = Inspected::new(&b"no wasm at all"[..], push());
    inspected.read_to_end(&mut read).unwrap();
    assert_eq!(read, b"no wasm at all");
    assert!(inspected.into_parts().1.finish_visitor().complete().unwrap_err().is_not_wasm());
}

#[test]
fn refused_bytes_do_not_pass() {
    let mut buffer = [0; 4];
    let mut inspected = Inspected::new(&b"0123456789"[..], ByteQuota(6));
    assert_eq!(inspected.read(&mut buffer).unwrap(), 4);
    for _ in 0..3 {
        // Nor do the bytes after it, although the inspector would let them pass. This is not the
        // end either.
        assert_eq!(inspected.read(&mut buffer).unwrap_err().kind(), std::io::ErrorKind::InvalidData);
    }
    let mut inspected = Inspected::new(&b"0123"[..], ByteQuota(6));
    assert!(inspected.read_to_end(&mut Vec::new()).is_err()); // the inspector refuses the end
    assert!(inspected.read_to_end(&mut Vec::new()).is_err());
    let mut inspected = Inspected::new(Vec::new(), ByteQuota(6));
    assert!(inspected.write_all(b"01234567").is_err());
    assert!(inspected.write_all(b"8").is_err());
    assert_eq!(inspected.into_parts().0, b"01234567");
}

/// Borrowed and shared inspectors are inspectors.
#[test]
fn an_inspector_may_be_borrowed_and_shared() {
    let (mut lent, shared) = (ByteQuota(4), Arc::new(Mutex::new(ByteQuota(4))));
    let mut inspected = Inspected::new(&b"0123"[..], &mut lent);
    inspected.read_to_end(&mut Vec::new()).unwrap();
    assert_eq!(inspected.inspector().0, 0);
    assert_eq!(
        Inspected::new(&b"4"[..], &mut lent).read(&mut [0; 1]).unwrap_err().kind(),
        std::io::ErrorKind::InvalidData
    );

    Inspected::new(&b"0123"[..], shared.clone()).read_to_end(&mut Vec::new()).unwrap();
    assert_eq!(shared.lock().unwrap().0, 0);
    assert!(Inspected::new(&b"4"[..], shared.clone()).read_to_end(&mut Vec::new()).is_err());
    *shared.lock().unwrap() = ByteQuota(1);
    assert!(Inspected::new(&b""[..], shared).read_to_end(&mut Vec::new()).is_err(), "the end is inspected, too");
}

#[cfg(all(feature = "stream", feature = "http"))]
mod asynchronous {
    use std::pin::{Pin, pin};
    use std::task::{Context, Poll, Waker};

    use bytes::Bytes;
    use futures_core::Stream;
    use futures_core::stream::FusedStream;
    use http_body::{Body, Frame, SizeHint};
    use sectile::drive::InspectedError;

    use super::*;

    /// A stream of these items.
    struct Items<T>(std::vec::IntoIter<T>);

    impl<T: Unpin> Stream for Items<Result<T, &'static str>> {
        type Item = Result<T, &'static str>;

        fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            Poll::Ready(self.0.next())
        }

        fn size_hint(&self) -> (usize, Option<usize>) {
            self.0.size_hint()
        }
    }

    impl Body for Items<Frame<Bytes>> {
        type Data = Bytes;
        type Error = &'static str;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
            Poll::Ready(self.0.next().map(Ok))
        }

        fn is_end_stream(&self) -> bool {
            self.0.len() == 0
        }

        fn size_hint(&self) -> SizeHint {
            SizeHint::with_exact(
                self.0.as_slice().iter().filter_map(Frame::data_ref).map(|data| data.len() as u64).sum(),
            )
        }
    }

    fn next<S: Stream + Unpin>(stream: &mut S) -> Option<S::Item> {
        match pin!(stream).poll_next(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(item) => item,
            Poll::Pending => panic!("it never waits"),
        }
    }

    fn frame<B: Body + Unpin>(body: &mut B) -> Option<Result<Frame<B::Data>, B::Error>> {
        match pin!(body).poll_frame(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(item) => item,
            Poll::Pending => panic!("it never waits"),
        }
    }

    #[test]
    fn an_inspected_stream_passes_unchanged() {
        let bytes = Bytes::from(module(&[custom("note", "abc")]));
        let chunks = vec![Ok(bytes.slice(..5)), Ok(Bytes::new()), Err("cut"), Ok(bytes.slice(5..))];
        let mut inspected = Inspected::new(Items(chunks.into_iter()), push());
        assert_eq!(inspected.size_hint().1, Some(5));
        assert_eq!(next(&mut inspected).unwrap().unwrap().as_ptr(), bytes.as_ptr());
        assert_eq!(next(&mut inspected).unwrap().unwrap(), "");
        assert_eq!(next(&mut inspected).unwrap().unwrap_err(), InspectedError::Source("cut"));
        assert_eq!(next(&mut inspected).unwrap().unwrap(), bytes[5..]);
        assert!(next(&mut inspected).is_none() && next(&mut inspected).is_none());
        inspected.into_parts().1.finish_visitor().complete().unwrap();
    }

    #[test]
    fn a_refused_stream_ends() {
        for (quota, passes) in [(5, 1), (7, 2), (6, 3)] {
            let chunks = ["012", "345"].map(|chunk| Ok(Bytes::from(chunk))).into_iter().collect::<Vec<_>>();
            let mut inspected = Inspected::new(Items(chunks.into_iter()), ByteQuota(quota));
            let passed = std::iter::from_fn(|| next(&mut inspected)).take_while(Result::is_ok).count();
            assert_eq!(passed, passes.min(2), "{quota}");
            assert!(next(&mut inspected).is_none() && inspected.is_terminated());
        }
    }

    #[test]
    fn inspected_frames_pass_unchanged() {
        let bytes = Bytes::from(module(&[custom("note", "abc")]));
        let trailers = http::HeaderMap::from_iter([(http::header::ETAG, http::HeaderValue::from_static("x"))]);
        let frames =
            vec![Frame::data(bytes.slice(..5)), Frame::data(bytes.slice(5..)), Frame::trailers(trailers.clone())];
        let mut inspected = Inspected::new(Items(frames.into_iter()), push());
        assert_eq!((inspected.size_hint().exact(), inspected.is_end_stream()), (Some(bytes.len() as u64), false));
        assert_eq!(frame(&mut inspected).unwrap().unwrap().into_data().unwrap().as_ptr(), bytes.as_ptr());
        assert_eq!(inspected.size_hint().exact(), Some(bytes.len() as u64 - 5));
        assert_eq!(frame(&mut inspected).unwrap().unwrap().into_data().unwrap(), bytes[5..]);
        assert_eq!(frame(&mut inspected).unwrap().unwrap().into_trailers().unwrap(), trailers);
        assert!(inspected.is_end_stream() && frame(&mut inspected).is_none());
        inspected.into_parts().1.finish_visitor().complete().unwrap();
    }

    #[test]
    fn the_last_frame_does_not_pass_before_a_refused_end() {
        let frames = || vec![Frame::data(Bytes::from("012")), Frame::data(Bytes::from("345"))];
        for quota in [5, 7] {
            let mut inspected = Inspected::new(Items(frames().into_iter()), ByteQuota(quota));
            assert!(frame(&mut inspected).unwrap().is_ok());
            assert!(matches!(frame(&mut inspected), Some(Err(InspectedError::Refused(_)))), "{quota}");
            assert!(frame(&mut inspected).is_none());
        }
        // Nor does any frame after a refused one.
        let mut inspected =
            Inspected::new(Items(frames().into_iter().chain(frames()).collect::<Vec<_>>().into_iter()), ByteQuota(5));
        assert!(frame(&mut inspected).unwrap().is_ok() && frame(&mut inspected).unwrap().is_err());
        assert!(frame(&mut inspected).is_none() && !inspected.is_end_stream());
        let mut inspected = Inspected::new(Items(frames().into_iter()), ByteQuota(6));
        assert!(
            frame(&mut inspected).unwrap().is_ok()
                && frame(&mut inspected).unwrap().is_ok()
                && frame(&mut inspected).is_none()
        );
    }
}
