//! One file of a store: opened, seen to be one, and told by its first page.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io;
use std::path::PathBuf;

use super::archive::{self, Found, is_called_wasm};
use super::kind::Kind;
use super::{Scratch, WalkOptions};
use crate::audit::blob::{Blob, Content, Look, Place, State, Trouble};
use crate::digest::Digest;
use crate::drive::ReadAt;
use crate::finding::Code;
use crate::stamp::FileId;
use crate::store::{self, Input, Link};

/// So many bytes are read to tell what a file is.
pub(super) const HEAD: usize = 4 << 10;

/// A file that was met.
pub(super) struct Entry {
    pub(super) path: PathBuf,
    /// Whether it was named by who asks, who may name a link.
    pub(super) is_root: bool,
    pub(super) stored: Option<Box<Stored>>,
    /// Further names of it.
    pub(super) others: Vec<OsString>,
}

/// What a store that keeps blobs by their digests says of one.
pub(super) struct Stored {
    pub(super) digest: Digest,
    pub(super) others: Vec<OsString>,
    pub(super) says_wasm: bool,
}

impl Entry {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, is_root: false, stored: None, others: Vec::new() }
    }

    /// Looks into the file. One that has several names, and is worth it, is given to `keep` instead, if there is that.
    pub(super) fn look_into(
        self,
        options: &WalkOptions,
        scratch: &mut Scratch,
        look: &mut dyn Look,
        keep: Option<&mut dyn FnMut(FileId, Self)>,
    ) {
        let link = if self.is_root { Link::Followed } else { Link::Refused };
        let input = match store::open(&self.path, OpenOptions::new().read(true), link) {
            Ok(file) => Input::of(file),
            Err(error) => return self.fail(&error, look),
        };
        let input = match input {
            Ok(input) => input,
            Err(error) => return self.tell(Code::NotAFile, error.message(), look),
        };
        let stamp = input.stamp();
        let keep = keep.filter(|_| stamp.links > 1).zip(stamp.file);
        let state = State(stamp.text());
        let digest = self.stored.as_ref().map(|stored| stored.digest);
        let says_wasm =
            is_called_wasm(self.path.as_os_str()) || self.stored.as_ref().is_some_and(|stored| stored.says_wasm);
        let is_passed = |kind: Kind| kind.is_passed(says_wasm, options);
        if let Some((keep, file)) = keep {
            return match read_head(&input, &mut scratch.head) {
                Ok(head) if is_passed(Kind::of(head)) => {
                    look.open(input.len());
                    look.pass(head.len() as u64);
                }
                _ => keep(file, self), // what cannot be read is told once all its names are known
            };
        }
        look.open(input.len());
        let place = self.into_place();
        if look.knows(&place, &state) {
            return;
        }
        let head = match read_head(&input, &mut scratch.head) {
            Ok(head) => head,
            Err(error) => {
                let message = error.to_string();
                return look.trouble(Trouble { place, state: Some(state), code: Code::Unreadable, message });
            }
        };
        let kind = Kind::of(head);
        if is_passed(kind) {
            return look.pass(head.len() as u64);
        }
        if kind.holds_others() && options.nested > 0 {
            let file = Found { state, place, says_wasm };
            return archive::look_into(&file, &input, head, options, look);
        }
        let content = Content::Part { input: &input, range: 0..input.len(), head };
        look.see(Blob { place, state: Some(state), digest, content });
    }

    fn fail(self, error: &io::Error, look: &mut dyn Look) {
        let is_link = !self.is_root && self.path.is_symlink(); // it has taken a file's place since
        let code = if is_link { Code::NotFollowed } else { Code::Unreadable };
        self.tell(code, error.to_string(), look);
    }

    fn tell(self, code: Code, message: String, look: &mut dyn Look) {
        look.trouble(Trouble { place: self.into_place(), state: None, code, message });
    }

    /// How it is called, and by whom.
    pub(super) fn into_place(self) -> Place {
        let mut others = self.stored.map(|stored| stored.others).unwrap_or_default();
        others.extend(self.others);
        Place { file: self.path.into_os_string(), others }
    }
}

/// Reads a file's first page, as much as there is of it.
fn read_head<'h>(input: &Input, head: &'h mut [u8; HEAD]) -> io::Result<&'h [u8]> {
    let len = usize::try_from(input.len()).map_or(HEAD, |len| len.min(HEAD));
    let mut filled = 0;
    while filled < len {
        match input.read_at(&mut head[filled..len], filled as u64) {
            Ok(0) => break, // it shrank: who reads on will see
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(&head[..filled])
}
