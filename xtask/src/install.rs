//! `cargo xtask install`: the host's program, to be run without cargo and anywhere.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use xshell::Cmd;

use crate::workspace::{Workspace, absolute};
use crate::{component, host};

/// Install connector-host with the component in it
///
/// Builds the component, then runs `cargo install --path crates/cli --locked` with it: the program carries the component, needs no other
/// file, and runs that one unless another is named. `connector-host --version` says which it is. It is put into the folder bin of
/// DIR, or where cargo puts what it installs.
///
/// Plain `cargo install` installs the program without a component, which then has to be named (--component FILE).
#[derive(Debug, Default, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// The folder to install to
    #[arg(long, value_name = "DIR", value_parser = absolute)]
    root: Option<PathBuf>,
}

/// Names the component to the build script of the program.
const EMBED: &str = "CONNECTOR_HOST_EMBED";
/// By which a component can be named to the program.
const NAMES: [&str; 2] = ["CONNECTOR_COMPONENT", "CONNECTOR_BUILT_COMPONENT"];

/// Builds the component and installs the program with it.
pub fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let component = component::release(workspace)?;
    host::announce_first_release_build(workspace)?;
    let root = arguments.root.iter();
    install(workspace, component.path())
        .args(root.flat_map(|root| ["--root".as_ref(), root.as_os_str()]))
        .run()?;
    Ok(())
}

/// Installs the program as it is built for tests, which takes a minute and not ten, and makes sure that it runs the component that
/// it carries.
pub fn check(workspace: &Workspace) -> Result<()> {
    let sh = workspace.shell();
    let component = component::build(workspace)?;
    let root = workspace.target().join("install");
    install(workspace, component.path())
        .args(["--debug", "--force", "--quiet", "--root"])
        .arg(&root)
        .run()?;
    let _folder = sh.push_dir(&root);
    let said = |arguments: &[&str]| {
        let program = sh.cmd(root.join("bin/connector-host")).args(arguments);
        let program = NAMES.iter().fold(program, Cmd::env_remove);
        program.read()
    };
    let version = said(&["--version"])?;
    ensure!(
        version.contains("component: embedded, sha256 "),
        "the installed program should say that it carries a component, and says:\n{version}"
    );
    let description = said(&["describe", "--json"])?;
    let description: serde_json::Value =
        serde_json::from_str(&description).context("a description is one line of JSON")?;
    ensure!(
        description["name"] == "ninjaone",
        "the installed program should run the component that it carries, and describes {}",
        description["name"]
    );
    println!("{version}");
    Ok(())
}

/// A call of cargo that installs the program with this component.
fn install<'a>(workspace: &'a Workspace, component: &Path) -> Cmd<'a> {
    workspace
        .cargo("install --locked --path crates/cli")
        .env(EMBED, component)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_build_script_reads_what_is_written_here() {
        let script = include_str!("../../crates/cli/build.rs");
        assert!(script.contains(&format!("\"{EMBED}\"")));
    }
}
