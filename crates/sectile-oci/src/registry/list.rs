//! Lists of tags, repositories and referrers, in pages. Source: the distribution specification,
//! "Content Discovery"; RFC 8288 for `Link`.

use std::collections::HashSet;
use std::time::Instant;

use serde::Deserialize;
use ureq::http::{Method, header};

use super::client::Client;
use super::error::{RegistryError, RegistryFault, quote_escaped};
use super::reference::{Reference, RegistryHost, is_repository, is_tag};
use super::session::{Access, ApiRequest, Session};
use super::transport::Response;
use super::url::Url;
use crate::INDEX_MEDIA_TYPE;
use crate::layout::index::ParsedDescriptor;
use sectile::digest::Digest;

/// Maximum number of entries of one list.
const MAX_ENTRIES: usize = 100_000;
/// Number of entries that are requested in a page. Registries may send fewer.
const PAGE_LEN: usize = 1_000;

#[derive(Deserialize)]
struct TagList {
    tags: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Catalog {
    repositories: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct ReferrerIndex {
    manifests: Vec<ParsedDescriptor>,
}

impl Client {
    /// Lists the tags of a reference's repository in the order of the registry.
    ///
    /// # Errors
    ///
    /// The registry rejects the request or cannot be reached, the list is malformed, or it has more
    /// than 100,000 tags.
    pub fn tags(&self, reference: &Reference) -> Result<Vec<String>, RegistryError> {
        let mut session = Session::new(self, reference, Access::Pull)?.with_deadline(self.list_deadline());
        session.list(
            &format!("tags/list?n={PAGE_LEN}"),
            |bytes| {
                let page: TagList = serde_json::from_slice(bytes).ok()?;
                Some(page.tags.unwrap_or_default())
            },
            is_tag,
        )
    }

    /// Lists the repositories of a registry in its order. Many registries refuse this.
    ///
    /// # Errors
    ///
    /// The registry rejects the request or cannot be reached, the list is malformed, or it has more
    /// than 100,000 repositories.
    pub fn repositories(&self, host: &RegistryHost) -> Result<Vec<String>, RegistryError> {
        let reference = host.reference();
        let mut session = Session::new(self, &reference, Access::Catalog)?.with_deadline(self.list_deadline());
        let listed = session.list(
            &format!("_catalog?n={PAGE_LEN}"),
            |bytes| {
                let page: Catalog = serde_json::from_slice(bytes).ok()?;
                Some(page.repositories.unwrap_or_default())
            },
            is_repository,
        );
        listed.map_err(|error| match error.status() {
            Some(401 | 403 | 404 | 405) => error.with_advice(
                "the registry does not list its repositories for this user: name a repository, HOST/REPOSITORY",
            ),
            _ => error,
        })
    }

    /// Checks that a registry accepts the client's credentials.
    ///
    /// # Errors
    ///
    /// The registry rejects the credentials or cannot be reached.
    pub fn check_login(&self, host: &RegistryHost) -> Result<(), RegistryError> {
        let reference = host.reference();
        let mut session = Session::new(self, &reference, Access::Login)?.with_deadline(self.list_deadline());
        let request = ApiRequest::new(Method::GET, session.base().clone());
        let name = request.name();
        let response = session.send(request)?;
        match response.status {
            200 => Ok(()),
            _ => Err(session.error(Some(name), RegistryFault::unexpected_status(&response))),
        }
    }

    fn list_deadline(&self) -> Option<Instant> {
        Instant::now().checked_add(self.options.total_timeout)
    }
}

impl Session<'_> {
    /// Lists the names on all pages that begin at a path.
    fn list(
        &mut self,
        path: &str,
        parse: impl Fn(&[u8]) -> Option<Vec<String>>,
        is_valid: impl Fn(&str) -> bool,
    ) -> Result<Vec<String>, RegistryError> {
        let (mut names, mut seen) = (Vec::new(), HashSet::new());
        self.each_page(path, "application/json", |bytes| {
            let before = names.len();
            for name in parse(bytes).ok_or_else(|| RegistryFault::malformed("the list is not as specified"))? {
                if !is_valid(&name) {
                    return Err(RegistryFault::malformed(format!("the list has {}", quote_escaped(&name))));
                }
                if seen.insert(name.clone()) {
                    names.push(name);
                }
            }
            if names.len() > MAX_ENTRIES {
                return Err(RegistryFault::TooManyEntries(MAX_ENTRIES));
            }
            Ok(names.len() > before)
        })?;
        Ok(names)
    }

    /// Lists the artifacts that refer to a manifest: from the API of the registry, or from the
    /// index under the fallback tag.
    pub(super) fn referrers(&mut self, subject: Digest) -> Result<Vec<ParsedDescriptor>, RegistryError> {
        let mut referrers: Vec<ParsedDescriptor> = Vec::new();
        let mut seen = HashSet::new();
        let mut add = |bytes: &[u8]| {
            let page: ReferrerIndex = serde_json::from_slice(bytes)
                .map_err(|_| RegistryFault::malformed("the list of referrers is not an image index"))?;
            let before = referrers.len();
            referrers.extend(page.manifests.into_iter().filter(|referrer| seen.insert(referrer.digest.clone())));
            if referrers.len() > MAX_ENTRIES {
                return Err(RegistryFault::TooManyEntries(MAX_ENTRIES));
            }
            Ok(referrers.len() > before)
        };
        match self.each_page(&format!("referrers/{subject}"), INDEX_MEDIA_TYPE, &mut add) {
            // The registry does not support the API.
            Err(error) if matches!(error.status(), Some(400 | 404 | 405)) => {
                let tag = super::referrer::fallback_tag(subject);
                match self.manifest(&tag, INDEX_MEDIA_TYPE) {
                    Ok(bytes) => {
                        add(&bytes).map_err(|fault| self.error(Some(format!("GET manifests/{tag}")), fault))?;
                    }
                    Err(error) if error.is_missing() => {}
                    Err(error) => return Err(error),
                }
            }
            result => result?,
        }
        Ok(referrers)
    }

    /// Requests the pages of a list. `take` parses a page, and returns whether it has anything new.
    fn each_page(
        &mut self,
        path: &str,
        accept: &str,
        mut take: impl FnMut(&[u8]) -> Result<bool, RegistryFault>,
    ) -> Result<(), RegistryError> {
        let mut url = self.url(path)?;
        loop {
            let request = ApiRequest::new(Method::GET, url).with_field(header::ACCEPT, accept);
            let name = request.name();
            let response = self.send(request)?;
            let next = match response.status {
                200 => take(&response.body).and_then(|is_new| match self.next_page(&response)? {
                    // A registry that repeats a page would never end.
                    Some(_) if !is_new => Err(RegistryFault::malformed("a page of the list has nothing new")),
                    next => Ok(next),
                }),
                _ => Err(RegistryFault::unexpected_status(&response)),
            };
            match next.map_err(|fault| self.error(Some(name), fault))? {
                Some(next) => url = next,
                None => return Ok(()),
            }
        }
    }

    /// Returns the URL of the next page, which must be on the same host.
    fn next_page(&self, response: &Response) -> Result<Option<Url>, RegistryFault> {
        let Some(link) = response.fields("link").find_map(next_link) else { return Ok(None) };
        let url = response.url.join_location(link).and_then(|url| self.check_permitted(url));
        let url = url.and_then(|url| if url.is_same_origin(self.base()) { Ok(url) } else { Err("another host") });
        url.map(Some).map_err(|reason| RegistryFault::malformed(format!("the next page is not allowed: {reason}")))
    }
}

/// Returns the target of the link with the relation `next` in a `Link` field.
fn next_link(field: &str) -> Option<&str> {
    let mut rest = field;
    while let Some((_, link)) = rest.split_once('<') {
        let (target, parameters) = link.split_once('>')?;
        let end = parameters.find('<').unwrap_or(parameters.len());
        let (parameters, next) = parameters.split_at(end);
        let is_next =
            parameters.split([';', ',']).filter_map(|parameter| parameter.split_once('=')).any(|(name, value)| {
                name.trim().eq_ignore_ascii_case("rel")
                    && value
                        .trim()
                        .trim_matches('"')
                        .split_ascii_whitespace()
                        .any(|rel| rel.eq_ignore_ascii_case("next"))
            });
        if is_next {
            return Some(target);
        }
        rest = next;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_to_the_next_page_is_found() {
        for (field, target) in [
            ("</v2/a/tags/list?n=2&last=b>; rel=\"next\"", Some("/v2/a/tags/list?n=2&last=b")),
            ("<?last=b,c>;rel=next", Some("?last=b,c")),
            ("</x>; rel=\"prev\", </y>; title=\"a;b\"; REL=\"other NEXT\"", Some("/y")),
            ("</x>; rel=\"prev\"", None),
            ("</x>", None),
            ("</x; rel=next", None),
            ("", None),
        ] {
            assert_eq!(next_link(field), target, "{field}");
        }
    }
}
