//! Where the project is, where cargo puts what it builds, and how cargo is called.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use xshell::{Cmd, Shell, cmd};

/// The project's directories and packages.
pub struct Workspace {
    /// Runs programs, and reads and writes files: by paths that begin where the workspace's `Cargo.toml` is.
    shell: Shell,
    /// Where the workspace's `Cargo.toml` is.
    root: PathBuf,
    /// Where cargo puts what it builds.
    target: PathBuf,
    /// All packages.
    packages: Vec<Package>,
}

/// A package of the workspace.
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its folder below the root, with a slash at its end; nothing for the package at the top.
    pub folder: String,
}

impl Workspace {
    /// Finds the workspace that this program was built from, and asks cargo for its target directory, which a variable or
    /// the user's own configuration may have moved.
    pub fn locate() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
        Self::at(
            Shell::new()?,
            root.context("the folder xtask has no parent")?,
        )
    }

    /// The workspace in this folder.
    fn at(shell: Shell, root: &Path) -> Result<Self> {
        shell.change_dir(root);
        let metadata = cmd!(shell, "cargo metadata --no-deps --format-version 1").read()?;
        let metadata = serde_json::from_str(&metadata)?;
        let packages = packages(&metadata, root).context("`cargo metadata` named no packages")?;
        let target = metadata["target_directory"].as_str();
        let target = PathBuf::from(target.context("`cargo metadata` named no target_directory")?);
        shell.set_var("CARGO_TARGET_DIR", &target);
        Ok(Self {
            shell,
            root: root.to_owned(),
            target,
            packages,
        })
    }

    /// Where the workspace's `Cargo.toml` is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where cargo puts what it builds.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// All packages.
    pub fn packages(&self) -> &[Package] {
        &self.packages
    }

    /// The same sources in another folder, to be built into another target directory: all that are in the repository, and
    /// those that are new and not ignored.
    pub fn copy(&self, root: &Path, target: &Path) -> Result<Self> {
        let sh = &self.shell;
        let files = cmd!(sh, "git ls-files -z --cached --others --exclude-standard")
            .read()
            .context("the sources cannot be told from what else is in their folder")?;
        let there = |file: &&str| self.root.join(file).is_file();
        for file in files.split('\0').filter(there) {
            let copy = root.join(file);
            sh.create_dir(copy.parent().context("a file is in a folder")?)?;
            sh.copy_file(file, copy)?;
        }
        let shell = Shell::new()?;
        shell.set_var("CARGO_TARGET_DIR", target);
        Self::at(shell, root)
    }

    /// Runs programs, and reads and writes files, in the workspace.
    pub fn shell(&self) -> &Shell {
        &self.shell
    }

    /// A call of cargo with these words, which are separated by spaces.
    pub fn cargo(&self, words: &str) -> Cmd<'_> {
        let cargo = self.shell.cmd("cargo").args(words.split(' '));
        component_build::of_this_package().fold(cargo, Cmd::env_remove)
    }

    /// Whether a program is here: whether this call of it succeeds.
    pub fn has(&self, call: &str) -> bool {
        let mut words = call.split(' ');
        let call = self.shell.cmd(words.next().unwrap_or_default()).args(words);
        call.quiet().ignore_stdout().ignore_stderr().run().is_ok()
    }
}

/// The packages of the workspace at `root`, by what `cargo metadata` says of it.
fn packages(metadata: &serde_json::Value, root: &Path) -> Option<Vec<Package>> {
    let packages = metadata["packages"].as_array()?.iter();
    let packages = packages.filter_map(|package| {
        let manifest = Path::new(package["manifest_path"].as_str()?);
        let folder = manifest.parent()?.strip_prefix(root).ok()?.to_str()?;
        Some(Package {
            name: package["name"].as_str()?.to_owned(),
            // Nothing for the package at the top.
            folder: folder.to_owned() + if folder.is_empty() { "" } else { "/" },
        })
    });
    Some(packages.collect())
}

/// Reads a path, which is relative to where the command was called, and not to the workspace.
pub fn absolute(path: &str) -> std::io::Result<PathBuf> {
    std::path::absolute(path)
}
