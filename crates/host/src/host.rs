//! The host: the engine, what connectors are linked against, and how they are loaded.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use connector_transport::Timeouts;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use wasmtime::component::{Component, Linker};
use wasmtime::{
    Cache, CacheConfig, Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig,
};

use crate::imports::{forbidden_imports, link};
use crate::instance::State;
use crate::limits::{Limits, TABLE_ELEMENTS, shrink_language};
use crate::{LoadError, Plugin, code_cache};

/// How often running guests are made to yield, so that a deadline can stop one that only computes.
const TICK: Duration = Duration::from_millis(10);
/// How many components are compiled at a time. Each uses several processors.
const COMPILED_AT_A_TIME: usize = 2;

/// How many instances can be pooled at most. For each, the engine sets aside two times 4 GiB of addresses (not of memory), which
/// makes code fast that need not check every address; 128 TiB is all that a processor has.
pub const MOST_POOLED_INSTANCES: u32 = 10_000;

/// How to set up a [`Host`].
///
/// ```
/// use connector_host::{HostOptions, Limits};
///
/// let options = HostOptions::default().limits(Limits::default().memory(32 << 20)).instances(200);
/// # assert_eq!(options.instances, 200);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HostOptions {
    /// Limits on each instance.
    pub limits: Limits,
    /// How long an instance's HTTP requests wait for the other side.
    pub timeouts: Timeouts,
    /// How many instances there may be at a time, at work or kept by their connectors for the next call. Whoever wants one more
    /// waits, up to the deadline of its call. Beside [`Limits::memory`] each may take a few MiB of the host: what it sends, and of
    /// each answer under way a MiB that arrives ahead. Default: 1,000.
    pub instances: u32,
    /// Sets memory aside for this many instances, at most [`MOST_POOLED_INSTANCES`], which makes starting one quicker; there can
    /// then be no more than these. `None`, the default: memory as it is needed.
    pub pooled_instances: Option<u32>,
    /// A folder to keep compiled code in, with an absolute path, so that a component is compiled once. `None`: nothing is kept.
    ///
    /// Code found there is run as it is, so the folder has to be this user's alone, or it is refused.
    pub code_cache: Option<PathBuf>,
    /// How many bytes a component may have. Default: 32 MiB.
    pub component_size: u64,
    /// How long compiling a component may take. Default: 60 seconds.
    pub compile_time: Duration,
}

impl Default for HostOptions {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            timeouts: Timeouts::default(),
            instances: 1_000,
            pooled_instances: None,
            code_cache: None,
            component_size: 32 << 20,
            compile_time: Duration::from_secs(60),
        }
    }
}

impl HostOptions {
    /// With these limits on each instance.
    #[must_use]
    pub fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// With these times to wait for the other side.
    #[must_use]
    pub fn timeouts(self, timeouts: Timeouts) -> Self {
        Self { timeouts, ..self }
    }

    /// With so many instances at a time.
    #[must_use]
    pub fn instances(self, instances: u32) -> Self {
        Self { instances, ..self }
    }

    /// With memory set aside for so many instances.
    #[must_use]
    pub fn pooled_instances(self, instances: u32) -> Self {
        Self {
            pooled_instances: Some(instances),
            ..self
        }
    }

    /// With this folder for compiled code.
    #[must_use]
    pub fn code_cache(self, folder: impl Into<PathBuf>) -> Self {
        Self {
            code_cache: Some(folder.into()),
            ..self
        }
    }

    /// With components of at most so many bytes.
    #[must_use]
    pub fn component_size(self, component_size: u64) -> Self {
        Self {
            component_size,
            ..self
        }
    }

    /// With so much time to compile a component.
    #[must_use]
    pub fn compile_time(self, compile_time: Duration) -> Self {
        Self {
            compile_time,
            ..self
        }
    }
}

/// Loads connectors. One for all connectors of a process; cheap to clone.
#[derive(Clone)]
pub struct Host {
    pub(crate) engine: Engine,
    pub(crate) linker: Arc<Linker<State>>,
    pub(crate) limits: Limits,
    pub(crate) timeouts: Timeouts,
    pub(crate) most_instances: usize,
    /// One for each instance that there may be.
    pub(crate) places: Arc<Semaphore>,
    component_size: u64,
    compile_time: Duration,
    /// Held while a component is compiled, also beyond its time: those that take for ever are not to take all processors.
    compiling: Arc<Semaphore>,
}

