//! The inventory: every case runs through every driver.

mod go;
mod hostile;
mod look_alikes;
mod rust;
mod segments;

use sectile::inventory::{Inventory, InventoryReader};
use sectile_testing::all_drivers::file;
use sectile_testing::binary::module_with_data;
use sectile_testing::bodies::collect;

/// The inventory of a valid input, which is the same with every driver, in every chunk and window.
#[track_caller]
fn inventory(bytes: &[u8]) -> Inventory {
    let (expected, error) = collect(bytes, &[1], InventoryReader::new);
    assert_eq!(error, None);
    for chunks in [&[7, 1, 0, 64][..], &[4096], &[usize::MAX]] {
        assert_eq!(collect(bytes, chunks, InventoryReader::new).0, expected, "chunks of {chunks:?}");
    }
    for window in [1, 2, 13, 100, 1500] {
        let windowed = || InventoryReader::new().with_window(window);
        assert_eq!(collect(bytes, &[usize::MAX], windowed).0, expected, "windows of {window}");
    }
    let from_file = sectile::Input::from_file(file(bytes)).unwrap().inventory().unwrap();
    assert_eq!(Some(&from_file), expected.as_ref(), "a file");
    expected.unwrap()
}

/// `name version evidence` of each package.
fn listed(inventory: &Inventory) -> Vec<String> {
    let packages = inventory.packages().iter();
    packages.map(|package| format!("{} {} {}", package.name, package.version, package.evidence)).collect()
}

/// The packages in a text.
#[track_caller]
fn found_in(text: impl AsRef<[u8]>) -> Vec<String> {
    listed(&inventory(&module_with_data(text)))
}
