//! Binaries inside other files.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::*;
use crate::InsideSearch;
use crate::inside::work;

/// A module with a section of this many bytes that do not repeat.
fn module(len: usize, seed: u32) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    let data = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as u8
    });
    let mut payload = b"\x04data".to_vec();
    payload.extend(data.take(len));
    let mut module = b"\0asm\x01\0\0\0\0".to_vec();
    let mut size = payload.len();
    while size >= 0x80 {
        module.push(size as u8 | 0x80);
        size >>= 7;
    }
    module.push(size as u8);
    module.extend(payload);
    module
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    miniz_oxide::deflate::compress_to_vec_zlib(bytes, 6)
}

fn lines(text: &str, len: usize, between: &str) -> String {
    let lines: Vec<_> = text.as_bytes().chunks(len).map(|line| std::str::from_utf8(line).unwrap()).collect();
    lines.join(between)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

fn numbers(bytes: &[u8], between: &str) -> String {
    bytes.iter().map(u8::to_string).collect::<Vec<_>>().join(between)
}

/// Zlib with each of the levels that its header states.
fn zlib_levels(bytes: &[u8]) -> [Vec<u8>; 4] {
    let compressed = deflated(bytes);
    [0x01, 0x5e, 0x9c, 0xda].map(|level| [&[0x78, level], &compressed[2..]].concat())
}

/// A literal of a script, with escapes only where they are needed.
fn literal(bytes: &[u8]) -> String {
    let char = |byte: &u8| match byte {
        0 => "\\0".to_owned(),
        b'\n' => "\\n".to_owned(),
        b'\r' => "\\r".to_owned(),
        b'\\' | b'"' | b'`' => format!("\\{}", char::from(*byte)),
        1..=31 | 127..=159 => format!("\\x{byte:02x}"),
        _ => char::from(*byte).to_string(),
    };
    // A digit after `\0` would be a part of the escape.
    let mut text: String = bytes.iter().map(char).collect();
    for digit in 0..=9 {
        text = text.replace(&format!("\\0{digit}"), &format!("\\x00{digit}"));
    }
    text
}

/// A character of a literal that is one more than a byte.
fn shifted(byte: u8) -> String {
    match char::from_u32(u32::from(byte) + 1) {
        Some(char @ (' '..='~')) if char != '"' && char != '`' && char != '\'' && char != '\\' => char.to_string(),
        _ => format!("\\u{:04x}", u32::from(byte) + 1),
    }
}

/// As Emscripten writes a binary: as it is, in UTF-8, with U+0100 instead of NUL.
fn emscripten(bytes: &[u8]) -> String {
    let char = |byte: &u8| match byte {
        0 => "\u{100}".to_owned(),
        b'\n' => "\\n".to_owned(),
        b'\r' => "\\r".to_owned(),
        b'\\' | b'\'' => format!("\\{}", char::from(*byte)),
        _ => char::from(*byte).to_string(),
    };
    bytes.iter().map(char).collect()
}

/// The text of every encoding of some bytes, without the quotes around it, and the name of the encoding.
fn encodings(bytes: &[u8]) -> Vec<(&'static str, String)> {
    let base64 = STANDARD.encode(bytes);
    let all_escapes = bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect::<Vec<_>>().concat();
    let unicode = bytes.iter().map(|byte| format!("\\u{byte:04x}")).collect::<Vec<_>>().concat();
    let shifted: String = bytes.iter().map(|byte| shifted(*byte)).collect();
    vec![
        ("base64", base64.clone()),
        ("base64", URL_SAFE_NO_PAD.encode(bytes)),
        ("base64", lines(&base64, 76, "\n")),
        ("base64", lines(&base64, 64, "\\n")),
        ("base64", lines(&URL_SAFE_NO_PAD.encode(bytes), 76, "\n")),
        ("base64", lines(&base64, 60, "\" +\n    \"")),
        ("base64", lines(&base64, 60, "\"\n    \"")),
        ("base64", base64.replace('/', "\\/").replace('+', "\\x2b").replace('=', "\\u003d")),
        ("base64", base64.replace('/', "%2F").replace('+', "%2B").replace('=', "%3D")),
        ("hex", hex(bytes)),
        ("hex", hex(bytes).to_uppercase()),
        ("hex", lines(&hex(bytes), 64, "\n")),
        ("numbers", numbers(bytes, ",")),
        ("numbers", numbers(bytes, ", ")),
        ("numbers", numbers(bytes, ",\n  ")),
        ("numbers", bytes.chunks(16).map(|line| numbers(line, ", ")).collect::<Vec<_>>().join(", /* 16 */\n    ")),
        ("numbers", bytes.iter().map(|byte| format!("0x{byte:02x}")).collect::<Vec<_>>().join(", ")),
        ("numbers", bytes.iter().map(|byte| format!("0x{byte:02X}")).collect::<Vec<_>>().join(",\n")),
        ("numbers", bytes.iter().map(|&byte| byte.cast_signed().to_string()).collect::<Vec<_>>().join(",")),
        ("string", literal(bytes)),
        ("string", all_escapes),
        ("string", unicode),
        ("string", shifted),
    ]
}

/// Files around a text, and the number of bytes before it.
fn carriers(text: &str) -> Vec<(&'static str, String)> {
    let filler = "export function f(value) { return value.map((x) => x * 115).join(', '); }\n".repeat(40);
    vec![
        ("js", format!("{filler}const wasm = \"{text}\";\n{filler}")),
        ("ts", format!("{filler}const wasm: string = `{text}`;\n{filler}")),
        ("html", format!("<script>\n{filler}load(\"{text}\");</script>")),
        ("json", format!("{{\"name\": \"x\", \"data\": \"{text}\"}}")),
        ("py", format!("DATA = b\"{text}\"\n")),
        ("uri", format!("fetch(\"data:application/wasm;base64,{text}\")")),
        ("text", format!("\"{text}\"")),
    ]
}

/// Checks that a file has exactly these bytes inside.
#[track_caller]
fn check(file: &[u8], encoding: &str, bytes: &[u8], what: &str) {
    let recorder = walk_file(file);
    let found: Vec<_> = recorder.blobs.iter().map(|blob| (&*blob.file, &*blob.bytes == bytes)).collect();
    assert!(
        matches!(&found[..], [(name, true)] if name.starts_with(&format!("a!{encoding}@"))),
        "{what}: {found:?} {:?}",
        recorder.codes()
    );
    assert_eq!(recorder.codes(), [""; 0], "{what}");
}

#[test]
fn every_encoding_is_found_in_every_carrier() {
    for module in [MODULE.to_vec(), module(40, 3), module(5_000, 7)] {
        for (encoding, text) in encodings(&module) {
            for (carrier, file) in
                carriers(&text).into_iter().filter(|(carrier, _)| *carrier != "uri" || encoding == "base64")
            {
                check(file.as_bytes(), encoding, &module, &format!("{carrier}: {}", &text[..text.len().min(80)]));
            }
        }
    }
}

#[test]
fn names_have_the_offset_of_the_text() {
    let text = STANDARD.encode(MODULE);
    let recorder = walk_file(format!("const wasm = '{text}'; const more = '{text}';").as_bytes());
    let second = 14 + text.len() + 17;
    assert_eq!(recorder.files(), ["a!base64@14".to_owned(), format!("a!base64@{second}")]);
}

#[test]
fn percent_encoded_uris_are_found() {
    for module in [MODULE.to_vec(), module(3_000, 7)] {
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric();
        let encoded = |byte| if is_plain(byte) { char::from(*byte).to_string() } else { format!("%{byte:02X}") };
        let text: String = module.iter().map(encoded).collect();
        check(format!("fetch('data:application/wasm,{text}')").as_bytes(), "percent", &module, "URI");
    }
}

#[test]
fn strings_of_emscripten_are_found() {
    for module in [module(40, 3), module(5_000, 7)] {
        let text = emscripten(&module);
        check(format!("findWasmBinary(){{return binaryDecode('{text}')}}").as_bytes(), "string", &module, "U+0100");
        let text = text.replace('\u{100}', "\u{fffd}");
        check(format!("binaryDecode('{text}')").as_bytes(), "string", &module, "U+FFFD");
        let text = text.replace('\u{fffd}', "\0");
        check(format!("binaryDecode('{text}')").as_bytes(), "string", &module, "NUL");
        let shifted: String = module.iter().map(|&byte| char::from_u32(u32::from(byte) + 1).unwrap()).collect();
        let shifted = shifted.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n").replace('\r', "\\r");
        check(format!("binaryDecode('{shifted}')").as_bytes(), "string", &module, "shifted");
    }
}

#[test]
fn source_maps_escape_literals_twice() {
    let module = module(3_000, 5);
    for (encoding, text) in encodings(&module) {
        for quote in ['"', '\''] {
            let script = format!("const wasm = {quote}{text}{quote};\nload(wasm);\n");
            if quote == '\'' && text.contains(['\'', '"']) {
                continue; // it would end there
            }
            let map = serde_json::json!({ "version": 3, "sourcesContent": ["let x = 1;\n", script] }).to_string();
            check(map.as_bytes(), encoding, &module, &text[..text.len().min(80)]);
        }
    }
}

#[test]
fn compressed_data_is_found_beneath() {
    let module = module(900, 5);
    let others = [("gzip", gzip(&module)), ("zstd", zstd(&module)), ("brotli", brotli_stored(&module))];
    for (compression, bytes) in zlib_levels(&module).map(|bytes| ("zlib", bytes)).into_iter().chain(others) {
        for (encoding, text) in encodings(&bytes) {
            for (carrier, file) in carriers(&text).into_iter().filter(|(carrier, _)| *carrier != "uri") {
                let what = format!("{compression} in {carrier}: {}", &text[..text.floor_char_boundary(80)]);
                let is_hexadecimal = text.starts_with("0x");
                match (encoding, compression) {
                    ("base64" | "hex", _) | ("numbers", "gzip" | "zlib") => {
                        check(file.as_bytes(), encoding, &module, &what);
                    }
                    ("numbers", "zstd") if !is_hexadecimal => {
                        check(file.as_bytes(), encoding, &module, &what);
                    }
                    _ => assert_eq!(walk_file(file.as_bytes()).files(), [""; 0], "{what}"),
                }
            }
        }
    }
}

#[test]
fn short_compressed_data_is_found_beneath() {
    let small = gzip(MODULE);
    check(format!("atob('{}')", STANDARD_NO_PAD.encode(&small)).as_bytes(), "base64", MODULE, "Base64");
    check(format!("[{}]", numbers(&small, ",")).as_bytes(), "numbers", MODULE, "numbers");
    let hexadecimal = |bytes: &[u8]| bytes.iter().map(|byte| format!("0x{byte:02X}")).collect::<Vec<_>>().join(", ");
    for compressed in zlib_levels(MODULE).into_iter().chain([small]) {
        check(format!("{{ {} }}", hexadecimal(&compressed)).as_bytes(), "numbers", MODULE, "hexadecimal numbers");
    }
}

/// Lists of numbers have no signature that is rare in scripts. Their start is found from any position in them.
#[test]
fn compressed_lists_are_found_at_every_position() {
    let module = module(60, 5);
    let text = numbers(&deflated(&module), ",");
    for at in (0..=128).chain([131_000, 131_071, 131_072]) {
        let spaces = " ".repeat(at);
        for before in [format!("{spaces}["), format!("[{}1],[", "2,".repeat(at)), format!("{spaces}{{\n    ")] {
            let file = format!("{before}{text}]; x = [1,2]");
            check(file.as_bytes(), "numbers", &module, &format!("{at}: {before:.9}"));
        }
    }
}

#[test]
fn several_steps_are_undone() {
    let module = module(700, 9);
    let worker = format!("self.onmessage = () => load(\"{}\"); // {}", STANDARD.encode(&module), "worker ".repeat(30));
    let page = format!("new Worker('data:text/javascript;base64,{}')", STANDARD.encode(&worker));
    let recorder = walk_file(page.as_bytes());
    assert_eq!(recorder.files(), ["a!base64@40!base64@29"]);
    assert_eq!(recorder.blobs[0].bytes, module);

    let compressed = format!("x = \"{}\"", STANDARD.encode(gzip(worker.as_bytes())));
    assert_eq!(walk_file(compressed.as_bytes()).files(), ["a!base64@5!base64@29"]);
    for file in [gzip(page.as_bytes()), tar(&[("b.js", page.as_bytes())]), zip(&[("b.js", page.as_bytes(), true)])] {
        let recorder = walk_file(&file);
        assert!(recorder.files()[0].ends_with("!base64@40!base64@29") && recorder.codes().is_empty());
    }
}

/// Random numbers that are the same in every run.
struct Random(u32);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 as usize % most
    }
}

