//! Requests go over TLS to the host that the settings name, or they do not go: no secret reaches anybody else.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use connector_host::contract::{ErrorKind, ListRequest, Mode, Outcome, ResourceKinds};
use connector_host::transport::{self, Network, Terms, Transport};
use connector_host::{Connector, EgressPolicy, Tenant};
use host_test::authority::{Authority, for_host, for_localhost, key, server};
use host_test::program::program_for;
use host_test::{assignment, failure, list, plugin, role_for, settings, tenant};
use http::Request;
use http_body_util::BodyExt;
use ninjaone_simulator::{AccountKind, Simulator};
use rcgen::CertifiedIssuer;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::version::TLS12;
use tokio_rustls::rustls::{ProtocolVersion, ServerConfig};

/// A network that trusts this authority.
fn network(authority: &Authority) -> Network {
    host_test::network_that_trusts(&authority.pem())
}

/// One connection to a [`Front`].
#[derive(Clone, Debug, PartialEq, Eq)]
enum Met {
    /// The client broke the handshake off.
    BrokenOff,
    /// The client was content with the certificate.
    Connected {
        version: Option<ProtocolVersion>,
        protocol: Option<String>,
    },
}

/// TLS in front of a simulated tenant: all that comes through a handshake goes on to the simulator.
struct Front {
    address: SocketAddr,
    /// One for each connection, in the order in which they came; `None` while the handshake goes on.
    met: Arc<Mutex<Vec<Option<Met>>>>,
    _running: JoinSet<()>,
}

impl Front {
    async fn of(simulator: &Simulator, config: ServerConfig) -> Self {
        let listener = listen().await;
        let address = listener.local_addr().expect("it is bound");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let behind = simulator.base_url().replace("http://", "");
        let met = Arc::new(Mutex::new(Vec::new()));
        let seen = met.clone();
        let mut running = JoinSet::new();
        running.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.expect("the socket is open");
                let (acceptor, behind, seen) = (acceptor.clone(), behind.clone(), seen.clone());
                let index = {
                    let mut seen = seen.lock().expect("nothing panics with it");
                    seen.push(None);
                    seen.len() - 1
                };
                connections.spawn(async move {
                    let meet = |met| {
                        seen.lock().expect("nothing panics with it")[index] = Some(met);
                    };
                    let Ok(mut client) = acceptor.accept(stream).await else {
                        return meet(Met::BrokenOff);
                    };
                    let (_, tls) = client.get_ref();
                    meet(Met::Connected {
                        version: tls.protocol_version(),
                        protocol: tls
                            .alpn_protocol()
                            .map(|name| String::from_utf8_lossy(name).into_owned()),
                    });
                    let simulator = TcpStream::connect(behind).await;
                    let mut simulator = simulator.expect("the simulator runs");
                    // How a connection ends is up to both sides.
                    let _ = copy_bidirectional(&mut client, &mut simulator).await;
                });
            }
        });
        Self {
            address,
            met,
            _running: running,
        }
    }

    fn base_url(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    /// All connections so far, once their handshakes have ended: the client may know of that before this side does.
    async fn met(&self) -> Vec<Met> {
        loop {
            let met = self.met.lock().expect("nothing panics with it").clone();
            if let Some(met) = met.into_iter().collect() {
                return met;
            }
            sleep(Duration::from_millis(1)).await;
        }
    }
}

async fn listen() -> TcpListener {
    let listener = TcpListener::bind("127.0.0.1:0").await;
    listener.expect("there is a free port")
}

fn connector(network: Network, simulator: &Simulator, base_url: &str) -> Connector {
    let settings = settings(simulator).plain("base-url", base_url);
    let egress = EgressPolicy::only(base_url).expect("it is an https URL");
    let tenant = Tenant::new("test", settings, egress);
    plugin().instantiate(tenant.transport(Arc::new(network)))
}

/// Makes sure that a connector whose host trusts this authority does not talk to a server that shows this certificate.
async fn is_refused(authority: &Authority, config: ServerConfig) {
    let simulator = tenant(3).await;
    let front = Front::of(&simulator, config).await;
    let mut connector = connector(network(authority), &simulator, &front.base_url());
    let listed = connector
        .list(&ListRequest::everything(ResourceKinds::ACCOUNTS))
        .await;
    let failure = failure(listed);
    assert_eq!(failure.error.kind(), ErrorKind::Network, "{failure:?}");
    assert!(
        failure
            .message
            .contains("the TLS certificate of the host was not accepted"),
        "{failure:?}"
    );
    let met = front.met().await;
    assert!(!met.is_empty(), "there was a handshake");
    assert!(met.iter().all(|met| *met == Met::BrokenOff), "{met:?}");
    assert_eq!(simulator.request_count(), 0);
}

