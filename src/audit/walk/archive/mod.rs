//! Archives, looked into where they lie: nothing is ever extracted, and little is held.
//!
//! What lies in a file as it is (tar, stored entries of a zip) is handed over as a part of the file, and not read; what is
//! compressed is handed over as it inflates. A name in an archive is but a label, whatever it says.

mod budget;
mod bytes;
mod tar;
mod zip;
mod zstd;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{self, Read};
use std::ops::Range;

use flate2::read::MultiGzDecoder;

use self::budget::{Budget, Inflating};
use self::bytes::{Bytes, Part};
use self::tar::Source;
use super::WalkOptions;
use super::kind::{BLOCK, Kind};
use crate::audit::blob::{self, Blob, Content, Look, Place, State, Trouble};
use crate::finding::Code;
use crate::store::Input;

/// A file of a store that may hold others.
pub(super) struct Archive<'a> {
    options: &'a WalkOptions,
    look: &'a mut dyn Look,
    file: &'a Found,
    budget: &'a Budget,
    /// How many troubles of each code were told.
    told: BTreeMap<Code, u64>,
}

/// A file of a store, or an object, as it was found.
pub(super) struct Found {
    pub(super) state: State,
    pub(super) place: Place,
    /// Whether its name, or its store, says that it is WebAssembly.
    pub(super) says_wasm: bool,
}

/// So many troubles of one code are told of one file; further ones are counted.
const TOLD: u64 = 16;

/// How something in an archive is called.
#[derive(Clone, Copy)]
struct Called<'c> {
    outer: Option<&'c Called<'c>>,
    name: &'c OsStr,
    /// Whether its name, or its store, says that it is WebAssembly.
    says_wasm: bool,
}

impl<'c> Called<'c> {
    /// An entry of an archive.
    fn entry(outer: &'c Called<'c>, name: &'c OsStr) -> Self {
        Self { outer: Some(outer), name, says_wasm: is_called_wasm(name) }
    }
}

impl Called<'_> {
    /// What is behind the name of the file.
    fn push_to(&self, text: &mut OsString) {
        if let Some(outer) = self.outer {
            outer.push_to(text);
            text.push("!");
            text.push(self.name);
        }
    }
}

/// Looks into a file that begins as an archive does, or as something compressed; with its first bytes.
pub(super) fn look_into(file: &Found, input: &Input, head: &[u8], options: &WalkOptions, look: &mut dyn Look) {
    begin(file, options, look, |archive, called| {
        archive.budget.read(head.len() as u64);
        archive.part(called, input, 0..input.len(), head, 0);
        archive.tell_fault(called);
        if input.changed().unwrap_or(true) {
            archive.tell(called, Code::Changed, "it was changed while it was looked into".to_owned());
        }
    });
}

/// Looks into an object that begins so, of this length; what is behind its first bytes comes as a stream.
#[cfg(feature = "remote")]
pub(super) fn look_into_stream(
    file: &Found,
    len: u64,
    head: &[u8],
    rest: &mut dyn Read,
    options: &WalkOptions,
    look: &mut dyn Look,
) {
    begin(file, options, look, |archive, called| {
        archive.budget.read(head.len() as u64);
        let most = if Kind::of(head) == Kind::Zip { options.held } else { options.inflated };
        if len > most && len > head.len() as u64 {
            let message = format!("it has more than the {most} bytes that are looked into far away");
            return archive.tell(called, Code::ArchiveLimit, message);
        }
        let mut whole = head.chain(budget::Counted::new(rest, archive.budget));
        archive.stream(called, &mut whole, 0);
        archive.tell_fault(called);
    });
}

fn begin(file: &Found, options: &WalkOptions, look: &mut dyn Look, within: impl FnOnce(&mut Archive<'_>, &Called<'_>)) {
    let budget = Budget::new(options);
    let mut archive = Archive { options, look, file, budget: &budget, told: BTreeMap::new() };
    let called = Called { outer: None, name: &file.place.file, says_wasm: file.says_wasm };
    within(&mut archive, &called);
    archive.tell_counts(&called);
    let (bytes_read, was_read) = (budget.bytes_read(), !budget.is_spoilt());
    look.archive(blob::Archive { place: &file.place, state: &file.state, bytes_read, was_read });
}

