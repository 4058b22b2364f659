//! The other side, as the tests want it: servers on this computer, with TLS of an authority of their own.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::BodyExt as _;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::{
    Addresses, Body, Error, ExtraRoots, Network, NetworkOptions, Terms, Timeouts, Transport,
};

/// The authority of all servers of the tests.
fn authority() -> &'static CertifiedIssuer<'static, KeyPair> {
    static AUTHORITY: OnceLock<CertifiedIssuer<'static, KeyPair>> = OnceLock::new();
    AUTHORITY.get_or_init(|| {
        let mut params = CertificateParams::default();
        // Those that it signs must not look as if they had signed themselves.
        params
            .distinguished_name
            .push(DnType::CommonName, "Authority of the tests");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("there is randomness");
        CertifiedIssuer::self_signed(params, key).expect("the parameters are right")
    })
}

/// A certificate of the authority, for these names and as the change makes it.
pub(crate) fn certificate(
    names: &[&str],
    change: impl FnOnce(&mut CertificateParams),
) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(names).expect("they are names");
    change(&mut params);
    let key = KeyPair::generate().expect("there is randomness");
    let signed = params.signed_by(&key, authority());
    let der = signed.expect("the parameters are right").der().clone();
    (der, key.into())
}

/// TLS for a server with this certificate, that speaks these protocols.
pub(crate) fn tls_with(
    (certificate, key): (CertificateDer<'static>, PrivateKeyDer<'static>),
    protocols: &[&str],
) -> TlsAcceptor {
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider has them")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("they belong together");
    config.alpn_protocols = protocols
        .iter()
        .map(|name| name.as_bytes().to_vec())
        .collect();
    Arc::new(config).into()
}

/// TLS for a server on this computer.
pub(crate) fn tls(protocols: &[&str]) -> TlsAcceptor {
    let names = ["127.0.0.1", "localhost", "tenant.example"];
    tls_with(certificate(&names, |_| ()), protocols)
}

/// Trusts the authority.
pub(crate) fn options() -> NetworkOptions {
    NetworkOptions::default().extra_roots(roots())
}

pub(crate) fn roots() -> ExtraRoots {
    trusting(authority().der())
}

/// Trusts this certificate.
pub(crate) fn trusting(certificate: &CertificateDer<'_>) -> ExtraRoots {
    let text = BASE64_STANDARD.encode(certificate);
    let pem = format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n");
    ExtraRoots::from_pem(pem.as_bytes()).expect("it is a certificate")
}

pub(crate) fn network() -> Arc<Network> {
    Arc::new(Network::with(options()))
}

/// Waits long, so that a test fails by what it says and not because the machine is busy.
pub(crate) fn timeouts() -> Timeouts {
    Timeouts {
        connect: Duration::from_secs(20),
        first_byte: Duration::from_secs(20),
        between_bytes: Duration::from_secs(20),
    }
}

pub(crate) fn request(method: Method, url: &str, body: &'static str) -> Request<Bytes> {
    let request = Request::builder().method(method).uri(url);
    request
        .body(Bytes::from_static(body.as_bytes()))
        .expect("the test gives a URL")
}

/// The head of the answer, and the body to be read.
pub(crate) async fn begin(network: &Arc<Network>, url: &str) -> Result<Response<Body>, Error> {
    let terms = Terms::new(timeouts(), Addresses::Development);
    let request = request(Method::GET, url, "");
    network.clone().send(request, terms).await
}

/// The body of the answer.
pub(crate) async fn send(
    network: &Arc<Network>,
    request: Request<Bytes>,
    terms: Terms,
) -> Result<Bytes, Error> {
    let response = network.clone().send(request, terms).await?;
    Ok(response.into_body().collect().await?.to_bytes())
}

pub(crate) async fn get(network: &Arc<Network>, url: &str) -> Result<Bytes, Error> {
    let terms = Terms::new(timeouts(), Addresses::Development);
    send(network, request(Method::GET, url, ""), terms).await
}

pub(crate) async fn post(
    network: &Arc<Network>,
    url: &str,
    body: &'static str,
) -> Result<Bytes, Error> {
    let terms = Terms::new(timeouts(), Addresses::Development);
    send(network, request(Method::POST, url, body), terms).await
}

/// A stream of TCP or TLS.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// How many connections are open.
#[derive(Clone, Default)]
pub(crate) struct Open(Arc<AtomicUsize>);

impl Open {
    /// One more is, until what this gives is dropped.
    pub(crate) fn one(&self) -> impl Drop + Send + use<> {
        struct One(Open);
        impl Drop for One {
            fn drop(&mut self) {
                self.0.0.fetch_sub(1, Ordering::Relaxed);
            }
        }
        self.0.fetch_add(1, Ordering::Relaxed);
        One(self.clone())
    }

