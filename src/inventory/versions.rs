//! Libraries whose own text states their name and version.

use super::context::Context;
use super::package::{Confidence, Ecosystem, Evidence, FoundPackage};

/// A text of fixed form that a library contains.
#[derive(Clone, Copy, Debug)]
pub(super) struct VersionText {
    package: &'static str,
    /// The part of the text directly before the key.
    pub(super) lead: &'static str,
    /// A byte string in every such text, which the search looks for.
    pub(super) key: &'static str,
    form: &'static [Part],
    /// The file of the library that defines the text.
    #[cfg_attr(not(test), allow(dead_code))] // documents the row
    defined_in: &'static str,
}

/// A part of a text.
#[derive(Clone, Copy, Debug)]
enum Part {
    Literal(&'static str),
    /// Numbers separated by dots, and at most two letters. The version of the package.
    Version,
    /// A check-in of Fossil: date, time and hash. The version of the package.
    CheckIn,
    /// A date such as `2024-06-12`.
    IsoDate,
    /// A date such as `15 Mar 2022`, after one or two spaces.
    Date,
    /// The end of a word, or of the text.
    WordEnd,
}

use Part::{CheckIn, Date, IsoDate, Literal, Version, WordEnd};

/// Each row is a text that only the library itself contains, as its sources define it.
/// `docs/inventory.md` lists libraries whose texts do not tell their versions.
#[rustfmt::skip]
pub(super) const TEXTS: [VersionText; 26] = [
    row("curl", "libcur", "l/", &[Literal("libcurl/"), Version, WordEnd], "lib/version.c"),
    row("expat", "expat", "_2.", &[Literal("expat_"), Version, WordEnd], "lib/xmlparse.c"),
    row("ffmpeg", "\0", "FF", &[Literal("\0FFmpeg version "), Version, Literal("\0")], "libavutil/version.c"),
    row("libaom", "AOMedia Project A", "V1 ", &[Literal("AOMedia Project AV1 Decoder v"), Version, WordEnd], "av1/av1_dx_iface.c"),
    row("libaom", "AOMedia Project A", "V1 ", &[Literal("AOMedia Project AV1 Encoder v"), Version, WordEnd], "av1/av1_cx_iface.c"),
    row("libjpeg-turbo", " (build ", "20", &[Literal("libjpeg-turbo version "), Version, Literal(" (build ")], "src/jversion.h.in"),
    row("libpng", "li", "bpng version ", &[Literal("libpng version "), Version, Literal("\n")], "png.h"),
    row("libpng", "li", "bpng version ", &[Literal("libpng version "), Version, Literal(" - ")], "png.h"),
    row("libtiff", "LIBTI", "FF", &[Literal("LIBTIFF, Version "), Version, Literal("\nCopyright (c) 1988-1996 Sam Leffler")], "libtiff/tiffvers.h"),
    row("libvpx", "WebM Project ", "VP", &[Literal("WebM Project VP8 Decoder v"), Version, WordEnd], "vp8/vp8_dx_iface.c"),
    row("libvpx", "WebM Project ", "VP", &[Literal("WebM Project VP8 Encoder v"), Version, WordEnd], "vp8/vp8_cx_iface.c"),
    row("libvpx", "WebM Project ", "VP", &[Literal("WebM Project VP9 Decoder v"), Version, WordEnd], "vp9/vp9_dx_iface.c"),
    row("libvpx", "WebM Project ", "VP", &[Literal("WebM Project VP9 Encoder v"), Version, WordEnd], "vp9/vp9_cx_iface.c"),
    row("lua", "", "$LuaVersion: ", &[Literal("$LuaVersion: Lua "), Version, Literal("  Copyright (C) ")], "src/lapi.c"),
    row("mbedtls", "Mbed ", "TLS ", &[Literal("\0Mbed TLS "), Version, Literal("\0")], "include/mbedtls/build_info.h"),
    row("mbedtls", "mbed ", "TLS ", &[Literal("\0mbed TLS "), Version, Literal("\0")], "include/mbedtls/version.h"),
    row("mozjpeg", " (build ", "20", &[Literal("mozjpeg version "), Version, Literal(" (build ")], "jversion.h"),
    row("mupdf", "\0MuPD", "F ", &[Literal("\0MuPDF "), Version, Literal("\0")], "include/mupdf/fitz/version.h"),
    row("openssl", "OpenSS", "L ", &[Literal("OpenSSL "), Version, Date], "include/openssl/opensslv.h.in"),
    row("php", "X-Powered-By: P", "HP/", &[Literal("X-Powered-By: PHP/"), Version, WordEnd], "main/SAPI.h"),
    row("postgresql", "PostgreSQ", "L ", &[Literal("\0PostgreSQL "), Version, Literal(" on ")], "src/include/pg_config.h"),
    row("ruby", " (", "20", &[Literal("ruby "), Version, Literal(" ("), IsoDate, Literal(" revision ")], "version.h"),
    row("sqlite", "fts5: ", "20", &[Literal("fts5: "), CheckIn], "ext/fts5/fts5_main.c"),
    row("sqlite", "\0", "20", &[Literal("\0"), CheckIn], "sqlite3.h"),
    row("zlib", " Cop", "yright 1995-", &[Literal("deflate "), Version, Literal(" Copyright 1995-")], "deflate.c"),
    row("zlib", " Cop", "yright 1995-", &[Literal("inflate "), Version, Literal(" Copyright 1995-")], "inftrees.c"),
];

const fn row(
    package: &'static str,
    lead: &'static str,
    key: &'static str,
    form: &'static [Part],
    defined_in: &'static str,
) -> VersionText {
    VersionText { package, lead, key, form, defined_in }
}

/// Finds the package whose text is around a key. Returns the length of the text before the key, and
/// the package.
pub(super) fn package<'t>(key: &[u8], context: &Context<'t>) -> Option<(usize, FoundPackage<'t>)> {
    TEXTS.iter().filter(|row| row.key.as_bytes() == key).find_map(|row| row.find(context))
}

