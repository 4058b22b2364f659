//! When users signed in last: a stage of a listing that gives no items, before that of the accounts that get it.
//!
//! NinjaOne tells it only by its activities, which may be as many as all sign-ins of a year. So the pages of this stage are
//! empty, each with a cursor, and one account does not take the sign-ins of all others.

use std::collections::BTreeMap;

use super::events::ActivityPages;
use crate::ninjaone::Api;
use crate::ninjaone::Error;
use crate::ninjaone::host::Level;
use crate::ninjaone::wire::{Activity, Id};

/// The codes of sign-ins, of technicians and of end users, by which NinjaOne was seen to filter.
const CODES: [&str; 2] = ["APP_USER_LOGGED_IN", "END_USER_LOGGED_IN"];

/// When each user signed in last, in milliseconds since 1970, as far as it was read.
#[derive(Default)]
pub(super) struct SignIns(BTreeMap<Id, i64>);

impl SignIns {
    /// The last sign-in of a user.
    pub(super) fn last(&self, user: Id) -> Option<i64> {
        self.0.get(&user).copied()
    }

    pub(super) fn add(&mut self, SignIn { user, time }: SignIn) {
        let last = self.0.entry(user).or_insert(time);
        *last = time.max(*last);
    }
}

/// Somebody signed in.
#[derive(Clone, Copy)]
pub(super) struct SignIn {
    user: Id,
    /// In milliseconds since 1970.
    time: i64,
}

/// A walk through all sign-ins, newest first, one code after the other.
pub(super) struct SignInPages {
    code: usize,
    pages: ActivityPages,
    /// The only user whose sign-ins matter.
    user: Option<Id>,
    /// Whether it was told that a sign-in has odd values.
    told_odd: bool,
}

impl SignInPages {
    /// From the newest, of one user or of all.
    pub(super) fn new(user: Option<Id>) -> Self {
        SignInPages {
            code: 0,
            pages: ActivityPages::narrowed(CODES[0], user),
            user,
            told_odd: false,
        }
    }

    /// How many bytes of the answer that is being read were taken.
    pub(super) fn bytes_read(&self) -> u64 {
        self.pages.bytes_read()
    }

    /// Where to continue. In another instance everything before it has to be read again.
    pub(super) fn place(&self) -> [u64; 3] {
        [self.code as u64, self.pages.place()[0], 0]
    }

    /// Whether this is a place at or after that one.
    pub(super) fn has_reached(&self, [code, last, _]: [u64; 3]) -> bool {
        let here = self.pages.last().and_then(|last| u64::try_from(last).ok());
        self.code as u64 > code
            || (self.code as u64 == code && (last == 0 || here.is_some_and(|here| here <= last)))
    }

    /// The next activity: a sign-in, or something else where NinjaOne does not heed what was asked for; `None` at the end. What
    /// breaks off is asked for again from there on.
    pub(super) fn next(&mut self, api: &Api) -> Result<Option<Option<SignIn>>, Error> {
        while let Some(code) = CODES.get(self.code) {
            let activity = match self.pages.next(api, None) {
                Ok(activity) => activity,
                Err(error) => {
                    api.retries.pause_after(error)?;
                    self.pages.ask_again();
                    continue;
                }
            };
            let Some((_, activity)) = activity else {
                self.next_code();
                continue;
            };
            let found = sign_in(&activity, code);
            if !activity.rest.odd.is_empty() && !self.told_odd {
                self.told_odd = true;
                let message = "a sign-in has a field of another type than expected, so it may not count; more such are not told";
                let field = activity.rest.odd.join(" and ");
                api.host.log(Level::Warn, message, &[("field", &field)]);
            }
            if self.user.is_some() && found.map(|found| found.user) == self.user {
                // The newest comes first, and no other matters.
                self.next_code();
            }
            return Ok(Some(found));
        }
        Ok(None)
    }

    fn next_code(&mut self) {
        self.code += 1;
        if let Some(code) = CODES.get(self.code) {
            self.pages = ActivityPages::narrowed(code, self.user);
        }
    }
}

fn sign_in(activity: &Activity, code: &str) -> Option<SignIn> {
    if activity.status_code.as_deref() != Some(code) {
        return None;
    }
    Some(SignIn {
        user: activity.user_id?,
        time: activity.time?.milliseconds,
    })
}
