//! `action.yml`: its scripts run under bash, and inputs are never inserted into the text of a
//! script.

use std::collections::BTreeMap;
use std::process::Output;

use serde_json::Value;

use super::scripts::Sandbox;
use super::yaml::{self, expressions};
use sectile_testing::files::project;

/// A job that uses the action, with the state that the service keeps for it.
struct Job {
    sandbox: Sandbox,
    inputs: BTreeMap<String, String>,
    outputs: BTreeMap<String, String>,
}

impl Job {
    /// A job with these inputs, and defaults for the others.
    fn new(inputs: &[(&str, &str)]) -> Self {
        let action = yaml::read("action.yml");
        let defaults = action["inputs"].as_object().unwrap().iter();
        let mut all: BTreeMap<_, _> =
            defaults.map(|(name, input)| (name.clone(), input["default"].as_str().unwrap().to_owned())).collect();
        for (name, input) in inputs {
            *all.get_mut(*name).unwrap() = (*input).to_owned();
        }
        let sandbox = Sandbox::new();
        sandbox.add_cargo();
        Self { sandbox, inputs: all, outputs: BTreeMap::new() }
    }

    /// Runs the scripts until one fails, as the service does.
    fn run(&mut self) -> Output {
        let mut last = None;
        for step in steps().iter().filter(|step| step.get("run").is_some()) {
            let output = self.run_step(step);
            let failed = !output.status.success();
            last = Some(output);
            if failed {
                break;
            }
        }
        last.unwrap()
    }

    fn run_step(&mut self, step: &Value) -> Output {
        self.sandbox.write("script", step["run"].as_str().unwrap());
        self.sandbox.write("output", "");
        let mut bash = self.sandbox.command("bash");
        bash.args(["--noprofile", "--norc", "-eo", "pipefail"]).arg(self.sandbox.path("script"));
        for (name, value) in step["env"].as_object().unwrap() {
            bash.env(name, self.value(value.as_str().unwrap()));
        }
        bash.env("GITHUB_ACTION_PATH", project()).env("RUNNER_TEMP", self.sandbox.path("temp"));
        bash.env("RUNNER_OS", "Linux").env("RUNNER_ARCH", "X64").env("ImageOS", "ubuntu24");
        bash.env("GITHUB_OUTPUT", self.sandbox.path("output")).env("GITHUB_STEP_SUMMARY", self.sandbox.path("summary"));
        let output = bash.output().unwrap();
        for line in self.sandbox.read("output").lines() {
            let (name, value) = line.split_once('=').unwrap();
            self.outputs.insert(format!("steps.{}.outputs.{name}", step["id"].as_str().unwrap()), value.to_owned());
        }
        output
    }

    /// The value of a variable: an expression of the service.
    fn value(&self, text: &str) -> String {
        let [expression] = expressions(text)[..] else { panic!("{text}") };
        let input = expression.strip_prefix("inputs.").and_then(|name| self.inputs.get(name));
        input.or_else(|| self.outputs.get(expression)).unwrap_or_else(|| panic!("unknown {expression}")).clone()
    }

    fn output(&self, name: &str) -> Option<&str> {
        self.outputs.get(&format!("steps.audit.outputs.{name}")).map(String::as_str)
    }
}

