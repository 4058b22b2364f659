//! Whether writes look first, happen once, are seen afterwards, and are foretold truly.
//!
//! All of it goes through one instance and over accounts that were made here, one for each kind that can be created.

use std::time::{SystemTime, UNIX_EPOCH};

use super::CallError;
use super::run::{
    Checked, Fault, LISTINGS, Own, Run, Write, broken, expect_error, filtered, is_among, not_tried,
    outcome_told,
};
use connector_contract::{
    Account, AccountDeletion, AccountKindDescription, AccountUpdate, Assignment, Attribute, Change,
    Error, FieldDescription, FieldType, FieldUpdate, Filter, FilterFields, Item, ListRequest, Mode,
    NewAccount, Operation, Outcome, ProvisionRequest, RefusalReason, ResourceKind, ResourceKinds,
    UnchangedReason, Value,
};

/// An account of a kind, with nothing filled in.
pub(super) fn blank(kind: &str) -> NewAccount {
    NewAccount {
        kind: kind.to_string(),
        email: None,
        given_name: None,
        family_name: None,
        phone: None,
        organization: None,
        send_invitation: None,
        attributes: Vec::new(),
        roles: Vec::new(),
    }
}

pub(super) async fn creation_names_what_is_missing(run: &mut Run) -> Checked {
    run.needs(Operation::CreateAccount)?;
    let mut told = Vec::new();
    for kind in run.description.clone().account_kinds.iter() {
        let required = kind.create_fields.iter().filter(|field| field.required);
        let required: Vec<_> = required.map(|field| field.name.clone()).collect();
        if required.is_empty() {
            continue;
        }
        let write = Write::Provision(ProvisionRequest::Create(blank(&kind.kind)));
        let wanted = format!("invalid-argument with {}", required.join(", "));
        let answer = run.writer.write(&write, Mode::Plan).await;
        let doing = format!("creating an empty {}", kind.kind);
        expect_error(&doing, answer, &wanted, |error| match error {
            Error::InvalidArgument(problems) => {
                required.iter().all(|name| is_among(name, problems))
            }
            _ => false,
        })?;
        told.push(format!("{}: {}", kind.kind, required.join(", ")));
    }
    if told.is_empty() {
        return not_tried("no kind of account has a field that it needs");
    }
    Ok(told.join("; "))
}

pub(super) async fn creation_is_planned(run: &mut Run) -> Checked {
    run.needs(Operation::CreateAccount)?;
    run.needs(Operation::ListAccounts)?;
    let before = accounts(run).await?.len();
    let mut told = Vec::new();
    for kind in run
        .description
        .clone()
        .account_kinds
        .iter()
        .filter(|kind| can_be_created(kind))
    {
        let write = Write::Provision(ProvisionRequest::Create(filled(run, kind).await?));
        let planned = run.writer.write(&write, Mode::Plan).await;
        ends_in(
            &format!("planning a {}", kind.kind),
            &planned,
            Outcome::WouldChange,
        )?;
        told.push(kind.kind.clone());
    }
    let after = accounts(run).await?.len();
    if before != after {
        return broken(format!(
            "there were {before} accounts before, and {after} after"
        ));
    }
    Ok(told.join(", "))
}

