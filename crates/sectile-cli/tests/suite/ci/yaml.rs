//! YAML as JSON values.

use std::fs;

use serde_json::{Map, Value};
use yaml_rust2::{Yaml, YamlLoader};

use sectile_testing::files::project;

/// A file of the project.
pub fn read(name: &str) -> Value {
    parse(&fs::read_to_string(project().join(name)).unwrap())
}

/// The only document of the text.
pub fn parse(text: &str) -> Value {
    let documents = YamlLoader::load_from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let [document] = &documents[..] else { panic!("several documents: {text}") };
    value(document)
}

fn value(yaml: &Yaml) -> Value {
    match yaml {
        Yaml::Null => Value::Null,
        Yaml::Boolean(flag) => (*flag).into(),
        Yaml::Integer(number) => (*number).into(),
        Yaml::Real(text) | Yaml::String(text) => text.as_str().into(),
        Yaml::Array(values) => values.iter().map(value).collect(),
        Yaml::Hash(pairs) => {
            let pair = |(key, found): (&Yaml, &Yaml)| (key.as_str().unwrap().to_owned(), value(found));
            pairs.iter().map(pair).collect::<Map<_, _>>().into()
        }
        other => panic!("unexpected {other:?}"),
    }
}

/// The expressions between `${{` and `}}` in a text.
pub fn expressions(text: &str) -> Vec<&str> {
    text.split("${{").skip(1).map(|rest| rest.split_once("}}").unwrap().0.trim()).collect()
}
