//! `cargo xtask demo`: the component at work, without a NinjaOne account.

use anyhow::Result;

use crate::workspace::Workspace;
use crate::{component, host, process};

/// What `cargo xtask demo --help` prints.
pub const HELP: &str = "\
Run the component in the host against a NinjaOne simulator.

Usage: cargo xtask demo [ARGUMENTS]

Builds the component, then runs the host program's command `demo` with it. ARGUMENTS are handed to that command:
see `cargo host demo --help`.
";

/// Builds the component and runs the host's demo with it.
pub fn run(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    let component = component::build(workspace)?;
    host::announce_first_build(workspace)?;
    let mut demo = workspace.cargo("run");
    demo.args(["--package", "connector-cli", "--", "demo", "--component"])
        .arg(component.path())
        .args(arguments);
    process::run(&mut demo)
}
