//! The table of what may stand in a policy's file.

use crate::finding::Code;
use crate::limits::Limits;

/// A table of a policy's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Table {
    /// The file itself.
    Top,
    /// `[limits]`
    Limits,
    /// `[severity]`
    Severity,
    /// `[[required]]`
    Required,
    /// `[[licenses]]`
    Licenses,
    /// `[[sources]]`
    Sources,
    /// `[[producers]]`
    Producers,
    /// `[[dependencies]]`
    Dependencies,
    /// `[[sections]]`
    Sections,
    /// `[[imports]]`
    Imports,
    /// `[[exceptions]]`
    Exceptions,
}

impl Table {
    /// All tables, the file itself first.
    pub const ALL: [Self; 11] = [
        Self::Top,
        Self::Limits,
        Self::Severity,
        Self::Required,
        Self::Licenses,
        Self::Sources,
        Self::Producers,
        Self::Dependencies,
        Self::Sections,
        Self::Imports,
        Self::Exceptions,
    ];

    /// Those that are a rule each. They may stand several times.
    pub const RULES: [Self; 7] = [
        Self::Required,
        Self::Licenses,
        Self::Sources,
        Self::Producers,
        Self::Dependencies,
        Self::Sections,
        Self::Imports,
    ];

    /// Whether it may stand several times.
    pub fn is_list(self) -> bool {
        self == Self::Exceptions || Self::RULES.contains(&self)
    }

    /// The key of the table; empty for the file itself.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Top => "",
            Self::Limits => "limits",
            Self::Severity => "severity",
            Self::Required => "required",
            Self::Licenses => "licenses",
            Self::Sources => "sources",
            Self::Producers => "producers",
            Self::Dependencies => "dependencies",
            Self::Sections => "sections",
            Self::Imports => "imports",
            Self::Exceptions => "exceptions",
        }
    }

    /// What must stand in it: of each group of keys, one.
    pub const fn asks(self) -> &'static [&'static [&'static str]] {
        match self {
            Self::Top | Self::Limits | Self::Severity => &[],
            Self::Required => &[&["fields"]],
            Self::Licenses | Self::Sources => &[&["allow", "deny"]],
            Self::Producers => &[&["fields", "names", "versions", "required"]],
            Self::Dependencies => &[&["names", "versions", "sources", "required"]],
            Self::Sections => &[&["names", "kinds", "larger-than"]],
            Self::Imports => &[&["names"]],
            Self::Exceptions => &[&["paths", "digests"], &["reason"]],
        }
    }
}

/// What a key takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Takes {
    /// `note`, `warning` or `error`.
    Severity,
    /// The same, or `ignore`.
    Weight,
    /// A whole number.
    Number {
        /// The least that it may be.
        least: u64,
        /// The most that it may be.
        most: u64,
    },
    /// A group of items or the path of one, or a list of these.
    Items,
    /// Fields of the table, and `name`.
    Fields,
    /// SPDX expressions without `AND`.
    Licenses,
    /// Patterns for names.
    Patterns,
    /// Kinds of sections.
    Kinds,
    /// Fields of the table that hold a URL.
    UrlFields,
    /// Patterns for URLs.
    UrlPatterns,
    /// Fields of producers.
    ProducersFields,
    /// Ranges of versions.
    Versions,
    /// Codes of findings.
    Codes,
    /// Digests, as stores call blobs.
    Digests,
    /// A day of the calendar.
    Day,
    /// `true` or `false`.
    Flag,
    /// A line for people.
    Text,
}

impl Takes {
    /// What it is to be, in words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Severity => "`note`, `warning` or `error`",
            Self::Weight => "`note`, `warning`, `error` or `ignore`",
            Self::Number { .. } => "a whole number",
            Self::Items => "items",
            Self::Fields => "fields",
            Self::Licenses => "licences",
            Self::Patterns => "patterns",
            Self::Kinds => "kinds of sections",
            Self::UrlFields => "fields with a URL",
            Self::UrlPatterns => "patterns for URLs",
            Self::ProducersFields => "`language`, `processed-by`, `sdk`",
            Self::Versions => "ranges of versions",
            Self::Codes => "codes of findings",
            Self::Digests => "digests",
            Self::Day => "a day",
            Self::Flag => "`true` or `false`",
            Self::Text => "a string",
        }
    }
}

/// A row of the table of what may stand in a policy's file.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Key {
    /// The table that it stands in.
    pub table: Table,
    /// The key.
    pub name: &'static str,
    /// What it takes.
    pub takes: Takes,
    /// What holds where it does not stand, as it would be written; empty where that is nothing.
    pub default: &'static str,
    /// What it says.
    pub help: &'static str,
}

