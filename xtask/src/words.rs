//! Phrases that the style rules of CONTRIBUTING.md forbid in docs, comments, string literals and
//! names of tests.

use std::fs;
use std::path::Path;

use crate::process::root;

/// Files and directories that CI checks. `cargo xtask words PATH` checks another path.
const CHECKED: &[&str] = &[
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "CHANGELOG.md",
    "docs",
    "examples",
    "src",
    "tests",
    "benches",
    "bindings",
    "crates",
    "site",
    "xtask/src/ci.rs",
    "xtask/src/context.rs",
    "xtask/src/fuzz.rs",
    "xtask/src/main.rs",
    "xtask/src/process.rs",
    "xtask/src/steps.rs",
    "xtask/src/tools.rs",
];

/// Lines with a phrase that is right there: `path | part of the line | reason`.
const ALLOWED: &str = include_str!("words-allowed.txt");

/// A sentence does not open with these.
const OPENERS: [&str; 5] = ["What", "Who", "Whoever", "So many", "So long"];

/// Words, and beginnings of words before `*`.
const WORDS: [&str; 9] =
    ["nobody", "somebody", "whoever", "stands", "lies", "licence*", "colour*", "behaviour*", "organis*"];

/// Words that do not say the behavior in the name of a test.
const TEST_NAME_WORDS: [&str; 7] = ["told", "said", "says", "elsewhere", "anew", "beside", "behind"];

/// Maximum length of the name of a test.
const MAX_TEST_NAME: usize = 60;

/// Words after `is no` or `are no` that are not nouns.
const COMPARISONS: [&str; 5] = ["longer", "more", "less", "later", "earlier"];

/// Checks these paths, or all that CI checks. The error lists the phrases.
pub(crate) fn check(paths: &[&str]) -> Result<(), String> {
    let mut unused: Vec<&str> = ALLOWED.lines().filter(|line| !line.starts_with('#')).collect();
    let mut found = Vec::new();
    for path in if paths.is_empty() { CHECKED } else { paths } {
        for file in files(path)? {
            let text = fs::read_to_string(root().join(&file)).map_err(|error| format!("{file}: {error}"))?;
            let is_rust = Path::new(&file).extension().is_some_and(|extension| extension == "rs");
            for (number, name) in test_names(&text).filter(|(_, name)| is_rust && !is_plain_test_name(name)) {
                found.push(format!("{file}:{number}: say the behavior in at most {MAX_TEST_NAME} bytes: {name}"));
            }
            let texts = if is_rust { rust_texts(&text) } else { numbered(1, &text).collect() };
            for (number, line) in without_fences(texts) {
                let Some(phrase) = forbidden(line) else { continue };
                let is_allowed = |entry: &&str| {
                    let parts: Vec<&str> = entry.split(" | ").collect();
                    parts.len() == 3 && parts[0] == file && line.contains(parts[1])
                };
                unused.retain(|entry| !is_allowed(entry));
                if !ALLOWED.lines().any(|entry| is_allowed(&entry)) {
                    found.push(format!("{file}:{number}: `{phrase}`: {}", line.trim()));
                }
            }
        }
    }
    if paths.is_empty() {
        found
            .extend(unused.iter().map(|entry| format!("xtask/src/words-allowed.txt: remove the unused line: {entry}")));
    }
    if found.is_empty() { Ok(()) } else { Err(found.join("\n")) }
}

/// The Markdown and Rust files at or below a path, sorted.
fn files(path: &str) -> Result<Vec<String>, String> {
    let absolute = root().join(path);
    if !absolute.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let failed = |error| format!("{path}: {error}");
    let mut names = Vec::new();
    for entry in fs::read_dir(absolute).map_err(failed)? {
        names.push(entry.map_err(failed)?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    let mut found = Vec::new();
    for name in names.iter().filter(|name| *name != "target") {
        let below = format!("{}/{name}", path.trim_end_matches('/'));
        let is_text = Path::new(name).extension().is_some_and(|extension| extension == "rs" || extension == "md");
        if is_text || root().join(&below).is_dir() {
            found.extend(files(&below)?);
        }
    }
    Ok(found)
}

/// The lines of a text with their numbers.
fn numbered(first: usize, text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(move |(nth, line)| (first + nth, line))
}

/// The lines of the comments and string literals of a source.
fn rust_texts(source: &str) -> Vec<(usize, &str)> {
    let mut texts = Vec::new();
    let mut at = 0;
    while let Some(next) = source[at..].chars().next() {
        let rest = &source[at..];
        let is_in_word = source[..at].ends_with(|char: char| char.is_alphanumeric() || char == '_');
        let raw = rest.strip_prefix('r').filter(|_| !is_in_word);
        let hashes = raw.map_or(0, |raw| raw.bytes().take_while(|byte| *byte == b'#').count());
        let is_raw = raw.is_some_and(|raw| raw[hashes..].starts_with('"'));
        let (start, end, len) = if rest.starts_with("//") {
            let end = rest.find('\n').unwrap_or(rest.len());
            (rest.find(|char| char != '/' && char != '!').unwrap_or(end).min(end), end, end)
        } else if is_raw {
            let start = 2 + hashes;
            let close = format!("\"{}", "#".repeat(hashes));
            let end = rest[start..].find(&close).map_or(rest.len(), |end| start + end);
            (start, end, (end + close.len()).min(rest.len()))
        } else if next == '"' {
            let end = 1 + literal_len(&rest[1..], '"');
            (1, end, (end + 1).min(rest.len()))
        } else if rest.starts_with("'\\") {
            (0, 0, (2 + literal_len(&rest[1..], '\'')).min(rest.len()))
        } else if rest.starts_with("'\"'") {
            (0, 0, 3)
        } else {
            (0, 0, next.len_utf8())
        };
        texts.extend(numbered(1 + source[..at + start].matches('\n').count(), &rest[start..end]));
        at += len;
    }
    texts
}

/// The names of tests, with their line numbers.
fn test_names(source: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut is_test = false;
    numbered(1, source).filter_map(move |(number, line)| {
        let line = line.trim_start();
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            is_test = true;
        }
        let (_, name) = line.split_once("fn ").filter(|_| is_test && !line.starts_with('#'))?;
        is_test = false;
        Some((number, name.split('(').next().unwrap_or_default()))
    })
}

/// Whether the name of a test is short, and has only words that prose may have.
fn is_plain_test_name(name: &str) -> bool {
    let words = name.replace('_', " ");
    let opener = words.split(' ').next().unwrap_or_default();
    name.len() <= MAX_TEST_NAME
        && forbidden(&words).is_none()
        && !OPENERS.iter().any(|listed| listed.eq_ignore_ascii_case(opener))
        && !words.split(' ').any(|word| TEST_NAME_WORDS.contains(&word))
}

/// Byte length of a literal up to its end, past escapes.
fn literal_len(rest: &str, end: char) -> usize {
    let mut is_escaped = false;
    rest.find(|char| {
        let is_end = char == end && !is_escaped;
        is_escaped = char == '\\' && !is_escaped;
        is_end
    })
    .unwrap_or(rest.len())
}

/// The lines outside code fences.
fn without_fences(lines: Vec<(usize, &str)>) -> impl Iterator<Item = (usize, &str)> {
    let mut is_code = false;
    lines.into_iter().filter(move |(_, line)| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    })
}

