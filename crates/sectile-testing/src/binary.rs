//! Builds binaries section by section.

use sectile::metadata::Field;

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

/// A data section of these segments.
pub fn data_section(segments: &[Vec<u8>]) -> Vec<u8> {
    section(11, &[leb128(segments.len() as u32), segments.concat()].concat())
}

/// A segment at a constant address of the first memory.
pub fn active(address: u32, contents: impl AsRef<[u8]>) -> Vec<u8> {
    // One more group, so that no address is read as negative.
    let address = padded(address, leb128(address).len() + 1);
    let address = if address.len() > 5 { padded(0, 5) } else { address };
    [&[0, 0x41], &*address, &[0x0b], &*prefixed(contents)].concat()
}

/// A passive segment.
pub fn passive(contents: impl AsRef<[u8]>) -> Vec<u8> {
    [&[1], &*prefixed(contents)].concat()
}

/// A module whose data section has one active segment.
pub fn module_with_data(contents: impl AsRef<[u8]>) -> Vec<u8> {
    module(&[data_section(&[active(0, contents)])])
}

/// A length followed by the bytes.
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

/// A small module with metadata. Different numbers give different modules; every fourth has an
/// invalid license.
pub fn numbered_module(nth: usize) -> Vec<u8> {
    let licenses = ["MIT", "Apache-2.0", "GPL-3.0-only", "nonsense"][nth % 4];
    module(&[
        section(1, &vec![0; nth % 50 + 1]),
        custom("name", name(&format!("number {nth}"))),
        custom("producers", producers(&[("language", &[("Rust", "")]), ("processed-by", &[("rustc", "1.95.0")])])),
        custom("licenses", licenses),
    ])
}

/// A module that does not fit into one window, with metadata at both ends.
pub fn large_module(fill: u8) -> Vec<u8> {
    module(&[custom("licenses", "MIT"), section(10, &vec![fill; 500_000]), custom("vendor", "v")])
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

/// The data of a name section: subsection 0 and one that is skipped.
pub fn name(name: &str) -> Vec<u8> {
    [section(0, &prefixed(name)), section(1, b"not to be parsed")].concat()
}

/// A chain of this many nested items, with `innermost` as the last. The size fields are padded, so
/// that all headers have the same length.
pub fn chain(items: usize, innermost: &[u8]) -> Vec<u8> {
    const LAYER: usize = COMPONENT.len() + 1 + 5;
    let mut bytes = Vec::with_capacity(items * LAYER + innermost.len());
    for inside in (0..items - 1).rev() {
        bytes.extend(COMPONENT);
        bytes.push(4);
        bytes.extend(padded((inside * LAYER + innermost.len()) as u32, 5));
    }
    bytes.extend(innermost);
    bytes
}

/// A valid value for a field.
pub fn sound(field: Field) -> &'static str {
    match field {
        Field::Created => "2026-01-31T12:00:00Z",
        Field::Documentation | Field::Homepage | Field::Source => "https://example.com/a",
        Field::Licenses => "MIT OR Apache-2.0",
        _ => "some text",
    }
}

/// Data in the encoding of `.dep-v0`.
pub fn zlib(data: impl AsRef<[u8]>) -> Vec<u8> {
    miniz_oxide::deflate::compress_to_vec_zlib(data.as_ref(), 1)
}

/// A `.dep-v0` section of one package.
pub fn dependencies(package: &str) -> Vec<u8> {
    let json = format!(r#"{{"packages":[{{"name":"{package}","version":"1.0.0","source":"local","root":true}}]}}"#);
    custom(".dep-v0", zlib(json))
}

/// A `.dep-v0` section of these packages of crates.io: names and versions.
pub fn packages(packages: &[(&str, &str)]) -> Vec<u8> {
    let package =
        |(name, version): &(&str, &str)| format!(r#"{{"name":"{name}","version":"{version}","source":"crates.io"}}"#);
    let packages: Vec<String> = packages.iter().map(package).collect();
    custom(".dep-v0", zlib(format!(r#"{{"packages":[{}]}}"#, packages.join(","))))
}
