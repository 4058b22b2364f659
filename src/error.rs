//! Why a call failed, as the contract has it.

use crate::contract::{self, Failure, ResourceKind, ResourceReference};
use crate::ninjaone::error::{self as api, Kind, Phase, Problem};
use crate::ninjaone::wire::Id;

/// A failure of a call. Boxed where it is large, since nearly every function of the connector can return one.
#[derive(Debug)]
pub enum Error {
    /// What the connector itself decided, with what a person should know.
    Decided(Box<(contract::Error, String)>),
    /// What the connection to NinjaOne came to.
    Api(api::Error),
}

impl Error {
    /// A failure that the connector itself decided on, with what a person should know.
    pub fn decided(error: contract::Error, message: impl Into<String>) -> Self {
        Error::Decided(Box::new((error, message.into())))
    }

    /// Arguments are wrong.
    pub fn invalid_argument(problems: Vec<Problem>) -> Self {
        let message = Problem::sentences(&problems);
        Error::decided(
            contract::Error::InvalidArgument(of_fields(problems)),
            message,
        )
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

    /// In short, for a list of many: the case, and the sentence for people.
    pub fn into_reason(self) -> contract::Reason {
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

impl From<api::Error> for Error {
    fn from(error: api::Error) -> Self {
        Error::Api(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Decided(decided) => {
                let (error, message) = *decided;
                Failure {
                    error,
                    message,
                    exchange: None,
                }
            }
            Error::Api(error) => {
                let message = error.to_string();
                let (kind, exchange) = error.into_parts();
                Failure {
                    error: of_kind(kind, exchange.as_ref().and_then(|exchange| exchange.status)),
                    message,
                    exchange: exchange.map(of_exchange),
                }
            }
        }
    }
}

impl From<api::Error> for Failure {
    fn from(error: api::Error) -> Self {
        Error::Api(error).into()
    }
}

fn of_kind(kind: Kind, status: Option<u16>) -> contract::Error {
    match kind {
        Kind::InvalidSettings(problems) => contract::Error::InvalidSettings(of_fields(problems)),
        Kind::Unauthorized | Kind::NotYetAccepted => contract::Error::Unauthorized,
        Kind::MissingPermission(needed) => contract::Error::MissingPermission(needed),
        Kind::RateLimited(retry_after) => contract::Error::RateLimited(retry_after),
        Kind::Timeout(phase) => contract::Error::Timeout(match phase {
            Phase::Connect => contract::TimeoutPhase::Connect,
            Phase::FirstByte => contract::TimeoutPhase::FirstByte,
            Phase::BetweenBytes => contract::TimeoutPhase::BetweenBytes,
        }),
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
    }
}

fn of_exchange(exchange: api::Exchange) -> contract::Exchange {
    contract::Exchange {
        request: exchange.request,
        status: exchange.status,
        code: exchange.code,
        request_id: exchange.request_id,
    }
}

fn of_fields(problems: Vec<Problem>) -> Vec<contract::FieldProblem> {
    let of_field = |problem: Problem| contract::FieldProblem {
        field: problem.field,
        problem: problem.problem,
        mend: problem.remedy,
    };
    problems.into_iter().map(of_field).collect()
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
