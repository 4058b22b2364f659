//! Many tenants in one process, each synced again and again.

use std::time::{Duration, Instant};

use anyhow::Result;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use crate::children::{Launcher, Target};
use crate::jobs::{self, Code, Rounds, Side};
use crate::process::{Resident, cpu};
use crate::sync::{INSTANCES, Ready};

/// How many accounts each tenant has.
pub const ACCOUNTS: u32 = 1_000;
/// How many tenants there are at a time.
const TENANTS: [u32; 3] = [1, 8, 64];

/// What a process does.
#[derive(Clone, Serialize, Deserialize)]
pub struct Job {
    side: Side,
    code: Code,
    target: Target,
    tenants: u32,
    /// For how long, in seconds.
    seconds: f64,
}

/// What it took.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct Took {
    /// How many syncs ended in a second.
    pub syncs_per_second: f64,
    /// The CPU time of one, in seconds, of this process alone.
    pub cpu_per_sync: f64,
    /// By how many bytes the resident memory of the process grew at most, from when it was ready.
    pub resident_over_idle: u64,
}

/// What so many tenants took.
#[derive(Serialize)]
pub struct Figures {
    /// How many there were.
    pub tenants: u32,
    /// What each side took.
    #[serde(flatten)]
    pub rounds: Rounds<Took>,
}

/// Measures.
pub fn measure(launcher: &Launcher, quick: bool) -> Result<Vec<Figures>> {
    let tenant = launcher.tenant(ACCOUNTS)?;
    let (rounds, seconds) = if quick { (1, 1.5) } else { (3, 4.0) };
    let mut all = Vec::new();
    for tenants in TENANTS {
        eprintln!("{tenants} tenants in one process");
        let mut figures = Figures {
            tenants,
            rounds: Rounds::none(),
        };
        for _ in 0..rounds {
            for side in Side::BOTH {
                let took = launcher.work(&jobs::Job::Tenants(Job {
                    side,
                    code: launcher.code(),
                    target: tenant.target.clone(),
                    tenants,
                    seconds,
                }))?;
                figures.rounds.add(side, took);
            }
        }
        all.push(figures);
    }
    Ok(all)
}

/// Does a job.
pub async fn work(job: Job) -> Result<Took> {
    let pooled = job.tenants * INSTANCES.len() as u32;
    let ready = Ready::new(job.side, &job.code, Some(pooled), &job.target).await?;
    let idle = Resident::own()?.now;
    let (start, cpu_before) = (Instant::now(), cpu()?);
    let mut tenants = JoinSet::new();
    for _ in 0..job.tenants {
        let (ready, target) = (ready.clone(), job.target.clone());
        tenants.spawn(async move {
            let mut syncs = 0_u32;
            while start.elapsed() < Duration::from_secs_f64(job.seconds) {
                ready.sync(&target).await?;
                syncs += 1;
            }
            anyhow::Ok(syncs)
        });
    }
    let mut syncs = 0;
    while let Some(tenant) = tenants.join_next().await {
        syncs += tenant??;
    }
    let syncs = f64::from(syncs);
    Ok(Took {
        syncs_per_second: syncs / start.elapsed().as_secs_f64(),
        cpu_per_sync: (cpu()? - cpu_before).as_secs_f64() / syncs,
        resident_over_idle: Resident::own()?.peak.saturating_sub(idle),
    })
}
