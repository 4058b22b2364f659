//! The exit codes: one for each kind of failure, so that a script can tell them apart.

use std::fmt::Write;

use connector_host::CallError;
use connector_host::contract::ErrorKind;
use connector_report as report;
use connector_snapshot as snapshot;

/// Why the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    Ok = 0,
    Failure = 1,
    Usage = 2,
    InvalidSettings = 10,
    Unauthorized = 11,
    MissingPermission = 12,
    NotFound = 13,
    AlreadyExists = 14,
    InvalidArgument = 15,
    Refused = 16,
    Unsupported = 17,
    InvalidCursor = 18,
    RateLimited = 20,
    Timeout = 21,
    Network = 22,
    Upstream = 23,
    MalformedResponse = 24,
    LimitExceeded = 25,
    Unconfirmed = 26,
    PartialWrite = 27,
    ListingNotWhole = 28,
    SnapshotRefused = 29,
    Fault = 30,
    Interrupted = 130,
}

/// The codes with their meanings.
const MEANINGS: [(Exit, &str); 24] = [
    (Exit::Ok, "Done; also where nothing had to be done"),
    (
        Exit::Failure,
        "The check, the demo, conformance or a replay found something wrong, diff --exit-code found a difference, or output cannot be written",
    ),
    (
        Exit::Usage,
        "The command line, a file that it names, or the component is wrong",
    ),
    (
        Exit::InvalidSettings,
        "Settings of the tenant are missing or wrong",
    ),
    (Exit::Unauthorized, "The credentials were not accepted"),
    (Exit::MissingPermission, "The credentials do not allow this"),
    (
        Exit::NotFound,
        "The account, role or organization does not exist",
    ),
    (Exit::AlreadyExists, "The account exists already"),
    (
        Exit::InvalidArgument,
        "Arguments are wrong; no write was sent",
    ),
    (
        Exit::Refused,
        "The write was refused for safety, and not sent",
    ),
    (Exit::Unsupported, "There is no such operation"),
    (
        Exit::InvalidCursor,
        "The listing cannot go on from this cursor",
    ),
    (
        Exit::RateLimited,
        "The connected system wants fewer requests",
    ),
    (Exit::Timeout, "It took too long"),
    (Exit::Network, "The connection failed"),
    (
        Exit::Upstream,
        "The connected system answered with a failure",
    ),
    (Exit::MalformedResponse, "The answer makes no sense"),
    (
        Exit::LimitExceeded,
        "The answer, or what the connector takes to read it, is larger than allowed",
    ),
    (
        Exit::Unconfirmed,
        "The write was accepted, but reading back does not show it",
    ),
    (
        Exit::PartialWrite,
        "Some steps of the write were done, and others were not",
    ),
    (
        Exit::ListingNotWhole,
        "The pages of a listing do not add up",
    ),
    (
        Exit::SnapshotRefused,
        "The snapshot was not written: too much would be lost or may be, no account was listed, or it is of another tenant",
    ),
    (
        Exit::Fault,
        "The connector broke off, or the host failed; please report it",
    ),
    (Exit::Interrupted, "Interrupted by Ctrl-C or SIGTERM"),
];

/// Each code with what it means.
pub fn meanings() -> impl Iterator<Item = (u8, &'static str)> {
    MEANINGS
        .iter()
        .map(|(exit, meaning)| (*exit as u8, *meaning))
}

/// The table of exit codes, and what is on standard error, for the long help of the program.
pub fn help() -> String {
    let mut text = String::from("Exit codes:\n");
    for (code, meaning) in meanings() {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {code:>3}  {meaning}");
    }
    text.push_str(
        "\nOutput:\n  Results go to standard output, all else to standard error. With --json a failure is one line there, \
         {\"error\": {…}, \"exitCode\": …}; docs/json.md of the project has every key of every line.",
    );
    text
}

