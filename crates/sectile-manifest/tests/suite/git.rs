//! Revisions of work trees. The oracle is the program `git`, if installed. Broken repositories are
//! built by hand.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use sectile_manifest::git::{GitError, Revision, WorkTree};
use tempfile::TempDir;

#[cfg(unix)]
use sectile_testing::files::make_fifo;
use sectile_testing::git::{self, commit, git, repository};

/// Asserts that the revision equals that of `git`.
#[track_caller]
fn agrees(directory: &Path) -> Revision {
    let revision = Revision::for_path(directory.join("Cargo.toml")).unwrap();
    assert_eq!(revision.commit(), git(directory, &["rev-parse", "HEAD"]).unwrap());
    let described = git::revision(directory).unwrap();
    assert_eq!(revision.to_string(), described);
    assert_eq!(revision.is_dirty(), described.ends_with("+dirty"));
    revision
}

#[test]
fn commit_and_changes() {
    let Some((_kept, directory)) = repository() else { return };
    assert!(!agrees(&directory).is_dirty());
    for path in ["", "sub", "sub/file", "."] {
        assert_eq!(Revision::for_path(directory.join(path)).unwrap(), agrees(&directory));
    }
    fs::write(directory.join("untracked"), "").unwrap();
    assert!(!agrees(&directory).is_dirty(), "untracked files do not count");
    fs::write(directory.join("sub/file"), "two\n").unwrap(); // same size, same second
    assert!(agrees(&directory).is_dirty());
    fs::write(directory.join("sub/file"), "one\n").unwrap();
    assert!(!agrees(&directory).is_dirty(), "the same again, with other times");
    fs::write(directory.join("sub/file"), "longer\n").unwrap();
    git(&directory, &["add", "-A"]);
    assert!(agrees(&directory).is_dirty(), "staged");
    git(&directory, &["commit", "-q", "-m", "y"]);
    assert!(!agrees(&directory).is_dirty());
    fs::remove_file(directory.join("sub/file")).unwrap();
    assert!(agrees(&directory).is_dirty(), "gone");
    git(&directory, &["checkout", "-q", "."]);
    git(&directory, &["rm", "-q", "--cached", "sub/file"]);
    assert!(agrees(&directory).is_dirty(), "no longer tracked");
    git(&directory, &["reset", "-q", "--hard"]);
    fs::write(directory.join("new"), "").unwrap();
    git(&directory, &["add", "-N", "new"]);
    assert!(agrees(&directory).is_dirty(), "meant to be added");
}

#[test]
fn every_path_in_a_work_tree_finds_the_same_one() {
    let Some((kept, directory)) = repository() else { return };
    let found = WorkTree::find(&directory).unwrap();
    assert_eq!(found.root(), directory);
    assert_eq!(found.revision().unwrap(), agrees(&directory));
    for path in ["sub", "sub/file", "sub/../Cargo.toml"] {
        assert_eq!(WorkTree::find(directory.join(path)).unwrap(), found, "{path}");
    }
    let inner = directory.join("sub/inner");
    fs::create_dir(&inner).unwrap();
    git(&inner, &["init", "-q"]);
    assert_ne!(WorkTree::find(&inner).unwrap(), found);
    assert!(matches!(WorkTree::find(kept.path()), Err(GitError::NoRepository { .. })));
}

#[cfg(unix)]
#[test]
fn modes_links_and_kinds() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let Some((_kept, directory)) = repository() else { return };
    let file = directory.join("sub/file");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    assert!(agrees(&directory).is_dirty(), "executable");
    git(&directory, &["config", "core.fileMode", "false"]);
    assert!(!agrees(&directory).is_dirty(), "modes do not count");
    fs::remove_file(&file).unwrap();
    symlink("Cargo.toml", &file).unwrap();
    assert!(agrees(&directory).is_dirty(), "a link instead of a file");
    commit(&directory);
    assert!(!agrees(&directory).is_dirty());
    fs::remove_file(&file).unwrap();
    symlink("Cargo.tomL", &file).unwrap();
    assert!(agrees(&directory).is_dirty(), "a link to elsewhere");
    fs::remove_file(&file).unwrap();
    make_fifo(&file);
    assert!(Revision::for_path(&directory).unwrap().is_dirty(), "a FIFO instead of a file, which is not opened");
}

