//! Objects of a store that is far away: listed in its order, many of them read at once, shown one after the other.
//!
//! What an object is, its first bytes tell, as they do for files. WebAssembly is read by ranges before its turn, with the others of
//! its batch, so that many requests are under way; what may hold others comes as a stream when it is its turn. The requests are
//! driven by one thread of their own, whoever waits for them.

use std::future::Future;
use std::io::{self, Read};
use std::ops::{ControlFlow, Range};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes};
use futures_util::future::join_all;
use futures_util::stream::{BoxStream, StreamExt};
use object_store::ObjectMeta;
use tokio::runtime::{Builder, Handle, Runtime};

use super::archive::{self, Found, is_called_wasm};
use super::kind::Kind;
use super::{Met, Units, WalkOptions};
use crate::audit::blob::{Blob, Content, Look, Place, State, Trouble};
use crate::audit::reading::{Asked, Looked};
use crate::digest::Digest;
use crate::drive::Headed;
use crate::finding::Code;
use crate::remote::{Listed, Object, Objects, Pin, RemoteError};

/// What drives requests, on a thread of its own. Whoever holds one may wait for them.
#[derive(Clone)]
pub(super) struct Requests(Arc<Running>);

struct Running(Option<Runtime>);

/// It is asked so often whether to stop.
const TICK: Duration = Duration::from_millis(100);

impl Requests {
    fn new() -> io::Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("requests").enable_all().build()?;
        Ok(Self(Arc::new(Running(Some(runtime)))))
    }

    fn handle(&self) -> &Handle {
        self.0.0.as_ref().unwrap_or_else(|| unreachable!("it is taken when it is dropped")).handle()
    }

    /// Waits, and gives up where it is asked to stop.
    fn wait<T>(&self, stops: &dyn Fn() -> bool, future: impl Future<Output = T>) -> Option<T> {
        self.handle().block_on(async {
            let mut future = std::pin::pin!(future);
            loop {
                if let Ok(done) = tokio::time::timeout(TICK, &mut future).await {
                    return Some(done);
                }
                if stops() {
                    return None;
                }
            }
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background(); // nobody waits for what is under way
        }
    }
}

/// Some objects that follow one another.
pub(super) struct Batch {
    objects: Arc<Objects>,
    requests: Requests,
    listed: Vec<ObjectMeta>,
}

/// Lists objects, and hands them over.
pub(super) fn walk(objects: &Objects, options: &WalkOptions, units: &mut Units<'_>) -> ControlFlow<()> {
    let objects = Arc::new(objects.clone());
    let fail = |what: String, message: String| {
        Met::Trouble(Trouble { place: Place::new(what), state: None, code: Code::Unreadable, message })
    };
    let requests = match &units.requests {
        Some(requests) => requests.clone(),
        None => match Requests::new() {
            Ok(requests) => units.requests.insert(requests).clone(),
            Err(error) => return units.add(fail(objects.root(), format!("no request can be made: {error}"))),
        },
    };
    let most = options.in_flight.max(1);
    let batch = |listed| Met::Objects(Batch { objects: Arc::clone(&objects), requests: requests.clone(), listed });
    let stops = units.stops;
    let (mut listing, mut listed, mut is_empty) = (objects.list(), Vec::new(), true);
    loop {
        let Some(next) = requests.wait(stops, listing.next()) else { return ControlFlow::Break(()) };
        match next {
            Some(Ok(Listed::Object(meta))) => {
                is_empty = false;
                listed.push(meta);
                if listed.len() >= most {
                    units.add(batch(std::mem::take(&mut listed)))?;
                    units.end(false)?;
                }
            }
            Some(Ok(Listed::Odd(key))) => {
                is_empty = false;
                units.add(batch(std::mem::take(&mut listed)))?;
                let message =
                    "nothing can be asked for by its key: a part of it is empty, `.`, `..`, or has control characters";
                units.add(fail(objects.name(&key), message.to_owned()))?;
            }
            Some(Err(error)) => {
                units.add(batch(listed))?;
                return units.add(fail(objects.root(), format!("the listing breaks off: {error}")));
            }
            None => break,
        }
    }
    if is_empty && !objects.is_all() {
        match requests.wait(stops, objects.single()) {
            Some(Ok(meta)) => listed.push(meta),
            Some(Err(RemoteError::Missing)) => {
                units.add(fail(objects.root(), "there is nothing below it".to_owned()))?;
            }
            Some(Err(error)) => units.add(fail(objects.root(), error.to_string()))?,
            None => return ControlFlow::Break(()),
        }
    }
    units.add(batch(listed))?;
    units.end(false)
}

/// An object, as it was listed.
struct Entry {
    meta: ObjectMeta,
    place: Place,
    state: State,
    says_wasm: bool,
}

/// What an object shows to be before its turn.
enum Begun {
    /// An earlier report knows it: nothing was asked for.
    Known,
    /// It has no bytes to be asked for.
    Empty,
    Failed(RemoteError),
    Passed(u64),
    Read(Box<Looked<'static>>, State),
    Archive(Box<Headed<Object>>),
}

impl Batch {
    /// How many objects there are.
    pub(super) fn len(&self) -> usize {
        self.listed.len()
    }

