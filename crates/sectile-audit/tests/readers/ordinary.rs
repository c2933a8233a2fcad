//! Archives that ordinary programs write have no errors.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use super::audits;
use super::modules;

/// Number of archived modules in the tree.
const MODULES: usize = 5;

/// Shell commands that write archives of the current directory to `$OUT`, with the archive's name.
const COMMANDS: [(&str, &str); 63] = [
    ("tar-gnu.tar", "tar --format=gnu -cf $FILE ."),
    ("tar-oldgnu.tar", "tar --format=oldgnu -cf $FILE ."),
    ("tar-posix.tar", "tar --format=posix -cf $FILE ."),
    ("tar-ustar.tar", "tar --format=ustar --exclude='long*' -cf $FILE ."),
    ("tar-v7.tar", "tar --format=v7 --exclude='long*' -cf $FILE ."),
    ("tar-gnu-sparse.tar", "tar --format=gnu -Scf $FILE ."),
    ("tar-oldgnu-sparse.tar", "tar --format=oldgnu -Scf $FILE ."),
    ("tar-sparse-0.0.tar", "tar --format=posix --sparse-version=0.0 -Scf $FILE ."),
    ("tar-sparse-0.1.tar", "tar --format=posix --sparse-version=0.1 -Scf $FILE ."),
    ("tar-sparse-1.0.tar", "tar --format=posix --sparse-version=1.0 -Scf $FILE ."),
    ("tar-sparse.tgz", "tar --format=posix -Szcf $FILE ."),
    ("tar-label-gnu.tar", "tar --format=gnu -V label -cf $FILE ."),
    ("tar-label-oldgnu.tar", "tar --format=oldgnu -V label -cf $FILE ."),
    ("tar-label-posix.tar", "tar --format=posix -V label -cf $FILE ."),
    ("tar-incremental.tar", "tar --format=gnu -g $OUT.snapshot -cf $FILE ."),
    ("tar-incremental-posix.tar", "tar --format=posix -g $OUT.snapshot2 -cf $FILE ."),
    ("tar-global.tar", "tar --format=posix --pax-option='globexthdr.name=g,comment=hello' -cf $FILE ."),
    ("tar-no-times.tar", "tar --format=posix --pax-option=delete=atime,delete=ctime --mtime=@0 -cf $FILE ."),
    ("tar-negative-time.tar", "tar --format=gnu --mtime=@-1 -cf $FILE ."),
    ("tar-huge-user.tar", "tar --format=gnu --owner=+4000000 --group=+4000000 -cf $FILE ."),
    ("tar-blocks-1.tar", "tar -b 1 -cf $FILE ."),
    ("tar-appended.tar", "tar -cf $FILE ./one.wasm && tar -rf $FILE ."),
    ("tar-concatenated.tar", "tar -cf $FILE ./one.wasm && tar -cf $OUT.more . && tar -Af $FILE $OUT.more"),
    ("tar-acls.tar", "tar --format=posix --acls --xattrs --selinux -cf $FILE . 2>/dev/null"),
    ("tar-links-followed.tar", "tar -hcf $FILE ."),
    ("tar.tgz", "tar -zcf $FILE ."),
    ("tar.tar.zst", "tar --zstd -cf $FILE ."),
    ("tar-padded.tgz", "tar -zcf $FILE . && truncate -s %10240 $FILE"),
    ("bsdtar-ustar.tar", "bsdtar --format ustar --exclude 'long*' -cf $FILE ."),
    ("bsdtar-pax.tar", "bsdtar --format pax -cf $FILE ."),
    ("bsdtar-gnutar.tar", "bsdtar --format gnutar -cf $FILE ."),
    ("bsdtar-v7.tar", "bsdtar --format v7tar --exclude 'long*' -cf $FILE ."),
    ("bsdtar-restricted.tar", "bsdtar -cf $FILE ."),
    ("bsdtar.tgz", "bsdtar -czf $FILE ."),
    ("bsdtar.tar.zst", "bsdtar --zstd -cf $FILE ."),
    ("bsdtar.zip", "bsdtar --format zip -cf $FILE ."),
    ("bsdtar-stored.zip", "bsdtar --format zip --options zip:compression=store -cf $FILE ."),
    ("bsdtar-piped.zip", "bsdtar --format zip -cf - . | cat >$FILE"),
    ("busybox.tar", "busybox tar -cf $FILE ."),
    ("busybox.tgz", "busybox tar -zcf $FILE ."),
    ("zip.zip", "zip -qr $FILE ."),
    ("zip-stored.zip", "zip -q0r $FILE ."),
    ("zip-links.zip", "zip -qyr $FILE ."),
    ("zip-no-directories.zip", "zip -qDr $FILE ."),
    ("zip-no-extra.zip", "zip -qXr $FILE ."),
    ("zip-64.zip", "zip -qfzr $FILE ."),
    ("zip-piped.zip", "zip -qr - . | cat >$FILE"),
    ("zip-comment.zip", "echo comment | zip -qzr $FILE ."),
    ("zip-updated.zip", "zip -qr $FILE . && zip -qd $FILE empty && zip -q $FILE one.wasm"),
    ("zip-self-extracting.run", "zip -qr $OUT.zip . && cat /bin/sh $OUT.zip >$FILE && zip -qA $FILE"),
    ("zip-behind-a-script.run", "printf '#!/bin/sh\\n' | cat - $OUT.zip >$FILE"),
    ("zip-much-behind.zip", "zip -qr $FILE . && head -c 70000 /dev/zero >>$FILE"),
    ("7z.zip", "7z a -bso0 -tzip $FILE . >/dev/null"),
    ("7z-links.zip", "7z a -bso0 -snl -tzip $FILE . >/dev/null"),
    ("7z-stored.zip", "7z a -bso0 -mx0 -tzip $FILE . >/dev/null"),
    ("7z.tar", "7z a -bso0 -ttar $FILE . >/dev/null"),
    ("7z-links.tar", "7z a -bso0 -snl -snh -ttar $FILE . >/dev/null"),
    ("jar.jar", "jar cf $FILE ."),
    ("jar-stored.jar", "jar c0f $FILE ."),
    ("jar-updated.jar", "jar cf $FILE one.wasm && jar uf $FILE ."),
    ("git.tar", "git archive --format=tar -o $FILE HEAD"),
    ("git.tgz", "git archive --format=tar.gz -o $FILE HEAD"),
    ("git.zip", "git archive --format=zip -o $FILE HEAD"),
];

