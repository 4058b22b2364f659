//! The contract as Rust types, generated from `wit/`.
#![allow(missing_docs, reason = "generated: every item is documented in wit/")]
#![allow(
    unsafe_code,
    reason = "generated: the canonical ABI passes raw pointers"
)]
#![allow(clippy::all, reason = "generated")]

wit_bindgen::generate!({
    path: "../../../wit",
    world: "plugin",
    generate_all,
    additional_derives: [PartialEq],
    additional_derives_ignore: ["stream-error"],
    pub_export_macro: true,
});

pub use self::exports::identity::connector::connector::Guest;
pub use self::exports::identity::connector::types::*;

/// A failure without an exchange, since nothing is ever sent.
pub fn failure(error: Error, message: impl Into<String>) -> Failure {
    Failure {
        error,
        message: message.into(),
        exchange: None,
    }
}

/// The failure for a resource that a call names and that is not there.
pub fn not_found(kind: ResourceKind, id: &str) -> Failure {
    let message = format!("the directory has no {id:?}; list it anew to see what there is");
    let id = id.to_string();
    failure(Error::NotFound(ResourceReference { kind, id }), message)
}

/// What is wrong with one field, and what to do about it.
pub fn problem(field: &str, problem: &str, mend: &str) -> FieldProblem {
    FieldProblem {
        field: field.to_string(),
        problem: problem.to_string(),
        mend: mend.to_string(),
    }
}

/// Fails where there are problems, with the error that lists them.
pub fn refuse(
    problems: Vec<FieldProblem>,
    error: fn(Vec<FieldProblem>) -> Error,
) -> Result<(), Failure> {
    if problems.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = problems.iter().map(|problem| &*problem.field).collect();
    let message = format!("these are missing or wrong: {}", names.join(", "));
    Err(failure(error(problems), message))
}
