//! `cargo xtask proxy`: the program through a real proxy.

use anyhow::Result;

use crate::workspace::Workspace;
use crate::{host, provision};

/// Reach a simulated tenant through Squid, a real proxy
///
/// Starts Squid on this computer with a password and with a name that only it knows, and runs `connector-host` through it
/// (crates/cli/tests/all/proxies.rs), with the right password and with a wrong one. Squid is Debian's package of that name, which is
/// installed where it is missing; where it cannot be, the step is skipped, which is said.
#[derive(Debug, Default, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments;

/// The program, and the package that it is in.
const NEEDED: &str = "squid";

/// Runs the test that needs Squid.
pub fn run(workspace: &Workspace) -> Result<()> {
    if let Err(reason) = provision::provision_programs(&[NEEDED]) {
        println!(
            "a real proxy: skipped, since there is no {NEEDED} here, and it could not be installed ({reason:#})"
        );
        return Ok(());
    }
    let test = "proxies::the_program_reaches_a_tenant_through_squid";
    host::tests(workspace)?
        .args(["--", "--ignored", "--exact", test])
        .run()?;
    Ok(())
}
