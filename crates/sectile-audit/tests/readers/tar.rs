//! Tars that contradict themselves.

use super::generator::Generator;

const BLOCK: usize = 512;

/// Writes a tar at this nesting depth of archives.
pub(crate) fn write(generator: &mut Generator, depth: u32) -> Vec<u8> {
    generator.choices.note(format!("tar at depth {depth}"));
    let mut out = Vec::new();
    zero_blocks(generator, &mut out, "zero blocks first");
    for _ in 0..=generator.choices.below(4) {
        member(generator, &mut out, depth);
        zero_blocks(generator, &mut out, "zero blocks after the member");
        if generator.choices.lies("a block of junk") {
            out.extend([b'j'; BLOCK]);
        }
        if generator.choices.lies("a module without a header") {
            let module = generator.module();
            out.extend(module);
            pad(&mut out, 0);
        }
    }
    let closing = generator.choices.lie("closing blocks", 2, &[0, 1, 3, 20]);
    out.resize(out.len() + closing * BLOCK, 0);
    if generator.choices.lies("a member after the end") {
        member(generator, &mut out, depth);
    }
    let cut = generator.choices.lie("bytes cut off", 0, &[1, 511, 512, 700, 1024, 1100]);
    out.truncate(out.len() - cut.min(out.len()));
    out
}

/// A correct header of a regular entry.
pub(crate) fn plain_header(name: &[u8], kind: u8, size: usize) -> [u8; BLOCK] {
    let mut header = [0; BLOCK];
    header[..name.len()].copy_from_slice(name);
    header[100..108].copy_from_slice(b"0000644\0");
    header[108..116].copy_from_slice(b"0000000\0");
    header[116..124].copy_from_slice(b"0000000\0");
    header[124..136].copy_from_slice(format!("{size:011o}\0").as_bytes());
    header[136..148].copy_from_slice(b"00000000000\0");
    header[156] = kind;
    header[257..265].copy_from_slice(b"ustar\x0000");
    sign(&mut header, "right");
    header
}

fn zero_blocks(generator: &mut Generator, out: &mut Vec<u8>, what: &str) {
    let blocks = generator.choices.lie(what, 0, &[1, 2, 3, 19]);
    out.resize(out.len() + blocks * BLOCK, 0);
}

fn pad(out: &mut Vec<u8>, fill: u8) {
    out.resize(out.len().next_multiple_of(BLOCK), fill);
}

/// Types of entries, from all dialects.
const TYPES: &[u8] = b"123456\x007SLKxgXDMNVAEI89Z@ \xff\x80";

/// Sizes that do not match the body, but the modules and headers that follow.
const SIZES: [u64; 14] =
    [0, 1, 100, 511, 512, 513, 1024, 1536, 2048, 3072, 0o77_777_777, 0o77_777_777_777, 1 << 40, u64::MAX >> 1];

fn member(generator: &mut Generator, out: &mut Vec<u8>, depth: u32) {
    let name = generator.name();
    let mut body = generator.content(depth);
    let choices = &mut generator.choices;
    let mut kind = b'0';
    if choices.rarely(4) {
        kind = choices.pick(TYPES);
        choices.note(format!("type {:?}", kind as char));
    }
    let whole = body.len() as u64;
    let sparse = if choices.rarely(10) { Some(Sparse::choose(generator, &name, &mut body)) } else { None };
    let size = body.len() as u64;
    let size = match generator.choices.lie("size", None, &SIZES.map(Some)) {
        Some(lie) => lie,
        None if matches!(kind, b'1'..=b'6') && generator.choices.rarely(2) => 0,
        None => size,
    };
    extensions(generator, out, whole, &name, sparse.as_ref());
    if let Some(Sparse { kind: Some(sparse_kind), .. }) = &sparse {
        kind = *sparse_kind;
    }
    header(generator, out, &name, kind, size, sparse.as_ref());
    // An entry of a type without a body that declares size 0 has no body.
    if size == 0 && matches!(kind, b'1'..=b'6') && generator.choices.rarely(2) {
        return;
    }
    out.extend(body);
    match generator.choices.lie("padding", "zeros", &["none", "ones", "a further block"]) {
        "none" => {}
        "ones" => pad(out, 255),
        "zeros" => pad(out, 0),
        _ => {
            pad(out, 0);
            out.resize(out.len() + BLOCK, 0);
        }
    }
}

