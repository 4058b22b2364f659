//! OAuth 2.0 client credentials: how the connector gets a token, and how long it keeps it.
//!
//! A token is kept for the life of the instance, renewed before it expires, and once when an answer says that it is not
//! accepted. The client secret is asked for when a token is fetched, and wiped right after.
//!
//! The host may keep answers to the request for a token, so that the instances of a tenant share one: the answer then has its
//! `age`, and the request says `cache-control: no-cache` where only a token that was made for it will do.

use std::cell::{Cell, RefCell};

use zeroize::Zeroizing;

use crate::confidential::Confidential;
use crate::endpoint;
use crate::error::{Error, Kind};
use crate::exchange::OpenExchange;
use crate::failure::{self, Refusal};
use crate::host::{Host, Level};
use crate::http::{Request, Response, Transport};
use crate::settings::Settings;
use crate::wire::TokenAnswer;

/// A token is renewed this long before it expires, so that it does not expire on the way.
const MARGIN_NANOS: u64 = 60 * NANOS_PER_SECOND;
/// The margin is at most this part of a token's life: a tenth. For tokens that live for less than a few minutes.
const LARGEST_MARGIN: u64 = 10;
/// For how long not every server may know a token, in seconds.
const NEW_FOR_SECONDS: u64 = 30;
const NANOS_PER_SECOND: u64 = 1_000_000_000;
const NANOS_PER_MILLI: u64 = 1_000_000;

/// Where the token of an instance is kept.
pub struct TokenCache {
    token: RefCell<Option<Token>>,
    confidential: Confidential,
}

struct Token {
    authorization: Zeroizing<String>,
    /// The scopes that were granted, where that is known.
    granted: Option<Vec<String>>,
    asked_at_nanos: u64,
    /// How old it was when it came, in seconds.
    age_then: u64,
    renew_at_nanos: Option<u64>,
    /// Whether an answer has shown that it is accepted.
    accepted: Cell<bool>,
    settings: Settings,
}

impl TokenCache {
    /// No token yet. Those that come are confidential.
    pub fn new(confidential: Confidential) -> Self {
        TokenCache {
            token: RefCell::default(),
            confidential,
        }
    }

    /// The value of the `Authorization` header field: from the cache while it is good, or else from NinjaOne.
    ///
    /// # Errors
    ///
    /// When NinjaOne gives no token, with what an administrator should do about it.
    pub fn authorization(
        &self,
        settings: &Settings,
        http: &dyn Transport,
        host: &dyn Host,
    ) -> Result<Zeroizing<String>, Error> {
        if let Some(token) = &*self.token.borrow()
            && &token.settings == settings
            && token
                .renew_at_nanos
                .is_none_or(|at| host.monotonic_nanos() < at)
        {
            return Ok(token.authorization.clone());
        }
        let token = self.fetch(settings, http, host, Freshness::Shared)?;
        let authorization = token.authorization.clone();
        *self.token.borrow_mut() = Some(token);
        Ok(authorization)
    }

    /// Fetches a token that nobody has had before, in place of the one that is kept: tries the credentials.
    ///
    /// # Errors
    ///
    /// As [`TokenCache::authorization`]. The token that was kept is forgotten then.
    pub fn renew(
        &self,
        settings: &Settings,
        http: &dyn Transport,
        host: &dyn Host,
    ) -> Result<(), Error> {
        self.forget();
        let token = self.fetch(settings, http, host, Freshness::New)?;
        *self.token.borrow_mut() = Some(token);
        Ok(())
    }

    /// Forgets the token, because it was not accepted.
    pub fn forget(&self) {
        *self.token.borrow_mut() = None;
    }

    /// Notes that the token was accepted.
    pub(crate) fn note_accepted(&self) {
        if let Some(token) = &*self.token.borrow() {
            token.accepted.set(true);
        }
    }

    /// How many seconds old the token is, where it was made a moment ago and has never been accepted.
    pub(crate) fn seconds_unproven(&self, host: &dyn Host) -> Option<u64> {
        let token = self.token.borrow();
        let token = token.as_ref().filter(|token| !token.accepted.get())?;
        let kept = (host.monotonic_nanos() - token.asked_at_nanos) / NANOS_PER_SECOND;
        Some(token.age_then.saturating_add(kept)).filter(|age| *age < NEW_FOR_SECONDS)
    }

