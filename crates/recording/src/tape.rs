//! What was recorded and is not written yet.
//!
//! What is promised: it is bounded, each exchange is written as soon as it and all before it are over, and neither a full tape nor
//! a full disk is noticed by whoever sends.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use jiff::Timestamp;
use tokio::runtime::Handle;
use tokio::task::{JoinSet, spawn_blocking};

use crate::breakdown::Breakdown;
use crate::file::Sink;
use crate::recording::{Answer, Exchange, RecordingError};
use crate::writer::{Over, Summary, Writer};

/// How much a recorder keeps in memory.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// How many bytes of one answer. Of one that has more, this is what is recorded. Default: 64 MiB.
    pub answer: usize,
    /// How many bytes of all exchanges that are not written yet. Default: 256 MiB.
    pub all: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            answer: 64 << 20,
            all: 256 << 20,
        }
    }
}

impl Limits {
    /// With as many bytes of one answer.
    #[must_use]
    pub fn answer(self, answer: usize) -> Self {
        Self { answer, ..self }
    }

    /// With as many bytes of all exchanges that are not written yet.
    #[must_use]
    pub fn all(self, all: usize) -> Self {
        Self { all, ..self }
    }
}

/// The exchanges that go on, and those that wait to be written.
pub(crate) struct Tape {
    limits: Limits,
    /// When it was begun, by the clock on the wall and by one that is never set back: the times of exchanges are in their order.
    begun: (Timestamp, Instant),
    state: Mutex<State>,
    /// Locked before `state`, where both are.
    writer: Mutex<Writer>,
    /// What is read that nobody waits for.
    reading_on: Mutex<JoinSet<()>>,
}

#[derive(Default)]
struct State {
    /// How many were begun.
    begun: usize,
    under_way: BTreeMap<usize, Take>,
    over: BTreeMap<usize, Over>,
    /// How many bytes all of them take, those with the writer included.
    held: usize,
    is_closed: bool,
}

/// One exchange, as far as it has come.
struct Take {
    started: Instant,
    /// With a body of its own: that of the request may be counted by somebody for as long as a part of it is held.
    request: Request<Bytes>,
    head: Option<Response<()>>,
    body: Vec<u8>,
    size: usize,
}

impl Tape {
    pub(crate) fn new(sink: Box<dyn Sink>, limits: Limits) -> Self {
        Self {
            limits,
            begun: (Timestamp::now(), Instant::now()),
            state: Mutex::default(),
            writer: Mutex::new(Writer::new(sink)),
            reading_on: Mutex::default(),
        }
    }

    /// Takes this out wherever it is written from now on.
    pub(crate) fn conceal(&self, secret: &str) {
        self.writer().redactor().conceal(secret);
    }

    /// Begins an exchange, once what came before is written.
    pub(crate) async fn begin(self: &Arc<Self>, request: &Request<Bytes>) -> Track {
        let tape = self.clone();
        let learned = copy(request);
        // It fails where the runtime ends, and the request with it.
        let _ = spawn_blocking(move || {
            let mut writer = tape.writer();
            tape.write(&mut writer);
            writer.redactor().learn_request(&learned);
        })
        .await;
        self.begin_now(request)
    }

    fn begin_now(self: &Arc<Self>, request: &Request<Bytes>) -> Track {
        let request = copy(request);
        let size = request.body().len() + size(request.headers());
        let mut state = self.state();
        let index = state.begun;
        let track = Track {
            tape: self.clone(),
            index,
        };
        if state.is_closed {
            return track;
        }
        state.begun += 1;
        let fits = state.held.saturating_add(size) <= self.limits.all;
        let take = Take {
            started: Instant::now(),
            request,
            head: None,
            body: Vec::new(),
            size,
        };
        state.held += size;
        state.under_way.insert(index, take);
        drop(state);
        if !fits {
            self.cut_off(index);
        }
        track
    }

    fn head(self: &Arc<Self>, index: usize, head: Response<()>) {
        let mut state = self.state();
        let Some(take) = state.under_way.get_mut(&index) else {
            return;
        };
        let size = size(head.headers());
        take.head = Some(head);
        take.size += size;
        state.held += size;
    }

    /// Takes in what came of an answer.
    fn hear(self: &Arc<Self>, index: usize, data: &[u8]) {
        let mut state = self.state();
        let free = self.limits.all.saturating_sub(state.held);
        let Some(take) = state.under_way.get_mut(&index) else {
            return;
        };
        let room = free.min(self.limits.answer.saturating_sub(take.body.len()));
        let kept = room.min(data.len());
        take.body.extend_from_slice(&data[..kept]);
        take.size += kept;
        state.held += kept;
        drop(state);
        if kept < data.len() {
            self.cut_off(index);
        }
    }

    fn cut_off(self: &Arc<Self>, index: usize) {
        self.end(index, Some(Breakdown::recording_limit()));
    }

