//! One instance of a connector: its store, and what its imports work on.

use std::sync::Arc;
use std::time::Instant;

use secrecy::ExposeSecret;
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::yield_now;
use wasmtime::component::ResourceTable;
use wasmtime::{Store, UpdateDeadline};
use wasmtime_wasi::clocks::{WasiClocksCtx, WasiClocksCtxView, WasiClocksView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::bindings::identity::connector::{deadline, settings};
use crate::concealed::Concealed;
use crate::exports::Exports;
use crate::limits::{HANDLES, REQUEST_HEADER, ResourceCounter};
use crate::logging::GuestLog;
use crate::outgoing::Outgoing;
use crate::settings::{Setting, Settings, SettingsError};
use crate::{Host, Plugin, Tenant};

/// What the imports of one instance work on.
pub(crate) struct State {
    table: ResourceTable,
    clocks: WasiClocksCtx,
    http: WasiHttpCtx,
    pub(crate) outgoing: Outgoing,
    settings: Arc<dyn Settings>,
    pub(crate) resources: ResourceCounter,
    pub(crate) log: GuestLog,
    pub(crate) concealed: Concealed,
    /// When the call under way is stopped.
    pub(crate) deadline: Instant,
}

impl State {
    fn new(host: &Host, tenant: &Tenant, deadline: Instant) -> Self {
        let concealed = Concealed::default();
        let mut table = ResourceTable::new();
        table.set_max_capacity(HANDLES);
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(REQUEST_HEADER);
        Self {
            table,
            clocks: WasiClocksCtx::default(),
            http,
            outgoing: Outgoing::new(tenant, host.timeouts, host.limits, concealed.clone()),
            settings: tenant.settings.clone(),
            resources: ResourceCounter::new(host.limits.memory),
            log: GuestLog::new(concealed.clone()),
            concealed,
            deadline,
        }
    }

    pub(crate) fn table(&mut self) -> &mut ResourceTable {
        &mut self.table
    }
}

impl WasiClocksView for State {
    fn clocks(&mut self) -> WasiClocksCtxView<'_> {
        WasiClocksCtxView {
            ctx: &mut self.clocks,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            hooks: &mut self.outgoing,
            table: &mut self.table,
            ctx: &mut self.http,
        }
    }
}

impl settings::Host for State {
    async fn get(&mut self, key: String) -> Result<Option<String>, SettingsError> {
        Ok(match self.settings.get(&key).await? {
            Some(Setting::Plain(value)) => Some(value),
            Some(Setting::Secret(secret)) => {
                self.concealed.add_setting(&secret);
                Some(secret.expose_secret().to_string())
            }
            None => None,
        })
    }
}

impl deadline::Host for State {
    fn time_left(&mut self) -> Option<u64> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        Some(u64::try_from(left.as_millis()).unwrap_or(u64::MAX))
    }
}

/// A connector that runs. After a trap it must not be used again.
pub(crate) struct Instance {
    pub(crate) store: Store<State>,
    exports: Exports,
    /// Its place among the instances that there may be. Below the store, so that it is free only once the memory is.
    _place: OwnedSemaphorePermit,
}

impl Instance {
    /// Starts an instance, in this place, whose first call ends at this deadline.
    pub(crate) async fn start(
        plugin: &Plugin,
        tenant: &Tenant,
        place: OwnedSemaphorePermit,
        deadline: Instant,
    ) -> wasmtime::Result<Self> {
        let host = &plugin.host;
        let mut store = Store::new(&host.engine, State::new(host, tenant, deadline));
        store.limiter(|state| &mut state.resources);
        store.set_hostcall_fuel(host.limits.handed_over());
        store.set_epoch_deadline(1);
        // Not wasmtime's own yield, after which tokio looks for what arrived from the network only once in a while: beside a
        // guest that computes, all others would wait for most of a second at every turn.
        store
            .epoch_deadline_callback(|_| Ok(UpdateDeadline::YieldCustom(1, Box::pin(yield_now()))));
        let instance = plugin.linked.instantiate_async(&mut store).await?;
        Ok(Self {
            exports: plugin.exports.of(&instance, &mut store)?,
            store,
            _place: place,
        })
    }

    /// The functions of the connector, and the store to call them in.
    pub(crate) fn parts(&mut self) -> (&Exports, &mut Store<State>) {
        (&self.exports, &mut self.store)
    }
}
