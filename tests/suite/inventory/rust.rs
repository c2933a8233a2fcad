//! Crates, from paths of source files.

use sectile::inventory::{Confidence, Ecosystem};
use sectile_testing::binary::{active, component, data_section, module, module_with_data, nested};

use super::{found_in, inventory, listed};

const REGISTRY: &str = "/home/builder/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f";

#[test]
fn registry_paths_of_all_forms() {
    for (path, expected) in [
        (&*format!("{REGISTRY}/serde-1.0.219/src/lib.rs\0"), "serde 1.0.219"),
        (&*format!("{REGISTRY}/md-5-0.10.6/src/lib.rsPunycode overflow"), "md-5 0.10.6"),
        ("/root/.cargo/registry/src/github.com-1ecc6299db9ec823/a-b-1.0.0-rc.1/src/x/y.rs", "a-b 1.0.0-rc.1"),
        (
            "C:\\Users\\John Doe\\.cargo\\registry\\src\\index.crates.io-1949cf8c6b5b557f\\x-0.1.0\\src\\lib.rs",
            "x 0.1.0",
        ),
        ("/cargo/registry/src/my.registry.example-0123456789abcdef/private-2.0.0/build.rs", "private 2.0.0"),
        ("registry/src/index.crates.io-1949cf8c6b5b557f/remapped-1.2.3+meta/src/lib.rs", "remapped 1.2.3+meta"),
    ] {
        assert_eq!(found_in(path), [format!("{expected} registry-path")], "{path}");
    }
}

#[test]
fn other_paths_of_crates_and_the_compiler() {
    for (path, expected) in [
        (
            "/root/.cargo/git/checkouts/typst-a1cd3ade704ca26e/951788c/crates/typst-library/src/lib.rs",
            "typst-library 951788c checkout-path",
        ),
        ("/root/.cargo/git/checkouts/single-a1cd3ade704ca26e/0951788/src/lib.rs", "single 0951788 checkout-path"),
        ("C:\\c\\git\\checkouts\\w-a1cd3ade704ca26e\\0951788\\in\\src\\lib.rs", "in 0951788 checkout-path"),
        ("/work/vendor/serde-1.0.219/src/lib.rs", "serde 1.0.219 vendor-path"),
        ("/rust/deps/hashbrown-0.15.4/src/raw/mod.rs", "hashbrown 0.15.4 std-path"),
        (
            "/rustc/29483883eed69d5fb4db01964cdf2af4d86e9cb2/library/core/src/fmt/mod.rs",
            "rust 29483883eed69d5fb4db01964cdf2af4d86e9cb2 rustc-path",
        ),
        (
            "/rustc/29483883eed69d5fb4db01964cdf2af4d86e9cb2\\library\\core\\src\\lib.rs",
            "rust 29483883eed69d5fb4db01964cdf2af4d86e9cb2 rustc-path",
        ),
        ("/usr/src/rustc-1.85.0/library/alloc/src/raw_vec.rs", "rust 1.85.0 rustc-path"),
    ] {
        assert_eq!(found_in(path), [expected], "{path}");
    }
}

#[test]
fn look_alikes_are_not_packages() {
    for text in [
        // Placeholders, and other directories.
        "~/.cargo/registry/src/index.crates.io-<hash>/serde-1.0.219/src/lib.rs",
        "/.cargo/registry/src/index.crates.io/serde-1.0.219/src/lib.rs",
        "/.cargo/registry/src/index.crates.io-1949cf8c6b5b557/serde-1.0.219/src/lib.rs",
        "/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/serde/src/lib.rs",
        "/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/serde-1.0/src/lib.rs",
        "/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/serde-1.0.219/README.md",
        "/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/serde-1.0.219",
        "/myregistry/src/index.crates.io-1949cf8c6b5b557f/serde-1.0.219/src/lib.rs",
        "/vendor/serde/src/lib.rs",
        "/invendor/serde-1.0.219/src/lib.rs",
        "/rustc/HEAD/library/core/src/lib.rs",
        "/rustc/29483883eed69d5fb4db01964cdf2af4d86e9cb2/compiler/x.rs",
        // Rendered texts.
        "   --> /.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/serde-1.0.219/src/lib.rs:12:5",
        "{\"file\":\"/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/serde-1.0.219/src/lib.rs\"}",
        "https://h/registry/src/index.crates.io-1949cf8c6b5b557f/serde-1.0.219/src/lib.rs",
        "x.d: /c/registry/src/index.crates.io-1949cf8c6b5b557f/serde-1.0.219/src/lib.rs /c/registry",
        "\n/c/registry/src/index.crates.io-1949cf8c6b5b557f/serde-1.0.219/src/lib.rs\n",
        "at /rustc/29483883eed69d5fb4db01964cdf2af4d86e9cb2/library/std/src/panicking.rs:652:5",
    ] {
        assert_eq!(found_in(text), <[&str; 0]>::default(), "{text}");
    }
}

#[test]
fn repetitions_are_folded_and_counted() {
    let text = ["de.rs", "lib.rs", "ser.rs"].map(|file| format!("{REGISTRY}/serde-1.0.219/src/{file}\0")).concat();
    let found = inventory(&module_with_data(text));
    let [package] = found.packages() else { panic!("{found:?}") };
    assert_eq!((package.count, package.ecosystem, package.confidence), (3, Ecosystem::Cargo, Confidence::High));
    assert_eq!((&*package.source, &package.checksum, &package.replaces), ("crates.io", &None, &None));
}

#[test]
fn packages_of_different_sources_are_apart() {
    let vendored = "/w/vendor/x-1.0.0/src/lib.rs\0";
    let from_git = "/c/git/checkouts/r-a1cd3ade704ca26e/0951788/x/src/lib.rs\0";
    let found = inventory(&module_with_data(format!("{vendored}{from_git}{REGISTRY}/x-1.0.0/src/lib.rs\0")));
    assert_eq!(listed(&found), ["x 1.0.0 vendor-path", "x 0951788 checkout-path", "x 1.0.0 registry-path"]);
}

/// The output holds neither the user's name nor a directory.
#[test]
fn only_names_and_versions_are_reported() {
    let found = inventory(&module_with_data(format!("{REGISTRY}/serde-1.0.219/src/secret/file.rs\0")));
    let text = format!("{found:?}");
    assert!(!text.contains("builder") && !text.contains("secret") && !text.contains("1949cf8c6b5b557f"), "{text}");
}

#[test]
fn packages_belong_to_the_item_that_holds_the_data() {
    let inner = |name: &str| module(&[data_section(&[active(0, format!("{REGISTRY}/{name}-1.0.0/src/lib.rs\0"))])]);
    let bytes = component(&[nested(&inner("a")), nested(&component(&[nested(&inner("b")), nested(&inner("a"))]))]);
    let found = inventory(&bytes);
    let places: Vec<_> =
        found.packages().iter().map(|package| (&*package.name, package.item, package.path.to_string())).collect();
    assert_eq!(places, [("a", 1, "0".to_owned()), ("b", 3, "1/0".to_owned()), ("a", 4, "1/1".to_owned())]);
    for package in found.packages() {
        assert!(bytes[package.offset as usize..].starts_with(b"registry/src/"), "{package:?}");
    }
}
