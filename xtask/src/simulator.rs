//! A simulated tenant, for programs that are run against one.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

use crate::workspace::Workspace;
use crate::{host, process};

/// How many accounts a tenant has that is there for one sync.
const ACCOUNTS: u32 = 300;

/// Has the host's program sync a simulated tenant with this component.
pub fn sync(workspace: &Workspace, component: &Path) -> Result<()> {
    let tenant = Tenant::start(workspace, ACCOUNTS)?;
    let mut sync = host::program(workspace, "sync", component);
    tenant.lead(&mut sync);
    process::run(&mut sync)
}

/// A simulated tenant, until it is dropped.
pub struct Tenant {
    /// The simulator.
    simulator: Child,
    /// The environment variables that lead to it.
    settings: Vec<(&'static str, String)>,
}

impl Tenant {
    /// Starts a simulator with so many accounts, and waits for it to say where it is.
    pub fn start(workspace: &Workspace, accounts: u32) -> Result<Self> {
        let simulator = workspace
            .cargo("run")
            .args(["--quiet", "--package", "connector-cli", "--"])
            .args(["simulate", "--json", "--accounts", &accounts.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot run the simulator")?;
        // From here on it is ended when this function fails.
        let mut tenant = Self {
            simulator,
            settings: Vec::new(),
        };
        let mut line = String::new();
        if let Some(stdout) = tenant.simulator.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let said: serde_json::Value =
            serde_json::from_str(&line).context("the simulator did not say where it is")?;
        for (name, key) in [
            ("NINJAONE_BASE_URL", "baseUrl"),
            ("NINJAONE_CLIENT_ID", "clientId"),
            ("NINJAONE_CLIENT_SECRET", "clientSecret"),
            ("NINJAONE_SCOPE", "scope"),
        ] {
            let setting = said[key].as_str();
            let setting =
                setting.with_context(|| format!("the simulator did not say its {key}"))?;
            tenant.settings.push((name, setting.to_owned()));
        }
        Ok(tenant)
    }

    /// Has this command reach the tenant.
    pub fn lead(&self, command: &mut Command) {
        for (name, setting) in &self.settings {
            command.env(name, setting);
        }
    }
}

impl Drop for Tenant {
    fn drop(&mut self) {
        // One that has ended by itself is ended all the same.
        let _ = self.simulator.kill();
        let _ = self.simulator.wait();
    }
}
