//! A recorder hands on what it is given, when it is given: nobody can tell that it is there. Over real sockets.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use connector_recording::{Answer, Exchange, Memory, Recorder};
use connector_transport::{Body, Error, Guarded, Network, Reading, Terms, Timeouts, Transport};
use http::{Method, Request, Response};
use http_body_util::BodyExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, timeout};

/// Whatever the tests wait for comes within this time, or they fail.
const SOON: Duration = Duration::from_secs(5);
/// How long a body may stand still in the tests.
const PATIENCE: Duration = Duration::from_millis(300);

/// Answers every connection as `serve` does, at the port that is given back.
async fn server<F>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> u16
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            tokio::spawn(serve(stream));
        }
    });
    port
}

/// Sends these bytes, and then nothing, with the connection open.
async fn stalled(head_and_start: &'static str) -> u16 {
    server(async move |mut stream| {
        let _ = stream.write_all(head_and_start.as_bytes()).await;
        sleep(Duration::from_secs(60)).await;
    })
    .await
}

fn recorder() -> (Arc<Recorder>, Memory) {
    let memory = Memory::default();
    let recorder = Recorder::new(Arc::new(Network::new()), memory.clone());
    (Arc::new(recorder), memory)
}

async fn send(
    transport: Arc<dyn Transport>,
    method: Method,
    port: u16,
) -> Result<Response<Body>, Error> {
    let request = Request::builder()
        .method(method)
        .uri(format!("http://127.0.0.1:{port}/v2/users"))
        .body(Bytes::new())
        .expect("the test gives a request");
    let mut terms = Terms::default();
    terms.timeouts = Timeouts::default().between_bytes(PATIENCE);
    transport.send(request, terms).await
}

/// What the recording has of the only exchange.
async fn recorded(recorder: &Recorder, memory: &Memory) -> Exchange {
    let finished = timeout(SOON, recorder.finish()).await;
    finished.expect("it ends").expect("memory takes everything");
    let mut exchanges = memory.recording().expect("it is HAR").exchanges;
    assert_eq!(exchanges.len(), 1, "{exchanges:?}");
    exchanges.remove(0)
}

/// How the exchange broke off, by name; empty where it did not.
fn breakdown(exchange: &Exchange) -> &str {
    match &exchange.answer {
        Answer::Whole(_) => "",
        Answer::Partial(_, how) | Answer::None(how) => how.name(),
    }
}

const STALLED_FAILURE: &str = "HTTP/1.1 500 Oh no\r\ncontent-length: 100\r\n\r\nhalf";

#[tokio::test]
async fn the_head_of_a_failure_is_not_kept_back_until_its_body_is_there() {
    let port = stalled(STALLED_FAILURE).await;
    let (recorder, memory) = recorder();
    let start = Instant::now();
    let answer = timeout(SOON, send(recorder.clone(), Method::GET, port)).await;
    let answer = answer.expect("it answers").expect("there is a head");
    assert_eq!(answer.status(), 500);
    assert!(start.elapsed() < PATIENCE, "{:?}", start.elapsed());
    drop(answer);
    let exchange = recorded(&recorder, &memory).await;
    assert_eq!(breakdown(&exchange), "given-up");
    assert!(matches!(&exchange.answer, Answer::Partial(answer, _) if answer.body() == "half"));
}

/// What a connector's host sees of an answer, in this order.
#[derive(Debug, PartialEq)]
enum Seen {
    Head(u16),
    Bytes(usize),
    Failure(Error),
}

/// Reads an answer as a host does, up to so many bytes, and says how long it took.
async fn read(transport: Arc<dyn Transport>, port: u16, limit: u64) -> (Vec<Seen>, Duration) {
    let start = Instant::now();
    let answer = match send(transport, Method::GET, port).await {
        Ok(answer) => answer,
        Err(error) => return (vec![Seen::Failure(error)], start.elapsed()),
    };
    let mut seen = vec![Seen::Head(answer.status().as_u16())];
    let reading = Reading::new(PATIENCE, PATIENCE, limit);
    let mut body = Guarded::new(answer.into_body(), reading, ());
    let mut bytes = 0;
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => bytes += frame.data_ref().map_or(0, Bytes::len),
            Err(error) => seen.push(Seen::Failure(error)),
        }
    }
    seen.insert(1, Seen::Bytes(bytes));
    (seen, start.elapsed())
}

