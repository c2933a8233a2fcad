//! Components of wasm-smith, cut and mutated like the modules.

use wasm_smith::{Component, Config};

use super::mutants::{heads, smithed, whole_cut_and_changed};

#[test]
fn wasm_smith_components_agree_with_the_reference() {
    let config = || Config { generate_custom_sections: true, ..Config::default() };
    let components = smithed(300, 2, |fuel| Some(Component::new(config(), fuel).ok()?.to_bytes()));
    whole_cut_and_changed(&components);
    let nested = components.iter().filter(|bytes| heads(bytes).iter().any(|head| bytes[head.start] == 1)).count();
    assert!(nested > 20, "{nested}");
}
