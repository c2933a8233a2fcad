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
    let mut sizes: Vec<_> = rows.iter().filter_map(|row| Some((row.largest.as_ref()?.bytes, row.nth))).collect();
    sizes.sort_by_key(|(bytes, nth)| (Reverse(*bytes), *nth));
    let largest: Vec<_> = all.largest().map(|largest| (largest.bytes, largest.nth)).collect();
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
