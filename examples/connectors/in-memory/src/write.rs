//! Grants and accounts: every write looks first, changes what is needed, and says what it did.

use std::collections::BTreeMap;

use crate::contract::identity::connector::logging::{self, Level};
use crate::contract::{
    AccountUpdate, Action, Assignment, Change, Error, Failure, FieldChange, FieldDescription,
    FieldProblem, FieldType, FieldUpdate, Mode, NewAccount, Outcome, ProvisionRequest,
    RefusalReason, ResourceKind, ResourceReference, Step, StepStatus, UnchangedReason, Value,
    failure, problem, refuse,
};
use crate::describe;
use crate::directory::{Directory, Entry, ORGANIZATIONS, kind_of_role};

/// Gives an account a role.
pub fn grant(directory: &mut Directory, to: &Assignment, mode: Mode) -> Result<Change, Failure> {
    let Assignment { account, role } = to;
    let only = kind_of_role(role)?;
    let kind = &*directory.account(account)?.kind;
    if only.is_some_and(|only| only != kind) {
        let message = "the role is for another kind of account; choose one for its kind";
        let reason = RefusalReason::WrongAccountKind;
        return Err(failure(Error::Refused(reason), message));
    }
    let member = (role.clone(), account.clone());
    let outcome = if directory.members.contains(&member) {
        Outcome::Unchanged(UnchangedReason::AlreadyGranted)
    } else {
        done(mode, || directory.members.insert(member))
    };
    Ok(change(Action::GrantRole, account, Some(role), outcome))
}

/// Takes a role from an account.
pub fn revoke(directory: &mut Directory, from: &Assignment, mode: Mode) -> Result<Change, Failure> {
    let Assignment { account, role } = from;
    kind_of_role(role)?;
    let member = (role.clone(), account.clone());
    let outcome = if directory.members.contains(&member) {
        done(mode, || directory.members.remove(&member))
    } else {
        Outcome::Unchanged(UnchangedReason::NotGranted)
    };
    Ok(change(Action::RevokeRole, account, Some(role), outcome))
}

/// Does what is asked for to an account.
pub fn provision(
    directory: &mut Directory,
    request: &ProvisionRequest,
    mode: Mode,
) -> Result<Change, Failure> {
    let enabled = |enabled| BTreeMap::from([("enabled", Some(Value::Boolean(enabled)))]);
    match request {
        ProvisionRequest::Create(wanted) => create(directory, wanted, mode),
        ProvisionRequest::Update(wanted) => update(directory, wanted, mode),
        ProvisionRequest::Enable(id) => {
            edit(directory, Action::EnableAccount, id, enabled(true), mode)
        }
        ProvisionRequest::Disable(id) => {
            edit(directory, Action::DisableAccount, id, enabled(false), mode)
        }
        // There is no administrator among the accounts, which would need the deletion to allow it.
        ProvisionRequest::Delete(deletion) => Ok(delete(directory, &deletion.account, mode)),
    }
}

/// What is to become of fields, by name: a value, or none.
type Wishes<'a> = BTreeMap<&'a str, Option<Value>>;

fn create(directory: &mut Directory, wanted: &NewAccount, mode: Mode) -> Result<Change, Failure> {
    let wishes = wishes(wanted);
    refuse(problems(wanted, &wishes), Error::InvalidArgument)?;
    let mut entry = Entry::new(&wanted.kind);
    let changes = set(&mut entry, wishes);
    let address = |entry: &Entry| entry.text("email").map(|text| text.to_lowercase());
    let mut accounts = directory.accounts.iter();
    if let Some((id, _)) = accounts.find(|(_, there)| address(there) == address(&entry)) {
        let (kind, id) = (ResourceKind::Account, id.clone());
        let message = "another account has this address; change that one in place of creating one";
        let there = ResourceReference { kind, id };
        return Err(failure(Error::AlreadyExists(there), message));
    }
    let id = directory.next_id();
    let outcome = done(mode, || directory.add(entry));
    let mut created = change(Action::CreateAccount, &id, None, outcome);
    created.steps[0].changes = changes;
    for role in &wanted.roles {
        let member = (role.clone(), id.clone());
        let outcome = done(mode, || directory.members.insert(member));
        let granted = change(Action::GrantRole, &id, Some(role), outcome);
        created.steps.extend(granted.steps);
    }
    if mode == Mode::Plan {
        // There is no such account yet.
        created.account = None;
        for step in &mut created.steps {
            step.account = None;
        }
    }
    Ok(created)
}

/// The fields that a new account is to have.
fn wishes(wanted: &NewAccount) -> Wishes<'_> {
    let texts = [
        ("email", &wanted.email),
        ("given-name", &wanted.given_name),
        ("family-name", &wanted.family_name),
        ("phone", &wanted.phone),
        ("organization", &wanted.organization),
    ];
    let texts = texts.into_iter().filter(|(_, text)| text.is_some());
    let texts = texts.map(|(name, text)| (name, text.clone().map(Value::Text)));
    let attributes = wanted.attributes.iter();
    let attributes = attributes.map(|of| (&*of.name, Some(of.value.clone())));
    texts.chain(attributes).collect()
}

