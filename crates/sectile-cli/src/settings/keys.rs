//! The table of settings.

use std::env;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use sectile::{Escaped, Field, Severity};
use sectile_document::{Node, Value};

use super::{PolicySetting, Settings};
use crate::args::{AuditFormat, COLORS, OutputFormat, THREADS};
use crate::display::escaped;

/// A setting: an option with a default that the user chooses.
pub struct Key {
    /// The name in the configuration file: the option's name.
    pub name: &'static str,
    pub variable: &'static str,
    kind: Kind,
    help: &'static str,
    set: fn(&mut Settings, Given<'_>) -> Result<(), String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    Switch,
}

/// A value, as text, and its origin.
#[derive(Clone, Copy)]
struct Given<'a> {
    text: &'a str,
    origin: Origin<'a>,
}

#[derive(Clone, Copy)]
enum Origin<'a> {
    Variable(&'static str),
    File(&'a Path),
}

pub const KEYS: [Key; 7] = [
    Key {
        name: "color",
        variable: "SECTILE_COLOR",
        kind: Kind::Text,
        help: "when to color the output",
        set: |settings, given| given.one_of(COLORS).map(|color| settings.color = Some(color)),
    },
    Key {
        name: "policy",
        variable: "SECTILE_POLICY",
        kind: Kind::Text,
        help: "the policy of `check` and `audit`",
        set: |settings, given| given.policy().map(|policy| settings.policy = Some(policy)),
    },
    Key {
        name: "refuse",
        variable: "SECTILE_REFUSE",
        kind: Kind::Text,
        help: "the severity that `check` and `audit` refuse",
        set: |settings, given| {
            let severities = Severity::ALL.map(|severity| (severity.name(), severity));
            given.one_of(severities).map(|refuse| settings.refuse = Some(refuse))
        },
    },
    Key {
        name: "threads",
        variable: "SECTILE_THREADS",
        kind: Kind::Number,
        help: "the number of threads of `audit`",
        set: |settings, given| given.threads().map(|threads| settings.threads = Some(threads)),
    },
    Key {
        name: "format",
        variable: "SECTILE_FORMAT",
        kind: Kind::Text,
        help: "the format of `audit` and `report`",
        set: |settings, given| given.one_of(AuditFormat::names()).map(|format| settings.format = Some(format)),
    },
    Key {
        name: "no-progress",
        variable: "SECTILE_NO_PROGRESS",
        kind: Kind::Switch,
        help: "whether to hide progress",
        set: |settings, given| given.switch().map(|is| settings.no_progress = Some(is)),
    },
    Key {
        name: "hash",
        variable: "SECTILE_HASH",
        kind: Kind::Switch,
        help: "whether `audit` hashes binaries",
        set: |settings, given| given.switch().map(|is| settings.hash = Some(is)),
    },
];

/// Every environment variable of the command, and its meaning, for help and the manual page.
pub fn variables() -> impl Iterator<Item = (String, String)> {
    let settings = KEYS.iter().map(|key| (key.variable.to_owned(), format!("Default of --{}: {}", key.name, key.help)));
    let fields = Field::ALL
        .map(|field| (field_variable(field), format!("Value of `{field}` for builds (`wrap`, `cargo sectile`)")));
    let others = [
        ("SECTILE_CONFIG", "A configuration file instead of the user's; empty for none"),
        ("SECTILE_PRIVATE_REDIRECTS", "1: let servers redirect to addresses of private networks"),
        ("SECTILE_REGISTRY_USERNAME", "The user at the registry, with SECTILE_REGISTRY_PASSWORD"),
        ("SECTILE_REGISTRY_PASSWORD", "The user's password or access token"),
        ("SOURCE_DATE_EPOCH", "The creation time and the date of today, in seconds since 1970"),
        ("COLUMNS", "The width of the output for people"),
        ("NO_COLOR", "No colors, unless --color asks for them"),
    ];
    let others = others.into_iter().map(|(name, help)| (name.to_owned(), help.to_owned()));
    settings.chain(fields).chain(others)
}

/// The variable that sets a field in builds.
pub fn field_variable(field: Field) -> String {
    format!("SECTILE_{}", field.section().to_uppercase())
}

/// The location and contents of the configuration file.
pub const CONFIGURATION: &str = "The user's sectile/config.toml sets the same defaults by the names of the options, such as \
    `color = \"never\"`. It is in $XDG_CONFIG_HOME or ~/.config, on macOS in ~/Library/Application Support, on Windows in \
    %APPDATA%. Options win over variables, and variables over the file. Files in directories that are read are never used.";

/// The variables and the configuration file.
pub fn help() -> String {
    let mut text = "Environment:\n".to_owned();
    for (name, help) in variables() {
        _ = writeln!(text, "  {name:<26} {help}");
    }
    text + "\nConfiguration:\n  " + CONFIGURATION
}

impl Key {
    /// Sets the value of its variable, if that is set and not empty.
    pub fn apply_variable(&self, settings: &mut Settings) -> Result<(), String> {
        let Some(value) = env::var_os(self.variable).filter(|value| !value.is_empty()) else { return Ok(()) };
        let text = value.to_str().ok_or_else(|| format!("{}: not UTF-8", self.variable))?;
        let given = Given { text, origin: Origin::Variable(self.variable) };
        (self.set)(settings, given).map_err(|error| format!("{}: {error}", self.variable))
    }

    /// Sets the value of an entry of this configuration file.
    pub fn apply_entry(&self, settings: &mut Settings, node: &Node, file: &Path) -> Result<(), String> {
        let text = match &node.value {
            Value::Text(text) if self.kind == Kind::Text => text.clone(),
            Value::Integer(number) if self.kind == Kind::Number => number.to_string(),
            Value::Bool(is) if self.kind == Kind::Switch => is.to_string(),
            _ => return Err(format!("expected {}, found {}", self.kind.name(), node.kind())),
        };
        (self.set)(settings, Given { text: &text, origin: Origin::File(file) })
    }
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Text => "a string",
            Self::Number => "a number",
            Self::Switch => "true or false",
        }
    }
}

impl Given<'_> {
    fn one_of<T>(self, choices: impl IntoIterator<Item = (&'static str, T)>) -> Result<T, String> {
        let mut names = Vec::new();
        for (name, value) in choices {
            if name == self.text {
                return Ok(value);
            }
            names.push(format!("`{name}`"));
        }
        Err(format!("`{}` is not one of {}", Escaped::new(self.text), names.join(", ")))
    }

    fn switch(self) -> Result<bool, String> {
        match self.text {
            "1" | "true" => Ok(true),
            "0" | "false" => Ok(false),
            text => Err(format!("`{}` is not one of `1`, `true`, `0`, `false`", Escaped::new(text))),
        }
    }

    fn threads(self) -> Result<u16, String> {
        let number = self.text.parse().ok().filter(|number| THREADS.contains(number));
        let (least, most) = (THREADS.start(), THREADS.end());
        number.ok_or_else(|| format!("`{}` is not a number from {least} to {most}", Escaped::new(self.text)))
    }

    /// A path in the configuration file is relative to the file's directory.
    fn policy(self) -> Result<PolicySetting, String> {
        if self.text.is_empty() {
            return Err("the path is empty; leave the key out for no policy".to_owned());
        }
        let path = PathBuf::from(self.text);
        Ok(match self.origin {
            Origin::Variable(variable) => PolicySetting { path, origin: variable.to_owned() },
            Origin::File(file) => {
                let path = file.parent().map_or_else(|| path.clone(), |directory| directory.join(&path));
                PolicySetting { path, origin: escaped(file.as_os_str()).to_string() }
            }
        })
    }
}
