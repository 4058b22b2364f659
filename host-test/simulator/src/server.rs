//! The server below the routes: takes connections in, with TLS or without, and counts them.

use std::{
    convert::Infallible,
    future::Future,
    io,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body, response::Response};
use http::{Request, Version};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::{conn::auto, graceful::GracefulShutdown, graceful::Watcher},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use tower_service::Service as _;

use super::Shared;

/// How many streams an HTTP/2 client may have open at a time: what load balancers usually allow.
const STREAMS: u32 = 128;
/// How long a client may take over its TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long to wait where no connection can be taken in, as a rule because this process has too many open.
const PAUSE: Duration = Duration::from_millis(100);

/// How many connections a simulator has had.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Connections {
    /// All that were taken in.
    pub accepted: u64,
    /// Those whose TLS handshake succeeded: the client trusted the certificate.
    pub tls: u64,
    /// Those over which a request came by HTTP/2.
    pub http2: u64,
    /// Those that are open now.
    pub open: u64,
}

/// The number of the connection over which a request came; an extension of the request.
#[derive(Debug, Clone, Copy)]
pub(super) struct ConnectionNumber(pub(super) u64);

/// What every connection is served with.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) shared: Arc<Shared>,
    pub(super) routes: Router,
    /// `None`: without TLS.
    pub(super) tls: Option<TlsAcceptor>,
}

impl Server {
    /// Takes connections in until `stopped` is over, and then lets the requests under way end.
    pub(super) async fn run(self, listener: TcpListener, stopped: impl Future<Output = ()>) {
        let graceful = GracefulShutdown::new();
        let mut stopped = pin!(stopped);
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = &mut stopped => break,
            };
            match accepted {
                Ok((stream, _)) => {
                    let connection = Connection::new(&self.shared);
                    tokio::spawn(self.clone().handle(stream, connection, graceful.watcher()));
                }
                Err(error) => {
                    tracing::warn!(%error, "the simulator cannot take a connection in");
                    sleep(PAUSE).await;
                }
            }
        }
        drop(listener);
        graceful.shutdown().await;
    }

    /// Serves one connection to its end.
    async fn handle(self, stream: TcpStream, connection: Connection, watcher: Watcher) {
        // Without this, small answers on a kept-alive connection wait for delayed acknowledgements.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "cannot switch off Nagle's algorithm");
        }
        let Some(tls) = &self.tls else {
            return self.serve(stream, connection, watcher).await;
        };
        let handshake = timeout(HANDSHAKE, tls.accept(stream)).await;
        match handshake.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
            Ok(stream) => {
                connection.shared.connections().tls += 1;
                self.serve(stream, connection, watcher).await;
            }
            Err(error) => tracing::debug!(%error, "a TLS handshake failed"),
        }
    }

    /// Serves HTTP/1.1 or HTTP/2, whichever the client speaks.
    async fn serve<S>(self, stream: S, connection: Connection, watcher: Watcher)
    where
        S: AsyncRead + AsyncWrite + Unpin + 'static,
    {
        let (routes, connection) = (self.routes, &connection);
        let service = service_fn(move |mut request: Request<Incoming>| {
            connection.met(request.version());
            let number = ConnectionNumber(connection.number);
            request.extensions_mut().insert(number);
            let answer = routes.clone().call(request.map(Body::new));
            async move { answer.await as Result<Response, Infallible> }
        });
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder.http2().max_concurrent_streams(STREAMS);
        let served = builder.serve_connection(TokioIo::new(stream), service);
        if let Err(error) = watcher.watch(served).await {
            // A client may go whenever it likes.
            tracing::debug!(error, "a connection ended");
        }
    }
}

/// One connection, from when it is taken in until it is dropped.
struct Connection {
    shared: Arc<Shared>,
    number: u64,
    speaks_http2: AtomicBool,
}

impl Connection {
    fn new(shared: &Arc<Shared>) -> Self {
        let mut connections = shared.connections();
        let number = connections.accepted;
        connections.accepted += 1;
        connections.open += 1;
        drop(connections);
        Self {
            shared: Arc::clone(shared),
            number,
            speaks_http2: AtomicBool::new(false),
        }
    }

