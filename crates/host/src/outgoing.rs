//! What one instance sends: through the egress rules, within its limits, over the transport of its tenant.
//!
//! Here `wasi:http`, as wasmtime implements it, meets the [`Transport`]: nothing else of the host knows both.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use connector_transport::{self as transport, Body, Guarded, Reading, Terms, Timeouts, Transport};
use http::header::{HeaderValue, USER_AGENT};
use http::{HeaderMap, Request, Response};
use http_body_util::BodyExt;
use tokio::sync::Notify;
use tracing::Instrument;
use wasmtime_wasi_http::{Error as HttpError, RequestOptions, WasiBody as HttpBody, WasiHttpHooks};

use crate::concealed::Concealed;
use crate::limits::{Limit, LimitReached, Limits};
use crate::{EgressPolicy, Tenant};

/// How the host names itself where a connector does not: firewalls refuse requests of nobody.
const HOST_AGENT: HeaderValue = HeaderValue::from_static(concat!(
    env!("CARGO_PKG_NAME"),
    "/",
    env!("CARGO_PKG_VERSION")
));
/// How many bytes a guest may write ahead of its request being sent. Small, since they count nowhere until it is.
const WRITTEN_AHEAD: usize = 16 << 10;

/// How many bytes of a text that others chose a line of the log shows.
const SHOWN: usize = 200;

/// What one instance sends, and by which rules. Clones share what is counted.
#[derive(Clone)]
pub(crate) struct Outgoing {
    transport: Arc<dyn Transport>,
    egress: EgressPolicy,
    timeouts: Timeouts,
    limits: Limits,
    concealed: Concealed,
    pub(crate) meter: Meter,
    noted: Arc<Mutex<Noted>>,
}

/// What is noted of the requests of the call under way.
#[derive(Default)]
struct Noted {
    /// How the latest exchange failed, in words that `wasi:http` has no place for.
    cause: Option<transport::Error>,
    /// Whether it was told that a request was denied.
    told_denied: bool,
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

    fn p2_outgoing_body_buffer_chunks(&mut self) -> usize {
        1
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        WRITTEN_AHEAD
    }

    fn send_request(
        &mut self,
        request: Request<HttpBody>,
        options: Option<RequestOptions>,
        _sent: Box<dyn Future<Output = Result<(), HttpError>> + Send>,
    ) -> Box<dyn Future<Output = Result<Sent, HttpError>> + Send> {
        let outgoing = self.clone();
        let timeouts = at_most(self.timeouts, options.unwrap_or_default());
        let place = self.meter.begin();
        let exchange = async move {
            let Some(place) = place else {
                return Err(HttpError::ConnectionLimitReached);
            };
            let request = outgoing.complete(request).await?;
            let response = outgoing.exchange(request, timeouts, place).await;
            let response = response.map_err(|error| to_wasi(&error))?;
            // The connection belongs to the transport: nothing is left to drive here.
            Ok((response, Box::new(async { Ok(()) }) as Box<_>))
        };
        Box::new(exchange.in_current_span())
    }
}

impl Outgoing {
    pub(crate) fn new(
        tenant: &Tenant,
        timeouts: Timeouts,
        limits: Limits,
        concealed: Concealed,
    ) -> Self {
        Self {
            transport: tenant.transport.clone(),
            egress: tenant.egress.clone(),
            timeouts,
            limits,
            concealed,
            meter: Meter::new(&limits),
            noted: Arc::default(),
        }
    }

    /// Forgets what was noted of earlier calls.
    pub(crate) fn begin_call(&self) {
        *self.noted() = Noted::default();
    }

    /// How the latest exchange of this call failed.
    pub(crate) fn take_cause(&self) -> Option<transport::Error> {
        self.noted().cause.take()
    }

    /// Nothing in it is left half written, so a panic elsewhere does not matter.
    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn exchange(
        self,
        mut request: Request<Bytes>,
        timeouts: Timeouts,
        place: Place,
    ) -> Result<Response<HttpBody>, transport::Error> {
        if !self.egress.allows(request.uri()) {
            self.tell_denied(&request);
            return Err(transport::Error::Denied);
        }
        self.concealed.add_credentials(request.headers());
        let agent = request.headers_mut().entry(USER_AGENT);
        agent.or_insert(HOST_AGENT);
        let method = request.method().clone();
        let path = request.uri().path().to_string();
        let start = Instant::now();
        let terms = Terms::new(timeouts, self.egress.addresses());
        let sent = self.transport.clone().send(request, terms).await;
        let outcome = sent.and_then(|response| {
            header_within(self.limits.response_header, response.headers())?;
            Ok(response)
        });
        let ms = start.elapsed().as_millis();
        match outcome {
            Ok(response) => {
                let status = response.status().as_u16();
                // Looked for secrets only where somebody listens.
                tracing::debug!(
                    method = self.shown(method.as_str()),
                    path = self.shown(&path),
                    status,
                    ms,
                    request_id = request_id(response.headers()).map(|id| self.shown(id)),
                    "answered"
                );
                Ok(response.map(|body| self.guard(body, timeouts.between_bytes, place)))
            }
            Err(error) => {
                tracing::debug!(
                    method = self.shown(method.as_str()),
                    path = self.shown(&path),
                    ms,
                    error = self.shown(&error.to_string()),
                    "not answered"
                );
                self.noted().cause = Some(error.clone());
                Err(error)
            }
        }
    }

