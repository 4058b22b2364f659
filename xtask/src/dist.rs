//! `cargo xtask dist`: what is released.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use xshell::{Shell, cmd};

use crate::optimize::WASM_OPT;
use crate::tools::{self, WKG};
use crate::workspace::Workspace;
use crate::{component, provision};

/// Make the files of a release, in dist/ of cargo's target directory
///
///   ninjaone-connector-VERSION.wasm       the component, with its metadata: `wasm-tools metadata show` tells it
///   ninjaone-connector-VERSION.cdx.json   its software bill of materials (CycloneDX)
///   identity-connector-VERSION.wasm       the contract, as a WIT package
///   LICENSE, SHA256SUMS
///
/// The revision and the point in time of the last commit go into the files; the revision is left out where there are changes that are
/// not committed. SOURCE_DATE_EPOCH, in seconds, is the time if it is set. The same sources give the same files.
#[derive(Debug, Default, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// Make everything a second time from a copy of the sources in another folder, and fail unless each file is the same to the
    /// byte
    #[arg(long)]
    pub verify: bool,
    /// Where the sources are published, for the metadata; else `repository` in Cargo.toml, if it has that
    #[arg(long, value_name = "URL")]
    pub source: Option<String>,
    /// Push the component and the contract with wkg, which cargo installs where it is missing, as
    /// REGISTRY/ninjaone-connector:VERSION and REGISTRY/identity/connector:VERSION. Who pushes is told by docker's
    /// configuration, or by WKG_OCI_USERNAME and WKG_OCI_PASSWORD
    #[arg(long, value_name = "REGISTRY")]
    pub push: Option<String>,
}

/// The file with the checksums of all others.
const CHECKSUMS: &str = "SHA256SUMS";

/// Makes a release and says what is in it.
pub fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let release = Release::make(workspace, arguments.source.as_deref())?;
    if arguments.verify {
        release.verify()?;
    }
    if let Some(registry) = &arguments.push {
        release.push(registry)?;
    }
    println!("{}", release.folder.display());
    Ok(())
}

/// A release that was made.
pub struct Release<'a> {
    /// Of what.
    workspace: &'a Workspace,
    /// Where its files are.
    folder: PathBuf,
    /// What was said of its sources, as arguments of the packer.
    provenance: Vec<String>,
}

impl<'a> Release<'a> {
    /// Makes a release.
    pub fn make(workspace: &'a Workspace, source: Option<&str>) -> Result<Self> {
        let component = component::release(workspace)?;
        let mut provenance = provenance(workspace)?;
        provenance.extend(source.map(|source| format!("--source={source}")));
        let release = Self {
            workspace,
            folder: workspace.target().join("dist"),
            provenance,
        };
        release.pack(workspace, component.path(), &release.folder)?;
        Ok(release)
    }

    /// Pushes the component and the contract to a registry.
    pub fn push(&self, registry: &str) -> Result<()> {
        tools::provision(self.workspace, &WKG)?;
        for (name, there) in [
            ("ninjaone-connector", "ninjaone-connector"),
            ("identity-connector", "identity/connector"),
        ] {
            let (file, version) = self.released(name)?;
            let push = self
                .workspace
                .cargo("run --quiet --package connector-dist -- push");
            push.arg(file)
                .arg(format!("{registry}/{there}:{version}"))
                .run()?;
        }
        Ok(())
    }

    /// The component or WIT package of this name, and its version.
    pub fn released(&self, name: &str) -> Result<(PathBuf, String)> {
        for file in self.workspace.shell().read_dir(&self.folder)? {
            let stem = file.file_stem().and_then(|stem| stem.to_str());
            let version = stem.and_then(|stem| stem.strip_prefix(name)?.strip_prefix('-'));
            if let (Some(version), true) = (version, file.extension() == Some("wasm".as_ref())) {
                let version = version.to_owned();
                return Ok((file, version));
            }
        }
        bail!(
            "there is no {name}-VERSION.wasm in {}",
            self.folder.display()
        )
    }

