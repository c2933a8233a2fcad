//! A small registry in memory that follows the distribution specification. Tests build hostile
//! registries from it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use sectile::digest::Digest;

use super::parts::part;
use super::server::{Reply, Request, Server};

#[derive(Debug, Default)]
pub struct Registry {
    pub blobs: BTreeMap<String, Vec<u8>>,
    /// By tag and by digest.
    pub manifests: BTreeMap<String, (String, Vec<u8>)>,
    pub uploads: BTreeMap<String, Vec<u8>>,
    /// The minimum chunk length that it announces.
    pub min_chunk: Option<usize>,
    /// Whether it supports referrers.
    pub has_referrers: bool,
    /// The repositories in its catalog.
    pub repositories: Vec<String>,
    /// The maximum number of entries in a page of a list; all if 0.
    pub page_len: usize,
    pub begun: usize,
}

pub type Shared = Arc<Mutex<Registry>>;

/// A server of this registry. An answer of `special` takes precedence.
pub fn start(
    registry: Registry,
    mut special: impl FnMut(&Request) -> Option<Reply> + Send + 'static,
) -> (Server, Shared) {
    let shared = Arc::new(Mutex::new(registry));
    let server = Server::start({
        let shared = Arc::clone(&shared);
        move |request| special(request).unwrap_or_else(|| shared.lock().unwrap().answer(request))
    });
    (server, shared)
}

