//! Binaries with the number, sizes and order of the sections of corpus files. Their contents are
//! just valid enough for `wasm_metadata`: function bodies of zeros, sections without entries.

/// Id of a section, name of a custom section, and length of its payload or data.
type Part = (u8, &'static str, usize);

pub const OPENCASCADE: [Part; 8] = [
    (TYPE, "", 17_594),
    (IMPORT, "", 6_281),
    (FUNCTION, "", 84_483),
    (GLOBAL, "", 9),
    (EXPORT, "", 177),
    (ELEMENT, "", 558_459),
    (CODE, "", 55_708_025),
    (DATA, "", 9_488_971),
];

pub const RUBY_DEBUG: [Part; 21] = [
    (TYPE, "", 1_037),
    (IMPORT, "", 3_596),
    (FUNCTION, "", 17_493),
    (TABLE, "", 7),
    (MEMORY, "", 4),
    (GLOBAL, "", 19),
    (EXPORT, "", 947),
    (ELEMENT, "", 17_936),
    (DATA_COUNT, "", 1),
    (CODE, "", 11_320_116),
    (DATA, "", 24_759_151),
    (CUSTOM, "name", 527_723),
    (CUSTOM, ".debug_abbrev", 217_873),
    (CUSTOM, ".debug_info", 6_418_466),
    (CUSTOM, ".debug_ranges", 604_352),
    (CUSTOM, ".debug_str", 1_197_007),
    (CUSTOM, ".debug_line", 5_399_528),
    (CUSTOM, ".debug_loc", 3_486_698),
    (CUSTOM, ".debug_aranges", 73),
    (CUSTOM, "producers", 165),
    (CUSTOM, "target_features", 91),
];

pub const DUCKDB: [Part; 10] = [
    (CUSTOM, "dylink.0", 11),
    (TYPE, "", 7_066),
    (IMPORT, "", 21_534),
    (FUNCTION, "", 63_900),
    (GLOBAL, "", 222_754),
    (EXPORT, "", 7_425_323),
    (START, "", 1),
    (ELEMENT, "", 108_620),
    (CODE, "", 28_992_761),
    (DATA, "", 2_520_625),
];

const CUSTOM: u8 = 0;
const TYPE: u8 = 1;
const IMPORT: u8 = 2;
const FUNCTION: u8 = 3;
const TABLE: u8 = 4;
const MEMORY: u8 = 5;
const GLOBAL: u8 = 6;
const EXPORT: u8 = 7;
const START: u8 = 8;
const ELEMENT: u8 = 9;
const CODE: u8 = 10;
const DATA: u8 = 11;
const DATA_COUNT: u8 = 12;

const MODULE_PREAMBLE: [u8; 8] = *b"\0asm\x01\0\0\0";
const COMPONENT_PREAMBLE: [u8; 8] = *b"\0asm\x0d\0\x01\0";

/// A module of these sections. Its code section has bodies of 1,000 bytes, which its function
/// section counts.
pub fn module(parts: &[Part]) -> Vec<u8> {
    let code = parts.iter().find(|(id, ..)| *id == CODE).map_or(0, |&(_, _, len)| len);
    let functions = code / BODY;
    let mut module = MODULE_PREAMBLE.to_vec();
    for &(id, name, len) in parts {
        match id {
            CUSTOM => custom(&mut module, name, &custom_data(name, len)),
            FUNCTION => section(&mut module, FUNCTION, &counted(functions, len.max(functions + 5))),
            CODE => section(&mut module, CODE, &bodies(functions)),
            _ => section(&mut module, id, &counted(0, len.max(1))),
        }
    }
    module
}

/// A component of 590 sections and 15 nested items. The root has 420 sections, most of a few bytes:
/// 14 modules, three of them large, and a component.
pub fn component() -> Vec<u8> {
    const MODULES: [(usize, usize); 14] = [
        (5_000, 11_057_000),
        (2_900, 0),
        (100, 0),
        (373_000, 30_900),
        (900, 0),
        (300, 0),
        (300, 0),
        (200, 0),
        (5_949_000, 238_800),
        (231_000, 89_200),
        (1_500, 0),
        (2_000, 38_000),
        (700, 0),
        (300, 0),
    ];
    const LARGE: usize = 5_000;
    let mut component = COMPONENT_PREAMBLE.to_vec();
    fill(&mut component, 90, LARGE);
    for (code, data) in MODULES {
        let parts = [
            (TYPE, "", 120),
            (IMPORT, "", 400),
            (FUNCTION, "", 60),
            (EXPORT, "", 150),
            (CODE, "", code),
            (DATA, "", data),
            (CUSTOM, "producers", 60),
        ];
        section(&mut component, component_id::CORE_MODULE, &module(&parts));
    }
    fill(&mut component, 308, LARGE);
    let mut nested = COMPONENT_PREAMBLE.to_vec();
    fill(&mut nested, 72, 0);
    section(&mut component, component_id::COMPONENT, &nested);
    fill(&mut component, 5, 0);
    custom(&mut component, "component-name", &custom_data("component-name", 51_400));
    custom(&mut component, "producers", &custom_data("producers", 70));
    component
}

/// The bytes before and after the code section of a module, whose `code` bytes are omitted. Callers
/// make sparse files of a gigabyte from them.
pub fn around_code(code: u32) -> (Vec<u8>, Vec<u8>) {
    let mut before = module(&[(TYPE, "", 100), (IMPORT, "", 200), (FUNCTION, "", 300), (EXPORT, "", 100)]);
    before.push(CODE);
    number(&mut before, code);
    let mut behind = Vec::new();
    for (name, len) in [("name", 100), ("producers", 60), ("target_features", 90)] {
        custom(&mut behind, name, &custom_data(name, len));
    }
    (before, behind)
}

/// A component of this many small sections.
pub fn many_sections(sections: usize) -> Vec<u8> {
    let mut component = COMPONENT_PREAMBLE.to_vec();
    fill(&mut component, sections, 0);
    component
}

/// Small sections of a component: imports, aliases, canonical functions. One in twenty is a custom
/// section, and one is longer by this many bytes.
fn fill(component: &mut Vec<u8>, sections: usize, more: usize) {
    for n in 0..sections {
        let id = [component_id::ALIAS, component_id::CANON, component_id::TYPE, component_id::IMPORT][n % 4];
        let small = 9 + n * 7 % 40;
        match n % 20 {
            19 => custom(component, "note", b"of no meaning"),
            9 => section(component, id, &vec![0; small + more]),
            _ => section(component, id, &vec![0; small]),
        }
    }
}

mod component_id {
    pub const CORE_MODULE: u8 = 1;
    pub const COMPONENT: u8 = 4;
    pub const ALIAS: u8 = 6;
    pub const TYPE: u8 = 7;
    pub const CANON: u8 = 8;
    pub const IMPORT: u8 = 10;
}

/// Length of a function body with its size field.
const BODY: usize = 1_000;

/// A code section of this many bodies.
fn bodies(functions: usize) -> Vec<u8> {
    let mut code = Vec::with_capacity(functions * BODY + 5);
    number(&mut code, functions as u32);
    for _ in 0..functions {
        number(&mut code, BODY as u32 - 2);
        code.resize(code.len() + BODY - 2, 0);
    }
    code
}

/// A section of `len` bytes with a count of entries, which are zeros.
fn counted(entries: usize, len: usize) -> Vec<u8> {
    let mut payload = Vec::with_capacity(len);
    number(&mut payload, entries as u32);
    payload.resize(len, 0);
    payload
}

/// Valid data for a section of this name.
fn custom_data(name: &str, len: usize) -> Vec<u8> {
    match name {
        "producers" => b"\x02\x08language\x01\x04Rust\x00\x0cprocessed-by\x01\x05rustc\x061.95.0".to_vec(),
        "name" | "component-name" => {
            let mut names = b"\x00\x05\x04like".to_vec();
            section(&mut names, 1, &vec![0; len]); // a subsection has the same encoding
            names
        }
        _ => vec![0; len],
    }
}

fn custom(item: &mut Vec<u8>, name: &str, data: &[u8]) {
    let mut payload = Vec::with_capacity(data.len() + 20);
    number(&mut payload, name.len() as u32);
    payload.extend(name.as_bytes());
    payload.extend(data);
    section(item, CUSTOM, &payload);
}

fn section(item: &mut Vec<u8>, id: u8, payload: &[u8]) {
    item.push(id);
    number(item, payload.len() as u32);
    item.extend(payload);
}

/// The LEB128 encoding.
fn number(bytes: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}
