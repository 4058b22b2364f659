//! What the API refuses, and in which of its shapes.
//!
//! NinjaOne has no error schema. Three shapes have been observed: that of the authorization layer
//! (`error`, `error_description`, `error_code`), that of the application (`resultCode`,
//! `errorMessage`, `incidentId`), and that of an unknown route. A [`Refusal`] names what went
//! wrong; [`Refusal::render`] writes it down once the request id and the switches are at hand.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::ErrorMessage;

/// A request that is refused.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    status: StatusCode,
    body: Body,
}

#[derive(Debug, Clone)]
enum Body {
    /// What the authorization layer and the token endpoint answer.
    Authorization {
        error: &'static str,
        description: String,
        code: Option<u8>,
    },
    /// What the application answers; its message has the shape that the switch says.
    Application {
        result_code: &'static str,
        code: &'static str,
        message: String,
    },
    /// As `Application`, but always with an object as the message.
    Structured {
        result_code: &'static str,
        code: &'static str,
    },
    /// 404 of the token endpoint for a client it does not know (observed). Has no message.
    UnknownClient,
    /// What no code of the application saw: an unknown route (observed) and, by analogy, a method
    /// that the route does not have. Always a text, and no incident id.
    Framework,
}

impl Refusal {
    /// 400: no `Authorization` header (observed).
    pub(super) fn missing_header() -> Self {
        Self::authorization(
            StatusCode::BAD_REQUEST,
            "missing_header",
            "Missing required header",
            Some(2),
        )
    }

    /// 400: an `Authorization` header that is no bearer token (observed).
    pub(super) fn malformed_header() -> Self {
        Self::authorization(
            StatusCode::BAD_REQUEST,
            "invalid_header",
            "Invalid 'Authorization' header",
            Some(1),
        )
    }

    /// 401: a token that was never valid or no longer is (observed).
    pub(super) fn not_authenticated() -> Self {
        Self::authorization(
            StatusCode::UNAUTHORIZED,
            "not_authenticated",
            "Invalid credentials",
            Some(10),
        )
    }

    /// 403: the endpoint wants a token of a person (observed on another endpoint).
    pub(super) fn user_context_required() -> Self {
        let description =
            "Access key does not have user context which is required for this request";
        Self::authorization(
            StatusCode::FORBIDDEN,
            "user_context_required",
            description,
            Some(5),
        )
    }

    /// 401 or 403: the token lacks the scope. The word was observed, the rest of the body not.
    pub(super) fn insufficient_privileges(status: StatusCode) -> Self {
        Self::authorization(
            status,
            "insufficient_privileges",
            "Insufficient privileges",
            None,
        )
    }

    /// An error of the token endpoint, in the words of OAuth 2.0.
    pub(super) fn oauth(
        status: StatusCode,
        error: &'static str,
        description: impl Into<String>,
    ) -> Self {
        Self::authorization(status, error, description, None)
    }

    /// 404 of the token endpoint: no such client, perhaps because of the wrong region (observed).
    pub(super) fn unknown_client() -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            body: Body::UnknownClient,
        }
    }

    /// 404: no such route (observed).
    pub(super) fn unknown_route() -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            body: Body::Framework,
        }
    }

    /// 405: the route does not have this method.
    pub(super) fn method_not_allowed() -> Self {
        Self {
            status: StatusCode::METHOD_NOT_ALLOWED,
            body: Body::Framework,
        }
    }

    /// 404: no such account, role or member. It is known that the `resultCode` differs from that
    /// of an unknown route; what it is, is not.
    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::application(
            StatusCode::NOT_FOUND,
            "ENTITY_NOT_FOUND",
            "not_found",
            message,
        )
    }

    /// 400: a validation error. `code` is a word for programs.
    pub(super) fn invalid(code: &'static str, message: impl Into<String>) -> Self {
        Self::application(StatusCode::BAD_REQUEST, "VALIDATION_ERROR", code, message)
    }

    /// 403: nobody may do this to this account.
    pub(super) fn forbidden(code: &'static str, message: impl Into<String>) -> Self {
        Self::application(StatusCode::FORBIDDEN, "FORBIDDEN", code, message)
    }

    /// 409: the email address is taken.
    pub(super) fn email_conflict() -> Self {
        Self {
            status: StatusCode::CONFLICT,
            body: Body::Structured {
                result_code: "FAILURE",
                code: EMAIL_IN_USE,
            },
        }
    }

    /// The request itself is refused before it is looked at: too large, of another media type, ….
    pub(super) fn unreadable(status: StatusCode, message: impl Into<String>) -> Self {
        Self::application(status, "FAILURE", "unreadable_request", message)
    }

    fn authorization(
        status: StatusCode,
        error: &'static str,
        description: impl Into<String>,
        code: Option<u8>,
    ) -> Self {
        let description = description.into();
        Self {
            status,
            body: Body::Authorization {
                error,
                description,
                code,
            },
        }
    }

    fn application(
        status: StatusCode,
        result_code: &'static str,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self {
            status,
            body: Body::Application {
                result_code,
                code,
                message: message.into(),
            },
        }
    }

    /// The response, with `incident` as the incident id of the shapes that have one.
    pub(super) fn render(self, incident: &str, shape: ErrorMessage) -> Response {
        let body = match self.body {
            Body::Authorization {
                error,
                description,
                code,
            } => authorization_body(error, &description, code),
            Body::Application {
                result_code,
                code,
                message,
            } => {
                let message = match shape {
                    ErrorMessage::Text => Some(Value::from(message)),
                    ErrorMessage::Object => Some(json!({ "code": code, "params": {} })),
                    ErrorMessage::Absent => None,
                };
                application_body(result_code, message, incident)
            }
            Body::Structured { result_code, code } => {
                let message = json!({ "code": code, "params": {} });
                application_body(result_code, Some(message), incident)
            }
            Body::UnknownClient => application_body("Client app not exist", None, incident),
            Body::Framework => {
                let message = format!("HTTP {}", self.status);
                json!({ "resultCode": "FAILURE", "errorMessage": message })
            }
        };
        (self.status, Json(body)).into_response()
    }
}

/// The code that one client expects when an email address is taken.
pub(super) const EMAIL_IN_USE: &str = "email_already_in_use";

fn authorization_body(error: &str, description: &str, code: Option<u8>) -> Value {
    let mut body = json!({ "error": error, "error_description": description });
    if let Some(code) = code {
        body["error_code"] = code.into();
    }
    body
}

fn application_body(result_code: &str, message: Option<Value>, incident: &str) -> Value {
    let mut body = Map::new();
    body.insert("resultCode".to_owned(), result_code.into());
    if let Some(message) = message {
        body.insert("errorMessage".to_owned(), message);
    }
    body.insert(
        "incidentId".to_owned(),
        format!("WEB_MGMT_SERVICE-{incident}").into(),
    );
    Value::Object(body)
}

/// Carries the refusal in the extensions of an empty response, to be rendered where the request id
/// and the switches are known: at the outermost layer.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}
