//! Requests about one repository: authorised, sent on, and made again where that may help.

use std::fmt::Write;
use std::io::{self, Read};
use std::ops::Range;
use std::time::Duration;

use ureq::http::{HeaderName, HeaderValue, Method, header};

use super::challenge::{Challenge, challenges};
use super::client::{Client, Scheme};
use super::credential::Credential;
use super::error::{Fault, RegistryError, told};
use super::pause::{self, Patience};
use super::reference::{DOCKER, Reference};
use super::transport::{Answer, Outgoing, Trouble};
use super::url::{Url, is_loopback};

/// Places that a request is sent on to at the most, one after the other.
const MAX_REDIRECTS: u32 = 5;

/// Bytes that can be read again, from any place.
pub(super) trait Source {
    /// How many there are.
    fn len(&self) -> u64;

    /// Those from an offset on.
    fn from(&self, offset: u64) -> io::Result<Box<dyn Read + '_>>;

    /// Whether they are no longer what they were.
    fn is_changed(&self) -> io::Result<bool> {
        Ok(false)
    }
}

impl Source for &[u8] {
    fn len(&self) -> u64 {
        <[u8]>::len(self) as u64
    }

    fn from(&self, offset: u64) -> io::Result<Box<dyn Read + '_>> {
        Ok(Box::new(&self[(offset as usize).min(<[u8]>::len(self))..]))
    }
}

/// What goes with a request.
pub(super) struct Body<'a> {
    pub(super) source: &'a dyn Source,
    pub(super) range: Range<u64>,
    /// Is told how much of the range was taken to be sent.
    pub(super) progress: &'a mut dyn FnMut(u64),
}

/// A request.
pub(super) struct Ask<'a> {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) fields: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Option<Body<'a>>,
    /// Whether it is made again where the connection broke: where the same request has the same effect.
    pub(super) is_repeatable: bool,
}

impl Ask<'_> {
    pub(super) fn new(method: Method, url: Url) -> Self {
        Self { method, url, fields: Vec::new(), body: None, is_repeatable: true }
    }

    pub(super) fn field(mut self, name: HeaderName, value: &str) -> Self {
        // What stands here is ours, or a media type that was checked; what cannot stand in a header is not sent.
        self.fields.extend(HeaderValue::from_str(value).ok().map(|value| (name, value)));
        self
    }
}

impl<'a> Ask<'a> {
    pub(super) fn body(self, body: Body<'a>) -> Self {
        Self { body: Some(body), ..self }
    }
}

/// What a session is for, and so what it asks to be permitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// To read.
    Pull,
    /// To write, and to look what is there already.
    Push,
}

impl Access {
    /// As a token's scope says it.
    pub(super) const fn actions(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push => "pull,push",
        }
    }
}

/// One client and one repository.
pub(super) struct Session<'c> {
    client: &'c Client,
    reference: &'c Reference,
    access: Access,
    base: Url,
    /// What is known of the user, once somebody has asked.
    credential: Option<Known>,
    /// What is shown to the registry, once it has asked.
    authorization: Option<HeaderValue>,
    patience: Patience,
    /// Whether the registry can be asked whether it will have a body, before that is sent.
    expects: bool,
}

impl<'c> Session<'c> {
    pub(super) fn new(client: &'c Client, reference: &'c Reference, access: Access) -> Result<Self, RegistryError> {
        let scheme = match client.options.scheme {
            Scheme::Http => "http",
            Scheme::Auto if Self::is_local(reference) => "http",
            Scheme::Auto | Scheme::Https => "https",
        };
        let base = format!("{scheme}://{}/v2/{}/", reference.api_host(), reference.repository());
        let base = Url::parse(&base)
            .map_err(|why| RegistryError::new(reference, None, Fault::Unreachable(format!("{base}: {why}"))))?;
        let options = &client.options;
        let patience = Patience::new(options.pause, options.patience);
        Ok(Self { client, reference, access, base, credential: None, authorization: None, patience, expects: true })
    }

