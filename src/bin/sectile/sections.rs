//! `sectile sections`: every section, as the scanner comes upon it.

use std::ffi::OsString;
use std::io;

use clap::ArgMatches;
use sectile::Limits;
use sectile::report::SectionsJson;
use sectile::scan::{Entry, Path, Section, Visitor, Want};

use crate::exit::Exit;
use crate::human::{SectionsList, Shortened};
use crate::output::{Failure, Output};
use crate::{input, show};

pub fn run(file: &OsString, matches: &ArgMatches, output: &mut Output) -> Result<Exit, Failure> {
    let mut input = input::open(file, matches)?;
    let shown = input::shown(file);
    let len = input.len();
    let broken = if matches.get_flag("json") {
        let list = SectionsJson::new(output.out(), &shown, Some(len))?;
        let mut lister = Lister::new(list, SectionsJson::section, Path::to_string);
        let broken = input.scan(&mut lister, Limits::default()).0.err();
        lister.finish()?.finish(broken.as_ref())?;
        broken
    } else {
        let list = SectionsList::new(output.out(), &shown, len);
        let mut lister = Lister::new(list, SectionsList::section, |path| Shortened(path).to_string());
        let broken = input.scan(&mut lister, Limits::default()).0.err();
        let list = lister.finish()?;
        if broken.is_none() {
            list.finish()?;
        }
        broken
    };
    show::finish(file, Ok(broken), output)
}

/// A visitor that writes each section with its item's path.
struct Lister<L, F> {
    list: L,
    write: F,
    /// How a path is written.
    show: fn(&Path) -> String,
    path: Path,
    /// The path, as it is written.
    shown: String,
    result: io::Result<()>,
}

impl<L, F> Lister<L, F> {
    fn new(list: L, write: F, show: fn(&Path) -> String) -> Self {
        Self { list, write, show, path: Path::root(), shown: String::new(), result: Ok(()) }
    }

    fn finish(self) -> io::Result<L> {
        self.result.map(|()| self.list)
    }
}

impl<L, F> Visitor<'_> for Lister<L, F>
where
    F: FnMut(&mut L, &str, &Section<'_>) -> io::Result<()>,
{
    fn enter(&mut self, entry: &Entry) {
        if entry.parent.is_some() {
            self.path.push(entry.index);
            self.shown = (self.show)(&self.path);
        }
    }

    fn section(&mut self, section: &Section<'_>) -> Want {
        if self.result.is_ok() {
            self.result = (self.write)(&mut self.list, &self.shown, section);
        }
        Want::Nothing
    }

    fn leave(&mut self, _: u32, _: u64) {
        self.path.pop();
        self.shown = (self.show)(&self.path);
    }
}
