//! Whether a connection works, and for what.

use serde::Serialize;
#[cfg(feature = "wasmtime")]
use wasmtime::component::{ComponentType, Lift, Lower};

use crate::{Milliseconds, Operation, Reason};

/// How one request of `check` went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(
    feature = "wasmtime",
    derive(ComponentType, Lift, Lower),
    component(record)
)]
pub struct Probe {
    /// The request, as method and path.
    pub request: String,
    /// What it is needed for.
    pub purpose: String,
    /// How long it took.
    #[serde(rename = "durationMs")]
    pub duration: Milliseconds,
    /// Nothing, or why it failed.
    pub failure: Option<Reason>,
}

variant! {
    /// Whether the connection allows an operation.
    Permission {
        /// A request that it needs was answered, or the scopes that it asks for were granted.
        Allowed => "allowed",
        /// It cannot work, for this reason.
        Denied(String) => "denied",
        /// Nobody can tell without trying, for this reason.
        Unknown(String) => "unknown",
    }
}

/// What `check` found about one operation.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "wasmtime",
    derive(ComponentType, Lift, Lower),
    component(record)
)]
pub struct OperationCheck {
    /// The operation.
    pub operation: Operation,
    /// Whether it is allowed.
    pub permission: Permission,
}

/// Whether the connection works, and for what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(
    feature = "wasmtime",
    derive(ComponentType, Lift, Lower),
    component(record)
)]
#[serde(tag = "type", rename = "check", rename_all = "camelCase")]
pub struct CheckReport {
    /// Whether everything that reading needs works.
    pub healthy: bool,
    /// Where the connector connects to.
    pub endpoint: String,
    /// The scopes that were granted, where that is known.
    #[cfg_attr(feature = "wasmtime", component(name = "granted-scopes"))]
    pub granted_scopes: Option<Vec<String>>,
    /// The requests that were tried.
    pub probes: Vec<Probe>,
    /// The operations, each with whether it is allowed.
    pub operations: Vec<OperationCheck>,
    /// What an administrator should do, in order.
    pub advice: Vec<String>,
}
