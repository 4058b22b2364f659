//! What to write, and what comes of it.

use serde::Serialize;
#[cfg(feature = "wasmtime")]
use wasmtime::component::{ComponentType, Lift, Lower};

use crate::{AccountId, AccountKind, Attribute, ErrorKind, OrganizationId, RoleId, Value};

enumeration! {
    /// Whether a write is done or only foretold.
    Mode {
        /// Do it.
        Apply => "apply",
        /// Do every read and every check, send no write, and say what would change.
        Plan => "plan",
    }
}

enumeration! {
    /// Why nothing had to be done.
    UnchangedReason {
        /// The account already holds the role.
        AlreadyGranted => "already-granted",
        /// The account does not hold the role.
        NotGranted => "not-granted",
        /// There is no such account (any more).
        AlreadyGone => "already-gone",
        /// Every field already has the value asked for.
        NoDifference => "no-difference",
    }
}

variant! {
    /// What came of a write.
    #[derive(Copy)]
    Outcome {
        /// It was done, and the connected system was seen to have it.
        Changed => "changed",
        /// Nothing was sent, because there was nothing to do.
        Unchanged(UnchangedReason) => "unchanged",
        /// In the mode `plan`: it would be done.
        WouldChange => "would-change",
        /// Some steps were done and others were not: the steps of the result tell which. Repeating the whole request is not the mend.
        Partial => "partial",
    }
}

impl Outcome {
    /// Why nothing had to be done, where nothing had to.
    pub fn reason(&self) -> Option<&'static str> {
        match self {
            Outcome::Unchanged(reason) => Some(reason.name()),
            Outcome::Changed | Outcome::WouldChange | Outcome::Partial => None,
        }
    }
}

/// One field of one resource, before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(
    feature = "wasmtime",
    derive(ComponentType, Lift, Lower),
    component(record)
)]
pub struct FieldChange {
    /// The name of the field, or of the attribute.
    pub field: String,
    /// Its value before; `None` where there was none.
    pub before: Option<Value>,
    /// Its value after; `None` where there is none.
    pub after: Option<Value>,
}

enumeration! {
    /// What a step of a write does.
    Action {
        /// Creates an account.
        CreateAccount => "create-account",
        /// Changes fields of an account.
        UpdateAccount => "update-account",
        /// Lets an account sign in.
        EnableAccount => "enable-account",
        /// Stops an account from signing in.
        DisableAccount => "disable-account",
        /// Removes an account.
        DeleteAccount => "delete-account",
        /// Gives an account a role.
        GrantRole => "grant-role",
        /// Takes a role from an account.
        RevokeRole => "revoke-role",
    }
}

/// Why a part of something failed, in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(
    feature = "wasmtime",
    derive(ComponentType, Lift, Lower),
    component(record)
)]
pub struct Reason {
    /// The kind of failure.
    pub kind: ErrorKind,
    /// What a person acts on.
    pub message: String,
}

variant! {
    /// How a step of a write ended.
    StepStatus {
        /// As the outcome says.
        Done(Outcome) => "done",
        /// It failed, for this reason. Whether it was done all the same is unknown where the kind is one that is worth repeating.
        Failed(Reason) => "failed",
        /// It was not tried, because an earlier step failed.
        Skipped => "skipped",
    }
}

/// One step of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "wasmtime",
    derive(ComponentType, Lift, Lower),
    component(record)
)]
pub struct Step {
    /// What it does.
    pub action: Action,
    /// To whom: `None` for an account that does not exist yet.
    pub account: Option<AccountId>,
    /// With which role.
    pub role: Option<RoleId>,
    /// The fields it changes. After a creation also what the connected system set by itself and showed, such as `invitation`.
    pub changes: Vec<FieldChange>,
    /// How it ended.
    pub status: StepStatus,
}

/// What a write did, or in the mode `plan` would do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "wasmtime",
    derive(ComponentType, Lift, Lower),
    component(record)
)]
pub struct Change {
    /// The whole of it.
    pub outcome: Outcome,
    /// The steps, in the order in which they are done.
    pub steps: Vec<Step>,
    /// The account that was created, changed or removed, or whose roles were.
    pub account: Option<AccountId>,
}

/// Gives an account a role, or takes it away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(
    feature = "wasmtime",
    derive(ComponentType, Lift, Lower),
    component(record)
)]
pub struct Assignment {
    /// The account.
    pub account: AccountId,
    /// The role.
    pub role: RoleId,
}

/// An account to create. `describe` tells which fields each kind of account takes and needs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "wasmtime",
    derive(ComponentType, Lift, Lower),
    component(record)
)]
pub struct NewAccount {
    /// The kind of account.
    pub kind: AccountKind,
    /// The address.
    pub email: Option<String>,
    /// Given (first) name.
    #[cfg_attr(feature = "wasmtime", component(name = "given-name"))]
    pub given_name: Option<String>,
    /// Family (last) name.
    #[cfg_attr(feature = "wasmtime", component(name = "family-name"))]
    pub family_name: Option<String>,
    /// Telephone number.
    pub phone: Option<String>,
    /// The organization to belong to.
    pub organization: Option<OrganizationId>,
    /// Whether to have the connected system send an invitation. `None`: the connected system's habit.
    #[cfg_attr(feature = "wasmtime", component(name = "send-invitation"))]
    pub send_invitation: Option<bool>,
    /// Further fields by the names that `describe` gives them.
    pub attributes: Vec<Attribute>,
    /// Roles to grant once the account exists.
    pub roles: Vec<RoleId>,
}

variant! {
    /// What becomes of one field.
    FieldUpdate {
        /// It gets this value.
        Set(Value) => "set",
        /// It gets no value.
        Clear => "clear",
    }
}

/// Changes to an account. Fields not named stay as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "wasmtime",
    derive(ComponentType, Lift, Lower),
    component(record)
)]
pub struct AccountUpdate {
    /// The account.
    pub account: AccountId,
    /// The changes by field name: `given-name`, `family-name`, `email`, `phone`, `organization`, or an attribute that
    /// `describe` lists for this kind of account.
    pub fields: Vec<(String, FieldUpdate)>,
}

/// An account to remove.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "wasmtime",
    derive(ComponentType, Lift, Lower),
    component(record)
)]
pub struct AccountDeletion {
    /// The account.
    pub account: AccountId,
    /// Whether an administrator of the connected system may be removed. Without it that is refused.
    #[cfg_attr(feature = "wasmtime", component(name = "allow-administrator"))]
    pub allow_administrator: bool,
}

variant! {
    /// What to do to an account.
    ProvisionRequest {
        /// Create one.
        Create(NewAccount) => "create",
        /// Change fields of one.
        Update(AccountUpdate) => "update",
        /// Let one sign in.
        Enable(AccountId) => "enable",
        /// Stop one from signing in.
        Disable(AccountId) => "disable",
        /// Remove one.
        Delete(AccountDeletion) => "delete",
    }
}