    /// The scopes that came with the token, where they are known.
    pub fn granted_scopes(&self) -> Option<Vec<String>> {
        self.token.borrow().as_ref()?.granted.clone()
    }

    pub(crate) fn confidential(&self) -> &Confidential {
        &self.confidential
    }

    fn fetch(
        &self,
        settings: &Settings,
        http: &dyn Transport,
        host: &dyn Host,
        freshness: Freshness,
    ) -> Result<Token, Error> {
        let mut exchange = OpenExchange::new(endpoint::TOKEN.to_string(), &self.confidential);
        let secret = Settings::secret(host)?;
        let request = request(settings, &secret, freshness);
        let asked_at_nanos = host.monotonic_nanos();
        let response = http
            .send(request)
            .map_err(|error| failure::of_transport(&error, &exchange))?;
        exchange.note_head(&response);
        if response.status != 200 {
            return Err(refusal(exchange, response, settings, host));
        }
        failure::check_content(&exchange, &response, host.unix_seconds())?;
        // A token that the host keeps for the instances of the tenant (RFC 9111, 5.1).
        let age = response
            .header("age")
            .and_then(|age| age.trim().parse().ok());
        let body = Zeroizing::new(
            failure::read_start(response)
                .map_err(|error| failure::of_transport(&error, &exchange))?,
        );
        let answer = parse(&body, &exchange)?;
        self.confidential.add_token(&answer.token);
        let granted = self.granted(answer.granted, settings, &secret);
        let scopes = granted.as_deref().unwrap_or_default().join(" ");
        host.log(Level::Debug, "got a token", &[("scope", &scopes)]);
        let age_then = age.unwrap_or_default();
        Ok(Token {
            authorization: Zeroizing::new(format!("Bearer {}", answer.token.as_str())),
            granted,
            asked_at_nanos,
            age_then,
            renew_at_nanos: answer.life_nanos.map(|life| {
                let usable = life - MARGIN_NANOS.min(life / LARGEST_MARGIN);
                let left = usable.saturating_sub(age_then.saturating_mul(NANOS_PER_SECOND));
                asked_at_nanos.saturating_add(left)
            }),
            accepted: Cell::new(false),
            settings: settings.clone(),
        })
    }

    /// The scopes that were granted. Where nothing is said of them, those are that were asked for (RFC 6749, 5.1); where it is
    /// said in a way that tells none, they are not known.
    fn granted(
        &self,
        told: Option<Vec<String>>,
        settings: &Settings,
        secret: &str,
    ) -> Option<Vec<String>> {
        let scopes = told.unwrap_or_else(|| vec![settings.scope.to_string()]);
        let mut words = Vec::new();
        for scope in &scopes {
            let scope = self.confidential.blank_beside(scope, secret);
            let split = scope.split(|c: char| c.is_whitespace() || c == ',');
            let split = split.filter(|word| !word.is_empty());
            words.extend(split.map(ToString::to_string));
        }
        (!words.is_empty()).then_some(words)
    }
}

/// Which token will do.
#[derive(Clone, Copy, PartialEq)]
enum Freshness {
    /// One that was made for another instance too.
    Shared,
    /// One that is made for this request.
    New,
}

fn request(settings: &Settings, secret: &str, freshness: Freshness) -> Request {
    let body = form(&[
        ("grant_type", "client_credentials"),
        ("client_id", &settings.client_id),
        ("client_secret", secret),
        ("scope", &settings.scope.to_string()),
    ]);
    let mut request = Request::new(
        endpoint::TOKEN.method,
        settings.base_url.join(endpoint::TOKEN.path),
        Some("application/x-www-form-urlencoded"),
        body,
    );
    if freshness == Freshness::New {
        let no_cache = Zeroizing::new("no-cache".to_string());
        request.headers.push(("cache-control", no_cache));
    }
    request
}

/// What the answer has of a token.
struct Answered {
    token: Zeroizing<String>,
    life_nanos: Option<u64>,
    /// What is told of the scopes; empty where it makes no sense, `None` where nothing is.
    granted: Option<Vec<String>>,
}

