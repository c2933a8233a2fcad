//! The gate, end to end: the server of `examples/gate.rs`, which streams uploads to disk through the gate, beside the same
//! server without it, which hashes what it stores as a registry must. Both take the same upload in turn, over loopback and
//! on one runtime. To reach: 1.03 times the time of the server without a gate.
//!
//! Where there is a file system in memory it is stored there: what a disk takes is the same for both, and would hide the
//! difference.

mod support;

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
#[cfg(unix)]
use rustix::time::{ClockId, clock_gettime};
use sectile::digest::Hasher;
use sectile::drive::{Cost, Tee, Watch};
use sectile::policy::Policy;
use tempfile::{NamedTempFile, TempDir};
use tokio::fs::File;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use example::{Failure, Storage, keep, serve, store};
use support::duel::{Line, Side, Target, duel, print};
use support::inputs::{COMPONENT, Input, OPENCASCADE, RUBY_DEBUG, input};

fn main() -> io::Result<()> {
    let mut criterion = support::criterion().sample_size(60); // an upload takes a tenth of a second, and is easily disturbed
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
        let hashing = Side { name: "hashing", run: || upload(plain, &bytes) };
        let times = duel(&mut group, || upload(gated, &bytes), hashing);
        group.finish();
        let (target, cost) = (Target::AtMost(1.03, 0.0), Cost { bytes: size, reads: 1 });
        #[cfg(unix)]
        if times.is_some() {
            print_processor_time(&row, || upload(gated, &bytes), || upload(plain, &bytes));
        }
        print(times.map(|times| Line { row: &row, other: "hashing", times, target, cost, size }));
    }
    criterion.final_summary();
    Ok(())
}

/// What both take of the processor, client and server together, which does not hang on what else the machine does: where
/// all processors are busy with uploads, it is what bounds them.
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
    let verdict = if ratio <= 1.03 { "reached" } else { "MISSED" };
    let (ours, theirs) = (ours / TURNS, theirs / TURNS);
    println!(
        "| {row}: processor time: sectile {ours:.1?}, hashing {theirs:.1?}, ratio {ratio:.3} (limit 1.03 x): {verdict}"
    );
}

#[cfg(unix)]
fn processor_time(run: &mut impl FnMut()) -> Duration {
    let now = || Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).expect("it only grows");
    let begun = now();
    run();
    now().saturating_sub(begun)
}

/// In memory, if that can be.
fn directory() -> io::Result<TempDir> {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }
}

/// Has a server of its own run, until the runtime ends.
fn start<S>(runtime: &Runtime, serve: impl FnOnce(TcpListener) -> S) -> io::Result<SocketAddr>
where
    S: Future<Output = io::Result<()>> + Send + 'static,
{
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    let address = listener.local_addr()?;
    runtime.spawn(serve(listener));
    Ok(address)
}

/// Uploads, and waits until it is stored.
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
    axum::serve(listener, Router::new().route("/", post(take)).with_state(Arc::new(directory))).await
}

async fn take(State(directory): State<Arc<PathBuf>>, body: Body) -> Result<StatusCode, Failure> {
    let mut body = Tee::new(body, Hashing(Hasher::new()));
    let (file, path) = NamedTempFile::new_in(&*directory)?.into_parts();
    store(&mut body, File::from_std(file)).await?;
    let Hashing(hasher) = body.into_parts().1;
    keep(path, directory.join(hasher.finish().hex())).await?;
    Ok(StatusCode::CREATED)
}

/// Hashes what passes.
struct Hashing(Hasher);

impl Watch for Hashing {
    type Refusal = Infallible;

    fn watch(&mut self, chunk: &[u8]) -> Result<(), Infallible> {
        self.0.update(chunk);
        Ok(())
    }
}

impl From<Infallible> for Failure {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}
