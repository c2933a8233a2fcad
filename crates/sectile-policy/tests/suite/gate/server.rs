//! The server of `examples/gate.rs`, over loopback.

#[path = "../../../examples/gate.rs"]
#[allow(dead_code)]
mod example;

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use sectile::digest::Digest;
use sectile_policy::Policy;
use tempfile::TempDir;

use sectile_testing::binary::{custom, module, section};
use sectile_testing::files::real_files;

/// A server with its own directory; dropping it stops both.
struct Server {
    address: SocketAddr,
    directory: TempDir,
    _runtime: tokio::runtime::Runtime,
}

const TIMEOUT: Duration = Duration::from_secs(30);

impl Server {
    fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let directory = tempfile::tempdir().unwrap();
        let storage = example::Storage::new(directory.path().to_owned(), Policy::default());
        runtime.spawn(example::serve(listener, storage));
        Self { address, directory, _runtime: runtime }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        stream.set_write_timeout(Some(TIMEOUT)).unwrap();
        stream
    }

    /// Starts an upload with this `Content-Length`.
    fn claim(&self, len: usize) -> TcpStream {
        let mut stream = self.connect();
        write!(stream, "POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {len}\r\n\r\n").unwrap();
        stream
    }

    fn upload(&self, bytes: &[u8]) -> (u16, serde_json::Value) {
        let mut stream = self.claim(bytes.len());
        _ = stream.write_all(bytes); // the server may refuse the upload in the meantime
        answer(stream)
    }

    fn stored(&self) -> Vec<String> {
        let entries = fs::read_dir(self.directory.path()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    fn get(&self, digest: &Digest) -> Vec<u8> {
        fs::read(self.directory.path().join(digest.hex())).unwrap()
    }

    /// Waits until no file is left.
    #[track_caller]
    fn assert_nothing_is_stored(&self) {
        let start = Instant::now();
        while !self.stored().is_empty() {
            assert!(start.elapsed() < TIMEOUT, "{:?}", self.stored());
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// The status and the JSON of the answer.
fn answer(mut stream: TcpStream) -> (u16, serde_json::Value) {
    let mut text = Vec::new();
    stream.read_to_end(&mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap_or_default())
}

fn large(len: usize) -> Vec<u8> {
    let code: Vec<u8> = (0..len).map(|at| (at / 7 * 31) as u8).collect();
    module(&[custom("licenses", "MIT"), custom("version", "1.0.0"), section(11, &code)])
}

#[test]
fn accepted_uploads_are_stored_unchanged() {
    let server = Server::start();
    let mut stored = 0;
    for (name, bytes) in real_files().into_iter().chain([("large".to_owned(), large(5_000_000))]) {
        let (status, json) = server.upload(&bytes);
        let digest = Digest::new(&bytes);
        match status {
            201 => {
                stored += 1;
                assert_eq!(
                    (json["digest"].as_str(), json["size"].as_u64()),
                    (Some(&*digest.to_string()), Some(bytes.len() as u64))
                );
                assert!(server.get(&digest) == bytes, "{name}");
            }
            _ => {
                assert_eq!((status, &json["accepted"]), (422, &false.into()), "{name}: {json}");
                assert!(!server.stored().contains(&digest.hex()), "{name}");
            }
        }
    }
    assert!(stored >= 10, "{stored}");
    let (_, json) = server.upload(&large(10));
    assert_eq!(json["annotations"]["org.opencontainers.image.version"], "1.0.0");
}

#[test]
fn hostile_uploads_are_refused_while_they_arrive() {
    let server = Server::start();
    let bad = |licenses| [module(&[custom("licenses", licenses)]), section(11, &[0; 1000])].concat();
    for (start, error, code) in [
        (b"\x7fELF\x02\x01\x01\0 and so on".to_vec(), Some("not WebAssembly"), None),
        ([module(&[]), vec![0x80; 10]].concat(), Some("malformed section id"), None),
        (bad("MIT!"), None, Some("not-spdx")),
    ] {
        // The declared gigabyte never arrives, but the answer does.
        let mut stream = server.claim(1 << 30);
        stream.write_all(&start).unwrap();
        let (status, json) = answer(stream);
        assert_eq!((status, &json["accepted"]), (422, &false.into()), "{json}");
        if let Some(error) = error {
            assert!(json["reason"]["message"].as_str().unwrap().starts_with(error), "{json}");
        }
        if let Some(code) = code {
            assert_eq!((&json["findings"][0]["code"], &json["findings"][0]["refused"]), (&code.into(), &true.into()));
        }
    }
    assert_eq!(answer(server.claim(2 << 30)).0, 413);
    server.assert_nothing_is_stored();
}

#[test]
fn a_client_that_keeps_sending_gets_the_response() {
    let server = Server::start();
    let mut stream = server.claim(3_000_000);
    stream.write_all(b"no WebAssembly").unwrap();
    for _ in 0..100 {
        if stream.write_all(&[0; 10_000]).is_err() {
            break;
        }
    }
    assert_eq!(answer(stream).0, 422);
    server.assert_nothing_is_stored();
}

#[test]
fn wrong_content_length_stores_nothing() {
    let server = Server::start();
    let bytes = large(1000);
    // Fewer bytes than declared.
    let mut stream = server.claim(bytes.len() + 1);
    stream.write_all(&bytes).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    _ = stream.read_to_end(&mut Vec::new());
    server.assert_nothing_is_stored();
    // More bytes than declared: the upload is the beginning of the binary.
    let mut stream = server.claim(bytes.len() - 1);
    stream.write_all(&bytes).unwrap();
    assert_eq!(answer(stream).0, 422);
    server.assert_nothing_is_stored();
}

#[test]
fn broken_connection_leaves_nothing() {
    let server = Server::start();
    let bytes = large(300_000);
    for sent in [0, 1, 7, 8, 9, 50, 200_000, bytes.len() - 1] {
        let mut stream = server.claim(bytes.len());
        stream.write_all(&bytes[..sent]).unwrap();
        drop(stream);
    }
    thread::sleep(Duration::from_millis(100));
    server.assert_nothing_is_stored();
    assert_eq!(server.upload(&bytes).0, 201); // the server still works
}

#[test]
fn slow_clients_are_served() {
    let server = Server::start();
    let bytes = large(20);
    let mut stream = server.connect();
    // Chunked encoding, without a length.
    write!(stream, "POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n").unwrap();
    for byte in &bytes {
        stream.write_all(&[b'1', b'\r', b'\n', *byte, b'\r', b'\n']).unwrap();
        thread::sleep(Duration::from_millis(2));
    }
    stream.write_all(b"0\r\n\r\n").unwrap();
    assert_eq!(answer(stream).0, 201);
    assert_eq!(server.get(&Digest::new(&bytes)), bytes);
}

#[test]
fn sixty_four_concurrent_uploads() {
    let server = Server::start();
    let uploads: Vec<(Vec<u8>, bool)> = (0..64)
        .map(|number| match number % 4 {
            0 => ([large(50_000 + number), custom("source", "nowhere")].concat(), false),
            _ => (large(200_000 + number), true),
        })
        .collect();
    thread::scope(|scope| {
        for (bytes, fits) in &uploads {
            let server = &server;
            scope.spawn(move || {
                let mut stream = server.claim(bytes.len());
                for chunk in bytes.chunks(10_000) {
                    if stream.write_all(chunk).is_err() {
                        break;
                    }
                    thread::yield_now();
                }
                assert_eq!(answer(stream).0 == 201, *fits);
            });
        }
    });
    for (bytes, fits) in &uploads {
        if *fits {
            assert!(server.get(&Digest::new(bytes)) == *bytes);
        }
    }
    assert_eq!(server.stored().len(), 48);
}

/// The answer's first line, or nothing if the connection is closed without one.
fn status_line(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned()
}

#[test]
fn half_open_and_slow_connections_are_closed() {
    let server = Server::start();
    let start = Instant::now();
    let bytes = module(&[section(10, &vec![0; 100_000])]);
    // Nothing, a part of a header, and a body of which a byte arrives now and then.
    let silent = server.connect();
    let mut half = server.connect();
    half.write_all(b"POST / HTTP/1.1\r\nhost: x\r\n").unwrap();
    let mut slow = server.claim(bytes.len());
    slow.write_all(&bytes[..20]).unwrap();
    let mut trickle = slow.try_clone().unwrap();
    let sending = thread::spawn(move || {
        for byte in &bytes[20..] {
            if trickle.write_all(&[*byte]).is_err() {
                break;
            }
            thread::sleep(Duration::from_millis(200));
        }
    });
    for stream in [silent, half, slow] {
        assert!(!status_line(stream).contains(" 201 "));
        assert!(start.elapsed() < Duration::from_secs(25), "{:?}", start.elapsed());
    }
    sending.join().unwrap();
    server.assert_nothing_is_stored();
}

#[test]
fn further_connections_wait_and_are_served() {
    let server = Server::start();
    let bytes = module(&[custom("vendor", "v")]);
    let idle: Vec<TcpStream> = (0..100).map(|_| server.connect()).collect();
    // They are closed because nothing arrives. Then this connection is served.
    let start = Instant::now();
    assert_eq!(server.upload(&bytes).0, 201);
    assert!(start.elapsed() > Duration::from_secs(5), "{:?}", start.elapsed());
    drop(idle);
}
