//! From the name of a host to the addresses that a connection may be made to.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::vec;

use hyper_util::client::legacy::connect::dns::Name;
use tokio::sync::{Semaphore, watch};
use tower_service::Service;

use crate::BoxFuture;
use crate::egress::Rule;

/// How many look-ups of a [`Network`](crate::Network) run at a time. The operating system's takes a thread for as long as it
/// takes, which may be half a minute where the DNS server is silent.
const AT_A_TIME: usize = 2;

/// Looks up the names of hosts. By default the operating system does; a host that has DNS of its own implements it.
///
/// Whatever it answers is held against the rule about addresses (see [`EgressPolicy`](crate::EgressPolicy)), and connections
/// are made to the very addresses that passed.
pub trait Resolve: Send + Sync {
    /// Gives all addresses of a host, in the order in which to try them.
    fn resolve<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>>;
}

/// The operating system's name resolution.
pub(crate) struct System;

impl Resolve for System {
    fn resolve<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((host, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// A name leads to no connection.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum ResolveError {
    /// It could not be resolved. Marked as such, since it looks like any other failure to connect.
    #[error("{0}")]
    Failed(Arc<io::Error>),
    /// It leads to where no connection may be made.
    #[error("the name of the host leads to {0}, which is not allowed")]
    Prohibited(IpAddr),
}

fn failed(kind: io::ErrorKind, reason: &'static str) -> ResolveError {
    ResolveError::Failed(Arc::new(io::Error::new(kind, reason)))
}

/// The look-ups of one [`Network`](crate::Network): few at a time, and one for all who ask for the same name meanwhile.
///
/// A look-up that has begun runs to its end, also when nobody waits for it any more, and takes its place until then: a thread
/// that looks up a name cannot be stopped.
pub(crate) struct Lookups {
    resolver: Arc<dyn Resolve>,
    places: Semaphore,
    under_way: Mutex<HashMap<String, watch::Sender<Option<Outcome>>>>,
}

type Outcome = Result<Vec<IpAddr>, ResolveError>;

impl Lookups {
    pub(crate) fn new(resolver: Arc<dyn Resolve>) -> Self {
        Self {
            resolver,
            places: Semaphore::new(AT_A_TIME),
            under_way: Mutex::default(),
        }
    }

    async fn look_up(self: Arc<Self>, host: &str) -> Outcome {
        let mut outcome = self.join(host);
        match outcome.wait_for(Option::is_some).await {
            Ok(outcome) => outcome.clone().expect("it was waited for"),
            Err(_) => Err(failed(
                io::ErrorKind::Interrupted,
                "the look-up was cut off",
            )),
        }
    }

    /// Begins a look-up, or joins the one that is under way.
    fn join(self: Arc<Self>, host: &str) -> watch::Receiver<Option<Outcome>> {
        let mut under_way = self.under_way();
        if let Some(outcome) = under_way.get(host) {
            return outcome.subscribe();
        }
        let (sender, outcome) = watch::channel(None);
        under_way.insert(host.to_owned(), sender);
        drop(under_way);
        tokio::spawn(run(UnderWay {
            host: host.to_owned(),
            lookups: self,
            has_ended: false,
        }));
        outcome
    }

    /// Nothing in it is left half changed, so a panic elsewhere does not matter.
    fn under_way(&self) -> MutexGuard<'_, HashMap<String, watch::Sender<Option<Outcome>>>> {
        self.under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// A look-up that is under way, until this is dropped.
struct UnderWay {
    lookups: Arc<Lookups>,
    host: String,
    has_ended: bool,
}

impl UnderWay {
    /// Ends it if all who asked have gone, and says whether it has ended.
    fn end_if_unwanted(&mut self) -> bool {
        let mut under_way = self.lookups.under_way();
        let is_wanted = |outcome: &watch::Sender<_>| outcome.receiver_count() > 0;
        if !under_way.get(&self.host).is_some_and(is_wanted) {
            under_way.remove(&self.host);
            self.has_ended = true;
        }
        self.has_ended
    }

    /// Ends it. The next who asks for the name begins another.
    fn end(&mut self) -> Option<watch::Sender<Option<Outcome>>> {
        self.has_ended = true;
        self.lookups.under_way().remove(&self.host)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if !self.has_ended {
            self.end();
        }
    }
}

async fn run(mut this: UnderWay) {
    let lookups = this.lookups.clone();
    let Ok(_place) = lookups.places.acquire().await else {
        return;
    };
    if this.end_if_unwanted() {
        return;
    }
    let found = lookups.resolver.resolve(&this.host).await;
    let outcome = match found {
        Ok(addresses) if addresses.is_empty() => {
            Err(failed(io::ErrorKind::NotFound, "the name has no address"))
        }
        found => found.map_err(|error| ResolveError::Failed(Arc::new(error))),
    };
    if let Some(sender) = this.end() {
        sender.send_replace(Some(outcome));
    }
}

/// Resolves names for what makes connections, and lets through only what may be connected to.
///
/// It is asked once for each connection, which is made to nothing but the addresses it gives.
#[derive(Clone)]
pub(crate) struct Guarded {
    pub(crate) lookups: Arc<Lookups>,
    pub(crate) rule: Rule,
}

impl Service<Name> for Guarded {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = ResolveError;
    type Future = BoxFuture<'static, Result<Self::Response, ResolveError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ResolveError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let Self { lookups, rule } = self.clone();
        Box::pin(async move {
            let host = name.as_str();
            let addresses = lookups.look_up(host).await?;
            // One is enough: a name with an address that is none of a tenant's is not to be trusted with its others.
            if let Some(address) = addresses.iter().find(|&&at| !rule.allows(host, at)) {
                tracing::warn!(host, %address, "denied a connection to an address that a tenant cannot have");
                return Err(ResolveError::Prohibited(*address));
            }
            // The client puts in the port of the URL.
            let sockets = addresses.into_iter().map(|at| SocketAddr::new(at, 0));
            Ok(sockets.collect::<Vec<_>>().into_iter())
        })
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::task::yield_now;

    use super::*;

    const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

    /// Answers each question once it is told to, and counts them.
    struct Slow {
        asked: AtomicUsize,
        answers: Semaphore,
    }

    impl Resolve for Slow {
        fn resolve<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
            Box::pin(async move {
                self.asked.fetch_add(1, Ordering::Relaxed);
                let answer = self.answers.acquire().await.expect("it is never closed");
                answer.forget();
                assert!(host != "panics", "as the test wants");
                Ok(vec![ADDRESS])
            })
        }
    }

    fn slow() -> (Arc<Slow>, Arc<Lookups>) {
        let slow = Arc::new(Slow {
            asked: AtomicUsize::new(0),
            answers: Semaphore::new(0),
        });
        (slow.clone(), Arc::new(Lookups::new(slow)))
    }

    /// Lets everything go on as far as it can.
    async fn settle() {
        for _ in 0..20 {
            yield_now().await;
        }
    }

    fn ask(lookups: &Arc<Lookups>, host: &str) -> tokio::task::JoinHandle<Outcome> {
        let (lookups, host) = (lookups.clone(), host.to_owned());
        tokio::spawn(async move { lookups.look_up(&host).await })
    }

    #[tokio::test]
    async fn equal_names_at_once_share_one_look_up_and_later_ones_have_their_own() {
        let (slow, lookups) = slow();
        let asking = [(); 10].map(|()| ask(&lookups, "tenant.example"));
        settle().await;
        assert_eq!(slow.asked.load(Ordering::Relaxed), 1);
        slow.answers.add_permits(1);
        for asking in asking {
            let found = asking.await.expect("it does not panic");
            assert_eq!(found.expect("it is found"), [ADDRESS]);
        }
        slow.answers.add_permits(1);
        lookups
            .clone()
            .look_up("tenant.example")
            .await
            .expect("it is found");
        assert_eq!(slow.asked.load(Ordering::Relaxed), 2);
        assert!(lookups.under_way().is_empty());
    }

    #[tokio::test]
    async fn two_run_at_a_time_also_when_those_who_asked_have_gone() {
        let (slow, lookups) = slow();
        for name in ["a", "b", "c"] {
            let asking = ask(&lookups, name);
            settle().await;
            asking.abort();
        }
        let last = ask(&lookups, "d");
        settle().await;
        assert_eq!(slow.asked.load(Ordering::Relaxed), 2);
        slow.answers.add_permits(1);
        settle().await;
        // Nobody wants `c` any more, so that `d` has its place.
        assert_eq!(slow.asked.load(Ordering::Relaxed), 3);
        slow.answers.add_permits(2);
        assert!(last.await.expect("it does not panic").is_ok());
        settle().await;
        assert_eq!(slow.asked.load(Ordering::Relaxed), 3);
        assert!(lookups.under_way().is_empty());
    }

    #[tokio::test]
    async fn a_look_up_that_panics_is_a_failure_and_gives_its_place_back() {
        let (slow, lookups) = slow();
        slow.answers.add_permits(9);
        for _ in 0..3 {
            let outcome = lookups.clone().look_up("panics").await;
            assert!(
                matches!(outcome, Err(ResolveError::Failed(_))),
                "{outcome:?}"
            );
        }
        assert!(lookups.clone().look_up("tenant.example").await.is_ok());
    }
}
