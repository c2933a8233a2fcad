//! Splicing: every sink writes the concatenation of the pieces, and a file is never partly written.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::time::SystemTime;

use bytes::{Buf, Bytes};
use sectile::edit::{Edit, EditPlan};
use sectile::metadata::Field;
use sectile::splice::{Plan, WriteError, WriteOptions, recover};
use sectile::{Input, Limits};
use tempfile::TempDir;

use sectile_testing::binary::{chain, component, custom, module, nested, section};
use sectile_testing::bodies::concatenation;
use sectile_testing::files::real_paths;
use sectile_testing::sources::OneByteReads;

const NO_SYNC: WriteOptions = WriteOptions { sync: false, force: false };
const FORCE: WriteOptions = WriteOptions { sync: false, force: true };

/// Edits of all kinds: at the end and in the middle, longer, shorter and of the same length.
fn edits() -> Vec<Edit> {
    let set = |field, value: &str| Edit::new().set(field, value).unwrap();
    vec![
        Edit::new(),
        set(Field::Licenses, "MIT"),
        set(Field::Description, &"long ".repeat(100_000)).name("a name").unwrap(),
        Edit::new().unset_producers().unwrap().clear_name().unwrap(),
        Edit::new().remove_matching(sectile::Glob::new("*").unwrap()).force(),
        Edit::new().append("note", [7; 9]).unwrap().add_producer("language", "Rust", "1.88"),
        Edit::new().put("producers", [0; 1]).unwrap(),
    ]
}

/// A file in a directory of its own.
struct TestFile {
    directory: TempDir,
    file: PathBuf,
}

impl TestFile {
    fn with(bytes: &[u8]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("a.wasm");
        fs::write(&file, bytes).unwrap();
        Self { directory, file }
    }

    fn plan(&self, edit: &Edit) -> Plan {
        plan_of(edit.plan(&self.file).unwrap().plan())
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(&self.file).unwrap()
    }

    /// Other files in the directory.
    fn leftovers(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.directory.path()).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| *path != self.file).collect()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

fn plan_of(planned: &EditPlan) -> Plan {
    planned.plan().clone()
}

fn licensed() -> Edit {
    Edit::new().set(Field::Licenses, "MIT").unwrap()
}

/// Whether this system supports edits in place: they need inodes.
const IN_PLACE: bool = cfg!(unix);

#[test]
fn every_sink_writes_the_pieces() {
    for path in real_paths() {
        let source = fs::read(&path).unwrap();
        for edit in edits() {
            let plan = plan_of(&edit.plan_slice(&source).unwrap());
            let expected = concatenation(&plan, &source);
            let is_expected = |bytes: &[u8]| assert!(bytes == expected, "{}, {edit:?}", path.display());
            in_memory(&plan, &source, &is_expected);
            let test_file = TestFile::with(&source);
            test_file.plan(&edit).replace(&test_file.file, NO_SYNC).unwrap();
            is_expected(&test_file.bytes());

            if IN_PLACE {
                let test_file = TestFile::with(&source);
                test_file.plan(&edit).write_in_place(&test_file.file, NO_SYNC).unwrap();
                is_expected(&test_file.bytes());
                assert!(test_file.leftovers().is_empty());
            }

            let (test_file, out) = (TestFile::with(&source), TestFile::with(b"it was something else"));
            let input = Input::open(&test_file.file).unwrap();
            for out in [&out.file, &out.path("new.wasm")] {
                test_file.plan(&edit).write_file(&input, out, NO_SYNC).unwrap();
                is_expected(&fs::read(out).unwrap());
            }
            assert!(test_file.bytes() == source && test_file.leftovers().is_empty() && out.leftovers().len() == 1);
        }
    }
}

fn in_memory(plan: &Plan, source: &[u8], is_expected: &impl Fn(&[u8])) {
    is_expected(&plan.to_vec(source).unwrap());

    let mut written = Vec::new();
    plan.write_to(source, &mut written).unwrap();
    is_expected(&written);

    let mut read = Vec::new();
    plan.reader(source).read_to_end(&mut read).unwrap();
    is_expected(&read);

    let shared = Bytes::copy_from_slice(source);
    let chunks = plan.chunks(&shared).unwrap();
    is_expected(&chunks.clone().into_iter().flatten().collect::<Vec<_>>());
    let len = chunks.remaining();
    is_expected(&{ chunks }.copy_to_bytes(len));
}

