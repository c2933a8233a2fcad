//! Sections whose differences follow from those of their decoded values.

use sectile::Field;

use super::{Aspect, Difference, FactValue};

/// Bytes that the name of an item adds to its section, besides the text: headers of the section and of the subsection.
const NAME_OVERHEAD: u64 = 64;

/// Whether the differences of decoded values explain the difference of a section. `by_item` tells whether sections are
/// listed by item, or as totals over all items.
pub(super) fn is_explained(section: &Difference, values: &[Difference], by_item: bool) -> bool {
    let Some(decoded) = decoded_aspect(section.name()) else { return false };
    let has_own_name = matches!(decoded, Aspect::Field | Aspect::DebugLink);
    let mut of_section = values.iter().filter(|value| {
        value.aspect() == decoded
            && (!by_item || value.path() == section.path())
            && (!has_own_name || value.name() == section.name())
    });
    if decoded == Aspect::Name {
        // The section has names of functions too.
        let names: u64 =
            of_section.map(|value| len(value.old()).abs_diff(len(value.new_value())) + NAME_OVERHEAD).sum();
        return names > 0 && len(section.old()).abs_diff(len(section.new_value())) <= names;
    }
    let is_single = |value: Option<&FactValue>| match value {
        Some(FactValue::Sections { sections, .. }) => *sections <= 1,
        _ => true,
    };
    // Only one of several sections has the decoded value.
    let is_decoded = !by_item || is_single(section.old()) && is_single(section.new_value());
    is_decoded && of_section.next().is_some()
}

/// The aspect that the data of a section is decoded into.
fn decoded_aspect(section: &str) -> Option<Aspect> {
    const DECODED: [(&str, Aspect); 7] = [
        ("name", Aspect::Name),
        ("component-name", Aspect::Name),
        ("producers", Aspect::Producer),
        (".dep-v0", Aspect::Package),
        ("build_id", Aspect::DebugLink),
        ("sourceMappingURL", Aspect::DebugLink),
        ("external_debug_info", Aspect::DebugLink),
    ];
    let is_field = Field::ALL.into_iter().any(|field| field.section() == section);
    let decoded = DECODED.into_iter().find(|(name, _)| *name == section).map(|(_, aspect)| aspect);
    decoded.or_else(|| is_field.then_some(Aspect::Field))
}

/// Length of a value in bytes; 0 without a value.
fn len(value: Option<&FactValue>) -> u64 {
    match value {
        Some(FactValue::Text(text)) => text.len() as u64,
        Some(FactValue::Bytes(bytes)) => bytes.len() as u64,
        Some(FactValue::Sections { bytes, .. }) => *bytes,
        None => 0,
    }
}
