//! A list in an arbitrary body, which is read while it arrives, is given exactly as it is when read whole, or is an error.
#![no_main]

use std::collections::BTreeSet;
use std::fmt;

use libfuzzer_sys::fuzz_target;
use ninjaone_connector::contract::{Continuation, ErrorKind, Item, ListRequest, ResourceKinds};
use ninjaone_connector_fuzz::{Answer, Outside, Reply, token};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// An item in short.
type Name = (u8, String, String);

/// The activities of a body that are older than one, as NinjaOne gives them from there on.
fn older(body: &[u8], than: &str) -> Vec<u8> {
    let mut value: Value = serde_json::from_slice(body).unwrap_or_default();
    let than: i64 = than.parse().expect("the connector asks by a number");
    match value.get_mut("activities").and_then(Value::as_array_mut) {
        Some(activities) => {
            activities.retain(|own| {
                let id = id(own).and_then(|id| id.parse::<i64>().ok());
                id.is_none_or(|id| id < than)
            });
            value.to_string().into_bytes()
        }
        None => br#"{"activities":[]}"#.to_vec(),
    }
}

/// Lists everything: in one instance page by page, or with a fresh one for each page.
fn list(
    kinds: ResourceKinds,
    body: &[u8],
    chunk: usize,
    limit: Option<u32>,
    fresh: bool,
) -> Result<Vec<Name>, ErrorKind> {
    let body = body.to_vec();
    let outside = Outside::new(chunk, move |_, target| {
        if target.ends_with("/oauth/token") {
            return token();
        }
        let older_than = target.split_once("olderThan=").map(|(_, id)| id);
        Reply::Answer(Answer::ok(if target.contains("after=") {
            b"[]".to_vec()
        } else if let Some(id) = older_than {
            older(&body, id)
        } else {
            body.clone()
        }))
    });
    let mut request = ListRequest::everything(kinds);
    request.limit = limit;
    let mut connector = outside.connector();
    let mut names = Vec::new();
    loop {
        let page = connector.list(&request);
        outside.assert_kept();
        let page = page.map_err(|failure| ninjaone_connector::error::kind(&failure.error))?;
        names.extend(page.items.iter().map(|item| match item {
            Item::Account(account) => (b'a', account.id.clone(), String::new()),
            Item::Role(role) => (b'r', role.id.clone(), String::new()),
            Item::Grant(grant) => (b'g', grant.role.clone(), grant.account.clone()),
            Item::Organization(organization) => (b'o', organization.id.clone(), String::new()),
            Item::Event(event) => (b'e', event.id.clone(), String::new()),
        }));
        match page.next {
            Continuation::More(cursor) => request.cursor = Some(cursor),
            Continuation::Complete(_) => return Ok(names),
        }
        if fresh {
            connector = outside.connector();
        }
    }
}

/// An identifier, by another reader. Beyond 2^53 its numbers are not exact.
fn id(value: &Value) -> Option<String> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value.get("id")? {
        Value::String(text) => text.parse::<i64>().ok().map(|id| id.to_string()),
        Value::Number(number) => number
            .as_i64()
            .or_else(|| {
                let whole = number.as_f64().filter(|number| number.fract() == 0.0)?;
                (whole.abs() < EXACT).then_some(whole as i64)
            })
            .map(|id| id.to_string()),
        _ => None,
    }
}

/// Whether a number in a body is beyond what the other reader knows exactly.
fn is_inexact(value: &Value) -> bool {
    match value {
        Value::Number(number) => {
            number.is_f64() && number.as_f64().is_none_or(|number| number.abs() >= 9e15)
        }
        Value::Array(values) => values.iter().any(is_inexact),
        Value::Object(fields) => fields.values().any(is_inexact),
        _ => false,
    }
}