impl Archive<'_> {
    /// Something in a part of the file, at a level of nesting, by how it begins.
    fn part(&mut self, called: &Called<'_>, input: &Input, range: Range<u64>, head: &[u8], level: u32) {
        let kind = Kind::of(head);
        if !kind.holds_others() {
            if kind == Kind::Wasm || called.says_wasm {
                let content = Content::Part { input, range, head };
                self.budget.hand_over(head.len() as u64);
                self.see(called, content);
            } else {
                self.look.pass(0); // what was read is the archive's
            }
            return;
        }
        if !self.may_enter(called, level) {
            return;
        }
        let mut part = Part::beginning(input, range, head, self.budget);
        match kind {
            Kind::Gzip => self.gzip(called, &mut part, level),
            Kind::Zstd => self.zstd(called, &mut part, level),
            Kind::Tar => self.tar(called, Source::Part(&mut part), level),
            Kind::Zip => self.zip(called, Bytes::Part(part), level),
            Kind::Wasm | Kind::Other => {}
        }
    }

    /// Something that comes out of a decoder, by how it begins. Whether somebody is to read it to its end.
    fn stream(&mut self, called: &Called<'_>, reader: &mut dyn Read, level: u32) -> bool {
        let mut head = [0; BLOCK];
        let Ok(len) = fill(reader, &mut head) else {
            if called.says_wasm {
                self.see(called, Content::Stream(&mut Broken));
            }
            return true; // which fails again, and is told
        };
        let head = &head[..len];
        let kind = Kind::of(head);
        let mut whole = head.chain(reader);
        if !kind.holds_others() {
            let is_seen = kind == Kind::Wasm || called.says_wasm;
            if is_seen {
                self.see(called, Content::Stream(&mut whole));
            } else {
                self.look.pass(0);
            }
            return is_seen;
        }
        if !self.may_enter(called, level) {
            return false;
        }
        match kind {
            Kind::Gzip => self.gzip(called, &mut whole, level),
            Kind::Zstd => self.zstd(called, &mut whole, level),
            Kind::Tar => self.tar(called, Source::Stream(&mut whole), level),
            Kind::Zip => self.held_zip(called, &mut whole, level),
            Kind::Wasm | Kind::Other => {}
        }
        true
    }

    fn may_enter(&mut self, called: &Called<'_>, level: u32) -> bool {
        let most = self.options.nested.min(WalkOptions::MOST_NESTED);
        if level >= most {
            self.tell(called, Code::ArchiveLimit, format!("it lies in {level} archives, and is not looked into"));
        }
        level < most
    }

    fn gzip(&mut self, called: &Called<'_>, compressed: &mut dyn Read, level: u32) {
        self.inflated(called, MultiGzDecoder::new(compressed), level);
    }

    fn zstd(&mut self, called: &Called<'_>, compressed: &mut dyn Read, level: u32) {
        self.inflated(called, zstd::Frames::new(compressed, self.budget), level);
    }

    /// What is compressed by itself, which is called as what it is compressed to.
    fn inflated(&mut self, called: &Called<'_>, decoder: impl Read, level: u32) {
        let mut inflating = Inflating::new(decoder, self.budget);
        let mut head = [0; BLOCK];
        let len = fill(&mut inflating, &mut head).unwrap_or(0); // an error comes again
        // A tar or a zip is no archive more, for being compressed; something compressed twice is.
        let is_archive = matches!(Kind::of(&head[..len]), Kind::Tar | Kind::Zip);
        let level = if is_archive { level } else { level + 1 };
        let inner = Called { says_wasm: called.says_wasm || is_called_wasm(stem(called.name)), ..*called };
        let mut whole = (&head[..len]).chain(&mut inflating);
        if self.stream(&inner, &mut whole, level) {
            self.drain(&mut inflating, u64::MAX);
        }
        self.tell_fault(called);
    }

    /// A zip whose bytes come out of a decoder: to be read at any position, it is held.
    fn held_zip(&mut self, called: &Called<'_>, reader: &mut dyn Read, level: u32) {
        let most = self.budget.holdable();
        let mut held = Vec::new();
        let result = reader.take(most.saturating_add(1)).read_to_end(&mut held);
        if held.len() as u64 > most {
            let message = format!("it has more than the {most} bytes that may be held to look into it");
            return self.tell(called, Code::ArchiveLimit, message);
        }
        if result.is_ok() {
            self.budget.hold(held.len() as u64);
            self.zip(called, Bytes::Held(io::Cursor::new(&held)), level);
            self.budget.let_go(held.len() as u64);
        }
    }

    fn see(&mut self, called: &Called<'_>, content: Content<'_>) {
        let place = self.place(called);
        self.look.see(Blob { place, state: Some(self.file.state.clone()), digest: None, content });
    }

    fn place(&self, called: &Called<'_>) -> Place {
        let mut place = self.file.place.clone();
        called.push_to(&mut place.file);
        place.others.iter_mut().for_each(|other| called.push_to(other));
        place
    }

    fn tell(&mut self, called: &Called<'_>, code: Code, message: String) {
        let told = self.told.entry(code).or_default();
        *told += 1;
        if *told <= TOLD {
            let place = self.place(called);
            self.look.trouble(Trouble { place, state: Some(self.file.state.clone()), code, message });
        }
    }

    /// What went wrong under all that was told of it; but for what breaks off because it is to stop.
    fn tell_fault(&mut self, called: &Called<'_>) {
        let fault = self.budget.take_fault();
        if let Some((code, message)) = fault.filter(|_| !self.look.stops()) {
            self.tell(called, code, message);
        }
    }

    /// What is told by number alone.
    fn count(&mut self, code: Code) {
        *self.told.entry(code).or_insert(TOLD) += 1;
    }

    fn tell_counts(&mut self, called: &Called<'_>) {
        for (code, count) in std::mem::take(&mut self.told) {
            if let Some(more) = count.checked_sub(TOLD).filter(|&more| more > 0) {
                let what = match code {
                    Code::NotFollowed => "links in it, which are not followed",
                    _ => "more of this kind in it",
                };
                let place = self.place(called);
                let message = format!("there are {more} {what}");
                self.look.trouble(Trouble { place, state: Some(self.file.state.clone()), code, message });
            }
        }
    }

    /// Reads what nobody looks at, for its checksum, or for what stands behind it. Gives how much there was.
    fn drain(&mut self, reader: &mut dyn Read, most: u64) -> u64 {
        let mut buffer = [0; 8 << 10];
        let mut passed = 0;
        while passed < most && !self.stops() {
            let len = usize::try_from(most - passed).map_or(buffer.len(), |left| left.min(buffer.len()));
            match reader.read(&mut buffer[..len]) {
                Ok(0) => break,
                Ok(read) => passed += read as u64,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break, // told where it came from
            }
        }
        passed
    }

    fn stops(&self) -> bool {
        self.budget.is_spent() || self.look.stops()
    }
}

