//! wkg.toml. Source: `Metadata` of wasm-pkg-core, where a text has these spellings.

use super::found::{license, text};
use super::table::Row;
use crate::metadata::Field;

pub(super) const ROWS: &[Row] = &[
    Row::field("metadata.authors", Field::Authors, text),
    Row::field("metadata.author", Field::Authors, text),
    Row::field("metadata.description", Field::Description, text),
    Row::field("metadata.licenses", Field::Licenses, license),
    Row::field("metadata.license", Field::Licenses, license),
    Row::field("metadata.source", Field::Source, text),
    Row::field("metadata.repository", Field::Source, text),
    Row::field("metadata.homepage", Field::Homepage, text),
    Row::field("metadata.revision", Field::Revision, text),
];
