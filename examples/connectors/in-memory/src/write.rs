//! Grants and accounts: every write looks first, changes what is needed, and says what it did.

use crate::contract::identity::connector::logging::{self, Field, Level};
use crate::contract::{
    Account, AccountDeletion, AccountUpdate, Action, Assignment, Attribute, Change, Error, Failure,
    FieldChange, FieldDescription, FieldProblem, FieldType, FieldUpdate, Mode, NewAccount, Outcome,
    ProvisionRequest, RefusalReason, ResourceKind, ResourceReference, Step, StepStatus,
    UnchangedReason, Value, failure, invalid_argument, not_found, problem, refuse_problems,
};
use crate::describe;
use crate::directory::Directory;

/// Gives an account a role.
pub fn grant(
    directory: &mut Directory,
    wanted: &Assignment,
    mode: Mode,
) -> Result<Change, Failure> {
    let Assignment { account, role } = wanted;
    let found = directory
        .role(role)
        .ok_or_else(|| not_found(ResourceKind::Role, role))?;
    let holder = directory
        .account(account)
        .ok_or_else(|| not_found(ResourceKind::Account, account))?;
    let outcome = if directory.holds(account, role) {
        Outcome::Unchanged(UnchangedReason::AlreadyGranted)
    } else if found.account_kind.is_some() && found.account_kind != holder.kind {
        let message = format!(
            "the role {role} is for another kind of account than {account}; choose a role for its kind"
        );
        return Err(failure(
            Error::Refused(RefusalReason::WrongAccountKind),
            message,
        ));
    } else {
        done(mode, Action::GrantRole, account, || {
            directory.members.insert((role.clone(), account.clone()));
        })
    };
    Ok(change(
        outcome,
        vec![step(Action::GrantRole, account, Some(role), outcome)],
    ))
}

/// Takes a role from an account.
pub fn revoke(
    directory: &mut Directory,
    wanted: &Assignment,
    mode: Mode,
) -> Result<Change, Failure> {
    let Assignment { account, role } = wanted;
    directory
        .role(role)
        .ok_or_else(|| not_found(ResourceKind::Role, role))?;
    let outcome = if directory.holds(account, role) {
        done(mode, Action::RevokeRole, account, || {
            directory.members.remove(&(role.clone(), account.clone()));
        })
    } else {
        Outcome::Unchanged(UnchangedReason::NotGranted)
    };
    Ok(change(
        outcome,
        vec![step(Action::RevokeRole, account, Some(role), outcome)],
    ))
}

/// Does what is asked for to an account.
pub fn provision(
    directory: &mut Directory,
    request: &ProvisionRequest,
    mode: Mode,
) -> Result<Change, Failure> {
    match request {
        ProvisionRequest::Create(account) => create(directory, account, mode),
        ProvisionRequest::Update(wanted) => update(directory, wanted, mode),
        ProvisionRequest::Enable(account) => set_enabled(directory, account, true, mode),
        ProvisionRequest::Disable(account) => set_enabled(directory, account, false, mode),
        ProvisionRequest::Delete(deletion) => delete(directory, deletion, mode),
    }
}

