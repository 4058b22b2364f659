//! Connections through a proxy, and proxies that do not let through. The target is a server with TLS, whose certificate is held
//! against the target's name.

use std::sync::Mutex;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::task::JoinSet;

use super::*;
use crate::Addresses;
use crate::testing::{
    Act, Server, certificate, get, join, options, post, read_request, request, send, serve,
    timeouts, tls, tls_with,
};

/// What `http://somebody:pr0xyword@…` is to a proxy.
const BASIC: &str = "Basic c29tZWJvZHk6cHIweHl3b3Jk";

/// What a proxy does about a `CONNECT`.
#[derive(Clone, Copy)]
enum Does {
    /// Connects to this port of this computer, whatever the name.
    Connect(u16),
    /// Connects where the credentials are right.
    Ask(u16),
    /// Answers with this, whatever it is, and closes.
    Write(&'static str),
    /// Keeps the connection, and is silent.
    Hang,
}

struct TestProxy {
    port: u16,
    /// The heads of all requests.
    seen: Arc<Mutex<Vec<String>>>,
    _running: JoinSet<()>,
}

async fn proxy(does: Does, tls: Option<tokio_rustls::TlsAcceptor>) -> TestProxy {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let heads = seen.clone();
    let (port, running) = serve(tls, move |_, mut stream| {
        let heads = heads.clone();
        async move {
            let Some(head) = read_request(&mut stream).await else {
                return;
            };
            heads
                .lock()
                .expect("no test panics with it")
                .push(head.clone());
            let is_right = head.contains(&format!("Proxy-Authorization: {BASIC}\r\n"));
            let (answer, port) = match does {
                Does::Connect(port) => ("HTTP/1.1 200 Connection established\r\n\r\n", Some(port)),
                Does::Ask(port) if is_right => ("HTTP/1.0 200 OK\r\nvia: test\r\n\r\n", Some(port)),
                Does::Ask(_) => (
                    "HTTP/1.1 407 What\r\nproxy-authenticate: Negotiate, Basic realm=\"x\"\r\n\r\n",
                    None,
                ),
                Does::Write(text) => (text, None),
                Does::Hang => std::future::pending().await,
            };
            // Who has gone needs no answer.
            let _ = stream.write_all(answer.as_bytes()).await;
            match port {
                Some(port) => join(stream, port).await,
                None => {
                    let _ = stream.shutdown().await;
                }
            }
        }
    })
    .await;
    TestProxy {
        port,
        seen,
        _running: running,
    }
}

impl TestProxy {
    fn seen(&self) -> Vec<String> {
        self.seen.lock().expect("no test panics with it").clone()
    }