#[test]
fn storage_of_head_and_references() {
    let Some((_kept, directory)) = repository() else { return };
    git(&directory, &["pack-refs", "--all"]);
    agrees(&directory);
    git(&directory, &["gc", "-q"]);
    agrees(&directory);
    git(&directory, &["checkout", "-q", "--detach"]);
    agrees(&directory);
    git(&directory, &["checkout", "-q", "-b", "a/branch/with/slashes"]);
    fs::write(directory.join("sub/file"), "two").unwrap();
    commit(&directory);
    agrees(&directory);
    git(&directory, &["worktree", "add", "-q", "../linked", "main"]);
    let linked = directory.with_file_name("linked");
    assert_ne!(agrees(&linked).commit(), agrees(&directory).commit());
    fs::write(linked.join("sub/file"), "three").unwrap();
    assert!(agrees(&linked).is_dirty() && !agrees(&directory).is_dirty());
    git(&directory, &["clone", "-q", "--depth", "1", &format!("file://{}", directory.display()), "../shallow"]);
    agrees(&directory.with_file_name("shallow"));
    git(&directory, &["clone", "-q", "-s", ".", "../sharing"]);
    agrees(&directory.with_file_name("sharing"));
    git(&directory, &["clone", "-q", "--separate-git-dir", "../separate.git", ".", "../separate"]);
    agrees(&directory.with_file_name("separate"));
}

#[test]
fn branches_may_be_symbolic_references() {
    let Some((_kept, directory)) = repository() else { return };
    git(&directory, &["symbolic-ref", "refs/heads/one", "refs/heads/main"]);
    git(&directory, &["symbolic-ref", "HEAD", "refs/heads/one"]);
    assert!(!agrees(&directory).is_dirty());
    git(&directory, &["symbolic-ref", "refs/heads/two", "refs/heads/one"]);
    git(&directory, &["symbolic-ref", "HEAD", "refs/heads/two"]);
    agrees(&directory);
    git(&directory, &["symbolic-ref", "refs/heads/three", "refs/heads/two"]);
    git(&directory, &["symbolic-ref", "HEAD", "refs/heads/three"]);
    agrees(&directory);
    git(&directory, &["pack-refs", "--all"]);
    agrees(&directory);
    // As in Git, a chain has at most five symbolic references.
    git(&directory, &["symbolic-ref", "refs/heads/four", "refs/heads/three"]);
    git(&directory, &["symbolic-ref", "HEAD", "refs/heads/four"]);
    assert!(matches!(refused(&directory), GitError::Repository { .. }));
    git(&directory, &["symbolic-ref", "refs/heads/main2", "refs/heads/unborn"]);
    git(&directory, &["symbolic-ref", "HEAD", "refs/heads/main2"]);
    assert!(matches!(refused(&directory), GitError::Unborn { .. }));
    git(&directory, &["symbolic-ref", "refs/heads/unborn", "refs/heads/main2"]);
    assert!(matches!(refused(&directory), GitError::Repository { .. }), "a circle");
}

#[test]
fn long_pointers_are_refused_quickly() {
    for file in ["HEAD", "commondir", "refs/heads/main"] {
        let (_kept, directory) = minimal_repository("ref: refs/heads/main", "");
        let path = directory.join(".git").join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        for text in ["a".repeat(10 << 20), format!("ref: refs/heads/{}", "a/".repeat(5 << 20))] {
            fs::write(&path, text).unwrap();
            assert!(matches!(refused(&directory), GitError::NotPlain { path: found, .. } if found == path), "{file}");
        }
    }
    let (_kept, directory) = minimal_repository("ref: refs/heads/main", &"[core]\nbare = false\n".repeat(100_000));
    assert!(matches!(refused(&directory), GitError::NotPlain { .. }));
    let (_kept, directory) = minimal_repository("ref: refs/heads/main", "");
    fs::rename(directory.join(".git"), directory.join("other")).unwrap();
    fs::write(directory.join(".git"), format!("gitdir: {}other", "./".repeat(100_000))).unwrap();
    assert!(matches!(refused(&directory), GitError::NotPlain { .. }));
}

