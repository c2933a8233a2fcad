//! The table of columns.

use std::borrow::Cow;
use std::ffi::OsStr;

use arrow_schema::Field as ArrowField;

use super::builder::{Cell, ColumnType, Part, Presence};
use crate::Row;
use crate::row_name::RowName;
use sectile::Severity;
use sectile::metadata::Field;
use sectile::scan::ItemPath;
use sectile_policy::JudgedFinding;

use ColumnType::{Flag, List, Number, Raw, Struct, Text};
use Presence::{Always, Sometimes};

/// A column.
#[derive(Clone, Copy)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) value_type: ColumnType,
    pub(crate) presence: Presence,
    #[cfg_attr(not(test), allow(dead_code))]
    pub(crate) help: &'static str,
    value: Value,
}

/// The origin of the values of a column.
#[derive(Clone, Copy)]
enum Value {
    Row(fn(&Row<'_>, Cell<'_>)),
    Annotation(Field),
}

impl Column {
    const fn new(
        name: &'static str,
        value_type: ColumnType,
        presence: Presence,
        help: &'static str,
        write: fn(&Row<'_>, Cell<'_>),
    ) -> Self {
        Self { name, value_type, presence, help, value: Value::Row(write) }
    }

    const fn annotation(field: Field) -> Self {
        let (name, help) = (field.section(), field.help());
        Self { name, value_type: Text, presence: Sometimes, help, value: Value::Annotation(field) }
    }

    pub(super) fn field(&self) -> ArrowField {
        ArrowField::new(self.name, self.value_type.data_type(), self.presence == Sometimes)
    }

    pub(super) fn write(&self, row: &Row<'_>, cell: Cell<'_>) {
        match self.value {
            Value::Row(write) => write(row, cell),
            Value::Annotation(field) => {
                let value = row.annotations.iter().find(|(of, _)| *of == field);
                cell.text(value.map(|(_, value)| &**value));
            }
        }
    }
}

/// All columns in their order.
pub(crate) fn columns() -> Vec<Column> {
    let annotations = Field::ALL.into_iter().map(Column::annotation);
    NAMES.into_iter().chain(annotations).chain(RESULTS).collect()
}

/// The columns before the annotations.
const NAMES: [Column; 15] = [
    Column::new(
        "file",
        Text,
        Always,
        "Name of the row: the path of the file, the image of a layer, or `PATH!ENTRY` for an entry of an archive. Bytes \
         that are not UTF-8 are replaced by `\u{fffd}`.",
        |row, cell| cell.text(Some(&row.file.to_string_lossy())),
    ),
    Column::new("file_raw", Raw, Sometimes, "The name in bytes, only if it is not UTF-8.", |row, cell| {
        cell.raw(Some(row.file.as_encoded_bytes()).filter(|_| row.file.to_str().is_none()));
    }),
    Column::new("row", Text, Always, "Kind of the row: `binary`, `archive` or `file`.", |row, cell| {
        cell.text(Some(row.row_kind.name()));
    }),
    Column::new(
        "image",
        Text,
        Sometimes,
        "Image that the row is a layer of, or a file in its layer: `oci:DIR:NAME` or `oci://HOST/REPOSITORY:TAG`.",
        |row, cell| cell.text(image(&row.file).as_deref()),
    ),
    Column::new("others", List(&Text), Always, "Further names of the file.", |row, cell| {
        cell.list(&row.other_names, |name, cell| cell.text(Some(&name.to_string_lossy())));
    }),
    Column::new("encoding", List(&Text), Always, ENCODING, |row, cell| {
        cell.list(&row.encoding, |step, cell| cell.text(Some(step)));
    }),
    Column::new("size", Number, Sometimes, "Size in bytes, if known.", |row, cell| cell.number(row.size)),
    Column::new("digest", Text, Sometimes, "SHA-256 digest as `sha256:…`, if known.", |row, cell| {
        cell.text(row.digest.as_deref());
    }),
    Column::new("verified", Flag, Always, "Whether the digest was computed from all bytes.", |row, cell| {
        cell.flag(row.verified);
    }),
    Column::new(
        "state",
        Text,
        Sometimes,
        "State of the file, as text without further meaning: another state is another version of the file.",
        |row, cell| cell.text(row.state.as_deref()),
    ),
    Column::new("outcome", Text, Always, "`complete`, `partial`, `unread` or `skipped`.", |row, cell| {
        cell.text(Some(row.completeness.name()));
    }),
    Column::new("reason", Struct(&REASON), Sometimes, "Reason if the file was not read to its end.", |row, cell| {
        match &row.reason {
            Some(reason) => cell.parts(|parts| {
                parts.text(&reason.message).some_number(reason.offset);
            }),
            None => cell.null(),
        }
    }),
    Column::new(
        "accepted",
        Flag,
        Always,
        "Whether the policy refuses no finding and the file was read to its end.",
        |row, cell| cell.flag(row.accepted),
    ),
    Column::new("kind", Text, Sometimes, "Kind of the root item: `module` or `component`.", |row, cell| {
        cell.text(row.kind.map(sectile::scan::ItemKind::name));
    }),
    Column::new("name", Text, Sometimes, "Name of the root item.", |row, cell| cell.text(row.name.as_deref())),
];

