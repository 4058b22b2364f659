//! The project's own description of the API: `schemas/`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use jsonschema::{Draft, Resource, Validator};
use serde::Deserialize;
use serde_json::{Value, json};

use super::operation::{Given, Operation, Taken};

/// Where the schemas say that they are. Nothing is fetched from there.
const BASE: &str = "https://schemas.example.invalid/";

/// An operation in `endpoints.json`, with schemas or references to them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Endpoint {
    method: String,
    path: String,
    query: Value,
    body: Option<Value>,
    form: Option<Value>,
    /// By status; null for no body.
    answers: BTreeMap<String, Option<Value>>,
}

/// The operations that the connector uses.
pub fn operations() -> Vec<Operation> {
    let text = fs::read_to_string(folder().join("endpoints.json")).expect("it is there");
    let endpoints: Vec<Endpoint> = serde_json::from_str(&text).expect("it lists operations");
    let schemas = schemas();
    let operation = |endpoint| operation(endpoint, &schemas);
    endpoints.into_iter().map(operation).collect()
}

fn operation(endpoint: Endpoint, schemas: &BTreeMap<String, Value>) -> Operation {
    let compile = |schema: &Value| compile(schema, schemas);
    let answers = endpoint.answers.into_iter().map(|(status, schema)| {
        let given = schema.map_or(Given::Nothing, |schema| Given::Json(compile(&schema)));
        (status, given)
    });
    Operation {
        method: endpoint.method.parse().expect("it is a method"),
        path: endpoint.path,
        query: compile(&endpoint.query),
        body: match (endpoint.body, endpoint.form) {
            (None, None) => Taken::Nothing,
            (Some(schema), None) => Taken::Json(compile(&schema)),
            (None, Some(schema)) => Taken::Form(compile(&schema)),
            (Some(_), Some(_)) => panic!("a body is JSON or a form"),
        },
        answers: answers.collect(),
    }
}

/// Compiles a schema that may refer to these.
fn compile(schema: &Value, schemas: &BTreeMap<String, Value>) -> Validator {
    let mut options = jsonschema::options()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true);
    for (name, schema) in schemas {
        let resource = Resource::from_contents(schema.clone()).expect("it is a schema");
        options = options.with_resource(format!("{BASE}{name}"), resource);
    }
    let root = json!({ "$id": BASE, "allOf": [schema] });
    let compiled = options.build(&root);
    compiled.unwrap_or_else(|error| panic!("{schema} is no schema: {error}"))
}

/// The schemas in the folder, by file name.
pub fn schemas() -> BTreeMap<String, Value> {
    let entries = fs::read_dir(folder()).expect("the folder is there");
    entries
        .map(|entry| entry.expect("it can be listed").path())
        .filter(|path| path.extension().is_some_and(|name| name == "json"))
        .filter_map(|path| {
            let name = path.file_name()?.to_str()?.to_string();
            let text = fs::read_to_string(&path).expect("it can be read");
            let json: Value = serde_json::from_str(&text).unwrap_or_else(|error| {
                panic!("{name} is no JSON: {error}");
            });
            json.get("$schema").is_some().then_some((name, json))
        })
        .collect()
}

pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas")
}
