//! Tokens that a registry asks for, and another server gives. Source: the distribution project's `spec/auth/token.md`
//! and `spec/auth/oauth.md`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use ureq::http::{HeaderValue, Method, header};

use super::challenge::Challenge;
use super::credential::{Credential, Kind, Secret};
use super::error::{Fault, told};
use super::session::{Session, check_secure};
use super::transport::{Answer, Outgoing};
use super::url::Url;

/// How this client is called where a server wants to know.
const CLIENT: &str = "sectile";

#[derive(Deserialize)]
struct Granted {
    token: Option<String>,
    access_token: Option<String>,
}

impl Session<'_> {
    /// The `Authorization` that meets one of these challenges.
    pub(super) fn authorization(&mut self, answer: &Answer, challenges: &[Challenge]) -> Result<HeaderValue, Fault> {
        let known = self.credential()?;
        let bearer = challenges.iter().find(|challenge| matches!(challenge, Challenge::Bearer { .. }));
        match (bearer, known) {
            (_, Some(Credential(Kind::Bearer(token)))) => {
                check_secure(self.base())?;
                let advice = "the token that is known cannot stand in a header: log in again";
                field("Bearer", token.reveal()).ok_or_else(|| Fault::status(answer, advice))
            }
            (Some(Challenge::Bearer { realm, service }), known) => {
                self.token(realm, service.as_deref(), known.as_ref())
            }
            _ if !challenges.contains(&Challenge::Basic) => {
                let fields: Vec<&str> = answer.fields("www-authenticate").collect();
                Err(Fault::Challenge(told(&fields.join(", "))))
            }
            (_, Some(Credential(Kind::Password { user, password }))) => {
                check_secure(self.base())?;
                Ok(basic(&user, &password))
            }
            (_, Some(Credential(Kind::Identity(_)))) => {
                Err(Fault::status(answer, "it wants a password, and only an identity token is known: log in again"))
            }
            (_, None) => Err(Fault::status(answer, self.log_in())),
        }
    }

    /// Has a token given, for what the session is to do with its repository.
    fn token(&mut self, realm: &str, service: Option<&str>, known: Option<&Credential>) -> Result<HeaderValue, Fault> {
        let realm = self.base().join(realm).and_then(|url| self.permitted(url));
        let realm =
            realm.map_err(|why| Fault::malformed(format!("the token server that it names is refused: {why}")))?;
        if known.is_some() {
            // The token too is a secret, and the registry is shown it.
            check_secure(&realm)?;
            check_secure(self.base())?;
        }
        let granted = self.granted(&realm, service, known);
        granted.map_err(|fault| Fault::AtTokenServer { place: realm.to_string(), fault: Box::new(fault) })
    }

    fn granted(
        &mut self,
        realm: &Url,
        service: Option<&str>,
        known: Option<&Credential>,
    ) -> Result<HeaderValue, Fault> {
        let scope = format!("repository:{}:{}", self.reference().repository(), self.access().actions());
        let mut form = vec![("scope", scope.as_str()), ("client_id", CLIENT)];
        form.extend(service.map(|service| ("service", service)));
        let mut fields = Vec::new();
        let (method, url, posted) = if let Some(Credential(Kind::Identity(token))) = known {
            form.extend([("grant_type", "refresh_token"), ("refresh_token", token.reveal())]);
            fields.push((header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded")));
            (Method::POST, realm.clone(), Some(encoded(&form)))
        } else {
            if let Some(Credential(Kind::Password { user, password })) = known {
                form.push(("account", user));
                fields.push((header::AUTHORIZATION, basic(user, password)));
            }
            let url = realm.with_raw_query(&encoded(&form)).map_err(Fault::malformed)?;
            (Method::GET, url, None)
        };
        let answer = self.repeat(true, |session| {
            let mut ignored = |_| {};
            let mut body = posted.as_ref().map(|form| {
                let form = form.as_bytes();
                Outgoing::new(Box::new(form), form.len() as u64, &mut ignored)
            });
            Ok(session.send_once(&method, &url, &fields, body.as_mut())?)
        })?;
        if answer.status != 200 {
            let advice = match (answer.status, known) {
                (401 | 403, None) => self.log_in(),
                (401 | 403, Some(_)) => format!("it does not accept the credentials: {}", self.log_in()),
                _ => "it gives no token".to_owned(),
            };
            return Err(Fault::status(&answer, advice));
        }
        // What it is, if it is no token, may be one.
        let granted: Granted =
            serde_json::from_slice(&answer.body).map_err(|_| Fault::Token("no JSON with a token"))?;
        let given = |token: Option<String>| token.filter(|token| !token.is_empty());
        let token = given(granted.token).or(given(granted.access_token));
        let token = token.ok_or(Fault::Token("an empty token"))?;
        field("Bearer", &token).ok_or(Fault::Token("one that cannot stand in a header"))
    }
}

/// `Authorization`, marked as secret; `None` where this cannot stand in a header.
fn field(scheme: &str, secret: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(format!("{scheme} {secret}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Source: RFC 7617.
fn basic(user: &str, password: &Secret) -> HeaderValue {
    let pair = STANDARD.encode(format!("{user}:{}", password.reveal()));
    field("Basic", &pair).expect("Base64 can stand in a header")
}

/// `application/x-www-form-urlencoded`.
fn encoded(form: &[(&str, &str)]) -> String {
    let escape = |text: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let escaped = text.bytes().map(|byte| match byte {
            byte if plain(byte) => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        });
        escaped.collect::<String>()
    };
    form.iter().map(|(name, value)| format!("{name}={}", escape(value))).collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_encoded() {
        assert_eq!(
            encoded(&[("scope", "repository:a/b:pull,push"), ("x", "é &=+~")]),
            "scope=repository%3Aa%2Fb%3Apull%2Cpush&x=%C3%A9%20%26%3D%2B~"
        );
    }

    #[test]
    fn secrets_are_marked_and_must_be_sendable() {
        let value = field("Bearer", "hunter2").unwrap();
        assert!(value.is_sensitive() && !format!("{value:?}").contains("hunter2"));
        for token in ["a\nb", "a\0", "\u{7f}"] {
            assert!(field("Bearer", token).is_none());
        }
    }
}
