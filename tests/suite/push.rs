//! Chunks that arrive: at which an error comes, what they cost, and what passes by on its way to somebody else.

use std::io::{Read, Write};
use std::sync::{Arc, Mutex};

use sectile::drive::{Push, Tee, Watch};
use sectile::metadata::Reader;
use sectile::scan::{Section, Visitor, Want};
use sectile::{Error, Limits};

use crate::support::binary::{component, custom, module, nested, section};
use crate::support::growth::assert_linear;
use crate::support::memory::measure;
use crate::support::mouths::Recorder;

fn push() -> Push<Recorder> {
    Push::new(Recorder::default(), Limits::default())
}

/// Pushes byte by byte, and gives how many bytes it took to fail.
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
fn an_error_comes_at_the_first_bad_byte() {
    let module = module(&[]);
    let after = |rest: &[u8]| [&module[..], rest].concat();
    let name = |bytes: &[u8]| after(&[&[0, 120, 100], bytes, &[b'x'; 200]].concat());
    let cases = [
        ("magic", b"\0bsm\x01\0\0\0\0\0".to_vec(), 8), // what it is instead takes all eight
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
        let slice = sectile::drive::slice(&bytes, &mut Recorder::default(), Limits::default()).0.unwrap_err();
        assert_eq!(error.to_string(), slice.to_string(), "{what}");
    }
}

#[test]
fn a_nested_preamble_fails_at_its_first_bad_byte() {
    let mut bytes = component(&[nested(&module(&[]))]);
    let at = bytes.windows(8).rposition(|window| window == b"\0asm\x01\0\0\0").unwrap();
    bytes[at + 2] = b'x';
    let (failed, error) = fails_after(&bytes);
    assert_eq!((failed, error.offset()), (at + 3, Some(at as u64)), "{error}");
}

