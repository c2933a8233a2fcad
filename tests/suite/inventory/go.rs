//! Go's build information.

use sectile::FindingCode;
use sectile::inventory::{Ecosystem, Evidence, ListKind};
use sectile_testing::binary::{active, data_section, module, module_with_data};

use super::{inventory, listed};

const START: [u8; 16] = *b"\x30\x77\xaf\x0c\x92\x74\x08\x02\x41\xe1\xc1\x07\xe6\xd6\x18\xe6";
const END: [u8; 16] = *b"\xf9\x32\x43\x31\x86\x18\x20\x72\x00\x82\x42\x10\x41\x16\xd8\xf2";

const TEXT: &str = "path\texample.com/cmd/app\n\
    mod\texample.com/app\t(devel)\t\n\
    dep\tgolang.org/x/text\tv0.14.0\th1:abc=\n\
    dep\texample.com/old\tv1.0.0\n\
    =>\texample.com/fork\tv1.0.1\th1:def=\n\
    dep\texample.com/local\tv1.0.0\n\
    =>\t/home/user/local\t\n\
    build\tGOOS=wasip1\n\
    build\t-ldflags=-X main.dir=/home/user\n\
    build\tvcs.revision=0123abc\n";

fn mod_info(text: &str) -> Vec<u8> {
    [&START[..], text.as_bytes(), &END].concat()
}

#[test]
fn modules_replacements_and_settings() {
    let found = inventory(&module_with_data(mod_info(TEXT)));
    assert_eq!(
        listed(&found),
        [
            "example.com/app (devel) go-modinfo",
            "golang.org/x/text v0.14.0 go-modinfo",
            "example.com/fork v1.0.1 go-modinfo",
            "example.com/local  go-modinfo",
        ]
    );
    let packages = found.packages();
    assert!(packages.iter().all(|package| package.ecosystem == Ecosystem::Go));
    assert_eq!(Evidence::GoModInfo.list(), ListKind::Embedded);
    assert_eq!(packages[1].checksum.as_deref(), Some("h1:abc="));
    assert_eq!(packages[2].replaces.as_deref(), Some("example.com/old@v1.0.0"));
    assert_eq!((packages[2].checksum.as_deref(), &*packages[3].source), (Some("h1:def="), "local"));
    let [build] = found.go_builds() else { panic!("{found:?}") };
    assert!(build.complete && build.path == "example.com/cmd/app");
    let settings: Vec<_> = build.settings.iter().map(|(key, value)| (&**key, &**value)).collect();
    assert_eq!(settings, [("GOOS", "wasip1"), ("vcs.revision", "0123abc")]);
    assert!(!format!("{found:?}").contains("/home/user"));
    assert!(found.findings().is_empty());
}

/// The end marker contains a zero, which a linker may drop from the data.
#[test]
fn zeros_between_segments_are_restored() {
    let bytes = mod_info(TEXT);
    let zero = bytes.iter().rposition(|byte| *byte == 0).unwrap();
    let (first, last) = (&bytes[..zero], &bytes[zero + 1..]);
    let segments = |gap: u32| [active(0, first), active(first.len() as u32 + gap, last)];
    let found = inventory(&module(&[data_section(&segments(1))]));
    assert!(found.go_builds()[0].complete && found.findings().is_empty());
    let found = inventory(&module(&[data_section(&segments(2))]));
    assert!(!found.go_builds()[0].complete);
}

#[test]
fn build_information_without_its_end_is_a_finding() {
    let long = format!("{TEXT}dep\t{}", "x".repeat(20_000));
    for text in [TEXT, "path\tx\n", "", "mod\tbad\u{1}\tv1\n", "no line", &long] {
        let found = inventory(&module_with_data([&START[..], text.as_bytes()].concat()));
        let codes: Vec<_> = found.findings().iter().map(|finding| finding.code()).collect();
        assert_eq!(codes, [FindingCode::MalformedInventory], "{text}");
        assert!(!found.go_builds()[0].complete);
    }
}

#[test]
fn text_after_the_build_information_is_searched() {
    let path = "/c/registry/src/index.crates.io-1949cf8c6b5b557f/x-1.0.0/src/lib.rs\0";
    let found = inventory(&module_with_data([&mod_info("path\tp\n")[..], path.as_bytes()].concat()));
    assert_eq!(listed(&found), ["x 1.0.0 registry-path"]);
}
