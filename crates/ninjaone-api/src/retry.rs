//! Whether, and when, something that failed is tried again within a call.
//!
//! Only what does no harm when it is done twice may be tried again, and that is for the caller to know: reads, requests that
//! were certainly not carried out, and changes that a look afterwards showed not to be there. This module knows when it is
//! worth it: after the failures that pass by themselves, a few times for each call, with pauses that grow and differ
//! (exponential backoff with full jitter), no longer than the host waits. What the other side asks to wait is waited for;
//! a wait that does not fit into the call is given back to the host, which has more time than one call.

use std::cell::Cell;

use crate::error::{Error, Kind};
use crate::host::{Host, Level};

/// How often something is tried again in one call, all taken together.
const MOST_REPEATS: u32 = 4;
/// How long one call pauses, all pauses taken together.
const MOST_PAUSE_MILLIS: u64 = 20_000;
/// The longest that the first pause gets by chance. It doubles from one to the next.
const FIRST_PAUSE_MILLIS: u64 = 500;
/// How often a write that was accepted is looked for again in one call. Services of this kind show a change within seconds.
const MOST_LOOKS: u32 = 5;
/// The least that is waited for a token to become valid. It takes other services a few seconds.
const TOKEN_WAIT_MILLIS: u64 = 1_000;
const NANOS_PER_MILLI: u64 = 1_000_000;

/// What one call may still spend on trying again.
pub struct Retries<'a> {
    host: &'a dyn Host,
    repeats_left: Cell<u32>,
    looks_left: Cell<u32>,
    pause_left_millis: Cell<u64>,
    /// When the attempt began that is under way.
    began_at_nanos: Cell<u64>,
    /// How long the longest attempt before it took.
    longest_nanos: Cell<u64>,
    /// Whether failures are shown as they come, but for a token that may become valid.
    shows_failures: bool,
}

impl<'a> Retries<'a> {
    /// The whole budget, for a call that begins now.
    pub fn new(host: &'a dyn Host) -> Self {
        Retries {
            host,
            repeats_left: Cell::new(MOST_REPEATS),
            looks_left: Cell::new(MOST_LOOKS),
            pause_left_millis: Cell::new(MOST_PAUSE_MILLIS),
            began_at_nanos: Cell::new(host.monotonic_nanos()),
            longest_nanos: Cell::new(0),
            shows_failures: false,
        }
    }

    /// No budget, for a call that is to show failures as they come; but a token that was fetched a moment ago is waited for,
    /// since its failure would tell nothing of what was asked.
    pub fn none(host: &'a dyn Host) -> Self {
        Retries {
            shows_failures: true,
            ..Retries::new(host)
        }
    }

    /// Does something that does no harm when it is done twice, until it is done or not worth trying again.
    ///
    /// # Errors
    ///
    /// The last failure.
    pub fn repeating<T>(&self, attempt: impl Fn() -> Result<T, Error>) -> Result<T, Error> {
        loop {
            match attempt() {
                Err(error) => self.pause_after(error)?,
                done => return done,
            }
        }
    }

    /// Pauses until what failed so can be tried again.
    ///
    /// # Errors
    ///
    /// The failure itself, at once, where it is not worth trying again or the pause does not fit into the call.
    pub fn pause_after(&self, error: Error) -> Result<(), Error> {
        let shown = self.shows_failures && !matches!(error.kind(), Kind::NotYetAccepted);
        let Some(asked) = wait_before_repeating(&error).filter(|_| !shown) else {
            return Err(error);
        };
        let Some(repeats_left) = self.repeats_left.get().checked_sub(1) else {
            return Err(error);
        };
        let longest = FIRST_PAUSE_MILLIS << (MOST_REPEATS - 1 - repeats_left);
        let pause = asked.saturating_add(self.host.dice() % (longest + 1));
        let Some(pause_left) = self.pause_left_after(pause) else {
            return Err(error);
        };
        self.repeats_left.set(repeats_left);
        self.host.log(
            Level::Warn,
            "trying again",
            &[
                ("pause-ms", &pause.to_string()),
                ("after", &error.to_string()),
                ("request-id", error.request_id().unwrap_or_default()),
            ],
        );
        self.pause(pause, pause_left);
        Ok(())
    }

    /// Pauses before another look at a change that was accepted and is not shown; false, at once, where there is no time for
    /// one. The pauses double.
    pub fn pause_before_look(&self) -> bool {
        let Some(looks_left) = self.looks_left.get().checked_sub(1) else {
            return false;
        };
        let pause = FIRST_PAUSE_MILLIS << (MOST_LOOKS - 1 - looks_left);
        let Some(pause_left) = self.pause_left_after(pause) else {
            return false;
        };
        self.looks_left.set(looks_left);
        self.host.log(
            Level::Debug,
            "looking again",
            &[("pause-ms", &pause.to_string())],
        );
        self.pause(pause, pause_left);
        true
    }

    /// Notes that a request begins: how long the longest one took is how long another may take.
    pub fn begin_attempt(&self) {
        self.longest_nanos.set(self.attempt_nanos());
        self.began_at_nanos.set(self.host.monotonic_nanos());
    }

    /// How long the longest attempt took so far, with the one under way.
    fn attempt_nanos(&self) -> u64 {
        let this = self.host.monotonic_nanos() - self.began_at_nanos.get();
        this.max(self.longest_nanos.get())
    }

    /// Notes that there is more than there was before the last failure, so that each part of a long way has the repeats of a
    /// whole one. How long a call pauses in all stays as it is.
    pub fn note_progress(&self) {
        self.repeats_left.set(MOST_REPEATS);
    }

    /// What remains of the pauses after one of so many milliseconds; `None` where it does not fit into the call.
    fn pause_left_after(&self, pause: u64) -> Option<u64> {
        // The next attempt may take as long as the longest one, and an answer to the host should come of it.
        let attempt = self.attempt_nanos() / NANOS_PER_MILLI;
        let fits_deadline = self
            .host
            .time_left_millis()
            .is_none_or(|left| pause.saturating_add(attempt) < left);
        let left = self.pause_left_millis.get().checked_sub(pause)?;
        fits_deadline.then_some(left)
    }

    fn pause(&self, millis: u64, left: u64) {
        self.pause_left_millis.set(left);
        self.longest_nanos.set(self.attempt_nanos());
        self.host.pause(millis * NANOS_PER_MILLI);
        self.began_at_nanos.set(self.host.monotonic_nanos());
    }
}

/// How many milliseconds to wait at least before trying again what failed so; `None` where it would fail again.
fn wait_before_repeating(error: &Error) -> Option<u64> {
    match error.kind() {
        Kind::RateLimited(wait) => Some(wait.unwrap_or_default()),
        Kind::Unreachable | Kind::Network | Kind::Timeout(_) | Kind::SettingUnavailable => Some(0),
        Kind::NotYetAccepted => Some(TOKEN_WAIT_MILLIS),
        // 501 is not going to pass: the endpoint does not know the method.
        Kind::Upstream => error
            .status()
            .is_some_and(|status| status >= 500 && status != 501)
            .then_some(0),
        _ => None,
    }
}
