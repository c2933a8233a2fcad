//! Edits of a file by its path: planned, inspected, written.

use std::error::Error as _;
use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

use sectile::edit::{ChangeKind, Edit, EditError};
use sectile::metadata::Field;
use sectile::splice::{WriteError, WriteOptions};
use sectile::{FindingCode, Limits};
use tempfile::TempDir;

use sectile_testing::binary::{component, custom, module, nested, section};
use sectile_testing::files::real_files;

const NO_SYNC: WriteOptions = WriteOptions { sync: false, force: false };

/// A file of these bytes, alone in its directory.
fn file(bytes: &[u8]) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.wasm");
    fs::write(&path, bytes).unwrap();
    (directory, path)
}

fn entries(directory: &TempDir) -> usize {
    fs::read_dir(directory.path()).unwrap().count()
}

fn licensed() -> Edit {
    Edit::new().set(Field::Licenses, "MIT").unwrap()
}

#[test]
fn apply_writes_what_was_planned_and_returns_it() {
    for (name, bytes) in real_files().into_iter().filter(|(name, _)| !name.ends_with(".o")) {
        let (directory, path) = file(&bytes);
        let edit = licensed().name("applied").unwrap();
        let expected = edit.plan_slice(&bytes).unwrap();
        let applied = edit.apply(&path).unwrap();
        assert_eq!(applied.plan().pieces(), expected.plan().pieces(), "{name}");
        assert_eq!((applied.changes(), applied.findings()), (expected.changes(), expected.findings()), "{name}");
        assert!(fs::read(&path).unwrap() == expected.plan().to_vec(&bytes).unwrap(), "{name}");
        assert_eq!(entries(&directory), 1, "{name}");
        // A repeated edit changes nothing.
        assert!(edit.apply(&path).unwrap().plan().is_identity(), "{name}");
    }
}

#[test]
fn apply_returns_findings_and_still_writes() {
    let (_directory, path) = file(&module(&[]));
    let edit = Edit::new().set_unchecked(Field::Source, "git@github.com:a/b.git").unwrap();
    let applied = edit.apply(&path).unwrap();
    assert_eq!(applied.findings().iter().map(|finding| finding.code()).collect::<Vec<_>>(), [FindingCode::VcsUrl]);
    assert_eq!(applied.changes().iter().map(|change| change.kind()).collect::<Vec<_>>(), [ChangeKind::Added]);
    assert_eq!(fs::read(&path).unwrap(), module(&[custom("source", "git@github.com:a/b.git")]));
}

#[test]
fn a_failed_apply_leaves_the_file_unchanged() {
    let bytes = component(&[nested(&module(&[custom("note", "x")]))]);
    let (directory, path) = file(&bytes);
    let missing_item = licensed().at("3/0".parse().unwrap()).set(Field::Vendor, "v").unwrap();
    assert_eq!(format!("{:?}", missing_item.apply(&path).unwrap_err()), "item 3/0 does not exist");
    let limited = licensed().with_limits(Limits { max_items: 1, ..Limits::default() });
    assert!(limited.apply(&path).unwrap_err().is_limit());
    assert_eq!((fs::read(&path).unwrap(), entries(&directory)), (bytes, 1));

    let missing = licensed().apply(directory.path().join("missing.wasm")).unwrap_err();
    assert!(missing.is_io() && missing.source().is_some(), "{missing:?}");
    assert_eq!(entries(&directory), 1);

    let broken = [&module(&[])[..], &[0x80, 1]].concat();
    fs::write(&path, &broken).unwrap();
    let error = licensed().apply(&path).unwrap_err();
    assert!(error.is_malformed() && error.offset() == Some(8), "the error of the source must be unchanged: {error}");
    assert_eq!(fs::read(&path).unwrap(), broken);
}

#[test]
fn apply_does_not_replace_a_read_only_file() {
    let (_directory, path) = file(&module(&[]));
    let mut permissions = fs::metadata(&path).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&path, permissions).unwrap();
    let error = licensed().apply(&path).unwrap_err();
    assert_eq!(error.to_string(), "the file is read-only");
    assert!(error.downcast_ref::<WriteError>().unwrap().is_forcible());
    assert!(!error.is_io() && error.downcast_ref::<EditError>().is_none());
    assert_eq!(fs::read(&path).unwrap(), module(&[]));
}

#[test]
fn a_file_plan_writes_only_when_asked() {
    let bytes = module(&[section(1, &[0]), custom("licenses", "ISC")]);
    for in_place in [false, cfg!(unix)] {
        let (directory, path) = file(&bytes);
        let file_plan = licensed().plan(&path).unwrap();
        assert_eq!(file_plan.path(), path);
        assert_eq!(fs::read(&path).unwrap(), bytes, "nothing is written yet");
        let expected = licensed().plan_slice(&bytes).unwrap();
        assert_eq!(file_plan.plan().plan().pieces(), expected.plan().pieces());
        assert_eq!(file_plan.plan().changes(), expected.changes());
        let write = if in_place { sectile::edit::FilePlan::write_in_place } else { sectile::edit::FilePlan::write };
        write(&file_plan, NO_SYNC).unwrap();
        assert_eq!(fs::read(&path).unwrap(), module(&[section(1, &[0]), custom("licenses", "MIT")]));
        assert_eq!(entries(&directory), 1);
        // The plan was for the file as it was.
        assert!(matches!(write(&file_plan, NO_SYNC), Err(WriteError::OtherSource)));
        assert_eq!(file_plan.into_plan().changes(), expected.changes());
    }
}

#[test]
fn a_file_plan_is_for_one_state_of_the_file() {
    let (_directory, path) = file(&module(&[]));
    let file_plan = licensed().plan(&path).unwrap();
    let changed = fs::File::options().write(true).open(&path).unwrap();
    changed.set_modified(SystemTime::UNIX_EPOCH).unwrap();
    assert!(matches!(file_plan.write(NO_SYNC), Err(WriteError::OtherSource)));
    assert!(matches!(file_plan.write_in_place(NO_SYNC), Err(WriteError::OtherSource)));
    assert_eq!(fs::read(&path).unwrap(), module(&[]));
}

#[test]
fn a_file_plan_that_changes_nothing_writes_nothing() {
    let bytes = module(&[custom("licenses", "MIT")]);
    let (_directory, path) = file(&bytes);
    let file_plan = licensed().plan(&path).unwrap();
    assert!(file_plan.plan().plan().is_identity());
    let before = fs::metadata(&path).unwrap();
    file_plan.write(NO_SYNC).unwrap();
    let after = fs::metadata(&path).unwrap();
    assert_eq!(before.modified().unwrap(), after.modified().unwrap());
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        assert_eq!(before.ino(), after.ino());
    }
}

#[test]
fn a_file_that_cannot_be_read_is_not_planned() {
    let directory = tempfile::tempdir().unwrap();
    for path in [directory.path().to_owned(), directory.path().join("missing.wasm")] {
        let error = licensed().plan(&path).unwrap_err();
        assert!(matches!(&error, EditError::Source(source) if source.is_io()), "{error}");
    }
    let path = directory.path().join("a.wasm");
    fs::write(&path, b"\x7fELF....").unwrap();
    let error = licensed().plan(&path).unwrap_err();
    assert!(matches!(&error, EditError::Source(source) if source.is_not_wasm()), "{error}");
}
