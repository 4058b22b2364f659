//! HTTP/2 over TLS: many answers over one connection, and servers that do not do as they should.

use std::future::{pending, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use h2::server::{Connection, SendResponse};
use h2::{Reason, RecvStream};
use http::HeaderValue;
use http_body::{Body as _, Frame};
use http_body_util::Full;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::*;
use crate::testing::{
    Open, Stream, begin, get, network, post, request, send, serve, timeouts, tls,
};
use crate::{Addresses, Timeouts};

/// More than any window of HTTP/2 clients as they come.
const LARGE: usize = 5 << 20;

/// A body without an end, that counts what is taken of it.
struct Endless(Arc<AtomicUsize>);

impl http_body::Body for Endless {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        static PART: [u8; 16 << 10] = [0; 16 << 10];
        self.0.fetch_add(PART.len(), Ordering::Relaxed);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&PART)))))
    }
}

/// An origin whose server does as it should.
struct Origin {
    url: String,
    connections: Arc<AtomicUsize>,
    open: Open,
    /// How many bytes of endless bodies were sent.
    sent: Arc<AtomicUsize>,
    _running: JoinSet<()>,
}

/// Answers `/endless` with a body without an end, and all else with a large one, so many at a time over one connection.
async fn origin(streams: u32) -> Origin {
    let connections = Arc::new(AtomicUsize::new(0));
    let sent = Arc::new(AtomicUsize::new(0));
    let open = Open::default();
    let (counter, sent_here, open_here) = (connections.clone(), sent.clone(), open.clone());
    let (port, running) = serve(Some(tls(&["h2"])), move |number, stream| {
        counter.store(number, Ordering::Relaxed);
        let (sent, open) = (sent_here.clone(), open_here.one());
        async move {
            let _open = open;
            let answer = service_fn(move |request: Request<Incoming>| {
                let body: UnsyncBoxBody<Bytes, std::convert::Infallible> =
                    match request.uri().path() {
                        "/endless" => Endless(sent.clone()).boxed_unsync(),
                        _ => Full::new(Bytes::from(vec![7; LARGE])).boxed_unsync(),
                    };
                async { Ok::<_, std::convert::Infallible>(Response::new(body)) }
            });
            let mut server = http2::Builder::new(TokioExecutor::new());
            server.max_concurrent_streams(streams);
            // It ends when the client has gone.
            let _ = server.serve_connection(TokioIo::new(stream), answer).await;
        }
    })
    .await;
    Origin {
        url: format!("https://127.0.0.1:{port}/"),
        connections,
        open,
        sent,
        _running: running,
    }
}

impl Origin {
    /// Begins exchanges whose bodies nobody reads, and waits until the server can send no more of them.
    async fn unread(&self, network: &Arc<Network>, count: usize) -> Vec<Response<Body>> {
        let url = format!("{}endless", self.url);
        let mut bodies = Vec::new();
        for _ in 0..count {
            bodies.push(begin(network, &url).await.expect("it is answered"));
        }
        let mut before = 0;
        loop {
            sleep(Duration::from_millis(300)).await;
            let sent = self.sent.load(Ordering::Relaxed);
            if sent == before {
                return bodies;
            }
            before = sent;
        }
    }
}

#[tokio::test]
async fn bodies_that_nobody_reads_do_not_hold_up_the_next_answer_of_the_connection() {
    let origin = origin(100).await;
    let network = network();
    let unread = origin.unread(&network, 63).await;
    let sent = origin.sent.load(Ordering::Relaxed);
    assert!(sent >= 63 << 20, "each window is full: {sent} bytes");
    let body = timeout(Duration::from_secs(20), get(&network, &origin.url)).await;
    let body = body.expect("it is not held up").expect("it is answered");
    assert_eq!(body.len(), LARGE);
    assert_eq!(origin.connections.load(Ordering::Relaxed), 1);
    drop(unread);
}

