//! A body of which the beginning was read already.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::Frame;

use crate::{Body, Error};

/// What was read, and then what comes.
pub(super) struct Continued {
    read: std::array::IntoIter<Bytes, 2>,
    rest: Body,
}

impl Continued {
    pub(super) fn new(read: [Bytes; 2], rest: Body) -> Self {
        Self {
            read: read.into_iter(),
            rest,
        }
    }
}

impl http_body::Body for Continued {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match self.read.next() {
            Some(data) => Poll::Ready(Some(Ok(Frame::data(data)))),
            None => Pin::new(&mut self.rest).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.read.len() == 0 && self.rest.is_end_stream()
    }
}
