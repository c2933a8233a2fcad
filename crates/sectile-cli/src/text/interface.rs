//! Imports and exports, one line each.

use std::io::{self, Write};

use sectile::interface::{Extern, Interface};

use super::layout::Layout;
use super::style::DIMMED;
use super::value::ShortText;

/// Writes the imports and exports of the root item, or the definitions of a WIT package.
pub fn write_interface(interface: &Interface, layout: Layout, out: &mut impl Write) -> io::Result<()> {
    write_externs("imports", interface.imports(), layout, out)?;
    let Some(package) = interface.wit_package() else {
        return write_externs("exports", interface.exports(), layout, out);
    };
    layout.labeled(out, "WIT package", ShortText(package.name().as_bytes()))?;
    write_names("interfaces", package.interfaces(), layout, out)?;
    write_names("worlds", package.worlds(), layout, out)
}

fn write_externs(label: &str, externs: &[Extern], layout: Layout, out: &mut impl Write) -> io::Result<()> {
    let mut label = label;
    for item in externs {
        let name = ShortText(item.name().as_bytes());
        let kind = item.kind().name();
        match (item.module(), item.implements()) {
            (Some(module), _) => {
                let module = ShortText(module.as_bytes());
                layout.labeled(out, label, format_args!("{kind:<9}  {module} {name}"))?;
            }
            (None, Some(interface)) => {
                let interface = ShortText(interface.as_bytes());
                layout.labeled(
                    out,
                    label,
                    format_args!("{kind:<9}  {name} {DIMMED}implements {interface}{DIMMED:#}"),
                )?;
            }
            (None, None) => layout.labeled(out, label, format_args!("{kind:<9}  {name}"))?,
        }
        label = "";
    }
    Ok(())
}

fn write_names(label: &str, names: &[String], layout: Layout, out: &mut impl Write) -> io::Result<()> {
    let mut label = label;
    for name in names {
        layout.labeled(out, label, ShortText(name.as_bytes()))?;
        label = "";
    }
    Ok(())
}
