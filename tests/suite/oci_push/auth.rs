//! Who may push.

use std::sync::{Arc, Mutex};

use super::{binary, hurried, options, push, reference, said};
use crate::support::ranges::now;
use crate::support::registry::{ME, Registry, error, lets_me_in, start};
use crate::support::server::{Reply, Request, Server};
use sectile::drive::FetchOptions;
use sectile::oci::registry::{Client, ClientOptions, Credential, Credentials, Held, RegistryError};
use sectile::{Limits, read_fetch, read_slice};

fn me() -> Client {
    Client::new(Credentials::fixed(Credential::password("me", "hunter2")), options())
}

#[track_caller]
fn tells_nothing(error: &RegistryError) {
    let shown = format!("{} {error:?}", said(error));
    assert!(!shown.contains("hunter2") && !shown.contains("bWU6aHVudGVyMg"), "{shown}");
}

/// Lets in whoever shows this.
fn gate(challenge: String, shown: Arc<Mutex<String>>) -> impl FnMut(&Request) -> Option<Reply> {
    move |request| match request.field("authorization") {
        Some(field) if field == *shown.lock().unwrap() => None,
        _ => Some(error(401, "UNAUTHORIZED", "who is there?")).map(|reply| reply.field("www-authenticate", &challenge)),
    }
}

#[test]
fn basic() {
    let (server, _) = start(Registry::default(), lets_me_in);
    let (_directory, path, _) = binary(1000);
    push(&me(), &reference(&server, "app:1"), &path).unwrap();
    // Nothing is shown to who has not asked, and everything after that.
    let shown: Vec<_> = server.asked().iter().map(|request| request.field("authorization").is_some()).collect();
    assert_eq!((shown[0], shown[1..].iter().all(|shown| *shown)), (false, true));
}

#[test]
fn none_known_and_wrong_ones_are_told_apart() {
    let (server, _) = start(Registry::default(), lets_me_in);
    let (_directory, path, _) = binary(1000);
    let to = reference(&server, "app:1");
    let none = push(&Client::new(Credentials::anonymous(), options()), &to, &path).unwrap_err();
    assert!(none.is_denied() && none.to_string().contains(&format!("docker login {}", server.address)), "{none}");
    let wrong = Client::new(Credentials::fixed(Credential::password("me", "hunter22")), options());
    let wrong = push(&wrong, &to, &path).unwrap_err();
    assert!(wrong.is_denied() && wrong.to_string().contains("not accepted"), "{wrong}");
    tells_nothing(&wrong);
    assert_eq!(server.asked().len(), 3);
}