impl Key {
    /// The whole table. `[severity]` has a key for each of the codes.
    pub fn all() -> impl Iterator<Item = Self> {
        let limit = |(name, least, most, default, _, help)| {
            let takes = Takes::Number { least, most };
            Self { table: Table::Limits, name, takes, default, help }
        };
        let weight = |code: Code| Self {
            table: Table::Severity,
            name: code.name(),
            takes: Takes::Weight,
            default: code.severity().name(),
            help: code.help(),
        };
        [REFUSE].into_iter().chain(LIMITS.map(limit)).chain(Code::ALL.map(weight)).chain(RULES)
    }

    /// Sets the limit that it is the key of.
    pub(super) fn set_limit(&self, limits: &mut Limits, number: u64) {
        if let Some((.., set, _)) = LIMITS.iter().find(|row| row.0 == self.name) {
            set(limits, number);
        }
    }
}

const REFUSE: Key = Key {
    table: Table::Top,
    name: "refuse",
    takes: Takes::Severity,
    default: "error",
    help: "Findings of this severity, and of worse, refuse a file.",
};

/// A limit: its key, the least and the most that it may be, its default, what it sets, and what it says.
type Limit = (&'static str, u64, u64, &'static str, fn(&mut Limits, u64), &'static str);

const MOST_32: u64 = u32::MAX as u64;
const MOST_64: u64 = i64::MAX as u64; // what TOML can write

const LIMITS: [Limit; 9] = [
    (
        "depth",
        1,
        MOST_32,
        "1_000",
        |limits, to| limits.depth = to as u32,
        "Items that may enclose one another, the root counted.",
    ),
    ("items", 1, MOST_32, "100_000", |limits, to| limits.items = to as u32, "Items in the tree, the root counted."),
    ("sections", 0, MOST_64, "100_000_000", |limits, to| limits.sections = to, "Sections in the whole file."),
    ("name", 0, MOST_32, "100_000", |limits, to| limits.name = to as u32, "Bytes of a custom section's name."),
    (
        "data",
        0,
        MOST_32,
        "1_048_576",
        |limits, to| limits.data = to as u32,
        "Bytes of one section's data that are decoded.",
    ),
    (
        "interface",
        0,
        MOST_32,
        "33_554_432",
        |limits, to| limits.interface = to as u32,
        "Bytes of one import or export section that are decoded, where a rule asks for imports.",
    ),
    ("kept", 0, MOST_64, "67_108_864", |limits, to| limits.kept = to, "Bytes of values kept from the whole file."),
    (
        "inflated",
        0,
        MOST_32,
        "8_388_608",
        |limits, to| limits.inflated = to as u32,
        "Bytes that one compressed section may inflate to.",
    ),
    (
        "findings",
        1,
        MOST_32,
        "64",
        |limits, to| limits.findings = to as u32,
        "Findings kept of each code; further ones are counted.",
    ),
];

const fn key(table: Table, name: &'static str, takes: Takes, default: &'static str, help: &'static str) -> Key {
    Key { table, name, takes, default, help }
}

const SEVERITY_HELP: &str = "How bad it is to break the rule.";
const REASON_HELP: &str = "Why it is so, or what to do: stands in the message.";

const RULES: [Key; 48] = [
    key(Table::Required, "items", Takes::Items, "root", "The items that must say it."),
    key(
        Table::Required,
        "fields",
        Takes::Fields,
        "",
        "What each of them must say, itself: there, not empty, and UTF-8.",
    ),
    key(Table::Required, "severity", Takes::Severity, "error", SEVERITY_HELP),
    key(Table::Required, "reason", Takes::Text, "", REASON_HELP),
    key(Table::Licenses, "items", Takes::Items, "all", "The items whose licences are judged."),
    key(Table::Licenses, "allow", Takes::Licenses, "", "What is allowed: where it stands, nothing else is."),
    key(Table::Licenses, "deny", Takes::Licenses, "", "What is denied, whatever is allowed."),
    key(Table::Licenses, "severity", Takes::Severity, "error", SEVERITY_HELP),
    key(Table::Licenses, "reason", Takes::Text, "", REASON_HELP),
    key(Table::Sources, "items", Takes::Items, "all", "The items whose URLs are judged."),
    key(Table::Sources, "fields", Takes::UrlFields, "source", "The fields that are judged."),
    key(Table::Sources, "allow", Takes::UrlPatterns, "", "What is allowed: where it stands, nothing else is."),
    key(Table::Sources, "deny", Takes::UrlPatterns, "", "What is denied, whatever is allowed."),
    key(Table::Sources, "severity", Takes::Severity, "error", SEVERITY_HELP),
    key(Table::Sources, "reason", Takes::Text, "", REASON_HELP),
    key(Table::Producers, "items", Takes::Items, "all", "The items whose producers are judged, each by itself."),
    key(Table::Producers, "fields", Takes::ProducersFields, "", "The fields that are meant; without it, any."),
    key(Table::Producers, "names", Takes::Patterns, "", "The producers that are meant; without it, any."),
    key(Table::Producers, "except", Takes::Patterns, "", "The producers that are not, all the same."),
    key(Table::Producers, "versions", Takes::Versions, "", "Their versions that are meant; without it, any."),
    key(
        Table::Producers,
        "required",
        Takes::Flag,
        "false",
        "What is meant is not refused, but one of it is required of each of the items.",
    ),
    key(Table::Producers, "severity", Takes::Severity, "error", SEVERITY_HELP),
    key(Table::Producers, "reason", Takes::Text, "", REASON_HELP),
    key(Table::Dependencies, "items", Takes::Items, "all", "The items whose lists of packages are judged."),
    key(Table::Dependencies, "names", Takes::Patterns, "", "The packages that are refused; without it, any."),
    key(Table::Dependencies, "except", Takes::Patterns, "", "The packages that are not, all the same."),
    key(Table::Dependencies, "versions", Takes::Versions, "", "Their versions that are refused; without it, any."),
    key(
        Table::Dependencies,
        "sources",
        Takes::Patterns,
        "",
        "Only packages from there are refused: `crates.io`, `git`, `local`, `registry`.",
    ),
    key(
        Table::Dependencies,
        "required",
        Takes::Flag,
        "false",
        "A list of packages is required of each of the items; stands without the keys that refuse.",
    ),
    key(Table::Dependencies, "severity", Takes::Severity, "error", SEVERITY_HELP),
    key(Table::Dependencies, "reason", Takes::Text, "", REASON_HELP),
    key(Table::Sections, "items", Takes::Items, "all", "The items whose own sections are judged."),
    key(Table::Sections, "names", Takes::Patterns, "", "The custom sections that are refused."),
    key(Table::Sections, "kinds", Takes::Kinds, "", "The kinds of sections that are refused."),
    key(Table::Sections, "except", Takes::Patterns, "", "The custom sections that are not, all the same."),
    key(
        Table::Sections,
        "larger-than",
        Takes::Number { least: 0, most: MOST_64 },
        "",
        "Only sections of more bytes are refused, their headers included; of all kinds where neither `names` nor `kinds` stands.",
    ),
    key(Table::Sections, "severity", Takes::Severity, "error", SEVERITY_HELP),
    key(Table::Sections, "reason", Takes::Text, "", REASON_HELP),
    key(Table::Imports, "names", Takes::Patterns, "", "The root item's imports that are refused."),
    key(Table::Imports, "except", Takes::Patterns, "", "The imports that are not, all the same."),
    key(Table::Imports, "severity", Takes::Severity, "error", SEVERITY_HELP),
    key(Table::Imports, "reason", Takes::Text, "", REASON_HELP),
    key(Table::Exceptions, "paths", Takes::Patterns, "", "For files of which every path matches one of these."),
    key(Table::Exceptions, "digests", Takes::Digests, "", "For files of one of these digests."),
    key(
        Table::Exceptions,
        "verified",
        Takes::Flag,
        "false",
        "Only where the digest was computed, and is not just what the store says.",
    ),
    key(
        Table::Exceptions,
        "codes",
        Takes::Codes,
        "",
        "The findings that are excused; without it, all but `not-judged`, `changed` and `digest-mismatch`.",
    ),
    key(Table::Exceptions, "expires", Takes::Day, "", "The last day on which it holds."),
    key(Table::Exceptions, "reason", Takes::Text, "", "Why it is made; must be there."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_has_its_key() {
        let Limits {
            depth: _,
            items: _,
            sections: _,
            name: _,
            data: _,
            interface: _,
            kept: _,
            inflated: _,
            findings: _,
        } = Limits::default(); // a new one does not compile
        let mut limits = Limits {
            depth: 1,
            items: 1,
            sections: 1,
            name: 1,
            data: 1,
            interface: 1,
            kept: 1,
            inflated: 1,
            findings: 1,
        };
        for key in Key::all().filter(|key| key.table == Table::Limits) {
            key.set_limit(&mut limits, key.default.replace('_', "").parse().unwrap());
        }
        assert_eq!(limits, Limits::default());
        for (number, key) in (1000..).zip(Key::all().filter(|key| key.table == Table::Limits)) {
            key.set_limit(&mut limits, number);
        }
        let expected = Limits {
            depth: 1000,
            items: 1001,
            sections: 1002,
            name: 1003,
            data: 1004,
            interface: 1005,
            kept: 1006,
            inflated: 1007,
            findings: 1008,
        };
        assert_eq!(limits, expected);
    }

    #[test]
    fn keys_stand_once() {
        let keys: Vec<_> = Key::all().map(|key| (key.table, key.name)).collect();
        for (nth, key) in keys.iter().enumerate() {
            assert!(!keys[..nth].contains(key), "{key:?}");
        }
    }
}