    /// Warns of a request to another place, once for each call: a guest could go on trying.
    fn tell_denied(&self, request: &Request<Bytes>) {
        if std::mem::replace(&mut self.noted().told_denied, true) {
            return;
        }
        tracing::warn!(
            method = self.shown(request.method().as_str()),
            scheme = request.uri().scheme_str(),
            host = request.uri().host().map(|host| self.shown(host)),
            port = request.uri().port_u16(),
            allowed = %self.egress,
            "denied a request to another place than the base URL"
        );
    }

    /// A text that the guest or the other side chose, for a line of the log: short, and without secrets.
    fn shown(&self, text: &str) -> String {
        let mut shown = self.concealed.blank(text);
        if shown.len() > SHOWN {
            shown.truncate(shown.floor_char_boundary(SHOWN));
            shown.push('…');
        }
        shown
    }

    /// The body as the guest gets it: within its limits, and let go where the guest leaves it lying.
    fn guard(&self, body: Body, patience: Duration, place: Place) -> HttpBody {
        let reading = Reading::new(patience, self.limits.idle_body, self.limits.response_body);
        let outgoing = self.clone();
        let failed = move |error: transport::Error| {
            let code = to_wasi(&error);
            outgoing.noted().cause = Some(error);
            code
        };
        Guarded::new(body, reading, place)
            .map_err(failed)
            .boxed_unsync()
    }

    /// Takes in the whole request before anything is decided about it.
    ///
    /// A guest learns of a failure only once it has written its request: were the body dropped earlier, because the request is
    /// denied, or the connection refused, or just because the last byte was sent before the guest said that it was the last, then
    /// the guest's next write would fail, and without the reason.
    async fn complete(&self, request: Request<HttpBody>) -> Result<Request<Bytes>, HttpError> {
        let (head, mut body) = request.into_parts();
        let mut held = Held::new(self.meter.clone());
        while let Some(frame) = body.frame().await {
            if let Ok(data) = frame?.into_data()
                && held.take(&data).is_err()
            {
                return Err(HttpError::HttpRequestBodySize(None));
            }
        }
        Ok(Request::from_parts(head, Bytes::from_owner(held)))
    }
}

/// Counts what the requests of one instance take of the host, and says when it is too much. Clones share the count.
#[derive(Clone)]
pub(crate) struct Meter(Arc<Counted>);

struct Counted {
    most_requests: usize,
    most_bytes: usize,
    now: Mutex<Now>,
    exceeded: Notify,
}

#[derive(Default)]
struct Now {
    requests: usize,
    bytes: usize,
    reached: Option<LimitReached>,
}

impl Meter {
    fn new(limits: &Limits) -> Self {
        Self(Arc::new(Counted {
            most_requests: limits.requests,
            most_bytes: limits.request_bytes,
            now: Mutex::default(),
            exceeded: Notify::new(),
        }))
    }

    /// Ends once a limit was reached: the call has to end too, since a guest that is only told so could go on trying.
    pub(crate) async fn exceeded(&self) -> LimitReached {
        loop {
            let notified = self.0.exceeded.notified();
            if let Some(reached) = self.reached() {
                return reached;
            }
            notified.await;
        }
    }

    /// The limit that was reached, if one was.
    pub(crate) fn reached(&self) -> Option<LimitReached> {
        self.now().reached
    }

    /// Counts one more request under way; `None` where there are too many.
    fn begin(&self) -> Option<Place> {
        let mut now = self.now();
        if now.requests >= self.0.most_requests {
            self.reach(&mut now, Limit::Requests, self.0.most_requests);
            return None;
        }
        now.requests += 1;
        Some(Place(self.clone()))
    }

    fn reach(&self, now: &mut Now, limit: Limit, most: usize) -> LimitReached {
        let reached = *now.reached.get_or_insert(LimitReached { limit, most });
        self.0.exceeded.notify_one();
        reached
    }

