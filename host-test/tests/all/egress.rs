//! A connector sends requests to the one origin that its tenant names. Whatever else it asks for is refused before a connection
//! is made, and logged as a warning that says where it wanted to go.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use connector_host::EgressPolicy;
use host_test::log::Log;
use host_test::misbehaving::{limits, obey, plugin, tenant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const SECRET: &str = "hunter2";
const DENIED: &str = "error ErrorCode::HttpRequestDenied";

/// A place that a request could arrive at: counts the connections, and answers each with the same head.
struct Place {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Place {
    async fn answering(head: impl Into<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("there is a free port");
        let address = listener.local_addr().expect("it listens");
        let connections = Arc::new(AtomicUsize::new(0));
        let (count, head) = (connections.clone(), head.into());
        tokio::spawn(async move {
            while let Ok((mut connection, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::Relaxed);
                let mut request = [0; 4096];
                let _ = connection.read(&mut request).await;
                let _ = connection.write_all(head.as_bytes()).await;
            }
        });
        Place {
            address,
            connections,
        }
    }

    async fn open() -> Self {
        Self::answering("HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").await
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

/// What the guest says after it tried to reach `url` for a tenant at `base_url`.
async fn obeyed(base_url: &str, command: &str) -> String {
    let egress = EgressPolicy::only(base_url).expect("it may be a base URL");
    let mut connector = plugin(limits()).instantiate(tenant("acme", SECRET, egress));
    obey(&mut connector, command).await.expect("it answers")
}

/// Makes sure that a tenant at `base_url` does not get to `url`, which leads to `place`, and that a warning says that it
/// wanted to.
async fn assert_denied(base_url: &str, url: &str, place: &Place, warning: &str) {
    for command in ["get", "get-with-token"] {
        let log = Log::capture();
        let answer = obeyed(base_url, &format!("{command} {url}")).await;
        assert_eq!(answer, DENIED, "{command} {url}");
        let warnings = log.lines_with("denied a request");
        assert_eq!(warnings.len(), 1, "{command} {url}: {warnings:?}");
        for part in ["WARN", "tenant=\"acme\"", warning] {
            assert!(warnings[0].contains(part), "{part} is not in {warnings:?}");
        }
        assert_eq!(log.lines_with(SECRET), [""; 0]);
    }
    assert_eq!(place.connections(), 0, "{url} was reached");
}

#[tokio::test]
async fn the_origin_of_the_tenant_is_reached() {
    let place = Place::open().await;
    let answer = obeyed(&place.url(), &format!("get {}/v2/users", place.url())).await;
    assert_eq!(answer, "status 204");
    assert_eq!(place.connections(), 1);
}

#[tokio::test]
async fn another_host_is_denied() {
    let other = Place::open().await;
    // By another name, the very same place as the tenant's.
    let url = format!("http://localhost:{}/", other.address.port());
    assert_denied(&other.url(), &url, &other, "host=\"localhost\"").await;
}

#[tokio::test]
async fn another_port_is_denied() {
    let (own, other) = (Place::open().await, Place::open().await);
    let warning = format!("host=\"127.0.0.1\" port={}", other.address.port());
    assert_denied(&own.url(), &other.url(), &other, &warning).await;
    assert_eq!(own.connections(), 0);
}

#[tokio::test]
async fn plain_http_is_denied_where_the_tenant_has_https() {
    let place = Place::open().await;
    let base_url = format!("https://{}", place.address);
    assert_denied(&base_url, &place.url(), &place, "scheme=\"http\"").await;
}

#[tokio::test]
async fn a_user_name_that_looks_like_the_host_is_denied() {
    let (own, other) = (Place::open().await, Place::open().await);
    let url = format!("http://{}@{}/", own.address, other.address);
    let warning = format!("port={}", other.address.port());
    assert_denied(&own.url(), &url, &other, &warning).await;
    let url = format!("http://someone@{}/", own.address);
    assert_denied(&own.url(), &url, &own, "host=\"127.0.0.1\"").await;
}

#[tokio::test]
async fn this_computer_is_denied_where_the_tenant_is_elsewhere() {
    let place = Place::open().await;
    let warning = "host=\"127.0.0.1\"";
    for base_url in ["https://app.ninjarmm.com", "https://127.0.0.1.example.com"] {
        assert_denied(base_url, &place.url(), &place, warning).await;
    }
}

#[tokio::test]
async fn a_redirect_elsewhere_is_denied_to_a_connector_that_follows_it_with_its_token() {
    let other = Place::open().await;
    let own = Place::answering(format!(
        "HTTP/1.1 302 Found\r\nlocation: {}/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        other.url()
    ))
    .await;
    let log = Log::capture();
    let answer = obeyed(&own.url(), &format!("follow-redirect {}/", own.url())).await;
    assert_eq!(answer, DENIED);
    assert_eq!((own.connections(), other.connections()), (1, 0));
    let warnings = log.lines_with("denied a request");
    let port = format!("port={}", other.address.port());
    for part in ["WARN", &port] {
        assert!(warnings[0].contains(part), "{part} is not in {warnings:?}");
    }
    assert_eq!(log.lines_with(SECRET), [""; 0]);
}

#[tokio::test]
async fn a_redirect_is_not_followed_by_the_host() {
    let other = Place::open().await;
    let own = Place::answering(format!(
        "HTTP/1.1 302 Found\r\nlocation: {}/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        other.url()
    ))
    .await;
    let answer = obeyed(&own.url(), &format!("get-with-token {}/", own.url())).await;
    assert_eq!(answer, "status 302");
    assert_eq!(other.connections(), 0);
}
