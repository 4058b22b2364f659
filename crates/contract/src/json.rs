//! The JSON form of what is not written field by field: what is told by several keys, or otherwise than WIT has it.

use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::{
    Attribute, Change, Error, Failure, FieldDescription, FieldType, Help, Notice, OperationCheck,
    Outcome, Permission, Retry, Step, StepStatus, Timestamp, Value,
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
    change: Change {
        "type": "change",
        "outcome": change.outcome.name(),
        "reason": change.outcome.reason(),
        "steps": change.steps,
        "account": change.account,
    }
    step: Step {
        "action": step.action,
        "account": step.account,
        "role": step.role,
        "changes": step.changes,
        "status": match &step.status {
            StepStatus::Done(outcome) => outcome.name(),
            other => other.name(),
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
    field: FieldDescription {
        "name": field.name,
        "description": field.description,
        "valueType": field.type_,
        "required": field.required,
        "minLength": field.length.map(|(fewest, _)| fewest),
        "maxLength": field.length.map(|(_, most)| most),
    }
    check: OperationCheck {
        "operation": check.operation,
        "permission": check.permission.name(),
        "reason": match &check.permission {
            Permission::Allowed => None,
            Permission::Denied(reason) | Permission::Unknown(reason) => Some(reason),
        },
    }
    field_type: FieldType {
        "name": field_type.name(),
        "values": match field_type {
            FieldType::Choice(values) | FieldType::Words(values) => Some(values),
            _ => None,
        },
        "reference": match field_type {
            FieldType::Reference(kind) => Some(kind),
            _ => None,
        },
    }
}

impl Serialize for Notice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("type", "notice")?;
        object.serialize_entry("notice", self.name())?;
        match self {
            Notice::Duplicate(resource) => object.serialize_entry("resource", resource)?,
            Notice::UnknownMember(assignment) => {
                object.serialize_entry("assignment", assignment)?;
            }
        }
        object.end()
    }
}

impl Serialize for Failure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.help().serialize(serializer)
    }
}

/// The first keys are there for every kind of failure; those that only some kinds have follow, where they apply.
impl Serialize for Help<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { failure, retry } = *self;
        let exchange = failure.exchange.as_ref();
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("kind", failure.error.name())?;
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
        Error::Refused(reason) => object.serialize_entry("reason", reason),
        Error::Unsupported(operation) => object.serialize_entry("operation", operation),
        Error::Timeout(phase) => object.serialize_entry("phase", phase),
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

/// Attributes as an object from name to value. Of a name that comes twice, the last value counts.
pub(crate) fn attributes<S: Serializer>(
    attributes: &[Attribute],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let attributes: BTreeMap<&str, &Value> = attributes
        .iter()
        .map(|attribute| (attribute.name.as_str(), &attribute.value))
        .collect();
    attributes.serialize(serializer)
}

/// Milliseconds since 1970 as RFC 3339 text; a time beyond what that can say stays a number.
pub(crate) fn time<S: Serializer>(
    time: &Option<Timestamp>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let Some(milliseconds) = *time else {
        return serializer.serialize_none();
    };
    match jiff::Timestamp::from_millisecond(milliseconds) {
        Ok(time) => serializer.collect_str(&time),
        Err(_) => serializer.serialize_i64(milliseconds),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Action, Exchange, Item, Role, UnchangedReason};

    fn to_json(value: &impl Serialize) -> serde_json::Value {
        serde_json::to_value(value).expect("the contract's types always have a JSON form")
    }

    #[test]
    fn what_was_not_sent_is_null() {
        let role = Role {
            id: "7".to_string(),
            ..Role::default()
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
        let written = super::attributes(&attributes, serde_json::value::Serializer);
        assert_eq!(
            written.expect("they have a JSON form"),
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
        let mut text = Vec::new();
        super::attributes(&attributes, &mut serde_json::Serializer::new(&mut text))
            .expect("they have a JSON form");
        assert_eq!(
            String::from_utf8_lossy(&text),
            r#"{"class":"B","nested":{"a":[1.10]},"number":12345678901234567890123}"#
        );
    }

    #[test]
    fn points_in_time_are_rfc_3339() {
        let written = |milliseconds| time(&milliseconds, serde_json::value::Serializer);
        for (milliseconds, expected) in [
            (Some(1_700_000_000_123), json!("2023-11-14T22:13:20.123Z")),
            (Some(i64::MAX), json!(i64::MAX)),
            (None, json!(null)),
        ] {
            assert_eq!(written(milliseconds).expect("it has a JSON form"), expected);
        }
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