/// A symbolic reference may lead to a FIFO at the second step.
#[cfg(unix)]
#[test]
fn special_files_in_symbolic_references_do_not_block() {
    let (_kept, directory) = minimal_repository("ref: refs/heads/main", "");
    let heads = directory.join(".git/refs/heads");
    fs::create_dir_all(&heads).unwrap();
    fs::write(heads.join("main"), "ref: refs/heads/fifo\n").unwrap();
    let path = heads.join("fifo");
    make_fifo(&path);
    assert!(matches!(refused(&directory), GitError::NotPlain { path: found, .. } if found == path));
}

#[test]
fn submodules_are_inspected() {
    let Some((_kept, directory)) = repository() else { return };
    let outer = directory.with_file_name("outer");
    fs::create_dir(&outer).unwrap();
    git(&outer, &["init", "-q"]);
    fs::write(outer.join("Cargo.toml"), "").unwrap();
    git(&outer, &["submodule", "--quiet", "add", directory.to_str().unwrap(), "inner"]);
    commit(&outer);
    let inner = outer.join("inner");
    assert!(!agrees(&outer).is_dirty());
    assert_eq!(agrees(&inner).commit(), agrees(&directory).commit());
    assert_ne!(agrees(&inner).commit(), agrees(&outer).commit());
    fs::write(inner.join("sub/file"), "two").unwrap();
    assert!(agrees(&outer).is_dirty(), "changed inside");
    git(&inner, &["commit", "-q", "-a", "-m", "y"]);
    assert!(agrees(&outer).is_dirty(), "another commit");
    commit(&outer);
    assert!(!agrees(&outer).is_dirty());
    // An unreadable submodule counts as changed.
    let head = outer.join(".git/modules/inner/HEAD");
    let whole = fs::read(&head).unwrap();
    fs::write(&head, "garbage").unwrap();
    assert!(Revision::for_path(&outer).unwrap().is_dirty());
    fs::write(&head, whole).unwrap();
    git(&outer, &["submodule", "--quiet", "deinit", "--all"]);
    assert!(!agrees(&outer).is_dirty(), "not checked out");
}

/// The index has no entries for empty directories.
#[test]
fn empty_tree_is_not_a_change() {
    let Some((_kept, directory)) = repository() else { return };
    let text = |args: &[&str]| git(&directory, args).unwrap();
    let empty = text(&["hash-object", "-t", "tree", "-w", "/dev/null"]);
    let whole = text(&["ls-tree", "HEAD"]);
    let listed = directory.with_file_name("listed");
    fs::write(&listed, format!("{whole}\n040000 tree {empty}\tempty\n")).unwrap();
    let input = fs::File::open(&listed).unwrap();
    let made = Command::new("git").current_dir(&directory).arg("mktree").stdin(input).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let tree = String::from_utf8(made.stdout).unwrap();
    let commit = text(&["commit-tree", "-p", "HEAD", "-m", "empty", tree.trim_end()]);
    text(&["update-ref", "HEAD", &commit]);
    assert!(!agrees(&directory).is_dirty());
    fs::write(directory.join("sub/file"), "two\n").unwrap();
    assert!(agrees(&directory).is_dirty());
}

#[test]
fn files_are_compared_in_normalized_form() {
    let Some((_kept, directory)) = repository() else { return };
    fs::write(directory.join(".gitattributes"), "*.txt text eol=crlf\n").unwrap();
    fs::write(directory.join("a.txt"), "one\r\ntwo\r\n").unwrap();
    commit(&directory);
    assert!(!agrees(&directory).is_dirty());
    fs::write(directory.join("a.txt"), "one\r\ntwo\r\n").unwrap(); // with new times
    assert!(!agrees(&directory).is_dirty());
    fs::write(directory.join("a.txt"), "one\r\ntwO\r\n").unwrap();
    assert!(agrees(&directory).is_dirty());
}

