//! Edits of bytes and files.

use std::ffi::OsStr;
use std::path::Path;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;
use sectile::edit::{EditError, EditPlan, Strip};
use sectile::scan::ItemPath;
use sectile::splice::{WriteOptions, check_whole};
use sectile::{Edit, Error, Escaped, Field, Glob, Input};
use sectile_policy::diff::{Comparison, compare_edit};
use sectile_policy::report::EditReport;

use crate::source::SourceArgument;
use crate::{error, json, record};

type Pairs<'py> = Vec<(String, Bound<'py, PyAny>)>;

/// Edits the metadata of a source, and keeps all other bytes.
///
/// Bytes give the new bytes and the changes. The file at a path is replaced atomically, and gives the
/// changes. A repeated edit changes nothing.
///
/// `set` has values of annotations by field, `unset` names fields, "name" or "producers". A producer
/// is a field, a name and a version, and is dropped by field and name. `put` has the data of custom
/// sections by name, and `remove` names sections by pattern. `item` is the path of the item to
/// change. `allow_invalid` writes values that are not valid; `force` edits read-only files, files with
/// several links, and objects that are yet to be linked.
#[pyfunction]
#[pyo3(signature = (source, *, set = None, unset = Vec::new(), name = None, producers = Vec::new(),
    drop_producers = Vec::new(), put = None, remove = Vec::new(), item = "", allow_invalid = false, force = false),
    text_signature = "(source, *, set=None, unset=(), name=None, producers=(), drop_producers=(), put=None, \
    remove=(), item='', allow_invalid=False, force=False)")]
#[allow(clippy::too_many_arguments)] // keywords in Python
pub fn edit<'py>(
    py: Python<'py>,
    source: &Bound<'py, PyAny>,
    set: Option<&Bound<'py, PyAny>>,
    #[pyo3(from_py_with = texts)] unset: Vec<String>,
    name: Option<String>,
    #[pyo3(from_py_with = values)] producers: Vec<(String, String, String)>,
    #[pyo3(from_py_with = values)] drop_producers: Vec<(String, String)>,
    put: Option<&Bound<'py, PyAny>>,
    #[pyo3(from_py_with = texts)] remove: Vec<String>,
    item: &str,
    allow_invalid: bool,
    force: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let mut edit = Edit::new().at(parse_item(py, item)?);
    for (field, value) in pairs(set)? {
        let (field, value) = (find_field(py, &field)?, value.extract::<String>()?);
        let set = if allow_invalid { edit.set_unchecked(field, value) } else { edit.set(field, value) };
        edit = checked(py, set)?;
    }
    for target in unset {
        edit = checked(
            py,
            match &*target {
                "name" => edit.clear_name(),
                "producers" => edit.unset_producers(),
                field => edit.unset(find_field(py, field)?),
            },
        )?;
    }
    if let Some(name) = name {
        edit = checked(py, edit.name(name))?;
    }
    // Producers are dropped before others are added, so that one can replace another.
    for (field, name) in drop_producers {
        edit = edit.drop_producer(field, name);
    }
    for (field, name, version) in producers {
        edit = edit.add_producer(field, name, version);
    }
    for (section, data) in pairs(put)? {
        edit = checked(py, edit.put(section, data.extract::<PyBackedBytes>()?.to_vec()))?;
    }
    for pattern in remove {
        edit = edit.remove_matching(parse_glob(py, &pattern)?);
    }
    apply(source, edit, force)
}

/// Removes debug sections from a source and its nested items.
///
/// Takes and returns the same as `edit`. `names` also removes function and local names, `all` every
/// custom section that the binary does not need, and `keep` excludes sections by pattern. `item` is the
/// path of the only item to change.
#[pyfunction]
#[pyo3(signature = (source, *, keep = Vec::new(), names = false, all = false, item = None, force = false),
    text_signature = "(source, *, keep=(), names=False, all=False, item=None, force=False)")]
pub fn strip<'py>(
    py: Python<'py>,
    source: &Bound<'py, PyAny>,
    #[pyo3(from_py_with = texts)] keep: Vec<String>,
    names: bool,
    all: bool,
    item: Option<&str>,
    force: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let mut strip = Strip::new();
    if names {
        strip = strip.names();
    }
    if all {
        strip = strip.all();
    }
    if item.is_some() {
        strip = strip.this_item_only();
    }
    for pattern in keep {
        strip = strip.keep(parse_glob(py, &pattern)?);
    }
    apply(source, Edit::new().at(parse_item(py, item.unwrap_or_default())?).strip(strip), force)
}

