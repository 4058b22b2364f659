//! How an operation fails, and what that means for its caller: whether to repeat the call, and a text for people.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use serde::Serialize;
#[cfg(feature = "wasmtime")]
use wasmtime::component::{ComponentType, Lift, Lower};

use crate::{Milliseconds, Operation, ResourceReference};

/// What is wrong with one field, setting or argument.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(
    feature = "wasmtime",
    derive(ComponentType, Lift, Lower),
    component(record)
)]
pub struct FieldProblem {
    /// The name of it.
    pub field: String,
    /// What is wrong with it: a sentence without its subject, such as `it is empty`. Carries no secret.
    pub problem: String,
    /// What to do about it: a request, such as `give it a value`.
    pub mend: String,
}

enumeration! {
    /// Why a write is refused although it could be sent.
    RefusalReason {
        /// The account administers the connected system, and the request did not allow for that.
        Administrator => "administrator",
        /// It is the last administrator that can sign in.
        LastAdministrator => "last-administrator",
        /// An identity provider owns the account: change it there.
        ExternallyManaged => "externally-managed",
        /// The role is for another kind of account.
        WrongAccountKind => "wrong-account-kind",
    }
}

enumeration! {
    /// What ran out of time.
    TimeoutPhase {
        /// Making the connection.
        Connect => "connect",
        /// Waiting for the answer to begin.
        FirstByte => "first-byte",
        /// Waiting for the answer to go on.
        BetweenBytes => "between-bytes",
        /// The call as a whole.
        Call => "call",
    }
}

