//! Sample rows for tests: typical ones and hostile ones.

use std::borrow::Cow;
use std::ffi::OsStr;

use super::row::RowSource;
use super::{
    AuditInfo, Completeness, Format, FormatWriter, LargestSection, Reason, Row, SectionSpan, SectionTotal, Stop,
    Summary, UnusedException,
};
use sectile::metadata::Field;
use sectile::scan::{ItemKind, ItemPath};
use sectile::{FindingCode, Severity, internal};
use sectile_policy::internal::{reused, reused_exception};
use sectile_policy::{Exception, JudgedFinding, Packages};

/// Texts that attack browsers, terminals, spreadsheets and parsers.
pub(super) const HOSTILE: [&str; 16] = [
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\"><svg onload=alert(1)>",
    "' onmouseover='alert(1)",
    "javascript:alert(1)",
    "<!--<script>",
    "]]></style><style>*{display:none}</style>",
    "${alert(1)}{{constructor.constructor('alert(1)')()}}<%= alert(1) %>",
    "\u{202e}nwod edispu\u{2066}\u{200b}",
    "a\u{2028}b\u{2029}c\0d\x1b[31mred\x1b]8;;http://x.invalid\x07",
    "&lt;script&gt;&amp;&#x3c;",
    "__proto__",
    "=cmd|' /C calc'!A0",
    "line\r\nbreak\ttab,\"quoted\"",
    "constructor",
    "🦀 grüße 日本語 مرحبا",
];

/// A deterministic pseudo-random number.
pub(super) fn mixed(n: u64) -> u64 {
    let n = (n ^ (n >> 31)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let n = (n ^ (n >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    n ^ (n >> 32)
}

pub(super) fn info() -> AuditInfo {
    AuditInfo {
        packages: Packages::Declared,
        inside: crate::InsideSearch::Local,
        hashed: false,
        paths: vec!["store".into()],
        policy_name: Some("policy.toml".into()),
        fingerprint: "0123456789abcdef".into(),
        day: Some("2026-01-31".into()),
        created: None,
        databases: Vec::new(),
    }
}

/// A row that only has a file name.
pub(super) fn bare<'r>(nth: u64, file: impl Into<Cow<'r, OsStr>>) -> Row<'r> {
    Row::new(nth, file.into(), RowSource::Baseline(""))
}

pub(super) fn finding(code: FindingCode, section: Option<&str>, offset: u64, message: &str) -> JudgedFinding<'static> {
    counted(code, section, offset, message, 1)
}

/// A finding that occurs `count` times.
pub(super) fn counted(
    code: FindingCode,
    section: Option<&str>,
    offset: u64,
    message: &str,
    count: u64,
) -> JudgedFinding<'static> {
    let finding = internal::finding(code, ItemPath::root(), offset, section, message.to_owned());
    let severity = code.severity();
    let location = (code == FindingCode::RefusedLicense).then(|| "policy.toml:7".parse().expect("a location"));
    reused(internal::with_count(finding, count), severity, severity == Severity::Error, location, None)
}

/// A finding with an exception.
pub(super) fn excused(code: FindingCode, reason: &str) -> JudgedFinding<'static> {
    let exception = Exception::new(reason).unwrap_or_else(|error| panic!("{error}"));
    let exception = exception.with_expiry("2027-12-31".parse().expect("a day"));
    let finding = internal::finding(code, ItemPath::root(), 8, None, "excused");
    let exception = reused_exception(exception, "policy.toml:23".parse().ok());
    reused(finding, code.severity(), false, None, Some(exception))
}

