//! What a process of its own does, and what it tells.

use std::io;
use std::path::PathBuf;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::process::median;
use crate::{startup, sync, tenants};

/// Who does it.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Side {
    /// The component, in the host.
    Component,
    /// The same code, compiled natively.
    Native,
}

impl Side {
    /// Both, in the order in which they take turns.
    pub const BOTH: [Side; 2] = [Side::Component, Side::Native];
}

/// What each side took, round by round.
#[derive(Serialize)]
pub struct Rounds<T> {
    /// Each round of the component.
    pub component: Vec<T>,
    /// Each round of the native library.
    pub native: Vec<T>,
}

impl<T> Rounds<T> {
    /// None yet.
    pub fn none() -> Self {
        Rounds {
            component: Vec::new(),
            native: Vec::new(),
        }
    }

    /// Adds a round of one side.
    pub fn add(&mut self, side: Side, took: T) {
        match side {
            Side::Component => self.component.push(took),
            Side::Native => self.native.push(took),
        }
    }

    /// The median over the rounds of one side.
    pub fn median(&self, side: Side, of: impl Fn(&T) -> f64) -> f64 {
        let rounds = match side {
            Side::Component => &self.component,
            Side::Native => &self.native,
        };
        median(rounds.iter().map(of).collect())
    }
}

/// The component, and where its compiled code is kept.
#[derive(Clone, Serialize, Deserialize)]
pub struct Code {
    /// The file.
    pub component: PathBuf,
    /// The folder.
    pub cache: PathBuf,
}

/// What to do.
#[derive(Clone, Serialize, Deserialize)]
pub enum Job {
    /// List everything of a tenant.
    Sync(sync::Job),
    /// Start and call, in many ways.
    Start(startup::Job),
    /// List everything of many tenants, again and again.
    Tenants(tenants::Job),
}

impl Job {
    /// Does it, and writes what it took to standard output.
    pub fn work(self) -> Result<()> {
        // As the program's.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?;
        let out = io::stdout();
        match self {
            Job::Sync(job) => serde_json::to_writer(out, &runtime.block_on(sync::work(job))?),
            Job::Start(job) => serde_json::to_writer(out, &runtime.block_on(startup::work(job))?),
            Job::Tenants(job) => serde_json::to_writer(out, &runtime.block_on(tenants::work(job))?),
        }?;
        Ok(())
    }
}
