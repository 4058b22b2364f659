//! The transport that sends over the network: one pool of connections for all instances of the process.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::uri::Scheme;
use http::{Request, Response, Version};
use http_body::{Frame, SizeHint};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::{Connect, HttpConnector, capture_connection};
use hyper_util::client::legacy::{Builder, Client};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::ClientConfig;
use rustls::crypto::ring;
use rustls_platform_verifier::Verifier;
use tokio::sync::OnceCell;
use tokio::time::timeout;

use crate::classify::{Phase, classify, describe};
use crate::resolve::{Guarded, System};
use crate::{Body, BoxFuture, Error, ExtraRoots, Resolve, Terms, Timeouts, Transport};

/// How many bytes of a header are taken in at all. The limit of an instance is smaller as a rule, and says more when it is
/// reached; this one is there because that one is checked only once the header has come.
const HEADER_LIMIT: u32 = 256 << 10;

/// How long an HTTP/2 connection may be silent while an answer is waited for, before the other side is asked whether it is still
/// there, and how long it then has to say so. Together less than the usual wait for an answer: a connection that is dead would
/// otherwise outlive the request that found out, and keep the next ones waiting too.
const SILENCE: Duration = Duration::from_secs(15);

type Tcp = HttpConnector<Guarded>;

/// Sends over the network, with a pool of connections, HTTP/2 where the server has it, TLS 1.2 or later, and the operating
/// system's trust in certificates.
///
/// Use one for all connectors of a process, and within one tokio runtime: its connections live there.
pub struct Network {
    options: NetworkOptions,
    plain: Client<Tcp, Full<Bytes>>,
    /// Made at the first `https` request, because reading the certificate store takes a while, and may fail.
    tls: OnceCell<Client<HttpsConnector<Tcp>, Full<Bytes>>>,
}

/// How to set up a [`Network`].
#[derive(Clone, Default)]
pub struct NetworkOptions {
    /// Certificate authorities to trust beside those of the operating system. Default: none.
    pub extra_roots: ExtraRoots,
    /// What looks up the names of hosts. `None`: the operating system.
    pub resolver: Option<Arc<dyn Resolve>>,
}

impl NetworkOptions {
    /// Stub.
    pub fn extra_roots(self, extra_roots: ExtraRoots) -> Self {
        Self {
            extra_roots,
            ..self
        }
    }
    /// Stub.
    pub fn resolver(self, resolver: Arc<dyn Resolve>) -> Self {
        Self {
            resolver: Some(resolver),
            ..self
        }
    }
}

impl Network {
    /// With the operating system's trust and name resolution. Opens no connection yet.
    pub fn new() -> Self {
        Self::with(NetworkOptions::default())
    }

    /// With these options. Opens no connection yet.
    pub fn with(options: NetworkOptions) -> Self {
        Self {
            plain: pooled(tcp(&options)),
            tls: OnceCell::new(),
            options,
        }
    }

    async fn tls(&self) -> Result<&Client<HttpsConnector<Tcp>, Full<Bytes>>, Error> {
        self.tls
            .get_or_try_init(|| async {
                let config =
                    tls_config(&self.options.extra_roots).map_err(|error| Error::Internal {
                        reason: format!("TLS cannot be set up: {error}"),
                    })?;
                let connector = HttpsConnectorBuilder::new()
                    .with_tls_config(config)
                    .https_only()
                    .enable_all_versions()
                    .wrap_connector(tcp(&self.options));
                Ok(pooled(connector))
            })
            .await
    }
}

impl Default for Network {
    fn default() -> Self {
        Self::new()
    }
}

impl Transport for Network {
    fn send(
        self: Arc<Self>,
        request: Request<Bytes>,
        terms: Terms,
    ) -> BoxFuture<'static, Result<Response<Body>, Error>> {
        Box::pin(async move {
            if request.uri().scheme() == Some(&Scheme::HTTPS) {
                send(self.tls().await?, request, terms.timeouts).await
            } else {
                send(&self.plain, request, terms.timeouts).await
            }
        })
    }
}

