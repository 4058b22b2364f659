//! How loading and calling a connector can fail.

use std::io;
use std::time::Duration;

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::Limit;
use crate::contract::{Counts, Failure, Retry};

/// A connector could not be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The file cannot be read.
    #[error("the file cannot be read: {0}")]
    Unreadable(io::Error),
    /// The bytes are not a WebAssembly component.
    #[error("not a WebAssembly component that can be run here: {0}")]
    NotAComponent(wasmtime::Error),
    /// It asks for more than a connector gets.
    #[error(
        "the component asks for what connectors do not get: {}. It was built for another world than identity:connector/plugin",
        interfaces.join(", ")
    )]
    ForbiddenImports {
        /// The interfaces that it imports beyond those of the world `plugin`.
        interfaces: Vec<String>,
    },
    /// Its imports or exports are not those of this version of the contract.
    #[error("the component does not fit this version of the contract: {0:#}")]
    Incompatible(wasmtime::Error),
    /// The host itself cannot be set up.
    #[error("the WebAssembly engine cannot be set up: {0:#}")]
    Engine(wasmtime::Error),
}

/// A call to a connector failed.
///
/// Its `Display` is help for people; text of the connected system is in it as it came, so escape it before it goes to a
/// terminal. Its JSON form is an object with `kind`, `message` and `retry`, and for failures of the contract further keys.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The connector answered with a failure of the contract.
    #[error("{}", .0.help())]
    Connector(Box<Failure>),
    /// The connector broke off: it panicked, or did what WebAssembly or its interfaces do not allow.
    #[error(
        "The connector broke off: {}. This is a fault of the connector; please report it. The next call starts it afresh.",
        panic.as_deref().unwrap_or(trap)
    )]
    Trapped {
        /// The message of the panic, where there was one.
        panic: Option<String>,
        /// What WebAssembly says of it.
        trap: String,
    },
    /// The call was not done in time, and was stopped. A write may have been done all the same.
    #[error("The call was stopped after {} seconds, its deadline.", after.as_secs_f32())]
    DeadlineExceeded {
        /// The deadline.
        after: Duration,
    },
    /// The connector wanted more memory than it may have.
    #[error("The connector wanted more than the {limit} bytes of memory that it may have.")]
    MemoryLimit {
        /// The limit in bytes.
        limit: usize,
    },
    /// The connector wanted more of something else than any connector may have.
    #[error(
        "The connector wanted more than {most} {limit}, which is all that it may have. This is a fault of the connector; please report it."
    )]
    LimitReached {
        /// Of what.
        limit: Limit,
        /// The most that it may have.
        most: usize,
    },
    /// The pages of a listing do not add up to what the connector says it gave. They must not be taken for the whole.
    #[error(
        "The listing is not whole: the connector says it gave {declared}, and what arrived is {received}."
    )]
    ListingNotWhole {
        /// What arrived.
        received: Counts,
        /// What the connector says of it.
        declared: Counts,
    },
    /// A listing goes on for ever: an empty page, and the cursor of the page before.
    #[error(
        "The listing does not get on: the connector gave an empty page and the same cursor again."
    )]
    ListingStuck,
    /// The host failed, not the connector.
    #[error("The host failed: {0}.")]
    Host(String),
}

impl CallError {
    /// The kind of failure: for failures of the contract the name of the error, else the name of the variant, in kebab case.
    pub fn kind(&self) -> &'static str {
        match self {
            CallError::Connector(failure) => failure.error.kind().name(),
            CallError::Trapped { .. } => "trapped",
            CallError::DeadlineExceeded { .. } => "deadline-exceeded",
            CallError::MemoryLimit { .. } => "memory-limit",
            CallError::LimitReached { .. } => "limit-reached",
            CallError::ListingNotWhole { .. } => "listing-not-whole",
            CallError::ListingStuck => "listing-stuck",
            CallError::Host(_) => "host",
        }
    }

    /// Whether repeating the very same call can help.
    pub fn retry(&self) -> Retry {
        match self {
            CallError::Connector(failure) => failure.error.retry(),
            CallError::DeadlineExceeded { .. } => Retry::AfterPause,
            CallError::Trapped { .. }
            | CallError::MemoryLimit { .. }
            | CallError::LimitReached { .. }
            | CallError::ListingNotWhole { .. }
            | CallError::ListingStuck
            | CallError::Host(_) => Retry::No,
        }
    }
}

impl From<Failure> for CallError {
    fn from(failure: Failure) -> Self {
        CallError::Connector(Box::new(failure))
    }
}

impl Serialize for CallError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let CallError::Connector(failure) = self {
            return failure.serialize(serializer);
        }
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("kind", self.kind())?;
        object.serialize_entry("message", &self.to_string())?;
        object.serialize_entry("retry", self.retry().name())?;
        object.end()
    }
}