#[test]
fn the_reader_seeks_like_a_file() {
    let source = module(&[custom("note", [1; 300]), section(1, &[0]), custom("end", b"")]);
    let edit = Edit::new().put("note", [2; 30]).unwrap().remove("end").unwrap().name("n").unwrap();
    let plan = plan_of(&edit.plan_slice(&source).unwrap());
    let expected = concatenation(&plan, &source);
    let one_byte = OneByteReads { bytes: &source, interrupted: false.into() };
    let mut reader = plan.reader(one_byte);
    for position in 0..=expected.len() + 3 {
        let rest = expected.get(position..).unwrap_or_default();
        for to in [
            SeekFrom::Start(position as u64),
            SeekFrom::End(position as i64 - expected.len() as i64),
            SeekFrom::Current(position as i64),
        ] {
            if matches!(to, SeekFrom::Current(_)) {
                reader.rewind().unwrap();
            }
            assert_eq!(reader.seek(to).unwrap(), position as u64);
            let mut read = Vec::new();
            reader.read_to_end(&mut read).unwrap();
            assert_eq!(read, rest);
        }
    }
    assert!(reader.seek(SeekFrom::End(-1 - expected.len() as i64)).is_err());
    assert!(reader.read(&mut []).unwrap() == 0);

    let mut short = plan.reader(&source[..source.len() / 2]);
    assert!(short.read_to_end(&mut Vec::new()).is_err(), "a truncated source must be an error");
}

/// The result is scanned before it replaces the file, without the default limits.
#[test]
fn files_beyond_the_default_limits_are_written() {
    let limits = Limits { max_name_len: 200_000, max_depth: 2_000, max_items: 200_000, ..Limits::default() };
    for bytes in [
        module(&[custom(&"n".repeat(150_000), b"")]),
        chain(1_500, &component(&[])),
        component(&vec![nested(&module(&[])); 100_001]),
    ] {
        let test_file = TestFile::with(&bytes);
        assert!(licensed().plan(&test_file.file).is_err());
        for in_place in [false, IN_PLACE] {
            let plan = test_file.plan(&licensed().with_limits(limits));
            let expected = concatenation(&plan, &test_file.bytes());
            let write = if in_place { Plan::write_in_place } else { Plan::replace };
            write(&plan, &test_file.file, NO_SYNC).unwrap();
            assert!(test_file.bytes() == expected);
        }
    }
}

#[test]
fn a_plan_is_for_one_file_in_one_state() {
    let test_file = TestFile::with(&module(&[]));
    let plan = test_file.plan(&licensed());
    let of_bytes = plan_of(&licensed().plan_slice(&test_file.bytes()).unwrap());
    let other = TestFile::with(&module(&[]));
    for refused in [
        of_bytes.replace(&test_file.file, NO_SYNC),
        of_bytes.write_in_place(&test_file.file, NO_SYNC),
        plan.replace(&other.file, NO_SYNC),
        plan.write_in_place(&other.file, NO_SYNC),
        plan.write_file(&Input::open(&other.file).unwrap(), other.path("out"), NO_SYNC),
    ] {
        assert!(matches!(refused, Err(WriteError::OtherSource)), "{refused:?}");
    }
    assert!(other.leftovers().is_empty() && other.bytes() == module(&[]));

    fs::write(&test_file.file, module(&[section(1, &[0])])).unwrap();
    assert!(matches!(plan.replace(&test_file.file, NO_SYNC), Err(WriteError::OtherSource)));
    assert_eq!(test_file.bytes(), module(&[section(1, &[0])]));
}

#[test]
fn a_plan_for_bytes_writes_any_file_of_that_length() {
    let (bytes, test_file) = (module(&[]), TestFile::with(&module(&[section(1, b"\0")])));
    let plan = plan_of(&licensed().plan_slice(&bytes).unwrap());
    let longer = plan.write_file(&Input::open(&test_file.file).unwrap(), test_file.path("out"), NO_SYNC);
    assert!(matches!(longer, Err(WriteError::OtherSource)) && test_file.leftovers().is_empty());
    fs::write(&test_file.file, &bytes).unwrap();
    plan.write_file(&Input::open(&test_file.file).unwrap(), test_file.path("out"), NO_SYNC).unwrap();
    assert_eq!(fs::read(test_file.path("out")).unwrap(), concatenation(&plan, &bytes));
}

