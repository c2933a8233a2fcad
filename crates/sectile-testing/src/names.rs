//! Values that have a name.

use std::fmt::Display;

/// Asserts that a value is displayed as its name, and padded like text.
#[track_caller]
pub fn is_displayed_as(named: impl Display, name: &str) {
    assert_eq!(named.to_string(), name);
    assert_eq!(format!("{named:>40}|"), format!("{name:>40}|"));
}
