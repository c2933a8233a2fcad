//! What may go to another thread, or be shared between threads: everything. Held as it is compiled.

use sectile::drive::{self, Cost, Fetch, FetchOptions, Fetched, Map, Push, Tee, TeeError};
use sectile::edit::{self, Edit, EditError, Glob, GlobError, Passing, PassingEdit, Planned, Strip};
use sectile::metadata::{self, Borrowed, Copied, Field, Flaw, Metadata, Reader};
use sectile::oci::{AnnotationError, AnnotationOptions};
use sectile::scan::{Entry, Path, PathError, Scanner, Section, Want, Window};
use sectile::splice::{Chunks, Piece, Plan, PlanReader, Recovered, WriteError, WriteOptions};
use sectile::{Code, Error, Escaped, Finding, Findings, Input, Judged, Limits, Outcome, Policy, Verdict};
use sectile::{policy, report};

use crate::support::ranges::Ranges;

fn shared<T: Send + Sync>() {}

/// With what it borrows, if it borrows.
macro_rules! all_shared {
    ($($type:ty),* $(,)?) => { $(shared::<$type>();)* };
}

#[test]
fn everything_is_send_and_sync() {
    all_shared!(Code, Error, Escaped<'_>, Finding, Findings, Input, Judged<'_>, Limits, Policy, Verdict<'_>);
    all_shared!(Entry, Path, PathError, Scanner, Section<'_>, Want, Window<'_>);
    all_shared!(Cost, FetchOptions, Fetched, Map, Push<Reader<'static, Copied>>, Tee<Vec<u8>, Push<()>>);
    all_shared!(TeeError<Error, Error>);
    all_shared!(Metadata<'_>, metadata::Item<'_>, metadata::Value<'_>, metadata::Dependencies<'_>, Field, Flaw);
    all_shared!(Outcome<Metadata<'static>>, Reader<'_, Borrowed>, Reader<'static, Copied>);
    all_shared!(Edit, EditError, Glob, GlobError, Passing, PassingEdit, Planned, Strip, edit::Change);
    all_shared!(Chunks, Piece, Plan, PlanReader<'_, &[u8]>, Recovered, WriteError, WriteOptions);
    all_shared!(AnnotationError, AnnotationOptions, report::Report<'_>);
    all_shared!(policy::Rule, policy::Reading<'_>, policy::RuleError, policy::Reader<'static, Copied>);
}

#[test]
#[cfg(feature = "cli")]
fn so_is_everything_behind_features() {
    use sectile::{digest, git, interface, manifest, oci, sbom};

    all_shared!(digest::Digest, digest::DigestError, digest::Digests, digest::Hasher);
    all_shared!(git::GitError, git::Revision);
    all_shared!(interface::Interface, interface::Reader);
    all_shared!(manifest::Manifest, manifest::ManifestError);
    all_shared!(oci::Image, oci::ImageError, oci::ImageOptions, oci::Layout, oci::LayoutError, oci::Stored, oci::Draft);
    all_shared!(oci::registry::Client, oci::registry::Credentials, oci::registry::Held, oci::registry::RegistryError);
    all_shared!(policy::PolicyError, report::SectionsJson<Vec<u8>>, sbom::Sbom<'_>);
}

#[test]
#[cfg(all(feature = "gate", feature = "remote"))]
fn gates_and_objects_are_too() {
    use sectile::{gate, remote};

    all_shared!(gate::Gate, gate::Accepted, gate::Refused, remote::Object, remote::RemoteError);
}

/// A runtime with several threads moves what waits from one to another.
#[test]
fn readings_that_wait_are_send() {
    fn sent<T: Send>(_: T) {}

    let options = FetchOptions::default;
    let (mut source, limits) = (Ranges::of(b""), Limits::default());
    sent(source.fetch(0..1));
    sent(sectile::read_fetch(&mut source, options(), limits));
    sent(policy::read_fetch(&mut source, options(), &Policy::default()));
    sent(drive::fetch(&mut source, &mut Reader::copying(limits), options(), limits));
    #[cfg(feature = "interface")]
    sent(sectile::interface::read_fetch_with_metadata(&mut source, options(), limits));
}