#[test]
fn a_changed_source_is_an_error() {
    let test_file = TestFile::with(&module(&[]));
    let input = Input::open(&test_file.file).unwrap();
    let plan = plan_of(&licensed().plan_input(&input).unwrap());
    // The same bytes with another modification time.
    let file = File::options().write(true).open(&test_file.file).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
    assert!(matches!(plan.replace(&test_file.file, NO_SYNC), Err(WriteError::OtherSource)));
    let other = TestFile::with(b"it stays");
    for out in [&test_file.path("out"), &other.file] {
        assert!(matches!(plan.write_file(&input, out, NO_SYNC), Err(WriteError::Changed)));
    }
    assert_eq!(other.bytes(), b"it stays");
    assert!(test_file.leftovers().is_empty());
}

#[cfg(unix)] // needs the identity of a file
#[test]
fn the_output_is_not_the_input() {
    let test_file = TestFile::with(&module(&[]));
    let input = Input::open(&test_file.file).unwrap();
    let plan = test_file.plan(&licensed());
    assert!(matches!(plan.write_file(&input, &test_file.file, NO_SYNC), Err(WriteError::SameFile)));
    assert_eq!(test_file.bytes(), module(&[]));
}

#[test]
fn an_identity_plan_writes_nothing() {
    let test_file = TestFile::with(&module(&[custom("licenses", b"MIT")]));
    let before = fs::metadata(&test_file.file).unwrap();
    test_file.plan(&licensed()).replace(&test_file.file, NO_SYNC).unwrap();
    test_file.plan(&licensed()).write_in_place(&test_file.file, NO_SYNC).unwrap();
    let after = fs::metadata(&test_file.file).unwrap();
    assert_eq!(before.modified().unwrap(), after.modified().unwrap());
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        assert_eq!((before.ino(), before.ctime_nsec()), (after.ino(), after.ctime_nsec()));
    }
}

#[test]
fn a_read_only_file_is_replaced_only_with_force() {
    let test_file = TestFile::with(&module(&[]));
    let mut permissions = fs::metadata(&test_file.file).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&test_file.file, permissions).unwrap();
    let plan = test_file.plan(&licensed());
    for refused in [plan.replace(&test_file.file, NO_SYNC), plan.write_in_place(&test_file.file, NO_SYNC)] {
        assert!(matches!(&refused, Err(error @ WriteError::ReadOnly) if error.is_forcible()), "{refused:?}");
    }
    assert!(test_file.bytes() == module(&[]) && test_file.leftovers().is_empty());
    plan.replace(&test_file.file, FORCE)
        .unwrap_or_else(|error| assert!(matches!(error, WriteError::ReadOnly), "{error}"));
    assert!(fs::metadata(&test_file.file).unwrap().permissions().readonly());
}

#[test]
fn recovery_without_a_journal_is_an_error() {
    let test_file = TestFile::with(&module(&[]));
    let error = recover(&test_file.file, NO_SYNC).unwrap_err();
    if IN_PLACE {
        assert!(matches!(error, WriteError::NoJournal), "{error:?}");
    } else {
        assert!(is_unsupported(&error), "{error:?}");
    }
}

#[cfg(not(unix))]
#[test]
fn files_without_an_inode_are_not_edited_in_place() {
    let test_file = TestFile::with(&module(&[]));
    let error = test_file.plan(&licensed()).write_in_place(&test_file.file, NO_SYNC).unwrap_err();
    assert!(is_unsupported(&error), "{error:?}");
    assert!(test_file.bytes() == module(&[]) && test_file.leftovers().is_empty());
}

fn is_unsupported(error: &WriteError) -> bool {
    matches!(error, WriteError::Open(error) if error.kind() == ErrorKind::Unsupported)
}

#[cfg(unix)]
mod on_unix {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_symbolic_link_is_followed_and_kept() {
        let test_file = TestFile::with(&module(&[]));
        let (link, far) = (test_file.path("link"), test_file.path("far"));
        symlink("a.wasm", &link).unwrap();
        symlink(&link, &far).unwrap();
        test_file.plan(&licensed()).replace(&far, NO_SYNC).unwrap();
        assert_eq!(test_file.bytes(), module(&[custom("licenses", b"MIT")]));
        assert!(fs::symlink_metadata(&far).unwrap().is_symlink() && fs::symlink_metadata(&link).unwrap().is_symlink());
        test_file.plan(&Edit::new().unset(Field::Licenses).unwrap()).write_in_place(&far, NO_SYNC).unwrap();
        assert_eq!(test_file.bytes(), module(&[]));

