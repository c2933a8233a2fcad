//! Manifests of any bytes.

use std::path::Path;

use sectile::edit::Edit;
use sectile::manifest::{Format, Manifest};
use sectile::{Limits, read_slice};

/// Reads a text as the manifest that its first byte says, and holds what comes of it against what is promised: the same
/// again; JSON as serde_json has it; lines that the text has; an edit that can be carried out and gives what was said.
pub fn manifest(input: &[u8]) {
    let Some((which, text)) = input.split_first() else { return };
    let format = Format::ALL[usize::from(*which) % Format::ALL.len()];
    let Ok(text) = str::from_utf8(text) else { return };
    let path = Path::new("/nowhere/at/all").join(format.file_name());
    let read = Manifest::parse(format, &path, text);
    let again = Manifest::parse(format, &path, text);
    assert_eq!(format!("{read:?}"), format!("{again:?}"));
    if format == Format::Npm {
        check_json(text, read.as_ref().err().map(ToString::to_string));
    }
    let Ok(manifest) = read else { return };

    let lines = text.split('\n').count() as u64;
    let places =
        manifest.values().map(|(_, _, place)| place).chain(manifest.notices().iter().map(|notice| &notice.place));
    places.for_each(|place| assert!((1..=lines).contains(&place.line), "{place}"));

    let Ok(edit) = Edit::new().manifest_as_is(&manifest) else {
        assert!(text.contains("\0") || text.contains("\\"), "what is refused as it is holds a NUL");
        return;
    };
    const MODULE: &[u8] = b"\0asm\x01\0\0\0";
    let planned = edit.plan_slice(MODULE, Limits::default()).unwrap();
    let bytes = planned.plan.to_vec(MODULE).unwrap();
    let metadata = read_slice(&bytes, Limits::default()).unwrap().complete().unwrap();
    for (field, value, _) in manifest.values() {
        assert_eq!(metadata.root().annotation(field).and_then(|value| value.as_str()), Some(&*value));
    }
    assert_eq!(metadata.root().name().and_then(|name| name.as_str()), manifest.name().as_deref());
    assert!(edit.plan_slice(&bytes, Limits::default()).unwrap().plan.is_identity());
}

/// What serde_json reads is read, unless it is no object, nests deeper, or has a key of the wrong kind.
fn check_json(text: &str, error: Option<String>) {
    let serde = serde_json::from_str::<serde_json::Value>(text.strip_prefix('\u{feff}').unwrap_or(text));
    match (serde, error) {
        (Ok(_), Some(error)) => {
            let is_ours = ["it is to be", "nests too deep", "it has no `type`"].iter().any(|ours| error.contains(ours));
            assert!(is_ours, "{error}");
        }
        // Numbers that it cannot hold are numbers nevertheless.
        (Err(error), None) => assert!(error.to_string().contains("number out of range"), "{error}"),
        _ => {}
    }
}
