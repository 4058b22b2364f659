//! Writes: `grant` and `revoke`, and how the result of any write is shown.

use std::io;

use connector_host::contract::{
    Change, FieldChange, Mode, Outcome, Step, StepStatus, UnchangedReason,
};

use super::items::value;
use crate::args::AssignmentArgs;
use crate::color::Mark;
use crate::failure::{Doing, Failure};
use crate::output::{Output, Rows, text_or_absent};
use crate::session::Session;
use connector_escape as escape;

pub async fn grant(session: &Session, args: AssignmentArgs) -> Result<(), Failure> {
    let (assignment, mode) = args.assignment();
    let doing = format!(
        "Granting role {} to account {}",
        assignment.role, assignment.account
    );
    let mut connector = session.connector().await?;
    session.writing.begin(mode)?;
    let change = connector.grant(&assignment, mode).await;
    finish(session, &change.doing(told(&doing, mode))?)
}

pub async fn revoke(session: &Session, args: AssignmentArgs) -> Result<(), Failure> {
    let (assignment, mode) = args.assignment();
    let doing = format!(
        "Revoking role {} from account {}",
        assignment.role, assignment.account
    );
    let mut connector = session.connector().await?;
    session.writing.begin(mode)?;
    let change = connector.revoke(&assignment, mode).await;
    finish(session, &change.doing(told(&doing, mode))?)
}

/// What was tried, with a word on it where it was a plan.
pub fn told(doing: &str, mode: Mode) -> String {
    match mode {
        Mode::Apply => doing.to_string(),
        Mode::Plan => format!("{doing} (as a plan, which changes nothing)"),
    }
}

/// Shows what a write did. One that was done in part is a failure.
pub fn finish(session: &Session, change: &Change) -> Result<(), Failure> {
    if session.output.is_json() {
        session.output.json(change)?;
    } else {
        show(&session.output, change)?;
    }
    match change.outcome {
        Outcome::Partial => Err(Failure::Partial),
        Outcome::Changed | Outcome::Unchanged(_) | Outcome::WouldChange => Ok(()),
    }
}

/// Shows what a write did to a person.
pub fn show(output: &Output, change: &Change) -> io::Result<()> {
    let account = change.account.as_ref();
    let account = account.map_or_else(String::new, |account| format!(" Account: {account}."));
    let mark = match change.outcome {
        Outcome::Changed => Mark::Good,
        Outcome::WouldChange => Mark::Doubtful,
        Outcome::Partial => Mark::Bad,
        Outcome::Unchanged(_) => Mark::Head,
    };
    let outcome = output.paint(mark, outcome(&change.outcome));
    output.text(&format!("{outcome}.{}\n", escape::lines(&account)))?;
    let mut rows =
        Rows::new(&["STEP", "ACCOUNT", "ROLE", "CHANGES", "RESULT"]).judging(4, |result| {
            match result {
                "done" => Some(Mark::Good),
                "would be done" => Some(Mark::Doubtful),
                result if result.starts_with("failed") => Some(Mark::Bad),
                _ => None,
            }
        });
    for step in &change.steps {
        rows.push([
            step.action.name(),
            text_or_absent(step.account.as_deref()),
            text_or_absent(step.role.as_deref()),
            &changes(&step.changes),
            &result(step),
        ]);
    }
    output.table(&rows)?;
    for step in &change.steps {
        if let StepStatus::Failed(reason) = &step.status {
            let text = format!("\n{}: {}", step.action.name(), reason.message);
            output.text(&escape::lines(&text))?;
        }
    }
    Ok(())
}

/// An outcome as a sentence without its full stop.
pub fn outcome(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Changed => "Changed",
        Outcome::Unchanged(UnchangedReason::AlreadyGranted) => {
            "Unchanged: the account already holds the role"
        }
        Outcome::Unchanged(UnchangedReason::NotGranted) => {
            "Unchanged: the account does not hold the role"
        }
        Outcome::Unchanged(UnchangedReason::AlreadyGone) => {
            "Unchanged: there is no such account any more"
        }
        Outcome::Unchanged(UnchangedReason::NoDifference) => {
            "Unchanged: every field has that value already"
        }
        Outcome::WouldChange => "Planned: nothing was changed, and this would be",
        Outcome::Partial => "Done in part only",
    }
}

fn result(step: &Step) -> String {
    match &step.status {
        StepStatus::Done(Outcome::Changed) => "done".to_string(),
        StepStatus::Done(Outcome::WouldChange) => "would be done".to_string(),
        StepStatus::Done(done) => done.reason().unwrap_or(done.name()).to_string(),
        StepStatus::Failed(reason) => format!("failed: {}", reason.kind.name()),
        StepStatus::Skipped => "not tried".to_string(),
    }
}

fn changes(changes: &[FieldChange]) -> String {
    let changes: Vec<_> = changes.iter().map(change).collect();
    changes.join("; ")
}

fn change(
    FieldChange {
        field,
        before,
        after,
    }: &FieldChange,
) -> String {
    match (before.as_ref().map(value), after.as_ref().map(value)) {
        (None, Some(after)) => format!("{field}: {after}"),
        (Some(before), Some(after)) => format!("{field}: {before} -> {after}"),
        (Some(before), None) => format!("{field}: {before} -> nothing"),
        (None, None) => field.clone(),
    }
}
