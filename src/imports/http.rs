//! The transport of the component: `wasi:http`.
//!
//! What is used of `waki` is its bindings of `wasi:http`, which it hides from its documentation. Its client would be less code, but
//! loses what a host acts on: it makes a text of what goes wrong with a body, so that a stalled body, a broken one and one that is
//! too large are the same, and it drops an answer that comes while the body of a request is being written.

use waki::bindings::wasi::http::outgoing_handler;
use waki::bindings::wasi::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, IncomingBody, IncomingResponse, OutgoingBody,
    OutgoingRequest, Scheme, http_error_code,
};
use waki::bindings::wasi::io::streams::{InputStream, StreamError};

use crate::ninjaone::http::{
    Body, Method, Request, Response, Transport, TransportError, TransportErrorKind, split_scheme,
};

/// How much of a body is asked for at once, in bytes. The host gives what has arrived, so this bounds memory, not speed.
const CHUNK_BYTES: u64 = 64 * 1024;

/// Sends requests through the host's `wasi:http/outgoing-handler`.
pub struct WasiHttp;

impl Transport for WasiHttp {
    fn send(&self, request: Request) -> Result<Response, TransportError> {
        let outgoing = outgoing(&request)?;
        let body = outgoing
            .body()
            .map_err(|()| internal("the request has no body to write to"))?;
        let future = outgoing_handler::handle(outgoing, None).map_err(|code| from_code(&code))?;
        // Where the other end stops reading, its answer or the failure of the connection says why.
        let _ = write(body, &request.body);
        let incoming = wait(&future)?;
        let headers = incoming
            .headers()
            .entries()
            .into_iter()
            .filter_map(|(name, value)| {
                Some((name.to_ascii_lowercase(), String::from_utf8(value).ok()?))
            })
            .collect();
        let status = incoming.status();
        Ok(Response {
            status,
            headers,
            body: Box::new(WasiBody::of(&incoming)?),
        })
    }
}

fn outgoing(request: &Request) -> Result<OutgoingRequest, TransportError> {
    let mut headers: Vec<(String, Vec<u8>)> = request
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
        .collect();
    if request.method != Method::Get {
        // Without it the host has to send a body of unknown length, even an empty one, in chunks.
        headers.push((
            "content-length".to_string(),
            request.body.len().to_string().into_bytes(),
        ));
    }
    let headers = Fields::from_list(&headers)
        .map_err(|_| internal("the host does not allow a header field"))?;
    let outgoing = OutgoingRequest::new(headers);
    let (scheme, rest) = split_scheme(&request.url).unwrap_or(("https", &request.url));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let scheme = if scheme == "http" {
        Scheme::Http
    } else {
        Scheme::Https
    };
    let method = match request.method {
        Method::Get => waki::Method::Get,
        Method::Post => waki::Method::Post,
        Method::Patch => waki::Method::Patch,
        Method::Delete => waki::Method::Delete,
    };
    outgoing
        .set_method(&method)
        .and_then(|()| outgoing.set_scheme(Some(&scheme)))
        .and_then(|()| outgoing.set_authority(Some(authority)))
        .and_then(|()| outgoing.set_path_with_query(Some(path)))
        .map_err(|()| internal("the host does not take the URL"))?;
    Ok(outgoing)
}

/// Writes the body, as much at a time as the host takes.
fn write(body: OutgoingBody, mut bytes: &[u8]) -> Result<(), ()> {
    let stream = body.write()?;
    while !bytes.is_empty() {
        stream.subscribe().block();
        let room = usize::try_from(stream.check_write().map_err(drop)?).unwrap_or(usize::MAX);
        let (now, later) = bytes.split_at(room.min(bytes.len()));
        stream.write(now).map_err(drop)?;
        bytes = later;
    }
    stream.flush().map_err(drop)?;
    drop(stream);
    OutgoingBody::finish(body, None).map_err(drop)
}

fn wait(future: &FutureIncomingResponse) -> Result<IncomingResponse, TransportError> {
    loop {
        match future.get() {
            Some(Ok(answer)) => return answer.map_err(|code| from_code(&code)),
            Some(Err(())) => return Err(internal("the answer was taken before")),
            None => future.subscribe().block(),
        }
    }
}

