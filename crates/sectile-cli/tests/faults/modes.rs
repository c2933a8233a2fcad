//! The ways in which the command writes, each as one run of it that changes one small file.

macro_rules! long {
    () => {
        "so that a power cut may keep one part of them and lose another, which is what is to be seen here; moreover "
    };
}

use sectile_testing::binary::{custom, module};

/// A run of the command that writes.
#[derive(Clone, Copy, Debug)]
pub struct Mode {
    pub name: &'static str,
    /// Without the file, which comes behind the command's name.
    args: &'static [&'static str],
    pub sink: Sink,
    edit: Edit,
}

/// Where the result goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sink {
    Replace,
    NewFile,
    OverFile,
    InPlace,
    /// No edit: an edit in place is recovered that was cut off before the nth call of this name, of those that write.
    Recover(&'static str, usize),
}

/// What is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edit {
    /// A section is added at the end.
    Append,
    /// A section near the beginning grows, and all behind it moves.
    GrowEarly,
    /// A section goes, and what is behind it moves up.
    Shrink,
    /// Two values are changed where they stand.
    SameLength,
}

/// What `-o` finds where it is to write.
pub const OTHER: &[u8] = b"\0asm\x01\0\0\0\0\x06\x05other";

/// More than a sector.
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

    /// What the file is to be, put together without the code that is tested.
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
    /// The command's arguments: the file is `a.wasm`, the output beside it `out.wasm`.
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

    /// The file that is written.
    pub fn target(&self) -> &'static str {
        if matches!(self.sink, Sink::NewFile | Sink::OverFile) { "out.wasm" } else { "a.wasm" }
    }

    /// What it is before; `None` where there is none.
    pub fn old(&self) -> Option<Vec<u8>> {
        match self.sink {
            Sink::NewFile => None,
            Sink::OverFile => Some(OTHER.to_vec()),
            _ => Some(source()),
        }
    }

    /// What it is after.
    pub fn result(&self) -> Vec<u8> {
        self.edit.result()
    }

    pub fn is_synced(&self) -> bool {
        !self.args.contains(&"--no-sync")
    }

    /// The edit in place that was cut off, for this to recover.
    pub fn cut_off(&self) -> Mode {
        Mode { name: "cut off", args: &[], sink: Sink::InPlace, edit: self.edit }
    }

    /// The recovery of this edit in place.
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
