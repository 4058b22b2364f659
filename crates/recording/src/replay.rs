//! Answers requests from a recording, and sends none.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use connector_transport::{Body, BoxFuture, Error, Terms, Transport};
use http::{Request, Response};
use http_body::Frame;
use http_body_util::BodyExt;
use serde_json::Value;

use crate::breakdown::Breakdown;
use crate::recording::{Answer, Recording};
use crate::redact::{Redactor, is_form};

/// How many characters of a body an error shows.
const SHOWN: usize = 200;

/// Gives the answers of a recording to the requests of the recording, in its order, at once and without a network.
///
/// A request has to be the next of the recording by method, path, query and body, its secrets aside. One that is not fails, and
/// so does every one after it. The host does not matter: recordings do not tell it.
pub struct Replayer {
    recording: Recording,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// How many exchanges were replayed.
    done: usize,
    redactor: Redactor,
    unexpected: Option<ReplayError>,
}

/// What was sent is not what was recorded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// A request was sent that the recording does not have there.
    #[error(
        "the request {sent} is not what the recording has next: {}. Either the connector sends something else than when it was \
         recorded, and it has to be recorded anew, or this is the recording of something else",
        ExpectedNext { number: *number, expected: expected.as_deref() }
    )]
    Unexpected {
        /// The request: method, path, query and body.
        sent: String,
        /// The place in the recording, counted from 1.
        number: usize,
        /// The request there; `None` after the last.
        expected: Option<String>,
    },
    /// Not everything of the recording was asked for.
    #[error(
        "{left} of the {all} requests of the recording were not sent, beginning with {next}. Either the connector sends less than \
         when it was recorded, and it has to be recorded anew, or this is the recording of something else"
    )]
    LeftOver {
        /// How many were not.
        left: usize,
        /// How many there are.
        all: usize,
        /// The first that was not.
        next: String,
    },
}

/// What the recording has next, in words.
struct ExpectedNext<'a> {
    number: usize,
    expected: Option<&'a str>,
}

impl fmt::Display for ExpectedNext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.expected {
            Some(expected) => write!(f, "its request number {} is {expected}", self.number),
            None => write!(f, "it has no more than {}", self.number - 1),
        }
    }
}

impl Replayer {
    /// Replays this recording from its beginning.
    pub fn new(recording: Recording) -> Self {
        Self {
            recording,
            state: Mutex::default(),
        }
    }

    /// Whether all went as recorded: no other request was sent, and none is left over.
    ///
    /// # Errors
    ///
    /// The first request that the recording does not have, or else the first of it that was not sent.
    pub fn finish(&self) -> Result<(), ReplayError> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(unexpected) = &state.unexpected {
            return Err(unexpected.clone());
        }
        let exchanges = &self.recording.exchanges;
        match exchanges.get(state.done) {
            None => Ok(()),
            Some(next) => Err(ReplayError::LeftOver {
                left: exchanges.len() - state.done,
                all: exchanges.len(),
                next: describe(&next.request),
            }),
        }
    }

    /// The answer to a request, if it is the next.
    fn answer(&self, request: &Request<Bytes>) -> Result<Answer, ReplayError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(unexpected) = &state.unexpected {
            return Err(unexpected.clone());
        }
        state.redactor.learn_request(request);
        let sent = state.redactor.clean_request(request);
        let expected = self.recording.exchanges.get(state.done);
        if let Some(expected) = expected
            && same(&sent, &expected.request)
        {
            state.done += 1;
            return Ok(expected.answer.clone());
        }
        let unexpected = ReplayError::Unexpected {
            sent: describe(&sent),
            number: state.done + 1,
            expected: expected.map(|expected| describe(&expected.request)),
        };
        state.unexpected = Some(unexpected.clone());
        Err(unexpected)
    }
}

impl Transport for Replayer {
    fn send(
        self: Arc<Self>,
        request: Request<Bytes>,
        _terms: Terms,
    ) -> BoxFuture<'static, Result<Response<Body>, Error>> {
        let answer = self.answer(&request);
        Box::pin(async move {
            match answer {
                Ok(Answer::Whole(answer)) => Ok(answer.map(|body| played(body, None))),
                Ok(Answer::Partial(answer, breakdown)) => {
                    Ok(answer.map(|body| played(body, Some(breakdown))))
                }
                Ok(Answer::None(breakdown)) => Err(breakdown.error()),
                // The guest is not told more: what it is told, it may log.
                Err(_) => Err(Error::Internal {
                    reason: "the request is not the next one of the recording".to_string(),
                }),
            }
        })
    }
}

/// Whether two requests ask for the same.
fn same(sent: &Request<Bytes>, expected: &Request<Bytes>) -> bool {
    let query =
        |request: &Request<Bytes>| fields(request.uri().query().unwrap_or_default().as_bytes());
    sent.method() == expected.method()
        && sent.uri().path() == expected.uri().path()
        && query(sent) == query(expected)
        && body(sent) == body(expected)
}

/// A body in the form in which it can be compared: how JSON or a form is written does not matter.
#[derive(PartialEq)]
enum Compared<'a> {
    Form(Vec<(String, String)>),
    Json(Value),
    Bytes(&'a Bytes),
}

fn body(request: &Request<Bytes>) -> Compared<'_> {
    if is_form(request.headers()) {
        return Compared::Form(fields(request.body()));
    }
    match serde_json::from_slice(request.body()) {
        Ok(json) => Compared::Json(json),
        Err(_) => Compared::Bytes(request.body()),
    }
}

fn fields(form: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(form).into_owned().collect()
}