    /// Ends an exchange, and lets it be written beside whatever goes on. What comes of it afterwards is not recorded.
    fn end(self: &Arc<Self>, index: usize, breakdown: Option<Breakdown>) {
        if !self.state().end(index, breakdown, self.begun) {
            return;
        }
        let tape = self.clone();
        // Where there is no runtime, it is written with the next.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn_blocking(move || tape.write(&mut tape.writer()));
        }
    }

    /// Writes what can be written.
    fn write(&self, writer: &mut Writer) {
        let (over, oldest) = {
            let mut state = self.state();
            let oldest = state.under_way.keys().next().copied();
            (std::mem::take(&mut state.over), oldest)
        };
        writer.take(over);
        let freed = writer.write(oldest.unwrap_or(usize::MAX), self.limits.all / 2);
        self.state().held -= freed;
    }

    /// Reads on where nobody does, until [`Tape::finish`] at the latest.
    pub(crate) fn read_on(&self, reading: impl Future<Output = ()> + Send + 'static) {
        // Without a runtime nothing more arrives.
        if let Ok(runtime) = Handle::try_current() {
            let mut all = self.reading_on();
            while all.try_join_next().is_some() {}
            all.spawn_on(reading, &runtime);
        }
    }

    /// Waits for what is still read, ends what still goes on, and ends the recording.
    pub(crate) async fn finish(self: &Arc<Self>) -> Result<Summary, RecordingError> {
        let reading_on = std::mem::take(&mut *self.reading_on());
        reading_on.join_all().await;
        let tape = self.clone();
        spawn_blocking(move || tape.close())
            .await
            .unwrap_or_else(|error| Err(RecordingError::Unwritable(io::Error::other(error))))
    }

    fn close(&self) -> Result<Summary, RecordingError> {
        let mut writer = self.writer();
        {
            let mut state = self.state();
            state.is_closed = true;
            let under_way: Vec<_> = state.under_way.keys().copied().collect();
            for index in under_way {
                state.end(index, Some(Breakdown::given_up()), self.begun);
            }
        }
        self.write(&mut writer);
        writer.finish()
    }

    /// Nothing in it is left half changed, so a panic elsewhere does not matter.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where writing panicked, half an exchange may have been written: the recording is none.
    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(|poisoned| {
            let mut writer = poisoned.into_inner();
            writer.fail(io::Error::other("the recorder panicked"));
            writer
        })
    }

    fn reading_on(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.reading_on
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether it went on until now.
    fn end(
        &mut self,
        index: usize,
        breakdown: Option<Breakdown>,
        begun: (Timestamp, Instant),
    ) -> bool {
        let Some(take) = self.under_way.remove(&index) else {
            return false;
        };
        let over = Over {
            size: take.size,
            exchange: take.exchange(breakdown, begun),
        };
        self.over.insert(index, over);
        true
    }
}

impl Take {
    fn exchange(self, breakdown: Option<Breakdown>, begun: (Timestamp, Instant)) -> Exchange {
        let (wall, clock) = begun;
        let answer = self.head.map(|head| head.map(|()| Bytes::from(self.body)));
        Exchange {
            // No run is as long as that time has no such day.
            started: wall
                .checked_add(self.started.duration_since(clock))
                .unwrap_or(wall),
            took: self.started.elapsed(),
            request: self.request,
            answer: match (answer, breakdown) {
                (Some(answer), None) => Answer::Whole(answer),
                (Some(answer), Some(breakdown)) => Answer::Partial(answer, breakdown),
                (None, breakdown) => Answer::None(breakdown.unwrap_or_else(Breakdown::given_up)),
            },
        }
    }
}

/// One exchange on the tape. Where it is dropped before its end, the exchange was given up.
pub(crate) struct Track {
    tape: Arc<Tape>,
    index: usize,
}

impl Track {
    pub(crate) fn head(&self, head: Response<()>) {
        self.tape.head(self.index, head);
    }

    pub(crate) fn hear(&self, data: &[u8]) {
        self.tape.hear(self.index, data);
    }

    /// There is more of the answer than is recorded.
    pub(crate) fn cut_off(&self) {
        self.tape.cut_off(self.index);
    }

    /// Ends the exchange: as it should, or how it broke off.
    pub(crate) fn end(&self, breakdown: Option<Breakdown>) {
        self.tape.end(self.index, breakdown);
    }

    /// The tape it is on.
    pub(crate) fn tape(&self) -> &Arc<Tape> {
        &self.tape
    }
}

impl Drop for Track {
    fn drop(&mut self) {
        self.end(Some(Breakdown::given_up()));
    }
}

/// A copy that shares no body with the request.
fn copy(request: &Request<Bytes>) -> Request<Bytes> {
    let mut copy = Request::new(Bytes::copy_from_slice(request.body()));
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    copy
}

/// How many bytes a header has.
fn size(headers: &HeaderMap) -> usize {
    let fields = headers.iter();
    fields
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum()
}
