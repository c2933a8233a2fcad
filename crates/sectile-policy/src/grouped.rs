//! Numbers for people.

use std::fmt;

/// A number with its digits in groups of three: `1,234,567`. A width pads it on the left.
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