#[tokio::test]
async fn each_answer_is_the_same_with_and_without_a_recorder() {
    let ports = [
        stalled(STALLED_FAILURE).await,
        stalled("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nhalf").await,
        stalled("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf").await,
        stalled("HTTP/1.1 502 Bad\r\ncontent-type: text/html\r\ncontent-length: 4\r\n\r\npage")
            .await,
        broken_off("HTTP/1.1 500 Oh no\r\ncontent-length: 100\r\n\r\nhalf").await,
        broken_off("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n").await,
        broken_off("HTTP/1.1 204 No Content\r\n\r\n").await,
        broken_off("").await,
        broken_off("HTTP/2.0 nonsense").await,
    ];
    for (case, port) in ports.into_iter().enumerate() {
        let (plain, _) = read(Arc::new(Network::new()), port, 1000).await;
        let (recorder, memory) = recorder();
        let (heard, took) = read(recorder.clone(), port, 1000).await;
        assert_eq!(heard, plain, "case {case}");
        assert!(took < 2 * PATIENCE, "case {case}: {took:?}");
        recorded(&recorder, &memory).await;
    }
}

/// Sends these bytes, and closes the connection.
async fn broken_off(bytes: &'static str) -> u16 {
    server(async move |mut stream| {
        let _ = stream.write_all(bytes.as_bytes()).await;
    })
    .await
}

/// Sends this head, and then bytes for as long as somebody takes them.
async fn endless(head: &'static str) -> u16 {
    server(async move |mut stream| {
        let _ = stream.write_all(head.as_bytes()).await;
        let filler = [b'x'; 16 << 10];
        while stream.write_all(&filler).await.is_ok() {}
    })
    .await
}

#[tokio::test]
async fn of_a_failure_that_nobody_reads_a_mebibyte_is_kept_and_the_summary_says_so() {
    let port = endless("HTTP/1.1 500 Oh no\r\n\r\n").await;
    let (recorder, memory) = recorder();
    let answer = send(recorder.clone(), Method::GET, port).await;
    drop(answer.expect("there is a head"));
    let summary = timeout(SOON, recorder.finish()).await.expect("it ends");
    let summary = summary.expect("memory takes everything");
    assert_eq!(summary.cut_off, [1]);
    let warning = summary.warning().expect("it is not complete");
    assert!(warning.contains("not complete"), "{warning}");
    let recording = memory.recording().expect("it is HAR");
    let comment = recording.comment.expect("it has a comment");
    assert!(comment.contains(&warning), "{comment}");
    let exchange = &recording.exchanges[0];
    assert_eq!(breakdown(exchange), "recording-limit");
    let kept = exchange.answer.response().expect("it began").body().len();
    assert!((1 << 20..2 << 20).contains(&kept), "{kept}");
}

#[tokio::test]
async fn what_a_connector_left_of_a_failure_is_recorded_and_what_it_left_of_data_is_not() {
    for (head, whole) in [
        (
            "HTTP/1.1 404 Not Found\r\ncontent-length: 300000\r\n\r\n",
            true,
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 300000\r\n\r\n",
            true,
        ),
        ("HTTP/1.1 200 OK\r\ncontent-length: 300000\r\n\r\n", false),
    ] {
        let port = endless(head).await;
        let (recorder, memory) = recorder();
        let answer = send(recorder.clone(), Method::GET, port).await;
        let mut body = answer.expect("there is a head").into_body();
        let frame = body.frame().await.expect("it begins");
        assert!(frame.is_ok());
        drop(body);
        let exchange = recorded(&recorder, &memory).await;
        let kept = exchange.answer.response().expect("it began").body().len();
        let expected = if whole { "" } else { "given-up" };
        assert_eq!(breakdown(&exchange), expected, "{head}");
        assert_eq!(kept == 300_000, whole, "{head}");
    }
}

#[tokio::test]
async fn an_answer_to_a_write_is_recorded_although_nobody_reads_it() {
    let port = stalled("HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\n{}").await;
    let (recorder, memory) = recorder();
    drop(send(recorder.clone(), Method::POST, port).await);
    let exchange = recorded(&recorder, &memory).await;
    assert!(matches!(&exchange.answer, Answer::Whole(answer) if answer.body() == "{}"));
}

#[tokio::test]
async fn a_request_that_is_given_up_before_its_answer_is_recorded_as_such() {
    let port = stalled("").await;
    let (recorder, memory) = recorder();
    let sent = timeout(PATIENCE, send(recorder.clone(), Method::GET, port)).await;
    assert!(sent.is_err(), "nobody answers");
    let exchange = recorded(&recorder, &memory).await;
    assert!(matches!(&exchange.answer, Answer::None(how) if how.name() == "given-up"));
}
