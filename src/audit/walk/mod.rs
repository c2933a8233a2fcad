//! Where blobs lie. (To be replaced.)

use std::fs;
use std::ops::ControlFlow;
use std::path::PathBuf;

use super::blob::{Blob, Content, Look, Place, State, Trouble};
use crate::drive::ReadAt;
use crate::finding::Code;
use crate::store::Input;

#[derive(Clone, Debug, Default)]
#[non_exhaustive]
/// How.
pub struct WalkOptions {}

pub(super) struct Unit(Vec<PathBuf>);

#[derive(Default)]
pub(super) struct Scratch {
    head: Vec<u8>,
}

pub(super) fn walk(paths: &[PathBuf], _: &WalkOptions, hand_over: &mut dyn FnMut(Unit) -> ControlFlow<()>) {
    for path in paths {
        let walk = ignore::WalkBuilder::new(path).standard_filters(false).sort_by_file_name(Ord::cmp).build();
        let mut batch = Vec::new();
        for entry in walk.flatten() {
            if entry.file_type().is_some_and(|kind| kind.is_file()) {
                batch.push(entry.into_path());
                if batch.len() == 64 && hand_over(Unit(std::mem::take(&mut batch))).is_break() {
                    return;
                }
            }
        }
        if !batch.is_empty() && hand_over(Unit(batch)).is_break() {
            return;
        }
    }
}

impl Unit {
    pub(super) fn look_into(self, _: &WalkOptions, scratch: &mut Scratch, look: &mut dyn Look) {
        scratch.head.resize(4096, 0);
        for path in self.0 {
            if look.stops() {
                return;
            }
            let file = crate::store::open(&path, fs::OpenOptions::new().read(true), crate::store::Link::Refused);
            let place = Place::new(path.into_os_string());
            let input = match file
                .map_err(|error| error.to_string())
                .and_then(|file| Input::of(file).map_err(|error| error.to_string()))
            {
                Ok(input) => input,
                Err(message) => {
                    look.trouble(Trouble { place, state: None, code: Code::Changed, message });
                    continue;
                }
            };
            let state = State(input.stamp().text());
            if look.knows(&place, &state) {
                continue;
            }
            let read = input.read_at(&mut scratch.head, 0).unwrap_or(0);
            let head = &scratch.head[..read];
            if !head.starts_with(b"\0asm") && !place.file.as_encoded_bytes().ends_with(b".wasm") {
                look.pass(read as u64);
                continue;
            }
            let range = 0..input.len();
            look.see(Blob {
                place,
                state: Some(state),
                digest: None,
                size: Some(input.len()),
                content: Content::Part { input: &input, range, head },
            });
        }
    }
}
