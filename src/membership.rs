//! Grant and revoke: the members of roles.
//!
//! Both look first, change at most one membership, and look again. What NinjaOne answers to adding a member twice or to
//! removing a stranger is not known; since both look first, it does not matter, and where somebody else was quicker the look
//! afterwards tells. So does it where the answer got lost: a change that is not there then is sent again.

use crate::contract::{
    self, Action, Assignment, Change, Mode, Outcome, RefusalReason, ResourceKind, Step, StepStatus,
    UnchangedReason,
};
use crate::convert;
use crate::error::{Error, Kind};
use crate::find;
use crate::host::Level;
use crate::ninjaone::wire::{Id, UserRole, UserType};
use crate::ninjaone::{Api, RoleEvent, RoleEvents};

/// Gives an account a role.
pub(crate) fn grant(api: &Api, assignment: &Assignment, mode: Mode) -> Result<Change, Error> {
    change(api, assignment, mode, Direction::Grant)
}

/// Takes a role from an account.
pub(crate) fn revoke(api: &Api, assignment: &Assignment, mode: Mode) -> Result<Change, Error> {
    change(api, assignment, mode, Direction::Revoke)
}

#[derive(Clone, Copy, PartialEq)]
enum Direction {
    Grant,
    Revoke,
}

fn change(
    api: &Api,
    assignment: &Assignment,
    mode: Mode,
    direction: Direction,
) -> Result<Change, Error> {
    let (account, role) = parse(assignment)?;
    let outcome = set_membership(api, account, role, mode, direction)?;
    let action = match direction {
        Direction::Grant => Action::GrantRole,
        Direction::Revoke => Action::RevokeRole,
    };
    let step = Step {
        action,
        account: Some(account.to_string()),
        role: Some(role.to_string()),
        changes: Vec::new(),
        status: StepStatus::Done(outcome),
    };
    Ok(Change {
        outcome,
        steps: vec![step],
        account: Some(account.to_string()),
    })
}

/// Gives a role to an account that is known to exist and to be of the role's kind.
pub(crate) fn grant_to_known(api: &Api, account: Id, role: Id) -> Result<Outcome, Error> {
    match look(api, role, account)? {
        None => Err(Error::not_found(ResourceKind::Role, role)),
        Some(Membership { holds: true, .. }) => {
            Ok(Outcome::Unchanged(UnchangedReason::AlreadyGranted))
        }
        Some(_) => write(api, account, role, Direction::Grant),
    }
}

fn set_membership(
    api: &Api,
    account: Id,
    role: Id,
    mode: Mode,
    direction: Direction,
) -> Result<Outcome, Error> {
    let membership =
        look(api, role, account)?.ok_or_else(|| Error::not_found(ResourceKind::Role, role))?;
    if membership.holds == direction.wanted() {
        return Ok(Outcome::Unchanged(direction.unchanged()));
    }
    if direction == Direction::Grant {
        check_fit(api, account, &membership.role)?;
    }
    if mode == Mode::Plan {
        return Ok(Outcome::WouldChange);
    }
    write(api, account, role, direction)
}

/// Refuses to give a role to an account that does not exist or is of another kind.
fn check_fit(api: &Api, account: Id, role: &UserRole) -> Result<(), Error> {
    let role_type = role.role_type.as_deref().and_then(UserType::from_api);
    let likely_first = match role_type {
        Some(UserType::EndUser) => [UserType::EndUser, UserType::Technician],
        _ => UserType::ALL,
    };
    let (user_type, _) = find::user(api, account, &likely_first)?
        .ok_or_else(|| Error::not_found(ResourceKind::Account, account))?;
    match role_type {
        Some(role_type) if role_type != user_type => {
            let name = role.name.as_deref().unwrap_or("without a name");
            let name = api.tokens.confidential().said(name);
            let message = format!(
                "the role {name:?} is for accounts of the kind {}, and the account {account} is of the kind {}; choose a role for that kind",
                convert::account_kind(role_type),
                convert::account_kind(user_type),
            );
            Err(Error::decided(
                contract::Error::Refused(RefusalReason::WrongAccountKind),
                message,
            ))
        }
        _ => Ok(()),
    }
}

