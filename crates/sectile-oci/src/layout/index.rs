//! `index.json`. Unknown members are preserved.

use std::path::Path;

use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};

use super::{LayoutError, REF_NAME_KEY, parse};
use crate::descriptor::{DescriptorJson, INDEX_MEDIA_TYPE};
use crate::json_members::{Members, write_object};
use crate::platform::DescriptorPlatform;
use crate::{Annotations, Descriptor};

/// An index. Keys keep their order, and unchanged values keep their bytes.
#[derive(Debug)]
pub struct Index {
    members: Members,
    manifests: Vec<Box<RawValue>>,
}

/// A descriptor in a parsed document.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ParsedDescriptor {
    /// Media type of the blob.
    pub media_type: String,
    /// Digest of the blob, unchecked: unused descriptors may have any digest.
    pub digest: String,
    /// Size of the blob in bytes.
    pub size: u64,
    /// Annotations of the descriptor.
    #[serde(default)]
    pub annotations: Annotations,
    /// Platform of the manifest.
    pub platform: Option<DescriptorPlatform>,
    /// Alternative URLs of the blob.
    #[serde(default)]
    pub urls: Option<Vec<String>>,
    /// Contents of the blob, in Base64.
    #[serde(default)]
    pub data: Option<String>,
}

impl ParsedDescriptor {
    /// Returns the image's name in the layout.
    pub fn ref_name(&self) -> Option<&str> {
        self.annotations.get(REF_NAME_KEY).map(|name| &**name)
    }
}

const MANIFESTS: &str = "manifests";

impl Index {
    /// Creates an index without manifests.
    pub(super) fn new() -> Self {
        let raw = |json: &str| RawValue::from_string(json.to_owned()).unwrap_or_default();
        let media_type = raw(&format!("\"{INDEX_MEDIA_TYPE}\""));
        let members = [("schemaVersion", raw("2")), ("mediaType", media_type), (MANIFESTS, raw("[]"))];
        let members = members.map(|(key, value)| (key.to_owned(), value)).into();
        Self { members: Members(members), manifests: Vec::new() }
    }

    /// Parses the contents of an index file.
    ///
    /// # Errors
    ///
    /// The file is malformed.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self, LayoutError> {
        let malformed = |reason: &str| LayoutError::malformed(path, reason);
        let members: Members = parse(path, bytes)?;
        if members.has_duplicate() {
            return Err(malformed("it has a duplicate key"));
        }
        if members.find("schemaVersion") != Some("2") {
            return Err(malformed("it is not of schema version 2"));
        }
        let manifests = members.find(MANIFESTS).ok_or_else(|| malformed("it has no `manifests`"))?;
        let manifests = parse(path, manifests.as_bytes())?;
        Ok(Self { members, manifests })
    }

    /// Returns the descriptors of the manifests.
    ///
    /// # Errors
    ///
    /// A descriptor is malformed.
    pub fn descriptors(&self, path: &Path) -> Result<Vec<ParsedDescriptor>, LayoutError> {
        self.manifests.iter().map(|raw| parse(path, raw.get().as_bytes())).collect()
    }

    /// Adds a manifest. Returns whether the index changed.
    ///
    /// A manifest with a name replaces all manifests of that name. A manifest without a name
    /// replaces those with the same digest and no name.
    pub(super) fn add(&mut self, path: &Path, descriptor: &Descriptor) -> Result<bool, LayoutError> {
        let json = DescriptorJson::from(descriptor);
        let raw = to_raw_value(&json).map_err(|error| LayoutError::malformed(path, error.to_string()))?;
        let name = descriptor.annotations().get(REF_NAME_KEY).map(|name| &**name);
        let descriptors = self.descriptors(path)?;
        let is_replaced =
            |other: &ParsedDescriptor| other.ref_name() == name && (name.is_some() || other.digest == json.digest);
        let mut replaced =
            descriptors.iter().enumerate().filter(|(_, other)| is_replaced(other)).map(|(index, _)| index);
        let Some(first) = replaced.next() else {
            self.manifests.push(raw);
            return Ok(true);
        };
        let others: Vec<usize> = replaced.collect();
        let is_same = |other: &ParsedDescriptor| other.digest == json.digest && other.size == json.size;
        if others.is_empty() && is_same(&descriptors[first]) {
            return Ok(false);
        }
        self.manifests[first] = raw;
        for index in others.into_iter().rev() {
            self.manifests.remove(index);
        }
        Ok(true)
    }

    /// Returns the contents of the file.
    pub(super) fn to_json(&self) -> Vec<u8> {
        let manifests: Vec<&str> = self.manifests.iter().map(|raw| raw.get()).collect();
        let manifests = format!("[{}]", manifests.join(","));
        let values = self.members.0.iter().map(|(key, value)| match &**key {
            MANIFESTS => (&**key, &*manifests),
            key => (key, value.get()),
        });
        write_object(values, "", ",", "").into_bytes()
    }
}