fn header(generator: &mut Generator, out: &mut Vec<u8>, name: &str, kind: u8, size: u64, sparse: Option<&Sparse>) {
    let choices = &mut generator.choices;
    let mut header = plain_header(&name.as_bytes()[..name.len().min(100)], kind, 0);
    let honest = if kind == b'S' { "gnu" } else { "ustar" };
    let dialect = choices.lie("dialect", honest, &["gnu", "v7", "star", "ustar without version", "ustar", "unknown"]);
    match dialect {
        "gnu" => header[257..265].copy_from_slice(b"ustar  \0"),
        "v7" => header[257..].fill(0),
        "star" => header[508..512].copy_from_slice(b"tar\0"),
        "ustar without version" => header[263..265].fill(0),
        "unknown" => header[257..265].copy_from_slice(b"USTAR\x0099"),
        _ => {}
    }
    if dialect != "gnu" {
        let prefix: &str = choices.lie("prefix", "", &["p", "p/", "f0.wasm", "p/q"]);
        header[345..345 + prefix.len()].copy_from_slice(prefix.as_bytes());
    } else {
        let times: &str = choices.lie("GNU times and offset", "", &["00000000001\x0000000000002\x0000000000003\0"]);
        header[345..345 + times.len()].copy_from_slice(times.as_bytes());
    }
    let links = matches!(kind, b'1' | b'2');
    let target: &str =
        choices.lie("link to", if links { "f0.wasm" } else { "" }, &["f0.wasm", "f1.wasm", "d", "", "f2"]);
    header[157..157 + target.len()].copy_from_slice(target.as_bytes());
    let mode: &str =
        choices.lie("mode", "0000644\0", &["        ", "\0\0\0\0\0\0\0\0", "0040755\0", "0120777\0", "junk!\0\0\0"]);
    header[100..108].copy_from_slice(mode.as_bytes());
    let time: &[u8] = choices.lie(
        "time",
        b"00000000000\0",
        &[
            b"            ",
            b"\0\0\0\0\0\0\0\0\0\0\0\0",
            b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xf0",
            b"junk junk\0\0\0",
        ],
    );
    header[136..148].copy_from_slice(time);
    let user: &str = choices.lie("user", "0000000\0", &["        ", "\0\0\0\0\0\0\0\0", "junk!\0\0\0", "99999999"]);
    header[108..116].copy_from_slice(user.as_bytes());
    header[124..136].copy_from_slice(&size_field(generator, size));
    if let Some(map) = sparse.and_then(|sparse| sparse.gnu.as_ref()) {
        map.write_to(&mut header);
    }
    let choices = &mut generator.choices;
    let sum = choices.lie(
        "checksum",
        "right",
        &["signed", "wrong", "blank", "zeros", "8 digits", "leading spaces", "no NUL", "base 256"],
    );
    sign(&mut header, sum);
    out.extend(header);
    if let Some(map) = sparse.and_then(|sparse| sparse.gnu.as_ref()) {
        out.extend(&map.more);
    }
}

fn size_field(generator: &mut Generator, size: u64) -> [u8; 12] {
    let octal = |width: usize| format!("{:0width$o}", size & 0o77_777_777_777);
    let base256 = |first: u8| {
        let mut field = [0; 12];
        field[4..].copy_from_slice(&size.to_be_bytes());
        field[0] |= first;
        field
    };
    let honest = if size > 0o77_777_777_777 { "base 256" } else { "octal" };
    let encoding = generator.choices.lie(
        "size encoding",
        honest,
        &[
            "12 digits",
            "leading spaces",
            "trailing spaces",
            "short",
            "blank",
            "NULs",
            "base 256",
            "base 256, bit 6",
            "base 256, low bits",
            "base 256, high word",
            "negative",
            "plus",
            "minus",
            "hex",
            "NUL inside",
            "decimal digits",
            "letters behind",
            "tab first",
            "leading NUL",
            "base 64",
        ],
    );
    let text = match encoding {
        "octal" => format!("{}\0", octal(11)),
        "12 digits" => octal(12),
        "leading spaces" => format!("{:>11} ", octal(1)),
        "trailing spaces" => format!("{:<12}", octal(1)),
        "short" => format!("{}\0", octal(1)),
        "blank" => " ".repeat(12),
        "NULs" => String::new(),
        "base 256" => return base256(0x80),
        "base 256, bit 6" => return base256(0xc0),
        "base 256, low bits" => return base256(0x81),
        "base 256, high word" => {
            let mut field = base256(0x80);
            field[2] = 1;
            return field;
        }
        "negative" => {
            let mut field = [0xff; 12];
            field[4..].copy_from_slice(&size.wrapping_neg().to_be_bytes());
            return field;
        }
        "plus" => format!("+{}\0", octal(10)),
        "minus" => format!("-{}\0", octal(10)),
        "hex" => format!("0x{size:x}"),
        "NUL inside" => format!("{}\x0077", octal(9)),
        "decimal digits" => format!("{size:09}89"),
        "letters behind" => format!("{}x", octal(11)),
        "tab first" => format!("\t{}", octal(10)),
        "leading NUL" => format!("\0{}", octal(10)),
        _ => format!("+{}", "A".repeat(9)),
    };
    let mut field = [0; 12];
    let len = text.len().min(12);
    field[..len].copy_from_slice(&text.as_bytes()[..len]);
    field
}

