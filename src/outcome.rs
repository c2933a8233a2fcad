//! The result of one pass over an input.

use crate::error::Error;
use crate::metadata::Metadata;

/// The result of one pass over an input: a value, the error that ended the pass early, and what the
/// pass cost.
///
/// An outcome is *complete* without an error and *partial* with one. A partial outcome is not a
/// success, but its value is valid up to the error. The value is missing only if the input is not
/// WebAssembly or its first bytes cannot be read.
#[derive(Debug)]
#[must_use = "the pass may have ended early"]
pub struct Outcome<T> {
    value: Option<T>,
    error: Option<Error>,
    cost: Cost,
}

/// The cost of a pass over an input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Number of bytes read: the bytes that reads or requests returned, all bytes of pushed chunks,
    /// or the bytes examined in memory.
    pub bytes: u64,
    /// Number of reads, requests or pushed chunks; 0 in memory.
    pub reads: u64,
}

impl<T> Outcome<T> {
    pub(crate) fn new(value: Option<T>, result: Result<(), Error>, cost: Cost) -> Self {
        Self { value, error: result.err(), cost }
    }

    /// The outcome of an input of which nothing was read.
    pub(crate) fn unread(error: Error) -> Self {
        Self { value: None, error: Some(error), cost: Cost::default() }
    }

    /// The value that was read.
    pub fn value(&self) -> Option<&T> {
        self.value.as_ref()
    }

    /// The error that ended the pass early; `None` if it is complete.
    pub fn error(&self) -> Option<&Error> {
        self.error.as_ref()
    }

    /// The cost of the pass.
    pub fn cost(&self) -> Cost {
        self.cost
    }

    /// Whether the whole input was read.
    pub fn is_complete(&self) -> bool {
        self.error.is_none()
    }

    /// Returns the value of a complete outcome.
    ///
    /// # Errors
    ///
    /// The error that ended the pass early.
    ///
    /// # Panics
    ///
    /// Never: a complete pass has a value.
    pub fn complete(self) -> Result<T, Error> {
        match (self.value, self.error) {
            (_, Some(error)) => Err(error),
            (Some(value), None) => Ok(value),
            (None, None) => unreachable!("a complete pass has entered the root"),
        }
    }

    /// Returns the value, the error and the cost.
    pub fn into_parts(self) -> (Option<T>, Option<Error>, Cost) {
        (self.value, self.error, self.cost)
    }

    /// Returns the value, complete or partial.
    pub fn into_value(self) -> Option<T> {
        self.value
    }

    /// Maps the value with a function.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Outcome<U> {
        self.and_then(|value| Some(change(value)))
    }

    /// Maps the value with a function that may drop it. A complete outcome that loses its value
    /// becomes partial.
    pub fn and_then<U>(self, change: impl FnOnce(T) -> Option<U>) -> Outcome<U> {
        let value = self.value.and_then(change);
        let error = self.error.or_else(|| value.is_none().then(|| Error::unreadable("nothing was collected")));
        Outcome { value, error, cost: self.cost }
    }

    /// The value, mutable.
    pub fn value_mut(&mut self) -> Option<&mut T> {
        self.value.as_mut()
    }
}

impl<'a> Outcome<Metadata<'a>> {
    /// Returns the metadata of a complete outcome. Unlike in [`complete`](Self::complete), the
    /// error carries the metadata read before it: see [`Error::into_partial`].
    ///
    /// # Errors
    ///
    /// The error that ended the pass early.
    pub fn into_result(self) -> Result<Metadata<'a>, Error> {
        match self {
            Self { value: Some(metadata), error: Some(error), .. } => Err(error.with_partial(metadata.into_owned())),
            outcome => outcome.complete(),
        }
    }
}
