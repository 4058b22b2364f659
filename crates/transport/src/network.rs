//! The transport that sends over the network: for each tenant one, with connections of its own.
//!
//! What is promised here, and not by HTTP clients in general:
//!
//! - **No tenant waits for another**, since they share no connection; and no exchange of a tenant waits for one whose body nobody
//!   reads: the windows of an HTTP/2 connection are as large as all the bodies that may be under way can fill.
//! - **A request that may not be repeated goes over a connection that carried none before.** On one that lay idle it could meet
//!   the server just as it closes the connection, and nobody could tell whether it was carried out.
//! - **A request that does no harm twice is sent twice in that case**, over a new connection, and only if nothing of the answer
//!   had come.

mod arriving;
mod connect;
mod connection;
mod pool;

use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response, Version};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use self::arriving::Arriving;
use self::connect::Connector;
use self::connection::{Connection, Failure};
use self::pool::{Lease, Pool, Target};
use crate::egress::Origin;
use crate::time::after;
use crate::{Body, BoxFuture, Error, ExtraRoots, Proxy, Resolve, Terms, Transport};

/// How many exchanges of a [`Network`] may be under way, from before there is a connection to the end of the body.
const AT_A_TIME: u32 = 64;

/// Sends over the network, with a pool of connections, HTTP/2 where the server has it, TLS 1.2 or later, and the operating
/// system's trust in certificates.
///
/// A network belongs to one tenant: its connections, certificate authorities, proxy and limits are that tenant's, and what one
/// tenant does holds up no other. At most 64 exchanges are under way at a time, the bodies that nobody has read to their end
/// included; one more waits as long as it may wait for a connection, and then fails as [`Error::TooManyRequests`].
///
/// It lives in one tokio runtime, with its connections. Dropping it closes those that are idle.
pub struct Network {
    connector: Connector,
    pool: Arc<Pool>,
    places: Arc<Semaphore>,
}

/// How to set up a [`Network`].
///
/// ```
/// use connector_transport::{Network, NetworkOptions, Proxy};
///
/// let options = NetworkOptions::default().proxy(Proxy::from_env()?);
/// let network = Network::with(options);
/// # Ok::<(), connector_transport::ProxyError>(())
/// ```
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct NetworkOptions {
    extra_roots: ExtraRoots,
    resolver: Option<Arc<dyn Resolve>>,
    proxy: Proxy,
}

impl NetworkOptions {
    /// With certificate authorities to trust beside those of the operating system. Default: none.
    #[must_use]
    pub fn extra_roots(self, extra_roots: ExtraRoots) -> Self {
        Self {
            extra_roots,
            ..self
        }
    }

    /// With this to look up the names of hosts. Default: the operating system.
    #[must_use]
    pub fn resolver(self, resolver: Arc<dyn Resolve>) -> Self {
        Self {
            resolver: Some(resolver),
            ..self
        }
    }

    /// With this proxy. Default: none, whatever the environment says; see [`Proxy::from_env`].
    #[must_use]
    pub fn proxy(self, proxy: Proxy) -> Self {
        Self { proxy, ..self }
    }
}

impl Network {
    /// With the operating system's trust and name resolution, and without a proxy. Opens no connection yet.
    pub fn new() -> Self {
        Self::with(NetworkOptions::default())
    }

    /// With these options. Opens no connection yet.
    pub fn with(options: NetworkOptions) -> Self {
        Self {
            connector: Connector::new(options),
            pool: Arc::new(Pool::default()),
            places: Arc::new(Semaphore::new(AT_A_TIME as usize)),
        }
    }

    async fn exchange(
        &self,
        request: Request<Bytes>,
        terms: Terms,
    ) -> Result<Response<Body>, Error> {
        let target = Target {
            origin: Origin::of(request.uri()).ok_or(Error::Denied)?,
            addresses: terms.addresses,
        };
        // It would make a tunnel of the connection, and there is nobody to use one.
        if request.method() == Method::CONNECT {
            return Err(Error::Denied);
        }
        let connect_by = after(terms.timeouts.connect);
        let place = timeout_at(connect_by, self.places.clone().acquire_owned())
            .await
            .map_err(|_| Error::TooManyRequests)?
            .expect("it is never closed");
        let is_safe = is_safe(request.method());
        let (response, connection) = if is_safe {
            self.send_safe(&target, request, terms, connect_by).await?
        } else {
            let connection = self.connector.connect(&target, connect_by).await?;
            let first_byte_by = after(terms.timeouts.first_byte);
            let answered = answer_of(connection, request, first_byte_by).await;
            let (response, connection) = answered.map_err(|failure| failure.error)?;
            // From now on it may carry what can be repeated.
            self.pool.share(&target, &connection);
            (response, connection)
        };
        let lease = Lease::new(self.pool.clone(), target, connection, !is_safe);
        let is_http2 = response.version() == Version::HTTP_2;
        Ok(response.map(|body| Arriving::new(body, is_http2, (lease, place)).boxed_unsync()))
    }

    /// Sends a request that does no harm twice: over a connection that is there, if one is, and where that turns out to be dead
    /// once more over a new one.
    async fn send_safe(
        &self,
        target: &Target,
        request: Request<Bytes>,
        terms: Terms,
        connect_by: Instant,
    ) -> Result<(Response<Incoming>, Connection), Error> {
        let connection = self.connection(target, connect_by).await?;
        let first_byte_by = after(terms.timeouts.first_byte);
        let error = match answer_of(connection, request.clone(), first_byte_by).await {
            Ok(answered) => return Ok(answered),
            Err(failure) if !failure.was_dead => return Err(failure.error),
            Err(failure) => failure.error,
        };
        tracing::debug!(%error, "the connection was dead; the request is sent again over a new one");
        let connect_by = after(terms.timeouts.connect).min(first_byte_by);
        let connection = self.connector.connect(target, connect_by).await?;
        self.pool.share(target, &connection);
        let answered = answer_of(connection, request, first_byte_by).await;
        answered.map_err(|failure| failure.error)
    }

    /// A connection for a request that may meet one that is dead: one that is there, or becomes free while a new one is made.
    async fn connection(&self, target: &Target, by: Instant) -> Result<Connection, Error> {
        let mut connecting = pin!(self.connector.connect(target, by));
        loop {
            let mut freed = pin!(self.pool.freed());
            // From here on, so that none is missed that is freed after the look into the pool.
            freed.as_mut().enable();
            if let Some(connection) = self.pool.take(target) {
                return Ok(connection);
            }
            tokio::select! {
                connected = &mut connecting => {
                    let connection = connected?;
                    self.pool.share(target, &connection);
                    return Ok(connection);
                }
                () = freed => {}
            }
        }
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
        Box::pin(async move { self.exchange(request, terms).await })
    }
}

/// Sends a request, and gives the head of its answer and the connection that the body comes over.
async fn answer_of(
    connection: Connection,
    request: Request<Bytes>,
    by: Instant,
) -> Result<(Response<Incoming>, Connection), Failure> {
    let in_time = timeout_at(by, connection.send(request)).await;
    in_time.unwrap_or(Err(Failure {
        error: Error::ResponseTimeout,
        was_dead: false,
    }))
}

/// Whether a request asks for nothing to be changed (RFC 9110 §9.2.1), so that it does no harm twice.
fn is_safe(method: &Method) -> bool {
    // `http` calls just those safe: GET, HEAD, OPTIONS, TRACE.
    method.is_safe()
}

#[cfg(test)]
mod dying_tests;
#[cfg(test)]
mod http2_tests;
#[cfg(test)]
mod proxy_tests;
#[cfg(test)]
mod tests;
