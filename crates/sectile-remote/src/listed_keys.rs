//! Keys in the response of a listing that `object_store` would change.
//!
//! It silently removes a slash at the start and at the end of a key, and white space around it.
//! Requests for such a key would return another object. So the entries of these keys are removed
//! from the response before it is parsed, and listed separately.

use std::ops::Range;

use object_store::path::Path;
use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

/// The objects of a page that cannot be requested.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct UnrequestableKeys(pub(super) Vec<UnrequestableKey>);

/// An object that cannot be requested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct UnrequestableKey {
    /// Number of other objects before it in the page.
    pub(super) position: usize,
    pub(super) key: String,
    /// Length in bytes, if the listing contains it.
    pub(super) size: Option<u64>,
}

/// The response is not a listing.
#[derive(Debug, thiserror::Error)]
#[error("the listing is malformed")]
pub(super) struct MalformedListing;

impl From<quick_xml::Error> for MalformedListing {
    fn from(_: quick_xml::Error) -> Self {
        Self
    }
}

/// Removes the entries of keys that cannot be requested from the body of a listing.
///
/// # Errors
///
/// The body is not XML.
pub(super) fn split(body: &[u8]) -> Result<(Vec<u8>, UnrequestableKeys), MalformedListing> {
    let mut scan = ListingScan::default();
    let mut reader = Reader::from_reader(body);
    loop {
        let start = position(&reader)?;
        match reader.read_event()? {
            Event::Start(element) => scan.enter(&element, start),
            Event::End(_) => scan.leave(position(&reader)?),
            Event::Text(text) => scan.add(&text.xml10_content().map_err(|_| MalformedListing)?),
            Event::CData(text) => scan.add(&text.xml10_content().map_err(|_| MalformedListing)?),
            Event::GeneralRef(reference) => scan.add(resolve(&reference)?.encode_utf8(&mut [0; 4])),
            Event::Eof => break,
            _ => {}
        }
    }
    let mut rest = Vec::with_capacity(body.len());
    let mut at = 0;
    for Range { start, end } in scan.removed {
        rest.extend_from_slice(&body[at..start]);
        at = end;
    }
    rest.extend_from_slice(&body[at..]);
    Ok((rest, UnrequestableKeys(scan.keys)))
}

fn position(reader: &Reader<&[u8]>) -> Result<usize, MalformedListing> {
    usize::try_from(reader.buffer_position()).map_err(|_| MalformedListing)
}

fn resolve(reference: &BytesRef<'_>) -> Result<char, MalformedListing> {
    if let Some(character) = reference.resolve_char_ref()? {
        return Ok(character);
    }
    match &**reference {
        b"amp" => Ok('&'),
        b"lt" => Ok('<'),
        b"gt" => Ok('>'),
        b"quot" => Ok('"'),
        b"apos" => Ok('\''),
        _ => Err(MalformedListing),
    }
}

/// The state of a scan. Elements nested deeper than those of a listing are only counted.
#[derive(Default)]
struct ListingScan {
    depth: usize,
    entry: Option<ListedEntry>,
    text: String,
    /// Number of entries that are kept.
    kept: usize,
    removed: Vec<Range<usize>>,
    keys: Vec<UnrequestableKey>,
}

/// An entry of a listing.
struct ListedEntry {
    start: usize,
    depth: usize,
    key: String,
    is_encoded: bool,
    size: Option<u64>,
    /// The element whose text is collected.
    field: Option<Field>,
}

#[derive(Clone, Copy)]
enum Field {
    Key,
    Size,
}

impl ListingScan {
    fn enter(&mut self, element: &BytesStart<'_>, start: usize) {
        self.depth += 1;
        let name = element.local_name();
        match &mut self.entry {
            // S3 and Google Cloud Storage, and Azure.
            None if matches!(name.as_ref(), b"Contents" | b"Blob") => {
                let (depth, key) = (self.depth, String::new());
                self.entry = Some(ListedEntry { start, depth, key, is_encoded: false, size: None, field: None });
            }
            Some(entry) => {
                self.text.clear();
                entry.field = match name.as_ref() {
                    b"Key" | b"Name" if self.depth == entry.depth + 1 => {
                        // Azure encodes names that XML cannot contain.
                        entry.is_encoded = element.attributes().next().is_some();
                        Some(Field::Key)
                    }
                    b"Size" | b"Content-Length" => Some(Field::Size),
                    _ => None,
                };
            }
            None => {}
        }
    }

