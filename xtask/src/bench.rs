//! `cargo xtask bench`: how fast the component is, and what it takes.

use std::path::PathBuf;

use anyhow::Result;
use xshell::cmd;

use crate::workspace::{Workspace, absolute};
use crate::{component, host};

/// Measure the component beside that of 0.1 and the same code compiled natively, and hold it to its bars
///
/// Builds the component, the host and the benchmarks in release (the first time about 10 minutes, most of it wasmtime), and
/// measures against simulated tenants: syncs of 1,000 to 1,000,000 accounts, with and without latency; starting and calling; many
/// tenants at once; the host's program. Over HTTP, and where that may differ over TLS and HTTP/2 too: a sync of 100,000 accounts,
/// and 64 tenants, alone and while as many others pause in the middle of a listing. Where a bar asks for it, the component is
/// compared with that of 0.1 too, and native code with the floor: the same requests, and one pass of serde_json over each answer.
/// Prints one table with what has to be met, and writes the same as bench.json and bench.svg into bench/ in cargo's target
/// directory. Takes about five minutes, and Linux.
///
/// All sides of a comparison take turns, so their ratio holds on a busy machine. Absolute times do not.
/// For the inner parts, and to judge a change: cargo bench -p connector-bench. docs/performance.md says more.
#[derive(Debug, Default, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// About a minute: up to 100,000 accounts, and fewer rounds
    #[arg(long)]
    pub quick: bool,
    /// Fail where a bar is missed
    #[arg(long)]
    pub enforce: bool,
    /// The component to compare with, instead of host-test/released/0.1.0/ninjaone_connector.wasm
    #[arg(long, value_name = "FILE", value_parser = absolute)]
    pub released: Option<PathBuf>,
}

/// Builds everything in release, and measures.
pub fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let component = component::release(workspace)?;
    host::announce_first_release_build(workspace)?;
    // Together, so that what they share is built once.
    workspace
        .cargo("build --release --package connector-cli --package connector-bench")
        .run()?;
    let component = component.path();
    let [bench, program, out] = ["release/connector-bench", "release/connector-host", "bench"]
        .map(|path| workspace.target().join(path));
    let quick = arguments.quick.then_some("--quick");
    let enforce = arguments.enforce.then_some("--enforce");
    let released = arguments.released.iter();
    let released = released.flat_map(|file| ["--released".as_ref(), file.as_os_str()]);
    cmd!(
        workspace.shell(),
        "{bench} measure --component {component} --program {program} --out {out} {quick...} {enforce...} {released...}"
    )
    .run()?;
    Ok(())
}
