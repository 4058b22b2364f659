//! Creating an account, and granting its first roles.
//!
//! An account with the same address is looked for first, among accounts of both kinds. A create whose answer was lost is
//! looked for too, and never sent again unless it was certainly not carried out, so that one call never makes two accounts.

use super::fields::{self, CREATE_FIELDS};
use super::step;
use crate::contract::{
    self, Action, Change, FieldChange, Mode, NewAccount, Outcome, ResourceKind, ResourceReference,
    Step, StepStatus, UnchangedReason, Value,
};
use crate::convert;
use crate::error::Error;
use crate::find;
use crate::membership::{self, Members};
use crate::ninjaone::error::{Kind, Problem};
use crate::ninjaone::host::Level;
use crate::ninjaone::wire::{CreateUser, Id, User, UserType};
use crate::ninjaone::{Api, RoleEvent};
use crate::same;

/// What is to be created, checked.
struct Wanted {
    user_type: UserType,
    email: String,
    body: CreateUser,
    send_invitation: Option<bool>,
    roles: Vec<WantedRole>,
}

/// A role to grant.
#[derive(Clone, Copy)]
struct WantedRole {
    id: Id,
    /// How many members it has, where the list of roles tells.
    members: Option<u64>,
}

pub(super) fn create(api: &Api, account: &NewAccount, mode: Mode) -> Result<Change, Error> {
    let account = &without_edges(account);
    let wanted = check(api, account)?;
    if let Some(existing) = find::by_email(api, &wanted.email)? {
        return Err(already_exists(&wanted.email, &existing));
    }
    let mut changes = changes(account);
    if mode == Mode::Plan {
        let mut steps = vec![step(
            Action::CreateAccount,
            None,
            changes,
            Outcome::WouldChange,
        )];
        steps.extend(wanted.roles.iter().enumerate().map(|(index, role)| {
            let outcome = match is_repeated(&wanted.roles, index) {
                true => Outcome::Unchanged(UnchangedReason::AlreadyGranted),
                false => Outcome::WouldChange,
            };
            grant_step(None, role.id, StepStatus::Done(outcome))
        }));
        return Ok(Change {
            outcome: Outcome::WouldChange,
            steps,
            account: None,
        });
    }
    let (id, user) = send(api, &wanted)?;
    changes.extend(invitation(&user));
    let mut steps = vec![step(
        Action::CreateAccount,
        Some(id),
        changes,
        Outcome::Changed,
    )];
    let outcome = grant_roles(api, id, &wanted.roles, &mut steps);
    Ok(Change {
        outcome,
        steps,
        account: Some(id.to_string()),
    })
}

/// The same account without white space at the ends of its texts: nobody means it, and NinjaOne may take it off.
fn without_edges(account: &NewAccount) -> NewAccount {
    let mut account = account.clone();
    let texts = [
        &mut account.given_name,
        &mut account.family_name,
        &mut account.email,
        &mut account.phone,
    ];
    for text in texts.into_iter().flatten() {
        *text = text.trim().to_string();
    }
    account
}

/// Checks every field, and reports every wrong one at once. Reads the organization and the roles, where any are named.
fn check(api: &Api, account: &NewAccount) -> Result<Wanted, Error> {
    let Some(user_type) = convert::user_type(&account.kind) else {
        let problem = format!(
            "NinjaOne has no accounts of the kind {:?}",
            same::start(&account.kind)
        );
        return Err(Error::invalid_argument(vec![Problem::new(
            "kind",
            &problem,
            "give technician or end-user",
        )]));
    };
    let mut problems = Vec::new();
    let mut body = CreateUser::default();
    let texts = [
        ("given-name", &account.given_name, &mut body.first_name),
        ("family-name", &account.family_name, &mut body.last_name),
        ("email", &account.email, &mut body.email),
        ("phone", &account.phone, &mut body.phone),
    ];
    for (name, value, slot) in texts {
        *slot = check_text(name, value.as_deref(), user_type, &mut problems);
    }
    if let Some(email) = body
        .email
        .as_deref()
        .filter(|email| !email.trim().is_empty())
    {
        fields::check_email(email, &mut problems);
    }
    let organization = check_text(
        "organization",
        account.organization.as_deref(),
        user_type,
        &mut problems,
    );
    body.organization_id =
        organization.and_then(|id| find::parse_id("organization", &id, &mut problems));
    check_attributes(account, user_type, &mut body, &mut problems);
    if user_type == UserType::Technician && account.send_invitation.is_some() {
        let problem = "NinjaOne gives no choice whether a technician is invited";
        problems.push(Problem::new("send-invitation", problem, "leave it out"));
    }
    let roles: Vec<_> = account
        .roles
        .iter()
        .filter_map(|role| find::parse_id("roles", role, &mut problems))
        .collect();
    if let Some(id) = body.organization_id {
        fields::check_organization(api, id, &mut problems)?;
    }
    let roles = check_roles(api, &roles, user_type, &mut problems)?;
    if !problems.is_empty() {
        return Err(Error::invalid_argument(problems));
    }
    let email = body.email.clone().unwrap_or_default();
    Ok(Wanted {
        user_type,
        email,
        body,
        send_invitation: account.send_invitation,
        roles,
    })
}

