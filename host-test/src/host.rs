//! The host: the engine, what connectors are linked against, and how they are loaded.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use wasmtime::component::{Component, HasData, HasSelf, Linker, Resource, ResourceTable};
use wasmtime::{
    Cache, CacheConfig, Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig,
    StoreContextMut,
};
use wasmtime_wasi::clocks::{WasiClocks, WasiClocksView};
use wasmtime_wasi::p2::bindings::{clocks, io};
use wasmtime_wasi_http::p2::bindings::http::types::ErrorCode;

use crate::bindings::identity::connector::{deadline, logging, settings};
use crate::http::{HttpError, Network, Timeouts, Transport};
use crate::instance::State;
use crate::limits::{Limits, PARTS, TABLE_ELEMENTS};
use crate::{LoadError, Plugin};

/// How often running guests are made to yield, so that a deadline can stop one that only computes.
const TICK: Duration = Duration::from_millis(10);

/// What connectors may import, without the version. Everything else is named when a component that wants it is loaded.
const GRANTED_IMPORTS: [&str; 10] = [
    "identity:connector/deadline",
    "identity:connector/logging",
    "identity:connector/settings",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:http/outgoing-handler",
    "wasi:http/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
];

/// How to set up a [`Host`].
#[derive(Clone, Default)]
pub struct HostOptions {
    /// Limits on each instance.
    pub limits: Limits,
    /// How long an instance's HTTP requests wait for the other side.
    pub timeouts: Timeouts,
    /// What sends the requests. `None`: a [`Network`] of this host's own.
    pub transport: Option<Arc<dyn Transport>>,
    /// A folder to keep compiled code in, with an absolute path, so that a component is compiled once. `None`: nothing is kept.
    ///
    /// Code found there is run as it is: nobody else may be able to write to it.
    pub code_cache: Option<PathBuf>,
    /// Sets memory aside for this many instances at a time, which makes starting one quicker. `None`: as they come.
    pub pooled_instances: Option<u32>,
}

/// Loads connectors. One for all connectors of a process; cheap to clone.
#[derive(Clone)]
pub struct Host {
    pub(crate) engine: Engine,
    pub(crate) linker: Arc<Linker<State>>,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) limits: Limits,
    pub(crate) timeouts: Timeouts,
}

impl Host {
    /// Sets up the engine, and the thread that makes running guests yield. The thread ends with the last user of the engine.
    ///
    /// # Errors
    ///
    /// When the engine does not take the options, for example a cache folder that cannot be made.
    pub fn new(options: HostOptions) -> Result<Self, LoadError> {
        let config = config(&options).map_err(LoadError::Engine)?;
        let engine = Engine::new(&config).map_err(LoadError::Engine)?;
        let linker = link(&engine).map_err(LoadError::Engine)?;
        start_ticking(&engine);
        Ok(Self {
            engine,
            linker: Arc::new(linker),
            transport: options
                .transport
                .unwrap_or_else(|| Arc::new(Network::new())),
            limits: options.limits,
            timeouts: options.timeouts,
        })
    }

    /// Loads a component from a file. Compiling takes the processor for up to a second, unless the code cache has it.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or for a reason of [`Host::load_bytes`].
    pub fn load(&self, path: &Path) -> Result<Plugin, LoadError> {
        let bytes = std::fs::read(path).map_err(LoadError::Unreadable)?;
        self.load_bytes(&bytes)
    }

