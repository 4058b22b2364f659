//! `cargo xtask install`: the host's program, to be run without cargo and anywhere.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::workspace::Workspace;
use crate::{component, host, process};

/// What `cargo xtask install --help` prints.
pub const HELP: &str = "\
Install connector-host with the component in it.

Usage: cargo xtask install [--root DIR]

Builds the component, then runs `cargo install --path crates/cli --locked` with it: the program carries the component, needs no other
file, and runs that one unless another is named. `connector-host --version` says which it is. It is put into the folder bin of
DIR, or where cargo puts what it installs.

Plain `cargo install` installs the program without a component, which then has to be named (--component FILE).
";

/// Names the component to the build script of the program.
const EMBED: &str = "CONNECTOR_HOST_EMBED";
/// By which a component can be named to the program.
const NAMES: [&str; 2] = ["CONNECTOR_COMPONENT", "CONNECTOR_BUILT_COMPONENT"];

/// Builds the component and installs the program with it.
pub fn run(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    let root = root(arguments)?;
    let component = component::release(workspace)?;
    host::announce_first_release_build(workspace)?;
    let mut install = install(workspace, component.path());
    if let Some(root) = root {
        install.arg("--root").arg(root);
    }
    process::run(&mut install)
}

/// Installs the program as it is built for tests, which takes a minute and not ten, and makes sure that it runs the component that
/// it carries.
pub fn check(workspace: &Workspace) -> Result<()> {
    let component = component::build(workspace)?;
    let root = workspace.target().join("install");
    let mut install = install(workspace, component.path());
    install.args(["--debug", "--force", "--quiet", "--root"]);
    process::run(install.arg(&root))?;
    let said = |argument: &[&str]| {
        let mut program = Command::new(root.join("bin/connector-host"));
        for name in NAMES {
            program.env_remove(name);
        }
        process::read(program.args(argument).current_dir(&root))
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
fn install(workspace: &Workspace, component: &Path) -> Command {
    let mut install = workspace.cargo("install");
    install
        .args(["--locked", "--path", "crates/cli"])
        .env(EMBED, component);
    install
}

/// Where the arguments say to install to. A path is relative to where the command was called, and not to the workspace.
fn root(arguments: &[String]) -> Result<Option<PathBuf>> {
    match arguments {
        [] => Ok(None),
        [option, root] if option == "--root" => {
            let root = std::path::absolute(root);
            root.map(Some).context("--root takes the path of a folder")
        }
        _ => bail!("it takes --root DIR and nothing else"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_takes_a_folder_and_nothing_else() {
        let given = |line: &str| root(&line.split(' ').map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(root(&[]).expect("none is needed"), None);
        let named = given("--root /usr/local").expect("it is a path");
        assert_eq!(named, Some(PathBuf::from("/usr/local")));
        let relative = given("--root here").expect("it is a path");
        assert!(relative.expect("one is named").is_absolute());
        for wrong in ["--root", "--debug", "--root a b"] {
            assert!(given(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_build_script_reads_what_is_written_here() {
        let script = include_str!("../../crates/cli/build.rs");
        assert!(script.contains(&format!("\"{EMBED}\"")));
    }
}
