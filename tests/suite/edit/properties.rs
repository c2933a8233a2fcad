//! Properties of every edit: random edits of real files, of wasm-smith's binaries, and of generated
//! binaries with wrong sizes.

use arbitrary::{Arbitrary, Unstructured};
use wasm_smith::{Component, Module};

use super::{real_files, verdict};
use sectile_testing::bodies::{self, CONTROLS};
use sectile_testing::seeded::Seeded;

/// Edits a source as the seed says and compares the validator's verdicts. Returns whether the edit
/// was possible.
fn edit(seeded: &mut Seeded, source: &[u8]) -> bool {
    let mut controls = seeded.bytes(CONTROLS);
    controls[0] = 0; // the unchanged source
    let Some(edited) = bodies::plans(&[&controls, source].concat()) else { return false };
    assert_eq!(verdict(&edited.bytes), verdict(source), "the verdict of the validator changed");
    edited.bytes != edited.source
}

#[test]
fn random_edits_of_real_files() {
    let mut seeded = Seeded::new(3);
    let mut done = 0;
    let files = real_files();
    let small: Vec<_> = files.iter().filter(|(_, source)| source.len() < 60_000).collect();
    for _ in 0..20 {
        done += small.iter().filter(|(_, source)| edit(&mut seeded, source)).count();
    }
    assert!(done > 2 * small.len(), "{done}");
}

#[test]
fn random_edits_of_wasm_smith_binaries() {
    let mut seeded = Seeded::new(4);
    let (mut made, mut done) = (0, 0);
    for nth in 0..300 {
        let fuel = seeded.bytes(3_000);
        let mut fuel = Unstructured::new(&fuel);
        let source = if nth % 2 == 0 {
            Module::arbitrary(&mut fuel).map(|module| module.to_bytes())
        } else {
            Component::arbitrary(&mut fuel).map(|component| component.to_bytes())
        };
        let Ok(source) = source else { continue };
        made += 1;
        done += usize::from(edit(&mut seeded, &source));
    }
    assert!(made > 100 && done > made / 4, "{done} of {made}");
}

/// The inputs of the fuzz target: modules and components, some with wrong sizes, some with sections
/// that edits change.
#[test]
fn random_edits_of_generated_binaries() {
    let mut seeded = Seeded::new(5);
    let mut done = 0;
    const CASES: usize = 4_000;
    for nth in 0..CASES {
        let len = CONTROLS + 60 + seeded.below(1_000);
        let mut input = seeded.bytes(len);
        input[0] = 1 + (nth % 3) as u8;
        done += usize::from(bodies::plans(&input).is_some_and(|edited| edited.bytes != edited.source));
    }
    assert!(done > CASES / 10, "{done}");
}
