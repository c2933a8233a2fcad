//! The report about the consumers of an image.

use std::ffi::OsStr;
use std::io::{self, Write};

use sectile::internal::json::{SCHEMA, write_os, write_text};

use crate::consumer::{ConsumerVerdict, ImageCheck, RuleFinding};

/// Report about the consumers that would load an image.
#[derive(Clone, Copy, Debug)]
pub struct CheckReport<'a> {
    image: &'a OsStr,
    check: &'a ImageCheck,
}

impl<'a> CheckReport<'a> {
    /// Creates the report about an image with this name.
    pub fn new(image: &'a OsStr, check: &'a ImageCheck) -> Self {
        Self { image, check }
    }

    /// Returns the name of the image.
    pub fn image(&self) -> &'a OsStr {
        self.image
    }

    /// Returns the result of the check.
    pub fn check(&self) -> &'a ImageCheck {
        self.check
    }

    /// Writes the report as one JSON object with its keys in a fixed order, followed by a line
    /// feed.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    pub fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        write!(out, "{{\"schema\":{SCHEMA},\"image\":")?;
        write_os(out, self.image)?;
        write!(out, ",\"digest\":\"{}\",\"shape\":", self.check.digest())?;
        match self.check.shape() {
            Some(shape) => write_text(out, shape.name)?,
            None => write!(out, "null")?,
        }
        write!(out, ",\"consumers\":")?;
        write_list(out, self.check.verdicts(), write_verdict)?;
        writeln!(out, "}}")
    }
}

fn write_verdict<W: Write>(out: &mut W, verdict: &ConsumerVerdict) -> io::Result<()> {
    let loads = verdict.loads().map_or("null", |loads| if loads { "true" } else { "false" });
    write!(out, "{{\"consumer\":\"{}\",\"loads\":{loads},\"broken\":", verdict.consumer().name())?;
    write_list(out, verdict.broken(), write_finding)?;
    write!(out, ",\"unchecked\":")?;
    write_list(out, verdict.unchecked(), write_finding)?;
    write!(out, "}}")
}

fn write_finding<W: Write>(out: &mut W, finding: &RuleFinding) -> io::Result<()> {
    let rule = finding.rule();
    let members = [("rule", rule.name), ("text", rule.text), ("found", finding.found()), ("source", rule.source)];
    for (nth, (key, value)) in members.into_iter().enumerate() {
        write!(out, "{}\"{key}\":", if nth == 0 { "{" } else { "," })?;
        write_text(out, value)?;
    }
    write!(out, "}}")
}

fn write_list<W: Write, T>(
    out: &mut W,
    values: &[T],
    write_one: impl Fn(&mut W, &T) -> io::Result<()>,
) -> io::Result<()> {
    write!(out, "[")?;
    for (nth, value) in values.iter().enumerate() {
        if nth > 0 {
            write!(out, ",")?;
        }
        write_one(out, value)?;
    }
    write!(out, "]")
}
