//! Known custom sections other than annotations: their purpose, decoding and required position.

use super::field::Field;

/// Purpose of a custom section.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum SectionPurpose {
    /// Description and origin of the binary.
    Metadata,
    /// Names shown by tools.
    Names,
    /// Debugging data.
    Debug,
    /// Link to separate debugging data.
    DebugLink,
    /// Needed to load the module.
    Loading,
    /// Needed to link the object.
    Linking,
    /// Hints to the engine.
    Hints,
    /// A signature over other sections.
    Signature,
    /// Interface description from which a component or bindings are generated.
    Interface,
    /// A snapshot of a crashed program.
    Coredump,
    /// Required by a host platform.
    Platform,
}

/// A custom section that a convention defines.
#[derive(Debug)]
pub(crate) struct Convention {
    /// The section's name, or a name prefix followed by `*`.
    pub(crate) name: &'static str,
    pub(crate) purpose: SectionPurpose,
    pub(crate) decode: Decode,
    /// Whether it must be the first section.
    pub(crate) first: bool,
    /// Whether readers concatenate the data of all sections with this name.
    pub(crate) joined: bool,
}

/// How a section is decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decode {
    Nothing,
    /// Subsection 0 of a name section.
    Name,
    Producers,
    Dependencies,
    RegistryMetadata,
    /// A length-prefixed byte string.
    Bytes,
    /// A length-prefixed UTF-8 string.
    Text,
}

const fn known(name: &'static str, purpose: SectionPurpose) -> Convention {
    Convention { name, purpose, decode: Decode::Nothing, first: false, joined: false }
}

impl Convention {
    const fn decode(mut self, decode: Decode) -> Self {
        self.decode = decode;
        self
    }

    const fn first(mut self) -> Self {
        self.first = true;
        self
    }

    const fn joined(mut self) -> Self {
        self.joined = true;
        self
    }
}

/// Known custom sections. An exact name precedes the prefixes that it matches.
///
/// Sources: the core specification's appendix (`name`), the component model's binary format
/// (`component-name`, `component-type:*`), the tool conventions (producers, debugging, linking,
/// dynamic linking, target features, code metadata, core dumps, build ids, signatures), wasmsign
/// and wascap (signatures), cargo-auditable (`.dep-v0`), wasm-bindgen (the input of its command),
/// Stellar's and the Internet Computer's interface conventions, Polkadot's runtime sections, and
/// `CosmWasm`'s migration version.
pub(crate) static CONVENTIONS: [Convention; 36] = [
    known("name", SectionPurpose::Names).decode(Decode::Name),
    known("component-name", SectionPurpose::Names).decode(Decode::Name),
    known("producers", SectionPurpose::Metadata).decode(Decode::Producers),
    known(".dep-v0", SectionPurpose::Metadata).decode(Decode::Dependencies),
    known("registry-metadata", SectionPurpose::Metadata).decode(Decode::RegistryMetadata),
    known("build_id", SectionPurpose::DebugLink).decode(Decode::Bytes),
    known("sourceMappingURL", SectionPurpose::DebugLink).decode(Decode::Text),
    known("external_debug_info", SectionPurpose::DebugLink).decode(Decode::Text),
    known(".debug_*", SectionPurpose::Debug),
    known("target_features", SectionPurpose::Linking),
    known("dylink", SectionPurpose::Loading).first(),
    known("dylink.0", SectionPurpose::Loading).first(),
    known("linking", SectionPurpose::Linking),
    known("reloc.*", SectionPurpose::Linking),
    known("metadata.code.*", SectionPurpose::Hints),
    known("signature", SectionPurpose::Signature).first(),
    known("signature_delimiter", SectionPurpose::Signature).joined(),
    known("signature_wasmsign", SectionPurpose::Signature),
    known("jwt", SectionPurpose::Signature),
    known("wasmcloud_jwt", SectionPurpose::Signature),
    known("component-type:*", SectionPurpose::Interface),
    known("component-type", SectionPurpose::Interface),
    known("package-docs", SectionPurpose::Interface),
    known("__wasm_bindgen_unstable", SectionPurpose::Interface).joined(),
    known("core", SectionPurpose::Coredump),
    known("coremodules", SectionPurpose::Coredump),
    known("coreinstances", SectionPurpose::Coredump),
    known("corestack", SectionPurpose::Coredump),
    known("contractspecv0", SectionPurpose::Platform).joined(),
    known("contractmetav0", SectionPurpose::Platform).joined(),
    known("contractenvmetav0", SectionPurpose::Platform),
    known("icp:public *", SectionPurpose::Platform),
    known("icp:private *", SectionPurpose::Platform),
    known("runtime_version", SectionPurpose::Platform),
    known("runtime_apis", SectionPurpose::Platform),
    known("cw_migrate_version", SectionPurpose::Platform),
];