    /// Makes it a second time from a copy of the sources in another folder, with nothing of what cargo built the first time,
    /// and compares.
    fn verify(&self) -> Result<()> {
        println!("Once more, from a copy of the sources in another folder (a few minutes).");
        let sh = self.workspace.shell();
        let scratch = sh.create_temp_dir()?;
        let [sources, target, second] =
            ["sources", "target", "dist"].map(|name| scratch.path().join(name));
        let copy = self.workspace.copy(&sources, &target)?;
        let component = component::release(&copy)?;
        self.pack(&copy, component.path(), &second)?;
        let sums = |folder: &Path| sh.read_file(folder.join(CHECKSUMS));
        let (first, second) = (sums(&self.folder)?, sums(&second)?);
        let different = differences(&first, &second);
        ensure!(
            different.is_empty(),
            "the same sources gave other files the second time: {}",
            different.join(", ")
        );
        println!("The same to the byte.");
        Ok(())
    }

    /// Packs the `component` of `sources` into `out`.
    fn pack(&self, sources: &Workspace, component: &Path, out: &Path) -> Result<()> {
        let pack = self
            .workspace
            .cargo("run --quiet --package connector-dist -- pack --root");
        let pack = pack.arg(sources.root()).arg("--component").arg(component);
        pack.arg("--out").arg(out).args(&self.provenance).run()?;
        Ok(())
    }
}

/// What there is to say of the sources and of the programs that compile them, as arguments of the packer.
fn provenance(workspace: &Workspace) -> Result<Vec<String>> {
    let sh = workspace.shell();
    let optimizer = cmd!(sh, "{WASM_OPT} --version").read();
    let provenance = [
        Some(format!("--created={}", created(sh)?)),
        revision(workspace).map(|revision| format!("--revision={revision}")),
        Some(format!(
            "--built-with={}",
            provision::provision()?.version()?
        )),
        optimizer
            .ok()
            .map(|optimizer| format!("--built-with={optimizer}")),
    ];
    Ok(provenance.into_iter().flatten().collect())
}

/// The point in time of the sources: what `SOURCE_DATE_EPOCH` says, or that of the last commit; in seconds since 1970.
fn created(sh: &Shell) -> Result<String> {
    if let Ok(seconds) = sh.var("SOURCE_DATE_EPOCH") {
        return Ok(seconds);
    }
    cmd!(sh, "git log -1 --format=%ct").read().context(
        "it is not known when these sources were written: set SOURCE_DATE_EPOCH to a number of seconds",
    )
}

/// The revision of the sources, where they are exactly those of a commit.
fn revision(workspace: &Workspace) -> Option<String> {
    let sh = workspace.shell();
    let top = cmd!(sh, "git rev-parse --show-toplevel");
    let top = top.ignore_stderr().read().ok()?;
    // Sources that were unpacked inside another repository are not that one's.
    if fs::canonicalize(top).ok()? != fs::canonicalize(workspace.root()).ok()? {
        return None;
    }
    if !cmd!(sh, "git status --porcelain").read().ok()?.is_empty() {
        println!("There are changes that are not committed: the files say no revision.");
        return None;
    }
    cmd!(sh, "git rev-parse HEAD").read().ok()
}

/// The names of files that have other checksums in both, or are in one only.
fn differences<'a>(first: &'a str, second: &'a str) -> Vec<&'a str> {
    let only_in = |one: &'a str, other: &'a str| {
        let lines = one.lines();
        lines.filter(move |line| !other.lines().any(|there| there == *line))
    };
    let lines = only_in(first, second).chain(only_in(second, first));
    let mut names: Vec<_> = lines.filter_map(|line| line.split("  ").nth(1)).collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_differs_or_is_missing_is_named() {
        let first = "1  a.wasm\n2  b.json\n3  c\n";
        assert!(differences(first, first).is_empty());
        let second = "1  a.wasm\n0  b.json\n";
        assert_eq!(differences(first, second), ["b.json", "c"]);
        assert_eq!(differences(second, first), ["b.json", "c"]);
    }
}
