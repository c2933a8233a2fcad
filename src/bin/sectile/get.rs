//! `sectile get`: the raw data of a custom section.

use std::ffi::OsString;
use std::io::{self, Write};
use std::ops::Range;

use clap::ArgMatches;
use sectile::scan::{Entry, Path, Section, Visitor, Want};
use sectile::{Escaped, Limits};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::input::Opened;
use crate::output::Output;
use crate::{input, show};

pub fn run(file: &OsString, matches: &ArgMatches, output: &mut Output) -> Result<Exit, Failure> {
    let name = matches.get_one::<String>("NAME").expect("clap asks for a name");
    let path = matches.get_one::<Path>("at").expect("it has a default");
    let nth = matches.get_one::<u64>("nth").copied();
    let mut input = input::open(file, matches)?;
    let mut finder = Finder { name, item: path, nth, at: Path::root(), seen_item: false, number: 0, found: None };
    let broken = input.scan(&mut finder, Limits::default()).0.err();
    // What stands before a break is still there to be had.
    let exit = match &finder.found {
        Some(data) => {
            let data = data.start..data.end.min(input.len());
            copy(&mut input, data, output.out())?;
            Exit::Done
        }
        None if broken.is_some() => Exit::Failed,
        None => {
            output.complain(Some(file), &finder.explain());
            Exit::No
        }
    };
    Ok(exit.max(show::finish(file, Ok(broken), output)?))
}

/// Looks for a custom section in one item.
struct Finder<'a> {
    name: &'a str,
    item: &'a Path,
    nth: Option<u64>,
    /// Where the scanner is.
    at: Path,
    seen_item: bool,
    /// How many sections of that name there were.
    number: u64,
    found: Option<Range<u64>>,
}

impl Finder<'_> {
    fn explain(&self) -> String {
        let item = if self.item.is_root() { "the root".to_owned() } else { format!("item {}", self.item) };
        let name = Escaped::new(self.name);
        match self.number {
            _ if !self.seen_item => format!("there is no item {}", self.item),
            0 => format!("{item} has no custom section `{name}`"),
            1 => format!("{item} has only one custom section `{name}`"),
            number => format!("{item} has only {number} custom sections `{name}`"),
        }
    }
}

impl Visitor<'_> for Finder<'_> {
    fn enter(&mut self, entry: &Entry) {
        if entry.parent.is_some() {
            self.at.push(entry.index);
        }
        self.seen_item |= self.at == *self.item;
    }

    fn section(&mut self, section: &Section<'_>) -> Want {
        if section.is_custom() && section.name() == self.name && self.at == *self.item {
            self.number += 1;
            if self.nth.is_none_or(|nth| nth == self.number) {
                self.found = Some(section.data());
            }
        }
        Want::Nothing
    }

    fn leave(&mut self, _: u32, _: u64) {
        self.at.pop();
    }
}

fn copy(input: &mut Opened, mut range: Range<u64>, out: &mut impl Write) -> Result<(), Failure> {
    let mut buffer = vec![0; 64 << 10];
    while !range.is_empty() {
        let len = (range.end - range.start).min(buffer.len() as u64) as usize;
        match input.read_part(&mut buffer[..len], range.start) {
            Ok(0) => return Err(Failure::Other("the file shrank while it was read".to_owned())),
            Ok(read) => {
                out.write_all(&buffer[..read])?;
                range.start += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Failure::Other(format!("cannot be read: {error}"))),
        }
    }
    Ok(())
}
