//! Challenges in `WWW-Authenticate`. Source: RFC 9110, section 11.6.1; `spec/auth/token.md` of the
//! distribution project.

/// A challenge of a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// Requires a user and a password.
    Basic,
    /// Requires a token of the server at `realm`, for the scopes that it names.
    Bearer { realm: String, service: Option<String>, scope: Option<String> },
}

/// Maximum number of header fields that are parsed. Registries send one or two.
const MAX_FIELDS: usize = 16;

/// Returns the supported challenges of these header fields in their order. Ignores the rest of a
/// field after malformed text.
pub(super) fn challenges<'h>(fields: impl IntoIterator<Item = &'h str>) -> Vec<Challenge> {
    fields.into_iter().take(MAX_FIELDS).flat_map(|field| ChallengeParser { rest: field }.parse()).collect()
}

struct ChallengeParser<'h> {
    rest: &'h str,
}

impl<'h> ChallengeParser<'h> {
    fn parse(mut self) -> Vec<Challenge> {
        let mut found = Vec::new();
        let mut scheme = self.first_scheme();
        while let Some(name) = scheme {
            let (parameters, next) = self.parameters();
            found.extend(challenge(name, &parameters));
            scheme = next;
        }
        found
    }

    fn first_scheme(&mut self) -> Option<&'h str> {
        self.skip_separators();
        self.token()
    }

    /// Returns the parameters of a challenge, and the scheme of the next one. A token without `=`
    /// is a scheme.
    fn parameters(&mut self) -> (Vec<(String, String)>, Option<&'h str>) {
        let mut parameters = Vec::new();
        loop {
            self.skip_separators();
            let Some(name) = self.token() else {
                // The end, or a token68, which no supported scheme uses.
                return (parameters, None);
            };
            self.skip_spaces();
            let Some(rest) = self.rest.strip_prefix('=') else { return (parameters, Some(name)) };
            self.rest = rest;
            self.skip_spaces();
            let name = name.to_ascii_lowercase();
            let Some(value) = self.value(&name) else { return (parameters, None) };
            parameters.push((name, value));
        }
    }

    fn value(&mut self, name: &str) -> Option<String> {
        let Some(quoted) = self.rest.strip_prefix('"') else { return self.unquoted(name == "scope") };
        let mut value = String::new();
        let mut characters = quoted.char_indices();
        while let Some((index, character)) = characters.next() {
            match character {
                '"' => {
                    self.rest = &quoted[index + 1..];
                    return Some(value);
                }
                '\\' => value.push(characters.next()?.1),
                character => value.push(character),
            }
        }
        None
    }

    /// Returns a value without quotation marks. Some registries write URLs and scopes without them,
    /// although RFC 9110 does not allow that. The value ends at a space or a comma. Commas inside a
    /// scope separate its actions.
    fn unquoted(&mut self, is_scope: bool) -> Option<String> {
        let end_of = |text: &str| text.find(|c: char| !c.is_ascii_graphic() || "\",".contains(c)).unwrap_or(text.len());
        let mut end = end_of(self.rest);
        while is_scope && self.rest[..end].contains(':') {
            let Some(rest) = self.rest[end..].strip_prefix(',') else { break };
            let next = end_of(rest);
            let is_action = next > 0 && rest[..next].bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'*');
            let is_at_end = rest[next..].is_empty() || rest[next..].starts_with(',');
            if !(is_action && is_at_end) {
                break;
            }
            end += 1 + next;
        }
        let (value, rest) = self.rest.split_at(end);
        self.rest = rest;
        Some(value.to_owned()).filter(|value| !value.is_empty())
    }

    fn token(&mut self) -> Option<&'h str> {
        let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        let end = self.rest.find(|c| !is_token(c)).unwrap_or(self.rest.len());
        let (token, rest) = self.rest.split_at(end);
        self.rest = rest;
        Some(token).filter(|token| !token.is_empty())
    }

    fn skip_spaces(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }

    fn skip_separators(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', ',']);
    }
}