    /// A network that has this proxy, with these credentials.
    fn network(&self, user: &str) -> Arc<Network> {
        through(&format!("http://{user}127.0.0.1:{}", self.port))
    }
}

fn through(url: &str) -> Arc<Network> {
    let proxy = Proxy::url(url).expect("the test gives a URL");
    Arc::new(Network::with(options().proxy(proxy)))
}

async fn target(protocols: &[&str]) -> Server {
    Server::start(Some(tls(protocols)), |_| Act::Answer("hello")).await
}

/// A name that only the proxy can resolve.
const URL: &str = "https://tenant.example/v2/users";

#[tokio::test]
async fn requests_reach_a_host_whose_name_only_the_proxy_knows() {
    let target = target(&["http/1.1"]).await;
    let proxy = proxy(Does::Connect(target.port), None).await;
    let network = proxy.network("");
    for _ in 0..2 {
        assert_eq!(get(&network, URL).await.expect("it is answered"), "hello");
    }
    // The connection through the proxy is used again, ...
    let connect = "CONNECT tenant.example:443 HTTP/1.1\r\nHost: tenant.example:443\r\n\r\n";
    assert_eq!(proxy.seen(), [connect]);
    let seen = target.seen();
    assert_eq!(seen.len(), 2);
    for seen in seen {
        assert!(
            seen.head.starts_with("GET /v2/users HTTP/1.1\r\n"),
            "{}",
            seen.head
        );
        assert!(
            seen.head.contains("host: tenant.example\r\n"),
            "{}",
            seen.head
        );
    }
    // ... but not by a write.
    let written = post(&network, "https://tenant.example:8443/", "{}").await;
    assert_eq!(written.expect("it is answered"), "hello");
    assert!(proxy.seen()[1].starts_with("CONNECT tenant.example:8443 HTTP/1.1\r\n"));
}

#[tokio::test]
async fn credentials_are_for_the_proxy_alone() {
    let target = target(&["http/1.1"]).await;
    let proxy = proxy(Does::Ask(target.port), None).await;
    let network = proxy.network("somebody:pr0xyword@");
    assert_eq!(get(&network, URL).await.expect("it is answered"), "hello");
    assert!(proxy.seen()[0].contains(BASIC));
    for seen in target.seen() {
        assert!(
            !seen.head.to_ascii_lowercase().contains("proxy"),
            "{}",
            seen.head
        );
    }
}

#[tokio::test]
async fn the_connection_to_the_proxy_can_be_encrypted_too() {
    let target = target(&["http/1.1"]).await;
    // Of TLS within TLS, the inner one must not be taken for the outer one.
    let proxy = proxy(Does::Ask(target.port), Some(tls(&["http/1.1"]))).await;
    let url = |user: &str| format!("https://{user}localhost:{}", proxy.port);
    let network = through(&url("somebody:pr0xyword@"));
    assert_eq!(get(&network, URL).await.expect("it is answered"), "hello");

    // It is asked in HTTP/1.1, and not told that it may choose.
    let other = self::proxy(Does::Hang, Some(tls(&["h2"]))).await;
    let network = through(&format!("https://localhost:{}", other.port));
    let (reason, _) = refused(get(&network, URL).await);
    assert!(reason.contains("NoApplicationProtocol"), "{reason}");

    let stranger = Proxy::url(&url("")).expect("it is one");
    let network = Arc::new(Network::with(NetworkOptions::default().proxy(stranger)));
    let (reason, passes) = refused(get(&network, URL).await);
    assert!(reason.contains("certificate"), "{reason}");
    assert!(!passes);
}

#[tokio::test]
async fn the_certificate_is_held_against_the_name_of_the_target() {
    let of_another = tls_with(certificate(&["other.example", "127.0.0.1"], |_| ()), &[]);
    let target = Server::start(Some(of_another), |_| Act::Answer("hello")).await;
    let proxy = proxy(Does::Connect(target.port), None).await;
    let answer = get(&proxy.network(""), URL).await;
    assert!(
        matches!(answer, Err(Error::Certificate { .. })),
        "{answer:?}"
    );
    assert!(target.seen().is_empty());
}

#[tokio::test]
async fn each_rule_about_addresses_has_its_own_connections() {
    let target = target(&["http/1.1"]).await;
    let proxy = proxy(Does::Connect(target.port), None).await;
    let network = proxy.network("");
    for (addresses, connections) in [
        (Addresses::Development, 1),
        (Addresses::Global, 2),
        (Addresses::Development, 2),
        (Addresses::Global, 2),
    ] {
        let terms = Terms::new(timeouts(), addresses);
        let answer = send(&network, request(Method::GET, URL, ""), terms).await;
        assert_eq!(answer.expect("it is answered"), "hello");
        assert_eq!(proxy.seen().len(), connections);
    }
}

#[tokio::test]
async fn a_host_that_is_not_public_is_not_asked_for_under_the_global_rule() {
    let proxy = proxy(Does::Hang, None).await;
    let network = proxy.network("");
    let terms = Terms::new(timeouts(), Addresses::Global);
    for host in [
        "10.0.0.1",
        "[fd12::1]",
        "intranet",
        "127.1",
        "0x7f.1",
        "a.localhost",
        "169.254.169.254",
    ] {
        let request = request(Method::GET, &format!("https://{host}/"), "");
        let answer = send(&network, request, terms).await;
        assert!(
            matches!(answer, Err(Error::AddressProhibited { .. })),
            "{host}: {answer:?}"
        );
    }
    assert!(proxy.seen().is_empty());
}

fn refused(answer: Result<Bytes, Error>) -> (String, bool) {
    match answer {
        Err(Error::Proxy { reason, passes }) => (reason, passes),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_proxy_that_does_not_let_through_is_told_with_what_it_said_and_without_credentials() {
    for (user, does, says, may_pass) in [
        ("", Does::Ask(1), "write them into the proxy's URL", false),
        (
            "somebody:wr0ng@",
            Does::Ask(1),
            "407 Proxy Authentication Required",
            false,
        ),
        (
            "somebody:wr0ng@",
            Does::Write("HTTP/1.1 407 No\r\nproxy-authenticate: NTLM\r\n\r\n"),
            "only Basic is supported",
            false,
        ),
        (
            "somebody:wr0ng@",
            Does::Write("HTTP/1.1 403 Forbidden\r\ncontent-length: 5\r\n\r\nhello"),
            "403 Forbidden",
            false,
        ),
        ("", Does::Write("HTTP/1.1 405 wr0ng\r\n\r\n"), "405", false),
        (
            "",
            Does::Write("HTTP/1.1 302 Found\r\nlocation: https://login.example/wr0ng\r\n\r\n"),
            "302 Found",
            false,
        ),
        (
            "somebody:wr0ng@",
            Does::Write("HTTP/1.1 502 Bad Gateway\r\n\r\nwr0ng"),
            "502 Bad Gateway",
            true,
        ),
        (
            "",
            Does::Write("HTTP/1.1 504 Gateway Timeout\r\n\r\n"),
            "504",
            true,
        ),
        (
            "",
            Does::Write("HTTP/1.1 429 Too Many\r\n\r\n"),
            "429",
            true,
        ),
        (
            "somebody:wr0ng@",
            Does::Write(""),
            "without an answer",
            true,
        ),
        (
            "somebody:wr0ng@",
            Does::Write("HTTP/1.1 200 OK\r\nvia: pro"),
            "without an answer",
            true,
        ),
        (
            "somebody:wr0ng@",
            Does::Write("SSH-2.0-OpenSSH_9.2 wr0ng\r\n\r\n"),
            "not the answer of an HTTP proxy",
            false,
        ),
        (
            "",
            Does::Write("<html>wr0ng</html>\r\n\r\n"),
            "not the answer of an HTTP proxy",
            false,
        ),
        (
            "",
            Does::Write("HTTP/1.1 200 OK\r\n\r\n220 smtp.example ESMTP\r\n"),
            "not the answer of an HTTP proxy",
            false,
        ),
    ] {
        let proxy = proxy(does, None).await;
        let answer = get(&proxy.network(user), URL).await;
        let shown = format!("{answer:?}");
        let (reason, passes) = refused(answer);
        assert!(reason.contains(says), "{says}: {reason}");
        assert_eq!(passes, may_pass, "{reason}");
        for secret in ["wr0ng", "somebody", "Basic c29"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}

#[tokio::test]
async fn a_head_of_a_proxy_without_an_end_is_cut_off() {
    let head = format!("HTTP/1.1 200 OK\r\nx: {}", "y".repeat(1 << 20)).leak();
    let proxy = proxy(Does::Write(head), None).await;
    let (reason, _) = refused(get(&proxy.network(""), URL).await);
    assert!(
        reason.contains("not the answer of an HTTP proxy"),
        "{reason}"
    );
}

#[tokio::test]
async fn a_proxy_that_is_silent_or_not_there_is_told_from_a_host_that_is() {
    let proxy = proxy(Does::Hang, None).await;
    let terms = Terms::new(
        timeouts().connect(Duration::from_millis(200)),
        Addresses::Development,
    );
    let answer = send(
        &proxy.network("somebody:pr0xyword@"),
        request(Method::GET, URL, ""),
        terms,
    )
    .await;
    let (reason, passes) = refused(answer);
    assert!(
        reason.contains("did not answer in time") && passes,
        "{reason}"
    );

    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let port = nobody
        .expect("there is a free port")
        .local_addr()
        .expect("it is bound")
        .port();
    let network = through(&format!("http://somebody:pr0xyword@127.0.0.1:{port}"));
    let (reason, passes) = refused(get(&network, URL).await);
    assert!(reason.contains("refused") && passes, "{reason}");

    let network = through("http://somebody:pr0xyword@proxy.invalid:3128");
    let (reason, passes) = refused(get(&network, URL).await);
    assert!(reason.contains("proxy.invalid:3128") && passes, "{reason}");

    for host in ["169.254.169.254", "[fe80::1]", "0.0.0.0"] {
        let (reason, passes) = refused(get(&through(&format!("http://{host}:3128")), URL).await);
        assert!(
            reason.contains("may not be connected to") && !passes,
            "{reason}"
        );
    }
}

#[tokio::test]
async fn a_way_that_the_proxy_cuts_is_a_connection_that_ended() {
    let proxy = proxy(Does::Write("HTTP/1.1 200 OK\r\n\r\n"), None).await;
    let answer = get(&proxy.network(""), URL).await;
    assert!(
        matches!(answer, Err(Error::ConnectionTerminated)),
        "{answer:?}"
    );
}

#[tokio::test]
async fn what_stays_on_this_computer_does_not_go_through_the_proxy() {
    let proxy = proxy(Does::Hang, None).await;
    let network = proxy.network("");
    for tls in [None, Some(tls(&[]))] {
        let server = Server::start(tls, |_| Act::Answer("hello")).await;
        assert_eq!(
            get(&network, &server.url).await.expect("it is answered"),
            "hello"
        );
    }
    assert!(proxy.seen().is_empty());
}
