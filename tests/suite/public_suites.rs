//! The public test suites of WebAssembly, core and components, and those of wasm-tools, all as binaries: valid ones,
//! invalid ones, malformed ones.

mod binaries;

use sectile::edit::{Edit, EditError, Glob, Strip};
use sectile::metadata::{Field, Metadata};
use sectile::scan::Path;
use sectile::{Limits, read_slice};

use self::binaries::{Suite, binaries};
use crate::edit::{apply, verdict};
use crate::fuzz_bodies::bodies::{self, Verdict};
use crate::support::mouths;
use crate::support::seeded::Seeded;

#[test]
#[ignore = "fetches the package that carries the suites"]
fn all_are_framed_as_the_reference_frames_them() {
    let mut verdicts = [[0; 3]; 2];
    for (suite, bytes) in binaries() {
        let verdict = bodies::framing(&bytes);
        verdicts[suite as usize][verdict as usize] += 1;
        let (_, scanned) = mouths::scan(&bytes, Limits::default());
        let (_, read) = mouths::read(&bytes, Limits::default());
        assert_eq!(mouths::told(read), mouths::told(scanned));
    }
    for (suite, verdicts) in [Suite::Core, Suite::Component].into_iter().zip(verdicts) {
        let [accepted, broken, rejected] = verdicts;
        println!("{suite:?}: both accept {accepted}, the reference alone rejects {broken}, both reject {rejected}");
        for verdict in [Verdict::Accepted, Verdict::BrokenBody, Verdict::Rejected] {
            assert!(verdicts[verdict as usize] >= suite.least(verdict), "{suite:?}, {verdict:?}: {verdicts:?}");
        }
    }
}

/// [`apply`] holds every edit against the validator: it says of what was edited what it said before.
#[test]
#[ignore = "fetches the package that carries the suites"]
fn all_stay_what_the_validator_said_when_they_are_edited() {
    let (mut valid, mut invalid, mut nested, mut refused) = (0, 0, 0, 0);
    for (nth, (_, bytes)) in binaries().into_iter().enumerate() {
        let outcome = read_slice(&bytes, Limits::default());
        let Some(metadata) = outcome.ok().and_then(|outcome| outcome.complete().ok()) else {
            assert!(Edit::new().plan_slice(&bytes, Limits::default()).is_err(), "what is not framed is not edited");
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

/// Sets, puts, takes back, names, strips and removes at an item.
fn edit_at(metadata: &Metadata<'_>, nth: usize, source: &[u8], seeded: &mut Seeded) {
    let item = &metadata.items()[nth];
    let path = metadata.path(item);
    let here = || Edit::new().at(path.clone());
    let text = "x".repeat(1 + seeded.below(300));

    assert_eq!(apply(&Edit::new(), source), source);
    for field in Field::ALL.into_iter().filter(|field| item.annotation(*field).is_none()).take(2) {
        let set = here().set_as_is(field, &*text).unwrap();
        there_and_back(&set, &here().unset(field).unwrap(), source, &path);
    }
    // No binary has a section of that name.
    let put = here().put("a section of no suite", &*text).unwrap();
    there_and_back(&put, &here().remove("a section of no suite").unwrap(), source, &path);
    let both = here().name(&*text).unwrap().add_producer("sdk", "ours", "1");
    match both.plan_slice(source, Limits::default()) {
        Err(EditError::MovesLinked | EditError::Unreadable { .. }) => {}
        _ => drop(apply(&both, source)),
    }
    apply(&here().strip(Strip::new().names().all()), source);
    let bare = apply(&here().remove_matching(Glob::new("*").unwrap()), source);
    assert!(!bodies::Outline::of(&bare).sections().any(|section| section.item as usize == nth && section.is_custom()));
}

/// Carries out an edit and the one that takes it back, which gives what was there, unless a size field had to grow.
fn there_and_back(there: &Edit, back: &Edit, source: &[u8], path: &Path) {
    let edited = apply(there, source);
    assert!(edited.len() > source.len());
    let again = apply(back, &edited);
    if again != source {
        let widened = again.len() - source.len();
        assert!((1..=path.indexes().len()).contains(&widened));
        assert_eq!(apply(back, &apply(there, &again)), again, "once it is wide, it stays so");
    }
}
