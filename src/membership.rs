//! Grant and revoke: the members of roles.
//!
//! Both look first, change at most one membership, and look again, until the change shows or time runs out. What NinjaOne
//! answers to adding a member twice or to removing a stranger is not known; since both look first, it does not matter, and where
//! somebody else was quicker the look afterwards tells. It tells as well where the answer got lost: a change that is not there
//! then is sent again. And it tells where other members are gone, whom nobody asked to remove.

use crate::contract::{
    self, Action, Assignment, Change, ErrorKind, FieldChange, Mode, Outcome, Reason, RefusalReason,
    ResourceKind, Step, StepStatus, UnchangedReason, Value,
};
use crate::convert;
use crate::error::Error;
use crate::find;
use crate::list::id_set::IdSet;
use crate::ninjaone::error::Kind;
use crate::ninjaone::host::Level;
use crate::ninjaone::wire::{Id, RoleMember, UserRole, UserType};
use crate::ninjaone::{self, Api, RoleEvent, RoleEvents};

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
    let written = set_membership(api, account, role, mode, direction)?;
    let steps = written.into_steps(api, account, role, direction);
    Ok(Change {
        outcome: outcome_of(&steps),
        steps,
        account: Some(account.to_string()),
    })
}

/// Of a write whose last step says what went wrong, if anything did.
pub(crate) fn outcome_of(steps: &[Step]) -> Outcome {
    match (steps.first(), steps.last()) {
        (_, Some(last)) if matches!(last.status, StepStatus::Failed(_)) => Outcome::Partial,
        (Some(first), _) => match first.status {
            StepStatus::Done(outcome) => outcome,
            _ => Outcome::Partial,
        },
        (None, _) => Outcome::Partial,
    }
}

/// Gives a role to an account that is new, exists, and is of the role's kind. `members_before` is how many held it a moment
/// ago, where that is known.
pub(crate) fn grant_to_new(
    api: &Api,
    account: Id,
    role: Id,
    members_before: Option<u64>,
) -> Result<Vec<Step>, Error> {
    let expected = Expected {
        direction: Direction::Grant,
        members_before,
    };
    let written = write(api, account, role, &expected)?;
    Ok(written.into_steps(api, account, role, Direction::Grant))
}

/// What came of a write.
struct Written {
    outcome: Outcome,
    /// How many members there were and are, where some are gone whom nobody asked to remove.
    lost: Option<(u64, u64)>,
}

impl Written {
    fn nothing_lost(outcome: Outcome) -> Self {
        Written {
            outcome,
            lost: None,
        }
    }

    fn into_steps(self, api: &Api, account: Id, role: Id, direction: Direction) -> Vec<Step> {
        let mut steps = vec![Step {
            action: match direction {
                Direction::Grant => Action::GrantRole,
                Direction::Revoke => Action::RevokeRole,
            },
            account: Some(account.to_string()),
            role: Some(role.to_string()),
            changes: Vec::new(),
            status: StepStatus::Done(self.outcome),
        }];
        if let Some((before, after)) = self.lost {
            let number =
                |members: u64| Some(Value::Integer(i64::try_from(members).unwrap_or(i64::MAX)));
            let message = format!(
                "the role {role} had {before} members, and has {after} now: NinjaOne removed more than was asked for, or somebody \
                 else did at the same moment; compare the members with an earlier listing, and grant the role again to those who should hold it"
            );
            api.host.log(Level::Error, &message, &[]);
            steps.push(Step {
                action: Action::RevokeRole,
                account: None,
                role: Some(role.to_string()),
                changes: vec![FieldChange {
                    field: "members".to_string(),
                    before: number(before),
                    after: number(after),
                }],
                status: StepStatus::Failed(Reason {
                    kind: ErrorKind::Upstream,
                    message,
                }),
            });
        }
        steps
    }
}

