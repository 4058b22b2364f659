//! How a request leaves, as a trait: whoever uses this crate brings the HTTP client.
//!
//! So the crate is tested natively, and can move to another version of WASI or to another client.
//!
//! What this module does not know: NinjaOne, JSON, tokens, and what a status means.

use std::fmt;

use zeroize::Zeroizing;

/// Who asks. Firewalls refuse requests that do not say so, and NinjaOne's support finds them by it.
const USER_AGENT: &str = concat!("ninjaone-connector/", env!("CARGO_PKG_VERSION"));

/// The methods that the connector uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Creates.
    Post,
    /// Changes.
    Patch,
    /// Removes.
    Delete,
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        })
    }
}

/// A request, complete with whatever secret it carries: never log one.
pub struct Request {
    /// The method.
    pub method: Method,
    /// The absolute URL.
    pub url: String,
    /// Header fields, by lower-case name. The values are wiped when the request is dropped.
    pub headers: Vec<(&'static str, Zeroizing<String>)>,
    /// The body; empty for none. Wiped when the request is dropped.
    pub body: Zeroizing<Vec<u8>>,
}

impl Request {
    /// A request with the header fields that every request has, and a body of this type or none.
    pub(crate) fn new(
        method: Method,
        url: String,
        content_type: Option<&str>,
        body: Zeroizing<Vec<u8>>,
    ) -> Self {
        let mut headers = Vec::new();
        let mut add = |name, value: &str| headers.push((name, Zeroizing::new(value.to_string())));
        add("accept", "application/json");
        // Without it any coding would be acceptable (RFC 9110, 12.5.3), and none is understood here.
        add("accept-encoding", "identity");
        add("user-agent", USER_AGENT);
        if let Some(content_type) = content_type {
            add("content-type", content_type);
        }
        Request {
            method,
            url,
            headers,
            body,
        }
    }
}

/// An answer whose body is still arriving.
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Header fields by lower-case name. A value that is not UTF-8 is left out.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Box<dyn Body>,
}

impl Response {
    /// The first header field of that lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }
}

/// Splits an absolute URL into its scheme and what follows the `://`.
pub fn split_scheme(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = url.split_once(':')?;
    Some((scheme, rest.strip_prefix("//")?))
}

/// A body that arrives in pieces.
pub trait Body {
    /// Waits for the next piece; `None` at the end of the body.
    ///
    /// # Errors
    ///
    /// When the connection breaks or stalls before the body is whole.
    fn chunk(&mut self) -> Result<Option<Vec<u8>>, TransportError>;
}

/// Sends requests.
pub trait Transport {
    /// Sends a request and waits for the head of the answer. Redirects are answers like any other.
    ///
    /// # Errors
    ///
    /// When no answer came. A request that failed may have been received all the same.
    fn send(&self, request: Request) -> Result<Response, TransportError>;
}

/// Why there is no answer, or only a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransportError {
    /// What kind of failure it is.
    pub kind: TransportErrorKind,
    /// What the transport says of it, for people. Free of secrets.
    pub detail: String,
}

/// Kinds of [`TransportError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransportErrorKind {
    /// No connection within the time allowed.
    ConnectTimeout,
    /// No beginning of an answer within the time allowed.
    FirstByteTimeout,
    /// The answer stopped arriving for longer than allowed.
    BetweenBytesTimeout,
    /// No connection was made, so nothing was sent.
    Unreachable,
    /// The connection broke, or what came over it is not HTTP.
    Network,
    /// There is no agreement on TLS, or the certificate is not to be trusted.
    Untrusted,
    /// The host does not let the connector send this request.
    Denied,
    /// The answer is larger than the host allows.
    TooLarge,
    /// A fault of the connector or the host.
    Internal,
}
