//! How clippy is called, with either compiler that can compile components.

use std::process::Command;

use anyhow::Result;
use component_build::{Compiler, DEBIAN_RUSTC, Std, cargo_program, forget_this_package};

use crate::provision;
use crate::workspace::Workspace;

/// What makes clippy (and rustc) treat a warning as an error.
pub const DENY_WARNINGS: [&str; 2] = ["-D", "warnings"];

/// Debian's clippy, which fits Debian's rustc and no other.
pub const DEBIAN_CLIPPY: &str = "/usr/bin/cargo-clippy";

/// The command that runs clippy on the component of a package for its target, warnings being errors.
pub fn component_clippy(
    compiler: Compiler,
    workspace: &Workspace,
    package: &str,
) -> Result<Command> {
    let mut clippy = match compiler {
        Compiler::Toolchain(_) => workspace.cargo("clippy").into(),
        Compiler::Debian(_) => debian_clippy(workspace),
    };
    compiler.configure(&mut clippy, workspace.root(), package)?;
    clippy.arg("--").args(DENY_WARNINGS);
    Ok(clippy)
}

/// A call of clippy on native code, arguments to follow: the toolchain's own, or where it has none, Debian's, which leaves what it
/// compiles in a folder of its own.
pub fn native_clippy(workspace: &Workspace) -> Result<Command> {
    if workspace.has("cargo clippy --version") {
        return Ok(workspace.cargo("clippy").into());
    }
    println!("The toolchain has no clippy: Debian's is used.");
    provision::provision_clippy(Compiler::Debian(Std::Sources))?;
    let mut clippy = debian_clippy(workspace);
    clippy
        .env("RUSTC", DEBIAN_RUSTC)
        .env("CARGO_TARGET_DIR", workspace.target().join("clippy"))
        // The components that the tests load are there already.
        .env("COMPONENT_TARGET_DIR", workspace.target());
    Ok(clippy)
}

/// A call of Debian's clippy. The toolchain's cannot read what Debian's rustc compiles; Debian's can, and is content with the
/// toolchain's cargo.
fn debian_clippy(workspace: &Workspace) -> Command {
    let mut clippy = Command::new(DEBIAN_CLIPPY);
    clippy
        .arg("clippy")
        .current_dir(workspace.root())
        .env("CARGO_TARGET_DIR", workspace.target())
        .env("CARGO", cargo_program());
    forget_this_package(&mut clippy);
    clippy
}
