//! Imports and exports, as keys of the root item.

use std::io::{self, Write};

use sectile::interface::{Extern, Interface, WitPackage};
use sectile::internal::json::{write_array, write_text};

/// Writes `imports` and `exports`, and `wit_package` for a WIT package, after the keys of an item.
pub(super) fn write_interface(out: &mut impl Write, interface: &Interface) -> io::Result<()> {
    write!(out, ",\"imports\":")?;
    write_array(out, interface.imports(), write_extern)?;
    write!(out, ",\"exports\":")?;
    write_array(out, interface.exports(), write_extern)?;
    if !interface.is_complete() {
        write!(out, ",\"incomplete_interface\":true")?;
    }
    match interface.wit_package() {
        Some(package) => write_wit_package(out, package),
        None => Ok(()),
    }
}

fn write_extern<W: Write>(out: &mut W, found: &Extern) -> io::Result<()> {
    write!(out, "{{")?;
    if let Some(module) = found.module() {
        write!(out, "\"module\":")?;
        write_text(out, module)?;
        write!(out, ",")?;
    }
    write!(out, "\"name\":")?;
    write_text(out, found.name())?;
    write!(out, ",\"kind\":\"{}\"", found.kind().name())?;
    if let Some(implements) = found.implements() {
        write!(out, ",\"implements\":")?;
        write_text(out, implements)?;
    }
    write!(out, ",\"offset\":{}}}", found.offset())
}

fn write_wit_package(out: &mut impl Write, package: &WitPackage) -> io::Result<()> {
    write!(out, ",\"wit_package\":{{\"name\":")?;
    write_text(out, package.name())?;
    write!(out, ",\"interfaces\":")?;
    write_array(out, package.interfaces(), |out, name| write_text(out, name))?;
    write!(out, ",\"worlds\":")?;
    write_array(out, package.worlds(), |out, name| write_text(out, name))?;
    write!(out, "}}")
}
