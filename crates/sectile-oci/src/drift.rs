//! Comparison of an image's manifest and layer.

use iri_string::types::{IriStr, UriStr};

use crate::layout::LayoutImage;
use crate::{AnnotationOptions, Annotations, Duplicates, TITLE_KEY, annotations};
use sectile::digest::Digest;
use sectile::internal::{add_root_finding, quoted};
use sectile::metadata::{Expects, Field, Metadata};
use sectile::{Error, FindingCode};

impl LayoutImage {
    /// Compares the manifest's annotations with the metadata of its layer, and adds
    /// `annotation-drift` findings.
    ///
    /// Each value that differs, or that only one of the two has, is a finding. URLs are compared in
    /// normalized form, because publishing tools write `https://example.com/` for
    /// `https://example.com`.
    ///
    /// Not compared are:
    ///
    /// - annotations without a section;
    /// - values of the binary that were too large to read, which already have a finding;
    /// - a `created` annotation if the binary has no date, because most binaries have none.
    pub fn compare(&self, metadata: &mut Metadata<'_>) {
        compare(self.annotations(), metadata);
    }

    /// Hashes the layer, and adds a `digest-mismatch` finding if its digest differs from the one in
    /// the manifest.
    ///
    /// # Errors
    ///
    /// The layer cannot be read.
    pub fn verify(&self, metadata: &mut Metadata<'_>) -> Result<(), Error> {
        add_digest_mismatch(self.layer().digest(), self.hash_layer()?, metadata);
        Ok(())
    }
}

/// Adds a finding if the digest of a layer differs from the one in its manifest.
pub(super) fn add_digest_mismatch(expected: Digest, found: Digest, metadata: &mut Metadata<'_>) {
    if found != expected {
        let message = format!("the manifest names the layer {expected}, but its digest is {found}");
        add_root_finding(metadata, FindingCode::DigestMismatch, 0, None, message);
    }
}

/// Adds the differences between a manifest's annotations and its layer's metadata as findings.
pub(super) fn compare(manifest: &Annotations, metadata: &mut Metadata<'_>) {
    // Invalid values and duplicates already have findings of their own.
    let options = AnnotationOptions::new().with_duplicates(Duplicates::Last).with_allow_invalid(true);
    let root = metadata.root();
    let binary = annotations(root, &options).unwrap_or_default(); // these options reject nothing
    let fields = Field::ALL.into_iter().map(|field| (field.oci_key(), Some(field)));
    let rows = fields.chain([(TITLE_KEY, None)]).map(|(key, field)| {
        let value = field.map_or_else(|| root.name(), |field| root.annotation(field));
        let absence = match (value, field) {
            (Some(value), _) if value.as_str().is_none() => Some("the binary's value is not UTF-8"),
            // The value exists, but was too large to read.
            (None, Some(field)) if root.section_count(field) > 0 => None,
            (None, Some(Field::Created)) => None,
            _ => Some("the binary has no value"),
        };
        (key, field, value.map_or(0, |value| value.range().start), absence)
    });
    for (key, field, start, absence) in rows.collect::<Vec<_>>() {
        let message = match (manifest.get(key), binary.get(key), absence) {
            (Some(image), Some(binary), _)
                if image != binary && !field.is_some_and(|field| is_same_url(field, image, binary)) =>
            {
                format!("the manifest's `{key}` is {}, but the binary has {}", quoted(image), quoted(binary))
            }
            (None, Some(binary), _) => {
                format!("the manifest has no `{key}`, but the binary has {}", quoted(binary))
            }
            (Some(image), None, Some(absence)) => {
                format!("the manifest's `{key}` is {}, but {absence}", quoted(image))
            }
            _ => continue,
        };
        add_root_finding(metadata, FindingCode::AnnotationDrift, start, field.map(Field::section), message);
    }
}

/// Whether two values of a field are one URL, written differently.
fn is_same_url(field: Field, image: &str, binary: &str) -> bool {
    matches!(field.expects(), Expects::Url | Expects::Repository)
        && normalized_url(image).is_some_and(|image| Some(image) == normalized_url(binary))
}

/// A URL normalized for comparison. Sources: RFC 3986, 6.2.2 and 6.2.3; RFC 3987, 3.1; the URL
/// standard, for the output of browsers and publishing tools.
fn normalized_url(url: &str) -> Option<String> {
    const MAX_LEN: usize = 8 << 10;
    let iri = IriStr::new(url.trim()).ok().filter(|_| url.len() <= MAX_LEN)?;
    let uri = iri.encode_to_uri().to_string();
    let uri = UriStr::new(&uri).ok()?.normalize().to_string();
    let uri = UriStr::new(&uri).ok()?;
    let scheme = uri.scheme_str();
    let default_port = match scheme {
        "http" => "80",
        "https" => "443",
        _ => return Some(uri.to_string()),
    };
    let authority = uri.authority_str()?;
    let authority = match authority.rsplit_once(':') {
        Some((host, port)) if port.is_empty() || port == default_port => host,
        _ => authority,
    };
    let path = if uri.path_str().is_empty() { "/" } else { uri.path_str() };
    let part = |mark: &str, part: Option<&str>| part.map(|part| format!("{mark}{part}")).unwrap_or_default();
    let (query, fragment) = (part("?", uri.query_str()), part("#", uri.fragment_str()));
    Some(format!("{scheme}://{authority}{path}{query}{fragment}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_compared_by_their_normal_form() {
        for (one, other) in [
            ("https://example.com", "https://example.com/"),
            ("https://example.com?q", "https://example.com/?q"),
            ("HTTPS://Example.COM/a", "https://example.com/a"),
            ("https://example.com:443/a", "https://example.com/a"),
            ("http://example.com:80", "http://example.com/"),
            ("https://example.com:/", "https://example.com/"),
            ("https://example.com/a/../b/./c", "https://example.com/b/c"),
            ("https://example.com/grüße", "https://example.com/gr%C3%BC%C3%9Fe"),
            ("https://example.com/%7ea%2f", "https://example.com/~a%2F"),
            ("https://[::1]:443", "https://[::1]/"),
        ] {
            assert!(is_same_url(Field::Homepage, one, other), "{one} {other}");
            assert!(is_same_url(Field::Source, other, one), "{one} {other}");
        }
        for (one, other) in [
            ("https://example.com/a", "https://example.com/a/"),
            ("https://example.com/a", "https://example.com/A"),
            ("https://example.com", "http://example.com"),
            ("https://example.com:8443/", "https://example.com/"),
            ("https://example.com/?a", "https://example.com/?b"),
            ("https://example.com/#a", "https://example.com/"),
            ("https://user@example.com/", "https://example.com/"),
            ("example.com", "example.com/"),
        ] {
            assert!(!is_same_url(Field::Homepage, one, other), "{one} {other}");
        }
        assert!(!is_same_url(Field::Description, "https://example.com", "https://example.com/"), "it is a text");
    }
}
