//! Edits of a binary while it is streamed.

use std::collections::VecDeque;
use std::ops::Range;

use bytes::Bytes;
use smallvec::SmallVec;

use super::encoding::custom_section;
use super::planner::is_linker_name;
use super::{EditError, Glob, NAMES, PRODUCERS, check_nul, section_name};
use crate::drive::PushDriver;
use crate::limits::Limits;
use crate::metadata::is_pinned_first;
use crate::scan::{DataRequest, Section, Visitor};

/// An edit of a binary while it is streamed: removes custom sections of the root item, or appends
/// sections to it.
///
/// Other changes are impossible in a stream. A change inside a nested item changes size fields that
/// were already sent. The position of sections such as `name` and `producers` is known only at the
/// end. [`Edit`](super::Edit) supports these changes for binaries in memory and files. For the
/// changes supported here, both give the same bytes.
///
/// ```
/// use bytes::Bytes;
/// use sectile::edit::StreamEdit;
///
/// let edit = StreamEdit::new().remove("note").append("revision", "4f1c")?;
/// let mut editor = edit.begin();
/// let mut edited = Vec::new();
/// for chunk in [&b"\0asm\x01\0\0\0\x00\x05"[..], b"\x04note\x01\x01\0"] {
///     editor.push(&Bytes::from_static(chunk))?.for_each(|bytes| edited.extend(bytes));
/// }
/// edited.extend(editor.finish()?);
/// assert_eq!(edited, b"\0asm\x01\0\0\0\x01\x01\0\0\x0d\x08revision4f1c");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct StreamEdit {
    removed: Vec<Glob>,
    /// Encoded new sections.
    appended: Vec<u8>,
    forced: bool,
    limits: Limits,
}

impl StreamEdit {
    /// Creates an edit without changes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Removes every custom section with this name from the root item.
    #[must_use]
    pub fn remove(self, name: impl Into<Box<str>>) -> Self {
        self.remove_matching(Glob::literal(name))
    }

    /// Removes every custom section of the root item whose name matches the pattern.
    #[must_use]
    pub fn remove_matching(mut self, names: Glob) -> Self {
        self.removed.push(names);
        self
    }

    /// Appends a custom section to the root item, after the sections of earlier calls.
    ///
    /// # Errors
    ///
    /// [`EditError::SectionName`] if the name is empty or too long. [`EditError::Nul`] if it
    /// contains NUL. [`EditError::TooLarge`] if the data is too large. [`EditError::Placed`] if a
    /// convention requires a position other than the end.
    pub fn append(mut self, name: impl Into<String>, data: impl AsRef<[u8]>) -> Result<Self, EditError> {
        let name = section_name(name.into())?;
        check_nul("a custom section's name", &name)?;
        if NAMES.contains(&&*name) || name == PRODUCERS || is_pinned_first(&name) {
            return Err(EditError::Placed(name));
        }
        self.appended.extend(custom_section(0, &name, data.as_ref())?);
        Ok(self)
    }

    /// Allows removals that may break the linking of an object. By default such an edit fails with
    /// [`EditError::MovesLinked`].
    #[must_use]
    pub fn force(self) -> Self {
        Self { forced: true, ..self }
    }

    /// Sets the limits for reading the input, instead of the defaults.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Starts editing a new input.
    pub fn begin(&self) -> StreamEditor {
        let visitor =
            RemovalVisitor { edit: self.clone(), removals: VecDeque::new(), has_removed: false, is_linked: false };
        StreamEditor { push: PushDriver::with_limits(visitor, self.limits), buffered: Vec::new() }
    }
}

/// Edits a binary chunk by chunk. Buffers only an incomplete section header and name, until the
/// editor can decide whether to remove the section.
#[derive(Debug)]
pub struct StreamEditor {
    push: PushDriver<RemovalVisitor>,
    /// Bytes at the end of the pushed input that may still be removed.
    buffered: Vec<u8>,
}

impl StreamEditor {
    /// Takes the next bytes of the input and returns the next pieces of the output: slices of this
    /// chunk, and copies of bytes buffered from earlier chunks.
    ///
    /// # Errors
    ///
    /// The binary is malformed or exceeds a limit. [`EditError::MovesLinked`] if a section was
    /// removed and the object has a linking section. An [`Edit`](super::Edit) is less strict: it
    /// fails only if the removal affects linking. After an error the output is incomplete, and
    /// further calls return the same error.
    pub fn push(&mut self, chunk: &Bytes) -> Result<impl Iterator<Item = Bytes> + use<>, EditError> {
        let start = self.push.cost().bytes;
        let end = start + chunk.len() as u64;
        self.push.push(chunk)?;
        if self.push.visitor().breaks_links() {
            return Err(EditError::MovesLinked);
        }
        let first = start - self.buffered.len() as u64;
        let decided = self.push.needed().start.clamp(first, end);
        let mut pieces = SmallVec::<[Bytes; 4]>::new();
        let mut keep = |range: Range<u64>| {
            let buffered = range.start.clamp(first, start) - first..range.end.clamp(first, start) - first;
            let new = range.start.max(start) - start..range.end.max(start) - start;
            if !buffered.is_empty() {
                pieces.push(Bytes::copy_from_slice(&self.buffered[buffered.start as usize..buffered.end as usize]));
            }
            if !new.is_empty() {
                pieces.push(chunk.slice(new.start as usize..new.end as usize));
            }
        };
        let removals = &mut self.push.visitor_mut().removals;
        let mut position = first;
        while let Some(removal) = removals.front().filter(|removal| removal.start < decided) {
            keep(position..removal.start.max(position));
            position = removal.end.min(decided);
            if removal.end > decided {
                break; // the section continues in the next chunk
            }
            removals.pop_front();
        }
        keep(position..decided);
        self.buffered.drain(..(decided.min(start) - first) as usize);
        self.buffered.extend_from_slice(&chunk[(decided.max(start) - start) as usize..]);
        Ok(pieces.into_iter())
    }

    /// Ends the input and returns the last bytes of the output.
    ///
    /// # Errors
    ///
    /// As for [`push`](Self::push), and if the input is truncated.
    pub fn finish(self) -> Result<Bytes, EditError> {
        let visitor = self.push.finish_visitor().complete()?;
        if visitor.breaks_links() {
            return Err(EditError::MovesLinked);
        }
        Ok(visitor.edit.appended.into())
    }
}

/// The visitor that selects the ranges to remove.
#[derive(Debug)]
struct RemovalVisitor {
    edit: StreamEdit,
    /// Ranges to remove, in order; adjacent ranges are joined.
    removals: VecDeque<Range<u64>>,
    has_removed: bool,
    /// Whether a linking section was seen.
    is_linked: bool,
}

impl RemovalVisitor {
    fn breaks_links(&self) -> bool {
        self.is_linked && self.has_removed && !self.edit.forced
    }
}

impl Visitor<'_> for RemovalVisitor {
    fn section(&mut self, section: &Section<'_>) -> DataRequest {
        if section.item != 0 || !section.is_custom() {
            return DataRequest::Nothing;
        }
        let (name, range) = (section.name(), section.range());
        self.is_linked |= is_linker_name(name);
        if self.edit.removed.iter().any(|glob| glob.matches(name)) {
            self.has_removed = true;
            match self.removals.back_mut() {
                Some(last) if last.end == range.start => last.end = range.end,
                _ => self.removals.push_back(range),
            }
        }
        DataRequest::Nothing
    }
}