/// Defines the error, and the same cases without their payloads.
macro_rules! errors {
    (
        $(#[$about:meta])+
        { $($(#[$docs:meta])+ $case:ident $(($carried:ty))? => $name:literal,)+ }
    ) => {
        variant! {
            $(#[$about])+
            Error { $($(#[$docs])+ $case $(($carried))? => $name,)+ }
        }

        enumeration! {
            /// The cases of `error`, without their payloads.
            ErrorKind { $(#[doc = concat!("`error.", $name, "`.")] $case => $name,)+ }
        }

        impl Error {
            /// Which case it is, without the payload.
            pub fn kind(&self) -> ErrorKind {
                match self {
                    $(Self::$case { .. } => ErrorKind::$case,)+
                }
            }
        }
    };
}

errors! {
    /// What a host acts on when an operation fails.
    ///
    /// Whether repeating the very same call can help is told by the case:
    ///
    /// | worth repeating | cases |
    /// | --- | --- |
    /// | yes, after a pause | `timeout`, `network`, `upstream` with a status of 500 or more |
    /// | yes, after the wait it names | `rate-limited` |
    /// | no, something must be changed first | all others |
    ///
    /// A write may have been done before a `timeout`, a `network` or an `upstream` failure. Repeating it is safe all the same:
    /// writes look first, and answer `unchanged` or `already-exists` where there is nothing left to do.
    ///
    /// Further cases come only with a new version of this package.
    {
        /// Settings are missing or wrong: every wrong one is listed. Nothing was sent.
        InvalidSettings(Vec<FieldProblem>) => "invalid-settings",
        /// The connected system did not accept the credentials.
        Unauthorized => "unauthorized",
        /// The credentials were accepted, and do not allow this. With the scopes, or other permissions, that would allow it,
        /// where that is known.
        MissingPermission(Vec<String>) => "missing-permission",
        /// This resource, which the call names, does not exist.
        NotFound(ResourceReference) => "not-found",
        /// The resource to create is there already: this one.
        AlreadyExists(ResourceReference) => "already-exists",
        /// Arguments are wrong: every wrong one is listed. No write was sent.
        InvalidArgument(Vec<FieldProblem>) => "invalid-argument",
        /// The cursor is not one of this request, or its place in the listing is gone. Start the listing anew.
        InvalidCursor => "invalid-cursor",
        /// The write is refused, for the safety of the connected system. It was not sent.
        Refused(RefusalReason) => "refused",
        /// The connected system, or the connector, has no such operation.
        Unsupported(Operation) => "unsupported",
        /// The connected system wants fewer requests. With how long it wants to be left alone, where it told.
        RateLimited(Option<Milliseconds>) => "rate-limited",
        /// Something took too long.
        Timeout(TimeoutPhase) => "timeout",
        /// No answer, or half of one: no connection, a broken one, or a failed TLS handshake.
        Network => "network",
        /// The connected system answered with a failure that no other case fits. With the HTTP status.
        Upstream(u16) => "upstream",
        /// The answer is not what it should be. With the byte of its body, counted from 0, where it can be told.
        MalformedResponse(Option<u64>) => "malformed-response",
        /// An answer was larger than the connector or its host allows.
        LimitExceeded => "limit-exceeded",
        /// A write was accepted, but reading back does not show it. It may take effect later, or never.
        Unconfirmed => "unconfirmed",
        /// Anything else: a fault of the connector or of its host. Please report it.
        Other => "other",
    }
}

/// A request to the connected system, and what is known of its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "wasmtime",
    derive(ComponentType, Lift, Lower),
    component(record)
)]
pub struct Exchange {
    /// Method and path, without a query.
    pub request: String,
    /// The HTTP status of the answer, where there was one.
    pub status: Option<u16>,
    /// The connected system's own code for the failure.
    pub code: Option<String>,
    /// The identifier by which the connected system's support finds the request.
    #[cfg_attr(feature = "wasmtime", component(name = "request-id"))]
    pub request_id: Option<String>,
}

/// How an operation failed. Carries no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "wasmtime",
    derive(ComponentType, Lift, Lower),
    component(record)
)]
pub struct Failure {
    /// What a host acts on.
    pub error: Error,
    /// What a person acts on, in a sentence or two: what was tried, what came back, what to do.
    pub message: String,
    /// The request that failed, where it was one.
    pub exchange: Option<Exchange>,
}

/// Whether repeating the very same call can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// It cannot: something must be changed first.
    No,
    /// It can, after a pause of the caller's choice.
    AfterPause,
    /// It can, once the connected system has been left alone for this long.
    After(Duration),
}

impl Retry {
    /// Its name: `no`, `after-pause` or `after`.
    pub fn name(self) -> &'static str {
        match self {
            Retry::No => "no",
            Retry::AfterPause => "after-pause",
            Retry::After(_) => "after",
        }
    }
}

impl Error {
    /// Whether repeating the very same call can help, by the table in `wit/types.wit`.
    pub fn retry(&self) -> Retry {
        match self {
            Error::Timeout(_) | Error::Network | Error::RateLimited(None) => Retry::AfterPause,
            Error::Upstream(status) if *status >= 500 => Retry::AfterPause,
            Error::RateLimited(Some(wait)) => Retry::After(Duration::from_millis(*wait)),
            _ => Retry::No,
        }
    }

    /// The settings or arguments that are wrong, for the cases that have them.
    pub fn problems(&self) -> &[FieldProblem] {
        match self {
            Error::InvalidSettings(problems) | Error::InvalidArgument(problems) => problems,
            _ => &[],
        }
    }
}

impl Failure {
    /// The failure as help for people: what is the matter, what was tried, what came back, what to do next.
    ///
    /// Text of the connected system is in it as it came: escape it before it goes to a terminal.
    pub fn help(&self) -> Help<'_> {
        self.help_with(self.error.retry())
    }

    /// The same, where it is known better than from the error whether to repeat the call.
    pub fn help_with(&self, retry: Retry) -> Help<'_> {
        Help {
            failure: self,
            retry,
        }
    }
}

/// A [`Failure`], and whether to repeat the call: displayed as help for people, and serialized for programs. From
/// [`Failure::help`].
#[derive(Clone, Copy, Debug)]
pub struct Help<'a> {
    pub(crate) failure: &'a Failure,
    pub(crate) retry: Retry,
}

impl Display for Help<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Failure {
            error,
            message,
            exchange,
        } = self.failure;
        let kind = error.kind();
        write!(f, "{} ({})", headline(kind), kind.name())?;
        // A message that is made of the problems would only say them twice.
        let problems = error.problems();
        if problems.is_empty() || !problems.iter().all(|one| message.contains(&one.problem)) {
            write!(f, "\n{message}")?;
        }
        for FieldProblem {
            field,
            problem,
            mend,
        } in problems
        {
            write!(f, "\n  {field}: {problem}\n    {mend}")?;
        }
        if let Error::MissingPermission(needed) = error
            && !needed.is_empty()
        {
            write!(f, "\n  needed: {}", needed.join(", "))?;
        }
        if let Some(exchange) = exchange {
            write_exchange(f, exchange)?;
        }
        match self.retry {
            Retry::No => Ok(()),
            Retry::AfterPause => f.write_str("\nTrying again after a pause can help."),
            Retry::After(wait) => {
                let seconds = wait.as_millis().div_ceil(1000);
                write!(f, "\nTry again in {seconds} seconds.")
            }
        }
    }
}