const ENCODING: &str = "Encodings in which another file contains the binary, the outermost first, such as `base64` and \
                        `gzip`. Empty for a file and for an entry of an archive.";

const REASON: [Part; 2] = [
    Part("message", Text, Always, "The message, which may quote the input."),
    Part("offset", Number, Sometimes, "Absolute byte offset of the defect, if it has one."),
];

/// The columns after the annotations.
const RESULTS: [Column; 16] = [
    Column::new("items", Number, Always, "Number of modules and components, including the root item.", |row, cell| {
        cell.number(Some(row.items));
    }),
    Column::new(
        "producers",
        List(&Struct(&PRODUCER)),
        Always,
        "Producers of all items, without duplicates.",
        |row, cell| {
            cell.list(&row.producers, |[field, name, version], cell| {
                cell.parts(|parts| {
                    parts.text(field).text(name).text(version);
                });
            });
        },
    ),
    Column::new(
        "packages",
        List(&Struct(&PACKAGE)),
        Always,
        "Packages that all items declare, and with `--packages all` those that the data names. Bounded as in `jsonl`.",
        |row, cell| {
            cell.list(row.packages(), |package, cell| {
                cell.parts(|parts| {
                    parts.text(&package.name).text(&package.version).text(package.ecosystem.name());
                    parts.text(&package.source).text(package.evidence.list().name()).text(package.evidence.name());
                    parts.text(package.confidence.name()).text(&path_text(&package.path));
                    parts.number(package.offset).number(package.count);
                    parts.some_text(package.checksum.as_deref()).some_text(package.replaces.as_deref());
                });
            });
        },
    ),
    Column::new(
        "imports",
        List(&Struct(&IMPORT)),
        Sometimes,
        "Imports of the root item. Null unless the policy has a rule about imports.",
        |row, cell| match row.imports() {
            Some(imports) => cell.list(imports, |import, cell| {
                cell.parts(|parts| {
                    parts.some_text(import.module()).text(import.name()).text(import.kind().name());
                    parts.some_text(import.implements());
                });
            }),
            None => cell.null(),
        },
    ),
    Column::new(
        "sections",
        List(&Struct(&SECTION)),
        Always,
        "Sections by kind over the whole tree, without those that contain items.",
        |row, cell| {
            cell.list(&row.section_totals, |total, cell| {
                cell.parts(|parts| {
                    parts.text(&total.kind).number(total.sections).number(total.bytes);
                });
            });
        },
    ),
    Column::new("largest", Struct(&LARGEST), Sometimes, "The largest section.", |row, cell| match &row.largest {
        Some(largest) => cell.parts(|parts| {
            parts.text(&largest.kind).some_text(largest.name.as_deref()).number(largest.bytes);
        }),
        None => cell.null(),
    }),
    Column::new("findings", List(&Struct(&FINDING)), Always, "The findings.", |row, cell| {
        cell.list(&row.findings, |judged, cell| {
            let finding = judged.finding();
            cell.parts(|parts| {
                parts.text(finding.code().name()).text(judged.severity().name()).flag(judged.is_refused());
                parts.flag(judged.exception().is_some());
                parts.some_text(judged.location().map(ToString::to_string).as_deref());
                parts.text(&path_text(finding.path())).some_text(finding.section()).number(finding.offset());
                parts.text(finding.message()).number(finding.count());
            });
        });
    }),
    Column::new(
        "advisories",
        List(&Struct(&ADVISORY)),
        Always,
        "Advisories about the packages, the most important first. Empty without `--advisories`.",
        |row, cell| {
            cell.list(row.advisories(), |found, cell| {
                let advisory = found.advisory();
                cell.parts(|parts| {
                    parts.text(&advisory.id).text(found.affected.package()).text(&found.version);
                    parts.text(advisory.rating.map_or(advisory.class.name(), sectile_advisories::Rating::name));
                });
            });
        },
    ),
    Column::new(
        "not_opened",
        List(&Struct(&NOT_OPENED)),
        Always,
        "Formats of the file or of the archive's entries that were not opened.",
        |row, cell| {
            cell.list(&row.not_opened, |(format, files), cell| {
                cell.parts(|parts| {
                    parts.text(format).number(*files);
                });
            });
        },
    ),
    Column::new(
        "errors",
        Number,
        Always,
        "Number of errors under the policy, excluding excepted findings.",
        |row, cell| cell.number(Some(count(row, |judged| is(judged, Severity::Error)))),
    ),
    Column::new(
        "warnings",
        Number,
        Always,
        "Number of warnings under the policy, excluding excepted findings.",
        |row, cell| cell.number(Some(count(row, |judged| is(judged, Severity::Warning)))),
    ),
    Column::new(
        "notes",
        Number,
        Always,
        "Number of notes under the policy, excluding excepted findings.",
        |row, cell| cell.number(Some(count(row, |judged| is(judged, Severity::Note)))),
    ),
    Column::new("refused", Number, Always, "Number of findings that the policy refuses.", |row, cell| {
        cell.number(Some(count(row, JudgedFinding::is_refused)));
    }),
    Column::new(
        "excepted",
        Number,
        Always,
        "Number of findings that an exception of the policy excuses.",
        |row, cell| cell.number(Some(count(row, |judged| judged.exception().is_some()))),
    ),
    Column::new("baseline", Text, Sometimes, "With `--baseline`: `new`, `changed` or `unchanged`.", |row, cell| {
        cell.text(row.change.as_ref().map(|change| change.state.name()));
    }),
    Column::new(
        "bytes_read",
        Number,
        Always,
        "Number of bytes read from the file; 0 for an entry of a compressed archive.",
        |row, cell| cell.number(Some(row.bytes_read)),
    ),
];

