//! Items: modules and components.

use serde_json::{Value, json};

use super::keys::{Key, array, boolean, common, key, map, names, nullable, number, object, string, tuple};
use sectile::interface::ExternKind;
use sectile::metadata::Field;

/// The custom sections of links to debugging data.
const DEBUG_LINKS: [&str; 3] = ["build_id", "sourceMappingURL", "external_debug_info"];

const EXTERN_KINDS: [ExternKind; 10] = [
    ExternKind::Function,
    ExternKind::Table,
    ExternKind::Memory,
    ExternKind::Global,
    ExternKind::Tag,
    ExternKind::Module,
    ExternKind::Value,
    ExternKind::Type,
    ExternKind::Instance,
    ExternKind::Component,
];

pub fn item_definition() -> Value {
    object(item())
}

/// The root item of `show`, which also has the keys of `--interface`.
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
        key("producers", map(array(name_and_version())), "Names and versions by the field of `producers`."),
        key("dependencies", array(package()), "The packages that cargo-auditable listed.").optional(),
        key(
            "registry_metadata",
            json!({ "anyOf": [{ "type": "object" }, common("text")] }),
            "The section `registry-metadata`: its JSON object, or its data if it is not one.",
        )
        .optional(),
        key("debug_links", array(debug_link()), "Links to debugging data: section and value.").optional(),
        key("items", array(common("item")), "The items in it."),
    ]
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

fn interface() -> Vec<Key> {
    let package = object([
        key("name", string(), "The name of the package."),
        key("interfaces", array(string()), "Its interfaces."),
        key("worlds", array(string()), "Its worlds."),
    ]);
    vec![
        key("imports", array(import_or_export()), "The imports, with `--interface`.").optional(),
        key("exports", array(import_or_export()), "The exports, with `--interface`.").optional(),
        key("wit_package", package, "The WIT package that the component is, with `--interface`.").optional(),
    ]
}

fn import_or_export() -> Value {
    object([
        key("module", string(), "The module of a module's import.").optional(),
        key("name", string(), "The name."),
        key("kind", names(EXTERN_KINDS.map(ExternKind::name)), "The kind."),
        key("implements", string(), "The interface that an instance under a plain name implements.").optional(),
    ])
}
