//! The body of an answer, read under a time and a size limit, and let go where nobody reads it.
//!
//! What is promised: after a failure the body is over, and what it held of the connection is free. Whoever goes on reading gets
//! the end, never the same failure again and again.

use std::any::Any;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Wake, Waker, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use tokio::task::AbortHandle;
use tokio::time::{Instant, Sleep, sleep_until};
use tracing::Instrument as _;

use crate::time::{after, later};
use crate::{Body, Error};

/// How a body may be read.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Reading {
    /// How long it may stand still while somebody waits for it.
    pub patience: Duration,
    /// How long nobody may read it, before it is let go. A body that nobody reads holds back its connection, and over HTTP/2 in
    /// the end every other body of that connection.
    pub idle: Duration,
    /// How many bytes it may have.
    pub limit: u64,
}

impl Reading {
    /// With this patience, this long without a reader, and so many bytes.
    #[must_use]
    pub const fn new(patience: Duration, idle: Duration, limit: u64) -> Self {
        Self {
            patience,
            idle,
            limit,
        }
    }
}

/// A body that ends in an [`Error`] where it stands still for too long, grows too large, or is not read for too long.
pub struct Guarded {
    shared: Arc<Mutex<Shared>>,
    reading: Reading,
    /// Runs only while a frame is waited for: a reader that is busy with the last frame has not been kept waiting.
    waiting: Option<Pin<Box<Sleep>>>,
    received: u64,
    /// Lets the body go. `None` where the body was over from the start.
    watch: Option<AbortHandle>,
}

/// What the reader shares with the task that lets the body go.
struct Shared {
    /// `None` once it is over.
    body: Option<Body>,
    /// What is freed together with the body.
    held: Option<Box<dyn Any + Send>>,
    /// When somebody read last.
    read_at: Instant,
    /// Where nothing was there then: what calls the reader back.
    called: Option<Arc<Call>>,
    let_go: bool,
}

/// Calls a reader back once there is something to read, and remembers when.
///
/// Not everybody who looks in vain waits for the call: a guest that has enough for now takes what there is, and comes back when it
/// wants more.
struct Call {
    reader: Waker,
    at: Mutex<Option<Instant>>,
}

impl Wake for Call {
    fn wake(self: Arc<Self>) {
        lock(&self.at).get_or_insert_with(Instant::now);
        self.reader.wake_by_ref();
    }
}

impl Shared {
    fn end(&mut self) {
        self.body = None;
        self.held = None;
    }
}

impl Guarded {
    /// Guards this body. Has to be called within a tokio runtime.
    ///
    /// `held` is kept for as long as the body, for example a place among the requests that may be under way.
    pub fn new(body: Body, reading: Reading, held: impl Any + Send) -> Self {
        let is_over = body.is_end_stream();
        let shared = Arc::new(Mutex::new(Shared {
            body: Some(body),
            held: (!is_over).then(|| Box::new(held) as _),
            read_at: Instant::now(),
            called: None,
            let_go: false,
        }));
        let watch = (!is_over).then(|| {
            let watched = Arc::downgrade(&shared);
            // Its line in the log tells whose answer it was.
            tokio::spawn(let_go_when_idle(watched, reading).in_current_span()).abort_handle()
        });
        Self {
            shared,
            reading,
            waiting: None,
            received: 0,
            watch,
        }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        if let Some(watch) = &self.watch {
            watch.abort();
        }
    }
}

/// Lets a body go once nobody has read it for too long.
async fn let_go_when_idle(watched: Weak<Mutex<Shared>>, reading: Reading) {
    loop {
        let due = {
            let Some(shared) = watched.upgrade() else {
                return;
            };
            let mut shared = lock(&shared);
            if shared.body.is_none() {
                return;
            }
            let due = match &shared.called {
                None => later(shared.read_at, reading.idle),
                Some(call) => match *lock(&call.at) {
                    // It was called, and did not come.
                    Some(at) => later(at, reading.idle),
                    // A reader that waits is not idle; whether it waits for too long is for its own clock to say.
                    None => later(
                        shared.read_at,
                        reading.idle.saturating_add(reading.patience),
                    ),
                },
            };
            if due <= Instant::now() {
                tracing::debug!(idle = ?reading.idle, "let go of an answer that nobody reads");
                shared.end();
                shared.let_go = true;
                return;
            }
            due
        };
        // The reader may be called meanwhile, which brings the time forward.
        sleep_until(due.min(later(Instant::now(), reading.idle))).await;
    }
}

