//! Cases: files that lie about the modules in them.

use super::choices::Choices;
use super::compress::{gzip, zstd};
use super::modules::{self, LENGTHS};
use super::{tar, zip};
use sectile_testing::binary::{MODULE, padded};

/// A file and its recipe.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) bytes: Vec<u8>,
    /// The file's extension.
    pub(crate) extension: &'static str,
    /// Programs that are likely to open it.
    pub(crate) openers: Openers,
    /// Whether its names leave the directory, so that it must not be extracted to a disk.
    pub(crate) escapes: bool,
    pub(crate) choices: Vec<u32>,
    pub(crate) recipe: Vec<String>,
}

/// Programs that are likely to open a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Openers {
    Tar,
    Zip,
    Gzip,
    Zstd,
    All,
}

impl Case {
    /// Makes the case with this number of a seed.
    pub(crate) fn new(seed: u64, number: u64) -> Self {
        Self::from_choices(Choices::seeded(seed.wrapping_mul(0x0100_0000_01b3) ^ number))
    }

    pub(crate) fn replay(choices: Vec<u32>) -> Self {
        Self::from_choices(Choices::replayed(choices))
    }

    fn from_choices(choices: Choices) -> Self {
        let mut generator = Generator { choices, modules: 0, names: 0, escapes: false };
        let (bytes, extension, openers) = generator.file();
        let escapes = generator.escapes;
        let (choices, recipe) = generator.choices.into_parts();
        Self { bytes, extension, openers, escapes, choices, recipe }
    }
}

/// Makes one case.
pub(crate) struct Generator {
    pub(crate) choices: Choices,
    modules: usize,
    names: usize,
    escapes: bool,
}

/// Maximum nesting of archives in a case.
const MAX_DEPTH: u32 = 3;

impl Generator {
    fn file(&mut self) -> (Vec<u8>, &'static str, Openers) {
        let (bytes, extension, openers) = match self.choices.below(40) {
            0..15 => (tar::write(self, 0), "tar", Openers::Tar),
            15..28 => (zip::write(self, 0), "zip", Openers::Zip),
            28..31 => {
                let tar = tar::write(self, 0);
                (gzip(self, &tar), "tgz", Openers::Tar)
            }
            31 => {
                let tar = tar::write(self, 0);
                (zstd(self, &tar), "tar.zst", Openers::Tar)
            }
            32 => {
                let module = self.module();
                (gzip(self, &module), "wasm.gz", Openers::Gzip)
            }
            33 => {
                let module = self.module();
                (zstd(self, &module), "wasm.zst", Openers::Zstd)
            }
            34 => (self.polyglot_with_zip(), "wasm", Openers::All),
            35 => (self.polyglot_with_tar(), "wasm", Openers::All),
            36 => (self.concatenation(), "bin", Openers::All),
            37 => {
                let zip = zip::write(self, 0);
                (gzip(self, &zip), "zip.gz", Openers::Gzip)
            }
            _ => {
                self.choices.note("prefixed".to_owned());
                let archive = self.archive(0);
                ([b"#!/bin/sh\nexit\n".to_vec(), archive].concat(), "run", Openers::All)
            }
        };
        let extension = self.choices.lie("extension", extension, &["", "bin", "wasm", "tar", "zip"]);
        let openers = if self.choices.rarely(12) { Openers::All } else { openers };
        (bytes, extension, openers)
    }

    /// The next module.
    pub(crate) fn module(&mut self) -> Vec<u8> {
        let number = self.modules;
        self.modules += 1;
        let module = modules::module(number, self.choices.pick(&LENGTHS));
        self.choices.note(format!("module {number:02} of {} bytes", module.len()));
        module
    }

    /// The content of an entry: mostly a module.
    pub(crate) fn content(&mut self, depth: u32) -> Vec<u8> {
        match self.choices.below(24) {
            20 => b"text\n".to_vec(),
            21 => Vec::new(),
            22 if depth < MAX_DEPTH => self.archive(depth + 1),
            23 if depth < MAX_DEPTH => {
                let module = self.module();
                gzip(self, &module)
            }
            _ => self.module(),
        }
    }

    fn archive(&mut self, depth: u32) -> Vec<u8> {
        match self.choices.below(4) {
            0 => tar::write(self, depth),
            1 => zip::write(self, depth),
            2 => {
                let tar = tar::write(self, depth);
                gzip(self, &tar)
            }
            _ => {
                let tar = tar::write(self, depth);
                zstd(self, &tar)
            }
        }
    }

    /// A name that is unique unless it is a lie.
    pub(crate) fn name(&mut self) -> String {
        let nth = self.names;
        self.names += 1;
        let shape = self.choices.lie(
            "name",
            if nth % 3 == 2 { "d/{}.wasm" } else { "{}.wasm" },
            &[
                "{}/",
                "{}\\",
                "d\\{}",
                "./{}.wasm",
                "{}.wasm/.",
                "{}//",
                "",
                "/",
                ".",
                "same.wasm",
                "{}\0.txt",
                "{}.txt",
                "ü{}.wasm",
                "{} ",
                "d/../{}.wasm",
                "../{}.wasm",
                "/tmp/{}.wasm",
                "{}:x",
            ],
        );
        self.escapes |= shape.contains("..") || shape.starts_with("/tmp");
        shape.replace("{}", &format!("f{nth}"))
    }

    /// A module with a zip in a custom section or after its end.
    fn polyglot_with_zip(&mut self) -> Vec<u8> {
        self.choices.note("a module whose section holds a zip".to_owned());
        let zip = zip::write(self, 0);
        if self.choices.rarely(4) {
            self.choices.note("without a section".to_owned());
            return [&MODULE[..], &zip].concat();
        }
        let mut bytes = [&MODULE[..], &[0], &padded(zip.len() as u32 + 4, 5), b"\x03zip"].concat();
        bytes.extend(zip);
        if self.choices.rarely(3) {
            self.choices.note("a section follows".to_owned());
            bytes.extend(sectile_testing::binary::custom("more", "data"));
        }
        bytes
    }

    /// A module that is also a tar: the first name in the tar begins like a module.
    fn polyglot_with_tar(&mut self) -> Vec<u8> {
        self.choices.note("a module that is a tar".to_owned());
        let rest = tar::write(self, 0);
        let len = (512 - MODULE.len() - 6 + rest.len()) as u32;
        let name = [&MODULE[..], &[0], &padded(len, 5), b"\x03tar"].concat();
        let mut bytes = tar::plain_header(&name, b'0', 0).to_vec();
        bytes.extend(rest);
        bytes
    }

    fn concatenation(&mut self) -> Vec<u8> {
        self.choices.note("concatenated:".to_owned());
        let first = self.archive(0);
        self.choices.note("and".to_owned());
        let second = self.archive(0);
        [first, second].concat()
    }
}
