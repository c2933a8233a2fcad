//! The extension module of the Python package `sectile`. `python/sectile/_sectile.pyi` documents its types.

#![allow(clippy::redundant_closure_for_method_calls)] // these methods are not general over lifetimes
#![allow(clippy::needless_pass_by_value)] // PyO3 passes what it converts by value

mod audit;
mod check;
mod command;
mod diff;
mod diff_reports;
mod edit;
mod error;
mod inspect;
mod interruptible;
mod item;
mod json;
mod key;
mod metadata;
mod policy;
mod record;
mod root;
mod seekable_file;
mod signals;
mod source;
mod summary;
mod table;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use sectile::{Field, FindingCode};
use sectile_sbom::SbomFormat;

#[pymodule(gil_used = true)]
fn _sectile(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    one_interpreter::_PYO3_DEF.make_module(py)?;
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("FIELDS", PyTuple::new(py, Field::ALL.map(Field::section))?)?;
    module.add("FINDING_CODES", finding_codes(py)?)?;
    module.add("SBOM_FORMATS", PyTuple::new(py, SbomFormat::ALL.map(SbomFormat::name))?)?;
    module.add_class::<metadata::Metadata>()?;
    module.add_class::<item::Item>()?;
    item::add_fields(py)?;
    module.add_class::<policy::Policy>()?;
    module.add_class::<summary::Summary>()?;
    module.add_class::<table::Table>()?;
    module.add_function(wrap_pyfunction!(audit::audit, module)?)?;
    module.add_function(wrap_pyfunction!(audit::keys, module)?)?;
    module.add_function(wrap_pyfunction!(inspect::read, module)?)?;
    module.add_function(wrap_pyfunction!(inspect::packages, module)?)?;
    module.add_function(wrap_pyfunction!(inspect::sections, module)?)?;
    module.add_function(wrap_pyfunction!(inspect::digest, module)?)?;
    module.add_function(wrap_pyfunction!(inspect::sbom, module)?)?;
    module.add_function(wrap_pyfunction!(check::check, module)?)?;
    module.add_function(wrap_pyfunction!(diff::diff, module)?)?;
    module.add_function(wrap_pyfunction!(diff_reports::diff_reports, module)?)?;
    module.add_function(wrap_pyfunction!(command::run, module)?)?;
    module.add_function(wrap_pyfunction!(edit::edit, module)?)?;
    module.add_function(wrap_pyfunction!(edit::strip, module)?)
}

/// Creating it fails in a second interpreter, which would share objects with the first. `PyO3` checks this
/// only for submodules.
#[pymodule]
#[allow(clippy::unnecessary_wraps)] // the macro requires a result
fn one_interpreter(_: &Bound<'_, PyModule>) -> PyResult<()> {
    Ok(())
}

/// The severity of each code, read-only.
fn finding_codes(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    let codes = PyDict::new(py);
    for code in FindingCode::ALL {
        codes.set_item(code.name(), code.severity().name())?;
    }
    py.import("types")?.call_method1("MappingProxyType", (codes,))
}
