//! `sectile sections`: every section, as the scanner comes upon it.

use std::ffi::OsString;
use std::io;

use clap::ArgMatches;
use sectile::Limits;
use sectile::report::SectionsJson;
use sectile::scan::{Entry, Path, Section, Visitor, Want};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::human::SectionsList;
use crate::output::Output;
use crate::{input, show};

pub fn run(file: &OsString, matches: &ArgMatches, output: &mut Output) -> Result<Exit, Failure> {
    let shown = input::shown(file);
    let mut input = match input::open(file, matches) {
        Err(Failure::Input(error)) if matches.get_flag("json") => {
            SectionsJson::new(output.out(), &shown, None)?.finish(Some(&error))?;
            return Err(error.into());
        }
        input => input?,
    };
    let len = input.len();
    let broken = if matches.get_flag("json") {
        let mut lister = Lister::new(SectionsJson::new(output.out(), &shown, Some(len))?, SectionsJson::section);
        let broken = input.scan(&mut lister, Limits::default()).0.err();
        lister.finish()?.finish(broken.as_ref())?;
        broken
    } else {
        let list = SectionsList::new(output.out(), &shown, len);
        let mut lister = Lister::new(list, SectionsList::section);
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
    path: Path,
    result: io::Result<()>,
}

impl<L, F> Lister<L, F> {
    fn new(list: L, write: F) -> Self {
        Self { list, write, path: Path::root(), result: Ok(()) }
    }

    fn finish(self) -> io::Result<L> {
        self.result.map(|()| self.list)
    }
}

impl<L, F> Visitor<'_> for Lister<L, F>
where
    F: FnMut(&mut L, &Path, &Section<'_>) -> io::Result<()>,
{
    fn enter(&mut self, entry: &Entry) {
        if entry.parent.is_some() {
            self.path.push(entry.index);
        }
    }

    fn section(&mut self, section: &Section<'_>) -> Want {
        if self.result.is_ok() {
            self.result = (self.write)(&mut self.list, &self.path, section);
        }
        Want::Nothing
    }

    fn leave(&mut self, _: u32, _: u64) {
        self.path.pop();
    }
}
