//! What an answer that is not the wished-for one means.
//!
//! The API documents no schema for failures. The shapes that were observed ("Errors" in `docs/ninjaone-api.md`) are told apart
//! here, and anything else (a bare string, HTML, nothing) is taken for what its status says.

use super::json::JsonReader;
use super::wire::FailureBody;
use crate::contract::TimeoutPhase;
use crate::error::{Error, Exchange, Kind};
use crate::http::{Response, TransportError, TransportErrorKind, split_scheme};
use crate::text;

/// How much of the body of a failure is read, in bytes.
const LARGEST_FAILURE: usize = 64 * 1024;

/// The `error_code` of an endpoint that needs a person behind the token.
const USER_CONTEXT_REQUIRED: i64 = 5;
/// The `error_code`s of a missing and of a malformed `Authorization` header.
const HEADER_REJECTED: [i64; 2] = [1, 2];

/// What the endpoint of an exchange needs, to advise on when it refuses.
pub(crate) struct Needs {
    /// The scopes that allow it, as far as NinjaOne tells.
    pub(crate) scopes: &'static [&'static str],
    /// What the API documents a 403 of this endpoint to mean, beyond a missing scope.
    pub(crate) else_needed: Option<&'static str>,
}

/// Adds what the head of the answer tells to the exchange.
pub(crate) fn note_head(exchange: &mut Exchange, response: &Response) {
    exchange.status = Some(response.status);
    // Observed, not documented: identifies the call to NinjaOne's support.
    exchange.request_id = response.header("x-nj-request-id").map(ToString::to_string);
}

/// No answer, or half of one.
pub(crate) fn transport_failure(error: &TransportError, exchange: &Exchange) -> Error {
    let (kind, advice) = match error.kind {
        TransportErrorKind::ConnectTimeout => (
            Kind::Timeout(TimeoutPhase::Connect),
            "check the base URL and the network, and try again",
        ),
        TransportErrorKind::FirstByteTimeout => {
            (Kind::Timeout(TimeoutPhase::FirstByte), "try again later")
        }
        TransportErrorKind::BetweenBytesTimeout => {
            (Kind::Timeout(TimeoutPhase::BetweenBytes), "try again later")
        }
        TransportErrorKind::Unreachable => (
            Kind::Unreachable,
            "check the base URL and the network, and try again",
        ),
        TransportErrorKind::Network => (
            Kind::Network,
            "check the base URL and the network, and try again",
        ),
        TransportErrorKind::Untrusted => (
            Kind::Untrusted,
            "check the base URL, and whether something in between replaces certificates",
        ),
        TransportErrorKind::Denied => (
            Kind::Internal,
            "check the base URL, and what the governance host lets connectors reach",
        ),
        TransportErrorKind::TooLarge => (
            Kind::TooLarge,
            "raise the limit of the governance host if the tenant really is so large",
        ),
        TransportErrorKind::Internal => (Kind::Internal, "please report it"),
    };
    Error::exchange(kind, exchange, format!("{}; {advice}", error.detail))
}

/// An answer that is not a success. What was secret about the request is not repeated, should the answer repeat it.
pub(crate) fn failure(
    mut exchange: Exchange,
    response: Response,
    needs: &Needs,
    secrets: &[&[u8]],
    unix_seconds: u64,
) -> Error {
    let status = response.status;
    let retry_after = retry_after(&response, unix_seconds);
    let location = response.header("location").map(host_of_location);
    let is_html = is_html(&response);
    let body = match read_failure(response, secrets) {
        Ok(body) => body,
        Err(error) => return transport_failure(&error, &exchange),
    };
    let parsed = FailureBody::parse(&body);
    exchange.code = parsed.message_code.clone().or_else(|| parsed.code.clone());
    exchange.request_id = exchange.request_id.or_else(|| parsed.incident_id.clone());
    let said = parsed
        .message
        .as_deref()
        .filter(|said| !said.is_empty())
        .map_or_else(String::new, |said| {
            format!("NinjaOne says {:?}; ", shorten(said))
        });

    let missing_permission =
        || Kind::MissingPermission(needs.scopes.iter().map(ToString::to_string).collect());
    let how_to_permit = how_to_permit(needs);
    let redirected = format!(
        "it redirects to {}, which is not followed with a token; set the base URL to where your tenant is",
        location.as_deref().unwrap_or("an unnamed place")
    );
    let (kind, advice) = match status {
        _ if parsed.auth_code == Some(USER_CONTEXT_REQUIRED)
            || parsed.names("user_context_required") =>
        {
            (
                Kind::MissingPermission(Vec::new()),
                "this endpoint refuses machine-to-machine tokens; ask NinjaOne's support whether API applications may use it",
            )
        }
        _ if parsed
            .auth_code
            .is_some_and(|code| HEADER_REJECTED.contains(&code)) =>
        {
            (
                Kind::Internal,
                "the authorization header did not arrive as it was sent; check for a proxy in between",
            )
        }
        200..=299 | 400 | 403 | 404 if is_html => return html_page(&exchange, retry_after),
        401 if parsed.names("insufficient_privileges") => {
            (missing_permission(), how_to_permit.as_str())
        }
        401 => (
            Kind::Unauthorized,
            "a fresh token was not accepted either; check in NinjaOne that the API application still exists",
        ),
        403 => (missing_permission(), how_to_permit.as_str()),
        404 if is_unknown_route(&parsed) => (
            Kind::NoSuchEndpoint,
            "this instance of NinjaOne has no such endpoint; check the base URL, and ask NinjaOne when your instance gets it",
        ),
        404 => (Kind::NotFound, "there is no such entity"),
        408 => (
            Kind::Timeout(TimeoutPhase::FirstByte),
            "NinjaOne did not get the request in time; try again",
        ),
        400 | 409 | 422 => (
            Kind::Rejected,
            "NinjaOne did not accept the request; mend what it names",
        ),
        429 | 503 => (
            Kind::RateLimited(retry_after),
            "NinjaOne wants fewer requests; wait and try again",
        ),
        300..=399 => (Kind::Upstream, redirected.as_str()),
        200..=299 => (
            Kind::Upstream,
            "this success is not one that the endpoint is known to give",
        ),
        500..=599 => (
            Kind::Upstream,
            "NinjaOne failed; try again later, and give its support the request id if it stays so",
        ),
        _ => (
            Kind::Upstream,
            "this status is not one that the endpoint is known to give",
        ),
    };
    Error::exchange(kind, &exchange, format!("{said}{advice}"))
}

