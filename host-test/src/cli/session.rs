//! What the commands share: the options, the output, and the connector.

use std::path::PathBuf;

use connector_host::http::Timeouts;
use connector_host::{Connector, Host, HostOptions, Limits, Plugin};

use super::args::{Command, Options, SettingFlags};
use super::config::{self, Config, Section};
use super::failure::Failure;
use super::interruption::Writing;
use super::output::Output;
use super::progress::Progress;
use super::traffic::Traffic;
use super::unfinished::Unfinished;

/// Where `cargo xtask build` puts the component.
const BUILT_COMPONENT: &str = "target/ninjaone_connector.wasm";

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
        let ca_file = options.ca_file.as_ref().or(section.ca_file.as_ref());
        let traffic = Traffic::open(&options.traffic, ca_file.map(PathBuf::as_path))?;
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
    pub fn plugin(&self) -> Result<Plugin, Failure> {
        let component = self.options.component.as_ref();
        let path = match component.or(self.section.component.as_ref()) {
            Some(path) => path.clone(),
            None => built_component()?,
        };
        if !path.is_file() {
            return Err(missing_component(&format!(
                "there is no file {}",
                path.display()
            )));
        }
        let loaded = Host::new(self.host_options()).and_then(|host| host.load(&path));
        loaded.map_err(|error| Failure::Load { path, error })
    }

    /// A connector for the tenant.
    pub fn connector(&self) -> Result<Connector, Failure> {
        // First, so that a secret on standard input is not kept waiting, and a broken file is told at once.
        let tenant = self.config()?.tenant();
        Ok(self.plugin()?.instantiate(tenant))
    }

    fn host_options(&self) -> HostOptions {
        HostOptions {
            limits: Limits {
                deadline: self.options.deadline,
                ..Limits::default()
            },
            timeouts: Timeouts {
                connect: self.options.connect_timeout,
                first_byte: self.options.answer_timeout,
                between_bytes: self.options.stall_timeout,
            },
            transport: Some(self.traffic.transport()),
            code_cache: if self.options.no_cache {
                None
            } else {
                user_cache()
            },
            ..HostOptions::default()
        }
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

/// Looks for the component in the current folder and in those above it.
fn built_component() -> Result<PathBuf, Failure> {
    let here = std::env::current_dir()
        .map_err(|error| Failure::Local(format!("the current folder cannot be found: {error}")))?;
    here.ancestors()
        .map(|folder| folder.join(BUILT_COMPONENT))
        .find(|path| path.is_file())
        .ok_or_else(|| {
            missing_component(&format!(
                "there is no {BUILT_COMPONENT} here or in a folder above"
            ))
        })
}

fn missing_component(what: &str) -> Failure {
    Failure::Usage(format!(
        "cannot find the component: {what}. Build it with `cargo xtask build`, or name it with --component FILE"
    ))
}

/// The folder for compiled code, in the user's own cache folder, where there is one that can be written to.
fn user_cache() -> Option<PathBuf> {
    let folder = |name| std::env::var_os(name).map(PathBuf::from);
    let cache = folder("XDG_CACHE_HOME")
        .or_else(|| folder("HOME").map(|home| home.join(".cache")))
        .or_else(|| folder("LOCALAPPDATA"))?
        .join("connector-host");
    (cache.is_absolute() && std::fs::create_dir_all(&cache).is_ok()).then_some(cache)
}
