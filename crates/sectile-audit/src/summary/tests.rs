use std::cmp::Reverse;
use std::hint::black_box;
use std::time::Instant;

use super::*;
use crate::sample::{bare, counted, hostile, mixed, summary, usual};
use crate::{Format, LargestSection, SectionTotal};
use sectile_policy::JudgedFinding;

fn rows() -> Vec<Row<'static>> {
    (0..3_000).map(|nth| if nth % 11 == 0 { hostile(nth) } else { usual(nth) }).collect()
}

/// Summaries of any split of the rows, merged in any order, are equal.
#[test]
fn order_of_rows_and_merges_does_not_matter() {
    let rows = rows();
    let all = rows.iter().fold(Summary::default(), |mut summary, row| {
        summary.add(row);
        summary
    });
    for seed in 0..12 {
        let workers = 1 + seed % 5;
        let mut order: Vec<&Row<'_>> = rows.iter().collect();
        order.sort_by_key(|row| mixed(row.nth ^ seed << 40));
        let mut parts = vec![Summary::default(); workers as usize];
        for row in order {
            parts[(mixed(row.nth + seed) % workers) as usize].add(row);
        }
        parts.rotate_left((seed % workers) as usize);
        let merged = parts.into_iter().fold(Summary::default(), |mut merged, part| {
            merged.merge(part);
            merged
        });
        assert!(merged == all, "{seed}");
    }
    assert_eq!(all.rows, 3_000);
    assert_eq!(all.licensed + all.unlicensed, 3_000);
    assert_eq!(all.licenses().iter().map(|(_, rows)| rows).sum::<u64>(), all.licensed);
    assert_eq!(Completeness::ALL.map(|ended| all.rows_with(ended)).iter().sum::<u64>(), 3_000);
    assert_eq!(all.largest().count(), 20);
    assert_eq!(all.worst().count(), 20);
    assert_eq!(all.incomplete().count(), 20);
}

/// Any partition of the rows over processes, each of which counts its own rows, merged in any order from JSON, equals the
/// whole.
#[test]
fn partial_summaries_from_json_merge_to_the_whole() {
    let unused = |reason: &str| UnusedException { reason: reason.to_owned(), location: None };
    let mut rows = rows();
    // Many rows of the same rank, and of the same name.
    for nth in 0..600 {
        let mut row = usual(nth);
        row.file = std::ffi::OsString::from(format!("same/{}", mixed(nth) % 90)).into();
        row.largest = Some(LargestSection { kind: "code".into(), name: None, bytes: u64::MAX - 1 - nth % 3 });
        row.completeness = Completeness::Partial;
        rows.push(row);
    }
    let mut whole = Summary::default();
    for row in &rows {
        whole.add(row);
    }
    whole.set_unused_exceptions([unused("never")]);
    let whole_json = whole.to_json();
    assert_eq!(Summary::from_json(&whole_json).unwrap(), whole);
    for seed in 0..40 {
        let processes = 1 + seed % 7;
        let mut parts = vec![Summary::default(); processes as usize];
        let mut counters = vec![0; processes as usize];
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by_key(|nth| mixed(*nth as u64 ^ seed << 40));
        for nth in order {
            let process = (mixed(nth as u64 + seed * 7) % processes) as usize;
            counters[process] += 1;
            parts[process].add(&Row { nth: counters[process], ..rows[nth].clone() });
        }
        for (nth, part) in parts.iter_mut().enumerate() {
            part.set_unused_exceptions([unused("never"), unused(&format!("only {nth}"))]);
        }
        if processes == 1 {
            parts[0].set_unused_exceptions([unused("never")]);
        }
        parts.rotate_left((seed % processes) as usize);
        let merged = parts.iter().fold(Summary::default(), |mut merged, part| {
            merged.merge(Summary::from_json(&part.to_json()).unwrap());
            merged
        });
        assert_eq!(merged, whole, "{seed}");
        assert_eq!(merged.to_json(), whole_json, "{seed}");
    }
}

#[test]
fn other_texts_are_not_summaries() {
    let json = summary(&rows()).to_json();
    for end in (0..json.len()).step_by(97) {
        assert!(Summary::from_json(json.get(..end).unwrap_or_default()).is_err(), "{end}");
    }
    let error = |text: String| Summary::from_json(&text).unwrap_err().to_string();
    assert!(error(json.replace("\"schema\":2", "\"schema\":3")).starts_with("the summary is from version"));
    let version = format!("\"version\":\"{}\"", env!("CARGO_PKG_VERSION"));
    assert!(error(json.replace(&version, "\"version\":\"9.9.9\"")).contains("9.9.9"));
    assert_eq!(error(json.replace("\"codes\":{\"", "\"codes\":{\"x-")), "unknown code of a finding in the summary");
    // Sums of the numbers of a hostile summary do not overflow.
    let most = format!("\"rows\":{}", u64::MAX);
    let mut all = Summary::from_json(&json.replace("\"rows\":3000", &most)).unwrap();
    all.merge(all.clone());
    assert_eq!(all.rows, u64::MAX);
}

