//! Names given to `unset` and `remove` that are not in the file.

use sectile::edit::{ChangeKind, EditPlan};
use sectile::scan::ItemPath;
use sectile::{Escaped, Field};

use crate::args::{EditArgs, EditOperation, UnsetTarget};
use crate::exit::Exit;
use crate::output::Output;
use crate::source::InputSource;

/// The names that matched nothing in the file.
pub struct Missing {
    messages: Vec<String>,
    exit: Exit,
}

impl Missing {
    pub fn new(args: &EditArgs, planned: &EditPlan) -> Self {
        let root = ItemPath::root();
        let changes = Changes { planned, item: args.item.as_ref().unwrap_or(&root) };
        match &args.operation {
            EditOperation::Unset(targets) => {
                let absent = targets.iter().filter(|target| !changes.affects(**target));
                let messages = absent.map(|target| format!("`{}` is already absent", name(*target))).collect();
                Self { messages, exit: Exit::Done }
            }
            EditOperation::Remove(globs) => {
                let unmatched = globs.iter().filter(|glob| !changes.remove(|section| glob.matches(section)));
                let unmatched: Vec<String> = unmatched.map(|glob| Escaped::new(glob.as_str()).to_string()).collect();
                let is_no_match = unmatched.len() == globs.len();
                let unchanged = if is_no_match { "; nothing changed" } else { "" };
                let message = |glob| format!("no custom section matches `{glob}`{unchanged}");
                let exit = if is_no_match { Exit::No } else { Exit::Done };
                Self { messages: unmatched.into_iter().map(message).collect(), exit }
            }
            _ => Self { messages: Vec::new(), exit: Exit::Done },
        }
    }

    /// Prints a message for each name. It is an error if it explains the exit status, and a note
    /// otherwise.
    pub fn print(&self, source: &InputSource, output: &mut Output) {
        for message in &self.messages {
            match self.exit {
                Exit::Done => output.print_note(Some(source), message),
                _ => output.print_diagnostic(Some(source), message),
            }
        }
    }

    pub fn exit(&self) -> Exit {
        self.exit
    }
}

/// The changes of one item.
struct Changes<'a> {
    planned: &'a EditPlan,
    item: &'a ItemPath,
}

impl Changes<'_> {
    fn affects(&self, target: UnsetTarget) -> bool {
        const NAMES: [&str; 2] = ["name", "component-name"];
        match target {
            UnsetTarget::Field(field) => self.remove(|section| section == field.section()),
            UnsetTarget::Producers => self.remove(|section| section == "producers"),
            UnsetTarget::Name => self.any(|section, _| NAMES.contains(&section)),
        }
    }

    fn remove(&self, is_match: impl Fn(&str) -> bool) -> bool {
        self.any(|section, kind| kind == ChangeKind::Removed && is_match(section))
    }

    fn any(&self, is_match: impl Fn(&str, ChangeKind) -> bool) -> bool {
        let changes = self.planned.changes().iter();
        changes.filter(|change| change.path() == self.item).any(|change| is_match(change.section(), change.kind()))
    }
}

fn name(target: UnsetTarget) -> &'static str {
    match target {
        UnsetTarget::Field(field) => Field::section(field),
        UnsetTarget::Name => "name",
        UnsetTarget::Producers => "producers",
    }
}
