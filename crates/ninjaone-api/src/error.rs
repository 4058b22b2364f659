//! One error from every source: settings, connection, and what NinjaOne answers.
//!
//! An error says what was tried, what came back and what to do, with the identifiers that NinjaOne's support asks for, and
//! carries no secret: neither URLs with a query nor bodies of requests ever get in here.

use std::fmt;

/// What is wrong with one setting, field or argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The name of it.
    pub field: String,
    /// What is wrong with it.
    pub problem: String,
    /// What to do about it.
    pub remedy: String,
}

impl Problem {
    /// A problem with a field.
    pub fn new(field: &str, problem: &str, remedy: &str) -> Self {
        Problem {
            field: field.to_string(),
            problem: problem.to_string(),
            remedy: remedy.to_string(),
        }
    }

    /// All of them, as sentences.
    pub fn sentences(problems: &[Problem]) -> String {
        let sentences: Vec<_> = problems.iter().map(ToString::to_string).collect();
        sentences.join(". ")
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.field, self.problem, self.remedy)
    }
}

/// A request and what is known of its answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exchange {
    /// Method and path, without a query.
    pub request: String,
    /// The status of the answer.
    pub status: Option<u16>,
    /// NinjaOne's own code for a failure: `resultCode`, `error`, or the `code` of an `errorMessage`.
    pub code: Option<String>,
    /// The answer's `x-nj-request-id`, or else the `incidentId` of its body.
    pub request_id: Option<String>,
}

/// Which part of an exchange took too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// To connect.
    Connect,
    /// To begin with an answer.
    FirstByte,
    /// To go on with the answer, or to take the request.
    BetweenBytes,
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// Settings are missing or wrong.
    InvalidSettings(Vec<Problem>),
    /// The host cannot give a setting now.
    SettingUnavailable,
    /// The credentials were not accepted.
    Unauthorized,
    /// A token was not accepted that is seconds old, and may become valid.
    NotYetAccepted,
    /// The credentials do not allow it. With the scopes that would, where they are known.
    MissingPermission(Vec<String>),
    /// The answer is 404. Whether the entity is not there, the list of all of them tells.
    NotFound,
    /// This instance of NinjaOne has no such endpoint.
    NoSuchEndpoint,
    /// NinjaOne did not accept the content of the request (400, 409, 422).
    Rejected,
    /// Too many requests. With the wait asked for, in milliseconds, where one was.
    RateLimited(Option<u64>),
    /// Something took too long.
    Timeout(Phase),
    /// No connection, so that nothing was sent.
    Unreachable,
    /// No answer, or half of one.
    Network,
    /// No agreement on TLS.
    Untrusted,
    /// The answer is a failure that nothing else fits.
    Upstream,
    /// The answer is not what it should be. With the byte of the body, where it can be told.
    Malformed(Option<u64>),
    /// The answer is larger than allowed.
    TooLarge,
    /// A fault of the connector or the host.
    Internal,
}

/// A failure, from whichever source. Boxed, since nearly every function here can return one.
#[derive(Clone, Debug, PartialEq)]
pub struct Error(Box<Details>);

#[derive(Clone, Debug, PartialEq)]
struct Details {
    kind: Kind,
    exchange: Option<Exchange>,
    message: String,
    /// Whether this happened before the request was sent that it is the failure of.
    before_request: bool,
}

impl Error {
    /// Settings are missing or wrong. Nothing was sent.
    pub(crate) fn settings(problems: Vec<Problem>) -> Self {
        let message = Problem::sentences(&problems);
        Error::unsent(Kind::InvalidSettings(problems), message)
    }

    /// The host cannot give a setting now. Nothing was sent.
    pub(crate) fn setting_unavailable(key: &str, reason: &str) -> Self {
        let message = format!(
            "the host cannot give the setting {key} now: {reason}; try again, and check the place where the host keeps its settings if it stays so"
        );
        Error::unsent(Kind::SettingUnavailable, message)
    }

    fn unsent(kind: Kind, message: String) -> Self {
        Error(Box::new(Details {
            kind,
            exchange: None,
            message,
            before_request: true,
        }))
    }

    /// An exchange that failed, with what came back and what to do.
    pub(crate) fn exchange(kind: Kind, exchange: Exchange, message: impl Into<String>) -> Self {
        Error(Box::new(Details {
            kind,
            exchange: Some(exchange),
            message: message.into(),
            before_request: false,
        }))
    }

    /// The same failure, known to have come before the request that it kept from being sent.
    pub(crate) fn before_request(mut self) -> Self {
        self.0.before_request = true;
        self
    }

    /// What went wrong.
    pub fn kind(&self) -> &Kind {
        &self.0.kind
    }

    /// What went wrong, and with which exchange, where there was one.
    pub fn into_parts(self) -> (Kind, Option<Exchange>) {
        (self.0.kind, self.0.exchange)
    }

    /// The status of the answer, where there was one.
    pub fn status(&self) -> Option<u16> {
        self.0.exchange.as_ref()?.status
    }

    /// Whether the answer named a code of NinjaOne's for the failure.
    pub fn has_code(&self) -> bool {
        self.0
            .exchange
            .as_ref()
            .is_some_and(|exchange| exchange.code.is_some())
    }

    /// The identifier by which NinjaOne's support finds the request, where there is one.
    pub fn request_id(&self) -> Option<&str> {
        self.0.exchange.as_ref()?.request_id.as_deref()
    }

    /// Whether the answer had the status of a success, whatever else it was.
    pub fn was_accepted(&self) -> bool {
        self.status()
            .is_some_and(|status| (200..300).contains(&status))
    }

    /// Whether the request may have been carried out although there is no answer that says so.
    pub fn leaves_outcome_unknown(&self) -> bool {
        if self.0.before_request {
            return false;
        }
        match &self.0.kind {
            Kind::Network
            | Kind::Untrusted
            | Kind::Timeout(_)
            | Kind::Malformed(_)
            | Kind::TooLarge
            | Kind::Internal => true,
            // A 503 or a web page may come from a proxy that gave up waiting.
            Kind::RateLimited(_) => self.status() != Some(429),
            Kind::Upstream => self
                .status()
                .is_none_or(|status| !(400..500).contains(&status)),
            _ => false,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Details {
            exchange, message, ..
        } = &*self.0;
        if let Some(exchange) = exchange {
            f.write_str(&exchange.request)?;
            match exchange.status {
                Some(status) => write!(f, " was answered {status}")?,
                None => f.write_str(" was not answered")?,
            }
            if let Some(code) = &exchange.code {
                write!(f, " ({code})")?;
            }
            f.write_str(": ")?;
        }
        f.write_str(message)
    }
}