    /// A session that goes on where another ended, for the same.
    pub(super) fn resumed(
        client: &'c Client,
        reference: &'c Reference,
        access: Access,
        learnt: Learnt,
    ) -> Result<Self, RegistryError> {
        let Learnt { credential, authorization, expects } = learnt;
        Ok(Self { credential, authorization, expects, ..Self::new(client, reference, access)? })
    }

    /// What is known of the registry, for a session that goes on.
    pub(super) fn learnt(&mut self) -> Learnt {
        Learnt { credential: self.credential.take(), authorization: self.authorization.take(), expects: self.expects }
    }

    fn is_local(reference: &Reference) -> bool {
        let registry = reference.registry();
        let host = match registry.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => host,
            _ => registry,
        };
        is_loopback(host)
    }

    pub(super) fn reference(&self) -> &'c Reference {
        self.reference
    }

    pub(super) fn access(&self) -> Access {
        self.access
    }

    pub(super) fn client(&self) -> &'c Client {
        self.client
    }

    pub(super) fn base(&self) -> &Url {
        &self.base
    }

    /// A place under the repository.
    pub(super) fn url(&self, path: &str) -> Result<Url, RegistryError> {
        self.base.join(path).map_err(|why| self.error(None, Fault::malformed(format!("{path}: {why}"))))
    }

    pub(super) fn error(&self, request: Option<String>, fault: Fault) -> RegistryError {
        RegistryError::new(self.reference, request, fault)
    }

    /// Asks until there is an answer that trying again would not change.
    pub(super) fn ask(&mut self, mut ask: Ask<'_>) -> Result<Answer, RegistryError> {
        let name = format!("{} {}", ask.method, ask.url);
        self.try_ask(&mut ask).map_err(|fault| self.error(Some(name), fault))
    }

    pub(super) fn try_ask(&mut self, ask: &mut Ask<'_>) -> Result<Answer, Fault> {
        let mut is_fresh = false;
        loop {
            let answer = self.repeat(ask.is_repeatable, |session| session.follow(ask))?;
            match answer.status {
                // Credentials are the registry's, and nobody else's.
                401 if answer.url.is_same_origin(&self.base) => {
                    if is_fresh {
                        return Err(Fault::status(&answer, self.refused()));
                    }
                    let asked: Vec<Challenge> = challenges(answer.fields("www-authenticate"));
                    self.authorization = Some(self.authorization(&answer, &asked)?);
                    is_fresh = true;
                }
                417 if self.expects => self.expects = false,
                _ => return Ok(answer),
            }
        }
    }

    /// Sends again while that may help: where somebody is busy, and if that does no harm, where the connection breaks.
    pub(super) fn repeat(
        &mut self,
        is_repeatable: bool,
        mut send: impl FnMut(&Self) -> Result<Answer, Stop>,
    ) -> Result<Answer, Fault> {
        let mut tried = 1;
        loop {
            let is_last = tried >= self.client.options.attempts;
            let asked = match send(self) {
                Err(Stop::Trouble(Trouble::Broken(_))) if is_repeatable && !is_last => None,
                Err(Stop::Trouble(trouble)) => return Err(trouble.fault(tried)),
                Err(Stop::Fault(fault)) => return Err(fault),
                Ok(answer) if pause::is_passing(answer.status) && !is_last => pause::asked(&answer),
                Ok(answer) => return Ok(answer),
            };
            self.wait(tried, asked)?;
            tried += 1;
        }
    }

    /// Waits after so many attempts.
    pub(super) fn wait(&mut self, tried: u32, asked: Option<Duration>) -> Result<(), Fault> {
        let patience = self.client.options.patience;
        self.patience.wait(tried, asked).map_err(|asked| Fault::Later { asked, patience })
    }

    /// Asks, and goes where the answer sends on to. Gives the answer that sends nowhere.
    fn follow(&self, ask: &mut Ask<'_>) -> Result<Answer, Stop> {
        let mut url = ask.url.clone();
        for _ in 0..=MAX_REDIRECTS {
            let mut fields = ask.fields.clone();
            if url.is_same_origin(&self.base) {
                fields.extend(self.authorization.clone().map(|value| (header::AUTHORIZATION, value)));
            }
            let answer = match &mut ask.body {
                None => self.send_once(&ask.method, &url, &fields, None),
                Some(Body { source, range, progress }) => {
                    let reader = source.from(range.start).map_err(Trouble::Source)?;
                    let body = Outgoing::new(reader, range.end - range.start, progress);
                    let mut body = if self.expects { body } else { body.unasked() };
                    self.send_once(&ask.method, &url, &fields, Some(&mut body))
                }
            }?;
            let Some(to) = answer.field("location").filter(|_| matches!(answer.status, 301 | 302 | 303 | 307 | 308))
            else {
                return Ok(answer);
            };
            let refused = |why| Fault::Redirect { to: shown(&url, to), why };
            if ask.body.is_some() && !matches!(answer.status, 307 | 308)
                || ask.method == Method::POST && answer.status < 307
            {
                return Err(refused("it asks for another request than was made").into());
            }
            url = url.join(to).and_then(|to| self.permitted(to)).map_err(refused)?;
        }
        Err(Fault::Redirect { to: url.to_string(), why: "it does so again and again" }.into())
    }

    /// Sends one request as it is.
    pub(super) fn send_once(
        &self,
        method: &Method,
        url: &Url,
        fields: &[(HeaderName, HeaderValue)],
        body: Option<&mut Outgoing<'_>>,
    ) -> Result<Answer, Trouble> {
        self.client.transport.send(method, url, fields, body)
    }

    /// A place that the registry names, if it may be gone to: what it knows of us does not go over a network in the
    /// clear, unless the registry itself is spoken to so.
    pub(super) fn permitted(&self, url: Url) -> Result<Url, &'static str> {
        let is_near = url.is_same_host(&self.base) || url.is_loopback() && self.base.is_loopback();
        if url.is_https() || !self.base.is_https() && is_near {
            return Ok(url);
        }
        Err("it is not secure (plain HTTP)")
    }

    /// What is known of the user; looked up once.
    pub(super) fn credential(&mut self) -> Result<Option<Credential>, Fault> {
        if let Some(Known(credential)) = &self.credential {
            return Ok(credential.clone());
        }
        let found = self.client.credentials.find(self.reference).map_err(Fault::Credentials)?;
        self.credential = Some(Known(found.clone()));
        Ok(found)
    }

    /// What to do where the registry does not accept what was shown to it.
    fn refused(&self) -> String {
        match self.credential {
            Some(Known(Some(_))) => format!("the credentials that are known are not accepted: {}", self.log_in()),
            _ => self.log_in(),
        }
    }

    /// What to do where credentials are missing, or wrong.
    pub(super) fn log_in(&self) -> String {
        let mut advice = "log in with `docker login".to_owned();
        let registry = self.reference.registry();
        if registry == DOCKER {
            advice.push('`');
        } else {
            _ = write!(advice, " {registry}` or `podman login {registry}`");
        }
        advice
    }
}

/// What a session learnt of a registry: who asks, what is shown to it, and what it cannot do.
pub(super) struct Learnt {
    credential: Option<Known>,
    authorization: Option<HeaderValue>,
    expects: bool,
}

/// What was found when somebody looked: nothing, perhaps.
struct Known(Option<Credential>);

/// Whether credentials may be sent to a place.
pub(super) fn check_secure(url: &Url) -> Result<(), Fault> {
    if url.is_https() || url.is_loopback() { Ok(()) } else { Err(Fault::Insecure) }
}

/// A place that is not gone to, without its query.
fn shown(base: &Url, to: &str) -> String {
    match base.join(to) {
        Ok(url) => url.to_string(),
        Err(_) => told(to.split('?').next().unwrap_or_default()),
    }
}

/// Why there is no answer, and whether it may be asked for again.
pub(super) enum Stop {
    Trouble(Trouble),
    Fault(Fault),
}

impl From<Trouble> for Stop {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}
