//! Failing environments: failed reads, changing files, wrong lengths.

use std::cell::Cell;
use std::io::Read;
use std::time::SystemTime;

use sectile::edit::Edit;
use sectile::{Finding, FindingCode, Input, Limits, drive, read_at, read_at_with, read_slice};

use sectile_testing::all_drivers::{self, pushed_metadata};
use sectile_testing::binary::{component, custom, module, name, nested, producers, section};
use sectile_testing::sources::{Damaged, Failing, OneByteReads};

/// A tree of items with metadata, and with skipped bodies between them.
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
    let expected = read_at_with(&*bytes, bytes.len() as u64, Limits::default());
    let source = OneByteReads { bytes: &bytes, interrupted: Cell::new(false) };
    let dribbled = read_at_with(&source, bytes.len() as u64, Limits::default());
    assert!(dribbled.is_complete());
    assert_eq!(dribbled.value(), expected.value());
    assert_eq!(dribbled.cost().bytes, expected.cost().bytes);
    assert_eq!(dribbled.cost().reads, dribbled.cost().bytes, "each of one byte");
}

#[test]
fn each_read_in_turn_fails() {
    let apart = section(2, &[7; 30_000]);
    let bytes = component(&[nested(&sample()), apart.clone(), custom("vendor", "v"), apart, custom("revision", "r")]);
    let len = bytes.len() as u64;
    let whole = read_at_with(&*bytes, len, Limits::default());
    assert!(whole.cost().reads >= 4, "{:?}", whole.cost());
    for reads in 0..whole.cost().reads {
        let source = Failing::after(reads, &bytes);
        let (metadata, error, cost) = read_at_with(&source, len, Limits::default()).into_parts();
        let failed = source.failed.get();
        assert_eq!(metadata.is_none(), reads == 0);
        assert_eq!(metadata, pushed_metadata(&bytes[..failed.unwrap() as usize]), "after {reads} reads");
        assert_eq!(cost.reads, reads);
        let error = error.unwrap();
        assert!(error.is_io() && !error.is_malformed() && !error.is_truncated() && !error.is_limit());
        assert_eq!(error.offset(), failed);
        assert!(error.to_string().contains(&format!("{:#x}", failed.unwrap())), "{error}");
        assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "EIO");
    }
    assert!(read_at_with(&Failing::after(whole.cost().reads, &bytes), len, Limits::default()).is_complete());
}

/// Bytes before the unreadable one are used, even if one read requested both.
#[test]
fn each_byte_in_turn_cannot_be_read() {
    let bytes = sample();
    let len = bytes.len() as u64;
    let whole = read_slice(&bytes).unwrap();
    for at in 0..len {
        let (metadata, error, _) = read_at_with(&Damaged { bytes: &bytes, at }, len, Limits::default()).into_parts();
        assert_eq!(metadata.is_none(), at < 8, "{at}");
        match error {
            None => assert_eq!(metadata.as_ref(), Some(&whole), "{at}"),
            Some(error) => {
                assert!(error.is_io());
                assert_eq!(error.offset(), Some(at));
                assert_eq!(metadata, pushed_metadata(&bytes[..at as usize]), "{at}");
            }
        }
    }
}

#[test]
fn a_file_that_shrank_keeps_earlier_values() {
    let bytes = sample();
    let len = bytes.len() as u64;
    let whole = read_slice(&bytes).unwrap();
    for cut in 0..bytes.len() {
        let (metadata, error, _) = read_at_with(&bytes[..cut], len, Limits::default()).into_parts();
        let Some(error) = error else {
            assert_eq!(metadata.as_ref(), Some(&whole), "a byte that was not needed was examined");
            continue;
        };
        assert_eq!(metadata, pushed_metadata(&bytes[..cut]), "cut at {cut}");
        assert!(error.is_io() && !error.is_malformed() && !error.is_not_wasm(), "{error}");
        // The first empty read may start anywhere after the cut.
        assert!(error.offset().unwrap() >= cut as u64, "{error}");
        assert!(error.to_string().contains("shrank"), "{error}");
    }
}

