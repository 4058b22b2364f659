//! The HTTP client that both sides send over: the host's own, with a counter.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use connector_host::BoxFuture;
use connector_host::transport::{self, Body, Network, Terms, Transport};
use http::{Request, Response};

/// A network that knows how many requests it has sent.
#[derive(Default)]
pub struct Counted {
    network: Arc<Network>,
    requests: AtomicU64,
}

impl Counted {
    /// How many requests were sent since this was asked last.
    pub fn take(&self) -> u64 {
        self.requests.swap(0, Ordering::Relaxed)
    }
}

impl Transport for Counted {
    fn send(
        self: Arc<Self>,
        request: Request<Bytes>,
        terms: Terms,
    ) -> BoxFuture<'static, Result<Response<Body>, transport::Error>> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.network.clone().send(request, timeouts)
    }
}
