//! Writes the summary as markup. The content security policy allows no inline style, so the charts use SVG attributes.

mod treemap;

use std::fmt::Display;
use std::io::{self, Write};

use super::family::SectionFamily;
use super::text::{FindLink, HtmlText};
use crate::amount::{ByteSize, Grouped, percent};
use crate::{AdvisoryCount, AuditInfo, Completeness, ProducerCount, RowCount, RowKind, Stop, Summary};
use sectile::Severity;
use sectile_advisories::{Rating, is_web_address};

type Out<'o> = &'o mut dyn Write;

/// Number of bars in a chart.
const MAX_BARS: usize = 8;
/// Number of advisories.
const MAX_ADVISORIES: usize = 500;
/// Number of versions in a bar.
const MAX_VERSIONS: usize = 6;

/// Writes the header of the page.
pub(super) fn masthead(info: &AuditInfo, title: &str, out: Out<'_>) -> io::Result<()> {
    write!(
        out,
        "<header class=\"masthead\"><a class=\"mark\" href=\"#\" aria-label=\"Sectile audit: to the top\">\
         <svg viewBox=\"0 0 16 16\" width=\"28\" height=\"28\" aria-hidden=\"true\"><path class=\"c-code\" d=\"M1 1h8L4 15H1z\"/>\
         <path class=\"c-debug\" d=\"M10.200 1H15v5.600L8.500 5.700z\"/><path class=\"c-meta\" d=\"M8.100 6.800 15 7.700V15H5.200z\"/>\
         </svg></a><div><p class=\"kicker\">Sectile audit</p><h1>{title}</h1></div><dl class=\"about\">"
    )?;
    match &info.policy_name {
        Some(policy) => {
            let policy = HtmlText::bytes(policy.as_encoded_bytes());
            write!(out, "<div><dt>Policy</dt><dd>{policy}</dd></div>")?;
        }
        None if info.has_default_policy() => write!(out, "<div><dt>Policy</dt><dd>none: errors refuse</dd></div>")?,
        None => write!(out, "<div><dt>Policy</dt><dd>one without a name</dd></div>")?,
    }
    for database in &info.databases {
        write!(out, "<div><dt>Advisories</dt><dd>{}</dd></div>", HtmlText::new(&database.to_string()))?;
    }
    if let Some(day) = &info.day {
        write!(out, "<div><dt>Day</dt><dd>{}</dd></div>", HtmlText::new(day))?;
    }
    writeln!(out, "</dl></header>")
}

/// Writes the summary, and the elements that the script fills.
pub(super) fn write(summary: &Summary, stop: Option<&Stop>, out: Out<'_>) -> io::Result<()> {
    writeln!(out, "<main id=\"overview\">")?;
    if let Some(stop) = stop {
        write!(out, "<p class=\"stopped\" role=\"alert\"><strong>This audit was stopped before its end.</strong> ")?;
        match &stop.after {
            Some(file) => {
                writeln!(out, "The last row is for <code>{}</code>.</p>", HtmlText::bytes(file.as_encoded_bytes()))?;
            }
            None => writeln!(out, "No row was written.</p>")?,
        }
    }
    if let Some(comparison) = &summary.comparison {
        writeln!(out, "<p role=\"note\">Since the baseline: {comparison}.</p>")?;
    }
    totals(summary, out)?;
    writeln!(out, "<div class=\"cards\">")?;
    findings(summary, out)?;
    advisories(summary, out)?;
    unused_exceptions(summary, out)?;
    licenses(summary, out)?;
    producers(summary, out)?;
    kinds(summary, out)?;
    not_opened(summary, out)?;
    worst(summary, out)?;
    largest(summary, out)?;
    incomplete(summary, out)?;
    writeln!(
        out,
        "</div></main>\n<section id=\"blobs\" aria-label=\"All rows\" hidden></section>\n\
         <main id=\"blob\" tabindex=\"-1\" hidden></main>\n\
         <noscript><p class=\"noscript\">The table of all rows, and the page of each, need the script of this page.</p></noscript>"
    )
}