#[tokio::test]
async fn a_certificate_for_another_host_is_refused() {
    let authority = Authority::new("trusted");
    for name in ["localhost.example", "*.localhost", "127.0.0.1"] {
        is_refused(&authority, authority.certify(&for_host(name))).await;
    }
}

#[tokio::test]
async fn an_expired_certificate_is_refused() {
    let authority = Authority::new("trusted");
    let mut params = for_localhost();
    params.not_after = rcgen::date_time_ymd(2000, 1, 1);
    is_refused(&authority, authority.certify(&params)).await;
}

#[tokio::test]
async fn a_certificate_of_the_future_is_refused() {
    let authority = Authority::new("trusted");
    let mut params = for_localhost();
    params.not_before = rcgen::date_time_ymd(4000, 1, 1);
    is_refused(&authority, authority.certify(&params)).await;
}

#[tokio::test]
async fn a_self_signed_certificate_is_refused() {
    let key = key();
    let certificate = for_localhost().self_signed(&key);
    let certificate = certificate.expect("it can be signed");
    is_refused(
        &Authority::new("trusted"),
        server(vec![certificate.into()], &key),
    )
    .await;
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_refused() {
    let unknown = Authority::new("unknown");
    is_refused(
        &Authority::new("trusted"),
        unknown.certify(&for_localhost()),
    )
    .await;
}

/// Whoever has a certificate for some host must not be able to make one for this host with it.
#[tokio::test]
async fn a_certificate_signed_by_what_is_no_authority_is_refused() {
    let authority = Authority::new("trusted");
    let of_a_host = CertifiedIssuer::signed_by(for_host("evil.example"), key(), &authority.0);
    let of_a_host = of_a_host.expect("it can be signed");
    let key = key();
    let certificate = for_localhost().signed_by(&key, &of_a_host);
    let certificate = certificate.expect("it can be signed");
    let chain = vec![certificate.into(), of_a_host.der().clone()];
    is_refused(&authority, server(chain, &key)).await;
}

#[tokio::test]
async fn a_certificate_of_an_authority_that_is_trusted_too_is_accepted() {
    let authority = Authority::new("trusted");
    let simulator = tenant(30).await;
    let front = Front::of(&simulator, authority.certify(&for_localhost())).await;
    let mut connector = connector(network(&authority), &simulator, &front.base_url());
    let items = list(&mut connector, ResourceKinds::ACCOUNTS).await;
    assert_eq!(items.len(), simulator.accounts().len());
    assert_eq!(
        front.met().await,
        [Met::Connected {
            version: Some(ProtocolVersion::TLSv1_3),
            protocol: None
        }]
    );
}

#[tokio::test]
async fn tls_1_2_is_enough() {
    let authority = Authority::new("trusted");
    let key = key();
    let certificate = for_localhost().signed_by(&key, &authority.0);
    let chain = vec![certificate.expect("it can be signed").into()];
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&TLS12])
        .expect("the provider has it")
        .with_no_client_auth()
        .with_single_cert(
            chain,
            PrivateKeyDer::try_from(key.serialize_der()).expect("it is a key"),
        )
        .expect("key and certificate fit");
    let simulator = tenant(3).await;
    let front = Front::of(&simulator, config).await;
    let mut connector = connector(network(&authority), &simulator, &front.base_url());
    let items = list(&mut connector, ResourceKinds::ACCOUNTS).await;
    assert_eq!(items.len(), simulator.accounts().len());
    assert_eq!(
        front.met().await,
        [Met::Connected {
            version: Some(ProtocolVersion::TLSv1_2),
            protocol: None
        }]
    );
}