/// The first forbidden phrase in a line, outside code spans.
fn forbidden(line: &str) -> Option<String> {
    let spans = line.split('`').enumerate();
    let prose: String = spans.map(|(nth, span)| if nth % 2 == 0 { span } else { "code" }).collect();
    for opener in OPENERS {
        for (at, _) in prose.match_indices(opener) {
            let is_start = prose[..at].trim_end_matches([' ', '*', '"', '(']).chars().next_back();
            let is_start = is_start.is_none_or(|before| ".!?:;|#->".contains(before));
            let is_whole = !prose[at + opener.len()..].starts_with(char::is_alphanumeric);
            if is_start && is_whole {
                return Some(opener.to_owned());
            }
        }
    }
    let prose = prose.to_lowercase();
    let words: Vec<&str> = prose.split(|char: char| !char.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.iter().enumerate().find_map(|(nth, word)| {
        let following = |place: usize| words.get(nth + place).copied().unwrap_or_default();
        let is_listed = WORDS.iter().any(|listed| match listed.strip_suffix('*') {
            Some(beginning) => word.starts_with(beginning),
            None => word == listed,
        });
        let is_there = nth > 0 && words[nth - 1] == "there";
        let is_no = matches!(*word, "is" | "are") && following(1) == "no" && !is_there;
        if is_listed && !(*word == "stands" && following(1) == "for") {
            Some((*word).to_owned())
        } else if is_no && !following(2).is_empty() && !COMPARISONS.contains(&following(2)) {
            Some(format!("{word} no {}", following(2)))
        } else {
            None
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forbidden_phrases_are_found() {
        for line in [
            "What a section says.",
            "The name. Who reads it",
            "| a | So many bytes |",
            "- Whoever calls it",
            "asked by nobody",
            "this is no manifest",
            "these are no `Cargo.toml`",
            "the section stands first",
            "where it lies",
            "the licences",
            "Colours",
        ] {
            assert!(forbidden(line).is_some(), "{line}");
        }
    }

    #[test]
    fn plain_phrases_are_not_found() {
        for line in [
            "It shows what the section contains.",
            "Whatever the size, it works.",
            "is no longer written",
            "There is no item; there are no entries",
            "`*` stands for any suffix",
            "the key `licence` and `is no x`",
            "The license, the relies, the whole",
        ] {
            assert_eq!(forbidden(line), None, "{line}");
        }
    }

    #[test]
    fn texts_of_a_source_are_its_comments_and_strings() {
        let source = "//! One.\nfn f<'a>(c: char) { // two\n    let s = \"th\\\"ree\"; // '\"'\n    matches!(c, '\"' | '\\'');\n    \
                      let e = '…'; r#\"four\n\"five\"#; }\n";
        let expected = [(1, " One."), (2, " two"), (3, "th\\\"ree"), (3, " '\"'"), (5, "four"), (6, "\"five")];
        assert_eq!(rust_texts(source), expected);
    }

    #[test]
    fn names_of_tests_are_found_and_checked() {
        let source = "#[test]\nfn a() {}\nfn helper() {}\n    #[test]\n    #[ignore = \"fn b\"]\n    fn c() {}\n";
        assert_eq!(test_names(source).collect::<Vec<_>>(), [(2, "a"), (6, "c")]);
        assert!(is_plain_test_name("a_missing_file_is_an_error"));
        for name in ["what_is_long_is_cut", "an_error_is_told", "a_layout_is_no_stream", "nobody_asks", &"a".repeat(61)]
        {
            assert!(!is_plain_test_name(name), "{name}");
        }
    }

    #[test]
    fn code_fences_are_skipped() {
        let lines: Vec<_> = without_fences(numbered(1, "a\n```rust\nb\n```\nc").collect()).collect();
        assert_eq!(lines, [(1, "a"), (5, "c")]);
    }
}
