//! `cargo xtask build`: the component, and what there is to know about the file.

use std::time::Instant;

use anyhow::Result;

use crate::component;
use crate::workspace::Workspace;

/// What `cargo xtask build --help` prints.
pub const HELP: &str = "\
Build the component and show its size, imports and exports.

Usage: cargo xtask build

Builds the connector for wasm32-unknown-unknown with the profile `component`, and copies it to
ninjaone_connector.wasm in cargo's target directory.

Where the Rust toolchain has no standard library for that target, one is provided first:
  1. by `rustup target add`, unless RUSTUP_AUTO_INSTALL=0;
  2. by Debian's rustc, used for the component alone, if it is there;
  3. by installing that with apt-get (as root, or through sudo).
";

/// Builds the component and prints what came out.
pub fn run(workspace: &Workspace) -> Result<()> {
    let start = Instant::now();
    let component = component::build(workspace)?;
    print!("{}", component.report()?);
    println!("built in {:.1} s", start.elapsed().as_secs_f64());
    Ok(())
}
