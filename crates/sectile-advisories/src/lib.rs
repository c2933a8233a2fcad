//! Known defects of packages, matched without a network.
//!
//! [`Advisories`] reads databases from disk and finds the advisories that affect a version of a
//! package.
//!
//! | database | form | ecosystems |
//! | --- | --- | --- |
//! | `RustSec` | a directory with `crates/NAME/ID.md`, TOML in Markdown | crates.io |
//! | OSV, schema 1.7 | a directory of JSON files, or a ZIP archive (feature `zip`) | crates.io, Go, npm |
//!
//! - A version is compared by the rules of its ecosystem, pre-releases included. An advisory that
//!   names the package of a version that cannot be compared is reported as [unjudged](Matches).
//! - Withdrawn advisories are counted, and never match.
//! - An advisory that does not parse is a [`Problem`]. Report it: the database is then incomplete.
//! - A database that is missing, truncated, or has no advisories is an error.
//!
//! ```no_run
//! use sectile_advisories::{Advisories, Ecosystem, PackageId};
//!
//! let mut advisories = Advisories::default();
//! advisories.read("advisory-db")?;
//! let package = PackageId::new(Ecosystem::CratesIo, "smallvec", "0.6.9");
//! for affected in advisories.matches(package).affected {
//!     println!("{}: {}", affected.advisory().id, affected.advisory().title);
//! }
//! # Ok::<(), sectile_advisories::DatabaseError>(())
//! ```
//!
//! Sources: the README of `RustSec`'s advisory-db, the OSV schema, and the `OpenVEX` 0.2
//! specification.

mod advisory;
mod database;
mod ecosystem;
mod error;
mod files;
mod matched;
mod osv;
mod ranges;
mod rating;
mod rustsec;
mod targets;
mod vex;

pub use self::advisory::{Advisory, AdvisoryClass, Affected, AffectedScope, is_web_address};
pub use self::database::{Advisories, Database, DatabaseFormat, Matches, PackageId, Problem};
pub use self::ecosystem::Ecosystem;
pub use self::error::DatabaseError;
pub use self::matched::{AdvisoryMatch, PackageOrigin};
pub use self::rating::{Rating, Score};
pub use self::vex::{VexDocument, VexError, VexPackage, VexProduct, VexStatement};
