//! The metadata of a source.

use std::ffi::{OsStr, OsString, c_char};

use sectile::metadata::{StreamReader, Value};
use sectile::scan::ItemKind;
use sectile::{Escaped, Field, FindingCode, Outcome, Severity};
use sectile_policy::report::Report;

use crate::boundary::{Out, free, guarded, guarded_value, reference, text};
use crate::buffer::{Buffer, View};
use crate::error::{Error, Failure, Status};
use crate::source::Source;

/// The metadata of a source: its items, and the findings about them. Several threads may use one at a time.
pub struct Metadata {
    name: OsString,
    size: u64,
    outcome: Outcome<sectile::Metadata<'static>>,
}

/// A module or a component: the source itself, or nested in a component.
#[repr(C)]
pub struct Item {
    /// Offset of its first byte.
    start: u64,
    /// Offset after its last byte; the size of the source if its end was not reached.
    end: u64,
    /// Index of the enclosing item, or `SECTILE_NO_ITEM` for the first.
    parent: usize,
    /// Index among the children of the enclosing item. A path such as "3/0" consists of these.
    child: u32,
    /// Number of enclosing items.
    depth: u32,
    /// 1 for a component, 0 for a module.
    is_component: u32,
    /// Name in the name section; NULL without one.
    name: View,
}

/// `SECTILE_NO_ITEM` in `cbindgen.toml`.
const NO_ITEM: usize = usize::MAX;

/// A tool that made an item.
#[repr(C)]
pub struct Producer {
    /// The field, such as "processed-by".
    field: View,
    /// Name of the tool.
    name: View,
    /// Its version, which may be empty.
    version: View,
}

/// An anomaly of a source.
#[repr(C)]
pub struct Finding {
    /// 0 for a note, 1 for a warning, 2 for an error.
    severity: u32,
    /// The code, such as "not-spdx".
    code: View,
    /// The message. It may contain text of the source: escape it for a terminal.
    message: View,
    /// Section that it is about; NULL if it is not about one.
    section: View,
    /// Index of the item that it is about, or `SECTILE_NO_ITEM` if that was not read.
    item: usize,
    /// Absolute byte offset.
    offset: u64,
    /// Number of findings that this one represents.
    count: u64,
}

/// Reads the metadata of a source. A value that is not valid is a finding, not an error.
///
/// If the source is truncated, malformed or over a limit, the status says so, and `metadata` is what was read before the
/// fault; NULL if nothing was. Free it in each case.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sectile_read(
    source: *const Source,
    metadata: *mut *mut Metadata,
    error: *mut *mut Error,
) -> Status {
    let body = || {
        // SAFETY: the head of the header is the contract.
        let (out, source) = unsafe { (Out::handle(metadata, "metadata")?, reference(source, "source")?) };
        let outcome = source.collect(StreamReader::new(), record_change);
        Metadata { name: source.name().into(), size: source.len(), outcome }.finish(&out)
    };
    // SAFETY: the head of the header is the contract.
    unsafe { guarded(error, body) }
}

/// Frees metadata. NULL is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sectile_metadata_free(metadata: *mut Metadata) {
    // SAFETY: the caller guarantees metadata of this library that is freed once.
    unsafe { free(metadata) };
}

/// Returns the document of `sectile show --json`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sectile_metadata_json(
    metadata: *const Metadata,
    json: *mut Buffer,
    error: *mut *mut Error,
) -> Status {
    let body = || {
        // SAFETY: the head of the header is the contract.
        let (out, metadata) = unsafe { (Out::new(json, "json")?, reference(metadata, "metadata")?) };
        out.set(Buffer::EMPTY);
        let Metadata { name, size, outcome } = metadata;
        out.set(Buffer::document(|json| Report::new(name, Some(*size), outcome).write_json(json))?);
        Ok(())
    };
    // SAFETY: the head of the header is the contract.
    unsafe { guarded(error, body) }
}

/// Returns the number of items, which is at least 1. The first is the source itself. 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sectile_item_count(metadata: *const Metadata) -> usize {
    // SAFETY: the head of the header is the contract.
    let metadata = unsafe { reference(metadata, "metadata") };
    guarded_value(|| metadata.map_or(0, |metadata| metadata.value().items().len()))
}

/// Describes an item. Items are in the order of the source.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sectile_item(
    metadata: *const Metadata,
    index: usize,
    item: *mut Item,
    error: *mut *mut Error,
) -> Status {
    let body = || {
        // SAFETY: the head of the header is the contract.
        let (out, metadata) = unsafe { (Out::new(item, "item")?, reference(metadata, "metadata")?) };
        let item = metadata.item(index)?;
        out.set(Item {
            parent: item.parent().map_or(NO_ITEM, sectile::Item::number),
            child: item.index(),
            depth: item.depth(),
            is_component: u32::from(item.kind() == ItemKind::Component),
            start: item.start(),
            end: item.end().unwrap_or(metadata.size),
            name: View::optional(item.name().map(Value::as_bytes)),
        });
        Ok(())
    };
    // SAFETY: the head of the header is the contract.
    unsafe { guarded(error, body) }
}

