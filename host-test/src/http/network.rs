//! The transport that sends over the network: one pool of connections for all instances of the process.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::uri::Scheme;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::dns::{GaiAddrs, GaiResolver, Name};
use hyper_util::client::legacy::connect::{Connect, HttpConnector, capture_connection};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::sync::OnceCell;
use tokio::time::timeout;
use tower_service::Service;

use super::classify::{Phase, classify};
use super::{HttpBody, HttpError, Timeouts, Transport};
use crate::BoxFuture;

type Tcp = HttpConnector<Resolver>;

/// Sends over the network, with a pool of connections, HTTP/2 where the server has it, TLS 1.2 or later, and the operating
/// system's trust in certificates.
///
/// Use one for all connectors of a process, and within one tokio runtime: its connections live there.
pub struct Network {
    plain: Client<Tcp, Full<Bytes>>,
    /// Made at the first `https` request, because reading the certificate store takes a while, and may fail.
    tls: OnceCell<Client<HttpsConnector<Tcp>, Full<Bytes>>>,
}

impl Network {
    /// Opens no connection yet.
    pub fn new() -> Self {
        Self {
            plain: pooled(tcp()),
            tls: OnceCell::new(),
        }
    }

    async fn tls(&self) -> Result<&Client<HttpsConnector<Tcp>, Full<Bytes>>, HttpError> {
        self.tls
            .get_or_try_init(|| async {
                let config = tls_config().map_err(|error| {
                    HttpError::InternalError(Some(format!("TLS cannot be set up: {error}")))
                })?;
                let connector = HttpsConnectorBuilder::new()
                    .with_tls_config(config)
                    .https_only()
                    .enable_all_versions()
                    .wrap_connector(tcp());
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
        timeouts: Timeouts,
    ) -> BoxFuture<'static, Result<Response<HttpBody>, HttpError>> {
        Box::pin(async move {
            if request.uri().scheme() == Some(&Scheme::HTTPS) {
                send(self.tls().await?, request, timeouts).await
            } else {
                send(&self.plain, request, timeouts).await
            }
        })
    }
}

async fn send<C>(
    client: &Client<C, Full<Bytes>>,
    request: Request<Bytes>,
    timeouts: Timeouts,
) -> Result<Response<HttpBody>, HttpError>
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
        Err(_) => return Err(HttpError::ConnectionTimeout),
        Ok(Some(response)) => response,
        Ok(None) => timeout(timeouts.first_byte, response)
            .await
            .map_err(|_| HttpError::HttpResponseTimeout)?,
    };
    let response = answered.map_err(|error| classify(&error, Phase::Head))?;
    Ok(response.map(|body| {
        body.map_err(|error| classify(&error, Phase::Body))
            .boxed_unsync()
    }))
}

/// A client with a connection pool of its own. It repeats a request only where a pooled connection turns out to be closed
/// before any of the request was written.
fn pooled<C: Connect + Clone>(connector: C) -> Client<C, Full<Bytes>> {
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .timer(TokioTimer::new())
        .build(connector)
}

fn tcp() -> Tcp {
    let mut connector = HttpConnector::new_with_resolver(Resolver(GaiResolver::new()));
    connector.set_nodelay(true);
    // TLS wraps this connector, and hands it `https` URIs.
    connector.enforce_http(false);
    connector
}

fn tls_config() -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_platform_verifier()?
        .with_no_client_auth())
}

/// The operating system's name resolution. A failure is marked, since it looks like any other failure to connect.
#[derive(Clone)]
struct Resolver(GaiResolver);

/// A name could not be resolved.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct ResolveError(io::Error);

impl Service<Name> for Resolver {
    type Response = GaiAddrs;
    type Error = ResolveError;
    type Future = BoxFuture<'static, Result<GaiAddrs, ResolveError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ResolveError>> {
        self.0.poll_ready(cx).map_err(ResolveError)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let addresses = self.0.call(name);
        Box::pin(async { addresses.await.map_err(ResolveError) })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::net::{TcpListener, TcpStream};

    use super::*;

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
        // To close with the request unread would reset the connection. Being readable may turn out to be a false alarm.
        while stream.try_read(&mut [0; 4096]).is_err() {
            stream.readable().await.expect("the request comes");
        }
        stream.writable().await.expect("the answer is waited for");
        stream.try_write(bytes).expect("the answer fits the buffer");
    }

    async fn get(url: &str) -> Result<Bytes, HttpError> {
        let request = Request::get(url)
            .body(Bytes::new())
            .expect("the test gives a URL");
        let timeouts = Timeouts {
            connect: Duration::from_secs(5),
            first_byte: Duration::from_millis(100),
            between_bytes: Duration::from_secs(5),
        };
        let response = Arc::new(Network::new()).send(request, timeouts).await?;
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
        assert!(
            matches!(error, Err(HttpError::ConnectionRefused)),
            "{error:?}"
        );
    }

    #[tokio::test]
    async fn the_connection_closes_without_an_answer() {
        let port = serve(|stream| async move { answer(stream, b"").await }).await;
        let error = get(&format!("http://127.0.0.1:{port}/")).await;
        assert!(
            matches!(error, Err(HttpError::ConnectionTerminated)),
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
        assert!(
            matches!(error, Err(HttpError::HttpResponseIncomplete)),
            "{error:?}"
        );
    }

    #[tokio::test]
    async fn the_answer_is_not_http() {
        let port =
            serve(|stream| async move { answer(stream, b"SSH-2.0-OpenSSH\r\n\r\n").await }).await;
        let error = get(&format!("http://127.0.0.1:{port}/")).await;
        assert!(
            matches!(error, Err(HttpError::HttpProtocolError)),
            "{error:?}"
        );
    }

    #[tokio::test]
    async fn no_answer_comes_in_time() {
        let port = serve(|stream| async move {
            let _stream = stream;
            std::future::pending().await
        })
        .await;
        let error = get(&format!("http://127.0.0.1:{port}/")).await;
        assert!(
            matches!(error, Err(HttpError::HttpResponseTimeout)),
            "{error:?}"
        );
    }

    #[tokio::test]
    async fn a_name_that_does_not_exist_is_told_from_a_host_that_does_not_answer() {
        let error = get("http://name.invalid/").await;
        assert!(
            matches!(error, Err(HttpError::DnsError { .. })),
            "{error:?}"
        );
    }
}