/// No program that a repository configures is run.
#[cfg(unix)]
#[test]
fn no_program_is_run() {
    let Some((_kept, directory)) = repository() else { return };
    let planted = directory.with_file_name("ran");
    let program = directory.with_file_name("program");
    fs::write(&program, format!("#!/bin/sh\necho \"$0 $*\" >> {}\ncat\n", planted.display())).unwrap();
    fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let run = program.to_str().unwrap();
    fs::write(directory.join(".gitattributes"), "* filter=evil diff=evil merge=evil\nsub/* filter=process\n").unwrap();
    commit(&directory);
    let included = directory.with_file_name("included");
    fs::write(&included, format!("[filter \"evil\"]\nclean = {run}\nsmudge = {run}\nrequired = true\n")).unwrap();
    for (key, value) in [
        ("filter.evil.clean", run),
        ("filter.evil.smudge", run),
        ("filter.evil.required", "true"),
        ("filter.process.process", run),
        ("diff.evil.command", run),
        ("diff.evil.textconv", run),
        ("diff.external", run),
        ("merge.evil.driver", run),
        ("core.fsmonitor", run),
        ("core.sshCommand", run),
        ("core.pager", run),
        ("core.editor", run),
        ("core.askPass", run),
        ("core.gitProxy", run),
        ("core.alternateRefsCommand", run),
        ("credential.helper", run),
        ("gpg.program", run),
        ("include.path", included.to_str().unwrap()),
        ("alias.status", &format!("!{run}")),
        ("core.hooksPath", directory.parent().unwrap().to_str().unwrap()),
    ] {
        git(&directory, &["config", "--add", key, value]);
    }
    for hook in ["post-index-change", "fsmonitor-watchman", "post-checkout", "reference-transaction"] {
        fs::copy(&program, directory.join(".git/hooks").join(hook)).unwrap();
        fs::copy(&program, directory.with_file_name(hook)).unwrap();
    }
    // New times force a comparison of the content.
    fs::write(directory.join("sub/file"), "one\n").unwrap();
    fs::write(directory.join("Cargo.toml"), "[package]\n").unwrap();
    let revision = Revision::for_path(&directory).unwrap();
    assert!(!planted.exists(), "{}", fs::read_to_string(&planted).unwrap());
    assert!(!revision.is_dirty(), "what is not filtered is what it was");
    git(&directory, &["status"]);
    assert!(planted.exists(), "git itself runs it: the trap is one");
}

/// A minimal repository.
fn minimal_repository(head: &str, config: &str) -> (TempDir, PathBuf) {
    let kept = tempfile::tempdir().unwrap();
    let git = kept.path().canonicalize().unwrap().join("r/.git");
    for directory in ["objects/pack", "refs/heads"] {
        fs::create_dir_all(git.join(directory)).unwrap();
    }
    fs::write(git.join("HEAD"), head).unwrap();
    fs::write(git.join("config"), config).unwrap();
    let directory = git.parent().unwrap().to_owned();
    (kept, directory)
}

fn refused(directory: &Path) -> GitError {
    Revision::for_path(directory).unwrap_err()
}

#[test]
fn broken_head_is_an_error() {
    let id = "0123456789abcdef0123456789abcdef01234567";
    for head in [
        "",
        "garbage",
        "ref: ",
        "ref: refs/heads/../../../../etc/passwd",
        "ref: refs/heads/main",
        id,
        "\0\0",
        "ref: HEAD",
    ] {
        let (_kept, directory) = minimal_repository(head, "[core]\nrepositoryformatversion = 0\n");
        let pack = directory.join(".git/objects/pack");
        fs::File::create(pack.join(format!("pack-{id}.pack"))).unwrap().set_len(10 << 30).unwrap(); // sparse
        fs::File::create(pack.join(format!("pack-{id}.idx"))).unwrap().set_len(1 << 30).unwrap();
        let error = refused(&directory);
        assert!(!error.to_string().is_empty());
        if head == "ref: refs/heads/main" {
            assert!(matches!(error, GitError::Unborn { .. }), "{error:?}");
            fs::write(directory.join(".git/refs/heads/main"), "garbage").unwrap();
            assert!(matches!(refused(&directory), GitError::Repository { .. }));
            fs::write(directory.join(".git/refs/heads/main"), id).unwrap();
            assert!(matches!(refused(&directory), GitError::Repository { .. }));
        }
    }
}