/// What cannot be inflated at all.
struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::new(io::ErrorKind::InvalidData, "it cannot be inflated"))
    }
}

/// Reads until the buffer is full, or there is no more. What came before an error is no error: it comes again.
fn fill(reader: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if filled == 0 => return Err(error),
            Err(_) => break,
        }
    }
    Ok(filled)
}

/// Whether somebody calls it WebAssembly.
pub(super) fn is_called_wasm(name: &OsStr) -> bool {
    const ENDING: &[u8] = b".wasm";
    let name = name.as_encoded_bytes();
    let start = name.len().checked_sub(ENDING.len());
    start.is_some_and(|start| name[start..].eq_ignore_ascii_case(ENDING))
}

/// A name without what says how it is compressed.
fn stem(name: &OsStr) -> &OsStr {
    let path = std::path::Path::new(name);
    let is_compression =
        path.extension().is_some_and(|ending| ["gz", "zst"].iter().any(|known| ending.eq_ignore_ascii_case(known)));
    path.file_stem().filter(|_| is_compression).unwrap_or(name)
}

/// The name of an entry, as the platform has names.
fn name(bytes: &[u8]) -> Cow<'_, OsStr> {
    #[cfg(unix)]
    {
        Cow::Borrowed(std::os::unix::ffi::OsStrExt::from_bytes(bytes))
    }
    #[cfg(not(unix))]
    {
        match String::from_utf8_lossy(bytes) {
            Cow::Borrowed(name) => Cow::Borrowed(OsStr::new(name)),
            Cow::Owned(name) => Cow::Owned(name.into()),
        }
    }
}