/// A server of tokens, and the token that it gave last.
fn tokens(answer: impl Fn(&Request, usize) -> Reply + Send + 'static) -> (Server, Arc<Mutex<String>>) {
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

fn given(nth: usize) -> Reply {
    Reply::of(200).body(format!(r#"{{"token":"token{nth}","expires_in":60}}"#))
}

fn challenge(server: &Server) -> String {
    format!(
        "Bearer realm=\"http://{}/token?x=y\",service=\"a registry\",scope=\"repository:team/app:pull\"",
        server.address
    )
}

#[test]
fn a_token_for_a_password() {
    let (token_server, token) = tokens(|_, nth| given(nth));
    let (server, _) = start(Registry::default(), gate(challenge(&token_server), token));
    let (_directory, path, _) = binary(1000);
    push(&me(), &reference(&server, "team/app:1"), &path).unwrap();
    let asked = token_server.asked();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert_eq!((&*asked[0].method, asked[0].field("authorization")), ("GET", Some(ME)));
    assert_eq!(
        asked[0].query,
        "x=y&scope=repository%3Ateam%2Fapp%3Apull%2Cpush&client_id=sectile&service=a%20registry&account=me"
    );
    assert!(server.asked().iter().all(|request| request.field("authorization") != Some(ME)));
}

#[test]
fn who_only_reads_asks_to_read() {
    let (token_server, token) = tokens(|_, nth| given(nth));
    let (server, _) = start(Registry::default(), gate(challenge(&token_server), token));
    let (_directory, path, bytes) = binary(1000);
    push(&me(), &reference(&server, "team/app:1"), &path).unwrap();
    let mut held = Held::open(me(), reference(&server, "team/app:1")).unwrap();
    let read = now(read_fetch(&mut held, FetchOptions::default(), Limits::default())).unwrap();
    assert_eq!(read.value, read_slice(&bytes, Limits::default()).unwrap().value);
    let asked = token_server.asked();
    let scopes: Vec<_> = asked.iter().map(|request| request.query.split('&').nth(1).unwrap()).collect();
    assert_eq!(scopes, ["scope=repository%3Ateam%2Fapp%3Apull%2Cpush", "scope=repository%3Ateam%2Fapp%3Apull"]);
}

#[test]
fn a_token_for_nobody() {
    let (token_server, token) = tokens(|_, nth| Reply::of(200).body(format!(r#"{{"access_token":"token{nth}"}}"#)));
    let (server, _) = start(Registry::default(), gate(challenge(&token_server), token));
    let (_directory, path, _) = binary(1000);
    push(&Client::new(Credentials::anonymous(), options()), &reference(&server, "app:1"), &path).unwrap();
    assert!(token_server.asked()[0].field("authorization").is_none());
}

#[test]
fn a_token_for_an_identity_token_and_a_token_of_the_registrys_own() {
    let posted = Arc::new(Mutex::new(String::new()));
    let (token_server, token) = tokens({
        let posted = Arc::clone(&posted);
        move |request, nth| {
            *posted.lock().unwrap() = String::from_utf8(request.body.clone().unwrap()).unwrap();
            given(nth)
        }
    });
    let (server, _) = start(Registry::default(), gate(challenge(&token_server), token));
    let (_directory, path, _) = binary(1000);
    let identity = Client::new(Credentials::fixed(Credential::identity_token("hunter2&")), options());
    push(&identity, &reference(&server, "app:1"), &path).unwrap();
    let posted = posted.lock().unwrap();
    assert!(posted.contains("grant_type=refresh_token&refresh_token=hunter2%26"), "{posted}");

    let shown = Arc::new(Mutex::new("Bearer hunter2".to_owned()));
    let (server, _) = start(Registry::default(), gate("Bearer realm=\"http://127.0.0.1:1/\"".to_owned(), shown));
    let own = Client::new(Credentials::fixed(Credential::registry_token("hunter2")), options());
    push(&own, &reference(&server, "app:1"), &path).unwrap();
    let odd = Client::new(Credentials::fixed(Credential::registry_token("hunter2\n")), options());
    let error = push(&odd, &reference(&server, "app:1"), &path).unwrap_err();
    assert!(error.is_denied() && error.to_string().contains("the token that is known"), "{error}");
    tells_nothing(&error);
}

#[test]
fn a_token_that_ends_in_the_middle_of_an_upload() {
    let (token_server, token) = tokens(|_, nth| given(nth));
    let (server, registry) = start(Registry { min_chunk: Some(1), ..Registry::default() }, {
        let mut gate = gate(challenge(&token_server), Arc::clone(&token));
        let mut patches = 0;
        move |request| {
            patches += i32::from(request.method == "PATCH" && request.body.is_some());
            if patches == 2 && request.body.is_some() {
                patches += 1;
                *token.lock().unwrap() = "ended".to_owned();
            }
            gate(request)
        }
    });
    let (_directory, path, bytes) = binary(300_000);
    push(&me(), &reference(&server, "app:1"), &path).unwrap();
    assert_eq!(token_server.asked().len(), 2);
    assert!(registry.lock().unwrap().blobs.values().any(|blob| *blob == bytes));
}

#[test]
fn token_servers_that_mean_no_good() {
    let long = format!(r#"{{"token":"{}"}}"#, "a".repeat(5 << 20));
    for (reply, why) in [
        (error(401, "UNAUTHORIZED", "no"), "does not accept the credentials"),
        (Reply::of(404), "gives no token"),
        (Reply::of(500), "gives no token"),
        (Reply::of(302).field("location", "http://127.0.0.1:1/"), "gives no token"),
        (Reply::of(200).body("hunter2"), "no JSON with a token"),
        (Reply::of(200).body("{}"), "empty token"),
        (Reply::of(200).body(r#"{"token":"hunter2\r\nx: y"}"#), "cannot stand in a header"),
        (Reply::of(200).body(long), "4 MiB"),
        (Reply::Raw(b"HTTP/1.1 200 X\r\ncontent-length: 5\r\n\r\n{".to_vec()), "broke"),
        (Reply::Stall, "nothing was heard"),
    ] {
        let (token_server, token) = tokens(move |_, _| reply.clone());
        let (server, _) = start(Registry::default(), gate(challenge(&token_server), token));
        let (_directory, path, _) = binary(100);
        let client = Client::new(Credentials::fixed(Credential::password("me", "hunter2")), hurried());
        let error = push(&client, &reference(&server, "app:1"), &path).unwrap_err();
        assert!(said(&error).contains(why), "{why}: {}", said(&error));
        let place = format!("the token server http://{}/token", token_server.address);
        assert!(said(&error).contains(&place) && !error.is_missing(), "{place}: {}", said(&error));
        tells_nothing(&error);
    }
    // One whose tokens the registry does not take: once is enough.
    let (token_server, _) = tokens(|_, nth| given(nth));
    let (server, _) = start(Registry::default(), gate(challenge(&token_server), Arc::default()));
    let (_directory, path, _) = binary(100);
    let error = push(&me(), &reference(&server, "app:1"), &path).unwrap_err();
    assert!(error.is_denied(), "{error}");
    assert_eq!((server.asked().len(), token_server.asked().len()), (2, 1));
}

/// It is asked again where that may help, as a registry is.
#[test]
fn token_servers_that_are_busy() {
    for reply in [error(503, "UNAVAILABLE", "later"), Reply::of(429), Reply::Raw(Vec::new())] {
        let (token_server, token) = tokens(move |_, nth| if nth < 3 { reply.clone() } else { given(nth) });
        let (server, _) = start(Registry::default(), gate(challenge(&token_server), token));
        let (_directory, path, _) = binary(1000);
        push(&me(), &reference(&server, "app:1"), &path).unwrap();
        assert_eq!(token_server.asked().len(), 3);
    }
    let (token_server, token) = tokens(|_, _| Reply::of(503));
    let (server, _) = start(Registry::default(), gate(challenge(&token_server), token));
    let (_directory, path, _) = binary(1000);
    let error = push(&me(), &reference(&server, "app:1"), &path).unwrap_err();
    assert!(error.is_passing() && error.status() == Some(503), "{error}");
    assert_eq!(token_server.asked().len(), 5);
}

/// One that wants to know who asks, where nobody is known; and a registry that takes the tokens of nobody.
#[test]
fn who_is_not_known_is_told_to_log_in() {
    let advice = |server: &Server| format!("log in with `docker login {}`", server.address);
    for status in [401, 403] {
        let (token_server, token) = tokens(move |_, _| Reply::of(status));
        let (server, _) = start(Registry::default(), gate(challenge(&token_server), token));
        let (_directory, path, _) = binary(100);
        let nobody = Client::new(Credentials::anonymous(), options());
        let error = push(&nobody, &reference(&server, "app:1"), &path).unwrap_err();
        assert!(error.is_denied() && error.to_string().contains(&advice(&server)), "{status} {error}");
    }
    let (token_server, _) = tokens(|_, nth| given(nth));
    let (server, _) = start(Registry::default(), gate(challenge(&token_server), Arc::default()));
    let (_directory, path, _) = binary(100);
    let nobody = Client::new(Credentials::anonymous(), options());
    let error = push(&nobody, &reference(&server, "app:1"), &path).unwrap_err();
    assert!(error.is_denied() && error.to_string().contains(&advice(&server)), "{error}");
    assert!(!error.to_string().contains("not accepted"), "{error}");
}

/// A password is asked for, and a token that is none is known.
#[test]
fn an_identity_token_is_no_password() {
    let (server, _) = start(Registry::default(), lets_me_in);
    let (_directory, path, _) = binary(100);
    let identity = Client::new(Credentials::fixed(Credential::identity_token("hunter2")), options());
    let error = push(&identity, &reference(&server, "app:1"), &path).unwrap_err();
    assert!(error.is_denied() && error.to_string().contains("only an identity token is known"), "{error}");
    assert_eq!(server.asked().len(), 1);
    tells_nothing(&error);
}

#[test]
fn realms_that_are_not_secure_are_not_told_anything() {
    for realm in
        ["http://example.com/token", "ftp://example.com/", "http://me@127.0.0.1/", "http://", "http://:80/", "a b"]
    {
        let (server, _) = start(Registry::default(), gate(format!("Bearer realm=\"{realm}\""), Arc::default()));
        let (_directory, path, _) = binary(100);
        let error = push(&me(), &reference(&server, "app:1"), &path).unwrap_err();
        assert!(error.to_string().contains("the token server that it names is refused"), "{realm}: {error}");
        assert_eq!(server.asked().len(), 1);
    }
}

#[test]
fn credentials_are_not_shown_to_another_place() {
    // The other place asks for them too.
    let other = Server::start(|_| Reply::of(401).field("www-authenticate", "Basic realm=x"));
    let (server, _) = start(Registry::default(), {
        let to = format!("http://{}/x", other.address);
        move |request| {
            lets_me_in(request)
                .or_else(|| request.is("POST", "uploads/").then(|| Reply::of(202).field("location", &to)))
        }
    });
    let (_directory, path, _) = binary(100);
    let error = push(&me(), &reference(&server, "app:1"), &path).unwrap_err();
    assert_eq!(error.status(), Some(401), "{error}");
    assert!(other.asked().iter().all(|request| request.field("authorization").is_none()));
    tells_nothing(&error);
}

#[test]
fn to_be_asked_who_one_is_costs_no_attempt() {
    let (server, _) = start(Registry::default(), lets_me_in);
    let (_directory, path, _) = binary(1000);
    let once = ClientOptions { attempts: 1, ..options() };
    let client = Client::new(Credentials::fixed(Credential::password("me", "hunter2")), once);
    push(&client, &reference(&server, "app:1"), &path).unwrap();
}
