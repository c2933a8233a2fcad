//! Generates modules and components with errors in sizes, padding, order, nesting, names and
//! preambles.
//!
//! Random bytes find few framing bugs, because most are invalid from the first byte. Generated
//! binaries are valid except for a few errors, so a scan goes deep before the first one. The
//! reference accepts the bodies, unless the error is in a body.

use arbitrary::Unstructured;

use sectile::scan::ItemKind::{self, Component, Module};

/// Generates a module or a component from the fuzzer's bytes or from random numbers. When they run
/// out, the rest is valid.
pub fn binary(fuel: &mut Unstructured<'_>) -> Vec<u8> {
    let mut generator = Generator { fuel, error_in: 0, break_in: 0 };
    // Valid, or one error in this many opportunities. The same for bodies.
    generator.error_in = generator.pick(&[0, 60, 30, 12, 5]);
    generator.break_in = generator.pick(&[0, 0, 0, 5]);
    let kind = generator.pick(&[Component, Module, Component]);
    let mut bytes = generator.item(kind, 0);
    generator.change_end(&mut bytes);
    bytes
}

struct Generator<'g, 'f> {
    fuel: &'g mut Unstructured<'f>,
    error_in: u32,
    break_in: u32,
}

/// Sections of a module in the order of the specification.
const ORDER: [u8; 13] = [1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11];

/// Maximum depth of nested items.
const DEEPEST: usize = 7;

/// Values that a size or length is changed to or by.
const SIZES: [u32; 12] =
    [0, 1, 7, 8, 0x7f, 0x80, 0x3fff, 1 << 30, (1 << 30) + 1, i32::MAX as u32, u32::MAX - 1, u32::MAX];

const NAMES: [&str; 16] = [
    "name",
    "component-name",
    "producers",
    "licenses",
    "source",
    "created",
    "version",
    "registry-metadata",
    ".dep-v0",
    "dylink.0",
    "build_id",
    "sourceMappingURL",
    "external_debug_info",
    "linking",
    "x",
    "component-type:wit-bindgen:0.62.0:some:thing@1.0.0",
];

/// Valid parts of a name.
const VALID_PARTS: [&[u8]; 10] = [
    b"",
    b"\0",
    b"\x1b[31m",
    "\u{feff}".as_bytes(),
    "\u{202e}".as_bytes(),
    "é".as_bytes(),
    "\u{7ff}\u{800}".as_bytes(),
    "\u{d7ff}\u{e000}".as_bytes(),
    "\u{ffff}\u{10000}".as_bytes(),
    "\u{10ffff}".as_bytes(),
];

/// Invalid parts: single bytes, overlong forms, surrogates, values past the last character, and
/// truncated characters.
const INVALID_PARTS: [&[u8]; 14] = [
    b"\x80",
    b"\xff",
    b"\xc0\x80",
    b"\xc1\xbf",
    b"\xe0\x9f\xbf",
    b"\xf0\x8f\xbf\xbf",
    b"\xed\xa0\x80",
    b"\xed\xbf\xbf",
    b"\xf4\x90\x80\x80",
    b"\xf5\x80\x80\x80",
    b"\xc3",
    b"\xe2\x82",
    b"\xf0\x9f\x98",
    b"\xac",
];

/// Data of custom sections, besides random bytes.
const DATA: [&[u8]; 14] = [
    b"MIT",
    b"https://example.com/",
    b"git@example.com:x",
    b"2026-01-01T00:00:00Z",
    b"{\"a\":[1,{}]}",
    b"{\"a\":1,\"a\":2}",
    b"\x00\x05\x04noon",
    b"\x00\x05\x04noon\x01\x00\x00\x02\x01x",
    b"\x01\x08language\x01\x04Rust\x041.88",
    b"\x02\x03sdk\x01\x01a\x00\x03sdk\x02\x01a\x00\x01a\x00",
    b"\x04\xde\xad\xbe\xef",
    b"\x14https://example.com/\x00",
    b"x\x9c\xab\x56\x2a\x48\x4c\xce\x4e\x4c\x4f\x2d\x56\xb2\x8a\x8e\xad\x05\x00\x2a\x6f\x05\x6b",
    b"\xac\x00",
];

impl Generator<'_, '_> {
    /// A number below `end`; 0 if the input is used up.
    fn below(&mut self, end: usize) -> usize {
        self.fuel.int_in_range(0..=end.saturating_sub(1)).unwrap_or(0)
    }

    fn one_in(&mut self, chances: u32) -> bool {
        chances > 0 && self.fuel.int_in_range(1..=chances).is_ok_and(|number| number > 1 && number == chances)
    }

