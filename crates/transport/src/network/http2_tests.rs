//! HTTP/2 with a server that does not do as it should. Without TLS, which has its own tests.

use std::future::{pending, poll_fn};

use h2::server::{Connection, SendResponse};
use h2::{Reason, RecvStream};
use http::HeaderValue;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::*;

/// Serves HTTP/2 connections on this computer until it is dropped; gives the URL.
async fn serve<F>(serve: fn(Connection<TcpStream, Bytes>) -> F) -> (String, JoinSet<()>)
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("there is a free port");
    let address = listener.local_addr().expect("it is bound");
    let mut running = JoinSet::new();
    running.spawn(async move {
        let mut connections = JoinSet::new();
        loop {
            let (stream, _) = listener.accept().await.expect("the socket is open");
            connections.spawn(async move {
                let connection = h2::server::handshake(stream).await;
                serve(connection.expect("the client speaks HTTP/2")).await;
            });
        }
    });
    (format!("http://{address}/"), running)
}

/// Answers every request of a connection.
async fn answer(
    mut connection: Connection<TcpStream, Bytes>,
    answer: impl Fn(Request<RecvStream>, SendResponse<Bytes>),
) {
    // A client that has what it wants may break off.
    while let Some(Ok((request, respond))) = connection.accept().await {
        answer(request, respond);
    }
}

/// A client that knows that the server speaks HTTP/2, as it otherwise learns from TLS.
fn client(silence: Duration) -> Client<Tcp, Full<Bytes>> {
    builder(silence)
        .http2_only(true)
        .build(tcp(&NetworkOptions::default()))
}

async fn get(client: &Client<Tcp, Full<Bytes>>, url: &str) -> Result<Bytes, Error> {
    let request = Request::get(url).body(Bytes::new());
    let request = request.expect("the test gives a URL");
    let response = send(client, request, Timeouts::default()).await?;
    Ok(response.into_body().collect().await?.to_bytes())
}

/// Takes the first request of a connection.
async fn first(connection: &mut Connection<TcpStream, Bytes>) -> SendResponse<Bytes> {
    let first = connection.accept().await.expect("a request comes");
    first.expect("it is a request").1
}

/// Sends what is to be sent.
async fn flush(connection: &mut Connection<TcpStream, Bytes>) {
    let closed = poll_fn(|cx| connection.poll_closed(cx));
    // It is not closed, but kept going meanwhile.
    let _ = timeout(Duration::from_millis(50), closed).await;
}

#[tokio::test]
async fn a_body_that_is_broken_off_without_an_error_is_not_whole() {
    let (url, _running) = serve(|mut connection| async move {
        let mut respond = first(&mut connection).await;
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
    let body = get(&client(SILENCE), &url).await;
    assert!(matches!(body, Err(Error::ResponseIncomplete)), "{body:?}");
}

#[tokio::test]
async fn a_body_with_trailers_arrives_whole() {
    let (url, _running) = serve(|connection| {
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
    assert_eq!(
        get(&client(SILENCE), &url).await.expect("it is answered"),
        "whole"
    );
}

#[tokio::test]
async fn a_header_is_taken_in_up_to_the_limit() {
    // The path says how many KiB of it are wanted.
    let (url, _running) = serve(|connection| {
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
    let client = client(SILENCE);
    let within = get(&client, &format!("{url}240")).await;
    assert!(within.is_ok(), "{within:?}");
    // HTTP/2 has no error of its own for it.
    let beyond = get(&client, &format!("{url}260")).await;
    assert!(
        matches!(beyond, Err(Error::ConnectionTerminated)),
        "{beyond:?}"
    );
}

#[tokio::test]
async fn a_connection_that_is_dead_is_given_up_and_not_used_again() {
    // Answers one request, and is silent from then on.
    let (url, _running) = serve(|mut connection| async move {
        let mut respond = first(&mut connection).await;
        respond
            .send_response(Response::new(()), true)
            .expect("it is waited for");
        flush(&mut connection).await;
        pending().await
    })
    .await;
    let client = client(Duration::from_millis(100));
    get(&client, &url).await.expect("the first is answered");
    tokio::time::sleep(Duration::from_millis(100)).await;
    let error = get(&client, &url).await;
    assert!(
        matches!(error, Err(Error::ConnectionTerminated)),
        "{error:?}"
    );
    get(&client, &url).await.expect("a new connection is made");
}