/// Finds the value of a field, such as "licenses"; NULL if the item has none. If it occurs more than once, the last. A
/// value that is not UTF-8 is given as it is, and a finding says so.
///
/// The fields are `authors`, `created`, `description`, `documentation`, `homepage`, `licenses`, `revision`, `source`,
/// `vendor` and `version`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sectile_item_value(
    metadata: *const Metadata,
    index: usize,
    field: *const c_char,
    value: *mut View,
    error: *mut *mut Error,
) -> Status {
    let body = || {
        // SAFETY: the head of the header is the contract.
        let (out, metadata, field) =
            unsafe { (Out::new(value, "value")?, reference(metadata, "metadata")?, text(field, "field")?) };
        let value = metadata.item(index)?.annotation(find_field(field)?);
        out.set(View::optional(value.map(Value::as_bytes)));
        Ok(())
    };
    // SAFETY: the head of the header is the contract.
    unsafe { guarded(error, body) }
}

/// Lists the tools that made an item. `count` is their number. The first `capacity` of them are written to `producers`,
/// which may be NULL if that is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sectile_item_producers(
    metadata: *const Metadata,
    index: usize,
    producers: *mut Producer,
    capacity: usize,
    count: *mut usize,
    error: *mut *mut Error,
) -> Status {
    let body = || {
        // SAFETY: the head of the header is the contract.
        let (out, metadata) = unsafe { (Out::new(count, "count")?, reference(metadata, "metadata")?) };
        out.set(0);
        if producers.is_null() && capacity > 0 {
            return Err(Failure::null("producers"));
        }
        let fields = metadata.item(index)?.producers().fields();
        let listed = fields.flat_map(|field| field.values().map(move |(name, version)| [field.name(), name, version]));
        let mut number = 0;
        for [field, name, version] in listed.map(|texts| texts.map(|text| View::new(text.as_bytes()))) {
            if number < capacity {
                // SAFETY: the caller guarantees an array of `capacity` producers, and `number` is less.
                unsafe { producers.add(number).write(Producer { field, name, version }) };
            }
            number += 1;
        }
        out.set(number);
        Ok(())
    };
    // SAFETY: the head of the header is the contract.
    unsafe { guarded(error, body) }
}

/// Returns the number of findings. 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sectile_finding_count(metadata: *const Metadata) -> usize {
    // SAFETY: the head of the header is the contract.
    let metadata = unsafe { reference(metadata, "metadata") };
    guarded_value(|| metadata.map_or(0, |metadata| metadata.value().findings().len()))
}

/// Describes a finding.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sectile_finding(
    metadata: *const Metadata,
    index: usize,
    finding: *mut Finding,
    error: *mut *mut Error,
) -> Status {
    let body = || {
        // SAFETY: the head of the header is the contract.
        let (out, metadata) = unsafe { (Out::new(finding, "finding")?, reference(metadata, "metadata")?) };
        let finding = metadata.value().findings().iter().nth(index).ok_or_else(|| no_index("finding", index))?;
        out.set(Finding {
            severity: severity_number(finding.severity()),
            code: View::new(finding.code().name().as_bytes()),
            message: View::new(finding.message().as_bytes()),
            section: View::optional(finding.section().map(str::as_bytes)),
            item: metadata.value().item(finding.path()).map_or(NO_ITEM, sectile::Item::number),
            offset: finding.offset(),
            count: finding.count(),
        });
        Ok(())
    };
    // SAFETY: the head of the header is the contract.
    unsafe { guarded(error, body) }
}

impl Metadata {
    pub fn new(name: &OsStr, size: u64, outcome: Outcome<sectile::Metadata<'static>>) -> Self {
        Self { name: name.into(), size, outcome }
    }

    /// Stores what was read, and returns the error that ended the read early.
    pub fn finish(self, out: &Out<*mut Self>) -> Result<(), Failure> {
        let failure = self.outcome.error().map(Failure::from);
        if self.outcome.value().is_some() && failure.as_ref().is_none_or(|failure| failure.status() != Status::Io) {
            out.set_handle(self);
        }
        failure.map_or(Ok(()), Err)
    }

    fn value(&self) -> &sectile::Metadata<'static> {
        self.outcome.value().expect("`finish` stores only metadata that was read")
    }

    fn item(&self, index: usize) -> Result<sectile::Item<'_>, Failure> {
        self.value().items().nth(index).ok_or_else(|| no_index("item", index))
    }
}

pub fn find_field(name: &str) -> Result<Field, Failure> {
    Field::ALL.into_iter().find(|field| field.section() == name).ok_or_else(|| {
        let names = Field::ALL.map(Field::section).join(", ");
        Failure::argument(format!("unknown field `{}`: use one of {names}", Escaped::new(name)))
    })
}

fn no_index(what: &str, index: usize) -> Failure {
    Failure::argument(format!("{what} {index} does not exist"))
}

fn severity_number(severity: Severity) -> u32 {
    match severity {
        Severity::Note => 0,
        Severity::Warning => 1,
        Severity::Error => 2,
    }
}

fn record_change(metadata: &mut sectile::Metadata<'static>) {
    use sectile::internal::{CHANGED, add_root_finding};
    add_root_finding(metadata, FindingCode::Changed, 0, None, CHANGED.to_owned());
}
