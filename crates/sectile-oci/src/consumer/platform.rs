//! Rules about the image that a consumer selects from an index.

use crate::layout::index::ParsedDescriptor;

/// The operating system and the architecture of the host on which consumers are assumed to run.
const HOST: (&str, &str) = ("linux", "amd64");

/// Returns the image for the host, or the first one without a platform, as go-containerregistry
/// does.
pub(super) fn host_or_unnamed(manifests: &[ParsedDescriptor], _is_nested: bool) -> Result<usize, String> {
    let is_selected = |entry: &ParsedDescriptor| is_unnamed(entry) || is_for_host(entry);
    manifests.iter().position(is_selected).ok_or_else(|| listed(manifests))
}

/// Returns the image for the host, as oci-client does.
pub(super) fn host(manifests: &[ParsedDescriptor], is_nested: bool) -> Result<usize, String> {
    if is_nested {
        return Err("an index in an index".to_owned());
    }
    manifests.iter().position(is_for_host).ok_or_else(|| listed(manifests))
}

/// Returns the image for WebAssembly or for the host, or the only one, as containerd does for a
/// platform that the user requests.
pub(super) fn wasm_or_host(manifests: &[ParsedDescriptor], _is_nested: bool) -> Result<usize, String> {
    let is_for_wasm =
        |entry: &ParsedDescriptor| platform(entry).is_some_and(|(_, architecture)| architecture == "wasm");
    let only = (manifests.len() == 1).then_some(0);
    let selected = manifests.iter().position(is_for_wasm).or_else(|| manifests.iter().position(is_for_host)).or(only);
    selected.ok_or_else(|| listed(manifests))
}

fn is_for_host(entry: &ParsedDescriptor) -> bool {
    platform(entry) == Some(HOST)
}

fn is_unnamed(entry: &ParsedDescriptor) -> bool {
    entry.platform.is_none()
}

fn platform(entry: &ParsedDescriptor) -> Option<(&str, &str)> {
    let platform = entry.platform.as_ref()?;
    Some((platform.os.as_deref()?, platform.architecture.as_deref()?))
}

/// Describes the platforms of an index.
fn listed(manifests: &[ParsedDescriptor]) -> String {
    const MAX_SHOWN: usize = 8;
    let describe = |entry: &ParsedDescriptor| match platform(entry) {
        Some((os, architecture)) => sectile::internal::quoted(&format!("{os}/{architecture}")),
        None => "an image without a platform".to_owned(),
    };
    match manifests.len() {
        0 => "an empty index".to_owned(),
        _ => manifests.iter().take(MAX_SHOWN).map(describe).collect::<Vec<_>>().join(", "),
    }
}
