//! What a binary becomes in a registry.

mod annotations;
mod hostile;
mod image;
mod layout;
mod locate;

use std::fs;
use std::path::{Path, PathBuf};

use sectile::edit::Edit;
use sectile::oci::{Added, ImageOptions, Layout, LayoutError};
use sectile::splice::Plan;
use sectile::{Input, Limits};
use tempfile::TempDir;

/// A directory with a file in it.
struct Place {
    directory: TempDir,
    file: PathBuf,
}

impl Place {
    fn of(bytes: &[u8]) -> Self {
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
        let plan = Edit::new().plan(&input, Limits::default()).unwrap().plan;
        (input, plan)
    }

    fn try_add(&self, name: Option<&str>, options: &ImageOptions) -> Result<Added, LayoutError> {
        let (input, plan) = self.input();
        let name = name.map(|name| name.parse().unwrap());
        let layout = Layout::open_or_create(self.layout(), Default::default())?;
        layout.add(&input, &plan, name.as_ref(), options, Limits::default())
    }

    fn add(&self, name: Option<&str>) -> Added {
        self.try_add(name, &ImageOptions::default()).unwrap()
    }

    /// What `oci:` locates in the layout, with this behind the directory.
    fn locator(&self, behind: &str) -> String {
        format!("oci:{}{behind}", self.layout().display())
    }
}

/// Every file in a directory, with what is in it.
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
