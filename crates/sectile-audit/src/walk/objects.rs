//! Remote objects: many of them are read at once, and their rows are written one after the other.
//!
//! The first bytes of an object reveal its type. WebAssembly is read by ranges ahead of its turn, together with the
//! rest of its batch, so that many requests are in flight. An archive is streamed in its turn. One thread runs all
//! requests.

use std::ffi::OsStr;
use std::future::Future;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;
use std::time::SystemTime;

use bytes::{Buf, Bytes};
use futures_util::stream::{self, BoxStream, StreamExt};
use object_store::ObjectMeta;
use tokio::runtime::{Builder, Handle, Runtime};

use super::archive::{self, ArchiveFile, has_wasm_extension};
use super::options::WalkOptions;
use super::probe::head_len;
use super::remote_file::{RemoteFile, RemoteStart, RemoteType};
use crate::blob::{BlobLocation, BlobSink, FileState, WalkError};
use crate::reading::ReadOptions;
use sectile::FindingCode;
use sectile::digest::Digest;
use sectile::drive::PrefetchedHead;
use sectile_remote::internal::{ObjectFingerprint, Objects, fingerprint, stream_from};
use sectile_remote::{Object, RemoteError};

/// A runtime for requests, on its own thread.
#[derive(Clone)]
pub(super) struct RequestRuntime(Arc<OwnedRuntime>);

struct OwnedRuntime(Option<Runtime>);

/// Interval between checks whether to stop.
const STOP_POLL_INTERVAL: Duration = Duration::from_millis(100);

impl RequestRuntime {
    pub(super) fn new() -> io::Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("requests").enable_all().build()?;
        Ok(Self(Arc::new(OwnedRuntime(Some(runtime)))))
    }

    fn handle(&self) -> &Handle {
        self.0.0.as_ref().unwrap_or_else(|| unreachable!("it is taken when it is dropped")).handle()
    }

    /// Waits for a future, or returns `None` when the audit stops.
    pub(super) fn wait<T>(&self, should_stop: &dyn Fn() -> bool, future: impl Future<Output = T>) -> Option<T> {
        self.handle().block_on(async {
            let mut future = std::pin::pin!(future);
            loop {
                if let Ok(done) = tokio::time::timeout(STOP_POLL_INTERVAL, &mut future).await {
                    return Some(done);
                }
                if should_stop() {
                    return None;
                }
            }
        })
    }
}

impl Drop for OwnedRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background(); // does not wait for requests in flight
        }
    }
}

/// Consecutive objects of a listing.
pub(super) struct ObjectBatch {
    pub(super) objects: Arc<Objects>,
    pub(super) requests: RequestRuntime,
    pub(super) listed: Vec<ObjectMeta>,
}

/// An object of a listing.
struct ListedObject {
    meta: ObjectMeta,
    file: RemoteFile,
}

type ObjectStart = RemoteStart<Object, RemoteError>;

impl ObjectBatch {
    /// Number of objects.
    pub(super) fn len(&self) -> usize {
        self.listed.len()
    }

    /// Requests all objects that the earlier report does not have, then adds them one after the other. When an object
    /// has its answers, the next one is requested: it does not wait for objects that take many requests.
    ///
    /// No request is in flight during the second part, which may take long: a request that is not polled would time
    /// out.
    pub(super) fn inspect(self, options: &WalkOptions, read_options: ReadOptions<'_>, sink: &mut dyn BlobSink) {
        let Self { objects, requests, listed } = self;
        let entries: Vec<_> = listed.into_iter().map(|meta| ListedObject::new(&objects, meta)).collect();
        let starts = entries.iter().enumerate().map(|(nth, entry)| {
            let is_known = sink.can_reuse_rows(&entry.file.location, &entry.file.state);
            let objects = &objects;
            async move {
                let start =
                    if is_known { ObjectStart::Known } else { entry.begin(objects, options, read_options).await };
                (nth, start)
            }
        });
        let starts = stream::iter(starts).buffer_unordered(options.in_flight.max(1)).collect::<Vec<_>>();
        let Some(mut starts) = requests.wait(&|| sink.should_stop(), starts) else { return };
        starts.sort_unstable_by_key(|(nth, _)| *nth);
        for (entry, (_, start)) in entries.into_iter().zip(starts) {
            if sink.should_stop() {
                return;
            }
            entry.show(start, &requests, options, read_options, sink);
        }
    }
}

impl ListedObject {
    fn new(objects: &Objects, meta: ObjectMeta) -> Self {
        let name = objects.url(meta.location.as_ref());
        let state = object_state(&name, &ObjectFingerprint::new(&meta));
        let expects_wasm = has_wasm_extension(meta.location.as_ref().as_ref());
        let file = RemoteFile { location: BlobLocation::new(name), state, size: meta.size, digest: None, expects_wasm };
        Self { meta, file }
    }

