//! The details that `--version --verbose` prints.

use std::env::consts::{ARCH, OS};
use std::ffi::OsString;
use std::fmt::Write;

use sectile::internal::json::SCHEMA;

/// The optional features, and whether each is built in.
const FEATURES: [(&str, bool); 1] = [("remote", cfg!(feature = "remote"))];

/// The C library or the toolchain of the target; empty if it has none.
const ENVIRONMENT: &str = if cfg!(target_env = "gnu") {
    "gnu"
} else if cfg!(target_env = "musl") {
    "musl"
} else if cfg!(target_env = "msvc") {
    "msvc"
} else {
    ""
};

/// Whether these arguments, without the program's name, request the version and its details: `-vV`,
/// `--version --verbose`.
pub fn is_requested(args: &[OsString]) -> bool {
    let args: Vec<&str> = args.iter().filter_map(|arg| arg.to_str()).collect();
    let is_version = |arg: &str| matches!(arg, "-V" | "--version");
    let is_verbose = |arg: &str| matches!(arg, "-v" | "--verbose");
    match args[..] {
        [both] => matches!(both, "-vV" | "-Vv"),
        [first, second] => is_version(first) && is_verbose(second) || is_verbose(first) && is_version(second),
        _ => false,
    }
}

/// The version, the features, the target and the schema, each on its own line.
pub fn details() -> String {
    let mut text = env!("CARGO_PKG_VERSION").to_owned();
    for (label, is_built_in) in [("features", true), ("not built in", false)] {
        let features = FEATURES.iter().filter(|(_, built_in)| *built_in == is_built_in).map(|(name, _)| *name);
        let features = features.collect::<Vec<_>>().join(", ");
        if is_built_in || !features.is_empty() {
            let features = if features.is_empty() { "(none)" } else { &features };
            _ = write!(text, "\n{label}: {features}");
        }
    }
    let separator = if ENVIRONMENT.is_empty() { "" } else { "-" };
    _ = write!(text, "\ntarget: {ARCH}-{OS}{separator}{ENVIRONMENT}\nJSON schema: {SCHEMA}");
    text
}
