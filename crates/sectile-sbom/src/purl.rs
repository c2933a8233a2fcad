//! Package URLs.

use packageurl::PackageUrl;

use sectile::inventory::Ecosystem;
use sectile::metadata::Package;

/// The package URL of a package in a `.dep-v0` section; `None` if it has no name.
///
/// `pkg:cargo/…` names a package of crates.io, the default repository of that type. For other
/// sources (`git`, `local`, another `registry`) the section does not record the location. There,
/// `pkg:cargo/…` would name an unrelated package of crates.io, so these packages are
/// `pkg:generic/…`.
///
/// ```
/// # let section = miniz_oxide::deflate::compress_to_vec_zlib(br#"{"packages":[
/// #     {"name":"adler","version":"1.0.2","source":"crates.io"},
/// #     {"name":"app","version":"0.1.0","source":"local","root":true}]}"#, 1);
/// # let payload = [&b"\x07.dep-v0"[..], &section].concat();
/// # let module = [&b"\0asm\x01\0\0\0\0"[..], &[payload.len() as u8], &payload].concat();
/// let metadata = sectile::read_slice(&module)?;
/// let packages = metadata.root().dependencies().expect("it has some").packages();
/// let purls: Vec<_> = packages.iter().filter_map(sectile_sbom::purl).collect();
/// assert_eq!(purls, ["pkg:cargo/adler@1.0.2", "pkg:generic/app@0.1.0"]);
/// # Ok::<(), sectile::Error>(())
/// ```
pub fn purl(package: &Package) -> Option<String> {
    crate_purl(&package.name, &package.version, &package.source)
}

fn crate_purl(name: &str, version: &str, source: &str) -> Option<String> {
    new_purl(if source == "crates.io" { "cargo" } else { "generic" }, None, name, version)
}

fn new_purl(kind: &str, namespace: Option<&str>, name: &str, version: &str) -> Option<String> {
    let mut purl = PackageUrl::new(kind, name).ok()?;
    if let Some(namespace) = namespace {
        purl.with_namespace(namespace).ok()?;
    }
    if !version.is_empty() {
        purl.with_version(version).ok()?;
    }
    Some(purl.to_string())
}

/// The package URL of a package that was found in data. A Go module in a directory or in
/// development has no version.
pub(crate) fn found_purl(name: &str, version: &str, source: &str, ecosystem: Ecosystem) -> Option<String> {
    match ecosystem {
        Ecosystem::Cargo => crate_purl(name, version, source),
        Ecosystem::Generic => new_purl("generic", None, name, version),
        ecosystem => {
            let (namespace, name) = name.rsplit_once('/').map_or((None, name), |(space, name)| (Some(space), name));
            let version = if version == "(devel)" { "" } else { version };
            new_purl(ecosystem.name(), namespace, name, version)
        }
    }
}