/// A module that is encoded in random steps is found, and nothing else.
#[test]
fn random_chains_of_encodings_are_undone() {
    let mut random = Random(0x5ec7_11e5);
    for nth in 0..200 {
        let module = module(20 + random.below(600), nth);
        let (mut file, mut steps) = (module.clone(), Vec::new());
        for _ in 0..=random.below(2) {
            if random.below(2) == 0 && file.len() > 100 {
                let name = ["gzip", "zstd", "zlib"][random.below(3)];
                // Only Base64 and hexadecimal digits are decoded without the start of a binary.
                file = match name {
                    "gzip" => gzip(&file),
                    "zstd" => zstd(&file),
                    _ => deflated(&file),
                };
                let (encoding, text) =
                    if random.below(2) == 0 { ("base64", STANDARD.encode(&file)) } else { ("hex", hex(&file)) };
                steps.extend([name, encoding]);
                file = carriers(&text)[random.below(5)].1.clone().into_bytes();
                continue;
            }
            let mut all = encodings(&file);
            if file != module {
                all.retain(|(encoding, _)| *encoding == "base64" || *encoding == "hex");
            }
            let (encoding, text) = all.swap_remove(random.below(all.len()));
            steps.push(encoding);
            file = carriers(&text)[random.below(5)].1.clone().into_bytes();
        }
        let recorder = walk_file(&file);
        assert_eq!(
            recorder.blobs.len(),
            1,
            "{nth}: {steps:?} {:?} {}",
            recorder.errors,
            String::from_utf8_lossy(&file)
        );
        assert!(recorder.blobs[0].bytes == module && recorder.codes().is_empty(), "{nth}: {steps:?}");
    }
}

