//! Authorization.

use std::sync::{Arc, Mutex};

use super::{binary, hurried, message, options, push, reference};
use sectile::drive::FetchOptions;
use sectile::{Limits, read_fetch_with, read_slice};
use sectile_oci::registry::{Client, ClientOptions, Credential, Credentials, RegistryError, RegistryImage};
use sectile_testing::ranges::now;
use sectile_testing::registry::{AUTHORIZATION, Registry, error, require_login, start};
use sectile_testing::server::{Reply, Request, Server};

fn me() -> Client {
    Client::new(Credentials::fixed(Credential::password("me", "hunter2")), options())
}

#[track_caller]
fn assert_no_secret(error: &RegistryError) {
    let shown = format!("{} {error:?}", message(error));
    assert!(!shown.contains("hunter2") && !shown.contains("bWU6aHVudGVyMg"), "{shown}");
}

/// Requires this `Authorization`.
fn require_authorization(challenge: String, expected: Arc<Mutex<String>>) -> impl FnMut(&Request) -> Option<Reply> {
    move |request| match request.field("authorization") {
        Some(field) if field == *expected.lock().unwrap() => None,
        _ => Some(error(401, "UNAUTHORIZED", "who is there?")).map(|reply| reply.field("www-authenticate", &challenge)),
    }
}

#[test]
fn basic_credentials_are_sent_after_a_challenge() {
    let (server, _) = start(Registry::default(), require_login);
    let (_directory, path, _) = binary(1000);
    push(&me(), &reference(&server, "app:1"), &path).unwrap();
    // Sent after the first challenge, and from then on with every request.
    let shown: Vec<_> = server.asked().iter().map(|request| request.field("authorization").is_some()).collect();
    assert_eq!((shown[0], shown[1..].iter().all(|shown| *shown)), (false, true));
}

#[test]
fn missing_and_wrong_credentials_are_distinguished() {
    let (server, _) = start(Registry::default(), require_login);
    let (_directory, path, _) = binary(1000);
    let to = reference(&server, "app:1");
    let none = push(&Client::new(Credentials::anonymous(), options()), &to, &path).unwrap_err();
    assert!(none.is_denied() && none.to_string().contains(&format!("docker login {}", server.address)), "{none}");
    let wrong = Client::new(Credentials::fixed(Credential::password("me", "hunter22")), options());
    let wrong = push(&wrong, &to, &path).unwrap_err();
    assert!(wrong.is_denied() && wrong.to_string().contains("rejects the credentials"), "{wrong}");
    assert_no_secret(&wrong);
    assert_eq!(server.asked().len(), 3);
}

/// A token server and its last token.
fn start_token_server(answer: impl Fn(&Request, usize) -> Reply + Send + 'static) -> (Server, Arc<Mutex<String>>) {
    let token = Arc::new(Mutex::new(String::new()));
    let mut given = 0;
    let server = Server::start({
        let token = Arc::clone(&token);
        move |request| {
            if request.field("content-length").is_some() && request.body.is_none() {
                return Reply::Read;
            }
            given += 1;
            *token.lock().unwrap() = format!("Bearer token{given}");
            answer(request, given)
        }
    });
    (server, token)
}