    /// A count is never left half changed, so a panic elsewhere does not matter.
    fn now(&self) -> MutexGuard<'_, Now> {
        self.0.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of one request among those that are under way, until its answer is over.
struct Place(Meter);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.now().requests -= 1;
    }
}

/// The body of a request while the host holds it. Whoever sends it holds it too: it counts until the last of them lets go.
struct Held {
    meter: Meter,
    bytes: Vec<u8>,
}

impl Held {
    fn new(meter: Meter) -> Self {
        Self {
            meter,
            bytes: Vec::new(),
        }
    }

    fn take(&mut self, data: &[u8]) -> Result<(), LimitReached> {
        let mut now = self.meter.now();
        let most = self.meter.0.most_bytes;
        let bytes = now.bytes.saturating_add(data.len());
        if bytes > most {
            return Err(self.meter.reach(&mut now, Limit::RequestBytes, most));
        }
        now.bytes = bytes;
        self.bytes.extend_from_slice(data);
        Ok(())
    }
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.meter.now().bytes -= self.bytes.len();
    }
}

/// A guest can ask for shorter timeouts, not for longer ones.
fn at_most(own: Timeouts, asked: RequestOptions) -> Timeouts {
    let shorter =
        |own: Duration, asked: Option<Duration>| asked.map_or(own, |asked| own.min(asked));
    Timeouts::default()
        .connect(shorter(own.connect, asked.connect_timeout))
        .first_byte(shorter(own.first_byte, asked.first_byte_timeout))
        .between_bytes(shorter(own.between_bytes, asked.between_bytes_timeout))
}

/// Fails where a header is larger than it may be.
fn header_within(limit: usize, headers: &HeaderMap) -> Result<(), transport::Error> {
    let size: usize = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    if size > limit {
        let size = u32::try_from(size).ok();
        return Err(transport::Error::HeaderTooLarge { size });
    }
    Ok(())
}

/// The identifier by which the other side's support finds a request: the vendor's own header field, or the common one.
fn request_id(headers: &HeaderMap) -> Option<&str> {
    ["x-nj-request-id", "x-request-id"]
        .into_iter()
        .find_map(|name| headers.get(name)?.to_str().ok())
}