    /// How many there are, once what was closed has closed.
    pub(crate) async fn count(&self) -> usize {
        tokio::time::sleep(Duration::from_millis(200)).await;
        self.0.load(Ordering::Relaxed)
    }
}

/// Serves connections on this computer, which are numbered from 1, until the set is dropped; gives the port.
pub(crate) async fn serve<F>(
    tls: Option<TlsAcceptor>,
    serve: impl Fn(usize, Box<dyn Stream>) -> F + Send + Sync + 'static,
) -> (u16, JoinSet<()>)
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("there is a free port");
    let port = listener.local_addr().expect("it is bound").port();
    let mut running = JoinSet::new();
    running.spawn(async move {
        let serve = Arc::new(serve);
        let mut connections = JoinSet::new();
        for number in 1.. {
            let (stream, _) = listener.accept().await.expect("the socket is open");
            let (tls, serve) = (tls.clone(), serve.clone());
            connections.spawn(async move {
                let stream: Box<dyn Stream> = match tls {
                    // A client may break off, as where it does not like the certificate.
                    Some(tls) => match tls.accept(stream).await {
                        Ok(stream) => Box::new(stream),
                        Err(_) => return,
                    },
                    None => Box::new(stream),
                };
                serve(number, stream).await;
            });
        }
    });
    (port, running)
}

/// A request as it came.
#[derive(Clone)]
pub(crate) struct Seen {
    /// On which connection, from 1.
    pub(crate) connection: usize,
    /// As which one of that connection, from 1.
    pub(crate) nth: usize,
    /// The request line and the header.
    pub(crate) head: String,
}

/// What an HTTP/1.1 server does about a request.
pub(crate) enum Act {
    /// Answers, and keeps the connection.
    Answer(&'static str),
    /// Writes this, whatever it is, and closes the connection.
    WriteAndClose(&'static str),
    /// Keeps the connection, and is silent.
    Hang,
}

/// An HTTP/1.1 server that does with each request as it is told.
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) port: u16,
    pub(crate) open: Open,
    seen: Arc<Mutex<Vec<Seen>>>,
    _running: JoinSet<()>,
}

impl Server {
    pub(crate) async fn start(
        tls: Option<TlsAcceptor>,
        act: impl Fn(&Seen) -> Act + Send + Sync + 'static,
    ) -> Self {
        let scheme = if tls.is_some() { "https" } else { "http" };
        let seen = Arc::new(Mutex::new(Vec::new()));
        let open = Open::default();
        let (act, seen_here, open_here) = (Arc::new(act), seen.clone(), open.clone());
        let (port, running) = serve(tls, move |connection, stream| {
            let (act, seen, open) = (act.clone(), seen_here.clone(), open_here.one());
            async move {
                let _open = open;
                answer_requests(connection, stream, &*act, &seen).await;
            }
        })
        .await;
        Self {
            url: format!("{scheme}://127.0.0.1:{port}/"),
            port,
            open,
            seen,
            _running: running,
        }
    }

    /// All that came so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("no test panics with it").clone()
    }
}

async fn answer_requests(
    connection: usize,
    mut stream: Box<dyn Stream>,
    act: &(dyn Fn(&Seen) -> Act + Send + Sync),
    seen: &Mutex<Vec<Seen>>,
) {
    for nth in 1.. {
        let Some(head) = read_request(&mut stream).await else {
            return;
        };
        let request = Seen {
            connection,
            nth,
            head,
        };
        seen.lock()
            .expect("no test panics with it")
            .push(request.clone());
        match act(&request) {
            Act::Answer(body) => {
                let length = body.len();
                let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}");
                // Who has gone needs no answer.
                let _ = stream.write_all(answer.as_bytes()).await;
            }
            Act::WriteAndClose(text) => {
                let _ = stream.write_all(text.as_bytes()).await;
                let _ = stream.shutdown().await;
                return;
            }
            Act::Hang => std::future::pending().await,
        }
    }
}

/// Reads a request to its end, and gives its head.
pub(crate) async fn read_request(stream: &mut Box<dyn Stream>) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).expect("requests are ASCII");
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |length| length.parse().expect("it is a number"));
    stream.read_exact(&mut vec![0; length]).await.ok()?;
    Some(head)
}

/// A proxy does what one does, between a client and a server on this computer.
pub(crate) async fn join(mut client: Box<dyn Stream>, port: u16) {
    let server = TcpStream::connect(("127.0.0.1", port)).await;
    let mut server = server.expect("the server is there");
    // Either side may break off.
    let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
}