    /// Takes note of a request that came over it.
    fn met(&self, version: Version) {
        if version == Version::HTTP_2 && !self.speaks_http2.swap(true, Ordering::Relaxed) {
            self.shared.connections().http2 += 1;
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.shared.connections().open -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            Options, Protocol, Simulator,
            testing::{Client, Offer, trusting},
        },
        *,
    };

    async fn over_tls() -> Client {
        Client::start(Options {
            protocol: Protocol::Https,
            ..Options::default()
        })
        .await
    }

    /// Waits for a connection of which this side is still to hear that it has ended.
    async fn until_open(simulator: &Simulator, open: u64) {
        while simulator.connections().open != open {
            sleep(Duration::from_millis(1)).await;
        }
    }

    #[tokio::test]
    async fn over_tls_a_client_that_offers_http_2_gets_it_and_one_session_is_enough() {
        let client = over_tls().await;
        for _ in 0..3 {
            let answer = client.get("/v2/users").await;
            assert_eq!(
                (answer.status.as_u16(), answer.version),
                (200, Version::HTTP_2)
            );
        }
        let one = Connections {
            accepted: 1,
            tls: 1,
            http2: 1,
            open: 1,
        };
        assert_eq!(client.simulator.connections(), one);
    }

    #[tokio::test]
    async fn over_tls_a_client_that_offers_http_1_1_alone_gets_that() {
        let client = over_tls().await;
        let other = trusting(client.simulator.authority(), Offer::Http1);
        let answer = client.get_by(&other, "/no").await.expect("an answer");
        assert_eq!(answer.version, Version::HTTP_11);
        let requests = client.simulator.requests().into_iter();
        let came: Vec<_> = requests.map(|r| (r.connection, r.version)).collect();
        assert_eq!(came, [(0, Version::HTTP_2), (1, Version::HTTP_11)]);
        let connections = client.simulator.connections();
        assert_eq!((connections.tls, connections.http2), (2, 1));
    }

    #[tokio::test]
    async fn each_simulator_is_trusted_by_its_own_authority_alone() {
        let (client, stranger) = (over_tls().await, over_tls().await);
        let trusts_another = trusting(stranger.simulator.authority(), Offer::Both);
        let refused = client.get_by(&trusts_another, "/no").await;
        assert!(refused.is_err(), "{refused:?}");
        until_open(&client.simulator, 1).await;
        let connections = client.simulator.connections();
        assert_eq!((connections.accepted, connections.tls), (2, 1));
        assert_eq!(client.simulator.request_count(), 1);
    }

    #[tokio::test]
    async fn without_tls_there_is_no_authority_and_nobody_speaks_it() {
        let client = Client::start(Options::default()).await;
        assert_eq!(client.simulator.authority(), None);
        client.get_over_http2("/v2/users").await;
        let connections = client.simulator.connections();
        assert_eq!((connections.tls, connections.http2), (0, 1));
    }

    /// A client that connects and says nothing must not keep anybody else waiting.
    #[tokio::test]
    async fn a_handshake_that_does_not_go_on_holds_nobody_up() {
        let client = over_tls().await;
        let port = client.simulator.address.port();
        let silent = TcpStream::connect(("127.0.0.1", port)).await;
        let _silent = silent.expect("the simulator listens");
        let other = trusting(client.simulator.authority(), Offer::Both);
        let answer = timeout(HANDSHAKE / 2, client.get_by(&other, "/no")).await;
        let answer = answer.expect("nobody waits").expect("an answer");
        assert_eq!(answer.status.as_u16(), 404);
    }

    #[tokio::test]
    async fn whoever_is_being_answered_when_the_simulator_is_dropped_gets_the_answer() {
        for protocol in [Protocol::Http, Protocol::Https] {
            let client = Client::start(Options {
                protocol,
                latency: Duration::from_millis(100),
                ..Options::default()
            })
            .await;
            let other = trusting(client.simulator.authority(), Offer::Both);
            let url = format!("{}/no", client.simulator.base_url());
            let asked = tokio::spawn(other.get(url.parse().expect("a URL")));
            while client.simulator.request_count() < 2 {
                sleep(Duration::from_millis(1)).await;
            }
            drop(client);
            let answer = asked.await.expect("no panic").expect("an answer");
            assert_eq!(answer.status().as_u16(), 404);
            assert!(other.get(url.parse().expect("a URL")).await.is_err());
        }
    }
}
