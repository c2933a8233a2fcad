//! Pages and files in `docs` that are generated from the source.

pub mod schema;
