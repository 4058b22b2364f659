//! The connections of a tenant that are free, or that have room for one more request.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;
use tokio::time::{Instant, sleep};

use super::connection::{Connection, Http1};
use crate::Addresses;
use crate::egress::Origin;

/// How long a connection may lie idle. Less than the 60 seconds after which load balancers commonly close one without a word.
const IDLE: Duration = Duration::from_secs(50);

/// How many HTTP/1.1 connections may lie idle.
const MOST_IDLE: usize = 8;

/// Where a connection leads, and by which rule its address was checked: one that was made under a laxer rule is not for a request
/// under a stricter one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Target {
    pub(super) origin: Origin,
    pub(super) addresses: Addresses,
}

#[derive(Default)]
pub(super) struct Pool {
    kept: Mutex<Kept>,
    freed: Notify,
}

#[derive(Default)]
struct Kept {
    connections: HashMap<Target, Vec<Idle>>,
    /// Whether somebody closes what is idle for too long.
    is_watched: bool,
}

struct Idle {
    connection: Connection,
    since: Instant,
}

impl Idle {
    fn is_of_use(&self) -> bool {
        !self.connection.is_closed() && (self.since.elapsed() < IDLE || self.connection.is_busy())
    }
}

impl Pool {
    /// A connection that is free or has room. The one that was used last, which is the least likely to be dead.
    pub(super) fn take(&self, target: &Target) -> Option<Connection> {
        let mut kept = self.kept();
        let idle = kept.connections.get_mut(target)?;
        idle.retain(Idle::is_of_use);
        let at = idle.iter().rposition(|idle| idle.connection.has_room())?;
        if let Some(shared) = idle[at].connection.shared() {
            idle[at].since = Instant::now();
            return Some(shared);
        }
        Some(idle.remove(at).connection)
    }

    /// Lets other requests use this connection too, if it is one that several can use at once, and there is none of that kind.
    pub(super) fn share(self: &Arc<Self>, target: &Target, connection: &Connection) {
        let Some(shared) = connection.shared() else {
            return;
        };
        let mut kept = self.kept();
        let idle = kept.connections.entry(target.clone()).or_default();
        idle.retain(Idle::is_of_use);
        if !idle.iter().any(|idle| idle.connection.has_room()) {
            self.keep(kept, target, shared);
        }
    }

    fn give_back(self: &Arc<Self>, target: &Target, connection: Http1, is_spare: bool) {
        let mut kept = self.kept();
        let idle = kept.connections.entry(target.clone()).or_default();
        idle.retain(Idle::is_of_use);
        // A spare one had to be new. Kept beside others it would be one more after each such request.
        let is_wanted = if is_spare {
            idle.is_empty()
        } else {
            idle.len() < MOST_IDLE
        };
        if is_wanted {
            self.keep(kept, target, Connection::Http1(connection.used()));
        }
    }

    fn keep(
        self: &Arc<Self>,
        mut kept: MutexGuard<'_, Kept>,
        target: &Target,
        connection: Connection,
    ) {
        let idle = Idle {
            connection,
            since: Instant::now(),
        };
        kept.connections
            .entry(target.clone())
            .or_default()
            .push(idle);
        if !std::mem::replace(&mut kept.is_watched, true) {
            tokio::spawn(close_idle(Arc::downgrade(self)));
        }
        drop(kept);
        self.freed.notify_waiters();
    }

    /// Until there is a connection that may be free.
    pub(super) fn freed(&self) -> Notified<'_> {
        self.freed.notified()
    }

    /// Nothing in it is left half changed, so a panic elsewhere does not matter.
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes what is idle for too long, and says whether anything is left.
    fn close_idle(&self) -> bool {
        let mut kept = self.kept();
        kept.connections.retain(|_, idle| {
            idle.retain(Idle::is_of_use);
            !idle.is_empty()
        });
        kept.is_watched = !kept.connections.is_empty();
        kept.is_watched
    }
}

