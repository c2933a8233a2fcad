//! The ways in which the command writes. Each is one run that changes one small file.

macro_rules! long {
    () => {
        "so that a power cut may keep one part of them and lose another, which is what is to be seen here; moreover "
    };
}

use sectile_testing::binary::{custom, module};

/// A run of the command that writes a file.
#[derive(Clone, Copy, Debug)]
pub struct Mode {
    pub name: &'static str,
    /// Without the file, which follows the command's name.
    args: &'static [&'static str],
    pub sink: Sink,
    edit: Edit,
}

/// The destination of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sink {
    Replace,
    NewFile,
    OverFile,
    InPlace,
    /// Recovery of an in-place edit instead of an edit. The edit was interrupted before the nth
    /// writing call of this name.
    Recover(&'static str, usize),
}

/// The change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edit {
    /// A section is added at the end.
    Append,
    /// A section near the beginning grows, and everything after it moves.
    GrowEarly,
    /// A section is removed, and everything after it moves.
    Shrink,
    /// Two values are overwritten in place.
    SameLength,
}

/// The existing content of the file that `-o` names.
pub const OTHER: &[u8] = b"\0asm\x01\0\0\0\0\x06\x05other";

/// Longer than a sector.
const DESCRIPTION: &str = concat!(
    "what it does, in so many words that they do not fit into one sector of a disk, and ",
    long!(),
    long!(),
    long!(),
    long!(),
    long!()
);

impl Edit {
    fn args(self) -> &'static [&'static str] {
        match self {
            Self::Append => &["--description", DESCRIPTION],
            Self::GrowEarly => &["--licenses", "MIT OR Apache-2.0"],
            Self::Shrink => &["authors"],
            Self::SameLength => &["--licenses", "ISC", "--authors", "the new authors"],
        }
    }

    fn command(self) -> &'static str {
        if self == Self::Shrink { "unset" } else { "set" }
    }

    /// The expected file, built without the code under test.
    pub fn result(self) -> Vec<u8> {
        match self {
            Self::Append => [source(), custom("description", DESCRIPTION)].concat(),
            Self::GrowEarly => built("MIT OR Apache-2.0", Some("the old authors")),
            Self::Shrink => built("MIT", None),
            Self::SameLength => built("ISC", Some("the new authors")),
        }
    }
}

/// The file before any edit.
pub fn source() -> Vec<u8> {
    built("MIT", Some("the old authors"))
}

fn built(licenses: &str, authors: Option<&str>) -> Vec<u8> {
    let bulk: Vec<u8> = (0..1200_u32).map(|n| (n * 7 % 251) as u8).collect();
    let mut sections = vec![custom("licenses", licenses)];
    sections.extend(authors.map(|authors| custom("authors", authors)));
    sections.push(custom("bulk", bulk));
    module(&sections)
}

impl Mode {
    /// The command's arguments. The file is `a.wasm`, and the output next to it is `out.wasm`.
    pub fn args(&self) -> Vec<&'static str> {
        if let Sink::Recover(..) = self.sink {
            return [&["recover", "a.wasm"], self.args].concat();
        }
        let out: &[_] = match self.sink {
            Sink::NewFile | Sink::OverFile => &["-o", "out.wasm"],
            Sink::InPlace => &["--in-place"],
            _ => &[],
        };
        [&[self.edit.command(), "a.wasm"], self.edit.args(), out, self.args].concat()
    }

    /// The written file.
    pub fn target(&self) -> &'static str {
        if matches!(self.sink, Sink::NewFile | Sink::OverFile) { "out.wasm" } else { "a.wasm" }
    }

    /// The file before the run; `None` if there is none.
    pub fn old(&self) -> Option<Vec<u8>> {
        match self.sink {
            Sink::NewFile => None,
            Sink::OverFile => Some(OTHER.to_vec()),
            _ => Some(source()),
        }
    }

    /// The file after the run.
    pub fn result(&self) -> Vec<u8> {
        self.edit.result()
    }

    pub fn is_synced(&self) -> bool {
        !self.args.contains(&"--no-sync")
    }

    /// The interrupted in-place edit that this mode recovers.
    pub fn cut_off(&self) -> Mode {
        Mode { name: "cut off", args: &[], sink: Sink::InPlace, edit: self.edit }
    }

    /// The recovery of this in-place edit.
    pub fn recovery(&self) -> Mode {
        Mode { name: "recovery", args: &[], sink: Sink::Recover("", 0), edit: self.edit }
    }

    pub fn is_in_place(&self) -> bool {
        matches!(self.sink, Sink::InPlace | Sink::Recover(..))
    }

    const fn of(name: &'static str, sink: Sink, edit: Edit, args: &'static [&'static str]) -> Self {
        Self { name, args, sink, edit }
    }
}

/// Every way of writing.
pub const MODES: [Mode; 20] = [
    Mode::of("replace", Sink::Replace, Edit::GrowEarly, &[]),
    Mode::of("replace, shorter", Sink::Replace, Edit::Shrink, &[]),
    Mode::of("replace --no-sync", Sink::Replace, Edit::GrowEarly, &["--no-sync"]),
    Mode::of("replace --force", Sink::Replace, Edit::Append, &["--force"]),
    Mode::of("-o, new", Sink::NewFile, Edit::GrowEarly, &[]),
    Mode::of("-o, new, --no-sync", Sink::NewFile, Edit::GrowEarly, &["--no-sync"]),
    Mode::of("-o, over a file", Sink::OverFile, Edit::GrowEarly, &[]),
    Mode::of("--in-place, appended", Sink::InPlace, Edit::Append, &[]),
    Mode::of("--in-place, grown", Sink::InPlace, Edit::GrowEarly, &[]),
    Mode::of("--in-place, shrunk", Sink::InPlace, Edit::Shrink, &[]),
    Mode::of("--in-place, same length", Sink::InPlace, Edit::SameLength, &[]),
    Mode::of("--in-place --no-sync, grown", Sink::InPlace, Edit::GrowEarly, &["--no-sync"]),
    Mode::of("--in-place --no-sync, shrunk", Sink::InPlace, Edit::Shrink, &["--no-sync"]),
    Mode::of("recover, grown, torn", Sink::Recover("fsync", 3), Edit::GrowEarly, &[]),
    Mode::of("recover, shrunk, torn", Sink::Recover("ftruncate", 1), Edit::Shrink, &[]),
    Mode::of("recover, same length, torn", Sink::Recover("pwrite64", 5), Edit::SameLength, &[]),
    Mode::of("recover, not begun", Sink::Recover("pwrite64", 2), Edit::Append, &[]),
    Mode::of("recover, torn journal", Sink::Recover("pwrite64", 1), Edit::Append, &[]),
    Mode::of("recover --no-sync, torn", Sink::Recover("ftruncate", 1), Edit::Shrink, &["--no-sync"]),
    Mode::of("recover, finished", Sink::Recover("unlink", 1), Edit::Shrink, &[]),
];
