//! The shapes in which images are written: reproducible, and loaded by their consumers.

use std::fs;
use std::io::Read;

use flate2::read::GzDecoder;
use sectile::digest::Digest;
use sectile_oci::consumer::{Consumer, ImageCheck};
use sectile_oci::{AddedImage, ImageError, ImageOptions, LayoutError, Locator, Selector, WrittenShape};
use serde_json::{Value, json};

use super::{Fixture, tree};
use sectile_testing::binary::{component, custom, module, name};

fn options(shape: WrittenShape) -> ImageOptions {
    ImageOptions { shape, ..Default::default() }
}

fn added(bytes: &[u8], shape: WrittenShape) -> (Fixture, AddedImage) {
    let fixture = Fixture::new(bytes);
    let added = fixture.try_add(None, &options(shape)).unwrap();
    (fixture, added)
}

fn named() -> Vec<u8> {
    module(&[custom("licenses", "MIT"), custom("name", name("filter"))])
}

fn json_of(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

#[test]
fn an_image_is_loaded_by_the_consumers_of_its_shape() {
    for (shape, expected) in [
        (WrittenShape::Cncf, &[Consumer::Cncf, Consumer::Spin, Consumer::Runwasi][..]),
        (WrittenShape::Envoy, &[Consumer::Envoy, Consumer::Istio]),
        (WrittenShape::Compat, &[Consumer::Envoy, Consumer::Istio]),
    ] {
        let (fixture, added) = added(&named(), shape);
        let locator = Locator::new(fixture.layout(), Selector::Digest(added.image().descriptor().digest()));
        let check = ImageCheck::from_layout(&locator, &Consumer::ALL).unwrap();
        let loading = check.verdicts().iter().filter(|verdict| verdict.loads() == Some(true));
        let loading: Vec<_> = loading.map(|verdict| verdict.consumer()).collect();
        assert_eq!(loading, expected, "{shape:?}: {:?}", check.verdicts());
        assert_eq!(check.shape().unwrap().name, shape.name());
    }
}

#[test]
fn equal_binaries_give_equal_images_of_every_shape() {
    for shape in WrittenShape::ALL {
        let trees = [(); 2].map(|()| {
            let (fixture, _) = added(&named(), shape);
            let root = fixture.layout();
            let files = tree(&root);
            files
                .into_iter()
                .map(|(path, bytes)| (path.strip_prefix(&root).unwrap().to_owned(), bytes))
                .collect::<Vec<_>>()
        });
        assert_eq!(trees[0], trees[1], "{shape:?}");
    }
}

#[test]
fn the_envoy_shape_has_its_config_as_a_layer() {
    let exports =
        wat::parse_str(r#"(module (func (export "proxy_abi_version_0_2_1")) (func (export "proxy_on_vm_start")))"#);
    let (_fixture, added) = added(&exports.unwrap(), WrittenShape::Envoy);
    let image = added.image();
    let manifest = json_of(image.manifest());
    assert_eq!(json_of(image.config()), json!({"type": "envoy_proxy", "abiVersions": ["0.2.1"]}));
    let config_type = "application/vnd.module.wasm.config.v1+json";
    assert_eq!(manifest["config"]["mediaType"], config_type);
    let layers = manifest["layers"].as_array().unwrap();
    let types: Vec<_> = layers.iter().map(|layer| layer["mediaType"].as_str().unwrap()).collect();
    assert_eq!(types, [config_type, "application/vnd.module.wasm.content.layer.v1+wasm"]);
    assert_eq!(layers[0]["digest"], manifest["config"]["digest"]);
    assert_eq!(layers[0]["annotations"]["org.opencontainers.image.title"], "runtime-config.json");
}

#[test]
fn the_compat_shape_is_an_ordinary_image_with_one_file() {
    let binary = named();
    let (fixture, added) = added(&binary, WrittenShape::Compat);
    let image = added.image();
    let manifest = json_of(image.manifest());
    assert_eq!(manifest["annotations"]["module.wasm.image/variant"], "compat");
    assert_eq!(manifest["annotations"]["org.opencontainers.image.licenses"], "MIT");
    let layer = fs::read(fixture.layout().join("blobs/sha256").join(image.layer().digest().hex())).unwrap();
    assert_eq!((layer.len() as u64, Digest::new(&layer)), (image.layer().size(), image.layer().digest()));
    assert_eq!(layer[4..8], [0; 4], "no time");
    let mut unpacked = Vec::new();
    GzDecoder::new(&layer[..]).read_to_end(&mut unpacked).unwrap();
    let config = json_of(image.config());
    assert_eq!(config["rootfs"], json!({"type": "layers", "diff_ids": [Digest::new(&unpacked).to_string()]}));
    let mut archive = tar::Archive::new(&unpacked[..]);
    let entries: Vec<_> = archive.entries().unwrap().collect();
    assert_eq!(entries.len(), 1);
    let mut archive = tar::Archive::new(&unpacked[..]);
    let mut entry = archive.entries().unwrap().next().unwrap().unwrap();
    assert_eq!((entry.path().unwrap().to_str(), entry.header().mtime().unwrap()), (Some("plugin.wasm"), 0));
    let mut file = Vec::new();
    entry.read_to_end(&mut file).unwrap();
    assert_eq!(file, binary);
}

#[test]
fn components_and_options_without_a_place_are_refused() {
    let refused = |bytes: &[u8], options: &ImageOptions| match Fixture::new(bytes).try_add(None, options).unwrap_err() {
        LayoutError::Image(error) => error,
        error => panic!("{error}"),
    };
    for shape in [WrittenShape::Envoy, WrittenShape::Compat] {
        assert!(matches!(refused(&component(&[]), &options(shape)), ImageError::Component(found) if found == shape));
    }
    let text = || Some("text".to_owned());
    for (given, option) in [
        (ImageOptions { author: text(), ..options(WrittenShape::Envoy) }, "author"),
        (ImageOptions { os: text(), ..options(WrittenShape::Envoy) }, "operating system"),
        (ImageOptions { target: text(), ..options(WrittenShape::Compat) }, "target world"),
        (ImageOptions { file_name: text(), ..options(WrittenShape::Compat) }, "file name"),
    ] {
        let error = refused(&module(&[]), &given);
        assert!(matches!(&error, ImageError::UnusedOption { option: found, .. } if *found == option), "{error}");
    }
}
