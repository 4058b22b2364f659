//! `cargo xtask soak`: many tenants at once, over connections that fail, for a while.

use anyhow::Result;

use crate::host;
use crate::workspace::Workspace;

/// Sync many simulated tenants at once, over connections that fail, for a while
///
/// Syncs 64 tenants over and over in one process, for two minutes or as long as it is told: most of
/// them over TLS and HTTP/2, and some over HTTP/1.1. Some consumers pause in the middle of a listing, or give it up. One request
/// in twenty is hit by a fault: a connection or a stream that breaks, an answer cut short, throttling and the like. Every sync has
/// to be exact or to fail with an error that says why, and nothing may cross from one tenant to another, connections included.
/// Prints how often each was the case, and the most memory that the process had.
///
/// SOAK_SEED chooses the tenants and the faults; the same seed chooses the same ones again.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// For how long
    #[arg(default_value_t = 120)]
    pub seconds: u64,
}

/// Runs the tests of that name with it, with their output shown.
pub fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let tests = host::tests(workspace)?;
    tests
        .args(["soak", "--", "--nocapture"])
        .env("SOAK_SECONDS", arguments.seconds.to_string())
        .run()?;
    Ok(())
}
