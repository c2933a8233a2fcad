//! Policies.

use std::ffi::CString;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use pyo3::exceptions::PyUserWarning;
use pyo3::prelude::*;
use pyo3::types::PyString;
use sectile::Escaped;
use sectile_advisories::{Advisories, VexDocument};
use sectile_policy::{Day, Packages};

use crate::error;
use crate::source::path_argument;

const TODAY: &str = "SOURCE_DATE_EPOCH";

/// The rules that functions judge by: those of a TOML file, or the default ones without a path.
///
/// `advisories` are paths of databases: a directory of `RustSec`, or OSV records in a directory or a ZIP archive. `vex` are
/// paths of `OpenVEX` documents. A policy reads them once, for any number of binaries.
#[pyclass(frozen, module = "sectile")]
pub struct Policy {
    policy: sectile_policy::Policy,
}

/// The arguments of a function that judges.
pub struct PolicyArguments<'a, 'py> {
    /// A path, a policy, or None for the default one.
    pub policy: Option<&'a Bound<'py, PyAny>>,
    pub recovered: bool,
    /// Databases of advisories.
    pub advisories: &'a [PathBuf],
    pub vex: &'a [PathBuf],
}

/// A policy, and the date that its exceptions expire by; no date if none expires.
pub struct Judge {
    pub policy: sectile_policy::Policy,
    pub today: Option<Day>,
}

impl PolicyArguments<'_, '_> {
    pub fn load(&self, py: Python<'_>) -> PyResult<sectile_policy::Policy> {
        let mut policy = match self.policy {
            None => sectile_policy::Policy::default(),
            Some(argument) => {
                if let Ok(policy) = argument.cast::<Policy>() {
                    policy.get().policy.clone()
                } else {
                    let path = path_argument(argument)?;
                    let policy = py.detach(|| sectile_policy::Policy::read(path));
                    policy.map_err(|fault| error::from_policy(py, &fault))?
                }
            }
        };
        if self.recovered {
            policy.packages = Packages::All; // otherwise, the policy says which packages its rules see
        }
        with_vex(py, with_advisories(py, policy, self.advisories)?, self.vex)
    }

    /// The policy, today.
    pub fn judge(&self, py: Python<'_>) -> PyResult<Judge> {
        let policy = self.load(py)?;
        let today = today(py, &policy)?;
        Ok(Judge { policy, today })
    }
}

#[pymethods]
impl Policy {
    /// Reads a policy file.
    #[new]
    #[pyo3(signature = (path = None, *, advisories = Vec::new(), vex = Vec::new()),
        text_signature = "(path=None, *, advisories=(), vex=())")]
    fn read(
        py: Python<'_>,
        path: Option<&Bound<'_, PyAny>>,
        #[pyo3(from_py_with = paths)] advisories: Vec<PathBuf>,
        #[pyo3(from_py_with = paths)] vex: Vec<PathBuf>,
    ) -> PyResult<Self> {
        let arguments = PolicyArguments { policy: path, recovered: false, advisories: &advisories, vex: &vex };
        Ok(Self { policy: arguments.load(py)? })
    }

    /// Parses the text of a policy file. Messages call it by the name.
    #[staticmethod]
    #[pyo3(signature = (text, name = "policy.toml", *, advisories = Vec::new(), vex = Vec::new()),
        text_signature = "(text, name='policy.toml', *, advisories=(), vex=())")]
    fn parse(
        py: Python<'_>,
        text: &str,
        name: &str,
        #[pyo3(from_py_with = paths)] advisories: Vec<PathBuf>,
        #[pyo3(from_py_with = paths)] vex: Vec<PathBuf>,
    ) -> PyResult<Self> {
        let policy = sectile_policy::Policy::parse(name, text).map_err(|fault| error::from_policy(py, &fault))?;
        Ok(Self { policy: with_vex(py, with_advisories(py, policy, &advisories)?, &vex)? })
    }

    /// A text that differs for policies that may judge differently.
    #[getter]
    fn fingerprint(&self) -> String {
        self.policy.fingerprint()
    }
}

/// A path, or the paths of an iterable.
pub fn paths(argument: &Bound<'_, PyAny>) -> PyResult<Vec<PathBuf>> {
    if argument.is_instance_of::<PyString>() || argument.hasattr("__fspath__")? {
        return Ok(vec![path_argument(argument)?]);
    }
    argument.try_iter()?.map(|path| path_argument(&path?)).collect()
}

/// Adds databases of advisories. Each problem in one is a warning, because the database is incomplete then.
fn with_advisories(
    py: Python<'_>,
    policy: sectile_policy::Policy,
    paths: &[PathBuf],
) -> PyResult<sectile_policy::Policy> {
    if paths.is_empty() {
        return Ok(policy);
    }
    let mut advisories = Advisories::default();
    for path in paths {
        let read = py.detach(|| advisories.read(path));
        read.map_err(|fault| error::from_database(py, &fault, path))?;
    }
    for problem in advisories.problems() {
        let message = CString::new(Escaped::new(&format!("advisory not used: {problem}")).to_string())?;
        PyErr::warn(py, &py.get_type::<PyUserWarning>(), &message, 2)?;
    }
    Ok(policy.with_advisories(advisories))
}

/// Adds the statements of VEX documents.
fn with_vex(py: Python<'_>, policy: sectile_policy::Policy, paths: &[PathBuf]) -> PyResult<sectile_policy::Policy> {
    paths.iter().try_fold(policy, |policy, path| {
        let document = VexDocument::read(path).map_err(|fault| error::from_vex(py, &fault, path))?;
        policy.with_vex(&document).map_err(|fault| error::invalid(py, &format!("{}: {fault}", path.display())))
    })
}

/// The date that exceptions of the policy expire by, from `SOURCE_DATE_EPOCH` or else from the clock;
/// `None` if none expires.
pub fn today(py: Python<'_>, policy: &sectile_policy::Policy) -> PyResult<Option<Day>> {
    if policy.exceptions().all(|exception| exception.expiry().is_none()) {
        return Ok(None);
    }
    let seconds = match std::env::var_os(TODAY) {
        Some(seconds) => seconds.to_str().and_then(|seconds| seconds.parse().ok()),
        None => SystemTime::now().duration_since(UNIX_EPOCH).ok().and_then(|time| i64::try_from(time.as_secs()).ok()),
    };
    let day = seconds.and_then(Day::from_unix_seconds);
    day.map(Some).ok_or_else(|| error::invalid(py, &format!("{TODAY} is not a number of seconds since 1970")))
}
