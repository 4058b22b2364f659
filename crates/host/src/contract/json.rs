//! The JSON form of the contract's types.
//!
//! Keys are the WIT names in camel case, cases are the WIT names as they are, points in time are RFC 3339 text in UTC, and
//! attributes are an object from name to value. What is absent is `null`: every key of a type is always there, so that a
//! program can tell "not told" from `false`, `0` and `""`. What is listed, counted or changed carries a `type`, so that
//! lines of different kinds can share a stream. A number keeps every digit that the connected system gave it, and a key that came
//! twice is there once, with the value that came last.

use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::exact::Exact;
use super::{
    Account, AccountKindDescription, Assignment, Attribute, Change, CheckReport, Counts,
    Description, Error, ErrorKind, Event, EventKind, Failure, FieldChange, FieldDescription,
    FieldProblem, FieldType, Grant, Invitation, Item, Notice, OperationCheck, OperationDescription,
    Organization, Outcome, Permission, Probe, Reason, ResourceReference, Retry, Role,
    SettingDescription, Step, StepStatus, Summary, Value,
};

/// Implements `Serialize` as an object with these keys, in this order.
macro_rules! object {
    ($($this:ident: $type:ty { $($key:literal: $value:expr),+ $(,)? })+) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let $this = self;
                let mut object = serializer.serialize_map(None)?;
                $(object.serialize_entry($key, &$value)?;)+
                object.end()
            }
        }
    )+};
}

object! {
    account: Account {
        "type": "account",
        "id": account.id,
        "kind": account.kind,
        "externalId": account.external_id,
        "email": account.email,
        "givenName": account.given_name,
        "familyName": account.family_name,
        "phone": account.phone,
        "enabled": account.enabled,
        "administrator": account.administrator,
        "mfaConfigured": account.mfa_configured,
        "mustChangePassword": account.must_change_password,
        "invitation": account.invitation,
        "organization": account.organization,
        "externallyManaged": account.externally_managed,
        "authentication": account.authentication,
        "lastSignIn": account.last_sign_in.map(Time),
        "attributes": Attributes(&account.attributes),
    }
    role: Role {
        "type": "role",
        "id": role.id,
        "name": role.name,
        "accountKind": role.account_kind,
        "description": role.description,
        "memberCount": role.member_count,
        "attributes": Attributes(&role.attributes),
    }
    grant: Grant {
        "type": "grant",
        "account": grant.account,
        "role": grant.role,
        "source": grant.source,
        "attributes": Attributes(&grant.attributes),
    }
    organization: Organization {
        "type": "organization",
        "id": organization.id,
        "name": organization.name,
        "description": organization.description,
        "attributes": Attributes(&organization.attributes),
    }
    event: Event {
        "type": "event",
        "id": event.id,
        "kind": event.kind,
        "time": event.time.map(Time),
        "account": event.account,
        "message": event.message,
        "attributes": Attributes(&event.attributes),
    }
    counts: Counts {
        "accounts": counts.accounts,
        "roles": counts.roles,
        "grants": counts.grants,
        "organizations": counts.organizations,
        "events": counts.events,
    }
    assignment: Assignment {
        "account": assignment.account,
        "role": assignment.role,
    }
    reference: ResourceReference {
        "kind": reference.kind.name(),
        "id": reference.id,
    }
    summary: Summary {
        "type": "summary",
        "counts": summary.counts,
        "resume": summary.resume,
    }
}

object! {
    change: Change {
        "type": "change",
        "outcome": change.outcome.name(),
        "reason": change.outcome.reason(),
        "steps": change.steps,
        "account": change.account,
    }
    step: Step {
        "action": step.action.name(),
        "account": step.account,
        "role": step.role,
        "changes": step.changes,
        "status": match &step.status {
            StepStatus::Done(outcome) => outcome.name(),
            StepStatus::Failed(_) => "failed",
            StepStatus::Skipped => "skipped",
        },
        "reason": match &step.status {
            StepStatus::Done(outcome) => outcome.reason(),
            StepStatus::Failed(_) | StepStatus::Skipped => None,
        },
        "failure": match &step.status {
            StepStatus::Failed(reason) => Some(reason),
            StepStatus::Done(_) | StepStatus::Skipped => None,
        },
    }
    reason: Reason {
        "kind": reason.kind.name(),
        "message": reason.message,
    }
    change: FieldChange {
        "field": change.field,
        "before": change.before,
        "after": change.after,
    }
}