impl Registry {
    pub fn answer(&mut self, request: &Request) -> Reply {
        if request.body.is_none() && request.field("content-length").is_some_and(|len| len != "0") {
            return Reply::Read;
        }
        match (&*request.method, &*request.path) {
            ("GET", "/v2/") => return Reply::of(200),
            ("GET", "/v2/_catalog") => {
                let (page, reply) = self.page(self.repositories.clone(), request);
                return reply.body(serde_json::json!({ "repositories": page }).to_string());
            }
            _ => {}
        }
        let Some((repository, rest)) = request.path.strip_prefix("/v2/").and_then(|path| {
            let places = ["/blobs/", "/manifests/", "/tags/", "/referrers/"];
            let at = places.iter().filter_map(|place| path.find(place)).min()?;
            Some((&path[..at], &path[at + 1..]))
        }) else {
            return error(404, "UNSUPPORTED", "no such place");
        };
        let place = format!("/v2/{repository}");
        match (&*request.method, rest.split('/').collect::<Vec<_>>().as_slice()) {
            ("HEAD", ["blobs", digest]) => match self.blobs.get(*digest) {
                Some(_) => Reply::of(200).field("docker-content-digest", digest),
                None => error(404, "BLOB_UNKNOWN", "blob unknown"),
            },
            ("GET", ["blobs", digest]) => match self.blobs.get(*digest) {
                Some(bytes) => part(bytes, request),
                None => error(404, "BLOB_UNKNOWN", "blob unknown"),
            },
            ("POST", ["blobs", "uploads", ""]) => {
                self.begun += 1;
                let id = format!("u{}", self.begun);
                self.uploads.insert(id.clone(), Vec::new());
                let reply = Reply::of(202).field("location", format!("{place}/blobs/uploads/{id}?_state=a%3D"));
                match self.min_chunk {
                    Some(min) => reply.field("oci-chunk-min-length", min),
                    None => reply,
                }
            }
            (method, ["blobs", "uploads", id]) => {
                let id = (*id).to_owned();
                let location = format!("{place}/blobs/uploads/{id}?_state=b");
                let Some(upload) = self.uploads.get_mut(&id) else {
                    return error(404, "BLOB_UPLOAD_UNKNOWN", "upload unknown");
                };
                let body = request.body.as_deref().unwrap_or_default();
                match method {
                    "GET" => {
                        let end = upload.len().saturating_sub(1);
                        Reply::of(204).field("location", location).field("range", format!("0-{end}"))
                    }
                    "PATCH" => {
                        let range = format!("{}-{}", upload.len(), upload.len() + body.len() - 1);
                        if request.field("content-range") != Some(&range) {
                            return error(416, "BLOB_UPLOAD_INVALID", "out of order");
                        }
                        upload.extend(body);
                        Reply::of(202).field("location", location).field("range", format!("0-{}", upload.len() - 1))
                    }
                    "PUT" => {
                        upload.extend(body);
                        let digest = request.query.split('&').find_map(|part| part.strip_prefix("digest="));
                        let digest = digest.unwrap_or_default().to_owned();
                        if Digest::new(upload).to_string() != digest {
                            return error(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
                        }
                        let blob = self.uploads.remove(&id).unwrap();
                        self.blobs.insert(digest.clone(), blob);
                        Reply::of(201).field("location", "/v2/x").field("docker-content-digest", digest)
                    }
                    _ => error(405, "UNSUPPORTED", "no such method"),
                }
            }
            ("HEAD" | "GET", ["manifests", name]) => match self.manifests.get(*name) {
                Some((media_type, bytes)) => Reply::of(200)
                    .field("docker-content-digest", Digest::new(bytes))
                    .field("content-type", media_type)
                    .body(bytes.clone()),
                None => error(404, "MANIFEST_UNKNOWN", "manifest unknown"),
            },
            ("GET", ["tags", "list"]) => {
                let tags = self.manifests.keys().filter(|name| !name.contains(':')).cloned().collect();
                let (page, reply) = self.page(tags, request);
                reply.body(serde_json::json!({ "name": repository, "tags": page }).to_string())
            }
            ("GET", ["referrers", subject]) if self.has_referrers => {
                let referrers = self.manifests.iter().filter(|(name, _)| name.contains(':'));
                let referrers: Vec<_> = referrers
                    .filter_map(|(digest, (media_type, bytes))| {
                        let json: serde_json::Value = serde_json::from_slice(bytes).unwrap();
                        (json["subject"]["digest"] == **subject).then(
                            || serde_json::json!({"mediaType": media_type, "digest": digest, "size": bytes.len()}),
                        )
                    })
                    .collect();
                Reply::of(200).body(serde_json::json!({"schemaVersion": 2, "manifests": referrers}).to_string())
            }
            ("PUT", ["manifests", name]) => {
                let bytes = request.body.clone().unwrap_or_default();
                let digest = Digest::new(&bytes);
                let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
                let parts = json["layers"].as_array().into_iter().flatten().chain(json.get("config"));
                if parts.into_iter().any(|part| !self.blobs.contains_key(part["digest"].as_str().unwrap())) {
                    return error(404, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry");
                }
                let entry = (request.field("content-type").unwrap_or_default().to_owned(), bytes);
                self.manifests.insert((*name).to_owned(), entry.clone());
                self.manifests.insert(digest.to_string(), entry);
                let reply = Reply::of(201).field("docker-content-digest", digest);
                match json["subject"]["digest"].as_str().filter(|_| self.has_referrers) {
                    Some(subject) => reply.field("oci-subject", subject),
                    None => reply,
                }
            }
            _ => error(404, "UNSUPPORTED", "no such place"),
        }
    }
}

impl Registry {
    /// The page of a list that a request is for, and the reply with the link to the next one.
    fn page(&self, mut names: Vec<String>, request: &Request) -> (Vec<String>, Reply) {
        let parameter = |name: &str| {
            request.query.split('&').find_map(|part| part.strip_prefix(name)?.strip_prefix('=')).map(str::to_owned)
        };
        if let Some(last) = parameter("last") {
            names.retain(|name| *name > last);
        }
        if self.page_len == 0 || names.len() <= self.page_len {
            return (names, Reply::of(200));
        }
        names.truncate(self.page_len);
        let link = format!("<{}?last={}>; rel=\"next\"", request.path, names[self.page_len - 1]);
        (names, Reply::of(200).field("link", link))
    }
}

/// `me:hunter2` in Basic authentication.
pub const AUTHORIZATION: &str = "Basic bWU6aHVudGVyMg==";

/// Answers with a challenge unless the request has the credentials [`AUTHORIZATION`].
pub fn require_login(request: &Request) -> Option<Reply> {
    let is_authorized = request.field("authorization") == Some(AUTHORIZATION);
    let challenge =
        || error(401, "UNAUTHORIZED", "who is there?").field("www-authenticate", "Basic realm=\"the registry\"");
    (!is_authorized).then(challenge)
}

/// An error in the format of the specification.
pub fn error(status: u16, code: &str, message: &str) -> Reply {
    let body = serde_json::json!({"errors": [{"code": code, "message": message}]});
    Reply::of(status).field("content-type", "application/json").body(body.to_string())
}
