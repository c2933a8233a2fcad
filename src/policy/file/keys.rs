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
        let limits = LIMITS.into_iter().map(|limit| limit.key);
        let weight = |code: Code| Self {
            table: Table::Severity,
            name: code.name(),
            takes: Takes::Weight,
            default: code.severity().name(),
            help: code.help(),
        };
        let rules = Table::RULES.into_iter().flat_map(Self::of_rule);
        [REFUSE].into_iter().chain(limits).chain(Code::ALL.map(weight)).chain(rules).chain(EXCEPTIONS)
    }

    /// The keys of a rule: its own, and those that every rule has.
    fn of_rule(table: Table) -> impl Iterator<Item = Self> {
        let own = RULES.into_iter().filter(move |key| key.table == table);
        own.chain([
            key(table, "severity", Takes::Severity, "error", "How bad it is to break the rule."),
            key(table, "reason", Takes::Text, "", "Why it is so, or what to do: stands in the message."),
        ])
    }

    /// Sets the limit that it is the key of.
    pub(super) fn set_limit(&self, limits: &mut Limits, number: u64) {
        if let Some(limit) = LIMITS.iter().find(|limit| limit.key.name == self.name) {
            (limit.set)(limits, number);
        }
    }
}

const REFUSE: Key =
    key(Table::Top, "refuse", Takes::Severity, "error", "Findings of this severity, and of worse, refuse a file.");

/// A key of `[limits]`, and what it sets.
#[derive(Clone, Copy)]
struct Limit {
    key: Key,
    set: fn(&mut Limits, u64),
}

const MOST_32: u64 = u32::MAX as u64;
const MOST_64: u64 = i64::MAX as u64; // what TOML can write

macro_rules! limits {
    ($($limit:ident: $number:ident, $least:literal to $most:ident, $default:literal, $help:literal;)*) => {
        const LIMITS: [Limit; [$($least),*].len()] = [$(Limit {
            key: key(
                Table::Limits,
                stringify!($limit),
                Takes::Number { least: $least, most: $most },
                $default,
                $help,
            ),
            set: |limits, number| limits.$limit = number as $number,
        }),*];
    };
}

limits! {
    depth: u32, 1 to MOST_32, "1_000", "Items that may enclose one another, the root counted.";
    items: u32, 1 to MOST_32, "100_000", "Items in the tree, the root counted.";
    sections: u64, 0 to MOST_64, "100_000_000", "Sections in the whole file.";
    name: u32, 0 to MOST_32, "100_000", "Bytes of a custom section's name.";
    data: u32, 0 to MOST_32, "1_048_576", "Bytes of one section's data that are decoded.";
    interface: u32, 0 to MOST_32, "33_554_432",
        "Bytes of one import or export section that are decoded, where a rule asks for imports.";
    kept: u64, 0 to MOST_64, "67_108_864", "Bytes of values kept from the whole file.";
    inflated: u32, 0 to MOST_32, "8_388_608", "Bytes that one compressed section may inflate to.";
    findings: u32, 1 to MOST_32, "64", "Findings kept of each code; further ones are counted.";
}

const fn key(table: Table, name: &'static str, takes: Takes, default: &'static str, help: &'static str) -> Key {
    Key { table, name, takes, default, help }
}

/// What one rule has and not every one, rule by rule.
const RULES: [Key; 28] = [
    key(Table::Required, "items", Takes::Items, "root", "The items that must say it."),
    key(
        Table::Required,
        "fields",
        Takes::Fields,
        "",
        "What each of them must say, itself: there, not blank, and UTF-8.",
    ),
    key(Table::Licenses, "items", Takes::Items, "all", "The items whose licences are judged."),
    key(Table::Licenses, "allow", Takes::Licenses, "", "What is allowed: where it stands, nothing else is."),
    key(Table::Licenses, "deny", Takes::Licenses, "", "What is denied, whatever is allowed."),
    key(Table::Sources, "items", Takes::Items, "all", "The items whose URLs are judged."),
    key(Table::Sources, "fields", Takes::UrlFields, "source", "The fields that are judged."),
    key(Table::Sources, "allow", Takes::UrlPatterns, "", "What is allowed: where it stands, nothing else is."),
    key(Table::Sources, "deny", Takes::UrlPatterns, "", "What is denied, whatever is allowed."),
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
    key(Table::Imports, "names", Takes::Patterns, "", "The root item's imports that are refused."),
    key(Table::Imports, "except", Takes::Patterns, "", "The imports that are not, all the same."),
];

const EXCEPTIONS: [Key; 6] = [
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
        let mut limits = Limits::default();
        for (number, key) in (1000..).zip(Key::all().filter(|key| key.table == Table::Limits)) {
            key.set_limit(&mut limits, number);
        }
        // A new one does not compile here.
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
        for key in Key::all().filter(|key| key.table == Table::Limits) {
            key.set_limit(&mut limits, key.default.replace('_', "").parse().unwrap());
        }
        assert_eq!(limits, Limits::default());
    }

    #[test]
    fn keys_stand_once() {
        let keys: Vec<_> = Key::all().map(|key| (key.table, key.name)).collect();
        for (nth, key) in keys.iter().enumerate() {
            assert!(!keys[..nth].contains(key), "{key:?}");
        }
    }
}