object! {
    description: Description {
        "type": "description",
        "name": description.name,
        "title": description.title,
        "version": description.version,
        "summary": description.summary,
        "settings": description.settings,
        "accountKinds": description.account_kinds,
        "operations": description.operations,
        "commonErrors": names(&description.common_errors),
        "largestPage": description.largest_page,
    }
    setting: SettingDescription {
        "key": setting.key,
        "title": setting.title,
        "description": setting.description,
        "valueType": setting.type_,
        "required": setting.required,
        "secret": setting.secret,
        "default": setting.default,
        "example": setting.example,
    }
    kind: AccountKindDescription {
        "kind": kind.kind,
        "title": kind.title,
        "description": kind.description,
        "createFields": kind.create_fields,
        "updateFields": kind.update_fields,
    }
    field: FieldDescription {
        "name": field.name,
        "description": field.description,
        "valueType": field.type_,
        "required": field.required,
        "minLength": field.length.map(|(fewest, _)| fewest),
        "maxLength": field.length.map(|(_, most)| most),
    }
    operation: OperationDescription {
        "operation": operation.operation.name(),
        "summary": operation.summary,
        "requests": operation.requests,
        "scopes": operation.scopes,
        "filters": operation.filters.names(),
        "details": operation.details.names(),
        "outcomes": operation.outcomes,
        "errors": names(&operation.errors),
    }
}

object! {
    report: CheckReport {
        "type": "check",
        "healthy": report.healthy,
        "endpoint": report.endpoint,
        "grantedScopes": report.granted_scopes,
        "probes": report.probes,
        "operations": report.operations,
        "advice": report.advice,
    }
    probe: Probe {
        "request": probe.request,
        "purpose": probe.purpose,
        "durationMs": probe.duration,
        "failure": probe.failure,
    }
    check: OperationCheck {
        "operation": check.operation.name(),
        "permission": match &check.permission {
            Permission::Allowed => "allowed",
            Permission::Denied(_) => "denied",
            Permission::Unknown(_) => "unknown",
        },
        "reason": match &check.permission {
            Permission::Allowed => None,
            Permission::Denied(reason) | Permission::Unknown(reason) => Some(reason),
        },
    }
    problem: FieldProblem {
        "field": problem.field,
        "problem": problem.problem,
        "mend": problem.mend,
    }
}

impl Serialize for Item {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Item::Account(account) => account.serialize(serializer),
            Item::Role(role) => role.serialize(serializer),
            Item::Grant(grant) => grant.serialize(serializer),
            Item::Organization(organization) => organization.serialize(serializer),
            Item::Event(event) => event.serialize(serializer),
        }
    }
}

impl Serialize for Notice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("type", "notice")?;
        match self {
            Notice::Duplicate(resource) => {
                object.serialize_entry("notice", "duplicate")?;
                object.serialize_entry("resource", resource)?;
            }
            Notice::UnknownMember(assignment) => {
                object.serialize_entry("notice", "unknown-member")?;
                object.serialize_entry("assignment", assignment)?;
            }
        }
        object.end()
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Text(text) => text.serialize(serializer),
            Value::Boolean(boolean) => boolean.serialize(serializer),
            Value::Integer(integer) => integer.serialize(serializer),
            // Parsed, so that it becomes part of the document and cannot break out of a line.
            Value::Json(text) => match Exact::read(text) {
                Some(json) => json.serialize(serializer),
                None => text.serialize(serializer),
            },
        }
    }
}

impl Serialize for Invitation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Invitation::Pending => "pending",
            Invitation::Accepted => "accepted",
            Invitation::Expired => "expired",
            Invitation::Other(name) => name,
        })
    }
}

impl Serialize for EventKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            EventKind::AccountCreated => "account-created",
            EventKind::AccountUpdated => "account-updated",
            EventKind::AccountDeleted => "account-deleted",
            EventKind::SignedIn => "signed-in",
            EventKind::RoleAssignmentChanged => "role-assignment-changed",
            EventKind::Other(name) => name,
        })
    }
}

