//! One connection, and one exchange over it.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HOST, PROXY_AUTHORIZATION, TRANSFER_ENCODING};
use http::uri::{PathAndQuery, Scheme};
use http::{HeaderValue, Request, Response, Uri, Version};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::io::InspectReader;

use super::AT_A_TIME;
use crate::Error;
use crate::classify::{Phase, classify, describe, find};

/// How many bytes of a header are taken in at all. The limit of an instance is smaller as a rule, and says more when it is
/// reached; this one is there because that one is checked only once the header has come.
pub(super) const HEADER_LIMIT: u32 = 256 << 10;

/// How many bytes of a body an HTTP/2 server may send ahead of who reads it.
const STREAM_WINDOW: u32 = 1 << 20;

/// How many it may send ahead over a connection: as much as all bodies that may be under way. Otherwise bodies that nobody reads
/// would hold up those that somebody does.
const CONNECTION_WINDOW: u32 = AT_A_TIME * STREAM_WINDOW;

/// What connections are made over: TCP or TLS.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

pub(super) enum Connection {
    Http1(Http1),
    Http2(Http2),
}

/// A connection that carries one exchange at a time.
pub(super) struct Http1 {
    sender: http1::SendRequest<Full<Bytes>>,
    /// How many bytes have arrived.
    received: Arc<AtomicU64>,
    is_used: bool,
}

/// A connection that carries several.
#[derive(Clone)]
pub(super) struct Http2 {
    sender: http2::SendRequest<Full<Bytes>>,
    /// How many the server takes at a time.
    most: Arc<AtomicUsize>,
    /// One of these for each exchange under way, and one for the pool.
    exchanges: Arc<()>,
    is_used: bool,
}

/// Why an exchange came to nothing.
pub(super) struct Failure {
    pub(super) error: Error,
    /// Whether it failed because the connection, on which there was a request before, was dead: nothing of the answer had come.
    pub(super) was_dead: bool,
}

impl Connection {
    pub(super) async fn http1(stream: impl Stream + 'static) -> hyper::Result<Self> {
        let received = Arc::new(AtomicU64::new(0));
        let count = received.clone();
        let counted = InspectReader::new(stream, move |bytes: &[u8]| {
            count.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        });
        let mut builder = http1::Builder::new();
        builder.max_buf_size(HEADER_LIMIT as usize);
        let (sender, connection) = builder.handshake(TokioIo::new(counted)).await?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(cause = describe(&error), "a connection broke off");
            }
        });
        Ok(Self::Http1(Http1 {
            sender,
            received,
            is_used: false,
        }))
    }

    /// Asks whether the other side is still there where it is silent for so long while an answer is waited for.
    pub(super) async fn http2(
        stream: impl Stream + 'static,
        silence: Duration,
    ) -> hyper::Result<Self> {
        let (sender, mut connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_header_list_size(HEADER_LIMIT)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .keep_alive_interval(silence)
            .keep_alive_timeout(silence)
            .handshake(TokioIo::new(stream))
            .await?;
        let most = Arc::new(AtomicUsize::new(connection.current_max_send_streams()));
        let limit = most.clone();
        tokio::spawn(async move {
            let ended = poll_fn(|cx| {
                let ended = Pin::new(&mut connection).poll(cx);
                limit.store(connection.current_max_send_streams(), Ordering::Relaxed);
                ended
            });
            if let Err(error) = ended.await {
                tracing::debug!(cause = describe(&error), "a connection broke off");
            }
        });
        Ok(Self::Http2(Http2 {
            sender,
            most,
            exchanges: Arc::new(()),
            is_used: false,
        }))
    }

    pub(super) fn is_closed(&self) -> bool {
        match self {
            Self::Http1(connection) => connection.sender.is_closed(),
            Self::Http2(connection) => connection.sender.is_closed(),
        }
    }

    /// Whether exchanges are under way on this connection of the pool.
    pub(super) fn is_busy(&self) -> bool {
        match self {
            Self::Http1(_) => false,
            Self::Http2(connection) => connection.under_way() > 0,
        }
    }

    /// Whether this connection of the pool can carry one exchange more.
    pub(super) fn has_room(&self) -> bool {
        match self {
            Self::Http1(_) => true,
            Self::Http2(connection) => {
                connection.under_way() < connection.most.load(Ordering::Relaxed)
            }
        }
    }

    /// The same connection for another exchange, where it can carry several.
    pub(super) fn shared(&self) -> Option<Self> {
        match self {
            Self::Http1(_) => None,
            Self::Http2(connection) => Some(Self::Http2(Http2 {
                is_used: true,
                ..connection.clone()
            })),
        }
    }

    /// Sends a request, and gives the head of its answer and this connection, which the body comes over.
    pub(super) async fn send(
        self,
        request: Request<Bytes>,
    ) -> Result<(Response<Incoming>, Self), Failure> {
        match self {
            Self::Http1(connection) => connection.send(for_http1(request)).await,
            Self::Http2(connection) => connection.send(for_http2(request)).await,
        }
    }
}

