//! The repository paths that the documents name exist.

use std::fs;
use std::path::PathBuf;

use sectile_testing::docs::{spans, text_of};
use sectile_testing::files::project;

/// The file extensions that make a code span with a `/` a path.
const EXTENSIONS: [&str; 8] = [".rs", ".md", ".toml", ".py", ".json", ".txt", ".wasm", ".yml"];

#[test]
fn paths_in_the_documents_exist() {
    let mut count = 0;
    let mut missing = Vec::new();
    for document in documents() {
        let text = text_of(&document);
        for path in spans(&text).filter(|span| is_path(span)) {
            count += 1;
            // `CRATE` is a placeholder for each crate.
            if !project().join(path.replace("CRATE", "sectile")).exists() {
                missing.push(format!("{}: {path}", document.strip_prefix(project()).unwrap().display()));
            }
        }
    }
    assert!(count >= 80, "{count}");
    assert!(missing.is_empty(), "give paths from the root of the repository: {missing:#?}");
}

fn documents() -> Vec<PathBuf> {
    let pages = fs::read_dir(project().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let pages = pages.filter(|page| page.extension().is_some_and(|extension| extension == "md"));
    ["README.md", "CONTRIBUTING.md", "SECURITY.md"].map(|name| project().join(name)).into_iter().chain(pages).collect()
}

/// Whether a code span is a path in the repository: it ends like a file, or begins with a directory
/// of the root.
fn is_path(span: &str) -> bool {
    let is_part_of_path = |char: char| char.is_ascii_alphanumeric() || "/._-".contains(char);
    let Some((first, _)) = span.split_once('/') else { return false };
    let is_relative = !first.is_empty() && span.chars().all(is_part_of_path);
    is_relative && (EXTENSIONS.iter().any(|extension| span.ends_with(extension)) || project().join(first).is_dir())
}

#[test]
fn only_repository_paths_are_checked() {
    for path in ["src/drive/", "no/such.rs", "docs/none", ".ci/run", "api/CRATE.txt"] {
        assert!(is_path(path), "{path}");
    }
    for other in ["README.md", "application/wasm", "/run/auth.json", "a.tgz!b/c.wasm", "s3://b/c.wasm", "a/*.rs"] {
        assert!(!is_path(other), "{other}");
    }
}
