//! URLs of the repositories that package.json names.

use super::entry::ManifestEntry;
use super::location::{NoticeKind, Notices};
use sectile::internal::quoted;

/// Hosts that have short names in npm. Their web pages have the paths of the Git repositories.
const HOSTS: [(&str, &str); 5] = [
    ("github", "github.com"),
    ("gitlab", "gitlab.com"),
    ("bitbucket", "bitbucket.org"),
    ("gist", "gist.github.com"),
    ("sourcehut", "git.sr.ht"),
];

/// The URL of a repository. Expands short names, and rewrites Git-only URLs to https for known
/// hosts. Other text is returned unchanged.
pub(super) fn url(entry: &ManifestEntry<'_>, written: &str, notices: &mut Notices) -> String {
    if let Some((host, path)) = short(written) {
        let (path, branch) = path.split_once('#').map_or((path, None), |(path, branch)| (path, Some(branch)));
        if let Some(branch) = branch {
            notices.push(entry.dropped(format!("the URL is used without its {}", quoted(branch))));
        }
        return format!("https://{host}/{path}");
    }
    if let Some(url) =
        written.strip_prefix("git+").filter(|url| url.starts_with("https://") || url.starts_with("http://"))
    {
        return without_user(entry, url, notices);
    }
    if written.starts_with("https://") || written.starts_with("http://") {
        return without_user(entry, written, notices);
    }
    let Some(url) = on_known_host(written) else { return written.to_owned() };
    let message = format!("{} is a Git address, not a web URL; using {}", quoted(written), quoted(&url));
    notices.push(entry.notice(NoticeKind::Rewritten, message));
    url
}

/// An http or https URL without a user name, which some hosts require for Git. A URL with a
/// password stays unchanged, and is not valid for the field.
fn without_user(entry: &ManifestEntry<'_>, url: &str, notices: &mut Notices) -> String {
    let parts = url.split_once("://").and_then(|(scheme, rest)| {
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (user, host) = rest[..end].rsplit_once('@')?;
        (!user.contains(':')).then(|| format!("{scheme}://{host}{}", &rest[end..]))
    });
    let Some(bare) = parts else { return url.to_owned() };
    notices.push(entry.notice(NoticeKind::Rewritten, "the user name is removed from the URL"));
    bare
}

/// The host and the path of a short name: `github:a/b`, or `a/b` alone.
fn short(written: &str) -> Option<(&'static str, &str)> {
    if let Some((short, path)) = written.split_once(':') {
        let (_, host) = HOSTS.into_iter().find(|(name, _)| *name == short)?;
        return Some((host, path)).filter(|(_, path)| !path.starts_with('/'));
    }
    let path = written.split('#').next().unwrap_or_default();
    let (owner, name) = path.split_once('/')?;
    let is_name = |name: &str| {
        let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        !name.is_empty() && name.bytes().all(is_of_name)
    };
    (is_name(owner) && is_name(name) && !owner.starts_with('.')).then_some((HOSTS[0].1, written))
}

/// The https URL for a URL of Git or SSH, or for `git@host:path`, on a known host.
fn on_known_host(written: &str) -> Option<String> {
    let schemes = ["git://", "git+ssh://", "ssh://", "git+git://"];
    let (authority, path) = match schemes.into_iter().find_map(|scheme| written.strip_prefix(scheme)) {
        Some(rest) => rest.split_once(['/', ':']).map(|(authority, path)| (authority, without_port(path)))?,
        None => written.strip_prefix("git@").and_then(|rest| rest.split_once(':'))?,
    };
    let host = authority.strip_prefix("git@").unwrap_or(authority);
    let path = path.trim_start_matches('/');
    HOSTS.iter().any(|(_, known)| *known == host).then(|| format!("https://{host}/{path}"))
}

/// A path without a leading port. A number before a single name is an owner, as in
/// `git+ssh://git@github.com:1/b`.
fn without_port(path: &str) -> &str {
    match path.split_once('/') {
        Some((port, rest)) if port.parse::<u16>().is_ok() && rest.contains('/') => rest,
        _ => path,
    }
}
