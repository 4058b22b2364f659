//! Connections that end without a word, and what is sent over which. Nothing that may not be repeated is ever sent twice.

use std::collections::HashSet;
use std::time::Duration;

use http::{HeaderValue, Method};
use http_body_util::BodyExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::testing::{
    Act, Seen, Server, Stream, begin, get, network, post, read_request, request, send, timeouts,
    tls,
};
use crate::{Addresses, Error, Terms};

const WHOLE: &str = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";

fn of(method: &Method, seen: &[Seen]) -> Vec<Seen> {
    let is_of = |seen: &&Seen| seen.head.starts_with(method.as_str());
    seen.iter().filter(is_of).cloned().collect()
}

/// Sends thirty requests that may not be repeated, each after a look, as a connector does.
async fn thirty_writes(server: &Server) -> Vec<Seen> {
    let network = network();
    for number in 0..30 {
        let look = get(&network, &server.url).await;
        assert_eq!(look.expect("it is answered"), "hello");
        let url = format!("{}{number}", server.url);
        let write = post(&network, &url, "{}").await;
        assert_eq!(write.expect("it is answered"), "hello");
    }
    server.seen()
}

fn assert_each_came_once(writes: &[Seen]) {
    let different: HashSet<_> = writes.iter().map(|seen| &seen.head).collect();
    assert_eq!((writes.len(), different.len()), (30, 30));
    assert!(
        writes.iter().all(|seen| seen.nth == 1),
        "each came first on its connection"
    );
}

#[tokio::test]
async fn no_write_fails_or_comes_twice_where_the_server_closes_after_each_answer() {
    let server = Server::start(None, |_| Act::WriteAndClose(WHOLE)).await;
    let seen = thirty_writes(&server).await;
    assert_each_came_once(&of(&Method::POST, &seen));
}

#[tokio::test]
async fn no_write_fails_or_comes_twice_where_the_server_hangs_up_on_a_second_request() {
    for tls in [None, Some(tls(&["http/1.1"]))] {
        let server = Server::start(tls, |seen| match seen.nth {
            1 => Act::Answer("hello"),
            _ => Act::WriteAndClose(""),
        })
        .await;
        let seen = thirty_writes(&server).await;
        assert_each_came_once(&of(&Method::POST, &seen));
    }
}

#[tokio::test]
async fn reads_use_connections_again_and_writes_leave_theirs_to_them() {
    let server = Server::start(Some(tls(&["http/1.1"])), |_| Act::Answer("hello")).await;
    let network = network();
    for _ in 0..3 {
        post(&network, &server.url, "{}")
            .await
            .expect("it is answered");
        for _ in 0..3 {
            get(&network, &server.url).await.expect("it is answered");
        }
    }
    let seen = server.seen();
    assert!(of(&Method::POST, &seen).iter().all(|seen| seen.nth == 1));
    // Had each read made a connection, there would be twelve.
    let connections = seen.iter().map(|seen| seen.connection).max();
    assert_eq!(connections, Some(3));
}