impl Http1 {
    /// The same, once it has carried an exchange.
    pub(super) fn used(self) -> Self {
        Self {
            is_used: true,
            ..self
        }
    }

    pub(super) fn is_ready(&self) -> bool {
        self.sender.is_ready()
    }

    /// Until it can carry the next exchange.
    pub(super) async fn ready(&mut self) -> hyper::Result<()> {
        self.sender.ready().await
    }

    async fn send(
        mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<(Response<Incoming>, Connection), Failure> {
        let before = self.received.load(Ordering::Relaxed);
        if let Err(error) = self.ready().await {
            return Err(Failure::new(&error, self.is_used));
        }
        match self.sender.try_send_request(request).await {
            Ok(response) => Ok((response, Connection::Http1(self))),
            Err(error) => {
                let is_unanswered =
                    is_unsent(&error) || self.received.load(Ordering::Relaxed) == before;
                Err(Failure::new(error.error(), self.is_used && is_unanswered))
            }
        }
    }
}

impl Http2 {
    fn under_way(&self) -> usize {
        Arc::strong_count(&self.exchanges) - 1
    }

    async fn send(
        mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<(Response<Incoming>, Connection), Failure> {
        match self.sender.try_send_request(request).await {
            Ok(response) => Ok((response, Connection::Http2(self))),
            Err(error) => {
                let is_unanswered = is_unsent(&error) || is_of_the_connection(error.error());
                Err(Failure::new(error.error(), self.is_used && is_unanswered))
            }
        }
    }
}

impl Failure {
    fn new(error: &hyper::Error, was_dead: bool) -> Self {
        tracing::debug!(cause = describe(error), was_dead, "the exchange failed");
        Self {
            error: classify(error, Phase::Head),
            was_dead,
        }
    }
}

fn is_unsent<T>(error: &TrySendError<T>) -> bool {
    error.message().is_some()
}

/// Whether an HTTP/2 stream failed with its connection, or was refused before anything was done (RFC 9113 §8.7), and not because of
/// what was said on it.
fn is_of_the_connection(error: &hyper::Error) -> bool {
    match find::<h2::Error>(error) {
        Some(error) if error.reason() == Some(h2::Reason::REFUSED_STREAM) => true,
        Some(error) => error.is_io() || (error.is_go_away() && error.is_remote()),
        None => true,
    }
}

/// A request as it goes over a connection to its host.
fn for_http1(request: Request<Bytes>) -> Request<Full<Bytes>> {
    let mut request = checked(request);
    *request.version_mut() = Version::HTTP_11;
    if let Some(host) = host(request.uri()) {
        request.headers_mut().insert(HOST, host);
    }
    let path = request.uri().path_and_query().cloned();
    *request.uri_mut() = Uri::from(path.unwrap_or_else(|| PathAndQuery::from_static("/")));
    request
}

fn for_http2(request: Request<Bytes>) -> Request<Full<Bytes>> {
    let mut request = checked(request);
    *request.version_mut() = Version::HTTP_2;
    // The URI says it.
    request.headers_mut().remove(HOST);
    request
}

/// Without what only this side can say: how long the body is, and to whom the request goes. A header that says otherwise could
/// lead a server to see two requests in one, or to take it for another host's; and what is for a proxy is not for the host.
fn checked(request: Request<Bytes>) -> Request<Full<Bytes>> {
    let mut request = request.map(Full::new);
    let headers = request.headers_mut();
    for name in [CONTENT_LENGTH, TRANSFER_ENCODING, PROXY_AUTHORIZATION] {
        headers.remove(name);
    }
    headers.remove("proxy-connection");
    request
}

/// The host of a URI as the header `Host` has it, without the port that goes without saying.
fn host(uri: &Uri) -> Option<HeaderValue> {
    let authority = uri.authority()?;
    let is_usual = match authority.port_u16() {
        Some(443) => uri.scheme() == Some(&Scheme::HTTPS),
        Some(80) => uri.scheme() == Some(&Scheme::HTTP),
        _ => false,
    };
    let host = if is_usual {
        authority.host()
    } else {
        authority.as_str()
    };
    HeaderValue::from_str(host).ok()
}