/// What `wasi:http` calls a failure. Its words are fewer than the transport's: for the rest, see [`Outgoing::take_cause`].
fn to_wasi(error: &transport::Error) -> HttpError {
    use transport::Error;
    match error {
        Error::Denied => HttpError::HttpRequestDenied,
        Error::NameNotResolved { reason } => HttpError::DnsError {
            rcode: Some(reason.clone()),
            info_code: None,
        },
        Error::AddressProhibited { .. } => HttpError::DestinationIpProhibited,
        Error::NetworkDown => HttpError::DestinationUnavailable,
        Error::Unroutable => HttpError::DestinationIpUnroutable,
        Error::ConnectionRefused => HttpError::ConnectionRefused,
        Error::ConnectionTerminated => HttpError::ConnectionTerminated,
        Error::ConnectTimeout => HttpError::ConnectionTimeout,
        Error::TooManyRequests => HttpError::ConnectionLimitReached,
        Error::Tls { .. } => HttpError::TlsProtocolError,
        Error::Certificate { .. } => HttpError::TlsCertificateError,
        Error::TlsAlert { number, name } => HttpError::TlsAlertReceived {
            alert_id: *number,
            alert_message: Some(name.clone()),
        },
        // To the guest, the host behind the proxy is what cannot be reached: now, or as long as nobody changes anything.
        Error::Proxy { passes: true, .. } => HttpError::DestinationUnavailable,
        Error::Proxy { passes: false, .. } => HttpError::ConfigurationError,
        Error::ResponseTimeout => HttpError::HttpResponseTimeout,
        Error::ReadTimeout => HttpError::ConnectionReadTimeout,
        Error::ResponseIncomplete | Error::LetGo => HttpError::HttpResponseIncomplete,
        Error::HeaderTooLarge { size } => HttpError::HttpResponseHeaderSectionSize(*size),
        Error::BodyTooLarge { size } => HttpError::HttpResponseBodySize(*size),
        Error::NotHttp => HttpError::HttpProtocolError,
        other => HttpError::InternalError(Some(other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use connector_transport::{BoxFuture, whole_body};
    use http_body_util::Full;

    use super::*;
    use crate::TenantSettings;

    /// Answers every request with the same header field of 10 bytes and the same body, and counts.
    #[derive(Default)]
    struct Echo(AtomicUsize);

    impl Transport for Echo {
        fn send(
            self: Arc<Self>,
            _request: Request<Bytes>,
            _terms: Terms,
        ) -> BoxFuture<'static, Result<Response<Body>, transport::Error>> {
            self.0.fetch_add(1, Ordering::Relaxed);
            let response = Response::builder().header("name", "values");
            let response = response.body(whole_body("0123456789"));
            Box::pin(async { Ok(response.expect("the test gives a header")) })
        }
    }

    fn outgoing(transport: Arc<Echo>, limits: Limits) -> Outgoing {
        let egress = EgressPolicy::only("https://example.com").expect("it is an https URL");
        let tenant = Tenant::new("test", TenantSettings::new(), egress).transport(transport);
        Outgoing::new(&tenant, Timeouts::default(), limits, Concealed::default())
    }

    async fn send(
        uri: &str,
        limits: Limits,
    ) -> (Result<Response<HttpBody>, transport::Error>, usize) {
        let transport = Arc::new(Echo::default());
        let outgoing = outgoing(transport.clone(), limits);
        let request = Request::get(uri)
            .body(Bytes::new())
            .expect("the test gives a URI");
        let place = outgoing.meter.begin().expect("there is room for one");
        let result = outgoing.exchange(request, Timeouts::default(), place);
        (result.await, transport.0.load(Ordering::Relaxed))
    }

    #[tokio::test]
    async fn a_request_to_another_place_is_denied_and_never_sent() {
        let (result, sent) = send("https://evil.example/", Limits::default()).await;
        assert!(matches!(result, Err(transport::Error::Denied)));
        assert_eq!(sent, 0);
    }

    #[tokio::test]
    async fn an_answer_within_the_size_limit_arrives_whole() {
        let (result, _) = send("https://example.com/", Limits::default().response_body(10)).await;
        let body = result.expect("it is allowed").into_body().collect().await;
        assert_eq!(
            body.expect("it is within the limit").to_bytes(),
            "0123456789"
        );
    }

    #[tokio::test]
    async fn an_answer_beyond_the_size_limit_is_cut_off() {
        let (result, _) = send("https://example.com/", Limits::default().response_body(9)).await;
        let body = result.expect("it is allowed").into_body().collect().await;
        assert!(matches!(
            body,
            Err(HttpError::HttpResponseBodySize(Some(10)))
        ));
    }

    #[tokio::test]
    async fn an_answer_with_a_header_beyond_the_size_limit_is_refused() {
        let (result, _) = send("https://example.com/", Limits::default().response_header(9)).await;
        assert!(matches!(
            result,
            Err(transport::Error::HeaderTooLarge { size: Some(10) })
        ));
    }

    fn request(size: usize) -> Request<HttpBody> {
        let body = Full::from(vec![0; size]).map_err(Into::into).boxed_unsync();
        Request::new(body)
    }

    #[tokio::test]
    async fn what_the_host_holds_of_requests_is_limited_for_all_of_them_together() {
        let limits = Limits::default().request_bytes(100);
        let outgoing = outgoing(Arc::default(), limits);
        let first = outgoing.complete(request(60)).await;
        let first = first.expect("it is within the limit");
        // Whoever sends it may hold a part of it for longer.
        let part = first.body().slice(0..1);
        drop(first);
        let second = outgoing.complete(request(41)).await;
        assert!(matches!(second, Err(HttpError::HttpRequestBodySize(None))));
        let reached = outgoing.meter.exceeded().await;
        assert_eq!((reached.limit, reached.most), (Limit::RequestBytes, 100));
        drop(part);
        assert!(outgoing.complete(request(100)).await.is_ok());
    }

    #[tokio::test]
    async fn requests_under_way_are_limited_and_end_with_their_answers() {
        let limits = Limits::default().requests(1);
        let outgoing = outgoing(Arc::default(), limits);
        let place = outgoing.meter.begin().expect("there is room for one");
        let get = Request::get("https://example.com/").body(Bytes::new());
        let get = get.expect("the test gives a URI");
        let answer = outgoing.clone().exchange(get, Timeouts::default(), place);
        let answer = answer.await.expect("it is answered");
        assert!(outgoing.meter.begin().is_none(), "the answer is still open");
        drop(answer);
        assert!(outgoing.meter.begin().is_some());
    }

    #[test]
    fn a_guest_can_shorten_timeouts_and_not_lengthen_them() {
        let asked = RequestOptions {
            connect_timeout: Some(Duration::from_secs(1)),
            first_byte_timeout: Some(Duration::from_secs(3600)),
            between_bytes_timeout: None,
        };
        let timeouts = at_most(Timeouts::default(), asked);
        assert_eq!(timeouts.connect, Duration::from_secs(1));
        assert_eq!(timeouts.first_byte, Duration::from_secs(45));
        assert_eq!(timeouts.between_bytes, Duration::from_secs(30));
    }
}
