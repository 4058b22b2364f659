//! A simulated tenant, for programs that are run against one.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

use crate::host;
use crate::workspace::Workspace;

/// How many accounts a tenant has that is there for one sync.
const ACCOUNTS: u32 = 300;

/// Has the host's program sync a simulated tenant with this component.
pub fn sync(workspace: &Workspace, component: &Path) -> Result<()> {
    let tenant = Tenant::start(workspace, ACCOUNTS)?;
    let sync = host::program(workspace, "sync", component);
    sync.envs(&tenant.settings).run()?;
    Ok(())
}

/// A simulated tenant, until it is dropped.
pub struct Tenant {
    /// The simulator.
    simulator: Child,
    /// The environment variables that lead to it.
    pub settings: BTreeMap<&'static str, String>,
}

impl Tenant {
    /// Starts a simulator with so many accounts, and waits for it to say where it is.
    pub fn start(workspace: &Workspace, accounts: u32) -> Result<Self> {
        let simulate = workspace
            .cargo("run --quiet --package connector-cli -- simulate --json --accounts")
            .arg(accounts.to_string());
        let simulator = Command::from(simulate).stdout(Stdio::piped()).spawn();
        // From here on it is ended when this function fails.
        let mut tenant = Self {
            simulator: simulator.context("cannot run the simulator")?,
            settings: BTreeMap::new(),
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
            tenant.settings.insert(name, setting.to_owned());
        }
        Ok(tenant)
    }
}

impl Drop for Tenant {
    fn drop(&mut self) {
        // One that has ended by itself is ended all the same.
        let _ = self.simulator.kill();
        let _ = self.simulator.wait();
    }
}
