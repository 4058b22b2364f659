//! Records what another transport sends and gets.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use connector_transport::{Body, BoxFuture, Error, Terms, Transport};
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{Request, Response};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt;
use tokio::time::timeout;

use crate::breakdown::Breakdown;
use crate::file::Sink;
use crate::recording::RecordingError;
use crate::tape::{Limits, Tape, Track};
use crate::writer::Summary;

/// How many bytes are read of an answer that nobody reads: far more than any such has.
const UNREAD_LIMIT: usize = 1 << 20;
/// How long is waited for one that nobody waits for, if the terms allow for that much.
const UNREAD_PATIENCE: Duration = Duration::from_secs(5);

/// Hands every request on to another transport, and writes what was sent and what came back.
///
/// Answers pass through as they come: a connector meets the same pauses, failures and ends as without it. Failures, answers to
/// writes and web pages are worth keeping even where a connector does not read them: what it leaves of one is read when it lets go
/// of it, 1 MiB of it at most and for 5 seconds at most. Its connection is in use for so long.
///
/// An exchange is written once it and all that were begun before it are over, without credentials, tokens and cookies, and without
/// the name of the host. The personal data of accounts is still in it. A request waits until what came before is written, so
/// that nothing piles up. A recording that cannot be written disturbs nobody: [`Recorder::finish`] tells.
///
/// # What is taken out
///
/// What is written cannot be taken out any more. Of a secret that nobody has named, the exchanges that were written before its
/// name was seen keep what they say of it. That concerns only a secret that the other side tells before it is asked for, and that is
/// no credential of this connector: what a request carries is known before it is sent, what an answer carries before anything
/// that was begun after it is written, and what the caller knows it can [conceal](Recorder::conceal) beforehand.
pub struct Recorder {
    transport: Arc<dyn Transport>,
    tape: Arc<Tape>,
}

impl Recorder {
    /// Records what this transport sends and gets, within the default [`Limits`].
    pub fn new(transport: Arc<dyn Transport>, sink: impl Sink) -> Self {
        Self::with(transport, sink, Limits::default())
    }

    /// Records what this transport sends and gets, within these limits.
    pub fn with(transport: Arc<dyn Transport>, sink: impl Sink, limits: Limits) -> Self {
        Self {
            transport,
            tape: Arc::new(Tape::new(Box::new(sink), limits)),
        }
    }

    /// Takes this secret out of whatever is written from now on, in whichever spelling.
    pub fn conceal(&self, secret: &str) {
        self.tape.conceal(secret);
    }

    /// Ends the recording. What still goes on is in it as an exchange that was given up.
    ///
    /// # Errors
    ///
    /// When it cannot be written, or was finished before.
    pub async fn finish(&self) -> Result<Summary, RecordingError> {
        self.tape.finish().await
    }
}

impl Transport for Recorder {
    fn send(
        self: Arc<Self>,
        request: Request<Bytes>,
        terms: Terms,
    ) -> BoxFuture<'static, Result<Response<Body>, Error>> {
        Box::pin(async move {
            let is_read = request.method().is_safe();
            let track = self.tape.begin(&request).await;
            match self.transport.clone().send(request, terms).await {
                Ok(response) => Ok(listen(track, response, is_read, terms)),
                Err(error) => {
                    track.end(Some(Breakdown::from(&error)));
                    Err(error)
                }
            }
        })
    }
}

/// Records the answer while it is read.
fn listen(track: Track, response: Response<Body>, is_read: bool, terms: Terms) -> Response<Body> {
    let (head, body) = response.into_parts();
    let mut kept = Response::new(());
    *kept.status_mut() = head.status;
    *kept.headers_mut() = head.headers.clone();
    track.head(kept);
    if body.is_end_stream() {
        track.end(None);
        return Response::from_parts(head, body);
    }
    let is_data = is_read && head.status.is_success() && !is_page(&head.headers);
    let patience = terms.timeouts.between_bytes.min(UNREAD_PATIENCE);
    let heard = Heard {
        body: Some(body),
        track: Some(track),
        read_on_for: (!is_data).then_some(patience),
    };
    Response::from_parts(head, heard.boxed_unsync())
}

/// Whether the answer is a web page, as gateways and throttles send it.
fn is_page(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    content_type.is_some_and(|value| value.starts_with(b"text/html"))
}

/// A body that is recorded while it is read.
struct Heard {
    /// `None` once it is over.
    body: Option<Body>,
    /// `None` once it is over.
    track: Option<Track>,
    /// How long to read on where its reader does not, if at all.
    read_on_for: Option<Duration>,
}

impl Heard {
    fn end(&mut self, breakdown: Option<Breakdown>) {
        if let Some(track) = self.track.take() {
            track.end(breakdown);
        }
    }
}

impl http_body::Body for Heard {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = &mut *self;
        let Some(body) = &mut this.body else {
            return Poll::Ready(None);
        };
        let frame = ready!(Pin::new(&mut *body).poll_frame(cx));
        match &frame {
            Some(Ok(frame)) => {
                let is_last = body.is_end_stream();
                if let (Some(data), Some(track)) = (frame.data_ref(), &this.track) {
                    track.hear(data);
                }
                // Where the length was told, nobody asks for what comes after the last byte.
                if is_last {
                    this.end(None);
                }
            }
            Some(Err(error)) => {
                let breakdown = Breakdown::from(error);
                this.end(Some(breakdown));
                this.body = None;
            }
            None => {
                this.end(None);
                this.body = None;
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(|body| body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        let none = SizeHint::with_exact(0);
        self.body.as_ref().map_or(none, |body| body.size_hint())
    }
}

impl Drop for Heard {
    fn drop(&mut self) {
        if let (Some(patience), Some(track), Some(body)) =
            (self.read_on_for, self.track.take(), self.body.take())
        {
            let tape = track.tape().clone();
            tape.read_on(async move {
                // What is not over by then is given up, with the track.
                let _ = timeout(patience, read_on(body, track)).await;
            });
        }
    }
}

/// Reads what is left of a body, up to its first failure.
async fn read_on(body: Body, track: Track) {
    let mut heard = Heard {
        body: Some(body),
        track: Some(track),
        read_on_for: None,
    };
    let mut read = 0;
    while let Some(Ok(frame)) = heard.frame().await {
        // An empty frame counts too, since there could be no end of them.
        read += frame.data_ref().map_or(0, Bytes::len).max(1);
        if read > UNREAD_LIMIT {
            if let Some(track) = heard.track.take() {
                track.cut_off();
            }
            return;
        }
        if heard.is_end_stream() {
            return;
        }
    }
}
