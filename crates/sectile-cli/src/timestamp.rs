//! Timestamps: creation times given by the user, and today's date for policy exceptions. Only the
//! latter reads the clock.

use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use sectile_policy::Day;

use crate::failure::Failure;

const VARIABLE: &str = "SOURCE_DATE_EPOCH";

/// The time given by an option, or else the time in `SOURCE_DATE_EPOCH`.
pub fn created(option: Option<&str>) -> Result<Option<String>, Failure> {
    if let Some(created) = option {
        return Ok(Some(created.to_owned()));
    }
    Ok(source_date_epoch()?.map(|time| time.to_string()))
}

/// Today's date, from `SOURCE_DATE_EPOCH` or else from the clock.
pub fn today() -> Result<Option<Day>, Failure> {
    let seconds = match source_date_epoch()? {
        Some(time) => Some(time.as_second()),
        None => SystemTime::now().duration_since(UNIX_EPOCH).ok().and_then(|time| i64::try_from(time.as_secs()).ok()),
    };
    Ok(seconds.and_then(Day::from_unix_seconds))
}

/// The time in `SOURCE_DATE_EPOCH`.
pub fn source_date_epoch() -> Result<Option<Timestamp>, Failure> {
    let Some(seconds) = std::env::var_os(VARIABLE) else { return Ok(None) };
    let time = seconds.to_str().and_then(|seconds| Timestamp::from_second(seconds.parse().ok()?).ok());
    match time {
        Some(time) => Ok(Some(time)),
        None => Err(Failure::Other(format!("{VARIABLE} is not a number of seconds since 1970; correct or unset it"))),
    }
}
