//! `sectile sections`: every section of a file.

use std::io;

use sectile::Limits;
use sectile::scan::{DataRequest, ItemPath, ItemStart, Section, Visitor};
use sectile_policy::report::SectionsJson;

use crate::args::SectionsArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::input;
use crate::output::Output;
use crate::reading::{finish, finish_bounded, print_cost};
use crate::source::InputSource;
use crate::text::SectionsList;

pub fn run(source: &InputSource, args: &SectionsArgs, output: &mut Output) -> Result<Exit, Failure> {
    let mut input = match input::open(source, args.map) {
        Err(Failure::Input(error)) if args.report.json => {
            SectionsJson::new(output.out(), source.name(), None)?.finish(Some(&error))?;
            return Err(error.into());
        }
        input => input?,
    };
    let (len, layout) = (input.len(), output.layout());
    let error = if args.report.json {
        let list = SectionsJson::new(output.out(), source.name(), Some(len))?;
        let mut lister = SectionLister::new(list, SectionsJson::section);
        let (_, error, cost) = input.scan(&mut lister, Limits::default()).into_parts();
        let left_out = lister.finish()?.finish(error.as_ref())?;
        print_cost(source, cost, len, output);
        return Ok(finish_bounded(source, error, left_out, output));
    } else {
        let list = SectionsList::new(output.out(), layout, source.name(), len);
        let mut lister = SectionLister::new(list, SectionsList::section);
        let (_, error, cost) = input.scan(&mut lister, Limits::default()).into_parts();
        let list = lister.finish()?;
        if error.is_none() {
            list.finish()?;
        }
        print_cost(source, cost, len, output);
        error
    };
    Ok(finish(source, error, output))
}

/// A visitor that writes each section with its item's path.
struct SectionLister<L, F> {
    list: L,
    write: F,
    path: ItemPath,
    result: io::Result<()>,
}

impl<L, F> SectionLister<L, F> {
    fn new(list: L, write: F) -> Self {
        Self { list, write, path: ItemPath::root(), result: Ok(()) }
    }

    fn finish(self) -> io::Result<L> {
        self.result.map(|()| self.list)
    }
}

impl<L, F> Visitor<'_> for SectionLister<L, F>
where
    F: FnMut(&mut L, &ItemPath, &Section<'_>) -> io::Result<()>,
{
    fn enter(&mut self, item: &ItemStart<'_>) {
        if item.parent().is_some() {
            self.path.push(item.index());
        }
    }

    fn section(&mut self, section: &Section<'_>) -> DataRequest {
        if self.result.is_ok() {
            self.result = (self.write)(&mut self.list, &self.path, section);
        }
        DataRequest::Nothing
    }

    fn leave(&mut self, _: u32, _: u64) {
        self.path.pop();
    }
}
