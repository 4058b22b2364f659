//! A listing, page by page, that is whole or fails.

use crate::contract::{Continuation, Counts, ListRequest, Page, Summary};
use crate::{CallError, Connector};

/// The items on the first page where the request does not say.
const FIRST_PAGE: u32 = 100;

/// The pages of a listing, from [`Connector::list_all`].
///
/// Where the request leaves it to the connector how much a page has, the first page is a short one, so that there is something to
/// show soon.
///
/// It has no more than one page in memory. What it has given is the whole only once [`Listing::summary`] is there: a listing
/// that is cut short ends in an error, and the host must not take what is missing from it for removed.
pub struct Listing<'a> {
    connector: &'a mut Connector,
    request: ListRequest,
    /// A listing that starts at a cursor counts from there or from its beginning: the contract leaves that open.
    from_the_start: bool,
    is_first: bool,
    received: Counts,
    summary: Option<Summary>,
}

impl<'a> Listing<'a> {
    pub(crate) fn new(connector: &'a mut Connector, request: ListRequest) -> Self {
        Self {
            connector,
            from_the_start: request.cursor.is_none(),
            is_first: true,
            request,
            received: Counts::default(),
            summary: None,
        }
    }

    /// Gives the next page, or `None` after the last one. After an error it can be called again, and tries the same page again.
    ///
    /// # Errors
    ///
    /// When a page cannot be had; or at the end, when the pages do not add up to what the connector says it gave.
    pub async fn next_page(&mut self) -> Result<Option<Page>, CallError> {
        if self.summary.is_some() {
            return Ok(None);
        }
        let limit = self.request.limit;
        if self.is_first && limit.is_none() {
            self.request.limit = Some(FIRST_PAGE);
        }
        let page = self.connector.list(&self.request).await;
        self.request.limit = limit;
        let page = page?;
        self.is_first = false;
        for item in &page.items {
            self.received.count(item);
        }
        match &page.next {
            Continuation::More(cursor) => {
                if page.items.is_empty() && self.request.cursor.as_ref() == Some(cursor) {
                    return Err(CallError::ListingStuck);
                }
                self.request.cursor = Some(cursor.clone());
            }
            Continuation::Complete(summary) => {
                if self.from_the_start && summary.counts != self.received {
                    return Err(CallError::ListingNotWhole {
                        received: self.received,
                        declared: summary.counts,
                    });
                }
                self.summary = Some(summary.clone());
            }
        }
        Ok(Some(page))
    }

    /// How many items the pages so far had.
    pub fn received(&self) -> Counts {
        self.received
    }

    /// What the connector says of the listing, once it was given to the end.
    pub fn summary(&self) -> Option<&Summary> {
        self.summary.as_ref()
    }
}