fn token_reply(nth: usize) -> Reply {
    Reply::of(200).body(format!(r#"{{"token":"token{nth}","expires_in":60}}"#))
}

fn challenge(server: &Server) -> String {
    format!(
        "Bearer realm=\"http://{}/token?x=y\",service=\"a registry\",scope=\"repository:team/app:pull\"",
        server.address
    )
}

#[test]
fn a_password_is_exchanged_for_a_token() {
    let (token_server, token) = start_token_server(|_, nth| token_reply(nth));
    let (server, _) = start(Registry::default(), require_authorization(challenge(&token_server), token));
    let (_directory, path, _) = binary(1000);
    push(&me(), &reference(&server, "team/app:1"), &path).unwrap();
    let asked = token_server.asked();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert_eq!((&*asked[0].method, asked[0].field("authorization")), ("GET", Some(AUTHORIZATION)));
    assert_eq!(
        asked[0].query,
        "x=y&scope=repository%3Ateam%2Fapp%3Apull%2Cpush&client_id=sectile&service=a%20registry&account=me"
    );
    assert!(server.asked().iter().all(|request| request.field("authorization") != Some(AUTHORIZATION)));
}

#[test]
fn scope_of_the_challenge_is_requested() {
    for (scope, query) in [
        ("scope=\"aws\"", "x=y&scope=aws&client_id=sectile&account=me"),
        ("scope=\"repository:team/app:*\"", "x=y&scope=repository%3Ateam%2Fapp%3A%2A&client_id=sectile&account=me"),
        (
            "scope=repository:proxy/app:pull,push",
            "x=y&scope=repository%3Aproxy%2Fapp%3Apull%2Cpush&client_id=sectile&account=me",
        ),
        ("scope=\"aws b\"", "x=y&scope=aws&scope=b&client_id=sectile&account=me"),
    ] {
        let (token_server, token) = start_token_server(|_, nth| token_reply(nth));
        let challenge = format!("Bearer realm=\"http://{}/token?x=y\",{scope}", token_server.address);
        let (server, _) = start(Registry::default(), require_authorization(challenge, token));
        let (_directory, path, _) = binary(1000);
        push(&me(), &reference(&server, "team/app:1"), &path).unwrap();
        assert_eq!(token_server.asked()[0].query, query);
    }
}

#[test]
fn reading_requests_only_pull_access() {
    let (token_server, token) = start_token_server(|_, nth| token_reply(nth));
    let (server, _) = start(Registry::default(), require_authorization(challenge(&token_server), token));
    let (_directory, path, bytes) = binary(1000);
    push(&me(), &reference(&server, "team/app:1"), &path).unwrap();
    let mut image = RegistryImage::open(me(), reference(&server, "team/app:1")).unwrap();
    let outcome = now(read_fetch_with(&mut image, FetchOptions::default(), Limits::default()));
    assert_eq!(outcome.value(), Some(&read_slice(&bytes).unwrap()));
    let asked = token_server.asked();
    let scopes: Vec<_> = asked.iter().map(|request| request.query.split('&').nth(1).unwrap()).collect();
    assert_eq!(scopes, ["scope=repository%3Ateam%2Fapp%3Apull%2Cpush", "scope=repository%3Ateam%2Fapp%3Apull"]);
}

#[test]
fn an_anonymous_client_requests_a_token() {
    let (token_server, token) =
        start_token_server(|_, nth| Reply::of(200).body(format!(r#"{{"access_token":"token{nth}"}}"#)));
    let (server, _) = start(Registry::default(), require_authorization(challenge(&token_server), token));
    let (_directory, path, _) = binary(1000);
    push(&Client::new(Credentials::anonymous(), options()), &reference(&server, "app:1"), &path).unwrap();
    assert!(token_server.asked()[0].field("authorization").is_none());
}

#[test]
fn identity_and_registry_tokens_are_used() {
    let posted = Arc::new(Mutex::new(String::new()));
    let (token_server, token) = start_token_server({
        let posted = Arc::clone(&posted);
        move |request, nth| {
            *posted.lock().unwrap() = String::from_utf8(request.body.clone().unwrap()).unwrap();
            token_reply(nth)
        }
    });
    let (server, _) = start(Registry::default(), require_authorization(challenge(&token_server), token));
    let (_directory, path, _) = binary(1000);
    let identity = Client::new(Credentials::fixed(Credential::identity_token("hunter2&")), options());
    push(&identity, &reference(&server, "app:1"), &path).unwrap();
    let posted = posted.lock().unwrap();
    assert!(posted.contains("grant_type=refresh_token&refresh_token=hunter2%26"), "{posted}");

    let shown = Arc::new(Mutex::new("Bearer hunter2".to_owned()));
    let (server, _) =
        start(Registry::default(), require_authorization("Bearer realm=\"http://127.0.0.1:1/\"".to_owned(), shown));
    let own = Client::new(Credentials::fixed(Credential::registry_token("hunter2")), options());
    push(&own, &reference(&server, "app:1"), &path).unwrap();
    let odd = Client::new(Credentials::fixed(Credential::registry_token("hunter2\n")), options());
    let error = push(&odd, &reference(&server, "app:1"), &path).unwrap_err();
    assert!(error.is_denied() && error.to_string().contains("the stored token"), "{error}");
    assert_no_secret(&error);
}

#[test]
fn a_token_is_renewed_during_an_upload() {
    let (token_server, token) = start_token_server(|_, nth| token_reply(nth));
    let (server, registry) = start(Registry { min_chunk: Some(1), ..Registry::default() }, {
        let mut require = require_authorization(challenge(&token_server), Arc::clone(&token));
        let mut patches = 0;
        move |request| {
            patches += i32::from(request.method == "PATCH" && request.body.is_some());
            if patches == 2 && request.body.is_some() {
                patches += 1;
                *token.lock().unwrap() = "ended".to_owned();
            }
            require(request)
        }
    });
    let (_directory, path, bytes) = binary(300_000);
    push(&me(), &reference(&server, "app:1"), &path).unwrap();
    assert_eq!(token_server.asked().len(), 2);
    assert!(registry.lock().unwrap().blobs.values().any(|blob| *blob == bytes));
}

#[test]
fn failures_of_token_servers_reveal_no_secret() {
    let long = format!(r#"{{"token":"{}"}}"#, "a".repeat(5 << 20));
    for (reply, why) in [
        (error(401, "UNAUTHORIZED", "no"), "rejects the credentials"),
        (Reply::of(404), "returned no token"),
        (Reply::of(500), "returned no token"),
        (Reply::of(302).field("location", "http://127.0.0.1:1/"), "returned no token"),
        (Reply::of(200).body("hunter2"), "not JSON with a token"),
        (Reply::of(200).body("{}"), "empty token"),
        (Reply::of(200).body(r#"{"token":"hunter2\r\nx: y"}"#), "invalid in a header"),
        (Reply::of(200).body(long), "4 MiB"),
        (Reply::Raw(b"HTTP/1.1 200 X\r\ncontent-length: 5\r\n\r\n{".to_vec()), "was lost"),
        (Reply::Stall, "timeout: no data received"),
    ] {
        let (token_server, token) = start_token_server(move |_, _| reply.clone());
        let (server, _) = start(Registry::default(), require_authorization(challenge(&token_server), token));
        let (_directory, path, _) = binary(100);
        let client = Client::new(Credentials::fixed(Credential::password("me", "hunter2")), hurried());
        let error = push(&client, &reference(&server, "app:1"), &path).unwrap_err();
        assert!(message(&error).contains(why), "{why}: {}", message(&error));
        let place = format!("the token server http://{}/token", token_server.address);
        assert!(message(&error).contains(&place) && !error.is_missing(), "{place}: {}", message(&error));
        assert_no_secret(&error);
    }
    // Tokens that the registry rejects are requested once.
    let (token_server, _) = start_token_server(|_, nth| token_reply(nth));
    let (server, _) = start(Registry::default(), require_authorization(challenge(&token_server), Arc::default()));
    let (_directory, path, _) = binary(100);
    let error = push(&me(), &reference(&server, "app:1"), &path).unwrap_err();
    assert!(error.is_denied(), "{error}");
    assert_eq!((server.asked().len(), token_server.asked().len()), (2, 1));
}

/// Requests to token servers are retried as those to registries.
#[test]
fn a_busy_token_server_is_retried() {
    for reply in [error(503, "UNAVAILABLE", "later"), Reply::of(429), Reply::Raw(Vec::new())] {
        let (token_server, token) =
            start_token_server(move |_, nth| if nth < 3 { reply.clone() } else { token_reply(nth) });
        let (server, _) = start(Registry::default(), require_authorization(challenge(&token_server), token));
        let (_directory, path, _) = binary(1000);
        push(&me(), &reference(&server, "app:1"), &path).unwrap();
        assert_eq!(token_server.asked().len(), 3);
    }
    let (token_server, token) = start_token_server(|_, _| Reply::of(503));
    let (server, _) = start(Registry::default(), require_authorization(challenge(&token_server), token));
    let (_directory, path, _) = binary(1000);
    let error = push(&me(), &reference(&server, "app:1"), &path).unwrap_err();
    assert!(error.is_transient() && error.status() == Some(503), "{error}");
    assert_eq!(token_server.asked().len(), 5);
}

/// A token server that requires credentials, and a registry that rejects anonymous tokens.
#[test]
fn anonymous_clients_are_advised_to_log_in() {
    let advice = |server: &Server| format!("log in with `docker login {}`", server.address);
    for status in [401, 403] {
        let (token_server, token) = start_token_server(move |_, _| Reply::of(status));
        let (server, _) = start(Registry::default(), require_authorization(challenge(&token_server), token));
        let (_directory, path, _) = binary(100);
        let nobody = Client::new(Credentials::anonymous(), options());
        let error = push(&nobody, &reference(&server, "app:1"), &path).unwrap_err();
        assert!(error.is_denied() && error.to_string().contains(&advice(&server)), "{status} {error}");
    }
    let (token_server, _) = start_token_server(|_, nth| token_reply(nth));
    let (server, _) = start(Registry::default(), require_authorization(challenge(&token_server), Arc::default()));
    let (_directory, path, _) = binary(100);
    let nobody = Client::new(Credentials::anonymous(), options());
    let error = push(&nobody, &reference(&server, "app:1"), &path).unwrap_err();
    assert!(error.is_denied() && error.to_string().contains(&advice(&server)), "{error}");
    assert!(!error.to_string().contains("rejects the credentials"), "{error}");
}

/// The registry requires a password, and only an identity token is stored.
#[test]
fn an_identity_token_is_not_sent_as_a_password() {
    let (server, _) = start(Registry::default(), require_login);
    let (_directory, path, _) = binary(100);
    let identity = Client::new(Credentials::fixed(Credential::identity_token("hunter2")), options());
    let error = push(&identity, &reference(&server, "app:1"), &path).unwrap_err();
    assert!(error.is_denied() && error.to_string().contains("only an identity token is stored"), "{error}");
    assert_eq!(server.asked().len(), 1);
    assert_no_secret(&error);
}

#[test]
fn insecure_realms_receive_no_request() {
    for realm in
        ["http://example.com/token", "ftp://example.com/", "http://me@127.0.0.1/", "http://", "http://:80/", "a b"]
    {
        let (server, _) =
            start(Registry::default(), require_authorization(format!("Bearer realm=\"{realm}\""), Arc::default()));
        let (_directory, path, _) = binary(100);
        let error = push(&me(), &reference(&server, "app:1"), &path).unwrap_err();
        assert!(error.to_string().contains("the token server is not allowed"), "{realm}: {error}");
        assert_eq!(server.asked().len(), 1);
    }
}

#[test]
fn credentials_are_not_sent_to_another_origin() {
    // The other server requests them too.
    let other = Server::start(|_| Reply::of(401).field("www-authenticate", "Basic realm=x"));
    let (server, _) = start(Registry::default(), {
        let to = format!("http://{}/x", other.address);
        move |request| {
            require_login(request)
                .or_else(|| request.is("POST", "uploads/").then(|| Reply::of(202).field("location", &to)))
        }
    });
    let (_directory, path, _) = binary(100);
    let error = push(&me(), &reference(&server, "app:1"), &path).unwrap_err();
    assert_eq!(error.status(), Some(401), "{error}");
    assert!(other.asked().iter().all(|request| request.field("authorization").is_none()));
    assert_no_secret(&error);
}

#[test]
fn unauthenticated_challenge_is_not_a_retry() {
    let (server, _) = start(Registry::default(), require_login);
    let (_directory, path, _) = binary(1000);
    let once = ClientOptions { max_attempts: 1, ..options() };
    let client = Client::new(Credentials::fixed(Credential::password("me", "hunter2")), once);
    push(&client, &reference(&server, "app:1"), &path).unwrap();
}
