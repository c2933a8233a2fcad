//! Walks the roots of an audit: directory trees, image layouts, registry storages, archives, remote object stores, and
//! registries.
//!
//! A walk lists files in an order that depends on names only, and sends them in batches without opening any. Any thread
//! inspects a batch, and detects the types of its files by their content.

mod archive;
mod docker_save;
mod embedded;
mod file;
mod file_format;
mod file_kind;
mod formats;
mod images;
mod last_directory;
mod layout;
mod links;
mod listing;
pub(super) mod lookup;
#[cfg(feature = "remote")]
mod object_listing;
#[cfg(feature = "remote")]
mod objects;
mod options;
mod overlay;
mod parts;
mod probe;
mod registry;
#[cfg(feature = "registry")]
mod registry_api;
#[cfg(feature = "registry")]
mod registry_blobs;
#[cfg(any(feature = "registry", feature = "remote"))]
mod remote_file;
mod store_errors;
mod store_files;
mod tar_store;
#[cfg(test)]
mod tests;
mod tree;
mod unit;
mod zip_sign;

use std::collections::HashSet;
use std::ops::ControlFlow;

pub(super) use self::file::Scratch;
pub use self::file_format::FileFormat;
pub use self::options::{InsideSearch, WalkOptions};
pub(super) use self::parts::list;
#[cfg(feature = "registry")]
pub(super) use self::registry_api::RegistryRoot;
pub(super) use self::unit::Unit;
use self::unit::Units;
use super::root::{Root, RootKind};

/// Walks these roots one after the other, without duplicates, and sends units until `send` breaks. Files with several
/// hard links come last, so the walk waits until the units before them are inspected. Polls `should_stop` while it waits.
pub(super) fn walk(
    roots: &[Root],
    options: &WalkOptions,
    should_stop: &dyn Fn() -> bool,
    send: &mut dyn FnMut(Unit) -> ControlFlow<()>,
) {
    let mut units = Units::new(should_stop, send);
    let mut walked = HashSet::new();
    for root in roots.iter().filter(|root| walked.insert(root.name())) {
        let result = match &root.0 {
            RootKind::Path(path) => tree::walk(path, options, &mut units),
            RootKind::File(path, other_names) => parts::walk_file(path, other_names, &mut units),
            #[cfg(feature = "remote")]
            RootKind::Objects(objects) => object_listing::walk(objects, options, &mut units),
            #[cfg(feature = "registry")]
            RootKind::Registry(registry) => registry_api::walk(registry, options, &mut units),
        };
        if result.is_break() {
            return;
        }
    }
    _ = units.finish();
}
