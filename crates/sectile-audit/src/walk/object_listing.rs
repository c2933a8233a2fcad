//! Lists the objects of a remote store, in its order and in batches.

use std::ops::ControlFlow;
use std::sync::Arc;

use object_store::ObjectMeta;

use super::archive::has_wasm_extension;
use super::objects::{ObjectBatch, RequestRuntime};
use super::options::WalkOptions;
use super::parts::{ListFlow, PartSink};
use super::probe::head_len;
use super::unit::{Units, WalkEntry};
use crate::blob::{BlobLocation, WalkError};
use crate::part::{ListError, Part, PartKind};
use sectile::FindingCode;
use sectile::drive::FetchOptions;
use sectile_remote::RemoteError;
use sectile_remote::internal::{ListingEntry, Objects};

/// Lists the objects of a store as parts.
pub(super) fn list_parts(objects: &Objects, sink: &mut PartSink<'_>) -> ListFlow {
    let fail = |source| ControlFlow::Break(Err(ListError::Store { url: objects.root_url(), source }));
    let requests = match RequestRuntime::new() {
        Ok(requests) => requests,
        Err(error) => return ControlFlow::Break(Err(ListError::Requests(error))),
    };
    let (should_stop, root) = (sink.should_stop, sink.root);
    let (mut listing, mut is_empty) = (objects.list(), true);
    loop {
        let Some(next) = requests.wait(should_stop, listing.next()) else { return ControlFlow::Break(Ok(())) };
        let part = match next {
            Some(Ok(ListingEntry::Object(meta))) => object_part(root, &meta),
            Some(Ok(ListingEntry::InvalidKey { key, size })) => Part { size, ..Part::new(root, PartKind::Object, key) },
            Some(Err(error)) => return fail(error),
            None if is_empty && objects.may_be_one_object() => break,
            None => return ControlFlow::Continue(()),
        };
        is_empty = false;
        sink.add(part)?;
    }
    match requests.wait(should_stop, objects.object_at_prefix()) {
        Some(Ok(meta)) => sink.add(object_part(root, &meta)),
        Some(Err(error)) => fail(error),
        None => ControlFlow::Break(Ok(())),
    }
}

fn object_part(root: usize, meta: &ObjectMeta) -> Part {
    Part {
        size: Some(meta.size),
        etag: meta.e_tag.clone(),
        modified: Some(meta.last_modified.into()),
        ..Part::new(root, PartKind::Object, meta.location.as_ref())
    }
}

const INVALID_KEY: &str = "its key cannot be requested: it starts or ends with a slash or a space, or a part of it is \
                           empty, `.`, `..`, or has control characters";

