//! URLs of requests and redirects.

use std::borrow::Cow;
use std::fmt::{self, Write};
use std::net::{Ipv4Addr, Ipv6Addr};

use iri_string::types::{UriAbsoluteStr, UriReferenceStr};
use ureq::http::Uri;
use ureq::http::uri::Authority;

/// An `http` or `https` URL with a host and without a user.
///
/// `Display` and `Debug` omit the query, which may contain a secret.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Url {
    uri: Uri,
    authority: Authority,
    is_https: bool,
}

/// Maximum length of a URL in bytes.
const MAX_URL: usize = 1 << 14;

impl Url {
    /// # Errors
    ///
    /// The reason why the text is not such a URL.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        if text.len() > MAX_URL {
            return Err("the URL is longer than 16 KiB");
        }
        let uri: Uri = text.parse().map_err(|_| "not a URL")?;
        let is_https = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err("not an http or https URL"),
        };
        let authority = uri.authority().cloned().ok_or("it has no host")?;
        if authority.as_str().contains('@') {
            return Err("it contains a user name");
        }
        if authority.host().is_empty() || authority.host().contains('%') {
            return Err("it has no host");
        }
        Ok(Self { uri, authority, is_https })
    }

    /// As [`join`](Self::join), for the value of a `Location`. Encodes characters that a URL cannot
    /// contain, such as spaces, braces and non-ASCII characters, as common clients do.
    pub(super) fn join_location(&self, location: &str) -> Result<Self, &'static str> {
        self.join(&encoded(location))
    }

    /// Resolves a reference, which may be relative, against this URL. Source: RFC 3986, section 5.
    ///
    /// # Errors
    ///
    /// The reason why the result is not such a URL.
    pub(super) fn join(&self, reference: &str) -> Result<Self, &'static str> {
        let base = self.uri.to_string();
        let base = UriAbsoluteStr::new(&base).map_err(|_| "the base is not a URL")?;
        let reference = UriReferenceStr::new(reference).map_err(|_| "not a URL")?;
        let joined = reference.resolve_against(base).to_string();
        Self::parse(joined.split('#').next().unwrap_or_default())
    }

    /// Appends a parameter to the query.
    pub(super) fn with_query(&self, name: &str, value: &str) -> Result<Self, &'static str> {
        self.with_raw_query(&format!("{name}={value}"))
    }

    /// Appends encoded parameters to the query.
    pub(super) fn with_raw_query(&self, parameters: &str) -> Result<Self, &'static str> {
        let divider = match self.uri.query() {
            None => "?",
            Some("") => "",
            Some(_) => "&",
        };
        Self::parse(&format!("{}{divider}{parameters}", self.uri))
    }

    pub(super) fn uri(&self) -> &Uri {
        &self.uri
    }

    pub(super) fn is_https(&self) -> bool {
        self.is_https
    }

    pub(super) fn host(&self) -> &str {
        self.authority.host()
    }

    /// Returns whether the host is this machine.
    pub(super) fn is_loopback(&self) -> bool {
        is_loopback(self.host())
    }

    pub(super) fn is_same_origin(&self, other: &Self) -> bool {
        self.is_https == other.is_https && self.is_same_host(other) && self.port() == other.port()
    }

    /// Returns the port, or that of the scheme.
    pub(super) fn port(&self) -> u16 {
        self.authority.port_u16().unwrap_or(if self.is_https { 443 } else { 80 })
    }

    pub(super) fn is_same_host(&self, other: &Self) -> bool {
        self.host().eq_ignore_ascii_case(other.host())
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_https { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority, self.uri.path())
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A reference whose invalid URL characters are encoded. Control characters remain, and are
/// rejected later.
fn encoded(reference: &str) -> Cow<'_, str> {
    let is_encoded = |character: char| !character.is_ascii() || " \"<>\\^`{|}".contains(character);
    if !reference.contains(is_encoded) {
        return Cow::Borrowed(reference);
    }
    let mut encoded = String::with_capacity(reference.len() + 16);
    for character in reference.chars() {
        if is_encoded(character) {
            let mut bytes = [0; 4];
            for byte in character.encode_utf8(&mut bytes).bytes() {
                _ = write!(encoded, "%{byte:02X}");
            }
        } else {
            encoded.push(character);
        }
    }
    Cow::Owned(encoded)
}