/// Longest part of a text before its key.
const MAX_LEAD: usize = 48;

impl VersionText {
    /// The package, if its text is around the key, and the length of the text before the key. A NUL
    /// before the text is not a part of it.
    fn find<'t>(&self, context: &Context<'t>) -> Option<(usize, FoundPackage<'t>)> {
        if !context.before().ends_with(self.lead.as_bytes()) {
            return None;
        }
        let longest = context.before().len().min(MAX_LEAD);
        let mut leads = self.lead.len()..=longest;
        let (lead, version) = leads.find_map(|lead| Some((lead, self.version(context.from(lead))?)))?;
        let package = FoundPackage {
            name: self.package,
            version,
            ecosystem: Ecosystem::Generic,
            source: "",
            evidence: Evidence::VersionText,
            confidence: Confidence::High,
        };
        Some((lead - usize::from(context.from(lead).starts_with(b"\0")), package))
    }

    /// The version, if the form is at the start of a text.
    fn version<'t>(&self, text: &'t [u8]) -> Option<&'t str> {
        let (mut rest, mut version) = (text, None);
        for part in self.form {
            let len = part.len(rest)?;
            if matches!(part, Version | CheckIn) {
                version = std::str::from_utf8(&rest[..len]).ok();
            }
            rest = &rest[len..];
        }
        version
    }
}

impl Part {
    /// Byte length of the part at the start of a text; `None` if the text does not start with it.
    fn len(self, text: &[u8]) -> Option<usize> {
        match self {
            Literal(literal) => text.starts_with(literal.as_bytes()).then_some(literal.len()),
            Version => version_len(text),
            CheckIn => shape_len(text, "0000-00-00 00:00:00 ").and_then(|time| Some(time + hash_len(&text[time..])?)),
            IsoDate => shape_len(text, "0000-00-00"),
            Date => ["  0 Aaa 0000", "  00 Aaa 0000", " 0 Aaa 0000", " 00 Aaa 0000"]
                .iter()
                .find_map(|shape| shape_len(text, shape)),
            WordEnd => {
                let continues = |byte: &u8| byte.is_ascii_alphanumeric() || b"-+.".contains(byte);
                (!text.first().is_some_and(continues)).then_some(0)
            }
        }
    }
}