fn set_membership(
    api: &Api,
    account: Id,
    role: Id,
    mode: Mode,
    direction: Direction,
) -> Result<Written, Error> {
    let before =
        look(api, role, account)?.ok_or_else(|| Error::not_found(ResourceKind::Role, role))?;
    if before.shows(direction) {
        let unchanged = Outcome::Unchanged(direction.unchanged());
        return Ok(Written::nothing_lost(unchanged));
    }
    if direction == Direction::Grant {
        check_fit(api, account, &before.role)?;
    }
    if mode == Mode::Plan {
        return Ok(Written::nothing_lost(Outcome::WouldChange));
    }
    let expected = Expected {
        direction,
        members_before: before.members,
    };
    write(api, account, role, &expected)
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
            let name = api.said(name);
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
fn write(api: &Api, account: Id, role: Id, expected: &Expected) -> Result<Written, Error> {
    let direction = expected.direction;
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
        let answered = sent.and_then(|answer| {
            answer.map_or(Ok(None), |mut events| scan(&mut events, role, account))
        });
        let error = match answered {
            Ok(Some(now)) if expected.is_proven_by(&now) => {
                return Ok(Written::nothing_lost(Outcome::Changed));
            }
            // No body, or one that does not prove the change: the list of roles decides.
            Ok(_) => {
                return match look_until_shown(api, role, account, expected)? {
                    Look::Shown(now) => Ok(expected.written(&now)),
                    Look::NotShown | Look::NoRole => Err(unconfirmed(account, role, direction)),
                };
            }
            Err(error) => error,
        };
        let refused = matches!(error.kind(), Kind::Rejected | Kind::NotFound);
        if !refused && !error.leaves_outcome_unknown() {
            return Err(error.into());
        }
        // It may have been carried out all the same, or have been unnecessary. What was carried out may show a little later.
        let shown = if error.was_accepted() || (refused && sent_before) {
            look_until_shown(api, role, account, expected)
        } else {
            look_once(api, role, account, expected)
        };
        match shown {
            Ok(Look::Shown(_)) if refused && !sent_before => {
                let unchanged = Outcome::Unchanged(direction.unchanged());
                return Ok(Written::nothing_lost(unchanged));
            }
            Ok(Look::Shown(now)) => return Ok(expected.written(&now)),
            // Not there, so it can be sent again: the members are a set.
            Ok(Look::NotShown) => api.retries.pause_after(error)?,
            Ok(Look::NoRole) => return Err(Error::not_found(ResourceKind::Role, role)),
            Err(_) => return Err(error.into()),
        }
        sent_before = true;
    }
}

impl Direction {
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
    /// How many members it has; `None` where it came without a list of them.
    members: Option<u64>,
    /// Whether the account was among them.
    holds: bool,
    /// Whether another role came with a list of its members.
    others_have_lists: bool,
}

impl Membership {
    /// Whether it is seen to be as the change is to make it. Without a list of members nobody is seen not to be among them.
    fn shows(&self, direction: Direction) -> bool {
        match direction {
            Direction::Grant => self.holds,
            Direction::Revoke => self.members.is_some() && !self.holds,
        }
    }
}

/// Counts the members of a role, each once however often it is named.
#[derive(Default)]
pub(crate) struct Members {
    met: IdSet,
    count: u64,
}

impl Members {
    pub(crate) fn add(&mut self, member: &RoleMember) {
        if member.id.is_some_and(|id| self.met.insert(id)) {
            self.count += 1;
        }
    }

    /// How many there are, and begins with the next role.
    pub(crate) fn take(&mut self) -> u64 {
        std::mem::take(self).count
    }
}

/// What there is to see once a change is done.
struct Expected {
    direction: Direction,
    members_before: Option<u64>,
}