fn describe(request: &Request<Bytes>) -> String {
    let path = request
        .uri()
        .path_and_query()
        .map_or("/", |path| path.as_str());
    let line = format!("{} {path}", request.method());
    if request.body().is_empty() {
        return line;
    }
    let body = String::from_utf8_lossy(request.body());
    let dots = if body.chars().nth(SHOWN).is_some() {
        "…"
    } else {
        ""
    };
    let body: String = body.chars().take(SHOWN).collect();
    format!("{line} with the body {body}{dots}")
}

/// A body that was read before, and how it broke off, if it did.
pub(crate) fn played(body: Bytes, breakdown: Option<Breakdown>) -> Body {
    Played { body, breakdown }.boxed_unsync()
}

/// A recorded body, which ends as it did then.
struct Played {
    body: Bytes,
    breakdown: Option<Breakdown>,
}

impl http_body::Body for Played {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let body = std::mem::take(&mut self.body);
        Poll::Ready(if body.is_empty() {
            self.breakdown.take().map(|how| Err(how.error()))
        } else {
            Some(Ok(Frame::data(body)))
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_empty() && self.breakdown.is_none()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::Method;
    use jiff::Timestamp;

    use super::*;
    use crate::Exchange;

    fn request(method: &Method, path: &str, body: &str) -> Request<Bytes> {
        Request::builder()
            .method(method)
            .uri(format!("https://acme.example{path}"))
            .body(Bytes::copy_from_slice(body.as_bytes()))
            .expect("the test gives a request")
    }

    /// A recording of two requests: the body of an answer is the number of its request.
    fn replayer() -> Arc<Replayer> {
        let requests = [
            request(&Method::GET, "/v2/users?userType=TECHNICIAN", ""),
            request(&Method::PATCH, "/v2/user/role/1/add-members", "[17]"),
        ];
        let exchanges = requests
            .into_iter()
            .enumerate()
            .map(|(index, request)| Exchange {
                started: Timestamp::UNIX_EPOCH,
                took: Duration::ZERO,
                request,
                answer: Answer::Whole(Response::new(index.to_string().into())),
            });
        Arc::new(Replayer::new(Recording {
            comment: None,
            exchanges: exchanges.collect(),
        }))
    }

    async fn send(replayer: &Arc<Replayer>, request: Request<Bytes>) -> Result<Bytes, Error> {
        let response = replayer.clone().send(request, Terms::default()).await?;
        Ok(response.into_body().collect().await?.to_bytes())
    }

    #[tokio::test]
    async fn the_requests_of_a_recording_get_its_answers_in_its_order() {
        let replayer = replayer();
        let get = request(&Method::GET, "/v2/users?userType=TECHNICIAN", "");
        assert_eq!(send(&replayer, get).await.expect("it is the next"), "0");
        let patch = request(&Method::PATCH, "/v2/user/role/1/add-members", " [ 17 ] ");
        assert_eq!(send(&replayer, patch).await.expect("it is the next"), "1");
        assert_eq!(replayer.finish(), Ok(()));
    }

    #[tokio::test]
    async fn another_method_path_query_or_body_is_not_the_next_and_the_error_names_what_is() {
        for other in [
            request(&Method::POST, "/v2/users?userType=TECHNICIAN", ""),
            request(&Method::GET, "/v2/user?userType=TECHNICIAN", ""),
            request(&Method::GET, "/v2/users?userType=END_USER", ""),
            request(&Method::GET, "/v2/users", ""),
            request(&Method::GET, "/v2/users?userType=TECHNICIAN", "[]"),
            request(&Method::PATCH, "/v2/user/role/1/add-members", "[17]"),
        ] {
            let replayer = replayer();
            let sent = describe(&other);
            assert!(send(&replayer, other).await.is_err(), "{sent}");
            let error = replayer.finish().expect_err("it went wrong").to_string();
            assert!(error.contains(&sent), "{error}");
            let expected = "its request number 1 is GET /v2/users?userType=TECHNICIAN.";
            assert!(error.contains(expected), "{error}");
        }
    }

    #[tokio::test]
    async fn after_a_request_that_was_not_recorded_the_replay_has_failed_whatever_comes() {
        let replayer = replayer();
        let other = request(&Method::GET, "/v2/other", "");
        assert!(send(&replayer, other).await.is_err());
        let next = request(&Method::GET, "/v2/users?userType=TECHNICIAN", "");
        assert!(send(&replayer, next).await.is_err());
        let error = replayer.finish().expect_err("it went wrong");
        assert!(error.to_string().contains("/v2/other"), "{error}");
    }

    #[tokio::test]
    async fn what_is_left_over_is_told() {
        let replayer = replayer();
        let get = request(&Method::GET, "/v2/users?userType=TECHNICIAN", "");
        send(&replayer, get).await.expect("it is the next");
        let left = ReplayError::LeftOver {
            left: 1,
            all: 2,
            next: "PATCH /v2/user/role/1/add-members with the body [17]".to_string(),
        };
        assert_eq!(replayer.finish(), Err(left));
    }

    #[tokio::test]
    async fn a_request_after_the_last_is_told() {
        let replayer = Arc::new(Replayer::new(Recording::default()));
        let get = request(&Method::GET, "/v2/users", "");
        assert!(send(&replayer, get).await.is_err());
        let error = replayer.finish().expect_err("it went wrong").to_string();
        assert!(error.contains("it has no more than 0"), "{error}");
    }

    #[tokio::test]
    async fn a_body_that_broke_off_breaks_off_again() {
        let incomplete = Breakdown::named("response-incomplete");
        let mut body = played("half".into(), Some(incomplete));
        let half = body.frame().await.expect("it begins").expect("it arrives");
        assert_eq!(half.into_data().expect("it is data"), "half");
        assert!(matches!(
            body.frame().await,
            Some(Err(Error::ResponseIncomplete))
        ));
        assert!(body.frame().await.is_none());
    }
}
