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
    /// It is larger than any connector.
    #[error("the component is larger than {most} bytes, which is more than any connector has")]
    TooLarge {
        /// How many bytes it may have.
        most: u64,
    },
    /// Compiling it took too long.
    #[error("the component could not be compiled within {} seconds", after.as_secs_f32())]
    TooSlow {
        /// How long it may take.
        after: Duration,
    },
    /// The pool of instances is to be larger than the address space.
    #[error(
        "a pool of {asked} instances does not fit into the address space: ask for {most} at most"
    )]
    PoolTooLarge {
        /// How many were asked for.
        asked: u32,
        /// How many there may be.
        most: u32,
    },
    /// The folder for compiled code is not safe to use.
    #[error(transparent)]
    CodeCache(#[from] crate::CodeCacheError),
    /// The thread that lets deadlines stop a guest that only computes cannot be started.
    #[error("the thread that watches deadlines cannot be started: {0}")]
    Thread(io::Error),
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
    /// The connector answered that no connection came about, and the host knows why: a certificate, TLS, or a proxy.
    #[error("{}", .failure.help_with(retry_if(*.passes)))]
    NoConnection {
        /// What the connector answered, with the reason in its message.
        failure: Box<Failure>,
        /// Whether it can pass by itself.
        passes: bool,
    },
    /// As many instances as may be were at work until the deadline. Nothing was done.
    #[error(
        "No instance was free before the deadline: all of the {most} that there may be were at work."
    )]
    Busy {
        /// How many instances there may be at a time.
        most: usize,
    },
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
    /// A listing goes round in a circle: the connector gave the same cursor twice.
    #[error("The listing does not get on: the connector gave a cursor that it gave before.")]
    ListingStuck,
    /// A listing went on beyond its bounds. What was received is not the whole.
    #[error(
        "The listing has no end: after {pages} pages and {} seconds the connector has given {received}, and wants to go on. If the \
         tenant really is so large, raise the bounds of the listing.",
        time.as_secs()
    )]
    ListingEndless {
        /// How many pages there were.
        pages: u64,
        /// What they had.
        received: Counts,
        /// How long the connector took for them.
        time: Duration,
    },
    /// The host failed, not the connector.
    #[error("The host failed: {0}.")]
    Host(String),
}

impl CallError {
    /// The kind of failure: for failures of the contract the name of the error, else the name of the variant, in kebab case.
    pub fn kind(&self) -> &'static str {
        match self {
            CallError::Connector(failure) | CallError::NoConnection { failure, .. } => {
                failure.error.kind().name()
            }
            CallError::Busy { .. } => "busy",
            CallError::Trapped { .. } => "trapped",
            CallError::DeadlineExceeded { .. } => "deadline-exceeded",
            CallError::MemoryLimit { .. } => "memory-limit",
            CallError::LimitReached { .. } => "limit-reached",
            CallError::ListingNotWhole { .. } => "listing-not-whole",
            CallError::ListingStuck => "listing-stuck",
            CallError::ListingEndless { .. } => "listing-endless",
            CallError::Host(_) => "host",
        }
    }

    /// Whether repeating the very same call can help.
    pub fn retry(&self) -> Retry {
        match self {
            CallError::Connector(failure) => failure.error.retry(),
            CallError::NoConnection { passes, .. } => retry_if(*passes),
            CallError::DeadlineExceeded { .. } | CallError::Busy { .. } => Retry::AfterPause,
            CallError::Trapped { .. }
            | CallError::MemoryLimit { .. }
            | CallError::LimitReached { .. }
            | CallError::ListingNotWhole { .. }
            | CallError::ListingStuck
            | CallError::ListingEndless { .. }
            | CallError::Host(_) => Retry::No,
        }
    }
}

/// Whether to repeat a call that failed for what can pass by itself, or cannot.
fn retry_if(passes: bool) -> Retry {
    if passes { Retry::AfterPause } else { Retry::No }
}

impl From<Failure> for CallError {
    fn from(failure: Failure) -> Self {
        CallError::Connector(Box::new(failure))
    }
}

impl Serialize for CallError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let CallError::Connector(failure) | CallError::NoConnection { failure, .. } = self {
            return failure.help_with(self.retry()).serialize(serializer);
        }
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("kind", self.kind())?;
        object.serialize_entry("message", &self.to_string())?;
        object.serialize_entry("retry", self.retry().name())?;
        object.end()
    }
}
