//! What deviates from the descriptions on purpose: `schemas/deviations.json`.

use std::collections::BTreeSet;
use std::fs;

use serde::Deserialize;

use super::operation::{Finding, What};
use super::own;

/// A deviation that is known, and why it is none to correct.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deviation {
    pub name: String,
    pub reason: String,
    what: What,
    /// The operations; `*` for all.
    operations: Vec<String>,
    /// The places in an exchange; `*` for all.
    places: Vec<String>,
    /// The statuses; none for all.
    #[serde(default)]
    statuses: Vec<u16>,
    /// Whether it is one from the vendor's document alone, and not from the project's own schemas.
    #[serde(default)]
    pub only_from_the_vendors_document: bool,
}

impl Deviation {
    fn covers(&self, finding: &Finding) -> bool {
        let any = |of: &[String], own: &str| of.iter().any(|one| one == "*" || one == own);
        self.what == finding.what
            && any(&self.operations, &finding.operation)
            && any(&self.places, &finding.place)
            && (self.statuses.is_empty()
                || finding
                    .status
                    .is_some_and(|status| self.statuses.contains(&status)))
    }
}

/// The table.
pub fn known() -> Vec<Deviation> {
    let text = fs::read_to_string(own::folder().join("deviations.json")).expect("it is there");
    serde_json::from_str(&text).expect("it lists deviations")
}

/// Sorts findings into those that no deviation covers, and the names of the deviations that were needed.
pub fn sort(findings: Vec<Finding>, known: &[Deviation]) -> (BTreeSet<Finding>, BTreeSet<&str>) {
    let mut unknown = BTreeSet::new();
    let mut needed = BTreeSet::new();
    for finding in findings {
        match known.iter().find(|deviation| deviation.covers(&finding)) {
            Some(deviation) => {
                needed.insert(deviation.name.as_str());
            }
            None => {
                unknown.insert(finding);
            }
        }
    }
    (unknown, needed)
}
