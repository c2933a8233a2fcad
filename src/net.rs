//! Checks of the URLs that a server sends a client to: by a redirect, as the location of an upload,
//! or as the realm of a token. They prevent server-side request forgery.
//!
//! A URL on another host must not downgrade HTTPS to HTTP, must not contain a user name, and must
//! not have an address of this machine or of a private network. The host that the user named may
//! have any address. Each client resolves names itself, and again when it connects, with
//! [`is_public`] as a filter.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The reason for refusing a private address.
pub const PRIVATE: &str = "it is an address of a private network";

/// Checks that a URL does not downgrade HTTPS to HTTP.
///
/// # Errors
///
/// The URL is HTTP and the previous one was HTTPS.
pub fn check_scheme(was_https: bool, is_https: bool) -> Result<(), &'static str> {
    if is_https || !was_https { Ok(()) } else { Err("it is not secure (plain HTTP)") }
}

/// Checks a host without a lookup. Returns whether its addresses must be looked up.
///
/// # Errors
///
/// The host is a private address, or a name of this machine.
pub fn check_host(host: &str) -> Result<bool, &'static str> {
    match address(host) {
        Some(address) if is_public(address) => Ok(false),
        Some(_) => Err(PRIVATE),
        None if is_local_name(host) => Err(PRIVATE),
        None => Ok(true),
    }
}

/// Checks the addresses of a name: at least one must be public.
///
/// # Errors
///
/// All addresses are private.
pub fn check_addresses(mut addresses: impl Iterator<Item = IpAddr>) -> Result<(), &'static str> {
    addresses.any(is_public).then_some(()).ok_or(PRIVATE)
}

/// Parses a host that is an address.
fn address(host: &str) -> Option<IpAddr> {
    host.trim_matches(['[', ']']).parse().ok()
}

/// Whether a name refers to this machine. Source: RFC 6761, section 6.3.
fn is_local_name(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    host == "localhost" || host.ends_with(".localhost")
}

/// Whether an address is public: not of this machine, a private network or a cloud's metadata
/// service. Source: the IANA registries of special-purpose addresses.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_shared = a == 100 && b & 0xc0 == 64;
    let is_protocol_assignment = (a, b, c) == (192, 0, 0);
    let is_benchmarking = a == 198 && b & 0xfe == 18;
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || is_shared
        || is_protocol_assignment
        || is_benchmarking
        || a == 0
        || a >= 224)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let embedded = |high: u16, low: u16| is_public_v4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)));
    match segments {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            embedded(high, low)
        }
        [0x2001, 0x0db8, ..] | [0x3fff, 0..=0x0fff, ..] => false, // documentation
        [0x2001, second, ..] if second < 0x200 => false,
        // Global unicast addresses: 2000::/3.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_and_public_addresses_are_distinguished() {
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "192.0.0.8",
            "198.19.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "192.0.2.1",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::a00:1",
            "2002:7f00:1::",
            "2001:db8::1",
            "2001::1",
            "3fff::1",
            "64:ff9b:1::1",
            "::127.0.0.1",
            "fec0::1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
        for public in ["1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:1.1.1.1"] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }

    #[test]
    fn hosts_are_checked_without_a_lookup() {
        for host in
            ["localhost", "LOCALHOST.", "a.localhost", "127.0.0.1", "[::1]", "::1", "10.0.0.1", "169.254.169.254"]
        {
            assert_eq!(check_host(host), Err(PRIVATE), "{host}");
        }
        for (host, needs_lookup) in
            [("1.1.1.1", false), ("[2606:4700::1111]", false), ("example.com", true), ("127.1", true), ("0x7f.1", true)]
        {
            assert_eq!(check_host(host), Ok(needs_lookup), "{host}");
        }
        let addresses = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<IpAddr>>();
        assert_eq!(check_addresses(addresses(&["127.0.0.1", "fd00::1"]).into_iter()), Err(PRIVATE));
        assert_eq!(check_addresses(addresses(&["10.0.0.1", "1.1.1.1"]).into_iter()), Ok(()));
        assert!(check_scheme(true, false).is_err());
        assert!([(true, true), (false, true), (false, false)].iter().all(|(was, is)| check_scheme(*was, *is).is_ok()));
    }
}