#[test]
fn binaries_are_found_in_other_binaries() {
    let module = module(700, 9);
    for (before, after) in [(&b"\x7fELF and data"[..], &[0_u8; 900][..]), (&[0xff; 3000], b"text"), (b"", b"oops")] {
        let file = [before, b" ", &module, after].concat();
        let recorder = walk_file(&file);
        assert_eq!(recorder.files(), [format!("a!raw@{}", before.len() + 1)]);
        assert_eq!(recorder.blobs[0].bytes, module);
    }
}

/// A module with a data section of these bytes.
fn with_data(data: &[u8]) -> Vec<u8> {
    let mut module = b"\0asm\x01\0\0\0".to_vec();
    let size = data.len() as u32;
    module.extend([11, size as u8 & 0x7f | 0x80, (size >> 7) as u8 & 0x7f | 0x80, (size >> 14) as u8]);
    module.extend(data);
    module
}

#[test]
fn data_sections_are_searched() {
    let inner = module(300, 4);
    let text = format!("const wasm = '{}';", STANDARD.encode(&inner));
    for (data, name) in [(&inner, "raw@12"), (&text.into_bytes(), "base64@26")] {
        let outer = with_data(data);
        for (file, outer_name) in [
            (outer.clone(), "a"),
            (gzip(&outer), "a"),
            (zip(&[("m.wasm", &outer, true)]), "a!m.wasm"),
            (tar(&[("m.wasm", &outer)]), "a!m.wasm"),
        ] {
            let recorder = walk_file(&file);
            assert_eq!(recorder.files(), [outer_name.to_owned(), format!("{outer_name}!{name}")]);
            assert_eq!((&recorder.blobs[0].bytes, &recorder.blobs[1].bytes), (&outer, &inner));
            assert_eq!(recorder.codes(), [""; 0]);
        }
        let script = format!("load('{}')", STANDARD.encode(&outer));
        assert_eq!(walk_file(script.as_bytes()).files(), ["a!base64@6".to_owned(), format!("a!base64@6!{name}")]);
    }
    // Other sections are not searched: the modules of a component are parts of it.
    let custom = [MODULE, &[0, 23, 1, b'x'], MODULE].concat();
    assert_eq!(walk_file(&custom).files(), ["a"]);
}

