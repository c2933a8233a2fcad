//! Functions shared by the crates of this workspace. Not part of the public API; may change at any
//! time.

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

pub use crate::escape::{beginning, is_deceptive, quoted};
pub use crate::fs::{atomic, directory, fingerprint, lock};
pub use crate::input::{Link, open};
#[cfg(feature = "json")]
pub use crate::metadata::builder::MetadataBuilder;
pub use crate::metadata::check::{MAX_PARSED, controls, is_scp_like};
pub use crate::metadata::convention::{is_joined, names as section_names, purpose};
#[cfg(feature = "json")]
pub use crate::metadata::json::check_registry_metadata;
pub use crate::metadata::license::{corrected_license, differs_in_case, license_expression, states_no_license};
pub use crate::read::CHANGED;
pub use crate::splice::file::finish;
pub use crate::splice::output::{OutputFile, OutputPlace};

use crate::edit::Edit;
use crate::error::{Error, Reason};
use crate::finding::{Finding, FindingCode};
use crate::input::Input;
#[cfg(feature = "interface")]
use crate::interface::{Extern, ExternKind, Interface};
#[cfg(feature = "inventory")]
use crate::inventory::{Ecosystem, Evidence, Inventory, Package};
use crate::metadata::{Metadata, ValueError};
use crate::outcome::{Cost, Outcome};
use crate::scan::{Collector, Fault, ItemKind, ItemPath, Section, Visitor};
use crate::splice::Plan;

/// Checks of the URLs that a server sends a client to.
pub mod net {
    pub use crate::net::*;
}

/// The JSON writer.
#[cfg(feature = "json")]
pub mod json {
    pub use crate::json::*;
}

/// Runs a future that blocks instead of waiting, such as one that drives a blocking
/// [`Fetch`](crate::drive::Fetch).
pub fn run_blocking<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

/// Creates a finding that is not part of a list.
pub fn finding(
    code: FindingCode,
    path: ItemPath,
    offset: u64,
    section: Option<&str>,
    message: impl Into<Cow<'static, str>>,
) -> Finding {
    Finding::new(code, path, offset, section, message)
}

/// Creates an error of a value.
pub fn value_error(code: FindingCode, message: impl Into<String>) -> ValueError {
    ValueError::new(code, message)
}

/// Whether a plan was made for this file in its current state.
pub fn is_plan_for(plan: &Plan, source: &Input) -> bool {
    plan.is_for(source)
}

/// Creates a section from a saved report. `data` is the absolute offset of its data. `None` if the
/// offsets are not in order, or the id is not valid.
pub fn section(
    item: u32,
    item_kind: ItemKind,
    id: u8,
    range: Range<u64>,
    data: u64,
    name: &str,
) -> Option<Section<'_>> {
    let is_valid = range.start <= data && data <= range.end && id < 0x80;
    is_valid.then(|| Section {
        item,
        item_kind,
        id,
        start: range.start,
        payload: data, // reports do not contain the offset of a name
        data,
        end: range.end,
        class: item_kind.classes()[usize::from(id)],
        name: name.as_bytes(),
    })
}

/// Creates an import from a saved report.
#[cfg(feature = "interface")]
pub fn import(module: Option<&str>, name: &str, implements: Option<&str>, kind: ExternKind, offset: u64) -> Extern {
    Extern::new(module, name, implements, kind, offset)
}

/// Creates an interface from a saved report: imports, without exports and findings.
#[cfg(feature = "interface")]
pub fn interface(kind: ItemKind, imports: Vec<Extern>, is_complete: bool) -> Interface {
    Interface::rebuilt(kind, imports, is_complete)
}

/// Creates a package from a saved report.
#[cfg(feature = "inventory")]
pub fn package(name: &str, version: &str, ecosystem: Ecosystem, source: &str, evidence: Evidence) -> Package {
    Package::rebuilt(name, version, ecosystem, source, evidence)
}

/// Creates an inventory from a saved report, without findings.
#[cfg(feature = "inventory")]
pub fn inventory(packages: Vec<Package>) -> Inventory {
    Inventory::rebuilt(packages)
}

/// Sets the number of occurrences that a finding represents.
pub fn with_count(finding: Finding, count: u64) -> Finding {
    finding.with_count(count)
}

/// Copies a section field by field, so that the scanner's section stays in registers. The `scan`
/// bench shows it.
#[inline]
pub fn copy_section<'w>(section: &Section<'w>) -> Section<'w> {
    Section { item: section.item, ..*section }
}

/// Adds a finding about the root item.
pub fn add_root_finding(
    metadata: &mut Metadata<'_>,
    code: FindingCode,
    offset: u64,
    section: Option<&str>,
    message: String,
) {
    metadata.find_at(code, offset, section, message);
}

/// Creates an outcome from its parts.
pub fn outcome<T>(value: Option<T>, error: Option<Error>, cost: Cost) -> Outcome<T> {
    Outcome::new(value, error.map_or(Ok(()), Err), cost)
}

/// Creates an error of reading at an absolute offset.
pub fn io_error(error: io::Error, offset: Option<u64>) -> Error {
    Error::io(error, offset)
}

/// Creates an error of another operation than reading.
pub fn other_error(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::other(error)
}

/// Creates the error of an exceeded limit: more than `max` of `what`.
pub fn limit_error(what: &'static str, max: u64, offset: u64) -> Error {
    Error::new(Fault::Limit { what, max }, offset, ItemPath::root())
}

/// Creates the error of an input that is longer than declared.
pub fn longer_error(declared: u64, offset: u64) -> Error {
    Error::new(Reason::Longer(declared), offset, ItemPath::root())
}

/// Creates the error of an input that is shorter than declared.
pub fn shorter_error(declared: u64, offset: u64) -> Error {
    Error::new(Reason::Shorter(declared), offset, ItemPath::root())
}

/// Creates the error of an input that was not read from an absolute offset on.
pub fn unread_error(offset: u64) -> Error {
    Error::new(Reason::Unread, offset, ItemPath::root())
}

/// The open file of an input.
pub fn file(input: &Input) -> &File {
    input.file()
}

/// Effective user id of this process.
#[cfg(unix)]
pub fn user_id() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Why another user may have written an open file; `None` if only its owner could, who is this user or root.
///
/// # Errors
///
/// The error of the system.
pub fn untrusted_reason(file: &File) -> io::Result<Option<&'static str>> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let metadata = file.metadata()?;
        if metadata.uid() != 0 && metadata.uid() != user_id() {
            return Ok(Some("it belongs to someone else"));
        }
        if metadata.mode() & 0o022 != 0 {
            return Ok(Some("others may write to it"));
        }
    }
    #[cfg(not(unix))]
    {
        _ = file;
    }
    Ok(None)
}

/// Identity and state of the file when it was opened.
pub fn fingerprint(input: &Input) -> fingerprint::FileFingerprint {
    input.fingerprint()
}

/// Collects from a file. If the file changed during the scan, `record_change` records it in the
/// value.
pub fn collect_checked<C: Collector + for<'w> Visitor<'w>>(
    input: &Input,
    collector: C,
    record_change: impl FnOnce(&mut C::Value),
) -> Outcome<C::Value> {
    input.collect_checked(collector, record_change)
}

/// Whether the edit already changes custom sections of this name in its current item.
pub fn edits_section(edit: &Edit, section: &str) -> bool {
    edit.affects(section)
}

/// Whether the edit already changes the name of its current item.
pub fn edits_name(edit: &Edit) -> bool {
    edit.is_about_name()
}
