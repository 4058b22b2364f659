//! From the name of a host to the addresses that a connection may be made to.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::vec;

use hyper_util::client::legacy::connect::dns::Name;
use tower_service::Service;

use crate::BoxFuture;
use crate::egress::may_be_at;

/// Looks up the names of hosts. By default the operating system does; a host that has DNS of its own implements it.
///
/// Whatever it answers is held against the rule about addresses (see [`EgressPolicy`](crate::EgressPolicy)), and connections
/// are made to the very addresses that passed.
pub trait Resolve: Send + Sync {
    /// Gives all addresses of a host, in the order in which to try them.
    fn resolve<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>>;
}

/// The operating system's name resolution.
pub(crate) struct System;

impl Resolve for System {
    fn resolve<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((host, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// A name leads to no connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ResolveError {
    /// It could not be resolved. Marked as such, since it looks like any other failure to connect.
    #[error("{0}")]
    Failed(io::Error),
    /// It leads to where no connection may be made.
    #[error("the name of the host leads to {0}, which is not allowed")]
    Prohibited(IpAddr),
}

/// Resolves names for the HTTP client, and lets through only what may be connected to.
///
/// The client asks once for each connection, and connects to nothing but the addresses it gets here.
#[derive(Clone)]
pub(crate) struct Guarded(pub(crate) Arc<dyn Resolve>);

impl Service<Name> for Guarded {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = ResolveError;
    type Future = BoxFuture<'static, Result<Self::Response, ResolveError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ResolveError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let resolver = self.0.clone();
        Box::pin(async move {
            let host = name.as_str();
            let addresses = resolver.resolve(host).await.map_err(ResolveError::Failed)?;
            if addresses.is_empty() {
                let nothing = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
                return Err(ResolveError::Failed(nothing));
            }
            // One is enough: a name with an address that is none of a tenant's is not to be trusted with its others.
            if let Some(address) = addresses.iter().find(|&&at| !may_be_at(host, at)) {
                tracing::warn!(host, %address, "denied a connection to an address that a tenant cannot have");
                return Err(ResolveError::Prohibited(*address));
            }
            // The client puts in the port of the URL.
            let sockets = addresses.into_iter().map(|at| SocketAddr::new(at, 0));
            Ok(sockets.collect::<Vec<_>>().into_iter())
        })
    }
}
