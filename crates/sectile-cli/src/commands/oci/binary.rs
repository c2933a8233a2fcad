//! The binary of an image.

use sectile::splice::Plan;
use sectile::{Edit, Input};

use crate::args::BinaryArgs;
use crate::build_edit::apply_metadata;
use crate::failure::Failure;
use crate::input;
use crate::output::Output;

/// A binary, and the plan of its copy in the image.
pub struct EditedBinary {
    pub input: Input,
    pub plan: Plan,
}

impl EditedBinary {
    /// Opens the binary and plans the edit. Prints findings and notes about the edit.
    pub fn open(args: &BinaryArgs, output: &mut Output) -> Result<Self, Failure> {
        let input = input::open_local(&args.source, false)?;
        input::check_not_torn(&args.source)?;
        let (edit, notes) = apply_metadata(Edit::new(), &args.metadata, &args.source)?;
        let planned = edit.plan_input(&input)?;
        for finding in planned.findings() {
            output.print_finding(&args.source, finding);
        }
        for note in notes {
            output.print_note(Some(&args.source), &note);
        }
        Ok(Self { input, plan: planned.into_plan() })
    }
}
