//! Changing fields of an account.

use super::fields::{self, UPDATE_FIELDS};
use super::one_step;
use crate::contract::{
    self, AccountUpdate, Action, Change, ErrorKind, FieldChange, FieldUpdate, Mode, Outcome,
    Reason, RefusalReason, ResourceKind, Step, StepStatus, UnchangedReason, Value,
};
use crate::convert;
use crate::error::Error;
use crate::find;
use crate::ninjaone::error::Problem;
use crate::ninjaone::host::Level;
use crate::ninjaone::wire::{Id, UpdateUser, User, UserType};
use crate::ninjaone::{self, Api};
use crate::same;

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
            Err(error) if !error.leaves_outcome_unknown() => return Err(error.into()),
            sent => sent,
        };
        let shown = match sent.is_ok() {
            true => look_until_shown(api, user_type, id, &user, &wanted),
            false => look(api, user_type, id),
        };
        match (sent, shown) {
            (_, Ok(Some(now))) if missing(&user, &now, &wanted).is_empty() => {
                return Ok(changed(api, id, &user, &now, &wanted, changes));
            }
            // Not there, so it can be sent again: it sets fields to values.
            (Err(error), Ok(Some(_))) => api.retries.pause_after(error)?,
            (Err(error), _) | (_, Err(error)) => return Err(error.into()),
            (Ok(()), Ok(Some(now))) => {
                return Err(unconfirmed(id, &missing(&user, &now, &wanted).join(", ")));
            }
            (Ok(()), Ok(None)) => return Err(unconfirmed(id, "the list of users")),
        }
    }
}

fn look(api: &Api, user_type: UserType, id: Id) -> Result<Option<User>, ninjaone::Error> {
    find::user(api, id, &[user_type]).map(|found| found.map(|(_, user)| user))
}

/// Looks until the change shows, or there is no time to look again.
fn look_until_shown(
    api: &Api,
    user_type: UserType,
    id: Id,
    before: &User,
    wanted: &[Wanted],
) -> Result<Option<User>, ninjaone::Error> {
    loop {
        let now = look(api, user_type, id)?;
        let is_shown = |now: &User| missing(before, now, wanted).is_empty();
        if now.as_ref().is_some_and(is_shown) || !api.retries.pause_before_look() {
            return Ok(now);
        }
    }
}

/// The change, with what is stored now; and where other fields lost their values, a second step that says so.
fn changed(
    api: &Api,
    id: Id,
    before: &User,
    now: &User,
    wanted: &[Wanted],
    mut changes: Vec<FieldChange>,
) -> Change {
    for change in &mut changes {
        change.after = shown(now, &change.field);
    }
    let mut change = one_step(Action::UpdateAccount, id, changes, Outcome::Changed);
    let lost: Vec<_> = FIELDS
        .into_iter()
        .filter(|field| wanted.iter().all(|wanted| wanted.field != *field))
        .map(|field| FieldChange {
            field: field.to_string(),
            before: shown(before, field),
            after: shown(now, field),
        })
        .filter(|change| change.before.is_some() && change.after.is_none())
        .collect();
    if lost.is_empty() {
        return change;
    }
    let names: Vec<_> = lost.iter().map(|change| change.field.as_str()).collect();
    let message = format!(
        "NinjaOne took away the values of fields that were not to change: {}; set them again in NinjaOne, and report it to NinjaOne",
        names.join(", ")
    );
    api.host
        .log(Level::Error, &message, &[("account", &id.to_string())]);
    change.outcome = Outcome::Partial;
    change.steps.push(Step {
        action: Action::UpdateAccount,
        account: Some(id.to_string()),
        role: None,
        changes: lost,
        status: StepStatus::Failed(Reason {
            kind: ErrorKind::Upstream,
            message,
        }),
    });
    change
}

/// A field and the value that it is to have.
struct Wanted {
    field: &'static str,
    value: Value,
}

/// The fields that NinjaOne shows of a user and that a change must leave alone, unless it is about them.
const FIELDS: [&str; 8] = [
    "given-name",
    "family-name",
    "email",
    "phone",
    "organization",
    "fullPortalAccess",
    "enabled",
    "administrator",
];

