//! What can be changed of a binary as it passes.

use std::collections::VecDeque;
use std::ops::Range;

use bytes::Bytes;
use smallvec::SmallVec;

use super::encoding::custom_section;
use super::planner::is_linker_name;
use super::{EditError, Glob, NAMES, PRODUCERS, no_nul, section_name};
use crate::drive::PushDriver;
use crate::limits::Limits;
use crate::metadata::is_pinned_first;
use crate::scan::{DataRequest, Section, Visitor};

/// Changes that can be made to a binary as it passes, before all of it is there: custom sections of the root item are
/// removed, or appended at its end.
///
/// What is not here cannot be: a change inside of a nested item changes size fields that have passed by then, and what stands
/// at a place of its own (`name`, `producers`) goes to one that is known only at the end. An [`Edit`](super::Edit) does those,
/// and does to a binary in memory or on disk exactly what this does to one that passes.
///
/// ```
/// use bytes::Bytes;
/// use sectile::edit::StreamEdit;
///
/// let edit = StreamEdit::new().remove("note").append("revision", "4f1c")?;
/// let mut passing = edit.begin();
/// let mut edited = Vec::new();
/// for chunk in [&b"\0asm\x01\0\0\0\x00\x05"[..], b"\x04note\x01\x01\0"] {
///     passing.push(&Bytes::from_static(chunk))?.for_each(|bytes| edited.extend(bytes));
/// }
/// edited.extend(passing.finish()?);
/// assert_eq!(edited, b"\0asm\x01\0\0\0\x01\x01\0\0\x0d\x08revision4f1c");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct StreamEdit {
    removed: Vec<Glob>,
    /// New sections, one after another.
    appended: Vec<u8>,
    forced: bool,
    limits: Limits,
}

impl StreamEdit {
    /// Changes nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Removes every custom section of this name from the root item.
    #[must_use]
    pub fn remove(self, name: impl Into<Box<str>>) -> Self {
        self.remove_matching(Glob::literal(name))
    }

    /// Removes every custom section from the root item whose name the pattern matches.
    #[must_use]
    pub fn remove_matching(mut self, names: Glob) -> Self {
        self.removed.push(names);
        self
    }

    /// Adds a custom section at the root item's end, behind those that were added before.
    ///
    /// # Errors
    ///
    /// The name is empty, over-long, or holds a NUL; the data is too large; or the convention of the section gives it a
    /// place of its own ([`EditError::Placed`]).
    pub fn append(mut self, name: impl Into<String>, data: impl AsRef<[u8]>) -> Result<Self, EditError> {
        let name = section_name(name.into())?;
        no_nul("a custom section's name", &name)?;
        if NAMES.contains(&&*name) || name == PRODUCERS || is_pinned_first(&name) {
            return Err(EditError::Placed(name));
        }
        self.appended.extend(custom_section(0, &name, data.as_ref())?);
        Ok(self)
    }

    /// Removes sections even where a linker needs them, or what stands behind them, at their places.
    #[must_use]
    pub fn force(self) -> Self {
        Self { forced: true, ..self }
    }

    /// Limits for reading the input. The defaults apply without this.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Begins an input.
    pub fn begin(&self) -> StreamEditor {
        let cutter = Cutter { edit: self.clone(), cuts: VecDeque::new(), has_cut: false, is_linked: false };
        StreamEditor { push: PushDriver::with_limits(cutter, self.limits), held: Vec::new() }
    }
}

/// A binary that is edited as it passes, chunk by chunk. It holds back what is not decided yet: a header and a name that are
/// not all there.
#[derive(Debug)]
pub struct StreamEditor {
    push: PushDriver<Cutter>,
    /// The last bytes that were pushed, of which it is not known yet whether they stay.
    held: Vec<u8>,
}

impl StreamEditor {
    /// The next bytes of the binary, and of the edited one those that are known with them, in some pieces: slices of this
    /// chunk, and copies of what was held back of earlier ones. An empty chunk changes nothing.
    ///
    /// # Errors
    ///
    /// The binary is malformed; or a linker needs what the edit moves, which is known when it removes something and one of
    /// the linker's own sections has come (stricter than an [`Edit`](super::Edit), which sees whether what goes matters).
    /// What was given before is no whole binary. Pushing on gives the same error.
    pub fn push(&mut self, chunk: &Bytes) -> Result<impl Iterator<Item = Bytes> + use<>, EditError> {
        let start = self.push.cost().bytes;
        let end = start + chunk.len() as u64;
        self.push.push(chunk)?;
        if self.push.visitor().breaks_links() {
            return Err(EditError::MovesLinked);
        }
        let first = start - self.held.len() as u64;
        let decided = self.push.needed().start.clamp(first, end);
        let mut pieces = SmallVec::<[Bytes; 4]>::new();
        let mut keep = |range: Range<u64>| {
            let held = range.start.clamp(first, start) - first..range.end.clamp(first, start) - first;
            let new = range.start.max(start) - start..range.end.max(start) - start;
            if !held.is_empty() {
                pieces.push(Bytes::copy_from_slice(&self.held[held.start as usize..held.end as usize]));
            }
            if !new.is_empty() {
                pieces.push(chunk.slice(new.start as usize..new.end as usize));
            }
        };
        let cuts = &mut self.push.visitor_mut().cuts;
        let mut position = first;
        while let Some(cut) = cuts.front().filter(|cut| cut.start < decided) {
            keep(position..cut.start.max(position));
            position = cut.end.min(decided);
            if cut.end > decided {
                break; // the rest of it is still to come
            }
            cuts.pop_front();
        }
        keep(position..decided);
        self.held.drain(..(decided.min(start) - first) as usize);
        self.held.extend_from_slice(&chunk[(decided.max(start) - start) as usize..]);
        Ok(pieces.into_iter())
    }

    /// The binary ends here; gives the last bytes of the edited one.
    ///
    /// # Errors
    ///
    /// As for [`push`](Self::push); and the binary ends too early.
    pub fn finish(self) -> Result<Bytes, EditError> {
        let cutter = self.push.finish_visitor().complete()?;
        if cutter.breaks_links() {
            return Err(EditError::MovesLinked);
        }
        Ok(cutter.edit.appended.into())
    }
}

/// Says what of the root item goes.
#[derive(Debug)]
struct Cutter {
    edit: StreamEdit,
    /// In order; neighbours are joined.
    cuts: VecDeque<Range<u64>>,
    has_cut: bool,
    /// Whether there is a section that a linker needs.
    is_linked: bool,
}

impl Cutter {
    fn breaks_links(&self) -> bool {
        self.is_linked && self.has_cut && !self.edit.forced
    }
}

impl Visitor<'_> for Cutter {
    fn section(&mut self, section: &Section<'_>) -> DataRequest {
        if section.item != 0 || !section.is_custom() {
            return DataRequest::Nothing;
        }
        let (name, range) = (section.name(), section.range());
        self.is_linked |= is_linker_name(name);
        if self.edit.removed.iter().any(|glob| glob.matches(name)) {
            self.has_cut = true;
            match self.cuts.back_mut() {
                Some(last) if last.end == range.start => last.end = range.end,
                _ => self.cuts.push_back(range),
            }
        }
        DataRequest::Nothing
    }
}
