//! `cargo xtask builds`: the component, built without this program.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;
use xshell::{Cmd, cmd};

use crate::compiler::{Compiler, DEBIAN_RUSTC, PROFILE, TARGET};
use crate::component::{CONNECTOR, Component};
use crate::provision::{self, WASIP2};
use crate::tools::{self, CARGO_COMPONENT};
use crate::workspace::Workspace;
use crate::{examples, process, simulator};

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

    let component = with_cargo_component(workspace, &copy, compiler)?;
    print!("cargo component: {}", component.report()?);
    simulator::sync(workspace, component.path())?;

    let flags = match provision::provision_wasip2(compiler) {
        Ok(flags) => flags,
        Err(reason) => {
            println!("{WASIP2}: skipped, since it cannot be compiled for here ({reason:#})");
            return Ok(());
        }
    };
    let component = for_wasip2(&copy, compiler, &flags)?;
    print!("{WASIP2}: {}", component.report()?);
    examples::run_in_node(workspace, component.path())
}

/// Builds the component with cargo component.
fn with_cargo_component(
    workspace: &Workspace,
    copy: &Workspace,
    compiler: Compiler,
) -> Result<Component> {
    tools::provision(workspace, &CARGO_COMPONENT)?;
    let mut build = Command::from(connector(copy, "component build", TARGET));
    let mut folders = Vec::new();
    if let Compiler::Debian(_) = compiler {
        folders.push(stand_in(copy)?);
    }
    compiler.choose(&mut build, &folders)?;
    process::run(&mut build)?;
    built(copy, TARGET)
}

/// Builds the component for the target with the whole of WASI.
fn for_wasip2(copy: &Workspace, compiler: Compiler, flags: &[String]) -> Result<Component> {
    let mut build = Command::from(connector(copy, "build", WASIP2));
    compiler.choose(&mut build, &[])?;
    // An unset variable is not the same as an empty one, which hides the flags of the user's configuration.
    if !flags.is_empty() {
        build.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
    }
    process::run(&mut build)?;
    built(copy, WASIP2)
}

/// A call of cargo that builds the connector.
fn connector<'a>(copy: &'a Workspace, subcommand: &str, target: &str) -> Cmd<'a> {
    copy.cargo(subcommand)
        .args(["--package", CONNECTOR, "--profile", PROFILE])
        .args(["--target", target])
}

/// The component that cargo built.
fn built(copy: &Workspace, target: &str) -> Result<Component> {
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
