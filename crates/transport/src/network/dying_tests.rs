//! Connections that end without a word, and what is sent over which. Nothing that may not be repeated is ever sent twice.

use std::collections::HashSet;

use http::Method;

use crate::Error;
use crate::testing::{Act, Seen, Server, get, network, post, tls};

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
    let timeouts = crate::testing::timeouts().first_byte(std::time::Duration::from_millis(200));
    let terms = crate::Terms::new(timeouts, crate::Addresses::Development);
    let request = crate::testing::request(Method::GET, &server.url, "");
    let read = crate::testing::send(&network, request, terms).await;
    assert!(matches!(read, Err(Error::ResponseTimeout)), "{read:?}");
    assert_eq!(server.seen().len(), 2);
}
