//! Rows as a function receives them.

use std::ops::ControlFlow;
use std::sync::Mutex;

use sectile_audit::{Progress, Row};
use serde_json::{Value, json};

use crate::store::Store;
use crate::{Answer, default_audit, with_policy};
use sectile_testing::binary::{custom, module, packages, producers};

#[test]
fn every_row_is_visited_once_with_its_parts() {
    let store = Store::large();
    let tools = producers(&[("processed-by", &[("rustc", "1.80.0")][..])]);
    let declared = packages(&[("atty", "0.2.14"), ("smallvec", "1.6.0")]);
    store.put("00/declared.wasm", module(&[custom("producers", tools), declared, custom("licenses", "x y")]));
    let audit = with_policy("refuse = \"error\"\n").with_threads(3);
    let answer = Answer::run(&audit, &store.paths());
    let visited = Mutex::new(Vec::new());
    let visit = |row: &Row<'_>| {
        let packages: Vec<Value> = row.packages().map(|one| json!([one.name, one.version])).collect();
        let codes: Vec<&str> = row.findings.iter().map(|judged| judged.finding().code().name()).collect();
        let facts = json!([row.file.to_str(), row.accepted, packages, codes, row.producers.len()]);
        visited.lock().unwrap().push((row.nth, facts));
        ControlFlow::Continue(())
    };
    let outcome = audit.visit(&store.paths(), &visit, &Progress::new()).unwrap();
    let mut visited = visited.into_inner().unwrap();
    visited.sort_by_key(|(nth, _)| *nth);
    let written: Vec<Value> = answer.rows().iter().map(facts_of).collect();
    assert_eq!(visited.into_iter().map(|(_, facts)| facts).collect::<Vec<_>>(), written);
    assert_eq!(outcome.summary, answer.outcome.summary);
    let declared = written.iter().find(|facts| facts[0].as_str().unwrap().ends_with("declared.wasm")).unwrap();
    assert_eq!(declared[2], json!([["atty", "0.2.14"], ["smallvec", "1.6.0"]]));
    assert_eq!((&declared[3], &declared[4]), (&json!(["not-spdx"]), &json!(1)));
}

/// The same facts of a row in JSON.
fn facts_of(row: &Value) -> Value {
    let list = |key: &str| row[key].as_array().cloned().unwrap_or_default();
    let packages: Vec<Value> = list("packages").iter().map(|one| json!([one["name"], one["version"]])).collect();
    let codes: Vec<Value> = list("findings").iter().map(|finding| finding["code"].clone()).collect();
    let producers = row["item"]["producers"].as_object().into_iter().flat_map(|fields| fields.values());
    let producers: usize = producers.map(|values| values.as_array().unwrap().len()).sum();
    json!([row["file"], row["accepted"], packages, codes, producers])
}

#[test]
fn a_visit_that_breaks_stops_the_audit() {
    let store = Store::large();
    let visited = Mutex::new(0);
    let visit = |_: &Row<'_>| {
        *visited.lock().unwrap() += 1;
        ControlFlow::Break(())
    };
    let outcome = default_audit().visit(&store.paths(), &visit, &Progress::new()).unwrap();
    assert!(outcome.stop.is_some());
    assert!(*visited.lock().unwrap() < 100, "{visited:?}");
}
