//! Imports and exports, one line each.

use std::io::{self, Write};

use sectile::interface::{Extern, Interface};

use super::style::{FAINT, labeled};
use super::value::ShortText;

/// Writes the imports and exports of the root item, or the definitions of a WIT package.
pub fn write_interface(interface: &Interface, out: &mut impl Write) -> io::Result<()> {
    write_externs("imports", interface.imports(), out)?;
    let Some(package) = interface.wit_package() else { return write_externs("exports", interface.exports(), out) };
    labeled(out, "WIT package", ShortText(package.name().as_bytes()))?;
    write_names("interfaces", package.interfaces(), out)?;
    write_names("worlds", package.worlds(), out)
}

fn write_externs(label: &str, externs: &[Extern], out: &mut impl Write) -> io::Result<()> {
    let mut label = label;
    for item in externs {
        let name = ShortText(item.name().as_bytes());
        let kind = item.kind().name();
        match (item.module(), item.implements()) {
            (Some(module), _) => {
                let module = ShortText(module.as_bytes());
                labeled(out, label, format_args!("{kind:<9}  {module} {name}"))?;
            }
            (None, Some(interface)) => {
                let interface = ShortText(interface.as_bytes());
                labeled(out, label, format_args!("{kind:<9}  {name} {FAINT}implements {interface}{FAINT:#}"))?;
            }
            (None, None) => labeled(out, label, format_args!("{kind:<9}  {name}"))?,
        }
        label = "";
    }
    Ok(())
}

fn write_names(label: &str, names: &[String], out: &mut impl Write) -> io::Result<()> {
    let mut label = label;
    for name in names {
        labeled(out, label, ShortText(name.as_bytes()))?;
        label = "";
    }
    Ok(())
}
