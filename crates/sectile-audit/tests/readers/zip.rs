//! Zips that contradict themselves.

use super::generator::Generator;

const LOCAL: &[u8] = b"PK\x03\x04";
const CENTRAL: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";
const END_64: &[u8] = b"PK\x06\x06";
const LOCATOR_64: &[u8] = b"PK\x06\x07";
const DESCRIPTOR: &[u8] = b"PK\x07\x08";

/// Writes a zip at this nesting depth of archives.
pub(crate) fn write(generator: &mut Generator, depth: u32) -> Vec<u8> {
    generator.choices.note(format!("zip at depth {depth}"));
    let prefix: &[u8] = generator.choices.lie(
        "before the zip",
        b"",
        &[
            b"#!/usr/bin/env python3\n",
            b"PK\x07\x08",
            b"PK00",
            b"PK\x03\x04",
            b"junk",
            b"\x7fELF\x02\x01\x01",
            b"Cr24\x03\0\0\0\0\0\0\0",
            b"\0",
        ],
    );
    let mut zip = Zip { out: prefix.to_vec(), base: 0, directory: Vec::new() };
    if !prefix.is_empty() && generator.choices.rarely(2) {
        generator.choices.note("offsets count from after it".to_owned());
        zip.base = prefix.len();
    }
    zip.fill(generator, depth);
    zip.end(generator);
    if generator.choices.lies("a second zip behind") {
        zip = Zip {
            base: if generator.choices.rarely(2) { zip.out.len() } else { 0 },
            out: zip.out,
            directory: Vec::new(),
        };
        zip.fill(generator, depth);
        zip.end(generator);
    }
    match generator.choices.lie(
        "behind the zip",
        "",
        &["zeros", "junk", "64 KiB", "an end record", "a local entry", "cut"],
    ) {
        "zeros" => zip.out.resize(zip.out.len() + 100, 0),
        "junk" => zip.out.extend(b"junk behind"),
        "64 KiB" => zip.out.resize(zip.out.len() + 70_000, b'z'),
        "an end record" => zip.out.extend([END, &[0; 18]].concat()),
        "a local entry" => {
            let module = generator.module();
            zip.out.extend(local_header("behind.wasm", &module));
            zip.out.extend(module);
        }
        "cut" => zip.out.truncate(zip.out.len() - generator.choices.pick(&[1, 4, 20, 22, 30])),
        _ => {}
    }
    zip.out
}

struct Zip {
    out: Vec<u8>,
    /// The position that offset 0 of the zip refers to.
    base: usize,
    /// The records of the central directory.
    directory: Vec<Vec<u8>>,
}

/// The fields that both headers of an entry contain.
#[derive(Clone)]
struct Fields {
    version: u16,
    flags: u16,
    method: u16,
    crc: u32,
    compressed: u64,
    size: u64,
    name: Vec<u8>,
    extra: Vec<u8>,
}

impl Fields {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend(self.version.to_le_bytes());
        bytes.extend(self.flags.to_le_bytes());
        bytes.extend(self.method.to_le_bytes());
        bytes.extend([0, 0, 0x21, 0x50]); // 2020-01-01
        bytes.extend(self.crc.to_le_bytes());
        bytes.extend((self.compressed as u32).to_le_bytes());
        bytes.extend((self.size as u32).to_le_bytes());
        bytes.extend((self.name.len() as u16).to_le_bytes());
        bytes.extend((self.extra.len() as u16).to_le_bytes());
        bytes
    }

    fn local(&self) -> Vec<u8> {
        [LOCAL, &self.bytes(), &self.name, &self.extra].concat()
    }
}

/// The header of a stored entry.
fn local_header(name: &str, data: &[u8]) -> Vec<u8> {
    let len = data.len() as u64;
    let name = name.as_bytes().to_vec();
    let (crc, extra) = (crc32fast::hash(data), Vec::new());
    Fields { version: 20, flags: 0, method: 0, crc, compressed: len, size: len, name, extra }.local()
}

