//! Lists of repositories and tags, and the check of credentials.

use std::sync::{Arc, Mutex};

use super::{anonymous, options, reference};
use sectile_oci::registry::{Client, Credential, Credentials, RegistryHost};
use sectile_testing::registry::{Registry, error, require_login, start};
use sectile_testing::server::{Reply, Server};

fn host(server: &Server) -> RegistryHost {
    server.address.to_string().parse().unwrap()
}

fn with_password(password: &str) -> Client {
    Client::new(Credentials::fixed(Credential::password("me", password)), options())
}

#[test]
fn repositories_are_listed_in_pages() {
    let repositories: Vec<String> = (0..25).map(|number| format!("team/app-{number:02}")).collect();
    let registry = Registry { repositories: repositories.clone(), page_len: 10, ..Registry::default() };
    let (server, _) = start(registry, |_| None);
    assert_eq!(anonymous().repositories(&host(&server)).unwrap(), repositories);
    assert_eq!(server.lines().len(), 3);
}

#[test]
fn links_to_pages_may_be_relative_and_absolute() {
    for form in 0..4 {
        let address: Arc<Mutex<String>> = Arc::default();
        let own = Arc::clone(&address);
        let server = Server::start(move |request| match &*request.query {
            "last=b" => Reply::of(200).body(r#"{"tags":["c"]}"#),
            _ => {
                let link = match form {
                    0 => "/v2/app/tags/list?last=b".to_owned(),
                    1 => "?last=b".to_owned(),
                    2 => "list?last=b".to_owned(),
                    _ => format!("http://{}/v2/app/tags/list?last=b", own.lock().unwrap()),
                };
                Reply::of(200).field("link", format!("<{link}>; rel=\"next\"")).body(r#"{"tags":["a","b"]}"#)
            }
        });
        *address.lock().unwrap() = server.address.to_string();
        assert_eq!(anonymous().tags(&reference(&server, "app")).unwrap(), ["a", "b", "c"], "{form}");
    }
}

#[test]
fn a_refused_catalog_has_advice() {
    for status in [401, 403, 404, 405] {
        let server = Server::start(move |_| error(status, "DENIED", "no"));
        let refused = anonymous().repositories(&host(&server)).unwrap_err();
        // A challenge that is malformed has its own message.
        if status != 401 {
            assert!(refused.to_string().contains("does not list its repositories"), "{refused}");
            assert_eq!(refused.status(), Some(status));
        }
    }
    let (server, _) = start(Registry::default(), require_login);
    let refused = anonymous().repositories(&host(&server)).unwrap_err();
    assert!(refused.to_string().contains("name a repository"), "{refused}");
}

#[test]
fn malformed_lists_are_refused() {
    for body in ["", "[]", r#"{"tags":1}"#, r#"{"tags":["a b"]}"#, r#"{"tags":["\u001b"]}"#] {
        let server = Server::start(move |_| Reply::of(200).body(body));
        let refused = anonymous().tags(&reference(&server, "app")).unwrap_err().to_string();
        assert!(refused.contains("malformed response") && !refused.contains('\u{1b}'), "{refused}");
    }
}

#[test]
fn credentials_are_checked() {
    let (server, _) = start(Registry::default(), require_login);
    with_password("hunter2").check_login(&host(&server)).unwrap();
    let refused = with_password("5ec12e7").check_login(&host(&server)).unwrap_err();
    assert!(refused.is_denied() && !refused.to_string().contains("5ec12e7"), "{refused}");
}

/// The token for a catalog has its own scope, and a login has none.
#[test]
fn tokens_are_requested_for_the_catalog() {
    let server = Arc::new(Mutex::new(String::new()));
    let own = Arc::clone(&server);
    let registry = Server::start(move |request| match &*request.path {
        "/token" => Reply::of(200).body(r#"{"token":"t"}"#),
        _ if request.field("authorization") == Some("Bearer t") => Reply::of(200).body(r#"{"repositories":["a"]}"#),
        _ => {
            let challenge = format!("Bearer realm=\"http://{}/token\",service=\"s\"", own.lock().unwrap());
            error(401, "UNAUTHORIZED", "who is there?").field("www-authenticate", challenge)
        }
    });
    *server.lock().unwrap() = registry.address.to_string();
    assert_eq!(with_password("x").repositories(&host(&registry)).unwrap(), ["a"]);
    with_password("x").check_login(&host(&registry)).unwrap();
    let queries: Vec<String> = registry
        .asked()
        .iter()
        .filter(|request| request.path == "/token")
        .map(|request| request.query.clone())
        .collect();
    assert!(queries[0].contains("scope=registry%3Acatalog%3A%2A"), "{queries:?}");
    assert!(!queries[1].contains("scope"), "{queries:?}");
}
