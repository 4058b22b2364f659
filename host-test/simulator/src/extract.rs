//! axum's extractors with the errors of this API instead of axum's own.

use axum::{
    Json,
    extract::{
        FromRequest, FromRequestParts, Path, Query, Request,
        rejection::{JsonRejection, QueryRejection},
    },
};
use http::{StatusCode, request::Parts};
use serde::de::DeserializeOwned;

use super::errors::Refusal;

/// The number in the path. Anything else there is an unknown route, as in most Java frameworks;
/// what NinjaOne says is not known.
pub(super) struct Id(pub(super) u32);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let path = Path::<u32>::from_request_parts(parts, state).await;
        path.map(|Path(id)| Self(id))
            .map_err(|_| Refusal::unknown_route())
    }
}

/// The query. Parameters that are not known are ignored; an impossible value is 400.
pub(super) struct Parameters<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Parameters<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let query = Query::<T>::from_request_parts(parts, state).await;
        query
            .map(|Query(parameters)| Self(parameters))
            .map_err(|rejection: QueryRejection| {
                Refusal::invalid("invalid_parameter", rejection.body_text())
            })
    }
}

/// A JSON body: 415 without a JSON content type, 400 if it cannot be read.
pub(super) struct Payload<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Payload<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let json = Json::<T>::from_request(request, state).await;
        json.map(|Json(value)| Self(value)).map_err(|rejection| {
            let status = match &rejection {
                JsonRejection::MissingJsonContentType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
                // axum tells a wrong type (422) from wrong syntax; the specification has only 400.
                _ => StatusCode::BAD_REQUEST,
            };
            Refusal::unreadable(status, rejection.body_text())
        })
    }
}
