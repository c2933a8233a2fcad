//! npm packages, from the paths and the `package.json` that bundlers leave in scripts.

use super::context::Context;
use super::package::{Confidence, Ecosystem, Evidence, FoundPackage};
use super::path::{is_semver, is_separator};

/// A package in `node_modules/`. Two forms state a version:
///
/// - `node_modules/<name>/package.json`, followed by the contents with this name and a version, as
///   a bundler that inlines the file writes them.
/// - `node_modules/.pnpm/<name>@<version>…/node_modules/<name>/`.
pub(super) fn package<'t>(context: &Context<'t>) -> Option<FoundPackage<'t>> {
    context.before().strip_suffix(b"node")?;
    let (_, path) = context.after().split_first().filter(|(separator, _)| is_separator(**separator))?;
    if let Some(store) = path.strip_prefix(b".pnpm/").or_else(|| path.strip_prefix(b".pnpm\\")) {
        return from_pnpm(store);
    }
    let (name, rest) = name(path)?;
    let contents = rest.strip_prefix(b"package.json")?;
    let contents = &contents[..contents.iter().position(|byte| *byte == 0).unwrap_or(contents.len())];
    if value(contents, b"name")? != name {
        return None;
    }
    let version = value(contents, b"version").filter(|version| is_semver(version))?;
    Some(found(name, version))
}

/// A package in the store of pnpm. The store's directory writes `+` for the slash of a scope.
fn from_pnpm(store: &[u8]) -> Option<FoundPackage<'_>> {
    let len = store.iter().take(MAX_NAME).position(|byte| is_separator(*byte))?;
    let directory = std::str::from_utf8(&store[..len]).ok()?;
    let at = directory.get(1..)?.find('@')? + 1;
    let (stored_name, version) = (&directory[..at], &directory[at + 1..]);
    // Peer dependencies follow, with versions of their own.
    let version = &version[..version.find(['(', '_']).unwrap_or(version.len())];
    let modules = store[len + 1..].strip_prefix(b"node_modules")?;
    let (separator, path) = modules.split_first()?;
    let (name, _) = name(path)?;
    let is_same = name.len() == stored_name.len() && name.replace('/', "+") == stored_name;
    (is_separator(*separator) && is_same && is_semver(version)).then(|| found(name, version))
}

fn found<'t>(name: &'t str, version: &'t str) -> FoundPackage<'t> {
    let (ecosystem, evidence) = (Ecosystem::Npm, Evidence::NpmPath);
    FoundPackage { name, version, ecosystem, source: "", evidence, confidence: Confidence::Medium }
}

/// Length of the longest name of an npm package.
const MAX_NAME: usize = 214;

/// A package's name at the start of a path, with its scope, and the rest after a separator.
fn name(path: &[u8]) -> Option<(&str, &[u8])> {
    let mut parts = path.iter().take(MAX_NAME).enumerate().filter(|(_, byte)| is_separator(**byte)).map(|(at, _)| at);
    let end = if path.starts_with(b"@") { parts.nth(1)? } else { parts.next()? };
    let name = std::str::from_utf8(&path[..end]).ok()?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    let mut components = name.strip_prefix('@').unwrap_or(name).split('/');
    let is_name = components.all(|part| !part.is_empty() && !part.starts_with('.') && part.bytes().all(is_plain));
    is_name.then_some((name, &path[end + 1..]))
}

/// The string that a key has: `"key": "value"`, `key: 'value'`, `var key = "value"`.
fn value<'t>(text: &'t [u8], key: &[u8]) -> Option<&'t str> {
    memchr::memmem::find_iter(text, key).find_map(|at| {
        let starts = at.checked_sub(1).is_none_or(|before| !text[before].is_ascii_alphanumeric());
        let rest = &text[at + key.len()..];
        let quoted = rest.iter().position(|byte| !b"\"' \t\r\n:=".contains(byte)).filter(|len| *len > 0)?;
        let (gap, value) = rest.split_at(quoted);
        let quote = *gap.last().filter(|byte| b"\"'".contains(byte))?;
        let is_assigned = gap.iter().any(|byte| b":=".contains(byte));
        let end = value.iter().take(MAX_NAME).position(|byte| *byte == quote)?;
        (starts && is_assigned).then(|| std::str::from_utf8(&value[..end]).ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found_in(after: &str) -> Option<(&str, &str)> {
        const ANCHOR: &str = "_modules";
        const PATH: &str = "// node_modules";
        // The texts live as long as the test.
        let text: &'static [u8] = format!("{PATH}/{after}").leak().as_bytes();
        let found = package(&Context::new(text, PATH.len() - ANCHOR.len()..PATH.len()))?;
        Some((found.name, found.version))
    }

    #[test]
    fn both_forms_with_a_version() {
        for (after, expected) in [
            (
                "lodash/package.json\nvar package_default = { name: \"lodash\", version: '4.17.21' };",
                ("lodash", "4.17.21"),
            ),
            ("@a/b/package.json\nvar name = \"@a/b\"; var version = \"1.0.0-rc.1\";", ("@a/b", "1.0.0-rc.1")),
            ("x/package.json\": {\"name\":\"x\",\"engines\":{},\"version\":\"0.0.1\"}", ("x", "0.0.1")),
            (".pnpm/lodash@4.17.21/node_modules/lodash/index.js", ("lodash", "4.17.21")),
            (
                ".pnpm/@babel+core@7.0.0_supports-color@5.5.0/node_modules/@babel/core/lib/i.js",
                ("@babel/core", "7.0.0"),
            ),
            (".pnpm/a@1.0.0(b@2.0.0)/node_modules/a/index.js", ("a", "1.0.0")),
        ] {
            assert_eq!(found_in(after), Some(expected), "{after}");
        }
    }

    #[test]
    fn other_forms_state_no_version() {
        for after in [
            "lodash/index.js\nvar version = \"4.17.21\"",
            "lodash/package.json",
            "lodash/package.json name: \"lodash\"",
            "lodash/package.json name: \"other\", version: \"1.0.0\"",
            "lodash/package.json name: \"lodash\", version: \"latest\"",
            "<name>/package.json name: \"<name>\", version: \"1.0.0\"",
            ".bin/package.json name: \".bin\", version: \"1.0.0\"",
            ".pnpm/lodash@4.17.21/node_modules/other/index.js",
            ".pnpm/lodash/node_modules/lodash/index.js",
        ] {
            assert_eq!(found_in(after), None, "{after}");
        }
    }
}
