//! Answers requests from a recording, and sends none.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use connector_transport::{Body, BoxFuture, Error, Terms, Transport};
use http::header::ACCESS_CONTROL_REQUEST_METHOD;
use http::{Method, Request, Response};
use http_body::Frame;
use http_body_util::BodyExt;

use crate::breakdown::Breakdown;
use crate::compare::same;
use crate::recording::{Answer, Recording};
use crate::redact::{NEUTRAL_HOST, Redactor};

/// How many characters of a body an error shows.
const SHOWN: usize = 200;

/// Gives the answers of a recording to the requests of the recording, in its order, at once and without a network.
///
/// A request has to be the next of the recording by method, path, query and body, its secrets aside. One that is not fails, and
/// so does every one after it. The host does not matter: recordings do not tell it.
///
/// Recordings of browsers and proxies do, and have requests to others in between, such as those of analytics. The host whose first
/// request is the first that is sent is the one that is replayed; all others are passed over, and so is what no connector sends:
/// the questions of a browser whether a page may ask (CORS), and the tunnels of a proxy.
pub struct Replayer {
    state: Mutex<State>,
}

struct State {
    /// What is left to replay.
    left: VecDeque<Expected>,
    /// How many exchanges were replayed.
    done: usize,
    redactor: Redactor,
    unexpected: Option<ReplayError>,
}

/// An exchange of the recording.
struct Expected {
    /// The host that the request was sent to, with its port.
    authority: String,
    /// Without its secrets, as what is sent will be compared.
    request: Request<Bytes>,
    answer: Answer,
}

impl Expected {
    fn all(recording: Recording) -> VecDeque<Self> {
        let mut redactor = Redactor::default();
        let exchanges = recording.exchanges.into_iter();
        exchanges
            .filter(|exchange| !is_of_a_browser(&exchange.request))
            .map(|exchange| {
                redactor.learn_request(&exchange.request);
                let authority = exchange.request.uri().authority();
                Self {
                    authority: authority
                        .map_or(NEUTRAL_HOST, |authority| authority.as_str())
                        .to_ascii_lowercase(),
                    request: redactor.clean_request(&exchange.request),
                    answer: exchange.answer,
                }
            })
            .collect()
    }
}

/// Whether no connector sends this, and browsers and proxies do.
fn is_of_a_browser(request: &Request<Bytes>) -> bool {
    let is_preflight = request.method() == Method::OPTIONS
        && request
            .headers()
            .contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    is_preflight || request.method() == Method::CONNECT
}

impl State {
    /// Leaves the host to replay alone, once the first request says which it is.
    fn choose_host(&mut self, sent: &Request<Bytes>) {
        let firsts = self.firsts();
        let chosen = firsts
            .into_iter()
            .find(|first| same(sent, &first.request))
            .map(|first| first.authority.clone());
        if let Some(chosen) = chosen {
            self.left.retain(|expected| expected.authority == chosen);
        }
    }

    /// The first exchange with each host.
    fn firsts(&self) -> Vec<&Expected> {
        let mut firsts: Vec<&Expected> = Vec::new();
        for expected in &self.left {
            if firsts
                .iter()
                .all(|first| first.authority != expected.authority)
            {
                firsts.push(expected);
            }
        }
        firsts
    }

    /// What could come next, in words; `None` where nothing is left.
    fn expected(&self) -> Option<String> {
        match &self.firsts()[..] {
            [] => None,
            [next] => Some(describe(&next.request)),
            firsts => {
                let all = firsts
                    .iter()
                    .map(|first| describe_at(&first.authority, &first.request));
                Some(all.collect::<Vec<_>>().join(", or "))
            }
        }
    }
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
            state: Mutex::new(State {
                left: Expected::all(recording),
                done: 0,
                redactor: Redactor::default(),
                unexpected: None,
            }),
        }
    }

    /// Whether all went as recorded: no other request was sent, and none is left over.
    ///
    /// # Errors
    ///
    /// The first request that the recording does not have, or else the first of it that was not sent.
    pub fn finish(&self) -> Result<(), ReplayError> {
        let state = self.state();
        if let Some(unexpected) = &state.unexpected {
            return Err(unexpected.clone());
        }
        match state.expected() {
            None => Ok(()),
            Some(next) => Err(ReplayError::LeftOver {
                left: state.left.len(),
                all: state.done + state.left.len(),
                next,
            }),
        }
    }

    /// The answer to a request, if it is the next.
    fn answer(&self, request: &Request<Bytes>) -> Result<Answer, ReplayError> {
        let mut state = self.state();
        if let Some(unexpected) = &state.unexpected {
            return Err(unexpected.clone());
        }
        state.redactor.learn_request(request);
        let sent = state.redactor.clean_request(request);
        if state.done == 0 {
            state.choose_host(&sent);
        }
        if let Some(next) = state.left.pop_front_if(|next| same(&sent, &next.request)) {
            state.done += 1;
            return Ok(next.answer);
        }
        let unexpected = ReplayError::Unexpected {
            sent: describe(&sent),
            number: state.done + 1,
            expected: state.expected(),
        };
        state.unexpected = Some(unexpected.clone());
        Err(unexpected)
    }

    /// Nothing in it is left half changed, so a panic elsewhere does not matter.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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

/// A request in words: without the host, which is the same for all.
fn describe(request: &Request<Bytes>) -> String {
    describe_to("", request)
}

/// A request in words, with its host.
fn describe_at(authority: &str, request: &Request<Bytes>) -> String {
    describe_to(&format!("https://{authority}"), request)
}

fn describe_to(origin: &str, request: &Request<Bytes>) -> String {
    let path = request
        .uri()
        .path_and_query()
        .map_or("/", |path| path.as_str());
    let line = format!("{} {origin}{path}", request.method());
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
fn played(body: Bytes, breakdown: Option<Breakdown>) -> Body {
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