#[tokio::test]
async fn a_body_that_was_dropped_takes_nothing_of_the_connection() {
    let origin = origin(100).await;
    let network = network();
    // Twice as many as the window of the connection has room for.
    for _ in 0..2 {
        let unread = origin.unread(&network, 63).await;
        drop(unread);
    }
    let body = get(&network, &origin.url).await.expect("it is answered");
    assert_eq!(body.len(), LARGE);
    assert_eq!(origin.connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn one_more_than_may_be_under_way_waits_and_says_why_it_failed() {
    let origin = origin(100).await;
    let network = network();
    let mut unread = origin.unread(&network, 64).await;
    let terms = Terms::new(
        timeouts().connect(Duration::from_millis(200)),
        Addresses::Development,
    );
    let more = || send(&network, request(Method::GET, &origin.url, ""), terms);
    let refused = more().await;
    assert!(
        matches!(refused, Err(Error::TooManyRequests)),
        "{refused:?}"
    );
    assert!(Error::TooManyRequests.passes_by_itself());

    // The place is free once a body was dropped, ...
    unread.pop();
    assert!(more().await.is_ok());
    // ... or was read, whether or not what is left of it is kept.
    let mut read = begin(&network, &origin.url).await.expect("it is answered");
    assert!(matches!(more().await, Err(Error::TooManyRequests)));
    while !read.body().is_end_stream() {
        let frame = read.body_mut().frame().await.expect("it goes on");
        frame.expect("it arrives");
    }
    assert!(more().await.is_ok());
    drop(read);

    // Who waits gets the place that becomes free meanwhile.
    unread.push(begin(&network, &origin.url).await.expect("it is answered"));
    let waits = tokio::spawn({
        let (network, url) = (network.clone(), origin.url.clone());
        async move { get(&network, &url).await }
    });
    sleep(Duration::from_millis(50)).await;
    assert!(!waits.is_finished());
    unread.pop();
    assert!(waits.await.expect("it does not panic").is_ok());
}

#[tokio::test]
async fn a_server_that_takes_few_at_a_time_gets_more_connections() {
    let origin = origin(2).await;
    let network = network();
    // So that the client knows how many.
    get(&network, &origin.url).await.expect("it is answered");
    let unread = origin.unread(&network, 5).await;
    let body = timeout(Duration::from_secs(20), get(&network, &origin.url)).await;
    assert!(body.expect("it is not held up").is_ok());
    assert_eq!(origin.connections.load(Ordering::Relaxed), 3);
    drop(unread);
}

#[tokio::test]
async fn writes_have_connections_of_their_own_and_reads_share_one() {
    let origin = origin(100).await;
    let network = network();
    // The first leaves its own to the reads.
    post(&network, &origin.url, "{}")
        .await
        .expect("it is answered");
    let mut reads = JoinSet::new();
    for _ in 0..8 {
        let (network, url) = (network.clone(), origin.url.clone());
        reads.spawn(async move { get(&network, &url).await });
    }
    for read in reads.join_all().await {
        read.expect("it is answered");
    }
    assert_eq!(origin.connections.load(Ordering::Relaxed), 1);
    post(&network, &origin.url, "{}")
        .await
        .expect("it is answered");
    assert_eq!(origin.connections.load(Ordering::Relaxed), 2);
    get(&network, &origin.url).await.expect("it is answered");
    assert_eq!(origin.connections.load(Ordering::Relaxed), 2);
    // That of the second write has closed. The other closes with the network.
    assert_eq!(origin.open.count().await, 1);
    drop(network);
    assert_eq!(origin.open.count().await, 0);
}

type Served = Connection<Box<dyn Stream>, Bytes>;

/// Serves HTTP/2 connections by hand, which are numbered from 1; gives the URL.
async fn by_hand<F>(hand: fn(usize, Served) -> F) -> (String, JoinSet<()>)
where
    F: Future<Output = ()> + Send + 'static,
{
    let (port, running) = serve(Some(tls(&["h2"])), move |number, stream| async move {
        let connection = h2::server::handshake(stream).await;
        hand(number, connection.expect("the client speaks HTTP/2")).await;
    })
    .await;
    (format!("https://127.0.0.1:{port}/"), running)
}

/// Answers every request of a connection.
async fn answer(mut connection: Served, answer: impl Fn(Request<RecvStream>, SendResponse<Bytes>)) {
    // A client that has what it wants may break off.
    while let Some(Ok((request, respond))) = connection.accept().await {
        answer(request, respond);
    }
}

fn answer_empty(mut respond: SendResponse<Bytes>) {
    respond
        .send_response(Response::new(()), true)
        .expect("it is waited for");
}

/// Takes the next request of a connection.
async fn next(connection: &mut Served) -> SendResponse<Bytes> {
    let next = connection.accept().await.expect("a request comes");
    next.expect("it is a request").1
}

/// Sends what is to be sent.
async fn flush(connection: &mut Served) {
    let closed = poll_fn(|cx| connection.poll_closed(cx));
    // It is not closed, but kept going meanwhile.
    let _ = timeout(Duration::from_millis(50), closed).await;
}

#[tokio::test]
async fn a_body_that_is_broken_off_without_an_error_is_not_whole() {
    let (url, _running) = by_hand(|_, mut connection| async move {
        let mut respond = next(&mut connection).await;
        let mut body = respond
            .send_response(Response::new(()), false)
            .expect("it is waited for");
        body.send_data(Bytes::from("half"), false)
            .expect("there is room for it");
        flush(&mut connection).await;
        body.send_reset(Reason::NO_ERROR);
        flush(&mut connection).await;
    })
    .await;
    let body = get(&network(), &url).await;
    assert!(matches!(body, Err(Error::ResponseIncomplete)), "{body:?}");
}

#[tokio::test]
async fn a_body_with_trailers_arrives_whole() {
    let (url, _running) = by_hand(|_, connection| {
        answer(connection, |_, mut respond| {
            let mut body = respond
                .send_response(Response::new(()), false)
                .expect("it is waited for");
            body.send_data(Bytes::from("whole"), false)
                .expect("there is room for it");
            body.send_trailers(http::HeaderMap::new())
                .expect("the stream is open");
        })
    })
    .await;
    let body = get(&network(), &url).await;
    assert_eq!(body.expect("it is answered"), "whole");
}

#[tokio::test]
async fn a_header_is_taken_in_up_to_the_limit() {
    // The path says how many KiB of it are wanted.
    let (url, _running) = by_hand(|_, connection| {
        answer(connection, |request, mut respond| {
            let kib: usize = request.uri().path()[1..].parse().expect("a number");
            let filler = HeaderValue::from_str(&"x".repeat(1 << 10)).expect("it is text");
            let mut response = Response::new(());
            for _ in 0..kib {
                response.headers_mut().append("x-filler", filler.clone());
            }
            respond
                .send_response(response, true)
                .expect("it is waited for");
        })
    })
    .await;
    let network = network();
    let within = get(&network, &format!("{url}240")).await;
    assert!(within.is_ok(), "{within:?}");
    // HTTP/2 has no error of its own for it.
    let beyond = get(&network, &format!("{url}260")).await;
    assert!(
        matches!(beyond, Err(Error::ConnectionTerminated)),
        "{beyond:?}"
    );
}

/// Waits only shortly before it asks whether a silent server is still there.
fn impatient() -> Arc<Network> {
    let mut network = Network::with(crate::testing::options());
    network.connector.silence = Duration::from_millis(100);
    Arc::new(network)
}

#[tokio::test]
async fn a_connection_that_is_dead_is_given_up_and_reads_go_over_a_new_one() {
    // Answers one request of each connection, and is silent from then on.
    let (url, _running) = by_hand(|_, mut connection| async move {
        answer_empty(next(&mut connection).await);
        flush(&mut connection).await;
        pending().await
    })
    .await;
    let network = impatient();
    for _ in 0..3 {
        get(&network, &url).await.expect("it is answered");
        sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn a_read_that_is_refused_is_sent_again_over_a_new_connection_and_a_write_is_not() {
    // Answers the first request of a connection, and refuses the second before anything is done about it.
    let (url, _running) = by_hand(|_, mut connection| async move {
        answer_empty(next(&mut connection).await);
        while let Some(Ok((_, mut respond))) = connection.accept().await {
            respond.send_reset(Reason::REFUSED_STREAM);
        }
    })
    .await;
    let network = network();
    for _ in 0..5 {
        get(&network, &url).await.expect("it is answered");
        post(&network, &url, "{}").await.expect("it is answered");
    }

    let (url, _running) = by_hand(|_, mut connection| async move {
        while let Some(Ok((_, mut respond))) = connection.accept().await {
            respond.send_reset(Reason::REFUSED_STREAM);
        }
    })
    .await;
    let refused = post(&network, &url, "{}").await;
    assert!(
        matches!(refused, Err(Error::ConnectionTerminated)),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_read_is_sent_again_where_the_server_takes_its_leave() {
    // Answers one request of a connection; then says that it takes no more, or says nothing.
    let (url, _running) = by_hand(|number, mut connection| async move {
        answer_empty(next(&mut connection).await);
        flush(&mut connection).await;
        if number % 2 == 0 {
            connection.graceful_shutdown();
            flush(&mut connection).await;
        }
    })
    .await;
    let network = network();
    for _ in 0..8 {
        get(&network, &url).await.expect("it is answered");
        post(&network, &url, "{}").await.expect("it is answered");
    }
}

#[tokio::test]
async fn a_read_that_the_server_has_answered_by_an_error_is_not_sent_again() {
    static SEEN: AtomicUsize = AtomicUsize::new(0);
    let (url, _running) = by_hand(|_, mut connection| async move {
        answer_empty(next(&mut connection).await);
        while let Some(Ok((_, mut respond))) = connection.accept().await {
            SEEN.fetch_add(1, Ordering::Relaxed);
            respond.send_reset(Reason::INTERNAL_ERROR);
        }
    })
    .await;
    let network = network();
    get(&network, &url).await.expect("it is answered");
    let failed = get(&network, &url).await;
    assert!(
        matches!(failed, Err(Error::ConnectionTerminated)),
        "{failed:?}"
    );
    assert_eq!(SEEN.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn what_a_request_says_of_its_host_and_length_does_not_count() {
    let (url, _running) = by_hand(|_, connection| {
        answer(connection, |request, respond| {
            let headers = request.headers();
            assert!(!headers.contains_key("host"), "{headers:?}");
            assert!(!headers.contains_key("proxy-authorization"), "{headers:?}");
            assert_eq!(headers["content-length"], "2");
            answer_empty(respond);
        })
    })
    .await;
    let mut request = request(Method::POST, &url, "{}");
    let headers = request.headers_mut();
    headers.insert("host", HeaderValue::from_static("evil.example"));
    headers.insert("content-length", HeaderValue::from_static("7"));
    headers.insert("transfer-encoding", HeaderValue::from_static("chunked"));
    headers.insert(
        "proxy-authorization",
        HeaderValue::from_static("Basic eDp5"),
    );
    let terms = Terms::new(Timeouts::default(), Addresses::Development);
    send(&network(), request, terms)
        .await
        .expect("it is answered");
}