fn check_text(
    name: &str,
    value: Option<&str>,
    user_type: UserType,
    problems: &mut Vec<Problem>,
) -> Option<String> {
    let field = fields::check_name(name, CREATE_FIELDS, user_type, "set");
    match (value, field) {
        (None, Ok(field)) if field.required => {
            problems.push(Problem::new(name, "it is missing", "give it a value"))
        }
        (None, _) => {}
        (Some(_), Err(problem)) => problems.push(problem),
        (Some(text), Ok(field)) => {
            fields::check_text(&field, text, problems);
            return Some(text.to_string());
        }
    }
    None
}

fn check_attributes(
    account: &NewAccount,
    user_type: UserType,
    body: &mut CreateUser,
    problems: &mut Vec<Problem>,
) {
    for (index, attribute) in account.attributes.iter().enumerate() {
        let mut earlier = account.attributes[..index].iter();
        if earlier.any(|earlier| earlier.name == attribute.name) {
            problems.push(Problem::new(
                &attribute.name,
                "it is named twice",
                "name it once",
            ));
            continue;
        }
        match fields::check_name(&attribute.name, CREATE_FIELDS, user_type, "set") {
            Ok(field) if field.name == "fullPortalAccess" => match attribute.value {
                Value::Boolean(access) => body.full_portal_access = Some(access),
                _ => problems.push(Problem::new(
                    field.name,
                    "it is not a boolean",
                    "give true or false",
                )),
            },
            Ok(field) => problems.push(Problem::new(
                field.name,
                "it is a field, not an attribute",
                "give it as the field",
            )),
            Err(problem) => problems.push(problem),
        }
    }
}

/// Checks that each role exists and is not for another type of user, with one look at the list of roles.
fn check_roles(
    api: &Api,
    roles: &[Id],
    user_type: UserType,
    problems: &mut Vec<Problem>,
) -> Result<Vec<WantedRole>, Error> {
    if roles.is_empty() {
        return Ok(Vec::new());
    }
    let found = api.retries.repeating(|| {
        let mut found = Vec::new();
        let mut distinct = Members::default();
        let mut events = api.roles(None)?;
        while let Some(event) = events.try_next()? {
            match event {
                RoleEvent::Member(_, member) => distinct.add(&member),
                RoleEvent::Role { id, role, members } => {
                    let counted = distinct.take();
                    let members = members.map(|_| counted);
                    if roles.contains(&id) {
                        found.push((WantedRole { id, members }, role.role_type));
                    }
                }
            }
        }
        Ok(found)
    })?;
    let mut wanted = Vec::new();
    for id in roles {
        let Some((role, role_type)) = found.iter().find(|(role, _)| role.id == *id) else {
            let problem = format!("there is no role {id} in NinjaOne");
            let remedy = "list the roles to see which there are";
            problems.push(Problem::new("roles", &problem, remedy));
            continue;
        };
        let role_type = role_type.as_deref().and_then(UserType::from_api);
        if role_type.is_some_and(|role_type| role_type != user_type) {
            let kind = convert::account_kind(user_type);
            let problem = format!("the role {id} is not for accounts of the kind {kind}");
            problems.push(Problem::new(
                "roles",
                &problem,
                "choose roles for that kind",
            ));
        }
        wanted.push(*role);
    }
    Ok(wanted)
}

