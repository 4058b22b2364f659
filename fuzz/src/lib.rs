//! What the fuzz targets share: a connector whose outside is made of arbitrary input, and the promises that hold whatever
//! the input is.
//!
//! | target | the fuzzer chooses | beyond "no panic", the promise |
//! | --- | --- | --- |
//! | `listing` | the body of a list of users, roles, organizations or activities | the items are those that are found when the body is read whole, in whichever pieces they arrive and whichever pages they are asked for in; or it is an error |
//! | `answer` | the body of any one answer, all others being right | requests and pauses are bounded |
//! | `exchange` | an operation, and every answer with status and headers | at most one account is created; a plan writes nothing; requests and pauses are bounded |
//! | `settings` | the four settings | what is accepted reaches one origin, by `https` or on this computer |
//! | `cursor` | a cursor | it is refused, or goes on exactly where it says |

pub mod answers;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use ninjaone_connector::Connector;
use ninjaone_connector::ninjaone::host::{Host, Level, SettingError};
use ninjaone_connector::ninjaone::http::{
    Body, Method, Request, Response, Transport, TransportError, TransportErrorKind,
};

/// The client secret that the host has, with what a form has to encode.
pub const SECRET: &str = "S3cret+/=&% of the tenant";
/// The token that the tenant gives.
pub const TOKEN: &str = "t0ken-of-the-tenant";
/// The longest that one call may pause, in milliseconds.
const MOST_PAUSE_MILLIS: u64 = 20_000;
/// More requests than this in one call, and something goes round in circles.
const MOST_REQUESTS: usize = 200;

/// What becomes of a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// It is answered.
    Answer(Answer),
    /// It is not.
    Failure(TransportErrorKind),
}

/// An answer.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Header fields, by lower-case name.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// What the body breaks off with, if it does.
    pub breaks: Option<TransportErrorKind>,
}

impl Answer {
    /// A success with this body.
    pub fn ok(body: impl Into<Vec<u8>>) -> Self {
        Answer {
            status: 200,
            body: body.into(),
            ..Answer::default()
        }
    }
}

/// Decides what becomes of a request, by its method, path and query.
type Respond = Box<dyn Fn(Method, &str) -> Reply>;
/// Gives a setting by its key.
type Setting = Box<dyn Fn(&str) -> Option<String>>;

/// The outside of a connector; clones are the same one.
#[derive(Clone)]
pub struct Outside(Rc<State>);

struct State {
    respond: Respond,
    settings: Setting,
    chunk: usize,
    nanos: Cell<u64>,
    paused_nanos: Cell<u64>,
    requests: RefCell<Vec<(Method, String)>>,
}

impl Outside {
    /// A tenant that answers so, in pieces of so many bytes, and a host whose settings are right.
    pub fn new(chunk: usize, respond: impl Fn(Method, &str) -> Reply + 'static) -> Self {
        Self::with_settings(chunk, respond, |key| {
            Some(match key {
                "base-url" => "https://tenant.example".to_string(),
                "client-id" => "client".to_string(),
                "client-secret" => SECRET.to_string(),
                _ => "monitoring management control".to_string(),
            })
        })
    }

    /// The same, with other settings.
    pub fn with_settings(
        chunk: usize,
        respond: impl Fn(Method, &str) -> Reply + 'static,
        settings: impl Fn(&str) -> Option<String> + 'static,
    ) -> Self {
        Outside(Rc::new(State {
            respond: Box::new(respond),
            settings: Box::new(settings),
            chunk: chunk.max(1),
            nanos: Cell::new(1),
            paused_nanos: Cell::new(0),
            requests: RefCell::default(),
        }))
    }

    /// A fresh instance of the connector with this outside.
    pub fn connector(&self) -> Connector {
        Connector::new(Box::new(self.clone()), Box::new(self.clone()))
    }

    /// The requests so far but those for tokens, as method, path and query.
    pub fn requests(&self) -> Vec<(Method, String)> {
        let mut requests = self.0.requests.borrow().clone();
        requests.retain(|(_, target)| !target.ends_with("/oauth/token"));
        requests
    }

    /// Holds what a call did on the way to the promises that hold for every call.
    ///
    /// Secrets are not looked for: the fuzzer learns what is compared with, and puts it into names and answers, from where it
    /// may get anywhere. `crates/cli/tests/all/secrets.rs` looks for them.
    pub fn assert_kept(&self) {
        assert!(self.0.paused_nanos.take() <= MOST_PAUSE_MILLIS * 1_000_000);
        assert!(self.0.requests.borrow().len() <= MOST_REQUESTS);
    }
}

impl Transport for Outside {
    fn send(&self, request: Request) -> Result<Response, TransportError> {
        let origin = "https://tenant.example";
        let target = request.url.strip_prefix(origin).unwrap_or(&request.url);
        self.0
            .requests
            .borrow_mut()
            .push((request.method, target.to_string()));
        self.0.nanos.set(self.0.nanos.get() + 1_000_000);
        let answer = match (self.0.respond)(request.method, target) {
            Reply::Answer(answer) => answer,
            Reply::Failure(kind) => return Err(failure(kind)),
        };
        Ok(Response {
            status: answer.status,
            headers: answer.headers,
            body: Box::new(Pieces {
                rest: answer.body,
                chunk: self.0.chunk,
                breaks: answer.breaks,
            }),
        })
    }
}

struct Pieces {
    rest: Vec<u8>,
    chunk: usize,
    breaks: Option<TransportErrorKind>,
}

impl Body for Pieces {
    fn chunk(&mut self) -> Result<Option<Vec<u8>>, TransportError> {
        if self.rest.is_empty() {
            return self.breaks.map_or(Ok(None), |kind| Err(failure(kind)));
        }
        let later = self.rest.split_off(self.chunk.min(self.rest.len()));
        Ok(Some(std::mem::replace(&mut self.rest, later)))
    }
}

fn failure(kind: TransportErrorKind) -> TransportError {
    TransportError {
        kind,
        detail: "the fuzzer says so".to_string(),
    }
}

impl Host for Outside {
    fn setting(&self, key: &str) -> Result<Option<String>, SettingError> {
        Ok((self.0.settings)(key))
    }

    fn log(&self, _level: Level, _message: &str, _fields: &[(&str, &str)]) {}

    fn monotonic_nanos(&self) -> u64 {
        self.0.nanos.get()
    }

    fn unix_seconds(&self) -> u64 {
        1_800_000_000
    }

    fn time_left_millis(&self) -> Option<u64> {
        None
    }

    fn pause(&self, nanos: u64) {
        self.0.nanos.set(self.0.nanos.get() + nanos);
        self.0.paused_nanos.set(self.0.paused_nanos.get() + nanos);
    }

    fn dice(&self) -> u64 {
        self.0.nanos.get()
    }
}

/// The answer that asks for nothing but to be used as a token.
pub fn token() -> Reply {
    let body = format!(
        r#"{{"access_token":"{TOKEN}","expires_in":3600,"scope":"monitoring management control","token_type":"Bearer"}}"#
    );
    Reply::Answer(Answer::ok(body))
}
