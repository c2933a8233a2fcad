//! URLs in a normal form, so that no spelling of one URL matches a pattern for another.

use std::net::{Ipv4Addr, Ipv6Addr};

use iri_string::types::IriStr;

use super::RuleError;
use sectile::Glob;
use sectile::internal::quoted;
use sectile::internal::{MAX_PARSED, is_scp_like};

/// A URL in parts: scheme and host in lower case, percent-encoding only where it is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PlainUrl {
    scheme: String,
    user: Option<String>,
    host: String,
    /// The port of the URL, or else the default port of the scheme, if known.
    port: Option<u16>,
    /// The path, never empty, with the query and the fragment.
    rest: String,
}

impl PlainUrl {
    /// Parses a URL. The error describes why its destination is ambiguous. `git@host:path` is
    /// `ssh://git@host/path`.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        if text.len() > MAX_PARSED {
            return Err("it is too long to be parsed");
        }
        let scp = text.split_once(':').filter(|_| is_scp_like(text));
        let scp = scp.map(|(host, path)| format!("ssh://{host}/{}", path.trim_start_matches('/')));
        let url = IriStr::new(scp.as_deref().unwrap_or(text)).map_err(|_| "it is not a URL")?;
        let authority = url.authority_components().filter(|authority| !authority.host().is_empty());
        let authority = authority.ok_or("it names no host")?;
        let scheme = url.scheme_str().to_ascii_lowercase();
        let port = match authority.port().filter(|port| !port.is_empty()) {
            Some(port) => Some(port.parse().map_err(|_| "its port is none")?),
            None => None,
        };
        let query = url.query_str().map_or_else(String::new, |query| format!("?{query}"));
        let fragment = url.fragment().map_or_else(String::new, |fragment| format!("#{fragment}"));
        Ok(Self {
            user: authority.userinfo().map(normalize_encoding),
            host: host(authority.host())?,
            port: port.or_else(|| default_port(&scheme)),
            rest: path(url.path_str())? + &normalize_encoding(&query) + &normalize_encoding(&fragment),
            scheme,
        })
    }

    fn has_default_port(&self) -> bool {
        self.port == default_port(&self.scheme)
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "https" | "git+https" => Some(443),
        "http" | "git+http" => Some(80),
        "ssh" | "git+ssh" => Some(22),
        "git" => Some(9418),
        _ => None,
    }
}

fn host(host: &str) -> Result<String, &'static str> {
    if let Some(address) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        let address: Ipv6Addr = address.parse().map_err(|_| "its host is not an address")?;
        return Ok(format!("[{address}]")); // normalizes the address
    }
    let host = host.strip_suffix('.').unwrap_or(host);
    if !host.is_ascii() || host.contains('%') {
        return Err("its host is not written in plain ASCII (xn--…)");
    }
    if host.split('.').any(str::is_empty) {
        return Err("it names no host");
    }
    if ends_in_number(host) && host.parse::<Ipv4Addr>().is_err() {
        return Err("its host is an address that is not written as four numbers");
    }
    Ok(host.to_ascii_lowercase())
}

/// Whether URL parsers read a host as an IPv4 address, which may be octal, hexadecimal, or one
/// large number. Source: the URL standard, "ends in a number".
fn ends_in_number(host: &str) -> bool {
    let last = host.rsplit('.').next().unwrap_or_default();
    let hexadecimal = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    hexadecimal.map_or_else(
        || last.bytes().all(|byte| byte.is_ascii_digit()),
        |digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
    )
}

/// Normalizes a path. Refuses `..` and anything that a server may read as a separator.
fn path(path: &str) -> Result<String, &'static str> {
    let path = normalize_encoding(if path.is_empty() { "/" } else { path });
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let name = segment.split(';').next().unwrap_or_default(); // some servers read `..;x` as `..`
        let is_traversal = matches!(name, "." | "..") || (segment.is_empty() && segments.peek().is_some());
        let has_separator = segment.match_indices('%').any(|(at, _)| {
            let code = &segment[at + 1..at + 3];
            matches!(code, "25" | "2F" | "5C" | "7F") || code.starts_with(['0', '1'])
        });
        if is_traversal || has_separator {
            return Err("servers may read its path as another");
        }
    }
    Ok(path)
}

