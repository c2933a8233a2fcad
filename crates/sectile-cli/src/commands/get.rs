//! `sectile get`: the raw data of a custom section.

use std::io::{self, Write};
use std::ops::Range;

use sectile::internal::is_joined;
use sectile::scan::{DataRequest, ItemPath, ItemStart, Section, Visitor};
use sectile::{Escaped, Limits};

use crate::args::GetArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::input::{self, InputReader};
use crate::output::Output;
use crate::reading::{finish, print_cost};

pub fn run(args: &GetArgs, output: &mut Output) -> Result<Exit, Failure> {
    let mut input = input::open(&args.source, args.map)?;
    let mut finder = SectionFinder {
        name: &args.section_name,
        item: &args.item,
        nth: args.nth,
        current: ItemPath::root(),
        item_exists: false,
        matches: 0,
        is_joined: args.nth.is_none() && is_joined(&args.section_name),
        data: Vec::new(),
    };
    let (_, error, cost) = input.scan(&mut finder, Limits::default()).into_parts();
    print_cost(&args.source, cost, input.len(), output);
    if finder.is_joined && finder.matches > MAX_JOINED as u64 {
        let message =
            format!("{} sections of this name, and at most {MAX_JOINED} are joined: use --nth", finder.matches);
        return Err(Failure::Other(message));
    }
    // Truncated input still yields a section before the cut.
    let exit = match &finder.data[..] {
        [_, ..] => {
            let len = input.len();
            for data in &finder.data {
                copy(&mut input, data.start..data.end.min(len), output.out())?;
            }
            Exit::Done
        }
        [] if error.is_some() => Exit::Failed,
        [] => {
            output.print_diagnostic(Some(&args.source), &finder.explain_missing());
            Exit::No
        }
    };
    Ok(exit.max(finish(&args.source, error, output)))
}

/// Maximum number of joined sections of one name, which bounds memory.
const MAX_JOINED: usize = 100_000;

/// A visitor that finds a custom section of one item.
struct SectionFinder<'a> {
    name: &'a str,
    item: &'a ItemPath,
    nth: Option<u64>,
    /// The item that is being scanned.
    current: ItemPath,
    item_exists: bool,
    /// Number of sections with this name so far.
    matches: u64,
    /// Whether to join the data of all sections.
    is_joined: bool,
    data: Vec<Range<u64>>,
}

impl SectionFinder<'_> {
    fn explain_missing(&self) -> String {
        let item = if self.item.is_root() { "the root".to_owned() } else { format!("item {}", self.item) };
        let name = Escaped::new(self.name);
        match self.matches {
            _ if !self.item_exists => format!("item {} does not exist", self.item),
            0 => format!("{item} has no custom section `{name}`"),
            1 => format!("{item} has only one custom section `{name}`"),
            number => format!("{item} has only {number} custom sections `{name}`"),
        }
    }
}

impl Visitor<'_> for SectionFinder<'_> {
    fn enter(&mut self, item: &ItemStart<'_>) {
        if item.parent().is_some() {
            self.current.push(item.index());
        }
        self.item_exists |= self.current == *self.item;
    }

    fn section(&mut self, section: &Section<'_>) -> DataRequest {
        if section.is_custom() && section.name() == self.name && self.current == *self.item {
            self.matches += 1;
            if self.nth.is_none_or(|nth| nth == self.matches) {
                if !self.is_joined {
                    self.data.clear();
                }
                if self.data.len() < MAX_JOINED {
                    self.data.push(section.data());
                }
            }
        }
        DataRequest::Nothing
    }

    fn leave(&mut self, _: u32, _: u64) {
        self.current.pop();
    }
}

fn copy(input: &mut InputReader, mut range: Range<u64>, out: &mut impl Write) -> Result<(), Failure> {
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
