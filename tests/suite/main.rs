//! The tests that see the crate from outside, in one binary: it links once.
#![allow(clippy::unwrap_used, clippy::pedantic)]

mod allocation;
#[cfg(feature = "audit")]
mod audit;
#[cfg(feature = "cli")]
mod cli;
#[cfg(feature = "digest")]
mod digest;
mod docs;
mod edit;
mod framing;
mod fuzz_bodies;
#[cfg(feature = "gate")]
mod gate;
#[cfg(feature = "git")]
mod git;
mod hostile;
#[cfg(feature = "interface")]
mod interface;
mod limits;
#[cfg(feature = "manifest")]
mod manifest;
mod metadata;
mod names;
#[cfg(feature = "oci")]
mod oci;
#[cfg(feature = "push")]
mod oci_push;
mod passing;
mod peers;
#[cfg(feature = "policy")]
mod policy;
mod public_suites;
mod push;
mod ranges;
#[cfg(feature = "remote")]
mod remote;
#[cfg(feature = "sbom")]
mod sbom;
mod splice;
mod support;
mod threads;
mod values;
