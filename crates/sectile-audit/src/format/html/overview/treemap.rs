//! Draws parts of a whole as nearly square rectangles, after Bruls, Huizing and van Wijk's *Squarified Treemaps*
//! (2000).

use std::io::{self, Write};

use super::super::family::SectionFamily;
use super::super::text::{FindLink, HtmlText};
use crate::KindCount;
use crate::amount::{ByteSize, percent};

/// The shape of the map, and its approximate size to decide whether a text fits.
const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 230.0;
/// Smaller parts of the whole are not shown.
const MIN_SHARE: f64 = 0.004;

/// Draws the kinds with the most bytes, each with a link to the rows that have it.
pub(super) fn draw(kinds: &[(&str, KindCount)], all: u64, out: &mut dyn Write) -> io::Result<()> {
    if all == 0 {
        return Ok(());
    }
    let shares: Vec<f64> = kinds.iter().map(|(_, count)| count.bytes as f64 / all as f64).collect();
    let number = shares.iter().take_while(|share| **share >= MIN_SHARE).count();
    let shown: f64 = shares[..number].iter().sum();
    let areas: Vec<f64> = shares[..number].iter().map(|share| share / shown * WIDTH * HEIGHT).collect();
    write!(
        out,
        "<svg class=\"treemap\" width=\"100%\" height=\"{HEIGHT}\" role=\"img\" aria-label=\"Bytes by kind of section\">"
    )?;
    for ((kind, count), [x, y, width, height]) in kinds.iter().zip(squarified(&areas)) {
        let (left, across) = (x / WIDTH * 100.0, width / WIDTH * 100.0);
        let amount = ByteSize(count.bytes).short();
        write!(
            out,
            "<a href=\"{}\"><svg x=\"{left:.3}%\" y=\"{y:.1}\" width=\"{across:.3}%\" height=\"{height:.1}\">\
             <title>{}: {amount}, {}</title><rect class=\"{}\" width=\"100%\" height=\"100%\"/>",
            FindLink("section", kind),
            HtmlText::new(kind),
            percent(count.bytes, all),
            SectionFamily::for_kind(kind).class()
        )?;
        let fits = |text: &str, size: f64| width * 0.55 > text.chars().count() as f64 * size * 0.56 + 10.0;
        if height > 24.0 && fits(kind, 13.0) {
            write!(out, "<text x=\"9\" y=\"19\">{}</text>", HtmlText::new(kind))?;
            if height > 42.0 && fits(&amount, 12.0) {
                write!(out, "<text class=\"amount\" x=\"9\" y=\"36\">{amount}</text>")?;
            }
        }
        write!(out, "</svg></a>")?;
    }
    writeln!(out, "</svg>")
}

/// Computes rectangles for areas in descending order that fill the map: left, top, width, height.
fn squarified(areas: &[f64]) -> Vec<[f64; 4]> {
    let [mut x, mut y, mut width, mut height] = [0.0, 0.0, WIDTH, HEIGHT];
    let mut places = Vec::with_capacity(areas.len());
    let mut rest = areas;
    while !rest.is_empty() {
        let side = width.min(height);
        let mut number = 1;
        while number < rest.len() && worst(&rest[..=number], side) <= worst(&rest[..number], side) {
            number += 1;
        }
        let (row, after) = rest.split_at(number);
        let sum: f64 = row.iter().sum();
        let depth = sum / side.max(f64::MIN_POSITIVE);
        let mut at = 0.0;
        for area in row {
            let length = area / depth.max(f64::MIN_POSITIVE);
            places.push(if width >= height { [x, y + at, depth, length] } else { [x + at, y, length, depth] });
            at += length;
        }
        if width >= height {
            (x, width) = (x + depth, (width - depth).max(0.0));
        } else {
            (y, height) = (y + depth, (height - depth).max(0.0));
        }
        rest = after;
    }
    places
}

/// The worst aspect ratio of the rectangles in a row.
fn worst(row: &[f64], side: f64) -> f64 {
    let sum: f64 = row.iter().sum();
    let ratio = |area: &f64| (side * side * area / (sum * sum)).max(sum * sum / (side * side * area));
    row.iter().map(ratio).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rectangles_fill_the_map() {
        for number in 1..30 {
            let weights: Vec<f64> = (0..number).map(|nth| 1.0 / f64::from(1 + nth * nth)).collect();
            let sum: f64 = weights.iter().sum();
            let areas: Vec<f64> = weights.iter().map(|weight| weight / sum * WIDTH * HEIGHT).collect();
            let places = squarified(&areas);
            assert_eq!(places.len(), areas.len());
            for ([x, y, width, height], area) in places.iter().zip(&areas) {
                assert!((width * height - area).abs() < 1e-6);
                assert!(*x > -1e-6 && *y > -1e-6 && x + width < WIDTH + 1e-6 && y + height < HEIGHT + 1e-6);
            }
        }
    }
}
