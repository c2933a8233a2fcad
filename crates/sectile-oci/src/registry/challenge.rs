//! Challenges in `WWW-Authenticate`. Source: RFC 9110, section 11.6.1; `spec/auth/token.md` of the distribution
//! project.

/// A challenge of a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// Requires a user and a password.
    Basic,
    /// Requires a token of the server at `realm`.
    Bearer { realm: String, service: Option<String> },
}

/// Maximum number of header fields that are parsed. Registries send one or two.
const MAX_FIELDS: usize = 16;

/// Returns the supported challenges of these header fields in their order. Ignores the rest of a field after malformed
/// text.
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

    /// Returns the parameters of a challenge, and the scheme of the next one. A token without `=` is a scheme.
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
            let Some(value) = self.value() else { return (parameters, None) };
            parameters.push((name.to_ascii_lowercase(), value));
        }
    }

    fn value(&mut self) -> Option<String> {
        let Some(quoted) = self.rest.strip_prefix('"') else { return self.token().map(str::to_owned) };
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
    Some(Challenge::Bearer { realm: parameter("realm")?, service: parameter("service") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: Option<&str>) -> Challenge {
        Challenge::Bearer { realm: realm.to_owned(), service: service.map(str::to_owned) }
    }

    #[test]
    fn challenges_are_parsed() {
        let parsed = |field| challenges([field]);
        assert_eq!(parsed("Basic realm=\"a\""), [Challenge::Basic]);
        assert_eq!(parsed("basic"), [Challenge::Basic]);
        let docker =
            r#"Bearer realm="https://auth.example.com/token",service="registry",scope="repository:a/b:pull,push""#;
        assert_eq!(parsed(docker), [bearer("https://auth.example.com/token", Some("registry"))]);
        assert_eq!(parsed(r#"bEARER SERVICE = s , Realm = "r\"x\\y""#), [bearer(r#"r"x\y"#, Some("s"))]);
        let both = r#"Negotiate, Basic realm="a, Bearer b=c", , Bearer realm="r""#;
        assert_eq!(parsed(both), [Challenge::Basic, bearer("r", None)]);
        assert_eq!(challenges(["Bearer realm=r", "Basic"]), [bearer("r", None), Challenge::Basic]);
    }

    /// Arbitrary fields give no challenges that they do not contain.
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