fn sign(header: &mut [u8; BLOCK], how: &str) {
    header[148..156].fill(b' ');
    let unsigned: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
    let signed: i64 = header.iter().map(|&byte| i64::from(byte.cast_signed())).sum();
    let text = match how {
        "right" => format!("{unsigned:06o}\0 "),
        "signed" => format!("{:06o}\0 ", signed & 0o777_777),
        "wrong" => format!("{:06o}\0 ", unsigned + 1),
        "blank" => " ".repeat(8),
        "zeros" => "\0".repeat(8),
        "8 digits" => format!("{unsigned:08o}"),
        "leading spaces" => format!("{unsigned:>7o}\0"),
        "base 256" => {
            header[148..156].copy_from_slice(&(u64::from(unsigned) | 1 << 63).to_be_bytes());
            return;
        }
        _ => format!("{unsigned:06o}  "),
    };
    header[148..156].copy_from_slice(text.as_bytes());
}

/// Headers before an entry that change it.
fn extensions(generator: &mut Generator, out: &mut Vec<u8>, size: u64, name: &str, sparse: Option<&Sparse>) {
    if let Some(records) = sparse.and_then(|sparse| sparse.records.as_ref()) {
        extension(generator, out, b'x', records);
    }
    let times = if generator.choices.rarely(3) { generator.choices.pick(&[1, 1, 2, 3]) } else { 0 };
    for _ in 0..times {
        let kind = generator.choices.pick(b"xxxxxgLKXN");
        generator.choices.note(format!("extension {:?}", kind as char));
        let data = match kind {
            b'L' | b'K' => {
                let name = generator.choices.lie(
                    "long name",
                    if kind == b'L' { name } else { "f0.wasm" },
                    &["", "long/", "long\0x", "long.wasm"],
                );
                let nul = if generator.choices.lies("no NUL") { "" } else { "\0" };
                format!("{name}{nul}").into_bytes()
            }
            b'N' => b"Rename f0.wasm to renamed.wasm\n".to_vec(),
            _ => records(generator, size),
        };
        extension(generator, out, kind, &data);
        zero_blocks(generator, out, "zero blocks after the extension");
    }
}

fn extension(generator: &mut Generator, out: &mut Vec<u8>, kind: u8, data: &[u8]) {
    let name = generator.choices.lie("extension's name", "PaxHeaders/x", &["", "x/", "./@LongLink"]);
    let size = generator.choices.lie("extension's size", data.len() as u64, &SIZES);
    header(generator, out, name, kind, size, None);
    out.extend(data);
    pad(out, 0);
}