/// Carries out an edit, and returns what the functions return.
fn apply<'py>(source: &Bound<'py, PyAny>, edit: Edit, force: bool) -> PyResult<Bound<'py, PyAny>> {
    let py = source.py();
    let edit = if force { edit.force() } else { edit };
    match SourceArgument::new(source)? {
        SourceArgument::Path(path) => {
            let written = py.detach(|| replace(&edit, &path, force));
            let plan = written.map_err(|fault| error::from_sectile(py, &fault, Some(&path)))?;
            changes(py, &plan, path.as_os_str())
        }
        SourceArgument::Bytes(bytes) => {
            let edited = py.detach(|| edit_bytes(&edit, &bytes));
            let (plan, new) = edited.map_err(|fault| error::from_sectile(py, &fault, None))?;
            let changes = changes(py, &plan, OsStr::new("-"))?;
            Ok((PyBytes::new(py, &new), changes).into_pyobject(py)?.into_any())
        }
        SourceArgument::File(_) => {
            Err(PyTypeError::new_err("a file object cannot be edited: give its path or its bytes"))
        }
    }
}

/// A planned edit, and what it changes.
struct ComparedPlan {
    plan: EditPlan,
    comparison: Comparison,
}

fn replace(edit: &Edit, path: &Path, force: bool) -> Result<ComparedPlan, Error> {
    check_whole(path)?;
    let plan = edit.plan(path)?;
    let comparison = compare_edit(plan.plan(), &Input::open(path)?)?;
    plan.write(WriteOptions { force, ..WriteOptions::default() })?;
    Ok(ComparedPlan { plan: plan.into_plan(), comparison })
}

fn edit_bytes(edit: &Edit, bytes: &[u8]) -> Result<(ComparedPlan, Vec<u8>), Error> {
    let plan = edit.plan_slice(bytes)?;
    let comparison = compare_edit(&plan, bytes)?;
    let new = plan.plan().to_vec(bytes).expect("the plan was made for these bytes");
    Ok((ComparedPlan { plan, comparison }, new))
}

fn changes<'py>(py: Python<'py>, edited: &ComparedPlan, name: &OsStr) -> PyResult<Bound<'py, PyAny>> {
    let ComparedPlan { plan, comparison } = edited;
    let report = EditReport::new(name, plan, !plan.plan().is_identity()).with_comparison(Some(comparison));
    let json = json::document(py, |out| report.write_json(out))?;
    let changes = plan.changes().iter().map(|change| {
        let range = (change.range().start, change.range().end);
        let (path, kind) = (change.path().to_string(), change.kind().name());
        record::CHANGE.create(py, (path, change.section(), kind, range, change.before(), change.after()))
    });
    let findings = plan.findings().iter().map(|finding| record::finding(py, finding));
    let (changes, findings) = (changes.collect::<PyResult<Vec<_>>>()?, findings.collect::<PyResult<Vec<_>>>()?);
    record::CHANGES.create(py, (changes, findings, json))
}

/// Unwraps a step of building an edit.
fn checked(py: Python<'_>, step: Result<Edit, EditError>) -> PyResult<Edit> {
    step.map_err(|fault| error::invalid(py, &fault))
}

fn find_field(py: Python<'_>, name: &str) -> PyResult<Field> {
    Field::ALL.into_iter().find(|field| field.section() == name).ok_or_else(|| {
        let names = Field::ALL.map(Field::section).join(", ");
        error::invalid(py, &format!("unknown field `{}`: use one of {names}", Escaped::new(name)))
    })
}

fn parse_item(py: Python<'_>, path: &str) -> PyResult<ItemPath> {
    path.parse().map_err(|fault| error::invalid(py, &fault))
}

fn parse_glob(py: Python<'_>, pattern: &str) -> PyResult<Glob> {
    pattern.parse().map_err(|fault| error::invalid(py, &fault))
}

/// Keys and values of a mapping.
fn pairs<'py>(mapping: Option<&Bound<'py, PyAny>>) -> PyResult<Pairs<'py>> {
    match mapping {
        Some(mapping) => values(&mapping.call_method0("items")?),
        None => Ok(Vec::new()),
    }
}

/// The texts of an iterable. A text is not one: each of its characters would be.
fn texts(iterable: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    if iterable.is_instance_of::<pyo3::types::PyString>() {
        return Err(PyTypeError::new_err("expected a list of `str`, not `str`"));
    }
    values(iterable)
}

/// The values of an iterable.
fn values<'py, T: for<'a> FromPyObject<'a, 'py>>(iterable: &Bound<'py, PyAny>) -> PyResult<Vec<T>> {
    iterable.try_iter()?.map(|value| value?.extract().map_err(Into::into)).collect()
}
