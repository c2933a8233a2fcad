//! A server on loopback for one test. A handler answers the requests, which are recorded.
//! Connections, bytes and time are bounded. Dropping the value stops the server.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

const MAX_CONNECTIONS: usize = 200;
const MAX_BODY: u64 = 128 << 20;
/// Tests must not hang.
const IO_TIMEOUT: Duration = Duration::from_secs(20);

/// A request.
#[derive(Clone, Debug, Default)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub query: String,
    /// Header fields with lower-case names.
    pub fields: Vec<(String, String)>,
    /// `None` until it was read.
    pub body: Option<Vec<u8>>,
}

impl Request {
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(key, _)| key == name).map(|(_, value)| &**value)
    }

    pub fn is(&self, method: &str, part: &str) -> bool {
        self.method == method && self.path.contains(part)
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Reads the body and calls the handler again.
    Read,
    Answer {
        status: u16,
        fields: Vec<(String, String)>,
        body: Vec<u8>,
    },
    /// Sends these bytes and closes the connection.
    Raw(Vec<u8>),
    /// Reads this many bytes of the body and closes the connection.
    Cut(u64),
    /// Sends nothing until the test ends.
    Stall,
    /// Sends these bytes, then single bytes until the test ends.
    Drip(Vec<u8>),
}

impl Reply {
    pub fn of(status: u16) -> Self {
        Self::Answer { status, fields: Vec::new(), body: Vec::new() }
    }

    pub fn field(mut self, name: &str, value: impl ToString) -> Self {
        if let Self::Answer { fields, .. } = &mut self {
            fields.push((name.to_owned(), value.to_string()));
        }
        self
    }

    pub fn body(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        if let Self::Answer { body, .. } = &mut self {
            *body = bytes.into();
        }
        self
    }
}

type Handler = dyn FnMut(&Request) -> Reply + Send;

pub struct Server {
    pub address: SocketAddr,
    stop: Arc<AtomicBool>,
    asked: Arc<Mutex<Vec<Request>>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts a server with a handler. The handler is called after the header of a request. It is
    /// called again after the body if it requests the body.
    pub fn start(handler: impl FnMut(&Request) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, asked) = (Arc::new(AtomicBool::new(false)), Arc::default());
        let handler: Arc<Mutex<Handler>> = Arc::new(Mutex::new(handler));
        let thread = thread::spawn({
            let (stop, asked) = (Arc::clone(&stop), Arc::clone(&asked));
            move || {
                let connections = listener.incoming().take(MAX_CONNECTIONS).map_while(Result::ok);
                let threads: Vec<_> = connections
                    .take_while(|_| !stop.load(Ordering::SeqCst))
                    .map(|stream| {
                        let (stop, asked, handler) = (Arc::clone(&stop), Arc::clone(&asked), Arc::clone(&handler));
                        thread::spawn(move || _ = serve(&stream, &stop, &asked, &handler))
                    })
                    .collect();
                // A panic of the handler fails the test.
                let ended: Vec<_> = threads.into_iter().map(JoinHandle::join).collect();
                assert!(ended.iter().all(Result::is_ok), "a handler has panicked");
            }
        });
        Self { address, stop, asked, thread: Some(thread) }
    }

    /// The requests so far, without bodies, in the order of the answers.
    pub fn asked(&self) -> Vec<Request> {
        self.asked.lock().unwrap().clone()
    }

    /// Methods and paths of the requests so far.
    pub fn lines(&self) -> Vec<String> {
        self.asked().iter().map(|request| format!("{} {}", request.method, request.path)).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        _ = TcpStream::connect(self.address); // wakes the listener
        let ended = self.thread.take().unwrap().join();
        assert!(ended.is_ok() || thread::panicking(), "a handler has panicked");
    }
}

fn serve(
    stream: &TcpStream,
    stop: &AtomicBool,
    asked: &Mutex<Vec<Request>>,
    handler: &Mutex<Handler>,
) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_millis(20)))?;
    stream.set_write_timeout(Some(IO_TIMEOUT))?;
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(PollingStream { stream, stop });
    let mut writer = stream;
    while !stop.load(Ordering::SeqCst) {
        // A TLS client waits for an answer, not for the end of a line.
        if reader.fill_buf()?.first().is_some_and(|first| !first.is_ascii_uppercase()) {
            writer.write_all(b"HTTP/1.1 400 X\r\n\r\n")?;
            break;
        }
        let Some(mut request) = head(&mut reader)? else { break };
        let mut reply = (handler.lock().unwrap())(&request);
        let len: u64 = request.field("content-length").map_or(0, |len| len.parse().unwrap());
        let mut is_read = len == 0;
        if matches!(reply, Reply::Read) {
            if request.field("expect").is_some() {
                writer.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
            }
            let mut body = Vec::new();
            let read = (&mut reader).take(len.min(MAX_BODY)).read_to_end(&mut body)?;
            if (read as u64) < len {
                break;
            }
            is_read = true;
            request.body = Some(body);
            reply = (handler.lock().unwrap())(&request);
        }
        asked.lock().unwrap().push(Request { body: None, ..request.clone() });
        match reply {
            Reply::Read => panic!("the body is read: {request:?}"),
            Reply::Answer { status, fields, body } => {
                let fields: String = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
                let close = if is_read { "" } else { "connection: close\r\n" };
                let len = body.len();
                let head = format!("HTTP/1.1 {status} X\r\n{fields}{close}content-length: {len}\r\n\r\n");
                writer.write_all(head.as_bytes())?;
                if request.method != "HEAD" {
                    writer.write_all(&body)?;
                }
                if !is_read {
                    break;
                }
            }
            Reply::Raw(bytes) => {
                writer.write_all(&bytes)?;
                break;
            }
            Reply::Cut(most) => {
                if request.field("expect").is_some() {
                    writer.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
                }
                std::io::copy(&mut (&mut reader).take(most), &mut std::io::sink())?;
                break;
            }
            Reply::Stall => wait(stop, || Ok(()))?,
            Reply::Drip(bytes) => {
                writer.write_all(&bytes)?;
                wait(stop, || writer.write_all(b"x"))?;
            }
        }
    }
    Ok(())
}

/// Repeats an action until the test ends.
fn wait(stop: &AtomicBool, mut work: impl FnMut() -> std::io::Result<()>) -> std::io::Result<()> {
    let begun = std::time::Instant::now();
    while !stop.load(Ordering::SeqCst) && begun.elapsed() < IO_TIMEOUT {
        thread::sleep(Duration::from_millis(5));
        work()?;
    }
    Ok(())
}

/// A stream that is read until the test ends.
struct PollingStream<'s> {
    stream: &'s TcpStream,
    stop: &'s AtomicBool,
}

impl Read for PollingStream<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let begun = std::time::Instant::now();
        loop {
            match self.stream.read(buffer) {
                Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {
                    if self.stop.load(Ordering::SeqCst) || begun.elapsed() > IO_TIMEOUT {
                        return Ok(0);
                    }
                }
                read => return read,
            }
        }
    }
}

fn head(reader: &mut impl BufRead) -> std::io::Result<Option<Request>> {
    let mut line = String::new();
    if reader.take(1 << 16).read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut parts = line.split_whitespace();
    let method = parts.next().unwrap_or_default().to_owned();
    let target = parts.next().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut request = Request { method, path: path.to_owned(), query: query.to_owned(), ..Request::default() };
    loop {
        let mut line = String::new();
        reader.take(1 << 16).read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { return Ok(Some(request)) };
        request.fields.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
}
