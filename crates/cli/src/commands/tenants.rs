//! `tenants`: whom `--tenant` can name. Secrets are not read for it.

use serde::Serialize;

use crate::config::{self, Content, File, Place, Section};
use crate::failure::Failure;
use crate::output::{Rows, text_or_absent};
use crate::session::Session;

/// A line for programs.
#[derive(Serialize)]
#[serde(tag = "type", rename = "tenant", rename_all = "camelCase")]
struct Line<'a> {
    name: Option<&'a str>,
    base_url: Option<&'a str>,
}

pub fn run(session: &Session) -> Result<(), Failure> {
    let place = Place::find(session.setting_flags(), config::variable);
    let place = place.ok_or_else(|| {
        Failure::Usage(
            "there is no place for a configuration file, since HOME is not set: name one with --config FILE"
                .to_string(),
        )
    })?;
    let file = File::read(&place.path)?;
    let sections: Vec<&Section> = match &file.content {
        Content::One(section) => vec![section],
        Content::Several(tenants) => tenants.values().collect(),
    };
    if session.output.is_json() {
        for section in sections {
            session.output.json(&Line {
                name: section.tenant.as_deref(),
                base_url: section.base_url.as_deref(),
            })?;
        }
        return Ok(());
    }
    let mut rows = Rows::new(&["TENANT", "BASE URL"]);
    for section in sections {
        rows.push([
            section.tenant.as_deref().unwrap_or("(no name)"),
            text_or_absent(section.base_url.as_deref()),
        ]);
    }
    Ok(session.output.table(&rows)?)
}
