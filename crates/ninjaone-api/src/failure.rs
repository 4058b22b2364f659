//! What it means when an exchange fails: no answer, or one that is not a success.
//!
//! The API documents no schema for failures. The shapes that were observed ("Errors" in `docs/ninjaone-api.md`) are told apart
//! here, and anything else (a bare string, HTML, nothing) is taken for what its status says.

use std::borrow::Cow;

use crate::endpoint::Endpoint;
use crate::error::{Error, Kind, Phase};
use crate::exchange::OpenExchange;
use crate::http::{Response, TransportError, TransportErrorKind, split_scheme};
use crate::json::JsonReader;
use crate::retry_after;
use crate::wire::FailureBody;

/// How much of the body of a failure is read, in bytes.
const LARGEST_FAILURE: usize = 64 * 1024;

/// The `error_code` of an endpoint that needs a person behind the token.
const USER_CONTEXT_REQUIRED: i64 = 5;
/// The `error_code`s of a missing and of a malformed `Authorization` header.
const HEADER_REJECTED: [i64; 2] = [1, 2];

/// No answer, or half of one.
pub(crate) fn of_transport(error: &TransportError, exchange: &OpenExchange) -> Error {
    let (kind, advice) = match error.kind {
        TransportErrorKind::ConnectTimeout => (
            Kind::Timeout(Phase::Connect),
            "check the base URL and the network, and try again",
        ),
        TransportErrorKind::FirstByteTimeout => {
            (Kind::Timeout(Phase::FirstByte), "try again later")
        }
        TransportErrorKind::BetweenBytesTimeout => {
            (Kind::Timeout(Phase::BetweenBytes), "try again later")
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
    exchange.error(kind, format!("{}; {advice}", exchange.said(&error.detail)))
}

/// An answer that is not a success, as far as it was read.
pub(crate) struct Refusal {
    status: u16,
    retry_after: Option<u64>,
    /// Where a redirect leads.
    location: Option<String>,
    /// Whether it is a web page, and not what an API answers.
    pub(crate) is_page: bool,
    /// What is known of its body.
    pub(crate) body: FailureBody,
}

impl Refusal {
    /// Reads it. A body that breaks off tells less, and leaves what the status says.
    pub(crate) fn read(exchange: &mut OpenExchange, response: Response, unix_seconds: u64) -> Self {
        let status = response.status;
        let retry_after = retry_after(&response, unix_seconds);
        let location = response
            .header("location")
            .map(|location| exchange.said(&host_of_location(location)));
        let calls_itself_page = is_html(&response);
        let body = read_what_comes(response);
        let is_page = calls_itself_page || without_mark(&body).trim_ascii_start().starts_with(b"<");
        let body = FailureBody::parse(&body);
        exchange.note_failure(
            body.message_code.as_deref().or(body.code.as_deref()),
            body.incident_id.as_deref(),
        );
        Refusal {
            status,
            retry_after,
            location,
            is_page,
            body,
        }
    }

    /// What it means. `token_age` is that of a token which has never been accepted and is seconds old.
    pub(crate) fn into_error(
        self,
        exchange: &OpenExchange,
        endpoint: &Endpoint,
        token_age: Option<u64>,
    ) -> Error {
        let said = match self.body.message.as_deref() {
            None | Some("") => String::new(),
            Some(message) => format!("NinjaOne says {:?}; ", exchange.said(message)),
        };
        let (kind, advice) = self.meaning(endpoint, token_age);
        exchange.error(kind, format!("{said}{advice}"))
    }

    fn meaning(&self, endpoint: &Endpoint, token_age: Option<u64>) -> (Kind, Cow<'static, str>) {
        let missing_permission = || Kind::MissingPermission(vec![endpoint.scope.to_string()]);
        let (kind, advice) = match self.status {
            _ if self.body.auth_code == Some(USER_CONTEXT_REQUIRED)
                || self.body.names("user_context_required") =>
            {
                (
                    Kind::MissingPermission(Vec::new()),
                    "this endpoint refuses machine-to-machine tokens; ask NinjaOne's support whether API applications may use it",
                )
            }
            _ if self
                .body
                .auth_code
                .is_some_and(|code| HEADER_REJECTED.contains(&code)) =>
            {
                (
                    Kind::Internal,
                    "the authorization header did not arrive as it was sent; check for a proxy in between",
                )
            }
            _ if self.is_page_of_throttling() => (Kind::RateLimited(self.retry_after), THROTTLED),
            // A page of one who asks for credentials, was kept waiting or has enough is not about the endpoint.
            400..=499 if self.is_page && !matches!(self.status, 401 | 407 | 408 | 429) => (
                Kind::NoSuchEndpoint,
                "the answer is a web page, and not one of NinjaOne's API: there is no such endpoint there; check the base URL",
            ),
            401 if self.body.names("insufficient_privileges") => {
                return (missing_permission(), how_to_permit(endpoint).into());
            }
            401 => return unauthorized(token_age),
            403 => return (missing_permission(), how_to_permit(endpoint).into()),
            404 if is_unknown_route(&self.body) => (
                Kind::NoSuchEndpoint,
                "this instance of NinjaOne has no such endpoint; check the base URL, and ask NinjaOne when your instance gets it",
            ),
            404 => (
                Kind::NotFound,
                "what it names is not there, or something in between does not let it through",
            ),
            408 => (
                Kind::Timeout(Phase::FirstByte),
                "NinjaOne did not get the request in time; try again",
            ),
            400 | 409 | 422 => (
                Kind::Rejected,
                "NinjaOne did not accept the request; remedy what it names",
            ),
            429 | 503 => (
                Kind::RateLimited(self.retry_after),
                "NinjaOne wants fewer requests; wait and try again",
            ),
            300..=399 => return (Kind::Upstream, self.redirected().into()),
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
        (kind, advice.into())
    }

    /// Whether this is a web page by which NinjaOne, or what stands in front of it, throttles: one in place of a success or with
    /// 403, or one that says how long to wait. What a 429 or 503 means, it says by itself.
    fn is_page_of_throttling(&self) -> bool {
        self.is_page
            && match self.status {
                200..=299 | 403 => true,
                400..=499 => self.retry_after.is_some() && self.status != 401,
                _ => false,
            }
    }

    fn redirected(&self) -> String {
        format!(
            "it redirects to {}, which is not followed with a token; set the base URL to where your tenant is",
            self.location.as_deref().unwrap_or("an unnamed place")
        )
    }
}

fn unauthorized(token_age: Option<u64>) -> (Kind, Cow<'static, str>) {
    match token_age {
        Some(seconds) => {
            let advice = format!(
                "the token is only {seconds} s old, and may become valid in a moment; try again, and if it stays so, check in \
                 NinjaOne that the API application still exists"
            );
            (Kind::NotYetAccepted, advice.into())
        }
        None => (
            Kind::Unauthorized,
            "a fresh token was not accepted either; check in NinjaOne that the API application still exists".into(),
        ),
    }
}

/// What to say of a web page by which NinjaOne throttles.
const THROTTLED: &str = "the answer is a web page, which is how NinjaOne throttles; wait and try again, and check the base URL if it stays so";

/// A web page where data should be. One widely used client meets throttling so, and not as a 429.
pub(crate) fn html_page(exchange: &OpenExchange, retry_after: Option<u64>) -> Error {
    exchange.error(Kind::RateLimited(retry_after), THROTTLED)
}

/// Checks that a success can be the JSON that is expected, before it is read.
pub(crate) fn check_content(
    exchange: &OpenExchange,
    response: &Response,
    unix_seconds: u64,
) -> Result<(), Error> {
    if is_html(response) {
        return Err(html_page(exchange, retry_after(response, unix_seconds)));
    }
    let coding = response.header("content-encoding").unwrap_or_default();
    if coding.is_empty() || coding.trim().eq_ignore_ascii_case("identity") {
        return Ok(());
    }
    let message = format!(
        "the body is encoded as {:?}, which was not asked for; check for a proxy in between",
        exchange.said(coding)
    );
    Err(exchange.error(Kind::Malformed(None), message))
}

/// A page that calls itself JSON is a page all the same.
pub(crate) fn check_start(reader: &mut JsonReader) -> Result<(), Error> {
    match reader.peek()? {
        Some(b'<') => Err(html_page(reader.exchange(), None)),
        None => Err(reader.malformed(0, "the body is empty")),
        Some(_) => Ok(()),
    }
}

/// Whether an answer that should be a list, or an object with one, has any: 204 and null are how some servers write an empty one.
pub(crate) fn has_list(reader: &mut JsonReader) -> Result<bool, Error> {
    if reader.exchange().status() == Some(204) {
        return Ok(false);
    }
    check_start(reader)?;
    if reader.peek()? != Some(b'n') {
        return Ok(true);
    }
    let () = reader.value(format_args!("the answer"))?;
    reader.end()?;
    Ok(false)
}

fn how_to_permit(endpoint: &Endpoint) -> String {
    let scope = endpoint.scope;
    let also = endpoint
        .also_needed
        .map_or_else(String::new, |also| format!(", and {also}"));
    format!(
        "give the API application in NinjaOne the scope {scope}, and name it in the setting scope{also}"
    )
}

/// The observed failure of a path that the instance does not know, as opposed to an entity that is not there.
pub(crate) fn is_unknown_route(body: &FailureBody) -> bool {
    let says_404 = |text: &Option<String>| text.as_deref() == Some("HTTP 404 Not Found");
    body.code.as_deref() == Some("FAILURE")
        && (says_404(&body.message) || says_404(&body.message_code))
}

/// Whether an answer calls itself a web page.
fn is_html(response: &Response) -> bool {
    response.header("content-type").is_some_and(|content_type| {
        let content_type = content_type.trim_start().to_ascii_lowercase();
        ["text/html", "application/xhtml"]
            .into_iter()
            .any(|page| content_type.starts_with(page))
    })
}

/// A text without the byte-order mark that it may begin with.
pub(crate) fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
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
            format!("{scheme}://{host}")
        }
        None => "another path of the same host".to_string(),
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

/// The start of a body, as far as it comes.
fn read_what_comes(mut response: Response) -> Vec<u8> {
    let mut body = Vec::new();
    while body.len() < LARGEST_FAILURE {
        let Ok(Some(chunk)) = response.body.chunk() else {
            break;
        };
        body.extend_from_slice(&chunk);
    }
    body
}

/// The wait that `Retry-After` asks for, in milliseconds.
fn retry_after(response: &Response, unix_seconds: u64) -> Option<u64> {
    let value = response.header("retry-after")?;
    // The sender's own clock, where it shows it, makes the time until a date exact.
    let now = response.header("date").and_then(retry_after::date);
    Some(retry_after::milliseconds(
        value,
        now.unwrap_or(unix_seconds),
    ))
}
