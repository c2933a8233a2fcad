//! Edits of bytes and files.

use std::ffi::{OsStr, c_char};
use std::path::Path;

use sectile::edit::{EditPlan, Strip};
use sectile::splice::{WriteOptions, check_whole};
use sectile::{Glob, Input};
use sectile_policy::diff::{Comparison, compare_edit};
use sectile_policy::report::EditReport;

use crate::boundary::{Out, exclusive, free, guarded, path, reference, text, values};
use crate::buffer::Buffer;
use crate::error::{Error, Failure, Status};
use crate::metadata::find_field;
use crate::source::UNNAMED;

/// Changes of metadata. All other bytes are kept.
///
/// A function that fails leaves the edit with its error: each later function of the edit fails with it too. So only the
/// last status needs a check. One thread may use an edit at a time.
pub struct Edit {
    state: Result<sectile::Edit, Failure>,
    options: u32,
}

/// Values that are not valid are written, with a finding.
pub const SECTILE_EDIT_ALLOW_INVALID: u32 = 1;

/// Files that are read-only or have several links are edited too, and objects that are yet to be linked.
pub const SECTILE_EDIT_FORCE: u32 = 2;

/// Function and local names are removed too.
pub const SECTILE_STRIP_NAMES: u32 = 1;

/// Every custom section that the binary does not need is removed.
pub const SECTILE_STRIP_ALL: u32 = 2;

/// Items in the current item are kept as they are.
pub const SECTILE_STRIP_ITEM_ONLY: u32 = 4;

/// Makes an edit without changes. `options` are `SECTILE_EDIT_…`, or 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sectile_edit_new(options: u32, edit: *mut *mut Edit, error: *mut *mut Error) -> Status {
    let body = || {
        // SAFETY: the head of the header is the contract.
        let out = unsafe { Out::handle(edit, "edit")? };
        check_options(options, SECTILE_EDIT_ALLOW_INVALID | SECTILE_EDIT_FORCE)?;
        let edit = if options & SECTILE_EDIT_FORCE == 0 { sectile::Edit::new() } else { sectile::Edit::new().force() };
        out.set_handle(Edit { state: Ok(edit), options });
        Ok(())
    };
    // SAFETY: the head of the header is the contract.
    unsafe { guarded(error, body) }
}

/// Frees an edit. NULL is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sectile_edit_free(edit: *mut Edit) {
    // SAFETY: the caller guarantees an edit of this library that is freed once.
    unsafe { free(edit) };
}

/// Applies the following changes to the item at a path, such as "3/0"; "" is the source itself.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sectile_edit_at(edit: *mut Edit, item: *const c_char, error: *mut *mut Error) -> Status {
    let body = || {
        // SAFETY: the head of the header is the contract.
        let (edit, item) = unsafe { (exclusive(edit, "edit")?, text(item, "item")) };
        edit.add(|edit, _| Ok(edit.at(parsed(item?)?)))
    };
    // SAFETY: the head of the header is the contract.
    unsafe { guarded(error, body) }
}

/// Sets a field, such as "licenses", or "name".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sectile_edit_set(
    edit: *mut Edit,
    field: *const c_char,
    value: *const c_char,
    error: *mut *mut Error,
) -> Status {
    let body = || {
        // SAFETY: the head of the header is the contract.
        let (edit, field, value) = unsafe { (exclusive(edit, "edit")?, text(field, "field"), text(value, "value")) };
        edit.add(|edit, options| match (field?, value?) {
            (NAME, value) => Ok(edit.name(value)?),
            (field, value) if options & SECTILE_EDIT_ALLOW_INVALID == 0 => Ok(edit.set(find_field(field)?, value)?),
            (field, value) => Ok(edit.set_unchecked(find_field(field)?, value)?),
        })
    };
    // SAFETY: the head of the header is the contract.
    unsafe { guarded(error, body) }
}

/// Removes a field, such as "licenses", "name" or "producers".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sectile_edit_unset(edit: *mut Edit, field: *const c_char, error: *mut *mut Error) -> Status {
    let body = || {
        // SAFETY: the head of the header is the contract.
        let (edit, field) = unsafe { (exclusive(edit, "edit")?, text(field, "field")) };
        edit.add(|edit, _| match field? {
            NAME => Ok(edit.clear_name()?),
            "producers" => Ok(edit.unset_producers()?),
            field => Ok(edit.unset(find_field(field)?)?),
        })
    };
    // SAFETY: the head of the header is the contract.
    unsafe { guarded(error, body) }
}