/// Writes the verdicts on the binaries as a ring, and the totals next to it.
fn totals(summary: &Summary, out: Out<'_>) -> io::Result<()> {
    let RowCount { rows, accepted, refused, .. } = summary.rows_of(RowKind::Binary);
    let rest = rows.saturating_sub(accepted).saturating_sub(refused);
    let parts = [("ok", "accepted", "accepted", accepted), ("error", "refused", "refused", refused)];
    let parts = parts.into_iter().chain([("warning", "unjudged", "unjudged (truncated or skipped)", rest)]);
    let parts: Vec<_> = parts.collect();
    write!(
        out,
        "<section class=\"figures\" aria-label=\"In figures\"><div class=\"verdict\">\
         <svg class=\"ring\" viewBox=\"0 0 42 42\" role=\"img\" aria-label=\"{} accepted\">\
         <circle class=\"track\" cx=\"21\" cy=\"21\" r=\"15.915\"/>",
        percent(accepted, rows)
    )?;
    let mut turned = 0.0;
    for (class, _, label, number) in &parts {
        let length = width_percent(*number, rows);
        if length > 0.0 {
            write!(
                out,
                "<circle class=\"arc s-{class}\" cx=\"21\" cy=\"21\" r=\"15.915\" stroke-dasharray=\"{length:.3} {:.3}\" \
                 stroke-dashoffset=\"{:.3}\"><title>{}: {}</title></circle>",
                100.0 - length,
                25.0 - turned,
                label,
                Grouped(*number)
            )?;
        }
        turned += length;
    }
    let whole = if rows > 0 && accepted < rows {
        format!("{:.1}", (width_percent(accepted, rows) * 10.0).floor() / 10.0)
    } else {
        percent(accepted, rows).replace(".0 %", "")
    };
    write!(
        out,
        "<text class=\"ring-number\" x=\"21\" y=\"21.5\">{}</text><text class=\"ring-unit\" x=\"21\" y=\"26.500\">% accepted</text></svg><ul>",
        whole.replace(" %", "")
    )?;
    for (class, token, label, number) in &parts {
        let link = FindLink("verdict", token);
        write!(
            out,
            "<li><a href=\"{link}/row%3Abinary\"><i class=\"dot s-{class}\"></i><b>{}</b> {label}</a></li>",
            Grouped(*number)
        )?;
    }
    write!(out, "</ul></div><dl class=\"tiles\">")?;
    let tile = |out: Out<'_>, label: &str, value: &dyn Display, note: &dyn Display| {
        write!(out, "<div><dt>{label}</dt><dd>{value}<small>{note}</small></dd></div>")
    };
    let kinds = format!("{} modules, {} components", Grouped(summary.modules), Grouped(summary.components));
    tile(out, "Binaries", &Grouped(rows), &kinds)?;
    let others = [RowKind::Archive, RowKind::File].map(|kind| (summary.rows_of(kind), kind.plural()));
    if others.iter().any(|(count, _)| count.rows > 0) {
        let value = others.iter().map(|(count, what)| format!("{} {what}", Grouped(count.rows)));
        let refused = format!("{} of them refused", Grouped(others.iter().map(|(count, _)| count.refused).sum()));
        tile(out, "With findings", &value.collect::<Vec<_>>().join(", "), &refused)?;
    }
    let again =
        [(summary.other_names, "further names"), (summary.archives, "archives"), (summary.not_wasm, "other files")];
    let again = again.into_iter().filter(|(number, _)| *number > 0);
    let again: Vec<String> = again.map(|(number, what)| format!("{} {what}", Grouped(number))).collect();
    let again = again.join(", ");
    tile(out, "Size", &ByteSize(summary.bytes).short(), &again)?;
    let (read, of) = (summary.store_bytes_read(), summary.store_bytes);
    let detail = format!("{} of {}", ByteSize(read).short(), ByteSize(of).short());
    tile(out, "Read", &percent(read, of), &detail)?;
    let items = format!("in {} items", Grouped(summary.items));
    tile(out, "Sections", &Grouped(summary.sections), &items)?;
    tile(out, "Packages", &Grouped(summary.packages), &"declared, or found in the data")?;
    let broken = summary.rows_with(Completeness::Partial) + summary.rows_with(Completeness::Unread);
    let skipped = format!("{} skipped on purpose", Grouped(summary.rows_with(Completeness::Skipped)));
    tile(out, "Not read to the end", &Grouped(broken), &skipped)?;
    writeln!(out, "</dl></section>")
}