impl Host {
    /// Sets up the engine, and the thread that makes running guests yield. The thread ends with the last user of the engine.
    ///
    /// # Errors
    ///
    /// When the engine does not take the options, for example a cache folder that others can write to.
    pub fn new(options: HostOptions) -> Result<Self, LoadError> {
        let asked = options.pooled_instances.unwrap_or_default();
        if asked > MOST_POOLED_INSTANCES {
            let most = MOST_POOLED_INSTANCES;
            return Err(LoadError::PoolTooLarge { asked, most });
        }
        let config = config(&options)?;
        let engine = Engine::new(&config).map_err(LoadError::Engine)?;
        let linker = link(&engine).map_err(LoadError::Engine)?;
        start_ticking(&engine).map_err(LoadError::Thread)?;
        let instances = options.pooled_instances.unwrap_or(u32::MAX);
        let most_instances = instances.min(options.instances) as usize;
        Ok(Self {
            engine,
            linker: Arc::new(linker),
            limits: options.limits,
            timeouts: options.timeouts,
            most_instances,
            places: Arc::new(Semaphore::new(most_instances)),
            component_size: options.component_size,
            compile_time: options.compile_time,
            compiling: Arc::new(Semaphore::new(COMPILED_AT_A_TIME)),
        })
    }

    /// Loads a component from a file. Compiling takes a processor for up to a second, unless the code cache has it; calls of
    /// connectors go on meanwhile.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or for a reason of [`Host::load_bytes`].
    pub async fn load(&self, path: &Path) -> Result<Plugin, LoadError> {
        let path = path.to_path_buf();
        let most = self.component_size;
        self.load_with(move || {
            let file = File::open(path).map_err(LoadError::Unreadable)?;
            let mut bytes = Vec::new();
            // One byte more, to see that there is more: some files tell no size, or a wrong one.
            file.take(most.saturating_add(1))
                .read_to_end(&mut bytes)
                .map_err(LoadError::Unreadable)?;
            Ok(bytes)
        })
        .await
    }

    /// Loads a component from memory.
    ///
    /// # Errors
    ///
    /// When the bytes are not a component, or one that asks for more than a connector gets or offers less than a connector must;
    /// when it is larger, or takes longer to compile, than the options allow.
    pub async fn load_bytes(&self, bytes: impl Into<Vec<u8>>) -> Result<Plugin, LoadError> {
        let bytes = bytes.into();
        self.load_with(|| Ok(bytes)).await
    }

    /// Reads and compiles on a thread that may be busy for long.
    async fn load_with(
        &self,
        read: impl FnOnce() -> Result<Vec<u8>, LoadError> + Send + 'static,
    ) -> Result<Plugin, LoadError> {
        let host = self.clone();
        let compiled = async {
            let turn = self.compiling.clone().acquire_owned().await;
            let turn = turn.expect("nobody closes the semaphore of a host");
            tokio::task::spawn_blocking(move || {
                let _turn = turn;
                host.compile(&read()?)
            })
            .await
        };
        let after = self.compile_time;
        match timeout(after, compiled).await {
            Err(_) => Err(LoadError::TooSlow { after }),
            Ok(Ok(loaded)) => loaded,
            Ok(Err(broken)) => Err(LoadError::NotAComponent(wasmtime::Error::msg(format!(
                "compiling it broke off: {broken}"
            )))),
        }
    }

    fn compile(&self, bytes: &[u8]) -> Result<Plugin, LoadError> {
        let most = self.component_size;
        if bytes.len() as u64 > most {
            return Err(LoadError::TooLarge { most });
        }
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
            .field("instances", &self.most_instances)
            .finish_non_exhaustive()
    }
}

fn config(options: &HostOptions) -> Result<Config, LoadError> {
    let mut config = Config::new();
    // WASI 0.2 has no concurrency within a component.
    config.concurrency_support(false);
    config.epoch_interruption(true);
    shrink_language(&mut config);
    if let Some(folder) = &options.code_cache {
        let mut cache = CacheConfig::new();
        cache.with_directory(code_cache::prepare(folder)?);
        config.cache(Some(Cache::new(cache).map_err(LoadError::Engine)?));
    }
    if let Some(instances) = options.pooled_instances {
        config.allocation_strategy(pool(instances, options.limits.memory));
    }
    Ok(config)
}

