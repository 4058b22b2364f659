//! What the commands share: the options, the output, and the connector.

use std::path::PathBuf;

use connector_host::http::Timeouts;
use connector_host::{Connector, Host, HostOptions, Limits, Plugin};

use super::args::{Command, Options};
use super::config::Config;
use super::failure::Failure;
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
    options: Options,
}

impl Session {
    pub fn new(options: Options, command: &Command) -> Result<Self, Failure> {
        let traffic = Traffic::open(&options)?;
        if traffic.is_ordered()
            && matches!(
                command,
                Command::Simulate(_) | Command::Diff(_) | Command::Report(_) | Command::Demo
            )
        {
            return Err(Failure::Usage(
                "simulate, diff, report and demo call no tenant: there is nothing to --record or to --replay"
                    .to_string(),
            ));
        }
        Ok(Self {
            output: Output::new(options.json),
            progress: Progress::new(&options),
            traffic,
            unfinished: Unfinished::default(),
            options,
        })
    }

    /// The settings of the tenant.
    pub fn config(&self) -> Result<Config, Failure> {
        match &self.traffic {
            Traffic::Replayed { settings, .. } => {
                Config::without_environment(&self.options.settings, settings)
            }
            Traffic::Live(_) | Traffic::Recorded { .. } => Config::find(&self.options.settings),
        }
    }

    /// The component, loaded.
    pub fn plugin(&self) -> Result<Plugin, Failure> {
        let path = match &self.options.component {
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