pub(super) async fn creation_happens_once(run: &mut Run) -> Checked {
    run.needs(Operation::CreateAccount)?;
    run.needs(Operation::ListAccounts)?;
    let mut told = Vec::new();
    for kind in run
        .description
        .clone()
        .account_kinds
        .iter()
        .filter(|kind| can_be_created(kind))
    {
        let account = filled(run, kind).await?;
        let write = Write::Provision(ProvisionRequest::Create(account.clone()));
        let created = run.writer.write(&write, Mode::Apply).await;
        let id = created
            .as_ref()
            .ok()
            .and_then(|change| change.account.clone());
        if let Some(id) = &id {
            // First of all, so that it is removed whatever follows.
            run.own.push(Own {
                id: id.clone(),
                account: account.clone(),
            });
        }
        ends_in(
            &format!("creating a {}", kind.kind),
            &created,
            Outcome::Changed,
        )?;
        let Some(id) = id else {
            return broken(format!(
                "creating a {}: it does not say which account it made",
                kind.kind
            ));
        };
        let Some(seen) = account_with(run, &id).await? else {
            return broken(format!("the account {id} was created, and is not listed"));
        };
        if seen.kind.as_ref() != Some(&kind.kind) {
            return broken(format!(
                "the account {id} was created as a {}, and is listed as {:?}",
                kind.kind, seen.kind
            ));
        }
        for (name, value) in values_of(&account) {
            let shown = value_of(&seen, &name);
            if shown.is_some() && shown != Some(value.clone()) {
                return broken(format!(
                    "{name} of the account {id} was to be {value:?}, and is {shown:?}"
                ));
            }
        }
        // A system that has nothing by which two accounts are the same makes another one.
        if account.email.is_none() {
            continue;
        }
        for mode in [Mode::Plan, Mode::Apply] {
            let again = run.writer.write(&write, mode).await;
            if let Ok(Change {
                account: Some(other),
                ..
            }) = &again
                && *other != id
            {
                run.own.push(Own {
                    id: other.clone(),
                    account: account.clone(),
                });
            }
            let wanted = format!("already-exists with {id}");
            expect_error(
                &format!("creating the {} again", kind.kind),
                again,
                &wanted,
                |error| matches!(error, Error::AlreadyExists(there) if there.kind == ResourceKind::Account && there.id == id),
            )?;
        }
        told.push(format!("{} {id}", kind.kind));
    }
    Ok(told.join(", "))
}

pub(super) async fn updates(run: &mut Run) -> Checked {
    run.needs(Operation::UpdateAccount)?;
    let mut told = Vec::new();
    for own in own(run)? {
        let Some(field) = text_to_update(run, &own.account.kind) else {
            continue;
        };
        let Some(before) = account_with(run, &own.id).await? else {
            return broken(format!("the account {} is not listed", own.id));
        };
        let value = Value::Text(text_for(&field, "Changed"));
        let write = Write::Provision(ProvisionRequest::Update(AccountUpdate {
            account: own.id.clone(),
            fields: vec![(field.name.clone(), FieldUpdate::Set(value.clone()))],
        }));
        let doing = format!("{} of {}", field.name, own.id);
        let planned = run.writer.write(&write, Mode::Plan).await;
        let planned =
            ends_in(&format!("planning {doing}"), &planned, Outcome::WouldChange)?.clone();
        let foretold = planned.steps.iter().flat_map(|step| &step.changes);
        if !foretold
            .into_iter()
            .any(|change| change.field == field.name && change.after == Some(value.clone()))
        {
            return broken(format!(
                "planning {doing}: it does not say that the field would change to {value:?}"
            ));
        }
        if account_with(run, &own.id).await?.as_ref() != Some(&before) {
            return broken(format!("planning {doing} changed the account"));
        }
        let changed = run.writer.write(&write, Mode::Apply).await;
        ends_in(&format!("changing {doing}"), &changed, Outcome::Changed)?;
        let after = account_with(run, &own.id).await?;
        let shown = after.and_then(|account| value_of(&account, &field.name));
        // Some fields are written and never shown.
        if shown != Some(value.clone()) && value_of(&before, &field.name).is_some() {
            return broken(format!("changing {doing}: it is {shown:?} afterwards"));
        }
        let again = run.writer.write(&write, Mode::Apply).await;
        let unchanged = Outcome::Unchanged(UnchangedReason::NoDifference);
        ends_in(&format!("changing {doing} again"), &again, unchanged)?;
        told.push(doing);
    }
    some_told(&told, "no kind of account has a text to update")
}

