//! Truncated, malformed and foreign input: the short functions return an error with the metadata
//! read before it, and the `_with` functions return an outcome.

use std::cell::Cell;
use std::fs;

use sectile::drive::FetchOptions;
use sectile::metadata::{Field, Metadata};
use sectile::{Cost, Error, Input, Limits, Outcome};

use sectile_testing::all_drivers::{file, pushed_metadata};
use sectile_testing::binary::{component, custom, module, name, nested, section};
use sectile_testing::found::text;
use sectile_testing::ranges::{Ranges, now};
use sectile_testing::sources::Failing;

fn sample() -> Vec<u8> {
    let inner = module(&[custom("name", name("inner")), section(10, &[7; 300]), custom("authors", "inner")]);
    component(&[custom("authors", "outer"), nested(&inner), section(2, &[7; 300]), custom("licenses", "MIT")])
}

/// Reads the bytes with every short function, and asserts that all agree.
#[track_caller]
fn read(bytes: &[u8]) -> Result<Metadata<'_>, Error> {
    let tell = |result: &Result<Metadata<'_>, Error>| match result {
        Ok(metadata) => (Some(metadata.clone().into_owned()), None),
        Err(error) => (error.partial().cloned(), Some(error.to_string())),
    };
    let slice = sectile::read_slice(bytes);
    let expected = tell(&slice);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.wasm");
    fs::write(&path, bytes).unwrap();
    assert_eq!(tell(&sectile::read(&path)), expected, "a path");
    assert_eq!(tell(&Input::open(&path).unwrap().read()), expected, "an open file");
    assert_eq!(tell(&sectile::read_at(bytes, bytes.len() as u64)), expected, "positioned reads");
    assert_eq!(tell(&now(sectile::read_fetch(&mut Ranges::of(bytes)))), expected, "ranges");
    assert_eq!(tell(&now(sectile::read_fetch(&mut Ranges::silent(bytes)))), expected, "ranges of an unknown length");
    slice
}

#[test]
fn truncation_anywhere_keeps_earlier_values() {
    let bytes = sample();
    let mut complete = 0;
    for cut in 0..bytes.len() {
        let error = match read(&bytes[..cut]) {
            Ok(metadata) => {
                complete += 1;
                assert_eq!(
                    Some(metadata),
                    pushed_metadata(&bytes[..cut]).map(|mut so_far| so_far_to_end(&mut so_far, cut))
                );
                continue;
            }
            Err(error) => error,
        };
        assert!(error.is_truncated() && error.is_malformed() && !error.is_limit() && !error.is_io(), "{cut}: {error}");
        assert_eq!(error.is_not_wasm(), cut < 8, "{cut}: {error}");
        assert_eq!(error.partial().is_some(), cut >= 8, "{cut}: {error}");
        assert_eq!(error.into_partial(), pushed_metadata(&bytes[..cut]), "{cut}");
    }
    assert_eq!(complete, 4, "the input may end after the root's preamble and after each of its sections but the last");
    assert!(read(&bytes).is_ok());
}