#[test]
fn data_without_binaries_has_no_rows() {
    let base64 = STANDARD.encode(module(5_000, 1).split_at(20).1);
    for text in [
        " \0asm\x01\0\0\0".to_owned(),
        "const magic = '\\0asm'; if (bytes[1] === 97) {}".to_owned(),
        "new Uint8Array([0,97,115,109,1,0,0,0])".to_owned(),
        "rgb( 0, 97, 115, 109)".to_owned(),
        "AGFzbQEAAAA is how WebAssembly begins in Base64".to_owned(),
        "00 61 73 6d 01 00 00 00 is the preamble".to_owned(),
        "AGFzbQEAAAABBgFgAX8BfwMCAQAHCAEEdGV...".to_owned(),
        format!("const image = '{base64}';"),
        hex(base64.as_bytes()),
        "H4sIAAAAAAAAA".repeat(20),
        "x".repeat(10_000),
    ] {
        let recorder = walk_file(text.as_bytes());
        assert_eq!((recorder.files(), recorder.codes(), recorder.passed), (vec![], vec![], 1), "{text:.80}");
    }
}

#[test]
fn text_that_ends_with_the_file_has_a_finding() {
    let module = module(900, 5);
    for (_, text) in encodings(&module).into_iter().filter(|(_, text)| !text.contains('\n')) {
        let file = format!("const x = \"{}", &text[..text.floor_char_boundary(text.len() / 2)]);
        let recorder = walk_file(file.as_bytes());
        assert_eq!(recorder.codes(), ["malformed-archive a"], "{file:.80}");
        assert!(recorder.files().is_empty());
    }
}

