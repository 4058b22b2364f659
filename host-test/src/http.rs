//! How a connector's HTTP requests leave the host.
//!
//! A request passes the [egress policy](crate::EgressPolicy), is sent by a [`Transport`], and its answer is read under a
//! time and a size limit. [`Network`] is the transport that sends over the network: it looks names up with [`Resolve`], and
//! trusts [`ExtraRoots`] beside the operating system's. [`Recorder`] keeps what another transport sends and gets as a
//! [`Recording`], without its secrets, and [`Replayer`] answers from one.

mod body;
mod breakdown;
mod classify;
mod har;
mod json_text;
mod network;
mod recorder;
mod recording;
mod redact;
mod replay;
mod resolve;
mod roots;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Limited};
use tracing::Instrument;
use wasmtime_wasi_http::{RequestOptions, WasiHttpHooks};

use self::body::GuardedBody;
pub use self::breakdown::Breakdown;
pub use self::network::{Network, NetworkOptions};
pub use self::recorder::Recorder;
pub use self::recording::{Answer, Exchange, Recording, RecordingError, RecordingFile};
pub use self::redact::NEUTRAL_HOST;
pub use self::replay::{ReplayError, Replayer};
pub use self::resolve::Resolve;
pub use self::roots::{ExtraRoots, ExtraRootsError};
use crate::{BoxFuture, EgressPolicy};

pub use wasmtime_wasi_http::{Error as HttpError, WasiBody as HttpBody};

/// How many bytes the body of a request may have: what connectors send is a form, or one resource as JSON.
const REQUEST_BODY_LIMIT: usize = 16 << 20;

/// Sends a request that may be sent, and gives the answer as it comes: no redirect is followed, nothing is repeated.
pub trait Transport: Send + Sync {
    /// Sends the request and waits for the head of the answer, as long as the timeouts allow.
    fn send(
        self: Arc<Self>,
        request: Request<Bytes>,
        timeouts: Timeouts,
    ) -> BoxFuture<'static, Result<Response<HttpBody>, HttpError>>;
}

/// How long to wait for the other side. A guest can ask for less, not for more.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// For a connection: name resolution, TCP and TLS together. Default: 10 seconds.
    pub connect: Duration,
    /// For the head of the answer, once there is a connection. Default: 45 seconds, so that within the default deadline of a
    /// call the connector still gets to say what took too long.
    pub first_byte: Duration,
    /// For the answer to go on. Default: 30 seconds.
    pub between_bytes: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            first_byte: Duration::from_secs(45),
            between_bytes: Duration::from_secs(30),
        }
    }
}

impl Timeouts {
    fn at_most(self, options: RequestOptions) -> Self {
        let shorter =
            |own: Duration, asked: Option<Duration>| asked.map_or(own, |asked| own.min(asked));
        Self {
            connect: shorter(self.connect, options.connect_timeout),
            first_byte: shorter(self.first_byte, options.first_byte_timeout),
            between_bytes: shorter(self.between_bytes, options.between_bytes_timeout),
        }
    }
}

/// What one instance sends, and by which rules.
#[derive(Clone)]
pub(crate) struct Outgoing {
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) egress: EgressPolicy,
    pub(crate) timeouts: Timeouts,
    pub(crate) header_limit: usize,
    pub(crate) body_limit: u64,
}

type Sent = (
    Response<HttpBody>,
    Box<dyn Future<Output = Result<(), HttpError>> + Send>,
);

impl WasiHttpHooks for Outgoing {
    /// The transport does: as a header field in HTTP/1.1, as `:authority` in HTTP/2.
    fn set_host_header(&mut self) -> bool {
        false
    }

    fn send_request(
        &mut self,
        request: Request<HttpBody>,
        options: Option<RequestOptions>,
        _sent: Box<dyn Future<Output = Result<(), HttpError>> + Send>,
    ) -> Box<dyn Future<Output = Result<Sent, HttpError>> + Send> {
        let outgoing = self.clone();
        let timeouts = self.timeouts.at_most(options.unwrap_or_default());
        let exchange = async move {
            let request = complete(request).await?;
            let response = outgoing.exchange(request, timeouts).await?;
            // The connection belongs to the transport: nothing is left to drive here.
            Ok((response, Box::new(async { Ok(()) }) as Box<_>))
        };
        Box::new(exchange.in_current_span())
    }
}

impl Outgoing {
    async fn exchange(
        self,
        request: Request<Bytes>,
        timeouts: Timeouts,
    ) -> Result<Response<HttpBody>, HttpError> {
        if !self.egress.allows(request.uri()) {
            tracing::warn!(
                method = %request.method(),
                scheme = request.uri().scheme_str(),
                host = request.uri().host(),
                port = request.uri().port_u16(),
                allowed = %self.egress,
                "denied a request to another place than the base URL"
            );
            return Err(HttpError::HttpRequestDenied);
        }
        let method = request.method().clone();
        let path = request.uri().path().to_string();
        let start = Instant::now();
        let sent = self.transport.send(request, timeouts).await;
        let outcome = sent.and_then(|response| {
            header_within(self.header_limit, response.headers())?;
            Ok(response)
        });
        let ms = start.elapsed().as_millis();
        match outcome {
            Ok(response) => {
                let status = response.status().as_u16();
                let request_id = request_id(response.headers());
                tracing::debug!(%method, path, status, ms, request_id, "answered");
                Ok(response.map(|body| {
                    GuardedBody::new(body, timeouts.between_bytes, self.body_limit).boxed_unsync()
                }))
            }
            Err(error) => {
                tracing::debug!(%method, path, ms, %error, "not answered");
                Err(error)
            }
        }
    }
}

