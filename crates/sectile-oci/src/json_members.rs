//! JSON objects whose members keep their order, and whose unchanged values keep their bytes.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// The members of an object in their order.
#[derive(Debug, Default)]
pub(crate) struct Members(pub(crate) Vec<(String, Box<RawValue>)>);

impl Members {
    /// Returns the JSON of a member.
    pub(crate) fn find(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(found, _)| found == key).map(|(_, value)| value.get())
    }

    /// Whether a key occurs twice.
    pub(crate) fn has_duplicate(&self) -> bool {
        let mut keys: Vec<&str> = self.0.iter().map(|(key, _)| &**key).collect();
        keys.sort_unstable();
        keys.windows(2).any(|pair| pair[0] == pair[1])
    }
}

/// Writes an object, with these texts before, between and after its members.
pub(crate) fn write_object<'m>(
    members: impl Iterator<Item = (&'m str, &'m str)>,
    before: &str,
    between: &str,
    after: &str,
) -> String {
    let members = members.map(|(key, value)| {
        let key = serde_json::to_string(key).unwrap_or_default(); // cannot fail for a string
        format!("{key}:{value}")
    });
    format!("{{{before}{}{after}}}", members.collect::<Vec<_>>().join(between))
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;
        impl<'de> Visitor<'de> for MembersVisitor {
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
        deserializer.deserialize_map(MembersVisitor)
    }
}
