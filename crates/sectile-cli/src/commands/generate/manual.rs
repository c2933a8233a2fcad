//! Manual pages, in the sections of man-pages(7).

use std::fmt::Write as _;
use std::io;

use clap::Command;
use clap_mangen::Man;

use crate::args;
use crate::settings;

/// Every page, and the name of its file.
pub fn pages() -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut command = args::command().disable_help_subcommand(true);
    command.build();
    let (mut pages, mut commands) = (Vec::new(), vec![(command, None)]);
    while let Some((command, parent)) = commands.pop() {
        let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
        let children = command.get_subcommands().filter(|command| !command.is_hide_set());
        commands.extend(children.map(|child| (child.clone(), Some(name.clone()))));
        let file = Man::new(command.clone()).get_filename();
        pages.push((file, page(command, parent.as_deref())?));
    }
    Ok(pages)
}

/// The page of a command. The page of the whole command, which has no parent, also describes variables and files.
fn page(command: Command, parent: Option<&str>) -> io::Result<Vec<u8>> {
    let has_options = command.get_arguments().any(|argument| !argument.is_hide_set());
    let children: Vec<String> = (command.get_subcommands().filter(|child| !child.is_hide_set()))
        .map(|child| child.get_display_name().unwrap_or_else(|| child.get_name()).to_owned())
        .collect();
    let examples = command.get_after_help().map(ToString::to_string).filter(|_| parent.is_some());
    let manual = Man::new(command);
    let mut page = Vec::new();
    manual.render_title(&mut page)?;
    manual.render_name_section(&mut page)?;
    manual.render_synopsis_section(&mut page)?;
    manual.render_description_section(&mut page)?;
    if has_options {
        manual.render_options_section(&mut page)?;
    }
    if !children.is_empty() {
        manual.render_subcommands_section(&mut page)?;
    }
    let mut text = String::new();
    write_sections(examples.as_deref(), &children, parent, &mut text).expect("a string takes all text");
    page.extend(text.into_bytes());
    Ok(page)
}

/// Writes the sections after those about the arguments.
fn write_sections(
    examples: Option<&str>,
    children: &[String],
    parent: Option<&str>,
    out: &mut String,
) -> std::fmt::Result {
    if let Some(examples) = examples {
        let lines = examples.lines().filter(|line| !matches!(*line, "Example:" | "Examples:"));
        writeln!(out, ".SH EXAMPLES\n.nf")?;
        for line in lines {
            writeln!(out, "{}", escaped(line.trim_start()))?;
        }
        writeln!(out, ".fi")?;
    }
    writeln!(out, ".SH \"EXIT STATUS\"")?;
    for (status, meaning) in args::EXIT_STATUSES {
        writeln!(out, ".TP\n\\fB{status}\\fR\n{}", escaped(meaning))?;
    }
    if parent.is_none() {
        writeln!(out, ".SH ENVIRONMENT")?;
        for (name, help) in settings::variables() {
            writeln!(out, ".TP\n\\fB{name}\\fR\n{}", escaped(&help))?;
        }
        writeln!(out, ".SH FILES\n{}", escaped(settings::CONFIGURATION))?;
    }
    let others = parent.map(str::to_owned).into_iter().chain(children.iter().cloned());
    let others: Vec<String> = others.map(|name| format!("\\fB{}\\fR(1)", escaped(&name))).collect();
    writeln!(out, ".SH \"SEE ALSO\"\n{}", others.join(", "))
}

/// A line of text as roff reads it. A line does not begin with a control character.
fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    if text.starts_with(['.', '\'']) { format!("\\&{text}") } else { text }
}
