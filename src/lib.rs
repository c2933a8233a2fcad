//! Sectile reads and edits the metadata of WebAssembly modules and components: who made them, under which licence, from
//! which source and dependencies, with which tools. It does so without touching the rest: a scanner hops from section
//! header to section header, only what is metadata is decoded, wherever in the tree it stands, and only what an edit
//! changes is written anew.
//!
//! A few words: an *item* is a module or a component, the file itself (the *root*) or one nested in a component; its *path*
//! says where, by the indexes of children (`3/0`); the *framing* is what holds sections together (preambles, headers, sizes,
//! nesting), as opposed to what is in them; a *finding* is something wrong or notable, with a stable [`Code`].
//!
//! ```
//! use sectile::{Limits, metadata::Field};
//!
//! # let bytes = b"\0asm\x01\0\0\0\x00\x0c\x08licensesMIT";
//! let outcome = sectile::read_slice(bytes, Limits::default())?;
//! for item in outcome.value.items() {
//!     if let Some(licenses) = item.annotation(Field::Licenses) {
//!         println!("{} {}: {:?}", item.kind(), outcome.value.path(item), licenses.as_str());
//!     }
//! }
//! for finding in outcome.value.findings() {
//!     println!("{}: {}", finding.code, sectile::Escaped::new(&finding.message));
//! }
//! let metadata = outcome.complete()?; // a file that breaks off is no success
//! # assert_eq!(metadata.items().len(), 1);
//! # Ok::<(), sectile::Error>(())
//! ```
//!
//! # What to reach for
//!
//! | you hold | call |
//! | --- | --- |
//! | bytes in memory, or a mapped file ([`drive::Map`]) | [`read_slice`]: nothing is copied |
//! | the path of a file | [`Input::open`], then [`Input::read`] |
//! | anything with positioned reads | [`read_at`] |
//! | anything that gives ranges when it is asked, far away | [`read_fetch`], over a [`drive::Fetch`] |
//! | chunks that arrive | [`drive::Push`] with a [`metadata::Reader::copying`] |
//! | the URL of an object in a bucket | `remote::Object`, which is such a source (feature `remote`) |
//! | chunks on their way to somebody else | a [`drive::Tee`]: a reader, a writer, a stream, the body of a request |
//! | an upload to let in or not | `gate::Gate` (feature `gate`) |
//! | a change to make while it passes | an [`edit::PassingEdit`] |
//! | a store full of files | `audit::Audit` (feature `audit`) |
//! | a question about imports and exports | `interface::read_slice`, `Input::interface` (feature `interface`) |
//! | a question whether two binaries differ in more than metadata | `Input::digests` (feature `digest`) |
//! | a question what it was built from | [`metadata::Item::dependencies`]; as an SBOM, `sbom::Sbom` (feature `sbom`) |
//! | a binary to publish | [`oci::annotations`]; `oci::Image`, `oci::Layout` (feature `oci`); `oci::registry::Client` (feature `push`) |
//! | a file that is to be judged | [`Input::read_for`], then [`Policy::judge`]; [`policy`] |
//! | a change to make | an [`edit::Edit`], which becomes a [`splice::Plan`] |
//! | the manifest that it was built from | `manifest::Manifest::read`, which an edit takes; `git::Revision::of` (features `manifest`, `git`) |
//! | a question that is not about metadata | a [`scan::Visitor`] of your own, on any driver of [`drive`] |
//!
//! # The rooms
//!
//! Data walks one way:
//!
//! - [`scan`] knows the framing, and nothing else: a machine without I/O that is fed windows and hands over sections.
//! - [`drive`] feeds it: from a slice, a memory map, positioned reads, ranged fetches, or pushed chunks.
//! - [`metadata`] gives the sections a meaning: values with their ranges, checked as the table of fields says.
//! - [`Findings`] are what is wrong or notable: reading is lenient, and one bad value costs only itself.
//! - `interface` reads what the root item imports and exports, and `digest` hashes: both on the same drivers.
//! - [`edit`] says what is wanted, and becomes a plan of bytes kept and inserted, which [`splice`] writes; and it says what
//!   changes, and what no longer holds.
//! - `manifest` is where metadata comes from: the manifests of language tools; and `git`, the revision of the work tree.
//! - [`oci`] is where it goes: annotations, and with the feature `oci` the image that registries hold, in a layout on disk.
//! - `sbom` is the dependencies of a tree, for other tools; `remote`, objects that stay where they are.
//! - [`report`] is the one row that says what was found, and a [`Policy`] judges it: all that is refused, whoever asks, is
//!   refused by [`policy`].
//! - `audit` walks stores, and gives every binary in them a row.
//! - `gate` watches uploads as they pass: it reads, judges and hashes them in one pass, and refuses them as early as it can.
//!
//! # What is promised
//!
//! - The framing is that of `wasmparser`: the same inputs are rejected because of it, the same ranges are given.
//! - No input makes it panic, recurse, or allocate what the input only declares. What reading may cost is in [`Limits`].
//! - Every driver gives the same values, findings and errors for the same bytes.
//! - What nobody asked for is not read, and [`drive::Cost`] counts what was.
//! - An edit keeps every other byte, and an edit repeated changes nothing. A file that is replaced is wholly the old or
//!   wholly the new one, for every reader and after every cut.
//! - What an input breaks off with does not cost what stands before: an [`Outcome`] holds both, the value and the break.
//! - Everything is `Send` and `Sync`.
//!
//! `docs/guarantees.md` names the tests that hold this, and says what is not promised. [`Limits`] and options may get new
//! fields in minor releases: they are made with `..Default::default()`.
//!
//! # Features
//!
//! None is on by default, and none changes what another does.
//!
//! - `dependencies`: decodes the `.dep-v0` section of cargo-auditable; without it, the section comes raw.
//! - `interface`: what the root item imports and exports, and what a WIT package defines (`interface`).
//! - `json`: reports as JSON; the JSON in the retired `registry-metadata` section is checked, and can be migrated.
//! - `digest`: SHA-256 of a binary, and of everything in it but custom sections (`digest`).
//! - `oci`: the Wasm OCI artifact, and image layouts ([`oci`], whose annotations need no feature).
//! - `push`: a client of registries, which pushes such artifacts, and reads what a registry holds (`oci::registry`). Brings
//!   HTTP and TLS.
//! - `sbom`: the dependencies of a tree as `CycloneDX` JSON (`sbom`).
//! - `manifest`: metadata out of Cargo.toml, wkg.toml, package.json and pyproject.toml.
//! - `git`: the revision of the work tree that a file lies in. Brings a large tree.
//! - `gate`: uploads are watched as they pass (`gate`).
//! - `audit`: many files, wherever they lie, one row each (`audit`). Brings what walks and what inflates.
//! - `stream`, `http`: streams of bytes, and bodies of HTTP requests and responses, pass through a [`drive::Tee`].
//! - `policy`: policies out of TOML files, and ranges of versions; brings `interface` ([`policy`], whose judging needs no feature).
//! - `remote`: objects in S3, Google Cloud Storage, Azure, and behind web servers, by ranges (`remote`). Brings a large tree.
//! - `cli`: the command `sectile`; `full`: the command that reads what is remote, too.

