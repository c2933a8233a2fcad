//! Cargo's arguments.

use std::ffi::{OsStr, OsString};

/// Options of a build that `cargo metadata` takes as well, and whether they have a value.
const SHARED_OPTIONS: [(&str, bool); 5] =
    [("--config", true), ("-Z", true), ("--offline", false), ("--locked", false), ("--frozen", false)];

/// The message format that the user requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Text on standard error.
    Human,
    /// Short text on standard error.
    Short,
    /// JSON on standard output.
    Json,
}

/// Cargo's arguments without `--message-format`, and the requested format.
#[derive(Debug)]
pub struct MessageArgs {
    pub format: Format,
    /// The values of `--message-format`.
    pub given: Vec<OsString>,
    pub others: Vec<OsString>,
}

impl MessageArgs {
    pub fn new(args: &[OsString]) -> Self {
        const OPTION: &str = "--message-format";
        let mut parsed = Self { format: Format::Human, given: Vec::new(), others: Vec::new() };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let text = arg.to_string_lossy();
            if arg == "--" {
                parsed.others.push(arg.clone());
                break;
            } else if arg == OPTION {
                parsed.given.extend(args.next().cloned());
            } else if let Some(value) = text.strip_prefix(OPTION).and_then(|rest| rest.strip_prefix('=')) {
                parsed.given.push(value.into());
            } else {
                parsed.others.push(arg.clone());
            }
        }
        parsed.others.extend(args.cloned());
        for value in parsed.given.iter().filter_map(|value| value.to_str()).flat_map(|value| value.split(',')) {
            match value {
                "short" => parsed.format = Format::Short,
                "human" => parsed.format = Format::Human,
                _ => parsed.format = Format::Json,
            }
        }
        parsed
    }
}

/// The arguments for Cargo itself, without those for the program that it runs.
pub fn args_before_dashes(args: &[OsString]) -> &[OsString] {
    let end = args.iter().position(|arg| arg == "--").unwrap_or(args.len());
    &args[..end]
}

/// The value of an option among Cargo's arguments.
pub fn option_value<'a>(args: &'a [OsString], option: &str) -> Option<&'a OsStr> {
    let mut args = args_before_dashes(args).iter();
    while let Some(arg) = args.next() {
        if arg == option {
            return args.next().map(OsString::as_os_str);
        }
        if let Some(value) = arg.to_str().and_then(|arg| arg.strip_prefix(option)?.strip_prefix('=')) {
            return Some(OsStr::new(value));
        }
    }
    None
}

/// The options of a build that `cargo metadata` takes as well.
pub fn shared_options(args: &[OsString]) -> Vec<&OsStr> {
    let mut shared = Vec::new();
    let mut args = args_before_dashes(args).iter().map(OsString::as_os_str);
    while let Some(arg) = args.next() {
        let text = arg.to_str().unwrap_or_default();
        for (option, has_value) in SHARED_OPTIONS {
            if text == option {
                shared.push(arg);
                shared.extend(args.by_ref().take(usize::from(has_value)));
            } else if has_value && text.strip_prefix(option).is_some_and(|rest| rest.starts_with('=') || option == "-Z")
            {
                shared.push(arg);
            }
        }
    }
    shared
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_format_is_extracted_from_arguments() {
        let args = |text: &str| text.split(' ').map(OsString::from).collect::<Vec<_>>();
        for (text, format, others) in [
            ("--release", Format::Human, "--release"),
            ("--message-format short -p a", Format::Short, "-p a"),
            ("-p a --message-format=json,json-diagnostic-short", Format::Json, "-p a"),
            ("-p a -- --message-format=json", Format::Human, "-p a -- --message-format=json"),
        ] {
            let parsed = MessageArgs::new(&args(text));
            assert_eq!((parsed.format, parsed.others), (format, args(others)), "{text}");
        }
    }

    #[test]
    fn options_for_both_commands_are_passed_on() {
        let args: Vec<OsString> =
            "--release --config a.b=1 -Zbuild-std -Z unstable --config=c --offline -p x -- --locked"
                .split(' ')
                .map(OsString::from)
                .collect();
        let expected = ["--config", "a.b=1", "-Zbuild-std", "-Z", "unstable", "--config=c", "--offline"];
        assert_eq!(shared_options(&args), expected.map(OsStr::new));
    }
}