fn card(out: Out<'_>, class: &str, title: &str, note: &dyn Display) -> io::Result<()> {
    writeln!(out, "<section class=\"card {class}\"><h2>{title}</h2><p class=\"note\">{note}</p>")
}

fn findings(summary: &Summary, out: Out<'_>) -> io::Result<()> {
    let all = Severity::ALL.iter().fold(0, |sum: u64, severity| sum.saturating_add(summary.findings(*severity)));
    card(out, "findings", "Findings", &format_args!("{} by severity, then by code: in how many rows", Grouped(all)))?;
    if all == 0 && summary.excepted == 0 {
        return writeln!(out, "<p class=\"empty\">No findings.</p></section>");
    }
    let severities = || Severity::ALL.into_iter().rev().map(|severity| (severity, summary.findings(severity)));
    let parts = severities().map(|(severity, number)| (format!("s-{severity}"), severity.to_string(), number));
    stacked(out, parts, all)?;
    write!(out, "<ul class=\"legend\">")?;
    for (severity, number) in severities() {
        let link = FindLink("severity", severity.name());
        let plural = if number == 1 { "" } else { "s" };
        write!(
            out,
            "<li><a href=\"{link}\"><i class=\"dot s-{severity}\"></i><b>{}</b> {severity}{plural}</a></li>",
            Grouped(number)
        )?;
    }
    if summary.excepted > 0 {
        let link = FindLink("is", "excepted");
        write!(
            out,
            "<li><a href=\"{link}\"><i class=\"dot s-none\"></i><b>{}</b> excepted</a></li>",
            Grouped(summary.excepted)
        )?;
    }
    writeln!(out, "</ul>")?;
    let codes = summary.codes();
    let most = codes.iter().map(|(_, count)| count.rows).max().unwrap_or_default();
    let bars = codes.iter().map(|(code, count)| Bar {
        link: FindLink("code", code.name()),
        label: code.name(),
        title: code.help(),
        value: Grouped(count.rows).to_string(),
        class: count.worst().map_or("s-none", severity_class),
        part: count.rows,
    });
    bar_list(out, bars, most, codes.len())?;
    write!(out, "<details class=\"remedy\"><summary>Meanings and remedies</summary><dl>")?;
    for (code, _) in &codes {
        write!(out, "<dt>{code}</dt><dd>{} {}</dd>", HtmlText::new(code.help()), HtmlText::new(code.fix()))?;
    }
    writeln!(out, "</dl></details></section>")
}

/// Writes the advisories about packages, each with its versions and its first binaries.
fn advisories(summary: &Summary, out: Out<'_>) -> io::Result<()> {
    let number = summary.advisories().count();
    if number == 0 {
        return Ok(());
    }
    card(out, "", "Advisories", &"about packages in the binaries, the most important first: in how many binaries")?;
    write!(out, "<ul class=\"list\">")?;
    for count in summary.advisories().take(MAX_ADVISORIES) {
        advisory(count, out)?;
    }
    if number > MAX_ADVISORIES {
        write!(out, "<li>{} more</li>", Grouped((number - MAX_ADVISORIES) as u64))?;
    }
    writeln!(out, "</ul></section>")
}

