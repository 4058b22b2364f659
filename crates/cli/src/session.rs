//! What the commands share: the options, the output, and the connector.

use std::path::PathBuf;

use connector_host::transport::Timeouts;
use connector_host::{
    CodeCacheError, Connector, Host, HostOptions, Limits, LoadError, Plugin, Tenant,
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
    pub traffic: Traffic,
    /// The snapshot or the report that is being written.
    pub unfinished: Unfinished,
    /// Whether it may have changed the tenant.
    pub writing: Writing,
    options: Options,
    /// What the configuration file says of the tenant.
    section: Section,
}

impl Session {
    pub fn new(options: Options, command: &Command, progress: Progress) -> Result<Self, Failure> {
        let section = section(&options, command)?;
        let way = command.calls_a_tenant().then(|| way(&options, &section));
        let traffic = Traffic::open(&options.traffic, way)?;
        if traffic.is_ordered() && !command.calls_a_tenant() {
            return Err(Failure::Usage(
                "this command calls no tenant: there is nothing to --record or to --replay"
                    .to_string(),
            ));
        }
        Ok(Self {
            output: Output::new(options.json),
            progress,
            traffic,
            unfinished: Unfinished::default(),
            writing: Writing::default(),
            options,
            section,
        })
    }

    /// The flags for the settings of the tenant.
    pub fn setting_flags(&self) -> &SettingFlags {
        &self.options.settings
    }

    /// The settings of the tenant.
    pub fn config(&self) -> Result<Config, Failure> {
        let (flags, section) = (&self.options.settings, self.section.clone());
        match &self.traffic {
            Traffic::Replayed { settings, .. } => {
                let given = Config::find(flags, without_ninjaone, section)?;
                Ok(given.or(settings.clone()))
            }
            Traffic::Live(_) | Traffic::Recorded { .. } => {
                Config::find(flags, config::variable, section)
            }
        }
    }

    /// The component, loaded.
    pub async fn plugin(&self) -> Result<Plugin, Failure> {
        let component = self.component()?;
        let host = self.host().map_err(|error| component.unloadable(error))?;
        component.load(&host).await
    }

    fn component(&self) -> Result<Chosen, Failure> {
        let flag = self.options.component.clone();
        let named = Named {
            by_user: flag.or_else(|| config::path_variable("CONNECTOR_COMPONENT")),
            in_file: self.section.component.clone(),
            built: config::path_variable(component::BUILT),
        };
        named.choose()
    }

    /// The tenant with these settings, whose requests go where the options say.
    pub fn tenant(&self, config: &Config) -> Tenant {
        self.traffic.conceal(config);
        config.tenant().transport(self.traffic.transport())
    }

    /// A connector for the tenant.
    pub async fn connector(&self) -> Result<Connector, Failure> {
        // First, so that a secret on standard input is not kept waiting, and a broken file is told at once.
        let tenant = self.tenant(&self.config()?);
        Ok(self.plugin().await?.instantiate(tenant))
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

/// What a configuration file says of the tenant, for the commands that have to do with one.
fn section(options: &Options, command: &Command) -> Result<Section, Failure> {
    let flags = &options.settings;
    let tenant = config::variable("CONNECTOR_TENANT");
    let named = flags.tenant.is_some() || flags.config.is_some() || tenant.is_some();
    // A replay needs no settings.
    let needed = command.calls_a_tenant() && (named || options.traffic.replay.is_none());
    if !needed {
        return Ok(Section::default());
    }
    match config::section(flags, config::variable) {
        // A description needs no tenant, and so it does not matter that none can be found.
        Err(_) if matches!(command, Command::Describe) && !named => Ok(Section::default()),
        section => Ok(section?.unwrap_or_default()),
    }
}

/// The environment of a replay: the settings of a tenant in it are for the network.
fn without_ninjaone(name: &str) -> Option<String> {
    let of_a_tenant = name.starts_with("NINJAONE_");
    (!of_a_tenant).then(|| config::variable(name)).flatten()
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
