//! Amounts formatted for people.

use std::fmt;

pub use sectile_policy::internal::Grouped;

/// A number of bytes, rounded and exact.
///
/// ```
/// use sectile_audit::amount::ByteSize;
///
/// assert_eq!(ByteSize(1_536).to_string(), "1.5 KiB (1,536 bytes)");
/// assert_eq!(ByteSize(1_536).short(), "1.5 KiB");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteSize(pub u64);

impl ByteSize {
    /// The rounded size alone.
    pub fn short(self) -> String {
        const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
        let mut amount = self.0 as f64;
        let mut unit = None;
        for next in UNITS {
            // A value that would round to 1024.0 gets the next unit.
            if amount < if unit.is_some() { 1023.95 } else { 1024.0 } {
                break;
            }
            amount /= 1024.0;
            unit = Some(next);
        }
        match unit {
            None => format!("{} B", self.0),
            Some(unit) => format!("{amount:.1} {unit}"),
        }
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            1 => f.write_str("1 byte"),
            bytes @ ..1024 => write!(f, "{bytes} bytes"),
            bytes => write!(f, "{} ({} bytes)", self.short(), Grouped(bytes)),
        }
    }
}

/// Formats a part of a whole: `12.5 %`, or `< 0.1 %` for a small part that is not zero.
pub fn percent(part: u64, of: u64) -> String {
    let value = if of == 0 { 0.0 } else { part as f64 / of as f64 * 100.0 };
    if part > 0 && value < 0.05 { "< 0.1 %".to_owned() } else { format!("{value:.1} %") }
}

/// Formats a number with its noun: `1 binary`, `2,000 binaries`.
pub fn counted(number: u64, one: &str, several: &str) -> String {
    format!("{} {}", Grouped(number), if number == 1 { one } else { several })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_around_each_unit() {
        for (bytes, short) in [
            (0, "0 B"),
            (1, "1 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1_048_524, "1023.9 KiB"), // 1023.949
            (1_048_525, "1.0 MiB"),    // 1023.950, which is rounded
            ((1 << 20) - 1, "1.0 MiB"),
            (1 << 20, "1.0 MiB"),
            ((1 << 30) - 1, "1.0 GiB"),
            (u64::MAX, "16.0 EiB"),
        ] {
            assert_eq!(ByteSize(bytes).short(), short, "{bytes}");
        }
        let shown = [0, 1, 2, 1023, 1024].map(|bytes| ByteSize(bytes).to_string());
        assert_eq!(shown, ["0 bytes", "1 byte", "2 bytes", "1023 bytes", "1.0 KiB (1,024 bytes)"]);
    }

    #[test]
    fn digits_are_grouped() {
        for (number, grouped) in [(0, "0"), (999, "999"), (1_000, "1,000"), (u64::MAX, "18,446,744,073,709,551,615")] {
            assert_eq!(Grouped(number).to_string(), grouped);
        }
        assert_eq!(format!("{:>7}", Grouped(1_000)), "  1,000");
    }

    #[test]
    fn small_parts_are_not_zero() {
        assert_eq!(
            [(0, 0), (0, 9), (1, 8), (1, 10_000), (9, 9)].map(|(part, of)| percent(part, of)),
            ["0.0 %", "0.0 %", "12.5 %", "< 0.1 %", "100.0 %"]
        );
    }
}