/// A typical row.
pub(super) fn usual(nth: u64) -> Row<'static> {
    const TEAMS: [&str; 8] = ["payments", "search", "edge", "images", "identity", "billing", "plugins", "filters"];
    const NAMES: [&str; 9] =
        ["resize", "router", "tokenizer", "checksum", "auth-proxy", "markdown", "geo", "thumbnailer", "rate-limit"];
    const LICENSES: [&str; 7] = [
        "MIT OR Apache-2.0",
        "MIT",
        "Apache-2.0 WITH LLVM-exception",
        "BSD-3-Clause",
        "MPL-2.0",
        "GPL-3.0-only",
        "ISC",
    ];
    const TOOLS: [[&str; 2]; 5] =
        [["rustc", "1.8"], ["TinyGo", "0.3"], ["clang", "17.0."], ["emscripten", "3.1.6"], ["AssemblyScript", "0.27."]];
    let random = |salt: u64, below: u64| mixed(nth * 64 + salt) % below;
    let pick =
        |salt: u64, most: usize| ((random(salt, 1 << 20) * random(salt + 32, 1 << 20) * most as u64) >> 40) as usize;
    let component = random(1, 3) == 0;
    let (team, name) = (TEAMS[random(2, 8) as usize], NAMES[random(3, 9) as usize]);
    let file = format!("store/{team}/{name}-{}.{}.{}.wasm", random(4, 4), random(5, 20), random(6, 10));
    let mut row = bare(nth, Cow::Owned(file.into()));
    let (size, spans, totals) = sections(nth, component);
    row.size = Some(size);
    row.completeness = Completeness::Complete;
    row.kind = Some(if component { ItemKind::Component } else { ItemKind::Module });
    row.name = Some(name.into());
    row.items = if component { 2 + random(7, 4) } else { 1 };
    row.package_count = random(8, 140);
    if random(9, 9) > 0 {
        row.annotations.push((Field::Licenses, LICENSES[pick(10, 7)].into()));
    }
    row.annotations.push((Field::Source, format!("https://git.example.org/{team}/{name}").into()));
    row.annotations.push((Field::Version, format!("{}.{}.{}", random(4, 4), random(5, 20), random(6, 10)).into()));
    row.annotations.sort_by_key(|(field, _)| *field);
    let [tool, version] = TOOLS[pick(11, 5)];
    row.producers.push(["processed-by".into(), tool.into(), format!("{version}{}", pick(12, 9)).into()]);
    row.producers.push(["language".into(), if tool == "rustc" { "Rust" } else { "C11" }.into(), "".into()]);
    if component {
        row.producers.push(["processed-by".into(), "wit-component".into(), format!("0.2{}.0", pick(13, 60)).into()]);
    }
    row.digest =
        Some(format!("sha256:{:016x}{:016x}{:016x}{:016x}", mixed(nth), mixed(nth + 1), nth, mixed(!nth)).into());
    row.verified = nth.is_multiple_of(2);
    row.largest = spans
        .iter()
        .filter(|span| !span.kind.starts_with("core module"))
        .max_by_key(|span| span.range.1 - span.range.0)
        .map(|span| LargestSection {
            kind: span.kind.clone(),
            name: span.name.clone(),
            bytes: span.range.1 - span.range.0,
        });
    (row.spans, row.section_totals) = (spans, totals);
    if random(14, 4) == 0 {
        let code = FindingCode::ALL[pick(15, FindingCode::ALL.len())];
        row.findings.push(finding(code, Some("source"), size / 2, "a value that is invalid for its field"));
    }
    if random(16, 23) == 0 {
        let message = "the license `GPL-3.0-only` is not permitted: ask the lawyers";
        row.findings.push(finding(FindingCode::RefusedLicense, Some("licenses"), size - 40, message));
    }
    if random(19, 29) == 0 {
        row.findings.push(excused(FindingCode::NotUrl, "the supplier corrects it in the next release"));
    }
    if random(17, 400) == 0 {
        row.completeness = Completeness::Partial;
        row.reason = Some(Reason { message: "a section ends after its item".into(), offset: Some(size - 8) });
    }
    row.accepted = row.completeness == Completeness::Complete && !row.findings.iter().any(JudgedFinding::is_refused);
    row.bytes_read = 4_096 + random(18, 8_192);
    row
}