/// As an object with the `name` of the type and, where the type has them, its `values` or the kind it is a `reference` to.
impl Serialize for FieldType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (name, values, reference) = match self {
            FieldType::Text => ("text", None, None),
            FieldType::Email => ("email", None, None),
            FieldType::Boolean => ("boolean", None, None),
            FieldType::Integer => ("integer", None, None),
            FieldType::Url => ("url", None, None),
            FieldType::Choice(values) => ("choice", Some(values), None),
            FieldType::Words(values) => ("words", Some(values), None),
            FieldType::Reference(kind) => ("reference", None, Some(kind.name())),
        };
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("name", name)?;
        object.serialize_entry("values", &values)?;
        object.serialize_entry("reference", &reference)?;
        object.end()
    }
}

/// The first keys are there for every kind of failure; those that only some kinds have follow, where they apply.
impl Serialize for Failure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.with_retry(self.error.retry()).serialize(serializer)
    }
}

/// A failure of which the host knows better than the contract whether to repeat the call.
pub(crate) struct WithRetry<'a>(&'a Failure, Retry);

impl Failure {
    pub(crate) fn with_retry(&self, retry: Retry) -> WithRetry<'_> {
        WithRetry(self, retry)
    }
}

impl Serialize for WithRetry<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(failure, retry) = *self;
        let exchange = failure.exchange.as_ref();
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("kind", failure.error.kind().name())?;
        object.serialize_entry("message", &failure.message)?;
        object.serialize_entry("retry", retry.name())?;
        object.serialize_entry("retryAfterMs", &wait_ms(retry))?;
        object.serialize_entry("request", &exchange.map(|exchange| &exchange.request))?;
        object.serialize_entry("status", &status(failure))?;
        object.serialize_entry(
            "code",
            &exchange.and_then(|exchange| exchange.code.as_ref()),
        )?;
        let request_id = exchange.and_then(|exchange| exchange.request_id.as_ref());
        object.serialize_entry("requestId", &request_id)?;
        serialize_payload(&failure.error, &mut object)?;
        object.end()
    }
}

/// The HTTP status: of the answer, or else as the error has it.
fn status(failure: &Failure) -> Option<u16> {
    let answered = failure
        .exchange
        .as_ref()
        .and_then(|exchange| exchange.status);
    answered.or(match failure.error {
        Error::Upstream(status) => Some(status),
        _ => None,
    })
}

fn wait_ms(retry: Retry) -> Option<u128> {
    match retry {
        Retry::After(wait) => Some(wait.as_millis()),
        Retry::No | Retry::AfterPause => None,
    }
}

fn serialize_payload<M: SerializeMap>(error: &Error, object: &mut M) -> Result<(), M::Error> {
    match error {
        Error::InvalidSettings(problems) | Error::InvalidArgument(problems) => {
            object.serialize_entry("problems", problems)
        }
        Error::MissingPermission(needed) => object.serialize_entry("needed", needed),
        Error::NotFound(missing) => object.serialize_entry("missing", missing),
        Error::AlreadyExists(existing) => object.serialize_entry("existing", existing),
        Error::Refused(reason) => object.serialize_entry("reason", reason.name()),
        Error::Unsupported(operation) => object.serialize_entry("operation", operation.name()),
        Error::Timeout(phase) => object.serialize_entry("phase", phase.name()),
        Error::MalformedResponse(offset) => object.serialize_entry("offset", offset),
        // Told by the keys that every failure has.
        Error::RateLimited(_) | Error::Upstream(_) => Ok(()),
        Error::Unauthorized
        | Error::InvalidCursor
        | Error::Network
        | Error::LimitExceeded
        | Error::Unconfirmed
        | Error::Other => Ok(()),
    }
}

/// As its name, followed where nothing is changed by the reason: `unchanged: already-granted`.
impl Serialize for Outcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.reason() {
            Some(reason) => serializer.collect_str(&format_args!("{}: {reason}", self.name())),
            None => serializer.serialize_str(self.name()),
        }
    }
}

