//! Changing fields of an account.

use super::fields::{self, UPDATE_FIELDS};
use super::one_step;
use crate::contract::{
    self, AccountUpdate, Action, Change, FieldChange, FieldUpdate, Mode, Outcome, RefusalReason,
    ResourceKind, UnchangedReason, Value,
};
use crate::error::{Error, Problem};
use crate::find;
use crate::host::Level;
use crate::ninjaone::Api;
use crate::ninjaone::wire::{Id, UpdateUser, User, UserType};

pub(super) fn update(api: &Api, update: &AccountUpdate, mode: Mode) -> Result<Change, Error> {
    let mut problems = Vec::new();
    let Some(id) = find::parse_id("account", &update.account, &mut problems) else {
        return Err(Error::invalid_argument(problems));
    };
    let (user_type, user) = find::user(api, id, &UserType::ALL)?
        .ok_or_else(|| Error::not_found(ResourceKind::Account, id))?;
    let wanted = check(api, update, user_type)?;
    let (changes, body) = difference(&user, &wanted);
    if changes.is_empty() {
        let outcome = Outcome::Unchanged(UnchangedReason::NoDifference);
        return Ok(one_step(Action::UpdateAccount, id, changes, outcome));
    }
    if user.scim_user == Some(true) {
        return Err(externally_managed(id, "changed"));
    }
    if mode == Mode::Plan {
        return Ok(one_step(
            Action::UpdateAccount,
            id,
            changes,
            Outcome::WouldChange,
        ));
    }
    api.host.log(
        Level::Info,
        "updating an account",
        &[("account", &id.to_string())],
    );
    loop {
        let sent = match api.update_user(user_type, id, &body) {
            Err(error) if !error.leaves_outcome_unknown() => return Err(error),
            sent => sent,
        };
        let shown = api.user(user_type, id);
        match (sent, shown) {
            (_, Ok(Some(now))) if difference(&now, &wanted).0.is_empty() => {
                return Ok(one_step(
                    Action::UpdateAccount,
                    id,
                    changes,
                    Outcome::Changed,
                ));
            }
            // Not there, so it can be sent again: it sets fields to values.
            (Err(error), Ok(Some(_))) => api.retries.pause_after(error)?,
            (Err(error), _) | (_, Err(error)) => return Err(error),
            (Ok(()), Ok(_)) => return Err(unconfirmed(id)),
        }
    }
}

/// A field and the value that it is to have.
enum Wanted {
    GivenName(String),
    FamilyName(String),
    Organization(Id),
    FullPortalAccess(bool),
}

fn check(api: &Api, update: &AccountUpdate, user_type: UserType) -> Result<Vec<Wanted>, Error> {
    let mut problems = Vec::new();
    let mut wanted = Vec::new();
    if update.fields.is_empty() {
        problems.push(Problem::new(
            "fields",
            "there are none",
            "name at least one field to change",
        ));
    }
    for (index, (name, value)) in update.fields.iter().enumerate() {
        if update.fields[..index]
            .iter()
            .any(|(earlier, _)| earlier == name)
        {
            problems.push(Problem::new(name, "it is named twice", "name it once"));
            continue;
        }
        match check_field(name, value, user_type, &mut problems) {
            Ok(one) => wanted.extend(one),
            Err(problem) => problems.push(problem),
        }
    }
    for one in &wanted {
        if let Wanted::Organization(id) = one {
            fields::check_organization(api, *id, &mut problems)?;
        }
    }
    if problems.is_empty() {
        Ok(wanted)
    } else {
        Err(Error::invalid_argument(problems))
    }
}

fn check_field(
    name: &str,
    value: &FieldUpdate,
    user_type: UserType,
    problems: &mut Vec<Problem>,
) -> Result<Option<Wanted>, Problem> {
    let field = fields::check_name(name, UPDATE_FIELDS, user_type, "change")?;
    let FieldUpdate::Set(value) = value else {
        return Err(Problem::new(
            name,
            "NinjaOne's API cannot clear it",
            "set it to a value, or leave it out",
        ));
    };
    match (field.name, value) {
        ("fullPortalAccess", Value::Boolean(access)) => Ok(Some(Wanted::FullPortalAccess(*access))),
        ("fullPortalAccess", _) => Err(Problem::new(
            name,
            "it is not a boolean",
            "give true or false",
        )),
        (_, Value::Text(text)) => {
            let before = problems.len();
            fields::check_text(&field, text, problems);
            if problems.len() > before {
                return Ok(None);
            }
            Ok(match field.name {
                "given-name" => Some(Wanted::GivenName(text.clone())),
                "family-name" => Some(Wanted::FamilyName(text.clone())),
                _ => find::parse_id(name, text, problems).map(Wanted::Organization),
            })
        }
        _ => Err(Problem::new(name, "it is not text", "give it as text")),
    }
}

/// What would have to change for a user to be as wanted, for people and for NinjaOne.
fn difference(user: &User, wanted: &[Wanted]) -> (Vec<FieldChange>, UpdateUser) {
    let mut changes = Vec::new();
    let mut body = UpdateUser::default();
    let mut change = |field: &str, before: Option<Value>, after: Value| {
        let differs = before.as_ref() != Some(&after);
        if differs {
            changes.push(FieldChange {
                field: field.to_string(),
                before,
                after: Some(after),
            });
        }
        differs
    };
    let text = |text: &Option<String>| text.clone().map(Value::Text);
    for one in wanted {
        match one {
            Wanted::GivenName(name) => {
                body.first_name = change(
                    "given-name",
                    text(&user.first_name),
                    Value::Text(name.clone()),
                )
                .then(|| name.clone());
            }
            Wanted::FamilyName(name) => {
                body.last_name = change(
                    "family-name",
                    text(&user.last_name),
                    Value::Text(name.clone()),
                )
                .then(|| name.clone());
            }
            Wanted::Organization(id) => {
                let before = user.organization_id.map(|id| Value::Text(id.to_string()));
                body.organization_id =
                    change("organization", before, Value::Text(id.to_string())).then_some(*id);
            }
            Wanted::FullPortalAccess(access) => {
                let sent = user
                    .extra
                    .iter()
                    .find(|(name, _)| name == "fullPortalAccess");
                let before = sent.map(|(_, json)| Value::Boolean(json == "true"));
                body.full_portal_access =
                    change("fullPortalAccess", before, Value::Boolean(*access)).then_some(*access);
            }
        }
    }
    (changes, body)
}

/// What NinjaOne's API does to users that SCIM manages is not known; its console refuses.
pub(super) fn externally_managed(id: Id, done: &str) -> Error {
    let message = format!(
        "the account {id} is managed by an identity provider through SCIM, so it has to be {done} there; \
         NinjaOne takes such changes from nobody else while SCIM is on"
    );
    Error::decided(
        contract::Error::Refused(RefusalReason::ExternallyManaged),
        message,
    )
}

fn unconfirmed(id: Id) -> Error {
    let message = format!(
        "NinjaOne accepted the change of the account {id}, but does not show it; look again in a while"
    );
    Error::decided(contract::Error::Unconfirmed, message)
}
