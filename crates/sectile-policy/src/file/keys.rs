//! The table of keys of a policy's file.

use sectile::FindingCode;
use sectile::Limits;

use self::{PolicyTable as Table, PolicyValueType as Type};

/// A table of a policy's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PolicyTable {
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
    /// `[[advisories]]`
    Advisories,
    /// `[[exceptions]]`
    Exceptions,
}

impl PolicyTable {
    /// All tables, the file itself first.
    pub const ALL: [Self; 12] = [
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
        Self::Advisories,
        Self::Exceptions,
    ];

    /// The tables of rules. Each may occur several times.
    pub const RULES: [Self; 8] = [
        Self::Required,
        Self::Licenses,
        Self::Sources,
        Self::Producers,
        Self::Dependencies,
        Self::Sections,
        Self::Imports,
        Self::Advisories,
    ];

    /// Whether the table may occur several times.
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
            Self::Advisories => "advisories",
            Self::Exceptions => "exceptions",
        }
    }

    /// Groups of keys; one key of each group is required.
    pub const fn required_keys(self) -> &'static [&'static [&'static str]] {
        match self {
            Self::Top | Self::Limits | Self::Severity | Self::Advisories => &[],
            Self::Required => &[&["fields"]],
            Self::Licenses | Self::Sources => &[&["allow", "deny"]],
            Self::Producers => &[&["fields", "names", "versions", "required"]],
            Self::Dependencies => &[&["names", "versions", "sources", "required"]],
            Self::Sections => &[&["names", "kinds", "larger-than"]],
            Self::Imports => &[&["names"]],
            Self::Exceptions => &[&["paths", "digests", "advisories"], &["reason"]],
        }
    }
}

/// The type of a key's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PolicyValueType {
    /// `note`, `warning` or `error`.
    Severity,
    /// A severity, or `ignore`.
    SeverityOrIgnore,
    /// A whole number.
    Number {
        /// The smallest valid number.
        min: u64,
        /// The largest valid number.
        max: u64,
    },
    /// A group of items, the path of an item, or a list of groups and paths.
    Items,
    /// Annotation fields, and `name`.
    Fields,
    /// SPDX expressions without `AND`.
    Licenses,
    /// Patterns for names.
    Patterns,
    /// Kinds of sections.
    Kinds,
    /// Annotation fields that hold a URL.
    UrlFields,
    /// Patterns for URLs.
    UrlPatterns,
    /// Fields of producers.
    ProducersFields,
    /// Ranges of versions.
    Versions,
    /// Codes of findings.
    Codes,
    /// Digests, as stores name blobs.
    Digests,
    /// Classes of advisories.
    AdvisoryClasses,
    /// Identifiers of advisories.
    AdvisoryIds,
    /// Severity of an advisory: `none`, `low`, `medium`, `high` or `critical`.
    Rating,
    /// Packages to judge: `declared` or `all`.
    Packages,
    /// A calendar day.
    Day,
    /// `true` or `false`.
    Boolean,
    /// One line of text.
    Text,
}

impl PolicyValueType {
    /// Whether a value is a list of strings. A single string is a list of one.
    pub const fn is_list(self) -> bool {
        match self {
            Self::Severity
            | Self::SeverityOrIgnore
            | Self::Rating
            | Self::Packages
            | Self::Number { .. }
            | Self::Day
            | Self::Boolean
            | Self::Text => false,
            Self::Items
            | Self::Fields
            | Self::Licenses
            | Self::Patterns
            | Self::Kinds
            | Self::UrlFields
            | Self::UrlPatterns
            | Self::ProducersFields
            | Self::Versions
            | Self::Codes
            | Self::Digests
            | Self::AdvisoryClasses
            | Self::AdvisoryIds => true,
        }
    }

    /// Description for documentation and messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Severity => "`note`, `warning` or `error`",
            Self::SeverityOrIgnore => "`note`, `warning`, `error` or `ignore`",
            Self::Number { .. } => "a whole number",
            Self::Items => "items",
            Self::Fields => "fields",
            Self::Licenses => "licenses",
            Self::Patterns => "patterns",
            Self::Kinds => "kinds of sections",
            Self::UrlFields => "fields with a URL",
            Self::UrlPatterns => "patterns for URLs",
            Self::ProducersFields => "`language`, `processed-by`, `sdk`",
            Self::Versions => "ranges of versions",
            Self::Codes => "codes of findings",
            Self::Digests => "digests",
            Self::AdvisoryClasses => "classes of advisories",
            Self::AdvisoryIds => "identifiers of advisories",
            Self::Rating => "`none`, `low`, `medium`, `high` or `critical`",
            Self::Packages => "`declared` or `all`",
            Self::Day => "a day",
            Self::Boolean => "`true` or `false`",
            Self::Text => "a string",
        }
    }
}

