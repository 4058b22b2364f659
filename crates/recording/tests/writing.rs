//! What a recorder writes, when it writes it, and how much of it is in memory until then.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::path::Path;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use connector_recording::{
    Answer, Limits, Memory, Recorder, Recording, RecordingError, RecordingFile, Replayer, Sink,
};
use connector_transport::{Body, BoxFuture, Error, Terms, Transport, whole_body};
use http::{Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::BodyExt;
use tokio::sync::mpsc;

/// Gives these answers, one for each request.
struct Answers(Mutex<VecDeque<Result<Response<Body>, Error>>>);

impl Answers {
    fn new(answers: impl IntoIterator<Item = Result<Response<Body>, Error>>) -> Arc<Self> {
        Arc::new(Self(Mutex::new(answers.into_iter().collect())))
    }
}

impl Transport for Answers {
    fn send(
        self: Arc<Self>,
        _request: Request<Bytes>,
        _terms: Terms,
    ) -> BoxFuture<'static, Result<Response<Body>, Error>> {
        let mut answers = self.0.lock().expect("no other test has it");
        let answer = answers.pop_front().expect("the test gives enough answers");
        Box::pin(async { answer })
    }
}

fn ok(body: impl Into<Bytes>) -> Result<Response<Body>, Error> {
    Ok(Response::new(whole_body(body)))
}

/// What a body gives next.
type Next = Result<Frame<Bytes>, Error>;

/// A body to which the test gives frame by frame.
fn open() -> (mpsc::UnboundedSender<Next>, Result<Response<Body>, Error>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (sender, Ok(Response::new(Frames(receiver).boxed_unsync())))
}

struct Frames(mpsc::UnboundedReceiver<Next>);

impl http_body::Body for Frames {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        self.0.poll_recv(cx)
    }
}

async fn get(recorder: &Arc<Recorder>, path: &str) -> Result<Response<Body>, Error> {
    let request = Request::get(format!("https://acme.example{path}"))
        .body(Bytes::new())
        .expect("the test gives a request");
    recorder.clone().send(request, Terms::default()).await
}

/// The answer to a request, read to its end.
async fn text(recorder: &Arc<Recorder>, path: &str) -> Bytes {
    let answer = get(recorder, path).await.expect("it is answered");
    let body = answer.into_body().collect().await;
    body.expect("it is whole").to_bytes()
}

/// The paths of the requests of a recording.
fn paths(recording: &Recording) -> Vec<&str> {
    let requests = recording.exchanges.iter().map(|exchange| &exchange.request);
    requests.map(|request| request.uri().path()).collect()
}

#[tokio::test]
async fn an_exchange_is_written_once_it_is_over() {
    let memory = Memory::default();
    let answers = Answers::new([ok("first"), ok("second")]);
    let recorder = Arc::new(Recorder::new(answers, memory.clone()));
    text(&recorder, "/1").await;
    // The second begins once the first is written.
    text(&recorder, "/2").await;
    assert!(memory.har().contains("first"), "{}", memory.har());
    assert!(memory.recording().is_err(), "it has no end yet");
    let summary = recorder.finish().await.expect("memory takes everything");
    assert_eq!((summary.exchanges, summary.warning()), (2, None));
    let recording = memory.recording().expect("it is HAR");
    assert_eq!(paths(&recording), ["/1", "/2"]);
}

/// Takes its time.
struct Slow(Memory);