        let (plan, input) = (test_file.plan(&licensed()), Input::open(&test_file.file).unwrap());
        assert!(matches!(plan.write_file(&input, &far, NO_SYNC), Err(WriteError::SameFile)));
        // A link may lead to a file that does not exist yet, and not to itself.
        symlink("nowhere", test_file.path("dangling")).unwrap();
        plan.write_file(&input, test_file.path("dangling"), NO_SYNC).unwrap();
        assert_eq!(fs::read(test_file.path("nowhere")).unwrap(), module(&[custom("licenses", b"MIT")]));
        assert!(fs::symlink_metadata(test_file.path("dangling")).unwrap().is_symlink());
        symlink("loop", test_file.path("loop")).unwrap();
        assert!(matches!(plan.write_file(&input, test_file.path("loop"), NO_SYNC), Err(WriteError::Open(_))));
    }

    #[test]
    fn hard_links_are_split_only_with_force() {
        let test_file = TestFile::with(&module(&[]));
        let other = test_file.path("other");
        fs::hard_link(&test_file.file, &other).unwrap();
        assert!(matches!(test_file.plan(&licensed()).replace(&test_file.file, NO_SYNC), Err(WriteError::HardLinks(2))));
        assert!(test_file.bytes() == module(&[]) && test_file.leftovers().len() == 1);
        test_file.plan(&licensed()).write_in_place(&test_file.file, NO_SYNC).unwrap();
        assert_eq!(fs::read(&other).unwrap(), module(&[custom("licenses", b"MIT")]));
        test_file.plan(&Edit::new().unset(Field::Licenses).unwrap()).replace(&test_file.file, FORCE).unwrap();
        assert_eq!((test_file.bytes(), fs::metadata(&other).unwrap().nlink()), (module(&[]), 1));
    }

    #[test]
    fn the_mode_is_kept() {
        for mode in [0o600, 0o644, 0o755, 0o666, 0o2755] {
            let test_file = TestFile::with(&module(&[]));
            fs::set_permissions(&test_file.file, PermissionsExt::from_mode(mode)).unwrap();
            test_file.plan(&licensed()).replace(&test_file.file, NO_SYNC).unwrap();
            assert_eq!(fs::metadata(&test_file.file).unwrap().mode() & 0o7777, mode);
        }
    }

    #[test]
    fn special_files_are_written_to() {
        let test_file = TestFile::with(&module(&[]));
        let input = Input::open(&test_file.file).unwrap();
        test_file.plan(&licensed()).write_file(&input, "/dev/null", NO_SYNC).unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
        let refused = test_file.plan(&licensed()).write_file(&input, test_file.directory.path(), NO_SYNC);
        assert!(matches!(refused, Err(WriteError::Open(_))), "{refused:?}");
        assert!(matches!(test_file.plan(&licensed()).replace("/dev/null", NO_SYNC), Err(WriteError::NotRegular)));
    }

    /// The longest file names cannot take a prefix or suffix, so a journal is named after the
    /// inode.
    #[test]
    fn file_names_may_have_the_maximum_length() {
        let test_file = TestFile::with(&module(&[]));
        let long = test_file.path(&"n".repeat(255));
        fs::rename(&test_file.file, &long).unwrap();
        let plan = |edit: &Edit| plan_of(edit.plan(&long).unwrap().plan());
        plan(&licensed()).replace(&long, NO_SYNC).unwrap();
        plan(&Edit::new().append("note", []).unwrap()).write_in_place(&long, NO_SYNC).unwrap();
        assert_eq!(fs::read(&long).unwrap(), module(&[custom("licenses", b"MIT"), custom("note", b"")]));
    }

    #[test]
    fn a_file_with_a_pending_recovery_is_not_edited() {
        let test_file = TestFile::with(&module(&[]));
        let inode = fs::metadata(&test_file.file).unwrap().ino();
        let journal = test_file.path(&format!(".sectile-{inode:x}.journal"));
        fs::write(&journal, b"cut off").unwrap();
        for refused in [
            test_file.plan(&licensed()).replace(&test_file.file, FORCE),
            test_file.plan(&licensed()).write_in_place(&test_file.file, FORCE),
        ] {
            assert!(
                matches!(&refused, Err(WriteError::CutOff { journal: found, .. }) if *found == fs::canonicalize(&journal).unwrap())
            );
        }
        assert_eq!(test_file.bytes(), module(&[]));
        // A journal that others may write to is not trusted; the umask of some systems allows that.
        fs::set_permissions(&journal, PermissionsExt::from_mode(0o600)).unwrap();
        recover(&test_file.file, NO_SYNC).unwrap();
        assert!(test_file.leftovers().is_empty());
        test_file.plan(&licensed()).replace(&test_file.file, NO_SYNC).unwrap();
    }
}