/// The complete metadata of an input that ends at this offset. The pushed bytes alone do not show
/// the end.
fn so_far_to_end(so_far: &mut Metadata<'static>, end: usize) -> Metadata<'static> {
    assert_eq!((so_far.root().end(), so_far.root().is_complete()), (None, false));
    let bytes = &sample()[..end];
    let metadata = sectile::read_slice(bytes).unwrap().into_owned();
    assert_eq!((metadata.root().end(), metadata.root().is_complete()), (Some(end as u64), true));
    assert_eq!(metadata.items().len(), so_far.items().len());
    assert_eq!(metadata.findings(), so_far.findings());
    metadata
}

#[test]
fn partial_metadata_lists_the_complete_items() {
    let bytes = sample();
    let metadata = read(&bytes[..bytes.len() - 1]).unwrap_err().into_partial().unwrap();
    let complete: Vec<_> = metadata.items().map(|item| (item.is_complete(), item.end().is_some())).collect();
    assert_eq!(complete, [(false, false), (true, true)]);
    assert_eq!(text(metadata.root(), Field::Authors), Some("outer"));
    assert_eq!(text(metadata.root(), Field::Licenses), None, "its last byte is missing");
}

#[test]
fn foreign_input_has_no_values() {
    for bytes in
        [&b""[..], b"\0", b"\0asm\x01\0\0", b"\x7fELF\x02\x01\x01\0", b"\0asm\x02\0\0\0", b"PK\x03\x04 and more"]
    {
        let error = read(bytes).unwrap_err();
        assert!(error.is_not_wasm() && error.partial().is_none(), "{error}");
        assert!(error.into_partial().is_none());
    }
}

#[test]
fn malformed_framing_keeps_earlier_values() {
    let bytes = [&module(&[custom("authors", "me")])[..], &[0x80, 1, 0]].concat();
    let error = read(&bytes).unwrap_err();
    assert!(error.is_malformed() && !error.is_truncated());
    assert_eq!(text(error.partial().unwrap().root(), Field::Authors), Some("me"));
}

#[test]
fn a_limit_keeps_earlier_values() {
    let bytes = module(&[custom("authors", "me"), custom("vendor", "v")]);
    let outcome = sectile::read_slice_with(&bytes, Limits { max_sections: 1, ..Limits::default() });
    let error = outcome.into_result().unwrap_err();
    assert!(error.is_limit() && !error.is_malformed());
    assert_eq!(text(error.partial().unwrap().root(), Field::Authors), Some("me"));
    assert_eq!(text(error.into_partial().unwrap().root(), Field::Vendor), None);
}

#[test]
fn a_failed_read_keeps_earlier_values() {
    let bytes = module(&[custom("authors", "me"), section(1, &[0; 50_000]), custom("vendor", "v")]);
    let len = bytes.len() as u64;
    let error = sectile::read_at(&Failing::after(1, &bytes), len).unwrap_err();
    assert!(error.is_io());
    assert_eq!(text(error.partial().unwrap().root(), Field::Authors), Some("me"));
    assert!(sectile::read_at(&Failing::after(0, &bytes), len).unwrap_err().partial().is_none());
}

#[test]
fn a_file_that_cannot_be_opened_is_an_error_and_not_an_outcome() {
    let directory = tempfile::tempdir().unwrap();
    for path in [directory.path().to_owned(), directory.path().join("missing.wasm")] {
        let error = sectile::read(&path).unwrap_err();
        assert!(error.is_io() && !error.is_not_wasm() && error.partial().is_none(), "{error}");
        assert!(Input::open(&path).is_err());
    }
}

#[test]
fn a_complete_outcome_has_a_value_and_no_error() {
    let bytes = module(&[custom("authors", "me")]);
    let outcome = || sectile::read_slice_with(&bytes, Limits::default());
    assert!(outcome().is_complete() && outcome().error().is_none());
    let metadata = sectile::read_slice(&bytes).unwrap();
    assert_eq!(outcome().value(), Some(&metadata));
    assert_eq!(outcome().value_mut(), Some(&mut metadata.clone()));
    assert_eq!(outcome().into_value().as_ref(), Some(&metadata));
    assert_eq!(outcome().complete().unwrap(), metadata);
    assert_eq!(outcome().into_result().unwrap(), metadata);
    let cost = Cost { bytes: bytes.len() as u64, reads: 0 };
    assert_eq!(outcome().cost(), cost);
    let (value, error, parts_cost) = outcome().into_parts();
    assert_eq!((value, error.is_none(), parts_cost), (Some(metadata), true, cost));
}

#[test]
fn a_partial_outcome_has_both_and_is_not_a_success() {
    let whole = module(&[custom("authors", "me"), section(1, &[0; 9])]);
    let bytes = &whole[..whole.len() - 1];
    let outcome = || sectile::read_slice_with(bytes, Limits::default());
    let expected = pushed_metadata(bytes).unwrap();
    assert!(!outcome().is_complete() && outcome().error().unwrap().is_truncated());
    assert_eq!(outcome().value(), Some(&expected));
    assert_eq!(outcome().into_value().unwrap(), expected);
    let complete = outcome().complete().unwrap_err();
    assert!(complete.is_truncated() && complete.partial().is_none(), "only `into_result` moves the value");
    let result = outcome().into_result().unwrap_err();
    assert_eq!((result.to_string(), result.partial()), (complete.to_string(), Some(&expected)));
    let (value, error, cost) = outcome().into_parts();
    assert_eq!((value, error.unwrap().to_string()), (Some(expected), complete.to_string()));
    assert_eq!(cost, outcome().cost());
}

#[test]
fn an_outcome_without_a_value_has_an_error() {
    let outcome = || sectile::read_slice_with(b"\x7fELF....", Limits::default());
    assert!(outcome().value().is_none() && outcome().value_mut().is_none() && outcome().into_value().is_none());
    assert!(!outcome().is_complete() && outcome().error().unwrap().is_not_wasm());
    assert!(outcome().complete().unwrap_err().is_not_wasm());
    assert!(outcome().into_result().unwrap_err().partial().is_none());
}

#[test]
fn a_mapped_outcome_keeps_its_error_and_its_cost() {
    let whole = module(&[custom("authors", "me"), section(1, &[0; 9])]);
    for bytes in [&whole[..], &whole[..whole.len() - 1], b"\x7fELF...."] {
        let outcome = || sectile::read_slice_with(bytes, Limits::default());
        let tell = |outcome: Outcome<usize>| {
            let (value, error, cost) = outcome.into_parts();
            (value, error.map(|error| error.to_string()), cost)
        };
        let value = outcome().value().map(|metadata| metadata.items().len());
        let error = outcome().error().map(ToString::to_string);
        let expected = (value, error, outcome().cost());
        assert_eq!(tell(outcome().map(|metadata| metadata.items().len())), expected);
        assert_eq!(tell(outcome().and_then(|metadata| Some(metadata.items().len()))), expected);
        let mut changed = outcome().map(|metadata| metadata.items().len());
        changed.value_mut().into_iter().for_each(|items| *items += 1);
        assert_eq!(tell(changed).0, value.map(|items| items + 1));
    }
}

/// A complete outcome always has a value: `complete` relies on it.
#[test]
fn a_complete_outcome_that_loses_its_value_is_partial() {
    let bytes = module(&[]);
    let lost = || sectile::read_slice_with(&bytes, Limits::default()).and_then(|_| None::<()>);
    assert!(!lost().is_complete() && lost().value().is_none());
    assert_eq!(lost().complete().unwrap_err().to_string(), "nothing was collected");
    // An earlier error is kept.
    let truncated = sectile::read_slice_with(&bytes[..7], Limits::default()).and_then(|_| None::<()>);
    assert!(truncated.complete().unwrap_err().is_not_wasm());
}

/// A `main` that returns the error prints it with `Debug`.
#[test]
fn debug_of_an_error_is_a_readable_line() {
    let framing = sectile::read_slice(&[&module(&[])[..], &[0x80, 1]].concat()).unwrap_err();
    assert_eq!(format!("{framing:?}"), "malformed section id 0x80: the largest is 0x7f (at offset 0x8)");
    assert_eq!(format!("{framing:?}"), framing.to_string());
    assert_eq!(format!("{framing:#?}"), framing.to_string());

    let inner = component(&[nested(&[&module(&[])[..], &[0x80, 1]].concat())]);
    let nested = sectile::read_slice(&inner).unwrap_err();
    assert_eq!(format!("{nested:?}"), "malformed section id 0x80: the largest is 0x7f (at offset 0x12, in item 0)");

    // The partial metadata is not printed.
    let bytes = module(&[custom("authors", "me"), section(1, &[0; 9])]);
    let truncated = sectile::read_slice(&bytes[..bytes.len() - 1]).unwrap_err();
    assert!(truncated.partial().is_some());
    assert_eq!(format!("{truncated:?}"), truncated.to_string());

    // Each source is printed once.
    let failed = sectile::read_at(&Failing::after(0, &bytes), 100).unwrap_err();
    assert_eq!(failed.to_string(), "cannot be read (at offset 0x0)");
    assert_eq!(format!("{failed:?}"), "cannot be read (at offset 0x0): EIO");
    let missing = sectile::read("no such directory/no such file").unwrap_err();
    let not_found = fs::metadata("no such directory/no such file").unwrap_err();
    assert_eq!(format!("{missing:?}"), format!("cannot be read: {not_found}"));
}

#[test]
fn main_may_return_a_boxed_error() {
    fn main(bytes: &[u8]) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        sectile::read_slice(bytes)?;
        Ok(())
    }
    let error = main(b"\x7fELF\x02\x01\x01\0").unwrap_err();
    assert_eq!(format!("{error:?}"), "not WebAssembly: it looks like an ELF binary (at offset 0x0)");
    assert!(error.downcast_ref::<Error>().unwrap().is_not_wasm());
}

/// The short functions are the `_with` functions with the defaults.
#[test]
fn the_with_functions_agree_with_the_short_ones() {
    let (bytes, limits) = (sample(), Limits::default());
    let len = bytes.len() as u64;
    let expected = read(&bytes).unwrap();
    assert_eq!(sectile::read_slice_with(&bytes, limits).complete().unwrap(), expected);
    assert_eq!(sectile::read_at_with(&bytes[..], len, limits).complete().unwrap(), expected);
    assert_eq!(sectile::read_at_with(&file(&bytes), len, limits).complete().unwrap(), expected);
    let mut source = Ranges::of(&bytes);
    let fetched = now(sectile::read_fetch_with(&mut source, FetchOptions::default(), limits));
    assert_eq!(fetched.complete().unwrap(), expected);
    let counted = Failing { bytes: &bytes, reads: Cell::new(u64::MAX), failed: Cell::new(None) };
    let outcome = sectile::read_at_with(&counted, len, limits);
    assert_eq!(outcome.cost().reads, u64::MAX - counted.reads.get());
}