#[tokio::test]
async fn writes_do_not_leave_ever_more_connections_behind() {
    let server = Server::start(None, |_| Act::Answer("hello")).await;
    let network = network();
    for _ in 0..30 {
        post(&network, &server.url, "{}")
            .await
            .expect("it is answered");
    }
    let open = server.open.count().await;
    assert!((1..=8).contains(&open), "{open}");
    drop(network);
    assert_eq!(server.open.count().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_write_fails_or_comes_twice_where_many_go_at_once() {
    for keeps in [false, true] {
        let server = Server::start(Some(tls(&["http/1.1"])), move |seen| match seen.nth {
            1 if keeps => Act::Answer("hello"),
            1 => Act::WriteAndClose(WHOLE),
            _ => Act::WriteAndClose(""),
        })
        .await;
        let network = network();
        let mut working = JoinSet::new();
        for number in 0..30 {
            let (network, url) = (network.clone(), server.url.clone());
            working.spawn(async move {
                for _ in 0..3 {
                    get(&network, &url).await.expect("it is answered");
                }
                let url = format!("{url}{number}");
                post(&network, &url, "{}").await.expect("it is answered");
            });
        }
        while let Some(worked) = working.join_next().await {
            worked.expect("nothing fails");
        }
        assert_each_came_once(&of(&Method::POST, &server.seen()));
    }
}

/// The second connection is never made, since the server does not go on with TLS.
#[tokio::test]
async fn a_read_that_waits_for_a_connection_takes_one_that_becomes_free() {
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("there is a free port");
    let url = format!("https://{}/", listener.local_addr().expect("it is bound"));
    let (go_on, gone_on) = oneshot::channel();
    let _running = tokio::spawn(async move {
        let (first, _) = listener.accept().await.expect("the test connects");
        let first = tls(&["http/1.1"]).accept(first).await;
        let mut first: Box<dyn Stream> = Box::new(first.expect("the client goes on with it"));
        read_request(&mut first).await.expect("a request comes");
        let begun = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhe";
        first.write_all(begun).await.expect("it is waited for");
        let _second = listener.accept().await.expect("the test connects");
        gone_on.await.expect("the test goes on");
        first.write_all(b"llo").await.expect("it is waited for");
        read_request(&mut first).await.expect("a request comes");
        first
            .write_all(WHOLE.as_bytes())
            .await
            .expect("it is waited for");
    });
    let network = network();
    let first = begin(&network, &url).await.expect("it is answered");
    let second = tokio::spawn({
        let (network, url) = (network.clone(), url.clone());
        async move { get(&network, &url).await }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!second.is_finished());
    go_on.send(()).expect("the server waits for it");
    let body = first.into_body().collect().await.expect("it arrives");
    assert_eq!(body.to_bytes(), "hello");
    let second = second.await.expect("it does not panic");
    assert_eq!(second.expect("it is answered"), "hello");
}

#[tokio::test]
async fn what_a_request_says_of_its_host_and_length_does_not_count() {
    let server = Server::start(None, |_| Act::Answer("hello")).await;
    let mut request = request(Method::POST, &server.url, "{}");
    let headers = request.headers_mut();
    headers.insert("host", HeaderValue::from_static("evil.example"));
    headers.insert("content-length", HeaderValue::from_static("0"));
    headers.insert("transfer-encoding", HeaderValue::from_static("chunked"));
    headers.insert(
        "proxy-authorization",
        HeaderValue::from_static("Basic eDp5"),
    );
    let terms = Terms::new(timeouts(), Addresses::Development);
    send(&network(), request, terms)
        .await
        .expect("it is answered");
    let head = &server.seen()[0].head;
    assert!(
        head.contains(&format!("host: 127.0.0.1:{}\r\n", server.port)),
        "{head}"
    );
    assert!(head.contains("content-length: 2\r\n"), "{head}");
    for other in ["evil", "content-length: 0", "transfer-encoding", "proxy"] {
        assert!(!head.contains(other), "{head}");
    }
}

#[tokio::test]
async fn a_read_is_sent_again_only_where_a_connection_was_used_before() {
    let server = Server::start(None, |_| Act::WriteAndClose("")).await;
    let read = get(&network(), &server.url).await;
    assert!(matches!(read, Err(Error::ConnectionTerminated)), "{read:?}");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_read_is_sent_again_once_at_most() {
    let server = Server::start(None, |seen| match (seen.connection, seen.nth) {
        (1, 1) => Act::Answer("hello"),
        _ => Act::WriteAndClose(""),
    })
    .await;
    let network = network();
    get(&network, &server.url).await.expect("it is answered");
    let read = get(&network, &server.url).await;
    assert!(matches!(read, Err(Error::ConnectionTerminated)), "{read:?}");
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test]
async fn a_read_is_not_sent_again_once_the_answer_has_begun() {
    for begun in [
        "H",
        "HTTP/1.1 200 OK\r\ncontent-le",
        "SSH-2.0-OpenSSH\r\n\r\n",
    ] {
        let server = Server::start(None, move |seen| match seen.nth {
            1 => Act::Answer("hello"),
            _ => Act::WriteAndClose(begun),
        })
        .await;
        let network = network();
        get(&network, &server.url).await.expect("it is answered");
        let read = get(&network, &server.url).await;
        assert!(read.is_err(), "{read:?}");
        assert_eq!(server.seen().len(), 2, "{begun:?}");
    }
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_not_asked_for_again() {
    let server = Server::start(None, |seen| match seen.nth {
        1 => Act::Answer("hello"),
        _ => Act::Hang,
    })
    .await;
    let network = network();
    get(&network, &server.url).await.expect("it is answered");
    let timeouts = timeouts().first_byte(Duration::from_millis(200));
    let terms = Terms::new(timeouts, Addresses::Development);
    let read = send(&network, request(Method::GET, &server.url, ""), terms).await;
    assert!(matches!(read, Err(Error::ResponseTimeout)), "{read:?}");
    assert_eq!(server.seen().len(), 2);
}
