//! Provisioning: the life of an account. One file for each thing that can be done to it.
//!
//! Every write looks first, sends at most what is needed, and makes sure of it afterwards.

mod create;
mod delete;
mod fields;
mod update;

use crate::contract::{
    self, Action, Change, FieldChange, Mode, Operation, Outcome, ProvisionRequest, Step, StepStatus,
};
use crate::error::Error;
use crate::ninjaone::Api;
use crate::ninjaone::wire::Id;

pub use fields::{CREATE_FIELDS, Field, UPDATE_FIELDS};

/// Does what is asked for to an account.
pub(crate) fn provision(api: &Api, request: ProvisionRequest, mode: Mode) -> Result<Change, Error> {
    match request {
        ProvisionRequest::Create(account) => create::create(api, &account, mode),
        ProvisionRequest::Update(update) => update::update(api, &update, mode),
        ProvisionRequest::Enable(_) => Err(unsupported(Operation::EnableAccount, "enable")),
        ProvisionRequest::Disable(_) => Err(unsupported(Operation::DisableAccount, "disable")),
        ProvisionRequest::Delete(deletion) => delete::delete(api, &deletion, mode),
    }
}

/// "What the API does not have" in `docs/ninjaone-api.md`.
fn unsupported(operation: Operation, verb: &str) -> Error {
    let message = format!(
        "NinjaOne's API has no way to {verb} an account; {verb} it in NinjaOne itself, or through the identity provider that manages it"
    );
    Error::decided(contract::Error::Unsupported(operation), message)
}

/// A write of one step.
fn one_step(action: Action, id: Id, changes: Vec<FieldChange>, outcome: Outcome) -> Change {
    Change {
        outcome,
        steps: vec![step(action, Some(id), changes, outcome)],
        account: Some(id.to_string()),
    }
}

fn step(action: Action, id: Option<Id>, changes: Vec<FieldChange>, outcome: Outcome) -> Step {
    Step {
        action,
        account: id.map(|id| id.to_string()),
        role: None,
        changes,
        status: StepStatus::Done(outcome),
    }
}
