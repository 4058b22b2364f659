//! How the HTTP requests of a connector leave its host.
//!
//! A [`Transport`] sends one request and gives the answer as it comes. [`Network`] is the one that sends over the network: for
//! each tenant one of its own, with its own connections, certificate authorities and [`Proxy`], so that no tenant waits for
//! another. [`SharedTokens`] goes around it, so that all instances of a tenant work with one token. An [`EgressPolicy`] says where
//! requests may go, and [`Guarded`] under which limits an answer is read. What goes wrong is an [`Error`], which says whether it
//! passes by itself.
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use bytes::Bytes;
//! use connector_transport::{
//!     EgressPolicy, Network, NetworkOptions, Proxy, SharedTokens, Terms, Timeouts, Transport,
//! };
//! use http::Request;
//! use http_body_util::BodyExt;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! // Once for each tenant.
//! let policy = EgressPolicy::public("https://tenant.example")?.hosts(["*.example"])?;
//! let options = NetworkOptions::default().proxy(Proxy::from_env()?);
//! let network = Arc::new(Network::with(options));
//! let transport: Arc<dyn Transport> = Arc::new(SharedTokens::new(network));
//!
//! // For each request.
//! let request = Request::get("https://tenant.example/v2/users").body(Bytes::new())?;
//! assert!(policy.allows(request.uri()));
//! let terms = Terms::new(Timeouts::default(), policy.addresses());
//! let response = transport.send(request, terms).await?;
//! let body = response.into_body().collect().await?.to_bytes();
//! # Ok(())
//! # }
//! ```
//!
//! What always holds:
//!
//! - **A [`Network`] belongs to one tenant.** No tenant waits for another, and the certificate authorities and the proxy of one are no
//!   other's.
//! - **A write goes over a connection that carried nothing before**, and is sent once. A read that finds a used connection dead before
//!   anything of the answer came is sent once more.
//! - **A body that failed is over**, and so is one that nobody reads: it frees what it held of the connection.
//!
//! What it does not know: components, wasmtime, connectors, and any vendor.

#![deny(missing_docs)]

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;

mod body;
mod certificate;
mod classify;
mod egress;
mod error;
mod network;
mod proxy;
mod resolve;
mod roots;
#[cfg(test)]
mod testing;
mod time;
mod tokens;

pub use self::body::{Guarded, Reading};
pub use self::egress::{Addresses, EgressError, EgressPolicy};
pub use self::error::Error;
pub use self::network::{Network, NetworkOptions};
pub use self::proxy::{Proxy, ProxyError};
pub use self::resolve::Resolve;
pub use self::roots::{ExtraRoots, ExtraRootsError};
pub use self::tokens::SharedTokens;

/// A future behind a pointer, as traits need it that are used as objects.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The body of an answer, as it arrives.
pub type Body = UnsyncBoxBody<Bytes, Error>;

/// Sends a request that may be sent, and gives the answer as it comes: no redirect is followed, and nothing is sent twice that
/// would do harm twice.
pub trait Transport: Send + Sync {
    /// Sends the request and waits for the head of the answer, as long as the terms allow.
    fn send(
        self: Arc<Self>,
        request: Request<Bytes>,
        terms: Terms,
    ) -> BoxFuture<'static, Result<Response<Body>, Error>>;
}

/// On which terms one request is sent.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Terms {
    /// How long to wait for what.
    pub timeouts: Timeouts,
    /// Which addresses may be connected to.
    pub addresses: Addresses,
}

impl Terms {
    /// These timeouts, and the addresses of an [`EgressPolicy`].
    pub fn new(timeouts: Timeouts, addresses: Addresses) -> Self {
        Self {
            timeouts,
            addresses,
        }
    }
}

/// How long to wait for the other side.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Timeouts {
    /// For a connection: name resolution, TCP, a proxy and TLS together. Default: 10 seconds.
    pub connect: Duration,
    /// For the head of the answer, once there is a connection. Default: 45 seconds, so that within the default deadline of a
    /// call the connector still gets to say what took too long.
    pub first_byte: Duration,
    /// For the answer to go on. Default: 30 seconds.
    pub between_bytes: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            first_byte: Duration::from_secs(45),
            between_bytes: Duration::from_secs(30),
        }
    }
}

impl Timeouts {
    /// With this time for a connection.
    #[must_use]
    pub fn connect(self, connect: Duration) -> Self {
        Self { connect, ..self }
    }

    /// With this time for the head of the answer.
    #[must_use]
    pub fn first_byte(self, first_byte: Duration) -> Self {
        Self { first_byte, ..self }
    }

    /// With this time for the answer to go on.
    #[must_use]
    pub fn between_bytes(self, between_bytes: Duration) -> Self {
        Self {
            between_bytes,
            ..self
        }
    }
}

/// A body that is there already.
pub fn whole_body(bytes: impl Into<Bytes>) -> Body {
    http_body_util::Full::new(bytes.into())
        .map_err(|never| match never {})
        .boxed_unsync()
}
