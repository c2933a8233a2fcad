//! Days on which exceptions expire.

use std::fmt;
use std::str::FromStr;

use super::RuleError;
use sectile::internal::quoted;

/// A calendar day in UTC, such as 2026-12-31.
///
/// ```
/// use sectile_policy::Day;
///
/// let day: Day = "2026-12-31".parse()?;
/// assert!(day < Day::from_unix_seconds(1_798_761_600).unwrap()); // the first second of 2027
/// assert!("2026-02-30".parse::<Day>().is_err());
/// # Ok::<(), sectile_policy::RuleError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(jiff::civil::Date);

impl Day {
    /// The day of a Unix timestamp in seconds; `None` outside the years from -9999 to 9999.
    pub fn from_unix_seconds(seconds: i64) -> Option<Self> {
        let time = jiff::Timestamp::from_second(seconds).ok()?;
        Some(Self(jiff::tz::TimeZone::UTC.to_datetime(time).date()))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The format of RFC 3339: `2026-12-31`.
impl FromStr for Day {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let is_well_formed = text.len() == 10
            && text
                .bytes()
                .enumerate()
                .all(|(at, byte)| if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() });
        let date = text.parse().ok().filter(|_| is_well_formed);
        date.map(Self).ok_or_else(|| RuleError::new(format!("{} is not a day such as 2026-12-31", quoted(text))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_parsed_and_displayed() {
        for text in ["2026-12-31", "2024-02-29", "0001-01-01", "9999-12-30"] {
            assert_eq!(text.parse::<Day>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "2026-02-29",
            "2026-13-01",
            "20261231",
            "2026-1-1",
            "2026-12-31T00:00:00Z",
            "+002026-12-31",
            "2026-12-3١",
        ] {
            assert!(text.parse::<Day>().is_err(), "{text}");
        }
        assert_eq!(Day::from_unix_seconds(0).unwrap().to_string(), "1970-01-01");
        assert_eq!(Day::from_unix_seconds(86_399).unwrap().to_string(), "1970-01-01");
        assert_eq!(Day::from_unix_seconds(-1).unwrap().to_string(), "1969-12-31");
        assert_eq!(Day::from_unix_seconds(i64::MAX), None);
    }
}