/// Answers a handshake as a server does that knows TLS 1.1 and nothing newer; gives what the client said first, and what last.
async fn tls_1_1_server() -> (SocketAddr, JoinHandle<(Vec<u8>, Vec<u8>)>) {
    let listener = listen().await;
    let address = listener.local_addr().expect("it is bound");
    let server = async move {
        let (mut stream, _) = listener.accept().await.expect("the client connects");
        let mut record = [0; 5];
        stream.read_exact(&mut record).await.expect("a record");
        let length = u16::from_be_bytes([record[3], record[4]]);
        let mut client_hello = vec![0; length.into()];
        let read = stream.read_exact(&mut client_hello).await;
        read.expect("all of the record");

        let version = [3, 2];
        let random = [7; 32];
        let no_session = [0];
        // One that the client offers, so that there is nothing else to object to.
        let ecdhe_rsa_aes_128_gcm_sha256 = [0xc0, 0x2f];
        let no_compression = [0];
        let body = [
            &version[..],
            &random,
            &no_session,
            &ecdhe_rsa_aes_128_gcm_sha256,
            &no_compression,
        ]
        .concat();
        let length = u8::try_from(body.len()).expect("it is short");
        let server_hello = [&[22, 3, 2, 0, length + 4, 2, 0, 0, length], &body[..]].concat();
        stream.write_all(&server_hello).await.expect("it is read");
        let mut last = Vec::new();
        // That the client closes is what is waited for, in whatever way it does.
        let _ = stream.read_to_end(&mut last).await;
        (client_hello, last)
    };
    (address, tokio::spawn(server))
}

#[tokio::test]
async fn tls_1_1_is_neither_offered_nor_accepted() {
    let (address, server) = tls_1_1_server().await;
    let simulator = tenant(1).await;
    let base_url = format!("https://localhost:{}", address.port());
    let network = network(&Authority::new("trusted"));
    let listed = connector(network, &simulator, &base_url)
        .list(&ListRequest::everything(ResourceKinds::ACCOUNTS))
        .await;
    let failure = failure(listed);
    assert_eq!(failure.error.kind(), ErrorKind::Network, "{failure:?}");
    assert!(
        failure.message.contains("the TLS handshake failed"),
        "{failure:?}"
    );

    let (client_hello, last) = server.await.expect("the server ends");
    // The extension supported_versions: TLS 1.3, TLS 1.2, and no other.
    let offered = [0, 43, 0, 5, 4, 3, 4, 3, 3];
    assert!(
        client_hello
            .windows(offered.len())
            .any(|bytes| bytes == offered),
        "{client_hello:02x?}"
    );
    // A fatal alert, protocol_version, and no byte more.
    assert_eq!(last, [21, 3, 3, 0, 2, 2, 70]);
}

/// Answers a request with a body that ends where the connection does, and ends it with a word of goodbye or without.
async fn body_up_to_the_end(
    authority: &Authority,
    goodbye: bool,
) -> Result<Bytes, transport::Error> {
    let listener = listen().await;
    let address = listener.local_addr().expect("it is bound");
    let acceptor = TlsAcceptor::from(Arc::new(authority.certify(&for_localhost())));
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("the client connects");
        let mut client = acceptor.accept(stream).await.expect("it is content");
        let read = client.read(&mut [0; 4096]).await;
        read.expect("the request comes");
        let answer = client.write_all(b"HTTP/1.1 200 OK\r\n\r\n[1, 2]").await;
        answer.expect("the answer is read");
        client.flush().await.expect("the answer is read");
        if goodbye {
            client.shutdown().await.expect("the client is there");
        }
    });
    let request = Request::get(format!("https://localhost:{}/", address.port()));
    let request = request.body(Bytes::new()).expect("it is a URL");
    let network = Arc::new(network(authority));
    let response = network.send(request, Terms::default()).await?;
    Ok(response.into_body().collect().await?.to_bytes())
}

#[tokio::test]
async fn an_answer_that_somebody_on_the_way_cuts_off_is_not_whole() {
    let authority = Authority::new("trusted");
    let whole = body_up_to_the_end(&authority, true).await;
    assert_eq!(whole.expect("it is whole"), "[1, 2]");
    let cut = body_up_to_the_end(&authority, false).await;
    assert!(
        matches!(cut, Err(transport::Error::ResponseIncomplete)),
        "{cut:?}"
    );
}

