//! Bodies that are not what they should be, each made from the right one.

use serde_json::{Map, Value};

/// A character that has no place there, after the first one.
pub fn malformed(body: &[u8]) -> Vec<u8> {
    let (first, rest) = body.split_at(body.len().min(1));
    [first, b"!", rest].concat()
}

/// The first half, as if it were all.
pub fn truncated(body: &[u8]) -> Vec<u8> {
    body[..body.len() / 2].to_vec()
}

/// The same, with white space before the end of its list: more than a reader takes in at a time.
pub fn spacious(body: &[u8]) -> Vec<u8> {
    const WIDTH: usize = 512 << 10;
    let end = body.iter().rposition(|byte| *byte == b']');
    let (before, after) = body.split_at(end.unwrap_or(body.len()));
    [before, &[b' '; WIDTH], after].concat()
}

pub fn empty(_: &[u8]) -> Vec<u8> {
    Vec::new()
}

pub fn byte_order_mark(body: &[u8]) -> Vec<u8> {
    [b"\xEF\xBB\xBF", body].concat()
}

/// Every identifier as a boolean.
pub fn ids_of_another_type(body: &[u8]) -> Vec<u8> {
    scalars(body, &|name, value| match is_id(name) {
        true => Value::Bool(true),
        false => value,
    })
}

/// Everything of another type than it is, but identifiers and the lists of what has some: numbers and booleans as text, and text
/// as a boolean.
pub fn odd_values(body: &[u8]) -> Vec<u8> {
    scalars(body, &|name, value| match value {
        value if name == "id" => value,
        Value::Number(number) => Value::String(format!("{number} or so")),
        Value::String(_) => Value::Bool(true),
        Value::Bool(_) => Value::String("yes".to_string()),
        other => other,
    })
}

/// Every identifier greater than an `int32` can be, but those of activities, which may be.
pub fn beyond_int32(body: &[u8]) -> Vec<u8> {
    if body
        .windows(ACTIVITIES.len())
        .any(|part| part == ACTIVITIES)
    {
        return body.to_vec();
    }
    scalars(body, &|name, value| match value.as_i64() {
        Some(number) if is_id(name) => Value::from(number + (1 << 32)),
        _ => value,
    })
}

const ACTIVITIES: &[u8] = b"\"activities\"";

pub fn negative_ids(body: &[u8]) -> Vec<u8> {
    scalars(body, &|name, value| match value.as_i64() {
        Some(number) if is_id(name) => Value::from(-number),
        _ => value,
    })
}

/// Null for everything but identifiers and the lists of what has some.
pub fn nulls(body: &[u8]) -> Vec<u8> {
    changed(body, |value| {
        for object in objects(value) {
            for (name, value) in object.iter_mut() {
                if !["id", "activities", "members"].contains(&name.as_str()) {
                    *value = Value::Null;
                }
            }
        }
    })
}

/// Null for the members of roles.
pub fn no_members(body: &[u8]) -> Vec<u8> {
    changed(body, |value| {
        for object in objects(value) {
            if let Some(members) = object.get_mut("members") {
                *members = Value::Null;
            }
        }
    })
}

/// Each element of each list of objects twice.
pub fn duplicates(body: &[u8]) -> Vec<u8> {
    fn twice(value: &mut Value) {
        match value {
            Value::Array(elements) => {
                elements.iter_mut().for_each(twice);
                if elements.iter().all(Value::is_object) {
                    let doubled = elements.iter().flat_map(|e| [e.clone(), e.clone()]);
                    *elements = doubled.collect();
                }
            }
            Value::Object(fields) => fields.values_mut().for_each(twice),
            _ => {}
        }
    }
    changed(body, twice)
}

pub fn ten_megabytes(body: &[u8]) -> Vec<u8> {
    with_field(body, format!("\"{}\"", "x".repeat(10 << 20)).as_bytes())
}

pub fn ten_thousand_levels(body: &[u8]) -> Vec<u8> {
    const LEVELS: usize = 10_000;
    with_field(body, ("[".repeat(LEVELS) + &"]".repeat(LEVELS)).as_bytes())
}

pub fn invalid_utf8(body: &[u8]) -> Vec<u8> {
    with_field(body, b"\"\xFF\"")
}

/// The first object with one more field at its start.
fn with_field(body: &[u8], value: &[u8]) -> Vec<u8> {
    let Some(brace) = body.iter().position(|byte| *byte == b'{') else {
        return body.to_vec();
    };
    let (before, after) = body.split_at(brace + 1);
    let comma: &[u8] = if after.starts_with(b"}") { b"" } else { b"," };
    [before, b"\"unheardOf\":", value, comma, after].concat()
}

fn is_id(name: &str) -> bool {
    name == "id" || name.ends_with("Id")
}

/// What is not JSON (the empty body of a write) stays as it is.
fn changed(body: &[u8], change: impl FnOnce(&mut Value)) -> Vec<u8> {
    match serde_json::from_slice(body) {
        Ok(mut value) => {
            change(&mut value);
            value.to_string().into_bytes()
        }
        Err(_) => body.to_vec(),
    }
}

/// The object that a body is, or those of its list.
fn objects(value: &mut Value) -> Vec<&mut Map<String, Value>> {
    match value {
        Value::Array(elements) => elements
            .iter_mut()
            .filter_map(Value::as_object_mut)
            .collect(),
        Value::Object(fields) => match fields.contains_key("activities") {
            true => objects(&mut fields["activities"]),
            false => vec![fields],
        },
        _ => Vec::new(),
    }
}

/// Changes each value that is no list and no object, by the name of the field that it is in.
fn scalars(body: &[u8], change: &dyn Fn(&str, Value) -> Value) -> Vec<u8> {
    fn walk(name: &str, value: &mut Value, change: &dyn Fn(&str, Value) -> Value) {
        match value {
            Value::Array(elements) => elements.iter_mut().for_each(|e| walk(name, e, change)),
            Value::Object(fields) => fields.iter_mut().for_each(|(n, v)| walk(n, v, change)),
            scalar => *scalar = change(name, scalar.take()),
        }
    }
    changed(body, |value| walk("", value, change))
}