const PRODUCER: [Part; 3] = [
    Part("field", Text, Always, "`language`, `processed-by` or `sdk`."),
    Part("name", Text, Always, "Name of the tool or the language."),
    Part("version", Text, Always, "Its version; may be empty."),
];

const PACKAGE: [Part; 12] = [
    Part("name", Text, Always, "Name of the package."),
    Part("version", Text, Always, "Version as recorded; may be empty."),
    Part("ecosystem", Text, Always, "`cargo`, `golang`, `npm` or `generic`."),
    Part("source", Text, Always, "Source, such as `crates.io`; empty if it is unknown."),
    Part("list", Text, Always, "Kind of the list: `declared`, `embedded` or `recovered`."),
    Part("evidence", Text, Always, "How the package was found, as in [inventory.md](inventory.md)."),
    Part("confidence", Text, Always, "`high` or `medium`."),
    Part("path", Text, Always, "Path of the item; empty for the root item."),
    Part("offset", Number, Always, "Absolute byte offset in the first evidence."),
    Part("count", Number, Always, "Number of places that name the package."),
    Part("checksum", Text, Sometimes, "Checksum that Go records."),
    Part("replaces", Text, Sometimes, "Name and version of the package that it replaces."),
];

const IMPORT: [Part; 4] = [
    Part("module", Text, Sometimes, "Module of the import; null in a component."),
    Part("name", Text, Always, "Name of the import."),
    Part("kind", Text, Always, "Kind of the import, such as `func` or `instance`."),
    Part("implements", Text, Sometimes, "Interface that it implements."),
];

const SECTION: [Part; 3] = [
    Part("kind", Text, Always, "Kind of the sections; for custom sections, the name of the convention, or `custom`."),
    Part("count", Number, Always, "Number of sections."),
    Part("bytes", Number, Always, "Their total size in bytes, headers included."),
];

const LARGEST: [Part; 3] = [
    Part("kind", Text, Always, "Kind of the section."),
    Part("name", Text, Sometimes, "Name of a custom section."),
    Part("bytes", Number, Always, "Size in bytes, header included."),
];

const FINDING: [Part; 10] = [
    Part("code", Text, Always, "Code of the finding, as in [reference.md](reference.md#findings)."),
    Part("severity", Text, Always, "`note`, `warning` or `error`, under the policy."),
    Part("refused", Flag, Always, "Whether the policy refuses it."),
    Part("excepted", Flag, Always, "Whether an exception of the policy excuses it."),
    Part("rule", Text, Sometimes, "Position of the violated rule, such as `policy.toml:12`."),
    Part("path", Text, Always, "Path of the item; empty for the root item."),
    Part("section", Text, Sometimes, "Name of the section."),
    Part("offset", Number, Always, "Absolute byte offset."),
    Part("message", Text, Always, "The message, which may quote the input."),
    Part("count", Number, Always, "Number of findings that it represents."),
];

const ADVISORY: [Part; 4] = [
    Part("id", Text, Always, "Identifier of the advisory."),
    Part("package", Text, Always, "Name of the package."),
    Part("version", Text, Always, "Version of the package."),
    Part("severity", Text, Always, "Severity, or the class of an advisory without one."),
];

const NOT_OPENED: [Part; 2] = [
    Part("format", Text, Always, "Name of the format."),
    Part("files", Number, Always, "Number of files and entries."),
];

/// The image in the name of a row.
fn image(file: &OsStr) -> Option<String> {
    if !file.as_encoded_bytes().starts_with(b"oci:") {
        return None;
    }
    RowName::parse(file).ok().map(|name| name.path().to_string_lossy().into_owned())
}

fn path_text(path: &ItemPath) -> Cow<'static, str> {
    if path.is_root() { Cow::Borrowed("") } else { Cow::Owned(path.to_string()) }
}

fn is(judged: &JudgedFinding<'_>, severity: Severity) -> bool {
    judged.severity() == severity && judged.exception().is_none()
}

fn count<'r>(row: &Row<'r>, counts: impl Fn(&JudgedFinding<'r>) -> bool) -> u64 {
    let counted = row.findings.iter().filter(|judged| counts(judged));
    counted.fold(0, |sum, judged| sum.saturating_add(judged.finding().count()))
}
