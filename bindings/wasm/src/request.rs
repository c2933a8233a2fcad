//! Requests, in JSON.

use sectile::internal::quoted;
use sectile_policy::{Day, JudgeContext, Packages, Policy};

use crate::failure::Failure;
use crate::json::{Json, Object};

/// One operation.
#[derive(Debug)]
pub struct Request {
    pub op: Operation,
    /// Name of the input in the document.
    pub file: String,
    /// Whether the input changed while it was read. The host finds out, and runs the operation again.
    pub changed: bool,
    /// `declared` or `all`.
    pub packages: Option<String>,
    /// Whether `read` includes imports and exports.
    pub interface: bool,
    /// The text of a policy.
    pub policy: Option<String>,
    pub policy_name: String,
    /// The day that exceptions expire by.
    pub day: Option<String>,
    /// Locations of the input, for exceptions.
    pub locations: Vec<String>,
    pub edit: Option<EditRequest>,
    /// The claimed digest of an upload.
    pub digest: Option<String>,
    /// Whether the host computes the digest of an upload.
    pub host_digest: bool,
    pub max_bytes: Option<u64>,
    pub declared_len: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    Read,
    Sections,
    Check,
    Edit,
    Gate,
}

/// The changes of an edit. Maps are lists of pairs.
#[derive(Debug)]
pub struct EditRequest {
    /// Path of the item.
    pub item: String,
    pub set: Vec<[String; 2]>,
    /// Fields, `name` or `producers`.
    pub unset: Vec<String>,
    pub name: Option<String>,
    /// Field, name and version.
    pub producers: Vec<[String; 3]>,
    pub drop_producers: Vec<[String; 2]>,
    /// Section names and their data in Base64.
    pub put: Vec<[String; 2]>,
    /// Patterns of section names.
    pub remove: Vec<String>,
    pub strip: Option<StripRequest>,
    pub allow_invalid: bool,
    pub force: bool,
}

#[derive(Debug)]
pub struct StripRequest {
    pub names: bool,
    pub all: bool,
    pub keep: Vec<String>,
    pub this_item_only: bool,
}

impl Operation {
    fn from_json(name: &str) -> Result<Self, String> {
        Ok(match name {
            "read" => Self::Read,
            "sections" => Self::Sections,
            "check" => Self::Check,
            "edit" => Self::Edit,
            "gate" => Self::Gate,
            _ => return Err(format!("unknown `op` {}", quoted(name))),
        })
    }
}

impl EditRequest {
    fn from_json(mut object: Object) -> Result<Self, String> {
        let request = Self {
            item: object.text("item")?.unwrap_or_default(),
            set: object.rows("set")?,
            unset: object.texts("unset")?,
            name: object.text("name")?,
            producers: object.rows("producers")?,
            drop_producers: object.rows("drop_producers")?,
            put: object.rows("put")?,
            remove: object.texts("remove")?,
            strip: object.object("strip")?.map(StripRequest::from_json).transpose()?,
            allow_invalid: object.boolean("allow_invalid")?,
            force: object.boolean("force")?,
        };
        object.finish()?;
        Ok(request)
    }
}

impl StripRequest {
    fn from_json(mut object: Object) -> Result<Self, String> {
        let request = Self {
            names: object.boolean("names")?,
            all: object.boolean("all")?,
            keep: object.texts("keep")?,
            this_item_only: object.boolean("this_item_only")?,
        };
        object.finish()?;
        Ok(request)
    }
}

impl Request {
    pub fn parse(json: &[u8]) -> Result<Self, Failure> {
        Json::parse(json)
            .and_then(|json| Self::from_json(json.object()?))
            .map_err(|error| Failure::argument(format!("invalid request: {error}")))
    }

    fn from_json(mut object: Object) -> Result<Self, String> {
        let request = Self {
            op: Operation::from_json(&object.text("op")?.ok_or("missing `op`")?)?,
            // The command calls standard input `-`.
            file: object.text("file")?.unwrap_or_else(|| "-".to_owned()),
            changed: object.boolean("changed")?,
            packages: object.text("packages")?,
            interface: object.boolean("interface")?,
            policy: object.text("policy")?,
            policy_name: object.text("policy_name")?.unwrap_or_else(|| "policy.toml".to_owned()),
            day: object.text("day")?,
            locations: object.texts("locations")?,
            edit: object.object("edit")?.map(EditRequest::from_json).transpose()?,
            digest: object.text("digest")?,
            host_digest: object.boolean("host_digest")?,
            max_bytes: object.number("max_bytes")?,
            declared_len: object.number("declared_len")?,
        };
        object.finish()?;
        Ok(request)
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