async fn send<C>(
    client: &Client<C, Full<Bytes>>,
    request: Request<Bytes>,
    timeouts: Timeouts,
) -> Result<Response<Body>, Error>
where
    C: Connect + Clone + Send + Sync + 'static,
{
    let mut request = request.map(Full::new);
    let mut connection = capture_connection(&mut request);
    let mut response = client.request(request);
    let connected = async {
        tokio::select! {
            response = &mut response => Some(response),
            _ = connection.wait_for_connection_metadata() => None,
        }
    };
    let answered = match timeout(timeouts.connect, connected).await {
        Err(_) => return Err(Error::ConnectTimeout),
        Ok(Some(response)) => response,
        Ok(None) => timeout(timeouts.first_byte, response)
            .await
            .map_err(|_| Error::ResponseTimeout)?,
    };
    let response = answered.map_err(|error| {
        tracing::debug!(cause = describe(&error), "the exchange failed");
        classify(&error, Phase::Head)
    })?;
    let ends_with_stream = response.version() == Version::HTTP_2;
    Ok(response.map(|body| {
        let whole = Whole {
            body,
            ends_with_stream,
        };
        whole.boxed_unsync()
    }))
}

/// The body of an answer that is not taken for whole when a server resets an HTTP/2 stream in the middle of it and calls that no
/// error. To hyper that is an end like any other.
struct Whole {
    body: Incoming,
    ends_with_stream: bool,
}

impl http_body::Body for Whole {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        Poll::Ready(match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
            Some(Ok(frame)) => Some(Ok(frame)),
            Some(Err(error)) => Some(Err(classify(&error, Phase::Body))),
            None if self.ends_with_stream && !self.body.is_end_stream() => {
                Some(Err(Error::ResponseIncomplete))
            }
            None => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A client with a connection pool of its own. It repeats a request only where a pooled connection turns out to be closed
/// before any of the request was written.
fn pooled<C: Connect + Clone>(connector: C) -> Client<C, Full<Bytes>> {
    builder(SILENCE).build(connector)
}

fn builder(silence: Duration) -> Builder {
    let mut builder = Client::builder(TokioExecutor::new());
    builder
        .pool_timer(TokioTimer::new())
        .timer(TokioTimer::new())
        .http1_max_buf_size(HEADER_LIMIT as usize)
        .http2_max_header_list_size(HEADER_LIMIT)
        .http2_keep_alive_interval(silence)
        .http2_keep_alive_timeout(silence);
    builder
}

fn tcp(options: &NetworkOptions) -> Tcp {
    let resolver = options.resolver.clone().unwrap_or_else(|| Arc::new(System));
    let mut connector = HttpConnector::new_with_resolver(Guarded(resolver));
    connector.set_nodelay(true);
    // TLS wraps this connector, and hands it `https` URIs.
    connector.enforce_http(false);
    connector
}

fn tls_config(extra_roots: &ExtraRoots) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let verifier = Verifier::new_with_extra_roots(extra_roots.certificates(), provider.clone())?;
    // The builder calls every verifier of one's own dangerous. This one asks the operating system.
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth())
}

#[cfg(test)]
mod http2_tests;

#[cfg(test)]
mod tests {
    use std::io;
    use std::net::{IpAddr, Ipv4Addr};
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::io::AsyncWriteExt;
    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::Addresses;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    /// A domain of its own, in which every name has the same addresses. Counts the questions.
    #[derive(Default)]
    struct Domain {
        addresses: Vec<IpAddr>,
        asked: AtomicUsize,
    }