/// Byte length of a version such as `1.3.1` or `1.1.1w`: two to four numbers, and at most two
/// letters.
fn version_len(text: &[u8]) -> Option<usize> {
    const MAX_LEN: usize = 24;
    let text = &text[..text.len().min(MAX_LEN)];
    let numbers = text.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
    let letters = text[numbers..].iter().take_while(|byte| byte.is_ascii_lowercase()).count();
    let mut parts = text[..numbers].split(|byte| *byte == b'.');
    let is_version = (2..=4).contains(&parts.clone().count()) && parts.all(|number| !number.is_empty()) && letters <= 2;
    is_version.then_some(numbers + letters)
}

/// Byte length of a hash in hexadecimal digits: SHA3-256, or SHA-1 in older versions.
fn hash_len(text: &[u8]) -> Option<usize> {
    let len = text.iter().take(65).take_while(|byte| byte.is_ascii_hexdigit()).count();
    matches!(len, 40 | 64).then_some(len)
}

/// Byte length of a shape, in which `0` stands for a digit, `A` and `a` for a letter.
fn shape_len(text: &[u8], shape: &str) -> Option<usize> {
    let fits = |(byte, shape): (&u8, u8)| match shape {
        b'0' => byte.is_ascii_digit(),
        b'A' => byte.is_ascii_uppercase(),
        b'a' => byte.is_ascii_lowercase(),
        other => *byte == other,
    };
    (text.len() >= shape.len() && text.iter().zip(shape.bytes()).all(fits)).then_some(shape.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version_in(package: &str, text: &str) -> Option<String> {
        let mut rows = TEXTS.iter().filter(|row| row.package == package);
        rows.find_map(|row| {
            let keys = text.match_indices(row.key);
            keys.map(|(at, key)| Context::new(text.as_bytes(), at..at + key.len()))
                .find_map(|context| row.find(&context).map(|(_, found)| found.version.to_owned()))
        })
    }

    /// A text of each row, as the library contains it, and look-alikes.
    #[test]
    fn each_row_finds_its_text_and_no_look_alike() {
        const HASH: &str = "96c92aba00c8375bc32fafcdf12429c58bd8aabfcadab6683e35bbb9cdebf19e";
        let check_in = format!("2024-05-23 13:25:27 {HASH}");
        let cases: &[(&str, &str, &str, &[&str])] = &[
            ("curl", "libcurl/8.4.0\0", "8.4.0", &["libcurl/%s", "libcurl/8", "libcurl/8.4.0-DEV"]),
            ("expat", "\0expat_2.5.0\0", "2.5.0", &["expat_config.h", "expat_2"]),
            ("libjpeg-turbo", "libjpeg-turbo version 2.1.5 (build 20230203)", "2.1.5", &["libjpeg-turbo version %s"]),
            (
                "libpng",
                " libpng version 1.6.40\n",
                "1.6.40",
                &["libpng version 1.6.%d", "libpng version 1.6 and later"],
            ),
            ("libpng", " libpng version 1.2.50 - July 10, 2012\n", "1.2.50", &[]),
            (
                "ffmpeg",
                "\0FFmpeg version 5.1.4\0",
                "5.1.4",
                &["\0FFmpeg version 5.1 or newer", "your FFmpeg version 5.1\0"],
            ),
            ("libaom", "AOMedia Project AV1 Encoder v3.15.1\0", "3.15.1", &["codec: AOMedia Project AV1 Encoder\0"]),
            ("libaom", "AOMedia Project AV1 Decoder v3.15.1\0", "3.15.1", &["AOM v3.6.0 has a bug"]),
            (
                "libtiff",
                "LIBTIFF, Version 4.5.1\nCopyright (c) 1988-1996 Sam Leffler\n",
                "4.5.1",
                &["Since libtiff 4.5.1, it is an alias", "LIBTIFF, Version 4.6.0 (other)"],
            ),
            (
                "libvpx",
                "\0WebM Project VP8 Decoder v1.13.1\0",
                "1.13.1",
                &["please upgrade to libvpx version >= 1.8.1"],
            ),
            ("libvpx", "\0WebM Project VP8 Encoder v1.13.1\0", "1.13.1", &["WebM Project VP8 Encoder\0"]),
            ("libvpx", "\0WebM Project VP9 Decoder v1.13.1\0", "1.13.1", &[]),
            ("libvpx", "\0WebM Project VP9 Encoder v1.13.1\0", "1.13.1", &["WebM Project VP9 Encoder v%d"]),
            ("mbedtls", "\0Mbed TLS 3.6.0\0", "3.6.0", &["\0Mbed TLS 3.6 is required"]),
            ("mbedtls", "\0mbed TLS 2.28.0\0", "2.28.0", &["built with mbed TLS 2.28.0\0"]),
            ("mozjpeg", "\0mozjpeg version 5.0.0 (build 20260926)\0", "5.0.0", &["mozjpeg version 5.0.0"]),
            (
                "postgresql",
                "\0PostgreSQL 16.9 on x86_64-pc-linux-gnu, compiled by clang",
                "16.9",
                &["needs PostgreSQL 16.9 on the server", "\0PostgreSQL 16.9 or newer"],
            ),
            (
                "lua",
                "$LuaVersion: Lua 5.4.6  Copyright (C) 1994-2023 Lua.org, PUC-Rio $",
                "5.4.6",
                &["$LuaVersion: Lua 5.4.6 is in use"],
            ),
            ("mupdf", "\0MuPDF 1.28.1\0", "1.28.1", &["% Written by MuPDF 1.28.1\0", "\0MuPDF 1.28.1 or later"]),
            (
                "openssl",
                "OpenSSL 1.1.1w  11 Sep 2023\0",
                "1.1.1w",
                &["OpenSSL 3.0 is required", "OpenSSL 1.0.1 and higher", "OpenSSL 3.2.0 2 of 3"],
            ),
            ("openssl", "OpenSSL 3.2.0 23 Nov 2023", "3.2.0", &[]),
            ("php", "X-Powered-By: PHP/8.2.10\0", "8.2.10", &["X-Powered-By: PHP/%s"]),
            (
                "ruby",
                "ruby 3.3.3 (2024-06-12 revision f1c7b6f435) [wasm32-wasi]",
                "3.3.3",
                &["ruby 1.9.1. [Diego", "ruby 3.3.3 (2024)"],
            ),
            ("sqlite", &format!("\0{check_in}\0"), &check_in, &["\x002024-05-23 13:25:27 96c92aba\0"]),
            ("sqlite", &format!("\0fts5: {check_in}\0"), &check_in, &["fts5: 2024-05-23"]),
            (
                "zlib",
                " deflate 1.2.11 Copyright 1995-2017 Jean-loup Gailly and Mark Adler ",
                "1.2.11",
                &["deflate Copyright 1995-2017", "deflater 1.2.11, see Copyright 1995-2017"],
            ),
            ("zlib", " inflate 1.3.1 Copyright 1995-2024 Mark Adler ", "1.3.1", &[]),
        ];
        for (package, text, version, others) in cases {
            assert_eq!(version_in(package, text).as_deref(), Some(*version), "{text}");
            for other in *others {
                assert_eq!(version_in(package, other), None, "{other}");
            }
        }
        for row in TEXTS {
            let is_case = |(_, text, ..): &&(&str, &str, &str, &[&str])| {
                let keys = text.match_indices(row.key).map(|(at, key)| at..at + key.len());
                keys.into_iter().any(|key| row.find(&Context::new(text.as_bytes(), key)).is_some())
            };
            assert!(cases.iter().any(|case| is_case(&case)), "{row:?} has no case");
            assert!(!row.defined_in.is_empty(), "{}", row.package);
        }
    }
}
