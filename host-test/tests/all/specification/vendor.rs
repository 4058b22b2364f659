//! The vendor's own description, an OpenAPI 3.0 document, where it is at hand. It is not the project's to pass on, so nothing of
//! it is in here.

use std::path::{Path, PathBuf};
use std::{env, fs};

use http::Method;
use jsonschema::{Draft, Validator};
use serde_json::{Map, Value, json};

use super::operation::{Given, Operation, Taken};

/// Where the document is: where the environment says, or else as `ninjaone/openapi.json` in some folder beside this repository.
/// `None` where it is not.
pub fn document() -> Option<PathBuf> {
    if let Some(path) = env::var_os("NINJAONE_OPENAPI") {
        let path = PathBuf::from(path);
        assert!(
            path.is_file(),
            "NINJAONE_OPENAPI names {}, which is not there",
            path.display()
        );
        return Some(path);
    }
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folders = beside.read_dir().ok()?.flatten();
    let mut paths = folders.map(|folder| folder.path().join("ninjaone/openapi.json"));
    paths.find(|path| path.is_file())
}

/// The operations of the document.
pub fn operations(path: &Path) -> Vec<Operation> {
    let text = fs::read_to_string(path).expect("it can be read");
    let mut document: Value = serde_json::from_str(&text).expect("it is JSON");
    close(&mut document["components"]);
    let components = document["components"].clone();
    let mut operations = Vec::new();
    for (path, methods) in object(&document["paths"]) {
        for (method, operation) in object(methods) {
            // A path can have parameters and a summary beside its methods.
            if let Ok(method) = method.to_uppercase().parse::<Method>()
                && operation.get("responses").is_some()
            {
                operations.push(read(method, path, operation, &components));
            }
        }
    }
    operations
}

fn read(method: Method, path: &str, operation: &Value, components: &Value) -> Operation {
    let body = content(&operation["requestBody"]);
    let mut answers: std::collections::BTreeMap<_, _> = object(&operation["responses"])
        .iter()
        .map(|(status, response)| {
            let given = match content(response) {
                Some(schema) => Given::Json(compile(schema, components)),
                None if status.starts_with('2') => Given::Nothing,
                None => Given::Unsaid,
            };
            (status.clone(), given)
        })
        .collect();
    // Where only a default is described, it is that of a success.
    if let Some(success) = answers.remove("default") {
        answers.entry("200".to_string()).or_insert(success);
        answers.insert("default".to_string(), Given::Unsaid);
    }
    Operation {
        method,
        path: path.to_string(),
        query: compile(&query(&operation["parameters"]), components),
        body: body.map_or(Taken::Nothing, |schema| {
            Taken::Json(compile(schema, components))
        }),
        answers,
    }
}

/// The schema of a body, whatever its media type.
fn content(described: &Value) -> Option<&Value> {
    let media = described["content"].as_object()?.values().next()?;
    media.get("schema")
}

/// The parameters as a schema of an object of texts, which is how they are sent.
fn query(parameters: &Value) -> Value {
    let of_query = parameters
        .as_array()
        .into_iter()
        .flatten()
        .filter(|parameter| parameter["in"] == "query");
    let properties: Map<_, _> = of_query
        .map(|parameter| {
            let name = parameter["name"].as_str().unwrap_or_default();
            (name.to_string(), as_text(&parameter["schema"]))
        })
        .collect();
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}

fn as_text(schema: &Value) -> Value {
    match schema["type"].as_str() {
        Some("integer") => json!({ "type": "string", "pattern": "^-?[0-9]+$" }),
        Some("boolean") => json!({ "enum": ["true", "false"] }),
        _ => schema.clone(),
    }
}

/// Makes every object one that has no other fields: the document does not say so, and another field is what is looked for.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            fields.values_mut().for_each(close);
            if fields.get("properties").is_some_and(Value::is_object) {
                fields.entry("additionalProperties").or_insert(json!(false));
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(close),
        _ => {}
    }
}

fn compile(schema: &Value, components: &Value) -> Validator {
    let root = json!({ "allOf": [schema], "components": components });
    let compiled = jsonschema::options()
        .with_draft(Draft::Draft202012)
        .build(&root);
    compiled.unwrap_or_else(|error| panic!("a schema of the document cannot be used: {error}"))
}

fn object(value: &Value) -> &Map<String, Value> {
    value
        .as_object()
        .expect("an OpenAPI document has objects here")
}
