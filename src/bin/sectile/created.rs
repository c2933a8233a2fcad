//! The time that something is said to be made at: given, or none. And the day that it is, by which exceptions expire: that
//! alone asks a clock.

use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Arg, ArgMatches};
use jiff::Timestamp;
use sectile::policy::Day;

use crate::failure::Failure;

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
    Ok(epoch()?.map(|time| time.to_string()))
}

/// The day that it is: by that variable, or else by the clock.
pub fn today() -> Result<Option<Day>, Failure> {
    let seconds = match epoch()? {
        Some(time) => Some(time.as_second()),
        None => SystemTime::now().duration_since(UNIX_EPOCH).ok().and_then(|time| i64::try_from(time.as_secs()).ok()),
    };
    Ok(seconds.and_then(Day::of_unix))
}

fn epoch() -> Result<Option<Timestamp>, Failure> {
    let Some(seconds) = std::env::var_os(VARIABLE) else { return Ok(None) };
    let time = seconds.to_str().and_then(|seconds| Timestamp::from_second(seconds.parse().ok()?).ok());
    match time {
        Some(time) => Ok(Some(time)),
        None => Err(Failure::Other(format!("{VARIABLE} is no number of seconds since 1970; unset it"))),
    }
}
