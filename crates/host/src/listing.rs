//! A listing, page by page, that is whole or fails.

use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::{Duration, Instant};

use crate::contract::{Continuation, Counts, ListRequest, Page, Summary};
use crate::{CallError, Connector};

/// The items on the first page where the request does not say.
const FIRST_PAGE: u32 = 100;

/// How far a listing may go: a connector could invent items for ever, each page of them in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListingBounds {
    /// How many pages. Default: a million.
    pub pages: u64,
    /// How many items. Default: 50 million.
    pub items: u64,
    /// How long the connector may take for all pages together. What the host does between two pages does not count. Default: 12
    /// hours.
    pub time: Duration,
}

impl Default for ListingBounds {
    fn default() -> Self {
        Self {
            pages: 1_000_000,
            items: 50_000_000,
            time: Duration::from_secs(12 * 60 * 60),
        }
    }
}

impl ListingBounds {
    /// With so many pages.
    #[must_use]
    pub fn pages(self, pages: u64) -> Self {
        Self { pages, ..self }
    }

    /// With so many items.
    #[must_use]
    pub fn items(self, items: u64) -> Self {
        Self { items, ..self }
    }

    /// With so much time.
    #[must_use]
    pub fn time(self, time: Duration) -> Self {
        Self { time, ..self }
    }
}

/// Where a listing can be taken up again, in another process too: what to keep beside what was received.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// Where it goes on. It has no secret in it.
    pub cursor: String,
    /// What it gave before that.
    pub received: Counts,
}

/// The pages of a listing, from [`Connector::list_all`] or [`Connector::resume`].
///
/// Where the request leaves it to the connector how much a page has, the first page is a short one, so that there is something to
/// show soon.
///
/// It has no more than one page in memory. What it has given is the whole only once [`Listing::summary`] is there: a listing
/// that is cut short ends in an error, and the host must not take what is missing from it for removed. One that is dropped before
/// its end ends in the connector too, which gives up the answer that it was reading.
pub struct Listing<'a> {
    connector: &'a mut Connector,
    request: ListRequest,
    bounds: ListingBounds,
    /// What was given before this listing began; `None` where it began at a cursor and nobody said.
    before: Option<Counts>,
    received: Counts,
    /// The cursors so far, as their hashes: a connector that gives one twice goes round in a circle.
    cursors: HashSet<u64>,
    hasher: RandomState,
    pages: u64,
    items: u64,
    spent: Duration,
    summary: Option<Summary>,
    failed: Option<Failed>,
}

/// Why a listing cannot become whole any more.
#[derive(Clone, Copy)]
enum Failed {
    Stuck,
    NotWhole { received: Counts, declared: Counts },
}

impl Failed {
    fn error(self) -> CallError {
        match self {
            Self::Stuck => CallError::ListingStuck,
            Self::NotWhole { received, declared } => {
                CallError::ListingNotWhole { received, declared }
            }
        }
    }
}

impl<'a> Listing<'a> {
    pub(crate) fn new(connector: &'a mut Connector, request: ListRequest) -> Self {
        let before = request.cursor.is_none().then(Counts::default);
        let hasher = RandomState::new();
        let begun_at = request.cursor.iter();
        Self {
            cursors: begun_at.map(|cursor| hasher.hash_one(cursor)).collect(),
            hasher,
            connector,
            request,
            bounds: ListingBounds::default(),
            before,
            received: Counts::default(),
            pages: 0,
            items: 0,
            spent: Duration::ZERO,
            summary: None,
            failed: None,
        }
    }

    pub(crate) fn resume(
        connector: &'a mut Connector,
        request: ListRequest,
        checkpoint: Checkpoint,
    ) -> Self {
        let Checkpoint { cursor, received } = checkpoint;
        let request = ListRequest {
            cursor: Some(cursor),
            ..request
        };
        let mut listing = Self::new(connector, request);
        listing.before = Some(received);
        listing
    }

    /// Goes no further than this.
    #[must_use]
    pub fn within(mut self, bounds: ListingBounds) -> Self {
        self.bounds = bounds;
        self
    }

