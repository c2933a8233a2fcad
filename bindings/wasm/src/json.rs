//! JSON values of requests. Smaller than derived readers: one reader serves all types.

use std::fmt;

use sectile::internal::quoted;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// A value of the kinds that requests have.
#[derive(Debug)]
pub enum Json {
    Null,
    Boolean(bool),
    Number(u64),
    Text(String),
    List(Vec<Json>),
    Object(Object),
}

/// An object whose members are taken out by their keys.
#[derive(Debug, Default)]
pub struct Object {
    members: Vec<(String, Json)>,
}

impl Json {
    pub fn parse(json: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(json).map_err(|error| error.to_string())
    }

    pub fn object(self) -> Result<Object, &'static str> {
        match self {
            Self::Object(object) => Ok(object),
            _ => Err("expected an object"),
        }
    }

    fn text(self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    fn list(self) -> Option<Vec<Self>> {
        match self {
            Self::List(list) => Some(list),
            _ => None,
        }
    }

    fn texts(self) -> Option<Vec<String>> {
        self.list()?.into_iter().map(Self::text).collect()
    }
}

impl Object {
    pub fn text(&mut self, key: &str) -> Result<Option<String>, String> {
        self.take(key).map(|value| value.text().ok_or_else(|| expected(key, "a string"))).transpose()
    }

    /// `false` if the key is absent.
    pub fn boolean(&mut self, key: &str) -> Result<bool, String> {
        match self.take(key) {
            None => Ok(false),
            Some(Json::Boolean(value)) => Ok(value),
            Some(_) => Err(expected(key, "true or false")),
        }
    }

    pub fn number(&mut self, key: &str) -> Result<Option<u64>, String> {
        match self.take(key) {
            None => Ok(None),
            Some(Json::Number(number)) => Ok(Some(number)),
            Some(_) => Err(expected(key, "a whole number of 64 bits")),
        }
    }

    /// Empty if the key is absent.
    pub fn texts(&mut self, key: &str) -> Result<Vec<String>, String> {
        match self.take(key) {
            None => Ok(Vec::new()),
            Some(value) => value.texts().ok_or_else(|| expected(key, "a list of strings")),
        }
    }

    /// Lists of `N` strings. Empty if the key is absent.
    pub fn rows<const N: usize>(&mut self, key: &str) -> Result<Vec<[String; N]>, String> {
        let Some(value) = self.take(key) else { return Ok(Vec::new()) };
        let row = |value: Json| value.texts()?.try_into().ok();
        let rows = value.list().and_then(|list| list.into_iter().map(row).collect());
        rows.ok_or_else(|| expected(key, &format!("a list of lists of {N} strings")))
    }

    pub fn object(&mut self, key: &str) -> Result<Option<Self>, String> {
        self.take(key).map(|value| value.object().map_err(|_| expected(key, "an object"))).transpose()
    }

    /// The last check: all members were taken.
    pub fn finish(self) -> Result<(), String> {
        match self.members.first() {
            None => Ok(()),
            Some((key, _)) => Err(format!("the key {} is unknown or occurs twice", quoted(key))),
        }
    }

    /// Takes the first member with a key. `null` is treated as absent.
    fn take(&mut self, key: &str) -> Option<Json> {
        let index = self.members.iter().position(|(found, _)| found == key)?;
        match self.members.remove(index).1 {
            Json::Null => None,
            value => Some(value),
        }
    }
}

fn expected(key: &str, what: &str) -> String {
    format!("`{key}`: expected {what}")
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number, a string, a list or an object")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Boolean(value))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json, E> {
        Ok(Json::Number(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = elements.next_element()? {
            list.push(element);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = entries.next_entry()? {
            members.push(member);
        }
        Ok(Json::Object(Object { members }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(json: &str) -> Object {
        Json::parse(json.as_bytes()).unwrap().object().unwrap()
    }

    #[test]
    fn members_are_taken_by_key() {
        let mut all = object(r#"{"a":"x","b":true,"c":7,"d":["x","y"],"e":[["x","y"]],"f":{"a":null},"g":null}"#);
        assert_eq!(all.text("a").unwrap().as_deref(), Some("x"));
        assert_eq!((all.boolean("b"), all.number("c")), (Ok(true), Ok(Some(7))));
        assert_eq!(all.texts("d").unwrap(), ["x", "y"]);
        assert_eq!(all.rows::<2>("e").unwrap(), [["x", "y"]]);
        assert_eq!(all.object("f").unwrap().unwrap().text("a"), Ok(None));
        assert_eq!(all.text("g"), Ok(None));
        assert_eq!((all.boolean("h"), all.texts("h")), (Ok(false), Ok(vec![])));
        assert_eq!(all.finish(), Ok(()));
    }

    #[test]
    fn other_members_are_errors() {
        assert!(object(r#"{"a":1}"#).finish().unwrap_err().contains("`a`"));
        let mut twice = object(r#"{"a":"x","a":"y"}"#);
        assert!(twice.text("a").is_ok() && twice.finish().is_err());
        assert!(object(r#"{"a":1}"#).text("a").is_err());
        assert!(object(r#"{"a":"1"}"#).number("a").is_err());
        assert!(object(r#"{"a":[["x"]]}"#).rows::<2>("a").is_err());
        for json in ["", "{", "[1.5]", "[-1]", r#"{"a":1}x"#] {
            assert!(Json::parse(json.as_bytes()).is_err(), "{json}");
        }
        assert!(Json::parse(b"[]").unwrap().object().is_err());
    }
}
