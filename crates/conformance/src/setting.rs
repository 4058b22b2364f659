//! Settings, and the check of the connection.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Access;
use super::run::{Checked, Run, broken, expect_error, not_tried};
use connector_contract::{Error, ListRequest};

pub(super) async fn missing_are_named(run: &mut Run) -> Checked {
    let settings = run.description.settings.iter();
    let required: Vec<_> = settings
        .filter(|setting| setting.required)
        .map(|setting| setting.key.clone())
        .collect();
    let together: BTreeSet<_> = required.iter().cloned().collect();
    let one_by_one = required.into_iter().map(|key| BTreeSet::from([key]));
    // A set, since where one setting is required, it is all of them.
    let missing: BTreeSet<_> = one_by_one.chain([together]).collect();
    let sent_before = run.requests();
    let mut tried = Vec::new();
    for keys in missing.into_iter().filter(|keys| !keys.is_empty()) {
        let missing = keys.iter().cloned().collect::<Vec<_>>().join(", ");
        let withheld = keys.clone();
        let mut connector = run.fresh_behind(Arc::new(move |key| {
            if withheld.contains(key) {
                Access::NotSet
            } else {
                Access::AsSet
            }
        }));
        let are_named = |error: &Error| match error {
            Error::InvalidSettings(problems) => {
                let named = problems.iter().map(|problem| problem.field.clone());
                named.collect::<BTreeSet<_>>() == keys
            }
            _ => false,
        };
        let wanted = format!("invalid-settings with {missing}");
        let doing = format!("check without {missing}");
        expect_error(&doing, connector.check().await, &wanted, are_named)?;
        for (kind, _, title) in run.listings() {
            let doing = format!("listing {title} without {missing}");
            let answer = connector.list(&ListRequest::everything(kind)).await;
            expect_error(&doing, answer, &wanted, are_named)?;
        }
        tried.push(missing);
    }
    if tried.is_empty() {
        return not_tried("no setting is required");
    }
    let tried = tried.join("; ");
    match run.sent_since(sent_before) {
        Some(0) => Ok(format!("named, and nothing sent, without: {tried}")),
        Some(sent) => broken(format!(
            "it named what is missing, and sent {sent} requests all the same"
        )),
        None => not_tried(format!(
            "named without: {tried}; this host cannot tell whether requests were sent"
        )),
    }
}

pub(super) async fn check_covers_operations(run: &mut Run) -> Checked {
    let report = run.fresh().check().await?;
    let reported: BTreeSet<_> = report
        .operations
        .iter()
        .map(|check| check.operation.name())
        .collect();
    let declared: BTreeSet<_> = run
        .description
        .operations
        .iter()
        .map(|operation| operation.operation.name())
        .collect();
    if reported != declared {
        return broken(format!(
            "it declares {declared:?}, and reports on {reported:?}"
        ));
    }
    let failed = report
        .probes
        .iter()
        .filter(|probe| probe.failure.is_some())
        .count();
    if !report.healthy {
        return broken(format!(
            "the connection does not work: {failed} of its probes failed"
        ));
    }
    if failed > 0 {
        return broken(format!(
            "it calls the connection healthy, and {failed} of its probes failed"
        ));
    }
    Ok(format!(
        "healthy, {} probes, {} operations",
        report.probes.len(),
        reported.len()
    ))
}