#[test]
fn search_can_be_turned_off() {
    let options = WalkOptions { inside: InsideSearch::Never, ..WalkOptions::default() };
    let file = format!("const x = '{}'", STANDARD.encode(MODULE));
    let recorder = walk_file_with(file.as_bytes(), &options, Recorder::default());
    assert_eq!((recorder.blobs.len(), recorder.passed), (0, 1));
}

#[test]
fn windows_do_not_change_what_is_found() {
    let module = module(600, 2);
    let text = STANDARD.encode(&module);
    for at in (0..4).map(|nth| 130_000 + 400 * nth).chain([131_071, 131_072, 262_143, 262_144, 524_287]) {
        for between in ["", "\n"] {
            let file = format!("{}\"{}\";", " ".repeat(at - 1), lines(&text, 76, between));
            let recorder = walk_file(file.as_bytes());
            assert_eq!(recorder.files(), [format!("a!base64@{at}")]);
            assert_eq!(recorder.blobs[0].bytes, module);
        }
    }
}

#[test]
fn names_with_separators_are_escaped() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("a!b.js"), format!("x('{}')", STANDARD.encode(MODULE))).unwrap();
    assert_eq!(walk_path(directory.path()).files(), ["a!!b.js!base64@3"]);
}

/// Each candidate has bounded work, however many there are and however they overlap.
#[test]
fn work_is_linear_in_the_number_of_candidates() {
    const MANY: usize = 10_000;
    const MOST_FOR_EACH: u64 = 16 << 10; // the text of 1 KiB, in two encodings; overlaps exceed a limit earlier
    let forms: &[&[u8]] = &[
        b"AGFzbQEAAAAA",
        b"\"AGFzbQEAAAA\",",
        b"\"AGFzbQEAAAAA\" + ",
        b"AGFzbQEAAAAACwRuYW1l",
        b"xABhc20BAAAA,",
        b"xyAAYXNtAQAAA\n",
        b"H4sIAAAAAAAAA",
        b"KLUv/QAAAAAA ",
        b"0061736d01000000",
        b"00 61 73 6d 01 00 00 00\n",
        b"1f8b0800",
        b"0,97,115,109,1,0,0,0,",
        b"0,97,115,109,1,0,0,0,0,200,1,",
        b"0x00,0x61,0x73,0x6d,",
        b"0,97,",
        b"31,139,8,",
        b"\\0asm\\x01",
        b"\\0asm\\x01\\0\\0\\0\\0\\xff\\x01",
        b"\\x00\\x61\\x73\\x6d",
        b"\\u0000\\u0061\\u0073",
        b"%00asm%01%00%00%00",
        b"\xc4\x80asm\x01\xc4\x80",
        b"\x01btn\x02\x01\x01\x01",
        b"\0asm\x01\0\0\0",
        b"\0asm\x01\0\0\0\0\xff\xff\xff\x7f\x01a",
        b"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0NTY3ODlBQkNERUZHSElKS0xNTk9QUVJTVFVWV1hZWg== ",
    ];
    for form in forms {
        let file = form.repeat(MANY);
        let work = work::during(|| _ = walk_file(&file));
        let most = MOST_FOR_EACH * MANY as u64;
        assert!(work <= most, "{}: {work} of {most}", form.escape_ascii());
    }
}

