use super::Cost;
use crate::error::Error;
use crate::limits::Limits;
use crate::scan::{Scanner, Visitor, Window};

/// Scans bytes in memory: a slice, or a [`Map`](super::Map). What the visitor is handed borrows from them.
///
/// ```
/// use sectile::scan::{Section, Visitor, Want};
///
/// #[derive(Default)]
/// struct Names<'a>(Vec<&'a str>);
///
/// impl<'a> Visitor<'a> for Names<'a> {
///     fn section(&mut self, section: &Section<'a>) -> Want {
///         self.0.push(section.name());
///         Want::Nothing
///     }
/// }
///
/// let module = b"\0asm\x01\0\0\0\x00\x05\x04note";
/// let mut names = Names::default();
/// let (result, cost) = sectile::drive::slice(module, &mut names, Default::default());
/// result?;
/// assert_eq!(names.0, ["note"]);
/// assert_eq!(cost.bytes, 15);
/// # Ok::<(), sectile::Error>(())
/// ```
///
/// # Errors
///
/// Malformed framing, an early end, an exceeded limit. What the visitor was handed before stays valid.
pub fn slice<'a, V: Visitor<'a>>(bytes: &'a [u8], visitor: &mut V, limits: Limits) -> (Result<(), Error>, Cost) {
    let mut scanner = Scanner::new(limits);
    let result = match scanner.feed(Window::new(bytes, 0), visitor) {
        Ok(_) => scanner.finish(bytes.len() as u64, visitor), // what it needs lies past the end
        Err(error) => Err(error),
    };
    (result, Cost { bytes: scanner.looked_at(), reads: 0 })
}