/// Commands that write a compressed module to `$FILE`.
const COMPRESSED: [(&str, &str); 7] = [
    ("gzip.wasm.gz", "gzip -c one.wasm >$FILE"),
    ("gzip-nameless.wasm.gz", "gzip -nc one.wasm >$FILE"),
    ("gzip-members.wasm.gz", "{ head -c 10 one.wasm | gzip; tail -c +11 one.wasm | gzip; } >$FILE"),
    ("gzip-padded.wasm.gz", "gzip -c one.wasm >$FILE && truncate -s %1024 $FILE"),
    ("busybox.wasm.gz", "busybox gzip -c one.wasm >$FILE"),
    ("zstd.wasm.zst", "zstd -qc one.wasm >$FILE"),
    ("7z.wasm.gz", "7z a -bso0 -tgzip $FILE one.wasm >/dev/null"),
];

/// Fails with a list of archives from ordinary programs that have an error or lack a module.
pub(crate) fn check(go: &Path) {
    let directory = tempfile::tempdir().unwrap();
    let [tree, out] = ["tree", "out"].map(|name| directory.path().join(name));
    fs::create_dir(&out).unwrap();
    write_tree(&tree);
    let git = "git init -q && git add -A && git -c user.name=a -c user.email=a@b commit -qm a && git config core.autocrlf false";
    let repository = directory.path().join("repository");
    shell(directory.path(), "cp -a tree repository", &out, "");
    shell(&repository, git, &out, "");
    for (name, command) in COMMANDS.iter().chain(&COMPRESSED) {
        let place = if command.starts_with("git ") { &repository } else { &tree };
        shell(place, command, &out, name);
    }
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/readers/write.py");
    shell(&tree, &format!("python3 {} $OUT", python.display()), &out, "");
    shell(&tree, &format!("{} --write $OUT .", go.display()), &out, "");
    let audited = directory.path().join("audited");
    fs::create_dir(&audited).unwrap();
    let mut names: Vec<String> =
        fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert!(names.len() >= COMMANDS.len() + COMPRESSED.len() + 15, "{names:?}");
    for (nth, name) in names.iter().enumerate() {
        fs::rename(out.join(name), audited.join(format!("{nth:06}-{name}"))).unwrap();
    }
    let all: BTreeSet<usize> = (0..MODULES).collect();
    let mut faults = Vec::new();
    for (name, answer) in names.iter().zip(audits::audit(&audited, names.len())) {
        let short = ["ustar", "v7"].iter().any(|format| name.contains(format));
        let expected = if name.contains(".wasm.") {
            BTreeSet::from([0])
        } else if short {
            &all - &BTreeSet::from([3])
        } else {
            all.clone()
        };
        if !answer.errors.is_empty() || answer.listed != expected {
            faults.push(format!("{name}: listed {:?}, errors {:?}", answer.listed, answer.errors));
        }
    }
    println!("{} ordinary archives, {} with faults", names.len(), faults.len());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// A tree with modules at paths that archives express in different ways.
fn write_tree(tree: &Path) {
    let long = "long".repeat(30) + "/" + &"long".repeat(40);
    let deep = tree.join("directory");
    fs::create_dir_all(&deep).unwrap();
    fs::create_dir_all(tree.join(&long)).unwrap();
    let module = |number| modules::module(number, 700);
    fs::write(tree.join("one.wasm"), module(0)).unwrap();
    fs::write(deep.join("two"), module(1)).unwrap();
    fs::hard_link(deep.join("two"), deep.join("linked")).unwrap();
    fs::write(tree.join("spaß.wasm"), module(2)).unwrap();
    fs::write(tree.join(&long).join("x.wasm"), module(3)).unwrap();
    // A sparse file: the padding of the module is a hole.
    let sparse = modules::module(4, 99_000);
    let file = fs::File::create(tree.join("sparse.wasm")).unwrap();
    file.set_len(sparse.len() as u64).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, &sparse[..100], 0).unwrap();
    let end = sparse.len() - 100;
    std::os::unix::fs::FileExt::write_all_at(&file, &sparse[end..], end as u64).unwrap();
    fs::write(tree.join("empty"), "").unwrap();
    fs::write(tree.join("text"), "text\n".repeat(1_000)).unwrap();
    symlink("one.wasm", tree.join("link")).unwrap();
}

fn shell(place: &Path, command: &str, out: &Path, name: &str) {
    let status = Command::new("sh")
        .args(["-ec", command])
        .current_dir(place)
        .env("OUT", out)
        .env("FILE", out.join(name))
        .env("LC_ALL", "C.UTF-8")
        .stdin(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "{name}: {command}: {status}");
}
