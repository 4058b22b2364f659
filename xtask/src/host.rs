//! What the commands know about the host package: that it takes long to build, once.

use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::workspace::Workspace;

/// A call of the program for one of its commands, with this component, arguments to follow.
pub fn program(workspace: &Workspace, command: &str, component: &Path) -> Command {
    let mut program = workspace.cargo("run");
    program
        .args(["--quiet", "--package", "connector-cli", "--", command])
        .arg("--component")
        .arg(component);
    program
}

/// Says that the build about to start is a long one, if it is: a silent ten minutes look like a hang.
pub fn announce_first_build(workspace: &Workspace) -> Result<()> {
    announce(workspace, "debug")
}

/// The same of a build in release.
pub fn announce_first_release_build(workspace: &Workspace) -> Result<()> {
    announce(workspace, "release")
}

/// Says that a build into this folder is a long one, if it is.
fn announce(workspace: &Workspace, folder: &str) -> Result<()> {
    if !wasmtime_is_built(workspace, folder)? {
        println!(
            "The host is built for the first time: about 10 minutes, most of it wasmtime and its compiler. \
             After that it takes seconds."
        );
    }
    Ok(())
}

/// Whether an earlier build of the host left wasmtime in this folder of the target directory.
fn wasmtime_is_built(workspace: &Workspace, folder: &str) -> Result<bool> {
    let deps = workspace.target().join(folder).join("deps");
    let entries = match deps.read_dir() {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error).with_context(|| format!("cannot list {}", deps.display())),
    };
    Ok(entries.flatten().any(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        name.starts_with("libwasmtime-") && name.ends_with(".rlib")
    }))
}