impl Expected {
    /// Whether the list of roles shows the change.
    fn is_shown_by(&self, now: &Membership) -> bool {
        // The list of a role that nobody holds any more may be left out, as Java's serializers do with empty ones.
        let last_one_left = self.direction == Direction::Revoke
            && self.members_before == Some(1)
            && now.members.is_none()
            && now.others_have_lists;
        now.shows(self.direction) || last_one_left
    }

    /// Whether the answer to the change proves it. Who is missing from an answer whose form is not known may be a member all
    /// the same, so no answer proves a revocation, nor that everybody else is still there.
    fn is_proven_by(&self, answer: &Membership) -> bool {
        self.direction == Direction::Grant && answer.holds && self.lost(answer).is_none()
    }

    fn written(&self, now: &Membership) -> Written {
        Written {
            outcome: Outcome::Changed,
            lost: self.lost(now),
        }
    }

    /// How many members there were and are, where more are gone than the change was to remove.
    fn lost(&self, now: &Membership) -> Option<(u64, u64)> {
        let before = self.members_before?;
        let least = match self.direction {
            Direction::Grant => before + 1,
            Direction::Revoke => before.saturating_sub(1),
        };
        let after = now.members.unwrap_or_default();
        (after < least).then_some((before, after))
    }
}

/// What the list of roles says of a change.
enum Look {
    Shown(Membership),
    NotShown,
    /// The role is not there.
    NoRole,
}

/// Looks until the list of roles shows the change, or there is no time to look again.
fn look_until_shown(
    api: &Api,
    role: Id,
    account: Id,
    expected: &Expected,
) -> Result<Look, ninjaone::Error> {
    loop {
        let now = look_once(api, role, account, expected)?;
        if !matches!(now, Look::NotShown) || !api.retries.pause_before_look() {
            return Ok(now);
        }
    }
}

fn look_once(
    api: &Api,
    role: Id,
    account: Id,
    expected: &Expected,
) -> Result<Look, ninjaone::Error> {
    Ok(match look(api, role, account)? {
        Some(now) if expected.is_shown_by(&now) => Look::Shown(now),
        Some(_) => Look::NotShown,
        None => Look::NoRole,
    })
}

/// Looks the role up in the list of all roles, since NinjaOne has no way to ask for one; `None` where it is not there.
fn look(api: &Api, role: Id, account: Id) -> Result<Option<Membership>, ninjaone::Error> {
    api.retries.repeating(|| {
        let mut roles = api.roles(None)?;
        let found = scan(&mut roles, role, account)?;
        match roles.met() {
            // Every tenant has roles, so such a list does not prove that one is not there.
            0 => Err(roles.unbelievable("no role is in it")),
            _ => Ok(found),
        }
    })
}

/// Reads to the end, so that an answer that breaks off is an error and not "does not hold it".
fn scan(
    events: &mut RoleEvents,
    role: Id,
    account: Id,
) -> Result<Option<Membership>, ninjaone::Error> {
    let mut holds = false;
    let mut distinct = Members::default();
    let mut found = None;
    let mut others_have_lists = false;
    while let Some(event) = events.try_next()? {
        match event {
            RoleEvent::Member(of, member) if of == role => {
                holds |= member.id == Some(account);
                distinct.add(&member);
            }
            RoleEvent::Member(..) => {}
            RoleEvent::Role {
                id,
                role: fields,
                members,
            } if id == role => found = Some((fields, members.map(|_| distinct.take()))),
            RoleEvent::Role { members, .. } => others_have_lists |= members.is_some(),
        }
    }
    Ok(found.map(|(role, members)| Membership {
        role,
        members,
        holds,
        others_have_lists,
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
    let (shows, or_none) = match direction {
        Direction::Grant => ("does not list", ""),
        Direction::Revoke => ("still lists", ", or names no members of it at all"),
    };
    let message = format!(
        "NinjaOne accepted the change, but {shows} the account {account} among the members of the role {role}{or_none}; \
         look again in a while, and report it to NinjaOne if it stays so"
    );
    Error::decided(contract::Error::Unconfirmed, message)
}
