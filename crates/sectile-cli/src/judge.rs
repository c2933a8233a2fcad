//! The policy that `check` and `audit` judge by.

use sectile::splice::WriteError;
use sectile_audit::ReportFile;
use sectile_policy::{Day, Packages, Policy};

use crate::args::PolicyArgs;
use crate::display::escaped;
use crate::failure::Failure;
use crate::output::Output;
use crate::{policy_file, timestamp};

/// A policy, and today's date if the policy has exceptions that expire.
pub struct Judge {
    pub policy: Policy,
    pub today: Option<Day>,
}

impl Judge {
    /// Loads the policy. Options override its file.
    pub fn new(args: &PolicyArgs) -> Result<Self, Failure> {
        let mut policy = match &args.file {
            Some(path) => policy_file::read(path)?,
            None => Policy::default(),
        };
        if let Some(severity) = args.refuse {
            policy.refuse = severity;
        }
        let expires = policy.exceptions().any(|exception| exception.expiry().is_some());
        let today = if expires { timestamp::today()? } else { None };
        Ok(Self { policy, today })
    }

    /// Sets which packages are read.
    pub fn with_packages(mut self, packages: Packages) -> Self {
        self.policy.packages = packages;
        self
    }
}

impl PolicyArgs {
    /// Rejects an output that is the policy file.
    pub fn check_not_output(&self, report: &ReportFile) -> Result<(), WriteError> {
        match &self.file {
            Some(file) if !policy_file::is_stdin(file) => report.check_input(file),
            _ => Ok(()),
        }
    }

    /// Prints the policy, if the command line does not name it.
    pub fn print_policy(&self, output: &mut Output) {
        let Some(file) = self.file.as_ref().map(|file| escaped(file.as_os_str())) else { return };
        match &self.origin {
            Some(origin) => output.print_note(None, &format_args!("judging by the policy {file} (from {origin})")),
            None => output.print_detail(None, &format_args!("judging by the policy {file}")),
        }
    }
}
