//! SHA-256 digests of a binary, with and without its custom sections.

mod content;

use std::fmt;
use std::io;
use std::str::FromStr;

use sha2::Digest as _;

pub use self::content::{Digests, compute, compute_with};

/// A SHA-256 digest. Its text form is that of the OCI image specification: `sha256:` and 64
/// lower-case hexadecimal digits.
///
/// ```
/// use sectile::digest::Digest;
///
/// let empty = Digest::new(b"");
/// assert_eq!(empty.to_string(), "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
/// assert_eq!(empty.to_string().parse::<Digest>()?, empty);
/// assert!("sha256:../../etc/passwd".parse::<Digest>().is_err());
/// # Ok::<(), sectile::digest::DigestError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

/// Prefix of the text form.
const ALGORITHM: &str = "sha256:";

impl Digest {
    /// Computes the digest of bytes in memory.
    pub fn new(bytes: &[u8]) -> Self {
        let mut hasher = Hasher::new();
        hasher.update(bytes);
        hasher.finish()
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The 64 hexadecimal digits without the prefix: the file name of a blob in an OCI image
    /// layout.
    pub fn hex(&self) -> String {
        self.to_string().split_off(ALGORITHM.len())
    }
}

/// The digest that another program computed.
impl From<[u8; 32]> for Digest {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(ALGORITHM)?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The error of parsing a [`Digest`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DigestError {
    /// A digest of another registered algorithm. Only `sha256` is supported.
    #[error("unsupported digest algorithm `{0}`: use sha256")]
    Algorithm(String),
    /// Not a digest, or a digest with another length or upper-case digits.
    #[error("`{0}` is not a digest: expected `sha256:` and 64 lower-case hexadecimal digits")]
    Malformed(String),
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let malformed = || DigestError::Malformed(text.chars().take(100).collect());
        let Some(hex) = text.strip_prefix(ALGORITHM) else {
            // The registered algorithms. Source: OCI image specification, *Digests*.
            return Err(match text.split_once(':') {
                Some((algorithm @ ("sha512" | "blake3"), _)) => DigestError::Algorithm(algorithm.to_owned()),
                _ => malformed(),
            });
        };
        let mut bytes = [0; 32];
        if hex.len() != 2 * bytes.len() {
            return Err(malformed());
        }
        for (byte, pair) in bytes.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
            let digit = |digit: u8| match digit {
                b'0'..=b'9' => Some(digit - b'0'),
                b'a'..=b'f' => Some(digit - b'a' + 10),
                _ => None,
            };
            *byte = digit(pair[0]).zip(digit(pair[1])).map(|(high, low)| high << 4 | low).ok_or_else(malformed)?;
        }
        Ok(Self(bytes))
    }
}

/// Computes a [`Digest`] incrementally. As an [`io::Write`], it never fails.
///
/// ```
/// use std::io::Write;
/// use sectile::digest::{Digest, Hasher};
///
/// let mut hasher = Hasher::new();
/// hasher.write_all(b"a")?;
/// hasher.update(b"bc");
/// assert_eq!(hasher.finish(), Digest::new(b"abc"));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Hasher(sha2::Sha256);

impl Hasher {
    /// Creates a hasher.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Returns the digest of all bytes added.
    pub fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

impl io::Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Source: FIPS 180-2, appendix B.
    #[test]
    fn digests_match_the_examples_of_the_standard() {
        for (bytes, hex) in [
            (b"abc".to_vec(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (vec![b'a'; 1_000_000], "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
        ] {
            assert_eq!(Digest::new(&bytes).hex(), hex);
        }
    }

    #[test]
    fn malformed_digests_are_refused() {
        let hex = Digest::new(b"").hex();
        for text in [
            String::new(),
            hex.clone(),
            format!("sha256:{}", hex.to_uppercase()),
            format!("SHA256:{hex}"),
            format!("sha256:{}", &hex[1..]),
            format!("sha256:{hex}0"),
            format!("sha256:../{}", &hex[3..]),
            format!("sha256:+{}", &hex[1..]),
            format!("sha256:é{}", &hex[2..]),
            format!("sha256:sha256:{hex}"),
            format!("md5:{hex}"),
        ] {
            assert!(matches!(text.parse::<Digest>(), Err(DigestError::Malformed(_))), "{text}");
        }
        let other = format!("sha512:{hex}{hex}").parse::<Digest>();
        assert_eq!(other, Err(DigestError::Algorithm("sha512".to_owned())));
    }
}