#[test]
fn millions_of_candidates_take_as_much_work_each_as_thousands() {
    let work = |number: usize| work::during(|| _ = walk_file(&b"\"AGFzbQEAAAA\",".repeat(number)));
    let (few, many) = (work(10_000), work(1_000_000));
    assert!(many <= 110 * few, "{few} and {many}");
}

#[test]
fn text_nested_too_deep_has_a_finding() {
    let module = module(700, 9);
    let padding = "a worker ".repeat(20);
    let mut text = format!("load(\"{}\"); // {padding}", STANDARD.encode(&module));
    for _ in 0..4 {
        text = format!("import(\"{}\"); // {padding}", STANDARD.encode(&text));
    }
    let recorder = walk_file(text.as_bytes());
    assert_eq!(recorder.files(), [""; 0]);
    assert_eq!(recorder.codes().len(), 1, "{:?}", recorder.codes());
    assert!(recorder.codes()[0].starts_with("archive-limit a"), "{:?}", recorder.codes());
    let options = WalkOptions { max_nesting: 8, ..WalkOptions::default() };
    let recorder = walk_file_with(text.as_bytes(), &options, Recorder::default());
    assert_eq!((recorder.blobs.len(), recorder.codes()), (1, vec![]));
    // Text without binaries has none.
    let mut text = format!("hello('world'); // {padding}");
    for _ in 0..4 {
        text = format!("import(\"{}\"); // {padding}", STANDARD.encode(&text));
    }
    assert_eq!(walk_file(text.as_bytes()).codes(), [""; 0]);
}

#[test]
fn brotli_of_text_is_found_beneath() {
    let module = module(700, 9);
    let script = format!("load(\"{}\"); // {}", STANDARD.encode(&module), "worker ".repeat(30));
    // In short blocks, so that the text cannot be found without decoding.
    let block = |bytes: &[u8]| [&[(bytes.len() as u8 - 1) << 3, 0, 8], bytes].concat();
    let blocks: Vec<_> = script.as_bytes()[16..].chunks(16).map(block).collect();
    let compressed = [&[0xf0, 0, 0x10], &script.as_bytes()[..16], &blocks.concat(), &[3]].concat();
    let file = format!("x = '{}'", STANDARD.encode(&compressed));
    let recorder = walk_file(file.as_bytes());
    assert_eq!((recorder.files(), &recorder.blobs[0].bytes), (vec!["a!base64@5!base64@6"], &module));
    // Data that only begins like Brotli is not.
    for other in [&compressed[..compressed.len() - 1], &[&*compressed, b"more"].concat()] {
        assert_eq!(walk_file(format!("x = '{}'", STANDARD.encode(other)).as_bytes()).files(), [""; 0]);
    }
}

