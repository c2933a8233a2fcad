//! Days, by which exceptions expire.

use std::fmt;
use std::str::FromStr;

use super::RuleError;
use crate::escape::quoted;

/// A day of the calendar, such as 2026-12-31: what an exception expires by. Days begin and end in UTC.
///
/// ```
/// use sectile::policy::Day;
///
/// let day: Day = "2026-12-31".parse()?;
/// assert!(day < Day::of_unix(1_798_761_600).unwrap()); // the first second of 2027
/// assert!("2026-02-30".parse::<Day>().is_err());
/// # Ok::<(), sectile::policy::RuleError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(jiff::civil::Date);

impl Day {
    /// The day of a time, given in seconds since 1970; `None` outside the years from -9999 to 9999.
    pub fn of_unix(seconds: i64) -> Option<Self> {
        let time = jiff::Timestamp::from_second(seconds).ok()?;
        Some(Self(jiff::tz::TimeZone::UTC.to_datetime(time).date()))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// As RFC 3339 writes it: four digits, two, two.
impl FromStr for Day {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let is_formed = text.len() == 10
            && text
                .bytes()
                .enumerate()
                .all(|(at, byte)| if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() });
        let date = text.parse().ok().filter(|_| is_formed);
        date.map(Self).ok_or_else(|| RuleError::new(format!("{} is no day such as 2026-12-31", quoted(text))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_and_shown() {
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
        assert_eq!(Day::of_unix(0).unwrap().to_string(), "1970-01-01");
        assert_eq!(Day::of_unix(86_399).unwrap().to_string(), "1970-01-01");
        assert_eq!(Day::of_unix(-1).unwrap().to_string(), "1969-12-31");
        assert_eq!(Day::of_unix(i64::MAX), None);
    }
}
