//! `cargo xtask demo`: the component at work, without a NinjaOne account.

use anyhow::Result;

use crate::workspace::Workspace;
use crate::{component, host};

/// Run the component in the host against a NinjaOne simulator
///
/// Builds the component, then runs the host program's command `demo` with it. ARGUMENTS are handed to that command:
/// see `cargo host demo --help`.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// Handed to the host program
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Builds the component and runs the host's demo with it.
pub fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let component = component::build(workspace)?;
    host::announce_first_build(workspace)?;
    let demo = host::program(workspace, "demo", component.path());
    demo.args(&arguments.arguments).run()?;
    Ok(())
}
