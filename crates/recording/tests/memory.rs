//! An answer is in memory once, however it is written. A program of its own, since it measures the whole process.
#![cfg(target_os = "linux")]

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use connector_recording::{Limits, Recorder, RecordingFile};
use connector_transport::{Body, BoxFuture, Error, Terms, Transport};
use http::{Request, Response};
use http_body::Frame;
use http_body_util::BodyExt;

const ANSWER: usize = 20_000_000;
const FRAME: &[u8] = &[b'x'; 16 << 10];

/// Answers with a body that is made while it is read.
struct Large;

impl Transport for Large {
    fn send(
        self: Arc<Self>,
        _request: Request<Bytes>,
        _terms: Terms,
    ) -> BoxFuture<'static, Result<Response<Body>, Error>> {
        Box::pin(async { Ok(Response::new(Frames(ANSWER).boxed_unsync())) })
    }
}

struct Frames(usize);

impl http_body::Body for Frames {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let next = self.0.min(FRAME.len());
        self.0 -= next;
        let frame = Frame::data(Bytes::copy_from_slice(&FRAME[..next]));
        Poll::Ready((next > 0).then_some(Ok(frame)))
    }
}

/// The most memory that this process had so far, in bytes.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux has it");
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    kib.and_then(|kib| kib.parse::<usize>().ok())
        .expect("it is a number")
        * 1024
}

#[tokio::test]
async fn a_large_answer_is_in_memory_once_and_then_no_more() {
    let folder = tempfile::tempdir().expect("the temporary folder can be written to");
    let file = RecordingFile::create(&folder.path().join("large.har"));
    let file = file.expect("the folder can be written to");
    let limits = Limits::default().answer(2 * ANSWER);
    let recorder = Arc::new(Recorder::with(Arc::new(Large), file, limits));
    let before = peak();
    for _ in 0..3 {
        let request = Request::get("https://acme.example/1").body(Bytes::new());
        let request = request.expect("the test gives a request");
        let answer = recorder.clone().send(request, Terms::default()).await;
        let mut body = answer.expect("it is answered").into_body();
        while let Some(frame) = body.frame().await {
            frame.expect("it is whole");
        }
    }
    let summary = recorder.finish().await.expect("there is room");
    assert_eq!((summary.exchanges, summary.cut_off.len()), (3, 0));
    let taken = peak() - before;
    println!(
        "{} MB for an answer of {} MB",
        taken / 1_000_000,
        ANSWER / 1_000_000
    );
    assert!(taken < ANSWER * 5 / 4, "{taken} bytes");
}
