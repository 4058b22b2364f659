//! Connectors: the functions of the contract, for one tenant, under a deadline.

use std::time::Instant;

use connector_transport as transport;
use tokio::time::timeout_at;
use tracing::Instrument;
use wasmtime::{PoolConcurrencyLimitError, Trap};

use crate::concealed::Conceal;
use crate::contract::{
    Assignment, Change, CheckReport, Description, Error, ErrorKind, Failure, ListRequest, Mode,
    Page, ProvisionRequest,
};
use crate::instance::Instance;
use crate::{CallError, Checkpoint, Host, Limits, Listing, Plugin, Tenant, limits};

/// A connector at work for one tenant.
///
/// Its instance lives from call to call, and keeps what makes the next one quicker: a token, a listing that is still arriving.
/// Where a call breaks it off (by a trap, at the deadline or another limit, or because the future of the call was dropped), it is
/// gone with all that it had, and the next call starts a fresh one.
///
/// Between calls it keeps its place among the instances that the host allows at a time; [`Connector::park`] gives it up.
///
/// Each call is a span of `tracing`, named as its function, with the tenant as a field: a child of the caller's span.
pub struct Connector {
    plugin: Plugin,
    tenant: Tenant,
    /// Taken out for the length of a call, so that an instance that was broken off cannot be used again.
    instance: Option<Instance>,
    has_told_secret: bool,
}

/// Calls a function of the connector under the deadline, in a span of that name.
macro_rules! call {
    ($self:ident.$function:ident($($argument:expr),*)) => {{
        let span = tracing::info_span!(stringify!($function), tenant = $self.tenant.name);
        async {
            // One instant for the start and the call: a call does not take longer because there was no instance.
            let deadline = limits::after($self.plugin.host.limits.deadline);
            let mut instance = $self.take_instance(deadline).await?;
            let (exports, store) = instance.parts();
            let state = store.data_mut();
            state.log.begin_call();
            state.outgoing.begin_call();
            state.deadline = deadline;
            let meter = state.outgoing.meter.clone();
            let outcome = tokio::select! {
                reached = meter.exceeded() => Err(reached.into()),
                outcome = timeout_at(deadline.into(), exports.$function.call_async(store, ($($argument,)*))) => {
                    let outcome = outcome.map_err(|_| $self.deadline_exceeded())?;
                    // A guest may come to its end before anybody sees that it went too far.
                    meter.reached().map_or(outcome, |reached| Err(reached.into()))
                }
            };
            $self.finish(instance, outcome)
        }
        .instrument(span)
        .await
    }};
}

/// As [`call`], for a function that may answer with a failure.
macro_rules! try_call {
    ($self:ident.$function:ident($($argument:expr),*)) => {{
        let answer = call!($self.$function($($argument),*))?;
        answer.map_err(|failure| $self.explain(failure))
    }};
}

impl Connector {
    pub(crate) fn new(plugin: Plugin, tenant: Tenant) -> Self {
        Self {
            plugin,
            tenant,
            instance: None,
            has_told_secret: false,
        }
    }

    /// Starts the instance, unless there is one, so that the first call does not have to. Nobody needs to call this.
    ///
    /// # Errors
    ///
    /// When it does not start, as at a limit.
    pub async fn start(&mut self) -> Result<(), CallError> {
        let deadline = limits::after(self.plugin.host.limits.deadline);
        self.instance = Some(self.take_instance(deadline).await?);
        Ok(())
    }

    /// Gives up the instance, with its memory, the answer that it may be reading, and its place among the instances of the host.
    /// The next call starts a fresh one. For a connector that has nothing to do for a while.
    pub fn park(&mut self) {
        self.instance = None;
    }

    /// What the connector is and what it can do. Needs no settings and sends no request.
    ///
    /// # Errors
    ///
    /// Only where the connector or the host has a fault.
    pub async fn describe(&mut self) -> Result<Description, CallError> {
        call!(self.describe())
    }

    /// Tries the connection: the credentials, and each request that reading needs.
    ///
    /// # Errors
    ///
    /// When nothing could be tried, as with invalid settings. What was tried and failed is in the report.
    pub async fn check(&mut self) -> Result<CheckReport, CallError> {
        let mut report = try_call!(self.check())?;
        self.conceal(&mut report);
        self.explain_probes(&mut report);
        Ok(report)
    }

    /// Gives one page of resources. To get all of them, see [`Connector::list_all`].
    ///
    /// # Errors
    ///
    /// When the page cannot be had: what was listed so far is not the whole.
    pub async fn list(&mut self, request: &ListRequest) -> Result<Page, CallError> {
        try_call!(self.list(request))
    }

