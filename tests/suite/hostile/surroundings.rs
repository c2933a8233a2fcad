//! Surroundings that fail: reads, files that change, lengths that are none.

use std::cell::Cell;
use std::io::Read;
use std::time::SystemTime;

use sectile::edit::Edit;
use sectile::policy::{Items, Rule, Sections};
use sectile::{Code, Finding, Input, Limits, Policy, drive, read_at, read_slice};

use crate::support::binary::{component, custom, module, name, nested, producers, section};
use crate::support::mouths::{self, arrived};
use crate::support::sources::{Damaged, Dribble, Failing};

/// A tree of metadata, with bodies between that nobody reads.
fn sample() -> Vec<u8> {
    let inner = module(&[
        custom("name", name("inner")),
        section(10, &[1; 5000]),
        custom("authors", "inner"),
        custom("producers", producers(&[("language", &[("C", "17")])])),
    ]);
    component(&[
        custom("authors", "outer"),
        nested(&inner),
        section(2, &[7; 3000]),
        custom("component-name", name("outer")),
        custom("licenses", "MIT"),
        nested(&module(&[custom("homepage", "nowhere"), section(11, &[2; 700])])),
        custom("version", "1.0.0"),
    ])
}

#[test]
fn short_reads_and_interruptions_change_nothing() {
    let bytes = sample();
    let expected = read_at(&*bytes, bytes.len() as u64, Limits::default()).unwrap();
    let source = Dribble { bytes: &bytes, interrupted: Cell::new(false) };
    let dribbled = read_at(&source, bytes.len() as u64, Limits::default()).unwrap();
    assert!(dribbled.is_complete());
    assert_eq!(dribbled.value, expected.value);
    assert_eq!(dribbled.cost.bytes, expected.cost.bytes);
    assert_eq!(dribbled.cost.reads, dribbled.cost.bytes, "each of one byte");
}

#[test]
fn each_read_in_turn_fails() {
    let apart = section(2, &[7; 30_000]);
    let bytes = component(&[nested(&sample()), apart.clone(), custom("vendor", "v"), apart, custom("revision", "r")]);
    let len = bytes.len() as u64;
    let whole = read_at(&*bytes, len, Limits::default()).unwrap();
    assert!(whole.cost.reads >= 4, "{:?}", whole.cost);
    for reads in 0..whole.cost.reads {
        let source = Failing::after(reads, &bytes);
        let result = read_at(&source, len, Limits::default());
        let failed = source.failed.get();
        assert!(failed.is_some());
        let error = if reads == 0 {
            result.unwrap_err()
        } else {
            let outcome = result.unwrap();
            assert_eq!(Some(outcome.value), arrived(&bytes[..failed.unwrap() as usize]), "after {reads} reads");
            assert_eq!(outcome.cost.reads, reads);
            outcome.broken.unwrap()
        };
        assert!(error.is_io() && !error.is_malformed() && !error.is_truncated() && !error.is_limit());
        assert_eq!(error.offset(), failed);
        assert!(error.to_string().contains(&format!("{:#x}", failed.unwrap())), "{error}");
        assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "EIO");
    }
    assert!(read_at(&Failing::after(whole.cost.reads, &bytes), len, Limits::default()).unwrap().is_complete());
}

/// What was read before the bad byte is not lost for having been asked for together with it.
#[test]
fn each_byte_in_turn_cannot_be_read() {
    let bytes = sample();
    let len = bytes.len() as u64;
    let whole = read_slice(&bytes, Limits::default()).unwrap().complete().unwrap();
    for at in 0..len {
        match read_at(&Damaged { bytes: &bytes, at }, len, Limits::default()) {
            Err(error) => assert!(at < 8 && error.is_io() && error.offset() == Some(at), "{error}"),
            Ok(outcome) => match outcome.broken {
                None => assert_eq!(outcome.value, whole, "{at}"),
                Some(error) => {
                    assert!(error.is_io());
                    assert_eq!(error.offset(), Some(at));
                    assert_eq!(Some(outcome.value), arrived(&bytes[..at as usize]), "{at}");
                }
            },
        }
    }
}

#[test]
fn a_file_that_shrank_says_so_and_keeps_what_came_before() {
    let bytes = sample();
    let len = bytes.len() as u64;
    let whole = read_slice(&bytes, Limits::default()).unwrap().complete().unwrap();
    for cut in 0..bytes.len() {
        let result = read_at(&bytes[..cut], len, Limits::default());
        let error = match result {
            Err(error) => error,
            Ok(outcome) => match outcome.broken {
                None => {
                    assert_eq!(outcome.value, whole, "nothing that is missing was looked at");
                    continue;
                }
                Some(error) => {
                    assert_eq!(Some(outcome.value), arrived(&bytes[..cut]), "cut at {cut}");
                    error
                }
            },
        };
        assert!(error.is_io() && !error.is_malformed() && !error.is_not_wasm(), "{error}");
        // The first read that gives nothing may begin anywhere behind the cut.
        assert!(error.offset().unwrap() >= cut as u64, "{error}");
        assert!(error.to_string().contains("shrank"), "{error}");
    }
}

