//! `cargo xtask dist`: what is released.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use xshell::{Shell, cmd};

use crate::optimize::WASM_OPT;
use crate::workspace::Workspace;
use crate::{component, provision};

/// Make the files of a release, in dist/ of cargo's target directory
///
///   ninjaone-connector-VERSION.wasm       the component, with its metadata: `wasm-tools metadata show` tells it
///   ninjaone-connector-VERSION.cdx.json   its software bill of materials (CycloneDX)
///   identity-connector-VERSION.wasm       the contract, as a WIT package
///   oci/                                  both as OCI artifacts: an image layout, to be copied to a registry as it is:
///                                         skopeo copy oci:target/dist/oci:ninjaone-connector docker://REGISTRY/NAME:VERSION
///                                         skopeo copy oci:target/dist/oci:identity-connector docker://REGISTRY/NAME:VERSION
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
}

/// Makes a release and says what is in it.
pub fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let release = make(workspace, arguments.source.as_deref())?;
    if arguments.verify {
        release.verify(workspace)?;
    }
    println!("{}", release.folder.display());
    Ok(())
}

/// Makes a release.
pub fn make(workspace: &Workspace, source: Option<&str>) -> Result<Release> {
    let component = component::build(workspace)?;
    let mut said = provenance(workspace)?;
    if let Some(source) = source {
        said.extend(["--source".to_owned(), source.to_owned()]);
    }
    let release = Release {
        folder: workspace.target().join("dist"),
        said,
    };
    release.pack(workspace, workspace, component.path(), &release.folder)?;
    Ok(release)
}

/// A release that was made.
pub struct Release {
    /// Where its files are.
    folder: PathBuf,
    /// What was said of its sources, as arguments of the packer.
    said: Vec<String>,
}

impl Release {
    /// Where its files are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The component of this name.
    pub fn component(&self, name: &str) -> Result<Packed> {
        let begin = format!("{name}-");
        for file in fs::read_dir(&self.folder)?.flatten() {
            let file_name = file.file_name();
            let rest = file_name
                .to_str()
                .and_then(|file| file.strip_prefix(&begin));
            if let Some(version) = rest.and_then(|rest| rest.strip_suffix(".wasm")) {
                return Ok(Packed {
                    path: file.path(),
                    version: version.to_owned(),
                });
            }
        }
        bail!(
            "there is no {begin}VERSION.wasm in {}",
            self.folder.display()
        )
    }

    /// Makes it a second time from a copy of the sources in another folder, with nothing of what cargo built the first time,
    /// and compares.
    fn verify(&self, workspace: &Workspace) -> Result<()> {
        println!("Once more, from a copy of the sources in another folder (a few minutes).");
        let scratch = workspace.shell().create_temp_dir()?;
        let [sources, target, second] =
            ["sources", "target", "dist"].map(|name| scratch.path().join(name));
        let copy = workspace.copy(&sources, &target)?;
        let component = component::build(&copy)?;
        self.pack(workspace, &copy, component.path(), &second)?;
        let different = differences(&contents(&self.folder)?, &contents(&second)?);
        ensure!(
            different.is_empty(),
            "the same sources gave other files the second time: {}",
            different.join(", ")
        );
        println!("The same to the byte.");
        Ok(())
    }

    /// Packs the `component` of `sources` into `out`, with the packer of `workspace`.
    fn pack(
        &self,
        workspace: &Workspace,
        sources: &Workspace,
        component: &Path,
        out: &Path,
    ) -> Result<()> {
        let pack = workspace.call("run --quiet --package connector-dist -- --root");
        pack.arg(sources.root())
            .arg("--component")
            .arg(component)
            .arg("--out")
            .arg(out)
            .args(&self.said)
            .run()?;
        Ok(())
    }
}

/// A component or the contract, as it is released.
pub struct Packed {
    /// The file.
    pub path: PathBuf,
    /// Its version.
    pub version: String,
}

/// What there is to say of the sources and of the programs that compile them, as arguments of the packer.
fn provenance(workspace: &Workspace) -> Result<Vec<String>> {
    let mut said = vec!["--created".to_owned(), created(workspace.shell())?];
    if let Some(revision) = revision(workspace) {
        said.extend(["--revision".to_owned(), revision]);
    }
    let mut built_with = vec![provision::provision()?.version()?];
    built_with.extend(cmd!(workspace.shell(), "{WASM_OPT} --version").read().ok());
    for program in built_with {
        said.extend(["--built-with".to_owned(), program]);
    }
    Ok(said)
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
    let top = cmd!(sh, "git rev-parse --show-toplevel")
        .ignore_stderr()
        .read()
        .ok()?;
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

/// Files by their paths in a folder.
type Contents = BTreeMap<PathBuf, Vec<u8>>;

/// All files in a folder and below.
fn contents(folder: &Path) -> Result<Contents> {
    let mut contents = Contents::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        let entries =
            fs::read_dir(&next).with_context(|| format!("cannot list {}", next.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let bytes =
                    fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
                contents.insert(path.strip_prefix(folder)?.to_owned(), bytes);
            }
        }
    }
    Ok(contents)
}

/// The paths of files that are not the same in both, or only in one.
fn differences(first: &Contents, second: &Contents) -> Vec<String> {
    let paths: BTreeSet<_> = first.keys().chain(second.keys()).collect();
    paths
        .into_iter()
        .filter(|path| first.get(*path) != second.get(*path))
        .map(|path| path.display().to_string())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_differs_or_is_missing_is_named() {
        let folder = |files: &[(&str, &str)]| -> Contents {
            let files = files.iter();
            files
                .map(|(path, text)| (path.into(), text.as_bytes().to_vec()))
                .collect()
        };
        let first = folder(&[("a.wasm", "1"), ("oci/b", "2"), ("c", "3")]);
        assert!(differences(&first, &first).is_empty());
        let second = folder(&[("a.wasm", "1"), ("oci/b", "0")]);
        assert_eq!(differences(&first, &second), ["c", "oci/b"]);
        assert_eq!(differences(&second, &first), ["c", "oci/b"]);
    }
}
