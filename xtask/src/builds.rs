//! `cargo xtask builds`: the component, built without this program.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;
use component_build::{Compiler, DEBIAN_RUSTC, PROFILE, TARGET, process};
use xshell::cmd;

use crate::component::{CONNECTOR, Component};
use crate::provision::{self, WASIP2};
use crate::tools::{self, CARGO_COMPONENT};
use crate::workspace::Workspace;
use crate::{examples, simulator};

/// Build the component in the other ways that people do, and run what comes out
///
///   cargo component build --profile component --target wasm32-unknown-unknown
///       imports what that of `cargo xtask build` does, and is run in connector-host. It is larger: nothing optimizes it
///       once more. cargo component is installed with cargo where it is missing.
///   cargo build --profile component --target wasm32-wasip2
///       imports the environment, standard output and the like too, whether it uses them or not, so connector-host refuses it.
///       It is run in Node.js (examples/hosts/javascript). Skipped, which is said, where there is no standard library for that
///       target and none can be installed.
///
/// Both build a copy of the sources, since cargo component writes its bindings among them.
#[derive(Debug, Default, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments;

/// Builds and runs the component in each way.
pub fn run(workspace: &Workspace) -> Result<()> {
    let compiler = provision::provision()?;
    let folder = workspace.target().join("builds");
    let copy = workspace.copy(&folder.join("sources"), &folder.join("target"))?;

    tools::provision(workspace, &CARGO_COMPONENT)?;
    let folders = match compiler {
        Compiler::Toolchain(_) => Vec::new(),
        Compiler::Debian(_) => vec![stand_in(&copy)?],
    };
    let component = build(&copy, "component build", TARGET, compiler, &folders, &[])?;
    print!("cargo component: {}", component.report()?);
    simulator::sync(workspace, component.path())?;

    let flags = match provision::provision_wasip2(compiler) {
        Ok(flags) => flags,
        Err(reason) => {
            println!("{WASIP2}: skipped, since it cannot be compiled for here ({reason:#})");
            return Ok(());
        }
    };
    let component = build(&copy, "build", WASIP2, compiler, &[], &flags)?;
    print!("{WASIP2}: {}", component.report()?);
    examples::run_in_node(workspace, component.path())
}

/// Builds the connector with a subcommand of cargo. Programs of these folders go before others.
fn build(
    copy: &Workspace,
    subcommand: &str,
    target: &str,
    compiler: Compiler,
    folders: &[PathBuf],
    flags: &[String],
) -> Result<Component> {
    let build = format!("{subcommand} --package {CONNECTOR} --profile {PROFILE} --target {target}");
    let mut build = Command::from(copy.cargo(&build));
    compiler.choose(&mut build, folders)?;
    // An unset variable is not the same as an empty one, which hides the flags of the user's configuration.
    if !flags.is_empty() {
        build.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
    }
    process::run(&mut build)?;
    let file = format!("{}.wasm", CONNECTOR.replace('-', "_"));
    Component::read(copy.target().join(target).join(PROFILE).join(file))
}

/// A folder with a `rustc` that says of itself what cargo component asks before all else: where its libraries are, and there that
/// it has one for WASI, which is then not used. Everything else it leaves to the compiler.
fn stand_in(copy: &Workspace) -> Result<PathBuf> {
    let sh = copy.shell();
    let sysroot = copy.target().join("sysroot");
    sh.create_dir(sysroot.join("lib/rustlib/wasm32-wasip1"))?;
    let programs = copy.target().join("bin");
    let rustc = programs.join("rustc");
    let script = format!(
        "#!/bin/sh\n[ \"$*\" = \"--print sysroot\" ] && exec printf '%s\\n' '{}'\nexec {DEBIAN_RUSTC} \"$@\"\n",
        sysroot.display(),
    );
    sh.write_file(&rustc, script)?;
    // Debian is a Unix.
    cmd!(sh, "chmod +x {rustc}").run()?;
    Ok(programs)
}
