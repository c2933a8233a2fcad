//! An HTTP server for uploads of modules and components. It streams them to disk through a gate, and refuses uploads
//! that violate the policy while they arrive. Refused and truncated uploads leave no file.
//!
//!     cargo run -p sectile-policy --example gate -- DIRECTORY [ADDRESS]
//!     curl --data-binary @app.wasm http://127.0.0.1:8080/
//!
//! The server stores an accepted upload under its SHA-256 and answers 201 with its digest, size and annotations. It
//! answers a refused upload with a 4xx status and the JSON of `sectile check --json`.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use std::{env, io};

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::serve::Listener;
use http_body_util::BodyExt;
use sectile::drive::{ChunkInspector, Inspected, InspectedError};
use sectile_policy::Policy;
use sectile_policy::gate::{Accepted, Gate, Refusal, RefusalKind};
use tempfile::{NamedTempFile, TempPath};
use tokio::fs::File;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep};

fn main() -> io::Result<()> {
    let mut arguments = env::args_os().skip(1);
    let Some(directory) = arguments.next() else {
        return Err(io::Error::other("give a DIRECTORY to store uploads in"));
    };
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:8080".into());
    let storage = Storage::new(directory.into(), Policy::default());
    tokio::runtime::Runtime::new()?.block_on(async {
        let listener = TcpListener::bind(&*address.to_string_lossy()).await?;
        println!("listening on http://{}/", listener.local_addr()?);
        serve(listener, storage).await
    })
}

/// The directory for uploads, and the policy that judges them.
#[derive(Clone)]
pub struct Storage {
    directory: Arc<PathBuf>,
    policy: Arc<Policy>,
}

impl Storage {
    /// Stores uploads that the policy accepts in the directory.
    pub fn new(directory: PathBuf, policy: Policy) -> Self {
        Self { directory: directory.into(), policy: policy.into() }
    }
}

/// Serves uploads until the process ends.
///
/// # Errors
///
/// Errors of the listener.
pub async fn serve(listener: TcpListener, storage: Storage) -> io::Result<()> {
    let listener = PacedListener { listener, connections: Arc::new(Semaphore::new(MAX_CONNECTIONS)) };
    axum::serve(listener, Router::new().route("/", post(upload)).with_state(storage)).await
}

/// Maximum number of open connections; further ones wait until one closes. An upload takes at most 16 MiB in its [`Gate`],
/// so that all of them take at most 1 GiB.
const MAX_CONNECTIONS: usize = 64;

/// Time in which a client must send [`MIN_BYTES`] more, also of the header, while the server reads from it.
const PACE: Duration = Duration::from_secs(10);

/// Minimum number of bytes in each [`PACE`]: about 400 bytes a second.
const MIN_BYTES: u64 = 4 << 10;

/// Accepts a limited number of connections, and closes those on which too little arrives.
struct PacedListener {
    listener: TcpListener,
    connections: Arc<Semaphore>,
}