/// A correct zip of one module.
fn small_zip(generator: &mut Generator) -> Vec<u8> {
    let module = generator.module();
    let mut zip = Zip { out: local_header("small.wasm", &module), base: 0, directory: Vec::new() };
    zip.out.extend(&module);
    let (name, len) = (b"small.wasm".to_vec(), module.len() as u64);
    let (crc, extra) = (crc32fast::hash(&module), Vec::new());
    let fields = Fields { version: 20, flags: 0, method: 0, crc, compressed: len, size: len, name, extra };
    let at = zip.out.len() as u32;
    zip.out.extend([CENTRAL, &[20, 3], &fields.bytes(), &[0; 6], &0x81a4_0000_u32.to_le_bytes(), &[0; 4]].concat());
    zip.out.extend(&fields.name);
    let len = zip.out.len() as u32 - at;
    zip.out.extend([END, &[0, 0, 0, 0, 1, 0, 1, 0], &len.to_le_bytes(), &at.to_le_bytes(), &[0, 0]].concat());
    zip.out
}

impl Zip {
    fn fill(&mut self, generator: &mut Generator, depth: u32) {
        for _ in 0..=generator.choices.below(3) {
            self.entry(generator, depth);
            if generator.choices.lies("a local entry that the directory leaves out") {
                let module = generator.module();
                self.out.extend(local_header("hidden.wasm", &module));
                self.out.extend(module);
            }
            if generator.choices.lies("bytes between entries") {
                self.out.extend(b"some bytes that belong to no entry");
            }
        }
    }

    fn entry(&mut self, generator: &mut Generator, depth: u32) {
        let name = generator.name();
        let content = generator.content(depth);
        let choices = &mut generator.choices;
        let method = choices.pick(&[8, 0]);
        let data = if method == 8 { miniz_oxide::deflate::compress_to_vec(&content, 6) } else { content.clone() };
        let mut fields = Fields {
            version: 20,
            flags: 0,
            method,
            crc: crc32fast::hash(&content),
            compressed: data.len() as u64,
            size: content.len() as u64,
            name: name.clone().into_bytes(),
            extra: extra(generator, &name),
        };
        let choices = &mut generator.choices;
        let descriptor =
            if choices.rarely(6) { choices.pick(&["right", "right", "without signature", "64 bits"]) } else { "" };
        let descriptor = choices.lie("descriptor", descriptor, &["missing", "wrong", "not announced"]);
        if !matches!(descriptor, "" | "not announced") {
            fields.flags |= 8;
        }
        fields.flags ^= choices.lie("flags", 0, &[1, 8, 1 << 5, 1 << 6, 1 << 11, 1 << 13, 1 << 15]);
        fields.crc ^= choices.lie("CRC", 0, &[1]);
        fields.version = choices.lie("version needed", 20, &[0, 10, 45, 63, 99, 0xffff]);
        fields.method = choices.lie("method", method, &[0, 8, 1, 9, 12, 14, 93, 95, 97, 99]);
        let mut local = fields.clone();
        if matches!(descriptor, "right" | "without signature" | "64 bits") && !choices.rarely(3) {
            (local.crc, local.compressed, local.size) = (0, 0, 0);
        }
        disagree(generator, "local", &mut local);
        disagree(generator, "central", &mut fields);
        let start = self.out.len();
        self.out.extend(local.local());
        self.out.extend(&data);
        let wide = descriptor == "64 bits";
        match descriptor {
            "" | "missing" => {}
            _ => {
                if descriptor != "without signature" {
                    self.out.extend(DESCRIPTOR);
                }
                self.out.extend(crc32fast::hash(&content).to_le_bytes());
                let wrong = u64::from(descriptor == "wrong");
                for size in [data.len() as u64 + wrong, content.len() as u64 + wrong] {
                    self.out.extend(&size.to_le_bytes()[..if wide { 8 } else { 4 }]);
                }
            }
        }
        self.central(generator, &fields, start);
    }

    /// Adds the record of an entry to the directory.
    fn central(&mut self, generator: &mut Generator, fields: &Fields, start: usize) {
        let choices = &mut generator.choices;
        let times = choices.lie("times in the directory", 1, &[0, 2]);
        let system = choices.lie("made by", 3, &[0, 7, 10, 19, 255]);
        let mode: u32 = 0o100_644 << 16;
        let attributes = choices.lie(
            "attributes",
            mode,
            &[0o120_777 << 16, 0o040_755 << 16 | 0x10, 0x10, 0o010_644 << 16, 0o020_644 << 16, 0, 0x08, u32::MAX],
        );
        let offset = (start - self.base) as i64 + choices.lie("offset", 0, &[1, -1, 4, 30, -30, 1 << 20]);
        let disk: u16 = choices.lie("disk of the entry", 0, &[1, 0xffff]);
        let comment: &[u8] = choices.lie("entry's comment", b"", &[b"comment", b"PK\x05\x06\0\0\0\0", b"PK\x01\x02"]);
        for _ in 0..times {
            let mut record = CENTRAL.to_vec();
            record.extend([20, system]);
            record.extend(fields.bytes());
            record.extend((comment.len() as u16).to_le_bytes());
            record.extend(disk.to_le_bytes());
            record.extend([0, 0]);
            record.extend(attributes.to_le_bytes());
            record.extend((offset as u32).to_le_bytes());
            record.extend(&fields.name);
            record.extend(&fields.extra);
            record.extend(comment);
            self.directory.push(record);
        }
    }

