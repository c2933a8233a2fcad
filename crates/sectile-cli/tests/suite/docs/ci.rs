//! `docs/ci.md`: the table of the action's inputs.

use crate::ci::yaml;
use sectile_testing::docs::assert_generated;
use sectile_testing::files::project;

#[test]
fn inputs_of_the_action_are_listed() {
    let action = yaml::read("action.yml");
    let mut table = "| input | without it | |\n| --- | --- | --- |\n".to_owned();
    for (name, input) in action["inputs"].as_object().unwrap() {
        let default = input["default"].as_str().unwrap();
        let default = if default.is_empty() { String::new() } else { format!("`{default}`") };
        table += &format!("| `{name}` | {default} | {} |\n", input["description"].as_str().unwrap());
    }
    table += "\n| output | |\n| --- | --- |\n";
    for (name, output) in action["outputs"].as_object().unwrap() {
        table += &format!("| `{name}` | {} |\n", output["description"].as_str().unwrap());
    }
    let page = project().join("docs/ci.md");
    let begin =
        "<!-- the table of inputs: made of action.yml, by `BLESS=1 cargo test --workspace --all-features docs` -->\n";
    assert_generated(page.to_str().unwrap(), begin, &table);
}
