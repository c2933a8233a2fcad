//! Imports and exports: every driver agrees, and wasmparser's parser agrees about the root.

use sectile::Limits;
use sectile::interface::{Extern, Interface, InterfaceReader};
use wasmparser::{Parser, Payload};

use super::collectors::collect;

/// Reads imports and exports of any bytes, within any limits.
///
/// # Panics
///
/// The drivers disagree, or wasmparser does.
pub fn interface(bytes: &[u8], limits: Limits, chunk: usize) {
    let (ours, error) = collect(bytes, &[chunk.max(1)], || InterfaceReader::with_limits(limits));
    if let (Some(ours), true) = (ours, limits == Limits::default()) {
        agrees(bytes, &ours, error.is_none());
    }
}

/// The root's imports and exports from the reference, up to its first error.
#[derive(Debug, Default)]
struct Reference {
    imports: Vec<String>,
    exports: Vec<String>,
    /// Whether a section could not be decoded.
    malformed: bool,
    /// Whether the reference reached the end.
    whole: bool,
}

impl Reference {
    fn of(bytes: &[u8]) -> Self {
        let mut found = Self::default();
        let mut depth = 0;
        for payload in Parser::new(0).parse_all(bytes) {
            let Ok(payload) = payload else { return found };
            match payload {
                Payload::Version { .. } => depth += 1,
                Payload::End(_) => depth -= 1,
                Payload::ImportSection(section) if depth == 1 => {
                    found.malformed |= !take(
                        &mut found.imports,
                        section
                            .into_imports()
                            .map(|import| import.map(|import| format!("{}\0{}", import.module, import.name))),
                    )
                }
                Payload::ExportSection(section) if depth == 1 => {
                    found.malformed |= !take(
                        &mut found.exports,
                        section.into_iter().map(|export| export.map(|export| export.name.to_owned())),
                    )
                }
                Payload::ComponentImportSection(section) if depth == 1 => {
                    found.malformed |= !take(
                        &mut found.imports,
                        section.into_iter().map(|import| import.map(|import| import.name.full_name().into_owned())),
                    )
                }
                Payload::ComponentExportSection(section) if depth == 1 => {
                    found.malformed |= !take(
                        &mut found.exports,
                        section.into_iter().map(|export| export.map(|export| export.name.full_name().into_owned())),
                    )
                }
                _ => {}
            }
        }
        found.whole = true;
        found
    }
}

/// Takes names up to the first error. Returns whether there was none.
fn take(names: &mut Vec<String>, section: impl Iterator<Item = wasmparser::Result<String>>) -> bool {
    for name in section {
        match name {
            Ok(name) => names.push(name),
            Err(_) => return false,
        }
    }
    true
}

fn agrees(bytes: &[u8], ours: &Interface, is_whole: bool) {
    let theirs = Reference::of(bytes);
    let name = |found: &Extern| match found.module() {
        Some(module) => format!("{module}\0{}", found.name()),
        None => found.name().to_owned(),
    };
    let imports: Vec<String> = ours.imports().iter().map(name).collect();
    let exports: Vec<String> = ours.exports().iter().map(name).collect();
    if theirs.whole && is_whole {
        assert_eq!((&imports, &exports), (&theirs.imports, &theirs.exports));
        assert!(!theirs.malformed || !ours.findings().is_empty(), "{theirs:?}");
    } else {
        assert!(imports.starts_with(&theirs.imports) && exports.starts_with(&theirs.exports), "{ours:?}\n{theirs:?}");
    }
    if ours.wit_package().is_some() {
        assert!(imports.is_empty() && !exports.is_empty() && ours.findings().is_empty());
    }
}
