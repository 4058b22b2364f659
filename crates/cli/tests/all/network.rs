//! What others on the network can do to a host: answer for the tenant's name, or answer without an end. They get nothing by it.

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use connector_host::contract::{ErrorKind, Failure, ListRequest, ResourceKinds};
use connector_host::transport::{Network, NetworkOptions, Resolve};
use connector_host::{BoxFuture, EgressPolicy, Tenant};
use host_test::program::program;
use host_test::{failure, plugin, settings, tenant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::timeout;
use tracing::subscriber;

/// DNS in the hands of somebody who leads every name to the same address.
struct Astray(IpAddr);

impl Resolve for Astray {
    fn resolve<'a>(&'a self, _: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(async { Ok(vec![self.0]) })
    }
}

/// Lists the accounts of a tenant at this URL, which fails.
async fn list(network: Network, base_url: &str) -> Failure {
    let egress = EgressPolicy::only(base_url).expect("it may be a base URL");
    list_by(egress, network, base_url).await
}

/// The same, by another policy.
async fn list_by(egress: EgressPolicy, network: Network, base_url: &str) -> Failure {
    let simulator = tenant(1).await;
    let settings = settings(&simulator).plain("base-url", base_url);
    let tenant = Tenant::new("test", settings, egress);
    let mut connector = plugin().instantiate(tenant.transport(Arc::new(network)));
    let request = ListRequest::everything(ResourceKinds::ACCOUNTS);
    failure(connector.list(&request).await)
}

async fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("there is a free port");
    let port = listener.local_addr().expect("it is bound").port();
    (listener, port)
}

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut log = self.0.lock().expect("nothing panics with it");
        log.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn text(&self) -> String {
        let log = self.0.lock().expect("nothing panics with it");
        String::from_utf8_lossy(&log).into_owned()
    }
}

#[tokio::test]
async fn a_name_that_leads_to_this_computer_is_refused_and_logged_and_nothing_connects() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _logging = subscriber::set_default(subscriber);

    let (listener, port) = listen().await;
    let network = Network::with(
        NetworkOptions::default().resolver(Arc::new(Astray(IpAddr::V4(Ipv4Addr::LOCALHOST)))),
    );
    let failure = list(network, &format!("https://tenant.example:{port}")).await;
    assert_eq!(failure.error.kind(), ErrorKind::Other, "{failure:?}");
    assert!(
        failure
            .message
            .contains("the governance host does not allow requests to this address"),
        "{failure:?}"
    );
    let log = log.text();
    let warning = log.lines().find(|line| line.contains("WARN"));
    let warning = warning.expect("it is worth a warning");
    assert!(
        warning.contains("tenant.example") && warning.contains("127.0.0.1"),
        "{log}"
    );
    let nobody = timeout(Duration::from_millis(50), listener.accept()).await;
    assert!(nobody.is_err(), "{nobody:?}");
}

#[tokio::test]
async fn a_public_tenant_is_on_the_internet_whatever_dns_says() {
    for address in [
        "10.0.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "fd12::1",
        "64:ff9b::a00:1",
        "2001:0:1::f5ff:fffe",
    ] {
        let base_url = "https://tenant.example";
        let egress = EgressPolicy::public(base_url).expect("it may be a base URL");
        let astray = Astray(address.parse().expect("it is an address"));
        let network = Network::with(NetworkOptions::default().resolver(Arc::new(astray)));
        let failure = list_by(egress, network, base_url).await;
        assert_eq!(
            failure.error.kind(),
            ErrorKind::Other,
            "{address}: {failure:?}"
        );
    }
    for base_url in [
        "https://127.0.0.1",
        "https://localhost",
        "https://192.168.1.1",
        "https://metadata",
        "http://tenant.example",
    ] {
        EgressPolicy::public(base_url).expect_err(base_url);
    }
}

#[test]
fn the_program_says_that_no_tenant_is_where_a_cloud_keeps_its_secrets() {
    let output = program(&["list", "accounts", "--base-url", "https://169.254.169.254"])
        .args(["--client-id", "id", "--client-secret", "secret"])
        .output()
        .expect("the program runs");
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("no tenant can be at this address"), "{said}");
}

/// Answers one request with a header line of so many bytes.
async fn answer_with_header(size: usize) -> u16 {
    let (listener, port) = listen().await;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("the connector connects");
        let read = stream.read(&mut [0; 4096]).await;
        read.expect("the request comes");
        let filler = "x".repeat(size);
        let head = format!("HTTP/1.1 200 OK\r\nx-filler: {filler}\r\ncontent-length: 0\r\n\r\n");
        // Nobody has to wait for all of it.
        let _ = stream.write_all(head.as_bytes()).await;
    });
    port
}

#[tokio::test]
async fn a_header_beyond_a_limit_is_told_as_such() {
    // Beyond the limit of an instance, and beyond what the network takes in.
    for size in [65 << 10, 4 << 20] {
        let port = answer_with_header(size).await;
        let failure = list(Network::new(), &format!("http://127.0.0.1:{port}")).await;
        assert_eq!(
            failure.error.kind(),
            ErrorKind::LimitExceeded,
            "{failure:?}"
        );
        assert!(
            failure
                .message
                .contains("the header is larger than the governance host allows"),
            "{failure:?}"
        );
    }
}

#[tokio::test]
async fn a_header_within_the_limit_is_no_matter() {
    let port = answer_with_header(60 << 10).await;
    let failure = list(Network::new(), &format!("http://127.0.0.1:{port}")).await;
    // The answer to the request for a token has no token in it, and that is what is wrong with it.
    assert_eq!(
        failure.error.kind(),
        ErrorKind::MalformedResponse,
        "{failure:?}"
    );
}
