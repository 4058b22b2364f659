//! Instants to come, for times of any length: `Instant + Duration` panics where the sum is too large.

use std::time::Duration;

use tokio::time::Instant;

/// The instant after this time, or one that nobody waits for.
pub(crate) fn after(time: Duration) -> Instant {
    later(Instant::now(), time)
}

/// The instant so long after another, or one that nobody waits for.
pub(crate) fn later(instant: Instant, time: Duration) -> Instant {
    const LONG: Duration = Duration::from_secs(365 * 24 * 60 * 60);
    instant + time.min(LONG)
}