struct WasiBody {
    // A stream is a child of its body, and has to be dropped first: fields are dropped in this order.
    stream: InputStream,
    _body: IncomingBody,
}

impl WasiBody {
    fn of(incoming: &IncomingResponse) -> Result<Self, TransportError> {
        let body = incoming
            .consume()
            .map_err(|()| internal("the body was taken before"))?;
        let stream = body
            .stream()
            .map_err(|()| internal("the body was taken before"))?;
        Ok(WasiBody {
            stream,
            _body: body,
        })
    }
}

impl Body for WasiBody {
    fn chunk(&mut self) -> Result<Option<Vec<u8>>, TransportError> {
        match self.stream.blocking_read(CHUNK_BYTES) {
            Ok(chunk) => Ok(Some(chunk)),
            Err(StreamError::Closed) => Ok(None),
            Err(StreamError::LastOperationFailed(error)) => Err(match http_error_code(&error) {
                Some(code) => from_code(&code),
                None => TransportError {
                    kind: TransportErrorKind::Network,
                    detail: "the connection broke before the body was whole".to_string(),
                },
            }),
        }
    }
}

fn internal(detail: &str) -> TransportError {
    TransportError {
        kind: TransportErrorKind::Internal,
        detail: detail.to_string(),
    }
}

fn from_code(code: &ErrorCode) -> TransportError {
    let (kind, detail) = classify(code);
    TransportError {
        kind,
        detail: detail.to_string(),
    }
}

fn classify(code: &ErrorCode) -> (TransportErrorKind, &str) {
    use TransportErrorKind as Kind;
    match code {
        ErrorCode::DnsTimeout => (
            Kind::ConnectTimeout,
            "the name of the host was not resolved in time",
        ),
        ErrorCode::DnsError(_) => (Kind::Unreachable, "the name of the host cannot be resolved"),
        ErrorCode::DestinationNotFound => (Kind::Unreachable, "the host was not found"),
        ErrorCode::DestinationUnavailable | ErrorCode::DestinationIpUnroutable => {
            (Kind::Network, "the host cannot be reached")
        }
        ErrorCode::DestinationIpProhibited | ErrorCode::HttpRequestDenied => (
            Kind::Denied,
            "the governance host does not allow requests to this address",
        ),
        ErrorCode::ConnectionRefused => (Kind::Unreachable, "the connection was refused"),
        ErrorCode::ConnectionTerminated => (
            Kind::Network,
            "the connection was closed before the answer came",
        ),
        ErrorCode::ConnectionTimeout => (Kind::ConnectTimeout, "no connection was made in time"),
        ErrorCode::ConnectionReadTimeout => (
            Kind::BetweenBytesTimeout,
            "the answer did not go on in time",
        ),
        ErrorCode::ConnectionWriteTimeout => (
            Kind::BetweenBytesTimeout,
            "the request was not taken in time",
        ),
        ErrorCode::HttpResponseTimeout => (Kind::FirstByteTimeout, "no answer came in time"),
        ErrorCode::ConnectionLimitReached => (
            Kind::Unreachable,
            "the governance host has no connection to spare",
        ),
        ErrorCode::TlsProtocolError | ErrorCode::TlsAlertReceived(_) => {
            (Kind::Untrusted, "the TLS handshake failed")
        }
        ErrorCode::TlsCertificateError => (
            Kind::Untrusted,
            "the TLS certificate of the host was not accepted; check the host name and its certificate",
        ),
        // A proxy that refuses, for example. Asking again would change nothing, and could lock an account.
        ErrorCode::ConfigurationError => (
            Kind::Untrusted,
            "the governance host is not set up to reach it",
        ),
        ErrorCode::HttpResponseIncomplete => (Kind::Network, "the answer broke off"),
        ErrorCode::HttpResponseBodySize(_) => (
            Kind::TooLarge,
            "the body is larger than the governance host allows",
        ),
        ErrorCode::HttpResponseHeaderSectionSize(_) | ErrorCode::HttpResponseHeaderSize(_) => (
            Kind::TooLarge,
            "the header is larger than the governance host allows",
        ),
        ErrorCode::HttpProtocolError => (Kind::Network, "the answer is not HTTP"),
        ErrorCode::InternalError(Some(detail)) => (Kind::Internal, detail),
        _ => (
            Kind::Internal,
            "the governance host could not send the request",
        ),
    }
}