/// What a body says, by another reader: each identifier once, in order.
fn expected(kinds: ResourceKinds, value: &Value) -> Option<Vec<Name>> {
    let mut names = Vec::new();
    let elements = match kinds.contains(ResourceKinds::EVENTS) {
        true => value.get("activities").unwrap_or(&Value::Null),
        false => value,
    };
    // A null is an empty list.
    let elements = match elements {
        Value::Null => Vec::new(),
        list => list.as_array()?.clone(),
    };
    for element in &elements {
        if kinds.contains(ResourceKinds::ROLES) {
            let role = id(element)?;
            for member in element
                .get("members")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
            {
                names.push((b'g', role.clone(), id(member)?));
            }
            names.push((b'r', role, String::new()));
        } else {
            let kind = match kinds {
                ResourceKinds::ACCOUNTS => b'a',
                ResourceKinds::ORGANIZATIONS => b'o',
                _ => b'e',
            };
            names.push((kind, id(element)?, String::new()));
        }
    }
    let mut seen = BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    Some(names)
}

/// Whether some object in a JSON text has a name twice. The connector then passes over a null, and the other reader does not.
struct Ambiguous(bool);

impl<'de> Deserialize<'de> for Ambiguous {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AmbiguousVisitor)
    }
}

struct AmbiguousVisitor;

impl<'de> Visitor<'de> for AmbiguousVisitor {
    type Value = Ambiguous;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Ambiguous, A::Error> {
        let mut names = BTreeSet::new();
        let mut ambiguous = false;
        while let Some((name, value)) = map.next_entry::<String, Ambiguous>()? {
            ambiguous |= value.0 || !names.insert(name);
        }
        Ok(Ambiguous(ambiguous))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Ambiguous, A::Error> {
        let mut ambiguous = false;
        while let Some(value) = seq.next_element::<Ambiguous>()? {
            ambiguous |= value.0;
        }
        Ok(Ambiguous(ambiguous))
    }

    fn visit_unit<E>(self) -> Result<Ambiguous, E> {
        Ok(Ambiguous(false))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Ambiguous, E> {
        Ok(Ambiguous(false))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Ambiguous, E> {
        Ok(Ambiguous(false))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Ambiguous, E> {
        Ok(Ambiguous(false))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Ambiguous, E> {
        Ok(Ambiguous(false))
    }

    fn visit_str<E>(self, _: &str) -> Result<Ambiguous, E> {
        Ok(Ambiguous(false))
    }
}

fuzz_target!(|data: &[u8]| {
    let Some(([kind, chunk], body)) = data.split_first_chunk() else {
        return;
    };
    let kinds = [
        ResourceKinds::ACCOUNTS,
        ResourceKinds::ROLES | ResourceKinds::GRANTS,
        ResourceKinds::ORGANIZATIONS,
        ResourceKinds::EVENTS,
    ][usize::from(kind % 4)];
    let chunk = usize::from(*chunk) + 1;
    let whole = list(kinds, body, body.len(), None, false);
    // A byte-order mark is passed over, as RFC 8259 allows.
    let text = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let ambiguous = serde_json::from_slice(text).is_ok_and(|Ambiguous(ambiguous)| ambiguous);
    // Some JSON is too much for this reader, such as 1e999 in a field that the connector hands on as it came.
    let value: Option<Value> = serde_json::from_slice(text)
        .ok()
        .filter(|value| !ambiguous && !is_inexact(value));
    if let Ok(names) = &whole {
        serde_json::from_slice::<IgnoredAny>(text).expect("what is no JSON is not listed");
        if let Some(value) = &value {
            let expected = expected(kinds, value).expect("what has no ids is not listed");
            assert_eq!(names, &expected);
        }
    }
    assert_eq!(list(kinds, body, chunk, None, false), whole);
    for fresh in [false, true] {
        // A fresh instance asks for older activities, which come in another body: one made by the reader above.
        if fresh && kinds == ResourceKinds::EVENTS && (whole.is_err() || value.is_none()) {
            continue;
        }
        let paged = list(kinds, body, chunk, Some(1), fresh);
        assert_eq!(paged, whole, "in pages of one, in fresh instances: {fresh}");
    }
});
