//! Planted journals. Only `recover` uses them, and only if everything in them is true.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::PathBuf;

use crate::modes::source;
use crate::stage::Stage;

/// A journal as its documentation specifies.
#[derive(Clone)]
struct Journal {
    device: u64,
    inode: u64,
    lens: [u64; 2],
    context: u32,
    /// The declared number of runs.
    count: u32,
    /// Offset, lengths before and after, checksums before and after.
    runs: Vec<(u64, u64, u64, u32, u32)>,
    saved: Vec<u8>,
}

impl Journal {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = b"\0sectile-undo-1\n".to_vec();
        for number in [self.device, self.inode, self.lens[0], self.lens[1]] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend(self.context.to_le_bytes());
        bytes.extend(self.count.to_le_bytes());
        for (offset, old, new, old_sum, new_sum) in &self.runs {
            for number in [offset, old, new] {
                bytes.extend(number.to_le_bytes());
            }
            bytes.extend(old_sum.to_le_bytes());
            bytes.extend(new_sum.to_le_bytes());
        }
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        bytes.extend(&self.saved);
        bytes
    }
}

/// Offset of the licenses in the test file.
const AT: usize = 19;

/// A file torn by an edit from MIT to ISC, and the journal of that edit.
fn torn() -> (Stage, Journal, PathBuf) {
    let stage = Stage::plain();
    let mut content = source();
    assert_eq!(&content[AT..AT + 3], b"MIT");
    content[AT + 1] = b'S';
    let path = stage.path("a.wasm");
    fs::write(&path, &content).unwrap();
    let metadata = fs::metadata(&path).unwrap();
    let len = content.len() as u64;
    let journal = Journal {
        device: metadata.dev(),
        inode: metadata.ino(),
        lens: [len, len],
        context: crc32fast::hash(&content[..AT]),
        count: 1,
        runs: vec![(AT as u64, 3, 3, crc32fast::hash(b"MIT"), crc32fast::hash(b"ISC"))],
        saved: b"MIT".to_vec(),
    };
    let place = stage.path(&format!(".sectile-{:x}.journal", metadata.ino()));
    (stage, journal, place)
}

fn plant(place: &PathBuf, bytes: &[u8]) {
    fs::write(place, bytes).unwrap();
    fs::set_permissions(place, Permissions::from_mode(0o600)).unwrap();
}

/// Refused with this message; the file and the journal stay.
#[track_caller]
fn is_refused(stage: &Stage, why: &str) {
    let before = (stage.content("a.wasm"), stage.leftovers());
    stage.run(&["recover", "a.wasm"]).refused(why);
    assert!(before == (stage.content("a.wasm"), stage.leftovers()));
}

#[test]
fn a_valid_journal_is_used() {
    let (stage, journal, place) = torn();
    is_refused(&stage, "nothing to recover: the file has no journal of an in-place edit");
    plant(&place, &journal.bytes());
    stage.run(&["recover", "a.wasm"]).succeeds();
    assert_eq!((stage.content("a.wasm"), stage.leftovers()), (Some(source()), vec![]));
}

#[test]
fn only_recovery_uses_a_journal() {
    let (stage, journal, place) = torn();
    plant(&place, &journal.bytes());
    let before = (stage.content("a.wasm"), fs::read(&place).unwrap());
    for command in ["show", "sections", "check"] {
        stage.run(&[command, "a.wasm"]);
    }
    stage.run(&["get", "a.wasm", "licenses"]).succeeds();
    for args in [
        &["set", "a.wasm", "--licenses", "ISC"][..],
        &["set", "a.wasm", "--licenses", "ISC", "--in-place"],
        &["set", "a.wasm", "--licenses", "ISC", "--in-place", "--force"],
        &["set", "a.wasm", "--licenses", "ISC", "--force"],
        &["set", "a.wasm", "--licenses", "ISC", "-o", "out.wasm"],
        &["set", "a.wasm", "--licenses", "MST", "--allow-invalid"], // as it is
        &["unset", "a.wasm", "authors"],
        &["put", "a.wasm", "other", "--data", "x"],
        &["remove", "a.wasm", "*"],
        &["strip", "a.wasm", "--all"],
        &["migrate", "a.wasm"],
    ] {
        stage.run(args).refused("the file needs recovery");
    }
    fs::write(stage.path("b.wasm"), source()).unwrap();
    stage.run(&["set", "b.wasm", "--licenses", "ISC", "-o", "a.wasm"]).refused("the file needs recovery");
    assert!(before == (stage.content("a.wasm"), fs::read(&place).unwrap()));
}