/// A web page where data should be. One widely used client meets throttling so, and not as a 429.
pub(crate) fn html_page(exchange: &Exchange, retry_after: Option<u64>) -> Error {
    Error::exchange(
        Kind::RateLimited(retry_after),
        exchange,
        "the answer is a web page, which is how NinjaOne throttles; wait and try again, and check the base URL if it stays so",
    )
}

/// Checks that a success can be the JSON that is expected, before it is read.
pub(crate) fn check_content(
    exchange: &Exchange,
    response: &Response,
    unix_seconds: u64,
) -> Result<(), Error> {
    if is_html(response) {
        return Err(html_page(exchange, retry_after(response, unix_seconds)));
    }
    match response.header("content-encoding") {
        None | Some("identity") => Ok(()),
        Some(coding) => Err(Error::exchange(
            Kind::Malformed(None),
            exchange,
            format!(
                "the body is encoded as {:?}, which was not asked for; check for a proxy in between",
                shorten(coding)
            ),
        )),
    }
}

/// A page that calls itself JSON is a page all the same.
pub(crate) fn check_start(reader: &mut JsonReader) -> Result<(), Error> {
    match reader.peek()? {
        Some(b'<') => Err(html_page(reader.exchange(), None)),
        None => Err(reader.malformed(0, "the body is empty")),
        Some(_) => Ok(()),
    }
}

fn how_to_permit(needs: &Needs) -> String {
    let scopes = text::list(needs.scopes, " and ");
    let also = needs
        .else_needed
        .map_or_else(String::new, |also| format!(", and {also}"));
    format!(
        "give the API application in NinjaOne the scope {scopes}, and name it in the setting scope{also}"
    )
}

/// The observed failure of a path that the instance does not know, as opposed to an entity that is not there.
pub(crate) fn is_unknown_route(body: &FailureBody) -> bool {
    body.code.as_deref() == Some("FAILURE") && body.message.as_deref() == Some("HTTP 404 Not Found")
}

/// Whether an answer calls itself a web page.
pub(crate) fn is_html(response: &Response) -> bool {
    response.header("content-type").is_some_and(|content_type| {
        content_type
            .trim_start()
            .to_ascii_lowercase()
            .starts_with("text/html")
    })
}

/// Scheme and host of a redirect. The rest is not shown, since it may carry a secret.
fn host_of_location(location: &str) -> String {
    match split_scheme(location) {
        Some((scheme, rest)) => {
            let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
            let host = match authority.bytes().rposition(|byte| byte == b'@') {
                Some(at) => &authority[at + 1..],
                None => authority,
            };
            format!("{}://{}", shorten(scheme), shorten(host))
        }
        None => "another path of the same host".to_string(),
    }
}

fn shorten(text: &str) -> String {
    const MOST: usize = 200;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_string(),
    }
}

/// Reads a body that is expected to be short; the rest of a long one is left.
pub(crate) fn read_start(mut response: Response) -> Result<Vec<u8>, TransportError> {
    let mut body = Vec::new();
    while body.len() < LARGEST_FAILURE {
        match response.body.chunk()? {
            Some(chunk) => body.extend_from_slice(&chunk),
            None => break,
        }
    }
    Ok(body)
}

/// Reads the body of a failure, with what was secret about the request blanked: some proxies show what they were sent.
pub(crate) fn read_failure(
    response: Response,
    secrets: &[&[u8]],
) -> Result<Vec<u8>, TransportError> {
    let mut body = read_start(response)?;
    for place in 0..body.len() {
        for secret in secrets {
            // What is not text is no secret either, so a star for each byte leaves the rest of the text what it is.
            if body[place..].starts_with(secret) {
                body[place..place + secret.len()].fill(b'*');
            }
        }
    }
    Ok(body)
}

/// The wait that `Retry-After` asks for, in milliseconds: seconds, or the time until a date.
fn retry_after(response: &Response, unix_seconds: u64) -> Option<u64> {
    let value = response.header("retry-after")?.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(seconds.saturating_mul(1000));
    }
    let until = super::date::unix_seconds(value)?;
    // The sender's own clock, where it shows it, makes the difference exact.
    let now = response
        .header("date")
        .and_then(super::date::unix_seconds)
        .unwrap_or(unix_seconds);
    Some(until.saturating_sub(now).saturating_mul(1000))
}
