//! Distances between the headers of an input.

use sectile::scan::{DataRequest, Section, Visitor};
use sectile::{Limits, drive};

/// The offsets of sections, and of the subsections of name sections, which the reader skips in the
/// same way.
#[derive(Default)]
struct Headers {
    starts: Vec<u64>,
    end: u64,
}

impl Headers {
    fn skip_to(&mut self, start: u64) -> DataRequest {
        if start < self.end { DataRequest::Bytes(start..start + 6) } else { DataRequest::Nothing }
    }
}

impl Visitor<'_> for Headers {
    fn section(&mut self, section: &Section<'_>) -> DataRequest {
        self.starts.push(section.range().start);
        self.end = section.data().end;
        if section.name().ends_with("name") { self.skip_to(section.data().start) } else { DataRequest::Nothing }
    }

    fn data(&mut self, bytes: &[u8], start: u64) -> DataRequest {
        self.starts.push(start);
        let len = bytes[1..].iter().take_while(|byte| **byte >= 0x80).count() + 1;
        let size = bytes[1..=len].iter().rev().fold(0, |size, byte| size << 7 | u64::from(byte & 0x7f));
        self.skip_to(start + 1 + len as u64 + size)
    }
}

/// The number of groups of headers within 64 KiB each. It equals the number of round trips that a
/// sequential search for the headers takes.
pub fn clusters(bytes: &[u8]) -> u64 {
    let mut headers = Headers::default();
    drive::scan_slice(bytes, &mut headers, Limits::default()).complete().expect("the input is valid");
    let (mut clusters, mut end) = (1, 64 << 10);
    for start in headers.starts {
        if start >= end {
            (clusters, end) = (clusters + 1, start + (64 << 10));
        }
    }
    clusters
}