#[test]
fn missing_work_trees_are_refused() {
    let kept = tempfile::tempdir().unwrap();
    assert!(matches!(refused(kept.path()), GitError::NoRepository { .. }));
    assert!(matches!(refused(&kept.path().join("nothing")), GitError::Io { .. }));
    let (_kept, directory) = minimal_repository("ref: refs/heads/main", "[core]\nbare = true\n");
    let bare = directory.join(".git");
    let renamed = directory.join("bare.git");
    fs::rename(bare, &renamed).unwrap();
    assert!(matches!(refused(&renamed), GitError::Bare { .. }));
    let (_kept, directory) = minimal_repository("ref: refs/heads/main", "[core]\nbare = true\n");
    assert!(matches!(refused(&directory), GitError::Bare { .. }), "even inside a work tree");
    let config = "[core]\nrepositoryformatversion = 1\n[extensions]\nrefStorage = reftable\n";
    let (_kept, directory) = minimal_repository("ref: refs/heads/.invalid", config);
    assert!(matches!(refused(&directory), GitError::References { storage, .. } if storage == "reftable"));
}

#[test]
fn unusual_repository_formats() {
    let Some((_kept, directory)) = repository() else { return };
    let reftable = directory.with_file_name("reftable");
    fs::create_dir(&reftable).unwrap();
    let init =
        Command::new("git").current_dir(&reftable).args(["init", "-q", "--ref-format=reftable"]).output().unwrap();
    if init.status.success() {
        git(&reftable, &["commit", "-q", "--allow-empty", "-m", "x"]);
        assert!(matches!(refused(&reftable), GitError::References { .. }));
    } else {
        _ = writeln!(io::stderr(), "SKIPPED: this `git` makes no reftables");
    }
    let hashed = directory.with_file_name("sha256");
    fs::create_dir(&hashed).unwrap();
    git(&hashed, &["init", "-q", "--object-format=sha256"]);
    fs::write(hashed.join("Cargo.toml"), "").unwrap();
    commit(&hashed);
    agrees(&hashed);
}

/// A few kilobytes that a checkout would expand to ten billion files.
#[test]
fn exponential_tree_is_not_expanded() {
    let Some((_kept, directory)) = repository() else { return };
    let mut entry = format!("100644 blob {}", git(&directory, &["rev-parse", "HEAD:sub/file"]).unwrap());
    for level in 0..10 {
        let text: String = (0..10).map(|nth| format!("{entry}\t{nth}\n")).collect();
        let file = directory.with_file_name(format!("level-{level}"));
        fs::write(&file, text).unwrap();
        let made =
            Command::new("git").current_dir(&directory).arg("mktree").stdin(fs::File::open(file).unwrap()).output();
        entry = format!("040000 tree {}", String::from_utf8(made.unwrap().stdout).unwrap().trim());
    }
    let tree = entry.strip_prefix("040000 tree ").unwrap();
    let commit = git(&directory, &["commit-tree", "-m", "bomb", tree]).unwrap();
    git(&directory, &["update-ref", "refs/heads/main", &commit]);
    let revision = Revision::for_path(&directory).unwrap();
    assert_eq!((revision.commit(), revision.is_dirty()), (commit, true));
}

#[test]
fn sparse_index_is_read() {
    let Some((_kept, directory)) = repository() else { return };
    fs::create_dir_all(directory.join("z/deep")).unwrap();
    for file in ["z/a", "z/deep/b", "sub.file", "sub-file", "sub0"] {
        fs::write(directory.join(file), file).unwrap();
    }
    commit(&directory);
    assert!(!agrees(&directory).is_dirty());
    git(&directory, &["sparse-checkout", "set", "--cone", "--sparse-index", "sub"]);
    assert!(!directory.join("z/a").exists());
    assert!(!agrees(&directory).is_dirty());
    fs::write(directory.join("sub/file"), "two\n").unwrap();
    assert!(agrees(&directory).is_dirty());
    commit(&directory);
    assert!(!agrees(&directory).is_dirty());
}