/// Lists objects and adds them to the units.
pub(super) fn walk(objects: &Objects, options: &WalkOptions, units: &mut Units<'_>) -> ControlFlow<()> {
    let objects = Arc::new(objects.clone());
    let fail = |what: String, message: String| {
        WalkEntry::Error(WalkError::new(BlobLocation::new(what), FindingCode::Unreadable, message))
    };
    let requests = match &units.requests {
        Some(requests) => requests.clone(),
        None => match RequestRuntime::new() {
            Ok(requests) => units.requests.insert(requests).clone(),
            Err(error) => return units.add(fail(objects.root_url(), format!("cannot make requests: {error}"))),
        },
    };
    let batch =
        |listed| WalkEntry::Objects(ObjectBatch { objects: Arc::clone(&objects), requests: requests.clone(), listed });
    let should_stop = units.should_stop;
    let (mut listing, mut listed, mut is_empty) = (objects.list(), Vec::new(), true);
    let mut size = BatchSize::new(options);
    loop {
        let Some(next) = requests.wait(should_stop, listing.next()) else { return ControlFlow::Break(()) };
        match next {
            Some(Ok(ListingEntry::Object(meta))) => {
                is_empty = false;
                let is_last = size.add(&meta);
                listed.push(meta);
                if is_last {
                    units.add(batch(std::mem::take(&mut listed)))?;
                    units.end()?;
                }
            }
            Some(Ok(ListingEntry::InvalidKey { key, size })) => {
                is_empty = false;
                units.add(batch(std::mem::take(&mut listed)))?;
                let expects_wasm = has_wasm_extension(key.as_ref());
                if size == Some(0) && !expects_wasm {
                    units.add(WalkEntry::Empty)?; // the mark of a folder
                    continue;
                }
                let error = WalkError::new(BlobLocation::new(objects.url(&key)), FindingCode::Unreadable, INVALID_KEY);
                units.add(WalkEntry::Error(error.expecting_wasm(expects_wasm)))?;
            }
            Some(Err(error)) => {
                units.add(batch(listed))?;
                return units.add(fail(objects.root_url(), format!("the listing failed before its end: {error}")));
            }
            None => break,
        }
    }
    if is_empty && objects.may_be_one_object() {
        match requests.wait(should_stop, objects.object_at_prefix()) {
            Some(Ok(meta)) => listed.push(meta),
            Some(Err(RemoteError::Missing)) => {
                units.add(fail(objects.root_url(), "no object has this prefix".to_owned()))?;
            }
            Some(Err(error)) => units.add(fail(objects.root_url(), error.to_string()))?,
            None => return ControlFlow::Break(()),
        }
    }
    units.add(batch(listed))?;
    units.end()
}

/// Decides where a batch ends. One thread reads a batch, and some of its requests end last: a long batch loses little by
/// that, and short ones at the start give all threads work.
struct BatchSize {
    in_flight: usize,
    fetch_options: FetchOptions,
    /// Maximum number of objects.
    most: usize,
    objects: usize,
    /// Number of bytes of the first requests. Those of archives are held until their turn.
    bytes: u64,
}

impl BatchSize {
    /// The longest batch, as a multiple of the objects in flight.
    const LONGEST: usize = 8;
    /// Number of bytes that end a batch.
    const MOST_BYTES: u64 = 32 << 20;

    fn new(options: &WalkOptions) -> Self {
        let in_flight = options.in_flight.max(1);
        Self { in_flight, fetch_options: options.fetch_options(), most: in_flight, objects: 0, bytes: 0 }
    }

    /// Adds an object. Returns whether the batch ends with it.
    fn add(&mut self, meta: &ObjectMeta) -> bool {
        let expects_wasm = has_wasm_extension(meta.location.as_ref().as_ref());
        self.objects += 1;
        self.bytes += head_len(meta.size, expects_wasm, self.fetch_options).min(meta.size);
        let is_last = self.objects >= self.most || (self.objects >= self.in_flight && self.bytes >= Self::MOST_BYTES);
        if is_last {
            let most = self.most.saturating_mul(2).min(self.in_flight.saturating_mul(Self::LONGEST));
            (self.most, self.objects, self.bytes) = (most, 0, 0);
        }
        is_last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_grow_and_hold_few_bytes() {
        let mut options = WalkOptions { in_flight: 4, ..WalkOptions::default() };
        let meta = |size: u64| ObjectMeta {
            location: "a.wasm".into(),
            last_modified: std::time::SystemTime::UNIX_EPOCH.into(),
            size,
            e_tag: None,
            version: None,
        };
        let lens = |options: &WalkOptions, size: u64| {
            let mut batches = BatchSize::new(options);
            let mut next = || (1..100).find(|_| batches.add(&meta(size))).unwrap();
            std::array::from_fn::<usize, 6, _>(|_| next())
        };
        assert_eq!(lens(&options, 300_000), [4, 8, 16, 32, 32, 32]);
        options.request_cost = 8 << 20;
        assert_eq!(lens(&options, 8 << 20), [4, 4, 4, 4, 4, 4]);
        assert_eq!(lens(&options, 3 << 20), [4, 8, 11, 11, 11, 11]);
        options.in_flight = 0;
        assert_eq!(lens(&options, 1), [1, 2, 4, 8, 8, 8]);
    }
}
