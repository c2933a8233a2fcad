//! Artifacts that refer to an image.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{anonymous, binary, message, options, push, reference};
use sectile::digest::Digest;
use sectile_oci::registry::{Artifact, Client, ClientOptions, Credentials};
use sectile_testing::registry::{Registry, start};

const MEDIA_TYPE: &str = "application/vnd.cyclonedx+json";
const BYTES: &[u8] = b"{\"bomFormat\":\"CycloneDX\"}";
const SBOM: Artifact<'static> = Artifact::new(MEDIA_TYPE, BYTES).with_title(Some("a.cdx.json"));

#[test]
fn a_registry_with_referrers_needs_no_fallback_tag() {
    let (server, registry) = start(Registry { has_referrers: true, ..Registry::default() }, |_| None);
    let (_directory, path, _) = binary(1000);
    let pushed = push(&anonymous(), &reference(&server, "app:1"), &path).unwrap();
    let attached = anonymous().attach(&pushed, &SBOM).unwrap();
    assert_eq!(attached.fallback_tag(), None);
    let registry = registry.lock().unwrap();
    let (media_type, manifest) = &registry.manifests[&attached.digest().to_string()];
    assert_eq!(media_type, "application/vnd.oci.image.manifest.v1+json");
    let manifest: Value = serde_json::from_slice(manifest).unwrap();
    let expected = json!({
        "schemaVersion": 2,
        "mediaType": media_type,
        "artifactType": MEDIA_TYPE,
        "config": {
            "mediaType": "application/vnd.oci.empty.v1+json",
            "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
            "size": 2,
        },
        "layers": [{
            "mediaType": MEDIA_TYPE,
            "digest": Digest::new(BYTES).to_string(),
            "size": BYTES.len(),
            "annotations": {"org.opencontainers.image.title": "a.cdx.json"},
        }],
        "subject": {
            "mediaType": media_type,
            "digest": pushed.descriptor().digest().to_string(),
            "size": registry.manifests["1"].1.len(),
        },
    });
    assert_eq!(manifest, expected);
    assert_eq!(registry.blobs[&Digest::new(BYTES).to_string()], BYTES);
}

#[test]
fn the_fallback_index_lists_the_artifact() {
    let (server, registry) = start(Registry::default(), |_| None);
    let (_directory, path, _) = binary(1000);
    let pushed = push(&anonymous(), &reference(&server, "app:1"), &path).unwrap();
    let tag = pushed.descriptor().digest().to_string().replace(':', "-");
    let list = || -> Value { serde_json::from_slice(&registry.lock().unwrap().manifests[&tag].1).unwrap() };

    let attached = anonymous().attach(&pushed, &SBOM).unwrap();
    assert_eq!(attached.fallback_tag(), Some(&*tag));
    let digest = attached.digest();
    let size = registry.lock().unwrap().manifests[&digest.to_string()].1.len();
    let entry = json!({
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "digest": digest.to_string(),
        "size": size,
        "artifactType": MEDIA_TYPE,
    });
    let index = "application/vnd.oci.image.index.v1+json";
    assert_eq!(list(), json!({"schemaVersion": 2, "mediaType": index, "manifests": [entry]}));
    assert_eq!(registry.lock().unwrap().manifests[&tag].0, index);

    // The same artifact is not listed twice. Another one is added, and members of other tools are
    // preserved.
    anonymous().attach(&pushed, &SBOM).unwrap();
    assert_eq!(list()["manifests"].as_array().unwrap().len(), 1);
    let theirs =
        json!({"schemaVersion": 2, "manifests": [entry, {"digest": "sha512:x", "x": 1}], "annotations": {"a": "b"}});
    registry.lock().unwrap().manifests.get_mut(&tag).unwrap().1 = theirs.to_string().into_bytes();
    let other = Artifact::new(MEDIA_TYPE, b"other");
    let other = anonymous().attach(&pushed, &other).unwrap();
    let mut merged = list();
    assert_eq!(merged["manifests"][2]["digest"], other.digest().to_string());
    merged["manifests"].as_array_mut().unwrap().pop();
    assert_eq!(merged, theirs);
}

#[test]
fn a_malformed_fallback_index_is_not_changed() {
    let (server, registry) = start(Registry::default(), |_| None);
    let (_directory, path, _) = binary(1000);
    let pushed = push(&anonymous(), &reference(&server, "app:1"), &path).unwrap();
    let tag = pushed.descriptor().digest().to_string().replace(':', "-");
    for bytes in ["", "[]", "{}", r#"{"schemaVersion":2}"#, r#"{"schemaVersion":2,"mediaType":"other","manifests":[]}"#]
    {
        registry.lock().unwrap().manifests.insert(tag.clone(), ("x".to_owned(), bytes.as_bytes().to_vec()));
        let error = anonymous().attach(&pushed, &SBOM).unwrap_err();
        assert!(error.to_string().contains("does not name an image index"), "{bytes}: {error}");
        assert_eq!(registry.lock().unwrap().manifests[&tag].1, bytes.as_bytes());
    }
}

/// The upload of the artifact has its own deadline.
#[test]
fn all_requests_for_a_list_of_referrers_share_a_deadline() {
    let (server, registry) = start(Registry::default(), |request| {
        if request.path.contains("/manifests/sha256-") {
            std::thread::sleep(Duration::from_millis(250));
        }
        None
    });
    let (_directory, path, _) = binary(1000);
    let pushed = push(&anonymous(), &reference(&server, "app:1"), &path).unwrap();
    let options = ClientOptions { total_timeout: Duration::from_millis(400), ..options() };
    let begun = Instant::now();
    let error = Client::new(Credentials::anonymous(), options).attach(&pushed, &SBOM).unwrap_err();
    assert!(message(&error).contains("timeout: no data received"), "{}", message(&error));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert!(registry.lock().unwrap().blobs.contains_key(&Digest::new(BYTES).to_string()));
}