#[test]
fn conflict_is_a_change() {
    let Some((_kept, directory)) = repository() else { return };
    git(&directory, &["checkout", "-q", "-b", "other"]);
    fs::write(directory.join("sub/file"), "theirs\n").unwrap();
    commit(&directory);
    git(&directory, &["checkout", "-q", "main"]);
    fs::write(directory.join("sub/file"), "ours\n").unwrap();
    commit(&directory);
    let merge = Command::new("git").current_dir(&directory).args(["merge", "-q", "other"]).output().unwrap();
    assert!(!merge.status.success());
    assert!(agrees(&directory).is_dirty());
}

/// Truncated or overwritten files cause an error or an answer, but no panic.
#[test]
fn broken_files_do_not_panic() {
    let Some((_kept, directory)) = repository() else { return };
    git(&directory, &["gc", "-q"]);
    let git_dir = directory.join(".git");
    let packs = fs::read_dir(git_dir.join("objects/pack")).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<_> =
        ["HEAD", "config", "index", "packed-refs"].map(|file| git_dir.join(file)).into_iter().chain(packs).collect();
    let right = agrees(&directory);
    for file in files {
        let whole = fs::read(&file).unwrap();
        fs::set_permissions(&file, fs::metadata(git_dir.join("HEAD")).unwrap().permissions()).unwrap();
        for len in [0, 1, 12, 40, whole.len() / 2, whole.len() - 1] {
            fs::write(&file, &whole[..len.min(whole.len())]).unwrap();
            if let Ok(revision) = Revision::for_path(&directory) {
                assert_eq!(revision.commit(), right.commit());
            }
        }
        for place in (0..whole.len()).step_by(1 + whole.len() / 64) {
            let mut broken = whole.clone();
            broken[place] ^= 0x41;
            fs::write(&file, broken).unwrap();
            _ = Revision::for_path(&directory);
        }
        fs::write(&file, &whole).unwrap();
    }
    agrees(&directory);
}

#[cfg(unix)]
#[test]
fn special_files_do_not_block() {
    let mapped = ["index", "packed-refs", "objects/pack/pack-x.idx"];
    for file in
        ["HEAD", "config", "commondir", "shallow", "info/attributes", "refs/heads/main"].into_iter().chain(mapped)
    {
        let (_kept, directory) = minimal_repository("ref: refs/heads/main", "");
        let path = directory.join(".git").join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        if !mapped.contains(&file) {
            fs::OpenOptions::new().create(true).append(true).open(&path).unwrap().set_len(10 << 30).unwrap(); // sparse
            assert!(matches!(refused(&directory), GitError::NotPlain { path: found, .. } if found == path), "{file}");
        }
        _ = fs::remove_file(&path);
        make_fifo(&path);
        assert!(matches!(refused(&directory), GitError::NotPlain { path: found, .. } if found == path), "{file}");
    }
    // Files that are probed during the search for a repository.
    for probed in ["a/HEAD", ".git/HEAD", "a/.git/commondir", "a/refs/heads/HEAD"] {
        let kept = tempfile::tempdir().unwrap();
        let above = kept.path().canonicalize().unwrap();
        let directory = above.join("a/b");
        for directory in [&directory.join(".git"), &above.join("a/.git"), &above.join("a/refs/heads")] {
            fs::create_dir_all(directory).unwrap(); // empty: not a repository
        }
        fs::write(above.join("a/.git/HEAD"), "ref: refs/heads/main").unwrap();
        if probed.starts_with("a/refs") {
            fs::create_dir(above.join("a/HEAD")).unwrap();
        }
        let path = above.join(probed);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        assert!(matches!(refused(&directory), GitError::NotPlain { path: found, .. } if found == path), "{probed}");
    }
    // Attributes are read to compare files; unreadable attributes count as a change.
    let Some((_kept, directory)) = repository() else { return };
    for place in [".gitattributes", "sub/.gitattributes"] {
        assert!(!Revision::for_path(&directory).unwrap().is_dirty());
        make_fifo(directory.join(place));
        fs::write(directory.join("sub/file"), "one\n").unwrap();
        assert!(Revision::for_path(&directory).unwrap().is_dirty());
        fs::remove_file(directory.join(place)).unwrap();
    }
}