/// Decodes percent-encoding that is not needed, and writes the rest in upper case.
fn normalize_encoding(part: &str) -> String {
    let mut plain = String::with_capacity(part.len());
    let mut bytes = part.bytes();
    while let Some(byte) = bytes.next() {
        let encoded = byte == b'%' || !byte.is_ascii();
        let byte = if byte == b'%' {
            let mut digit = || bytes.next().and_then(|digit| char::from(digit).to_digit(16)).unwrap_or_default();
            (digit() * 16 + digit()) as u8
        } else {
            byte
        };
        let unreserved = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if encoded && !unreserved {
            let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or_default().to_ascii_uppercase();
            plain.extend(['%', digit(byte >> 4), digit(byte & 0xf)]);
        } else {
            plain.push(char::from(byte));
        }
    }
    plain
}

/// The part after the host for denied patterns: in lower case, and decoded as far as a server may
/// decode it.
fn decode_loosely(rest: &str) -> String {
    let mut parts = rest.split('%');
    let mut loose = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let decoded = part.get(..2).and_then(|code| u8::from_str_radix(code, 16).ok());
        match decoded.filter(|byte| byte.is_ascii_graphic() && *byte != b'%') {
            Some(byte) => {
                loose.push(char::from(byte));
                loose.push_str(&part[2..]);
            }
            None => loose.extend(["%", part]),
        }
    }
    loose.make_ascii_lowercase();
    loose
}

/// A pattern that URLs are matched against, part by part. Only `*` is special.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct UrlPattern {
    /// The pattern as written.
    text: Box<str>,
    /// Whether the pattern denies, and so compares loosely.
    denies: bool,
    parts: Option<PatternParts>,
}

