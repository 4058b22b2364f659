//! Listing: one page after the other, from answers that are still arriving.
//!
//! NinjaOne sends all users in one answer, and all roles with all members in another. A listing walks through the answers it
//! needs, one element at a time, and stops where a page is full; the open answer waits in the instance for the next call.
//! A fresh instance asks again, passes over what was given, and compares a digest of it, so that a cursor never skips an
//! item or gives one twice: see [`cursor`]. An answer that breaks off is asked for again in the same way.
//!
//! `plan` decides which answers to read, `walk` goes through them.

pub mod cursor;
mod events;
pub(crate) mod id_set;
mod plan;
mod sign_ins;
mod walk;

use std::cell::RefCell;

use self::cursor::Cursor;
use self::plan::Plan;
use self::walk::Walk;
use crate::contract::{self, Continuation, ListRequest, Page, Summary};
use crate::error::Error;
use crate::ninjaone::Api;

/// The most items on a page.
pub const LARGEST_PAGE: u32 = 5_000;
/// The items on a page where the host does not say.
const USUAL_PAGE: u32 = 1_000;
/// A page that has items ends once it took this many bytes of an answer, so that large items do not add up.
const PAGE_BYTES: u64 = 1024 * 1024;
/// A page without any, as a filter makes one, ends after this many: a fresh instance has to read them again for the next page.
const EMPTY_PAGE_BYTES: u64 = 8 * 1024 * 1024;
/// How many elements are taken between two looks at the time that is left: to ask the host costs more than an element.
const ELEMENTS_BETWEEN_LOOKS: u32 = 256;
/// How many listings stay open. Each has a connection, and what it remembers of the accounts it gave.
const MOST_OPEN: usize = 4;

/// The listings of an instance whose answers are still arriving, oldest first, at most one for each request.
#[derive(Default)]
pub struct OpenListings(RefCell<Vec<OpenListing>>);

struct OpenListing {
    /// Names its request.
    fingerprint: u64,
    /// The cursor that was given for its next page.
    cursor: String,
    walk: Walk,
}

impl OpenListings {
    /// Takes the walk out that goes on at this cursor.
    fn take(&self, cursor: &str) -> Option<Walk> {
        let mut open = self.0.borrow_mut();
        let place = open.iter().position(|open| open.cursor == cursor)?;
        Some(open.remove(place).walk)
    }

    /// Keeps a listing open; the one of the same request that was open, and the oldest where there are many, ends.
    fn keep(&self, listing: OpenListing) {
        let mut open = self.0.borrow_mut();
        open.retain(|open| open.fingerprint != listing.fingerprint);
        if open.len() == MOST_OPEN {
            open.remove(0);
        }
        open.push(listing);
    }
}

/// One page.
pub(crate) fn page(api: &Api, open: &OpenListings, request: &ListRequest) -> Result<Page, Error> {
    let plan = Plan::new(&api.settings, request)?;
    let room = Room::new(api, request.limit);
    let mut walk = match &request.cursor {
        None => Walk::default(),
        Some(text) => {
            let cursor = Cursor::parse(text, plan.fingerprint).ok_or_else(not_of_this_request)?;
            match open.take(text) {
                Some(walk) => walk,
                None => resume(api, &plan, cursor)?,
            }
        }
    };
    let mut page = Page {
        items: Vec::new(),
        notices: Vec::new(),
        next: Continuation::More(String::new()),
    };
    let mut bytes = Bytes::from(&walk);
    let mut elements = 0;
    while !room.is_full(api, &page, bytes.taken, elements) {
        let next = match walk.next(api, &plan) {
            Ok(next) => next,
            Err(error) => {
                // What the page has stays as it is: the walk goes on after the last element taken, or not at all.
                api.retries.pause_after(error)?;
                let place = walk.cursor();
                walk = resume(api, &plan, place)?;
                bytes.read = walk.bytes_read();
                continue;
            }
        };
        let Some(found) = next else {
            page.next = Continuation::Complete(Summary {
                counts: walk.counts(),
                resume: walk.resume_cursor(&plan),
            });
            return Ok(page);
        };
        api.retries.note_progress();
        page.items.extend(found.item);
        page.notices.extend(found.notice);
        bytes.note(&walk);
        elements += 1;
    }
    let cursor = walk.cursor().to_text(plan.fingerprint);
    open.keep(OpenListing {
        fingerprint: plan.fingerprint,
        cursor: cursor.clone(),
        walk,
    });
    page.next = Continuation::More(cursor);
    Ok(page)
}

fn resume(api: &Api, plan: &Plan, cursor: Cursor) -> Result<Walk, Error> {
    let walk = api.retries.repeating(|| Walk::resume(api, plan, cursor))?;
    walk.ok_or_else(|| {
        Error::decided(
            contract::Error::InvalidCursor,
            "what NinjaOne sends before this place has changed, so the listing cannot go on exactly here; start it anew without a cursor",
        )
    })
}

/// How many bytes of answers a page has taken, of however many answers.
struct Bytes {
    /// Of the answer that is being read, at the last look.
    read: u64,
    taken: u64,
}

impl Bytes {
    fn from(walk: &Walk) -> Self {
        Bytes {
            read: walk.bytes_read(),
            taken: 0,
        }
    }

    fn note(&mut self, walk: &Walk) {
        let read = walk.bytes_read();
        // Fewer than at the last look: another answer has begun.
        self.taken += read.checked_sub(self.read).unwrap_or(read);
        self.read = read;
    }
}

/// How much a page may take.
struct Room {
    items: usize,
    /// How many milliseconds have to be left at its end, where the host says how long it waits: half of what there was, so that
    /// what comes next, however slow, does not outlast the call.
    time: Option<u64>,
}

impl Room {
    fn new(api: &Api, limit: Option<u32>) -> Self {
        Room {
            items: page_size(limit),
            time: api.host.time_left_millis().map(|left| left / 2),
        }
    }

    /// Whether the page has to end here. It takes at least one element, so that a listing gets on.
    fn is_full(&self, api: &Api, page: &Page, bytes: u64, elements: u32) -> bool {
        let most_bytes = match page.items.is_empty() {
            true => EMPTY_PAGE_BYTES,
            false => PAGE_BYTES,
        };
        let is_late = || match (self.time, api.host.time_left_millis()) {
            (Some(least), Some(left)) => left < least,
            _ => false,
        };
        let looks = elements > 0 && elements.is_multiple_of(ELEMENTS_BETWEEN_LOOKS);
        page.items.len() >= self.items || bytes > most_bytes || (looks && is_late())
    }
}

fn page_size(limit: Option<u32>) -> usize {
    let size = limit
        .filter(|limit| *limit > 0)
        .unwrap_or(USUAL_PAGE)
        .min(LARGEST_PAGE);
    usize::try_from(size).unwrap_or(usize::MAX)
}

fn not_of_this_request() -> Error {
    Error::decided(
        contract::Error::InvalidCursor,
        "this cursor is not of this request with these settings; start the listing anew without a cursor",
    )
}
