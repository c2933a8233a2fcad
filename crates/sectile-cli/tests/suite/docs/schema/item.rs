//! Items: modules and components.

use serde_json::{Value, json};

use super::keys::{Key, array, boolean, common, count, key, map, names, nullable, number, object, string, tuple};
use sectile::interface::ExternKind;
use sectile::inventory::{Confidence, Ecosystem, Evidence, ListKind};
use sectile::metadata::Field;

/// The custom sections of links to debugging data.
const DEBUG_LINKS: [&str; 3] = ["build_id", "sourceMappingURL", "external_debug_info"];

pub fn item_definition() -> Value {
    object(item())
}

/// The root item, which also has the keys of `--interface` or of a rule about imports.
pub fn root() -> Value {
    object(item().into_iter().chain(interface()))
}

fn item() -> Vec<Key> {
    vec![
        key("kind", json!({ "enum": ["module", "component"] }), "The kind of the item."),
        key("path", common("itemPath"), "The path of the item."),
        key("range", tuple([number(), nullable(number())]), "Its bytes; the end is null if it is not known."),
        key("name", nullable(common("text")), "The name in its name section."),
        key("annotations", annotations(), "The values of the fields in docs/reference.md."),
        key("first_annotations", annotations(), "The first values of the fields with several sections.").optional(),
        key("producers", map(array(name_and_version())), "Names and versions by the field of `producers`."),
        key("incomplete_producers", yes(), "Not all producers could be read.").optional(),
        key("dependencies", array(package()), "The packages that cargo-auditable listed.").optional(),
        key(
            "registry_metadata",
            json!({ "anyOf": [{ "type": "object" }, common("text")] }),
            "The section `registry-metadata`: its JSON object, or its data if it is not one.",
        )
        .optional(),
        key("debug_links", array(debug_link()), "Links to debugging data: section and value.").optional(),
        key("incomplete", yes(), "The item was not read to its end.").optional(),
        key("items", array(common("item")), "The items in it."),
    ]
}

/// `true`. The key is omitted otherwise.
fn yes() -> Value {
    json!({ "const": true })
}

fn annotations() -> Value {
    let fields = Field::ALL.into_iter().map(|field| key(field.section(), common("text"), field.help()).optional());
    object(fields)
}

fn name_and_version() -> Value {
    tuple([string(), string()])
}

fn debug_link() -> Value {
    tuple([names(DEBUG_LINKS), common("text")])
}

fn package() -> Value {
    object([
        key("name", string(), "The name of the package."),
        key("version", string(), "Its version."),
        key("source", string(), "Where it came from, such as `crates.io`, `git`, `local` or `registry`."),
        key("kind", json!({ "enum": ["runtime", "build"] }), "The purpose of the package."),
        key("root", boolean(), "Whether it is the package of the binary."),
        key("dependencies", array(number()), "Indexes of packages in the list."),
    ])
}

/// The keys of a report for the packages of all items.
pub fn packages() -> Vec<Key> {
    let lists = [ListKind::Declared, ListKind::Embedded, ListKind::Recovered];
    let confidences = [Confidence::Medium, Confidence::High];
    let package = object([
        key("name", string(), "The name."),
        key("version", string(), "The version, or a revision; may be empty."),
        key("ecosystem", names(Ecosystem::ALL.map(Ecosystem::name)), "The ecosystem of the name."),
        key("source", string(), "The source, such as `crates.io` or `git`; empty if it is unknown."),
        key("list", names(lists.map(ListKind::name)), "The kind of list. A recovered list is incomplete."),
        key("evidence", names(Evidence::ALL.map(Evidence::name)), "How it was found; see docs/inventory.md."),
        key("confidence", names(confidences.map(Confidence::name)), "The reliability of the evidence."),
        key("path", common("itemPath"), "The item that contains it."),
        key("offset", number(), "The absolute byte offset of the first evidence."),
        key("count", count(), "Number of places that name it."),
        key("checksum", string(), "The checksum that Go records.").optional(),
        key("replaces", string(), "Name and version of the Go module that it replaces.").optional(),
    ]);
    let build = object([
        key("path", string(), "The import path of the main package."),
        key("settings", array(tuple([string(), string()])), "Names and values; those with paths are omitted."),
        key("offset", number(), "The absolute byte offset of the build information."),
        key("complete", boolean(), "Whether it has its end marker."),
    ]);
    vec![
        key("packages", array(package), "The declared packages, and with `--packages all` those that the data names."),
        key("go_builds", array(build), "The build information of Go programs, with `--packages all`.").optional(),
    ]
}

/// Also the key of a report whose packages have a limit of their own.
pub fn bounded_packages() -> Vec<Key> {
    let left_out = "Number of packages and builds beyond the limit of 40 bytes for each byte of the file, or 256 KiB.";
    packages().into_iter().chain([key("packages_left_out", count(), left_out).optional()]).collect()
}

fn interface() -> Vec<Key> {
    let package = object([
        key("name", string(), "The name of the package."),
        key("interfaces", array(string()), "Its interfaces."),
        key("worlds", array(string()), "Its worlds."),
    ]);
    vec![
        key("imports", array(import_or_export()), "The imports, with `--interface`.").optional(),
        key("exports", array(import_or_export()), "The exports, with `--interface`.").optional(),
        key("incomplete_interface", yes(), "Not all imports and exports could be read.").optional(),
        key("wit_package", package, "The WIT package that the component is, with `--interface`.").optional(),
    ]
}

fn import_or_export() -> Value {
    object([
        key("module", string(), "The module of a module's import.").optional(),
        key("name", string(), "The name."),
        key("kind", names(ExternKind::ALL.map(ExternKind::name)), "The kind."),
        key("implements", string(), "The interface that an instance under a plain name implements.").optional(),
        key("offset", number(), "The absolute byte offset of its entry in the section."),
    ])
}
