//! Many tenants in one process, each synced again and again.

use std::time::{Duration, Instant};

use anyhow::Result;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use crate::children::{Launcher, Target, Wire};
use crate::jobs::{self, Code, Rounds, Side};
use crate::process::{Resident, cpu};
use crate::sync::{INSTANCES, Ready};

/// How many accounts each tenant has.
pub const ACCOUNTS: u32 = 1_000;
/// How many accounts each tenant has that pauses in a listing: more than a connection takes in ahead.
pub const ACCOUNTS_OF_PAUSED: u32 = 20_000;

/// How many tenants there are at a time, how they are spoken to, and how many others pause in a listing meanwhile.
const CASES: [(u32, Wire, u32); 5] = [
    (1, Wire::Http1, 0),
    (8, Wire::Http1, 0),
    COMPARED_WITH_RELEASED,
    (64, Wire::Http2, 0),
    (64, Wire::Http2, 64),
];
/// The case in which the component of 0.1 has its turn too.
const COMPARED_WITH_RELEASED: (u32, Wire, u32) = (64, Wire::Http1, 0);

/// What a process does.
#[derive(Clone, Serialize, Deserialize)]
pub struct Job {
    side: Side,
    code: Code,
    target: Target,
    tenants: u32,
    /// The tenant in whose listing others pause, and how many of them.
    paused: Option<(Target, u32)>,
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
    /// How they were spoken to.
    pub wire: Wire,
    /// How many others paused in a listing.
    pub paused: u32,
    /// What each side took.
    #[serde(flatten)]
    pub rounds: Rounds<Took>,
}

/// Measures.
pub fn measure(launcher: &Launcher, quick: bool) -> Result<Vec<Figures>> {
    let tenant = launcher.tenant(ACCOUNTS)?;
    let over_http2 = launcher.tenant_over_http2(ACCOUNTS)?;
    let large = launcher.tenant_over_http2(ACCOUNTS_OF_PAUSED)?;
    let (rounds, seconds) = if quick { (1, 1.5) } else { (3, 4.0) };
    let mut all = Vec::new();
    for case in CASES {
        let (tenants, wire, paused) = case;
        let mut sides = Side::BOTH.to_vec();
        if case == COMPARED_WITH_RELEASED {
            sides.push(Side::Released);
        }
        eprintln!("{tenants} tenants in one process");
        let mut figures = Figures {
            tenants,
            wire,
            paused,
            rounds: Rounds::none(),
        };
        let target = match wire {
            Wire::Http1 => &tenant.target,
            Wire::Http2 => &over_http2.target,
        };
        for _ in 0..rounds {
            for side in &sides {
                let took = launcher.work(&jobs::Job::Tenants(Job {
                    side: *side,
                    code: launcher.code(*side),
                    target: target.clone(),
                    tenants,
                    paused: (paused > 0).then(|| (large.target.clone(), paused)),
                    seconds,
                }))?;
                figures.rounds.add(*side, took);
            }
        }
        all.push(figures);
    }
    Ok(all)
}

/// Does a job.
pub async fn work(job: Job) -> Result<Took> {
    let others = job.paused.as_ref().map_or(0, |(_, others)| *others);
    let pooled = job.tenants * INSTANCES.len() as u32 + others;
    let ready = Ready::new(job.side, &job.code, Some(pooled), &job.target).await?;
    let idle = Resident::own()?.now;
    let mut paused = Vec::new();
    if let Some((target, others)) = &job.paused {
        for _ in 0..*others {
            let tenant = ready.tenant(target)?;
            paused.push((tenant.pause().await?, tenant));
        }
    }
    let (start, cpu_before) = (Instant::now(), cpu());
    let mut tenants = JoinSet::new();
    for _ in 0..job.tenants {
        let tenant = ready.tenant(&job.target)?;
        tenants.spawn(async move {
            let mut syncs = 0_u32;
            while start.elapsed() < Duration::from_secs_f64(job.seconds) {
                tenant.sync().await?;
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
        cpu_per_sync: (cpu() - cpu_before).as_secs_f64() / syncs,
        resident_over_idle: Resident::own()?.peak.saturating_sub(idle),
    })
}
