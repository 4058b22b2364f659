//! Ctrl-C, or what a supervisor sends in its place: it ends everything at once but a write, which is given some time to end by itself.

use std::io;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use connector_host::contract::Mode;
use tokio::task::{JoinError, JoinHandle};

use super::failure::{Failure, NOTHING_CHANGED};

/// How long a write that is under way may still take: so that what was done is known.
const GRACE: Duration = Duration::from_secs(10);

/// How long a command that was cut off may take to stop. It does so where it next waits, and one that computes need not wait soon.
const STOP: Duration = Duration::from_secs(1);

/// Nothing was written yet.
const NONE: u8 = 0;
/// Something may have been written.
const BEGUN: u8 = 1;
/// Nothing was written, and nothing will be.
const ENDED: u8 = 2;

/// Whether this run has begun to write, or was ended before: the first of the two holds, so that what is said of it is true.
#[derive(Debug, Default)]
pub struct Writing(AtomicU8);

impl Writing {
    /// From here on it may have written. A plan writes nothing.
    ///
    /// Fails where the run was interrupted before: then it must not write any more.
    pub fn begin(&self, mode: Mode) -> Result<(), Failure> {
        if mode == Mode::Apply && self.leave_none_for(BEGUN) == ENDED {
            return Err(Failure::Interrupted(NOTHING_CHANGED));
        }
        Ok(())
    }

    /// Sees to it that this run does not begin to write any more, and says whether it is so: not where it has begun.
    fn end(&self) -> bool {
        self.leave_none_for(ENDED) == ENDED
    }

    pub fn has_begun(&self) -> bool {
        self.0.load(Ordering::SeqCst) == BEGUN
    }

    /// Gives what holds from now on.
    fn leave_none_for(&self, next: u8) -> u8 {
        let left = self
            .0
            .compare_exchange(NONE, next, Ordering::SeqCst, Ordering::SeqCst);
        left.map_or_else(|there| there, |_| next)
    }
}

/// How a command ended that runs in a task of its own.
type Ended = Result<Result<(), Failure>, JoinError>;

/// Waits for the command. `None` where it was interrupted: at once, or where it was writing, by a second interruption or because it
/// took too long. It is stopped then: it neither writes nor sends anything more.
pub async fn wait(
    mut command: JoinHandle<Result<(), Failure>>,
    mut interruptions: Interruptions,
    writing: &Writing,
) -> Option<Ended> {
    let ended = interruptions.before(&mut command).await;
    if ended.is_some() {
        return ended;
    }
    if writing.end() {
        return stop(command).await;
    }
    tracing::warn!(
        "finishing the write, for {} seconds at most; Ctrl-C again to cut it off",
        GRACE.as_secs()
    );
    let finished = tokio::time::timeout(GRACE, interruptions.before(&mut command)).await;
    match finished {
        Ok(Some(ended)) => Some(ended),
        Ok(None) | Err(_) => stop(command).await,
    }
}

/// Stops the command, unless it has just ended by itself.
async fn stop(command: JoinHandle<Result<(), Failure>>) -> Option<Ended> {
    command.abort();
    let ended = tokio::time::timeout(STOP, command).await.ok()?;
    match ended {
        Err(error) if error.is_cancelled() => None,
        ended => Some(ended),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_was_ended_does_not_begin_to_write() {
        let writing = Writing::default();
        assert!(writing.end());
        let begun = writing.begin(Mode::Apply);
        assert!(matches!(begun, Err(Failure::Interrupted(_))), "{begun:?}");
        assert!(!writing.has_begun());
    }

    #[test]
    fn a_run_that_has_begun_to_write_is_not_ended_as_if_it_had_not() {
        let writing = Writing::default();
        writing.begin(Mode::Plan).expect("nothing has ended it");
        assert!(!writing.has_begun(), "a plan writes nothing");
        writing.begin(Mode::Apply).expect("nothing has ended it");
        assert!(!writing.end());
        assert!(writing.has_begun());
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_command_that_is_interrupted_has_stopped_when_that_is_told() {
        let interruptions = Interruptions::new().expect("signals can be listened for");
        let held = std::sync::Arc::new(());
        let of_command = held.clone();
        let command = tokio::spawn(async move {
            let _held = of_command;
            std::future::pending().await
        });
        tokio::task::yield_now().await;
        rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::INT)
            .expect("it is this process, which listens for it");
        let writing = Writing::default();
        assert!(wait(command, interruptions, &writing).await.is_none());
        assert_eq!(std::sync::Arc::strong_count(&held), 1);
        assert!(writing.begin(Mode::Apply).is_err());
    }
}
