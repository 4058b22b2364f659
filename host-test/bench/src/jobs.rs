//! What a process of its own does, and what it tells.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::process::median;
use crate::{startup, sync, tenants};

/// Who does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The component, in the host.
    Component,
    /// The same code, compiled natively.
    Native,
    /// The component of the release 0.1, in the same host.
    Released,
    /// The least that a program could do to read the same answers.
    Floor,
}

impl Side {
    /// The two that take turns at everything.
    pub const BOTH: [Side; 2] = [Side::Component, Side::Native];

    /// All, in the order in which they take turns.
    pub const ALL: [Side; 4] = [Side::Component, Side::Native, Side::Released, Side::Floor];

    /// How the table calls it.
    pub fn name(self) -> &'static str {
        match self {
            Side::Component => "component",
            Side::Native => "native",
            Side::Released => "0.1",
            Side::Floor => "floor",
        }
    }
}

/// What each side took, round by round.
#[derive(Serialize)]
#[serde(transparent)]
pub struct Rounds<T>(BTreeMap<Side, Vec<T>>);

impl<T> Rounds<T> {
    /// None yet.
    pub fn none() -> Self {
        Rounds(BTreeMap::new())
    }

    /// Adds a round of one side.
    pub fn add(&mut self, side: Side, took: T) {
        self.0.entry(side).or_default().push(took);
    }

    /// The rounds of one side; none where it had no turn.
    pub fn of(&self, side: Side) -> &[T] {
        self.0.get(&side).map_or(&[], Vec::as_slice)
    }

    /// Whether this side had turns.
    pub fn has(&self, side: Side) -> bool {
        self.0.contains_key(&side)
    }

    /// The median over the rounds of one side.
    pub fn median(&self, side: Side, of: impl Fn(&T) -> f64) -> f64 {
        median(self.of(side).iter().map(of).collect())
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
