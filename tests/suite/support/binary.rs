//! Binaries, put together section by section.

/// A module's preamble.
pub const MODULE: [u8; 8] = *b"\0asm\x01\0\0\0";
/// A component's preamble.
pub const COMPONENT: [u8; 8] = *b"\0asm\x0d\0\x01\0";

/// The shortest LEB128 encoding.
pub fn leb128(value: u32) -> Vec<u8> {
    let mut bytes = padded(value, 5);
    while bytes.len() > 1 && bytes.last() == Some(&0) {
        bytes.pop();
        *bytes.last_mut().unwrap() &= 0x7f;
    }
    bytes
}

/// A LEB128 encoding of exactly `width` bytes.
pub fn padded(value: u32, width: usize) -> Vec<u8> {
    let group = |nth: usize| (u64::from(value) >> (7 * nth)) as u8 & 0x7f;
    (0..width).map(|nth| group(nth) | if nth + 1 < width { 0x80 } else { 0 }).collect()
}

/// A section: id, size, payload.
pub fn section(id: u8, payload: &[u8]) -> Vec<u8> {
    [&[id], &*leb128(payload.len() as u32), payload].concat()
}

/// A length, and so many bytes.
pub fn prefixed(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let bytes = bytes.as_ref();
    [&*leb128(bytes.len() as u32), bytes].concat()
}

/// A custom section.
pub fn custom(name: &str, data: impl AsRef<[u8]>) -> Vec<u8> {
    section(0, &[&*prefixed(name), data.as_ref()].concat())
}

/// A module of these sections.
pub fn module(sections: &[Vec<u8>]) -> Vec<u8> {
    [&MODULE[..], &sections.concat()].concat()
}

/// A component of these sections.
pub fn component(sections: &[Vec<u8>]) -> Vec<u8> {
    [&COMPONENT[..], &sections.concat()].concat()
}

/// A section that holds an item.
pub fn nested(item: &[u8]) -> Vec<u8> {
    section(if item.starts_with(&MODULE) { 1 } else { 4 }, item)
}

/// The data of a `producers` section.
pub fn producers(fields: &[(&str, &[(&str, &str)])]) -> Vec<u8> {
    let mut data = leb128(fields.len() as u32);
    for (field, values) in fields {
        data.extend(prefixed(field));
        data.extend(leb128(values.len() as u32));
        for (name, version) in *values {
            data.extend(prefixed(name));
            data.extend(prefixed(version));
        }
    }
    data
}

/// The data of a name section with subsection 0 and one that is not parsed.
pub fn name(name: &str) -> Vec<u8> {
    [section(0, &prefixed(name)), section(1, b"not to be parsed")].concat()
}
