//! `cargo xtask soak`: many tenants at once, over connections that fail, for a while.

use anyhow::{Context, Result, bail};

use crate::workspace::Workspace;
use crate::{component, host, process};

/// What `cargo xtask soak --help` prints.
pub const HELP: &str = "\
Sync many simulated tenants at once, over connections that fail, for a while.

Usage: cargo xtask soak [SECONDS]

Builds the component, then syncs 64 tenants over and over in one process, for two minutes or as long as it is told: most of
them over TLS and HTTP/2, and some over HTTP/1.1. Some consumers pause in the middle of a listing, or give it up. One request
in twenty is hit by a fault: a connection or a stream that breaks, an answer cut short, throttling and the like. Every sync has
to be exact or to fail with an error that says why, and nothing may cross from one tenant to another, connections included.
Prints how often each was the case, and the most memory that the process had.

SOAK_SEED chooses the tenants and the faults; the same seed chooses the same ones again.
";

/// For how long, in seconds, where nothing else is asked for.
const USUAL_SECONDS: u64 = 120;

/// Builds the component and runs the test with it, with its output shown.
pub fn run(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    let seconds = seconds(arguments)?;
    component::build(workspace)?;
    host::announce_first_build(workspace)?;
    let mut test = workspace.cargo("test");
    test.args(["--package", "host-test", "--package", "connector-cli"])
        .args(["--test", "all", "soak", "--", "--nocapture"])
        .env("SOAK_SECONDS", seconds.to_string());
    process::run(&mut test)
}

/// How long the arguments ask for.
fn seconds(arguments: &[String]) -> Result<u64> {
    match arguments {
        [] => Ok(USUAL_SECONDS),
        [seconds] => seconds
            .parse()
            .with_context(|| format!("`{seconds}` is no number of seconds")),
        _ => bail!("it takes one argument, the number of seconds"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_lasts_two_minutes_unless_it_is_told_otherwise() {
        let given = |text: &str| vec![text.to_owned()];
        assert_eq!(seconds(&[]).expect("the usual time"), 120);
        assert_eq!(seconds(&given("5")).expect("a number"), 5);
        assert!(seconds(&given("soon")).is_err());
    }
}