impl Listener for PacedListener {
    type Io = PacedStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (PacedStream, SocketAddr) {
        let permit = Arc::clone(&self.connections).acquire_owned().await.ok(); // the semaphore is never closed
        let (stream, address) = Listener::accept(&mut self.listener).await;
        let due = Box::pin(tokio::time::sleep(PACE));
        (PacedStream { stream, due, received: 0, _permit: permit }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection that fails if too little arrives while it is read.
struct PacedStream {
    stream: TcpStream,
    due: Pin<Box<Sleep>>,
    /// Bytes that arrived since the last time that was due.
    received: u64,
    _permit: Option<OwnedSemaphorePermit>,
}

impl PacedStream {
    /// Checks the pace, if it is due. The end of a request is as good as many bytes: the last of them arrive at once.
    fn check_pace(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        while self.due.as_mut().poll(context).is_ready() {
            if self.received < MIN_BYTES {
                return Err(io::ErrorKind::TimedOut.into());
            }
            self.received = 0;
            self.due.as_mut().reset(Instant::now() + PACE);
        }
        Ok(())
    }
}

impl AsyncRead for PacedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.received += (buffer.filled().len() - before) as u64;
        if let Err(error) = self.check_pace(context) {
            return Poll::Ready(Err(error));
        }
        read
    }
}

impl AsyncWrite for PacedStream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// Maximum length of an upload.
const MAX_BYTES: u64 = 1 << 30;

/// Maximum time between two chunks.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

async fn upload(State(storage): State<Storage>, body: Body) -> Result<Response, Failure> {
    let mut gate = Gate::new(Arc::clone(&storage.policy)).with_max_bytes(MAX_BYTES);
    if let Some(declared) = body.size_hint().exact() {
        gate = gate.with_declared_len(declared); // `Content-Length`
    }
    if let Err(refusal) = gate.push(&[]) {
        tokio::spawn(discard(body));
        return Err(refusal.into()); // before the first byte
    }
    let mut body = Inspected::new(body, gate);
    // Dropping the path removes the file, also if the connection is cut.
    let (file, path) = NamedTempFile::new_in(&*storage.directory)?.into_parts();
    if let Err(failure) = store(&mut body, File::from_std(file)).await {
        if let Failure::Refused(_) = failure {
            tokio::spawn(discard(body.into_parts().0));
        }
        return Err(failure);
    }
    let accepted = body.into_parts().1.finish()?;
    keep(path, storage.directory.join(accepted.digest().hex())).await?;
    Ok(created(&accepted))
}

/// Writes the body that an inspector accepts, such as a gate, to a file.
///
/// # Errors
///
/// The inspector refuses the body; the client stops sending; or the disk fails.
pub async fn store<I>(body: &mut Inspected<Body, I>, mut file: File) -> Result<(), Failure>
where
    I: ChunkInspector<Refusal: Into<Failure>> + Unpin,
{
    loop {
        let frame = tokio::time::timeout(IDLE_TIMEOUT, body.frame()).await.map_err(|_| Failure::Cut)?;
        match frame {
            Some(Ok(frame)) => {
                if let Some(chunk) = frame.data_ref() {
                    file.write_all(chunk).await?;
                }
            }
            Some(Err(InspectedError::Refused(refusal))) => return Err(refusal.into()),
            Some(Err(InspectedError::Source(_))) => return Err(Failure::Cut),
            None => break,
        }
    }
    Ok(file.sync_all().await?)
}

/// Gives a stored upload its name, replacing an earlier upload of the same bytes.
///
/// # Errors
///
/// Errors of the disk.
pub async fn keep(path: TempPath, name: PathBuf) -> Result<(), Failure> {
    let kept = tokio::task::spawn_blocking(move || path.persist(name)).await;
    kept.map_err(io::Error::other)?.map_err(|error| error.error.into())
}

/// Discards more of the body: a client that is still sending does not read the answer if the connection closes.
async fn discard(mut body: Body) {
    const MAX_BYTES: usize = 4 << 20;
    let mut discarded = 0;
    let reading = async {
        while let Some(Ok(frame)) = body.frame().await {
            discarded += frame.data_ref().map_or(0, Bytes::len);
            if discarded > MAX_BYTES {
                break;
            }
        }
    };
    _ = tokio::time::timeout(Duration::from_secs(2), reading).await;
}

fn created(accepted: &Accepted) -> Response {
    let root = accepted.metadata().root();
    let annotations: BTreeMap<_, _> =
        root.annotations().filter_map(|(field, value)| Some((field.oci_key(), value.as_str()?))).collect();
    let (digest, size) = (accepted.digest().to_string(), accepted.size());
    let json = serde_json::json!({ "digest": digest, "size": size, "annotations": annotations });
    answer(StatusCode::CREATED, json.to_string())
}

/// The reason why an upload was not stored.
pub enum Failure {
    /// The gate refused it.
    Refused(Refusal),
    /// The client stopped sending.
    Cut,
    /// The disk failed.
    Io(io::Error),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Self::Refused(refusal) => {
                let status = match refusal.kind() {
                    RefusalKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
                    RefusalKind::Length => StatusCode::BAD_REQUEST,
                    _ => StatusCode::UNPROCESSABLE_ENTITY,
                };
                let report = refusal.report("upload".as_ref());
                let mut json = Vec::new();
                match report.write_verdict_json(&refusal.verdict(&report), &mut json) {
                    Ok(()) => answer(status, json),
                    Err(error) => Self::Io(error).into_response(),
                }
            }
            Self::Cut => StatusCode::REQUEST_TIMEOUT.into_response(),
            Self::Io(error) => {
                eprintln!("{error}");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}

fn answer(status: StatusCode, json: impl Into<Body>) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], json.into()).into_response()
}