pub(super) async fn update_fields_are_checked(run: &mut Run) -> Checked {
    run.needs(Operation::UpdateAccount)?;
    let own = own(run)?;
    for Own { id, .. } in &own {
        let write = Write::Provision(ProvisionRequest::Update(AccountUpdate {
            account: id.clone(),
            fields: vec![(
                "no-such-field".to_string(),
                FieldUpdate::Set(Value::Text("x".to_string())),
            )],
        }));
        let answer = run.writer.write(&write, Mode::Apply).await;
        expect_error(
            &format!("changing no-such-field of {id}"),
            answer,
            "invalid-argument with no-such-field",
            |error| matches!(error, Error::InvalidArgument(problems) if is_among("no-such-field", problems)),
        )?;
    }
    Ok(ids(&own))
}

pub(super) async fn enabling(run: &mut Run) -> Checked {
    run.needs(Operation::EnableAccount)?;
    run.needs(Operation::DisableAccount)?;
    let own = own(run)?;
    for Own { id, .. } in &own {
        let writes = [
            ("disabling", ProvisionRequest::Disable(id.clone()), false),
            ("enabling", ProvisionRequest::Enable(id.clone()), true),
        ];
        for (verb, request, enabled) in writes {
            let write = Write::Provision(request);
            let doing = format!("{verb} {id}");
            let planned = run.writer.write(&write, Mode::Plan).await;
            ends_in(&format!("planned: {doing}"), &planned, Outcome::WouldChange)?;
            let is = |account: Option<Account>| account.and_then(|account| account.enabled);
            if is(account_with(run, id).await?) == Some(enabled) {
                return broken(format!("planned: {doing} did it"));
            }
            let changed = run.writer.write(&write, Mode::Apply).await;
            ends_in(&doing, &changed, Outcome::Changed)?;
            if is(account_with(run, id).await?) != Some(enabled) {
                return broken(format!("{doing}: it is not so afterwards"));
            }
            let again = run.writer.write(&write, Mode::Apply).await;
            let unchanged = Outcome::Unchanged(UnchangedReason::NoDifference);
            ends_in(&format!("{doing} again"), &again, unchanged)?;
        }
    }
    Ok(ids(&own))
}

pub(super) async fn grants(run: &mut Run) -> Checked {
    run.needs(Operation::Grant)?;
    let mut told = Vec::new();
    for own in own(run)? {
        let Some(assignment) = fitting(run, &own, |wanted, kind| {
            wanted.is_none_or(|wanted| wanted == kind)
        })
        .await?
        else {
            continue;
        };
        let step = Membership {
            verb: "granting",
            write: Write::Grant(assignment.clone()),
            holds_after: true,
            unchanged: UnchangedReason::AlreadyGranted,
        };
        told.push(membership(run, &assignment, step).await?);
    }
    some_told(
        &told,
        "no account that was made can hold a role that is listed",
    )
}

pub(super) async fn revokes(run: &mut Run) -> Checked {
    run.needs(Operation::Revoke)?;
    let mut told = Vec::new();
    for own in own(run)? {
        let Some(role) = roles_of(run, &own.id).await?.into_iter().next() else {
            continue;
        };
        let assignment = Assignment {
            account: own.id.clone(),
            role,
        };
        let step = Membership {
            verb: "revoking",
            write: Write::Revoke(assignment.clone()),
            holds_after: false,
            unchanged: UnchangedReason::NotGranted,
        };
        told.push(membership(run, &assignment, step).await?);
    }
    some_told(&told, "no account that was made holds a role")
}

/// A grant or a revocation.
struct Membership {
    verb: &'static str,
    write: Write,
    holds_after: bool,
    unchanged: UnchangedReason,
}

