//! A sync of a tenant that takes its time to answer.

use anyhow::Result;
use serde::Serialize;

use crate::children::{Launcher, Simulated};
use crate::jobs::Side;
use crate::process::median;
use crate::sync;

/// What a sync took where each request is held for a while.
#[derive(Serialize)]
pub struct Figures {
    /// For how long, in milliseconds.
    pub latency: u64,
    /// What it took.
    pub took: sync::Figures,
    /// How many times that long the component took beyond what it took without, in the same round: the round trips that
    /// follow each other.
    pub round_trips: f64,
}

/// How long requests are held, in milliseconds.
const LATENCIES: [u64; 2] = [20, 100];
/// How many accounts the tenants have. Round trips are told by the small one, where little else takes time.
const SIZES: [u32; 2] = [SMALL, 100_000];
/// How many accounts the small one has.
pub const SMALL: u32 = 1_000;
/// How many organizations they have: three pages, so that these come one after the other.
pub const ORGANIZATIONS: u32 = 2_000;

/// Measures syncs of tenants of two sizes, those with and without latency taking turns.
pub fn measure(launcher: &Launcher, quick: bool) -> Result<Vec<Figures>> {
    let warm_up = launcher.tenant(1_000)?;
    let rounds = if quick { 1 } else { 5 };
    let mut all = Vec::new();
    for accounts in SIZES {
        eprintln!("sync of {accounts} accounts, with latency");
        let mut without = sync::Figures::new(accounts);
        let tenant = |latency| {
            launcher.simulated(Simulated {
                accounts,
                organizations: Some(ORGANIZATIONS),
                latency,
                ..Simulated::default()
            })
        };
        let prompt = tenant(0)?;
        let mut with = Vec::new();
        for latency in LATENCIES {
            with.push((latency, tenant(latency)?, sync::Figures::new(accounts)));
        }
        for _ in 0..rounds {
            without.round(launcher, &Side::BOTH, &warm_up, &prompt, 1)?;
            for (_, tenant, figures) in &mut with {
                figures.round(launcher, &Side::BOTH, &warm_up, tenant, 1)?;
            }
        }
        all.extend(with.into_iter().map(|(latency, _, took)| {
            let with = took.rounds.of(Side::Component);
            let pairs = with.iter().zip(without.rounds.of(Side::Component));
            let waited = pairs.map(|(with, without)| with.wall - without.wall);
            Figures {
                latency,
                round_trips: median(waited.collect()) * 1000.0 / latency as f64,
                took,
            }
        }));
    }
    Ok(all)
}