/// The parts of a pattern; `None` matches anything.
#[derive(Clone, Debug, PartialEq, Eq)]
struct PatternParts {
    scheme: Option<Box<str>>,
    user: Option<Box<str>>,
    host: HostPattern,
    port: PortPattern,
    rest: Glob,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum HostPattern {
    Any,
    Exact(Box<str>),
    /// Any subdomain: a dot, and the parent domain.
    Subdomain(Box<str>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PortPattern {
    Any,
    /// The default port of the URL's scheme: the pattern names no port.
    Default,
    Exact(Option<u16>),
}

impl UrlPattern {
    /// A pattern that allows URLs.
    pub(super) fn allowing(text: &str) -> Result<Self, RuleError> {
        Self::new(text, false)
    }

    /// A pattern that denies URLs.
    pub(super) fn denying(text: &str) -> Result<Self, RuleError> {
        Self::new(text, true)
    }

    fn new(text: &str, denies: bool) -> Result<Self, RuleError> {
        let invalid = |reason: &str| RuleError::new(format!("{} is not a pattern for URLs: {reason}", quoted(text)));
        let parts =
            if text == "*" { None } else { Some(PatternParts::new(text, denies).map_err(|reason| invalid(&reason))?) };
        Ok(Self { text: text.into(), denies, parts })
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn matches(&self, url: &PlainUrl) -> bool {
        let Some(parts) = &self.parts else { return true };
        let host = match &parts.host {
            HostPattern::Any => true,
            HostPattern::Exact(host) => **host == *url.host,
            HostPattern::Subdomain(suffix) => url.host.ends_with(&**suffix) && url.host.len() > suffix.len(),
        };
        let port = match parts.port {
            PortPattern::Any => true,
            PortPattern::Default => self.denies || url.has_default_port(),
            PortPattern::Exact(port) => port == url.port,
        };
        let user = self.denies || parts.user.as_deref() == url.user.as_deref();
        let scheme = parts.scheme.as_deref().is_none_or(|scheme| *scheme == *url.scheme);
        let rest = || {
            if self.denies { parts.rest.matches(&decode_loosely(&url.rest)) } else { parts.rest.matches(&url.rest) }
        };
        host && port && user && scheme && rest()
    }
}

impl PatternParts {
    fn new(text: &str, denies: bool) -> Result<Self, String> {
        let (scheme, rest) = text.split_once("://").ok_or("write it as https://HOST/PATH; `*` is any characters")?;
        let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let (user, host) = authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
        let (host, any_port) = host.strip_suffix(":*").map_or((host, false), |host| (host, true));
        let below = host.strip_prefix("*.");
        let any_host = host == "*" || host.starts_with("*:");
        // Without its wildcards the pattern is a URL, and is normalized as one.
        let host = if any_host { host.replacen('*', "any", 1) } else { below.unwrap_or(host).to_owned() };
        if host.contains('*') {
            return Err("in a host `*` stands for all of it, or for what is before its first dot".into());
        }
        if scheme.contains('*') && scheme != "*" {
            return Err("in a scheme `*` stands for all of it".into());
        }
        if user.is_some_and(|user| user.contains('*')) {
            return Err("a user is named without `*`".into());
        }
        let user_at = user.map_or_else(String::new, |user| format!("{user}@"));
        let any_scheme = scheme == "*";
        let url = format!("{}://{user_at}{host}{rest}", if any_scheme { "any" } else { scheme });
        let url = PlainUrl::parse(&url).map_err(ToOwned::to_owned)?;
        let plain = |text: &str| if denies { decode_loosely(text) } else { text.to_owned() };
        let escaped: Vec<String> = url.rest.split('*').map(|text| glob::Pattern::escape(&plain(text))).collect();
        let port = match url.has_default_port() {
            _ if any_port => PortPattern::Any,
            true => PortPattern::Default,
            false => PortPattern::Exact(url.port),
        };
        Ok(Self {
            scheme: (!any_scheme).then(|| url.scheme.into()),
            user: url.user.map(Into::into),
            host: match below {
                _ if any_host => HostPattern::Any,
                Some(_) => HostPattern::Subdomain(format!(".{}", url.host).into()),
                None => HostPattern::Exact(url.host.into()),
            },
            port,
            rest: Glob::new(&escaped.join("*")).map_err(|error| error.to_string())?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(pattern: &str, url: &str) -> bool {
        let pattern = UrlPattern::allowing(pattern).unwrap();
        PlainUrl::parse(url).is_ok_and(|url| pattern.matches(&url))
    }

    fn denies(pattern: &str, url: &str) -> bool {
        UrlPattern::denying(pattern).unwrap().matches(&PlainUrl::parse(url).unwrap())
    }

    #[test]
    fn allowed_patterns_match() {
        for (pattern, url) in [
            ("https://github.com/acme/*", "https://github.com/acme/x"),
            ("https://github.com/acme/*", "https://github.com/acme/x/tree/main?tab=readme#top"),
            ("https://github.com/acme/*", "HTTPS://GitHub.COM/acme/x"),
            ("https://GitHub.com/acme/*", "https://github.com:443/acme/x"),
            ("https://github.com/acme/*", "https://github.com./acme/x"),
            ("https://github.com/acme/*", "https://github.com:/%61cme/x"),
            ("https://github.com/%61cme/*", "https://github.com/acme/x"),
            ("https://example.org/é/*", "https://example.org/%c3%a9/x"),
            ("https://example.org", "https://example.org/"),
            ("https://*.example.org/*", "https://a.b.example.org/x"),
            ("https://*/acme/*", "https://anywhere.example/acme/x"),
            ("*://example.org/*", "git+ssh://example.org/x"),
            ("https://example.org:8443/*", "https://example.org:8443/"),
            ("https://example.org:*/*", "https://example.org:1/"),
            ("https://*:8443/*", "https://example.org:8443/"),
            ("*://example.org:443/*", "https://example.org/x"),
            ("*://example.org:443/*", "https://example.org:443/x"),
            ("https://[::1]:8080/*", "https://[::1]:8080/x"),
            ("https://[2001:DB8::1]/*", "https://[2001:db8:0:0::0001]/x"),
            ("https://192.0.2.1/*", "https://192.0.2.1./x"),
            ("https://example.org/a?b=*", "https://example.org/a?b=1"),
            ("ssh://git@github.com/acme/*", "git@github.com:acme/x.git"),
            ("ssh://git@github.com/acme/*", "git@github.com:/acme/x.git"),
            ("ssh://git@github.com/acme/*", "ssh://git@github.com:22/acme/x"),
            ("*", "ssh://git@github.com:22/acme/x"),
        ] {
            assert!(allows(pattern, url), "{pattern} {url}");
        }
    }

    #[test]
    fn lookalikes_are_not_allowed() {
        for url in [
            "https://github.com.evil.example/acme/x",
            "https://github.com@evil.example/acme/x",
            "https://github.com:443@evil.example/acme/x",
            "https://evil.example/https://github.com/acme/x",
            "https://evil.example#https://github.com/acme/x",
            "https://evil.example?https://github.com/acme/x",
            "https://evil.example\\@github.com/acme/x",
            "https://user@github.com/acme/x",
            "https://github.com/acme/../evil/x",
            "https://github.com/acme/%2e%2e/evil/x",
            "https://github.com/acme/.%2E/evil/x",
            "https://github.com/acme/..%2fevil/x",
            "https://github.com/acme/..;/evil/x",
            "https://github.com/acme/%252e%252e/evil/x",
            "https://github.com/acme/..%5cevil",
            "https://github.com/acme/..\\evil",
            "https://github.com/acme/./x",
            "https://github.com/acme//x",
            "https://github.com/acme/x%00",
            "https://github.com/acme/x%0a",
            "https://github.com/acme/x\n",
            " https://github.com/acme/x",
            "https://github.com/acme",
            "https://github.com/Acme/x",
            "https://github.com/acme-evil/x",
            "https://github.com:8443/acme/x",
            "https://github.com:99999/acme/x",
            "http://github.com/acme/x",
            "git+https://github.com/acme/x",
            "https:github.com/acme/x",
            "https:///github.com/acme/x",
            "https://github\u{3002}com/acme/x",
            "https://ｇithub.com/acme/x",
            "https://git%68ub.com/acme/x",
            "https://github.com../acme/x",
            "//github.com/acme/x",
            "github.com/acme/x",
            "git@github.com:acme/x",
            "urn:x",
            "",
        ] {
            assert!(!allows("https://github.com/acme/*", url), "{url}");
        }
        assert!(!allows("https://*.example.org/*", "https://example.org/"));
        assert!(!allows("https://*.example.org/*", "https://evilexample.org/"));
        assert!(!allows("https://*.example.org/*", "https://.example.org/"));
        assert!(!allows("ssh://git@github.com/*", "evil@github.com:acme/x"));
        assert!(!allows("*://example.org:443/*", "http://example.org/x"));
        assert!(!allows("*://example.org/*", "http://example.org:443/x"));
        for host in ["3221225985", "0xc0000201", "0300.0.2.1", "192.0.513", "192.0.2.256", "a.0x1", "[::1%25lo]"] {
            assert!(!allows("*", &format!("https://{host}/x")), "{host}");
        }
        assert!(!allows("*", &("https://example.org/".to_owned() + &"a".repeat(8 << 10))));
    }

    #[test]
    fn respellings_are_denied() {
        for url in [
            "https://evil.example/acme/x",
            "https://EVIL.example./ACME/x",
            "https://evil.example:8443/acme/x",
            "https://me:secret@evil.example/acme/x",
            "https://evil.example/%41cme/x",
            "git+ssh://git@evil.example/acme/x",
            "git@evil.example:acme/x",
        ] {
            assert!(denies("*://evil.example/acme/*", url), "{url}");
        }
        for url in ["https://evil.example/x", "git+https://evil.example:443/x", "http://evil.example:443/x"] {
            assert!(denies("*://evil.example:443/*", url), "{url}");
        }
        for url in ["https://x.example/@EVIL/a!b", "https://x.example/%40evil/a%21b", "https://x.example/@evil/a%21B"] {
            assert!(denies("*://x.example/@evil/a!b", url) && denies("*://x.example/%40Evil/a%21b", url), "{url}");
        }
        assert!(denies("*://[::1]/*", "https://[0:0:0:0:0:0:0:1]/x"));
        assert!(!denies("*://evil.example:443/*", "http://evil.example/x"));
        assert!(!denies("*://x.example/a%2Ab", "https://x.example/a-b"));
        assert!(!denies("*://evil.example/acme/*", "https://evil.example.org/acme/x"));
        assert!(!denies("https://evil.example:1/*", "https://evil.example/x"));
    }

    #[test]
    fn invalid_patterns_are_refused() {
        for pattern in [
            "",
            "github.com/*",
            "https://github.com*",
            "https://git*.com/*",
            "https://*.*.com/*",
            "http*://x/*",
            "https:///*",
            "https://*@x/*",
            "https://1/*",
            "https://x:99999/*",
            "https://é.example/*",
            "https://x/../*",
            "https://x/a b",
            &format!("https://x/{}", "*a".repeat(600)),
        ] {
            assert!(UrlPattern::allowing(pattern).is_err() && UrlPattern::denying(pattern).is_err(), "{pattern}");
        }
    }
}
