//! How much a connector may use: time, memory, what it may be sent, and whatever else it could take of the host.
//!
//! What is promised: whoever reaches a limit gets a [`CallError`] that names it. The call is over and the instance is gone;
//! the host, other connectors and the next call go on.

use std::fmt;
use std::time::{Duration, Instant};

use wasmtime::component::ResourceTableError;
use wasmtime::{Config, ResourceLimiter};
use wasmtime_wasi_http::FieldMapError;

use crate::CallError;

/// Limits on each instance of a connector, for the host to choose. Those that are the same for all are in [`Limit`].
///
/// ```
/// use std::time::Duration;
/// use connector_host::Limits;
///
/// let limits = Limits::default().deadline(Duration::from_secs(20)).memory(32 << 20);
/// # assert_eq!(limits.memory, 32 << 20);
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// How long one call may take: waiting for a place among the instances, starting one, and the call itself together. A
    /// listing has as long for each page. Default: 60 seconds.
    pub deadline: Duration,
    /// How many bytes of memory the guest may use. Default: 64 MiB.
    pub memory: usize,
    /// How many bytes the header of one HTTP response may have, names and values together. Default: 64 KiB.
    ///
    /// A [`Network`](crate::transport::Network) takes in no more than 256 KiB, and over HTTP/1.1 100 fields, whatever is allowed here.
    pub response_header: usize,
    /// How many bytes the body of one HTTP response may have. Default: 1 GiB.
    pub response_body: u64,
    /// How many HTTP requests may be under way at a time, from when the guest sends one until it lets go of the answer. Default: 8.
    pub requests: usize,
    /// How many bytes of the bodies of those requests the host holds at a time, all together. Default: 1 MiB.
    pub request_bytes: usize,
    /// How long the body of an answer may lie unread, as between two pages of a listing, before it is let go with what it holds of
    /// the connection. The connector then asks again where it goes on. Default: 30 seconds.
    pub idle_body: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(60),
            memory: 64 << 20,
            response_header: 64 << 10,
            response_body: 1 << 30,
            requests: 8,
            request_bytes: 1 << 20,
            idle_body: Duration::from_secs(30),
        }
    }
}

/// Gives each limit a method that changes it.
macro_rules! change {
    ($($limit:ident: $type:ty),+ $(,)?) => {$(
        #[doc = concat!("With another [`", stringify!($limit), "`](Self#structfield.", stringify!($limit), ").")]
        #[must_use]
        pub fn $limit(self, $limit: $type) -> Self {
            Self { $limit, ..self }
        }
    )+};
}

/// The instant after this time, or one that nobody waits for.
pub(crate) fn after(time: Duration) -> Instant {
    const LONG: Duration = Duration::from_secs(365 * 24 * 60 * 60);
    Instant::now() + time.min(LONG)
}

impl Limits {
    change! {
        deadline: Duration,
        memory: usize,
        response_header: usize,
        response_body: u64,
        requests: usize,
        request_bytes: usize,
        idle_body: Duration,
    }

    /// How many bytes a connector may hand over in one call, as an answer or to an import: half its memory, since whatever
    /// it hands over it first had as values of its own.
    pub(crate) fn handed_over(&self) -> usize {
        self.memory / 2
    }
}

/// A limit that is the same for every connector, and that no connector has reason to reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limit {
    /// On the entries of its tables together.
    TableElements,
    /// On what it is made of: core instances, memories and tables, each.
    Parts,
    /// On handles that are open at a time: requests, bodies, streams and what waits for them.
    Handles,
    /// On what it hands over in one call, as an answer or to an import: half of [`Limits::memory`].
    HandedOver,
    /// On the messages that it logs in one call. One that is too long is no failure: it is cut.
    LogMessages,
    /// On the header of one request.
    RequestHeader,
    /// On the method and on the host of one request, each.
    RequestTarget,
    /// On requests that are under way at a time: [`Limits::requests`].
    Requests,
    /// On what the host holds of the bodies of requests at a time: [`Limits::request_bytes`].
    RequestBytes,
}

