//! Events: the activities of users, which NinjaOne gives newest first, in pages of those older than an identifier.

use crate::ninjaone::Error;
use crate::ninjaone::wire::{Activity, Id};
use crate::ninjaone::{Api, Elements};

/// A walk from the newest activity back to a bound.
#[derive(Default)]
pub(super) struct ActivityPages {
    /// Narrows to one code.
    status: Option<&'static str>,
    /// Narrows to one user.
    user: Option<Id>,
    open: Option<Elements<Activity>>,
    in_page: bool,
    wanted_in_page: bool,
    ended: bool,
    /// The one taken last.
    last: Option<i64>,
    /// The first one taken.
    newest: Option<i64>,
    /// The newest one that is not wanted.
    bound: Option<i64>,
}

impl ActivityPages {
    /// Goes to a place that [`ActivityPages::place`] told.
    pub(super) fn at([last, newest, bound]: [u64; 3]) -> Self {
        let id = |number: u64| i64::try_from(number).ok().filter(|id| *id > 0);
        ActivityPages {
            last: id(last),
            newest: id(newest),
            bound: id(bound),
            ..ActivityPages::default()
        }
    }

    /// From the newest of this code, and of this user where there is one.
    pub(super) fn narrowed(status: &'static str, user: Option<Id>) -> Self {
        ActivityPages {
            status: Some(status),
            user,
            ..ActivityPages::default()
        }
    }

    /// Asks again for what follows, since the answer that was being read broke off.
    pub(super) fn ask_again(&mut self) {
        (self.open, self.in_page, self.wanted_in_page) = (None, false, false);
    }

    /// The one taken last.
    pub(super) fn last(&self) -> Option<i64> {
        self.last
    }

    /// Where to continue.
    pub(super) fn place(&self) -> [u64; 3] {
        [self.last, self.newest, self.bound].map(number)
    }

    /// How many bytes of the answer that is being read were taken.
    pub(super) fn bytes_read(&self) -> u64 {
        self.open.as_ref().map_or(0, Elements::bytes_read)
    }

    /// Where to begin later, to get what has happened since.
    pub(super) fn place_after_newest(&self) -> [u64; 3] {
        [0, 0, number(self.newest.or(self.bound))]
    }

    /// The next older activity that is newer than the bound, and at or after `since` (in milliseconds); `None` at the end.
    pub(super) fn next(
        &mut self,
        api: &Api,
        since: Option<i64>,
    ) -> Result<Option<(i64, Activity)>, Error> {
        while !self.ended {
            let page = match &mut self.open {
                Some(page) => page,
                None => self
                    .open
                    .insert(api.user_activities(self.last, self.status, self.user)?),
            };
            let Some(activity) = page.try_next()? else {
                // The end is a page without anything, or without anything that is wanted.
                self.ended = !self.in_page || !self.wanted_in_page;
                (self.in_page, self.wanted_in_page, self.open) = (false, false, None);
                continue;
            };
            // A place in the listing has no room for other numbers.
            let id = activity
                .id
                .filter(|id| *id > 0)
                .ok_or_else(|| page.malformed("has no id that is a positive whole number"))?;
            if !self.in_page && self.last == Some(id) {
                // Whether `olderThan` includes the activity that it names is not documented.
                continue;
            }
            if self.last.is_some_and(|last| id >= last) {
                return Err(page.malformed("is not older than the one before"));
            }
            self.last = Some(id);
            self.newest = self.newest.or(self.last);
            self.in_page = true;
            let is_new = self.bound.is_none_or(|bound| id > bound);
            let time = activity.time.map(|time| time.milliseconds);
            if is_new && since.is_none_or(|since| time.is_none_or(|time| time >= since)) {
                self.wanted_in_page = true;
                return Ok(Some((id, activity)));
            }
        }
        Ok(None)
    }
}

fn number(id: Option<i64>) -> u64 {
    id.and_then(|id| u64::try_from(id).ok()).unwrap_or_default()
}