fn sections(nth: u64, component: bool) -> (u64, Vec<SectionSpan<'static>>, Vec<SectionTotal<'static>>) {
    const KINDS: [(&str, u64); 9] = [
        ("type", 400),
        ("import", 900),
        ("function", 3_000),
        ("memory", 8),
        ("export", 500),
        ("code", 900_000),
        ("data", 240_000),
        ("name", 90_000),
        (".debug_*", 1_300_000),
    ];
    let (mut spans, mut totals, mut at) = (Vec::new(), Vec::<SectionTotal<'_>>::new(), 8);
    let modules = if component { 1 + mixed(nth) % 3 } else { 1 };
    for module in 0..modules {
        let (outer, start) = (spans.len(), at);
        if component {
            spans.push(SectionSpan { kind: "core module".into(), name: None, depth: 1, range: (at, at), sections: 1 });
            at += 10;
        }
        for (place, (kind, scale)) in (0..).zip(KINDS) {
            let bytes = 3 + scale * (mixed(nth * 16 + place + module * 7) % 1_000) / 500;
            if kind == ".debug_*" && !(nth + module).is_multiple_of(3) {
                continue;
            }
            let custom = kind == "name" || kind == ".debug_*";
            let name = custom.then(|| Cow::from(if kind == "name" { kind } else { ".debug_info" }));
            let of_id = if custom { "custom" } else { kind };
            let range = (at, at + bytes);
            spans.push(SectionSpan { kind: of_id.into(), name, depth: 1 + u32::from(component), range, sections: 1 });
            at += bytes;
            match totals.iter_mut().find(|total| total.kind == kind) {
                Some(total) => (total.sections, total.bytes) = (total.sections + 1, total.bytes + bytes),
                None => totals.push(SectionTotal { kind: kind.into(), sections: 1, bytes }),
            }
        }
        if component {
            spans[outer].range = (start, at);
        }
    }
    let several = SectionSpan { kind: "several".into(), name: None, depth: 1, range: (at, at + 600), sections: 12 };
    spans.push(several);
    totals.push(SectionTotal { kind: "custom".into(), sections: 12, bytes: 600 });
    (at + 600, spans, totals)
}

/// A row whose texts are all from [`HOSTILE`].
pub(super) fn hostile(nth: u64) -> Row<'static> {
    let text = |salt: u64| HOSTILE[((nth + salt) % HOSTILE.len() as u64) as usize];
    let mut row = usual(nth);
    row.file = Cow::Owned(format!("store/{}", text(0)).into());
    row.other_names = vec![Cow::Owned(text(1).into())];
    row.name = Some(text(2).into());
    row.annotations = Field::ALL.into_iter().zip(3..).map(|(field, salt)| (field, text(salt).into())).collect();
    row.producers = (0..3).map(|salt| [text(salt).into(), text(salt + 4).into(), text(salt + 7).into()]).collect();
    row.digest = Some(text(5).into());
    row.reason = Some(Reason { message: text(6).into(), offset: Some(u64::MAX) });
    row.completeness = Completeness::ALL[(nth % 4) as usize];
    row.accepted = false;
    for span in &mut row.spans {
        (span.kind, span.name) = (text(u64::from(span.depth)).into(), Some(text(9).into()));
    }
    for total in &mut row.section_totals {
        total.kind = text(total.bytes).into();
    }
    row.largest = Some(LargestSection { kind: text(10).into(), name: Some(text(11).into()), bytes: nth });
    let code = FindingCode::RefusedSection;
    row.findings.push(if nth.is_multiple_of(2) {
        let finding = internal::finding(code, ItemPath::root(), u64::MAX, Some(text(12)), text(13));
        reused(finding, Severity::Note, false, None, None)
    } else {
        finding(code, Some(text(12)), u64::MAX, text(13))
    });
    #[cfg(unix)]
    if nth.is_multiple_of(5) {
        use std::os::unix::ffi::OsStringExt;
        row.file = Cow::Owned(std::ffi::OsString::from_vec(b"store/caf\xe9\x1b[2J.wasm".to_vec()));
    }
    row
}

/// The summary of rows.
pub(super) fn summary<'r>(rows: impl IntoIterator<Item = &'r Row<'r>>) -> Summary {
    let mut summary = Summary::default();
    (summary.not_wasm, summary.not_wasm_bytes_read) = (17, 17 * 4_096);
    let unused = |reason: &str| UnusedException { reason: reason.to_owned(), location: "policy.toml:31".parse().ok() };
    summary.set_unused_exceptions([unused("a file that is gone"), unused(HOSTILE[0])]);
    rows.into_iter().for_each(|row| summary.add(row));
    summary
}

/// The whole output.
pub(super) fn written(format: Format, rows: &[Row<'_>], stop: Option<&Stop>) -> Vec<u8> {
    let (info, mut out) = (info(), Vec::new());
    let mut writer = FormatWriter::new(format, &mut out);
    writer.head(&info).unwrap();
    for row in rows {
        let mut one = Vec::new();
        format.row(row, &mut one);
        writer.write_text(&one).unwrap();
    }
    writer.tail(&info, &summary(rows), stop).unwrap();
    out
}
