//! Every public type of the core is `Send` and `Sync`, including borrowed data. Checked by the
//! compiler.

use sectile::drive::{self, Fetch, FetchOptions, Fetched, Inspected, InspectedError, Map, PrefetchedHead, PushDriver};
use sectile::edit::{Change, Edit, EditError, EditPlan, FilePlan, StreamEdit, StreamEditor, Strip};
use sectile::metadata::{self, Field, Item, Items, Metadata, SliceReader, StreamReader, ValueError};
use sectile::scan::{DataRequest, ItemKind, ItemPath, ItemPathError, ItemStart, ScanError, Scanner, Section};
use sectile::scan::{SectionKind, Window};
use sectile::splice::{Chunks, Piece, Plan, PlanReader, Recovered, WriteError, WriteOptions};
use sectile::{
    Cost, Error, Escaped, Finding, FindingCode, Findings, Glob, GlobError, Input, Limits, Outcome, Severity,
};

use sectile_testing::ranges::Ranges;

fn shared<T: Send + Sync>() {}

macro_rules! all_shared {
    ($($type:ty),* $(,)?) => { $(shared::<$type>();)* };
}

#[test]
fn everything_is_send_and_sync() {
    all_shared!(Error, Escaped<'_>, Finding, FindingCode, Findings, Severity, Glob, GlobError, Input, Limits, Cost);
    all_shared!(Outcome<Metadata<'static>>, Outcome<Metadata<'_>>);
    all_shared!(ItemKind, ItemPath, ItemPathError, ItemStart<'_>, ScanError, Scanner, Section<'_>, SectionKind);
    all_shared!(DataRequest, Window<'_>);
    all_shared!(FetchOptions, Fetched, Map, PrefetchedHead<Ranges<'_>>, PushDriver<StreamReader>);
    all_shared!(Inspected<Vec<u8>, PushDriver<()>>, InspectedError<Error, Error>);
    all_shared!(Metadata<'_>, Item<'_>, Items<'_>, metadata::Value<'_>, metadata::Dependencies<'_>);
    all_shared!(metadata::Producers<'_>, metadata::ProducersField<'_>, metadata::SectionSize, Field, ValueError);
    all_shared!(SliceReader<'_>, StreamReader);
    all_shared!(Edit, EditError, EditPlan, FilePlan, Change, StreamEdit, StreamEditor, Strip);
    all_shared!(Chunks, Piece, Plan, PlanReader<'_, &[u8]>, Recovered, WriteError, WriteOptions);
}

#[test]
#[cfg(feature = "dependencies")]
fn packages_are_send_and_sync() {
    all_shared!(metadata::Package);
}

#[test]
#[cfg(feature = "json")]
fn migrations_are_send_and_sync() {
    all_shared!(sectile::edit::Migration);
}

#[test]
#[cfg(feature = "digest")]
fn digests_are_send_and_sync() {
    use sectile::digest::{Digest, DigestError, Digests, Hasher};

    all_shared!(Digest, DigestError, Digests, Hasher);
}

#[test]
#[cfg(feature = "interface")]
fn interfaces_are_send_and_sync() {
    use sectile::interface::{CombinedReader, Extern, ExternKind, Interface, InterfaceReader, WitPackage};

    all_shared!(CombinedReader, Extern, ExternKind, Interface, InterfaceReader, WitPackage);
}

/// A runtime with several threads moves a waiting future from one to another.
#[test]
fn futures_of_reads_are_send() {
    fn sent<T: Send>(_: T) {}

    let options = FetchOptions::default;
    let (mut source, limits) = (Ranges::of(b""), Limits::default());
    sent(source.fetch(0..1));
    sent(sectile::read_fetch(&mut source));
    sent(sectile::read_fetch_with(&mut source, options(), limits));
    sent(drive::scan_fetch(&mut source, &mut StreamReader::with_limits(limits), options(), limits));
    sent(drive::collect_fetch(&mut source, StreamReader::with_limits(limits), options()));
    #[cfg(feature = "interface")]
    {
        use sectile::interface::{CombinedReader, InterfaceReader};

        sent(drive::collect_fetch(&mut source, InterfaceReader::with_limits(limits), options()));
        sent(drive::collect_fetch(&mut source, CombinedReader::with_limits(limits), options()));
    }
}
