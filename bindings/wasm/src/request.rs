//! Requests, in JSON.

use serde::Deserialize;

use sectile_policy::{Day, JudgeContext, Packages, Policy};

use crate::failure::Failure;

/// One operation.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    pub op: Operation,
    /// Name of the input in the document.
    #[serde(default = "unnamed")]
    pub file: String,
    /// Whether the input changed while it was read. The host finds out, and runs the operation again.
    #[serde(default)]
    pub changed: bool,
    /// `declared` or `all`.
    pub packages: Option<String>,
    /// Whether `read` includes imports and exports.
    #[serde(default)]
    pub interface: bool,
    /// The text of a policy.
    pub policy: Option<String>,
    #[serde(default = "policy_name")]
    pub policy_name: String,
    /// The day that exceptions expire by.
    pub day: Option<String>,
    /// Locations of the input, for exceptions.
    #[serde(default)]
    pub locations: Vec<String>,
    pub edit: Option<EditRequest>,
    /// The claimed digest of an upload.
    pub digest: Option<String>,
    /// Whether the host computes the digest of an upload.
    #[serde(default)]
    pub host_digest: bool,
    pub max_bytes: Option<u64>,
    pub declared_len: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    Read,
    Sections,
    Check,
    Edit,
    Gate,
}

/// The changes of an edit. Maps are lists of pairs.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EditRequest {
    /// Path of the item.
    pub item: String,
    pub set: Vec<(String, String)>,
    /// Fields, `name` or `producers`.
    pub unset: Vec<String>,
    pub name: Option<String>,
    /// Field, name and version.
    pub producers: Vec<(String, String, String)>,
    pub drop_producers: Vec<(String, String)>,
    /// Section names and their data in Base64.
    pub put: Vec<(String, String)>,
    /// Patterns of section names.
    pub remove: Vec<String>,
    pub strip: Option<StripRequest>,
    pub allow_invalid: bool,
    pub force: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StripRequest {
    pub names: bool,
    pub all: bool,
    pub keep: Vec<String>,
    pub this_item_only: bool,
}

/// The name of an input without one, as the command calls standard input.
fn unnamed() -> String {
    "-".to_owned()
}

fn policy_name() -> String {
    "policy.toml".to_owned()
}

impl Request {
    pub fn parse(json: &[u8]) -> Result<Self, Failure> {
        serde_json::from_slice(json).map_err(|error| Failure::argument(format!("invalid request: {error}")))
    }

    /// The policy to judge by, with the packages to read.
    pub fn policy(&self) -> Result<Policy, Failure> {
        let mut policy = match &self.policy {
            Some(text) => Policy::parse(&self.policy_name, text)?,
            None => Policy::default(),
        };
        if let Some(name) = &self.packages {
            let found = Packages::ALL.into_iter().find(|packages| packages.name() == name);
            policy.packages =
                found.ok_or_else(|| Failure::unknown("packages", name, Packages::ALL.map(Packages::name)))?;
        }
        Ok(policy)
    }

    /// The day. It is required if an exception of the policy expires.
    pub fn day(&self, policy: &Policy) -> Result<Option<Day>, Failure> {
        match &self.day {
            Some(day) => day.parse().map(Some).map_err(|error| Failure::argument(format!("{error}"))),
            None if policy.exceptions().any(|exception| exception.expiry().is_some()) => {
                Err(Failure::argument("an exception of the policy expires: give the `day`"))
            }
            None => Ok(None),
        }
    }

    /// Calls a function with the context of a judgment.
    pub fn with_context<T>(&self, day: Option<Day>, judge: impl FnOnce(&JudgeContext<'_>) -> T) -> T {
        let locations: Vec<_> = self.locations.iter().map(AsRef::as_ref).collect();
        judge(&JudgeContext::new().with_day(day).with_locations(&locations))
    }
}