/// Number of a row in the two tables, or [`UNKNOWN`](Self::UNKNOWN).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RowNumber(u8);

/// A row of one of the two tables.
#[derive(Clone, Copy, Debug)]
pub(crate) enum KnownSection {
    Annotation(Field),
    Convention(&'static Convention),
}

impl RowNumber {
    /// Number of rows: the annotations, followed by the conventions.
    pub(crate) const ROWS: u8 = (Field::ALL.len() + CONVENTIONS.len()) as u8;
    pub(crate) const UNKNOWN: Self = Self(Self::ROWS);

    /// The row's number, below [`ROWS`](Self::ROWS).
    pub(crate) const fn number(self) -> Option<u8> {
        if self.0 < Self::ROWS { Some(self.0) } else { None }
    }

    #[inline]
    pub(crate) fn row(self) -> Option<KnownSection> {
        self.number().map(row)
    }
}

/// Returns the row with this number.
#[inline]
pub(crate) fn row(number: u8) -> KnownSection {
    let number = usize::from(number);
    match Field::ALL.get(number) {
        Some(field) => KnownSection::Annotation(*field),
        None => KnownSection::Convention(&CONVENTIONS[number - Field::ALL.len()]),
    }
}

impl KnownSection {
    /// The section's name, or a name prefix followed by `*`.
    #[inline]
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Annotation(field) => field.section(),
            Self::Convention(convention) => convention.name,
        }
    }

    pub fn purpose(self) -> SectionPurpose {
        match self {
            Self::Annotation(_) => SectionPurpose::Metadata,
            Self::Convention(convention) => convention.purpose,
        }
    }

    /// Whether the section must be the first.
    pub(crate) const fn is_first(self) -> bool {
        matches!(self, Self::Convention(Convention { first: true, .. }))
    }

    #[inline]
    fn matches(self, name: &[u8]) -> bool {
        match self.name().strip_suffix('*') {
            Some(prefix) => name.starts_with(prefix.as_bytes()),
            None => name == self.name().as_bytes(),
        }
    }
}

/// Looks up a name in both tables. Indexed by the first byte, so that few rows are compared.
#[inline]
pub(crate) fn lookup(name: &[u8]) -> RowNumber {
    let Some(&first) = name.first() else {
        return RowNumber::UNKNOWN;
    };
    let mut rows = ROWS_BY_FIRST_BYTE[usize::from(first)];
    while rows != 0 {
        let number = rows.trailing_zeros() as u8;
        if row(number).matches(name) {
            return RowNumber(number);
        }
        rows &= rows - 1;
    }
    RowNumber::UNKNOWN
}

/// Returns the purpose of custom sections with this name; `None` if the name is unknown.
pub fn purpose(name: &str) -> Option<SectionPurpose> {
    lookup(name.as_bytes()).row().map(KnownSection::purpose)
}

/// The names and patterns of all known custom sections.
pub fn names() -> impl Iterator<Item = &'static str> {
    Field::ALL.into_iter().map(Field::section).chain(CONVENTIONS.iter().map(|convention| convention.name))
}

/// Whether readers concatenate the data of all sections with this name, so that duplicates are
/// valid.
pub fn is_joined(name: &str) -> bool {
    matches!(lookup(name.as_bytes()).row(), Some(KnownSection::Convention(Convention { joined: true, .. })))
}

