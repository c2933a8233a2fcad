//! Policies.

use std::time::{SystemTime, UNIX_EPOCH};

use pyo3::prelude::*;
use sectile_policy::Day;

use crate::error;
use crate::source::path_argument;

const TODAY: &str = "SOURCE_DATE_EPOCH";

/// The rules that `check` judges by, from a TOML file.
#[pyclass(frozen, module = "sectile")]
pub struct Policy {
    policy: sectile_policy::Policy,
}

impl Policy {
    /// The policy of an argument: a path, a policy, or None for the default one.
    pub fn from_argument(argument: Option<&Bound<'_, PyAny>>) -> PyResult<sectile_policy::Policy> {
        let Some(argument) = argument else { return Ok(sectile_policy::Policy::default()) };
        match argument.cast::<Self>() {
            Ok(policy) => Ok(policy.get().policy.clone()),
            Err(_) => Ok(Self::read(argument)?.policy),
        }
    }
}

#[pymethods]
impl Policy {
    /// Reads a policy file.
    #[new]
    fn read(path: &Bound<'_, PyAny>) -> PyResult<Self> {
        let (py, path) = (path.py(), path_argument(path)?);
        let policy = py.detach(|| sectile_policy::Policy::read(path));
        Ok(Self { policy: policy.map_err(|fault| error::from_policy(py, &fault))? })
    }

    /// Parses the text of a policy file. Messages call it by the name.
    #[staticmethod]
    #[pyo3(signature = (text, name = "policy.toml"))]
    fn parse(py: Python<'_>, text: &str, name: &str) -> PyResult<Self> {
        let policy = sectile_policy::Policy::parse(name, text);
        Ok(Self { policy: policy.map_err(|fault| error::from_policy(py, &fault))? })
    }

    /// A text that differs for policies that may judge differently.
    #[getter]
    fn fingerprint(&self) -> String {
        self.policy.fingerprint()
    }
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