    /// One of these; the first if the input is used up.
    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        let len = self.below(most + 1);
        (0..len).map(|_| self.fuel.arbitrary().unwrap_or(0)).collect()
    }

    /// Decides whether to make an error here.
    fn makes_error(&mut self) -> bool {
        self.one_in(self.error_in)
    }

    fn item(&mut self, kind: ItemKind, depth: usize) -> Vec<u8> {
        let mut bytes = self.preamble(kind);
        let mut sections = match kind {
            Module => self.module(),
            Component => self.component(depth),
        };
        if self.makes_error() {
            let (from, to) = (self.below(sections.len()), self.below(sections.len()));
            if !sections.is_empty() {
                sections.swap(from, to);
            }
        }
        if self.makes_error() {
            let (from, to) = (self.below(sections.len()), self.below(sections.len()));
            sections.extend(sections.get(from).cloned());
            let last = sections.len().saturating_sub(1);
            if last > 0 {
                sections.swap(to, last);
            }
        }
        bytes.extend(sections.concat());
        bytes
    }

    fn preamble(&mut self, kind: ItemKind) -> Vec<u8> {
        let preamble = match kind {
            Module => *b"\0asm\x01\0\0\0",
            Component => *b"\0asm\x0d\0\x01\0",
        };
        let mut bytes = preamble.to_vec();
        if self.makes_error() {
            match self.below(3) {
                0 => return self.preamble(if kind == Module { Component } else { Module }),
                1 => bytes[self.below(8)] ^= 1 << self.below(8),
                _ => bytes.truncate(self.below(8)),
            }
        }
        bytes
    }

    /// Truncates or extends the input.
    fn change_end(&mut self, bytes: &mut Vec<u8>) {
        if self.makes_error() {
            let len = bytes.len();
            let cut = self.below(len + 1).min(self.pick(&[len, 16, 4]));
            bytes.truncate(len - cut);
        }
        if self.makes_error() {
            let more =
                self.pick(&[&b"\0asm\x01\0\0\0"[..], b"\0asm", b"\0as", b"\0as\x01", b"\0", b"\x80", b"\x01\x80"]);
            bytes.extend_from_slice(more);
        }
    }

    fn module(&mut self) -> Vec<Vec<u8>> {
        let functions = self.below(4) as u32;
        let segments = self.below(4) as u32;
        let mut sections = Vec::new();
        for id in ORDER {
            self.unordered_sections(Module, &mut sections);
            let needed = match id {
                3 | 10 => functions > 0,
                11 | 12 => segments > 0,
                _ => self.one_in(4),
            };
            if needed != self.makes_error() {
                let body = self.module_body(id, functions, segments);
                sections.push(self.section(id, &body));
            }
        }
        self.unordered_sections(Module, &mut sections);
        sections
    }

    fn component(&mut self, depth: usize) -> Vec<Vec<u8>> {
        let mut sections = Vec::new();
        let mut started = false;
        for _ in 0..self.below(6) {
            self.unordered_sections(Component, &mut sections);
            let id = self.pick(&[2, 1, 4, 1, 4, 3, 5, 6, 7, 8, 9, 10, 11]);
            match id {
                1 | 4 if depth < DEEPEST => sections.push(self.nested(id, depth)),
                // A component has one start section.
                1 | 4 | 9 if started => {}
                _ => {
                    started |= id == 9;
                    let body = self.component_body(id);
                    sections.push(self.section(id, &body));
                }
            }
        }
        self.unordered_sections(Component, &mut sections);
        sections
    }

    /// Custom and unknown sections, which are allowed anywhere.
    fn unordered_sections(&mut self, kind: ItemKind, sections: &mut Vec<Vec<u8>>) {
        if self.one_in(5) {
            sections.push(self.custom());
        }
        if self.one_in(40) {
            let first = if kind == Module { 14 } else { 12 };
            let id = (first + self.below(128 - first)) as u8;
            let body = self.bytes(4);
            sections.push(self.section(id, &body));
        }
        if self.makes_error() {
            let id = self.fuel.arbitrary().unwrap_or(0);
            let body = self.bytes(4);
            sections.push(self.section(id, &body));
        }
    }

    fn nested(&mut self, id: u8, depth: usize) -> Vec<u8> {
        let kind = if id == 1 { Module } else { Component };
        let mut item = self.item(kind, depth + 1);
        if self.makes_error() {
            // The last section is cut at the end of the item, often inside its header.
            let cut = self.below(item.len().min(16));
            item.truncate(item.len() - cut);
        }
        if self.makes_error() {
            item.truncate(self.below(9));
        }
        if self.makes_error() {
            // This header continues past the item.
            let begun =
                self.pick(&[&b"\0\x80"[..], b"\0", b"\x0b\x80\x80", b"\0\x01\x80", b"\0\x03\x81\x80", b"\0\x02\x05"]);
            item.extend_from_slice(begun);
        }
        self.section(id, &item)
    }

    /// Id, size and payload, possibly with an error.
    fn section(&mut self, id: u8, payload: &[u8]) -> Vec<u8> {
        let size = self.length(payload.len());
        [&[id], &*size, payload].concat()
    }

    fn custom(&mut self) -> Vec<u8> {
        let name = self.name();
        let len = self.length(name.len());
        let mut payload = [&*len, &name, &self.data()].concat();
        if self.makes_error() {
            // Too small for the name or its length.
            let left = self.below(payload.len().min(len.len() + 3));
            payload.truncate(left);
        }
        self.section(0, &payload)
    }

    fn name(&mut self) -> Vec<u8> {
        if self.one_in(2) {
            return self.pick(&NAMES).into();
        }
        let mut len = self.below(20);
        if self.one_in(30) {
            len = self.pick(&[127, 126, 128, 129, 300, 16_383, 16_384, 99_999, 100_000, 100_001]);
        }
        let mut name = vec![b'n'; len];
        let piece =
            if self.makes_error() || self.makes_error() { self.pick(&INVALID_PARTS) } else { self.pick(&VALID_PARTS) };
        // Close to one end, so that long names also have it at their ends.
        let near = self.below(len.min(40) + 1);
        let place = if self.one_in(2) { len - near } else { near };
        if self.one_in(2) {
            name.splice(place..place, piece.iter().copied());
        } else {
            let end = (place + piece.len()).min(len);
            name.splice(place..end, piece.iter().copied());
        }
        name
    }

    fn data(&mut self) -> Vec<u8> {
        let mut data = if self.one_in(2) { self.pick(&DATA).to_vec() } else { self.bytes(6) };
        if self.makes_error() && !data.is_empty() {
            let place = self.below(data.len());
            data[place] = self.fuel.arbitrary().unwrap_or(0);
        }
        data
    }

    /// A length as LEB128, sometimes padded, wrong or malformed.
    fn length(&mut self, len: usize) -> Vec<u8> {
        let mut value = u32::try_from(len).unwrap_or(u32::MAX);
        if self.makes_error() {
            let by = self.pick(&[1, 2, 3, 8]);
            value = match self.below(4) {
                0 => value.wrapping_add(1),
                1 => value.wrapping_sub(by),
                2 => value.wrapping_add(by),
                _ => self.pick(&SIZES),
            };
        }
        let width = if self.one_in(4) { self.below(6) } else { 0 };
        let mut bytes = leb128(value, width);
        if self.makes_error() {
            match self.below(3) {
                0 => {
                    bytes = leb128(value, 5);
                    bytes[4] |= self.pick(&[0x10, 0x20, 0x40, 0x70, 0x80]);
                }
                1 => {
                    bytes = leb128(value, 5);
                    bytes[4] |= 0x80;
                    bytes.push(0);
                }
                _ => {
                    bytes.pop();
                }
            }
        }
        bytes
    }

    /// A count and bytes that the reference does not parse.
    fn counted(&mut self, count: u32) -> Vec<u8> {
        let width = if self.one_in(4) { self.below(6) } else { 0 };
        [leb128(count, width), self.bytes(6)].concat()
    }

    fn module_body(&mut self, id: u8, functions: u32, segments: u32) -> Vec<u8> {
        if self.one_in(self.break_in) {
            return self.bytes(6);
        }
        match id {
            3 => self.counted(functions),
            8 => leb128(functions, 1),
            10 => {
                let mut body = leb128(functions, 1);
                for _ in 0..functions {
                    let function = self.bytes(4);
                    body.extend(self.length(function.len()));
                    body.extend(function);
                }
                body
            }
            11 => self.counted(segments),
            12 => leb128(segments, self.below(6)),
            _ => {
                let count = self.below(300) as u32;
                self.counted(count)
            }
        }
    }

    fn component_body(&mut self, id: u8) -> Vec<u8> {
        if self.one_in(self.break_in) {
            return self.bytes(6);
        }
        if id == 9 {
            return vec![7, 2, 0, 1, 0]; // function 7 with the values 0 and 1, without a result
        }
        let count = self.below(300) as u32;
        self.counted(count)
    }
}

/// A LEB128 encoding of at least `width` bytes.
fn leb128(mut value: u32, width: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let group = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 && bytes.len() + 1 >= width {
            bytes.push(group);
            return bytes;
        }
        bytes.push(group | 0x80);
    }
}
