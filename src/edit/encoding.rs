//! Encoding of custom sections, name subsections and size fields.

use super::EditError;
use super::source_layout::Extent;
use crate::scan::leb128::{encode, shortest};
use crate::splice::Patch;

/// Maximum size of a section that holds an item. Source: wasmparser's `MAX_WASM_MODULE_SIZE`.
pub(super) const MAX_NESTED: u64 = 1 << 30;

/// Encodes a custom section inserted at offset `at`.
pub(super) fn custom_section(at: u64, name: &str, data: &[u8]) -> Result<Vec<u8>, EditError> {
    let head = custom_section_head(at, name, data.len())?;
    Ok([&head, data].concat())
}

/// Encodes a custom section up to its data.
pub(super) fn custom_section_head(at: u64, name: &str, data_len: usize) -> Result<Vec<u8>, EditError> {
    let name_len = shortest(name.len() as u32);
    let size = u64::from(name_len) + name.len() as u64 + data_len as u64;
    let size = u32::try_from(size).map_err(|_| too_large(at, size, u64::from(u32::MAX)))?;
    let mut bytes = vec![0];
    bytes.extend(encode(size, 0));
    bytes.extend(encode(name.len() as u32, name_len));
    bytes.extend(name.as_bytes());
    Ok(bytes)
}

/// Encodes subsection 0 of a name section. `size_width` and `len_width` are the minimum widths in
/// bytes of the subsection's size field and of the name's length field.
pub(super) fn own_name(name: &str, [size_width, len_width]: [u8; 2]) -> Vec<u8> {
    let len = name.len() as u32;
    let mut bytes = vec![0];
    bytes.extend(encode(u32::from(shortest(len).max(len_width)) + len, size_width));
    bytes.extend(encode(len, len_width));
    bytes.extend(name.as_bytes());
    bytes
}

/// Encodes the size field of a section whose payload grows by `growth`. It keeps its width if the
/// new size fits.
pub(super) fn resized(extent: &Extent, growth: i64, max: u64) -> Result<Patch, EditError> {
    let range = extent.start + 1..extent.payload;
    let size = (extent.end - extent.payload).saturating_add_signed(growth);
    let fits = u32::try_from(size).ok().filter(|_| size <= max);
    let fits = fits.ok_or_else(|| too_large(extent.start, size, max))?;
    let width = (range.end - range.start) as u8;
    Ok(Patch { range, bytes: encode(fits, width).collect() })
}

fn too_large(offset: u64, size: u64, max: u64) -> EditError {
    EditError::TooLarge { offset, size, max }
}
