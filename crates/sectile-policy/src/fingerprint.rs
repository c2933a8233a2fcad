//! Short texts that identify policies.

use std::fmt::{self, Write};

use super::Policy;

impl Policy {
    /// A short text that identifies the policy. A report contains it, so that a later run can reuse
    /// verdicts without reading the files again.
    ///
    /// Two policies with the same fingerprint give the same verdict on the same bytes in the same
    /// context. The fingerprint covers severities, limits, rules, exceptions, their
    /// [locations](super::PolicyLocation) and the version of Sectile. Locations count because a
    /// report names the rule that a finding breaks. The fingerprint is the same on every machine.
    /// Equivalent policies may have different fingerprints. It is not a cryptographic hash.
    ///
    /// If exceptions [expire](super::Exception::expiry), a verdict can be reused only if none
    /// expired in the meantime.
    pub fn fingerprint(&self) -> String {
        let mut hash = Fnv(Fnv::BASIS);
        // A policy holds lists, sorted sets and values: `Debug` prints its parts in the same order
        // every time.
        let written = write!(hash, "{} {self:?}", env!("CARGO_PKG_VERSION"));
        debug_assert!(written.is_ok(), "`Debug` of a policy never fails");
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

    /// Test vectors of the authors of FNV.
    #[test]
    fn fnv1a_test_vectors() {
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