fn create(directory: &mut Directory, wanted: &NewAccount, mode: Mode) -> Result<Change, Failure> {
    let Some(fields) = describe::fields(&wanted.kind) else {
        let kinds = format!("give {} or {}", describe::PERSON, describe::SERVICE_ACCOUNT);
        return Err(invalid_argument(vec![problem(
            "kind",
            "there is no such kind",
            &kinds,
        )]));
    };
    let texts = [
        ("email", &wanted.email),
        ("given-name", &wanted.given_name),
        ("family-name", &wanted.family_name),
        ("phone", &wanted.phone),
        ("organization", &wanted.organization),
    ];
    let texts = texts
        .into_iter()
        .filter_map(|(name, text)| Some((name, Value::Text(text.clone()?))));
    let further = wanted
        .attributes
        .iter()
        .map(|attribute| (&*attribute.name, attribute.value.clone()));
    let given: Vec<_> = texts.chain(further).collect();
    let mut problems: Vec<_> = given
        .iter()
        .filter_map(|(name, value)| check(directory, &fields, name, Some(value)))
        .collect();
    for field in fields.iter().filter(|field| field.required) {
        if !given.iter().any(|(name, _)| *name == field.name) {
            problems.push(problem(&field.name, "it is missing", "give it a value"));
        }
    }
    for id in &wanted.roles {
        let fits = directory.role(id).is_some_and(|role| {
            role.account_kind
                .as_ref()
                .is_none_or(|kind| *kind == wanted.kind)
        });
        if !fits {
            problems.push(problem(
                "roles",
                &format!("there is no role {id:?} for this kind of account"),
                "choose another",
            ));
        }
    }
    refuse_problems(problems)?;
    if let Some(there) = directory
        .accounts
        .iter()
        .find(|account| same_address(account, wanted))
    {
        let reference = ResourceReference {
            kind: ResourceKind::Account,
            id: there.id.clone(),
        };
        return Err(failure(
            Error::AlreadyExists(reference),
            "another account has this address; change that one in place of creating one",
        ));
    }
    if mode == Mode::Plan {
        let step = Step {
            account: None,
            ..step(Action::CreateAccount, "", None, Outcome::WouldChange)
        };
        return Ok(Change {
            outcome: Outcome::WouldChange,
            steps: vec![step],
            account: None,
        });
    }
    let mut account = directory.new_account(&wanted.kind);
    let changes = given
        .into_iter()
        .map(|(name, value)| set(&mut account, name, Some(value)))
        .collect();
    let id = account.id.clone();
    done(mode, Action::CreateAccount, &id, || {
        directory.accounts.push(account)
    });
    let mut steps = vec![Step {
        changes,
        ..step(Action::CreateAccount, &id, None, Outcome::Changed)
    }];
    for role in &wanted.roles {
        directory.members.insert((role.clone(), id.clone()));
        steps.push(step(Action::GrantRole, &id, Some(role), Outcome::Changed));
    }
    Ok(change(Outcome::Changed, steps))
}

fn update(
    directory: &mut Directory,
    wanted: &AccountUpdate,
    mode: Mode,
) -> Result<Change, Failure> {
    let mut account = find(directory, &wanted.account)?.clone();
    let mut fields = account
        .kind
        .as_deref()
        .and_then(describe::fields)
        .unwrap_or_default();
    fields.retain(|field| field.name != "email");
    let wishes = wanted.fields.iter().map(|(name, update)| match update {
        FieldUpdate::Set(value) => (name, Some(value.clone())),
        FieldUpdate::Clear => (name, None),
    });
    let problems = wishes
        .clone()
        .filter_map(|(name, value)| check(directory, &fields, name, value.as_ref()));
    refuse_problems(problems.collect())?;
    let mut changes: Vec<_> = wishes
        .map(|(name, value)| set(&mut account, name, value))
        .collect();
    changes.retain(|change| change.before != change.after);
    let outcome = if changes.is_empty() {
        Outcome::Unchanged(UnchangedReason::NoDifference)
    } else {
        done(mode, Action::UpdateAccount, &wanted.account, || {
            replace(directory, account)
        })
    };
    Ok(change(
        outcome,
        vec![Step {
            changes,
            ..step(Action::UpdateAccount, &wanted.account, None, outcome)
        }],
    ))
}

fn set_enabled(
    directory: &mut Directory,
    id: &str,
    enabled: bool,
    mode: Mode,
) -> Result<Change, Failure> {
    let mut account = find(directory, id)?.clone();
    let action = if enabled {
        Action::EnableAccount
    } else {
        Action::DisableAccount
    };
    let outcome = if account.enabled == Some(enabled) {
        Outcome::Unchanged(UnchangedReason::NoDifference)
    } else if account.administrator == Some(true) {
        return Err(last_administrator());
    } else {
        account.enabled = Some(enabled);
        done(mode, action, id, || replace(directory, account))
    };
    Ok(change(outcome, vec![step(action, id, None, outcome)]))
}