/// Takes in the whole request before anything is decided about it.
///
/// A guest learns of a failure only once it has written its request: were the body dropped earlier, because the request is
/// denied, or the connection refused, or just because the last byte was sent before the guest said that it was the last, then
/// the guest's next write would fail, and without the reason.
async fn complete(request: Request<HttpBody>) -> Result<Request<Bytes>, HttpError> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, REQUEST_BODY_LIMIT).collect().await;
    let body = body.map_err(|error| match error.downcast::<HttpError>() {
        Ok(error) => *error,
        Err(_) => HttpError::HttpRequestBodySize(None),
    })?;
    Ok(Request::from_parts(head, body.to_bytes()))
}

/// Fails where a header is larger than it may be.
fn header_within(limit: usize, headers: &HeaderMap) -> Result<(), HttpError> {
    let size: usize = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    if size > limit {
        let size = u32::try_from(size).ok();
        return Err(HttpError::HttpResponseHeaderSectionSize(size));
    }
    Ok(())
}

/// The identifier by which the other side's support finds a request: NinjaOne's own header field, or the common one.
fn request_id(headers: &HeaderMap) -> Option<&str> {
    ["x-nj-request-id", "x-request-id"]
        .into_iter()
        .find_map(|name| headers.get(name)?.to_str().ok())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use http_body_util::Full;

    use super::*;

    /// Answers every request with the same header field of 10 bytes and the same body, and counts.
    #[derive(Default)]
    struct Echo(AtomicUsize);

    impl Transport for Echo {
        fn send(
            self: Arc<Self>,
            _request: Request<Bytes>,
            _timeouts: Timeouts,
        ) -> BoxFuture<'static, Result<Response<HttpBody>, HttpError>> {
            self.0.fetch_add(1, Ordering::Relaxed);
            let body = Full::from("0123456789").map_err(Into::into).boxed_unsync();
            let response = Response::builder().header("name", "values");
            Box::pin(async { Ok(response.body(body).expect("the test gives a header")) })
        }
    }

    async fn send(uri: &str, body_limit: u64) -> (Result<Response<HttpBody>, HttpError>, usize) {
        send_within(uri, 10, body_limit).await
    }

    async fn send_within(
        uri: &str,
        header_limit: usize,
        body_limit: u64,
    ) -> (Result<Response<HttpBody>, HttpError>, usize) {
        let transport = Arc::new(Echo::default());
        let outgoing = Outgoing {
            transport: transport.clone(),
            egress: EgressPolicy::only("https://example.com").expect("it is an https URL"),
            timeouts: Timeouts::default(),
            header_limit,
            body_limit,
        };
        let request = Request::get(uri)
            .body(Bytes::new())
            .expect("the test gives a URI");
        let result = outgoing.exchange(request, Timeouts::default()).await;
        (result, transport.0.load(Ordering::Relaxed))
    }

    #[tokio::test]
    async fn a_request_to_another_place_is_denied_and_never_sent() {
        let (result, sent) = send("https://evil.example/", 10).await;
        assert!(matches!(result, Err(HttpError::HttpRequestDenied)));
        assert_eq!(sent, 0);
    }

    #[tokio::test]
    async fn an_answer_within_the_size_limit_arrives_whole() {
        let (result, _) = send("https://example.com/", 10).await;
        let body = result.expect("it is allowed").into_body().collect().await;
        assert_eq!(
            body.expect("it is within the limit").to_bytes(),
            "0123456789"
        );
    }

    #[tokio::test]
    async fn an_answer_beyond_the_size_limit_is_cut_off() {
        let (result, _) = send("https://example.com/", 9).await;
        let body = result.expect("it is allowed").into_body().collect().await;
        assert!(matches!(
            body,
            Err(HttpError::HttpResponseBodySize(Some(10)))
        ));
    }

    #[tokio::test]
    async fn an_answer_with_a_header_beyond_the_size_limit_is_refused() {
        let (result, _) = send_within("https://example.com/", 9, 10).await;
        assert!(matches!(
            result,
            Err(HttpError::HttpResponseHeaderSectionSize(Some(10)))
        ));
    }

    #[tokio::test]
    async fn a_request_that_is_too_large_fails() {
        let send = |size| {
            let body = Full::from(vec![0; size]).map_err(Into::into).boxed_unsync();
            complete(Request::new(body))
        };
        assert!(send(REQUEST_BODY_LIMIT).await.is_ok());
        let too_large = send(REQUEST_BODY_LIMIT + 1).await;
        assert!(matches!(
            too_large,
            Err(HttpError::HttpRequestBodySize(None))
        ));
    }

    #[test]
    fn a_guest_can_shorten_timeouts_and_not_lengthen_them() {
        let asked = RequestOptions {
            connect_timeout: Some(Duration::from_secs(1)),
            first_byte_timeout: Some(Duration::from_secs(3600)),
            between_bytes_timeout: None,
        };
        let timeouts = Timeouts::default().at_most(asked);
        assert_eq!(timeouts.connect, Duration::from_secs(1));
        assert_eq!(timeouts.first_byte, Duration::from_secs(45));
        assert_eq!(timeouts.between_bytes, Duration::from_secs(30));
    }
}
