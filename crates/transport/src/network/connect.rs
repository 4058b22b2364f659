//! From where a request goes to a connection: name, TCP, a proxy where there is one, TLS, and the HTTP that both sides speak.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use http::uri::Scheme;
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tower_service::Service as _;

use super::NetworkOptions;
use super::connection::{Connection, Stream};
use super::pool::Target;
use crate::classify::{Phase, classify, describe};
use crate::egress::{Origin, Rule, literal};
use crate::proxy::{Server, tunnel};
use crate::resolve::{Guarded, Lookups, System};
use crate::{Error, ExtraRoots, Proxy};

/// How long an HTTP/2 connection may be silent while an answer is waited for, before the other side is asked whether it is still
/// there, and how long it then has to say so. Together less than the usual wait for an answer: a connection that is dead would
/// otherwise outlive the request that found out, and keep the next ones waiting too.
const SILENCE: Duration = Duration::from_secs(15);

/// After how long of silence, how often and how many times TCP asks whether the other side is still there. So that a firewall
/// in between does not forget the connection, and an answer that takes its time is told from one that never comes.
const KEEPALIVE: (Duration, Duration, u32) = (Duration::from_secs(20), Duration::from_secs(10), 3);

pub(super) struct Connector {
    lookups: Arc<Lookups>,
    proxy: Proxy,
    extra_roots: ExtraRoots,
    /// Made at the first `https` request, because reading the certificate store takes a while, and may fail.
    tls: OnceCell<Arc<ClientConfig>>,
    pub(super) silence: Duration,
}

impl Connector {
    pub(super) fn new(options: NetworkOptions) -> Self {
        let resolver = options.resolver.unwrap_or_else(|| Arc::new(System));
        Self {
            lookups: Arc::new(Lookups::new(resolver)),
            proxy: options.proxy,
            extra_roots: options.extra_roots,
            tls: OnceCell::new(),
            silence: SILENCE,
        }
    }

    /// Makes a connection that has carried no request yet.
    pub(super) async fn connect(&self, target: &Target, by: Instant) -> Result<Connection, Error> {
        let Target { origin, addresses } = target;
        let rule = Rule::Tenant(*addresses);
        if !rule.allows_host(&origin.host) {
            tracing::warn!(
                host = origin.host,
                "denied a connection to a host that a tenant cannot be"
            );
            let address = literal(&origin.host);
            return Err(Error::AddressProhibited { address });
        }
        let stream: Box<dyn Stream> = match self.proxy.to(origin) {
            Some(proxy) => self.through(proxy, origin, by).await?,
            None => Box::new(self.tcp(&origin.host, origin.port, rule, by).await?),
        };
        if !origin.tls {
            return within(by, Connection::http1(stream)).await;
        }
        let config = self.tls().await?;
        let stream = tls(config, &origin.host, stream, by).await?;
        match stream.get_ref().1.alpn_protocol() {
            Some(b"h2") => within(by, Connection::http2(stream, self.silence)).await,
            _ => within(by, Connection::http1(stream)).await,
        }
    }

    async fn tcp(
        &self,
        host: &str,
        port: u16,
        rule: Rule,
        by: Instant,
    ) -> Result<TcpStream, Error> {
        let (time, interval, retries) = KEEPALIVE;
        let mut connector = HttpConnector::new_with_resolver(Guarded {
            lookups: self.lookups.clone(),
            rule,
        });
        connector.set_nodelay(true);
        connector.set_keepalive(Some(time));
        connector.set_keepalive_interval(Some(interval));
        connector.set_keepalive_retries(Some(retries));
        // It is for all addresses of the host together, each of which gets its share.
        connector.set_connect_timeout(Some(by.saturating_duration_since(Instant::now())));
        let uri = Uri::builder()
            .scheme(Scheme::HTTP)
            .authority(format!("{host}:{port}"))
            .path_and_query("/")
            .build()
            .map_err(|error| Error::Internal {
                reason: error.to_string(),
            })?;
        Ok(within(by, connector.call(uri)).await?.into_inner())
    }

    /// A way to the host through a proxy.
    async fn through(
        &self,
        proxy: &Server,
        origin: &Origin,
        by: Instant,
    ) -> Result<Box<dyn Stream>, Error> {
        let mut stream = self
            .to_proxy(proxy, by)
            .await
            .map_err(|error| tunnel::unreachable(proxy, &error))?;
        let opened = timeout_at(by, tunnel::open(&mut stream, proxy, origin)).await;
        opened.map_err(|_| tunnel::silent(proxy))??;
        Ok(stream)
    }

    async fn to_proxy(&self, proxy: &Server, by: Instant) -> Result<Box<dyn Stream>, Error> {
        let (host, port) = (&proxy.host, proxy.port);
        if !Rule::Proxy.allows_host(host) {
            let address = literal(host);
            return Err(Error::AddressProhibited { address });
        }
        let stream = self.tcp(host, port, Rule::Proxy, by).await?;
        if !proxy.tls {
            return Ok(Box::new(stream));
        }
        let mut config = ClientConfig::clone(&*self.tls().await?);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Box::new(tls(Arc::new(config), host, stream, by).await?))
    }

    async fn tls(&self) -> Result<Arc<ClientConfig>, Error> {
        let config = self.tls.get_or_try_init(|| async {
            let extra_roots = self.extra_roots.clone();
            // It reads files.
            let made = tokio::task::spawn_blocking(move || extra_roots.client_config()).await;
            let failed = |reason: String| Error::Internal {
                reason: format!("TLS cannot be set up: {reason}"),
            };
            made.map_err(|error| failed(error.to_string()))?
                .map(Arc::new)
                .map_err(|error| failed(error.to_string()))
        });
        config.await.cloned()
    }
}

async fn tls<S: Stream>(
    config: Arc<ClientConfig>,
    host: &str,
    stream: S,
    by: Instant,
) -> Result<tokio_rustls::client::TlsStream<S>, Error> {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let name = ServerName::try_from(host.to_owned()).map_err(|error| failed(&error))?;
    within(by, TlsConnector::from(config).connect(name, stream)).await
}

/// What comes of it in time, or what that says of the connection.
async fn within<T, E>(by: Instant, step: impl Future<Output = Result<T, E>>) -> Result<T, Error>
where
    E: std::error::Error + 'static,
{
    match timeout_at(by, step).await {
        Ok(made) => made.map_err(|error| failed(&error)),
        Err(_) => Err(Error::ConnectTimeout),
    }
}

fn failed(error: &(dyn std::error::Error + 'static)) -> Error {
    tracing::debug!(cause = describe(error), "no connection was made");
    classify(error, Phase::Head)
}
