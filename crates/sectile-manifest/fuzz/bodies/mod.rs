//! Manifests of any bytes.

use std::path::Path;

use sectile::Edit;
use sectile_manifest::{Manifest, ManifestFormat};

/// Parses a text as a manifest, in the format that the first byte selects, and carries out the edit.
///
/// # Panics
///
/// Parsing is not deterministic, JSON is not that of serde_json, a location has a line beyond the text, or the edit
/// does not set the values of the manifest.
pub fn manifest(input: &[u8]) {
    let Some((which, text)) = input.split_first() else { return };
    let format = ManifestFormat::ALL[usize::from(*which) % ManifestFormat::ALL.len()];
    let Ok(text) = str::from_utf8(text) else { return };
    let path = Path::new("/nowhere/at/all").join(format.file_name());
    let read = Manifest::parse(format, &path, text);
    let again = Manifest::parse(format, &path, text);
    assert_eq!(format!("{read:?}"), format!("{again:?}"));
    if format == ManifestFormat::Npm {
        check_json(text, read.as_ref().err().map(ToString::to_string));
    }
    let Ok(manifest) = read else { return };

    let lines = text.split('\n').count() as u64;
    let values = manifest.values().map(|(_, _, location)| location);
    let mut locations = values.chain(manifest.notices().iter().map(|notice| &notice.location));
    assert!(locations.all(|location| (1..=lines).contains(&location.line)), "{manifest:?}");

    let Ok(edit) = manifest.add_unchecked_to(Edit::new()) else {
        assert!(text.contains('\0') || text.contains('\\'), "only values with a NUL are refused");
        return;
    };
    let module = b"\0asm\x01\0\0\0";
    let planned = edit.plan_slice(module).expect("the module can be edited");
    let bytes = planned.plan().to_vec(module).expect("the plan is for the module");
    let metadata = sectile::read_slice(&bytes).expect("the result is a module");
    for (field, value, _) in manifest.values() {
        assert_eq!(metadata.root().annotation(field).and_then(|value| value.as_str()), Some(&*value));
    }
    assert_eq!(metadata.root().name().and_then(|name| name.as_str()), manifest.name().as_deref());
    assert!(edit.plan_slice(&bytes).expect("the result can be edited").plan().is_identity());
}

/// JSON that serde_json accepts is accepted, unless it is not an object, nests too deep, or has a value of a wrong
/// kind.
fn check_json(text: &str, error: Option<String>) {
    let serde = serde_json::from_str::<serde_json::Value>(text.strip_prefix('\u{feff}').unwrap_or(text));
    match (serde, error) {
        (Ok(_), Some(error)) => {
            let is_ours = ["expected", "nests too deep", "`type` is missing"].iter().any(|ours| error.contains(ours));
            assert!(is_ours, "{error}");
        }
        // serde_json refuses numbers that it cannot represent.
        (Err(error), None) => assert!(error.to_string().contains("number out of range"), "{error}"),
        _ => {}
    }
}
