//! Packages in data sections: every driver agrees, for any windows, and nothing else is reported.

use arbitrary::Unstructured;
use sectile::inventory::{Inventory, InventoryReader};

use super::collectors::collect;
use crate::binary::{MODULE, active, data_section, passive};

/// Pieces of texts that name packages.
const FRAGMENTS: [&[u8]; 30] = [
    b"/home/u/.cargo/registry/src/",
    b"C:\\Users\\u\\.cargo\\registry\\src\\",
    b"index.crates.io-1949cf8c6b5b557f/",
    b"github.com-1ecc6299db9ec823\\",
    b"serde-1.0.219",
    b"/src/lib.rs",
    b"\\src\\de.rs",
    b"/home/u/.cargo/git/checkouts/",
    b"repo-a1cd3ade704ca26e/951788c/crates/inner",
    b"/rustc/29483883eed69d5fb4db01964cdf2af4d86e9cb2/library",
    b"/usr/src/rustc-1.85.0/library",
    b"/rust/deps/",
    b"vendor/",
    b"\x30\x77\xaf\x0c\x92\x74\x08\x02\x41\xe1\xc1\x07\xe6\xd6\x18\xe6",
    b"\xf9\x32\x43\x31\x86\x18\x20\x72",
    b"\x00\x82\x42\x10\x41\x16\xd8\xf2",
    b"path\texample.com/app\n",
    b"mod\texample.com/app\tv1.0.0\th1:sum=\n",
    b"dep\texample.com/dep\tv2.0.0\n",
    b"=>\t../dep\t\n",
    b"build\tGOOS=js\n",
    b"node_modules/",
    b"lodash/package.json name: \"lodash\", version: \"4.17.21\"",
    b".pnpm/lodash@4.17.21/node_modules/lodash/",
    b" inflate 1.3.1 Copyright 1995-",
    b"OpenSSL 3.2.0 23 Nov 2023",
    b"\x002024-05-23 13:25:27 96c92aba00c8375bc32fafcdf12429c58bd8aabf",
    b"\0",
    b":12:5",
    b"\"",
];

/// Builds a module from fuzz input, and reads its inventory with every driver.
///
/// # Panics
///
/// The drivers disagree, a window changes the result, or a package is not in the data.
pub fn inventory(input: &[u8]) {
    let mut fuel = Unstructured::new(input);
    let controls: [u8; 4] = fuel.arbitrary().unwrap_or_default();
    let bytes = if controls[0] & 1 == 0 { module(&mut fuel) } else { fuel.take_rest().to_vec() };
    let chunks: Vec<usize> = controls[1..3].iter().map(|size| usize::from(*size)).chain([1]).collect();
    let (found, error) = collect(&bytes, &chunks, InventoryReader::new);
    let window = u64::from(controls[3]) + 1;
    let other = collect(&bytes, &chunks, || InventoryReader::new().with_window(window));
    assert_eq!((&other.0, &other.1), (&found, &error), "windows of {window}");
    if let Some(found) = found {
        check(&found, bytes.len() as u64);
    }
}

fn check(found: &Inventory, len: u64) {
    assert!(found.bytes_searched() <= len);
    for (at, package) in found.packages().iter().enumerate() {
        assert!(package.offset < len && package.count > 0, "{package:?}");
        assert!(!package.name.contains(".cargo") && !package.version.contains(['/', '\\', '\n']), "{package:?}");
        let is_same = |other: &&sectile::inventory::Package| {
            (&other.name, &other.version, &other.source, other.ecosystem, other.item)
                == (&package.name, &package.version, &package.source, package.ecosystem, package.item)
        };
        assert!(!found.packages()[..at].iter().any(|other| is_same(&other)), "{package:?} occurs twice");
    }
}

/// A module with one data section of fragments and random bytes, in segments of any kind. Some are
/// truncated.
fn module(fuel: &mut Unstructured<'_>) -> Vec<u8> {
    let cut: u8 = fuel.arbitrary().unwrap_or_default();
    let mut segments = Vec::new();
    let mut address = 0u32;
    while !fuel.is_empty() && segments.len() < 64 {
        let choice: u8 = fuel.arbitrary().unwrap_or_default();
        let mut contents = Vec::new();
        for _ in 0..fuel.int_in_range(0..=6).unwrap_or_default() {
            match fuel.int_in_range(0..=FRAGMENTS.len()) {
                Ok(at) if at < FRAGMENTS.len() => contents.extend(FRAGMENTS[at]),
                _ => contents.extend(fuel.bytes(fuel.len().min(9)).unwrap_or_default()),
            }
        }
        // Some fragments are cut, and continue in the next segment.
        let rest = contents.split_off(contents.len() - contents.len().min(usize::from(choice >> 4)));
        for (contents, gap) in [(contents, choice & 7), (rest, 0)] {
            address = address.wrapping_add(u32::from(gap % 5) * 7);
            segments.push(if gap == 7 { passive(&contents) } else { active(address, &contents) });
            address = address.wrapping_add(contents.len() as u32);
        }
    }
    let mut module = [&MODULE[..], &data_section(&segments)].concat();
    if cut & 1 == 1 {
        module.truncate(module.len() - usize::from(cut >> 1).min(module.len()));
    }
    module
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::for_each_seed;
    use crate::seeded::Seeded;

    #[test]
    fn seeds_and_random_inputs() {
        for_each_seed("fuzz/seeds/inventory", inventory);
        let mut seeded = Seeded::new(7);
        for _ in 0..2000 {
            let len = seeded.below(600);
            inventory(&seeded.bytes(len));
        }
    }
}
