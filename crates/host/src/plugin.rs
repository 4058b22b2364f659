//! Plugins and tenants: what connectors are made from.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use connector_transport::{Network, SharedTokens, Transport};
use wasmtime::component::{Component, InstancePre};

use crate::exports::Places;
use crate::instance::State;
use crate::settings::Settings;
use crate::{Connector, EgressPolicy, Host};

/// Whom an instance serves: the settings it gets, where it may send requests, and what sends them.
///
/// Make one for each customer and clone it for all its connectors: clones share their connections and their token, and no other
/// tenant does. So no tenant waits for another, and servers that keep one token for each client are content.
#[derive(Clone)]
pub struct Tenant {
    pub(crate) name: String,
    pub(crate) settings: Arc<dyn Settings>,
    pub(crate) egress: EgressPolicy,
    pub(crate) transport: Arc<dyn Transport>,
}

impl Tenant {
    /// A tenant with a name for logs, and with a [`Network`] of its own.
    pub fn new(
        name: impl Into<String>,
        settings: impl Settings + 'static,
        egress: EgressPolicy,
    ) -> Self {
        Self {
            name: name.into(),
            settings: Arc::new(settings),
            egress,
            transport: Arc::new(SharedTokens::new(Arc::new(Network::new()))),
        }
    }

    /// Sends its requests by this transport: a [`Network`] with certificate authorities or a proxy of this tenant's, or one that
    /// records or replays. Give each tenant its own.
    #[must_use]
    pub fn transport(self, transport: Arc<dyn Transport>) -> Self {
        Self {
            transport: Arc::new(SharedTokens::new(transport)),
            ..self
        }
    }

    /// Puts a transport in front of its own, such as one that counts what is sent.
    #[must_use]
    pub fn map_transport(
        self,
        wrap: impl FnOnce(Arc<dyn Transport>) -> Arc<dyn Transport>,
    ) -> Self {
        Self {
            transport: wrap(self.transport),
            ..self
        }
    }

    /// The same tenant with other settings.
    #[must_use]
    pub fn with_settings(self, settings: Arc<dyn Settings>) -> Self {
        Self { settings, ..self }
    }

    /// Its settings.
    pub fn settings(&self) -> &Arc<dyn Settings> {
        &self.settings
    }

    /// Its name in logs.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Debug for Tenant {
    /// Its settings are not shown: they may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tenant")
            .field("name", &self.name)
            .field("egress", &self.egress)
            .finish_non_exhaustive()
    }
}

/// A connector that was loaded, checked and compiled, for any number of tenants. Cheap to clone.
#[derive(Clone)]
pub struct Plugin {
    pub(crate) host: Host,
    pub(crate) linked: InstancePre<State>,
    pub(crate) exports: Places,
}

impl Plugin {
    pub(crate) fn link(host: &Host, component: &Component) -> wasmtime::Result<Self> {
        let linked = host.linker.instantiate_pre(component)?;
        Ok(Self {
            host: host.clone(),
            exports: Places::find(&linked)?,
            linked,
        })
    }

    /// The same plugin with another deadline for each call than the [`Limits::deadline`](crate::Limits::deadline) of its host.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.host.limits = self.host.limits.deadline(deadline);
        self
    }

    /// Makes a connector for one tenant. Its instance starts with the first call.
    pub fn instantiate(&self, tenant: Tenant) -> Connector {
        Connector::new(self.clone(), tenant)
    }
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plugin").finish_non_exhaustive()
    }
}
