//! An operation of the API as a description has it, and what in an exchange does not fit it.

use std::collections::BTreeMap;

use bytes::Bytes;
use connector_recording::{Answer, Exchange};
use http::{Method, Request, Response};
use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use serde::Deserialize;
use serde_json::Value;

/// An operation: a method on a path, what it takes and what it answers.
pub struct Operation {
    pub method: Method,
    /// With `{…}` for identifiers.
    pub path: String,
    /// Of an object that has a text for each parameter.
    pub query: Validator,
    pub body: Taken,
    /// By status; `default` is for every other.
    pub answers: BTreeMap<String, Given>,
}

/// What an operation takes as a body.
pub enum Taken {
    Nothing,
    Json(Validator),
    Form(Validator),
}

/// What an operation gives as a body.
pub enum Given {
    Nothing,
    Json(Validator),
    /// The description does not say.
    Unsaid,
}

/// Something in an exchange that a description does not have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// As in `GET /v2/user/technician/{id}`.
    pub operation: String,
    /// Where in the exchange, as in `answer/*/tags`: `*` is any element of an array.
    pub place: String,
    pub what: What,
    pub status: Option<u16>,
    /// For people.
    pub detail: String,
}

/// In which way something does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// The operation is not described.
    UnknownOperation,
    /// The status is not among those of the operation.
    UnknownStatus,
    /// There is such a field, or parameter, in the exchange only.
    UnknownField,
    /// The value is null, and null is not described.
    Null,
    /// The value is not one of those that are described.
    OtherValue,
    /// There is a body, and none is described.
    UnwantedBody,
    /// There is no body, and one is described.
    MissingBody,
    /// The body is not JSON.
    NotJson,
    /// Anything else.
    Unfit,
}

/// Everything in an exchange that these operations do not have.
pub fn check(operations: &[Operation], exchange: &Exchange) -> Vec<Finding> {
    let request = &exchange.request;
    let path = request.uri().path();
    let operation = operations
        .iter()
        .find(|operation| operation.method == request.method() && operation.is_at(path));
    let Some(operation) = operation else {
        return vec![Finding {
            operation: format!("{} {}", request.method(), templated(path)),
            place: "request".to_string(),
            what: What::UnknownOperation,
            status: None,
            detail: "there is no such operation".to_string(),
        }];
    };
    let mut found = operation.check_request(request);
    // The connector leaves the rest of an answer that it has read enough of; a part of it is not JSON.
    if let Answer::Whole(answer) = &exchange.answer {
        found.extend(operation.check_answer(answer));
    }
    found
}

impl Operation {
    pub fn name(&self) -> String {
        format!("{} {}", self.method, templated(&self.path))
    }

    /// Whether the operation is at this path. An identifier is an `int32`.
    pub fn is_at(&self, path: &str) -> bool {
        let (own, given) = (self.path.split('/'), path.split('/'));
        own.clone().count() == given.clone().count()
            && own.zip(given).all(|(own, given)| {
                if own.starts_with('{') {
                    given.parse::<i32>().is_ok_and(|id| id >= 0)
                } else {
                    own == given
                }
            })
    }

    fn check_request(&self, request: &Request<Bytes>) -> Vec<Finding> {
        let query = fields(request.uri().query().unwrap_or_default().as_bytes());
        let mut found = self.fit(&self.query, &query, "query", None);
        let body = request.body();
        match &self.body {
            Taken::Nothing if body.is_empty() => {}
            Taken::Nothing => found.push(self.finding("request", What::UnwantedBody, None, body)),
            Taken::Form(form) => found.extend(self.fit(form, &fields(body), "request", None)),
            Taken::Json(schema) => found.extend(self.fit_text(schema, body, "request", None)),
        }
        found
    }

    fn check_answer(&self, answer: &Response<Bytes>) -> Vec<Finding> {
        let status = answer.status().as_u16();
        let body = answer.body();
        let given = self.answers.get(&status.to_string());
        let Some(given) = given.or_else(|| self.answers.get("default")) else {
            return vec![self.finding("answer", What::UnknownStatus, Some(status), body)];
        };
        match given {
            Given::Unsaid => Vec::new(),
            Given::Nothing if body.is_empty() => Vec::new(),
            Given::Nothing => vec![self.finding("answer", What::UnwantedBody, Some(status), body)],
            Given::Json(schema) => self.fit_text(schema, body, "answer", Some(status)),
        }
    }

    fn fit_text(
        &self,
        schema: &Validator,
        body: &Bytes,
        place: &str,
        status: Option<u16>,
    ) -> Vec<Finding> {
        if body.is_empty() {
            return vec![self.finding(place, What::MissingBody, status, body)];
        }
        match serde_json::from_slice(body) {
            Ok(json) => self.fit(schema, &json, place, status),
            Err(_) => vec![self.finding(place, What::NotJson, status, body)],
        }
    }

    fn fit(
        &self,
        schema: &Validator,
        value: &Value,
        place: &str,
        status: Option<u16>,
    ) -> Vec<Finding> {
        let errors = schema.iter_errors(value).flat_map(|error| {
            let own = format!("{place}{}", generalized(error.instance_path.as_str()));
            places(&error, &own)
                .into_iter()
                .map(|place| Finding {
                    operation: self.name(),
                    place,
                    what: what(&error),
                    status,
                    detail: error.to_string(),
                })
                .collect::<Vec<_>>()
        });
        errors.collect()
    }

    fn finding(&self, place: &str, what: What, status: Option<u16>, body: &Bytes) -> Finding {
        Finding {
            operation: self.name(),
            place: place.to_string(),
            what,
            status,
            detail: format!("{:.200}", String::from_utf8_lossy(body)),
        }
    }
}

fn what(error: &ValidationError) -> What {
    use ValidationErrorKind as Kind;
    match &error.kind {
        _ if error.instance.is_null() => What::Null,
        Kind::AdditionalProperties { .. } => What::UnknownField,
        Kind::Enum { .. } | Kind::Constant { .. } => What::OtherValue,
        _ => What::Unfit,
    }
}

/// An error about unknown fields is about each of them.
fn places(error: &ValidationError, own: &str) -> Vec<String> {
    match &error.kind {
        ValidationErrorKind::AdditionalProperties { unexpected } => unexpected
            .iter()
            .map(|field| format!("{own}/{field}"))
            .collect(),
        _ => vec![own.to_string()],
    }
}

/// A JSON pointer with `*` for each index.
fn generalized(pointer: &str) -> String {
    let parts = pointer.split('/').map(|part| {
        let is_index = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if is_index { "*" } else { part }
    });
    parts.collect::<Vec<_>>().join("/")
}

/// A path with `{id}` for each identifier, and for each name that a description has for one.
pub fn templated(path: &str) -> String {
    let parts = path.split('/').map(|part| {
        let is_id = part.starts_with('{') || part.parse::<u64>().is_ok();
        if is_id { "{id}" } else { part }
    });
    parts.collect::<Vec<_>>().join("/")
}

/// The fields of a form, or the parameters of a query, as an object of texts.
fn fields(form: &[u8]) -> Value {
    form_urlencoded::parse(form)
        .into_owned()
        .map(|(name, value)| (name, Value::from(value)))
        .collect()
}
