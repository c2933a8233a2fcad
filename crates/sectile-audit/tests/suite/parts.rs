//! Parts of roots, for audits in other processes.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::ops::ControlFlow;
use std::path::PathBuf;

use sectile_audit::{ListError, Part, PartKind, Progress, Root, Summary, WalkOptions};
use serde_json::Value;

use crate::store::Store;
use crate::{Answer, default_audit};
use sectile_testing::binary::numbered_module;

fn parts(roots: &[Root], options: WalkOptions) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut keep = |part| {
        parts.push(part);
        ControlFlow::Continue(())
    };
    default_audit().with_walk(options).list(roots, &Progress::new(), &mut keep).unwrap();
    parts
}

/// The root that another process audits.
fn root(part: &Part) -> Root {
    match part.kind {
        PartKind::File => Root::file(part.name.clone(), part.other_names.iter().map(PathBuf::from).collect()),
        _ => Root::from(part.name.as_os_str()),
    }
}

/// A store with archives, links, a layout and files that are not WebAssembly.
fn store() -> Store {
    let store = Store::large();
    store.put("layout/oci-layout", r#"{"imageLayoutVersion": "1.0.0"}"#);
    store.put("layout/index.json", r#"{"schemaVersion": 2, "manifests": []}"#);
    store.put(format!("layout/blobs/sha256/{}", "0".repeat(64)), numbered_module(400));
    std::fs::hard_link(store.path("00/0.wasm"), store.path("06/again.wasm")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("0.wasm", store.path("00/link.wasm")).unwrap();
    store
}

/// Rows in any order.
fn sorted(answers: &[Answer]) -> BTreeSet<String> {
    answers.iter().flat_map(Answer::rows).map(|row: Value| row.to_string()).collect()
}

#[test]
fn audits_of_the_parts_have_the_rows_of_the_whole() {
    let store = store();
    let whole = Answer::run(&default_audit(), &store.paths());
    let parts = parts(&store.paths(), WalkOptions::default());
    for groups in [1, 3, parts.len()] {
        let group = |first: usize| parts.iter().skip(first).step_by(groups).map(root).collect::<Vec<_>>();
        let answers: Vec<Answer> = (0..groups).map(|first| Answer::run(&default_audit(), &group(first))).collect();
        assert!(sorted(&answers) == sorted(std::slice::from_ref(&whole)), "{groups}");
        assert_eq!(answers.iter().flat_map(Answer::rows).count(), whole.rows().len());
        let mut summary = Summary::default();
        answers.iter().for_each(|answer| summary.merge(answer.outcome.summary.clone()));
        assert_eq!(summary, whole.outcome.summary);
    }
}

#[test]
fn parts_have_their_type_size_and_names() {
    let store = store();
    let single = store.path("06/README.md");
    let parts = parts(&[store.paths().remove(0), single.clone().into()], WalkOptions::default());
    let of = |name: &str| parts.iter().find(|part| part.name == store.path(name).as_os_str()).unwrap();
    let module = of("01/1.wasm");
    assert_eq!((module.root, module.kind, module.size), (0, PartKind::File, Some(numbered_module(1).len() as u64)));
    assert!(module.modified.is_some() && module.other_names.is_empty() && module.etag.is_none());
    assert_eq!(of("layout").kind, PartKind::Root);
    assert!(!parts.iter().any(|part| part.name.to_string_lossy().contains("blobs")));
    let linked = of("00/0.wasm");
    assert_eq!(linked.other_names, [OsString::from(store.path("06/again.wasm"))]);
    let last = parts.last().unwrap();
    assert_eq!((last.root, last.kind, &last.name), (1, PartKind::Root, &single.into_os_string()));
}

#[test]
fn ignore_rules_apply_to_the_listing() {
    let store = Store::new().with("kept.wasm", numbered_module(0)).with("left/a.wasm", numbered_module(1));
    store.put(".ignore", "left\n");
    let count = |ignores| {
        let mut options = WalkOptions::default();
        options.ignore_rules = ignores;
        let parts = parts(&store.paths(), options);
        parts.iter().filter(|part| part.name.to_string_lossy().ends_with(".wasm")).count()
    };
    assert_eq!((count(false), count(true)), (2, 1));
}

#[test]
fn a_listing_stops_on_request() {
    let store = Store::large();
    let mut listed = 0;
    let mut break_at_ten = |_| {
        listed += 1;
        if listed == 10 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    default_audit().list(&store.paths(), &Progress::new(), &mut break_at_ten).unwrap();
    assert_eq!(listed, 10);
    let (stopped, mut listed) = (Progress::new(), 0);
    stopped.stop();
    let mut count = |_| {
        listed += 1;
        ControlFlow::Continue(())
    };
    default_audit().list(&store.paths(), &stopped, &mut count).unwrap();
    assert_eq!(listed, 0);
}

#[test]
fn a_root_that_does_not_exist_is_an_error() {
    let missing = Store::new().path("missing");
    let error = default_audit().list(&[missing.clone().into()], &Progress::new(), &mut |_| ControlFlow::Continue(()));
    assert!(matches!(error, Err(ListError::Path { path, .. }) if path == missing));
}
