//! Other tools read images: skopeo and umoci read layouts, oci-wasm reads configs.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use sectile::splice::Plan;
use sectile::{Edit, Field, Input};
use sectile_oci::{AnnotationOptions, Image, ImageOptions, Layout};
use sectile_testing::files::project;
use serde_json::Value;
use tempfile::TempDir;

const FILES: [&str; 6] = [
    "rust-auditable.wasm",
    "tinygo-gofmt.wasm",
    "tree-sitter-json.dylink0.wasm",
    "rust-auditable.component.wasm",
    "clang-fib.component.wasm",
    "wit-package.component.wasm",
];

fn path(file: &str) -> PathBuf {
    project().join("tests/files").join(file)
}

/// The output of a command, which must succeed.
#[track_caller]
pub fn printed<I: AsRef<OsStr>>(program: &str, args: impl IntoIterator<Item = I>) -> String {
    let output = Command::new(program).args(args).output().unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A layout with an image of each file, named after it.
fn layout() -> (TempDir, PathBuf, Vec<Image>) {
    let directory = tempfile::tempdir().unwrap();
    let layout = directory.path().join("layout");
    let images = FILES.map(|file| {
        let input = Input::open(path(file)).unwrap();
        let planned = Edit::new().set(Field::Vendor, "Example").unwrap().plan_input(&input).unwrap();
        let layout = Layout::open_or_create(&layout, Default::default()).unwrap();
        let name = file.parse().unwrap();
        layout.add(&input, planned.plan(), Some(&name), &ImageOptions::default()).unwrap().into_image()
    });
    (directory, layout, images.into())
}

#[test]
#[ignore = "needs skopeo"]
fn skopeo_reads_and_copies_every_image() {
    let (directory, layout, images) = layout();
    for (file, image) in FILES.iter().zip(&images) {
        let source = format!("oci:{}:{file}", layout.display());
        assert_eq!(printed("skopeo", ["inspect", "--raw", &source]).as_bytes(), image.manifest());
        let config = printed("skopeo", ["inspect", "--config", "--raw", &source]);
        assert_eq!(config, String::from_utf8_lossy(image.config()));
        let copy = directory.path().join("copy");
        printed("skopeo", ["copy", "--quiet", &source, &format!("oci:{}:{file}", copy.display())]);
        // The layout that the tool wrote reads as the original.
        let [there, here] = [copy.as_path(), &layout].map(|layout| {
            let input = sectile_oci::open(format!("oci:{}:{file}", layout.display())).unwrap();
            input.digests().unwrap()
        });
        assert_eq!((there, there.file()), (here, image.layer().digest()));
    }
    // Sectile adds to a layout that the tool wrote, and the tool reads it again.
    let copy = directory.path().join("copy");
    let input = Input::open(path(FILES[0])).unwrap();
    let plan = Plan::identity(&input);
    let name = "added".parse().unwrap();
    let added = Layout::open_or_create(&copy, Default::default()).unwrap();
    let image = added.add(&input, &plan, Some(&name), &ImageOptions::default()).unwrap().into_image();
    for file in FILES {
        printed("skopeo", ["inspect", "--raw", &format!("oci:{}:{file}", copy.display())]);
    }
    let raw = printed("skopeo", ["inspect", "--raw", &format!("oci:{}:added", copy.display())]);
    assert_eq!(raw.as_bytes(), image.manifest());
}

#[test]
#[ignore = "needs umoci"]
fn umoci_lists_every_image_and_finds_no_garbage() {
    let (_directory, layout, _) = layout();
    let listed = printed("umoci", [OsStr::new("ls"), OsStr::new("--layout"), layout.as_os_str()]);
    let mut names: Vec<&str> = listed.lines().collect();
    names.sort_unstable();
    let mut expected = FILES;
    expected.sort_unstable();
    assert_eq!(names, expected);
    let blobs = || std::fs::read_dir(layout.join("blobs/sha256")).unwrap().count();
    let before = blobs();
    printed("umoci", [OsStr::new("gc"), OsStr::new("--layout"), layout.as_os_str()]);
    assert_eq!(blobs(), before);
    for file in FILES {
        sectile_oci::open(format!("oci:{}:{file}", layout.display())).unwrap();
    }
}

/// The config as oci-wasm reads it, and as it would write it.
fn by_oci_wasm(config: &[u8], wasm: &Path) -> [Value; 2] {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.json");
    std::fs::write(&path, config).unwrap();
    let arguments = ["config".into(), path.into_os_string(), wasm.as_os_str().to_owned()];
    serde_json::from_str(&printed(env!("CARGO"), oci_wasm_command().into_iter().chain(arguments))).unwrap()
}

fn oci_wasm_manifest() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracles/oci-wasm/Cargo.toml")
}

/// The binaries of oci-wasm's own tests: a component and a WIT package.
fn oci_wasm_test_data() -> Vec<PathBuf> {
    let arguments = ["metadata", "--locked", "--format-version", "1", "--manifest-path"].map(OsString::from);
    let metadata = printed(env!("CARGO"), arguments.into_iter().chain([oci_wasm_manifest().into()]));
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    let package =
        metadata["packages"].as_array().unwrap().iter().find(|package| package["name"] == "oci-wasm").unwrap();
    let directory = Path::new(package["manifest_path"].as_str().unwrap()).parent().unwrap().join("tests/data");
    let files: Vec<_> = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() >= 2, "{files:?}");
    files
}

/// The arguments of Cargo that build and run the program with oci-wasm.
pub fn oci_wasm_command() -> Vec<OsString> {
    let manifest = oci_wasm_manifest();
    let target = project().join("target/oci-wasm");
    let mut command: Vec<OsString> = ["run", "--quiet", "--locked", "--manifest-path"].map(OsString::from).to_vec();
    command.extend([manifest.into(), "--target-dir".into(), target.into(), "--".into()]);
    command
}

#[test]
#[ignore = "builds oci-wasm and the 158 crates that it needs"]
fn oci_wasm_reads_and_writes_the_same_config() {
    for file in FILES.map(path).into_iter().chain(oci_wasm_test_data()) {
        let input = Input::open(&file).unwrap();
        let plan = Plan::identity(&input);
        let options = ImageOptions { author: Some("me".to_owned()), ..Default::default() };
        let image = Image::new(&input, &plan, &options).unwrap();
        let [mut read, mut written] = by_oci_wasm(image.config(), &file);
        assert_eq!((&read["author"], &read["created"]), (&"me".into(), &"1970-01-01T00:00:00Z".into()));
        for config in [&mut read, &mut written] {
            config["created"].take(); // oci-wasm writes the current time
            config["author"].take();
            // The exports of a WIT package are in random order.
            let is_wit = file.file_name().unwrap().to_string_lossy().contains("wit");
            if let Some(exports) = config["component"]["exports"].as_array_mut().filter(|_| is_wit) {
                exports.sort_by_key(ToString::to_string);
            }
        }
        assert_eq!(read, written, "{}", file.display());
    }
    // Dates as users may write them.
    for created in
        ["2026-01-31T12:00:00Z", "2026-01-31T12:00:00.123+01:00", "2026-01-31T23:59:60Z", "2026-01-31t12:00:00z"]
    {
        let annotations = AnnotationOptions::new().with_annotation(Field::Created.oci_key(), created).unwrap();
        let options = ImageOptions { annotations, ..Default::default() };
        let input = Input::open(path(FILES[0])).unwrap();
        let plan = Plan::identity(&input);
        let image = Image::new(&input, &plan, &options).unwrap();
        by_oci_wasm(image.config(), &path(FILES[0]));
    }
}
