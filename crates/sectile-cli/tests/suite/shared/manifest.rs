//! The file of cases.

use std::collections::BTreeMap;
use std::fs;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sectile_testing::files::project;
use serde_json::{Map, Value, json};

use super::answer::answer;

/// An operation on an input, with its answer.
#[derive(Clone)]
pub struct Case {
    /// Name of the input.
    pub input: String,
    pub request: Map<String, Value>,
    pub answer: Map<String, Value>,
}

impl Case {
    pub fn operation(&self) -> &str {
        self.request["operation"].as_str().unwrap()
    }
}

/// The inputs and the cases.
#[derive(Default)]
pub struct Manifest {
    /// `{"base64": …}`, or `{"file": …}` with a path in the project.
    pub inputs: BTreeMap<String, Value>,
    pub cases: Vec<Case>,
}

impl Manifest {
    pub fn parse(text: &str) -> Self {
        let value: Value = serde_json::from_str(text).unwrap();
        let object = |value: &Value| value.as_object().unwrap().clone();
        let cases = value["cases"].as_array().unwrap().iter();
        let cases = cases.map(|case| Case {
            input: case["input"].as_str().unwrap().to_owned(),
            request: object(&case["request"]),
            answer: object(&case["answer"]),
        });
        Self { inputs: object(&value["inputs"]).into_iter().collect(), cases: cases.collect() }
    }

    /// The same cases with the answers of the library.
    pub fn answered(mut self) -> Self {
        for at in 0..self.cases.len() {
            let bytes = self.input(&self.cases[at]);
            let case = &mut self.cases[at];
            case.answer = answer(&case.request, &bytes);
        }
        self
    }

    pub fn input(&self, case: &Case) -> Vec<u8> {
        let input = &self.inputs[&case.input];
        match input["file"].as_str() {
            Some(file) => fs::read(project().join(file)).unwrap(),
            None => STANDARD.decode(input["base64"].as_str().unwrap()).unwrap(),
        }
    }

    /// Adds a case. Inputs without a file are numbered.
    pub fn add(&mut self, bytes: &[u8], file: Option<&str>, request: Map<String, Value>, answer: Map<String, Value>) {
        let input = match file {
            Some(file) => json!({ "file": file }),
            None => json!({ "base64": STANDARD.encode(bytes) }),
        };
        let name = self.inputs.iter().find(|(_, known)| **known == input).map(|(name, _)| name.clone());
        let name = name.unwrap_or_else(|| match file {
            Some(file) => file.rsplit('/').next().unwrap().to_owned(),
            None => format!("input-{:03}", self.inputs.len()),
        });
        self.inputs.insert(name.clone(), input);
        self.cases.push(Case { input: name, request, answer });
    }

    /// One line for each input and case.
    pub fn to_text(&self) -> String {
        let inputs = self.inputs.iter().map(|(name, input)| format!("{}: {input}", json!(name)));
        let cases = self.cases.iter().map(|case| {
            let (request, answer) = (json!(case.request), json!(case.answer));
            format!("{{\"input\": {}, \"request\": {request}, \"answer\": {answer}}}", json!(case.input))
        });
        let lines = |lines: Vec<String>| lines.join(",\n");
        format!("{{\"inputs\": {{\n{}\n}}, \"cases\": [\n{}\n]}}\n", lines(inputs.collect()), lines(cases.collect()))
    }
}
