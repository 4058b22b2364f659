//! Where the project is, where cargo puts what it builds, and how cargo is called.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::process;

/// The project's directories.
pub struct Workspace {
    /// Where the workspace's `Cargo.toml` is.
    root: PathBuf,
    /// Where cargo puts what it builds.
    target: PathBuf,
}

impl Workspace {
    /// Finds the workspace that this program was built from, and asks cargo for its target directory, which a variable or
    /// the user's own configuration may have moved.
    pub fn locate() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .context("the folder xtask has no parent")?
            .to_owned();
        let mut metadata = cargo(&root, "metadata");
        let metadata = process::read(metadata.args(["--no-deps", "--format-version", "1"]))?;
        let metadata: serde_json::Value =
            serde_json::from_str(&metadata).context("`cargo metadata` did not print JSON")?;
        let target = metadata["target_directory"]
            .as_str()
            .context("`cargo metadata` named no target_directory")?
            .into();
        Ok(Self { root, target })
    }

    /// Where the workspace's `Cargo.toml` is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where cargo puts what it builds.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// A call of `cargo subcommand` in the workspace, arguments to follow.
    pub fn cargo(&self, subcommand: &str) -> Command {
        cargo(&self.root, subcommand)
    }
}

/// The cargo that runs this program, or the one on the search path.
pub fn cargo_program() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// A call of `cargo subcommand` in the workspace at `root`.
fn cargo(root: &Path, subcommand: &str) -> Command {
    let mut cargo = Command::new(cargo_program());
    cargo.arg(subcommand).current_dir(root);
    forget_this_package(&mut cargo);
    cargo
}

/// Takes out of `command`'s environment what `cargo run` put there to describe the package `xtask`. Some build scripts ask
/// to run again when these variables change, so that a build from here and one from a shell would undo each other.
pub fn forget_this_package(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
}
