//! `cargo xtask build`: the component, and what there is to know about the file.

use std::time::Instant;

use anyhow::Result;

use crate::component;
use crate::workspace::Workspace;

/// Build the component and show its size, imports and exports
///
/// Builds the connector, or the component of another package, for wasm32-unknown-unknown with the profile `component`, makes it
/// smaller with wasm-opt, and copies it to ninjaone_connector.wasm in cargo's target directory.
///
/// Where the Rust toolchain has no standard library for that target, one is provided first:
///   1. by `rustup target add wasm32-unknown-unknown`, unless RUSTUP_AUTO_INSTALL=0;
///   2. by Debian's rustc, used for the component alone, if it is there;
///   3. by installing that with apt-get (as root, or through sudo, after a question on a terminal).
///
/// Where the sources of the standard library are there (`rustup component add rust-src`), it is compiled along with the component,
/// which makes that a few per cent smaller.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// The package, in place of that of the connector
    package: Option<String>,
}

/// Builds the component and prints what came out.
pub fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let start = Instant::now();
    let component = match &arguments.package {
        None => component::release(workspace)?,
        Some(package) => component::build_package(workspace, package)?,
    };
    print!("{}", component.report()?);
    println!("built in {:.1} s", start.elapsed().as_secs_f64());
    Ok(())
}
