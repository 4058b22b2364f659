//! A connection through a proxy: `CONNECT` (RFC 9110 §9.3.6), and what a proxy that does not connect says in words.

use http::StatusCode;
use secrecy::zeroize::Zeroizing;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::Server;
use crate::Error;
use crate::egress::Origin;

/// How many bytes the head of a proxy's answer may have.
const HEAD_LIMIT: usize = 16 << 10;

/// How many lines it may have.
const LINES: usize = 64;

/// Asks the proxy at the other end of this stream for a way to the host. Afterwards the stream leads there.
pub(crate) async fn open<S>(stream: &mut S, proxy: &Server, to: &Origin) -> Result<(), Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let broken = |_| broken_off(proxy);
    let request = request(proxy, to);
    stream.write_all(&request).await.map_err(broken)?;
    stream.flush().await.map_err(broken)?;
    let mut head = Vec::with_capacity(1024);
    loop {
        if stream.read_buf(&mut head).await.map_err(broken)? == 0 {
            return Err(broken_off(proxy));
        }
        if let Some(end) = read(&head, proxy, to)? {
            // Behind the head there is the tunnel, in which it is for us to speak first.
            return if end == head.len() {
                Ok(())
            } else {
                Err(not_a_proxy(proxy))
            };
        }
        if head.len() > HEAD_LIMIT {
            return Err(not_a_proxy(proxy));
        }
    }
}

fn request(proxy: &Server, to: &Origin) -> Zeroizing<Vec<u8>> {
    let Origin { host, port, .. } = to;
    let authorization = proxy.authorization().unwrap_or_default();
    // With enough room from the start: where a vector grows, it leaves a copy behind.
    let mut request = Zeroizing::new(Vec::with_capacity(
        2 * host.len() + authorization.len() + 128,
    ));
    let line = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n");
    request.extend_from_slice(line.as_bytes());
    if !authorization.is_empty() {
        request.extend_from_slice(b"Proxy-Authorization: ");
        request.extend_from_slice(authorization.as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    request
}

/// How long the head of the answer is, once it is whole and says yes.
fn read(head: &[u8], proxy: &Server, to: &Origin) -> Result<Option<usize>, Error> {
    let mut headers = [httparse::EMPTY_HEADER; LINES];
    let mut answer = httparse::Response::new(&mut headers);
    let end = match answer.parse(head) {
        Ok(httparse::Status::Complete(end)) => end,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_) => return Err(not_a_proxy(proxy)),
    };
    let status = answer.code.and_then(|code| StatusCode::from_u16(code).ok());
    match status {
        Some(status) if status.is_success() => Ok(Some(end)),
        Some(status) => Err(refused(proxy, to, status, answer.headers)),
        None => Err(not_a_proxy(proxy)),
    }
}

fn refused(
    proxy: &Server,
    to: &Origin,
    status: StatusCode,
    headers: &[httparse::Header<'_>],
) -> Error {
    let Origin { host, port, .. } = to;
    let reason = match status {
        StatusCode::PROXY_AUTHENTICATION_REQUIRED if !offers_basic(headers) => format!(
            "{proxy} wants its users to prove themselves in another way than by name and password ({status}); only Basic is supported"
        ),
        StatusCode::PROXY_AUTHENTICATION_REQUIRED if proxy.authorization().is_some() => {
            format!(
                "{proxy} does not accept the user name and password in the proxy's URL ({status})"
            )
        }
        StatusCode::PROXY_AUTHENTICATION_REQUIRED => format!(
            "{proxy} wants a user name and a password ({status}); write them into the proxy's URL"
        ),
        _ if passes(status) => format!("{proxy} could not connect to {host}:{port} ({status})"),
        _ => format!(
            "{proxy} does not let through to {host}:{port} ({status}); whoever runs the proxy can allow it"
        ),
    };
    Error::Proxy {
        reason,
        passes: passes(status),
    }
}

/// Whether a proxy that asks for credentials takes a name and a password. One that does not say how is taken to.
fn offers_basic(headers: &[httparse::Header<'_>]) -> bool {
    let offers: Vec<_> = headers
        .iter()
        .filter(|header| header.name.eq_ignore_ascii_case("proxy-authenticate"))
        .map(|header| String::from_utf8_lossy(header.value).to_ascii_lowercase())
        .collect();
    // Several may stand in one line, behind commas, as do their parameters.
    let is_basic = |offer: &String| {
        offer
            .split(',')
            .any(|part| part.split_whitespace().next() == Some("basic"))
    };
    offers.is_empty() || offers.iter().any(is_basic)
}

/// Whether what a status says can pass by itself.
fn passes(status: StatusCode) -> bool {
    match status {
        StatusCode::NOT_IMPLEMENTED | StatusCode::HTTP_VERSION_NOT_SUPPORTED => false,
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => true,
        _ => status.is_server_error(),
    }
}

fn broken_off(proxy: &Server) -> Error {
    Error::Proxy {
        reason: format!("{proxy} ended the connection without an answer"),
        passes: true,
    }
}

fn not_a_proxy(proxy: &Server) -> Error {
    Error::Proxy {
        reason: format!(
            "what {proxy} answered is not the answer of an HTTP proxy; check the proxy's URL"
        ),
        passes: false,
    }
}

/// The proxy gave no answer in time.
pub(crate) fn silent(proxy: &Server) -> Error {
    Error::Proxy {
        reason: format!("{proxy} did not answer in time"),
        passes: true,
    }
}

/// There is no connection to the proxy itself.
pub(crate) fn unreachable(proxy: &Server, error: &Error) -> Error {
    match error {
        Error::ConnectTimeout => silent(proxy),
        error => Error::Proxy {
            reason: format!("there is no connection to {proxy}: {error}"),
            passes: error.passes_by_itself(),
        },
    }
}
