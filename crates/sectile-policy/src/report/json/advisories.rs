//! Advisories, and the databases that they come from.

use std::io::{self, Write};

use crate::JudgedFinding;
use sectile::internal::json::{put, write_array, write_text};
use sectile_advisories::{AdvisoryMatch, Database, Rating, Score};

/// Writes the member `advisories`, if there are any: each with the index of the finding about it.
///
/// # Errors
///
/// Errors of the writer.
pub fn write_advisories(out: &mut impl Write, findings: &[JudgedFinding<'_>]) -> io::Result<()> {
    let found = || (0_u64..).zip(findings).filter(|(_, judged)| judged.advisory().is_some());
    if found().next().is_none() {
        return Ok(());
    }
    put!(out, ",\"advisories\":")?;
    write_array(out, found(), |out, (index, judged)| write_advisory(out, index, judged))
}

fn write_advisory<W: Write>(out: &mut W, index: u64, judged: &JudgedFinding<'_>) -> io::Result<()> {
    let Some(found) = judged.advisory() else { return Ok(()) };
    put!(out, "{")?;
    write_match(out, found)?;
    put!(out, ",\"refused\":", judged.refused, ",\"finding\":", index, "}")
}

/// Writes the members of an advisory, without braces.
///
/// # Errors
///
/// Errors of the writer.
pub fn write_match<W: Write>(out: &mut W, found: &AdvisoryMatch) -> io::Result<()> {
    let (advisory, affected) = (found.advisory(), &found.affected);
    let mut texts = |texts: [(&str, &str); 7]| {
        texts.into_iter().enumerate().try_for_each(|(nth, (key, text))| {
            put!(out, if nth == 0 { "\"" } else { ",\"" }, key, "\":")?;
            write_text(out, text)
        })
    };
    texts([
        ("id", &advisory.id),
        ("package", affected.package()),
        ("version", &found.version),
        ("ecosystem", affected.ecosystem().name()),
        ("origin", found.origin.name()),
        ("class", advisory.class.name()),
        ("title", &advisory.title),
    ])?;
    put!(out, ",\"url\":")?;
    write_text(out, &advisory.url)?;
    put!(out, ",\"severity\":")?;
    match advisory.rating {
        Some(rating) => write_text(out, Rating::name(rating))?,
        None => put!(out, "null")?,
    }
    put!(out, ",\"score\":")?;
    match advisory.score {
        Some(score) => put!(out, Score::to_string(&score).as_str())?,
        None => put!(out, "null")?,
    }
    let scope = affected.scope();
    let lists = [
        ("aliases", &advisory.aliases),
        ("fixed", &scope.fixed),
        ("functions", &scope.functions),
        ("targets", &scope.targets),
    ];
    for (key, list) in lists {
        put!(out, ",\"", key, "\":")?;
        write_array(out, list.iter().map(|text| &**text), |out, text: &str| write_text(out, text))?;
    }
    if scope.excludes_wasm {
        put!(out, ",\"excludes_wasm\":true")?;
    }
    Ok(())
}

/// Writes the databases of advisories, as an array.
///
/// # Errors
///
/// Errors of the writer.
pub fn write_databases(out: &mut impl Write, databases: &[Database]) -> io::Result<()> {
    write_array(out, databases, |out, database| {
        put!(out, "{\"path\":")?;
        write_text(out, &database.path)?;
        put!(out, ",\"format\":\"", database.format.name(), "\",\"commit\":")?;
        match &database.commit {
            Some(commit) => write_text(out, commit)?,
            None => put!(out, "null")?,
        }
        put!(out, ",\"digest\":\"sha256:", &*database.digest, "\",\"date\":")?;
        write_text(out, &database.date)?;
        put!(out, ",\"advisories\":", database.advisories, ",\"problems\":", database.problems, "}")
    })
}
