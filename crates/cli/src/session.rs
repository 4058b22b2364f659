//! What the commands share: the options, the output, and the connector.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use connector_host::contract::Description;
use connector_host::transport::Timeouts;
use connector_host::{
    CallError, CodeCacheError, Connector, EgressPolicy, Host, HostOptions, Limits, LoadError,
    Plugin, Tenant, TenantSettings,
};

use super::args::{Command, Options, SettingFlags};
use super::component::{self, Chosen, Named};
use super::config::{self, Config, Section};
use super::failure::Failure;
use super::interruption::Writing;
use super::output::Output;
use super::progress::Progress;
use super::traffic::{Traffic, Way};
use connector_snapshot::unfinished::Unfinished;

/// One run of the program.
pub struct Session {
    pub output: Output,
    pub progress: Progress,
    /// The snapshot or the report that is being written.
    pub unfinished: Unfinished,
    /// Whether it may have changed the tenant.
    pub writing: Writing,
    options: Options,
    /// Whether the command has to do with a tenant.
    calls_a_tenant: bool,
    /// Whether it needs no settings.
    describes: bool,
    /// Where requests go, from when the component is loaded.
    traffic: OnceLock<Arc<Traffic>>,
    /// The name that the connector gives itself.
    connector_name: OnceLock<String>,
}

/// A component that was loaded, and what belongs to it.
pub struct Loaded {
    pub plugin: Plugin,
    pub description: Result<Description, CallError>,
    /// What the configuration file says of the tenant.
    section: Section,
    traffic: Arc<Traffic>,
}

impl Session {
    pub fn new(options: Options, command: &Command, progress: Progress) -> Result<Self, Failure> {
        let calls_a_tenant = command.calls_a_tenant();
        if options.traffic.is_ordered() && !calls_a_tenant {
            return Err(Failure::Usage(
                "this command calls no tenant: there is nothing to --record or to --replay"
                    .to_string(),
            ));
        }
        Ok(Self {
            output: Output::new(options.json),
            progress,
            unfinished: Unfinished::default(),
            writing: Writing::default(),
            options,
            calls_a_tenant,
            describes: matches!(command, Command::Describe),
            traffic: OnceLock::new(),
            connector_name: OnceLock::new(),
        })
    }

    /// The flags for the settings of the tenant.
    pub fn setting_flags(&self) -> &SettingFlags {
        &self.options.settings
    }

    /// Whether the order of the requests matters, so that they have to be sent one after the other.
    pub fn is_ordered(&self) -> bool {
        self.options.traffic.is_ordered()
    }

    /// Loads the component, which comes before the settings: the connector says how their variables are called.
    pub async fn load(&self) -> Result<Loaded, Failure> {
        let in_file = match config::is_elsewhere(&self.options.settings, None, config::variable) {
            true => Ok(None),
            false => self.section(),
        };
        let component = match self.component(in_file.as_ref().ok().and_then(Option::as_ref)) {
            Ok(component) => component,
            // The file would have named one, perhaps.
            Err(none) => return Err(in_file.err().unwrap_or(none)),
        };
        let host = self.host().map_err(|error| component.unloadable(error))?;
        let plugin = component.load(&host).await?;
        // A description needs no settings, so that somebody who has none yet can learn what to set.
        let nobody = Tenant::new("", TenantSettings::new(), EgressPolicy::nothing());
        let unhurried = if self.describes {
            plugin.clone()
        } else {
            // The deadline that was asked for is that of the command.
            plugin.clone().deadline(Limits::default().deadline)
        };
        let description = unhurried.instantiate(nobody).describe().await;
        match &description {
            // A run loads one component.
            Ok(description) => drop(self.connector_name.set(description.name.clone())),
            Err(_) if self.describes => {}
            Err(error) => tracing::warn!(
                "no variable of a setting counts, since the connector does not say what it is called: {error}"
            ),
        }
        let name = self.connector_name.get();
        let section = match in_file {
            _ if config::is_elsewhere(&self.options.settings, name, config::variable) => {
                Section::default()
            }
            // It does not matter that no tenant can be found where none is named.
            Err(_) if self.describes && !self.names_a_tenant() => Section::default(),
            section => section?.unwrap_or_default(),
        };
        let way = self.calls_a_tenant.then(|| way(&self.options, &section));
        let traffic = Arc::new(Traffic::open(
            &self.options.traffic,
            way,
            description.as_ref().ok(),
        )?);
        let _ = self.traffic.set(traffic.clone());
        Ok(Loaded {
            plugin,
            description,
            section,
            traffic,
        })
    }

