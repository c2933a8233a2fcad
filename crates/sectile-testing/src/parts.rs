//! Range requests as web servers answer them. Source: RFC 9110, section 14.

use super::server::{Reply, Request};

/// The requested part of some bytes, or all of them.
pub fn part(bytes: &[u8], request: &Request) -> Reply {
    let range = request.field("range").and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
    let last = |last: &str| if last.is_empty() { Some(usize::MAX) } else { last.parse().ok() };
    let range = range.and_then(|(start, end)| Some((start.parse::<usize>().ok()?, last(end)?)));
    let len = bytes.len();
    match range {
        None => Reply::of(200).body(bytes),
        Some((start, _)) if start >= len => Reply::of(416).field("content-range", format!("bytes */{len}")),
        Some((start, last)) => {
            let end = last.saturating_add(1).min(len);
            let content = format!("bytes {start}-{}/{len}", end - 1);
            Reply::of(206).field("content-range", content).body(&bytes[start..end])
        }
    }
}
