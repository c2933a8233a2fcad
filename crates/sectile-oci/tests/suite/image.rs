//! Manifests and configs.

use serde_json::{Value, json};

use sectile::Input;
use sectile::digest::Digest;
use sectile::metadata::Field;
use sectile_oci::{AnnotationOptions, Image, ImageDraft, ImageError, ImageOptions};

use super::{Fixture, unchanged};
use sectile_testing::binary::{component, custom, module, name, section};
use sectile_testing::files::{project, real_paths};

fn image_of(bytes: &[u8], options: &ImageOptions) -> Result<Image, ImageError> {
    let fixture = Fixture::new(bytes);
    let (input, plan) = fixture.input();
    Image::new(&input, &plan, options)
}

fn parsed(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

#[test]
fn a_module_has_this_config_and_manifest() {
    let file = module(&[custom("authors", "A. Uthor"), custom("version", "1.0.0"), custom("name", name("adder"))]);
    let image = image_of(&file, &ImageOptions::default()).unwrap();
    let layer = Digest::new(&file);
    assert_eq!(
        String::from_utf8_lossy(image.config()),
        format!(
            r#"{{"created":"1970-01-01T00:00:00Z","author":"A. Uthor","architecture":"wasm","os":"wasip1","layerDigests":["{layer}"]}}"#
        )
    );
    let config = Digest::new(image.config());
    assert_eq!(
        parsed(image.manifest()),
        json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {
                "mediaType": "application/vnd.wasm.config.v0+json",
                "digest": config.to_string(),
                "size": image.config().len(),
            },
            "layers": [{
                "mediaType": "application/wasm",
                "digest": layer.to_string(),
                "size": file.len(),
                "annotations": { "org.opencontainers.image.title": "adder.wasm" },
            }],
            "annotations": {
                "org.opencontainers.image.authors": "A. Uthor",
                "org.opencontainers.image.title": "adder",
                "org.opencontainers.image.version": "1.0.0",
            },
        })
    );
    assert_eq!(image.descriptor().digest(), Digest::new(image.manifest()));
    assert_eq!(image.descriptor().size(), image.manifest().len() as u64);
}

#[test]
fn a_config_lists_imports_and_exports_in_binary_order() {
    let wat = r#"(component (import "z:b/c@1.0.0" (instance)) (import "a:b/c" (instance)) (component $c)
        (instance $i (instantiate $c)) (export "x" (instance $i)) (export "a:a/a" (instance $i)))"#;
    let image = image_of(&wat::parse_str(wat).unwrap(), &ImageOptions::default()).unwrap();
    let config = parsed(image.config());
    assert_eq!(config["os"], "wasip2");
    assert_eq!(
        config["component"],
        json!({"exports": ["x", "a:a/a"], "imports": ["z:b/c@1.0.0", "a:b/c"]}),
        "no target unless one is given"
    );
}

#[test]
fn options_replace_defaults() {
    let annotations =
        AnnotationOptions::new().with_annotation(Field::Created.oci_key(), "2026-01-31T12:00:00Z").unwrap();
    let options = ImageOptions {
        annotations,
        author: Some("me".to_owned()),
        os: Some("wasip3".to_owned()),
        target: Some("a:b/c".to_owned()),
        file_name: Some("other.wasm".to_owned()),
        ..Default::default()
    };
    let image = image_of(&component(&[custom("authors", "others")]), &options).unwrap();
    let config = parsed(image.config());
    assert_eq!(config["created"], "2026-01-31T12:00:00Z");
    assert_eq!((&config["author"], &config["os"]), (&json!("me"), &json!("wasip3")));
    assert_eq!(config["component"]["target"], "a:b/c");
    let manifest = parsed(image.manifest());
    assert_eq!(manifest["layers"][0]["annotations"]["org.opencontainers.image.title"], "other.wasm");
    assert_eq!(manifest["annotations"]["org.opencontainers.image.created"], "2026-01-31T12:00:00Z");
}