impl Write for Slow {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        std::thread::sleep(Duration::from_millis(20));
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink for Slow {
    fn keep(self: Box<Self>) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_request_waits_until_what_came_before_is_written() {
    let page = || ok(vec![b'x'; 1000]);
    let answers = Answers::new([page(), page(), page()]);
    let limits = Limits::default().all(1500);
    let recorder = Arc::new(Recorder::with(answers, Slow(Memory::default()), limits));
    for path in ["/1", "/2", "/3"] {
        text(&recorder, path).await;
    }
    let summary = recorder.finish().await.expect("memory takes everything");
    assert_eq!(summary.cut_off, [0; 0], "there is room for one at a time");
}

#[tokio::test]
async fn an_exchange_that_was_given_up_holds_up_nothing() {
    let memory = Memory::default();
    let answers = Answers::new([open().1, ok("second"), ok("third")]);
    let recorder = Arc::new(Recorder::new(answers, memory.clone()));
    drop(get(&recorder, "/1").await);
    text(&recorder, "/2").await;
    text(&recorder, "/3").await;
    assert!(memory.har().contains("second"), "{}", memory.har());
}

#[tokio::test]
async fn exchanges_are_in_the_order_in_which_they_were_begun() {
    let memory = Memory::default();
    let (sender, slow) = open();
    let answers = Answers::new([slow, ok("fast")]);
    let recorder = Arc::new(Recorder::new(answers, memory.clone()));
    let slow = get(&recorder, "/slow").await.expect("it is answered");
    text(&recorder, "/fast").await;
    drop(sender);
    slow.into_body().collect().await.expect("it is whole");
    recorder.finish().await.expect("memory takes everything");
    let har = memory.har();
    assert!(har.find("/slow") < har.find("/fast"), "{har}");
}

#[tokio::test]
async fn what_would_wait_for_too_long_is_written_out_of_order_and_read_in_order() {
    let memory = Memory::default();
    let (sender, slow) = open();
    let page = || ok(vec![b'x'; 1000]);
    let answers = Answers::new([slow, page(), page(), page(), page()]);
    let limits = Limits::default().all(3000);
    let recorder = Arc::new(Recorder::with(answers, memory.clone(), limits));
    let slow = get(&recorder, "/0").await.expect("it is answered");
    for path in ["/1", "/2", "/3", "/4"] {
        text(&recorder, path).await;
    }
    assert!(memory.har().contains("/1"), "it does not wait");
    drop(sender);
    slow.into_body().collect().await.expect("it is whole");
    let summary = recorder.finish().await.expect("memory takes everything");
    assert_eq!(summary.cut_off, [0; 0], "nothing is lost");
    let recording = memory.recording().expect("it is HAR");
    assert_eq!(paths(&recording), ["/0", "/1", "/2", "/3", "/4"]);
}

#[tokio::test]
async fn of_an_answer_beyond_the_limit_the_beginning_is_recorded_and_all_is_handed_on() {
    let memory = Memory::default();
    let answers = Answers::new([ok("0123456789"), ok("next")]);
    let limits = Limits::default().answer(4);
    let recorder = Arc::new(Recorder::with(answers, memory.clone(), limits));
    assert_eq!(text(&recorder, "/1").await, "0123456789");
    assert_eq!(text(&recorder, "/2").await, "next");
    let summary = recorder.finish().await.expect("memory takes everything");
    assert_eq!(summary.cut_off, [1]);
    let recording = memory.recording().expect("it is HAR");
    let answer = &recording.exchanges[0].answer;
    assert!(
        matches!(answer, Answer::Partial(answer, how) if answer.body() == "0123" && how.name() == "recording-limit"),
        "{answer:?}"
    );
    // A replay says what is missing, where it is missing.
    let replayer = Arc::new(Replayer::new(recording));
    let request = Request::get("https://acme.example/1").body(Bytes::new());
    let request = request.expect("the test gives a request");
    let answer = replayer.send(request, Terms::default()).await;
    let body = answer.expect("it began").into_body().collect().await;
    let error = body.expect_err("it is not whole").to_string();
    assert!(error.contains("recording-limit"), "{error}");
}

#[tokio::test]
async fn what_goes_on_at_the_end_was_given_up() {
    let memory = Memory::default();
    let (sender, answer) = open();
    let recorder = Arc::new(Recorder::new(Answers::new([answer]), memory.clone()));
    let mut body = get(&recorder, "/1").await.expect("it began").into_body();
    sender
        .send(Ok(Frame::data("half".into())))
        .expect("it is read");
    assert!(body.frame().await.is_some());
    recorder.finish().await.expect("memory takes everything");
    let recording = memory.recording().expect("it is HAR");
    let answer = &recording.exchanges[0].answer;
    assert!(
        matches!(answer, Answer::Partial(answer, how) if answer.body() == "half" && how.name() == "given-up"),
        "{answer:?}"
    );
    // It is handed on as before, and the recording is finished.
    drop(sender);
    assert!(body.frame().await.is_none());
    assert!(matches!(
        recorder.finish().await,
        Err(RecordingError::Finished)
    ));
}

/// Fails whenever it is asked.
struct Failing(Arc<AtomicUsize>);

impl http_body::Body for Failing {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Poll::Ready(Some(Err(Error::ReadTimeout)))
    }
}

/// Gives frames without anything in them for as long as it is asked.
struct Empty;

impl http_body::Body for Empty {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        Poll::Ready(Some(Ok(Frame::data(Bytes::new()))))
    }
}