/// Plans it, does it, looks, and does it again.
async fn membership(run: &mut Run, of: &Assignment, step: Membership) -> Checked {
    let Membership {
        verb,
        write,
        holds_after,
        unchanged,
    } = step;
    let doing = format!("{verb} {} for {}", of.role, of.account);
    let planned = run.writer.write(&write, Mode::Plan).await;
    ends_in(&format!("planned: {doing}"), &planned, Outcome::WouldChange)?;
    if roles_of(run, &of.account).await?.contains(&of.role) == holds_after {
        return broken(format!("planned: {doing} did it"));
    }
    let changed = run.writer.write(&write, Mode::Apply).await;
    ends_in(&doing, &changed, Outcome::Changed)?;
    if roles_of(run, &of.account).await?.contains(&of.role) != holds_after {
        return broken(format!("{doing}: it is not so in the grants afterwards"));
    }
    for mode in [Mode::Plan, Mode::Apply] {
        let again = run.writer.write(&write, mode).await;
        ends_in(
            &format!("{doing} again"),
            &again,
            Outcome::Unchanged(unchanged),
        )?;
    }
    Ok(doing)
}

pub(super) async fn wrong_kind_is_refused(run: &mut Run) -> Checked {
    run.needs(Operation::Grant)?;
    let mut told = Vec::new();
    for own in own(run)? {
        let Some(assignment) = fitting(run, &own, |wanted, kind| {
            wanted.is_some_and(|wanted| wanted != kind)
        })
        .await?
        else {
            continue;
        };
        for mode in [Mode::Plan, Mode::Apply] {
            let answer = run
                .writer
                .write(&Write::Grant(assignment.clone()), mode)
                .await;
            let doing = format!("granting {} to {}", assignment.role, assignment.account);
            expect_error(&doing, answer, "refused with wrong-account-kind", |error| {
                *error == Error::Refused(RefusalReason::WrongAccountKind)
            })?;
        }
        told.push(format!("{} to {}", assignment.role, assignment.account));
    }
    some_told(&told, "there is no role for another kind of account")
}

pub(super) async fn unknown_roles_are_told(run: &mut Run) -> Checked {
    let own = own(run)?;
    let mut told = Vec::new();
    for Own { id, .. } in &own {
        let assignment = || Assignment {
            account: id.clone(),
            role: "no-such-role".to_string(),
        };
        for write in [Write::Grant(assignment()), Write::Revoke(assignment())] {
            let operation = write.operation();
            if run.operation(operation).is_none() {
                continue;
            }
            let answer = run.writer.write(&write, Mode::Apply).await;
            // What cannot be an identifier at all may be told apart from one that nobody has.
            expect_error(
                &format!("{} of no-such-role", operation.name()),
                answer,
                "not-found, or invalid-argument with role",
                |error| match error {
                    Error::NotFound(reference) => {
                        reference.kind == ResourceKind::Role && reference.id == "no-such-role"
                    }
                    Error::InvalidArgument(problems) => is_among("role", problems),
                    _ => false,
                },
            )?;
            told.push(operation.name().to_string());
        }
    }
    told.sort();
    told.dedup();
    some_told(&told, "neither grant nor revoke is declared")
}

pub(super) async fn deletion(run: &mut Run) -> Checked {
    run.needs(Operation::DeleteAccount)?;
    let own = own(run)?;
    for account in &own {
        let id = &account.id;
        let write = delete(id);
        let planned = run.writer.write(&write, Mode::Plan).await;
        ends_in(
            &format!("planned: deleting {id}"),
            &planned,
            Outcome::WouldChange,
        )?;
        if account_with(run, id).await?.is_none() {
            return broken(format!("planned: deleting {id} did it"));
        }
        let deleted = run.writer.write(&write, Mode::Apply).await;
        ends_in(&format!("deleting {id}"), &deleted, Outcome::Changed)?;
        if account_with(run, id).await?.is_some() {
            return broken(format!("deleting {id}: it is still listed"));
        }
        run.own.retain(|other| other.id != *id);
        run.gone.push(account.clone());
        for mode in [Mode::Plan, Mode::Apply] {
            let again = run.writer.write(&write, mode).await;
            let unchanged = Outcome::Unchanged(UnchangedReason::AlreadyGone);
            ends_in(&format!("deleting {id} again"), &again, unchanged)?;
        }
    }
    Ok(ids(&own))
}