fn steps() -> Vec<Value> {
    yaml::read("action.yml")["runs"]["steps"].as_array().unwrap().clone()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn inputs_are_never_text_of_a_script() {
    let action = yaml::read("action.yml");
    assert_eq!(action["runs"]["using"], "composite");
    let mut used = Vec::new();
    for step in steps() {
        let run = step.get("run").map(|run| run.as_str().unwrap());
        assert!(run.is_none_or(|run| !run.contains("${{")), "{step}");
        assert_eq!(step["shell"] == "bash", run.is_some(), "{step}");
        let variables = step["env"].as_object().into_iter().flat_map(|env| env.values());
        used.extend(variables.flat_map(|value| expressions(value.as_str().unwrap())).map(str::to_owned));
    }
    for input in action["inputs"].as_object().unwrap().keys() {
        assert!(used.contains(&format!("inputs.{input}")), "{input} is not used");
    }
}

#[test]
fn exit_status_is_that_of_the_audit() {
    let inputs = [("paths", "dist"), ("policy", "policy.toml")];
    for (licenses, status, empty) in
        [(&["MIT"][..], 0, ""), (&["MIT", "nonsense"], 1, ""), (&[], 2, "false"), (&[], 0, "true")]
    {
        let mut job = Job::new(&inputs);
        job.sandbox.write("work/policy.toml", "severity.not-spdx = 'error'\n");
        job.sandbox.write("work/dist/README", "text");
        job.inputs.insert("allow-empty".to_owned(), empty.to_owned());
        for (nth, license) in licenses.iter().enumerate() {
            job.sandbox.add_binary(&format!("dist/{nth}.wasm"), license);
        }
        let output = job.run();
        assert_eq!(output.status.code(), Some(status), "{licenses:?}: {}", text(&output.stderr));
        assert_eq!(job.output("status"), Some(&*status.to_string()));
    }
}

#[test]
fn findings_are_annotations_a_summary_and_sarif() {
    let mut job = Job::new(&[("paths", "dist\nlib/b.wasm\n"), ("refuse", "warning")]);
    job.sandbox.add_binary("dist/%0A::error::a.wasm", "nonsense");
    job.sandbox.add_binary("lib/b.wasm", "MIT");
    job.sandbox.add_binary("lib/c.wasm", "nonsense");
    let output = job.run();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let commands: Vec<_> = text(&output.stdout).lines().filter(|line| line.starts_with("::error")).collect();
    let [command] = commands[..] else { panic!("{commands:?}") };
    assert!(command.starts_with("::error file=dist/%250A%3A%3Aerror%3A%3Aa.wasm,title=not-spdx::"), "{command}");
    let summary = job.sandbox.read("summary");
    assert!(summary.contains("dist/") && summary.contains('|'), "{summary}");
    let sarif = std::fs::read_to_string(job.output("sarif").unwrap()).unwrap();
    let sarif: Value = serde_json::from_str(&sarif).unwrap();
    assert_eq!(sarif["runs"][0]["results"].as_array().unwrap().len(), 1);
}

/// Shell syntax, options and spaces in inputs are part of names.
#[test]
fn inputs_are_not_evaluated() {
    let names = ["$(touch pwned)", "`touch pwned`", "; touch pwned", "a b", "-o", "--allow-empty", "'\"", "*"];
    let mut job = Job::new(&[("paths", &names.join("\n")), ("sarif", "$(touch pwned).sarif")]);
    for name in names {
        job.sandbox.add_binary(&format!("{name}/a.wasm"), "MIT");
    }
    let output = job.run();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(job.output("sarif"), Some("$(touch pwned).sarif"));
    assert!(!job.sandbox.path("work/pwned").exists());
    let rows = format!("{} binaries", names.len());
    assert!(text(&output.stdout).contains(&rows), "{}", text(&output.stdout));

    for (input, value) in [("version", "1.0 --git x"), ("version", "$(touch pwned)"), ("sarif", "a\nstatus=0")] {
        let mut job = Job::new(&[(input, value)]);
        job.sandbox.add_binary("a.wasm", "MIT");
        let output = job.run();
        assert_eq!(output.status.code(), Some(2), "{value}");
        assert!(text(&output.stdout).starts_with("::error::invalid input"), "{}", text(&output.stdout));
        assert!(!job.sandbox.path("work/pwned").exists());
    }
    for (input, value) in [("policy", "--help"), ("refuse", "nothing")] {
        let mut job = Job::new(&[(input, value)]);
        job.sandbox.add_binary("a.wasm", "MIT");
        assert_eq!(job.run().status.code(), Some(2), "{value}");
    }
}

/// The command is built from the source of the action, or a released version is installed. The
/// workspace is not used.
#[test]
fn command_is_installed_outside_the_workspace() {
    let root = project().to_str().unwrap();
    for (version, place, argument) in [("", root, "crates/sectile-cli"), ("0.1.0", "temp", "0.1.0")] {
        let mut job = Job::new(&[("version", version)]);
        job.sandbox.add_binary("a.wasm", "MIT");
        assert_eq!(job.run().status.code(), Some(0));
        let cargo = job.sandbox.read("cargo");
        let lines: Vec<_> = cargo.lines().collect();
        assert!(lines[0].ends_with(place), "{cargo}");
        assert!(lines.contains(&argument) && lines.contains(&"--locked"), "{cargo}");
        let key = &job.outputs["steps.command.outputs.key"];
        let source = key.strip_prefix("sectile-Linux-ubuntu24-X64-").unwrap();
        assert!(if version.is_empty() { source.len() == 40 } else { source == version }, "{key}");
    }
}
