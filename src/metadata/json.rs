//! Checks of JSON without retaining it: syntax, nesting depth and duplicate keys.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::check::ValueError;
use crate::escape::quoted;
use crate::finding::FindingCode;

/// Returns the errors in the text of a `registry-metadata` section: not a JSON object, nested more
/// than 128 levels deep, or with duplicate keys.
#[cfg(feature = "json")]
pub fn check_registry_metadata(text: &str) -> Vec<ValueError> {
    let mut duplicates = DuplicateKeys::default();
    // From bytes, as all other JSON is read: a second reader would be larger.
    let mut json = serde_json::Deserializer::from_slice(text.as_bytes());
    let result = json.deserialize_map(KeyWalker { duplicates: &mut duplicates }).and_then(|()| json.end());
    let mut errors: Vec<ValueError> = duplicates.errors().collect();
    if let Err(error) = result {
        errors.push(ValueError { code: FindingCode::MalformedRegistryMetadata, message: error.to_string() });
    }
    errors
}

/// Duplicate keys of JSON objects. Only the first one is retained, since a finding shows one; the
/// others are counted.
#[derive(Default)]
pub(crate) struct DuplicateKeys {
    first: Option<String>,
    more: usize,
}

impl DuplicateKeys {
    pub(crate) fn add(&mut self, key: String) {
        if self.first.is_none() {
            self.first = Some(key);
        } else {
            self.more += 1;
        }
    }

    pub(crate) fn errors(self) -> impl Iterator<Item = ValueError> {
        let first = self.first.map(|key| format!("a second key {}", quoted(&key)));
        let more = std::iter::repeat_n("one more duplicate key", self.more);
        first
            .into_iter()
            .chain(more.map(str::to_owned))
            .map(|message| ValueError { code: FindingCode::DuplicateJsonKey, message })
    }
}

/// Walks a JSON value and collects only duplicate keys.
pub(crate) struct KeyWalker<'a> {
    pub(crate) duplicates: &'a mut DuplicateKeys,
}

impl<'de> DeserializeSeed<'de> for KeyWalker<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for KeyWalker<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut keys = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            map.next_value_seed(KeyWalker { duplicates: self.duplicates })?;
            if let Some(key) = keys.replace(key) {
                self.duplicates.add(key);
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<(), A::Error> {
        while sequence.next_element_seed(KeyWalker { duplicates: self.duplicates })?.is_some() {}
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(all(test, feature = "json"))]
mod tests {
    use super::*;

    fn codes(text: &str) -> Vec<FindingCode> {
        check_registry_metadata(text).into_iter().map(|error| error.code).collect()
    }

    #[test]
    fn objects() {
        assert_eq!(
            codes(r#"{"authors":["a"],"license":null,"links":[{"type":"Homepage","value":"x"}],"n":-1.5e3}"#),
            []
        );
        for wrong in ["", "[]", "null", "{", "{} {}", r#"{"a":1,}"#, "{\"a\":\"\x01\"}"] {
            assert_eq!(codes(wrong), [FindingCode::MalformedRegistryMetadata], "{wrong}");
        }
    }

    #[test]
    fn deep_nesting_is_refused() {
        let deep = format!(r#"{{"a":{}"#, "[".repeat(100_000));
        assert_eq!(codes(&deep), [FindingCode::MalformedRegistryMetadata]);
    }

    #[test]
    fn duplicate_keys() {
        assert_eq!(codes(r#"{"a":1,"b":{"a":1},"a":2}"#), [FindingCode::DuplicateJsonKey]);
        assert_eq!(codes(r#"{"b":[{"c":1,"\u0063":2}]}"#), [FindingCode::DuplicateJsonKey]);
        assert_eq!(codes(r#"{"a":[true,-1,1,1.5,null,"a",{}]}"#), []);
    }
}