pub(super) async fn gone_accounts_are_told(run: &mut Run) -> Checked {
    if run.gone.is_empty() {
        return not_tried("no account was made and removed");
    }
    let mut told = Vec::new();
    for own in run.gone.clone() {
        let id = own.id.clone();
        let mut writes = vec![
            Write::Provision(ProvisionRequest::Enable(id.clone())),
            Write::Provision(ProvisionRequest::Disable(id.clone())),
        ];
        if let Some(field) = text_to_update(run, &own.account.kind) {
            writes.push(Write::Provision(ProvisionRequest::Update(AccountUpdate {
                account: id.clone(),
                fields: vec![(
                    field.name.clone(),
                    FieldUpdate::Set(Value::Text(text_for(&field, "Gone"))),
                )],
            })));
        }
        let fitting = fitting(run, &own, |wanted, kind| {
            wanted.is_none_or(|wanted| wanted == kind)
        })
        .await?;
        writes.extend(fitting.clone().map(Write::Grant));
        for write in writes {
            let operation = write.operation();
            if run.operation(operation).is_none() {
                continue;
            }
            let answer = run.writer.write(&write, Mode::Apply).await;
            let doing = format!("{} of {id}, which is gone", operation.name());
            expect_error(
                &doing,
                answer,
                &format!("not-found with {id}"),
                |error| matches!(error, Error::NotFound(reference) if reference.kind == ResourceKind::Account && reference.id == id),
            )?;
            told.push(operation.name().to_string());
        }
        if let Some(assignment) = fitting
            && run.operation(Operation::Revoke).is_some()
        {
            let answer = run
                .writer
                .write(&Write::Revoke(assignment), Mode::Apply)
                .await;
            match answer {
                Ok(Change {
                    outcome:
                        Outcome::Unchanged(UnchangedReason::NotGranted | UnchangedReason::AlreadyGone),
                    ..
                }) => {}
                other => {
                    return broken(format!(
                        "revoking from {id}, which is gone: expected unchanged, and got {}",
                        outcome_told(&other)
                    ));
                }
            }
            told.push(Operation::Revoke.name().to_string());
        }
    }
    told.sort();
    told.dedup();
    some_told(&told, "no operation is declared that needs an account")
}

/// Removes what is left of the accounts that were made, and names those that stay.
pub(super) async fn clean_up(run: &mut Run) -> Vec<String> {
    let mut left = Vec::new();
    for own in std::mem::take(&mut run.own) {
        if run
            .writer
            .write(&delete(&own.id), Mode::Apply)
            .await
            .is_err()
        {
            left.push(own.id);
        }
    }
    left
}

fn delete(account: &str) -> Write {
    Write::Provision(ProvisionRequest::Delete(AccountDeletion {
        account: account.to_string(),
        allow_administrator: false,
    }))
}

/// Holds a write to how it should end.
fn ends_in<'a>(
    doing: &str,
    answer: &'a Result<Change, CallError>,
    wanted: Outcome,
) -> Result<&'a Change, Fault> {
    match answer {
        Ok(change) if change.outcome == wanted => Ok(change),
        other => {
            let reason = wanted
                .reason()
                .map_or(String::new(), |reason| format!(": {reason}"));
            broken(format!(
                "{doing}: expected {}{reason}, and got {}",
                wanted.name(),
                outcome_told(other)
            ))
        }
    }
}

/// The accounts that were made.
fn own(run: &Run) -> Result<Vec<Own>, Fault> {
    if run.own.is_empty() {
        return not_tried("no account could be made to try it with");
    }
    Ok(run.own.clone())
}

fn ids(own: &[Own]) -> String {
    own.iter()
        .map(|own| own.id.as_str())
        .collect::<Vec<_>>()
        .join(", ")
}

fn some_told(told: &[String], otherwise: &str) -> Checked {
    if told.is_empty() {
        return not_tried(otherwise);
    }
    Ok(told.join(", "))
}