fn advisory(count: &AdvisoryCount, out: Out<'_>) -> io::Result<()> {
    let advisory = count.affected.advisory();
    let (severity, class) = match advisory.rating {
        Some(rating) => (rating.name(), if rating >= Rating::High { "s-error" } else { "s-warning" }),
        None => (advisory.class.name(), "s-warning"),
    };
    write!(out, "<li><i class=\"dot {class}\"></i> <b>{severity}</b> ")?;
    let id = HtmlText::new(&advisory.id);
    if is_web_address(&advisory.url) {
        write!(out, "<a href=\"{}\" rel=\"noreferrer\">{id}</a>", HtmlText::new(&advisory.url))?;
    } else {
        write!(out, "{id}")?;
    }
    let versions: Vec<String> = count.versions.iter().map(|version| HtmlText::new(version).to_string()).collect();
    write!(
        out,
        " {} {}<p>{}</p><p class=\"where\">",
        HtmlText::new(count.affected.package()),
        versions.join(", "),
        HtmlText::new(&advisory.title)
    )?;
    match count.affected.fixed() {
        [] => write!(out, "no fixed version is known")?,
        fixed => write!(out, "fixed in {}", HtmlText::new(&fixed.join(" or ")))?,
    }
    write!(out, "; in {} binaries, {} refused", Grouped(count.rows), Grouped(count.refused))?;
    if count.excepted > 0 {
        write!(out, ", {} excepted", Grouped(count.excepted))?;
    }
    write!(out, ": ")?;
    for (nth, (row, file)) in count.files().enumerate() {
        let comma = if nth > 0 { ", " } else { "" };
        write!(out, "{comma}<a href=\"#blob/{row}\">{}</a>", HtmlText::bytes(file.as_encoded_bytes()))?;
    }
    if count.rows > count.files().count() as u64 {
        write!(out, ", …")?;
    }
    write!(out, "</p></li>")
}

/// Writes the exceptions of the policy that excuse nothing.
fn unused_exceptions(summary: &Summary, out: Out<'_>) -> io::Result<()> {
    let unused = summary.unused_exceptions();
    if unused.is_empty() {
        return Ok(());
    }
    card(
        out,
        "",
        "Unused exceptions",
        &"exceptions of the policy that excused nothing; remove them if they are obsolete",
    )?;
    write!(out, "<ul class=\"list\">")?;
    for exception in unused.iter().take(MAX_BARS * 16) {
        write!(out, "<li>{}", HtmlText::new(&exception.reason))?;
        if let Some(location) = &exception.location {
            write!(out, "<p class=\"where\">{}</p>", HtmlText::new(&location.to_string()))?;
        }
        write!(out, "</li>")?;
    }
    if unused.len() > MAX_BARS * 16 {
        write!(out, "<li>{} more</li>", Grouped((unused.len() - MAX_BARS * 16) as u64))?;
    }
    writeln!(out, "</ul></section>")
}

fn licenses(summary: &Summary, out: Out<'_>) -> io::Result<()> {
    let licenses = summary.licenses();
    card(out, "licenses", "Licenses", &"as the root of each blob states")?;
    let most = licenses.first().map_or(0, |(_, rows)| *rows).max(summary.unlicensed);
    let none = (summary.unlicensed > 0).then(|| Bar {
        link: FindLink("is", "unlicensed"),
        label: "none stated",
        title: "Blobs whose root states no license",
        value: Grouped(summary.unlicensed).to_string(),
        class: "s-none",
        part: summary.unlicensed,
    });
    let named = licenses.iter().map(|(license, rows)| Bar {
        link: FindLink("licenses", license),
        label: if license.is_empty() { "(empty)" } else { license },
        title: license,
        value: Grouped(*rows).to_string(),
        class: "c-names",
        part: *rows,
    });
    let listed: u64 = licenses.iter().map(|(_, rows)| rows).sum();
    let number = licenses.len() + usize::from(none.is_some());
    bar_list(out, none.into_iter().chain(named), most, number)?;
    if listed < summary.licensed {
        let others = Grouped(summary.licensed - listed);
        writeln!(out, "<p class=\"note\">and {others} blobs with licenses that are not counted one by one</p>")?;
    }
    writeln!(out, "</section>")
}