/// Closes connections that are idle, also where no request comes any more that would look at them.
async fn close_idle(pool: Weak<Pool>) {
    loop {
        sleep(IDLE / 5).await;
        let Some(pool) = pool.upgrade() else {
            return;
        };
        if !pool.close_idle() {
            return;
        }
    }
}

/// The connection that an answer comes over, for as long as it comes.
pub(super) struct Lease {
    pool: Arc<Pool>,
    target: Target,
    connection: Option<Connection>,
    is_spare: bool,
}

impl Lease {
    /// `is_spare`: made for a request that may not be repeated, so that there may be others that lie idle.
    pub(super) fn new(
        pool: Arc<Pool>,
        target: Target,
        connection: Connection,
        is_spare: bool,
    ) -> Self {
        Self {
            pool,
            target,
            connection: Some(connection),
            is_spare,
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // One that others share needs no giving back.
        let Some(Connection::Http1(mut connection)) = self.connection.take() else {
            return;
        };
        // A body may be dropped where no runtime is any more, and so no connection.
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        if connection.is_ready() {
            self.pool.give_back(&self.target, connection, self.is_spare);
            return;
        }
        let (pool, target) = (Arc::downgrade(&self.pool), self.target.clone());
        let is_spare = self.is_spare;
        runtime.spawn(async move {
            if connection.ready().await.is_ok()
                && let Some(pool) = pool.upgrade()
            {
                pool.give_back(&target, connection, is_spare);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, DuplexStream, duplex};
    use tokio::time::advance;

    use super::*;

    fn target() -> Target {
        let uri = "https://tenant.example/".parse().expect("it is a URI");
        Target {
            origin: Origin::of(&uri).expect("it is an origin"),
            addresses: Addresses::Development,
        }
    }

    /// Lays a connection into a pool, and gives its other end.
    async fn idle(pool: &Arc<Pool>) -> DuplexStream {
        let (here, there) = duplex(1024);
        let connection = Connection::http1(here).await.expect("it is a stream");
        let Connection::Http1(mut connection) = connection else {
            unreachable!("it was made as such");
        };
        connection.ready().await.expect("it is new");
        pool.give_back(&target(), connection, false);
        there
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_lies_idle_is_closed_before_load_balancers_do() {
        let pool = Arc::new(Pool::default());
        let mut there = idle(&pool).await;
        advance(IDLE - Duration::from_secs(1)).await;
        assert!(pool.take(&target()).is_some_and(|taken| !taken.is_closed()));

        let mut there_too = idle(&pool).await;
        for other in [&mut there, &mut there_too] {
            // Time goes on by itself while this waits.
            let start = Instant::now();
            let end = other.read(&mut [0]).await.expect("it is closed well");
            assert_eq!(end, 0);
            assert!(start.elapsed() < Duration::from_secs(60));
        }
        assert!(pool.take(&target()).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_the_other_side_closed_is_not_taken() {
        let pool = Arc::new(Pool::default());
        drop(idle(&pool).await);
        let there = idle(&pool).await;
        tokio::task::yield_now().await;
        assert!(pool.take(&target()).is_some());
        assert!(pool.take(&target()).is_none());
        drop(there);
    }

    #[tokio::test(start_paused = true)]
    async fn a_spare_connection_is_kept_only_where_none_is_idle() {
        let pool = Arc::new(Pool::default());
        let mut others = Vec::new();
        for _ in 0..2 {
            let (here, there) = duplex(1024);
            others.push(there);
            let connection = Connection::http1(here).await.expect("it is a stream");
            drop(Lease::new(pool.clone(), target(), connection, true));
            // It may have to become ready first.
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
        }
        assert!(pool.take(&target()).is_some());
        assert!(pool.take(&target()).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_for_one_target() {
        let pool = Arc::new(Pool::default());
        let _there = idle(&pool).await;
        let strict = Target {
            addresses: Addresses::Global,
            ..target()
        };
        let mut other = target();
        other.origin.port = 8443;
        for another in [strict, other] {
            assert!(pool.take(&another).is_none());
        }
        assert!(pool.take(&target()).is_some());
    }
}
