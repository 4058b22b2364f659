//! What the commands do with the host: run its program, and its tests.

use std::path::Path;

use anyhow::Result;
use xshell::Cmd;

use crate::provision;
use crate::workspace::Workspace;

/// A call of the program for one of its commands, with this component, arguments to follow.
pub fn program<'a>(workspace: &'a Workspace, command: &str, component: &Path) -> Cmd<'a> {
    workspace
        .cargo("run --quiet --package connector-cli --")
        .arg(command)
        .arg("--component")
        .arg(component)
}

/// A call of the tests that load components, arguments to follow.
pub fn tests(workspace: &Workspace) -> Result<Cmd<'_>> {
    provision::provision()?;
    announce_first_build(workspace)?;
    Ok(workspace.cargo("test --package host-test --package connector-cli --test all"))
}

/// Says that the build about to start is a long one, if it is: a silent ten minutes look like a hang.
pub fn announce_first_build(workspace: &Workspace) -> Result<()> {
    announce(workspace, "debug")
}

/// The same of a build in release.
pub fn announce_first_release_build(workspace: &Workspace) -> Result<()> {
    announce(workspace, "release")
}

/// Says that a build into this folder is a long one, unless an earlier one left wasmtime there.
fn announce(workspace: &Workspace, folder: &str) -> Result<()> {
    let built = workspace.target().join(folder).join("deps");
    let is_wasmtime = |file: &Path| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("libwasmtime-") && name.ends_with(".rlib")
    };
    let sh = workspace.shell();
    if !sh.path_exists(&built) || !sh.read_dir(&built)?.iter().any(|file| is_wasmtime(file)) {
        println!(
            "The host is built for the first time: some minutes, most of it wasmtime and its compiler. \
             After that it takes seconds."
        );
    }
    Ok(())
}
