//! The proxy of the tests does what it is told to: what other tests say about proxies stands on it.

use std::time::Duration;

use host_test::proxy::{Conduct, ConnectProxy};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// What somebody knows of a tunnel that was asked for.
struct Tunnel {
    answer: String,
    stream: TcpStream,
}

/// Asks for a tunnel to a port, under a name of elsewhere.
async fn ask(proxy: &ConnectProxy, port: u16, header: &str) -> Tunnel {
    let address = proxy.url().replace("http://", "");
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let head = format!("CONNECT tenant.example:{port} HTTP/1.1\r\n{header}\r\n");
    stream.write_all(head.as_bytes()).await.expect("it reads");
    let mut answer = String::new();
    while !answer.ends_with("\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else {
            break;
        };
        answer.push(byte.into());
    }
    Tunnel { answer, stream }
}

/// Sends back what comes, one connection after the other.
async fn echo() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (mut from, mut to) = stream.split();
            // Whoever connects ends it.
            let _ = tokio::io::copy(&mut from, &mut to).await;
        }
    });
    port
}

/// Makes sure that what is sent comes back.
async fn goes_through(tunnel: &mut Tunnel) {
    assert!(
        tunnel.answer.starts_with("HTTP/1.1 200 "),
        "{}",
        tunnel.answer
    );
    tunnel.stream.write_all(b"hello").await.expect("it is open");
    let mut back = [0; 5];
    tunnel
        .stream
        .read_exact(&mut back)
        .await
        .expect("it is open");
    assert_eq!(&back, b"hello");
}

#[tokio::test]
async fn a_tunnel_leads_to_this_computer_whatever_the_name_until_it_is_cut() {
    let (proxy, port) = (ConnectProxy::start().await, echo().await);
    let mut tunnel = ask(&proxy, port, "").await;
    goes_through(&mut tunnel).await;
    assert_eq!(proxy.asked(), [format!("tenant.example:{port}")]);
    proxy.cut();
    let mut rest = Vec::new();
    tunnel.stream.read_to_end(&mut rest).await.expect("it ends");
    assert!(rest.is_empty(), "{rest:?}");
}

#[tokio::test]
async fn whoever_has_no_right_credentials_is_asked_for_them() {
    let (proxy, port) = (
        ConnectProxy::start_for("somebody", "pass").await,
        echo().await,
    );
    for header in ["", "Proxy-Authorization: Basic eDp5\r\n"] {
        let refused = ask(&proxy, port, header).await.answer;
        assert!(refused.starts_with("HTTP/1.1 407 "), "{refused}");
        assert!(refused.contains("proxy-authenticate: Basic"), "{refused}");
    }
    // somebody:pass
    let right = "proxy-authorization: Basic c29tZWJvZHk6cGFzcw==\r\n";
    goes_through(&mut ask(&proxy, port, right).await).await;
    assert!(proxy.url_for("somebody", "pass").contains("somebody:pass@"));
}

#[tokio::test]
async fn it_refuses_hangs_and_closes_as_often_as_it_is_told_to() {
    let (proxy, port) = (ConnectProxy::start().await, echo().await);
    proxy.behave(Conduct::Refuses, Some(2));
    for _ in 0..2 {
        let refused = ask(&proxy, port, "").await.answer;
        assert!(refused.starts_with("HTTP/1.1 403 "), "{refused}");
    }
    goes_through(&mut ask(&proxy, port, "").await).await;
    proxy.behave(Conduct::Closes, None);
    for _ in 0..3 {
        assert_eq!(ask(&proxy, port, "").await.answer, "");
    }
    proxy.behave(Conduct::Hangs, None);
    let answered = timeout(Duration::from_millis(100), ask(&proxy, port, "")).await;
    assert!(answered.is_err(), "it is silent");
    proxy.behave(Conduct::Open, None);
    goes_through(&mut ask(&proxy, port, "").await).await;
}

#[tokio::test]
async fn it_makes_tunnels_and_nothing_else() {
    let proxy = ConnectProxy::start().await;
    let address = proxy.url().replace("http://", "");
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let request = b"GET http://tenant.example/ HTTP/1.1\r\n\r\n";
    stream.write_all(request).await.expect("it reads");
    let mut answer = String::new();
    stream
        .read_to_string(&mut answer)
        .await
        .expect("it answers");
    assert!(answer.starts_with("HTTP/1.1 405 "), "{answer}");
    assert!(proxy.asked().is_empty());
}
