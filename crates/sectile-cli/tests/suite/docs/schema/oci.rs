//! The reports of `oci annotations`, `oci layout` and `oci push`.

use sectile_oci::WrittenShape;
use sectile_oci::consumer::{Consumer, RULES};
use sectile_oci::shape::SHAPES;
use serde_json::Value;

use super::document;
use super::keys::{Key, array, boolean, common, key, map, names, nullable, number, object, schema_key, string};

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

fn written_shape() -> Key {
    key("shape", names(WrittenShape::ALL.map(WrittenShape::name)), "The shape of the image.")
}

pub fn check() -> Value {
    let finding = object([
        key("rule", names(RULES.map(|rule| rule.name)), "The name of the rule."),
        key("text", string(), "The rule."),
        key("found", string(), "The part of the image that breaks the rule, or prevents the check."),
        key("source", string(), "The source of the rule."),
    ]);
    let verdict = object([
        key("consumer", names(Consumer::ALL.map(Consumer::name)), "The consumer."),
        key("loads", nullable(boolean()), "Whether the consumer would load the image; `null` if not known."),
        key("broken", array(finding.clone()), "The rules that the image breaks."),
        key("unchecked", array(finding), "The rules that could not be checked."),
    ]);
    let shape = names(SHAPES.map(|shape| shape.name));
    let keys = [
        schema_key(),
        key("image", common("fileName"), "The image."),
        key("digest", common("digest"), "The digest of its manifest or index."),
        key("shape", nullable(shape), "The shape of the image; `null` for an index."),
        key("consumers", array(verdict), "The verdict for each consumer."),
    ];
    document("sectile oci check", "A line of `sectile oci check --json IMAGE`.", object(keys))
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
    keys.push(written_shape());
    document("sectile oci layout", "The line of `sectile oci layout --json FILE -o DIR`.", object(keys))
}

pub fn push() -> Value {
    let sbom = object([
        key("digest", common("digest"), "The digest of its manifest."),
        key("fallback_tag", nullable(string()), "The tag that lists it if the registry does not list referrers."),
    ]);
    let documents = object([
        key("manifest", string(), "The exact bytes of the manifest."),
        key("config", string(), "The exact bytes of the config."),
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
        written_shape(),
        key("previous", nullable(common("digest")), "The digest that the tag had before."),
        key("dry_run", boolean(), "Whether nothing was sent, because of `--dry-run`."),
        key("documents", documents, "The contents of the manifest and the config, with `--dry-run`.").optional(),
    ]);
    document("sectile oci push", "The line of `sectile oci push --json FILE REFERENCE`.", object(keys))
}
