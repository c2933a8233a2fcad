//! No space: a full disk, and a file size limit. Both allow a partial write and then fail.

use std::fs;

use crate::modes::{MODES, Mode, Sink};
use crate::mounted::Mounted;
use crate::stage::{Ended, Stage, end, names, sectile, through};
use sectile_testing::binary::{custom, module};

/// Runs a mode with a limit on the size of written files.
fn limited(stage: &Stage, mode: &Mode, limit: usize) -> Ended {
    let limit = format!("--fsize={limit}");
    end(through("prlimit", &[&limit]).args(mode.args()).current_dir(stage.directory()))
}

#[test]
fn file_size_limits_at_every_byte_are_errors() {
    let (mut runs, mut failed) = (0, 0);
    for mode in MODES.iter().filter(|mode| mode.is_synced() && !matches!(mode.sink, Sink::Recover(..))) {
        let most = mode.result().len().max(mode.old().map_or(0, |old| old.len())) + 200; // the journal is longer
        let places = [0, 1, 12, 20, 91, 92, 93, 124, 512, 1300, 1307, 1308, 1309, 1321, 1322, 1323];
        for limit in (0..most).step_by(37).chain(places) {
            let stage = Stage::of(mode);
            let ended = limited(&stage, mode, limit);
            let content = stage.content(mode.target());
            let expected = if ended.status == Some(0) { Some(mode.result()) } else { mode.old() };
            assert!(content == expected, "{mode:?} {limit} {ended:?}");
            assert!(
                matches!(ended.status, Some(0 | 2)) && stage.leftovers().is_empty(),
                "{mode:?} {limit} {ended:?} {:?}",
                stage.leftovers()
            );
            if ended.status == Some(2) {
                ended.refused("File too large");
                failed += 1;
            }
            runs += 1;
        }
    }
    println!("{runs} limits, {failed} met");
    assert!(failed > 100);
}

/// The command writes nothing beyond the limit, so undoing the edit requires no writes there.
#[test]
fn an_in_place_edit_past_the_size_limit_is_undone() {
    let old = module(&[custom("bulk", vec![b'x'; 3000]), custom("authors", "the old authors")]);
    for authors in ["the new authors", "some more than the old authors", "few"] {
        let stage = Stage::plain();
        fs::write(stage.path("a.wasm"), &old).unwrap();
        for limit in [1000, old.len() - 20, old.len() - 10, old.len() - 1] {
            let limit = format!("--fsize={limit}");
            let args = ["set", "a.wasm", "--authors", authors, "--in-place"];
            let ended = end(through("prlimit", &[&limit]).args(args).current_dir(stage.directory()));
            if ended.status == Some(0) {
                assert!(authors == "few"); // it ends before the limit
                fs::write(stage.path("a.wasm"), &old).unwrap();
            } else {
                ended.refused("cannot write: File too large");
            }
            assert!(stage.content("a.wasm").as_ref() == Some(&old), "{authors} {limit}");
            assert!(stage.leftovers().is_empty(), "{authors} {limit} {:?}", stage.leftovers());
        }
    }
}

#[test]
#[ignore = "needs root"]
fn a_full_disk_leaves_the_old_file() {
    let mounted = Mounted::in_memory("32k");
    let path = mounted.path().join("a.wasm");
    let mut refusals = 0;
    // In steps of less than a page, because the free space next to the file varies.
    for size in (1000..30_000).step_by(1500) {
        let old = module(&[custom("licenses", "MIT"), custom("bulk", vec![b'x'; size])]);
        for args in [
            &["set", "a.wasm", "--licenses", "MIT OR Apache-2.0"][..],
            &["set", "a.wasm", "--licenses", "MIT OR Apache-2.0", "-o", "out.wasm"],
            &["set", "a.wasm", "--licenses", "MIT OR Apache-2.0", "--in-place"],
            &["put", "a.wasm", "other", "--data-file", "/proc/self/exe", "--in-place"],
            &["put", "a.wasm", "other", "--data-file", "/proc/self/exe"],
        ] {
            for name in names(mounted.path()) {
                // A process started by another test may have the file open, which would keep its
                // space in use.
                fs::write(mounted.path().join(&name), b"").unwrap();
                fs::remove_file(mounted.path().join(name)).unwrap();
            }
            fs::write(&path, &old).unwrap();
            let ended = end(sectile().args(args).current_dir(mounted.path()));
            let is_beside = args.contains(&"-o");
            if ended.status == Some(0) {
                assert_eq!(fs::read(&path).unwrap() == old, is_beside, "{size} {args:?}");
            } else {
                ended.refused("No space left on device");
                assert!(fs::read(&path).unwrap() == old, "{size} {args:?}");
                refusals += 1;
            }
            let expected: &[&str] = if is_beside && mounted.path().join("out.wasm").exists() {
                &["a.wasm", "out.wasm"]
            } else {
                &["a.wasm"]
            };
            assert_eq!(names(mounted.path()), expected, "{size} {args:?}");
        }
    }
    println!("{refusals} refusals");
    assert!(refusals > 20);
}
