//! Authorization of requests, with tokens of a token server if the registry requires them. Source:
//! `spec/auth/token.md` and `spec/auth/oauth.md` of the distribution project.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use ureq::http::{HeaderValue, Method, header};

use super::challenge::Challenge;
use super::credential::{Credential, CredentialKind, Secret};
use super::error::{RegistryFault, quote_escaped};
use super::session::{Access, Session, check_secure};
use super::transport::{RequestBody, Response};
use super::url::Url;

/// The name of this client in requests to token servers.
const CLIENT_ID: &str = "sectile";

#[derive(Deserialize)]
struct TokenResponse {
    token: Option<String>,
    access_token: Option<String>,
}

impl Session<'_> {
    /// Returns the `Authorization` field that satisfies one of these challenges.
    pub(super) fn authorization(
        &mut self,
        response: &Response,
        challenges: &[Challenge],
    ) -> Result<HeaderValue, RegistryFault> {
        let credential = self.credential()?;
        let bearer = challenges.iter().find(|challenge| matches!(challenge, Challenge::Bearer { .. }));
        match (bearer, credential) {
            (_, Some(Credential(CredentialKind::Bearer(token)))) => {
                check_secure(self.base())?;
                let advice = "the stored token contains characters that are invalid in a header: log in again";
                authorization_value("Bearer", token.reveal()).ok_or_else(|| RegistryFault::status(response, advice))
            }
            (Some(Challenge::Bearer { realm, service, scope }), credential) => {
                self.token(realm, service.as_deref(), scope.as_deref(), credential.as_ref())
            }
            _ if !challenges.contains(&Challenge::Basic) => {
                let fields: Vec<&str> = response.fields("www-authenticate").collect();
                Err(RegistryFault::Challenge(quote_escaped(&fields.join(", "))))
            }
            (_, Some(Credential(CredentialKind::Password { user, password }))) => {
                check_secure(self.base())?;
                Ok(basic(&user, &password))
            }
            (_, Some(Credential(CredentialKind::Identity(_)))) => {
                let advice = "the registry requires a password, but only an identity token is stored: log in again";
                Err(RegistryFault::status(response, advice))
            }
            (_, None) => Err(RegistryFault::status(response, self.login_advice())),
        }
    }

    /// Requests a token for the scopes of the challenge, or for the session's repository and
    /// access.
    fn token(
        &mut self,
        realm: &str,
        service: Option<&str>,
        scope: Option<&str>,
        credential: Option<&Credential>,
    ) -> Result<HeaderValue, RegistryFault> {
        let realm = self.base().join(realm).and_then(|url| self.check_permitted(url));
        let realm =
            realm.map_err(|reason| RegistryFault::malformed(format!("the token server is not allowed: {reason}")))?;
        if credential.is_some() {
            // The token is a secret too, and is sent to the registry.
            check_secure(&realm)?;
            check_secure(self.base())?;
        }
        let token = self.request_token(&realm, service, scope, credential);
        token.map_err(|fault| RegistryFault::TokenServer { server: realm.to_string(), fault: Box::new(fault) })
    }

    fn request_token(
        &mut self,
        realm: &Url,
        service: Option<&str>,
        scope: Option<&str>,
        credential: Option<&Credential>,
    ) -> Result<HeaderValue, RegistryFault> {
        let repository = self.reference().repository();
        let scopes = match self.access() {
            Access::Pull => scopes(scope, repository, "pull", None),
            Access::Push => scopes(scope, repository, "pull,push", self.mount_source()),
            Access::Catalog => vec!["registry:catalog:*".to_owned()],
            Access::Login => Vec::new(),
        };
        // A `GET` repeats the parameter; a form has it once, with spaces between the scopes.
        let joined = scopes.join(" ");
        let is_form = matches!(credential, Some(Credential(CredentialKind::Identity(_))));
        let mut form: Vec<(&str, &str)> = if is_form && !scopes.is_empty() {
            vec![("scope", &joined)]
        } else {
            scopes.iter().map(|scope| ("scope", &**scope)).collect()
        };
        form.push(("client_id", CLIENT_ID));
        form.extend(service.map(|service| ("service", service)));
        let mut fields = Vec::new();
        let (method, url, form_body) = if let Some(Credential(CredentialKind::Identity(token))) = credential {
            form.extend([("grant_type", "refresh_token"), ("refresh_token", token.reveal())]);
            fields.push((header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded")));
            (Method::POST, realm.clone(), Some(encode_form(&form)))
        } else {
            if let Some(Credential(CredentialKind::Password { user, password })) = credential {
                form.push(("account", user));
                fields.push((header::AUTHORIZATION, basic(user, password)));
            }
            let url = realm.with_raw_query(&encode_form(&form)).map_err(RegistryFault::malformed)?;
            (Method::GET, url, None)
        };
        let response = self.retry(true, |session| {
            let mut ignore = |_| {};
            let mut body = form_body.as_ref().map(|form| {
                let form = form.as_bytes();
                RequestBody::new(Box::new(form), form.len() as u64, &mut ignore)
            });
            Ok(session.send_once(&method, &url, &fields, body.as_mut())?)
        })?;
        if response.status != 200 {
            let advice = match (response.status, credential) {
                (401 | 403, None) => self.login_advice(),
                (401 | 403, Some(_)) => format!("the token server rejects the credentials: {}", self.login_advice()),
                _ => "the token server returned no token".to_owned(),
            };
            return Err(RegistryFault::status(&response, advice));
        }
        // The error of serde is not shown, because it may quote a token.
        let tokens: TokenResponse =
            serde_json::from_slice(&response.body).map_err(|_| RegistryFault::Token("not JSON with a token"))?;
        let non_empty = |token: Option<String>| token.filter(|token| !token.is_empty());
        let token = non_empty(tokens.token).or(non_empty(tokens.access_token));
        let token = token.ok_or(RegistryFault::Token("an empty token"))?;
        authorization_value("Bearer", &token).ok_or(RegistryFault::Token("characters that are invalid in a header"))
    }
}

/// Returns an `Authorization` value, marked as sensitive; `None` if the secret is invalid in a
/// header.
fn authorization_value(scheme: &str, secret: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(format!("{scheme} {secret}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Returns the `Authorization` value of a user and a password. Source: RFC 7617.
fn basic(user: &str, password: &Secret) -> HeaderValue {
    let pair = STANDARD.encode(format!("{user}:{}", password.reveal()));
    authorization_value("Basic", &pair).expect("Base64 is valid in a header")
}

/// Encodes a form as `application/x-www-form-urlencoded`.
fn encode_form(form: &[(&str, &str)]) -> String {
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

/// The scopes to request: those of the challenge, or the repository with all actions of the
/// session. A scope with only some of these actions is extended to all of them. A session needs one
/// token for all of its requests, which includes reading the repository that blobs are mounted from.
fn scopes(challenged: Option<&str>, repository: &str, actions: &str, mount_source: Option<&str>) -> Vec<String> {
    let own = format!("repository:{repository}:{actions}");
    let is_part_of_own = |scope: &str| {
        let named =
            scope.strip_prefix("repository:").and_then(|scope| scope.strip_prefix(repository)?.strip_prefix(':'));
        named.is_some_and(|named| named.split(',').all(|action| actions.split(',').any(|own| own == action)))
    };
    let mut scopes = Vec::new();
    for scope in challenged.unwrap_or_default().split_whitespace() {
        let scope = if is_part_of_own(scope) { own.clone() } else { scope.to_owned() };
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    if scopes.is_empty() {
        scopes.push(own);
    }
    let mounted = mount_source.map(|repository| format!("repository:{repository}:pull"));
    scopes.extend(mounted.filter(|mounted| !scopes.contains(mounted)));
    scopes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_of_the_challenge_are_requested() {
        let own = "repository:a/b:pull,push";
        for (challenged, expected) in [
            (None, &[own][..]),
            (Some(" "), &[own]),
            (Some("repository:a/b:pull"), &[own]),
            (Some("repository:a/b:push,pull"), &[own]),
            (Some("aws"), &["aws"]),
            (Some("repository:a/b:*"), &["repository:a/b:*"]),
            (Some("repository:a/b:pull,delete"), &["repository:a/b:pull,delete"]),
            (Some("repository:other:pull"), &["repository:other:pull"]),
            (Some("repository:a/b:pull repository:c:pull"), &[own, "repository:c:pull"]),
        ] {
            assert_eq!(scopes(challenged, "a/b", "pull,push", None), expected, "{challenged:?}");
        }
        assert_eq!(scopes(None, "a/b", "pull,push", Some("c")), [own, "repository:c:pull"]);
    }

    #[test]
    fn forms_are_encoded() {
        assert_eq!(
            encode_form(&[("scope", "repository:a/b:pull,push"), ("x", "é &=+~")]),
            "scope=repository%3Aa%2Fb%3Apull%2Cpush&x=%C3%A9%20%26%3D%2B~"
        );
    }

    #[test]
    fn secrets_are_sensitive_and_valid_in_a_header() {
        let value = authorization_value("Bearer", "hunter2").unwrap();
        assert!(value.is_sensitive() && !format!("{value:?}").contains("hunter2"));
        for token in ["a\nb", "a\0", "\u{7f}"] {
            assert!(authorization_value("Bearer", token).is_none());
        }
    }
}
