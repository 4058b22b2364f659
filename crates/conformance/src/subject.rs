//! What is judged, as the suite sees it: a connector in whichever host, and what that host can tell beside its answers.

use std::pin::Pin;
use std::sync::Arc;

use connector_contract::{
    Assignment, Change, CheckReport, Description, Failure, ListRequest, Mode, Page,
    ProvisionRequest,
};

/// An answer that is waited for.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What becomes of a setting that an instance asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// The instance gets it as the tenant has it.
    AsSet,
    /// The instance is told that it is not set.
    NotSet,
    /// The instance is denied it.
    Denied,
}

/// Decides by its key what becomes of a setting, each time an instance asks for one.
pub type Gate = Arc<dyn Fn(&str) -> Access + Send + Sync>;

/// A connector with the settings of one tenant.
///
/// What a host cannot know, it need not tell: what depends on it is then not tried, whatever else was seen.
pub trait Subject: Send + Sync {
    /// Opens a fresh instance, which has nothing of any other and gets the settings that the gate lets through.
    fn open(&self, gate: Gate) -> Box<dyn Instance>;

    /// A setting as the tenant has it, so that secrets can be looked for in answers. `None` where it is not set, or not told.
    fn setting<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Option<String>>;

    /// How many requests all instances have sent so far. `None`, the default: the host cannot know.
    fn requests(&self) -> Option<usize> {
        None
    }
}

/// One instance of a connector: the functions of the contract.
pub trait Instance: Send {
    /// Calls `describe`.
    fn describe(&mut self) -> BoxFuture<'_, Result<Description, CallError>>;

    /// Calls `check`.
    fn check(&mut self) -> BoxFuture<'_, Result<CheckReport, CallError>>;

    /// Calls `list`.
    fn list<'a>(&'a mut self, request: &'a ListRequest) -> BoxFuture<'a, Result<Page, CallError>>;

    /// Calls `grant`.
    fn grant<'a>(
        &'a mut self,
        assignment: &'a Assignment,
        mode: Mode,
    ) -> BoxFuture<'a, Result<Change, CallError>>;

    /// Calls `revoke`.
    fn revoke<'a>(
        &'a mut self,
        assignment: &'a Assignment,
        mode: Mode,
    ) -> BoxFuture<'a, Result<Change, CallError>>;

    /// Calls `provision`.
    fn provision<'a>(
        &'a mut self,
        request: &'a ProvisionRequest,
        mode: Mode,
    ) -> BoxFuture<'a, Result<Change, CallError>>;

    /// How many bytes of memory the instance has, within a limit that the host keeps it to. `None`, the default: the host cannot
    /// know, or knows of no limit. Nor is there any where the last call broke off.
    fn memory(&self) -> Option<usize> {
        None
    }

    /// Whether the host found a secret in an answer of the instance, and took it out. `Some(false)` also where it hands on answers
    /// as they come: the suite looks into those itself. `None`, the default: it may have, and cannot tell.
    fn has_told_secret(&self) -> Option<bool> {
        None
    }
}

/// A call that failed.
#[derive(Clone, Debug)]
pub enum CallError {
    /// The connector answered with a failure of the contract.
    Failure(Box<Failure>),
    /// There was no answer, for this reason: the connector broke off, or reached a limit of its host.
    BrokeOff(String),
}
