//! One pass reads the same metadata and interface as two.

use sectile::drive::{self, PushDriver};
use sectile::interface::{CombinedReader, Interface, InterfaceReader};
use sectile::metadata::{Field, Metadata, StreamReader};
use sectile::scan::Collector;
use sectile::{Cost, Input, Limits, Outcome};

use super::hostile::{exports, function, imports};
use sectile_testing::all_drivers::EventCounter;
use sectile_testing::binary::{custom, module, name, section};
use sectile_testing::files::{real_files, real_paths};
use sectile_testing::found::text;

fn sample() -> Vec<u8> {
    module(&[
        custom("authors", "me"),
        imports(1, &[function(b"env", b"f")]),
        custom("name", name("sample")),
        exports("g"),
        section(10, &[0; 5000]),
        custom("vendor", "v"),
    ])
}

type Both = (Metadata<'static>, Interface);

/// Value, error and cost of an outcome, to compare.
fn parts<T>(outcome: Outcome<T>) -> (Option<T>, Option<String>, Cost) {
    let (value, error, cost) = outcome.into_parts();
    (value, error.map(|error| error.to_string()), cost)
}

/// Metadata and interface from two passes.
fn apart(bytes: &[u8], limits: Limits) -> (Option<Both>, Option<String>, Cost) {
    let (metadata, error, cost) = parts(drive::collect_slice(bytes, StreamReader::with_limits(limits)));
    let (interface, interface_error, more) = parts(drive::collect_slice(bytes, InterfaceReader::with_limits(limits)));
    assert_eq!(interface_error, error);
    (metadata.zip(interface), error, Cost { bytes: cost.bytes + more.bytes, reads: 0 })
}

#[test]
fn one_pass_agrees_with_two() {
    let sample = sample();
    let cuts = (0..=sample.len()).filter(|cut| *cut < 200 || cut % 500 == 0).map(|cut| sample[..cut].to_vec());
    let real = real_files().into_iter().map(|(_, bytes)| bytes);
    for bytes in cuts.chain(real) {
        for limits in [Limits::default(), Limits { max_section_data: 4, max_interface_section: 4, ..Limits::default() }]
        {
            let (value, error, apart) = apart(&bytes, limits);
            let reader = || CombinedReader::with_limits(limits);
            let (combined, combined_error, cost) = parts(drive::collect_slice(&bytes, reader()));
            assert_eq!((&combined, &combined_error), (&value, &error), "{} bytes", bytes.len());
            assert!(cost.bytes <= apart.bytes, "{cost:?}, apart {apart:?}");
            let (read, read_error, _) = parts(drive::collect_at(&bytes[..], bytes.len() as u64, reader()));
            assert_eq!((read, read_error), (value, error), "{} bytes, positioned reads", bytes.len());
        }
    }
}

#[test]
fn an_input_is_read_in_one_pass() {
    for path in real_paths() {
        let input = Input::open(&path).unwrap();
        let outcome = input.read_with_interface(Limits::default());
        assert!(outcome.cost().bytes <= input.len(), "no byte is read twice");
        let expected = (input.read().unwrap(), input.interface().unwrap());
        assert_eq!(outcome.complete().unwrap(), expected, "{}", path.display());
    }
}

#[test]
fn values_read_so_far_are_available() {
    let bytes = sample();
    let mut push = PushDriver::new(CombinedReader::with_limits(Limits::default()));
    let mut seen = Vec::new();
    for byte in &bytes {
        push.push(&[*byte]).unwrap();
        let reader = push.visitor();
        let metadata = reader.custom().so_far();
        let read = (
            metadata.and_then(|metadata| text(metadata.root(), Field::Authors)).is_some(),
            metadata.and_then(|metadata| metadata.root().name()).is_some(),
            reader.interface_so_far().map(|interface| (interface.imports().len(), interface.exports().len())),
        );
        if seen.last() != Some(&read) {
            seen.push(read);
        }
    }
    let expected = [
        (false, false, None),
        (false, false, Some((0, 0))),
        (true, false, Some((0, 0))),
        (true, false, Some((1, 0))),
        (true, true, Some((1, 0))),
        (true, true, Some((1, 1))),
    ];
    assert_eq!(seen, expected);
    let (custom, interface) = push.into_visitor().into_parts();
    assert_eq!(custom.finish().unwrap().root().name().unwrap().as_str(), Some("sample"));
    assert_eq!(interface.unwrap().finish().unwrap().exports().len(), 1);
}

/// Any visitor of custom sections may replace the metadata reader, and the interface reader is
/// optional.
#[test]
fn both_readers_may_be_replaced() {
    let bytes = sample();
    let mut reader = CombinedReader::new(EventCounter::default(), Some(InterfaceReader::new()));
    drive::scan_slice(&bytes, &mut reader, Limits::default()).complete().unwrap();
    assert_eq!((reader.custom().entered, reader.custom().sections, reader.custom().left), (1, 6, 1));
    assert_eq!(reader.interface_so_far().unwrap().imports().len(), 1);

    let mut reader = CombinedReader::new(StreamReader::new(), None);
    drive::scan_slice(&bytes, &mut reader, Limits::default()).complete().unwrap();
    assert!(reader.interface_so_far().is_none());
    let (custom, interface) = reader.into_parts();
    assert!(interface.is_none());
    assert_eq!(custom.finish(), drive::collect_slice(&bytes, StreamReader::new()).into_value());
    // No value is collected without an interface reader.
    let outcome = drive::collect_slice(&bytes, CombinedReader::new(StreamReader::new(), None));
    assert!(outcome.value().is_none() && !outcome.is_complete());
}
