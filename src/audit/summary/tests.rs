use std::hint::black_box;
use std::time::Instant;

use super::*;
use crate::audit::sample::{bare, hostile, mixed, summary, usual};
use crate::audit::{Form, Largest, RowShare};

fn rows() -> Vec<Row<'static>> {
    (0..3_000).map(|nth| if nth % 11 == 0 { hostile(nth) } else { usual(nth) }).collect()
}

/// Rows dealt to any number of workers, in any order, whose summaries are merged in any order.
#[test]
fn no_order_matters() {
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
    assert_eq!(Ended::ALL.map(|ended| all.ended(ended)).iter().sum::<u64>(), 3_000);
    assert_eq!(all.largest().count(), 20);
    assert_eq!(all.worst().count(), 20);
    assert_eq!(all.broken().count(), 20);
}

/// What is shown is what a plain count gives.
#[test]
fn counts_are_those_of_a_plain_count() {
    let rows = rows();
    let all = summary(&rows);
    let with = |code| rows.iter().filter(|row| row.judged.iter().any(|judged| judged.finding.code == code)).count();
    assert!(all.codes().iter().all(|(code, count)| count.rows == with(*code) as u64));
    let refused = rows.iter().filter(|row| row.judged.iter().any(|judged| judged.refused)).count();
    assert_eq!(all.refused, refused as u64);
    for (kind, count) in all.kinds() {
        let shares = rows.iter().flat_map(|row| &row.shares).filter(|share| share.kind == kind);
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
fn findings_are_counted_and_shares_are_of_the_store() {
    let rows = rows();
    let mut all = summary(&rows);
    let judged = || rows.iter().flat_map(|row| &row.judged);
    let counted: u64 = judged().map(|judged| judged.finding.count).sum();
    assert_eq!(all.codes().iter().map(|(_, count)| count.all()).sum::<u64>(), counted);
    let errors = rows.iter().filter(|row| row.worst() == Some(Severity::Error)).count();
    let has_error = |row: &&Row<'_>| row.judged.iter().any(|judged| judged.severity == Severity::Error);
    assert!(errors > 0 && errors == rows.iter().filter(has_error).count());
    assert_eq!(bare(0, std::ffi::OsStr::new("f")).worst(), None);
    assert!(all.share_read().abs() < f64::EPSILON, "of nothing");
    all.store_bytes = all.store_bytes_read() * 4;
    assert!((all.share_read() - 0.25).abs() < f64::EPSILON, "{}", all.share_read());
}

/// A store with a million licences takes the memory of a few thousand.
#[test]
fn a_million_licences_are_bounded() {
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
    assert_eq!(licenses.len(), MOST_KEYS);
    let smaller = |nth: &u64| format!("{:06}", mixed(*nth) % 100_000).as_str() <= "001000";
    let counted = licenses.iter().filter(|(license, _)| *license <= "001000").map(|(_, rows)| rows).sum::<u64>();
    assert_eq!(counted, (0..200_000).filter(smaller).count() as u64);
    assert_eq!(all.licensed, 200_000);
}

/// Sums of what a store claims do not overflow.
#[test]
fn sums_saturate() {
    let mut row = usual(0);
    (row.size, row.bytes_read, row.items, row.packages) = (Some(u64::MAX), u64::MAX, u64::MAX, u64::MAX);
    row.shares = vec![RowShare { kind: "code".into(), sections: u64::MAX, bytes: u64::MAX }; 2];
    row.largest = Some(Largest { kind: "code".into(), name: None, bytes: u64::MAX });
    row.judged = vec![crate::audit::sample::finding(Code::NotUtf8, None, 0, "")];
    row.judged[0].finding.to_mut().count = u64::MAX;
    let mut all = summary([&row, &row]);
    all.merge(all.clone());
    assert_eq!((all.bytes, all.sections, all.findings(Severity::Error)), (u64::MAX, u64::MAX, u64::MAX));
}

/// What adding a row costs: `cargo test --release --lib cost_of_adding -- --ignored --nocapture`.
#[test]
#[ignore = "for information"]
#[allow(clippy::print_stdout)]
fn cost_of_adding() {
    let rows: Vec<_> = (0..200).map(usual).collect(); // as near as rows are that were just made
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
    for form in Form::ALL {
        let (begin, mut out, mut bytes) = (Instant::now(), Vec::new(), 0);
        for row in &rows {
            out.clear();
            form.row(black_box(row), &mut out);
            bytes += out.len();
        }
        let number = rows.len() as u128;
        println!("{}: {} ns and {} bytes a row", form.name(), begin.elapsed().as_nanos() / number, bytes / rows.len());
    }
}