    /// Asks for what is not known of them, all at once, and shows one after the other. Nothing is under way while they are shown,
    /// which may take long: requests that nobody minds meanwhile would be given up as stalled.
    pub(super) fn look_into(self, options: &WalkOptions, asked: Asked<'_>, look: &mut dyn Look) {
        let Self { objects, requests, listed } = self;
        let entries: Vec<_> = listed.into_iter().map(|meta| Entry::new(&objects, meta)).collect();
        let begun = join_all(entries.iter().map(|entry| {
            let is_known = look.will_know(&entry.place, &entry.state);
            let objects = &objects;
            async move { if is_known { Begun::Known } else { entry.begin(objects, options, asked).await } }
        }));
        let Some(begun) = requests.wait(&|| look.stops(), begun) else { return };
        for (entry, begun) in entries.into_iter().zip(begun) {
            if look.stops() {
                return;
            }
            entry.show(begun, &requests, options, asked, look);
        }
    }
}

impl Entry {
    fn new(objects: &Objects, meta: ObjectMeta) -> Self {
        let name = objects.name(meta.location.as_ref());
        let state = state(&name, &Pin::of(&meta));
        let says_wasm = is_called_wasm(meta.location.as_ref().as_ref());
        Self { meta, place: Place::new(name), state, says_wasm }
    }

    /// Learns what it is, and reads it if it is WebAssembly.
    async fn begin(&self, objects: &Objects, options: &WalkOptions, asked: Asked<'_>) -> Begun {
        if self.meta.size == 0 {
            return Begun::Empty;
        }
        let object = objects.object(self.meta.location.clone());
        let mut object = match Headed::begin(object, Headed::<Object>::FIRST).await {
            Ok(object) => object,
            Err(error) => return Begun::Failed(why(&error)),
        };
        let kind = Kind::of(object.head());
        if kind.is_passed(self.says_wasm, options) {
            return Begun::Passed(object.head().len() as u64);
        }
        if kind.holds_others() && options.nested > 0 {
            return Begun::Archive(Box::new(object));
        }
        let looked = Box::new(asked.fetch(&mut object).await);
        Begun::Read(looked, self.state_of(&object))
    }

    /// In which state an object is read. It may have been written to since it was listed, as a file since its directory was read.
    fn state_of(&self, object: &Headed<Object>) -> State {
        let listed = Pin::of(&self.meta);
        match object.source().pin() {
            Some(pin) if !pin.agrees(&listed) => state(&self.place.file.to_string_lossy(), pin),
            _ => self.state.clone(),
        }
    }

    /// Shows it, in its turn.
    fn show(self, begun: Begun, requests: &Requests, options: &WalkOptions, asked: Asked<'_>, look: &mut dyn Look) {
        look.open(self.meta.size);
        if look.knows(&self.place, &self.state) {
            return;
        }
        match begun {
            Begun::Known => {
                let message = "the earlier report, which had its row, cannot be read any more".to_owned();
                look.trouble(Trouble { place: self.place, state: None, code: Code::Unreadable, message });
            }
            Begun::Empty if self.says_wasm => {
                let content = Content::Stream(&mut io::empty());
                look.see(Blob { place: self.place, state: Some(self.state), digest: None, content });
            }
            Begun::Empty => look.pass(0),
            Begun::Passed(bytes_read) => look.pass(bytes_read),
            Begun::Failed(error) => {
                let code = if error == RemoteError::Changed { Code::Changed } else { Code::Unreadable };
                let message = error.to_string();
                look.trouble(Trouble { place: self.place, state: Some(self.state), code, message });
            }
            Begun::Read(looked, state) => {
                let content = Content::Looked(looked);
                look.see(Blob { place: self.place, state: Some(state), digest: None, content });
            }
            Begun::Archive(mut object) => {
                let file = Found { state: self.state_of(&object), place: self.place, says_wasm: self.says_wasm };
                let (head, len) = (object.head().clone(), object.len().unwrap_or(self.meta.size));
                let mut rest = Rest::new(requests, asked.stops, object.source_mut(), head.len() as u64..len);
                archive::look_into_stream(&file, len, &head, &mut rest, options, look);
            }
        }
    }
}

/// What changes with an object. It has to be another one for every object, and many are alike in everything but their names.
fn state(name: &str, pin: &Pin) -> State {
    State(format!("{}:{}", pin.text(), &Digest::of(name.as_bytes()).hex()[..16]))
}

fn why(error: &io::Error) -> RemoteError {
    RemoteError::within(error).cloned().unwrap_or(RemoteError::Broken)
}

/// What is behind an object's first bytes, asked for when it is read.
struct Rest<'r> {
    requests: &'r Requests,
    stops: &'r dyn Fn() -> bool,
    object: &'r mut Object,
    range: Range<u64>,
    stream: Option<BoxStream<'static, Result<Bytes, RemoteError>>>,
    chunk: Bytes,
}

impl<'r> Rest<'r> {
    fn new(requests: &'r Requests, stops: &'r dyn Fn() -> bool, object: &'r mut Object, range: Range<u64>) -> Self {
        Self { requests, stops, object, range, stream: None, chunk: Bytes::new() }
    }

    /// The next bytes, which are some. Whoever is to stop takes this for the end: nothing is told of it.
    fn next(&mut self) -> Result<Bytes, RemoteError> {
        let Self { requests, stops, object, range, stream, .. } = self;
        let next = requests.wait(*stops, async {
            let stream = match stream {
                Some(stream) => stream,
                None => stream.insert(object.rest(range.start).await?),
            };
            loop {
                match stream.next().await {
                    Some(Ok(chunk)) if chunk.is_empty() => {}
                    Some(chunk) => return chunk,
                    None => return Err(RemoteError::Broken),
                }
            }
        });
        let next = next.unwrap_or(Err(RemoteError::TimedOut))?;
        range.start += next.len() as u64;
        if range.start > range.end { Err(RemoteError::Malformed) } else { Ok(next) }
    }
}

impl Read for Rest<'_> {
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