#[test]
fn a_journal_that_others_may_write_is_rejected() {
    for mode in [0o620, 0o602, 0o666] {
        let (stage, journal, place) = torn();
        plant(&place, &journal.bytes());
        fs::set_permissions(&place, Permissions::from_mode(mode)).unwrap();
        is_refused(&stage, "cannot use the journal: other users may write to it");
    }
    let (stage, journal, place) = torn();
    plant(&place, &journal.bytes());
    fs::hard_link(&place, stage.path("elsewhere")).unwrap();
    is_refused(&stage, "it has other hard links");

    let (stage, journal, place) = torn();
    plant(&stage.path("elsewhere"), &journal.bytes());
    symlink("elsewhere", &place).unwrap();
    is_refused(&stage, "it is a symbolic link");
    fs::remove_file(stage.path("elsewhere")).unwrap();
    is_refused(&stage, "it is a symbolic link");

    let (stage, _, place) = torn();
    fs::create_dir(&place).unwrap();
    is_refused(&stage, "it is not a regular file");
}

#[test]
#[ignore = "needs root"]
fn a_journal_of_another_user_is_rejected() {
    let (stage, journal, place) = torn();
    plant(&place, &journal.bytes());
    chown(&place, Some(12345), Some(12345)).unwrap();
    is_refused(&stage, "it belongs to another user");
    // The owner of the file may write to it anyway.
    chown(stage.path("a.wasm"), Some(12345), Some(12345)).unwrap();
    stage.run(&["recover", "a.wasm"]).succeeds();
    assert_eq!(stage.content("a.wasm"), Some(source()));
}

#[test]
fn a_journal_that_does_not_match_the_file_is_rejected() {
    let other = |change: fn(&mut Journal), why: &str| {
        let (stage, mut journal, place) = torn();
        change(&mut journal);
        plant(&place, &journal.bytes());
        is_refused(&stage, why);
    };
    other(|it| it.inode += 1, "it was made for another file");
    other(|it| it.device ^= 1, "it was made for another file");
    other(|it| it.context ^= 1, "changed before the edited part");
    other(|it| it.lens = it.lens.map(|len| len + 1), "the length of the file matches neither the old nor the new one");
    let impossible = "its contents are inconsistent";
    other(|it| it.lens[0] += 1, impossible);
    other(|it| it.runs[0].0 = 1 << 40, impossible);
    other(|it| it.runs[0].0 = u64::MAX, impossible);
    other(|it| it.runs[0].1 = u64::MAX, impossible);
    other(|it| it.runs[0].2 = 4, impossible);
    other(|it| (it.runs, it.count) = (vec![it.runs[0]; 2], 2), impossible);
    other(|it| (it.runs, it.count) = (vec![], 0), impossible);
    other(|it| it.count = u32::MAX, impossible);
    other(|it| it.count = 1 << 20, impossible);
}

#[test]
fn a_torn_journal_is_rejected() {
    // With a complete file, a truncated journal belongs to an edit that had not begun.
    for len in [0, 1, 55, 56, 90, 94] {
        let (stage, journal, place) = torn();
        fs::write(stage.path("a.wasm"), source()).unwrap();
        plant(&place, &journal.bytes()[..len]);
        stage.run(&["recover", "a.wasm"]).succeeds();
        assert_eq!((stage.content("a.wasm"), stage.leftovers()), (Some(source()), vec![]), "{len}");
    }
    // The saved bytes do not match their checksum.
    let (stage, mut journal, place) = torn();
    journal.saved = b"MIX".to_vec();
    plant(&place, &journal.bytes());
    is_refused(&stage, "it is torn, and the file is not complete either");
    // The file is not complete either.
    let (stage, journal, place) = torn();
    let cut = source().len() as u64 - 1;
    fs::File::options().write(true).open(stage.path("a.wasm")).unwrap().set_len(cut).unwrap();
    plant(&place, &journal.bytes()[..20]);
    is_refused(&stage, "it is torn, and the file is not complete either");
}

/// A sparse file has its declared length, and takes no memory.
#[test]
fn a_huge_declared_journal_does_not_allocate() {
    let (stage, mut journal, place) = torn();
    journal.count = u32::MAX;
    plant(&place, &journal.bytes());
    fs::File::options().write(true).open(&place).unwrap().set_len(200 << 30).unwrap();
    is_refused(&stage, "its contents are inconsistent");
}