    impl Resolve for Domain {
        fn resolve<'a>(&'a self, _: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            Box::pin(async { Ok(self.addresses.clone()) })
        }
    }

    fn domain(addresses: &[IpAddr]) -> Arc<Domain> {
        Arc::new(Domain {
            addresses: addresses.to_vec(),
            ..Domain::default()
        })
    }

    /// Serves one connection on this computer, and gives its port.
    async fn serve<F>(answer: impl FnOnce(TcpStream) -> F + Send + 'static) -> u16
    where
        F: Future<Output = ()> + Send,
    {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("there is a free port");
        let port = listener.local_addr().expect("it is bound").port();
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.expect("the test connects");
            answer(stream).await;
        });
        port
    }

    /// Reads the request and answers with these bytes, whatever they are.
    async fn answer(stream: TcpStream, bytes: &[u8]) {
        read_request(&stream).await;
        stream.writable().await.expect("the answer is waited for");
        stream.try_write(bytes).expect("the answer fits the buffer");
    }

    /// To close with the request unread would reset the connection, and to answer before it has come breaks the protocol.
    async fn read_request(stream: &TcpStream) {
        // Being readable may turn out to be a false alarm.
        while stream.try_read(&mut [0; 4096]).is_err() {
            stream.readable().await.expect("the request comes");
        }
    }

    async fn get(url: &str) -> Result<Bytes, Error> {
        get_over(Network::new(), url).await
    }

    async fn get_in(domain: Arc<Domain>, url: &str) -> Result<Bytes, Error> {
        let options = NetworkOptions {
            resolver: Some(domain),
            ..NetworkOptions::default()
        };
        get_over(Network::with(options), url).await
    }

    async fn get_over(network: Network, url: &str) -> Result<Bytes, Error> {
        let request = Request::get(url)
            .body(Bytes::new())
            .expect("the test gives a URL");
        let timeouts = Timeouts {
            connect: Duration::from_secs(5),
            first_byte: Duration::from_millis(100),
            between_bytes: Duration::from_secs(5),
        };
        let response = Arc::new(network)
            .send(request, Terms::new(timeouts, Addresses::Any))
            .await?;
        Ok(response.into_body().collect().await?.to_bytes())
    }

    #[tokio::test]
    async fn an_answer_arrives_whole() {
        let port = serve(|stream| async move {
            answer(stream, b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello").await
        })
        .await;
        let body = get(&format!("http://127.0.0.1:{port}/")).await;
        assert_eq!(body.expect("it is answered"), "hello");
    }

    #[tokio::test]
    async fn nobody_listens() {
        let port = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("there is a free port")
            .local_addr();
        let port = port.expect("it was bound").port();
        let error = get(&format!("http://127.0.0.1:{port}/")).await;
        assert!(matches!(error, Err(Error::ConnectionRefused)), "{error:?}");
    }

    #[tokio::test]
    async fn the_connection_closes_without_an_answer() {
        let port = serve(|stream| async move { answer(stream, b"").await }).await;
        let error = get(&format!("http://127.0.0.1:{port}/")).await;
        assert!(
            matches!(error, Err(Error::ConnectionTerminated)),
            "{error:?}"
        );
    }

    #[tokio::test]
    async fn the_connection_closes_within_the_answer() {
        let port = serve(|stream| async move {
            answer(stream, b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhe").await
        })
        .await;
        let error = get(&format!("http://127.0.0.1:{port}/")).await;
        assert!(matches!(error, Err(Error::ResponseIncomplete)), "{error:?}");
    }

    #[tokio::test]
    async fn the_answer_is_not_http() {
        let port =
            serve(|stream| async move { answer(stream, b"SSH-2.0-OpenSSH\r\n\r\n").await }).await;
        let error = get(&format!("http://127.0.0.1:{port}/")).await;
        assert!(matches!(error, Err(Error::NotHttp)), "{error:?}");
    }

    #[tokio::test]
    async fn no_answer_comes_in_time() {
        let port = serve(|stream| async move {
            let _stream = stream;
            std::future::pending().await
        })
        .await;
        let error = get(&format!("http://127.0.0.1:{port}/")).await;
        assert!(matches!(error, Err(Error::ResponseTimeout)), "{error:?}");
    }

    #[tokio::test]
    async fn a_name_that_does_not_exist_is_told_from_a_host_that_does_not_answer() {
        let error = get("http://name.invalid/").await;
        assert!(
            matches!(error, Err(Error::NameNotResolved { .. })),
            "{error:?}"
        );
    }

    #[tokio::test]
    async fn a_name_that_leads_to_this_computer_is_refused_and_nothing_connects() {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("there is a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let elsewhere = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
        for addresses in [&[HERE][..], &[elsewhere, HERE]] {
            for scheme in ["http", "https"] {
                let url = format!("{scheme}://tenant.example:{port}/");
                let error = get_in(domain(addresses), &url).await;
                assert!(
                    matches!(error, Err(Error::AddressProhibited { address: None })),
                    "{error:?}"
                );
            }
        }
        let nobody = timeout(Duration::from_millis(50), listener.accept()).await;
        assert!(nobody.is_err(), "{nobody:?}");
    }

    #[tokio::test]
    async fn localhost_is_refused_elsewhere_and_reached_here() {
        let elsewhere = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
        let error = get_in(domain(&[elsewhere]), "http://localhost/").await;
        assert!(
            matches!(error, Err(Error::AddressProhibited { address: None })),
            "{error:?}"
        );

        let port = serve(|stream| async move {
            answer(stream, b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello").await
        })
        .await;
        let domain = domain(&[HERE]);
        let body = get_in(domain.clone(), &format!("http://localhost:{port}/")).await;
        assert_eq!(body.expect("it is answered"), "hello");
        // What was checked is what was connected to: a second question might have had another answer.
        assert_eq!(domain.asked.load(Ordering::Relaxed), 1);
    }

    /// Besides decimals with dots, operating systems take numbers of other kinds for addresses, which look like names.
    #[cfg(unix)]
    #[tokio::test]
    async fn an_address_in_disguise_is_refused() {
        for host in ["2130706433", "0x7f000001", "127.1", "2852039166"] {
            let error = get(&format!("http://{host}/")).await;
            assert!(
                matches!(error, Err(Error::AddressProhibited { address: None })),
                "{host}: {error:?}"
            );
        }
    }

    #[tokio::test]
    async fn a_name_without_an_address_is_told_as_such() {
        let error = get_in(domain(&[]), "http://tenant.example/").await;
        assert!(
            matches!(error, Err(Error::NameNotResolved { .. })),
            "{error:?}"
        );
    }

    /// Answers with a header that has these bytes again and again in it until nobody takes them any more, and counts them.
    async fn endless_header(part: &'static [u8]) -> (Result<Bytes, Error>, usize) {
        let (sent, taken) = tokio::sync::oneshot::channel();
        let port = serve(async move |mut stream: TcpStream| {
            read_request(&stream).await;
            let start = b"HTTP/1.1 200 OK\r\nx-filler: ";
            stream.write_all(start).await.expect("it is waited for");
            let mut bytes = 0;
            while let Ok(written) = stream.write(part).await {
                bytes += written;
            }
            sent.send(bytes).expect("the test waits for it");
        })
        .await;
        let outcome = get(&format!("http://127.0.0.1:{port}/")).await;
        (outcome, taken.await.expect("the server ends"))
    }

    #[tokio::test]
    async fn a_header_without_an_end_is_cut_off() {
        let many_lines = b"0123456789\r\nx-filler: ".repeat(1000).leak();
        let one_line = b"0123456789".repeat(1000).leak();
        for part in [&*many_lines, &*one_line] {
            let (outcome, taken) = endless_header(part).await;
            assert!(
                matches!(outcome, Err(Error::HeaderTooLarge { .. })),
                "{outcome:?}"
            );
            // Beyond the limit there is what the operating system buffers for both sides.
            assert!(taken < 32 << 20, "{taken} bytes");
        }
    }

    #[tokio::test]
    async fn a_header_is_taken_in_up_to_the_limit() {
        let with = async |size: usize| {
            let port = serve(async move |mut stream: TcpStream| {
                read_request(&stream).await;
                let filler = "x".repeat(size);
                let head =
                    format!("HTTP/1.1 200 OK\r\nx-filler: {filler}\r\ncontent-length: 0\r\n\r\n");
                // In small pieces: what comes at once is read at once, some of it beyond the limit.
                for piece in head.as_bytes().chunks(4096) {
                    // Where it is too large, nobody waits for the rest.
                    let _ = stream.write_all(piece).await;
                    tokio::task::yield_now().await;
                }
            })
            .await;
            get(&format!("http://127.0.0.1:{port}/")).await
        };
        let limit = HEADER_LIMIT as usize;
        let within = with(limit - 1024).await;
        assert!(within.is_ok(), "{within:?}");
        let beyond = with(limit + (32 << 10)).await;
        assert!(
            matches!(beyond, Err(Error::HeaderTooLarge { .. })),
            "{beyond:?}"
        );
    }
}
