//! Records what another transport sends and gets.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use connector_transport::{Body, BoxFuture, Error, Guarded, Reading, Terms, Transport};
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{Request, Response};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt;
use jiff::Timestamp;

use crate::Breakdown;
use crate::recording::{Answer, Exchange, Recording};
use crate::redact::Redactor;
use crate::replay::played;

/// What a recording says of itself, unless its maker says otherwise.
const COMMENT: &str = "Recorded by connector-host. Credentials, tokens, cookies and the name of the host were taken out. The \
    personal data of accounts (names, addresses, telephone numbers) was not: keep it as safe as the tenant's own data.";

/// How many bytes are read of an answer that may never be: far more than any such has.
const UNREAD_LIMIT: u64 = 16 << 20;

/// Hands every request on to another transport, and keeps what was sent and what came back.
///
/// Answers pass through as they come, so that a connector meets the same pauses and ends as without it; but answers to
/// writes, failures and web pages are read whole first, since connectors often do not, and what is in them is worth keeping. All is kept in memory, with its secrets,
/// until [`Recorder::recording`] gives it without.
pub struct Recorder {
    transport: Arc<dyn Transport>,
    tape: Arc<Tape>,
}

impl Recorder {
    /// Records what this transport sends and gets.
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        Self {
            transport,
            tape: Arc::default(),
        }
    }

    /// What was recorded so far, without credentials, tokens and cookies, and without the name of the host. The personal data
    /// of accounts is still in it.
    ///
    /// An exchange that is still going on is in it as one that broke off here.
    pub fn recording(&self) -> Recording {
        let exchanges: Vec<_> = self.tape.takes().iter().map(Take::exchange).collect();
        let mut redactor = Redactor::default();
        exchanges.iter().for_each(|each| redactor.learn(each));
        Recording {
            comment: Some(COMMENT.to_string()),
            exchanges: exchanges.iter().map(|each| redactor.clean(each)).collect(),
        }
    }
}

impl Transport for Recorder {
    fn send(
        self: Arc<Self>,
        request: Request<Bytes>,
        terms: Terms,
    ) -> BoxFuture<'static, Result<Response<Body>, Error>> {
        Box::pin(async move {
            let track = self.tape.begin(request.clone());
            match self.transport.clone().send(request, terms).await {
                Ok(response) => Ok(track.listen(response, terms).await),
                Err(error) => {
                    track.end(Some(Breakdown::from(&error)));
                    Err(error)
                }
            }
        })
    }
}

/// What was recorded so far, in the order in which the requests were sent.
#[derive(Default)]
struct Tape(Mutex<Vec<Take>>);

impl Tape {
    fn begin(self: &Arc<Self>, request: Request<Bytes>) -> Track {
        let is_read = request.method().is_safe();
        let mut takes = self.takes();
        takes.push(Take {
            started: Timestamp::now(),
            clock: Instant::now(),
            took: None,
            request,
            head: None,
            body: Vec::new(),
            breakdown: Some(Breakdown::given_up()),
        });
        Track {
            tape: self.clone(),
            index: takes.len() - 1,
            is_read,
        }
    }

    /// A take is never left half changed, so a panic elsewhere does not matter.
    fn takes(&self) -> MutexGuard<'_, Vec<Take>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One exchange, as far as it has come.
struct Take {
    started: Timestamp,
    clock: Instant,
    /// `None` while it goes on.
    took: Option<Duration>,
    request: Request<Bytes>,
    head: Option<Response<()>>,
    body: Vec<u8>,
    /// `None` once the answer was read to its end.
    breakdown: Option<Breakdown>,
}

impl Take {
    fn exchange(&self) -> Exchange {
        let head = self.head.clone();
        let answer = head.map(|head| head.map(|()| Bytes::copy_from_slice(&self.body)));
        Exchange {
            started: self.started,
            took: self.took.unwrap_or_else(|| self.clock.elapsed()),
            request: self.request.clone(),
            answer: match (answer, self.breakdown.clone()) {
                (Some(answer), None) => Answer::Whole(answer),
                (Some(answer), Some(breakdown)) => Answer::Partial(answer, breakdown),
                (None, breakdown) => Answer::None(breakdown.unwrap_or_else(Breakdown::given_up)),
            },
        }
    }
}

/// Where one exchange is on the tape.
struct Track {
    tape: Arc<Tape>,
    index: usize,
    /// Whether the request reads, and does not write.
    is_read: bool,
}

impl Track {
    fn write(&self, change: impl FnOnce(&mut Take)) {
        if let Some(take) = self.tape.takes().get_mut(self.index) {
            change(take);
        }
    }

    fn end(&self, breakdown: Option<Breakdown>) {
        self.write(|take| {
            take.took = Some(take.clock.elapsed());
            take.breakdown = breakdown;
        });
    }