/// Writes a bar for each tool, divided by version.
fn producers(summary: &Summary, out: Out<'_>) -> io::Result<()> {
    let producers = summary.producers();
    card(out, "producers", "Languages and tools", &"in how many blobs, divided by version")?;
    let most = producers.first().map_or(0, |producer| producer.rows);
    write!(out, "<ol class=\"bars\">")?;
    for (nth, producer) in producers.iter().enumerate() {
        if nth == MAX_BARS {
            more(out, "bars", producers.len() - MAX_BARS)?;
        }
        if nth < MAX_BARS * 8 {
            self::producer(producer, most, out)?;
        }
    }
    if producers.len() > MAX_BARS {
        write!(out, "</ol></details></li>")?;
    }
    if producers.is_empty() {
        write!(out, "<li class=\"empty\">No producers.</li>")?;
    }
    writeln!(out, "</ol></section>")
}

fn producer(producer: &ProducerCount<'_>, most: u64, out: Out<'_>) -> io::Result<()> {
    let ProducerCount { field, name, rows, versions } = producer;
    let token = format!("{field} {name}");
    write!(
        out,
        "<li><a href=\"{}\" title=\"{} {}\"><span class=\"label\"><small>{}</small> {}</span><span class=\"value\">{}</span>",
        FindLink("tool", &token),
        HtmlText::new(field),
        HtmlText::new(name),
        HtmlText::new(field),
        HtmlText::new(name),
        Grouped(*rows)
    )?;
    // A blob may have several versions: the length of the bar shows the blobs, and its parts show the versions.
    let (length, all) = (width_percent(*rows, most), versions.iter().map(|(_, rows)| rows).sum::<u64>());
    let (shown, others) = versions.split_at(versions.len().min(MAX_VERSIONS));
    let others: u64 = others.iter().map(|(_, rows)| rows).sum();
    let named =
        |version: &str| if version.is_empty() { "(none)".to_owned() } else { HtmlText::new(version).to_string() };
    let parts = shown.iter().map(|(version, rows)| (named(version), *rows));
    let parts = parts.chain((others > 0).then(|| ("other versions".to_owned(), others)));
    write!(out, "<svg class=\"bar\" width=\"100%\" height=\"8\" aria-hidden=\"true\">")?;
    let mut at = 0.0;
    for (nth, (version, rows)) in parts.enumerate() {
        let width = width_percent(rows, all) * length / 100.0;
        write!(
            out,
            "<rect class=\"v{nth}\" x=\"{at:.2}%\" width=\"{width:.2}%\" height=\"8\"><title>{version}: {}</title></rect>",
            Grouped(rows)
        )?;
        at += width;
    }
    write!(out, "</svg></a>")?;
    if versions.iter().any(|(version, _)| !version.is_empty()) {
        write!(out, "<p class=\"versions\">")?;
        for (nth, (version, rows)) in shown.iter().enumerate() {
            let label = if version.is_empty() { "(none)" } else { version };
            let link = FindLink("tool", &format!("{token} {version}")).to_string();
            write!(
                out,
                "<a href=\"{link}\" title=\"{0}\"><i class=\"dot v{nth}\"></i><span>{0}</span> <b>{1}</b></a>",
                HtmlText::new(label),
                Grouped(*rows)
            )?;
        }
        if versions.len() > MAX_VERSIONS {
            write!(out, "<span>{} more</span>", versions.len() - MAX_VERSIONS)?;
        }
        write!(out, "</p>")?;
    }
    writeln!(out, "</li>")
}

