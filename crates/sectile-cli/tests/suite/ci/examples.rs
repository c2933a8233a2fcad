//! The examples of `docs/ci.md`.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use super::scripts::Sandbox;
use super::yaml;
use sectile_testing::files::project;

/// The blocks of the page in a language.
fn blocks(language: &str) -> Vec<String> {
    let page = fs::read_to_string(project().join("docs/ci.md")).unwrap();
    let start = format!("```{language}\n");
    page.split(&start).skip(1).map(|rest| rest.split_once("```").unwrap().0.to_owned()).collect()
}

fn example(key: &str) -> Value {
    let found = blocks("yaml").iter().map(|block| yaml::parse(block)).find(|block| block.get(key).is_some());
    found.unwrap_or_else(|| panic!("no example has `{key}`"))
}

fn keys(value: &Value) -> BTreeSet<String> {
    value.as_object().unwrap().keys().cloned().collect()
}

#[test]
fn workflow_uses_inputs_and_outputs_of_the_action() {
    let action = yaml::read("action.yml");
    let steps = example("jobs")["jobs"]["audit"]["steps"].as_array().unwrap().clone();
    let audit = steps.iter().find(|step| step["id"] == "audit").unwrap();
    assert!(keys(&audit["with"]).is_subset(&keys(&action["inputs"])), "{audit}");
    for step in &steps {
        assert!(step.get("run").is_none(), "{step}");
        for expression in yaml::expressions(&step.to_string()) {
            let output = expression.strip_prefix("steps.audit.outputs.").unwrap();
            assert!(action["outputs"].get(output).is_some(), "{expression}");
        }
    }
}

#[test]
fn gitlab_job_writes_its_reports() {
    let sandbox = Sandbox::new();
    sandbox.add_cargo();
    sandbox.add_binary("dist/a.wasm", "nonsense");
    sandbox.write("work/policy.toml", "refuse = 'warning'\n");
    let job = &example("sectile")["sectile"];
    let lines: Vec<_> = job["script"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    let output = sandbox.command("sh").args(["-e", "-c", &lines.join("\n")]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let junit = job["artifacts"]["reports"]["junit"].as_str().unwrap();
    assert!(sandbox.read(&format!("work/{junit}")).contains("<testsuite"));
    let page = job["artifacts"]["paths"][0].as_str().unwrap();
    assert!(sandbox.read(&format!("work/{page}")).starts_with("<!DOCTYPE html>"));
    assert!(sandbox.read("cargo").contains("--locked"));
}

#[test]
fn pre_commit_example_names_the_hooks() {
    let hooks = yaml::read(".pre-commit-hooks.yaml");
    let example = example("repos");
    for hook in example["repos"][0]["hooks"].as_array().unwrap() {
        assert!(hooks.as_array().unwrap().iter().any(|own| own["id"] == hook["id"]), "{hook}");
        assert_eq!(hook["args"].as_array().unwrap().last(), Some(&"--".into()));
    }
}

/// The container's build runs its command in the source, and copies the installed files.
#[test]
fn container_has_the_command() {
    let [dockerfile] = &blocks("dockerfile")[..] else { panic!("one Dockerfile") };
    let line = |start: &str| dockerfile.lines().find_map(|line| line.strip_prefix(start)).unwrap();
    let sandbox = Sandbox::new();
    sandbox.add_cargo();
    let installed = sandbox.path("temp");
    let build = line("RUN ").replace("/installed", installed.to_str().unwrap());
    let built = sandbox.command("sh").current_dir(project()).args(["-e", "-c", &build]).status().unwrap();
    assert!(built.success());
    let (from, to) = line("COPY --from=build ").split_once(' ').unwrap();
    assert!(line("FROM ").ends_with(" AS build") && to.starts_with("/usr/local/bin/"));
    let command = from.replace("/installed", installed.to_str().unwrap());
    let entry: Vec<String> = serde_json::from_str(line("ENTRYPOINT ")).unwrap();
    assert!(to.ends_with(&format!("/{}", entry[0])));
    let version = sandbox.command(command).arg("--version").output().unwrap();
    assert!(version.stdout.starts_with(b"sectile "));
    let manifest = project().join("crates/sectile-cli/Cargo.toml");
    assert!(fs::read_to_string(manifest).unwrap().contains("\nremote = ") && build.contains("--features remote"));
}