    /// Records the answer while it is read, or, where it may never be, before.
    async fn listen(self, response: Response<Body>, terms: Terms) -> Response<Body> {
        let (head, body) = response.into_parts();
        let mut kept = Response::new(());
        *kept.status_mut() = head.status;
        *kept.headers_mut() = head.headers.clone();
        self.write(|take| take.head = Some(kept));
        if body.is_end_stream() {
            self.end(None);
            return Response::from_parts(head, body);
        }
        let is_data = self.is_read && head.status.is_success() && !is_page(&head.headers);
        let heard = Heard { body, track: self };
        let body = if is_data {
            heard.boxed_unsync()
        } else {
            read(heard, terms).await
        };
        Response::from_parts(head, body)
    }
}

/// Whether the answer is a web page, as gateways and throttles send it.
fn is_page(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    content_type.is_some_and(|value| value.starts_with(b"text/html"))
}

/// Reads a body to its end, and gives it as it was. It is waited for as long as its reader would have.
async fn read(body: Heard, terms: Terms) -> Body {
    let reading = Reading {
        patience: terms.timeouts.between_bytes,
        idle: terms.timeouts.between_bytes,
        limit: UNREAD_LIMIT,
    };
    let mut body = Guarded::new(body.boxed_unsync(), reading, ());
    let mut bytes = Vec::new();
    let mut breakdown = None;
    while let Some(frame) = body.frame().await {
        match frame.map(Frame::into_data) {
            Ok(Ok(data)) => bytes.extend_from_slice(&data),
            // Trailers, which no connector reads.
            Ok(Err(_)) => {}
            Err(error) => breakdown = Some(Breakdown::from(&error)),
        }
    }
    played(bytes.into(), breakdown)
}

/// A body that is recorded while it is read.
struct Heard {
    body: Body,
    track: Track,
}

impl http_body::Body for Heard {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        match &frame {
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    self.track.write(|take| take.body.extend_from_slice(data));
                }
                // Where the length was told, nobody asks for what comes after the last byte.
                if self.body.is_end_stream() {
                    self.track.end(None);
                }
            }
            Some(Err(error)) => self.track.end(Some(Breakdown::from(error))),
            None => self.track.end(None),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use connector_transport::whole_body;

    use super::*;
    use crate::Replayer;

    async fn send(transport: Arc<dyn Transport>) -> Result<Response<Body>, Error> {
        let request = Request::get("https://acme.example/v2/users").body(Bytes::new());
        let request = request.expect("the test gives a request");
        transport.send(request, Terms::default()).await
    }

    /// Answers `[1]`.
    struct One;

    impl Transport for One {
        fn send(
            self: Arc<Self>,
            _request: Request<Bytes>,
            _terms: Terms,
        ) -> BoxFuture<'static, Result<Response<Body>, Error>> {
            let body = whole_body("[1]");
            Box::pin(async { Ok(Response::new(body)) })
        }
    }

    /// Refuses the connection.
    struct Refuse;

    impl Transport for Refuse {
        fn send(
            self: Arc<Self>,
            _request: Request<Bytes>,
            _terms: Terms,
        ) -> BoxFuture<'static, Result<Response<Body>, Error>> {
            Box::pin(async { Err(Error::ConnectionRefused) })
        }
    }

    #[tokio::test]
    async fn an_answer_passes_through_and_is_kept() {
        let recorder = Arc::new(Recorder::new(Arc::new(One)));
        let response = send(recorder.clone()).await.expect("it is answered");
        let body = response.into_body().collect().await;
        assert_eq!(body.expect("it is whole").to_bytes(), "[1]");
        let recording = recorder.recording();
        let [
            Exchange {
                request,
                answer: Answer::Whole(answer),
                ..
            },
        ] = &recording.exchanges[..]
        else {
            panic!("one exchange was had, and not {recording:?}");
        };
        assert_eq!(request.uri(), "https://tenant.example.invalid/v2/users");
        assert_eq!(answer.body(), "[1]");
    }

    #[tokio::test]
    async fn an_answer_that_nobody_read_is_kept_as_one_that_was_given_up() {
        let recorder = Arc::new(Recorder::new(Arc::new(One)));
        drop(send(recorder.clone()).await);
        let recording = recorder.recording();
        assert!(
            matches!(&recording.exchanges[0].answer, Answer::Partial(_, how) if *how == Breakdown::given_up()),
            "{recording:?}"
        );
    }

    /// Answers 401, with a body.
    struct Unauthorized;

    impl Transport for Unauthorized {
        fn send(
            self: Arc<Self>,
            _request: Request<Bytes>,
            _terms: Terms,
        ) -> BoxFuture<'static, Result<Response<Body>, Error>> {
            let body = whole_body("{}");
            let mut response = Response::new(body);
            *response.status_mut() = http::StatusCode::UNAUTHORIZED;
            Box::pin(async { Ok(response) })
        }
    }

    #[tokio::test]
    async fn an_answer_that_is_a_failure_is_kept_whole_although_nobody_read_it() {
        let recorder = Arc::new(Recorder::new(Arc::new(Unauthorized)));
        let response = send(recorder.clone()).await.expect("it is answered");
        let recording = recorder.recording();
        assert!(
            matches!(&recording.exchanges[0].answer, Answer::Whole(answer) if answer.body() == "{}"),
            "{recording:?}"
        );
        let body = response.into_body().collect().await;
        assert_eq!(body.expect("it is whole").to_bytes(), "{}");
    }

    #[tokio::test]
    async fn a_failure_is_kept_and_comes_again_when_it_is_replayed() {
        let recorder = Arc::new(Recorder::new(Arc::new(Refuse)));
        let error = send(recorder.clone()).await.map(drop);
        assert!(matches!(error, Err(Error::ConnectionRefused)));
        let replayer = Arc::new(Replayer::new(recorder.recording()));
        let error = send(replayer.clone()).await.map(drop);
        assert!(matches!(error, Err(Error::ConnectionRefused)), "{error:?}");
        assert_eq!(replayer.finish(), Ok(()));
    }
}
