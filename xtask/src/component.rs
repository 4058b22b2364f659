//! Builds components and puts them where everything else looks for them: the connector, and the guests that tests load.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use wasmparser::{Parser, Payload};

use crate::compiler::{PROFILE, TARGET};
use crate::interface::Interface;
use crate::workspace::Workspace;
use crate::{optimize, process, provision};

/// The package of the connector.
pub const CONNECTOR: &str = "ninjaone-connector";

/// A component that was built.
pub struct Component {
    /// The file, in cargo's target directory.
    path: PathBuf,
    /// What is in it.
    bytes: Vec<u8>,
}

/// Builds the connector.
pub fn build(workspace: &Workspace) -> Result<Component> {
    build_package(workspace, CONNECTOR)
}

/// Builds every guest that the tests of the host load, in the same way as the connector.
pub fn build_guests(workspace: &Workspace) -> Result<Vec<Component>> {
    let guests = workspace.guests().iter();
    guests
        .map(|guest| build_package(workspace, guest))
        .collect()
}

/// Builds the component of a package.
fn build_package(workspace: &Workspace, package: &str) -> Result<Component> {
    let compiler = provision::provision()?;
    process::run(&mut compiler.build(workspace, package)?)?;
    let file = format!("{}.wasm", package.replace('-', "_"));
    let built = workspace.target().join(TARGET).join(PROFILE).join(&file);
    let bytes = fs::read(&built).with_context(|| {
        format!(
            "cargo built the package, but no {} came out: is it a `cdylib`?",
            built.display()
        )
    })?;
    let bytes = without_custom_sections(&bytes)
        .with_context(|| format!("{} is not a component", built.display()))?;
    let bytes = optimize::optimize(bytes, &workspace.target().join("wasm-opt"))?;
    let path = workspace.target().join(&file);
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

/// The component without what the linker adds to it for debuggers and for the curious: the names of its inner parts, which
/// take 7 KiB, and of the tools that made it. `strip` in the profile does not reach them, since they are added after it.
fn without_custom_sections(component: &[u8]) -> Result<Vec<u8>> {
    const HEADER: usize = 8;
    let mut kept = component.get(..HEADER).context("it is too short")?.to_vec();
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload?;
        let is_custom = matches!(payload, Payload::CustomSection(_));
        if let (0, false, Some((id, range))) = (depth, is_custom, payload.as_section()) {
            let content = &component[usize::try_from(range.start)?..usize::try_from(range.end)?];
            kept.push(id);
            push_leb128(&mut kept, content.len());
            kept.extend_from_slice(content);
        }
        match payload {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            _ => {}
        }
    }
    Ok(kept)
}

/// Appends a length as WebAssembly writes it: seven bits a byte, the lowest first.
pub fn push_leb128(bytes: &mut Vec<u8>, mut length: usize) {
    while length >= 0x80 {
        bytes.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_outermost_custom_sections_are_taken_out() {
        let header = b"\0asm\x0d\0\x01\0".as_slice();
        let names = b"\0\x10\x0ecomponent-name!".as_slice();
        let producers = b"\0\x0a\x09producers".as_slice();
        let other = b"\x07\x01\0".as_slice();
        let inner = [header, names].concat();
        let length = u8::try_from(inner.len()).expect("it is short");
        let nested = [&[4, length], inner.as_slice()].concat();
        let component = [header, names, other, &nested, producers].concat();
        let kept = without_custom_sections(&component).expect("it is a component");
        assert_eq!(kept, [header, other, &nested].concat());
    }

    #[test]
    fn lengths_are_written_as_webassembly_reads_them() {
        for (length, expected) in [
            (0, vec![0]),
            (127, vec![127]),
            (128, vec![0x80, 1]),
            (624_485, vec![0xe5, 0x8e, 0x26]),
        ] {
            let mut bytes = Vec::new();
            push_leb128(&mut bytes, length);
            assert_eq!(bytes, expected);
        }
    }
}