/// Sends the create once, and finds out what came of it.
fn send(api: &Api, wanted: &Wanted) -> Result<(Id, User), Error> {
    api.host.log(
        Level::Info,
        "creating an account",
        &[("kind", convert::account_kind(wanted.user_type))],
    );
    let failure = match api.create_user(wanted.user_type, &wanted.body, wanted.send_invitation) {
        Ok(Some(user)) if is_wanted(&user, wanted) => return with_id(user, wanted),
        // Accepted, in an answer that does not name the account.
        Ok(_) => None,
        Err(error) => Some(error),
    };
    let refused = failure
        .as_ref()
        .is_some_and(|error| matches!(error.kind(), Kind::Rejected));
    let was_not_done = failure
        .as_ref()
        .is_some_and(|error| !error.leaves_outcome_unknown());
    let error = failure.map_or_else(|| unconfirmed(wanted), Error::from);
    if was_not_done && !refused {
        return Err(error);
    }
    loop {
        match find::by_email(api, &wanted.email) {
            Ok(Some(existing)) if refused => {
                return Err(already_exists(&wanted.email, &existing));
            }
            Ok(Some(created)) => return with_id(created, wanted),
            // Whoever repeats the call looks for the account first, so it should be listed by then if it was made.
            Ok(None) if !refused && api.retries.pause_before_look() => {}
            _ => return Err(error),
        }
    }
}

/// Whether an answer is about the account that was created.
fn is_wanted(user: &User, wanted: &Wanted) -> bool {
    let email = user.email.as_deref();
    user.id.is_some() && email.is_none_or(|email| find::same_address(email, &wanted.email))
}

fn with_id(user: User, wanted: &Wanted) -> Result<(Id, User), Error> {
    user.id
        .map(|id| (id, user))
        .ok_or_else(|| unconfirmed(wanted))
}

fn grant_roles(api: &Api, id: Id, roles: &[WantedRole], steps: &mut Vec<Step>) -> Outcome {
    let mut outcome = Outcome::Changed;
    for (index, role) in roles.iter().enumerate() {
        if outcome == Outcome::Partial {
            steps.push(grant_step(Some(id), role.id, StepStatus::Skipped));
            continue;
        }
        if is_repeated(roles, index) {
            let granted = Outcome::Unchanged(UnchangedReason::AlreadyGranted);
            steps.push(grant_step(Some(id), role.id, StepStatus::Done(granted)));
            continue;
        }
        match membership::grant_to_new(api, id, role.id, role.members) {
            Ok(granted) => {
                if membership::outcome_of(&granted) == Outcome::Partial {
                    outcome = Outcome::Partial;
                }
                steps.extend(granted);
            }
            Err(error) => {
                outcome = Outcome::Partial;
                let status = StepStatus::Failed(error.into_reason());
                steps.push(grant_step(Some(id), role.id, status));
            }
        }
    }
    outcome
}

/// Whether a role was named before.
fn is_repeated(roles: &[WantedRole], index: usize) -> bool {
    roles[..index]
        .iter()
        .any(|earlier| earlier.id == roles[index].id)
}

fn grant_step(account: Option<Id>, role: Id, status: StepStatus) -> Step {
    Step {
        action: Action::GrantRole,
        account: account.map(|id| id.to_string()),
        role: Some(role.to_string()),
        changes: Vec::new(),
        status,
    }
}

fn changes(account: &NewAccount) -> Vec<FieldChange> {
    let texts = [
        ("kind", Some(&account.kind)),
        ("email", account.email.as_ref()),
        ("given-name", account.given_name.as_ref()),
        ("family-name", account.family_name.as_ref()),
        ("phone", account.phone.as_ref()),
        ("organization", account.organization.as_ref()),
    ];
    let mut changes = Vec::new();
    for (name, text) in texts {
        changes.extend(text.map(|text| set(name, Value::Text(text.clone()))));
    }
    for attribute in &account.attributes {
        changes.push(set(&attribute.name, attribute.value.clone()));
    }
    changes
}

/// Where the invitation of the new account stands, which nobody asked for and everybody wants to know.
fn invitation(user: &User) -> Option<FieldChange> {
    let status = user.invitation_status.clone()?;
    Some(set("invitation", Value::Text(status)))
}

/// A field that had no value before.
fn set(name: &str, value: Value) -> FieldChange {
    FieldChange {
        field: name.to_string(),
        before: None,
        after: Some(value),
    }
}

fn already_exists(email: &str, existing: &User) -> Error {
    let id = existing.id.map_or_else(String::new, |id| id.to_string());
    let message = format!(
        "there is an account with the address {email} in NinjaOne already: {id}; use that one, or another address"
    );
    Error::decided(
        contract::Error::AlreadyExists(ResourceReference {
            kind: ResourceKind::Account,
            id,
        }),
        message,
    )
}

fn unconfirmed(wanted: &Wanted) -> Error {
    let message = format!(
        "NinjaOne accepted the new account, but does not list any with the address {}; look again in a while before creating it anew",
        wanted.email
    );
    Error::decided(contract::Error::Unconfirmed, message)
}