/// The records of an extended header.
fn records(generator: &mut Generator, size: u64) -> Vec<u8> {
    let choices = &mut generator.choices;
    let mut data = Vec::new();
    for _ in 0..=choices.below(3) {
        let key = choices.pick(&[
            "size",
            "size",
            "size",
            "path",
            "linkpath",
            "comment",
            "mtime",
            "GNU.sparse.size",
            "GNU.sparse.realsize",
            "GNU.sparse.major",
            "GNU.sparse.minor",
            "GNU.sparse.map",
            "GNU.sparse.numblocks",
            "GNU.sparse.name",
            "SCHILY.realsize",
            "hdrcharset",
            "SCHILY.filetype",
        ]);
        let number = |choices: &mut super::choices::Choices| {
            let number = choices.lie("pax number", size, &SIZES);
            match choices.lie(
                "pax form",
                "plain",
                &["+", "-", " before", " after", "0 first", "hex", "empty", ".0", "NUL", "x"],
            ) {
                "+" => format!("+{number}"),
                "-" => format!("-{number}"),
                " before" => format!(" {number}"),
                " after" => format!("{number} "),
                "0 first" => format!("0{number}"),
                "hex" => format!("0x{number:x}"),
                "empty" => String::new(),
                ".0" => format!("{number}.0"),
                "NUL" => format!("{number}\x001"),
                "x" => format!("{number}x"),
                _ => number.to_string(),
            }
        };
        let value = match key {
            "path" | "GNU.sparse.name" => {
                choices.pick(&["pax.wasm", "pax/", "", "pax\0x", "d/pax.wasm", "."]).to_owned()
            }
            "linkpath" => choices.pick(&["f0.wasm", "", "f1.wasm"]).to_owned(),
            "comment" => "a comment".to_owned(),
            "mtime" => choices.pick(&["1.5", "", "x"]).to_owned(),
            "hdrcharset" => choices.pick(&["BINARY", "ISO-IR 10646 2000 UTF-8", "x"]).to_owned(),
            "SCHILY.filetype" => choices.pick(&["regular", "directory"]).to_owned(),
            "GNU.sparse.map" => choices.pick(&["0,60", "0,512", "1,59", "0,0", "x", "0"]).to_owned(),
            "GNU.sparse.major" => choices.pick(&["1", "0", "2"]).to_owned(),
            "GNU.sparse.minor" => choices.pick(&["0", "1"]).to_owned(),
            "GNU.sparse.numblocks" => choices.pick(&["1", "0", "2"]).to_owned(),
            _ => number(choices),
        };
        choices.note(format!("record {key}={value:?}"));
        let form = choices.lie(
            "record",
            "right",
            &[
                "too long",
                "too short",
                "zero",
                "no line feed",
                "no =",
                "zero first",
                "space first",
                "huge",
                "minus",
                "NUL after",
            ],
        );
        data.extend(record(key, &value, form));
    }
    match choices.lie("after the records", "nothing", &["NULs", "a line feed", "junk", "a NUL"]) {
        "NULs" => data.resize(data.len() + 20, 0),
        "a line feed" => data.push(b'\n'),
        "junk" => data.extend(b"junk"),
        "a NUL" => data.push(0),
        _ => {}
    }
    data
}

fn record(key: &str, value: &str, form: &str) -> Vec<u8> {
    let equals = if form == "no =" { " " } else { "=" };
    let end = if form == "no line feed" { "" } else { "\n" };
    let rest = format!(" {key}{equals}{value}{end}");
    let mut len = rest.len() + 1;
    while len != rest.len() + len.to_string().len() {
        len = rest.len() + len.to_string().len();
    }
    let says = match form {
        "too long" => format!("{}", len + 1),
        "too short" => format!("{}", len - 1),
        "zero" => "0".to_owned(),
        "zero first" => format!("0{}", len + 1),
        "space first" => format!(" {}", len + 1),
        "huge" => "99999999999999999999".to_owned(),
        "minus" => format!("-{len}"),
        _ => len.to_string(),
    };
    let nul = if form == "NUL after" { "\0" } else { "" };
    format!("{says}{rest}{nul}").into_bytes()
}

/// An entry with holes. The body contains only some ranges of the file.
struct Sparse {
    /// The type of the header, if the format has its own.
    kind: Option<u8>,
    /// The map in the header.
    gnu: Option<GnuMap>,
    /// The records of the extended header.
    records: Option<Vec<u8>>,
}

struct GnuMap {
    /// The map and the length of the whole file, from offset 386 of the header.
    fields: Vec<u8>,
    /// Further blocks of the map.
    more: Vec<u8>,
}