/// Returns whether a host is `localhost`, 127.0.0.0/8 or `[::1]`. Other names are not resolved.
pub(super) fn is_loopback(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost")
        || bare.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        || bare.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn other_urls_are_refused() {
        for text in
            ["", "/a", "ftp://h/", "http://", "http:///a", "https://u@h/", "https://u:p@h/", "mailto:a", "http://a b/"]
        {
            assert!(Url::parse(text).is_err(), "{text}");
        }
        assert!(Url::parse(&format!("http://h/{}", "a".repeat(MAX_URL))).is_err());
    }

    #[test]
    fn locations_are_joined() {
        let base = url("https://h:5/v2/a/blobs/uploads/");
        for (location, joined) in [
            ("https://other/x?y=z", "https://other/x?y=z"),
            ("//other/x", "https://other/x"),
            ("/v2/x?_state=a%2Fb==", "https://h:5/v2/x?_state=a%2Fb=="),
            ("id?x", "https://h:5/v2/a/blobs/uploads/id?x"),
            ("../x#f", "https://h:5/v2/a/blobs/x"),
            ("?x", "https://h:5/v2/a/blobs/uploads/?x"),
            ("a b?c d", "https://h:5/v2/a/blobs/uploads/a%20b?c%20d"),
            ("/u/{id}?s={a|b}", "https://h:5/u/%7Bid%7D?s=%7Ba%7Cb%7D"),
            ("/u/\u{e9}?s=\u{fc}%20", "https://h:5/u/%C3%A9?s=%C3%BC%20"),
            ("https://h/a\\b\"<>^`", "https://h/a%5Cb%22%3C%3E%5E%60"),
        ] {
            assert_eq!(base.join_location(location).unwrap().uri.to_string(), joined, "{location}");
        }
        for location in [
            "http://u@h/",
            "javascript:alert(1)",
            "https://",
            "https://a b/",
            "https://\u{e9}/",
            "//a|b/",
            "a\tb",
            "a\0",
            "%zz",
        ] {
            assert!(base.join_location(location).is_err() && base.join(location).is_err(), "{location}");
        }
        assert!(base.join("a b").is_err() && base.join("\u{e9}").is_err());
    }

    #[test]
    fn parameters_are_appended_and_not_displayed() {
        let digest = |text| url(text).with_query("digest", "sha256:0").unwrap();
        assert_eq!(digest("http://h/u").uri.to_string(), "http://h/u?digest=sha256:0");
        assert_eq!(digest("http://h/u?s=1").uri.to_string(), "http://h/u?s=1&digest=sha256:0");
        assert_eq!(format!("{0} {0:?}", digest("http://h/u?signature=1")), "http://h/u http://h/u");
    }

    #[test]
    fn origins_are_compared() {
        assert!(url("https://h/a").is_same_origin(&url("https://H:443/b")));
        assert!(url("http://h:80/a").is_same_origin(&url("http://h/b")));
        for other in ["http://h/", "https://h:444/", "https://h.example/", "https://g/"] {
            assert!(!url("https://h/").is_same_origin(&url(other)), "{other}");
        }
    }

    #[test]
    fn loopback_hosts_are_recognized_without_resolving() {
        for host in ["localhost", "LocalHost", "127.0.0.1", "127.9.9.9", "[::1]"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["localhost.example", "127.0.0.1.example", "127.1", "10.0.0.1", "[::2]", "[::ffff:127.0.0.1]", "::"]
        {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
