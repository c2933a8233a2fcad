//! Typed access to parsed arguments.

use clap::ArgMatches;
use clap::builder::{PossibleValuesParser, TypedValueParser};

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
