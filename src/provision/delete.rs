//! Deleting an account.
//!
//! What NinjaOne answers when a system administrator, or the last one, is deleted is not known, and nobody should find out
//! by accident: both are refused here.

use super::one_step;
use super::update::externally_managed;
use crate::contract::{
    self, AccountDeletion, Action, Change, Mode, Outcome, RefusalReason, UnchangedReason,
};
use crate::error::Error;
use crate::find;
use crate::ninjaone::error::Kind;
use crate::ninjaone::host::Level;
use crate::ninjaone::wire::{Id, User, UserType};
use crate::ninjaone::{self, Api};

pub(super) fn delete(api: &Api, deletion: &AccountDeletion, mode: Mode) -> Result<Change, Error> {
    let mut problems = Vec::new();
    let Some(id) = find::parse_id("account", &deletion.account, &mut problems) else {
        return Err(Error::invalid_argument(problems));
    };
    let outcome = match find::user(api, id, &UserType::ALL)? {
        None => Outcome::Unchanged(UnchangedReason::AlreadyGone),
        Some((user_type, user)) => {
            check_allowed(api, id, user_type, &user, deletion.allow_administrator)?;
            match mode {
                Mode::Plan => Outcome::WouldChange,
                Mode::Apply => send(api, id, user_type)?,
            }
        }
    };
    Ok(one_step(Action::DeleteAccount, id, Vec::new(), outcome))
}

fn check_allowed(
    api: &Api,
    id: Id,
    user_type: UserType,
    user: &User,
    allow_administrator: bool,
) -> Result<(), Error> {
    if user.scim_user == Some(true) {
        return Err(externally_managed(id, "removed"));
    }
    // A technician of whom NinjaOne does not say that they are no administrator may be one.
    if user_type != UserType::Technician || user.administrator == Some(false) {
        return Ok(());
    }
    if is_last_administrator(api, id)? {
        let message = format!(
            "the account {id} is the last system administrator who can sign in; make another one first"
        );
        return Err(Error::decided(
            contract::Error::Refused(RefusalReason::LastAdministrator),
            message,
        ));
    }
    if allow_administrator {
        return Ok(());
    }
    let message = format!(
        "the account {id} is a system administrator, or NinjaOne does not say that it is none; \
         delete it with the explicit permission to delete administrators if that is what you want"
    );
    Err(Error::decided(
        contract::Error::Refused(RefusalReason::Administrator),
        message,
    ))
}

/// Whether no other technician is known to be an administrator who can sign in: enabled, and with an invitation that was
/// accepted, where NinjaOne tells of one.
fn is_last_administrator(api: &Api, id: Id) -> Result<bool, ninjaone::Error> {
    api.retries.repeating(|| {
        let mut technicians = api.users(Some(UserType::Technician))?;
        let mut others = false;
        while let Some(user) = technicians.try_next()? {
            others |= user.id.is_some_and(|other| other != id)
                && user.administrator == Some(true)
                && user.enabled == Some(true)
                && user
                    .invitation_status
                    .is_none_or(|status| status == "REGISTERED");
        }
        Ok(!others)
    })
}

/// Sends the deletion, and makes sure of it.
fn send(api: &Api, id: Id, user_type: UserType) -> Result<Outcome, Error> {
    api.host.log(
        Level::Info,
        "deleting an account",
        &[("account", &id.to_string())],
    );
    let mut sent_before = false;
    loop {
        let sent = api.delete_user(user_type, id);
        let may_be_gone = match &sent {
            Ok(()) => true,
            Err(error) => {
                error.leaves_outcome_unknown()
                    || matches!(error.kind(), Kind::NotFound | Kind::Rejected)
            }
        };
        if !may_be_gone {
            return Ok(sent.map(|()| Outcome::Changed)?);
        }
        // What was carried out may show a little later.
        let gone = if sent.is_ok() || sent_before {
            is_gone_at_last(api, id, user_type)
        } else {
            find::is_gone(api, id, user_type)
        };
        match (sent, gone) {
            (Ok(()), Ok(true)) => return Ok(Outcome::Changed),
            (Ok(()), Ok(false)) => return Err(unconfirmed(id)),
            (Err(error), Ok(true)) => {
                return Ok(if sent_before || error.leaves_outcome_unknown() {
                    Outcome::Changed
                } else {
                    // Somebody else was quicker: it was there a moment ago.
                    Outcome::Unchanged(UnchangedReason::AlreadyGone)
                });
            }
            // Still there, so it can be sent again: nobody is deleted twice.
            (Err(error), Ok(false)) => api.retries.pause_after(error)?,
            (Err(error), Err(_)) | (Ok(()), Err(error)) => return Err(error.into()),
        }
        sent_before = true;
    }
}

/// Whether the account is gone, after as many looks as there is time for.
fn is_gone_at_last(api: &Api, id: Id, user_type: UserType) -> Result<bool, ninjaone::Error> {
    loop {
        if find::is_gone(api, id, user_type)? {
            return Ok(true);
        }
        if !api.retries.pause_before_look() {
            return Ok(false);
        }
    }
}

fn unconfirmed(id: Id) -> Error {
    let message = format!(
        "NinjaOne accepted the deletion of the account {id}, but still shows it; look again in a while"
    );
    Error::decided(contract::Error::Unconfirmed, message)
}
