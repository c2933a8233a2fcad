//! The earlier reports whose rows an audit reuses, or that its rows are compared with.

use std::error::Error;
use std::path::{Path, PathBuf};

use sectile::Input;
use sectile_audit::{Audit, Baseline, BaselineError};

use super::report;
use crate::args::{AuditArgs, AuditFormat, BaselineArg, FailOn, FormatOutput, OutputPlace};
use crate::display::escaped;
use crate::failure::Failure;
use sectile_policy::diff::ReportIndex;

/// Opens the earlier report, if one is requested, and adds it to an audit.
pub fn open_baseline(args: &AuditArgs, outputs: &[FormatOutput<AuditFormat>], audit: Audit) -> Result<Audit, Failure> {
    let Some(path) = baseline_path(args, outputs)? else { return Ok(audit) };
    let baseline = if args.trust_report { Baseline::open_trusted(&path) } else { Baseline::open(&path) };
    let baseline = baseline.map_err(|error| unusable(&path, &error))?;
    audit.with_baseline(baseline).map_err(|error| unusable(&path, &error))
}

/// Opens the earlier report that rows are compared with, if one is requested.
pub fn open_comparison(args: &AuditArgs, audit: Audit) -> Result<Audit, Failure> {
    let Some(path) = &args.compared else {
        return match args.fail_on {
            FailOn::Refused => Ok(audit),
            FailOn::New => {
                Err(Failure::Other("--fail-on new needs an earlier report: add --baseline REPORT".to_owned()))
            }
        };
    };
    let failure = |error: Failure| Failure::Other(format!("{}: {error}", escaped(path.as_os_str())));
    let earlier = Input::open(path).map_err(Failure::from).and_then(report::lines);
    let earlier = earlier.and_then(|input| Ok(ReportIndex::new(input)?));
    Ok(audit.with_comparison(earlier.map_err(failure)?))
}

fn baseline_path(args: &AuditArgs, outputs: &[FormatOutput<AuditFormat>]) -> Result<Option<PathBuf>, Failure> {
    match &args.baseline {
        None => Ok(None),
        Some(BaselineArg::Since(path)) => Ok(Some(path.clone())),
        Some(BaselineArg::Resume) => {
            let rows = outputs.iter().find_map(|output| match &output.place {
                OutputPlace::File(file) if output.format.saves_rows() => Some(PathBuf::from(file)),
                _ => None,
            });
            let rows = rows.ok_or_else(|| {
                Failure::Other(
                    "--resume needs the file of the earlier rows: add `-o jsonl=FILE` or `-o parquet=FILE`".to_owned(),
                )
            })?;
            // The file is missing if the audit was interrupted before its first write.
            Ok(Some(rows).filter(|rows| rows.exists()))
        }
    }
}

fn unusable(path: &Path, error: &BaselineError) -> Failure {
    let reason = match error.source() {
        Some(source) => format!("{error}: {source}"),
        None if matches!(error, BaselineError::Untrusted(_)) => format!("{error}; use --trust-report to accept it"),
        None => format!("{error}; audit without it"),
    };
    Failure::Other(format!("{}: {reason}", escaped(path.as_os_str())))
}
