//! Annotations, images, layouts and registries, tested from outside the crate in one binary.
#![allow(clippy::unwrap_used, clippy::pedantic)]

mod annotations;
mod consumers;
mod docs;
mod hostile_layout;
mod image;
mod layout;
mod locator;
#[cfg(feature = "registry")]
mod registry;
mod shapes;
mod threads;

#[global_allocator]
static ALLOCATOR: sectile_testing::memory::Counting = sectile_testing::memory::Counting;

use std::fs;
use std::path::{Path, PathBuf};

use sectile::splice::Plan;
use sectile::{Edit, Input};
use sectile_oci::{AddedImage, ImageOptions, Layout, LayoutError};
use tempfile::TempDir;

/// A temporary directory with a binary, in which a layout can be created.
struct Fixture {
    directory: TempDir,
    file: PathBuf,
}

impl Fixture {
    fn new(bytes: &[u8]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("app.wasm");
        fs::write(&file, bytes).unwrap();
        Self { directory, file }
    }

    fn layout(&self) -> PathBuf {
        self.directory.path().join("layout")
    }

    fn input(&self) -> (Input, Plan) {
        let input = Input::open(&self.file).unwrap();
        let plan = unchanged(&input);
        (input, plan)
    }

    fn try_add(&self, name: Option<&str>, options: &ImageOptions) -> Result<AddedImage, LayoutError> {
        let (input, plan) = self.input();
        let name = name.map(|name| name.parse().unwrap());
        let layout = Layout::open_or_create(self.layout(), Default::default())?;
        layout.add(&input, &plan, name.as_ref(), options)
    }

    fn add(&self, name: Option<&str>) -> AddedImage {
        self.try_add(name, &ImageOptions::default()).unwrap()
    }

    /// A locator in the layout, with this suffix after the directory.
    fn locator(&self, suffix: &str) -> String {
        format!("oci:{}{suffix}", self.layout().display())
    }
}

/// The plan of an empty edit.
fn unchanged(input: &Input) -> Plan {
    Edit::new().plan_input(input).unwrap().into_plan()
}

/// Every file below a directory with its contents.
fn tree(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(tree(&path));
        } else {
            files.push((path.clone(), fs::read(&path).unwrap()));
        }
    }
    files.sort();
    files
}
