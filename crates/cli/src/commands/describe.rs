//! `describe`: what the connector is and what it can do.

use std::io;

use connector_host::contract::{Description, FieldDescription, FieldType};

use crate::config::variable_of;
use crate::failure::{Doing, Failure};
use crate::output::{Output, Rows, text_or_absent, yes_or_no};
use crate::session::Session;
use connector_escape as escape;

pub async fn run(session: &Session) -> Result<(), Failure> {
    let loaded = session.load().await?;
    let description = loaded.description.doing("Describing the connector")?;
    if session.output.is_json() {
        session.output.json(&description)?;
    } else {
        show(&session.output, &description)?;
    }
    Ok(())
}

/// Shows a description to a person.
pub fn show(output: &Output, description: &Description) -> io::Result<()> {
    output.text(&escape::lines(&format!(
        "{} ({} {})\n{}",
        description.title, description.name, description.version, description.summary
    )))?;
    output.text("\nSettings")?;
    output.table(&settings(description))?;
    for kind in &description.account_kinds {
        output.text(&escape::lines(&format!(
            "\nAccounts of the kind {} ({}): {}",
            kind.kind, kind.title, kind.description
        )))?;
        output.table(&fields(&kind.create_fields, &kind.update_fields))?;
    }
    output.text("\nOperations")?;
    output.table(&operations(description))
}

fn settings(description: &Description) -> Rows {
    let mut rows = Rows::new(&[
        "KEY", "VARIABLE", "TYPE", "REQUIRED", "SECRET", "DEFAULT", "MEANING",
    ]);
    for setting in &description.settings {
        rows.push([
            &setting.key,
            &variable_of(&description.name, &setting.key),
            &type_name(&setting.type_),
            yes_or_no(Some(setting.required)),
            yes_or_no(Some(setting.secret)),
            text_or_absent(setting.default.as_deref()),
            &setting.description,
        ]);
    }
    rows
}

fn fields(create: &[FieldDescription], update: &[FieldDescription]) -> Rows {
    let has =
        |fields: &[FieldDescription], name: &str| fields.iter().any(|field| field.name == name);
    let only_updated = update.iter().filter(|field| !has(create, &field.name));
    let mut rows = Rows::new(&["FIELD", "TYPE", "AT CREATION", "CHANGEABLE", "MEANING"]);
    for field in create.iter().chain(only_updated) {
        let at_creation = match (has(create, &field.name), field.required) {
            (true, true) => "required",
            (true, false) => "optional",
            (false, _) => "no",
        };
        rows.push([
            &field.name,
            &type_name(&field.type_),
            at_creation,
            yes_or_no(Some(has(update, &field.name))),
            &field.description,
        ]);
    }
    rows
}

fn operations(description: &Description) -> Rows {
    let mut rows = Rows::new(&["OPERATION", "SCOPES", "FILTERS", "WHAT IT DOES"]);
    for operation in &description.operations {
        rows.push([
            operation.operation.name(),
            &operation.scopes.join(" "),
            &operation.filters.names().join(" "),
            &operation.summary,
        ]);
    }
    rows
}

fn type_name(field_type: &FieldType) -> String {
    match field_type {
        FieldType::Text => "text".to_string(),
        FieldType::Email => "e-mail address".to_string(),
        FieldType::Boolean => "true or false".to_string(),
        FieldType::Integer => "whole number".to_string(),
        FieldType::Url => "URL".to_string(),
        FieldType::Choice(values) => format!("one of {}", values.join(", ")),
        FieldType::Words(values) => format!("words of {}", values.join(", ")),
        FieldType::Reference(kind) => format!("id of {}", kind.name()),
    }
}