#[test]
fn only_the_config_defaults_to_the_epoch() {
    let dated = image_of(&module(&[custom("created", "2025-01-01T00:00:00Z")]), &ImageOptions::default()).unwrap();
    assert_eq!(parsed(dated.config())["created"], "2025-01-01T00:00:00Z");
    assert_eq!(dated.annotations()[Field::Created.oci_key()], "2025-01-01T00:00:00Z");
    let undated = image_of(&module(&[]), &ImageOptions::default()).unwrap();
    assert_eq!(parsed(undated.config())["created"], "1970-01-01T00:00:00Z");
    assert!(undated.annotations().is_empty());
    // Readers of the config would reject an invalid date.
    let options = ImageOptions { annotations: AnnotationOptions::new().with_allow_invalid(true), ..Default::default() };
    let odd = image_of(&module(&[custom("created", "yesterday")]), &options).unwrap();
    assert_eq!(parsed(odd.config())["created"], "1970-01-01T00:00:00Z");
}

#[test]
fn images_of_real_files_are_reproducible() {
    for path in real_paths().iter().filter(|path| path.extension().unwrap() == "wasm") {
        let image = || {
            let input = Input::open(path).unwrap();
            Image::new(&input, &unchanged(&input), &ImageOptions::default()).unwrap()
        };
        assert_eq!(image(), image(), "{}", path.display());
    }
}

#[test]
fn a_wit_package_exports_qualified_names() {
    let bytes = std::fs::read(project().join("tests/files/wit-package.component.wasm")).unwrap();
    let interface = sectile::interface::read_slice(&bytes).unwrap();
    let package = interface.wit_package().unwrap();
    let config = parsed(image_of(&bytes, &ImageOptions::default()).unwrap().config());
    assert_eq!(config["component"]["exports"], json!(package.exports()));
    assert!(package.exports().iter().all(|export| export.contains(':')), "{:?}", package.exports());
}

/// The annotations are known before the binary is hashed.
#[test]
fn a_draft_has_the_annotations_of_the_image() {
    let fixture = Fixture::new(&module(&[custom("vendor", "v"), custom("licenses", "MIT")]));
    let (input, plan) = fixture.input();
    let draft = ImageDraft::read(&input, &plan, &ImageOptions::default()).unwrap();
    let image = Image::new(&input, &plan, &ImageOptions::default()).unwrap();
    assert_eq!(draft.annotations(), image.annotations());
    assert_eq!(draft.annotations()["org.opencontainers.image.vendor"], "v");
}

#[test]
fn invalid_options_and_binaries_are_refused() {
    let refused = |bytes: &[u8], options: &ImageOptions| image_of(bytes, options).unwrap_err();
    let file = module(&[]);
    let [fixture, other] = [module(&[]), module(&[custom("a", "")])].map(|bytes| Fixture::new(&bytes));
    let (plan, other) = (fixture.input().1, other.input().0);
    assert!(matches!(Image::new(&other, &plan, &ImageOptions::default()), Err(ImageError::OtherSource)));

    for os in ["", " ", "a\nb", "\u{202e}"] {
        let options = ImageOptions { os: Some(os.to_owned()), ..Default::default() };
        assert!(matches!(refused(&file, &options), ImageError::InvalidText { .. }), "{os:?}");
    }
    for file_name in ["", "../a.wasm", "a/b", r"a\b", "/etc/passwd", ".", ".."] {
        let options = ImageOptions { file_name: Some(file_name.to_owned()), ..Default::default() };
        assert!(matches!(refused(&file, &options), ImageError::InvalidText { .. }), "{file_name:?}");
    }
    // A truncated import section, which would be missing from the config.
    let broken = component(&[section(10, b"\x02\x00\x01a")]);
    assert!(matches!(refused(&broken, &ImageOptions::default()), ImageError::Interface(_)));
}

#[test]
fn a_manifest_above_the_size_limit_is_refused() {
    let large = |len| {
        let annotations = AnnotationOptions::new().with_annotation("com.example.large", "a".repeat(len)).unwrap();
        image_of(&module(&[]), &ImageOptions { annotations, ..Default::default() })
    };
    assert!(large(4_000_000).is_ok());
    let error = large(4 << 20).unwrap_err();
    assert!(matches!(error, ImageError::TooLarge(size) if size > 4 << 20), "{error}");
}
