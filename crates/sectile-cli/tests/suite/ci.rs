//! Offers of `docs/ci.md` to other projects: the action, the hooks, and the examples.
//!
//! The scripts run as the services run them, with the built command.

mod action;
mod examples;
mod hooks;
mod scripts;
pub mod yaml;