#[tokio::test]
async fn a_body_of_empty_frames_without_end_is_not_read_without_end() {
    let mut answer = Response::new(Empty.boxed_unsync());
    *answer.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    let recorder = Arc::new(Recorder::new(Answers::new([Ok(answer)]), Memory::default()));
    drop(get(&recorder, "/1").await);
    let summary = recorder.finish().await.expect("memory takes everything");
    assert_eq!(summary.cut_off, [1]);
}

#[tokio::test]
async fn a_body_is_over_after_its_first_failure() {
    let asked = Arc::new(AtomicUsize::new(0));
    let mut answer = Response::new(Failing(asked.clone()).boxed_unsync());
    *answer.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    let memory = Memory::default();
    let recorder = Arc::new(Recorder::new(Answers::new([Ok(answer)]), memory.clone()));
    drop(get(&recorder, "/1").await);
    recorder.finish().await.expect("memory takes everything");
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    let answer = &memory.recording().expect("it is HAR").exchanges[0].answer;
    assert!(
        matches!(answer, Answer::Partial(_, how) if how.name() == "read-timeout"),
        "{answer:?}"
    );
}

/// Has room for so many bytes.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(self.0);
        self.0 -= taken;
        match taken {
            0 => Err(io::ErrorKind::StorageFull.into()),
            taken => Ok(taken),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink for Full {
    fn keep(self: Box<Self>) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_full_disk_disturbs_nobody_and_is_told_at_the_end() {
    for room in [0, 10, 2000, 10_000] {
        let large = "x".repeat(100_000);
        let answers = Answers::new([ok("first"), ok(large.clone()), ok("third")]);
        let recorder = Arc::new(Recorder::new(answers, Full(room)));
        assert_eq!(text(&recorder, "/1").await, "first");
        assert_eq!(text(&recorder, "/2").await, large);
        assert_eq!(text(&recorder, "/3").await, "third");
        let error = recorder.finish().await.expect_err("there is no room");
        assert!(
            matches!(&error, RecordingError::Unwritable(cause) if cause.kind() == io::ErrorKind::StorageFull),
            "{error}"
        );
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    let names = entries.map(|entry| entry.expect("it can be listed").file_name());
    names
        .map(|name| name.to_string_lossy().into_owned())
        .collect()
}

#[tokio::test]
async fn a_file_is_there_at_the_end_or_not_at_all() {
    let folder = tempfile::tempdir().expect("the temporary folder can be written to");
    let path = folder.path().join("a.har");
    let record = async || {
        let file = RecordingFile::create(&path).expect("the folder can be written to");
        let recorder = Arc::new(Recorder::new(Answers::new([ok("[]")]), file));
        text(&recorder, "/1").await;
        recorder
    };
    drop(record().await);
    // What was written beside the test ends soon after.
    while !names(folder.path()).is_empty() {
        tokio::task::yield_now().await;
    }
    let summary = record().await.finish().await.expect("there is room");
    assert_eq!(summary.exchanges, 1);
    assert_eq!(names(folder.path()), ["a.har"]);
    let recording = Recording::read(&path).expect("it is HAR");
    assert_eq!(paths(&recording), ["/1"]);
}

/// The bytes of a request, and how many hold them.
struct Counted {
    _counter: Arc<()>,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        b"[17]"
    }
}

#[tokio::test]
async fn the_bytes_of_a_request_are_let_go_when_it_is_sent() {
    let counter = Arc::new(());
    let _counter = counter.clone();
    let (_sender, answer) = open();
    let recorder = Arc::new(Recorder::new(Answers::new([answer]), Memory::default()));
    let request = Request::patch("https://acme.example/1")
        .body(Bytes::from_owner(Counted { _counter }))
        .expect("the test gives a request");
    let answer = recorder.clone().send(request, Terms::default()).await;
    assert!(answer.is_ok(), "it goes on");
    assert_eq!(Arc::strong_count(&counter), 1);
}
