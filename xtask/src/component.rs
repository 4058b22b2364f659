//! Builds the connector's component, and puts it where everything else looks for it.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

pub use component_build::CONNECTOR;

use crate::interface::Interface;
use crate::workspace::Workspace;
use crate::{optimize, provision};

/// A component that was built.
pub struct Component {
    /// The file, in cargo's target directory.
    path: PathBuf,
    /// What is in it.
    bytes: Vec<u8>,
}

/// Builds the connector, and makes it smaller where there is a `wasm-opt`.
pub fn build(workspace: &Workspace) -> Result<Component> {
    build_package(workspace, CONNECTOR)
}

/// Builds the connector as it is released, for which `wasm-opt` is needed, and installed where it is missing.
pub fn release(workspace: &Workspace) -> Result<Component> {
    provision::provision_wasm_opt()?;
    build(workspace)
}

/// Builds the component of a package.
pub fn build_package(workspace: &Workspace, package: &str) -> Result<Component> {
    let compiler = provision::provision()?;
    let built = compiler.build(workspace.root(), workspace.target(), package)?;
    let bytes = fs::read(&built.component)
        .with_context(|| format!("cannot read {}", built.component.display()))?;
    let bytes = optimize::optimize(&bytes, &workspace.target().join("wasm-opt"))
        .with_context(|| format!("{} is not a component", built.component.display()))?;
    let file = built.component.file_name().context("it is a file")?;
    let path = workspace.target().join(file);
    write_if_changed(&path, &bytes)?;
    Ok(Component { path, bytes })
}

impl Component {
    /// A component that was built by other means.
    pub fn read(path: PathBuf) -> Result<Self> {
        let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Self { path, bytes })
    }

    /// Where the component is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What there is to know about the file: its size, and what it imports and exports.
    pub fn report(&self) -> Result<String> {
        let interface = Interface::of(&self.bytes)
            .with_context(|| format!("{} is not a component", self.path.display()))?;
        let mut report = format!("{}\n", self.path.display());
        writeln!(report, "  size     {}", self.size())?;
        for import in &interface.imports {
            writeln!(report, "  imports  {import}")?;
        }
        for export in &interface.exports {
            writeln!(report, "  exports  {export}")?;
        }
        Ok(report)
    }

    /// The component's size, and where there is a gzip, how small it gets for the way to the host.
    fn size(&self) -> String {
        let mut size = format!(
            "{} bytes, {}",
            self.bytes.len(),
            kibibytes(self.bytes.len())
        );
        let gzip = Command::new("gzip")
            .args(["--best", "--stdout"])
            .arg(&self.path)
            .output();
        if let Ok(gzip) = gzip
            && gzip.status.success()
        {
            size += &format!(" ({} compressed)", kibibytes(gzip.stdout.len()));
        }
        size
    }
}

/// `bytes` in KiB.
fn kibibytes(bytes: usize) -> String {
    format!("{:.1} KiB", bytes as f64 / 1024.0)
}

/// Writes `bytes` to `path` unless they are there already: a new modification time would make others start over.
fn write_if_changed(path: &Path, bytes: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|present| present == bytes) {
        return Ok(());
    }
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}
