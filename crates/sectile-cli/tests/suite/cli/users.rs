//! The tasks of four users, from `tests/users/tasks.sh`.

use std::process::Command;

use sectile_testing::files::project;

#[test]
fn documented_tasks_of_users_succeed() {
    let script = project().join("tests/users/tasks.sh");
    let mut bash = Command::new("bash");
    bash.arg(&script).env("SECTILE", env!("CARGO_BIN_EXE_sectile")).env("FILES", project().join("tests/files"));
    let output = bash.output().expect("bash");
    let [stdout, stderr] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    assert!(output.status.success(), "{stdout}\n{stderr}");
    assert!(stdout.contains("all tasks are done"), "{stdout}");
}
