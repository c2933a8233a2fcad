use crate::limits::Limits;
use crate::outcome::{Cost, Outcome};
use crate::scan::{ScanError, Scanner, Visitor, Window};

/// Scans bytes in memory: a slice, or a [`Map`](super::Map). The names and data that the visitor
/// receives borrow from these bytes.
///
/// ```
/// use sectile::scan::{Section, Visitor, DataRequest};
///
/// #[derive(Default)]
/// struct Names<'a>(Vec<&'a str>);
///
/// impl<'a> Visitor<'a> for Names<'a> {
///     fn section(&mut self, section: &Section<'a>) -> DataRequest {
///         self.0.push(section.name());
///         DataRequest::Nothing
///     }
/// }
///
/// let module = b"\0asm\x01\0\0\0\x00\x05\x04note";
/// let mut names = Names::default();
/// let outcome = sectile::drive::scan_slice(module, &mut names, Default::default());
/// assert_eq!(outcome.cost().bytes, 15);
/// outcome.complete()?;
/// assert_eq!(names.0, ["note"]);
/// # Ok::<(), sectile::Error>(())
/// ```
///
/// # Errors
///
/// The input is not WebAssembly, is truncated or malformed, or exceeds a limit. Calls to the
/// visitor before the error are valid.
pub fn scan_slice<'a, V: Visitor<'a> + ?Sized>(bytes: &'a [u8], visitor: &mut V, limits: Limits) -> Outcome<()> {
    let mut scanner = Scanner::new(limits);
    let result = scan(&mut scanner, bytes, visitor);
    Outcome::new(Some(()), result.map_err(Into::into), Cost { bytes: scanner.bytes_examined(), reads: 0 })
}

fn scan<'a, V: Visitor<'a> + ?Sized>(scanner: &mut Scanner, bytes: &'a [u8], visitor: &mut V) -> Result<(), ScanError> {
    let (window, len) = (Window::new(bytes, 0), bytes.len() as u64);
    scanner.feed(window, visitor)?; // the needed range extends past the end of the input
    if scanner.truncate(len, visitor).is_some() {
        scanner.feed(window, visitor)?;
    }
    scanner.finish(len, visitor)
}
