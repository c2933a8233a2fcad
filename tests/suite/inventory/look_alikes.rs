//! 200 binaries with texts about packages that they do not contain.

use sectile_testing::binary::module_with_data;
use sectile_testing::seeded::Seeded;

const CRATES: [&str; 5] = ["serde", "tokio-util", "md-5", "ring", "openssl-sys"];
const VERSIONS: [&str; 5] = ["1.0.219", "0.7.10", "0.10.6", "0.17.8", "1.0.0-rc.1"];
const HOMES: [&str; 4] = ["/home/user/.cargo", "~/.cargo", "C:\\Users\\user\\.cargo", "/usr/local/cargo"];

/// Texts around a path, as documentation, logs and test data have them. `{}` is the path.
const AROUND_PATHS: [&str; 13] = [
    "error[E0308]: mismatched types\n   --> {}:12:5\n    |\n",
    "thread 'main' panicked at {}:52:9:\ncalled `Option::unwrap()`",
    "   2: core::panicking::panic\n             at {}:101:5\n",
    "{\"reason\":\"compiler-artifact\",\"src_path\":\"{}\",\"edition\":\"2021\"}",
    "src = '{}'\n",
    "See `{}` for the definition.",
    "/target/debug/app.d: {} /home/user/src/main.rs\n",
    "{}:\n\n# env-dep:CARGO\n{}: /home/user\n",
    "<a href=\"https://docs.example.org{}\">source</a>",
    "- first\n- {}\n- last\n",
    "open (the file {}) and edit it",
    "The file is {}, which Cargo unpacked.",
    "include!([{}]);",
];

/// Texts that have a name and a version in another form.
const OTHERS: [&str; 16] = [
    "Cargo unpacks crates to registry/src/<index>-<hash>/<name>-<version>/src/lib.rs",
    "registry/src/index.crates.io-1949cf8c6b5b557f/*/src/lib.rs",
    "registry/src/index.crates.io-XXXXXXXXXXXXXXXX/serde-1.0.219/src/lib.rs",
    "registry/cache/index.crates.io-1949cf8c6b5b557f/serde-1.0.219.crate",
    "git/checkouts/repo-a1cd3ade704ca26e/main/src/lib.rs",
    "/rustc/$hash/library/core/src/lib.rs",
    "third_party/vendor/serde/1.0.219/src/lib.rs",
    "node_modules/lodash/package.json was not found, expected version 4.17.21",
    "require('node_modules/lodash/index.js') // 4.17.21",
    "{\"node_modules/lodash\":{\"version\":\"4.17.21\"}}",
    "requires OpenSSL 3.0.2 or newer",
    "this build uses zlib 1.3.1, Copyright 1995-2024",
    "Supported: libpng version 1.6 and later",
    "SQLite format 3\0 is the header; see check-in 2024-05-23 13:25:27",
    "path\texample.com/app\nmod\texample.com/app\tv1.0.0\n",
    "ruby 3.3.3 is supported, PHP/8.2 is not, curl/8.4.0 is",
];

#[test]
fn look_alikes_are_not_packages() {
    let mut seeded = Seeded::new(23);
    for nth in 0..200 {
        let mut text = String::from("\0");
        for _ in 0..=seeded.below(12) {
            let mut pick = |from: &[&'static str]| from[seeded.below(from.len())];
            let piece = if pick(&["path", "other"]) == "path" {
                let (home, name, version) = (pick(&HOMES), pick(&CRATES), pick(&VERSIONS));
                let path = format!("{home}/registry/src/index.crates.io-1949cf8c6b5b557f/{name}-{version}/src/lib.rs");
                let path = if home.contains('\\') { path.replace('/', "\\") } else { path };
                pick(&AROUND_PATHS).replace("{}", &path)
            } else {
                pick(&OTHERS).to_owned()
            };
            text += &piece;
            text += pick(&["\0", "\0\0\0", "\n", " "]);
        }
        let found = sectile::inventory::read_slice(&module_with_data(&text)).unwrap();
        assert!(found.packages().is_empty(), "binary {nth}: {:?} in {text:?}", found.packages());
    }
}