    fn end(&mut self, generator: &mut Generator) {
        let choices = &mut generator.choices;
        let records = std::mem::take(&mut self.directory);
        let (front, back) = records.split_at(records.len() / 2);
        // Two directories. The end record names the first or the last.
        let (first, last, is_last) =
            match choices.lie("directories", "one", &["half, half", "all, half", "half, all", "none, all"]) {
                "one" => (&records[..], &[][..], false),
                "half, half" => (front, back, choices.rarely(2)),
                "all, half" => (&records[..], back, choices.rarely(2)),
                "half, all" => (front, &records[..], choices.rarely(2)),
                _ => (&[][..], &records[..], choices.rarely(2)),
            };
        let starts = [self.out.len(), self.out.len() + first.concat().len()];
        self.out.extend(first.concat());
        self.out.extend(last.concat());
        let named = if is_last { last } else { first };
        let (start, len, records) = (starts[usize::from(is_last)], named.concat().len(), named.len() as u64);
        if choices.lies("bytes behind the directory") {
            self.out.extend(b"signed: yes");
        }
        let at = self.out.len();
        let offset = (start - self.base) as u64;
        let zip64 = choices.lie(
            "zip64",
            "none",
            &[
                "right",
                "right, and fields in place",
                "counts fewer",
                "elsewhere",
                "locator only",
                "record only",
                "wrong offset",
                "empty directory",
            ],
        );
        if !matches!(zip64, "none" | "locator only") {
            let (records, len, offset) = match zip64 {
                "counts fewer" => (records.saturating_sub(1), len as u64, offset),
                "elsewhere" => (records, len as u64, offset + 1),
                "empty directory" => (0, 0, offset),
                _ => (records, len as u64, offset),
            };
            self.out.extend(END_64);
            self.out.extend(44_u64.to_le_bytes());
            self.out.extend([45, 3, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
            for value in [records, records, len, offset] {
                self.out.extend(value.to_le_bytes());
            }
        }
        if !matches!(zip64, "none" | "record only") {
            let at = (at - self.base) as u64 + u64::from(zip64 == "wrong offset");
            self.out.extend(LOCATOR_64);
            self.out.extend([0; 4]);
            self.out.extend(at.to_le_bytes());
            self.out.extend(1_u32.to_le_bytes());
        }
        let (mut counts, mut sizes) = ([records as u16; 2], [len as u32, offset as u32]);
        if matches!(zip64, "right") {
            (counts, sizes) = ([0xffff; 2], [u32::MAX; 2]);
        }
        let choices = &mut generator.choices;
        for (nth, what) in ["entries on this disk", "entries"].into_iter().enumerate() {
            counts[nth] = choices.lie(
                what,
                counts[nth],
                &[0, 1, counts[nth].wrapping_add(1), counts[nth].wrapping_sub(1), 0xffff],
            );
        }
        for (nth, what) in ["size of the directory", "offset of the directory"].into_iter().enumerate() {
            let lies = [0, 1, sizes[nth].wrapping_add(1), sizes[nth].wrapping_sub(1), sizes[nth] / 2, u32::MAX, 46];
            sizes[nth] = choices.lie(what, sizes[nth], &lies);
        }
        let comment: &[u8] = choices.lie(
            "comment",
            b"",
            &[
                b"a comment",
                b"PK\x05\x06",
                b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
                b"PK\x06\x06",
                b"PK\x01\x02",
                b"PK\x06\x07\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0",
            ],
        );
        let zip = if choices.lies("a zip in the comment") { small_zip(generator) } else { Vec::new() };
        let choices = &mut generator.choices;
        let comment = [comment, &zip].concat();
        let comment_len = (comment.len() as u16).wrapping_add(choices.lie("comment's length", 0, &[1, 0xffff, 100]));
        let disks = choices.lie("disks", [0, 0], &[[1, 0], [0, 1], [1, 1], [0xffff, 0xffff]]);
        self.out.extend(END);
        for disk in disks {
            self.out.extend(u16::to_le_bytes(disk));
        }
        for count in counts {
            self.out.extend(count.to_le_bytes());
        }
        for size in sizes {
            self.out.extend(size.to_le_bytes());
        }
        self.out.extend(comment_len.to_le_bytes());
        self.out.extend(comment);
    }
}

/// False values in one of the headers of an entry.
fn disagree(generator: &mut Generator, header: &str, fields: &mut Fields) {
    let choices = &mut generator.choices;
    let lies = [0, 1, 30, fields.compressed + 1, fields.compressed.saturating_sub(1), 0x7fff_ffff, 0xffff_ffff];
    fields.compressed = choices.lie(&format!("{header} compressed size"), fields.compressed, &lies);
    let lies = [0, 1, 30, fields.size + 1, fields.size.saturating_sub(1), 0x7fff_ffff, 0xffff_ffff];
    fields.size = choices.lie(&format!("{header} size"), fields.size, &lies);
    fields.crc ^= choices.lie(&format!("{header} CRC"), 0, &[1]);
    fields.flags ^= choices.lie(&format!("{header} flags"), 0, &[1, 8, 1 << 11, 1 << 13]);
    fields.method ^= choices.lie(&format!("{header} method"), 0, &[8, 1, 12]);
    match choices.lie(&format!("{header} zip64 field"), "none", &["right", "wrong", "short", "sizes in place"]) {
        "none" => {}
        how => {
            let wrong = u64::from(how == "wrong");
            let mut data = [fields.size + wrong, fields.compressed + wrong].map(u64::to_le_bytes).concat();
            if how != "sizes in place" {
                (fields.size, fields.compressed) = (0xffff_ffff, 0xffff_ffff);
            }
            if how == "short" {
                data.truncate(8);
            }
            fields.extra.extend([1, 0, data.len() as u8, 0]);
            fields.extra.extend(data);
        }
    }
    match choices.lie(
        &format!("{header} name"),
        "same",
        &["other", "with a slash", "with a backslash", "with NUL", "shorter", "none"],
    ) {
        "other" => fields.name = b"other.wasm".to_vec(),
        "with a slash" => fields.name.push(b'/'),
        "with a backslash" => fields.name.push(b'\\'),
        "with NUL" => fields.name.push(0),
        "shorter" => drop(fields.name.pop()),
        "none" => fields.name.clear(),
        _ => {}
    }
}

fn extra(generator: &mut Generator, name: &str) -> Vec<u8> {
    let choices = &mut generator.choices;
    let unicode = |unicode: &str, crc: u32| {
        let mut data = vec![1];
        data.extend((crc32fast::hash(name.as_bytes()) ^ crc).to_le_bytes());
        data.extend(unicode.as_bytes());
        [&[0x75, 0x70, data.len() as u8, 0], &data[..]].concat()
    };
    match choices.lie(
        "extra field",
        "none",
        &[
            "time",
            "empty time",
            "other name",
            "name with a slash",
            "name of another CRC",
            "empty name",
            "too long",
            "cut",
            "jar",
            "AES",
            "NTFS",
            "unknown",
        ],
    ) {
        "time" => b"UT\x05\0\x01\0\0\0\0".to_vec(),
        "empty time" => b"UT\0\0".to_vec(),
        "other name" => unicode("unicode.wasm", 0),
        "name with a slash" => unicode("unicode/", 0),
        "name of another CRC" => unicode("unicode.wasm", 1),
        "empty name" => unicode("", 0),
        "too long" => b"xx\xff\0".to_vec(),
        "cut" => b"xx\x01".to_vec(),
        "jar" => b"\xfe\xca\0\0".to_vec(),
        "AES" => b"\x01\x99\x07\0\x02\0AE\x03\0\0".to_vec(),
        "NTFS" => b"\x0a\0\x04\0\0\0\0\0".to_vec(),
        "unknown" => b"zz\x04\0PK\x03\x04".to_vec(),
        _ => Vec::new(),
    }
}
