//! `--revision-from-git` in a hostile environment. The oracle is the program `git`, if it is
//! installed.

use std::fs;

use sectile_testing::git::{repository, revision};

use super::command;

/// Neither the environment nor the user's configuration makes a difference.
#[test]
fn git_settings_of_the_host_have_no_effect() {
    let Some((_kept, directory)) = repository() else { return };
    let home = directory.with_file_name("home");
    fs::create_dir_all(home.join(".config/git")).unwrap();
    let config = "[core]\nfileMode = false\nautocrlf = true\n[filter \"evil\"]\nclean = false\nrequired = true\n";
    fs::write(home.join(".gitconfig"), config).unwrap();
    fs::write(home.join(".config/git/config"), config).unwrap();
    fs::write(home.join(".config/git/attributes"), "* filter=evil\n").unwrap();
    let (other, module) = (directory.with_file_name("other"), directory.with_file_name("m.wasm"));
    fs::create_dir(&other).unwrap();
    fs::write(&module, b"\0asm\x01\0\0\0").unwrap();
    let manifest = directory.join("Cargo.toml");
    fs::write(&manifest, "[package]\n").unwrap();
    let run = |set: bool| {
        let mut command = command(["set"]);
        command.arg(&module).args(["--revision-from-git", "-o", "-", "--from"]).arg(&manifest);
        if set {
            let variables =
                ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_CEILING_DIRECTORIES"];
            command
                .envs(variables.map(|variable| (variable, &other)))
                .env("HOME", &home)
                .env("XDG_CONFIG_HOME", home.join(".config"));
            command.envs([
                ("GIT_CONFIG_COUNT", "1"),
                ("GIT_CONFIG_KEY_0", "core.bare"),
                ("GIT_CONFIG_VALUE_0", "true"),
            ]);
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    let expected = revision(&directory).unwrap();
    let told = run(false);
    assert!(told.windows(expected.len()).any(|part| part == expected.as_bytes()));
    assert_eq!(run(true), told);
}