/// Nothing in it is left half changed, so a panic elsewhere does not matter.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl http_body::Body for Guarded {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = &mut *self;
        let mut shared = lock(&this.shared);
        shared.read_at = Instant::now();
        let Some(body) = &mut shared.body else {
            let error = std::mem::take(&mut shared.let_go).then_some(Err(Error::LetGo));
            return Poll::Ready(error);
        };
        let mut polled = Pin::new(&mut *body).poll_frame(cx);
        let mut called = None;
        if polled.is_pending() {
            let call = Arc::new(Call {
                reader: cx.waker().clone(),
                at: Mutex::new(None),
            });
            let waker = Waker::from(call.clone());
            polled = Pin::new(body).poll_frame(&mut Context::from_waker(&waker));
            called = Some(call);
        }
        let Poll::Ready(frame) = polled else {
            shared.called = called;
            let patience = this.reading.patience;
            let waiting = this
                .waiting
                .get_or_insert_with(|| Box::pin(sleep_until(after(patience))));
            ready!(waiting.as_mut().poll(cx));
            shared.end();
            return Poll::Ready(Some(Err(Error::ReadTimeout)));
        };
        this.waiting = None;
        shared.called = None;
        if let Some(Ok(frame)) = &frame {
            this.received += frame.data_ref().map_or(0, |data| data.len() as u64);
            if this.received > this.reading.limit {
                shared.end();
                let size = Some(this.received);
                return Poll::Ready(Some(Err(Error::BodyTooLarge { size })));
            }
        }
        if !matches!(frame, Some(Ok(_))) {
            shared.end();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        let shared = lock(&self.shared);
        let ended = |body: &Body| body.is_end_stream();
        !shared.let_go && shared.body.as_ref().is_none_or(ended)
    }

    fn size_hint(&self) -> SizeHint {
        let shared = lock(&self.shared);
        shared
            .body
            .as_ref()
            .map_or_else(SizeHint::default, |body| body.size_hint())
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::sync::atomic::{AtomicBool, Ordering};

    use http_body_util::BodyExt as _;
    use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
    use tokio::time::sleep;

    use super::*;
    use crate::whole_body;

    const READING: Reading = Reading::new(Duration::from_secs(30), Duration::from_secs(30), 100);

    /// A body of which nothing ever arrives, and that says when it is dropped.
    struct Stalled(Arc<AtomicBool>);

    impl Drop for Stalled {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    impl http_body::Body for Stalled {
        type Data = Bytes;
        type Error = Error;

        fn poll_frame(
            self: Pin<&mut Self>,
            _cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
            Poll::Pending
        }
    }

    fn stalled() -> (Body, Arc<AtomicBool>) {
        let dropped = Arc::new(AtomicBool::new(false));
        (Stalled(dropped.clone()).boxed_unsync(), dropped)
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stands_still_fails_once_and_is_over() {
        let (body, dropped) = stalled();
        let mut body = Guarded::new(body, READING, ());
        let frame = body.frame().await;
        assert!(matches!(frame, Some(Err(Error::ReadTimeout))));
        assert!(dropped.load(Ordering::Relaxed), "the connection is free");
        assert!(body.frame().await.is_none(), "the failure comes once");
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_nobody_reads_is_let_go_and_says_so_once() {
        let (body, dropped) = stalled();
        let held = Arc::new(());
        let mut body = Guarded::new(body, READING, held.clone());
        sleep(READING.idle - Duration::from_secs(1)).await;
        assert!(!dropped.load(Ordering::Relaxed));
        assert_eq!(Arc::strong_count(&held), 2);
        sleep(Duration::from_secs(2)).await;
        assert!(dropped.load(Ordering::Relaxed), "the connection is free");
        assert_eq!(Arc::strong_count(&held), 1, "what was held is free");
        assert!(!body.is_end_stream(), "it is not whole");
        assert!(matches!(body.frame().await, Some(Err(Error::LetGo))));
        assert!(body.frame().await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_is_waited_for_is_not_let_go() {
        let reading = Reading {
            idle: Duration::from_secs(1),
            ..READING
        };
        let (body, _) = stalled();
        let mut body = Guarded::new(body, reading, ());
        let frame = body.frame().await;
        assert!(matches!(frame, Some(Err(Error::ReadTimeout))));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_may_take_forever_is_waited_for() {
        let reading = Reading::new(Duration::MAX, Duration::MAX, 100);
        let (body, dropped) = stalled();
        let mut body = Guarded::new(body, reading, ());
        let month = Duration::from_secs(30 * 24 * 60 * 60);
        assert!(tokio::time::timeout(month, body.frame()).await.is_err());
        sleep(month).await;
        assert!(!dropped.load(Ordering::Relaxed));
        let watch = body.watch.as_ref().expect("the body is not over");
        assert!(!watch.is_finished(), "it goes on watching");
    }

    /// A body that comes from elsewhere, piece by piece.
    struct Fed(UnboundedReceiver<Bytes>);

    impl http_body::Body for Fed {
        type Data = Bytes;
        type Error = Error;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
            let piece = ready!(self.0.poll_recv(cx));
            Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
        }
    }

    /// Looks whether there is a frame, and does not wait for one.
    async fn look(body: &mut Guarded) -> bool {
        poll_fn(|cx| Poll::Ready(Pin::new(&mut *body).poll_frame(cx).is_ready())).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_was_looked_at_in_vain_is_let_go_once_it_lies_unread() {
        let (feed, fed) = unbounded_channel();
        let held = Arc::new(());
        let mut body = Guarded::new(Fed(fed).boxed_unsync(), READING, held.clone());
        assert!(!look(&mut body).await);
        sleep(Duration::from_secs(5)).await;
        feed.send(Bytes::from("it lies there"))
            .expect("the body is there");
        sleep(READING.idle - Duration::from_secs(1)).await;
        assert_eq!(Arc::strong_count(&held), 2);
        sleep(Duration::from_secs(2)).await;
        assert_eq!(Arc::strong_count(&held), 1, "what was held is free");
        assert!(matches!(body.frame().await, Some(Err(Error::LetGo))));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_is_called_and_comes_gets_what_there_is() {
        let (feed, fed) = unbounded_channel();
        let mut body = Guarded::new(Fed(fed).boxed_unsync(), READING, ());
        for _ in 0..5 {
            let feed = feed.clone();
            tokio::spawn(async move {
                sleep(READING.patience - Duration::from_secs(1)).await;
                feed.send(Bytes::from("a piece"))
            });
            let frame = body.frame().await.expect("it goes on");
            assert!(frame.is_ok(), "{frame:?}");
        }
    }

    #[tokio::test]
    async fn a_body_within_its_size_arrives_whole() {
        let body = Guarded::new(whole_body(vec![0; 100]), READING, ());
        assert_eq!(
            body.collect().await.expect("it is within").to_bytes().len(),
            100
        );
    }

    #[tokio::test]
    async fn a_body_beyond_its_size_fails_once_and_is_over() {
        let mut body = Guarded::new(whole_body(vec![0; 101]), READING, ());
        let frame = body.frame().await;
        assert!(matches!(
            frame,
            Some(Err(Error::BodyTooLarge { size: Some(101) }))
        ));
        assert!(body.frame().await.is_none());
    }

    #[tokio::test]
    async fn an_empty_body_ends_at_once() {
        let mut body = Guarded::new(whole_body(""), READING, ());
        assert!(body.frame().await.is_none());
    }
}
