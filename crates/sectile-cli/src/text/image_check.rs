//! The consumers of an image.

use std::io::{self, Write};

use sectile::Escaped;
use sectile_oci::CheckReport;
use sectile_oci::consumer::RuleFinding;

use super::layout::Layout;
use super::style::{BOLD, DIMMED};

/// Writes the shape of an image, and for each consumer whether it would load the image.
pub fn write_image_check(report: &CheckReport<'_>, columns: Layout, out: &mut impl Write) -> io::Result<()> {
    let shape = report.check().shape().map_or("an index of several images", |shape| shape.title);
    writeln!(out, "{}", columns.heading(report.image(), shape))?;
    for verdict in report.check().verdicts() {
        let answer = match verdict.loads() {
            Some(true) => "loads it",
            Some(false) => "does not load it",
            None => "not known",
        };
        columns.labeled(out, verdict.consumer().name(), format_args!("{BOLD}{answer}{BOLD:#}"))?;
        let broken = verdict.broken().iter().map(|finding| (finding, "Found"));
        let unchecked = verdict.unchecked().iter().map(|finding| (finding, "Not checked because of"));
        for (finding, found) in broken.chain(unchecked) {
            write_finding(finding, found, columns, out)?;
        }
    }
    Ok(())
}

fn write_finding(finding: &RuleFinding, found: &str, columns: Layout, out: &mut impl Write) -> io::Result<()> {
    const INDENT: usize = 6;
    let rule = finding.rule();
    let text = format!("{}: {} {found}: {}.", rule.name, rule.text, Escaped::new(finding.found()));
    columns.hanging(out, "    ", INDENT, &text.replace('`', ""))?;
    columns.hanging(out, "      ", INDENT + 2, &format!("{DIMMED}{}{DIMMED:#}", rule.source.replace(['`', '*'], "")))
}
