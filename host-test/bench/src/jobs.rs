//! What a process of its own does, and what it tells.

use std::io;
use std::path::PathBuf;

use anyhow::Result;
use serde::{Deserialize, Serialize};

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