/// The counts equal those of a simple implementation.
#[test]
fn counts_equal_those_of_a_simple_count() {
    let rows = rows();
    let all = summary(&rows);
    let with =
        |code| rows.iter().filter(|row| row.findings.iter().any(|judged| judged.finding().code() == code)).count();
    assert!(all.codes().iter().all(|(code, count)| count.rows == with(*code) as u64));
    let refused = rows.iter().filter(|row| row.findings.iter().any(JudgedFinding::is_refused)).count();
    assert_eq!(all.refused, refused as u64);
    for (kind, count) in all.kinds() {
        let shares = rows.iter().flat_map(|row| &row.section_totals).filter(|share| share.kind == kind);
        assert_eq!(count.bytes, shares.map(|share| share.bytes).sum::<u64>(), "{kind}");
    }
    let producers = all.producers();
    let rustc = producers.iter().find(|producer| producer.name == "rustc").unwrap();
    let made = |version: Option<&str>| {
        let has = |[_, name, of]: &[_; 3]| name == "rustc" && version.is_none_or(|version| of == version);
        rows.iter().filter(|row| row.producers.iter().any(has)).count() as u64
    };
    assert_eq!(rustc.rows, made(None));
    assert!(rustc.versions.len() > 3);
    assert!(rustc.versions.iter().all(|(version, rows)| *rows == made(Some(version))));
    let mut sizes: Vec<_> = rows.iter().filter_map(|row| Some((row.largest.as_ref()?.bytes, &*row.file))).collect();
    sizes.sort_by_key(|(bytes, file)| (Reverse(*bytes), *file));
    let largest: Vec<_> = all.largest().map(|largest| (largest.bytes, &*largest.file)).collect();
    assert_eq!(largest, sizes[..20]);
}

#[test]
fn findings_are_counted_and_read_fraction_computed() {
    let rows = rows();
    let mut all = summary(&rows);
    let judged = || rows.iter().flat_map(|row| &row.findings);
    let counted: u64 = judged().map(|judged| judged.finding().count()).sum();
    assert_eq!(all.codes().iter().map(|(_, count)| count.total()).sum::<u64>() + all.excepted, counted);
    assert!(all.excepted > 0 && all.codes().iter().map(|(_, count)| count.excepted).sum::<u64>() > 0);
    let errors = rows.iter().filter(|row| row.worst() == Some(Severity::Error)).count();
    let has_error = |row: &&Row<'_>| row.findings.iter().any(|judged| judged.severity() == Severity::Error);
    assert!(errors > 0 && errors == rows.iter().filter(has_error).count());
    assert_eq!(bare(0, std::ffi::OsStr::new("f")).worst(), None);
    assert!(all.fraction_read().abs() < f64::EPSILON, "of nothing");
    let read = all.bytes_read + all.archive_bytes_read + all.not_wasm_bytes_read;
    // Small files may be read twice.
    for (store_bytes, fraction) in [(read * 4, 0.25), (read, 1.0), (read / 2, 1.0)] {
        all.store_bytes = store_bytes;
        assert!((all.fraction_read() - fraction).abs() < 0.001, "{}", all.fraction_read());
    }
}

/// A store with a million licenses takes as much memory as one with a few thousand.
#[test]
fn many_licenses_take_bounded_memory() {
    let mut parts = [Summary::default(), Summary::default()];
    for nth in 0..200_000 {
        let mut row = bare(nth, std::borrow::Cow::Borrowed("f".as_ref()));
        row.kind = Some(ItemKind::Module);
        row.annotations.push((Field::Licenses, format!("{:06}", mixed(nth) % 100_000).into()));
        parts[nth as usize % 2].add(&row);
    }
    let [mut all, part] = parts;
    all.merge(part);
    let licenses = all.licenses();
    assert_eq!(licenses.len(), MAX_KEYS);
    let smaller = |nth: &u64| format!("{:06}", mixed(*nth) % 100_000).as_str() <= "001000";
    let counted = licenses.iter().filter(|(license, _)| *license <= "001000").map(|(_, rows)| rows).sum::<u64>();
    assert_eq!(counted, (0..200_000).filter(smaller).count() as u64);
    assert_eq!(all.licensed, 200_000);
}

/// Sums of claimed sizes do not overflow.
#[test]
fn sums_saturate() {
    let mut row = usual(0);
    (row.size, row.bytes_read, row.items, row.package_count) = (Some(u64::MAX), u64::MAX, u64::MAX, u64::MAX);
    row.section_totals = vec![SectionTotal { kind: "code".into(), sections: u64::MAX, bytes: u64::MAX }; 2];
    row.largest = Some(LargestSection { kind: "code".into(), name: None, bytes: u64::MAX });
    row.findings = vec![counted(FindingCode::NotUtf8, None, 0, "", u64::MAX)];
    let mut all = summary([&row, &row]);
    all.merge(all.clone());
    assert_eq!((all.bytes, all.sections, all.findings(Severity::Error)), (u64::MAX, u64::MAX, u64::MAX));
}

/// Measures the cost of adding a row: `cargo test --release -p sectile-audit --lib cost_of_adding -- --ignored
/// --nocapture`.
#[test]
#[ignore = "for information"]
#[allow(clippy::print_stdout)]
fn cost_of_adding() {
    let rows: Vec<_> = (0..200).map(usual).collect(); // few enough to stay in the cache, as new rows do
    for _ in 0..3 {
        let begin = Instant::now();
        let mut all = Summary::default();
        for _ in 0..1_000 {
            for row in &rows {
                all.add(black_box(row));
            }
        }
        println!("{:.0} ns a row", begin.elapsed().as_nanos() as f64 / (rows.len() * 1_000) as f64);
    }
    for format in Format::ALL {
        let (begin, mut out, mut bytes) = (Instant::now(), Vec::new(), 0);
        for row in &rows {
            out.clear();
            format.row(black_box(row), &mut out);
            bytes += out.len();
        }
        let number = rows.len() as u128;
        println!(
            "{}: {} ns and {} bytes a row",
            format.name(),
            begin.elapsed().as_nanos() / number,
            bytes / rows.len()
        );
    }
}
