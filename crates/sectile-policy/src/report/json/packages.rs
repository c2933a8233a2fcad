//! Packages, declared and found in the data.

use std::borrow::Cow;
use std::io::{self, Write};

use sectile::internal::json::{put, write_array, write_text};
use sectile::inventory::{GoBuild, Inventory, Package};

use super::Budget;
use crate::report::Report;

/// Writes the key `packages`, and `go_builds` if there are any.
pub(super) fn write_packages(report: &Report<'_>, out: &mut impl Write, budget: &mut Budget) -> io::Result<()> {
    put!(out, ",\"packages\":[")?;
    for (nth, package) in report.packages().enumerate() {
        write_element(nth, &package, out, budget)?;
    }
    put!(out, "]")?;
    let builds = report.inventory.map(Inventory::go_builds).filter(|builds| !builds.is_empty());
    let Some(builds) = builds else { return Ok(()) };
    put!(out, ",\"go_builds\":[")?;
    for (nth, build) in builds.iter().enumerate() {
        budget.write(out, |out| {
            put!(out, if nth > 0 { "," } else { "" })?;
            write_build(out, build)
        })?;
    }
    put!(out, "]")
}

/// The packages whose JSON fits into a budget.
pub(super) fn listed<'a>(report: &Report<'a>, mut budget: Budget) -> impl Iterator<Item = Cow<'a, Package>> + use<'a> {
    let fits = move |(nth, package): &(usize, Cow<'a, Package>)| {
        write_element(*nth, package, &mut io::sink(), &mut budget).unwrap_or(false)
    };
    report.packages().enumerate().take_while(fits).map(|(_, package)| package)
}

/// Writes an element of the list if it fits, and returns whether it did.
fn write_element(nth: usize, package: &Package, out: &mut impl Write, budget: &mut Budget) -> io::Result<bool> {
    budget.write(out, |out| {
        put!(out, if nth > 0 { "," } else { "" })?;
        write_package(out, package)
    })
}

fn write_package(out: &mut impl Write, package: &Package) -> io::Result<()> {
    put!(out, "{\"name\":")?;
    write_text(out, &package.name)?;
    put!(out, ",\"version\":")?;
    write_text(out, &package.version)?;
    put!(out, ",\"ecosystem\":\"", package.ecosystem.name(), "\",\"source\":")?;
    write_text(out, &package.source)?;
    let Package { evidence, confidence, .. } = package;
    put!(out, ",\"list\":\"", evidence.list().name(), "\",\"evidence\":\"", evidence.name())?;
    put!(out, "\",\"confidence\":\"", confidence.name(), "\",\"path\":\"", &package.path)?;
    put!(out, "\",\"offset\":", package.offset, ",\"count\":", package.count)?;
    for (key, value) in [("checksum", &package.checksum), ("replaces", &package.replaces)] {
        if let Some(value) = value {
            put!(out, ",\"", key, "\":")?;
            write_text(out, value)?;
        }
    }
    put!(out, "}")
}

fn write_build<W: Write>(out: &mut W, build: &GoBuild) -> io::Result<()> {
    put!(out, "{\"path\":")?;
    write_text(out, &build.path)?;
    put!(out, ",\"settings\":")?;
    write_array(out, &build.settings, |out, (key, value)| {
        put!(out, "[")?;
        write_text(out, key)?;
        put!(out, ",")?;
        write_text(out, value)?;
        put!(out, "]")
    })?;
    put!(out, ",\"offset\":", build.offset, ",\"complete\":", build.complete, "}")
}
