//! `cargo xtask build`: the component, and what there is to know about the file.

use std::time::Instant;

use anyhow::{Result, bail};

use crate::component;
use crate::workspace::Workspace;

/// What `cargo xtask build --help` prints.
pub const HELP: &str = "\
Build the component and show its size, imports and exports.

Usage: cargo xtask build [PACKAGE]

Builds the connector, or the component of another package, for wasm32-unknown-unknown with the profile `component`, makes it
smaller with wasm-opt, and copies it to ninjaone_connector.wasm in cargo's target directory.

Where the Rust toolchain has no standard library for that target, one is provided first:
  1. by `rustup target add wasm32-unknown-unknown`, unless RUSTUP_AUTO_INSTALL=0;
  2. by Debian's rustc, used for the component alone, if it is there;
  3. by installing that with apt-get (as root, or through sudo, after a question on a terminal).
Where the sources of the standard library are there (`rustup component add rust-src`), it is compiled along with the component,
which makes that a few per cent smaller.
";

/// Builds the component and prints what came out.
pub fn run(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    let start = Instant::now();
    let component = match arguments {
        [] => component::release(workspace)?,
        [package] => component::build_package(workspace, package)?,
        [_, other, ..] => bail!("it takes one package, and got `{other}` too"),
    };
    print!("{}", component.report()?);
    println!("built in {:.1} s", start.elapsed().as_secs_f64());
    Ok(())
}
