//! Whether two requests ask for the same.

use std::fmt;

use bytes::Bytes;
use http::Request;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::redact::is_form;

/// How deep JSON may be nested that is compared as such. What connectors send is a few levels deep.
const DEEPEST: usize = 64;

/// Whether two requests ask for the same: by method, path, query and body. How a form or JSON is written does not matter.
pub(crate) fn same(sent: &Request<Bytes>, expected: &Request<Bytes>) -> bool {
    let query =
        |request: &Request<Bytes>| fields(request.uri().query().unwrap_or_default().as_bytes());
    sent.method() == expected.method()
        && sent.uri().path() == expected.uri().path()
        && query(sent) == query(expected)
        && body(sent) == body(expected)
}

/// A body in the form in which it can be compared.
#[derive(PartialEq)]
enum Compared<'a> {
    Form(Vec<(String, String)>),
    Json(Json),
    Bytes(&'a Bytes),
}

fn body(request: &Request<Bytes>) -> Compared<'_> {
    if is_form(request.headers()) {
        return Compared::Form(fields(request.body()));
    }
    Json::parse(request.body()).map_or(Compared::Bytes(request.body()), Compared::Json)
}

/// The fields of a form, in its order.
fn fields(form: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(form).into_owned().collect()
}

/// JSON with its numbers as they are written: as numbers, those of many digits would be rounded, and be the same when they are not.
#[derive(Debug, PartialEq)]
enum Json {
    /// A number, `true`, `false` or `null`.
    Literal(String),
    Text(String),
    List(Vec<Json>),
    /// In the order of their names. Those of one name are in the order of the text.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// JSON, unless it is none, or nested too deep.
    fn parse(text: &[u8]) -> Option<Self> {
        Self::of(serde_json::from_slice(text).ok()?, DEEPEST)
    }

    fn of(raw: &RawValue, depth: usize) -> Option<Self> {
        let depth = depth.checked_sub(1)?;
        let text = raw.get();
        Some(match text.as_bytes().first()? {
            b'"' => Self::Text(serde_json::from_str(text).ok()?),
            b'[' => {
                let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
                let items = items.into_iter().map(|item| Self::of(item, depth));
                Self::List(items.collect::<Option<_>>()?)
            }
            b'{' => {
                let Fields(fields) = serde_json::from_str(text).ok()?;
                let fields = fields
                    .into_iter()
                    .map(|(name, value)| Some((name, Self::of(value, depth)?)));
                let mut fields: Vec<_> = fields.collect::<Option<_>>()?;
                fields.sort_by(|(one, _), (other, _)| one.cmp(other));
                Self::Object(fields)
            }
            _ => Self::Literal(text.to_string()),
        })
    }
}

/// The fields of an object, each of them: a name may come twice.
struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;

        impl<'de> Visitor<'de> for Collect {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(Collect)
    }
}
