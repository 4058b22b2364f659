//! What all calls together showed.

use std::collections::BTreeSet;
use std::time::Duration;

use super::run::{Call, Checked, Run, broken, lock, not_tried};
use connector_contract::{ErrorKind, Mode};

pub(super) async fn outcomes_are_declared(run: &mut Run) -> Checked {
    let mut applied = 0;
    let mut undeclared = BTreeSet::new();
    for call in &lock(&run.ledger).calls {
        let (Some(Mode::Apply), Some(outcome)) = (call.mode, call.outcome) else {
            continue;
        };
        applied += 1;
        let mut declared = call
            .operations
            .iter()
            .filter_map(|name| run.operation(*name));
        if !declared.any(|operation| operation.outcomes.contains(&outcome)) {
            let reason = outcome.reason().unwrap_or_default();
            undeclared.insert(format!("{}: {} {reason}", call.what, outcome.name()));
        }
    }
    match (applied, list(undeclared)) {
        (_, Some(undeclared)) => broken(undeclared),
        (0, None) => not_tried("nothing was written"),
        (_, None) => Ok(format!("{applied} writes")),
    }
}

pub(super) async fn failures_are_declared(run: &mut Run) -> Checked {
    let common = &run.description.common_errors;
    let mut failures = 0;
    let mut undeclared = BTreeSet::new();
    for call in &lock(&run.ledger).calls {
        let Some(kind) = call.failed.as_ref().and_then(|failed| failed.kind) else {
            continue;
        };
        let operations: Vec<_> = call
            .operations
            .iter()
            .filter_map(|name| run.operation(*name))
            .collect();
        // That an operation is not there is told by its not being declared.
        if operations.is_empty()
            || (kind == ErrorKind::Unsupported && operations.len() < call.operations.len())
        {
            continue;
        }
        failures += 1;
        let is_declared = common.contains(&kind)
            || operations
                .iter()
                .any(|operation| operation.errors.contains(&kind));
        if !is_declared {
            undeclared.insert(format!("{}: {}", call.what, kind.name()));
        }
    }
    match (failures, list(undeclared)) {
        (_, Some(undeclared)) => broken(undeclared),
        (0, None) => not_tried("nothing failed"),
        (_, None) => Ok(format!("{failures} failures")),
    }
}

pub(super) async fn failures_have_messages(run: &mut Run) -> Checked {
    let ledger = lock(&run.ledger);
    let failures = ledger
        .calls
        .iter()
        .filter_map(|call| Some((call, call.failed.as_ref()?)));
    let silent: BTreeSet<_> = failures
        .clone()
        .filter(|(_, failed)| failed.message.trim().is_empty())
        .map(|(call, failed)| {
            format!(
                "{}: {}",
                call.what,
                failed.kind.map_or("broken off", ErrorKind::name)
            )
        })
        .collect();
    match (failures.count(), list(silent)) {
        (_, Some(silent)) => broken(format!("without a message: {silent}")),
        (0, None) => not_tried("nothing failed"),
        (failures, None) => Ok(format!("{failures} failures")),
    }
}

pub(super) async fn secrets_are_kept(run: &mut Run) -> Checked {
    let ledger = lock(&run.ledger);
    if ledger.findable_secrets().count() == 0 {
        return not_tried(
            "no secret setting is known that has 8 characters or more, and shorter ones turn up by chance",
        );
    }
    let shown = ledger
        .calls
        .iter()
        .filter(|call| call.shows_secret == Some(true));
    if let Some(shown) = list(shown.map(|call| call.what.clone()).collect()) {
        return broken(format!("a secret was in the answer to: {shown}"));
    }
    let looked = format!("looked for in {} answers", ledger.calls.len());
    if ledger.calls.iter().any(|call| call.shows_secret.is_none()) {
        return not_tried(format!(
            "{looked}; this host cannot tell what it took out of them before"
        ));
    }
    Ok(looked)
}

pub(super) async fn limits_are_kept(run: &mut Run) -> Checked {
    let ledger = lock(&run.ledger);
    let broke_off = |call: &&Call| {
        call.failed
            .as_ref()
            .is_some_and(|failed| failed.kind.is_none())
    };
    let broken_off = ledger.calls.iter().filter(broke_off).map(|call| {
        let message = call.failed.as_ref().map_or("", |failed| &failed.message);
        format!("{}: {message}", call.what)
    });
    if let Some(broken_off) = list(broken_off.collect()) {
        return broken(broken_off);
    }
    let longest = ledger
        .calls
        .iter()
        .map(|call| call.took)
        .max()
        .unwrap_or(Duration::ZERO);
    let memory = ledger.calls.iter().filter_map(|call| call.memory).max();
    let calls = format!(
        "{} calls; the longest took {} ms",
        ledger.calls.len(),
        longest.as_millis()
    );
    match memory {
        Some(memory) => Ok(format!(
            "{calls}, the most memory was {} KiB",
            memory / 1024
        )),
        None => not_tried(format!(
            "{calls}; this host cannot tell how much memory they took"
        )),
    }
}

/// As one text, or nothing where there is nothing.
fn list(texts: BTreeSet<String>) -> Option<String> {
    if texts.is_empty() {
        return None;
    }
    Some(texts.into_iter().collect::<Vec<_>>().join("; "))
}
