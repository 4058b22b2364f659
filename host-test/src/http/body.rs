//! The body of an answer, read under a time and a size limit.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

use super::{HttpBody, HttpError};

/// Fails where the body stalls for too long, or grows too large.
pub(super) struct GuardedBody {
    inner: HttpBody,
    patience: Duration,
    /// Runs only while a frame is waited for: a guest that is busy with the last one has not been kept waiting.
    waiting: Option<Pin<Box<Sleep>>>,
    received: u64,
    limit: u64,
}

impl GuardedBody {
    pub(super) fn new(inner: HttpBody, patience: Duration, limit: u64) -> Self {
        Self {
            inner,
            patience,
            waiting: None,
            received: 0,
            limit,
        }
    }
}

impl Body for GuardedBody {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        let this = &mut *self;
        let Poll::Ready(frame) = Pin::new(&mut this.inner).poll_frame(cx) else {
            let patience = this.patience;
            let waiting = this
                .waiting
                .get_or_insert_with(|| Box::pin(sleep(patience)));
            ready!(waiting.as_mut().poll(cx));
            return Poll::Ready(Some(Err(HttpError::ConnectionReadTimeout)));
        };
        this.waiting = None;
        if let Some(Ok(frame)) = &frame {
            this.received += frame.data_ref().map_or(0, |data| data.len() as u64);
            if this.received > this.limit {
                let size = HttpError::HttpResponseBodySize(Some(this.received));
                return Poll::Ready(Some(Err(size)));
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt, Empty};

    use super::*;

    /// A body of which nothing ever arrives.
    struct Stalled;

    impl Body for Stalled {
        type Data = Bytes;
        type Error = HttpError;

        fn poll_frame(
            self: Pin<&mut Self>,
            _cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
            Poll::Pending
        }
    }

    #[tokio::test]
    async fn a_body_that_stalls_fails_as_a_read_timeout() {
        let mut body = GuardedBody::new(Stalled.boxed_unsync(), Duration::from_millis(1), 1);
        let frame = body.frame().await;
        assert!(matches!(frame, Some(Err(HttpError::ConnectionReadTimeout))));
    }

    #[tokio::test]
    async fn an_empty_body_ends_at_once() {
        let empty = Empty::new().map_err(Into::into).boxed_unsync();
        let mut body = GuardedBody::new(empty, Duration::ZERO, 0);
        assert!(body.frame().await.is_none());
    }
}
