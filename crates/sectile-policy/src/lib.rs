//! Reports on WebAssembly binaries, and policies that judge them.
//!
//! A [`Policy`] sets the severity of each kind of finding, the severity from which a file is
//! refused, and a list of [`Rule`]s. [`Policy::judge`] turns a [`Report`](crate::report::Report)
//! into a [`Verdict`]. A broken rule is a finding like any other, with a code of the same table.
//!
//! Some rules need more than metadata. A [`PolicyReader`] reads everything that a policy needs in
//! one pass; [`read`], [`read_slice`], [`read_at`], [`read_fetch`] and [`read_input`] drive it. A
//! rule whose data was not read is broken (`not-judged`), never skipped.
//!
//! With [`Policy::with_advisories`], a policy also judges the packages of a binary by known advisories.
//! An [`AdvisoryRule`] decides which of them refuse the binary. Without the feature `advisories`,
//! which is on by default, such a rule is broken: `not-judged`.
//!
//! A policy may contain [`Exception`]s for files at certain paths or with certain digests. A report
//! does not hold this context: pass it to [`Policy::judge_with_context`] as a [`JudgeContext`].
//!
//! Build a policy in code, or load it from a TOML file with [`Policy::read`]. The [`gate`] module
//! judges uploads while they arrive.
//!
//! ```
//! use sectile::{FindingCode, Field};
//! use sectile_policy::report::Report;
//! use sectile_policy::{Items, Licenses, Policy, Required, Rule};
//!
//! let policy = Policy::default()
//!     .with_rule(Rule::new(Required::new(Items::root(), [Field::Version.into()])))
//!     .with_rule(Rule::new(Licenses::new(Items::all()).allow("MIT")?));
//!
//! let module = b"\0asm\x01\0\0\0\x00\x1c\x08licensesMIT OR GPL-3.0-only";
//! let outcome = sectile_policy::read_slice(module, &policy);
//! let report = Report::for_policy("a.wasm".as_ref(), None, &outcome);
//! let verdict = policy.judge(&report);
//! assert!(!verdict.is_accepted()); // the license is permitted, but the version is missing
//! let codes: Vec<FindingCode> = verdict.findings().iter().map(|judged| judged.finding().code()).collect();
//! assert_eq!(codes, [FindingCode::MissingField]);
//! # Ok::<(), sectile_policy::RuleError>(())
//! ```

mod advisories;
mod context;
mod day;
mod dependencies;
pub mod diff;
mod exception_use;
mod exceptions;
mod file;
mod fingerprint;
pub mod gate;
mod grouped;
mod imports;
mod items;
mod judge;
mod licenses;
mod location;
mod names;
mod packages;
mod policy;
mod producers;
mod reader;
mod reading;
pub mod report;
mod required;
mod rule;
mod rule_error;
mod section_matches;
mod sections;
mod sources;
mod suggestion;
mod terms;
mod urls;
mod verdict;
mod versions;
mod vex;
mod violations;
mod warnings;

pub use self::advisories::AdvisoryRule;
pub use self::context::JudgeContext;
pub use self::day::Day;
pub use self::dependencies::Dependencies;
pub use self::exception_use::ExceptionUse;
pub use self::exceptions::Exception;
pub use self::file::{PolicyError, PolicyKey, PolicySettings, PolicyTable, PolicyValueType};
pub use self::imports::Imports;
pub use self::items::{ItemGroup, Items};
pub use self::licenses::Licenses;
pub use self::location::PolicyLocation;
pub use self::packages::Packages;
pub use self::policy::Policy;
pub use self::producers::Producers;
pub use self::reader::{PolicyReader, read, read_at, read_fetch, read_input, read_slice};
pub use self::reading::Reading;
pub use self::required::{Required, RequiredValue};
pub use self::rule::{Demand, Rule};
pub use self::rule_error::RuleError;
pub use self::section_matches::SectionMatches;
pub use self::sections::{Sections, section_kinds};
pub use self::sources::Sources;
pub use self::verdict::{JudgedFinding, Verdict};
pub use self::versions::Versions;
pub use self::warnings::PolicyWarning;

/// Shared with the audit. Not a public interface: it changes without notice.
#[doc(hidden)]
pub mod internal {
    pub use crate::advisories::LocatedAdvisory;
    pub use crate::diff::facts::holds_items;
    pub use crate::grouped::Grouped;
    pub use crate::report::json::{
        NameValue, listed_packages, reason as left_out_reason, write_advisories, write_databases, write_head,
        write_item, write_judged, write_location, write_match, write_packages,
    };
    pub use crate::suggestion::{finding_code, hint};
    pub use crate::verdict::{reused, reused_exception, with_advisory};

    use std::ffi::OsStr;
    use std::sync::Arc;

    use crate::report::Report;
    use crate::{JudgedFinding, Policy, Reading, SectionMatches};
    use sectile::interface::Interface;
    use sectile::inventory::Inventory;
    use sectile::metadata::Metadata;
    use sectile::scan::Section;
    use sectile::{Cost, Error, FindingCode};

    /// Rebuilds the reading of an earlier report. Sections are in input order; `None` if they
    /// are not known.
    pub fn rebuilt_reading(
        policy: &Policy,
        metadata: Metadata<'static>,
        sections: Option<&[Section<'_>]>,
        interface: Option<Interface>,
        inventory: Option<Inventory>,
    ) -> Reading<'static> {
        let section_matches = sections.and_then(|sections| SectionMatches::of_saved(policy, &metadata, sections));
        Reading { metadata, interface, inventory, section_matches }
    }

    /// A report of data that was rebuilt, with the error that ended its reading.
    pub fn rebuilt_report<'a>(
        file: &'a OsStr,
        size: Option<u64>,
        reading: &'a Reading<'a>,
        error: Option<&'a Error>,
    ) -> Report<'a> {
        Report::from_reading(file, size, Some(reading), error, Cost::default())
    }

    /// Adds the advisories of an earlier report, `None` if its packages were not judged. A policy
    /// without advisories of its own judges these.
    pub fn with_saved_advisories<'a>(report: Report<'a>, saved: Option<&'a [LocatedAdvisory]>) -> Report<'a> {
        Report { saved_advisories: saved, ..report }
    }

    /// The advisories that an earlier report found.
    pub fn saved_advisories(findings: &[JudgedFinding<'_>]) -> Vec<LocatedAdvisory> {
        let saved = |judged: &JudgedFinding<'_>| {
            Some(LocatedAdvisory::from_finding(judged.finding(), Arc::clone(judged.advisory.as_ref()?)))
        };
        findings.iter().filter_map(saved).collect()
    }

    /// Whether findings of this code come only from policies.
    pub fn is_made_by_policies(code: FindingCode) -> bool {
        use FindingCode as C;
        matches!(
            code,
            C::MissingField
                | C::RefusedLicense
                | C::RefusedSection
                | C::RefusedImport
                | C::RefusedSource
                | C::RefusedProducer
                | C::RefusedDependency
                | C::Advisory
                | C::RefusedAdvisory
                | C::ExpiredException
                | C::NotJudged
        )
    }
}