/// Says in general what is the matter; the connector's message says it in particular.
fn headline(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidSettings => "Settings are missing or wrong",
        ErrorKind::Unauthorized => "The credentials were not accepted",
        ErrorKind::MissingPermission => "The credentials do not allow this",
        ErrorKind::NotFound => "There is no such resource",
        ErrorKind::AlreadyExists => "The resource is there already",
        ErrorKind::InvalidArgument => "Arguments are wrong",
        ErrorKind::InvalidCursor => "The listing cannot go on from there",
        ErrorKind::Refused => "The write was refused and not sent",
        ErrorKind::Unsupported => "There is no such operation",
        ErrorKind::RateLimited => "The connected system wants fewer requests",
        ErrorKind::Timeout => "It took too long",
        ErrorKind::Network => "The connection failed",
        ErrorKind::Upstream => "The connected system answered with a failure",
        ErrorKind::MalformedResponse => "The answer makes no sense",
        ErrorKind::LimitExceeded => "The answer is larger than allowed",
        ErrorKind::Unconfirmed => "The write was accepted, but reading back does not show it",
        ErrorKind::Other => "A fault of the connector or its host; please report it",
    }
}

fn write_exchange(f: &mut Formatter<'_>, exchange: &Exchange) -> fmt::Result {
    write!(f, "\n  request: {}", exchange.request)?;
    if let Some(status) = exchange.status {
        write!(f, "\n  status: {status}")?;
    }
    if let Some(code) = &exchange.code {
        write!(f, "\n  code: {code}")?;
    }
    if let Some(id) = &exchange.request_id {
        write!(f, "\n  request id: {id}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn help(error: Error) -> String {
        let failure = Failure {
            error,
            message: "Listing accounts was answered 500.".to_string(),
            exchange: Some(Exchange {
                request: "GET /v2/users".to_string(),
                status: Some(500),
                code: None,
                request_id: Some("a1b2".to_string()),
            }),
        };
        failure.help().to_string()
    }

    #[test]
    fn only_passing_failures_are_worth_repeating() {
        assert_eq!(
            Error::Timeout(TimeoutPhase::Connect).retry(),
            Retry::AfterPause
        );
        assert_eq!(Error::Network.retry(), Retry::AfterPause);
        assert_eq!(Error::Upstream(503).retry(), Retry::AfterPause);
        assert_eq!(Error::Upstream(418).retry(), Retry::No);
        assert_eq!(Error::Unauthorized.retry(), Retry::No);
    }

    #[test]
    fn a_rate_limit_names_its_wait() {
        let limited = Error::RateLimited(Some(1500));
        assert_eq!(limited.retry(), Retry::After(Duration::from_millis(1500)));
        assert!(help(limited).ends_with("Try again in 2 seconds."));
        assert_eq!(Error::RateLimited(None).retry(), Retry::AfterPause);
    }

    #[test]
    fn help_names_what_was_tried_and_the_request_id() {
        let help = help(Error::Upstream(500));
        for part in [
            "(upstream)",
            "GET /v2/users",
            "status: 500",
            "request id: a1b2",
        ] {
            assert!(help.contains(part), "{part} is not in: {help}");
        }
    }

    #[test]
    fn help_lists_every_problem_with_its_mend() {
        let help = help(Error::InvalidSettings(vec![FieldProblem {
            field: "base-url".to_string(),
            problem: "it is not a URL".to_string(),
            mend: "give an https URL".to_string(),
        }]));
        assert!(
            help.contains("base-url: it is not a URL\n    give an https URL"),
            "{help}"
        );
    }
}
