//! Amounts, as people read them.

use std::fmt;

/// A number of bytes: rounded, and exact.
///
/// ```
/// use sectile::amount::Bytes;
///
/// assert_eq!(Bytes(1_536).to_string(), "1.5 KiB (1,536 bytes)");
/// assert_eq!(Bytes(1_536).short(), "1.5 KiB");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bytes(pub u64);

impl Bytes {
    /// Rounded alone.
    pub fn short(self) -> String {
        const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
        let mut amount = self.0 as f64;
        let mut unit = None;
        for next in UNITS {
            if amount < 1024.0 {
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

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 1024 {
            write!(f, "{} bytes", self.0)
        } else {
            write!(f, "{} ({} bytes)", self.short(), Grouped(self.0))
        }
    }
}

/// A number with its digits in groups of three: `1,234,567`. It is padded as a number is, where a width is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grouped(pub u64);

impl fmt::Display for Grouped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        let mut grouped = String::with_capacity(digits.len() * 4 / 3);
        for (nth, digit) in digits.chars().enumerate() {
            if nth > 0 && (digits.len() - nth).is_multiple_of(3) {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        match f.width() {
            Some(width) => write!(f, "{grouped:>width$}"),
            None => f.write_str(&grouped),
        }
    }
}

/// A part of a whole: `12.5 %`; less than a tenth of a percent, if it is something, is `< 0.1 %`.
pub fn share(part: u64, of: u64) -> String {
    let percent = if of == 0 { 0.0 } else { part as f64 / of as f64 * 100.0 };
    if part > 0 && percent < 0.05 { "< 0.1 %".to_owned() } else { format!("{percent:.1} %") }
}