/// A row of the table of keys.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct PolicyKey {
    /// The table that contains the key.
    pub table: PolicyTable,
    /// The key.
    pub name: &'static str,
    /// The type of the value.
    pub value_type: PolicyValueType,
    /// The default in TOML syntax; empty if the key has none.
    pub default: &'static str,
    /// Description of the key. Empty without the feature `help`.
    pub help: &'static str,
}

impl PolicyKey {
    /// The whole table of keys. `[severity]` has a key for each code, and one for the codes of
    /// [`Policy::HIDDEN`](super::super::Policy::HIDDEN).
    pub fn all() -> impl Iterator<Item = Self> {
        let limits = LIMITS.into_iter().map(|limit| limit.key);
        let severity = |code: FindingCode| Self {
            table: Table::Severity,
            name: code.name(),
            value_type: Type::SeverityOrIgnore,
            default: code.severity().name(),
            help: code.help(),
        };
        let rules = Table::RULES.into_iter().flat_map(Self::for_rule);
        TOP.into_iter()
            .chain(limits)
            .chain(FindingCode::ALL.map(severity))
            .chain([HIDDEN])
            .chain(rules)
            .chain(EXCEPTIONS)
    }

    /// The names of the keys of a table, in its order. Faster and smaller than [`all`](Self::all).
    pub(super) fn names(table: PolicyTable) -> Vec<&'static str> {
        let of = |keys: &[Self]| keys.iter().filter(|key| key.table == table).map(|key| key.name).collect();
        match table {
            Table::Top => of(&TOP),
            Table::Limits => LIMITS.iter().map(|limit| limit.key.name).collect(),
            Table::Severity => FindingCode::ALL.iter().map(|code| code.name()).chain([HIDDEN.name]).collect(),
            Table::Exceptions => of(&EXCEPTIONS),
            _ => {
                let mut names: Vec<_> = of(&RULES);
                names.extend(["severity", "reason"]);
                names
            }
        }
    }

    /// The key of a number.
    pub(super) fn number(table: PolicyTable, name: &str) -> Option<Self> {
        let is_wanted = |key: &&Self| key.table == table && key.name == name;
        LIMITS.iter().map(|limit| &limit.key).chain(&RULES).find(is_wanted).copied()
    }

    /// The keys of a rule: its own keys, then those of every rule.
    fn for_rule(table: PolicyTable) -> impl Iterator<Item = Self> {
        let own = RULES.into_iter().filter(move |key| key.table == table);
        own.chain([
            key(table, "severity", Type::Severity, "error", "Severity of a violation."),
            key(
                table,
                "reason",
                Type::Text,
                "",
                "Why the rule exists, or what to do about a violation. Part of the message.",
            ),
        ])
    }

    /// Sets the limit of this key.
    pub(super) fn set_limit(&self, limits: &mut Limits, number: u64) {
        if let Some(limit) = LIMITS.iter().find(|limit| limit.key.name == self.name) {
            (limit.set)(limits, number);
        }
    }
}

const TOP: [PolicyKey; 2] = [
    key(Table::Top, "refuse", Type::Severity, "error", "Findings of this severity or a worse one refuse a file."),
    key(
        Table::Top,
        "packages",
        Type::Packages,
        "declared",
        "Which packages are judged: those that cargo-auditable declares, or all that the data names too.",
    ),
];

const HIDDEN: PolicyKey = key(
    Table::Severity,
    "hidden",
    Type::SeverityOrIgnore,
    "",
    "Severity of both `disputed-archive` and `not-opened`: archives and files that may hide binaries from an audit. The keys of the two codes override it.",
);

/// A key of `[limits]`, and the setter of its limit.
#[derive(Clone, Copy)]
struct LimitKey {
    key: PolicyKey,
    set: fn(&mut Limits, u64),
}

const MAX_32: u64 = u32::MAX as u64;
const MAX_64: u64 = i64::MAX as u64; // the largest integer of TOML