fn names(kinds: &[ErrorKind]) -> Vec<&'static str> {
    kinds.iter().map(|kind| kind.name()).collect()
}

/// Attributes as an object from name to value. Of a name that comes twice, the last value counts.
struct Attributes<'a>(&'a [Attribute]);

impl Serialize for Attributes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let attributes: BTreeMap<&str, &Value> = self
            .0
            .iter()
            .map(|attribute| (attribute.name.as_str(), &attribute.value))
            .collect();
        attributes.serialize(serializer)
    }
}

/// Milliseconds since 1970 as RFC 3339 text; a time beyond what that can say stays a number.
struct Time(i64);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(time) => serializer.collect_str(&time),
            Err(_) => serializer.serialize_i64(self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::contract::{Action, Exchange, UnchangedReason};

    fn to_json(value: &impl Serialize) -> serde_json::Value {
        serde_json::to_value(value).expect("the contract's types always have a JSON form")
    }

    #[test]
    fn what_was_not_sent_is_null() {
        let role = Role {
            id: "7".to_string(),
            name: None,
            account_kind: None,
            description: None,
            member_count: None,
            attributes: Vec::new(),
        };
        assert_eq!(
            to_json(&Item::Role(role)),
            json!({
                "type": "role", "id": "7", "name": null, "accountKind": null, "description": null,
                "memberCount": null, "attributes": {},
            })
        );
    }

    #[test]
    fn attributes_keep_their_types() {
        let attribute = |name: &str, value| Attribute {
            name: name.to_string(),
            value,
        };
        let attributes = [
            attribute("text", Value::Text("1".to_string())),
            attribute("yes", Value::Boolean(true)),
            attribute("one", Value::Integer(1)),
            attribute("list", Value::Json("[1,\n2]".to_string())),
            attribute("broken", Value::Json("[1".to_string())),
        ];
        assert_eq!(
            to_json(&Attributes(&attributes)),
            json!({"text": "1", "yes": true, "one": 1, "list": [1, 2], "broken": "[1"})
        );
    }

    #[test]
    fn attributes_keep_every_digit_and_each_has_its_name_once() {
        let attribute = |name: &str, text: &str| Attribute {
            name: name.to_string(),
            value: Value::Json(text.to_string()),
        };
        let attributes = [
            attribute("class", "\"A\""),
            attribute("number", "12345678901234567890123"),
            attribute("nested", "{\"a\": [1e400],\n \"a\": [1.10]}"),
            attribute("class", "\"B\""),
        ];
        let text = serde_json::to_string(&Attributes(&attributes));
        assert_eq!(
            text.expect("it has a JSON form"),
            r#"{"class":"B","nested":{"a":[1.10]},"number":12345678901234567890123}"#
        );
    }

    #[test]
    fn points_in_time_are_rfc_3339() {
        assert_eq!(
            to_json(&Time(1_700_000_000_123)),
            "2023-11-14T22:13:20.123Z"
        );
        assert_eq!(to_json(&Time(i64::MAX)), i64::MAX);
    }

    #[test]
    fn a_step_says_how_it_ended_and_why() {
        let step = Step {
            action: Action::GrantRole,
            account: Some("1".to_string()),
            role: Some("2".to_string()),
            changes: Vec::new(),
            status: StepStatus::Done(Outcome::Unchanged(UnchangedReason::AlreadyGranted)),
        };
        assert_eq!(
            to_json(&step),
            json!({
                "action": "grant-role", "account": "1", "role": "2", "changes": [],
                "status": "unchanged", "reason": "already-granted", "failure": null,
            })
        );
    }

    #[test]
    fn a_failure_says_when_to_repeat() {
        let failure = Failure {
            error: Error::RateLimited(Some(1500)),
            message: "Wait.".to_string(),
            exchange: Some(Exchange {
                request: "GET /v2/users".to_string(),
                status: Some(429),
                code: None,
                request_id: None,
            }),
        };
        assert_eq!(
            to_json(&failure),
            json!({
                "kind": "rate-limited", "message": "Wait.", "retry": "after", "retryAfterMs": 1500,
                "request": "GET /v2/users", "status": 429, "code": null, "requestId": null,
            })
        );
    }
}