    /// Detects the type, and reads the object if it is WebAssembly.
    async fn begin(&self, objects: &Objects, options: &WalkOptions, read_options: ReadOptions<'_>) -> ObjectStart {
        if self.meta.size == 0 {
            return ObjectStart::Empty;
        }
        let object = objects.object(self.meta.location.clone());
        let fetch_options = options.fetch_options();
        let head_len = head_len(self.meta.size, self.file.expects_wasm, fetch_options);
        let mut object = match PrefetchedHead::prefetch(object, head_len).await {
            Ok(object) => object,
            Err(error) => return ObjectStart::Failed(remote_error(&error)),
        };
        let is_changed = self.is_changed(&object);
        let name = OsStr::new(self.meta.location.as_ref());
        let detected = RemoteType::detect(&mut object, self.meta.size, name, self.file.expects_wasm, options).await;
        match detected {
            Err(error) => return ObjectStart::Failed(remote_error(&error)),
            Ok(RemoteType::Archive) => return ObjectStart::Archive(Box::new(object)),
            Ok(RemoteType::Other(_)) if is_changed => return ObjectStart::Failed(RemoteError::Changed),
            Ok(RemoteType::Other(other)) => return ObjectStart::Other(other),
            Ok(RemoteType::Wasm) => {}
        }
        let mut reading = Box::new(read_options.fetch(&mut object, fetch_options).await);
        reading.changed |= is_changed;
        ObjectStart::Read(reading, self.state_of(&object))
    }

    /// Whether another state than the listed one is read: the object changed, or another object was returned.
    fn is_changed(&self, object: &PrefetchedHead<Object>) -> bool {
        let listed = ObjectFingerprint::new(&self.meta);
        fingerprint(object.source()).is_some_and(|pin| !pin.agrees(&listed))
    }

    /// The state in which the object was read.
    fn state_of(&self, object: &PrefetchedHead<Object>) -> FileState {
        match fingerprint(object.source()) {
            Some(pin) if self.is_changed(object) => object_state(&self.file.location.file.to_string_lossy(), pin),
            _ => self.file.state.clone(),
        }
    }

    /// Adds the object to the sink, in its turn.
    fn show(
        self,
        start: ObjectStart,
        requests: &RequestRuntime,
        options: &WalkOptions,
        read_options: ReadOptions<'_>,
        sink: &mut dyn BlobSink,
    ) {
        let Self { meta, file } = self;
        let error = |file: RemoteFile, error: RemoteError| {
            let code = if error == RemoteError::Changed { FindingCode::Changed } else { FindingCode::Unreadable };
            let walk_error = WalkError::new(file.location, code, error.to_string()).expecting_wasm(file.expects_wasm);
            WalkError { state: Some(file.state), ..walk_error }
        };
        let Some((file, mut object)) = file.add(start, sink, error) else { return };
        let listed = Self { meta, file };
        let (state, is_changed) = (listed.state_of(&object), listed.is_changed(&object));
        let Self { meta, file: RemoteFile { location, expects_wasm, .. } } = listed;
        let name = location.file.clone();
        let file = ArchiveFile { name, state, location, expects_wasm, is_changed, is_local: false, digest: None };
        let (head, len) = (object.head().clone(), object.len().unwrap_or(meta.size));
        let mut rest = ObjectTail::new(requests, read_options.should_stop, object.source_mut(), head.len() as u64..len);
        archive::inspect_stream(&file, len, &head, &mut rest, options, sink);
    }
}

/// The state of an object. It includes the name, because many objects differ in their names only.
fn object_state(name: &str, pin: &ObjectFingerprint) -> FileState {
    if !pin.is_settled(SystemTime::now()) {
        return FileState::unsettled();
    }
    FileState(format!("{}:{}", pin.text(), &Digest::new(name.as_bytes()).hex()[..16]))
}

fn remote_error(error: &io::Error) -> RemoteError {
    RemoteError::find_in(error).cloned().unwrap_or(RemoteError::ConnectionLost)
}

/// The bytes after the head of an object, requested when they are read.
pub(super) struct ObjectTail<'r> {
    requests: &'r RequestRuntime,
    should_stop: &'r dyn Fn() -> bool,
    object: &'r mut Object,
    range: Range<u64>,
    stream: Option<BoxStream<'static, Result<Bytes, RemoteError>>>,
    chunk: Bytes,
}

impl<'r> ObjectTail<'r> {
    pub(super) fn new(
        requests: &'r RequestRuntime,
        should_stop: &'r dyn Fn() -> bool,
        object: &'r mut Object,
        range: Range<u64>,
    ) -> Self {
        Self { requests, should_stop, object, range, stream: None, chunk: Bytes::new() }
    }

    /// The next bytes, at least one. A stop looks like a timeout, which is not reported.
    fn next(&mut self) -> Result<Bytes, RemoteError> {
        let Self { requests, should_stop, object, range, stream, .. } = self;
        let next = requests.wait(*should_stop, async {
            let stream = match stream {
                Some(stream) => stream,
                None => stream.insert(stream_from(object, range.start).await?),
            };
            loop {
                match stream.next().await {
                    Some(Ok(chunk)) if chunk.is_empty() => {}
                    Some(chunk) => return chunk,
                    None => return Err(RemoteError::ConnectionLost),
                }
            }
        });
        let next = next.unwrap_or(Err(RemoteError::TimedOut))?;
        range.start += next.len() as u64;
        if range.start > range.end { Err(RemoteError::Malformed) } else { Ok(next) }
    }
}

impl Read for ObjectTail<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.chunk.is_empty() {
            if self.range.is_empty() {
                return Ok(0);
            }
            self.chunk = self.next().map_err(io::Error::other)?;
        }
        let len = self.chunk.len().min(buffer.len());
        self.chunk.copy_to_slice(&mut buffer[..len]);
        Ok(len)
    }
}