impl fmt::Display for Limit {
    /// What is counted.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Limit::TableElements => "table entries",
            Limit::Parts => "core instances, memories or tables",
            Limit::Handles => "open handles",
            Limit::HandedOver => "bytes handed to the host at a time",
            Limit::LogMessages => "log messages in one call",
            Limit::RequestHeader => "bytes in the header of a request",
            Limit::RequestTarget => "bytes in the method or the host of a request",
            Limit::Requests => "HTTP requests at a time",
            Limit::RequestBytes => "bytes in requests at a time",
        })
    }
}

/// Takes away what WebAssembly has beyond what connectors are built with. Each proposal is code of the engine that a hostile
/// connector could try; two of them (memories beyond 4 GiB, and several in one module) also make memory harder to count.
///
/// What stays is what compilers use by default for `wasm32-unknown-unknown` and `wasm32-wasip2`: bulk memory operations, sign
/// extension, saturating conversions, several results and reference types.
pub(crate) fn shrink_language(config: &mut Config) {
    config
        .wasm_memory64(false)
        .wasm_multi_memory(false)
        .wasm_relaxed_simd(false)
        .wasm_simd(false)
        .wasm_tail_call(false)
        .wasm_wide_arithmetic(false)
        .wasm_extended_const(false)
        .wasm_custom_page_sizes(false);
}

/// How many table entries a guest may have. They hold its function pointers, so their number does not grow with the data.
pub(crate) const TABLE_ELEMENTS: usize = 20_000;
/// How many core instances, tables and memories one component may be made of. A Rust component has a handful.
pub(crate) const PARTS: usize = 32;
/// How many handles a guest may have open. A request takes about ten at a time, and a connector sends one after the other; a
/// request under way is a connection, and those are the host's.
pub(crate) const HANDLES: usize = 128;
/// How many bytes the method and the host of a request may have, each. A name of a host has 253 at most.
pub(crate) const REQUEST_TARGET: usize = 1 << 10;
/// How many messages a guest may log in one call. Ours logs a handful.
pub(crate) const LOG_MESSAGES: usize = 1_000;
/// How many bytes the header of a request may have. Servers take a fraction of it.
pub(crate) const REQUEST_HEADER: usize = 128 << 10;

/// The guest asked for more memory than it may have.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the guest asked for more than {limit} bytes of memory")]
pub(crate) struct MemoryLimitReached {
    pub(crate) limit: usize,
}

/// The guest wanted more of something than it may have.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the guest wanted more than {most} {limit}")]
pub(crate) struct LimitReached {
    pub(crate) limit: Limit,
    pub(crate) most: usize,
}

/// Finds out whether a call or a start ended at a limit.
pub(crate) fn reached(error: &wasmtime::Error, limits: &Limits) -> Option<CallError> {
    if let Some(MemoryLimitReached { limit }) = error.downcast_ref() {
        return Some(CallError::MemoryLimit { limit: *limit });
    }
    let (limit, most) = if let Some(LimitReached { limit, most }) = error.downcast_ref() {
        (*limit, *most)
    } else if let Some(ResourceTableError::Full) = error.downcast_ref() {
        (Limit::Handles, HANDLES)
    } else if let Some(FieldMapError::TooManyFields | FieldMapError::TotalSizeTooBig) =
        error.downcast_ref()
    {
        (Limit::RequestHeader, REQUEST_HEADER)
    } else {
        // For these two wasmtime has no type that could be asked for, only a text. The tests hold it to that.
        let text = error.root_cause().to_string();
        if text.contains("fuel allocated for hostcalls") {
            (Limit::HandedOver, limits.handed_over())
        } else if text.starts_with("resource limit exceeded") {
            (Limit::Parts, PARTS)
        } else {
            return None;
        }
    };
    Some(CallError::LimitReached { limit, most })
}

/// Counts the memory and the table entries of one instance, and stops it at its limits.
#[derive(Debug)]
pub(crate) struct ResourceCounter {
    limit: usize,
    used: usize,
    table_elements: usize,
}

impl ResourceCounter {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            used: 0,
            table_elements: 0,
        }
    }

    /// How many bytes of memory the instance has.
    pub(crate) fn memory(&self) -> usize {
        self.used
    }
}

