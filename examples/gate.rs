//! An HTTP server that takes uploads of modules and components, streams them to disk through the gate, and refuses what the
//! policy does not permit while it is still arriving. Nothing stays of what it refuses, or of what is cut off.
//!
//!     cargo run --example gate --features gate,http,json -- DIRECTORY [ADDRESS]
//!     curl --data-binary @app.wasm http://127.0.0.1:8080/
//!
//! What is accepted lies in the directory under its SHA-256, and is answered with 201 and its digest, size and annotations;
//! what is refused, with a 4xx and the JSON that `sectile check --json` prints.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use std::{env, io};

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http_body_util::BodyExt;
use sectile::drive::{Tee, TeeError, Watch};
use sectile::gate::{Accepted, Gate, Refused, Why};
use sectile::oci::{AnnotationOptions, Duplicates};
use sectile::policy::Policy;
use tempfile::{NamedTempFile, TempPath};
use tokio::fs::File;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

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

/// Where uploads go, and what they are judged by.
#[derive(Clone)]
pub struct Storage {
    directory: Arc<PathBuf>,
    policy: Arc<Policy>,
}

impl Storage {
    /// Uploads that this policy accepts go to this directory.
    pub fn new(directory: PathBuf, policy: Policy) -> Self {
        Self { directory: directory.into(), policy: policy.into() }
    }
}

/// Takes uploads, until the process ends.
///
/// # Errors
///
/// Those of the listener.
pub async fn serve(listener: TcpListener, storage: Storage) -> io::Result<()> {
    axum::serve(listener, Router::new().route("/", post(upload)).with_state(storage)).await
}

/// The most bytes of an upload.
const MOST: u64 = 1 << 30;

/// For so long a client may send nothing.
const PATIENCE: Duration = Duration::from_secs(30);

async fn upload(State(storage): State<Storage>, body: Body) -> Result<Response, Failure> {
    let mut gate = Gate::new(Arc::clone(&storage.policy)).at_most(MOST);
    if let Some(declared) = body.size_hint().exact() {
        gate = gate.declared(declared); // what `Content-Length` says
    }
    if let Err(refused) = gate.push(&[]) {
        tokio::spawn(discard(body));
        return Err(refused.into()); // before a byte has come
    }
    let mut body = Tee::new(body, gate);
    // Is removed when it goes out of scope, as it does when the connection is cut.
    let (file, path) = NamedTempFile::new_in(&*storage.directory)?.into_parts();
    if let Err(failure) = store(&mut body, File::from_std(file)).await {
        if let Failure::Refused(_) = failure {
            tokio::spawn(discard(body.into_parts().0));
        }
        return Err(failure);
    }
    let accepted = body.into_parts().1.finish()?;
    keep(path, storage.directory.join(accepted.digest.hex())).await?;
    Ok(created(&accepted))
}

/// Writes what a watch lets through, such as the gate.
///
/// # Errors
///
/// The watch refuses it; nothing more comes; or the disk fails.
pub async fn store<W>(body: &mut Tee<Body, W>, mut file: File) -> Result<(), Failure>
where
    W: Watch<Refusal: Into<Failure>> + Unpin,
{
    loop {
        let frame = tokio::time::timeout(PATIENCE, body.frame()).await.map_err(|_| Failure::Cut)?;
        match frame {
            Some(Ok(frame)) => {
                if let Some(chunk) = frame.data_ref() {
                    file.write_all(chunk).await?;
                }
            }
            Some(Err(TeeError::Refused(refused))) => return Err(refused.into()),
            Some(Err(TeeError::Source(_))) => return Err(Failure::Cut),
            None => break,
        }
    }
    Ok(file.sync_all().await?)
}

/// Gives what was written its name. Another upload of the same bytes may have that already, and is as good.
///
/// # Errors
///
/// Those of the disk.
pub async fn keep(path: TempPath, name: PathBuf) -> Result<(), Failure> {
    let kept = tokio::task::spawn_blocking(move || path.persist(name)).await;
    kept.map_err(io::Error::other)?.map_err(|error| error.error.into())
}

/// Reads on for a moment: a client that is sending would not hear the answer from a connection that is closed on it.
async fn discard(mut body: Body) {
    const MOST: usize = 4 << 20;
    let mut discarded = 0;
    let reading = async {
        while let Some(Ok(frame)) = body.frame().await {
            discarded += frame.data_ref().map_or(0, Bytes::len);
            if discarded > MOST {
                break;
            }
        }
    };
    _ = tokio::time::timeout(Duration::from_secs(2), reading).await;
}

fn created(accepted: &Accepted) -> Response {
    let options = AnnotationOptions::new().duplicates(Duplicates::Last).allow_invalid();
    let annotations = accepted.annotations(&options).unwrap_or_default();
    let (digest, size) = (accepted.digest.to_string(), accepted.size);
    let json = serde_json::json!({ "digest": digest, "size": size, "annotations": annotations });
    answer(StatusCode::CREATED, json.to_string())
}

/// Why nothing was stored.
pub enum Failure {
    /// By the gate.
    Refused(Refused),
    /// The client stopped sending: nobody is there to be told more.
    Cut,
    /// By the disk.
    Io(io::Error),
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
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
            Self::Refused(refused) => {
                let status = match refused.why() {
                    Why::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
                    Why::Length => StatusCode::BAD_REQUEST,
                    _ => StatusCode::UNPROCESSABLE_ENTITY,
                };
                let report = refused.report("upload".as_ref());
                let mut json = Vec::new();
                match report.write_verdict_json(&refused.policy().judge(&report), &mut json) {
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
