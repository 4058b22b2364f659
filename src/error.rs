//! One error from every source, and how it becomes the contract's.
//!
//! An error says what was tried, what came back and what to do, with the identifiers that NinjaOne's support asks for, and
//! carries no secret: neither URLs with a query nor bodies of requests ever get in here.

use std::fmt;

use crate::contract::{self, Failure, ResourceKind, ResourceReference};
use crate::ninjaone::wire::Id;

/// What is wrong with one setting, field or argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The name of it.
    pub field: String,
    /// What is wrong with it.
    pub problem: String,
    /// What to do about it.
    pub mend: String,
}

impl Problem {
    /// A problem with a field.
    pub fn new(field: &str, problem: &str, mend: &str) -> Self {
        Problem {
            field: field.to_string(),
            problem: problem.to_string(),
            mend: mend.to_string(),
        }
    }
}

impl From<Problem> for contract::FieldProblem {
    fn from(
        Problem {
            field,
            problem,
            mend,
        }: Problem,
    ) -> Self {
        contract::FieldProblem {
            field,
            problem,
            mend,
        }
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

/// What went wrong.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// What the connector itself decided, as the contract has it.
    Decided(contract::Error),
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
    Timeout(contract::TimeoutPhase),
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
    /// The host cannot give a setting now.
    SettingUnavailable,
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
    pub fn settings(problems: Vec<Problem>) -> Self {
        let message = sentences(&problems);
        let error =
            contract::Error::InvalidSettings(problems.into_iter().map(Into::into).collect());
        Error::decided(error, message)
    }

    /// The host cannot give a setting now. Nothing was sent.
    pub fn setting_unavailable(key: &str, reason: &str) -> Self {
        let message = format!(
            "the host cannot give the setting {key} now: {reason}; try again, and check the place where the host keeps its settings if it stays so"
        );
        Error(Box::new(Details {
            kind: Kind::SettingUnavailable,
            exchange: None,
            message,
            before_request: true,
        }))
    }

    /// Arguments are wrong.
    pub fn invalid_argument(problems: Vec<Problem>) -> Self {
        let message = sentences(&problems);
        let error =
            contract::Error::InvalidArgument(problems.into_iter().map(Into::into).collect());
        Error::decided(error, message)
    }

    /// Something that the call names is not there.
    pub fn not_found(kind: ResourceKind, id: Id) -> Self {
        let id = id.to_string();
        let what = match kind {
            ResourceKind::Account => "account",
            ResourceKind::Role => "role",
            _ => "such resource",
        };
        let message =
            format!("there is no {what} {id} in NinjaOne; list them to see which there are");
        Error::decided(
            contract::Error::NotFound(ResourceReference { kind, id }),
            message,
        )
    }

    /// A failure that the connector itself decided on, with what a person should know.
    pub fn decided(error: contract::Error, message: impl Into<String>) -> Self {
        Error(Box::new(Details {
            kind: Kind::Decided(error),
            exchange: None,
            message: message.into(),
            before_request: false,
        }))
    }

    /// An exchange that failed, with what came back and what to do.
    pub fn exchange(kind: Kind, exchange: &Exchange, message: impl Into<String>) -> Self {
        Error(Box::new(Details {
            kind,
            exchange: Some(exchange.clone()),
            message: message.into(),
            before_request: false,
        }))
    }

    /// The same failure, known to have come before the request that it kept from being sent.
    pub fn before_request(mut self) -> Self {
        self.0.before_request = true;
        self
    }

    /// What went wrong.
    pub fn kind(&self) -> &Kind {
        &self.0.kind
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

    /// In short, for a list of many: the case, and the sentence for people.
    pub fn into_problem(self) -> contract::Reason {
        let Failure {
            error,
            message,
            exchange,
        } = self.into();
        let request_id = exchange.and_then(|exchange| exchange.request_id);
        let request_id = request_id.map_or_else(String::new, |id| format!(" (request id {id})"));
        contract::Reason {
            kind: kind(&error),
            message: message + &request_id,
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

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        let Details { kind, exchange, .. } = *error.0;
        let status = exchange.as_ref().and_then(|exchange| exchange.status);
        let error = match kind {
            Kind::Decided(error) => error,
            Kind::Unauthorized | Kind::NotYetAccepted => contract::Error::Unauthorized,
            Kind::MissingPermission(needed) => contract::Error::MissingPermission(needed),
            Kind::RateLimited(retry_after) => contract::Error::RateLimited(retry_after),
            Kind::Timeout(phase) => contract::Error::Timeout(phase),
            // The contract has no case for a host that is not whole; of those worth repeating, this one is the nearest.
            Kind::Unreachable | Kind::Network | Kind::Untrusted | Kind::SettingUnavailable => {
                contract::Error::Network
            }
            Kind::NotFound | Kind::NoSuchEndpoint | Kind::Rejected | Kind::Upstream => {
                status.map_or(contract::Error::Other, contract::Error::Upstream)
            }
            Kind::Malformed(offset) => contract::Error::MalformedResponse(offset),
            Kind::TooLarge => contract::Error::LimitExceeded,
            Kind::Internal => contract::Error::Other,
        };
        let exchange = exchange.map(
            |Exchange {
                 request,
                 status,
                 code,
                 request_id,
             }| contract::Exchange {
                request,
                status,
                code,
                request_id,
            },
        );
        Failure {
            error,
            message,
            exchange,
        }
    }
}

fn sentences(problems: &[Problem]) -> String {
    let sentence = |problem: &Problem| {
        let Problem {
            field,
            problem,
            mend,
        } = problem;
        format!("{field}: {problem}; {mend}")
    };
    problems.iter().map(sentence).collect::<Vec<_>>().join(". ")
}

/// The case of an error, without its payload.
pub fn kind(error: &contract::Error) -> contract::ErrorKind {
    use contract::{Error, ErrorKind};
    match error {
        Error::InvalidSettings(_) => ErrorKind::InvalidSettings,
        Error::Unauthorized => ErrorKind::Unauthorized,
        Error::MissingPermission(_) => ErrorKind::MissingPermission,
        Error::NotFound(_) => ErrorKind::NotFound,
        Error::AlreadyExists(_) => ErrorKind::AlreadyExists,
        Error::InvalidArgument(_) => ErrorKind::InvalidArgument,
        Error::InvalidCursor => ErrorKind::InvalidCursor,
        Error::Refused(_) => ErrorKind::Refused,
        Error::Unsupported(_) => ErrorKind::Unsupported,
        Error::RateLimited(_) => ErrorKind::RateLimited,
        Error::Timeout(_) => ErrorKind::Timeout,
        Error::Network => ErrorKind::Network,
        Error::Upstream(_) => ErrorKind::Upstream,
        Error::MalformedResponse(_) => ErrorKind::MalformedResponse,
        Error::LimitExceeded => ErrorKind::LimitExceeded,
        Error::Unconfirmed => ErrorKind::Unconfirmed,
        Error::Other => ErrorKind::Other,
    }
}
