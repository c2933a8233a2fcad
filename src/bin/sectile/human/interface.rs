//! Imports and exports, a line each.

use std::io::{self, Write};

use sectile::interface::{Extern, Interface};

use super::{FAINT, Short, row};

/// What the root item imports and exports, and what it defines if it is a WIT package.
pub fn says(interface: &Interface, out: &mut impl Write) -> io::Result<()> {
    externs("imports", interface.imports(), out)?;
    let Some(package) = interface.wit_package() else { return externs("exports", interface.exports(), out) };
    row(out, "WIT package", Short(package.name().as_bytes()))?;
    names("interfaces", package.interfaces(), out)?;
    names("worlds", package.worlds(), out)
}

fn externs(label: &str, externs: &[Extern], out: &mut impl Write) -> io::Result<()> {
    let mut label = label;
    for found in externs {
        let name = Short(found.name().as_bytes());
        let kind = found.kind().name();
        match (found.module(), found.implements()) {
            (Some(module), _) => row(out, label, format_args!("{kind:<9}  {} {name}", Short(module.as_bytes())))?,
            (None, Some(interface)) => {
                let interface = Short(interface.as_bytes());
                row(out, label, format_args!("{kind:<9}  {name} {FAINT}implements {interface}{FAINT:#}"))?;
            }
            (None, None) => row(out, label, format_args!("{kind:<9}  {name}"))?,
        }
        label = "";
    }
    Ok(())
}

fn names(label: &str, names: &[String], out: &mut impl Write) -> io::Result<()> {
    let mut label = label;
    for name in names {
        row(out, label, Short(name.as_bytes()))?;
        label = "";
    }
    Ok(())
}