fn challenge(scheme: &str, parameters: &[(String, String)]) -> Option<Challenge> {
    let parameter = |name| parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    if scheme.eq_ignore_ascii_case("basic") {
        return Some(Challenge::Basic);
    }
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    Some(Challenge::Bearer {
        realm: parameter("realm")?,
        service: parameter("service"),
        scope: parameter("scope").filter(|scope| !scope.trim().is_empty()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: Option<&str>) -> Challenge {
        Challenge::Bearer { realm: realm.to_owned(), service: service.map(str::to_owned), scope: None }
    }

    #[test]
    fn challenges_are_parsed() {
        let parsed = |field| challenges([field]);
        assert_eq!(parsed("Basic realm=\"a\""), [Challenge::Basic]);
        assert_eq!(parsed("basic"), [Challenge::Basic]);
        let docker =
            r#"Bearer realm="https://auth.example.com/token",service="registry",scope="repository:a/b:pull,push""#;
        let scope = Some("repository:a/b:pull,push".to_owned());
        let realm = "https://auth.example.com/token".to_owned();
        assert_eq!(parsed(docker), [Challenge::Bearer { realm, service: Some("registry".to_owned()), scope }]);
        assert_eq!(parsed(r#"bEARER SERVICE = s , Realm = "r\"x\\y""#), [bearer(r#"r"x\y"#, Some("s"))]);
        let both = r#"Negotiate, Basic realm="a, Bearer b=c", , Bearer realm="r""#;
        assert_eq!(parsed(both), [Challenge::Basic, bearer("r", None)]);
        assert_eq!(challenges(["Bearer realm=r", "Basic"]), [bearer("r", None), Challenge::Basic]);
    }

    #[test]
    fn scopes_may_be_unquoted() {
        for (field, scope) in [
            ("realm=https://a/t,scope=repository:a/b:pull,push", Some("repository:a/b:pull,push")),
            ("realm=https://a/t,scope=repository:a/b:pull,push,service=s", Some("repository:a/b:pull,push")),
            ("scope=repository:a/b:pull,push, realm=https://a/t", Some("repository:a/b:pull,push")),
            ("realm=\"https://a/t\",scope=repository:a/b:*", Some("repository:a/b:*")),
            ("realm=\"https://a/t\",scope=aws", Some("aws")),
            (
                "realm=\"https://a/t\",scope=\"repository:a:pull repository:b:pull\"",
                Some("repository:a:pull repository:b:pull"),
            ),
            ("realm=https://a/t,scope=\"\"", None),
            ("realm=https://a/t", None),
        ] {
            match &challenges([&*format!("Bearer {field}")])[..] {
                [Challenge::Bearer { realm, scope: found, .. }] => {
                    assert_eq!((&**realm, found.as_deref()), ("https://a/t", scope), "{field}");
                }
                other => panic!("{field}: {other:?}"),
            }
        }
        let two = challenges(["Bearer realm=https://a/t,scope=aws,Basic realm=\"x\""]);
        assert!(matches!(&two[..], [Challenge::Bearer { .. }, Challenge::Basic]), "{two:?}");
    }

    /// Parsing arbitrary fields yields no challenges that they do not contain.
    #[test]
    fn arbitrary_fields_are_parsed() {
        let parts = ["Bearer", "Basic", " ", ",", "=", "\"", "\\", "realm", "service", "x", "\u{e9}", "\t", "abc=="];
        let mut state = 1_u64;
        let mut next = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below
        };
        for _ in 0..100_000 {
            let field: String = (0..next(16)).map(|_| next(parts.len())).map(|part| parts[part]).collect();
            for challenge in challenges([&*field]) {
                match challenge {
                    Challenge::Basic => assert!(field.contains("Basic"), "{field}"),
                    Challenge::Bearer { .. } => assert!(field.contains("Bearer") && field.contains("realm"), "{field}"),
                }
            }
        }
    }

    #[test]
    fn malformed_fields_are_ignored() {
        for field in
            ["", ",,", "Bearer", "Bearer realm", "Bearer realm=\"", "Bearer realm=\"a\\", "Bearer =", "\u{1f600}"]
        {
            assert_eq!(challenges([field]), [], "{field}");
        }
        assert_eq!(challenges(["Basic abc==", "Bearer realm=r"]), [Challenge::Basic, bearer("r", None)]);
        // The first of several parameters with the same name wins.
        assert_eq!(challenges(["Bearer realm=a, realm=b"]), [bearer("a", None)]);
    }
}