#[test]
fn a_file_that_grew_is_read_to_its_former_length() {
    let bytes = sample();
    let longer = [&*bytes, &custom("vendor", "late")].concat();
    assert_eq!(read_at(&*longer, bytes.len() as u64).unwrap(), read_slice(&bytes).unwrap());
}

#[test]
fn an_empty_read_ends_the_scan() {
    struct Empty;
    impl drive::ReadAt for Empty {
        fn read_at(&self, _: &mut [u8], _: u64) -> std::io::Result<usize> {
            Ok(0)
        }
    }
    let error = read_at(&Empty, 1000).unwrap_err();
    assert!(error.partial().is_none());
    assert!(error.is_io() && error.to_string().contains("shrank"), "{error}");
    let error = read_at(&Empty, 0).unwrap_err();
    assert!(error.partial().is_none());
    assert!(error.is_not_wasm(), "{error}");
}

#[test]
fn a_read_longer_than_its_buffer_is_an_error() {
    struct TooLong<'a>(&'a [u8]);
    impl drive::ReadAt for TooLong<'_> {
        fn read_at(&self, buffer: &mut [u8], offset: u64) -> std::io::Result<usize> {
            self.0.read_at(buffer, offset)?;
            Ok(buffer.len() + 1)
        }
    }
    let bytes = module(&[custom("authors", "me")]);
    let len = bytes.len() as u64;
    let error = read_at(&TooLong(&bytes), len).unwrap_err();
    assert!(error.partial().is_none());
    assert!(error.is_io() && error.to_string().contains("more bytes than requested"), "{error}");
    let plan = Edit::new().put("note", "x").unwrap().plan_slice(&bytes).unwrap();
    let plan = plan.plan();
    let mut made = Vec::new();
    for error in [
        plan.reader(TooLong(&bytes)).read_to_end(&mut made).unwrap_err(),
        plan.reader(TooLong(&bytes)).read(&mut [0; 100]).unwrap_err(),
        plan.write_to(&TooLong(&bytes), &mut made).unwrap_err(),
    ] {
        assert!(error.to_string().contains("more bytes than requested"), "{error}");
    }
    #[cfg(feature = "digest")]
    {
        let error = sectile::digest::compute(&TooLong(&bytes), len).unwrap_err();
        assert!(error.is_io() && error.to_string().contains("more bytes than requested"), "{error}");
    }
}

#[cfg(unix)]
#[test]
fn only_regular_files_are_opened() {
    use std::fs::File;
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;

    let (socket, _other) = UnixStream::pair().unwrap();
    for (file, what) in [
        (File::from(OwnedFd::from(socket)), "is a socket"),
        (File::open("/").unwrap(), "is a directory"),
        (File::open("/dev/null").unwrap(), "is a device"),
    ] {
        let error = Input::from_file(file).unwrap_err();
        assert!(error.is_io() && error.to_string().contains(what), "{error}");
    }
    assert!(Input::from_file(all_drivers::file(b"")).unwrap().is_empty());
}

#[test]
fn the_largest_lengths_do_not_overflow() {
    for len in [u64::MAX, i64::MAX as u64, i64::MAX as u64 + 1] {
        let bytes = module(&[custom("authors", "me")]);
        let outcome = read_at_with(&*bytes, len, Limits::default());
        assert!(outcome.error().unwrap().is_io(), "{outcome:?}");
    }
}

/// The length is unchanged and the time differs, so the values may be of two states.
#[test]
fn a_file_rewritten_during_a_read_is_a_finding() {
    let bytes = sample();
    let file = all_drivers::file(&bytes);
    let input = Input::from_file(file.try_clone().unwrap()).unwrap();
    assert!(!input.read().unwrap().findings().iter().any(is_changed));
    file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
    assert!(input.changed().unwrap());
    assert!(input.read().unwrap().findings().iter().any(is_changed));
    #[cfg(feature = "interface")]
    {
        assert!(input.interface().unwrap().findings().iter().any(is_changed));
        let (metadata, _) = input.read_with_interface(Limits::default()).complete().unwrap();
        assert!(metadata.findings().iter().any(is_changed));
    }
}

fn is_changed(finding: &Finding) -> bool {
    finding.code() == FindingCode::Changed
}