#[test]
fn a_file_that_grew_is_read_as_long_as_it_was() {
    let bytes = sample();
    let longer = [&*bytes, &custom("vendor", "late")].concat();
    let outcome = read_at(&*longer, bytes.len() as u64, Limits::default()).unwrap();
    assert_eq!(outcome.complete().unwrap(), read_slice(&bytes, Limits::default()).unwrap().value);
}

#[test]
fn a_read_of_nothing_is_the_end_and_no_endless_loop() {
    struct Empty;
    impl drive::ReadAt for Empty {
        fn read_at(&self, _: &mut [u8], _: u64) -> std::io::Result<usize> {
            Ok(0)
        }
    }
    let error = read_at(&Empty, 1000, Limits::default()).unwrap_err();
    assert!(error.is_io() && error.to_string().contains("shrank"), "{error}");
    let error = read_at(&Empty, 0, Limits::default()).unwrap_err();
    assert!(error.is_not_wasm(), "{error}");
}

#[test]
fn a_read_that_says_more_than_it_can_have_read_is_an_error() {
    struct Boasting<'a>(&'a [u8]);
    impl drive::ReadAt for Boasting<'_> {
        fn read_at(&self, buffer: &mut [u8], offset: u64) -> std::io::Result<usize> {
            self.0.read_at(buffer, offset)?;
            Ok(buffer.len() + 1)
        }
    }
    let bytes = module(&[custom("authors", "me")]);
    let len = bytes.len() as u64;
    let error = read_at(&Boasting(&bytes), len, Limits::default()).unwrap_err();
    assert!(error.is_io() && error.to_string().contains("more than it was asked for"), "{error}");
    let plan = Edit::new().put("note", "x").unwrap().plan_slice(&bytes, Limits::default()).unwrap().plan;
    let mut made = Vec::new();
    for error in [
        plan.reader(Boasting(&bytes)).read_to_end(&mut made).unwrap_err(),
        plan.reader(Boasting(&bytes)).read(&mut [0; 100]).unwrap_err(),
        plan.write_to(&Boasting(&bytes), &mut made).unwrap_err(),
    ] {
        assert!(error.to_string().contains("more than it was asked for"), "{error}");
    }
    #[cfg(feature = "digest")]
    {
        let error = sectile::digest::read_at(&Boasting(&bytes), len, Limits::default()).unwrap_err();
        assert!(error.is_io() && error.to_string().contains("more than it was asked for"), "{error}");
    }
}

#[cfg(unix)]
#[test]
fn a_file_that_is_none_is_refused() {
    use std::fs::File;
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;

    let (socket, _other) = UnixStream::pair().unwrap();
    for (file, what) in [
        (File::from(OwnedFd::from(socket)), "is a socket"),
        (File::open("/").unwrap(), "is a directory"),
        (File::open("/dev/null").unwrap(), "is a device"),
    ] {
        let error = Input::of(file).unwrap_err();
        assert!(error.is_io() && error.to_string().contains(what), "{error}");
    }
    assert!(Input::of(mouths::file(b"")).unwrap().is_empty());
}

#[test]
fn a_length_without_end_does_not_overflow() {
    for len in [u64::MAX, i64::MAX as u64, i64::MAX as u64 + 1] {
        let bytes = module(&[custom("authors", "me")]);
        let outcome = read_at(&*bytes, len, Limits::default());
        let error = outcome.map_or_else(|error| error, |outcome| outcome.broken.unwrap());
        assert!(error.is_io(), "{error}");
    }
}

/// The same length, and another time: what was read may be of neither state.
#[test]
fn a_file_that_is_rewritten_while_it_is_read_is_a_finding() {
    let bytes = sample();
    let file = mouths::file(&bytes);
    let input = Input::of(file.try_clone().unwrap()).unwrap();
    assert!(!input.read(Limits::default()).unwrap().value.findings().iter().any(is_changed));
    file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
    assert!(input.changed().unwrap());
    assert!(input.read(Limits::default()).unwrap().value.findings().iter().any(is_changed));
    let policy = Policy::default();
    assert!(input.read_for(&policy).unwrap().value.metadata.findings().iter().any(is_changed));
    let asking = policy.with(Rule::new(Sections::new(Items::all()).named(["x".parse().unwrap()])));
    assert!(input.read_for(&asking).unwrap().value.metadata.findings().iter().any(is_changed));
    #[cfg(feature = "interface")]
    {
        assert!(input.interface(Limits::default()).unwrap().value.findings().iter().any(is_changed));
        let (metadata, _) = input.read_with_interface(Limits::default()).unwrap().value;
        assert!(metadata.findings().iter().any(is_changed));
    }
}

fn is_changed(finding: &Finding) -> bool {
    finding.code == Code::Changed
}
