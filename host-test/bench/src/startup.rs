//! What it takes to get going: compiling, loading, starting an instance, a call, and a whole process.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context, Result};
use connector_host::{Host, HostOptions};
use serde::{Deserialize, Serialize};

use crate::children::{Guard, Launcher, Target};
use crate::component::{self, Component};
use crate::jobs::{self, Code, Side};
use crate::native::{self, Native};
use crate::process::{Resident, median};

/// How many instances wait in memory at the same time, to see what one takes.
const WAITING: u32 = 256;

/// What a process does.
#[derive(Clone, Serialize, Deserialize)]
pub struct Job {
    code: Code,
    target: Target,
    /// How often what takes milliseconds is done; what takes microseconds, a hundred times as often.
    times: usize,
}

/// What it took, in seconds: medians.
#[derive(Serialize, Deserialize)]
pub struct Took {
    /// To compile the component.
    pub compile: f64,
    /// To load the compiled code.
    pub load: f64,
    /// To start an instance from a pool, and to take it down.
    pub start_pooled: f64,
    /// To start an instance that gets its memory when it starts, and to take it down.
    pub start_on_demand: f64,
    /// A call that sends nothing: `describe`.
    pub call: f64,
    /// The same, natively.
    pub call_native: f64,
    /// To give a role and take it again, over HTTP.
    pub grant: f64,
    /// The same, natively.
    pub grant_native: f64,
    /// The resident memory of an instance from a pool that has answered a call and waits for the next, in bytes.
    pub waiting_instance: f64,
}

/// What is measured.
#[derive(Serialize)]
pub struct Figures {
    /// Within a process.
    #[serde(flatten)]
    pub took: Took,
    /// From the start of a process to the first line of `describe`, in seconds.
    pub process_to_description: f64,
    /// From the start of a process to the first account, in seconds.
    pub process_to_account: f64,
}

/// Measures.
pub fn measure(launcher: &Launcher, quick: bool) -> Result<Figures> {
    eprintln!("starting and calling");
    let tenant = launcher.tenant(1_000)?;
    let times = if quick { 5 } else { 25 };
    let took = launcher.work(&jobs::Job::Start(Job {
        code: launcher.code(Side::Component),
        target: tenant.target.clone(),
        times,
    }))?;
    let first_line = |arguments: &[&str]| {
        // The first one fills the cache.
        let lines = (0..=times).map(|_| to_first_line(launcher, &tenant.target, arguments));
        let lines = lines.skip(1).collect::<Result<_>>()?;
        anyhow::Ok(median(lines))
    };
    Ok(Figures {
        took,
        process_to_description: first_line(&["describe", "--json"])?,
        process_to_account: first_line(&["list", "accounts", "--json"])?,
    })
}

fn to_first_line(launcher: &Launcher, target: &Target, arguments: &[&str]) -> Result<f64> {
    let start = Instant::now();
    let mut process = Guard::start(
        launcher
            .program(target)
            .args(arguments)
            .stdout(Stdio::piped()),
    )?;
    let out = process
        .child()
        .stdout
        .take()
        .context("its output is piped")?;
    let mut line = String::new();
    BufReader::new(out).read_line(&mut line)?;
    Ok(start.elapsed().as_secs_f64())
}

/// Does a job.
pub async fn work(job: Job) -> Result<Took> {
    tokio::spawn(async move {
        let often = job.times * 100;
        let (compile, load) = (compile(&job).await?, load(&job).await?);
        let start_pooled = start(&job, Some(2), often).await?;
        let start_on_demand = start(&job, None, often).await?;
        let (call, grant) = calls(&job, often).await?;
        let waiting_instance = waiting(&job).await?;
        let (call_native, grant_native) =
            tokio::task::spawn_blocking(move || native_calls(&job, often)).await??;
        Ok(Took {
            compile,
            load,
            start_pooled,
            start_on_demand,
            call,
            call_native,
            grant,
            grant_native,
            waiting_instance,
        })
    })
    .await?
}

async fn compile(job: &Job) -> Result<f64> {
    let mut all = Vec::new();
    // It takes longest of all.
    for _ in 0..job.times.div_ceil(5) {
        let host = Host::new(HostOptions::default())?;
        let start = Instant::now();
        host.load(&job.code.component).await?;
        all.push(start.elapsed().as_secs_f64());
    }
    Ok(median(all))
}

async fn load(job: &Job) -> Result<f64> {
    Component::load(&job.code, None).await?;
    let mut all = Vec::new();
    for _ in 0..job.times {
        let start = Instant::now();
        Component::load(&job.code, None).await?;
        all.push(start.elapsed().as_secs_f64());
    }
    Ok(median(all))
}

async fn start(job: &Job, pooled: Option<u32>, times: usize) -> Result<f64> {
    let component = Component::load(&job.code, pooled).await?;
    let mut all = Vec::new();
    for _ in 0..times {
        let mut connector = component.connector(&job.target)?;
        let start = Instant::now();
        connector.start().await?;
        all.push(start.elapsed().as_secs_f64());
    }
    Ok(median(all))
}

async fn calls(job: &Job, often: usize) -> Result<(f64, f64)> {
    let component = Component::load(&job.code, None).await?;
    let mut connector = component.connector(&job.target)?;
    let (mut calls, mut grants) = (Vec::new(), Vec::new());
    for _ in 0..often {
        let start = Instant::now();
        connector.describe().await?;
        calls.push(start.elapsed().as_secs_f64());
    }
    for _ in 0..job.times * 4 {
        let start = Instant::now();
        component::grant_and_revoke(&mut connector, &job.target).await?;
        grants.push(start.elapsed().as_secs_f64());
    }
    Ok((median(calls), median(grants)))
}

fn native_calls(job: &Job, often: usize) -> Result<(f64, f64)> {
    let connector = Native::default().tenant(&job.target)?.connector();
    let (mut calls, mut grants) = (Vec::new(), Vec::new());
    for _ in 0..often {
        let start = Instant::now();
        std::hint::black_box(connector.describe());
        calls.push(start.elapsed().as_secs_f64());
    }
    for _ in 0..job.times * 4 {
        let start = Instant::now();
        native::grant_and_revoke(&connector, &job.target)?;
        grants.push(start.elapsed().as_secs_f64());
    }
    Ok((median(calls), median(grants)))
}

/// What an instance takes that has answered a call.
async fn waiting(job: &Job) -> Result<f64> {
    let component = Component::load(&job.code, Some(WAITING)).await?;
    let before = Resident::own()?.now;
    let mut connectors = Vec::new();
    for _ in 0..WAITING {
        let mut connector = component.connector(&job.target)?;
        connector.describe().await?;
        connectors.push(connector);
    }
    let after = Resident::own()?.now;
    Ok(after.saturating_sub(before) as f64 / f64::from(WAITING))
}