    fn add(&mut self, text: &str) {
        if self.entry.as_ref().is_some_and(|entry| entry.field.is_some()) {
            self.text.push_str(text);
        }
    }

    fn leave(&mut self, end: usize) {
        if let Some(entry) = &mut self.entry {
            match entry.field.take() {
                Some(Field::Key) => entry.key = std::mem::take(&mut self.text),
                Some(Field::Size) => entry.size = self.text.trim().parse().ok(),
                None => {}
            }
        }
        if let Some(ListedEntry { start, key, is_encoded, size, .. }) =
            self.entry.take_if(|entry| entry.depth == self.depth)
        {
            if is_encoded || is_changed(&key) {
                self.removed.push(start..end);
                self.keys.push(UnrequestableKey { position: self.kept, key, size });
            } else {
                self.kept += 1;
            }
        }
        self.depth = self.depth.saturating_sub(1);
    }
}

/// Whether `object_store` would request another key. It rejects the whole page for a key that is
/// not a path, which the listing code handles.
pub(super) fn is_changed(key: &str) -> bool {
    key.is_empty()
        || key.trim_matches([' ', '\t', '\r', '\n']) != key
        || Path::parse(key).is_ok_and(|path| path.as_ref() != key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(keys: &[&str]) -> String {
        let entry = |key: &&str| format!("<Contents><Key>{key}</Key><Size>{}</Size></Contents>", key.len());
        format!(
            "<ListBucketResult><Name>bucket</Name>{}</ListBucketResult>",
            keys.iter().map(entry).collect::<String>()
        )
    }

    fn removed(body: &str) -> (String, Vec<(usize, String, Option<u64>)>) {
        let (rest, keys) = split(body.as_bytes()).unwrap();
        let keys = keys.0.into_iter().map(|key| (key.position, key.key, key.size)).collect();
        (String::from_utf8(rest).unwrap(), keys)
    }

    #[test]
    fn changed_keys_are_removed() {
        let kept = ["a.wasm", "a b.wasm", "%2e.wasm", "a/%2F", "é", "a&amp;b", "x//y", "../z", "a\u{a0}"];
        let odd = ["/a.wasm", "a.wasm/", "/a/b/", "/", " a.wasm", "a.wasm ", "a&#10;", "&#32;a", ""];
        let mut all = Vec::new();
        for nth in 0..9 {
            all.extend([kept[nth], odd[nth]]);
        }
        let (rest, keys) = removed(&listing(&all));
        assert_eq!(rest, listing(&kept));
        let texts: Vec<_> = keys.iter().map(|(_, key, _)| &**key).collect();
        assert_eq!(texts, ["/a.wasm", "a.wasm/", "/a/b/", "/", " a.wasm", "a.wasm ", "a\n", " a", ""]);
        let positions: Vec<_> = keys.iter().map(|(position, ..)| *position).collect();
        assert_eq!(positions, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(keys[0].2, Some(7));
    }

    #[test]
    fn names_of_azure_are_compared() {
        let blob = |name: &str| {
            let properties =
                "<Properties><Content-Length>9</Content-Length><ResourceType>file</ResourceType></Properties>";
            format!("<Blob>{name}{properties}</Blob>")
        };
        let [kept, odd, encoded] =
            ["<Name>a/b</Name>", "<Name>a/</Name>", "<Name Encoded=\"true\">a%EF%BF%BE</Name>"].map(blob);
        let list = |blobs: &str| {
            format!("<?xml version=\"1.0\"?><EnumerationResults><Blobs>{blobs}</Blobs></EnumerationResults>")
        };
        let (rest, keys) = removed(&list(&format!("{odd}{kept}{encoded}")));
        assert_eq!(rest, list(&kept));
        assert_eq!(keys, [(0, "a/".to_owned(), Some(9)), (1, "a%EF%BF%BE".to_owned(), Some(9))]);
    }

    #[test]
    fn malformed_listings_are_errors() {
        for body in ["<ListBucketResult><Contents></ListBucketResult>", "<a>&unknown;</a>", "<a>&#0;</a>", "<a"] {
            assert!(split(body.as_bytes()).is_err(), "{body}");
        }
    }

    #[test]
    fn nested_elements_are_not_entries() {
        let body = "<ListBucketResult><Contents><Key>a</Key><Owner><Key>/b</Key></Owner></Contents></ListBucketResult>";
        assert_eq!(removed(body), (body.to_owned(), vec![]));
    }
}
