//! Digests of other algorithms than SHA-256. Blobs are not checked against them.

use std::fmt;

use sha2::{Digest as _, Sha512};

/// A digest of an algorithm that the image specification registers, other than SHA-256.
///
/// Source: `descriptor.md` of the OCI image specification, *Registered Algorithms*.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UncomputedDigest(String);

/// The algorithms, with the numbers of their hexadecimal digits.
const ALGORITHMS: [(&str, usize); 2] = [("sha512", 128), ("blake3", 64)];

impl UncomputedDigest {
    /// Parses a digest such as `sha512:…`. Returns `None` for any other text, including a SHA-256.
    pub fn parse(text: &str) -> Option<Self> {
        let (algorithm, hex) = text.split_once(':')?;
        let (_, len) = ALGORITHMS.into_iter().find(|(name, _)| *name == algorithm)?;
        let is_valid = hex.len() == len && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        is_valid.then(|| Self(text.to_owned()))
    }

    /// The name of the algorithm.
    pub fn algorithm(&self) -> &str {
        self.0.split_once(':').map_or(&*self.0, |(algorithm, _)| algorithm)
    }

    /// Whether a document has this digest. `None` if the algorithm is not implemented.
    pub fn matches(&self, document: &[u8]) -> Option<bool> {
        (self.algorithm() == "sha512").then(|| {
            let digits = Sha512::digest(document).into_iter().flat_map(|byte| [byte >> 4, byte & 15]);
            digits.map(|digit| char::from_digit(digit.into(), 16)).eq(self.hex().chars().map(Some))
        })
    }

    /// The hexadecimal digits.
    pub fn hex(&self) -> &str {
        self.0.split_once(':').map_or("", |(_, hex)| hex)
    }
}

impl fmt::Display for UncomputedDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_registered_digests_are_parsed() {
        let digest = format!("sha512:{}", "0f".repeat(64));
        let parsed = UncomputedDigest::parse(&digest).unwrap();
        assert_eq!((parsed.algorithm(), parsed.hex().len(), parsed.to_string()), ("sha512", 128, digest));
        assert!(UncomputedDigest::parse(&format!("blake3:{}", "a".repeat(64))).is_some());
        for other in [
            format!("sha256:{}", "a".repeat(64)),
            format!("sha512:{}", "a".repeat(64)),
            format!("sha512:{}", "A".repeat(128)),
            format!("sha512:{}/", "a".repeat(127)),
            format!("md5:{}", "a".repeat(32)),
            "sha512".to_owned(),
        ] {
            assert_eq!(UncomputedDigest::parse(&other), None, "{other}");
        }
    }
}
