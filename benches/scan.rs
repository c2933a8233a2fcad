//! A scan of all headers of a slice, compared with the least work that any program must do.
//!
//! The floor is a minimal hand-written loop: it walks the same headers, enters nested items, and passes the same ranges and
//! names to a closure. It is memory-safe on any input but checks nothing else: no order of sections, no UTF-8, no limits,
//! no error messages, and it cannot pause for missing bytes. Target: at most 1.3 times the floor, plus 30 ns.
//!
//! Each shape is scanned twice: generated (with small headers in warm memory) and, if the corpus was fetched, as the real
//! file, whose headers are megabytes apart.

use std::hint::black_box;

use sectile::scan::{DataRequest, Section, Visitor};
use sectile::{Cost, Limits, drive};

use sectile_testing::bench;
use sectile_testing::bench::inputs::{COMPONENT, Input, OPENCASCADE, RUBY_DEBUG, generated, input};
use sectile_testing::bench::paired::{Line, Side, Target, paired, print};

fn main() {
    let mut criterion = bench::criterion();
    for name in [OPENCASCADE, RUBY_DEBUG, COMPONENT] {
        let (real, generated) = (input(name), generated(name));
        let inputs = if real.id == generated.id { vec![generated] } else { vec![generated, real] };
        for Input { id, bytes } in inputs {
            let (sections, cost) = count(&bytes);
            let row = format!("scan/{sections}/{id}");
            let mut group = criterion.benchmark_group(&row);
            let floor = Side { name: "floor", run: || by_floor(black_box(&bytes)) };
            let times = paired(&mut group, || by_sectile(black_box(&bytes)), floor);
            group.finish();
            let target = Target::AtMost(1.3, 30.0);
            print(times.map(|times| Line { row: &row, other: "floor", times, target, cost, size: bytes.len() as u64 }));
        }
    }
    criterion.final_summary();
}

/// The number of sections and the cost of a scan. Asserts that both sides agree on all sections.
fn count(bytes: &[u8]) -> (u64, Cost) {
    let mut sum = Sum::default();
    let outcome = drive::scan_slice(bytes, &mut sum, Limits::default());
    let cost = outcome.cost();
    outcome.complete().expect("the input is valid");
    assert_eq!(sum, by_floor(bytes).expect("the input is valid"));
    (sum.sections, cost)
}

fn by_sectile(bytes: &[u8]) -> Sum {
    let mut sum = Sum::default();
    drive::scan_slice(bytes, &mut sum, Limits::default()).complete().expect("the input is valid");
    sum
}

fn by_floor(bytes: &[u8]) -> Option<Sum> {
    let mut sum = Sum::default();
    floor(bytes, |found| {
        sum.add([found.id.into(), found.start, found.payload, found.data, found.end, found.name.len() as u64]);
    })?;
    Some(sum)
}

/// Uses every reported value, so that the compiler cannot remove any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sum {
    sections: u64,
    sum: u64,
}

impl Sum {
    #[inline]
    fn add(&mut self, numbers: [u64; 6]) {
        self.sections += 1;
        self.sum = self.sum.wrapping_add(numbers.iter().fold(0, |sum, number| sum ^ number));
    }
}

impl<'w> Visitor<'w> for Sum {
    #[inline]
    fn section(&mut self, section: &Section<'w>) -> DataRequest {
        let (range, payload, data) = (section.range(), section.payload(), section.data());
        let name = section.name_bytes().len() as u64;
        self.add([section.id().into(), range.start, payload.start, data.start, range.end, name]);
        DataRequest::Nothing
    }
}

/// A section as the floor reports it.
struct Found<'a> {
    id: u8,
    start: u64,
    payload: u64,
    data: u64,
    end: u64,
    name: &'a [u8],
}

fn floor<'a>(bytes: &'a [u8], mut on_section: impl FnMut(Found<'a>)) -> Option<()> {
    const DEPTH: usize = 16;
    let mut enclosing = [(0, false); DEPTH];
    let mut depth = 0;
    let mut is_component = *bytes.get(4)? == 0x0d;
    let mut end = bytes.len();
    let mut at = 8;
    loop {
        if at >= end {
            if depth == 0 {
                return Some(());
            }
            depth -= 1;
            (end, is_component) = enclosing[depth];
            continue;
        }
        let start = at;
        let id = *bytes.get(at)?;
        at += 1;
        let size = leb128(bytes, &mut at)? as usize;
        let payload = at;
        let section_end = payload + size;
        if section_end > end {
            return None;
        }
        let mut name = &[][..];
        if id == 0 {
            let len = leb128(bytes, &mut at)? as usize;
            name = bytes.get(at..at + len)?;
            at += len;
            if at > section_end {
                return None;
            }
        }
        on_section(Found {
            id,
            start: start as u64,
            payload: payload as u64,
            data: at as u64,
            end: section_end as u64,
            name,
        });
        if is_component && (id == 1 || id == 4) {
            *enclosing.get_mut(depth)? = (end, is_component);
            depth += 1;
            is_component = *bytes.get(payload + 4)? == 0x0d;
            end = section_end;
            at = payload + 8;
        } else {
            at = section_end;
        }
    }
}

#[inline(always)]
fn leb128(bytes: &[u8], at: &mut usize) -> Option<u32> {
    let mut number = 0;
    for shift in [0, 7, 14, 21, 28] {
        let byte = *bytes.get(*at)?;
        *at += 1;
        number |= u32::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}
