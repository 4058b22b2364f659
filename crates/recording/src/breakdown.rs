//! How an exchange broke off, as a recording says it: by a name that gives the same failure again when it is replayed.

use std::fmt;

use connector_transport::Error;

/// The name for an answer that nobody waited for, or read to its end.
const GIVEN_UP: &str = "given-up";
/// The name for an answer of which there is more than a recorder keeps.
const RECORDING_LIMIT: &str = "recording-limit";
/// The name for an answer that did not come, for a reason that the recording does not tell.
const NO_ANSWER: &str = "no-answer";
/// The name for a body that came, and is not in the recording.
const NOT_RECORDED: &str = "body-not-recorded";

/// Why an answer did not come, or did not come whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breakdown(String);

impl Breakdown {
    /// Nobody waited for the answer, or read it to its end.
    pub fn given_up() -> Self {
        Self::named(GIVEN_UP)
    }

    /// There is more of the answer than a recorder keeps. It went on: only the recording has no more of it.
    pub fn recording_limit() -> Self {
        Self::named(RECORDING_LIMIT)
    }

    /// There was no answer, and the recording does not tell why.
    pub(crate) fn no_answer() -> Self {
        Self::named(NO_ANSWER)
    }

    /// There was a body, which is not in the recording.
    pub(crate) fn not_recorded() -> Self {
        Self::named(NOT_RECORDED)
    }

    /// The breakdown of this name. A name that is not known here stands for a failure of the transport.
    pub fn named(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// Its name, such as `connection-refused`.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// The failure, as the transport gave it.
    pub(crate) fn error(&self) -> Error {
        Error::named(&self.0).unwrap_or_else(|| Error::Internal {
            reason: format!("the recording says: {}", self.0),
        })
    }
}

impl From<&Error> for Breakdown {
    fn from(error: &Error) -> Self {
        Self::named(error.name())
    }
}

impl fmt::Display for Breakdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_comes_back_as_itself() {
        let breakdown = Breakdown::from(&Error::ConnectionRefused);
        assert_eq!(breakdown.name(), "connection-refused");
        assert_eq!(breakdown.error(), Error::ConnectionRefused);
    }

    #[test]
    fn a_name_that_is_not_known_is_told_by_the_failure() {
        let error = Breakdown::named("solar-flare").error();
        assert!(
            matches!(&error, Error::Internal { reason } if reason.contains("solar-flare")),
            "{error:?}"
        );
    }

    #[test]
    fn a_failure_of_the_transport_keeps_nothing_of_its_text() {
        let error = Error::Internal {
            reason: "hunter2".to_string(),
        };
        assert_eq!(Breakdown::from(&error).name(), "internal-error");
    }
}