/// The value of a field, where it has one.
fn shown(user: &User, field: &str) -> Option<Value> {
    let text = |text: &Option<String>| text.clone().map(Value::Text);
    match field {
        "given-name" => text(&user.first_name),
        "family-name" => text(&user.last_name),
        "email" => text(&user.email),
        "phone" => text(&user.phone),
        "organization" => user.organization_id.map(|id| Value::Text(id.to_string())),
        "enabled" => user.enabled.map(Value::Boolean),
        "administrator" => user.administrator.map(Value::Boolean),
        _ => user.rest.get(field).cloned().map(convert::value),
    }
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
            Ok(field) => wanted.extend(field),
            Err(problem) => problems.push(problem),
        }
    }
    for id in wanted.iter().filter_map(Wanted::organization) {
        fields::check_organization(api, id, &mut problems)?;
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
    let field_name = field.name;
    let wanted = |value| {
        Some(Wanted {
            field: field_name,
            value,
        })
    };
    match (field_name, value) {
        ("fullPortalAccess", Value::Boolean(_)) => Ok(wanted(value.clone())),
        ("fullPortalAccess", _) => Err(Problem::new(
            name,
            "it is not a boolean",
            "give true or false",
        )),
        (_, Value::Text(text)) => {
            // Nobody means white space at the ends, and NinjaOne may take it off.
            let text = text.trim();
            let before = problems.len();
            fields::check_text(&field, text, problems);
            if field_name == "organization" && problems.len() == before {
                find::parse_id(name, text, problems);
            }
            let fits = problems.len() == before;
            Ok(wanted(Value::Text(text.to_string())).filter(|_| fits))
        }
        _ => Err(Problem::new(name, "it is not text", "give it as text")),
    }
}

impl Wanted {
    fn organization(&self) -> Option<Id> {
        match (self.field, &self.value) {
            ("organization", Value::Text(id)) => Id::parse(id),
            _ => None,
        }
    }

    /// Whether a field that shows this need not be changed: it has the value, or the value as many systems store it.
    fn is_met_by(&self, shown: Option<&Value>) -> bool {
        match (shown, &self.value) {
            (Some(Value::Text(shown)), Value::Text(wanted)) => {
                shown == wanted || *shown == same::tidy(wanted)
            }
            (shown, wanted) => shown == Some(wanted),
        }
    }

    /// Whether a field that showed the one and shows the other was changed as wanted: it has the value now, or one that is the
    /// same to people and was not there before.
    fn is_reached(&self, before: Option<&Value>, now: Option<&Value>) -> bool {
        let is_same = match (now, &self.value) {
            (Some(Value::Text(now)), Value::Text(wanted)) => same::tidy(now) == same::tidy(wanted),
            _ => false,
        };
        self.is_met_by(now) || (is_same && now != before)
    }
}

/// What would have to change for a user to be as wanted, for people and for NinjaOne.
fn difference(user: &User, wanted: &[Wanted]) -> (Vec<FieldChange>, UpdateUser) {
    let mut changes = Vec::new();
    let mut body = UpdateUser::default();
    for wanted in wanted {
        let before = shown(user, wanted.field);
        if wanted.is_met_by(before.as_ref()) {
            continue;
        }
        match (wanted.field, &wanted.value) {
            ("given-name", Value::Text(name)) => body.first_name = Some(name.clone()),
            ("family-name", Value::Text(name)) => body.last_name = Some(name.clone()),
            (_, Value::Boolean(access)) => body.full_portal_access = Some(*access),
            _ => body.organization_id = wanted.organization(),
        }
        changes.push(FieldChange {
            field: wanted.field.to_string(),
            before,
            after: Some(wanted.value.clone()),
        });
    }
    (changes, body)
}

/// The fields that are not as wanted after a change.
fn missing(before: &User, now: &User, wanted: &[Wanted]) -> Vec<&'static str> {
    let is_missing = |wanted: &&Wanted| {
        let (before, now) = (shown(before, wanted.field), shown(now, wanted.field));
        !wanted.is_reached(before.as_ref(), now.as_ref())
    };
    wanted
        .iter()
        .filter(is_missing)
        .map(|wanted| wanted.field)
        .collect()
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

fn unconfirmed(id: Id, missing: &str) -> Error {
    let message = format!(
        "NinjaOne accepted the change of the account {id}, but does not show it in {missing}; look again in a while"
    );
    Error::decided(contract::Error::Unconfirmed, message)
}
