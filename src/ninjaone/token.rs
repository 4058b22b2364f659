//! OAuth 2.0 client credentials: how the connector gets a token, and how long it keeps it.
//!
//! A token is kept for the life of the instance, renewed before it expires, and once when an answer says that it is not
//! accepted. The client secret is asked for when a token is fetched, and wiped right after.

use std::cell::RefCell;

use zeroize::Zeroizing;

use super::answer::{self, Needs};
use super::wire::{FailureBody, Object, TokenAnswer};
use crate::error::{Error, Exchange, Kind};
use crate::host::{Host, Level};
use crate::http::{Method, Request, Response, Transport};
use crate::settings::Settings;

/// Documented by NinjaOne; `/oauth/token` answers too.
pub const TOKEN_PATH: &str = "/ws/oauth/token";

/// A token is renewed this long before it expires, so that it does not expire on the way.
const MARGIN_SECONDS: u64 = 60;
/// The margin is at most this part of a token's life: a tenth. For tokens that live for less than a few minutes.
const LARGEST_MARGIN: u64 = 10;
const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// Where the token of an instance is kept.
#[derive(Default)]
pub struct TokenCache(RefCell<Option<Token>>);

struct Token {
    authorization: Zeroizing<String>,
    /// The scopes that were granted, as they were sent.
    granted: Option<String>,
    renew_at_nanos: Option<u64>,
    settings: Settings,
}

impl TokenCache {
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
        if let Some(token) = &*self.0.borrow()
            && &token.settings == settings
            && token
                .renew_at_nanos
                .is_none_or(|at| host.monotonic_nanos() < at)
        {
            return Ok(token.authorization.clone());
        }
        let token = fetch(settings, http, host)?;
        let authorization = token.authorization.clone();
        *self.0.borrow_mut() = Some(token);
        Ok(authorization)
    }

    /// The value of the `Authorization` header field that was sent last; empty where there is none.
    pub(crate) fn current(&self) -> Zeroizing<String> {
        self.0
            .borrow()
            .as_ref()
            .map_or_else(Zeroizing::default, |token| token.authorization.clone())
    }

    /// Forgets the token, because it was not accepted.
    pub fn forget(&self) {
        *self.0.borrow_mut() = None;
    }

    /// The scopes that came with the token, where NinjaOne named them.
    pub fn granted_scopes(&self) -> Option<Vec<String>> {
        let token = self.0.borrow();
        let granted = token.as_ref()?.granted.as_ref()?;
        Some(
            granted
                .split_whitespace()
                .map(ToString::to_string)
                .collect(),
        )
    }
}

fn fetch(settings: &Settings, http: &dyn Transport, host: &dyn Host) -> Result<Token, Error> {
    let mut exchange = Exchange {
        request: format!("POST {TOKEN_PATH}"),
        ..Exchange::default()
    };
    let secret = Settings::secret(host).map_err(|problem| Error::settings(vec![problem]))?;
    let body = form(&[
        ("grant_type", "client_credentials"),
        ("client_id", &settings.client_id),
        ("client_secret", &secret),
        ("scope", &settings.scope.to_string()),
    ]);
    let request = Request {
        method: Method::Post,
        url: settings.base_url.join(TOKEN_PATH),
        headers: vec![
            ("accept", Zeroizing::new("application/json".to_string())),
            (
                "content-type",
                Zeroizing::new("application/x-www-form-urlencoded".to_string()),
            ),
        ],
        body,
    };
    let asked_at = host.monotonic_nanos();
    let response = http
        .send(request)
        .map_err(|error| answer::transport_failure(&error, &exchange))?;
    answer::note_head(&mut exchange, &response);
    if response.status != 200 {
        return Err(refusal(exchange, response, settings, &secret, host));
    }
    drop(secret);
    answer::check_content(&exchange, &response, host.unix_seconds())?;
    let body = Zeroizing::new(
        answer::read_start(response)
            .map_err(|error| answer::transport_failure(&error, &exchange))?,
    );
    let token = parse(&body, &exchange, settings, asked_at)?;
    host.log(
        Level::Debug,
        "got a token",
        &[("scope", token.granted.as_deref().unwrap_or_default())],
    );
    Ok(token)
}

fn parse(
    body: &[u8],
    exchange: &Exchange,
    settings: &Settings,
    asked_at: u64,
) -> Result<Token, Error> {
    // A byte-order mark is passed over, as in every other answer.
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    if body.trim_ascii_start().starts_with(b"<") {
        return Err(answer::html_page(exchange, None));
    }
    // What is wrong with a body with a token in it is not repeated: it may quote it.
    let malformed = |problem: &str| {
        Error::exchange(
            Kind::Malformed(None),
            exchange,
            format!("{problem}; check that the base URL is that of a NinjaOne tenant"),
        )
    };
    let answer = TokenAnswer::parse(body)
        .map_err(|_| malformed("the answer is not that of an OAuth token endpoint"))?;
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
        .as_deref()
        .is_some_and(|token_type| !token_type.eq_ignore_ascii_case("bearer"))
    {
        return Err(malformed("the token is not a bearer token"));
    }
    let lifetime = answer
        .expires_in
        .and_then(|seconds| u64::try_from(seconds).ok())
        .filter(|seconds| *seconds > 0);
    let usable_nanos = lifetime.map(|seconds| {
        let nanos = seconds.saturating_mul(NANOS_PER_SECOND);
        nanos - (MARGIN_SECONDS * NANOS_PER_SECOND).min(nanos / LARGEST_MARGIN)
    });
    Ok(Token {
        authorization: Zeroizing::new(format!("Bearer {}", token.as_str())),
        granted: answer.scope,
        renew_at_nanos: usable_nanos.map(|nanos| asked_at.saturating_add(nanos)),
        settings: settings.clone(),
    })
}

/// Tells apart the ways in which NinjaOne refuses to give a token ("OAuth 2.0 client credentials" in `docs/ninjaone-api.md`).
fn refusal(
    mut exchange: Exchange,
    response: Response,
    settings: &Settings,
    secret: &str,
    host: &dyn Host,
) -> Error {
    const NEEDS: Needs = Needs {
        scopes: &["monitoring"],
        else_needed: None,
    };
    let status = response.status;
    // As it is, and as it was sent.
    let sent = form(&[("", secret)]);
    let secrets = [secret.as_bytes(), &sent[1..]];
    if !matches!(status, 400 | 401 | 403 | 404) || answer::is_html(&response) {
        return answer::failure(exchange, response, &NEEDS, &secrets, host.unix_seconds());
    }
    let body = match answer::read_failure(response, &secrets) {
        Ok(body) => body,
        Err(error) => return answer::transport_failure(&error, &exchange),
    };
    let parsed = FailureBody::parse(&body);
    exchange.code.clone_from(&parsed.code);
    exchange.request_id = exchange
        .request_id
        .take()
        .or_else(|| parsed.incident_id.clone());
    let fail = |kind: Kind, message: String| Error::exchange(kind, &exchange, message);
    if parsed.names("invalid_scope") {
        let asked: Vec<_> = settings
            .scope
            .to_string()
            .split(' ')
            .map(ToString::to_string)
            .collect();
        let message = format!(
            "the API application was not given every scope of \"{}\"; tick them in NinjaOne (Administration, Apps, API, Client app IDs), \
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
        404 if parsed.code.is_none() || answer::is_unknown_route(&parsed) => {
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
