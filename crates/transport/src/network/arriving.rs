//! The body of an answer, as it comes over the network.

use std::any::Any;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;

use crate::Error;
use crate::classify::{Phase, classify};

/// A body that holds what the exchange takes, a connection and a place among those under way, until it is over or dropped.
///
/// It is not taken for whole when a server resets an HTTP/2 stream in the middle of it and calls that no error. To hyper that is
/// an end like any other.
pub(super) struct Arriving {
    /// `None` once it is over.
    body: Option<Incoming>,
    is_http2: bool,
    held: Option<Box<dyn Any + Send>>,
}

impl Arriving {
    pub(super) fn new(body: Incoming, is_http2: bool, held: impl Any + Send) -> Self {
        let mut this = Self {
            body: Some(body),
            is_http2,
            held: Some(Box::new(held)),
        };
        if this.is_end_stream() {
            this.end();
        }
        this
    }

    fn end(&mut self) {
        // The connection is free once it has lost the body.
        self.body = None;
        self.held = None;
    }
}

impl http_body::Body for Arriving {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let is_http2 = self.is_http2;
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        let frame = match ready!(Pin::new(&mut *body).poll_frame(cx)) {
            Some(Ok(frame)) => {
                if body.is_end_stream() {
                    self.end();
                }
                return Poll::Ready(Some(Ok(frame)));
            }
            Some(Err(error)) => Some(Err(classify(&error, Phase::Body))),
            None if is_http2 && !body.is_end_stream() => Some(Err(Error::ResponseIncomplete)),
            None => None,
        };
        self.end();
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(|body| body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        let hint = |body: &Incoming| body.size_hint();
        self.body
            .as_ref()
            .map_or_else(|| SizeHint::with_exact(0), hint)
    }
}