/// `MODULE`, compressed by `xz` and by `bzip2`.
const XZ: &[u8] = &[
    253, 55, 122, 88, 90, 0, 0, 4, 230, 214, 180, 70, 2, 0, 33, 1, 12, 0, 0, 0, 143, 152, 65, 156, 1, 0, 21, 0, 97,
    115, 109, 1, 0, 0, 0, 0, 12, 8, 108, 105, 99, 101, 110, 115, 101, 115, 77, 73, 84, 0, 0, 0, 126, 35, 8, 249, 253,
    77, 62, 225, 0, 1, 46, 22, 86, 9, 85, 223, 31, 182, 243, 125, 1, 0, 0, 0, 0, 4, 89, 90,
];
const BZIP2: &[u8] = &[
    66, 90, 104, 57, 49, 65, 89, 38, 83, 89, 144, 174, 222, 33, 0, 0, 2, 199, 128, 96, 68, 0, 34, 4, 0, 42, 39, 8, 0,
    32, 0, 33, 169, 166, 77, 26, 99, 66, 152, 0, 4, 64, 30, 184, 189, 62, 90, 150, 185, 221, 130, 112, 93, 201, 20,
    225, 66, 66, 66, 187, 120, 132,
];

/// An ar archive of one entry.
fn ar(name: &str, bytes: &[u8]) -> Vec<u8> {
    let header = format!("!<arch>\n{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, 0, "100644", bytes.len());
    [header.as_bytes(), bytes, if bytes.len() % 2 == 1 { b"\n" } else { b"" }].concat()
}

#[test]
fn xz_bzip2_and_ar_are_opened() {
    for compressed in [XZ, BZIP2] {
        let recorder = walk_file(compressed);
        assert_eq!((recorder.files(), &*recorder.blobs[0].bytes), (vec!["a"], MODULE));
        assert_eq!(walk_file(&tar(&[("m.wasm.xz", compressed)])).files(), ["a!m.wasm.xz"]);
        let half = walk_file(&compressed[..compressed.len() / 2]);
        assert_eq!(half.errors.len(), 1, "{:?}", half.codes());
    }
    let recorder = walk_file(&ar("m.wasm/", MODULE));
    assert_eq!((recorder.files(), &*recorder.blobs[0].bytes), (vec!["a!m.wasm"], MODULE));
    let package =
        [ar("debian-binary", b"2.0\n"), ar("data.tar.gz", &gzip(&tar(&[("m", MODULE)])))[8..].to_vec()].concat();
    assert_eq!(walk_file(&package).files(), ["a!data.tar.gz!m"]);
    assert_eq!(walk_file(&ar("m.o", MODULE)[..70]).codes(), ["malformed-archive a"]);
}

#[test]
fn names_that_end_in_br_are_decoded() {
    let compressed = brotli_stored(MODULE);
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("a.wasm.br"), &compressed).unwrap();
    let script = format!("load('{}')", STANDARD.encode(MODULE));
    fs::write(directory.path().join("b.js.br"), brotli_stored(script.as_bytes())).unwrap();
    fs::write(directory.path().join("c.zip"), zip(&[("d.wasm.br", &compressed, false), ("e.br", &compressed, true)]))
        .unwrap();
    let recorder = walk_path(directory.path());
    assert_eq!(recorder.files(), ["a.wasm.br", "b.js.br!base64@9", "c.zip!d.wasm.br", "c.zip!e.br"]);
    assert_eq!(recorder.codes(), [""; 0]);
}

/// Brotli whose only block is not compressed. Source: RFC 7932, 9.2.
fn brotli_stored(bytes: &[u8]) -> Vec<u8> {
    // A window of 64 KiB (1 bit), not the last block (1), a length of 4 nibbles (2), the length (16), not compressed (1).
    let header = (bytes.len() as u32 - 1) << 4 | 1 << 20;
    [&header.to_le_bytes()[..3], bytes, &[3]].concat()
}
