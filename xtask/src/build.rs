//! `cargo xtask build`: the component, and what there is to know about the file.

use std::time::Instant;

use anyhow::Result;

use crate::component;
use crate::workspace::Workspace;

/// Build the component and show its size, imports and exports
///
/// Builds the connector for wasm32-unknown-unknown with the profile `component`, and copies it to
/// ninjaone_connector.wasm in cargo's target directory.
///
/// The standard library is compiled for size along with the component. Where the Rust toolchain does not have its sources, they are
/// provided first:
///   1. by `rustup component add rust-src`, unless RUSTUP_AUTO_INSTALL=0;
///   2. by Debian's rustc, used for the component alone, if it is there;
///   3. by installing that with apt-get (as root, or through sudo).
///
/// Where only a compiled one can be had (`rustup target add`), that is used, and the component is about 4 % larger.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments;

/// Builds the component and prints what came out.
pub fn run(workspace: &Workspace) -> Result<()> {
    let start = Instant::now();
    let component = component::build(workspace)?;
    print!("{}", component.report()?);
    println!("built in {:.1} s", start.elapsed().as_secs_f64());
    Ok(())
}
