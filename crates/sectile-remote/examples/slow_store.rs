//! A bucket of generated objects on loopback that adds a delay to each request, for measurements of audits.
//!
//!     cargo run --release -p sectile-remote --example slow_store -- MILLISECONDS OBJECTS SIZE
//!
//! It prints the address of its endpoint. `GET /` tells the number of requests and the bytes that it sent.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

const KEYS_PER_PAGE: usize = 1_000;

struct Store {
    delay: Duration,
    objects: usize,
    object: Vec<u8>,
    requests: AtomicU64,
    sent: AtomicU64,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let numbers = std::env::args().skip(1).map(|number| number.parse()).collect::<Result<Vec<usize>, _>>()?;
    let [milliseconds, objects, size] = numbers[..] else {
        return Err("usage: slow_store MILLISECONDS OBJECTS SIZE".into());
    };
    let store = Arc::new(Store {
        delay: Duration::from_millis(milliseconds as u64),
        objects,
        object: object(size),
        requests: AtomicU64::default(),
        sent: AtomicU64::default(),
    });
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("http://{}", listener.local_addr()?);
    for connection in listener.incoming() {
        let (store, connection) = (Arc::clone(&store), connection?);
        thread::spawn(move || store.serve(&connection));
    }
    Ok(())
}

/// A module of about this size: metadata, and a code section that is never read.
fn object(size: usize) -> Vec<u8> {
    let mut object = b"\0asm\x01\0\0\0\0\x0c\x08licensesMIT".to_vec();
    if size > object.len() {
        let mut rest = size;
        object.push(10);
        for _ in 0..4 {
            object.push((rest & 0x7f) as u8 | 0x80);
            rest >>= 7;
        }
        object.push((rest & 0x7f) as u8);
        object.resize(object.len() + size, 0);
    }
    object
}

impl Store {
    fn serve(&self, connection: &TcpStream) -> io::Result<()> {
        connection.set_nodelay(true)?;
        let mut lines = BufReader::new(connection.try_clone()?).lines();
        while let Some(request) = lines.next() {
            let request = request?;
            let mut range = None;
            for field in lines.by_ref() {
                let field = field?.to_ascii_lowercase();
                match field.strip_prefix("range: bytes=") {
                    Some(value) => range = Some(value.to_owned()),
                    None if field.is_empty() => break,
                    None => {}
                }
            }
            let mut answer = self.answer(&request, range.as_deref());
            if request.starts_with("HEAD ") {
                let end = answer.windows(4).position(|end| end == b"\r\n\r\n");
                answer.truncate(end.map_or(0, |end| end + 4));
            }
            self.sent.fetch_add(answer.len() as u64, Ordering::Relaxed);
            (&mut &*connection).write_all(&answer)?;
        }
        Ok(())
    }

    fn answer(&self, request: &str, range: Option<&str>) -> Vec<u8> {
        let path = request.split(' ').nth(1).unwrap_or_default();
        if path == "/" {
            let (requests, sent) = (self.requests.load(Ordering::Relaxed), self.sent.load(Ordering::Relaxed));
            return response("200 OK", "", format!("{requests} {sent}").as_bytes());
        }
        thread::sleep(self.delay);
        self.requests.fetch_add(1, Ordering::Relaxed);
        match path.split_once('?') {
            Some((_, query)) if query.contains("list-type") => response("200 OK", "", self.page(query).as_bytes()),
            _ => self.part(range),
        }
    }

    fn part(&self, range: Option<&str>) -> Vec<u8> {
        const FIELDS: &str = "etag: \"1\"\r\nlast-modified: Thu, 01 Jan 2026 00:00:00 GMT\r\naccept-ranges: bytes\r\n";
        let len = self.object.len();
        let Some((start, end)) = range.and_then(|range| range.split_once('-')) else {
            return response("200 OK", FIELDS, &self.object);
        };
        let start = start.parse().unwrap_or(0).min(len - 1);
        let end = end.parse::<usize>().map_or(len, |end| len.min(end + 1)).max(start + 1);
        let fields = format!("{FIELDS}content-range: bytes {start}-{}/{len}\r\n", end - 1);
        response("206 Partial Content", &fields, &self.object[start..end])
    }

    /// A page of the listing. The token is the number of its first key.
    fn page(&self, query: &str) -> String {
        let token = query.split('&').find_map(|part| part.strip_prefix("continuation-token="));
        let start: usize = token.and_then(|token| token.parse().ok()).unwrap_or(0);
        let end = self.objects.min(start + KEYS_PER_PAGE);
        let keys = (start..end).map(|nth| {
            format!(
                "<Contents><Key>{nth:09}.wasm</Key><Size>{}</Size><ETag>\"1\"</ETag>\
                 <LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>",
                self.object.len()
            )
        });
        let keys: String = keys.collect();
        let more = end < self.objects;
        let next = if more { format!("<NextContinuationToken>{end}</NextContinuationToken>") } else { String::new() };
        format!("<ListBucketResult><Name>store</Name><IsTruncated>{more}</IsTruncated>{next}{keys}</ListBucketResult>")
    }
}

fn response(status: &str, fields: &str, body: &[u8]) -> Vec<u8> {
    let mut response = format!("HTTP/1.1 {status}\r\n{fields}content-length: {}\r\n\r\n", body.len()).into_bytes();
    response.extend_from_slice(body);
    response
}