fn parse(body: &[u8], exchange: &OpenExchange) -> Result<Answered, Error> {
    // A byte-order mark is passed over, as in every other answer.
    let body = failure::without_mark(body);
    if body.trim_ascii_start().starts_with(b"<") {
        return Err(failure::html_page(exchange, None));
    }
    // What is wrong with a body with a token in it is not repeated: it may quote it.
    let malformed = |problem: &str| {
        exchange.error(
            Kind::Malformed(None),
            format!("{problem}; check that the base URL is that of a NinjaOne tenant"),
        )
    };
    let answer = TokenAnswer::parse(body)
        .ok_or_else(|| malformed("the answer is not that of an OAuth token endpoint"))?;
    let token = answer
        .access_token
        .map(Zeroizing::new)
        .filter(|token| !token.is_empty());
    let token = token.ok_or_else(|| malformed("the answer has no token in it"))?;
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(malformed(
            "the token has characters in it that a header cannot carry",
        ));
    }
    if answer
        .token_type
        .is_some_and(|token_type| !token_type.eq_ignore_ascii_case("bearer"))
    {
        return Err(malformed("the token is not a bearer token"));
    }
    let life_millis = answer.expires_in.map(|life| life.milliseconds);
    Ok(Answered {
        token,
        life_nanos: life_millis.map(|millis| millis.saturating_mul(NANOS_PER_MILLI)),
        granted: answer
            .has_scope
            .then(|| answer.scope.map(|scope| scope.0).unwrap_or_default()),
    })
}

/// Tells apart the ways in which NinjaOne refuses to give a token ("OAuth 2.0 client credentials" in `docs/ninjaone-api.md`).
fn refusal(
    mut exchange: OpenExchange,
    response: Response,
    settings: &Settings,
    host: &dyn Host,
) -> Error {
    let status = response.status;
    let refusal = Refusal::read(&mut exchange, response, host.unix_seconds());
    let is_about_credentials =
        status == 401 || (matches!(status, 400 | 403 | 404) && !refusal.is_page);
    if !is_about_credentials {
        return refusal.into_error(&exchange, &endpoint::TOKEN, None);
    }
    let parsed = refusal.body;
    let fail = |kind: Kind, message: String| exchange.error(kind, message);
    if parsed.names("invalid_scope") {
        let asked: Vec<_> = settings
            .scope
            .to_string()
            .split(' ')
            .map(ToString::to_string)
            .collect();
        let message = format!(
            "the API application was not given every scope of \"{}\"; tick them in NinjaOne (Administration, Apps, API, Client App IDs), \
             or ask for fewer in the setting scope",
            settings.scope
        );
        return fail(Kind::MissingPermission(asked), message);
    }
    if parsed.names("unauthorized_client") || parsed.names("unsupported_grant_type") {
        let message = "the API application may not use the client credentials grant; in NinjaOne, make one of the platform \
                       \"API Services (machine-to-machine)\" with the grant type Client Credentials";
        return fail(Kind::Unauthorized, message.to_string());
    }
    match status {
        404 if parsed.code.is_none() || failure::is_unknown_route(&parsed) => {
            let message = format!("{} is no NinjaOne instance; check the setting base-url", settings.base_url);
            fail(Kind::NoSuchEndpoint, message)
        }
        404 => fail(
            Kind::Unauthorized,
            format!(
                "NinjaOne knows no API application with this client id at {}; check the setting client-id, and whether \
                 the tenant is in another region (the setting base-url)",
                settings.base_url
            ),
        ),
        _ => fail(
            Kind::Unauthorized,
            "NinjaOne did not accept the client id and secret; check the setting client-secret, and make a new secret in NinjaOne \
             if it is lost"
                .to_string(),
        ),
    }
}

/// `application/x-www-form-urlencoded` (WHATWG URL): letters, digits and `*-._` as they are, a space as `+`, the rest in
/// hexadecimal. The names have nothing to encode.
fn form(fields: &[(&str, &str)]) -> Zeroizing<Vec<u8>> {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    // Room for the longest result, so that no part of the secret is left behind in memory by growing.
    let most = fields
        .iter()
        .map(|(name, value)| name.len() + value.len() * 3 + 2);
    let mut form = Zeroizing::new(Vec::with_capacity(most.sum()));
    for (name, value) in fields {
        if !form.is_empty() {
            form.push(b'&');
        }
        form.extend_from_slice(name.as_bytes());
        form.push(b'=');
        for byte in value.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'*' | b'-' | b'.' | b'_' => {
                    form.push(byte)
                }
                b' ' => form.push(b'+'),
                _ => {
                    let digits = [
                        DIGITS[usize::from(byte >> 4)],
                        DIGITS[usize::from(byte & 15)],
                    ];
                    form.push(b'%');
                    form.extend_from_slice(&digits);
                }
            }
        }
    }
    form
}
