//! The words of the contract, `identity:connector`, as Rust types: what a connector and a host say to each other.
//!
//! Each type is one of `wit/types.wit`, with its documentation. Added here is what whoever reads an answer needs: the names as WIT
//! spells them, what a [`Failure`] means for its caller, and the JSON form of everything.
//!
//! ```
//! use connector_contract::{Error, Failure, ListRequest, ResourceKinds, Retry};
//!
//! let request = ListRequest::everything(ResourceKinds::ROLES | ResourceKinds::GRANTS);
//! assert_eq!(request.kinds.names(), ["roles", "grants"]);
//!
//! let failure = Failure {
//!     error: Error::Upstream(503),
//!     message: "Listing roles was answered 503.".to_string(),
//!     exchange: None,
//! };
//! assert_eq!(failure.error.retry(), Retry::AfterPause);
//! assert!(failure.help().to_string().ends_with("Trying again after a pause can help."));
//! ```
//!
//! Three rules hold for every type:
//!
//! - A value that the connected system did not send, or sent as null, is `None`: never `false`, `0` or `""`.
//! - What the contract has no field for travels as named [`Attribute`]s.
//! - Identifiers are opaque text, compared byte for byte.
//!
//! # JSON
//!
//! Keys are the WIT names in camel case, cases are the WIT names as they are, points in time are RFC 3339 text in UTC, and
//! attributes are an object from name to value. What is absent is `null`: every key of a type is always there, so that a
//! program can tell "not told" from `false`, `0` and `""`. What is listed, counted or changed carries a `type`, so that
//! lines of different kinds can share a stream. A number keeps every digit that the connected system gave it, and a key that came
//! twice is there once, with the value that came last.
//!
//! # What it does not know
//!
//! Which connectors there are, how one is called, and who calls it: no vendor, no engine, no transport. The feature `wasmtime` only
//! lets a host that has wasmtime pass the types to components. wasmtime then holds each type to the one that the component has,
//! name by name.

#![deny(missing_docs)]

#[macro_use]
mod define;

mod change;
mod check;
mod description;
mod exact;
mod failure;
mod json;
mod listing;
mod resource;

pub use self::change::{
    AccountDeletion, AccountUpdate, Action, Assignment, Change, FieldChange, FieldUpdate, Mode,
    NewAccount, Outcome, ProvisionRequest, Reason, Step, StepStatus, UnchangedReason,
};
pub use self::check::{CheckReport, OperationCheck, Permission, Probe};
pub use self::description::{
    AccountKindDescription, Description, FieldDescription, FieldType, FilterFields, Operation,
    OperationDescription, SettingDescription,
};
pub use self::failure::{
    Error, ErrorKind, Exchange, Failure, FieldProblem, Help, RefusalReason, Retry, TimeoutPhase,
};
pub use self::listing::{
    AccountDetails, Continuation, Counts, Filter, ListRequest, Notice, Page, Summary,
};
pub use self::resource::{
    Account, Attribute, Event, EventKind, Grant, Invitation, Item, MEMBERS_UNKNOWN, Organization,
    ResourceKind, ResourceKinds, ResourceReference, Role, Value,
};

/// Identifies an account within the connected system, for as long as the account exists.
pub type AccountId = String;

/// Identifies a role within the connected system.
pub type RoleId = String;

/// Identifies an organization within the connected system.
pub type OrganizationId = String;

/// The name of a kind of account, one of those that `describe` declares, for example `technician`.
///
/// A kind that the connected system sends and the connector does not know is passed on as it came.
pub type AccountKind = String;

/// A point in time: milliseconds since 1970-01-01T00:00:00Z.
pub type Timestamp = i64;

/// A length of time in milliseconds.
pub type Milliseconds = u64;

/// Where a listing continues. Opaque to the host, valid in any instance with the same settings, and free of secrets.
pub type Cursor = String;
