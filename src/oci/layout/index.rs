//! `index.json`, of which nothing is lost that is not known here.

use std::fmt;
use std::path::Path;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::{RawValue, to_raw_value};

use super::{LayoutError, REF_NAME, parse};
use crate::oci::descriptor::{INDEX, Wire};
use crate::oci::{Annotations, Descriptor};

/// An index as it stands in its file: its keys in their order, and what is not changed as it was written.
#[derive(Debug)]
pub(crate) struct Index {
    members: Vec<(String, Box<RawValue>)>,
    manifests: Vec<Box<RawValue>>,
}

/// What points to a blob, as far as it is looked at.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Entry {
    pub(crate) media_type: String,
    /// Not looked at before it is used: that of another image may be anything.
    pub(crate) digest: String,
    pub(crate) size: u64,
    #[serde(default)]
    pub(crate) annotations: Annotations,
    pub(crate) platform: Option<Platform>,
}

/// What a manifest is for.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Platform {
    pub(crate) architecture: Option<String>,
    pub(crate) os: Option<String>,
}

impl Entry {
    pub(crate) fn ref_name(&self) -> Option<&str> {
        self.annotations.get(REF_NAME).map(|name| &**name)
    }
}

const MANIFESTS: &str = "manifests";

impl Index {
    /// An index of nothing.
    pub(super) fn new() -> Self {
        let raw = |json: &str| RawValue::from_string(json.to_owned()).unwrap_or_default();
        let members =
            [("schemaVersion", raw("2")), ("mediaType", raw(&format!("\"{INDEX}\""))), (MANIFESTS, raw("[]"))];
        Self { members: members.map(|(key, value)| (key.to_owned(), value)).into(), manifests: Vec::new() }
    }

    /// The index that stands in this file.
    pub(crate) fn parse(path: &Path, bytes: &[u8]) -> Result<Self, LayoutError> {
        let malformed = |why: &str| LayoutError::malformed(path, why.to_owned());
        let Members(members) = parse(path, bytes)?;
        let mut keys: Vec<&str> = members.iter().map(|(key, _)| &**key).collect();
        keys.sort_unstable();
        if keys.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(malformed("a key stands in it twice"));
        }
        let of = |key: &str| members.iter().find(|(found, _)| found == key).map(|(_, value)| value.get());
        if of("schemaVersion") != Some("2") {
            return Err(malformed("it is not of schema version 2"));
        }
        let manifests = of(MANIFESTS).ok_or_else(|| malformed("it has no `manifests`"))?;
        let manifests = parse(path, manifests.as_bytes())?;
        Ok(Self { members, manifests })
    }

    /// What it says of its manifests.
    pub(crate) fn entries(&self, path: &Path) -> Result<Vec<Entry>, LayoutError> {
        self.manifests.iter().map(|raw| parse(path, raw.get().as_bytes())).collect()
    }

    /// Adds a manifest: in the place of those that have the same name, or at the end. Without a name it is added where
    /// it does not stand without one already. Gives whether that changes anything.
    pub(super) fn add(&mut self, path: &Path, descriptor: &Descriptor) -> Result<bool, LayoutError> {
        let wire = Wire::from(descriptor);
        let raw = to_raw_value(&wire).map_err(|error| LayoutError::malformed(path, error.to_string()))?;
        let name = descriptor.annotations.get(REF_NAME).map(|name| &**name);
        let entries = self.entries(path)?;
        let is_meant = |entry: &Entry| entry.ref_name() == name && (name.is_some() || entry.digest == wire.digest);
        let mut places = entries.iter().enumerate().filter(|(_, entry)| is_meant(entry)).map(|(place, _)| place);
        let Some(first) = places.next() else {
            self.manifests.push(raw);
            return Ok(true);
        };
        let others: Vec<usize> = places.collect();
        let is_same = |entry: &Entry| entry.digest == wire.digest && entry.size == wire.size;
        if others.is_empty() && is_same(&entries[first]) {
            return Ok(false);
        }
        self.manifests[first] = raw;
        for place in others.into_iter().rev() {
            self.manifests.remove(place);
        }
        Ok(true)
    }

    /// The bytes of the file.
    pub(super) fn to_json(&self) -> Vec<u8> {
        let mut json = String::from("{");
        for (nth, (key, value)) in self.members.iter().enumerate() {
            json += if nth > 0 { "," } else { "" };
            json += &serde_json::to_string(key).unwrap_or_default(); // a text cannot fail
            json += ":";
            if key == MANIFESTS {
                let manifests: Vec<&str> = self.manifests.iter().map(|raw| raw.get()).collect();
                json += "[";
                json += &manifests.join(",");
                json += "]";
            } else {
                json += value.get();
            }
        }
        json += "}";
        json.into_bytes()
    }
}

/// The members of an object, in their order.
struct Members(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Each)
    }
}