impl ResourceLimiter for ResourceCounter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        // To refuse what is beyond the limit with `Ok(false)` would leave the guest to panic over it: an error says what the
        // matter is.
        let reached = MemoryLimitReached { limit: self.limit };
        let used = grown(self.used, current, desired, self.limit).ok_or(reached)?;
        // More than the module itself allows is refused as WebAssembly has it: the guest goes on with what it has.
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        self.used = used;
        Ok(true)
    }

    /// What was counted cannot be told from what was not, so the instance ends here, and with it the count.
    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        Err(MemoryLimitReached { limit: self.limit }.into())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let elements = grown(self.table_elements, current, desired, TABLE_ELEMENTS);
        let elements = elements.ok_or(TOO_MANY_TABLE_ELEMENTS)?;
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        self.table_elements = elements;
        Ok(true)
    }

    fn table_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        Err(TOO_MANY_TABLE_ELEMENTS.into())
    }

    fn instances(&self) -> usize {
        PARTS
    }

    fn tables(&self) -> usize {
        PARTS
    }

    fn memories(&self) -> usize {
        PARTS
    }
}

/// The guest wanted more table entries than there may be.
const TOO_MANY_TABLE_ELEMENTS: LimitReached = LimitReached {
    limit: Limit::TableElements,
    most: TABLE_ELEMENTS,
};

/// What is used once something grows from `current` to `desired`; `None` where that is beyond the limit, or beyond all numbers.
fn grown(used: usize, current: usize, desired: usize, limit: usize) -> Option<usize> {
    let more = desired.checked_sub(current)?;
    let used = used.checked_add(more)?;
    (used <= limit).then_some(used)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What an engine may ask for: near the end of all numbers, and less than there is.
    #[test]
    fn no_number_switches_the_limit_off() {
        for (current, desired) in [
            (0, usize::MAX),
            (0, usize::MAX - 65_535),
            (65_536, usize::MAX),
            (60, 0),
        ] {
            let mut limiter = ResourceCounter::new(100);
            assert!(limiter.memory_growing(0, 60, None).is_ok());
            assert!(limiter.memory_growing(current, desired, None).is_err());
            assert_eq!(limiter.memory(), 60, "{current} to {desired}");
            assert!(limiter.memory_growing(0, 41, None).is_err());
            assert!(limiter.table_growing(0, 1, None).is_ok());
            assert!(limiter.table_growing(current, desired, None).is_err());
        }
    }

    #[test]
    fn a_growth_that_fails_ends_the_instance() {
        let mut limiter = ResourceCounter::new(100);
        let failed = limiter.memory_grow_failed(wasmtime::Error::msg("no memory"));
        assert!(failed.unwrap_err().is::<MemoryLimitReached>());
        let failed = limiter.table_grow_failed(wasmtime::Error::msg("no memory"));
        assert!(failed.unwrap_err().is::<LimitReached>());
    }

    #[test]
    fn a_growth_beyond_the_module_s_own_maximum_is_refused_and_not_counted() {
        let mut limiter = ResourceCounter::new(100);
        let refused = limiter.memory_growing(0, 60, Some(50));
        assert!(!refused.expect("it is no error"));
        assert_eq!(limiter.memory(), 0);
    }

    #[test]
    fn the_limit_is_on_all_memories_together() {
        let mut limiter = ResourceCounter::new(100);
        assert!(limiter.memory_growing(0, 60, None).is_ok());
        assert!(limiter.memory_growing(0, 40, None).is_ok());
        let error = limiter.memory_growing(60, 61, None).unwrap_err();
        assert!(error.downcast_ref::<MemoryLimitReached>().is_some());
        assert_eq!(limiter.memory(), 100);
    }

    #[test]
    fn the_limit_is_on_the_entries_of_all_tables_together() {
        let mut limiter = ResourceCounter::new(0);
        assert!(limiter.table_growing(0, TABLE_ELEMENTS - 1, None).is_ok());
        assert!(limiter.table_growing(0, 1, None).is_ok());
        let error = limiter.table_growing(1, 2, None).unwrap_err();
        assert!(error.downcast_ref::<LimitReached>().is_some());
    }
}
