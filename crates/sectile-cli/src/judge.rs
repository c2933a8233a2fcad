//! The policy that `check` and `audit` judge by.

use sectile::splice::WriteError;
use sectile_audit::{ReportFile, Root};
use sectile_policy::{Day, Packages, Policy};

use crate::advisories::{self, add_vex};
use crate::args::PolicyArgs;
use crate::display::escaped;
use crate::exit::Exit;
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
        let policy = add_vex(policy, &args.vex)?;
        let policy = match advisories::read(&args.advisories)? {
            Some(advisories) => policy.with_advisories(advisories),
            None => policy,
        };
        let expires = policy.exceptions().any(|exception| exception.expiry().is_some());
        let today = if expires { timestamp::today()? } else { None };
        Ok(Self { policy, today })
    }

    /// Sets which packages are read, if an option tells. It overrides the policy.
    pub fn with_packages(mut self, packages: Option<Packages>) -> Self {
        self.policy.packages = packages.unwrap_or(self.policy.packages);
        self
    }

    /// Names the databases of advisories, and prints their problems.
    pub fn print_advisories(&self, output: &mut Output) -> Exit {
        advisories::announce(self.policy.advisories(), output)
    }
}

impl PolicyArgs {
    /// Rejects an output that is the policy file, a database of advisories or a VEX document.
    pub fn check_not_output(&self, report: &ReportFile) -> Result<(), WriteError> {
        let roots: Vec<Root> = self.advisories.iter().map(|path| Root::from(path.as_os_str())).collect();
        report.check_roots(&roots)?;
        let file = self.file.iter().filter(|file| !policy_file::is_stdin(file));
        file.chain(&self.vex).try_for_each(|file| report.check_input(file))
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
