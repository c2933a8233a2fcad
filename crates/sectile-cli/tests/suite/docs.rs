//! Pages and files in `docs` that are generated from the source.

#[cfg(unix)]
mod ci;
pub mod schema;