/// Sends the change, and makes sure of it.
fn write(api: &Api, account: Id, role: Id, direction: Direction) -> Result<Outcome, Error> {
    let name = match direction {
        Direction::Grant => "granting a role",
        Direction::Revoke => "revoking a role",
    };
    api.host.log(
        Level::Info,
        name,
        &[
            ("account", &account.to_string()),
            ("role", &role.to_string()),
        ],
    );
    let mut sent_before = false;
    loop {
        let sent = match direction {
            Direction::Grant => api.add_member(role, account),
            Direction::Revoke => api.remove_member(role, account),
        };
        let shown = sent.and_then(|answer| {
            answer.map_or(Ok(None), |mut events| scan(&mut events, role, account))
        });
        let error = match shown {
            Ok(Some(shown)) if shown.has_members && shown.holds == direction.wanted() => {
                return Ok(Outcome::Changed);
            }
            // No body, or one that does not show the change: the list of roles decides.
            Ok(_) => {
                return match look(api, role, account)? {
                    Some(now) if now.holds == direction.wanted() => Ok(Outcome::Changed),
                    _ => Err(unconfirmed(account, role, direction)),
                };
            }
            Err(error) => error,
        };
        let refused = matches!(error.kind(), Kind::Rejected | Kind::NotFound);
        if !refused && !error.leaves_outcome_unknown() {
            return Err(error);
        }
        // It may have been carried out all the same, or have been unnecessary.
        match look(api, role, account) {
            Ok(Some(now)) if now.holds == direction.wanted() => {
                return Ok(if refused && !sent_before {
                    Outcome::Unchanged(direction.unchanged())
                } else {
                    Outcome::Changed
                });
            }
            // Not there, so it can be sent again: the members are a set.
            Ok(Some(_)) => api.retries.pause_after(error)?,
            _ => return Err(error),
        }
        sent_before = true;
    }
}

impl Direction {
    /// Whether the account is to hold the role afterwards.
    fn wanted(self) -> bool {
        self == Direction::Grant
    }

    fn unchanged(self) -> UnchangedReason {
        match self {
            Direction::Grant => UnchangedReason::AlreadyGranted,
            Direction::Revoke => UnchangedReason::NotGranted,
        }
    }
}

/// A role, and whether an account holds it.
struct Membership {
    role: UserRole,
    /// Whether the role came with a list of its members at all.
    has_members: bool,
    holds: bool,
}

/// Looks the role up in the list of all roles, since NinjaOne has no way to ask for one; `None` where it is not there.
fn look(api: &Api, role: Id, account: Id) -> Result<Option<Membership>, Error> {
    api.retries.repeating(|| {
        let mut events = api.roles(None)?;
        match scan(&mut events, role, account)? {
            Some(found) if !found.has_members => Err(events.without_members(role)),
            found => Ok(found),
        }
    })
}

/// Reads to the end, so that an answer that breaks off is an error and not "does not hold it".
fn scan(events: &mut RoleEvents, role: Id, account: Id) -> Result<Option<Membership>, Error> {
    let mut holds = false;
    let mut found = None;
    while let Some(event) = events.try_next()? {
        match event {
            RoleEvent::Member(of, member) => holds |= of == role && member.id == Some(account),
            RoleEvent::Role {
                id,
                role: fields,
                members,
            } if id == role => found = Some((fields, members.is_some())),
            RoleEvent::Role { .. } => {}
        }
    }
    Ok(found.map(|(role, has_members)| Membership {
        role,
        has_members,
        holds,
    }))
}

fn parse(assignment: &Assignment) -> Result<(Id, Id), Error> {
    let mut problems = Vec::new();
    let account = find::parse_id("account", &assignment.account, &mut problems);
    let role = find::parse_id("role", &assignment.role, &mut problems);
    match (account, role) {
        (Some(account), Some(role)) => Ok((account, role)),
        _ => Err(Error::invalid_argument(problems)),
    }
}

fn unconfirmed(account: Id, role: Id, direction: Direction) -> Error {
    let shows = match direction {
        Direction::Grant => "does not list",
        Direction::Revoke => "still lists",
    };
    let message = format!(
        "NinjaOne accepted the change, but {shows} the account {account} among the members of the role {role}; \
         look again in a while, and report it to NinjaOne if it stays so"
    );
    Error::decided(contract::Error::Unconfirmed, message)
}
