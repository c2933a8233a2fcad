//! A file system that shares blocks. Unchanged data of a replacement takes no space.

use std::fs;
use std::process::Command;

use crate::mounted::Mounted;
use crate::stage::{end, sectile};
use sectile_testing::binary::{custom, module};

#[test]
#[ignore = "needs root"]
fn a_replacement_shares_the_blocks_that_it_keeps() {
    let mounted = Mounted::made_by("mkfs.xfs", &["-q", "-m", "reflink=1"], 400 << 20);
    let mount = mounted.path();
    const MIB: u64 = 1 << 20;
    let old = module(&[custom("bulk", vec![b'x'; 16 << 20]), custom("licenses", "MIT")]);
    fs::write(mount.join("a.wasm"), &old).unwrap();
    fs::File::open(mount.join("a.wasm")).unwrap().sync_all().unwrap();
    let free = || {
        let space = rustix::fs::statvfs(mount).unwrap();
        space.f_bfree * space.f_frsize
    };
    // Writes to another file. Replacing a file would free its blocks and hide the effect.
    let before = free();
    let set = ["set", "a.wasm", "--licenses", "ISC", "-o", "out.wasm"];
    end(sectile().args(set).current_dir(mount)).succeeds();
    fs::File::open(mount.join("out.wasm")).unwrap().sync_all().unwrap();
    let used = before.saturating_sub(free());
    assert!(used < MIB, "{used} bytes of 16 MiB");
    let extents = Command::new("filefrag").arg("-v").arg(mount.join("out.wasm")).output().unwrap();
    let extents = String::from_utf8(extents.stdout).unwrap();
    assert!(extents.contains("shared"), "{extents}");
    let (head, tail) = old.split_at(old.len() - 3);
    assert!(tail == b"MIT" && fs::read(mount.join("out.wasm")).unwrap() == [head, b"ISC"].concat());
}
