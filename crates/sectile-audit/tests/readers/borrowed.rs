//! Cases from the test data of Go and CPython: their archives, with modules in place of the files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::generator::{Case, Openers};
use super::modules;

/// Length of the shortest module.
const SHORTEST: usize = 60;
/// Number of modules of one case.
const MOST: usize = 99;
/// Some archives of the test data expand to gigabytes.
const MAX_LEN: u64 = 4 << 20;

/// All archives of the test data, each with modules if any of its files can be one.
pub(crate) fn cases() -> Vec<Case> {
    let mut files = Vec::new();
    for directory in directories() {
        collect(&directory, &mut files);
    }
    files.sort();
    files.iter().filter_map(|path| case(path)).collect()
}

/// The directories of test data: of Go's packages `archive/tar` and `archive/zip`, and of CPython's tests.
fn directories() -> Vec<PathBuf> {
    let print = |program: &str, args: &[&str]| {
        let output = Command::new(program).args(args).output().unwrap_or_else(|error| panic!("{program}: {error}"));
        PathBuf::from(String::from_utf8(output.stdout).unwrap().trim())
    };
    let go = print("go", &["env", "GOROOT"]).join("src/archive");
    // Debian has the tests in a package of their own.
    let python = print("python3", &["-c", "import os, test; print(os.path.dirname(test.__file__))"]);
    vec![go.join("tar/testdata"), go.join("zip/testdata"), python]
}

/// Adds the archives below a directory.
fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    const EXTENSIONS: [&str; 4] = ["tar", "zip", "notzip", "base64"];
    for entry in fs::read_dir(directory).into_iter().flatten() {
        let path = entry.unwrap().path();
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        if path.is_dir() {
            collect(&path, files);
        } else if EXTENSIONS.contains(&extension) || path.to_str().is_some_and(|path| path.contains("/exe_with_z")) {
            files.push(path);
        }
    }
}

/// The case of a file; `None` if it is too long.
fn case(path: &Path) -> Option<Case> {
    if fs::metadata(path).ok()?.len() > MAX_LEN {
        return None;
    }
    let mut bytes = fs::read(path).unwrap();
    let mut name = path.to_str()?;
    if let Some(decoded) = name.strip_suffix(".base64") {
        name = decoded;
        bytes.retain(|byte| !byte.is_ascii_whitespace());
        bytes = BASE64_STANDARD.decode(bytes).ok()?;
    }
    let is_tar = name.ends_with(".tar");
    let planted = if is_tar { plant_in_tar(&mut bytes) } else { plant_in_zip(&mut bytes) };
    let escapes = bytes.windows(3).any(|window| window == b"../");
    Some(Case {
        bytes,
        extension: if is_tar { "tar" } else { "zip" },
        openers: if is_tar { Openers::Tar } else { Openers::Zip },
        escapes,
        choices: Vec::new(),
        recipe: vec![path.file_name()?.to_str()?.to_owned(), format!("{planted} modules")],
    })
}

/// Makes the files of a tar modules, by valid headers. Returns their number.
fn plant_in_tar(bytes: &mut [u8]) -> usize {
    const BLOCK: usize = 512;
    let (mut at, mut planted) = (0, 0);
    while at + 2 * BLOCK <= bytes.len() && planted < MOST {
        let header = &bytes[at..at + BLOCK];
        let size = octal(&header[124..136]);
        at += BLOCK;
        let Some(size) = size.filter(|size| *size > 0 && is_header(header)) else { continue };
        let is_file = [b'0', b'7', 0].contains(&header[156]);
        let room = size.next_multiple_of(BLOCK);
        if is_file && at + room <= bytes.len() {
            // A module of up to 9 more bytes than the shortest has no room for the header of its padding.
            let len = if size < SHORTEST + 10 { SHORTEST } else { size };
            bytes[at..at + len].copy_from_slice(&modules::module(planted, len));
            let header = &mut bytes[at - BLOCK..at];
            header[124..136].copy_from_slice(format!("{len:011o}\0").as_bytes());
            let sum = checksum(header);
            header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
            planted += 1;
        }
        at = at.saturating_add(room);
    }
    planted
}

fn is_header(header: &[u8]) -> bool {
    octal(&header[148..156]) == Some(checksum(header))
}

/// The sum of the bytes, with spaces for the checksum itself.
fn checksum(header: &[u8]) -> usize {
    header.iter().enumerate().map(|(at, byte)| usize::from(if (148..156).contains(&at) { b' ' } else { *byte })).sum()
}

fn octal(field: &[u8]) -> Option<usize> {
    let text = str::from_utf8(field).ok()?.trim_matches(['\0', ' ']);
    usize::from_str_radix(text, 8).ok()
}

const LOCAL: &[u8] = b"PK\x03\x04";
const CENTRAL: &[u8] = b"PK\x01\x02";
const DESCRIPTOR: &[u8] = b"PK\x07\x08";

/// Makes the entries of a zip modules of the same compressed length. Returns their number.
fn plant_in_zip(bytes: &mut [u8]) -> usize {
    let mut planted = 0;
    for local in places(bytes, LOCAL) {
        let Some(name) = name(bytes, local, 26, 30) else { continue };
        let central =
            places(bytes, CENTRAL).into_iter().find(|at| self::name(bytes, *at, 28, 46).as_ref() == Some(&name));
        let Some(central) = central else { continue };
        let method = u16_at(bytes, central + 10);
        let compressed = u32_at(bytes, central + 20);
        let data = local + 30 + name.len() + u16_at(bytes, local + 28);
        // A deflated entry becomes one stored block.
        let Some(len) = compressed.checked_sub(if method == 8 { 5 } else { 0 }) else { continue };
        let is_possible = [0, 8].contains(&method) && (SHORTEST..1 << 16).contains(&len) && planted < MOST;
        if !is_possible || data + compressed > bytes.len() {
            continue;
        }
        let module = modules::module(planted, len);
        if module.len() != len {
            continue;
        }
        if method == 8 {
            let [low, high] = (len as u16).to_le_bytes();
            bytes[data..data + 5].copy_from_slice(&[1, low, high, !low, !high]);
        }
        bytes[data + compressed - len..data + compressed].copy_from_slice(&module);
        let sums = [crc32fast::hash(&module), compressed as u32, len as u32].map(u32::to_le_bytes).concat();
        bytes[central + 16..central + 28].copy_from_slice(&sums);
        let has_descriptor = u16_at(bytes, local + 6) & 8 != 0;
        if !has_descriptor {
            bytes[local + 14..local + 26].copy_from_slice(&sums);
        } else {
            let end = data + compressed;
            let end = if bytes[end..].starts_with(DESCRIPTOR) { end + 4 } else { end };
            bytes[end..end + 12].copy_from_slice(&sums);
        }
        planted += 1;
    }
    planted
}

fn places(bytes: &[u8], signature: &[u8]) -> Vec<usize> {
    bytes.windows(4).enumerate().filter(|(_, window)| *window == signature).map(|(at, _)| at).collect()
}

/// The name in a header, whose length is at one place and whose text begins at another.
fn name(bytes: &[u8], header: usize, len_at: usize, text_at: usize) -> Option<Vec<u8>> {
    (header + 46 <= bytes.len())
        .then(|| u16_at(bytes, header + len_at))?
        .checked_add(header + text_at)
        .and_then(|end| bytes.get(header + text_at..end).map(<[u8]>::to_vec))
}

fn u16_at(bytes: &[u8], at: usize) -> usize {
    usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]))
}

fn u32_at(bytes: &[u8], at: usize) -> usize {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]) as usize
}