fn kinds(summary: &Summary, out: Out<'_>) -> io::Result<()> {
    let kinds = summary.kinds();
    let bytes = kinds.iter().fold(0, |sum: u64, (_, count)| sum.saturating_add(count.bytes));
    card(out, "kinds", "Bytes by kind of section", &format_args!("of {} in all", ByteSize(bytes).short()))?;
    treemap::draw(&kinds, bytes, out)?;
    let most = kinds.first().map_or(0, |(_, count)| count.bytes);
    let titles: Vec<String> = kinds
        .iter()
        .map(|(kind, count)| format!("{kind}: {} sections in {} blobs", count.sections, count.rows))
        .collect();
    let bars = kinds.iter().zip(&titles).map(|((kind, count), title)| Bar {
        link: FindLink("section", kind),
        label: kind,
        title,
        value: format!("{} · {}", ByteSize(count.bytes).short(), percent(count.bytes, bytes)),
        class: SectionFamily::for_kind(kind).class(),
        part: count.bytes,
    });
    bar_list(out, bars, most, kinds.len())?;
    writeln!(out, "</section>")
}

fn worst(summary: &Summary, out: Out<'_>) -> io::Result<()> {
    if summary.worst().next().is_none() {
        return Ok(());
    }
    card(out, "", "Refused first", &"the worst rows: the most severe, then those with most refused findings")?;
    places(out, &summary.worst().collect::<Vec<_>>(), |out, blob| {
        let plural = if blob.refused == 1 { "" } else { "s" };
        write!(
            out,
            "<li><a href=\"#blob/{}\"><i class=\"dot s-{}\"></i><span class=\"path\">{}</span>\
             <span class=\"value\">{} finding{plural}</span><span class=\"what\"><b>{}</b> {}</span></a></li>",
            blob.nth,
            blob.severity,
            HtmlText::bytes(blob.file.as_encoded_bytes()),
            Grouped(blob.refused),
            blob.code,
            HtmlText::new(&blob.message)
        )
    })
}

/// Writes the formats that are not opened, with their numbers.
fn not_opened(summary: &Summary, out: Out<'_>) -> io::Result<()> {
    if summary.not_opened_files == 0 {
        return Ok(());
    }
    let note = "files and archive entries that may hold binaries";
    card(out, "", "Not opened", &format_args!("{} {note}, by format", Grouped(summary.not_opened_files)))?;
    let formats = summary.not_opened();
    let most = formats.first().map_or(0, |(_, files)| *files);
    let bars = formats.iter().map(|(format, files)| Bar {
        link: FindLink("finding", "not-opened"),
        label: format,
        title: format,
        value: Grouped(*files).to_string(),
        class: "s-warning",
        part: *files,
    });
    bar_list(out, bars, most, formats.len())?;
    writeln!(out, "</section>")
}

fn largest(summary: &Summary, out: Out<'_>) -> io::Result<()> {
    let most = summary.largest().map(|section| section.bytes).max().unwrap_or_default();
    if most == 0 {
        return Ok(());
    }
    card(out, "", "Largest sections", &"the largest of each blob")?;
    places(out, &summary.largest().collect::<Vec<_>>(), |out, section| {
        let name = section.name.as_deref().unwrap_or(&section.kind);
        write!(
            out,
            "<li><a href=\"#blob/{}\"><i class=\"dot {}\"></i><span class=\"path\">{}</span><span class=\"value\">{}</span>\
             <span class=\"what\"><b>{}</b> {}</span></a></li>",
            section.nth,
            SectionFamily::for_kind(name).class(),
            HtmlText::bytes(section.file.as_encoded_bytes()),
            ByteSize(section.bytes).short(),
            HtmlText::new(name),
            section
                .size
                .filter(|size| section.bytes <= *size)
                .map(|size| format!("{} of the file", percent(section.bytes, size)))
                .unwrap_or_default()
        )
    })
}

