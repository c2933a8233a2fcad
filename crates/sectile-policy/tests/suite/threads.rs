//! Public types of the crate are `Send` and `Sync`, including their borrows. Checked by compiling.

use sectile::drive::FetchOptions;
use sectile::metadata::StreamReader;
use sectile_policy::gate::{Accepted, Gate, Refusal};
use sectile_policy::report::{Report, SectionsJson};
use sectile_policy::{JudgedFinding, Policy, PolicyError, PolicyReader, Reading, Rule, RuleError, Verdict};

use sectile_testing::ranges::Ranges;

fn shared<T: Send + Sync>() {}

macro_rules! all_shared {
    ($($type:ty),* $(,)?) => { $(shared::<$type>();)* };
}

#[test]
fn everything_is_send_and_sync() {
    all_shared!(
        JudgedFinding<'_>,
        Policy,
        PolicyError,
        PolicyReader<StreamReader>,
        Reading<'_>,
        Rule,
        RuleError,
        Verdict<'_>
    );
    all_shared!(Report<'_>, SectionsJson<Vec<u8>>, Gate, Accepted, Refusal);
}

/// A multi-threaded runtime moves a waiting future between threads.
#[test]
fn readings_that_wait_are_send() {
    fn sent<T: Send>(_: T) {}

    let mut source = Ranges::of(b"");
    sent(sectile_policy::read_fetch(&mut source, FetchOptions::default(), &Policy::default()));
}
