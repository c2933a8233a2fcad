//! How far apart an input's headers lie.

use sectile::scan::{Section, Visitor, Want};
use sectile::{Limits, drive};

/// Where the sections of an input begin, and the subsections of names, which are hopped along in the same way.
#[derive(Default)]
struct Headers {
    starts: Vec<u64>,
    end: u64,
}

impl Headers {
    fn hop(&mut self, start: u64) -> Want {
        if start < self.end { Want::Bytes(start..start + 6) } else { Want::Nothing }
    }
}

impl Visitor<'_> for Headers {
    fn section(&mut self, section: &Section<'_>) -> Want {
        self.starts.push(section.range().start);
        self.end = section.data().end;
        if section.name().ends_with("name") { self.hop(section.data().start) } else { Want::Nothing }
    }

    fn data(&mut self, bytes: &[u8], start: u64) -> Want {
        self.starts.push(start);
        let len = bytes[1..].iter().take_while(|byte| **byte >= 0x80).count() + 1;
        let size = bytes[1..=len].iter().rev().fold(0, |size, byte| size << 7 | u64::from(byte & 0x7f));
        self.hop(start + 1 + len as u64 + size)
    }
}

/// Groups of headers, each within a window of 64 KiB: as many round trips as finding them one after the other takes.
pub fn clusters(bytes: &[u8]) -> u64 {
    let mut headers = Headers::default();
    drive::slice(bytes, &mut headers, Limits::default()).0.expect("the inputs are sound");
    let (mut clusters, mut end) = (1, 64 << 10);
    for start in headers.starts {
        if start >= end {
            (clusters, end) = (clusters + 1, start + (64 << 10));
        }
    }
    clusters
}
