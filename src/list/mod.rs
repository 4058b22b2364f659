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
mod id_set;
mod plan;
mod sorted_map;
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

/// A listing whose answer is still arriving.
pub struct OpenListing {
    /// The cursor that was given for its next page.
    cursor: String,
    walk: Walk,
}

/// One page.
pub(crate) fn page(
    api: &Api,
    open: &RefCell<Option<OpenListing>>,
    request: &ListRequest,
) -> Result<Page, Error> {
    let plan = Plan::new(&api.settings, request)?;
    let mut walk = match &request.cursor {
        None => Walk::default(),
        Some(text) => {
            let cursor = Cursor::parse(text, plan.fingerprint).ok_or_else(not_of_this_request)?;
            match open.take() {
                Some(open) if open.cursor == *text => open.walk,
                _ => api.retries.repeating(|| Walk::resume(api, &plan, cursor))?,
            }
        }
    };
    let mut page = Page {
        items: Vec::new(),
        notices: Vec::new(),
        next: Continuation::More(String::new()),
    };
    let limit = page_size(request.limit);
    let mut bytes_before = walk.bytes_read();
    while page.items.len() < limit {
        let next = match walk.next(api, &plan) {
            Ok(next) => next,
            Err(error) => {
                // What the page has stays as it is: the walk goes on after the last element taken, or not at all.
                api.retries.pause_after(error)?;
                let place = walk.cursor();
                walk = api.retries.repeating(|| Walk::resume(api, &plan, place))?;
                bytes_before = walk.bytes_read();
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
        page.items.extend(found.item);
        page.notices.extend(found.notice);
        if !page.items.is_empty() && walk.bytes_read().saturating_sub(bytes_before) > PAGE_BYTES {
            break;
        }
    }
    let cursor = walk.cursor().to_text(plan.fingerprint);
    *open.borrow_mut() = Some(OpenListing {
        cursor: cursor.clone(),
        walk,
    });
    page.next = Continuation::More(cursor);
    Ok(page)
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
