//! Stub.
use crate::{Body, BoxFuture, Error, Terms, Transport};
use bytes::Bytes;
use http::{Request, Response};
use std::sync::Arc;
/// Stub.
pub struct SharedTokens(Arc<dyn Transport>);
impl SharedTokens {
    /// Stub.
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        Self(transport)
    }
}
impl Transport for SharedTokens {
    fn send(
        self: Arc<Self>,
        request: Request<Bytes>,
        terms: Terms,
    ) -> BoxFuture<'static, Result<Response<Body>, Error>> {
        self.0.clone().send(request, terms)
    }
}
