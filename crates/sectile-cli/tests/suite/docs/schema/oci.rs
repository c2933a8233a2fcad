//! The reports of `oci annotations`, `oci layout` and `oci push`.

use serde_json::Value;

use super::document;
use super::keys::{Key, boolean, common, key, map, nullable, number, object, schema_key, string};

pub fn annotations() -> Value {
    let description = "The line of `sectile oci annotations FILE`: values by the key of the annotation.";
    document("sectile oci annotations", description, map(string()))
}

pub fn blob_definition() -> Value {
    object([key("digest", common("digest"), "The digest."), key("size", number(), "The length in bytes.")])
}

fn image() -> [Key; 3] {
    [
        key("manifest", common("blob"), "The manifest of the image."),
        key("config", common("blob"), "The config of the image."),
        key("layer", common("blob"), "The binary."),
    ]
}

pub fn layout() -> Value {
    let mut keys = vec![
        schema_key(),
        key("file", common("fileName"), "The file."),
        key("layout", common("fileName"), "The directory of the layout."),
        key("ref", nullable(string()), "The name of the image in the layout."),
    ];
    keys.extend(image());
    keys.push(key("changed", boolean(), "Whether the index of the layout changed."));
    document("sectile oci layout", "The line of `sectile oci layout --json FILE -o DIR`.", object(keys))
}

pub fn push() -> Value {
    let sbom = object([
        key("digest", common("digest"), "The digest of its manifest."),
        key("fallback_tag", nullable(string()), "The tag that lists it if the registry does not list referrers."),
    ]);
    let mut keys = vec![
        schema_key(),
        key("file", common("fileName"), "The file."),
        key("reference", string(), "The reference of the image, with its digest."),
    ];
    keys.extend(image());
    keys.extend([
        key("sent", number(), "Bytes of blobs that the registry did not have."),
        key("changed", boolean(), "Whether the tag changed."),
        key("sbom", nullable(sbom), "The SBOM that was attached, with `--sbom`."),
    ]);
    document("sectile oci push", "The line of `sectile oci push --json FILE REFERENCE`.", object(keys))
}
