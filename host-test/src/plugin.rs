//! Plugins and tenants: what connectors are made from.

use std::fmt;
use std::sync::Arc;

use wasmtime::component::Component;

use crate::bindings::PluginPre;
use crate::instance::State;
use crate::settings::Settings;
use crate::{Connector, EgressPolicy, Host};

/// Whom an instance serves: the settings it gets, and where it may send requests.
#[derive(Clone)]
pub struct Tenant {
    pub(crate) name: String,
    pub(crate) settings: Arc<dyn Settings>,
    pub(crate) egress: EgressPolicy,
}

impl Tenant {
    /// A tenant with a name for logs.
    pub fn new(
        name: impl Into<String>,
        settings: impl Settings + 'static,
        egress: EgressPolicy,
    ) -> Self {
        Self {
            name: name.into(),
            settings: Arc::new(settings),
            egress,
        }
    }
}

/// A connector that was loaded, checked and compiled, for any number of tenants. Cheap to clone.
#[derive(Clone)]
pub struct Plugin {
    pub(crate) host: Host,
    pub(crate) exports: PluginPre<State>,
}

impl Plugin {
    pub(crate) fn link(host: &Host, component: &Component) -> wasmtime::Result<Self> {
        let linked = host.linker.instantiate_pre(component)?;
        Ok(Self {
            host: host.clone(),
            exports: PluginPre::new(linked)?,
        })
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