#![deny(clippy::print_stdout, clippy::print_stderr)] // examples may
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "audit")]
pub mod amount;
mod atomic;
#[cfg(feature = "audit")]
pub mod audit;
#[cfg(feature = "digest")]
pub mod digest;
#[cfg(any(feature = "manifest", feature = "policy"))]
mod document;
pub mod drive;
pub mod edit;
mod error;
mod escape;
mod finding;
#[cfg(feature = "gate")]
pub mod gate;
#[cfg(feature = "git")]
pub mod git;
#[cfg(feature = "interface")]
pub mod interface;
#[cfg(any(feature = "json", feature = "sbom"))]
mod json;
mod limits;
mod lock;
#[cfg(feature = "manifest")]
pub mod manifest;
pub mod metadata;
pub mod oci;
pub mod policy;
mod read;
#[cfg(feature = "remote")]
pub mod remote;
pub mod report;
#[cfg(feature = "sbom")]
pub mod sbom;
pub mod scan;
pub mod splice;
mod stamp;
mod store;

pub use self::error::{Error, Outcome};
pub use self::escape::Escaped;
pub use self::finding::{Code, Finding, Findings, Severity};
pub use self::limits::Limits;
pub use self::policy::{Judged, Policy, Verdict};
pub use self::read::{read_at, read_fetch, read_slice};
pub use self::store::Input;

/// The README's example is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