fn delete(
    directory: &mut Directory,
    deletion: &AccountDeletion,
    mode: Mode,
) -> Result<Change, Failure> {
    let id = &deletion.account;
    let outcome = match directory.account(id) {
        None => Outcome::Unchanged(UnchangedReason::AlreadyGone),
        Some(account) if account.administrator == Some(true) && !deletion.allow_administrator => {
            let message = "the account administers the directory; allow for that if it is meant";
            return Err(failure(
                Error::Refused(RefusalReason::Administrator),
                message,
            ));
        }
        // The directory has one, and no way to make another.
        Some(account) if account.administrator == Some(true) => return Err(last_administrator()),
        Some(_) => done(mode, Action::DeleteAccount, id, || directory.remove(id)),
    };
    Ok(change(
        outcome,
        vec![step(Action::DeleteAccount, id, None, outcome)],
    ))
}

/// Writes, or in a plan does not.
fn done(mode: Mode, action: Action, account: &str, write: impl FnOnce()) -> Outcome {
    if mode == Mode::Plan {
        return Outcome::WouldChange;
    }
    let field = Field {
        name: "account".to_string(),
        value: account.to_string(),
    };
    logging::log(Level::Info, &format!("{action:?}"), &[field]);
    write();
    Outcome::Changed
}

fn find<'a>(directory: &'a Directory, id: &str) -> Result<&'a Account, Failure> {
    directory
        .account(id)
        .ok_or_else(|| not_found(ResourceKind::Account, id))
}

fn replace(directory: &mut Directory, account: Account) {
    let place = directory
        .accounts
        .iter_mut()
        .find(|there| there.id == account.id);
    place.into_iter().for_each(|there| *there = account.clone());
}

fn same_address(account: &Account, wanted: &NewAccount) -> bool {
    let address = |email: &Option<String>| email.as_ref().map(|email| email.to_ascii_lowercase());
    address(&account.email) == address(&wanted.email)
}

fn last_administrator() -> Failure {
    let message =
        "the account is the only administrator of the directory; nothing can be done to it";
    failure(Error::Refused(RefusalReason::LastAdministrator), message)
}

/// What is wrong with giving a field this value, or with clearing it.
fn check(
    directory: &Directory,
    fields: &[FieldDescription],
    name: &str,
    value: Option<&Value>,
) -> Option<FieldProblem> {
    let Some(field) = fields.iter().find(|field| field.name == name) else {
        return Some(problem(
            name,
            "this kind of account does not take it",
            "leave it out",
        ));
    };
    let Some(value) = value else {
        return field
            .required
            .then(|| problem(name, "it cannot be empty", "give it a value"));
    };
    let Value::Text(text) = value else {
        return Some(problem(name, "it is not text", "give text"));
    };
    let is_wrong = match field.type_ {
        FieldType::Email => !text.contains('@'),
        FieldType::Reference(_) => !directory
            .organizations
            .iter()
            .any(|there| there.id == *text),
        _ => text.is_empty(),
    };
    is_wrong.then(|| problem(name, "it cannot be that", "see what `describe` says of it"))
}

/// Sets a field that was checked, and says what that changes.
fn set(account: &mut Account, name: &str, value: Option<Value>) -> FieldChange {
    let field = match name {
        "email" => Some(&mut account.email),
        "given-name" => Some(&mut account.given_name),
        "family-name" => Some(&mut account.family_name),
        "phone" => Some(&mut account.phone),
        "organization" => Some(&mut account.organization),
        _ => None,
    };
    let before = match (field, value.clone()) {
        (Some(field), Some(Value::Text(text))) => field.replace(text).map(Value::Text),
        (Some(field), _) => field.take().map(Value::Text),
        (None, value) => {
            let place = account
                .attributes
                .iter()
                .position(|attribute| attribute.name == name);
            let before = place.map(|place| account.attributes.remove(place).value);
            account.attributes.extend(value.map(|value| Attribute {
                name: name.to_string(),
                value,
            }));
            before
        }
    };
    FieldChange {
        field: name.to_string(),
        before,
        after: value,
    }
}

fn step(action: Action, account: &str, role: Option<&String>, outcome: Outcome) -> Step {
    Step {
        action,
        account: Some(account.to_string()),
        role: role.cloned(),
        changes: Vec::new(),
        status: StepStatus::Done(outcome),
    }
}

/// The whole of a write: it is about the account of its first step.
fn change(outcome: Outcome, steps: Vec<Step>) -> Change {
    let account = steps.first().and_then(|step| step.account.clone());
    Change {
        outcome,
        steps,
        account,
    }
}