    /// Gives the next page, or `None` after the last one. After an error of a call it can be called again, and tries the same page
    /// again. Once the pages do not add up, or go round in a circle, the listing has failed for good.
    ///
    /// # Errors
    ///
    /// When a page cannot be had; when the listing goes on without end; or at the end, when the pages do not add up to what the
    /// connector says it gave.
    pub async fn next_page(&mut self) -> Result<Option<Page>, CallError> {
        if self.summary.is_some() {
            return Ok(None);
        }
        if let Some(failed) = self.failed {
            return Err(failed.error());
        }
        self.within_bounds()?;
        let begun = Instant::now();
        let page = self.ask().await;
        self.spent += begun.elapsed();
        let page = page?;
        self.pages += 1;
        self.items += page.items.len() as u64;
        page.items.iter().for_each(|item| self.received.count(item));
        match &page.next {
            Continuation::More(cursor) => {
                if !self.cursors.insert(self.hasher.hash_one(cursor)) {
                    return Err(self.fail(Failed::Stuck));
                }
                self.request.cursor = Some(cursor.clone());
            }
            Continuation::Complete(summary) => {
                if let Some(failed) = self.mismatch(summary.counts) {
                    return Err(self.fail(failed));
                }
                self.summary = Some(summary.clone());
            }
        }
        Ok(Some(page))
    }

    /// From here on the listing cannot become whole any more.
    fn fail(&mut self, failed: Failed) -> CallError {
        self.failed = Some(failed);
        failed.error()
    }

    /// How many items the pages so far had.
    pub fn received(&self) -> Counts {
        self.received
    }

    /// Where the listing goes on, to take it up again with [`Connector::resume`] once all pages so far are safe. `None` before the
    /// first page, after the last, where nobody knows what was given before, and where the listing has failed for good.
    pub fn checkpoint(&self) -> Option<Checkpoint> {
        if self.summary.is_some() || self.failed.is_some() {
            return None;
        }
        Some(Checkpoint {
            cursor: self.request.cursor.clone()?,
            received: sum(self.before?, self.received),
        })
    }

    /// What the connector says of the listing, once it was given to the end.
    pub fn summary(&self) -> Option<&Summary> {
        self.summary.as_ref()
    }

    async fn ask(&mut self) -> Result<Page, CallError> {
        let limit = self.request.limit;
        if self.pages == 0 && limit.is_none() {
            self.request.limit = Some(FIRST_PAGE);
        }
        let page = self.connector.list(&self.request).await;
        self.request.limit = limit;
        page
    }

    fn within_bounds(&self) -> Result<(), CallError> {
        let bounds = &self.bounds;
        if self.pages < bounds.pages && self.items < bounds.items && self.spent < bounds.time {
            return Ok(());
        }
        Err(CallError::ListingEndless {
            pages: self.pages,
            received: self.received,
            time: self.spent,
        })
    }

    /// Holds what the connector says that it gave against what arrived.
    fn mismatch(&self, declared: Counts) -> Option<Failed> {
        let arrived = sum(self.before.unwrap_or_default(), self.received);
        // Nobody knows what was given before: it can only have been more than nothing.
        let fits = match self.before {
            Some(_) => arrived == declared,
            None => each(&arrived)
                .iter()
                .zip(each(&declared))
                .all(|(arrived, declared)| *arrived <= declared),
        };
        (!fits).then_some(Failed::NotWhole {
            received: arrived,
            declared,
        })
    }
}

impl Drop for Listing<'_> {
    /// A connector keeps the answer that it is reading for the next page. There will be none.
    fn drop(&mut self) {
        if self.pages > 0 && self.summary.is_none() {
            self.connector.park();
        }
    }
}

fn sum(one: Counts, other: Counts) -> Counts {
    Counts {
        accounts: one.accounts.saturating_add(other.accounts),
        roles: one.roles.saturating_add(other.roles),
        grants: one.grants.saturating_add(other.grants),
        organizations: one.organizations.saturating_add(other.organizations),
        events: one.events.saturating_add(other.events),
    }
}

fn each(counts: &Counts) -> [u64; 5] {
    let Counts {
        accounts,
        roles,
        grants,
        organizations,
        events,
    } = *counts;
    [accounts, roles, grants, organizations, events]
}
