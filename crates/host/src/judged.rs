//! Connectors of this host, as the conformance suite judges them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use connector_conformance::{Access, Gate, Instance, Subject};
use connector_transport::{self as transport, Body, Terms, Transport};
use http::{Request, Response};
use secrecy::ExposeSecret;

use crate::contract::{
    Assignment, Change, CheckReport, Description, ListRequest, Mode, Page, ProvisionRequest,
};
use crate::{BoxFuture, CallError, Connector, Plugin, Setting, Settings, SettingsError, Tenant};

type Answer<'a, T> = BoxFuture<'a, Result<T, connector_conformance::CallError>>;

/// A plugin with a tenant, for `connector_conformance::run`.
#[derive(Debug)]
pub struct Judged {
    plugin: Plugin,
    tenant: Tenant,
    requests: Arc<AtomicUsize>,
}

impl Judged {
    /// The connectors that this plugin makes for this tenant.
    pub fn new(plugin: &Plugin, tenant: Tenant) -> Self {
        let requests = Arc::new(AtomicUsize::new(0));
        let tenant = tenant.map_transport(|transport| {
            Arc::new(Counted {
                transport,
                requests: requests.clone(),
            })
        });
        Self {
            plugin: plugin.clone(),
            tenant,
            requests,
        }
    }
}

impl Subject for Judged {
    fn open(&self, gate: Gate) -> Box<dyn Instance> {
        let settings = self.tenant.settings().clone();
        let tenant = self.tenant.clone();
        let tenant = tenant.with_settings(Arc::new(Gated { settings, gate }));
        Box::new(self.plugin.instantiate(tenant))
    }

    fn setting<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Option<String>> {
        Box::pin(async move {
            match self.tenant.settings().get(key).await.ok()?? {
                Setting::Plain(value) => Some(value),
                Setting::Secret(value) => Some(value.expose_secret().to_string()),
            }
        })
    }

    fn requests(&self) -> Option<usize> {
        Some(self.requests.load(Ordering::Relaxed))
    }
}

impl Instance for Connector {
    fn describe(&mut self) -> Answer<'_, Description> {
        Box::pin(async { Ok(Connector::describe(self).await?) })
    }

    fn check(&mut self) -> Answer<'_, CheckReport> {
        Box::pin(async { Ok(Connector::check(self).await?) })
    }

    fn list<'a>(&'a mut self, request: &'a ListRequest) -> Answer<'a, Page> {
        Box::pin(async { Ok(Connector::list(self, request).await?) })
    }

    fn grant<'a>(&'a mut self, assignment: &'a Assignment, mode: Mode) -> Answer<'a, Change> {
        Box::pin(async move { Ok(Connector::grant(self, assignment, mode).await?) })
    }

    fn revoke<'a>(&'a mut self, assignment: &'a Assignment, mode: Mode) -> Answer<'a, Change> {
        Box::pin(async move { Ok(Connector::revoke(self, assignment, mode).await?) })
    }

    fn provision<'a>(
        &'a mut self,
        request: &'a ProvisionRequest,
        mode: Mode,
    ) -> Answer<'a, Change> {
        Box::pin(async move { Ok(Connector::provision(self, request, mode).await?) })
    }

    fn memory(&self) -> Option<usize> {
        self.guest_memory()
    }

    fn has_told_secret(&self) -> Option<bool> {
        Some(Connector::has_told_secret(self))
    }
}

impl From<CallError> for connector_conformance::CallError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Connector(failure) | CallError::NoConnection { failure, .. } => {
                Self::Failure(failure)
            }
            other => Self::BrokeOff(format!("{} ({other})", other.kind())),
        }
    }
}

/// The settings of the tenant behind a gate.
struct Gated {
    settings: Arc<dyn Settings>,
    gate: Gate,
}

impl Settings for Gated {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Setting>, SettingsError>> {
        match (self.gate)(key) {
            Access::AsSet => self.settings.get(key),
            Access::NotSet => Box::pin(async { Ok(None) }),
            Access::Denied => Box::pin(async {
                let reason = "what is tried needs no setting".to_string();
                Err(SettingsError::Denied(reason))
            }),
        }
    }
}

/// Counts what is sent.
struct Counted {
    transport: Arc<dyn Transport>,
    requests: Arc<AtomicUsize>,
}

impl Transport for Counted {
    fn send(
        self: Arc<Self>,
        request: Request<Bytes>,
        terms: Terms,
    ) -> BoxFuture<'static, Result<Response<Body>, transport::Error>> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.transport.clone().send(request, terms)
    }
}
