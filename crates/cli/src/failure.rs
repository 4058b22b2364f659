//! How a command fails, and how that is told.

use std::io;

use connector_host::contract::ErrorKind;
use connector_host::{CallError, LoadError};
use connector_recording::ReplayError;
use serde::Serialize;

use super::color::{Mark, Painter};
use super::config::variable_of;
use super::exit::Exit;
use connector_escape as escape;
use connector_report as report;
use connector_snapshot as snapshot;

/// What to know of a command that was interrupted before it wrote.
pub const NOTHING_CHANGED: &str = "Nothing was changed.";

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The command line or a file that it names is wrong.
    #[error("{0}")]
    Usage(String),
    /// The component cannot be loaded.
    #[error(
        "cannot load the component {name}: {error}. Name another with --component FILE; `cargo xtask build` makes one"
    )]
    Load {
        /// Its file, or that it has none.
        name: String,
        /// Why not.
        error: LoadError,
    },
    /// A call of the connector failed.
    #[error("{doing} failed. {error}{hint}")]
    Call {
        /// What was tried, as in "Listing accounts".
        doing: String,
        /// What came back.
        error: Box<CallError>,
        /// What to do next with this program, where the error cannot know of it.
        hint: String,
    },
    /// What was wanted was done only in part. The steps were shown.
    #[error(
        "Some steps were done and others were not: see the steps. Do not repeat the whole of it."
    )]
    Partial,
    /// The connection check found something wrong. The report was shown.
    #[error("The connection does not work as it should: see the report.")]
    Unhealthy(Exit),
    /// A step of the demo did not go as it should.
    #[error("The demo failed at \"{step}\": {reason}")]
    Demo {
        /// The step.
        step: &'static str,
        /// What was not as it should be.
        reason: String,
    },
    /// The connector broke promises of the contract. They were shown.
    #[error("The connector breaks promises of the contract: see what came back.")]
    PromisesBroken,
    /// What was sent is not what the recording has.
    #[error("The replay failed: {0}.")]
    Replay(#[from] ReplayError),
    /// A snapshot cannot be read, written or replaced.
    #[error("{0}.")]
    Snapshot(#[from] snapshot::Error),
    /// A report cannot be written.
    #[error("{0}.")]
    Report(#[from] report::Error),
    /// The snapshots differ, and the exit code is to tell. The differences were shown.
    #[error("The snapshots differ.")]
    Different,
    /// The user pressed Ctrl-C.
    #[error("Interrupted. {0}")]
    Interrupted(&'static str),
    /// Output cannot be written.
    #[error("cannot write output: {0}")]
    Output(#[from] io::Error),
    /// Something else on this computer.
    #[error("{0}")]
    Local(String),
}

/// Says what was tried when a call fails.
pub trait Doing<T> {
    /// Names what was tried, as in "Listing accounts".
    fn doing(self, what: impl Into<String>) -> Result<T, Failure>;
}

impl<T> Doing<T> for Result<T, CallError> {
    fn doing(self, what: impl Into<String>) -> Result<T, Failure> {
        self.map_err(|error| Failure::Call {
            doing: what.into(),
            hint: match error {
                CallError::DeadlineExceeded { .. } => {
                    " With --deadline SECONDS it may take longer.".to_string()
                }
                _ => String::new(),
            },
            error: Box::new(error),
        })
    }
}

impl Failure {
    /// The same, with where the settings of this connector can be put right.
    pub fn naming_variables(mut self, connector: &str) -> Self {
        if let Failure::Call { error, hint, .. } = &mut self
            && let CallError::Connector(failure) = &**error
            && failure.error.kind() == ErrorKind::InvalidSettings
        {
            let problems = failure.error.problems().iter();
            let variables: Vec<_> = problems
                .map(|problem| variable_of(connector, &problem.field))
                .collect();
            *hint = format!(
                "\nSettings are flags, variables ({}), or in a configuration file: `connector-host check --help` has them all.",
                variables.join(", ")
            );
        }
        self
    }

    /// The exit code.
    pub fn exit(&self) -> Exit {
        match self {
            Failure::Load {
                error: LoadError::Engine(_),
                ..
            } => Exit::Fault,
            Failure::Usage(_) | Failure::Load { .. } => Exit::Usage,
            Failure::Call { error, .. } => (&**error).into(),
            Failure::Partial => Exit::PartialWrite,
            Failure::Unhealthy(exit) => *exit,
            Failure::Snapshot(error) => error.into(),
            Failure::Report(error) => error.into(),
            Failure::Interrupted(_) => Exit::Interrupted,
            // Whoever reads the output has seen enough, as with `| head`: that is no failure.
            Failure::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Ok,
            Failure::Output(_)
            | Failure::Demo { .. }
            | Failure::PromisesBroken
            | Failure::Replay(_)
            | Failure::Different
            | Failure::Local(_) => Exit::Failure,
        }
    }

    /// Tells of it on standard error, unless it is none.
    pub fn report(&self, as_json: bool) {
        if self.exit() == Exit::Ok || matches!(self, Failure::Different) {
            return;
        }
        let text = if as_json {
            // Error types have a JSON form in every case.
            let line = serde_json::to_string(&self.line()).unwrap_or_default();
            escape::json(&line).into_owned()
        } else {
            let head = Painter::new(&io::stderr()).paint(Mark::Error, "error:");
            format!("{head} {}", escape::lines(&self.to_string()))
        };
        // Not `eprintln!`, which panics where standard error is closed.
        let _ = io::Write::write_all(&mut io::stderr(), format!("{text}\n").as_bytes());
    }

    fn line(&self) -> Line<'_> {
        let (doing, error) = match self {
            Failure::Call { doing, error, .. } => (Some(doing.as_str()), Cause::Call(error)),
            other => (
                None,
                Cause::Own {
                    kind: other.kind(),
                    message: other.to_string(),
                    retry: "no",
                },
            ),
        };
        Line {
            error: Told { doing, error },
            exit_code: self.exit() as u8,
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Failure::Usage(_) => "usage",
            Failure::Load { .. } => "load",
            Failure::Call { error, .. } => error.kind(),
            Failure::Partial => "partial-write",
            Failure::Unhealthy(_) => "unhealthy",
            Failure::Demo { .. } => "demo",
            Failure::PromisesBroken => "promises-broken",
            Failure::Replay(_) => "replay",
            Failure::Snapshot(error) => error.kind(),
            Failure::Report(error) => error.kind(),
            Failure::Different => "different",
            Failure::Interrupted(_) => "interrupted",
            Failure::Output(_) => "output",
            Failure::Local(_) => "local",
        }
    }
}

/// The line on standard error with `--json`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    error: Told<'a>,
    exit_code: u8,
}

#[derive(Serialize)]
struct Told<'a> {
    doing: Option<&'a str>,
    #[serde(flatten)]
    error: Cause<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Cause<'a> {
    Call(&'a CallError),
    Own {
        kind: &'static str,
        message: String,
        retry: &'static str,
    },
}

#[cfg(test)]
mod tests {
    use connector_host::contract::{self, Error, Exchange};

    use super::*;

    fn unauthorized() -> Failure {
        let failure = contract::Failure {
            error: Error::Unauthorized,
            message: "The client secret was not accepted.".to_string(),
            exchange: Some(Exchange {
                request: "POST /ws/oauth/token".to_string(),
                status: Some(401),
                code: None,
                request_id: Some("a1b2".to_string()),
            }),
        };
        Err::<(), _>(CallError::from(failure))
            .doing("Listing accounts")
            .expect_err("it is an error")
    }

    #[test]
    fn a_failed_call_says_what_was_tried_and_what_came_back() {
        let text = unauthorized().to_string();
        for part in [
            "Listing accounts failed",
            "client secret",
            "POST /ws/oauth/token",
            "401",
            "a1b2",
        ] {
            assert!(text.contains(part), "{part} is not in: {text}");
        }
        assert_eq!(unauthorized().exit(), Exit::Unauthorized);
    }

    #[test]
    fn the_json_form_has_the_error_and_what_was_tried() {
        let json = serde_json::to_value(unauthorized().line()).expect("it has a JSON form");
        assert_eq!(json["error"]["kind"], "unauthorized");
        assert_eq!(json["error"]["doing"], "Listing accounts");
        assert_eq!(json["error"]["requestId"], "a1b2");
        assert_eq!(json["exitCode"], 11);
    }

    #[test]
    fn a_reader_that_has_seen_enough_is_no_failure() {
        let failure = Failure::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!(failure.exit(), Exit::Ok);
    }
}
