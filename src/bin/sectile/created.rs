//! The time that something is said to be made at: given, or none. Nobody asks a clock.

use clap::{Arg, ArgMatches};

use crate::output::Failure;

const VARIABLE: &str = "SOURCE_DATE_EPOCH";

/// The option for it.
pub fn arg() -> Arg {
    Arg::new("created")
        .long("created")
        .value_name("TIME")
        .help("When it was made, as 2026-01-31T12:00:00Z [default: SOURCE_DATE_EPOCH, where that is set]")
}

/// What the option says, or else the variable that reproducible builds set: seconds since 1970.
pub fn given(matches: &ArgMatches) -> Result<Option<String>, Failure> {
    if let Some(created) = matches.get_one::<String>("created") {
        return Ok(Some(created.clone()));
    }
    let Some(seconds) = std::env::var_os(VARIABLE) else { return Ok(None) };
    let time = seconds.to_str().and_then(|seconds| jiff::Timestamp::from_second(seconds.parse().ok()?).ok());
    match time {
        Some(time) => Ok(Some(time.to_string())),
        None => {
            Err(Failure::Other(format!("{VARIABLE} is no number of seconds since 1970; unset it, or give --created")))
        }
    }
}
