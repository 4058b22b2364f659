//! Ctrl-C, or what a supervisor sends in its place: it ends everything at once but a write, which is given some time to end by itself.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use connector_host::contract::Mode;
use tokio::task::{JoinError, JoinHandle};

use super::failure::Failure;

/// How long a write that is under way may still take: so that what was done is known.
const GRACE: Duration = Duration::from_secs(10);

/// Whether this run has begun to write. It does so once, and then only tells of it.
#[derive(Debug, Default)]
pub struct Writing(AtomicBool);

impl Writing {
    /// From here on it may have written. A plan writes nothing.
    pub fn begin(&self, mode: Mode) {
        self.0.store(mode == Mode::Apply, Ordering::Relaxed);
    }

    pub fn has_begun(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// How a command ended that runs in a task of its own.
type Ended = Result<Result<(), Failure>, JoinError>;

/// Waits for the command. `None` where it was interrupted: at once, or where it was writing, by a second interruption or because it
/// took too long.
pub async fn wait(
    mut command: JoinHandle<Result<(), Failure>>,
    mut interruptions: Interruptions,
    writing: &Writing,
) -> Option<Ended> {
    let ended = interruptions.before(&mut command).await;
    if ended.is_some() || !writing.has_begun() {
        return ended;
    }
    tracing::warn!(
        "finishing the write, for {} seconds at most; Ctrl-C again to cut it off",
        GRACE.as_secs()
    );
    let finished = tokio::time::timeout(GRACE, interruptions.before(&mut command)).await;
    finished.ok().flatten()
}

/// The interruptions of this program, from when it was made on.
#[cfg(unix)]
pub struct Interruptions {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Interruptions {
    pub fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// The interruptions of this program, from when it was made on.
#[cfg(windows)]
pub struct Interruptions(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Interruptions {
    pub fn new() -> io::Result<Self> {
        tokio::signal::windows::ctrl_c().map(Self)
    }

    async fn next(&mut self) {
        self.0.recv().await;
    }
}

impl Interruptions {
    /// How the command ended, unless an interruption comes before.
    async fn before(&mut self, command: &mut JoinHandle<Result<(), Failure>>) -> Option<Ended> {
        tokio::select! {
            ended = command => Some(ended),
            () = self.next() => None,
        }
    }
}
