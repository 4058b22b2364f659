//! The processes that are started: simulated tenants, and those that do a job.

use std::fs::{self, Permissions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use connector_host::simulator::{Options, Protocol, Simulator};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::jobs::{Code, Job, Side};

/// A simulated tenant to be started.
#[derive(Clone, Copy, Default, Serialize, Deserialize)]
pub struct Simulated {
    /// How many accounts it has.
    pub accounts: u32,
    /// How many organizations it has; where it is not said, as many as suit the accounts.
    pub organizations: Option<u32>,
    /// How long it holds each request, in milliseconds.
    pub latency: u64,
    /// How it is spoken to.
    pub wire: Wire,
}

/// How a tenant is spoken to.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wire {
    /// HTTP/1.1 without TLS.
    #[default]
    Http1,
    /// HTTP/2 over TLS, as live tenants are.
    Http2,
}

/// How to reach a tenant. The secret is a simulated one, so it may be shown in a list of processes.
#[derive(Clone, Serialize, Deserialize)]
pub struct Target {
    /// Where it is.
    pub base_url: String,
    /// The certificate authority to trust, as PEM, where it speaks TLS.
    pub authority: Option<String>,
    /// As whom to speak to it, …
    pub client_id: String,
    /// … with what to prove it, …
    pub client_secret: String,
    /// … and what to ask permission for.
    pub scope: String,
    /// An account that can be given …
    pub account: String,
    /// … this role.
    pub role: String,
}

impl Target {
    /// The setting with this key.
    pub fn setting(&self, key: &str) -> Option<&str> {
        match key {
            "base-url" => Some(&self.base_url),
            "client-id" => Some(&self.client_id),
            "client-secret" => Some(&self.client_secret),
            "scope" => Some(&self.scope),
            _ => None,
        }
    }
}

/// Is a simulated tenant until standard input ends, which it does with whoever started this process.
pub fn simulate(simulated: Simulated) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let simulator = runtime.block_on(Simulator::start(Options {
        accounts: simulated.accounts,
        organizations: simulated.organizations,
        latency: Duration::from_millis(simulated.latency),
        protocol: match simulated.wire {
            Wire::Http1 => Protocol::Http,
            Wire::Http2 => Protocol::Https,
        },
        request_log: 0,
        ..Options::default()
    }))?;
    let credentials = simulator.credentials();
    let role = simulator
        .roles()
        .into_iter()
        .find(|role| role.kind == connector_host::simulator::AccountKind::Technician);
    let role = role.map_or(0, |role| role.id);
    // The first account is always a technician: the administrator who made the API application.
    let account = (1..=simulated.accounts).find(|id| simulator.account(*id).is_some());
    let target = Target {
        base_url: simulator.base_url(),
        authority: simulator.authority().map(str::to_string),
        client_id: credentials.client_id.clone(),
        client_secret: credentials.client_secret.clone(),
        scope: credentials.scopes.to_string(),
        account: account.unwrap_or_default().to_string(),
        role: role.to_string(),
    };
    let mut out = io::stdout();
    serde_json::to_writer(&mut out, &target)?;
    out.write_all(b"\n")?;
    out.flush()?;
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// A process that ends with this.
pub struct Guard(Child);

impl Guard {
    /// Starts it.
    pub fn start(command: &mut Command) -> Result<Self> {
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        Ok(Guard(child))
    }

    /// The process.
    pub fn child(&mut self) -> &mut Child {
        &mut self.0
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A simulated tenant, in a process of its own.
pub struct Tenant {
    /// How to reach it.
    pub target: Target,
    _process: Guard,
}

/// Starts processes.
pub struct Launcher {
    own: PathBuf,
    component: PathBuf,
    released: PathBuf,
    program: PathBuf,
    /// A folder for compiled code.
    cache: PathBuf,
}

impl Launcher {
    /// Measures this component beside that of a release, and this program, and keeps what it needs in this folder.
    pub fn new(component: &Path, released: &Path, program: &Path, folder: &Path) -> Result<Self> {
        let absolute = |path: &Path| {
            fs::canonicalize(path).with_context(|| format!("there is no {}", path.display()))
        };
        let cache = absolute(folder)?.join("code-cache");
        // What is kept there is run as it is, so the host takes no folder that is open to others.
        fs::create_dir_all(&cache)
            .and_then(|()| fs::set_permissions(&cache, Permissions::from_mode(0o700)))
            .with_context(|| format!("cannot make {}", cache.display()))?;
        Ok(Launcher {
            own: std::env::current_exe().context("this program has no file")?,
            component: absolute(component)?,
            released: absolute(released)?,
            program: absolute(program)?,
            cache,
        })
    }

    /// The component, for a job of this side; those that need none get it too.
    pub fn code(&self, side: Side) -> Code {
        let component = match side {
            Side::Released => &self.released,
            Side::Component | Side::Native | Side::Floor => &self.component,
        };
        Code {
            component: component.clone(),
            cache: self.cache.clone(),
        }
    }

    /// The host's program, with this component and the settings of a tenant.
    pub fn program(&self, target: &Target) -> Command {
        let mut program = Command::new(&self.program);
        program
            .arg("--component")
            .arg(&self.component)
            .env("XDG_CACHE_HOME", &self.cache)
            .env("NINJAONE_BASE_URL", &target.base_url)
            .env("NINJAONE_CLIENT_ID", &target.client_id)
            .env("NINJAONE_CLIENT_SECRET", &target.client_secret)
            .env("NINJAONE_SCOPE", &target.scope)
            .stdin(Stdio::null());
        program
    }

    /// Starts a simulated tenant with so many accounts that answers at once.
    pub fn tenant(&self, accounts: u32) -> Result<Tenant> {
        self.simulated(Simulated {
            accounts,
            ..Simulated::default()
        })
    }

    /// Starts one that speaks TLS and HTTP/2.
    pub fn tenant_over_http2(&self, accounts: u32) -> Result<Tenant> {
        self.simulated(Simulated {
            accounts,
            wire: Wire::Http2,
            ..Simulated::default()
        })
    }

    /// Starts a simulated tenant, and waits until it can be reached.
    pub fn simulated(&self, simulated: Simulated) -> Result<Tenant> {
        let simulated = serde_json::to_string(&simulated)?;
        let mut process = Guard::start(
            Command::new(&self.own)
                .args(["simulate", &simulated])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped()),
        )?;
        let out = process.child().stdout.take();
        let mut line = String::new();
        BufReader::new(out.context("its output is piped")?).read_line(&mut line)?;
        Ok(Tenant {
            target: serde_json::from_str(&line).context("the simulator did not start")?,
            _process: process,
        })
    }

    /// Has a job done in a process of its own.
    pub fn work<T: DeserializeOwned>(&self, job: &Job) -> Result<T> {
        let output = Command::new(&self.own)
            .args(["work", &serde_json::to_string(job)?])
            .stderr(Stdio::inherit())
            .output()
            .context("cannot start this program again")?;
        if !output.status.success() {
            bail!("a job failed: {}", serde_json::to_string(job)?);
        }
        serde_json::from_slice(&output.stdout).context("a job did not tell what it took")
    }
}