    /// Lists page by page to the end, and checks that nothing was lost on the way.
    ///
    /// With a cursor of an earlier listing it goes on there, and cannot know what that one gave: see [`Connector::resume`].
    pub fn list_all(&mut self, request: ListRequest) -> Listing<'_> {
        Listing::new(self, request)
    }

    /// Goes on with a listing that was not given to its end, in this connector or another one with the same settings. What it
    /// gives is checked as a whole with what the earlier one gave.
    pub fn resume(&mut self, request: ListRequest, checkpoint: Checkpoint) -> Listing<'_> {
        Listing::resume(self, request, checkpoint)
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
        let mut change = try_call!(self.grant(assignment, mode))?;
        self.conceal(&mut change);
        Ok(change)
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
        let mut change = try_call!(self.revoke(assignment, mode))?;
        self.conceal(&mut change);
        Ok(change)
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
        let mut change = try_call!(self.provision(request, mode))?;
        self.conceal(&mut change);
        Ok(change)
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

    /// Whether there was a secret in a failure that this connector answered with. It was blanked there; a connector that does so is
    /// at fault all the same.
    pub fn has_told_secret(&self) -> bool {
        self.has_told_secret
    }

    /// The instance there is, or a fresh one as soon as there is room for it.
    async fn take_instance(&mut self, deadline: Instant) -> Result<Instance, CallError> {
        if let Some(instance) = self.instance.take() {
            return Ok(instance);
        }
        let host = &self.plugin.host;
        let place = timeout_at(deadline.into(), host.places.clone().acquire_owned());
        let place = place
            .await
            .map_err(|_| CallError::Busy {
                most: host.most_instances,
            })?
            .expect("nobody closes the semaphore of a host");
        let started = Instance::start(&self.plugin, &self.tenant, place, deadline);
        timeout_at(deadline.into(), started)
            .await
            .map_err(|_| self.deadline_exceeded())?
            .map_err(|error| not_started(&error, host))
    }

    fn deadline_exceeded(&self) -> CallError {
        CallError::DeadlineExceeded {
            after: self.plugin.host.limits.deadline,
        }
    }

    /// Blanks the secrets of this connector in what it answered with.
    fn conceal(&mut self, answer: &mut impl Conceal) {
        if let Some(instance) = &self.instance {
            self.has_told_secret |= answer.conceal(&instance.store.data().concealed);
        }
    }

    /// Why no connection came about in the call that has just ended, where the host knows more of it than the connector: in words,
    /// and whether it can pass by itself.
    fn no_connection(&self) -> Option<(String, bool)> {
        let state = self.instance.as_ref()?.store.data();
        let cause = state.outgoing.take_cause()?;
        let words = state.concealed.blank(&reason(&cause)?);
        Some((words, cause.passes_by_itself()))
    }

    /// Adds to a failure what the host knows of it and the connector cannot.
    fn explain(&mut self, mut failure: Failure) -> CallError {
        self.conceal(&mut failure);
        match self.no_connection() {
            Some((words, passes)) if matches!(failure.error, Error::Network) => {
                add_reason(&mut failure.message, &words);
                CallError::NoConnection {
                    failure: Box::new(failure),
                    passes,
                }
            }
            _ => CallError::Connector(Box::new(failure)),
        }
    }

    /// The same for the requests that a check tried.
    fn explain_probes(&self, report: &mut CheckReport) {
        let Some((words, _)) = self.no_connection() else {
            return;
        };
        let failed = report
            .probes
            .iter_mut()
            .filter_map(|probe| probe.failure.as_mut());
        for failure in failed.filter(|failure| failure.kind == ErrorKind::Network) {
            add_reason(&mut failure.message, &words);
        }
    }

    /// Keeps the instance for the next call, unless the call broke it off.
    fn finish<T>(
        &mut self,
        mut instance: Instance,
        outcome: wasmtime::Result<(T,)>,
    ) -> Result<T, CallError> {
        match outcome {
            Ok((answer,)) => {
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

fn add_reason(message: &mut String, words: &str) {
    message.push_str(". The host says: ");
    message.push_str(words);
}

/// What the transport says of a failure that `wasi:http` has no words for.
fn reason(cause: &transport::Error) -> Option<String> {
    use transport::Error;
    match cause {
        // The connector says itself what of TLS it was.
        Error::Certificate { reason } | Error::Tls { reason } => Some(reason.clone()),
        Error::Proxy { .. } => Some(cause.to_string()),
        _ => None,
    }
}

/// Finds out why an instance did not start.
fn not_started(error: &wasmtime::Error, host: &Host) -> CallError {
    let limits = &host.limits;
    if error.is::<Trap>() {
        return broken_off(error, None, limits);
    }
    if error.is::<PoolConcurrencyLimitError>() {
        // The pool has room for all instances that there may be, as long as they have no more parts than it was made for.
        return CallError::Busy {
            most: host.most_instances,
        };
    }
    limits::reached(error, limits).unwrap_or_else(|| CallError::Host(format!("{error:#}")))
}

/// Finds out what a broken-off call died of.
fn broken_off(error: &wasmtime::Error, panic: Option<String>, limits: &Limits) -> CallError {
    if let Some(reached) = limits::reached(error, limits) {
        return reached;
    }
    // Where it is no trap, the guest gave an import or its caller what makes no sense: a handle that it does not have, text
    // that is not UTF-8. No import fails for a reason of the host's own.
    CallError::Trapped {
        panic,
        trap: error.root_cause().to_string(),
    }
}
