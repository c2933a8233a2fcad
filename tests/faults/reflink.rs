//! A file system that shares blocks: what a replacement keeps takes no room.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::binary::{custom, module};
use crate::stage::{end, sectile};

#[track_caller]
fn run(program: &str, args: &[&str], path: &Path) -> String {
    let output = Command::new(program).args(args).arg(path).output().unwrap();
    assert!(output.status.success(), "{program} {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

struct Unmount<'p>(&'p Path);

impl Drop for Unmount<'_> {
    fn drop(&mut self) {
        _ = Command::new("umount").arg(self.0).status();
    }
}

#[test]
#[ignore = "needs root"]
fn a_replacement_shares_the_blocks_that_it_keeps() {
    let directory = tempfile::tempdir().unwrap();
    let (image, mount) = (directory.path().join("image"), directory.path().join("mount"));
    fs::File::create(&image).unwrap().set_len(400 << 20).unwrap();
    fs::create_dir(&mount).unwrap();
    run("mkfs.xfs", &["-q", "-m", "reflink=1"], &image);
    run("mount", &["-o", "loop", image.to_str().unwrap()], &mount);
    let _unmount = Unmount(&mount);

    const MIB: u64 = 1 << 20;
    let old = module(&[custom("bulk", vec![b'x'; 16 << 20]), custom("licenses", "MIT")]);
    fs::write(mount.join("a.wasm"), &old).unwrap();
    fs::File::open(mount.join("a.wasm")).unwrap().sync_all().unwrap();
    let free = || {
        let space = rustix::fs::statvfs(&mount).unwrap();
        space.f_bfree * space.f_frsize
    };
    let before = free();
    let set = ["set", "a.wasm", "--licenses", "ISC", "-o", "out.wasm"];
    end(sectile().args(set).current_dir(&mount)).succeeds();
    fs::File::open(mount.join("out.wasm")).unwrap().sync_all().unwrap();
    let used = before.saturating_sub(free());
    assert!(used < MIB, "{used} bytes of 16 MiB");
    let extents = run("filefrag", &["-v"], &mount.join("out.wasm"));
    assert!(extents.contains("shared"), "{extents}");
    let (head, tail) = old.split_at(old.len() - 3);
    assert!(tail == b"MIT" && fs::read(mount.join("out.wasm")).unwrap() == [head, b"ISC"].concat());
}