/// Whether a section with this name signs all other sections of its module, at any position.
pub(crate) fn signs_all(name: &str) -> bool {
    ["signature_wasmsign", "jwt", "wasmcloud_jwt"].contains(&name)
}

/// Whether a convention requires sections with this name to be the first.
pub(crate) fn is_pinned_first(name: &str) -> bool {
    lookup(name.as_bytes()).row().is_some_and(KnownSection::is_first)
}

/// Bit sets of row numbers by the first byte of the name.
static ROWS_BY_FIRST_BYTE: [u64; 256] = {
    let mut rows = [0; 256];
    let mut number = 0;
    while number < RowNumber::ROWS as usize {
        let name = if number < Field::ALL.len() {
            Field::ALL[number].section()
        } else {
            CONVENTIONS[number - Field::ALL.len()].name
        };
        rows[name.as_bytes()[0] as usize] |= 1 << number;
        number += 1;
    }
    rows
};

#[cfg(test)]
mod tests {
    use super::*;

    fn known(name: &str) -> Option<&'static str> {
        lookup(name.as_bytes()).row().map(KnownSection::name)
    }

    #[test]
    fn every_row_is_found_by_its_name() {
        for number in 0..RowNumber::ROWS {
            assert_eq!(known(row(number).name()), Some(row(number).name()));
        }
    }

    /// `docs/custom-sections.md` names every row. Its last table has those that are not decoded, in this order.
    #[test]
    fn every_row_is_documented() {
        let text = include_str!("../../docs/custom-sections.md");
        let (decoded, others) = text.split_once("<!-- a test compares this table").expect("the comment is there");
        let mut table = others.lines().filter_map(|line| line.strip_prefix("| `"));
        for row in &CONVENTIONS {
            let described = match row.purpose {
                SectionPurpose::Metadata | SectionPurpose::Names | SectionPurpose::DebugLink => "",
                SectionPurpose::Debug => "debug data (DWARF)",
                SectionPurpose::Loading => "loading",
                SectionPurpose::Linking => "linking",
                SectionPurpose::Hints => "engine hints",
                SectionPurpose::Signature => "signature",
                SectionPurpose::Interface => "interface",
                SectionPurpose::Coredump => "core dump",
                SectionPurpose::Platform => "host platform",
            };
            if row.decode == Decode::Nothing {
                assert_eq!(table.next(), Some(&*format!("{}` | {described} |", row.name)));
            } else {
                assert!(decoded.contains(&format!("`{}`", row.name)), "{}", row.name);
            }
        }
        assert_eq!(table.next(), None);
        let prose = others.split_whitespace().collect::<Vec<_>>().join(" ");
        let joined: Vec<_> = CONVENTIONS.iter().filter(|row| row.joined).map(|row| format!("`{}`", row.name)).collect();
        let (last, joined) = joined.split_last().expect("there are some");
        assert!(prose.contains(&format!("- {} and {last} may occur several times", joined.join(", "))));
        let first: Vec<_> = CONVENTIONS.iter().filter(|row| row.first).map(|row| row.name).collect();
        let [one, two, three] = first[..] else { panic!("{first:?}") };
        assert!(prose.contains(&format!("- `{one}`, `{two}` and `{three}` must be the first section")));
    }

    #[test]
    fn sections_that_sign_all_others_are_signatures() {
        for name in ["signature_wasmsign", "jwt", "wasmcloud_jwt"] {
            assert!(signs_all(name) && purpose(name) == Some(SectionPurpose::Signature), "{name}");
        }
        assert!(!signs_all("signature"));
    }

    #[test]
    fn prefixes_and_exact_names() {
        assert_eq!(known("reloc.CODE"), Some("reloc.*"));
        assert_eq!(known("icp:public candid:service"), Some("icp:public *"));
        for unknown in ["", "names", "nam", "Name", "coreutils", "reloc", "author", "authors ", "dylink.1"] {
            assert_eq!(known(unknown), None, "{unknown}");
        }
    }
}
