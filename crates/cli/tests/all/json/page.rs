//! The schema of the JSON Lines, and the page that says for people what is in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_json::Value;

pub type Schema = Value;

const INTRODUCTION: &str = "# JSON Lines

With `--json`, `connector-host` writes one JSON object per line on standard output, and a failure as one line on standard error.
Other lines on standard error are for people; `--quiet` leaves them out. This page is made from
[json.schema.json](json.schema.json), a JSON Schema for programs; a test runs every command and holds each line to it, and another
one holds this page to it: `cargo xtask docs` writes it anew.

## What a program may rely on

- Within the versions 0.1.x no key is removed, none changes its meaning or its type, and none that is always there goes missing.
  What does change comes with a new minor version, and with a line in the changelog.
- Keys, kinds of lines, and values where a key has one of several are added at any time: ignore those that you do not know.
- Every key is always there, and `null` for what does not apply or is not known: absent is not `false` and not empty. Where it is
  otherwise, in errors and in notices, the key says when it is there.
- Lines say what they are by `type`. Where two have the same (`finding`), the command tells them apart, and those of `sync` the key
  `finding`.
- Points in time are RFC 3339 in UTC. One that is beyond what that can say is a number: milliseconds since 1970.
- No line has a control character in it, or one that turns the direction of writing: they are escaped as JSON escapes them.
- A listing that ends without its last line is not whole, whatever the exit code of a pipe says.
- The words of messages are for people, and change. The order of keys means nothing.

";

pub fn schema() -> Schema {
    let schema = include_str!("../../../../../docs/json.schema.json");
    serde_json::from_str(schema).expect("it is JSON")
}

/// What each command writes on standard output.
pub fn commands_of(schema: &Schema) -> BTreeMap<String, Vec<String>> {
    let commands = in_root(schema, "x-commands");
    commands
        .into_iter()
        .map(|(command, kinds)| (command, texts(&kinds)))
        .collect()
}

/// The kinds of lines, in the order of the schema.
pub fn lines_of_all(schema: &Schema) -> Vec<String> {
    let lines = schema["anyOf"].as_array().expect("it is a list");
    lines
        .iter()
        .map(|line| referred(line).expect("a reference"))
        .collect()
}

/// The members of an object at the top of the schema.
pub fn in_root(schema: &Schema, name: &str) -> BTreeMap<String, Value> {
    let members = schema[name].as_object().expect("it is an object");
    members
        .iter()
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// The keys of an object: first those that are always there, in the order in which they are written.
pub fn keys(definition: &Value) -> Vec<String> {
    let required = texts(&definition["required"]);
    let known: BTreeSet<_> = required.iter().cloned().collect();
    let properties = definition["properties"]
        .as_object()
        .expect("it is an object");
    let others = properties
        .keys()
        .filter(|key| !known.contains(*key))
        .cloned();
    required.into_iter().chain(others).collect()
}

/// The page as it should be.
pub fn page(schema: &Schema) -> String {
    let mut page = INTRODUCTION.to_string();
    page += "## Which command writes what\n\n| command | lines |\n| --- | --- |\n";
    for (command, kinds) in commands_of(schema) {
        let kinds: Vec<_> = kinds.iter().map(|kind| link(kind)).collect();
        line(
            &mut page,
            &format!("| `{command}` | {} |", kinds.join(", ")),
        );
    }
    line(
        &mut page,
        &format!("| any, on standard error | {} |", link("failure")),
    );
    let lines = lines_of_all(schema);
    let definitions = in_root(schema, "$defs");
    page += "\n## Lines\n";
    for name in &lines {
        section(&mut page, name, &definitions[name]);
    }
    page += "\n## Parts of lines\n";
    for (name, definition) in definitions.iter().filter(|(name, _)| !lines.contains(name)) {
        section(&mut page, name, definition);
    }
    page
}

fn section(page: &mut String, name: &str, definition: &Value) {
    let about = definition["description"].as_str().expect("it has one");
    line(
        page,
        &format!("\n### {name}\n\n{about}\n\n| key | value | meaning |\n| --- | --- | --- |"),
    );
    for key in keys(definition) {
        let property = &definition["properties"][&key];
        let meaning = property["description"].as_str().expect("it has one");
        line(
            page,
            &format!("| `{key}` | {} | {meaning} |", value(property)),
        );
    }
}

/// What a value can be, in words.
fn value(property: &Value) -> String {
    if let Some(name) = referred(property) {
        return link(&name);
    }
    if let Some(text) = property["const"].as_str() {
        return format!("`\"{text}\"`");
    }
    if property["enum"].is_array() {
        let values: Vec<_> = texts(&property["enum"])
            .iter()
            .map(|text| format!("`{text}`"))
            .collect();
        return values.join(", ");
    }
    if let Some(ways) = property["anyOf"].as_array() {
        let ways: Vec<_> = ways.iter().map(value).collect();
        return ways.join(" or ");
    }
    if property["items"].is_object() {
        let list = format!("list of {}", value(&property["items"]));
        let nullable = texts(&property["type"]).contains(&"null".to_string());
        return if nullable {
            format!("{list}, or null")
        } else {
            list
        };
    }
    let types = match &property["type"] {
        Value::Null => return "anything".to_string(),
        Value::String(one) => vec![one.clone()],
        several => texts(several),
    };
    let words: Vec<_> = types.iter().map(|name| in_words(name)).collect();
    words.join(" or ")
}

fn in_words(type_: &str) -> &str {
    match type_ {
        "string" => "text",
        "integer" => "whole number",
        "boolean" => "true or false",
        other => other,
    }
}

fn referred(value: &Value) -> Option<String> {
    let reference = value["$ref"].as_str()?;
    reference.strip_prefix("#/$defs/").map(str::to_string)
}

fn link(name: &str) -> String {
    format!("[{name}](#{})", name.to_lowercase())
}

fn texts(values: &Value) -> Vec<String> {
    let values = values.as_array().into_iter().flatten();
    values
        .filter_map(|value| value.as_str().map(str::to_string))
        .collect()
}

fn line(page: &mut String, text: &str) {
    writeln!(page, "{text}").expect("a string takes it");
}
