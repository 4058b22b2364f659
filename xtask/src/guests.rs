//! `cargo xtask guests`: the components that the tests of the host load beside the connector.

use std::time::Instant;

use anyhow::Result;

use crate::component;
use crate::workspace::Workspace;

/// Build the components that the tests of the host load beside the connector
///
/// Builds every package in host-test/guests/ and examples/connectors/ with the compiler, the profile and the steps of `cargo xtask build`, and copies
/// each to cargo's target directory. `cargo xtask test` does it too.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments;

/// Builds the guests and says where they are.
pub fn run(workspace: &Workspace) -> Result<()> {
    let start = Instant::now();
    for guest in component::build_guests(workspace)? {
        println!("{}", guest.path().display());
    }
    println!("built in {:.1} s", start.elapsed().as_secs_f64());
    Ok(())
}