fn can_be_created(kind: &AccountKindDescription) -> bool {
    !kind.create_fields.is_empty()
}

/// A new account with all that it needs, and an address of its own. What it can refer to it does, since a connector may leave it
/// to the connected system whether an account can do without.
async fn filled(run: &mut Run, kind: &AccountKindDescription) -> Result<NewAccount, Fault> {
    let mut account = blank(&kind.kind);
    let is_reference = |field: &FieldDescription| matches!(field.type_, FieldType::Reference(_));
    for field in &kind.create_fields {
        if !field.required && !is_reference(field) {
            continue;
        }
        let text = match &field.type_ {
            FieldType::Text => text_for(field, "Conformance"),
            FieldType::Email => address(&kind.kind),
            FieldType::Url => "https://example.com".to_string(),
            // A choice or words of none are told by another check.
            FieldType::Choice(values) | FieldType::Words(values) => {
                values.first().cloned().unwrap_or_default()
            }
            FieldType::Reference(kind) => match first_of(run, *kind, &field.name).await {
                Err(_) if !field.required => continue,
                first => first?,
            },
            FieldType::Boolean => {
                account.attributes.push(Attribute {
                    name: field.name.clone(),
                    value: Value::Boolean(false),
                });
                continue;
            }
            FieldType::Integer => {
                account.attributes.push(Attribute {
                    name: field.name.clone(),
                    value: Value::Integer(1),
                });
                continue;
            }
        };
        match field.name.as_str() {
            "email" => account.email = Some(text),
            "given-name" => account.given_name = Some(text),
            "family-name" => account.family_name = Some(text),
            "phone" => account.phone = Some(text),
            "organization" => account.organization = Some(text),
            name => account.attributes.push(Attribute {
                name: name.to_string(),
                value: Value::Text(text),
            }),
        }
    }
    Ok(account)
}

/// An address that no run used before.
fn address(kind: &str) -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    format!("conformance-{kind}-{}@example.com", now.as_nanos())
}

/// A text of a length that the field takes.
fn text_for(field: &FieldDescription, text: &str) -> String {
    let (fewest, most) = field.length.unwrap_or((1, u32::MAX));
    let padded = format!(
        "{text}{}",
        "x".repeat((fewest as usize).saturating_sub(text.len()))
    );
    padded.chars().take(most as usize).collect()
}

/// The first resource of a kind that is listed.
async fn first_of(run: &mut Run, kind: ResourceKind, field: &str) -> Result<String, Fault> {
    let (kinds, operation) = match kind {
        ResourceKind::Account => (ResourceKinds::ACCOUNTS, Operation::ListAccounts),
        ResourceKind::Role => (ResourceKinds::ROLES, Operation::ListRoles),
        ResourceKind::Grant => (ResourceKinds::GRANTS, Operation::ListGrants),
        ResourceKind::Organization => (ResourceKinds::ORGANIZATIONS, Operation::ListOrganizations),
        ResourceKind::Event => (ResourceKinds::EVENTS, Operation::ListEvents),
    };
    run.needs(operation)?;
    let first = run.all(kinds).await?.first().and_then(|item| match item {
        Item::Account(account) => Some(account.id.clone()),
        Item::Role(role) => Some(role.id.clone()),
        Item::Organization(organization) => Some(organization.id.clone()),
        Item::Event(event) => Some(event.id.clone()),
        Item::Grant(_) => None,
    });
    first.map_or_else(
        || {
            not_tried(format!(
                "there is nothing that the field {field} could refer to"
            ))
        },
        Ok,
    )
}

/// A text that can be updated, rather one of the contract's own fields.
fn text_to_update(run: &Run, kind: &str) -> Option<FieldDescription> {
    let kind = run
        .description
        .account_kinds
        .iter()
        .find(|described| described.kind == kind)?;
    let mut texts = kind
        .update_fields
        .iter()
        .filter(|field| matches!(field.type_, FieldType::Text));
    texts
        .clone()
        .find(|field| field.name == "family-name")
        .or_else(|| texts.next())
        .cloned()
}

