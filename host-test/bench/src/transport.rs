//! The HTTP client that both sides send over: the host's own, with a counter.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use bytes::Bytes;
use connector_host::BoxFuture;
use connector_host::transport::{
    self, Body, ExtraRoots, Network, NetworkOptions, Terms, Transport,
};
use http::{Request, Response};

use crate::children::Target;

/// How many requests were sent. Clones share the count.
#[derive(Clone, Default)]
pub struct Sent(Arc<AtomicU64>);

impl Sent {
    /// How many since this was asked last.
    pub fn take(&self) -> u64 {
        self.0.swap(0, Ordering::Relaxed)
    }
}

/// The network of one tenant, which counts what it sends.
pub struct Counted {
    network: Arc<Network>,
    sent: Sent,
}

impl Counted {
    /// A fresh network, which trusts the tenant's authority and is counted here.
    pub fn new(target: &Target, sent: Sent) -> Result<Self> {
        let mut options = NetworkOptions::default();
        if let Some(authority) = &target.authority {
            options = options.extra_roots(ExtraRoots::from_pem(authority.as_bytes())?);
        }
        let network = Arc::new(Network::with(options));
        Ok(Self { network, sent })
    }
}

impl Transport for Counted {
    fn send(
        self: Arc<Self>,
        request: Request<Bytes>,
        terms: Terms,
    ) -> BoxFuture<'static, Result<Response<Body>, transport::Error>> {
        self.sent.0.fetch_add(1, Ordering::Relaxed);
        self.network.clone().send(request, terms)
    }
}
