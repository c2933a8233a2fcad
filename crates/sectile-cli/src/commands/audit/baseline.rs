//! The earlier report that an audit reuses rows of.

use std::error::Error;
use std::path::{Path, PathBuf};

use sectile_audit::{Audit, Baseline, BaselineError, Format};

use crate::args::{AuditArgs, AuditFormat, BaselineArg};
use crate::display::escaped;
use crate::failure::Failure;

/// Opens the earlier report, if one is requested, and adds it to an audit.
pub fn open_baseline(args: &AuditArgs, audit: Audit) -> Result<Audit, Failure> {
    let Some(path) = baseline_path(args)? else { return Ok(audit) };
    let baseline = if args.trust_report { Baseline::open_trusted(&path) } else { Baseline::open(&path) };
    let baseline = baseline.map_err(|error| unusable(&path, &error))?;
    audit.with_baseline(baseline).map_err(|error| unusable(&path, &error))
}

fn baseline_path(args: &AuditArgs) -> Result<Option<PathBuf>, Failure> {
    match (&args.baseline, args.format, &args.output) {
        (None, _, _) => Ok(None),
        (Some(BaselineArg::Since(path)), _, _) => Ok(Some(path.clone())),
        (Some(BaselineArg::Resume), AuditFormat::Rows(Format::Jsonl), Some(output)) => {
            // The output is missing if the audit was cut off before its first write.
            Ok(Some(PathBuf::from(output)).filter(|output| output.exists()))
        }
        (Some(BaselineArg::Resume), _, _) => Err(Failure::Other(
            "--resume goes on with an answer in a file, in the format jsonl (--format jsonl)".to_owned(),
        )),
    }
}

fn unusable(path: &Path, error: &BaselineError) -> Failure {
    let reason = match error.source() {
        Some(source) => format!("{error}: {source}"),
        None if matches!(error, BaselineError::Untrusted(_)) => format!("{error} (--trust-report believes it)"),
        None => format!("{error}: audit without it"),
    };
    Failure::Other(format!("{}: {reason}", escaped(path.as_os_str())))
}
