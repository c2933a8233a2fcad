//! The gate, compared with hashing, which every registry does. Target for all rows: at most 1.03 times its time.
//!
//! - `gate/FILE/CHUNK`: the gate alone, compared with SHA-256 of the same chunks.
//! - `gate/http/FILE`: the server of `examples/gate.rs`, compared with the same server without a gate. Both receive the
//!   same upload in turn, over loopback and on one runtime.
//!
//! Uploads are stored in memory if possible: the time of a disk is the same for both, and would hide the difference.

#[path = "../examples/gate.rs"]
#[allow(dead_code)]
mod example;

use std::convert::Infallible;
use std::future::Future;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
#[cfg(unix)]
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use criterion::Criterion;
#[cfg(unix)]
use rustix::time::{ClockId, clock_gettime};
use sectile::Cost;
use sectile::digest::{Digest, Hasher};
use sectile::drive::{ChunkInspector, Inspected};
use sectile_policy::Policy;
use sectile_policy::gate::{Accepted, Gate};
use sectile_testing::bench::criterion;
use sectile_testing::bench::inputs::{COMPONENT, Input, OPENCASCADE, RUBY_DEBUG, input};
use sectile_testing::bench::paired::{Line, Side, Target, paired, print};
use tempfile::{NamedTempFile, TempDir};
use tokio::fs::File;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use example::{Failure, Storage, keep, serve, store};

/// Maximum ratio of the gate's time to that of hashing.
const LIMIT: f64 = 1.03;

fn main() -> io::Result<()> {
    let mut criterion = criterion();
    compare_chunks(&mut criterion);
    compare_servers(&mut criterion)?;
    criterion.final_summary();
    Ok(())
}

fn compare_chunks(criterion: &mut Criterion) {
    let Input { id, bytes } = input(OPENCASCADE);
    let size = bytes.len() as u64;
    for (label, chunk) in [("16 KiB", 16 << 10), ("64 KiB", 64 << 10)] {
        let row = format!("gate/{id}/{label}");
        let mut group = criterion.benchmark_group(&row);
        group.sample_size(20); // hashing takes tens of milliseconds
        let hash = Side { name: "sha-256", run: || hashed(&bytes, chunk) };
        let times = paired(&mut group, || gated(&bytes, chunk), hash);
        group.finish();
        let (target, cost) =
            (Target::AtMost(LIMIT, 0.0), Cost { bytes: size, reads: bytes.len().div_ceil(chunk) as u64 });
        print(times.map(|times| Line { row: &row, other: "sha-256", times, target, cost, size }));
    }
}

fn hashed(bytes: &[u8], chunk: usize) -> Digest {
    let mut hasher = Hasher::new();
    bytes.chunks(chunk).for_each(|chunk| hasher.update(chunk));
    hasher.finish()
}

fn gated(bytes: &[u8], chunk: usize) -> Accepted {
    let mut gate = Gate::new(Policy::default()).with_declared_len(bytes.len() as u64);
    for chunk in bytes.chunks(chunk) {
        gate.push(chunk).expect("the default policy accepts the input");
    }
    gate.finish().expect("the default policy accepts the input")
}

fn compare_servers(criterion: &mut Criterion) -> io::Result<()> {
    let runtime = Runtime::new()?;
    let directory = directory()?;
    let at = directory.path();
    let gated = start(&runtime, |listener| serve(listener, Storage::new(at.to_owned(), Policy::default())))?;
    let plain = start(&runtime, |listener| serve_plain(listener, at.to_owned()))?;
    for name in [OPENCASCADE, RUBY_DEBUG, COMPONENT] {
        let Input { id, bytes } = input(name);
        let size = bytes.len() as u64;
        let row = format!("gate/http/{id}");
        let mut group = criterion.benchmark_group(&row);
        group.sample_size(60); // an upload takes a tenth of a second, with much noise
        let hashing = Side { name: "hashing", run: || upload(plain, &bytes) };
        let times = paired(&mut group, || upload(gated, &bytes), hashing);
        group.finish();
        let (target, cost) = (Target::AtMost(LIMIT, 0.0), Cost { bytes: size, reads: 1 });
        #[cfg(unix)]
        if times.is_some() {
            print_processor_time(&row, || upload(gated, &bytes), || upload(plain, &bytes));
        }
        print(times.map(|times| Line { row: &row, other: "hashing", times, target, cost, size }));
    }
    Ok(())
}

/// Prints the processor time of client and server together. It does not depend on other load, and limits the throughput
/// of a busy server.
#[cfg(unix)]
#[allow(clippy::print_stdout)] // a bench prints
fn print_processor_time(row: &str, mut gated: impl FnMut(), mut plain: impl FnMut()) {
    const TURNS: u32 = 40;
    let (mut ours, mut theirs) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..TURNS {
        ours += processor_time(&mut gated);
        theirs += processor_time(&mut plain);
    }
    let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
    let verdict = if ratio <= LIMIT { "reached" } else { "MISSED" };
    let (ours, theirs) = (ours / TURNS, theirs / TURNS);
    println!(
        "| {row}: processor time: sectile {ours:.1?}, hashing {theirs:.1?}, ratio {ratio:.3} (limit {LIMIT} x): {verdict}"
    );
}

#[cfg(unix)]
fn processor_time(run: &mut impl FnMut()) -> Duration {
    let now = || Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).expect("it only grows");
    let begun = now();
    run();
    now().saturating_sub(begun)
}

/// A directory in memory, if possible.
fn directory() -> io::Result<TempDir> {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }
}

/// Starts a server that runs until the runtime ends.
fn start<S>(runtime: &Runtime, serve: impl FnOnce(TcpListener) -> S) -> io::Result<SocketAddr>
where
    S: Future<Output = io::Result<()>> + Send + 'static,
{
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    let address = listener.local_addr()?;
    runtime.spawn(serve(listener));
    Ok(address)
}

/// Uploads, and waits until the upload is stored.
fn upload(server: SocketAddr, bytes: &[u8]) {
    let answer = || -> io::Result<String> {
        let mut stream = TcpStream::connect(server)?;
        write!(stream, "POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", bytes.len())?;
        stream.write_all(bytes)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    let answer = answer().expect("the server answers");
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
}

/// The server without the gate.
async fn serve_plain(listener: TcpListener, directory: PathBuf) -> io::Result<()> {
    axum::serve(listener, Router::new().route("/", post(upload_plain)).with_state(Arc::new(directory))).await
}

async fn upload_plain(State(directory): State<Arc<PathBuf>>, body: Body) -> Result<StatusCode, Failure> {
    let mut body = Inspected::new(body, Hashing(Hasher::new()));
    let (file, path) = NamedTempFile::new_in(&*directory)?.into_parts();
    store(&mut body, File::from_std(file)).await?;
    let Hashing(hasher) = body.into_parts().1;
    keep(path, directory.join(hasher.finish().hex())).await?;
    Ok(StatusCode::CREATED)
}

/// Hashes chunks.
struct Hashing(Hasher);

impl ChunkInspector for Hashing {
    type Refusal = Infallible;

    fn inspect(&mut self, chunk: &[u8]) -> Result<(), Infallible> {
        self.0.update(chunk);
        Ok(())
    }
}

impl From<Infallible> for Failure {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}