/// Adds a producer to a field, such as "processed-by", or replaces its version.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sectile_edit_add_producer(
    edit: *mut Edit,
    field: *const c_char,
    name: *const c_char,
    version: *const c_char,
    error: *mut *mut Error,
) -> Status {
    let body = || {
        // SAFETY: the head of the header is the contract.
        let (edit, field, name, version) =
            unsafe { (exclusive(edit, "edit")?, text(field, "field"), text(name, "name"), text(version, "version")) };
        edit.add(|edit, _| Ok(edit.add_producer(field?, name?, version?)))
    };
    // SAFETY: the head of the header is the contract.
    unsafe { guarded(error, body) }
}

/// Removes a producer from a field.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sectile_edit_drop_producer(
    edit: *mut Edit,
    field: *const c_char,
    name: *const c_char,
    error: *mut *mut Error,
) -> Status {
    let body = || {
        // SAFETY: the head of the header is the contract.
        let (edit, field, name) = unsafe { (exclusive(edit, "edit")?, text(field, "field"), text(name, "name")) };
        edit.add(|edit, _| Ok(edit.drop_producer(field?, name?)))
    };
    // SAFETY: the head of the header is the contract.
    unsafe { guarded(error, body) }
}

/// Sets the data of a custom section. The bytes are copied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sectile_edit_put(
    edit: *mut Edit,
    section: *const c_char,
    data: *const u8,
    len: usize,
    error: *mut *mut Error,
) -> Status {
    let body = || {
        // SAFETY: the head of the header is the contract.
        let (edit, section, data) =
            unsafe { (exclusive(edit, "edit")?, text(section, "section"), values(data, len, "data")) };
        edit.add(|edit, _| Ok(edit.put(section?, data?)?))
    };
    // SAFETY: the head of the header is the contract.
    unsafe { guarded(error, body) }
}

/// Removes custom sections whose names match a pattern, such as ".debug_*".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sectile_edit_remove(
    edit: *mut Edit,
    pattern: *const c_char,
    error: *mut *mut Error,
) -> Status {
    let body = || {
        // SAFETY: the head of the header is the contract.
        let (edit, pattern) = unsafe { (exclusive(edit, "edit")?, text(pattern, "pattern")) };
        edit.add(|edit, _| Ok(edit.remove_matching(parsed::<Glob>(pattern?)?)))
    };
    // SAFETY: the head of the header is the contract.
    unsafe { guarded(error, body) }
}

/// Removes debug sections from the current item and the items in it. `options` are `SECTILE_STRIP_…`, or 0. `keep` has
/// `keep_len` patterns of sections that are kept; NULL for none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sectile_edit_strip(
    edit: *mut Edit,
    options: u32,
    keep: *const *const c_char,
    keep_len: usize,
    error: *mut *mut Error,
) -> Status {
    let body = || {
        // SAFETY: the head of the header is the contract.
        let (edit, keep) = unsafe { (exclusive(edit, "edit")?, values(keep, keep_len, "keep")) };
        edit.add(|edit, _| {
            check_options(options, SECTILE_STRIP_NAMES | SECTILE_STRIP_ALL | SECTILE_STRIP_ITEM_ONLY)?;
            let mut strip = Strip::new();
            for (option, set) in [
                (SECTILE_STRIP_NAMES, Strip::names as fn(Strip) -> Strip),
                (SECTILE_STRIP_ALL, Strip::all),
                (SECTILE_STRIP_ITEM_ONLY, Strip::this_item_only),
            ] {
                strip = if options & option == 0 { strip } else { set(strip) };
            }
            for pattern in keep? {
                // SAFETY: the head of the header is the contract.
                strip = strip.keep(parsed(unsafe { text(*pattern, "keep") }?)?);
            }
            Ok(edit.strip(strip))
        })
    };
    // SAFETY: the head of the header is the contract.
    unsafe { guarded(error, body) }
}