impl GnuMap {
    fn new(map: &[(usize, usize)], real: usize, in_header: usize) -> Self {
        let number = |number: usize| format!("{number:011o}\0").into_bytes();
        let entries = |map: &[(usize, usize)]| -> Vec<u8> {
            map.iter().flat_map(|&(at, len)| [number(at), number(len)].concat()).collect()
        };
        let (first, rest) = map.split_at(map.len().min(in_header));
        let mut fields = entries(first);
        fields.resize(96, 0);
        fields.push(u8::from(!rest.is_empty()));
        fields.extend(number(real));
        let mut more = Vec::new();
        let mut blocks = rest.chunks(21).peekable();
        while let Some(block) = blocks.next() {
            more.extend(entries(block));
            more.resize(more.len().next_multiple_of(504), 0);
            more.push(u8::from(blocks.peek().is_some()));
            more.resize(more.len().next_multiple_of(BLOCK), 0);
        }
        Self { fields, more }
    }

    fn write_to(&self, header: &mut [u8; BLOCK]) {
        header[386..386 + self.fields.len()].copy_from_slice(&self.fields);
    }
}

impl Sparse {
    /// Replaces the body by the ranges that are stored.
    fn choose(generator: &mut Generator, name: &str, body: &mut Vec<u8>) -> Self {
        let choices = &mut generator.choices;
        let len = body.len();
        let half = (len / 2 / BLOCK * BLOCK).min(len);
        let shape = choices.pick(&[
            "whole",
            "two ranges",
            "a hole at the first byte",
            "a hole behind",
            "reversed",
            "junk first",
            "overlapping",
        ]);
        let mut map = match shape {
            "two ranges" => vec![(0, half), (half, len - half)],
            "a hole at the first byte" => vec![(1.min(len), len - 1.min(len))],
            "a hole behind" => vec![(0, len), (len + 1024, 0)],
            "reversed" => vec![(half, len - half), (0, half)],
            "junk first" => vec![(len, 4), (0, len)],
            "overlapping" => vec![(0, len), (len / 2, len - len / 2)],
            _ => vec![(0, len)],
        };
        let real = map.iter().map(|&(at, len)| at + len).max().unwrap_or(0);
        let source = [&body[..], b"junk", &[0; 1024]].concat();
        let stored: Vec<u8> = map.iter().flat_map(|&(at, len)| source[at..at + len].to_vec()).collect();
        let real = choices.lie("sparse length", real, &[0, 60, 512, 1, real + 1, 1 << 33]);
        if choices.lies("sparse map says more") {
            map.push((real, 1024));
        }
        let format = choices.pick(&["GNU", "GNU, extended", "pax 1.0", "pax 0.1", "pax 0.0"]);
        choices.note(format!("sparse, {format}: {shape} {map:?} of {real}"));
        *body = stored;
        let records = |pairs: &[(&str, String)]| {
            Some(pairs.iter().flat_map(|(key, value)| record(key, value, "right")).collect::<Vec<u8>>())
        };
        let name = ("GNU.sparse.name", name.to_owned());
        match format {
            "GNU" => Self { kind: Some(b'S'), gnu: Some(GnuMap::new(&map, real, 4)), records: None },
            "GNU, extended" => Self { kind: Some(b'S'), gnu: Some(GnuMap::new(&map, real, 1)), records: None },
            "pax 1.0" => {
                let mut head = format!("{}\n", map.len()).into_bytes();
                for (at, len) in &map {
                    head.extend(format!("{at}\n{len}\n").into_bytes());
                }
                pad(&mut head, 0);
                *body = [head, std::mem::take(body)].concat();
                let (major, minor) = (("GNU.sparse.major", "1".to_owned()), ("GNU.sparse.minor", "0".to_owned()));
                let real = ("GNU.sparse.realsize", real.to_string());
                Self { kind: None, gnu: None, records: records(&[major, minor, name, real]) }
            }
            "pax 0.1" => {
                let list = map.iter().map(|(at, len)| format!("{at},{len}")).collect::<Vec<_>>().join(",");
                let size = ("GNU.sparse.size", real.to_string());
                let blocks = ("GNU.sparse.numblocks", map.len().to_string());
                Self { kind: None, gnu: None, records: records(&[size, blocks, name, ("GNU.sparse.map", list)]) }
            }
            _ => {
                let mut pairs =
                    vec![("GNU.sparse.size", real.to_string()), ("GNU.sparse.numblocks", map.len().to_string())];
                for (at, len) in &map {
                    pairs.push(("GNU.sparse.offset", at.to_string()));
                    pairs.push(("GNU.sparse.numbytes", len.to_string()));
                }
                Self { kind: None, gnu: None, records: records(&pairs) }
            }
        }
    }
}
