//! Styles, labels and counts that every text view uses.

use anstyle::{AnsiColor, Style};
use sectile::Severity;
use sectile_audit::amount::Grouped;

pub const BOLD: Style = Style::new().bold();
pub const DIMMED: Style = Style::new().dimmed();

/// The color of bars without a severity.
pub const BAR: Style = AnsiColor::Cyan.on_default();

/// The color of a severity.
pub fn severity_style(severity: Severity) -> Style {
    let color = match severity {
        Severity::Error => AnsiColor::Red,
        Severity::Warning => AnsiColor::Yellow,
        Severity::Note => AnsiColor::Blue,
    };
    color.on_default().bold()
}

/// A number and a noun with a regular plural.
pub fn counted(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", Grouped(number), if number == 1 { "" } else { "s" })
}
