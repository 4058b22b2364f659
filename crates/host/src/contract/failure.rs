//! What a [`Failure`] means for its caller: its kind, whether to repeat the call, and a text for people.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use super::{Error, ErrorKind, Exchange, Failure, FieldProblem};

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
    /// Which case it is, without the payload.
    pub fn kind(&self) -> ErrorKind {
        match self {
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
        Help(self, self.error.retry())
    }

    /// The same, of a failure of which the host knows whether it passes by itself.
    pub(crate) fn help_with(&self, passes: bool) -> Help<'_> {
        Help(self, if passes { Retry::AfterPause } else { Retry::No })
    }
}

/// Displays a [`Failure`] as help for people; from [`Failure::help`].
#[derive(Clone, Copy, Debug)]
pub struct Help<'a>(&'a Failure, Retry);

impl Display for Help<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Failure {
            error,
            message,
            exchange,
        } = self.0;
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
        match self.1 {
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
    use crate::contract::TimeoutPhase;

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
