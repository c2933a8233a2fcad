//! Defaults for options, from `SECTILE_…` variables and from the user's configuration file.
//!
//! Command-line options override variables, and variables override the file. Directories that are
//! read or audited never provide settings, because their content may be hostile.

mod config;
mod keys;

use std::path::PathBuf;

use anstream::ColorChoice;
use sectile::Severity;

use self::keys::KEYS;
pub use self::keys::{CONFIGURATION, field_variable, help, variables};
use crate::args::{AuditArgs, AuditFormat, CargoAction, OutputArgs, PolicyArgs, ReportArgs, Subcommand};
use crate::failure::Failure;

/// Defaults for options.
#[derive(Debug, Default)]
pub struct Settings {
    color: Option<ColorChoice>,
    policy: Option<PolicySetting>,
    refuse: Option<Severity>,
    threads: Option<u16>,
    format: Option<AuditFormat>,
    no_progress: Option<bool>,
    hash: Option<bool>,
}

/// A policy file, and the variable or the configuration file that names it.
#[derive(Debug)]
struct PolicySetting {
    path: PathBuf,
    origin: String,
}

impl Settings {
    /// Reads the configuration file, then the variables.
    pub fn load() -> Result<Self, Failure> {
        let mut settings = Self::default();
        config::apply(&mut settings)?;
        settings.apply_variables()?;
        Ok(settings)
    }

    /// Reads the variables, but not the configuration file.
    pub fn from_variables() -> Result<Self, Failure> {
        let mut settings = Self::default();
        settings.apply_variables()?;
        Ok(settings)
    }

    fn apply_variables(&mut self) -> Result<(), Failure> {
        KEYS.iter().try_for_each(|key| key.apply_variable(self)).map_err(Failure::Other)
    }

    /// Sets the options that the command line does not give.
    pub fn fill(&self, subcommand: &mut Subcommand) {
        match subcommand {
            Subcommand::Show(args) => self.fill_report(&mut args.report),
            Subcommand::Sections(args) => self.fill_report(&mut args.report),
            Subcommand::Diff(args) => self.fill_report(&mut args.report),
            Subcommand::Digest(args) => self.fill_report(&mut args.report),
            Subcommand::Explain(args) => self.fill_report(&mut args.report),
            Subcommand::PolicyCheck(args) => self.fill_report(&mut args.report),
            Subcommand::Edit(args) => self.fill_report(&mut args.report),
            Subcommand::OciCheck(args) => self.fill_report(&mut args.report),
            Subcommand::OciLayout(args) => self.fill_report(&mut args.report),
            Subcommand::Check(args) => {
                self.fill_report(&mut args.report);
                self.fill_policy(&mut args.policy);
            }
            Subcommand::Audit(args) => self.fill_audit(args),
            // Rows are judged again only if requested.
            Subcommand::Report(args) => {
                args.color = args.color.or(self.color);
                self.fill_outputs(&mut args.outputs);
            }
            Subcommand::OciPush(args) => args.registry.no_progress |= self.no_progress.unwrap_or_default(),
            Subcommand::OciPull(args) => args.no_progress |= self.no_progress.unwrap_or_default(),
            Subcommand::OciCopy(args) => args.no_progress |= self.no_progress.unwrap_or_default(),
            Subcommand::Wrap(args) => self.fill_policy(&mut args.build.policy),
            Subcommand::Cargo(args) => {
                self.fill_policy(&mut args.build.policy);
                if let CargoAction::Publish(publish) = &mut args.action {
                    publish.push.no_progress |= self.no_progress.unwrap_or_default();
                }
            }
            Subcommand::Get(_)
            | Subcommand::Sbom(_)
            | Subcommand::Recover(_)
            | Subcommand::OciAnnotations(_)
            | Subcommand::OciConfig(_)
            | Subcommand::OciTags(_)
            | Subcommand::OciLogin(_)
            | Subcommand::OciLogout(_)
            | Subcommand::PolicyInit(_)
            | Subcommand::PolicyShow(_)
            | Subcommand::Completions(_)
            | Subcommand::Man(_) => {}
        }
    }

    fn fill_report(&self, report: &mut ReportArgs) {
        report.color = report.color.or(self.color);
    }

    fn fill_policy(&self, args: &mut PolicyArgs) {
        if let (None, Some(policy)) = (&args.file, &self.policy) {
            (args.file, args.origin) = (Some(policy.path.clone()), Some(policy.origin.clone()));
        }
        args.refuse = args.refuse.or(self.refuse);
    }

    fn fill_outputs(&self, outputs: &mut OutputArgs<AuditFormat>) {
        if let Some(format) = self.format {
            outputs.set_default_format(format);
        }
    }

    fn fill_audit(&self, args: &mut AuditArgs) {
        self.fill_policy(&mut args.policy);
        args.color = args.color.or(self.color);
        self.fill_outputs(&mut args.outputs);
        args.threads = args.threads.or(self.threads);
        args.hash |= self.hash.unwrap_or_default();
        args.no_progress |= self.no_progress.unwrap_or_default();
    }
}
