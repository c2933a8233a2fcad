//! Severities of advisories.

use std::fmt;

use cvss::{Cvss, Severity};

/// Severity of an advisory: the qualitative rating of a CVSS score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Rating {
    /// No impact; a score of 0.
    None,
    /// A score below 4.
    Low,
    /// A score from 4 to 6.9.
    Medium,
    /// A score from 7 to 8.9.
    High,
    /// A score of 9 or more.
    Critical,
}

impl Rating {
    /// All ratings, the mildest first.
    pub const ALL: [Self; 5] = [Self::None, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// `none`, `low`, `medium`, `high` or `critical`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The rating with this name. Case is ignored, and `moderate` means `medium`.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        let named = Self::ALL.into_iter().find(|rating| rating.name().eq_ignore_ascii_case(word));
        named.or_else(|| word.eq_ignore_ascii_case("moderate").then_some(Self::Medium))
    }
}

impl fmt::Display for Rating {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A CVSS score from 0.0 to 10.0, in tenths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Score(u8);

impl Score {
    /// A score of this many tenths; at most 100.
    pub fn from_tenths(tenths: u8) -> Self {
        Self(tenths.min(100))
    }

    /// The score in tenths.
    pub fn tenths(self) -> u8 {
        self.0
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0 / 10, self.0 % 10)
    }
}

/// The rating and the score of a CVSS vector of version 2, 3 or 4.
pub(crate) fn from_vector(vector: &str) -> Result<(Rating, Score), String> {
    let cvss: Cvss = vector.parse().map_err(|error| format!("invalid CVSS vector: {error}"))?;
    let rating = match cvss.severity() {
        Severity::None => Rating::None,
        Severity::Low => Rating::Low,
        Severity::Medium => Rating::Medium,
        Severity::High => Rating::High,
        Severity::Critical => Rating::Critical,
    };
    let tenths = (cvss.score() * 10.0).round().clamp(0.0, 100.0);
    #[allow(clippy::cast_sign_loss)] // clamped
    Ok((rating, Score(tenths as u8)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_of_all_versions_are_rated() {
        for (vector, rating, score) in [
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", Rating::Critical, "9.8"),
            ("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", Rating::High, "7.5"),
            ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N", Rating::None, "0.0"),
            ("AV:N/AC:L/Au:N/C:P/I:P/A:P", Rating::High, "7.5"),
        ] {
            let (found, found_score) = from_vector(vector).unwrap();
            assert_eq!((found, &*found_score.to_string()), (rating, score), "{vector}");
        }
        assert!(from_vector("CVSS:3.1/AV:X").is_err());
        assert!(from_vector("").is_err());
    }
}
