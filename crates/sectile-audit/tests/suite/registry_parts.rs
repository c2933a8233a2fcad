//! The parts of a registry have its rows together, and images that share a layer are one part.

use std::ops::ControlFlow;

use sectile::digest::Digest;
use sectile_audit::{Part, PartKind, Progress, Root, Summary};
use sectile_oci::registry::{Client, ClientOptions, Credentials};
use sectile_testing::binary::{custom, module, numbered_module, section};
use sectile_testing::registry::{self, Registry};
use sectile_testing::server::Reply;
use serde_json::{Value, json};

use crate::{Answer, default_audit};

/// Adds an image of layers by their numbers. A layer from 90 on is absent.
fn add(registry: &mut Registry, tag: &str, layers: &[usize]) {
    let mut entries = Vec::new();
    for &number in layers {
        let layer = numbered_module(number);
        let descriptor = layer_descriptor(&layer);
        if number < 90 {
            registry.blobs.insert(Digest::new(&layer).to_string(), layer);
        }
        entries.push(descriptor);
    }
    add_manifest(registry, tag, &entries);
}

fn layer_descriptor(layer: &[u8]) -> Value {
    json!({ "mediaType": "application/wasm", "digest": Digest::new(layer).to_string(), "size": layer.len() })
}

fn add_manifest(registry: &mut Registry, tag: &str, entries: &[Value]) {
    let kind = "application/vnd.oci.image.manifest.v1+json";
    let manifest = json!({ "schemaVersion": 2, "mediaType": kind, "layers": entries }).to_string().into_bytes();
    registry.manifests.insert(Digest::new(&manifest).to_string(), (kind.to_owned(), manifest.clone()));
    registry.manifests.insert(tag.to_owned(), (kind.to_owned(), manifest));
}

#[test]
fn parts_of_a_registry_have_its_rows() {
    let mut images = Registry { repositories: vec!["app".to_owned(), "copy".to_owned()], ..Registry::default() };
    add(&mut images, "a", &[0, 1]);
    add(&mut images, "b", &[2]);
    add(&mut images, "c", &[3, 1]);
    add(&mut images, "d", &[3, 4, 90]);
    add(&mut images, "latest", &[2]);
    add(&mut images, "none", &[]);
    images.manifests.insert("broken".to_owned(), ("application/json".to_owned(), b"{".to_vec()));
    let (server, _) = registry::start(images, |request| request.path.starts_with("/v2/gone/").then(|| Reply::of(404)));
    let open = |name: &str| {
        let client = Client::new(Credentials::anonymous(), ClientOptions::default());
        Root::registry(name.strip_prefix("oci://").unwrap_or(name), client).unwrap()
    };
    for (place, expected) in [("/app", 4), ("/", 6), ("/app:d", 1), ("/gone", 1)] {
        let root = || [open(&format!("{}{place}", server.address))];
        let whole = Answer::run(&default_audit(), &root());
        let mut parts: Vec<Part> = Vec::new();
        let mut add = |part| {
            parts.push(part);
            ControlFlow::Continue(())
        };
        default_audit().list(&root(), &Progress::new(), &mut add).unwrap();
        assert_eq!(parts.len(), expected, "{parts:#?}");
        let (mut rows, mut summary) = (Vec::new(), Summary::default());
        for part in parts {
            let names: Vec<&str> = part.other_names.iter().map(|name| &name.to_str().unwrap()[6..]).collect();
            let root = open(part.name.to_str().unwrap());
            let root = if part.kind == PartKind::Image { root.with_images(names).unwrap() } else { root };
            let answer = Answer::run(&default_audit(), &[root]);
            rows.extend(answer.rows());
            summary.merge(answer.outcome.summary);
        }
        let sorted = |mut rows: Vec<serde_json::Value>| {
            rows.sort_by_key(ToString::to_string);
            rows
        };
        assert_eq!(sorted(rows), sorted(whole.rows()), "{place}");
        assert_eq!(summary, whole.outcome.summary, "{place}");
    }
    let image = || open(&format!("{}/app:a", server.address));
    assert!(image().with_images(["127.0.0.1/app"]).is_none() && image().with_images(["-"]).is_none());
    assert!(open(&format!("{}/app", server.address)).with_images([]).is_none());
    assert!(Root::from("store").with_images([]).is_none());
}

#[test]
fn long_layer_costs_two_requests_and_a_fiftieth_of_its_bytes() {
    let layer = module(&[custom("licenses", "MIT"), section(10, &vec![0; 4 << 20]), custom("vendor", "v")]);
    let mut images = Registry::default();
    add_manifest(&mut images, "a", &[layer_descriptor(&layer)]);
    images.blobs.insert(Digest::new(&layer).to_string(), layer.clone());
    let (server, _) = registry::start(images, |_| None);
    let client = Client::new(Credentials::anonymous(), ClientOptions::default());
    let root = Root::registry(&format!("{}/app:a", server.address), client).unwrap();
    let row = Answer::run(&default_audit(), &[root]).rows().remove(0);
    assert_eq!(row["item"]["annotations"], json!({ "licenses": "MIT", "vendor": "v" }), "{row}");
    let requests = server.asked().into_iter().filter(|request| request.path.contains("/blobs/")).count();
    assert_eq!(requests, 2);
    assert!(row["bytes_read"].as_u64().unwrap() * 50 <= layer.len() as u64, "{row}");
}
