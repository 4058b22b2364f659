//! The host's program as a user runs it: a sync that writes every item out as a line of JSON.

use std::net::TcpListener;
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde::Serialize;

use crate::children::{Guard, Launcher, Target};
use crate::process::Resident;

/// How often the memory of the program is looked at. Its peak is kept by the kernel: only the very last growth could be missed.
const LOOK: Duration = Duration::from_millis(5);
/// After which time it certainly waits for its first answer.
const UNTIL_IDLE: Duration = Duration::from_secs(1);

/// What a sync took.
#[derive(Serialize)]
pub struct Figures {
    /// How many accounts the tenant has.
    pub accounts: u32,
    /// In seconds.
    pub wall: f64,
    /// The resident memory of the program while it waits for its first answer, in bytes.
    pub idle: u64,
    /// The most that it had, in bytes.
    pub peak: u64,
}

/// Measures the largest tenant.
pub fn measure(launcher: &Launcher, quick: bool) -> Result<Figures> {
    let accounts = if quick { 100_000 } else { 1_000_000 };
    eprintln!("sync of {accounts} accounts by the program, written out");
    let tenant = launcher.tenant(accounts)?;
    let idle = idle(launcher, &tenant.target)?;
    let start = Instant::now();
    let mut process = sync(launcher, &tenant.target)?;
    let mut peak = idle;
    let ended = loop {
        if let Some(ended) = process.child().try_wait()? {
            break ended;
        }
        // Between the question and this one it may have ended.
        if let Ok(resident) = Resident::of(&process.child().id().to_string()) {
            peak = peak.max(resident.peak);
        }
        sleep(LOOK);
    };
    ensure!(ended.success(), "the program failed: {ended}");
    Ok(Figures {
        accounts,
        wall: start.elapsed().as_secs_f64(),
        idle,
        peak,
    })
}

/// The memory of the program when all is loaded and nothing has come yet: in front of a server that does not answer.
fn idle(launcher: &Launcher, target: &Target) -> Result<u64> {
    let silent = TcpListener::bind("127.0.0.1:0")?;
    let target = Target {
        base_url: format!("http://{}", silent.local_addr()?),
        ..target.clone()
    };
    let mut process = sync(launcher, &target)?;
    sleep(UNTIL_IDLE);
    let resident = Resident::of(&process.child().id().to_string());
    Ok(resident.context("the program has ended too early")?.now)
}

fn sync(launcher: &Launcher, target: &Target) -> Result<Guard> {
    Guard::start(
        launcher
            .program(target)
            .args(["sync", "--json"])
            .stdout(Stdio::null()),
    )
}