/// Everything that is wrong with an account to create.
fn problems(wanted: &NewAccount, wishes: &Wishes) -> Vec<FieldProblem> {
    let fields = describe::fields(&wanted.kind);
    if fields.is_empty() {
        return vec![problem("kind", "there is no such kind", "see `describe`")];
    }
    let mut problems = check(&fields, wishes);
    for field in fields.iter().filter(|field| field.required) {
        if !wishes.contains_key(&*field.name) {
            problems.push(problem(&field.name, "it is missing", "give it a value"));
        }
    }
    for role in &wanted.roles {
        let only = kind_of_role(role);
        if !only.is_ok_and(|only| only.is_none_or(|only| only == wanted.kind)) {
            let found = format!("there is no role {role:?} for this kind of account");
            problems.push(problem("roles", &found, "choose another"));
        }
    }
    problems
}

fn update<'a>(
    directory: &mut Directory,
    wanted: &'a AccountUpdate,
    mode: Mode,
) -> Result<Change, Failure> {
    let id = &wanted.account;
    let wish = |(name, update): &'a (String, FieldUpdate)| match update {
        FieldUpdate::Set(value) => (&**name, Some(value.clone())),
        FieldUpdate::Clear => (&**name, None),
    };
    let wishes: Wishes = wanted.fields.iter().map(wish).collect();
    let fields = describe::update_fields(&directory.account(id)?.kind);
    refuse(check(&fields, &wishes), Error::InvalidArgument)?;
    edit(directory, Action::UpdateAccount, id, wishes, mode)
}

/// Changes an account as was asked for, and checked.
fn edit(
    directory: &mut Directory,
    action: Action,
    id: &str,
    wishes: Wishes,
    mode: Mode,
) -> Result<Change, Failure> {
    let mut entry = directory.account(id)?.clone();
    let changes = set(&mut entry, wishes);
    let outcome = if changes.is_empty() {
        Outcome::Unchanged(UnchangedReason::NoDifference)
    } else {
        done(mode, || directory.accounts.insert(id.to_string(), entry))
    };
    let mut edited = change(action, id, None, outcome);
    edited.steps[0].changes = changes;
    Ok(edited)
}

fn delete(directory: &mut Directory, id: &str, mode: Mode) -> Change {
    let outcome = if directory.account(id).is_err() {
        Outcome::Unchanged(UnchangedReason::AlreadyGone)
    } else {
        done(mode, || directory.remove(id))
    };
    change(Action::DeleteAccount, id, None, outcome)
}

/// Writes, or in a plan does not.
fn done<T>(mode: Mode, write: impl FnOnce() -> T) -> Outcome {
    if mode == Mode::Plan {
        return Outcome::WouldChange;
    }
    write();
    Outcome::Changed
}

/// What is wrong with wishes, where these are the fields there are.
fn check(fields: &[FieldDescription], wishes: &Wishes) -> Vec<FieldProblem> {
    let mut problems = Vec::new();
    for (name, value) in wishes {
        let Some(field) = fields.iter().find(|field| field.name == *name) else {
            problems.push(problem(name, "it is no field of this kind", "leave it out"));
            continue;
        };
        let is_right = match (&field.type_, value) {
            (_, None) => !field.required,
            (FieldType::Email, Some(Value::Text(text))) => text.contains('@'),
            (FieldType::Reference(_), Some(Value::Text(text))) => {
                ORGANIZATIONS.iter().any(|(id, _)| id == text)
            }
            (_, Some(Value::Text(text))) => !text.is_empty(),
            (_, Some(_)) => false,
        };
        if !is_right {
            problems.push(problem(name, "it cannot be that", "see `describe`"));
        }
    }
    problems
}

/// Sets fields that were checked, and says what that changes.
fn set(entry: &mut Entry, wishes: Wishes) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    for (name, after) in wishes {
        let before = match &after {
            Some(value) => entry.fields.insert(name.to_string(), value.clone()),
            None => entry.fields.remove(name),
        };
        if before != after {
            let field = name.to_string();
            changes.push(FieldChange {
                field,
                before,
                after,
            });
        }
    }
    changes
}

/// A write of one step, for the host and for its log.
fn change(action: Action, account: &str, role: Option<&String>, outcome: Outcome) -> Change {
    let message = format!("{action:?} {account}: {outcome:?}");
    logging::log(Level::Info, &message, &[]);
    let step = Step {
        action,
        account: Some(account.to_string()),
        role: role.cloned(),
        changes: Vec::new(),
        status: StepStatus::Done(outcome),
    };
    Change {
        outcome,
        account: step.account.clone(),
        steps: vec![step],
    }
}