#[tokio::test]
async fn a_sync_and_a_write_go_over_http_2_where_the_server_has_it() {
    let authority = Authority::new("trusted");
    let mut config = authority.certify(&for_localhost());
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let simulator = tenant(300).await;
    let front = Front::of(&simulator, config).await;
    let mut over_http_2 = connector(network(&authority), &simulator, &front.base_url());
    let kinds = ResourceKinds::ACCOUNTS | ResourceKinds::ROLES | ResourceKinds::GRANTS;
    let items = list(&mut over_http_2, kinds).await;
    let over_http_1 = list(&mut host_test::connector(&simulator), kinds).await;
    assert_eq!(format!("{items:?}"), format!("{over_http_1:?}"));

    let accounts = simulator.accounts();
    let free = accounts.iter().find(|a| {
        a.kind == AccountKind::Technician && !a.scim && !a.administrator && a.memberships.is_empty()
    });
    let account = free.expect("the tenant has one").id.to_string();
    let role = role_for(&simulator, AccountKind::Technician);
    let granted = over_http_2
        .grant(&assignment(&account, &role), Mode::Apply)
        .await
        .expect("granted");
    assert_eq!(granted.outcome, Outcome::Changed);

    // All that reads over one connection; a write has its own, see `connector_transport::Network`.
    let met = Met::Connected {
        version: Some(ProtocolVersion::TLSv1_3),
        protocol: Some("h2".to_string()),
    };
    assert_eq!(front.met().await, [met.clone(), met]);
}

/// A folder of this test, for a file or two.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("tls-{name}"));
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// The program, to list the accounts of a tenant behind a front, with nothing of this environment's settings.
fn program(simulator: &Simulator, front: &Front) -> Command {
    let mut program = program_for(simulator, &["list", "accounts", "--json"]);
    program.env("NINJAONE_BASE_URL", front.base_url());
    program
}

async fn run(mut program: Command) -> Output {
    tokio::task::spawn_blocking(move || program.output())
        .await
        .expect("it does not panic")
        .expect("the program runs")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test]
async fn the_program_trusts_the_authorities_in_a_file_that_it_is_given() {
    let authority = Authority::new("in a file");
    let file = folder("ca-file").join("ca.pem");
    let others = Authority::new("another").pem();
    std::fs::write(&file, others + &authority.pem()).expect("a file");
    let simulator = tenant(3).await;
    let front = Front::of(&simulator, authority.certify(&for_localhost())).await;

    let refused = run(program(&simulator, &front)).await;
    assert_eq!(refused.status.code(), Some(22), "{}", said(&refused));
    assert!(
        said(&refused).contains("TLS certificate"),
        "{}",
        said(&refused)
    );
    assert_eq!(simulator.request_count(), 0);

    let mut by_flag = program(&simulator, &front);
    by_flag.arg("--ca-file").arg(&file);
    let mut by_environment = program(&simulator, &front);
    by_environment.env("CONNECTOR_CA_FILE", &file);
    for program in [by_flag, by_environment] {
        let output = run(program).await;
        assert!(output.status.success(), "{}", said(&output));
    }
}

/// On Linux the file with the authorities of the operating system can be named by the environment.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_authorities_of_the_operating_system_are_trusted_with_and_without_a_file() {
    let authority = Authority::new("of the system");
    let folder = folder("system");
    let system = folder.join("system.pem");
    std::fs::write(&system, authority.pem()).expect("a file");
    let another = folder.join("another.pem");
    std::fs::write(&another, Authority::new("another").pem()).expect("a file");
    let simulator = tenant(3).await;
    let front = Front::of(&simulator, authority.certify(&for_localhost())).await;

    let mut without = program(&simulator, &front);
    without.env("SSL_CERT_FILE", &system);
    let mut with = program(&simulator, &front);
    with.env("SSL_CERT_FILE", &system)
        .arg("--ca-file")
        .arg(&another);
    for program in [without, with] {
        let output = run(program).await;
        assert!(output.status.success(), "{}", said(&output));
    }
}

#[tokio::test]
async fn a_file_without_an_authority_is_named_and_nothing_is_sent() {
    let simulator = tenant(1).await;
    let authority = Authority::new("trusted");
    let front = Front::of(&simulator, authority.certify(&for_localhost())).await;
    let folder = folder("wrong-files");
    let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    for (name, content, problem) in [
        ("missing.pem", None, "No such file"),
        ("der.pem", Some("0\u{1}\u{2}"), "it is not PEM"),
        ("key.pem", Some(key), "it has no certificate in it"),
    ] {
        let file = folder.join(name);
        if let Some(content) = content {
            std::fs::write(&file, content).expect("a file");
        }
        let mut program = program(&simulator, &front);
        program.arg("--ca-file").arg(&file);
        let output = run(program).await;
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        let said = said(&output);
        assert!(said.contains(name) && said.contains(problem), "{said}");
    }
    assert!(front.met().await.is_empty(), "{:?}", front.met().await);
}