    /// Loads a component from memory.
    ///
    /// # Errors
    ///
    /// When the bytes are not a component, or one that asks for more than a connector gets or offers less than a connector must.
    pub fn load_bytes(&self, bytes: &[u8]) -> Result<Plugin, LoadError> {
        let component =
            Component::from_binary(&self.engine, bytes).map_err(LoadError::NotAComponent)?;
        let interfaces = forbidden_imports(&self.engine, &component);
        if !interfaces.is_empty() {
            return Err(LoadError::ForbiddenImports { interfaces });
        }
        Plugin::link(self, &component).map_err(LoadError::Incompatible)
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

fn config(options: &HostOptions) -> wasmtime::Result<Config> {
    let mut config = Config::new();
    // WASI 0.2 has no concurrency within a component.
    config.concurrency_support(false);
    config.epoch_interruption(true);
    if let Some(directory) = &options.code_cache {
        let mut cache = CacheConfig::new();
        cache.with_directory(directory);
        config.cache(Some(Cache::new(cache)?));
    }
    if let Some(instances) = options.pooled_instances {
        config.allocation_strategy(pool(instances, options.limits.memory));
    }
    Ok(config)
}

/// A pool with room for so many components, each made of a few core instances as `wasm-component-ld` builds them.
fn pool(instances: u32, memory: usize) -> InstanceAllocationStrategy {
    const CORE_INSTANCES_PER_COMPONENT: u32 = 8;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        .total_stacks(instances)
        .total_core_instances(instances * CORE_INSTANCES_PER_COMPONENT)
        .total_memories(instances * 2)
        .total_tables(instances * CORE_INSTANCES_PER_COMPONENT)
        .max_memory_size(memory)
        .table_elements(TABLE_ELEMENTS)
        .max_core_instances_per_component(PARTS as u32);
    InstanceAllocationStrategy::Pooling(pool)
}

/// Links what connectors get, and only that.
fn link(engine: &Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    let l = &mut linker;
    settings::add_to_linker::<_, HasSelf<_>>(l, |state| state)?;
    logging::add_to_linker::<_, HasSelf<_>>(l, |state| state)?;
    deadline::add_to_linker::<_, HasSelf<_>>(l, |state| state)?;
    clocks::monotonic_clock::add_to_linker::<_, WasiClocks>(l, State::clocks)?;
    clocks::wall_clock::add_to_linker::<_, WasiClocks>(l, State::clocks)?;
    io::error::add_to_linker::<_, Table>(l, State::table)?;
    io::poll::add_to_linker::<_, Table>(l, State::table)?;
    io::streams::add_to_linker::<_, Table>(l, State::table)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(l)?;
    l.allow_shadowing(true);
    l.instance("wasi:http/types@0.2.12")?
        .func_wrap("http-error-code", http_error_code)?;
    Ok(linker)
}

/// Tells a guest why a body ended early. The one in `wasmtime-wasi-http` 48 looks for an [`ErrorCode`] in the error of the
/// stream, where there is an [`HttpError`], and so never finds a reason: a slow body, or one that is too large, would look
/// like a broken connection. Everything else that can happen to a body is one, and a guest takes it for one without a code.
fn http_error_code(
    mut store: StoreContextMut<State>,
    (error,): (Resource<io::error::Error>,),
) -> wasmtime::Result<(Option<ErrorCode>,)> {
    let error = store.data_mut().table().get(&error)?;
    let code = match error.downcast_ref() {
        Some(HttpError::ConnectionReadTimeout) => Some(ErrorCode::ConnectionReadTimeout),
        Some(HttpError::HttpResponseIncomplete) => Some(ErrorCode::HttpResponseIncomplete),
        Some(HttpError::HttpResponseBodySize(size)) => Some(ErrorCode::HttpResponseBodySize(*size)),
        Some(HttpError::HttpProtocolError) => Some(ErrorCode::HttpProtocolError),
        _ => None,
    };
    Ok((code,))
}

/// Tells the linker that `wasi:io` works on the resource table of an instance.
struct Table;

impl HasData for Table {
    type Data<'a> = &'a mut ResourceTable;
}

fn forbidden_imports(engine: &Engine, component: &Component) -> Vec<String> {
    component
        .component_type()
        .imports(engine)
        .map(|(name, _)| name)
        .filter(|name| {
            let interface = name.split('@').next().unwrap_or(name);
            !GRANTED_IMPORTS.contains(&interface)
        })
        .map(str::to_string)
        .collect()
}

fn start_ticking(engine: &Engine) {
    let engine = engine.weak();
    thread::spawn(move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            thread::sleep(TICK);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A component that imports an interface without functions, and exports nothing.
    fn importing(interface: &str) -> Vec<u8> {
        let length = |bytes: &[u8]| u8::try_from(bytes.len()).expect("the test gives a short name");
        let import = [
            &[1, 0, length(interface.as_bytes())],
            interface.as_bytes(),
            &[5, 0],
        ]
        .concat();
        let types = [1, 0x42, 0];
        [
            b"\0asm\x0d\0\x01\0".as_slice(),
            &[7, length(&types)],
            &types,
            &[10, length(&import)],
            &import,
        ]
        .concat()
    }

    fn load(bytes: &[u8]) -> LoadError {
        let host = Host::new(HostOptions::default()).expect("the defaults are right");
        host.load_bytes(bytes)
            .map(|_| ())
            .expect_err("it is no connector")
    }

    #[test]
    fn a_component_that_asks_for_more_does_not_load_and_is_told_why() {
        let error = load(&importing("wasi:cli/environment@0.2.12"));
        assert!(
            matches!(error, LoadError::ForbiddenImports { .. }),
            "{error}"
        );
        assert!(
            error.to_string().contains("wasi:cli/environment@0.2.12"),
            "{error}"
        );
    }

    #[test]
    fn a_component_that_offers_less_does_not_load() {
        let error = load(&importing("wasi:io/poll@0.2.12"));
        assert!(matches!(error, LoadError::Incompatible(_)), "{error}");
        assert!(
            error.to_string().contains("identity:connector/types"),
            "{error}"
        );
    }

    #[test]
    fn a_core_module_is_no_component() {
        let error = load(b"\0asm\x01\0\0\0");
        assert!(matches!(error, LoadError::NotAComponent(_)), "{error}");
    }
}