#[test]
fn a_long_name_is_looked_at_once_however_it_comes() {
    let name = "é".repeat(40_000);
    let bytes = module(&[custom(&name, "x")]);
    for size in [1, 2, 3, 1000, 16 << 10] {
        let mut push = push();
        bytes.chunks(size).for_each(|chunk| push.push(chunk).unwrap());
        push.finish().1.unwrap();
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
fn after_an_error_it_is_the_same_error() {
    let bytes = [&module(&[])[..], &[0x80, 1]].concat();
    let mut push = push();
    let error = push.push(&bytes).unwrap_err().to_string();
    for chunk in [&b""[..], b"x", &bytes] {
        assert_eq!(push.push(chunk).unwrap_err().to_string(), error);
    }
    assert_eq!(push.finish().1.unwrap_err().to_string(), error);
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
    push.finish().1.unwrap();
}

#[test]
fn an_end_anywhere_is_that_of_a_slice() {
    let bytes =
        component(&[custom("authors", "A"), nested(&module(&[custom("name", "\0\x04\x03abc"), section(1, &[0])]))]);
    for end in 0..bytes.len() {
        let mut push = push();
        let pushed = bytes[..end].iter().try_for_each(|byte| push.push(&[*byte]));
        let (_, finished) = push.finish();
        let slice = sectile::drive::slice(&bytes[..end], &mut Recorder::default(), Limits::default()).0;
        let told = |result: Result<(), Error>| result.err().map(|error| error.to_string());
        assert_eq!(told(pushed.and(finished)), told(slice), "{end}");
    }
}

/// Wants all of each custom section, and says where it was handed it.
#[derive(Default)]
struct Where(Vec<*const u8>);

impl Visitor<'_> for Where {
    fn section(&mut self, section: &Section<'_>) -> Want {
        if section.is_custom() { Want::Bytes(section.data()) } else { Want::Nothing }
    }

    fn data(&mut self, bytes: &[u8], _: u64) -> Want {
        self.0.push(bytes.as_ptr());
        Want::Nothing
    }
}

#[test]
fn what_lies_in_one_chunk_is_not_copied() {
    let bytes = module(&[section(1, &[0; 500]), custom("note", "0123456789"), custom("more", "0123456789")]);
    let data = bytes.windows(10).position(|window| window == b"0123456789").unwrap();
    for cut in 0..data {
        let mut push = Push::new(Where::default(), Limits::default());
        let (first, second) = bytes.split_at(cut);
        push.push(first).unwrap();
        push.push(second).unwrap();
        assert_eq!(push.visitor().0[0], bytes[data..].as_ptr(), "cut at {cut}");
    }
}

#[test]
fn no_chunk_costs_an_allocation() {
    let mut bytes = module(&[section(1, &[0])]);
    for id in 2..=11 {
        bytes.extend(section(id, &vec![0; 100_000]));
    }
    let chunks: Vec<_> = bytes.chunks(1000).collect();
    let mut push = Push::new(Reader::copying(Limits::default()), Limits::default());
    push.push(chunks[0]).unwrap();
    let (result, allocated) = measure(|| chunks[1..].iter().try_for_each(|chunk| push.push(chunk)));
    result.unwrap();
    // A header may lie across two chunks.
    assert!(allocated.total <= 64, "{allocated:?} for {} chunks", chunks.len());
    push.finish().1.unwrap();
}

#[test]
fn what_is_gathered_is_bounded_and_given_back() {
    let text = "x".repeat(500_000);
    let bytes = module(&[custom("dylink.0", &text), section(1, &vec![0; 3_000_000])]);
    let mut push = Push::new(Where::default(), Limits::default());
    let ((), allocated) = measure(|| bytes.chunks(1000).for_each(|chunk| push.push(chunk).unwrap()));
    assert!(allocated.largest <= 500_000 + 1000, "{allocated:?}");
    let (_, freed) = measure(|| drop(push));
    assert_eq!(freed.peak, 0);

    // What is only declared is not taken.
    let mut push = Push::new(Where::default(), Limits::default());
    let header = [&module(&[])[..], &[0, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, b'a', b'x']].concat();
    let (result, allocated) = measure(|| push.push(&header));
    result.unwrap();
    assert!(allocated.total < 100, "{allocated:?}");
}

/// Lets so many bytes pass, in all.
struct Until(usize);

impl Watch for Until {
    type Refusal = std::fmt::Error;

    fn watch(&mut self, chunk: &[u8]) -> Result<(), std::fmt::Error> {
        self.0 = self.0.checked_sub(chunk.len()).ok_or(std::fmt::Error)?;
        Ok(())
    }

    fn end(&mut self) -> Result<(), std::fmt::Error> {
        if self.0 == 0 { Ok(()) } else { Err(std::fmt::Error) }
    }
}

#[test]
fn what_is_read_and_written_passes_untouched() {
    let bytes = module(&[custom("note", "abc"), section(1, &[0; 100])]);
    let mut tee = Tee::new(&bytes[..], push());
    let mut read = Vec::new();
    tee.read_to_end(&mut read).unwrap();
    assert_eq!(read, bytes);
    let (reading, result) = tee.into_parts().1.finish();
    result.unwrap();

    let mut tee = Tee::new(Vec::new(), push());
    for chunk in bytes.chunks(7) {
        tee.write_all(chunk).unwrap();
    }
    tee.flush().unwrap();
    let (written, pushed) = tee.into_parts();
    assert_eq!(written, bytes);
    assert_eq!(pushed.finish().0.events, reading.events);

    // What is no WebAssembly passes, too: the push only looks on.
    let mut read = Vec::new();
    let mut tee = Tee::new(&b"no wasm at all"[..], push());
    tee.read_to_end(&mut read).unwrap();
    assert_eq!(read, b"no wasm at all");
    assert!(tee.into_parts().1.finish().1.unwrap_err().is_not_wasm());
}

#[test]
fn what_is_refused_does_not_pass() {
    let mut buffer = [0; 4];
    let mut tee = Tee::new(&b"0123456789"[..], Until(6));
    assert_eq!(tee.read(&mut buffer).unwrap(), 4);
    for _ in 0..3 {
        // Nor does what lies behind, though this watch would let it; and it is no end.
        assert_eq!(tee.read(&mut buffer).unwrap_err().kind(), std::io::ErrorKind::InvalidData);
    }
    let mut tee = Tee::new(&b"0123"[..], Until(6));
    assert!(tee.read_to_end(&mut Vec::new()).is_err()); // it may not end there
    assert!(tee.read_to_end(&mut Vec::new()).is_err());
    let mut tee = Tee::new(Vec::new(), Until(6));
    assert!(tee.write_all(b"01234567").is_err());
    assert!(tee.write_all(b"8").is_err());
    assert_eq!(tee.into_parts().0, b"01234567");
}

/// A watch that is lent, and one that is shared, are what they stand for.
#[test]
fn a_watch_may_be_lent_and_shared() {
    let (mut lent, shared) = (Until(4), Arc::new(Mutex::new(Until(4))));
    let mut tee = Tee::new(&b"0123"[..], &mut lent);
    tee.read_to_end(&mut Vec::new()).unwrap();
    assert_eq!(tee.watch().0, 0);
    assert_eq!(Tee::new(&b"4"[..], &mut lent).read(&mut [0; 1]).unwrap_err().kind(), std::io::ErrorKind::InvalidData);

    Tee::new(&b"0123"[..], shared.clone()).read_to_end(&mut Vec::new()).unwrap();
    assert_eq!(shared.lock().unwrap().0, 0);
    assert!(Tee::new(&b"4"[..], shared.clone()).read_to_end(&mut Vec::new()).is_err());
    *shared.lock().unwrap() = Until(1);
    assert!(Tee::new(&b""[..], shared).read_to_end(&mut Vec::new()).is_err(), "the end is told, too");
}

#[cfg(all(feature = "stream", feature = "http"))]
mod asynchronous {
    use std::pin::{Pin, pin};
    use std::task::{Context, Poll, Waker};

    use bytes::Bytes;
    use futures_core::Stream;
    use futures_core::stream::FusedStream;
    use http_body::{Body, Frame, SizeHint};
    use sectile::drive::TeeError;

    use super::*;

    /// Gives these, and then the end.
    struct Given<T>(std::vec::IntoIter<T>);

    impl<T: Unpin> Stream for Given<Result<T, &'static str>> {
        type Item = Result<T, &'static str>;

        fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            Poll::Ready(self.0.next())
        }

        fn size_hint(&self) -> (usize, Option<usize>) {
            self.0.size_hint()
        }
    }

    impl Body for Given<Frame<Bytes>> {
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
    fn a_stream_passes_untouched() {
        let bytes = Bytes::from(module(&[custom("note", "abc")]));
        let chunks = vec![Ok(bytes.slice(..5)), Ok(Bytes::new()), Err("cut"), Ok(bytes.slice(5..))];
        let mut tee = Tee::new(Given(chunks.into_iter()), push());
        assert_eq!(tee.size_hint().1, Some(5));
        assert_eq!(next(&mut tee).unwrap().unwrap().as_ptr(), bytes.as_ptr());
        assert_eq!(next(&mut tee).unwrap().unwrap(), "");
        assert_eq!(next(&mut tee).unwrap().unwrap_err(), TeeError::Source("cut"));
        assert_eq!(next(&mut tee).unwrap().unwrap(), bytes[5..]);
        assert!(next(&mut tee).is_none() && next(&mut tee).is_none());
        tee.into_parts().1.finish().1.unwrap();
    }

    #[test]
    fn a_stream_that_is_refused_ends() {
        for (until, passes) in [(5, 1), (7, 2), (6, 3)] {
            let chunks = ["012", "345"].map(|chunk| Ok(Bytes::from(chunk))).into_iter().collect::<Vec<_>>();
            let mut tee = Tee::new(Given(chunks.into_iter()), Until(until));
            let passed = std::iter::from_fn(|| next(&mut tee)).take_while(Result::is_ok).count();
            assert_eq!(passed, passes.min(2), "{until}");
            assert!(next(&mut tee).is_none() && tee.is_terminated());
        }
    }

    #[test]
    fn frames_pass_untouched() {
        let bytes = Bytes::from(module(&[custom("note", "abc")]));
        let trailers = http::HeaderMap::from_iter([(http::header::ETAG, http::HeaderValue::from_static("x"))]);
        let frames =
            vec![Frame::data(bytes.slice(..5)), Frame::data(bytes.slice(5..)), Frame::trailers(trailers.clone())];
        let mut tee = Tee::new(Given(frames.into_iter()), push());
        assert_eq!((tee.size_hint().exact(), tee.is_end_stream()), (Some(bytes.len() as u64), false));
        assert_eq!(frame(&mut tee).unwrap().unwrap().into_data().unwrap().as_ptr(), bytes.as_ptr());
        assert_eq!(tee.size_hint().exact(), Some(bytes.len() as u64 - 5));
        assert_eq!(frame(&mut tee).unwrap().unwrap().into_data().unwrap(), bytes[5..]);
        assert_eq!(frame(&mut tee).unwrap().unwrap().into_trailers().unwrap(), trailers);
        assert!(tee.is_end_stream() && frame(&mut tee).is_none());
        tee.into_parts().1.finish().1.unwrap();
    }

    #[test]
    fn the_last_frame_does_not_pass_where_it_may_not_end() {
        let frames = || vec![Frame::data(Bytes::from("012")), Frame::data(Bytes::from("345"))];
        for until in [5, 7] {
            let mut tee = Tee::new(Given(frames().into_iter()), Until(until));
            assert!(frame(&mut tee).unwrap().is_ok());
            assert!(matches!(frame(&mut tee), Some(Err(TeeError::Refused(_)))), "{until}");
            assert!(frame(&mut tee).is_none());
        }
        // Nor does anything behind one that is refused.
        let mut tee = Tee::new(Given(frames().into_iter().chain(frames()).collect::<Vec<_>>().into_iter()), Until(5));
        assert!(frame(&mut tee).unwrap().is_ok() && frame(&mut tee).unwrap().is_err());
        assert!(frame(&mut tee).is_none() && !tee.is_end_stream());
        let mut tee = Tee::new(Given(frames().into_iter()), Until(6));
        assert!(frame(&mut tee).unwrap().is_ok() && frame(&mut tee).unwrap().is_ok() && frame(&mut tee).is_none());
    }
}
