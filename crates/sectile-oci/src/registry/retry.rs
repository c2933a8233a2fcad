//! Pauses before retries.

use std::time::Duration;

use jiff::fmt::rfc2822::DateTimeParser;

use super::transport::Response;

/// Returns the value of `Retry-After`, which is seconds or a date. Source: RFC 9110, section
/// 10.2.3.
///
/// A date is compared with the response's own `Date`, because the local clock may differ from the
/// registry's.
pub(super) fn retry_after(response: &Response) -> Option<Duration> {
    let text = response.field("retry-after")?.trim();
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number that overflows also exceeds every limit.
        return (!text.is_empty()).then(|| Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let parse = |text: &str| DateTimeParser::new().parse_timestamp(text.trim()).ok();
    let seconds = parse(text)?.as_second() - parse(response.field("date")?)?.as_second();
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

/// Returns whether a request with this response may succeed later.
pub(super) fn is_transient(status: u16) -> bool {
    matches!(status, 429 | 502 | 503 | 504)
}

/// The total time that a session may still pause.
#[derive(Debug)]
pub(super) struct RetryBudget {
    remaining: Duration,
    first_pause: Duration,
}

impl RetryBudget {
    pub(super) fn new(first_pause: Duration, max_total_pause: Duration) -> Self {
        Self { remaining: max_total_pause, first_pause }
    }

    /// Pauses as long as the registry requested. Without a request, doubles the pause after each
    /// attempt.
    ///
    /// # Errors
    ///
    /// The requested pause, without pausing, if it exceeds the remaining time.
    pub(super) fn wait(&mut self, attempts: u32, retry_after: Option<Duration>) -> Result<(), Duration> {
        let doubled = || self.first_pause.saturating_mul(1 << attempts.saturating_sub(1).min(16));
        let pause = retry_after.unwrap_or_else(doubled);
        self.remaining = self.remaining.checked_sub(pause).ok_or(pause)?;
        std::thread::sleep(pause);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::url::Url;
    use ureq::http::HeaderMap;

    fn after(fields: &[(&'static str, &str)]) -> Option<Duration> {
        let headers: HeaderMap =
            fields.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        retry_after(&Response {
            url: Url::parse("https://registry.example.com/").unwrap(),
            status: 429,
            headers,
            body: Vec::new(),
            stream: None,
        })
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
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
    fn pauses_end_with_the_budget() {
        let mut budget = RetryBudget::new(Duration::from_millis(1), Duration::from_millis(4));
        assert_eq!(budget.wait(1, None), Ok(()));
        assert_eq!(budget.wait(2, None), Ok(()));
        assert_eq!(budget.wait(3, None), Err(Duration::from_millis(4)));
        assert_eq!(budget.wait(0, Some(Duration::from_secs(u64::MAX))), Err(Duration::from_secs(u64::MAX)));
        assert_eq!(budget.wait(0, Some(Duration::ZERO)), Ok(()));
    }
}