/// Edits bytes, and returns the new bytes. `changes`, unless it is NULL, is the document of `sectile set --json`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sectile_edit_bytes(
    edit: *const Edit,
    data: *const u8,
    len: usize,
    edited: *mut Buffer,
    changes: *mut Buffer,
    error: *mut *mut Error,
) -> Status {
    let body = || {
        // SAFETY: the head of the header is the contract.
        let (out, changes) = unsafe { (Out::new(edited, "edited")?, Out::optional(changes)) };
        empty(&[Some(&out), changes.as_ref()]);
        // SAFETY: the head of the header is the contract.
        let (edit, data) = unsafe { (reference(edit, "edit")?.complete()?, values(data, len, "data")?) };
        let plan = edit.plan_slice(data)?;
        let comparison = compare_edit(&plan, data)?;
        let new = plan.plan().to_vec(data).ok_or_else(|| Failure::panic("the plan was made for these bytes"))?;
        write_changes(changes.as_ref(), UNNAMED.as_ref(), &plan, &comparison)?;
        out.set(Buffer::new(new));
        Ok(())
    };
    // SAFETY: the head of the header is the contract.
    unsafe { guarded(error, body) }
}

/// Edits the file at a path. It is replaced atomically: at every moment it is the old file or the new one. `changes`,
/// unless it is NULL, is the document of `sectile set --json`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sectile_edit_file(
    edit: *const Edit,
    file: *const c_char,
    changes: *mut Buffer,
    error: *mut *mut Error,
) -> Status {
    let body = || {
        // SAFETY: the head of the header is the contract.
        let changes = unsafe { Out::optional(changes) };
        empty(&[changes.as_ref()]);
        // SAFETY: the head of the header is the contract.
        let (edit, path) = unsafe { (reference(edit, "edit")?, path(file, "file")?) };
        let (plan, comparison) = replace(edit.complete()?, path, edit.options & SECTILE_EDIT_FORCE != 0)?;
        write_changes(changes.as_ref(), path.as_os_str(), &plan, &comparison)
    };
    // SAFETY: the head of the header is the contract.
    unsafe { guarded(error, body) }
}

/// The name in place of a field.
const NAME: &str = "name";

impl Edit {
    /// Adds a change, which takes the edit and its options.
    fn add(
        &mut self,
        change: impl FnOnce(sectile::Edit, u32) -> Result<sectile::Edit, Failure>,
    ) -> Result<(), Failure> {
        let unfinished = Err(Failure::panic("a change of this edit was not finished"));
        let state = std::mem::replace(&mut self.state, unfinished);
        self.state = state.and_then(|edit| change(edit, self.options));
        self.complete().map(|_| ())
    }

    fn complete(&self) -> Result<&sectile::Edit, Failure> {
        self.state.as_ref().map_err(Clone::clone)
    }
}

fn replace(edit: &sectile::Edit, path: &Path, force: bool) -> Result<(EditPlan, Comparison), sectile::Error> {
    check_whole(path)?;
    let plan = edit.plan(path)?;
    let comparison = compare_edit(plan.plan(), &Input::open(path)?)?;
    plan.write(WriteOptions { force, ..WriteOptions::default() })?;
    Ok((plan.into_plan(), comparison))
}

fn write_changes(
    out: Option<&Out<Buffer>>,
    name: &OsStr,
    plan: &EditPlan,
    comparison: &Comparison,
) -> Result<(), Failure> {
    let Some(out) = out else { return Ok(()) };
    let report = EditReport::new(name, plan, !plan.plan().is_identity()).with_comparison(Some(comparison));
    out.set(Buffer::document(|json| report.write_json(json))?);
    Ok(())
}

/// Empties buffers, so that they may be freed after an error.
fn empty(buffers: &[Option<&Out<Buffer>>]) {
    buffers.iter().flatten().for_each(|buffer| buffer.set(Buffer::EMPTY));
}

fn check_options(options: u32, known: u32) -> Result<(), Failure> {
    match options & !known {
        0 => Ok(()),
        unknown => Err(Failure::argument(format!("unknown options: {unknown:#x}"))),
    }
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, Failure> {
    text.parse().map_err(|fault: T::Err| Failure::argument(fault.to_string()))
}