/// A pool with room for so many components, each made of a few core instances as `wasm-component-ld` builds them. A component
/// that is made of more does not load: it would take the room of others.
fn pool(instances: u32, memory: usize) -> InstanceAllocationStrategy {
    const PARTS_PER_COMPONENT: u32 = 8;
    const MEMORIES_PER_COMPONENT: u32 = 2;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        .total_stacks(instances)
        .total_core_instances(instances * PARTS_PER_COMPONENT)
        .max_core_instances_per_component(PARTS_PER_COMPONENT)
        .total_memories(instances * MEMORIES_PER_COMPONENT)
        .max_memories_per_component(MEMORIES_PER_COMPONENT)
        .total_tables(instances * PARTS_PER_COMPONENT)
        .max_tables_per_component(PARTS_PER_COMPONENT)
        .max_memory_size(memory)
        .table_elements(TABLE_ELEMENTS);
    InstanceAllocationStrategy::Pooling(pool)
}

fn start_ticking(engine: &Engine) -> std::io::Result<()> {
    let engine = engine.weak();
    let tick = move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            thread::sleep(TICK);
        }
    };
    let thread = thread::Builder::new().name("connector-deadlines".to_string());
    thread.spawn(tick).map(drop)
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

    async fn load(bytes: &[u8]) -> LoadError {
        load_with(HostOptions::default(), bytes).await
    }

    async fn load_with(options: HostOptions, bytes: &[u8]) -> LoadError {
        let host = Host::new(options).expect("the options are right");
        let loaded = host.load_bytes(bytes).await;
        loaded.map(|_| ()).expect_err("it is no connector")
    }

    #[tokio::test]
    async fn a_component_beyond_the_size_limit_is_not_even_looked_at() {
        let error = load_with(
            HostOptions::default().component_size(7),
            b"\0asm\x0d\0\x01\0",
        )
        .await;
        assert!(matches!(error, LoadError::TooLarge { most: 7 }), "{error}");
    }

    #[tokio::test]
    async fn a_file_beyond_the_size_limit_is_not_read_to_its_end() {
        let host = Host::new(HostOptions::default().component_size(7)).expect("they are right");
        // It has no end.
        let error = host.load(Path::new("/dev/zero")).await.map(|_| ());
        let error = error.expect_err("it is no connector");
        assert!(matches!(error, LoadError::TooLarge { most: 7 }), "{error}");
    }

    #[tokio::test]
    async fn a_component_that_takes_too_long_to_compile_is_given_up() {
        let options = HostOptions::default().compile_time(Duration::from_millis(50));
        let host = Host::new(options).expect("they are right");
        // As if others were compiled, and had no end.
        let all = u32::try_from(COMPILED_AT_A_TIME).expect("they are few");
        let _others = host.compiling.acquire_many(all).await;
        let error = host.load_bytes(b"\0asm\x01\0\0\0").await.map(|_| ());
        let error = error.expect_err("its turn does not come");
        assert!(matches!(error, LoadError::TooSlow { .. }), "{error}");
    }

    #[test]
    fn the_most_pooled_instances_fit_and_more_are_refused() {
        let pool = |instances| Host::new(HostOptions::default().pooled_instances(instances));
        pool(MOST_POOLED_INSTANCES).expect("they fit");
        let error = pool(MOST_POOLED_INSTANCES + 1).expect_err("they do not fit");
        assert!(matches!(error, LoadError::PoolTooLarge { .. }), "{error}");
    }

    #[tokio::test]
    async fn a_component_that_asks_for_more_does_not_load_and_is_told_why() {
        let error = load(&importing("wasi:cli/environment@0.2.12")).await;
        assert!(
            matches!(error, LoadError::ForbiddenImports { .. }),
            "{error}"
        );
        assert!(
            error.to_string().contains("wasi:cli/environment@0.2.12"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn a_component_that_offers_less_does_not_load() {
        let error = load(&importing("wasi:io/poll@0.2.12")).await;
        assert!(matches!(error, LoadError::Incompatible(_)), "{error}");
        assert!(
            error.to_string().contains("identity:connector/connector"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn a_core_module_is_no_component() {
        let error = load(b"\0asm\x01\0\0\0").await;
        assert!(matches!(error, LoadError::NotAComponent(_)), "{error}");
    }
}
