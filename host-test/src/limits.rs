//! How much a connector may use: time, memory, and what it may be sent.

use std::time::Duration;

use wasmtime::ResourceLimiter;

/// Limits on each instance of a connector.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long one call may take, waiting included. A listing has as long for each page. Default: 60 seconds.
    pub deadline: Duration,
    /// How many bytes of memory the guest may use. Default: 64 MiB.
    pub memory: usize,
    /// How many bytes the header of one HTTP response may have, names and values together. Default: 64 KiB.
    ///
    /// A [`Network`](crate::http::Network) takes in no more than 256 KiB, and over HTTP/1.1 100 fields, whatever is allowed here.
    pub response_header: usize,
    /// How many bytes the body of one HTTP response may have. Default: 1 GiB.
    pub response_body: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(60),
            memory: 64 << 20,
            response_header: 64 << 10,
            response_body: 1 << 30,
        }
    }
}

/// How many table entries a guest may have. They hold its function pointers, so their number does not grow with the data.
pub(crate) const TABLE_ELEMENTS: usize = 20_000;
/// How many core instances, tables and memories one component may be made of. A Rust component has a handful.
pub(crate) const PARTS: usize = 32;

/// The guest asked for more memory than it may have.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the guest asked for more than {limit} bytes of memory")]
pub(crate) struct MemoryLimitReached {
    pub(crate) limit: usize,
}

/// Counts the memory of one instance and stops it at its limit.
#[derive(Debug)]
pub(crate) struct MemoryLimiter {
    limit: usize,
    used: usize,
}

impl MemoryLimiter {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, used: 0 }
    }
}

impl ResourceLimiter for MemoryLimiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let used = self.used + desired.saturating_sub(current);
        if used > self.limit {
            // To refuse with `Ok(false)` would leave the guest to panic over it: an error says what the matter is.
            return Err(MemoryLimitReached { limit: self.limit }.into());
        }
        self.used = used;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= TABLE_ELEMENTS)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_on_all_memories_together() {
        let mut limiter = MemoryLimiter::new(100);
        assert!(limiter.memory_growing(0, 60, None).is_ok());
        assert!(limiter.memory_growing(0, 40, None).is_ok());
        let error = limiter.memory_growing(60, 61, None).unwrap_err();
        assert!(error.downcast_ref::<MemoryLimitReached>().is_some());
    }
}