impl From<&snapshot::Error> for Exit {
    fn from(error: &snapshot::Error) -> Self {
        use snapshot::Error;
        match error {
            Error::Missing { .. }
            | Error::Unreadable { .. }
            | Error::NotASnapshot { .. }
            | Error::Newer { .. }
            | Error::Incomplete { .. }
            | Error::Damaged { .. }
            | Error::Incomparable(_) => Exit::Usage,
            Error::OtherTenant { .. } | Error::Loss(_) | Error::WithoutAccounts(_) => {
                Exit::SnapshotRefused
            }
            Error::Twice { .. } => Exit::ListingNotWhole,
            Error::NoFolder { .. } | Error::Unwritable { .. } => Exit::Failure,
        }
    }
}

impl From<&report::Error> for Exit {
    fn from(error: &report::Error) -> Self {
        use report::Error;
        match error {
            Error::NotAReport { .. } => Exit::Usage,
            Error::NoFolder { .. } | Error::Unwritable { .. } => Exit::Failure,
            Error::Unformed(_) => Exit::Fault,
        }
    }
}

impl From<ErrorKind> for Exit {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::InvalidSettings => Exit::InvalidSettings,
            ErrorKind::Unauthorized => Exit::Unauthorized,
            ErrorKind::MissingPermission => Exit::MissingPermission,
            ErrorKind::NotFound => Exit::NotFound,
            ErrorKind::AlreadyExists => Exit::AlreadyExists,
            ErrorKind::InvalidArgument => Exit::InvalidArgument,
            ErrorKind::InvalidCursor => Exit::InvalidCursor,
            ErrorKind::Refused => Exit::Refused,
            ErrorKind::Unsupported => Exit::Unsupported,
            ErrorKind::RateLimited => Exit::RateLimited,
            ErrorKind::Timeout => Exit::Timeout,
            ErrorKind::Network => Exit::Network,
            ErrorKind::Upstream => Exit::Upstream,
            ErrorKind::MalformedResponse => Exit::MalformedResponse,
            ErrorKind::LimitExceeded => Exit::LimitExceeded,
            ErrorKind::Unconfirmed => Exit::Unconfirmed,
            ErrorKind::Other => Exit::Fault,
        }
    }
}

impl From<&CallError> for Exit {
    fn from(error: &CallError) -> Self {
        match error {
            CallError::Connector(failure) | CallError::NoConnection { failure, .. } => {
                failure.error.kind().into()
            }
            CallError::DeadlineExceeded { .. } | CallError::Busy { .. } => Exit::Timeout,
            CallError::MemoryLimit { .. } | CallError::LimitReached { .. } => Exit::LimitExceeded,
            CallError::ListingNotWhole { .. }
            | CallError::ListingStuck
            | CallError::ListingEndless { .. } => Exit::ListingNotWhole,
            // Those that are there, and those that a later version of the library adds.
            _ => Exit::Fault,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_has_one_meaning_and_is_in_the_help() {
        let codes: BTreeSet<u8> = MEANINGS.iter().map(|(exit, _)| *exit as u8).collect();
        assert_eq!(codes.len(), MEANINGS.len());
        let help = help();
        for code in codes {
            assert!(
                help.contains(&format!("\n  {code:>3}  ")),
                "{code} is not in: {help}"
            );
        }
    }

    #[test]
    fn a_trap_is_a_fault_and_a_deadline_is_a_timeout() {
        let trap = CallError::Trapped {
            panic: None,
            trap: String::new(),
        };
        assert_eq!(Exit::from(&trap), Exit::Fault);
        let deadline = CallError::DeadlineExceeded {
            after: std::time::Duration::ZERO,
        };
        assert_eq!(Exit::from(&deadline), Exit::Timeout);
    }

    #[test]
    fn a_limit_of_the_host_is_one_whatever_it_is_on() {
        let memory = CallError::MemoryLimit { limit: 1 };
        let handles = CallError::LimitReached {
            limit: connector_host::Limit::Handles,
            most: 1,
        };
        for error in [memory, handles] {
            assert_eq!(Exit::from(&error), Exit::LimitExceeded);
        }
    }
}
