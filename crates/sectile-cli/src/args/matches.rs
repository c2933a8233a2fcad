//! Typed access to parsed arguments.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Arg, ArgMatches, Command};

/// The value of an argument that is required or has a default.
pub fn required<T: Clone + Send + Sync + 'static>(matches: &ArgMatches, id: &str) -> T {
    optional(matches, id).expect("the argument is required or has a default")
}

/// The value of an argument, if it is given.
pub fn optional<T: Clone + Send + Sync + 'static>(matches: &ArgMatches, id: &str) -> Option<T> {
    matches.get_one(id).cloned()
}

/// All values of an argument.
pub fn all<T: Clone + Send + Sync + 'static>(matches: &ArgMatches, id: &str) -> Vec<T> {
    matches.get_many(id).into_iter().flatten().cloned().collect()
}

/// A parser that accepts these names and yields the value of each.
pub fn choice<T: Clone + Send + Sync + 'static>(
    choices: impl IntoIterator<Item = (&'static str, T)>,
) -> impl TypedValueParser<Value = T> {
    let choices: Vec<(&str, T)> = choices.into_iter().collect();
    PossibleValuesParser::new(choices.iter().map(|(name, _)| *name)).try_map(move |name| {
        let value = choices.iter().find(|(choice, _)| *choice == name).map(|(_, value)| value.clone());
        value.ok_or("unknown value")
    })
}

/// A parser that lists these possible values in help and completions. Another parser checks the
/// value.
#[derive(Clone)]
pub struct WithPossibleValues<P> {
    pub parser: P,
    pub values: Vec<PossibleValue>,
}

impl<P: TypedValueParser> TypedValueParser for WithPossibleValues<P> {
    type Value = P::Value;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<P::Value, clap::Error> {
        self.parser.parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        (!self.values.is_empty())
            .then(|| Box::new(self.values.iter().cloned()) as Box<dyn Iterator<Item = PossibleValue>>)
    }
}