    /// The component, loaded, and the tenant with its settings, whose requests go where the options say.
    pub async fn open(&self) -> Result<(Plugin, Tenant), Failure> {
        let loaded = self.load().await?;
        let (flags, traffic) = (&self.options.settings, loaded.traffic);
        let find = |connector| Config::find(flags, connector, config::variable, &loaded.section);
        let config = match &*traffic {
            // The variables are for the network.
            Traffic::Replayed { settings, .. } => find(None)?.or(settings.clone()),
            Traffic::Live(_) | Traffic::Recorded { .. } => find(loaded.description.as_ref().ok())?,
        };
        traffic.conceal(&config);
        let tenant = config.tenant().transport(traffic.transport());
        Ok((loaded.plugin, tenant))
    }

    /// A connector for the tenant.
    pub async fn connector(&self) -> Result<Connector, Failure> {
        let (plugin, tenant) = self.open().await?;
        Ok(plugin.instantiate(tenant))
    }

    /// Ends the traffic, and says how the run ended with that.
    pub async fn finish(&self, result: Result<(), Failure>) -> Result<(), Failure> {
        let name = self.connector_name.get();
        let result = result.map_err(|failure| match name {
            Some(name) => failure.naming_variables(name),
            None => failure,
        });
        match self.traffic.get() {
            Some(traffic) => traffic.finish(result).await,
            None => result,
        }
    }

    /// What a configuration file says of the tenant, for the commands that have to do with one.
    fn section(&self) -> Result<Option<Section>, Failure> {
        // A replay needs no settings.
        let is_replay = self.options.traffic.replay.is_some();
        if !self.calls_a_tenant || (is_replay && !self.names_a_tenant()) {
            return Ok(None);
        }
        config::section(&self.options.settings, config::variable)
    }

    /// Whether a tenant is named, or a file by a flag.
    fn names_a_tenant(&self) -> bool {
        config::names_a_tenant(&self.options.settings, config::variable)
    }

    fn component(&self, section: Option<&Section>) -> Result<Chosen, Failure> {
        let flag = self.options.component.clone();
        let named = Named {
            by_user: flag.or_else(|| config::path_variable("CONNECTOR_COMPONENT")),
            in_file: section.and_then(|section| section.component.clone()),
            built: config::path_variable(component::BUILT),
        };
        named.choose()
    }

    /// The host. Where there is no folder for compiled code that is safe, the component is compiled anew.
    fn host(&self) -> Result<Host, LoadError> {
        let options = self.host_options();
        let Some(cache) = user_cache().filter(|_| !self.options.no_cache) else {
            return Host::new(options);
        };
        match Host::new(options.clone().code_cache(cache)) {
            Err(LoadError::CodeCache(error)) => {
                match error {
                    // Where nothing can be written, there is nothing to put right.
                    CodeCacheError::Unusable { .. } => {
                        tracing::debug!("no compiled code is kept: {error}");
                    }
                    _ => tracing::warn!(
                        "no compiled code is kept, which --no-cache asks for without this warning: {error}"
                    ),
                }
                Host::new(options)
            }
            made => made,
        }
    }

    fn host_options(&self) -> HostOptions {
        let timeouts = Timeouts::default()
            .connect(self.options.connect_timeout)
            .first_byte(self.options.answer_timeout)
            .between_bytes(self.options.stall_timeout);
        HostOptions::default()
            .limits(Limits::default().deadline(self.options.deadline))
            .timeouts(timeouts)
    }
}

/// How the tenant is reached: each by its flag, else the environment, else the file.
fn way(options: &Options, section: &Section) -> Way {
    let ca_file = options.ca_file.clone();
    let ca_file = ca_file.or_else(|| config::path_variable("CONNECTOR_CA_FILE"));
    let proxy = options.proxy.clone();
    let proxy = proxy.or_else(|| config::variable("CONNECTOR_PROXY").map(Into::into));
    let no_proxy = options.no_proxy.clone();
    Way {
        ca_file: ca_file.or_else(|| section.ca_file.clone()),
        proxy: proxy.or_else(|| section.proxy.clone()),
        no_proxy: no_proxy.or_else(|| section.no_proxy.clone()),
    }
}

/// The folder for compiled code, in the user's own cache folder.
fn user_cache() -> Option<PathBuf> {
    let folder = |name| {
        let folder = std::env::var_os(name).map(PathBuf::from);
        folder.filter(|folder| folder.is_absolute())
    };
    let cache = folder("XDG_CACHE_HOME")
        .or_else(|| folder("HOME").map(|home| home.join(".cache")))
        .or_else(|| folder("LOCALAPPDATA"))?;
    Some(cache.join("connector-host"))
}