macro_rules! limits {
    ($($name:literal $limit:ident: $number:ident, $min:literal to $max:ident, $default:literal, $help:literal;)*) => {
        const LIMITS: [LimitKey; [$($min),*].len()] = [$(LimitKey {
            key: key(Table::Limits, $name, Type::Number { min: $min, max: $max }, $default, $help),
            set: |limits, number| limits.$limit = number as $number,
        }),*];
    };
}

limits! {
    "depth" max_depth: u32, 1 to MAX_32, "1_000", "Maximum nesting depth of items, including the root.";
    "items" max_items: u32, 1 to MAX_32, "100_000", "Maximum number of items in the tree, including the root.";
    "sections" max_sections: u64, 0 to MAX_64, "100_000_000", "Maximum number of sections in the whole file.";
    "name" max_name_len: u32, 0 to MAX_32, "100_000", "Maximum bytes of a custom section's name.";
    "data" max_section_data: u32, 0 to MAX_32, "1_048_576", "Maximum bytes of one section's data that are decoded.";
    "interface" max_interface_section: u32, 0 to MAX_32, "33_554_432",
        "Maximum bytes of one import or export section that are decoded, if a rule needs imports.";
    "kept" max_retained_bytes: u64, 0 to MAX_64, "67_108_864", "Maximum bytes of values kept from the whole file.";
    "inflated" max_inflated: u32, 0 to MAX_32, "8_388_608", "Maximum bytes of one compressed section after decompression.";
    "findings" max_findings_per_code: u32, 1 to MAX_32, "64", "Maximum number of findings kept for each code; further ones are only counted.";
}

const fn key(
    table: PolicyTable,
    name: &'static str,
    value_type: PolicyValueType,
    default: &'static str,
    help: &'static str,
) -> PolicyKey {
    let help = if cfg!(feature = "help") { help } else { "" };
    PolicyKey { table, name, value_type, default, help }
}

/// The keys of single rules.
const RULES: [PolicyKey; 35] = [
    key(Table::Required, "items", Type::Items, "root", "The items that must have the fields."),
    key(
        Table::Required,
        "fields",
        Type::Fields,
        "",
        "The fields that each item must have itself: present, not blank, and UTF-8.",
    ),
    key(
        Table::Required,
        "unknown",
        Type::Boolean,
        "false",
        "Whether `NONE` and `NOASSERTION`, which state that no license is known, count as a license.",
    ),
    key(Table::Licenses, "items", Type::Items, "all", "The items whose licenses are judged."),
    key(Table::Licenses, "allow", Type::Licenses, "", "Allowed licenses. If present, all others are refused."),
    key(Table::Licenses, "deny", Type::Licenses, "", "Denied licenses, even if `allow` permits them."),
    key(
        Table::Licenses,
        "unknown",
        Type::Boolean,
        "false",
        "Whether `NONE` and `NOASSERTION`, which state that no license is known, are permitted. `deny` can still deny either one.",
    ),
    key(Table::Sources, "items", Type::Items, "all", "The items whose URLs are judged."),
    key(Table::Sources, "fields", Type::UrlFields, "source", "The fields that are judged."),
    key(Table::Sources, "allow", Type::UrlPatterns, "", "Allowed URLs. If present, all others are refused."),
    key(Table::Sources, "deny", Type::UrlPatterns, "", "Denied URLs, even if `allow` permits them."),
    key(Table::Producers, "items", Type::Items, "all", "The items whose producers are judged, each item separately."),
    key(Table::Producers, "fields", Type::ProducersFields, "", "The fields to match; any field if absent."),
    key(Table::Producers, "names", Type::Patterns, "", "The producers to match; any producer if absent."),
    key(Table::Producers, "except", Type::Patterns, "", "Producers that do not match, even if `names` matches them."),
    key(Table::Producers, "versions", Type::Versions, "", "The versions to match; any version if absent."),
    key(
        Table::Producers,
        "required",
        Type::Boolean,
        "false",
        "Require a matching producer in each item, instead of refusing matches.",
    ),
    key(Table::Dependencies, "items", Type::Items, "all", "The items whose lists of packages are judged."),
    key(Table::Dependencies, "names", Type::Patterns, "", "The packages to refuse; any package if absent."),
    key(Table::Dependencies, "except", Type::Patterns, "", "Packages to accept, even if `names` matches them."),
    key(Table::Dependencies, "versions", Type::Versions, "", "The versions to refuse; any version if absent."),
    key(
        Table::Dependencies,
        "sources",
        Type::Patterns,
        "",
        "Refuse only packages from these sources: `crates.io`, `git`, `local`, `registry`.",
    ),
    key(
        Table::Dependencies,
        "required",
        Type::Boolean,
        "false",
        "Require a list of packages in each item. Not valid with the keys that refuse packages.",
    ),
    key(Table::Sections, "items", Type::Items, "all", "The items whose own sections are judged."),
    key(Table::Sections, "names", Type::Patterns, "", "The custom sections to refuse."),
    key(Table::Sections, "kinds", Type::Kinds, "", "The kinds of sections to refuse."),
    key(Table::Sections, "except", Type::Patterns, "", "Custom sections to accept, even if they match the other keys."),
    key(
        Table::Sections,
        "larger-than",
        Type::Number { min: 0, max: MAX_64 },
        "",
        "Refuse only sections of more bytes than this, headers included. Without `names` and `kinds`, it applies to sections of every kind.",
    ),
    key(Table::Imports, "names", Type::Patterns, "", "The root item's imports to refuse."),
    key(Table::Imports, "except", Type::Patterns, "", "Imports to accept, even if `names` matches them."),
    key(
        Table::Advisories,
        "classes",
        Type::AdvisoryClasses,
        "vulnerability",
        "The classes of advisories to refuse: `vulnerability`, which includes `malware`, `malware`, `unsound`, `unmaintained`, `notice`.",
    ),
    key(
        Table::Advisories,
        "at-least",
        Type::Rating,
        "none",
        "Refuse only advisories of this severity or a worse one. An advisory without a severity is refused.",
    ),
    key(Table::Advisories, "names", Type::Patterns, "", "The packages to refuse; any package if absent."),
    key(Table::Advisories, "except", Type::Patterns, "", "Packages to accept, even if `names` matches them."),
    key(Table::Advisories, "versions", Type::Versions, "", "The versions to refuse; any affected version if absent."),
];

