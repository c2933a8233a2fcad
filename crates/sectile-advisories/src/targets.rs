//! Targets that a defect is limited to.

/// The architectures of WebAssembly, as Rust and Go name them.
const ARCHITECTURES: [&str; 3] = ["wasm32", "wasm64", "wasm"];

/// The operating systems that Rust and Go name for WebAssembly. `unknown` and `none` are targets
/// without one.
const SYSTEMS: [&str; 8] = ["wasi", "wasip1", "wasip2", "wasip3", "emscripten", "unknown", "none", "js"];

/// Whether a list of architectures and a list of operating systems exclude WebAssembly. An empty
/// list permits any.
pub(crate) fn exclude_wasm<T: AsRef<str>>(architectures: &[T], systems: &[T]) -> bool {
    let excludes =
        |list: &[T], names: &[&str]| !list.is_empty() && !list.iter().any(|name| names.contains(&name.as_ref()));
    excludes(architectures, &ARCHITECTURES) || excludes(systems, &SYSTEMS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_without_webassembly_exclude_it() {
        for (architectures, systems, excludes) in [
            (&[][..], &[][..], false),
            (&["x86"], &[], true),
            (&[], &["windows"], true),
            (&["x86", "wasm32"], &[], false),
            (&["wasm32"], &["windows"], true),
            (&["wasm32"], &["windows", "wasi"], false),
            (&["wasm"], &["js"], false),
        ] {
            assert_eq!(exclude_wasm(architectures, systems), excludes, "{architectures:?} {systems:?}");
        }
    }
}
