//! Judges a saved row by another policy.

use std::ffi::OsStr;
use std::io;

use serde_json::value::RawValue;

use crate::baseline::line::{OrderedMembers, RowLine};
use crate::baseline::reading_line::SavedReading;
use crate::{Completeness, Row, RowKind};
use sectile::internal::json::{put, write_array};
use sectile::metadata::{Field, Item, Metadata};
use sectile::scan::ItemPath;
use sectile::{Error, Finding, FindingCode, internal};
use sectile_policy::internal::{
    is_made_by_policies, rebuilt_report, saved_advisories, with_saved_advisories, write_advisories, write_judged,
};
use sectile_policy::report::Report;
use sectile_policy::{Day, ExceptionUse, JudgeContext, JudgedFinding, Packages, Policy};

pub(super) struct RowJudge<'a> {
    pub(super) policy: &'a Policy,
    pub(super) today: Option<Day>,
    /// Whether the packages in the rows were judged by databases of advisories.
    pub(super) has_advisories: bool,
    /// The packages that were read for the rows.
    pub(super) packages: Packages,
    /// The exceptions that verdicts name.
    pub(super) exceptions: ExceptionUse<'a>,
}

impl RowJudge<'_> {
    /// Rebuilds the reading that a row was made from.
    pub(super) fn read(&self, line: &RowLine<'_>) -> SavedReading {
        line.reading(self.policy, self.packages)
    }

    /// Replaces the findings of a row, and its verdict.
    pub(super) fn judge(&self, row: &mut Row<'_>, saved: &SavedReading) {
        let earlier = std::mem::take(&mut row.findings);
        let advisories = self.has_advisories.then(|| saved_advisories(&earlier));
        let mut findings: Vec<Finding> = (earlier.into_iter())
            .map(|judged| judged.finding().clone())
            .filter(|finding| !is_made_by_policies(finding.code()))
            .collect();
        let reading = saved.reading.as_ref().filter(|_| row.row_kind == RowKind::Binary);
        if self.policy.rules().next().is_some() || self.policy.advisories().is_some() || self.has_advisories {
            findings.extend(
                self.missing(saved, row)
                    .into_iter()
                    .map(|cause| internal::finding(FindingCode::NotJudged, ItemPath::root(), 0, None, cause)),
            );
        }
        let is_read = matches!(row.completeness, Completeness::Complete | Completeness::Skipped);
        let file = row.file.clone();
        let error = (!is_read).then(|| Error::from(io::Error::other("not read to the end")));
        let report = match reading {
            Some(reading) => rebuilt_report(&file, row.size, reading, error.as_ref()),
            None => Report::unread(&file),
        };
        let report = with_saved_advisories(report.with_context_findings(&findings), advisories.as_deref());
        let verdict = {
            let locations: Vec<&OsStr> = row.locations().filter(|_| !row.omits_names).collect();
            let context = JudgeContext::new().with_locations(&locations).with_day(self.today);
            let context = match row.digest.as_deref() {
                Some(digest) if row.verified => context.with_verified_digest(digest),
                Some(digest) => context.with_digest(digest),
                None => context,
            };
            self.policy.judge_with_context(&report, &context)
        };
        let accepted = is_read && verdict.is_accepted();
        let judged = verdict.into_findings().into_iter().map(JudgedFinding::into_owned).collect();
        row.findings = judged;
        self.exceptions.add(&row.findings);
        row.accepted = accepted;
    }

    /// The parts that a rule may need, and that the row lacks.
    fn missing(&self, saved: &SavedReading, row: &Row<'_>) -> Vec<String> {
        let mut missing = Vec::new();
        if saved.items_left_out > 0 {
            missing.push(format!("{} items are not in the saved row", saved.items_left_out));
        }
        let needs_packages = self.policy.advisories().is_some() || self.policy.packages == Packages::All;
        if saved.packages_left_out > 0 && needs_packages {
            missing.push(format!("{} packages are not in the saved row", saved.packages_left_out));
        }
        if !saved.has_packages && needs_packages {
            missing.push("the packages in the saved row are not known to this version".to_owned());
        }
        if let Some(reading) = saved.reading.as_ref().filter(|_| !saved.has_sections) {
            let incomplete = incomplete_sections(row, reading.metadata()).into_iter();
            missing
                .extend(incomplete.map(|name| format!("sections `{name}` have values that are not in the saved row")));
        }
        missing
    }
}

/// The names of the sections whose values a row without a list of sections has only in part. It has the first and the
/// last of several sections in an item.
fn incomplete_sections(row: &Row<'_>, metadata: &Metadata<'_>) -> Vec<&'static str> {
    let sections =
        |name: &str| row.section_totals.iter().find(|total| total.kind == name).map_or(0, |total| total.sections);
    let items = |has: &dyn Fn(Item<'_>) -> bool| metadata.items().filter(|item| has(*item)).count() as u64;
    let fields = Field::ALL.into_iter().map(|field| (field.section(), items(&|item| item.annotation(field).is_some())));
    let dependencies = (".dep-v0", items(&|item| item.dependencies().is_some()));
    let known = fields.chain([dependencies]).filter(|(name, values)| sections(name) > *values);
    known.map(|(name, _)| name).collect()
}

/// The JSON of a row, with its present findings and verdict.
pub(super) fn with_verdict(text: &str, row: &Row<'_>) -> Option<String> {
    let members: OrderedMembers<'_, &RawValue> = serde_json::from_str(text).ok()?;
    let mut out = Vec::with_capacity(text.len());
    let write = |out: &mut Vec<u8>| -> std::io::Result<()> {
        // Advisories are written after the findings.
        let others = members.0.iter().filter(|(key, _)| key != "advisories" && key != "baseline");
        for (nth, (key, value)) in others.enumerate() {
            put!(out, if nth == 0 { "{\"" } else { ",\"" }, &**key, "\":")?;
            match &**key {
                "findings" => {
                    write_array(out, &row.findings, write_judged)?;
                    write_advisories(out, &row.findings)?;
                }
                "accepted" => put!(out, row.accepted)?,
                _ => put!(out, value.get())?,
            }
        }
        put!(out, "}")
    };
    write(&mut out).ok()?;
    String::from_utf8(out).ok()
}
