//! wkg.toml. Source: `Metadata` of wasm-pkg-core, including its aliases.

use super::entry::{license, text};
use super::mapping::KeyMapping;
use sectile::metadata::Field;

pub(super) const MAPPINGS: &[KeyMapping] = &[
    KeyMapping::field("metadata.authors", Field::Authors, text),
    KeyMapping::field("metadata.author", Field::Authors, text),
    KeyMapping::field("metadata.description", Field::Description, text),
    KeyMapping::field("metadata.licenses", Field::Licenses, license),
    KeyMapping::field("metadata.license", Field::Licenses, license),
    KeyMapping::field("metadata.source", Field::Source, text),
    KeyMapping::field("metadata.repository", Field::Source, text),
    KeyMapping::field("metadata.homepage", Field::Homepage, text),
    KeyMapping::field("metadata.revision", Field::Revision, text),
];
