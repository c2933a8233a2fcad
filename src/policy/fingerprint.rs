//! What a policy is, in a few characters.

use std::fmt::{self, Write};

use super::Policy;

impl Policy {
    /// A short text that tells policies apart, for reports that say what they were judged by: whether a verdict of an earlier
    /// report still stands without reading the file again.
    ///
    /// Two policies of the same fingerprint give the same verdict on the same bytes, the same subject and the same day: it
    /// covers severities, what is refused, limits, rules, exceptions, the version of Sectile and those of its features on
    /// which verdicts depend. The converse is not promised: policies that only differ in how they are written may have
    /// different ones, and a new version of Sectile gives others. It is made of what the policy says, and not of the text
    /// that it was read from; the same on every machine and in every run. It is no proof against forgery.
    ///
    /// Where exceptions [expire](super::Exception::expires), the day matters, too: an earlier verdict stands only if none
    /// expired in between.
    pub fn fingerprint(&self) -> String {
        let features = [cfg!(feature = "dependencies"), cfg!(feature = "interface"), cfg!(feature = "json")];
        let mut hash = Fnv(Fnv::BASIS);
        // Everything in a policy is a list, a sorted set or a value, so that its parts are shown in the same order always.
        let written = write!(hash, "{} {features:?} {self:?}", env!("CARGO_PKG_VERSION"));
        debug_assert!(written.is_ok(), "nothing in a policy fails to be shown");
        format!("fnv1a:{:032x}", hash.0)
    }
}

/// FNV-1a with 128 bits.
struct Fnv(u128);

impl Fnv {
    const BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
}

impl Write for Fnv {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            self.0 = (self.0 ^ u128::from(byte)).wrapping_mul(Self::PRIME);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors of the hash's authors.
    #[test]
    fn it_is_fnv1a() {
        let hash = |text: &str| {
            let mut hash = Fnv(Fnv::BASIS);
            hash.write_str(text).unwrap();
            hash.0
        };
        assert_eq!(hash(""), 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d);
        assert_eq!(hash("a"), 0xd228_cb69_6f1a_8caf_7891_2b70_4e4a_8964);
        assert_eq!(hash("foobar"), 0x343e_1662_793c_64bf_6f0d_3597_ba44_6f18);
    }
}