fn incomplete(summary: &Summary, out: Out<'_>) -> io::Result<()> {
    if summary.incomplete().next().is_none() {
        return Ok(());
    }
    let all = summary.rows_with(Completeness::Partial) + summary.rows_with(Completeness::Unread);
    card(out, "", "Not read to the end", &format_args!("{} in all; the first of them", Grouped(all)))?;
    places(out, &summary.incomplete().collect::<Vec<_>>(), |out, blob| {
        let class = if blob.completeness == Completeness::Unread { "error" } else { "warning" };
        let at = blob.offset.map(|offset| format!(" at {offset:#x}")).unwrap_or_default();
        write!(
            out,
            "<li><a href=\"#blob/{}\"><i class=\"dot s-{class}\"></i><span class=\"path\">{}</span>\
             <span class=\"value\">{}</span><span class=\"what\">{}{at}</span></a></li>",
            blob.nth,
            HtmlText::bytes(blob.file.as_encoded_bytes()),
            blob.completeness.name(),
            HtmlText::new(&blob.message)
        )
    })
}

/// One bar of a list.
struct Bar<'b> {
    link: FindLink<'b>,
    label: &'b str,
    title: &'b str,
    value: String,
    class: &'b str,
    part: u64,
}

/// Writes the first bars; the others can be expanded.
fn bar_list<'b>(out: Out<'_>, bars: impl Iterator<Item = Bar<'b>>, most: u64, number: usize) -> io::Result<()> {
    write!(out, "<ol class=\"bars\">")?;
    for (nth, bar) in bars.take(MAX_BARS * 16).enumerate() {
        if nth == MAX_BARS {
            more(out, "bars", number - MAX_BARS)?;
        }
        let Bar { link, label, title, value, class, part } = bar;
        write!(
            out,
            "<li><a href=\"{link}\" title=\"{}\"><span class=\"label\">{}</span><span class=\"value\">{value}</span>\
             <svg class=\"bar\" width=\"100%\" height=\"8\" aria-hidden=\"true\"><rect class=\"{class}\" width=\"{:.2}%\" height=\"8\"/></svg></a></li>",
            HtmlText::new(title),
            HtmlText::new(label),
            width_percent(part, most)
        )?;
    }
    if number > MAX_BARS {
        write!(out, "</ol></details></li>")?;
    }
    if number == 0 {
        write!(out, "<li class=\"empty\">Nothing.</li>")?;
    }
    writeln!(out, "</ol>")
}

/// Begins a part that can be expanded.
fn more(out: Out<'_>, class: &str, number: usize) -> io::Result<()> {
    let number = Grouped(number as u64);
    write!(out, "<li class=\"more\"><details><summary>{number} more</summary><ol class=\"{class}\">")
}

/// Writes a list of files, each with a link to the page of its blob.
fn places<T>(
    out: Out<'_>,
    all: &[T],
    mut write_one: impl FnMut(&mut dyn Write, &T) -> io::Result<()>,
) -> io::Result<()> {
    write!(out, "<ol class=\"places\">")?;
    for (nth, one) in all.iter().enumerate() {
        if nth == MAX_BARS {
            more(out, "places", all.len() - MAX_BARS)?;
        }
        write_one(out, one)?;
    }
    writeln!(out, "{}</ol></section>", if all.len() > MAX_BARS { "</ol></details></li>" } else { "" })
}

/// Writes one divided bar.
fn stacked(out: Out<'_>, parts: impl Iterator<Item = (String, String, u64)>, all: u64) -> io::Result<()> {
    write!(out, "<svg class=\"bar stacked\" width=\"100%\" height=\"14\" aria-hidden=\"true\">")?;
    let mut at = 0.0;
    for (class, title, part) in parts {
        let width = width_percent(part, all);
        write!(
            out,
            "<rect class=\"{class}\" x=\"{at:.2}%\" width=\"{width:.2}%\" height=\"14\"><title>{title}: {}</title></rect>",
            Grouped(part)
        )?;
        at += width;
    }
    writeln!(out, "</svg>")
}

fn severity_class(severity: Severity) -> &'static str {
    match severity {
        Severity::Note => "s-note",
        Severity::Warning => "s-warning",
        Severity::Error => "s-error",
    }
}

fn width_percent(part: u64, of: u64) -> f64 {
    if of == 0 { 0.0 } else { part as f64 / of as f64 * 100.0 }
}
