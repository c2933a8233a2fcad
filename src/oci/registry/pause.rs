//! How long is waited before a request is made again.

use std::time::Duration;

use jiff::fmt::rfc2822::DateTimeParser;

use super::transport::Answer;

/// What is said with `Retry-After`: seconds, or a date. Source: RFC 9110, section 10.2.3.
///
/// A date is measured against the answer's own `Date`, and not against this machine's clock, which nobody has set by the
/// registry's.
pub(super) fn asked(answer: &Answer) -> Option<Duration> {
    let text = answer.field("retry-after")?.trim();
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More seconds than a number can hold are too many in any case.
        return (!text.is_empty()).then(|| Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let date = |text: &str| DateTimeParser::new().parse_timestamp(text.trim()).ok();
    let seconds = date(text)?.as_second() - date(answer.field("date")?)?.as_second();
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

/// Whether an answer says that the same request may be answered otherwise later.
pub(super) fn is_passing(status: u16) -> bool {
    matches!(status, 429 | 502 | 503 | 504)
}

/// What may still be waited in the course of one push.
#[derive(Debug)]
pub(super) struct Patience {
    left: Duration,
    first: Duration,
}

impl Patience {
    pub(super) fn new(first: Duration, whole: Duration) -> Self {
        Self { left: whole, first }
    }

    /// Waits after so many attempts, as long as is asked for, or else twice as long each time.
    ///
    /// # Errors
    ///
    /// How long would have to be waited, which is more than is left; then nothing is waited.
    pub(super) fn wait(&mut self, tried: u32, asked: Option<Duration>) -> Result<(), Duration> {
        let pause = asked.unwrap_or_else(|| self.first.saturating_mul(1 << tried.saturating_sub(1).min(16)));
        self.left = self.left.checked_sub(pause).ok_or(pause)?;
        std::thread::sleep(pause);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::registry::url::Url;
    use ureq::http::HeaderMap;

    fn after(fields: &[(&'static str, &str)]) -> Option<Duration> {
        let headers: HeaderMap =
            fields.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        asked(&Answer {
            url: Url::parse("https://registry.example.com/").unwrap(),
            status: 429,
            headers,
            body: Vec::new(),
        })
    }

    #[test]
    fn both_forms_are_read() {
        let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(after(&[("retry-after", "120")]), seconds(120));
        assert_eq!(after(&[("retry-after", "0")]), seconds(0));
        assert_eq!(after(&[("retry-after", &"9".repeat(30))]), seconds(u64::MAX));
        assert_eq!(after(&[("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT"), date]), seconds(30));
        assert_eq!(after(&[("retry-after", "Sun, 06 Nov 1994 08:49:07 GMT"), date]), seconds(0));
        for text in ["", "-1", "1.5", "soon", "Sun, 06 Nov 1994"] {
            assert_eq!(after(&[("retry-after", text), date]), None, "{text}");
        }
        assert_eq!(after(&[("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT")]), None);
        assert_eq!(after(&[date]), None);
    }

    #[test]
    fn patience_ends() {
        let mut patience = Patience::new(Duration::from_millis(1), Duration::from_millis(4));
        assert_eq!(patience.wait(1, None), Ok(()));
        assert_eq!(patience.wait(2, None), Ok(()));
        assert_eq!(patience.wait(3, None), Err(Duration::from_millis(4)));
        assert_eq!(patience.wait(0, Some(Duration::from_secs(u64::MAX))), Err(Duration::from_secs(u64::MAX)));
        assert_eq!(patience.wait(0, Some(Duration::ZERO)), Ok(()));
    }
}
