//! Connectors: the functions of the contract, for one tenant, under a deadline.

use std::time::Instant;

use tokio::time::timeout;
use tracing::{Instrument, Span};
use wasmtime::{PoolConcurrencyLimitError, Trap};

use crate::contract::{
    Assignment, Change, CheckReport, Description, ListRequest, Mode, Page, ProvisionRequest,
};
use crate::instance::Instance;
use crate::{CallError, Limits, Listing, Plugin, Tenant, limits};

/// A connector at work for one tenant.
///
/// Its instance lives from call to call, and keeps what makes the next one quicker: a token, a listing that is still arriving.
/// Where a call breaks it off (by a trap, at the deadline or another limit, or because the future of the call was dropped), it is
/// gone with all that it had, and the next call starts a fresh one.
pub struct Connector {
    plugin: Plugin,
    tenant: Tenant,
    span: Span,
    /// Taken out for the length of a call, so that an instance that was broken off cannot be used again.
    instance: Option<Instance>,
}

/// Calls a function of the connector under the deadline, in a span of that name.
macro_rules! call {
    ($self:ident $name:literal, $function:ident($($argument:expr),*)) => {{
        let span = tracing::info_span!(parent: &$self.span, $name);
        async {
            let mut instance = $self.take_instance().await?;
            let (guest, store) = instance.parts();
            store.data_mut().log.begin_call();
            let deadline = $self.plugin.host.limits.deadline;
            store.data_mut().deadline = Instant::now() + deadline;
            let outcome = timeout(deadline, guest.$function(store, $($argument),*)).await;
            let outcome = outcome.map_err(|_| CallError::DeadlineExceeded { after: deadline })?;
            $self.finish(instance, outcome)
        }
        .instrument(span)
        .await
    }};
}

impl Connector {
    pub(crate) fn new(plugin: Plugin, tenant: Tenant) -> Self {
        Self {
            span: tracing::info_span!("connector", tenant = tenant.name),
            plugin,
            tenant,
            instance: None,
        }
    }

    /// Starts the instance, unless there is one, so that the first call does not have to. Nobody needs to call this.
    ///
    /// # Errors
    ///
    /// When it does not start, as at a limit.
    pub async fn start(&mut self) -> Result<(), CallError> {
        self.instance = Some(self.take_instance().await?);
        Ok(())
    }

    /// What the connector is and what it can do. Needs no settings and sends no request.
    ///
    /// # Errors
    ///
    /// Only where the connector or the host has a fault.
    pub async fn describe(&mut self) -> Result<Description, CallError> {
        call!(self "describe", call_describe())
    }

    /// Tries the connection: the credentials, and each request that reading needs.
    ///
    /// # Errors
    ///
    /// When nothing could be tried, as with invalid settings. What was tried and failed is in the report.
    pub async fn check(&mut self) -> Result<CheckReport, CallError> {
        call!(self "check", call_check())?.map_err(Into::into)
    }

    /// Gives one page of resources. To get all of them, see [`Connector::list_all`].
    ///
    /// # Errors
    ///
    /// When the page cannot be had: what was listed so far is not the whole.
    pub async fn list(&mut self, request: &ListRequest) -> Result<Page, CallError> {
        call!(self "list", call_list(request))?.map_err(Into::into)
    }

    /// Lists page by page to the end, and checks that nothing was lost on the way.
    pub fn list_all(&mut self, request: ListRequest) -> Listing<'_> {
        Listing::new(self, request)
    }

    /// Gives an account a role.
    ///
    /// # Errors
    ///
    /// When the account does not hold the role afterwards, as far as can be told.
    pub async fn grant(
        &mut self,
        assignment: &Assignment,
        mode: Mode,
    ) -> Result<Change, CallError> {
        call!(self "grant", call_grant(assignment, mode))?.map_err(Into::into)
    }

    /// Takes a role from an account.
    ///
    /// # Errors
    ///
    /// When the account still holds the role, as far as can be told.
    pub async fn revoke(
        &mut self,
        assignment: &Assignment,
        mode: Mode,
    ) -> Result<Change, CallError> {
        call!(self "revoke", call_revoke(assignment, mode))?.map_err(Into::into)
    }

    /// Creates, changes, enables, disables or removes an account.
    ///
    /// # Errors
    ///
    /// When nothing was done. Where something was done and something failed, the steps of the [`Change`] say so.
    pub async fn provision(
        &mut self,
        request: &ProvisionRequest,
        mode: Mode,
    ) -> Result<Change, CallError> {
        call!(self "provision", call_provision(request, mode))?.map_err(Into::into)
    }

    /// How many bytes of memory the instance has now, or `None` where there is none: it starts with the first call, and
    /// goes with one that was broken off. The memory of an instance grows and never shrinks.
    pub fn guest_memory(&self) -> Option<usize> {
        let instance = self.instance.as_ref()?;
        Some(instance.store.data().resources.memory())
    }

    /// How many handles the instance has open now: requests, bodies, streams and what waits for them. `None` where there is
    /// no instance.
    pub fn open_handles(&mut self) -> Option<usize> {
        let instance = self.instance.as_mut()?;
        Some(instance.store.data_mut().table().iter_mut().count())
    }

    async fn take_instance(&mut self) -> Result<Instance, CallError> {
        if let Some(instance) = self.instance.take() {
            return Ok(instance);
        }
        let Plugin { host, exports } = &self.plugin;
        let deadline = host.limits.deadline;
        timeout(deadline, Instance::start(host, exports, &self.tenant))
            .await
            .map_err(|_| CallError::DeadlineExceeded { after: deadline })?
            .map_err(|error| not_started(&error, &host.limits))
    }

    /// Keeps the instance for the next call, unless the call broke it off.
    fn finish<T>(
        &mut self,
        mut instance: Instance,
        outcome: wasmtime::Result<T>,
    ) -> Result<T, CallError> {
        match outcome {
            Ok(answer) => {
                self.instance = Some(instance);
                Ok(answer)
            }
            Err(error) => {
                let panic = instance.store.data_mut().log.take_panic();
                Err(broken_off(&error, panic, &self.plugin.host.limits))
            }
        }
    }
}

/// Finds out why an instance did not start.
fn not_started(error: &wasmtime::Error, limits: &Limits) -> CallError {
    if error.is::<Trap>() {
        return broken_off(error, None, limits);
    }
    limits::reached(error, limits).unwrap_or_else(|| CallError::Host(format!("{error:#}")))
}

/// Finds out what a broken-off call died of.
fn broken_off(error: &wasmtime::Error, panic: Option<String>, limits: &Limits) -> CallError {
    if let Some(reached) = limits::reached(error, limits) {
        return reached;
    }
    if error.is::<PoolConcurrencyLimitError>() {
        return CallError::Host(format!("{error:#}"));
    }
    // Where it is no trap, the guest gave an import or its caller what makes no sense: a handle that it does not have, text
    // that is not UTF-8. No import fails for a reason of the host's own.
    CallError::Trapped {
        panic,
        trap: error.root_cause().to_string(),
    }
}
