//! The tests of `wasm-tools metadata`: its commands, carried out as edits, and the tables that it prints.

use std::fs;

use sectile::edit::Edit;
use sectile::metadata::{Field, Item};
use sectile::read_slice;
use sectile::scan::ItemKind;

use super::binaries::directories;
use crate::edit::apply;

/// The commands of a test, such as `metadata add --name foo % | metadata show`; `None` if it is about something else.
fn commands(text: &str) -> Option<Vec<Vec<&str>>> {
    let run = text.lines().find_map(|line| line.strip_prefix(";; RUN: "))?;
    let commands: Vec<Vec<&str>> = run.split('|').map(|command| command.split_whitespace().collect()).collect();
    let is_about_metadata = commands.iter().all(|command| matches!(command[..], ["metadata", "add" | "show", ..]));
    let is_help = commands.iter().flatten().any(|word| ["-h", "--help"].contains(word));
    (is_about_metadata && !is_help).then_some(commands)
}

/// The edit of `metadata add`.
fn edit(args: &[&str]) -> Edit {
    let mut edit = Edit::new();
    let mut args = args.iter().copied().filter(|arg| *arg != "%");
    while let Some(option) = args.next() {
        let option = option.strip_prefix("--").unwrap();
        edit = match option {
            "clear-name" => edit.clear_name().unwrap(),
            "name" => edit.name(args.next().unwrap()).unwrap(),
            "language" | "processed-by" | "sdk" => {
                let (name, version) = args.next().unwrap().split_once('=').unwrap();
                edit.add_producer(option, name, version)
            }
            _ => match option.strip_prefix("clear-") {
                Some(name) => edit.unset(field(name)).unwrap(),
                None => edit.set(field(option), args.next().unwrap()).unwrap(),
            },
        };
    }
    edit
}

fn field(name: &str) -> Field {
    Field::ALL.into_iter().find(|field| field.section() == name).unwrap()
}

/// The rows that `metadata show` prints about an item, without those about children.
fn rows(item: Item<'_>) -> Vec<(String, String)> {
    let kind = if item.kind() == ItemKind::Component { "component" } else { "module" };
    let range = item.range().unwrap();
    let name = item.name().and_then(|name| name.as_str()).unwrap_or("<unknown>");
    let mut rows = vec![
        ("name".to_owned(), name.to_owned()),
        ("kind".to_owned(), kind.to_owned()),
        ("range".to_owned(), format!("{:#x}..{:#x}", range.start, range.end)),
    ];
    rows.extend(
        item.annotations().map(|(field, value)| (field.section().to_owned(), value.as_str().unwrap().to_owned())),
    );
    for field in item.producers().fields() {
        let values = field.values().map(|(name, version)| format!("{name} [{version}]"));
        rows.extend(values.map(|value| (field.name().to_owned(), value)));
    }
    rows.sort();
    rows
}

/// The tables of the items in the expected output, which follow the table of sizes.
fn expected(output: &str) -> Vec<Vec<(String, String)>> {
    let mut tables: Vec<Vec<(String, String)>> = Vec::new();
    for line in output.lines() {
        let cells: Vec<&str> = line.trim_matches('│').split('┆').map(str::trim).collect();
        match cells[..] {
            ["KIND", "VALUE"] => tables.push(Vec::new()),
            ["child", _] => {}
            [kind, value] if line.starts_with('│') => {
                tables.last_mut().unwrap().push((kind.to_owned(), value.to_owned()))
            }
            _ => {}
        }
    }
    tables.iter_mut().for_each(|table| table.sort());
    tables
}

#[test]
#[ignore = "fetches the package that carries the suites"]
fn metadata_tests_of_wasm_tools() {
    let [_, tests] = directories();
    let mut paths: Vec<_> = fs::read_dir(tests.join("cli")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mut checked = 0;
    for path in paths.iter().filter(|path| path.extension().is_some_and(|extension| extension == "wat")) {
        let text = fs::read_to_string(path).unwrap();
        let Some(commands) = commands(&text) else { continue };
        let mut bytes = wat::parse_str(&text).unwrap();
        for command in &commands {
            if command[1] == "add" {
                bytes = apply(&edit(&command[2..]), &bytes);
            }
        }
        let metadata = read_slice(&bytes).unwrap();
        let mut found: Vec<_> = metadata.items().map(rows).collect();
        let output = fs::read_to_string(path.with_extension("wat.stdout")).unwrap();
        let mut expected = expected(&output);
        if commands.iter().flatten().any(|word| *word == "--clear-name") {
            // wasm-tools leaves an empty name section, and Sectile none.
            found.iter_mut().chain(&mut expected).for_each(|rows| rows.retain(|(kind, _)| kind != "range"));
        }
        assert_eq!(found, expected, "{}", path.display());
        checked += 1;
    }
    assert!(checked >= 7, "{checked}");
}
