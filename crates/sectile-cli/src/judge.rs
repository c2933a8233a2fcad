//! The policy that `check` and `audit` judge by.

use sectile_policy::{Day, Policy};

use crate::args::PolicyArgs;
use crate::failure::Failure;
use crate::timestamp;

/// A policy, and today's date if the policy has exceptions that expire.
pub struct Judge {
    pub policy: Policy,
    pub today: Option<Day>,
}

impl Judge {
    /// Loads the policy. Options override its file.
    pub fn new(args: &PolicyArgs) -> Result<Self, Failure> {
        let mut policy = match &args.file {
            Some(path) => Policy::read(path)?,
            None => Policy::default(),
        };
        if let Some(severity) = args.refuse {
            policy.refuse = severity;
        }
        let expires = policy.exceptions().any(|exception| exception.expiry().is_some());
        let today = if expires { timestamp::today()? } else { None };
        Ok(Self { policy, today })
    }
}