const EXCEPTIONS: [PolicyKey; 7] = [
    key(
        Table::Exceptions,
        "paths",
        Type::Patterns,
        "",
        "Limit the exception to files of which every path matches one of these.",
    ),
    key(Table::Exceptions, "digests", Type::Digests, "", "Limit the exception to files with one of these digests."),
    key(
        Table::Exceptions,
        "verified",
        Type::Boolean,
        "false",
        "Require a computed digest; a digest that only the store states does not count.",
    ),
    key(
        Table::Exceptions,
        "codes",
        Type::Codes,
        "",
        "The codes of findings to excuse. Without it, all findings except `not-judged`, `changed` and `digest-mismatch`.",
    ),
    key(
        Table::Exceptions,
        "advisories",
        Type::AdvisoryIds,
        "",
        "Limit the exception to findings about these advisories, by identifier or alias. Applies to every file unless `paths` or `digests` is present.",
    ),
    key(Table::Exceptions, "expires", Type::Day, "", "The last day on which the exception holds."),
    key(Table::Exceptions, "reason", Type::Text, "", "The reason for the exception. Required."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_has_a_key() {
        let mut limits = Limits::default();
        for (number, key) in (1000..).zip(PolicyKey::all().filter(|key| key.table == Table::Limits)) {
            key.set_limit(&mut limits, number);
        }
        // A new limit breaks the build here.
        let expected = Limits {
            max_depth: 1000,
            max_items: 1001,
            max_sections: 1002,
            max_name_len: 1003,
            max_section_data: 1004,
            max_interface_section: 1005,
            max_retained_bytes: 1006,
            max_inflated: 1007,
            max_findings_per_code: 1008,
        };
        assert_eq!(limits, expected);
        for key in PolicyKey::all().filter(|key| key.table == Table::Limits) {
            key.set_limit(&mut limits, key.default.replace('_', "").parse().unwrap());
        }
        assert_eq!(limits, Limits::default());
    }

    #[test]
    fn names_are_those_of_the_table() {
        for table in Table::ALL {
            let keys: Vec<_> = PolicyKey::all().filter(|key| key.table == table).collect();
            assert_eq!(PolicyKey::names(table), keys.iter().map(|key| key.name).collect::<Vec<_>>());
            for key in keys.iter().filter(|key| matches!(key.value_type, Type::Number { .. })) {
                assert!(PolicyKey::number(table, key.name).is_some(), "{}", key.name);
            }
        }
    }

    #[test]
    fn keys_are_unique() {
        let keys: Vec<_> = PolicyKey::all().map(|key| (key.table, key.name)).collect();
        for (nth, key) in keys.iter().enumerate() {
            assert!(!keys[..nth].contains(key), "{key:?}");
        }
    }
}