/// A role for an account, by the kind that the role wants and the one that the account has.
async fn fitting(
    run: &mut Run,
    own: &Own,
    fits: impl Fn(Option<&str>, &str) -> bool,
) -> Result<Option<Assignment>, Fault> {
    run.needs(Operation::ListRoles)?;
    let held = roles_of(run, &own.id).await?;
    let roles = run.all(ResourceKinds::ROLES).await?;
    let role = roles.iter().find_map(|item| match item {
        Item::Role(role)
            if fits(role.account_kind.as_deref(), &own.account.kind)
                && !held.contains(&role.id) =>
        {
            Some(role.id.clone())
        }
        _ => None,
    });
    Ok(role.map(|role| Assignment {
        account: own.id.clone(),
        role,
    }))
}

/// The roles of an account, as the grants tell them now.
async fn roles_of(run: &mut Run, account: &str) -> Result<Vec<String>, Fault> {
    run.needs(Operation::ListGrants)?;
    let request = by(
        run,
        ResourceKinds::GRANTS,
        FilterFields::ACCOUNT,
        |filter| filter.account = Some(account.to_string()),
    );
    let listed = run.writer.pages(request, usize::MAX).await?;
    let grants = listed.items.into_iter().filter_map(|item| match item {
        Item::Grant(grant) if grant.account == account => Some(grant.role),
        _ => None,
    });
    Ok(grants.collect())
}

/// All accounts there are now.
async fn accounts(run: &mut Run) -> Result<Vec<Item>, Fault> {
    let request = ListRequest::everything(ResourceKinds::ACCOUNTS);
    Ok(run.writer.pages(request, usize::MAX).await?.items)
}

/// An account as it is listed now.
async fn account_with(run: &mut Run, id: &str) -> Result<Option<Account>, Fault> {
    run.needs(Operation::ListAccounts)?;
    let request = by(run, ResourceKinds::ACCOUNTS, FilterFields::ID, |filter| {
        filter.id = Some(id.to_string())
    });
    let listed = run.writer.pages(request, usize::MAX).await?;
    Ok(listed.items.into_iter().find_map(|item| match item {
        Item::Account(account) if account.id == id => Some(account),
        _ => None,
    }))
}

/// A request with this filter where it is declared, and without where it is not.
fn by(
    run: &Run,
    kind: ResourceKinds,
    field: FilterFields,
    set: impl FnOnce(&mut Filter),
) -> ListRequest {
    let listing = LISTINGS.into_iter().find(|(listed, ..)| *listed == kind);
    let declared = listing
        .and_then(|(_, name, _)| run.operation(name))
        .is_some_and(|operation| operation.filters.contains(field));
    if declared {
        filtered(kind, set)
    } else {
        ListRequest::everything(kind)
    }
}

/// The values that an account was to have.
fn values_of(account: &NewAccount) -> Vec<(String, Value)> {
    let texts = [
        ("email", &account.email),
        ("given-name", &account.given_name),
        ("family-name", &account.family_name),
        ("phone", &account.phone),
        ("organization", &account.organization),
    ];
    let texts = texts
        .into_iter()
        .filter_map(|(name, text)| Some((name.to_string(), Value::Text(text.clone()?))));
    let attributes = account
        .attributes
        .iter()
        .map(|attribute| (attribute.name.clone(), attribute.value.clone()));
    texts.chain(attributes).collect()
}

/// The value of a field of an account, where it is shown.
fn value_of(account: &Account, name: &str) -> Option<Value> {
    let text = match name {
        "email" => &account.email,
        "given-name" => &account.given_name,
        "family-name" => &account.family_name,
        "phone" => &account.phone,
        "organization" => &account.organization,
        _ => {
            let attribute = account
                .attributes
                .iter()
                .find(|attribute| attribute.name == name)?;
            return Some(attribute.value.clone());
        }
    };
    text.clone().map(Value::Text)
}
