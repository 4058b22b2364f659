//! Which packages the component is made of, as cargo resolves them, and what cargo knows of each.
//!
//! Not known here: which of the code of a package is still in the component after linking, and which packages the standard
//! library brings along, since cargo resolves those by themselves.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use cargo_metadata::semver::Version;
use cargo_metadata::{MetadataCommand, Package as Known};
use serde::Deserialize;

/// The package of the connector.
const CONNECTOR: &str = "ninjaone-connector";
/// What the component is compiled for.
const TARGET: &str = "wasm32-unknown-unknown";

/// A package and what it depends on.
#[derive(Debug)]
pub struct Package {
    /// Its name, version, licence and so on.
    pub known: Known,
    /// The SHA-256 of what was downloaded, in hexadecimal; nothing for a package of this workspace.
    pub checksum: Option<String>,
    /// Whether it only makes the component, and is not in it.
    pub build_only: bool,
    /// The packages that it depends on, as indexes.
    pub dependencies: Vec<usize>,
    /// Those of them that are in the component because it depends on them.
    pub inside: Vec<usize>,
}

/// A package's name and version, which tell it apart from all others here.
type Key = (String, Version);

/// All packages of the component in the workspace at `root`; the connector itself comes first.
pub fn packages(root: &Path) -> Result<Vec<Package>> {
    let inside = Tree::of(root, "normal,no-proc-macro")?;
    let all = Tree::of(root, "normal,build")?;
    let mut known = known(root)?;
    let checksums = checksums(root)?;
    all.packages
        .iter()
        .enumerate()
        .map(|(index, key)| {
            let (name, version) = key;
            Ok(Package {
                known: known.remove(key).with_context(|| {
                    format!(
                        "`cargo metadata` does not know {name} {version}, which `cargo tree` has"
                    )
                })?,
                checksum: checksums.get(key).cloned(),
                build_only: !inside.packages.contains(key),
                dependencies: all.dependencies(index),
                inside: inside.dependencies_in(key, &all),
            })
        })
        .collect()
}

/// What `cargo tree` prints: each package once, in the order of its first line, and who depends on whom.
#[derive(Debug, Default)]
struct Tree {
    /// The packages.
    packages: Vec<Key>,
    /// The one that depends, and what it depends on.
    edges: Vec<(usize, usize)>,
}

impl Tree {
    /// The packages of the component that are reached over `edges`.
    fn of(root: &Path, edges: &str) -> Result<Self> {
        // `cargo metadata` has a tree too, but of all packages of the workspace at once, with the features of all of them.
        let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args(["tree", "--locked", "--package", CONNECTOR, "--edges", edges])
            .args(["--target", TARGET, "--prefix", "depth", "--format", " {p}"])
            .current_dir(root)
            .output()
            .context("cannot run `cargo tree`")?;
        if !output.status.success() {
            let message = String::from_utf8_lossy(&output.stderr);
            bail!("`cargo tree` failed: {}", message.trim());
        }
        Self::parse(&String::from_utf8(output.stdout).context("`cargo tree` printed no text")?)
    }

    /// Reads lines of a depth, a name, a version and remarks: `2 bitflags v2.13.2 (*)`.
    fn parse(text: &str) -> Result<Self> {
        let mut tree = Self::default();
        let mut path = Vec::new();
        for line in text.lines() {
            let (depth, key) = read_line(line)
                .with_context(|| format!("`cargo tree` printed an unexpected line: {line}"))?;
            ensure!(
                depth <= path.len(),
                "`cargo tree` left out a level before: {line}"
            );
            let index = tree.index(key);
            path.truncate(depth);
            if let Some(parent) = path.last() {
                tree.edges.push((*parent, index));
            }
            path.push(index);
        }
        ensure!(!tree.packages.is_empty(), "`cargo tree` printed nothing");
        Ok(tree)
    }

    /// Where the package is in the list; puts it there if it is new.
    fn index(&mut self, key: Key) -> usize {
        let place = self.packages.iter().position(|package| *package == key);
        place.unwrap_or_else(|| {
            self.packages.push(key);
            self.packages.len() - 1
        })
    }

    /// What a package depends on, by the indexes of another tree.
    fn dependencies_in(&self, package: &Key, other: &Self) -> Vec<usize> {
        let place = |tree: &Self, key: &Key| tree.packages.iter().position(|there| there == key);
        let Some(index) = place(self, package) else {
            return Vec::new();
        };
        let dependencies = self.dependencies(index).into_iter();
        let mut there: Vec<_> = dependencies
            .filter_map(|index| place(other, &self.packages[index]))
            .collect();
        there.sort_unstable();
        there
    }

    /// What a package depends on.
    fn dependencies(&self, of: usize) -> Vec<usize> {
        let of_it = self.edges.iter().filter(|(from, _)| *from == of);
        let mut dependencies: Vec<_> = of_it.map(|(_, to)| *to).collect();
        dependencies.sort_unstable();
        dependencies.dedup();
        dependencies
    }
}

/// Reads one line of the tree.
fn read_line(line: &str) -> Option<(usize, Key)> {
    let mut words = line.split(' ');
    let depth = words.next()?.parse().ok()?;
    let name = words.next()?.to_owned();
    let version = words.next()?.strip_prefix('v')?.parse().ok()?;
    Some((depth, (name, version)))
}

/// What cargo knows of every package of the workspace.
fn known(root: &Path) -> Result<BTreeMap<Key, Known>> {
    let metadata = MetadataCommand::new()
        .current_dir(root)
        .other_options(["--locked".to_owned()])
        .exec()?;
    Ok(metadata
        .packages
        .into_iter()
        .map(|package| ((package.name.to_string(), package.version.clone()), package))
        .collect())
}

/// What is read of `Cargo.lock`.
#[derive(Deserialize)]
struct Lockfile {
    /// Every package of the workspace.
    package: Vec<Locked>,
}

/// A package in `Cargo.lock`.
#[derive(Deserialize)]
struct Locked {
    /// Its name.
    name: String,
    /// Its version.
    version: Version,
    /// The SHA-256 of what is downloaded, where anything is.
    checksum: Option<String>,
}

/// The checksums in `Cargo.lock`.
fn checksums(root: &Path) -> Result<BTreeMap<Key, String>> {
    let text = fs::read_to_string(root.join("Cargo.lock")).context("cannot read Cargo.lock")?;
    let lockfile: Lockfile = toml::from_str(&text).context("cannot read Cargo.lock")?;
    let checksums = lockfile.package.into_iter().filter_map(|package| {
        let checksum = package.checksum?;
        Some(((package.name, package.version), checksum))
    });
    Ok(checksums.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = "\
0 connector v0.1.0 (/somewhere)
1 waki v0.5.1
2 bitflags v2.13.2
1 wit-bindgen v0.61.1
2 bitflags v2.13.2 (*)
";

    #[test]
    fn the_lines_of_a_tree_become_packages_and_who_depends_on_whom() {
        let tree = Tree::parse(TREE).expect("it is a tree");
        let names: Vec<_> = tree
            .packages
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(names, ["connector", "waki", "bitflags", "wit-bindgen"]);
        assert_eq!(tree.dependencies(0), [1, 3]);
        assert_eq!(tree.dependencies(1), [2]);
        assert_eq!(tree.dependencies(3), [2]);
    }

    #[test]
    fn a_line_that_is_not_understood_is_an_error() {
        for wrong in ["", "connector v0.1.0", "0 connector", "1 too-deep v1.0.0"] {
            assert!(Tree::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_packages_of_the_component_are_those_of_its_manifest() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let packages = packages(&root).expect("cargo knows them");
        let connector = &packages[0];
        assert_eq!(connector.known.name, CONNECTOR);
        let inside: Vec<_> = connector
            .dependencies
            .iter()
            .map(|index| packages[*index].known.name.as_str())
            .collect();
        assert_eq!(
            inside,
            [
                "icu_normalizer",
                "ninjaone-api",
                "talc",
                "waki",
                "wasi",
                "wit-bindgen"
            ]
        );
        for package in &packages[1..] {
            assert_eq!(
                package.checksum.is_some(),
                package.known.source.is_some(),
                "{}: what is downloaded has a checksum",
                package.known.name
            );
        }
        assert!(packages.iter().any(|package| package.build_only));
        assert!(
            packages
                .iter()
                .all(|package| package.known.name != "wasmtime")
        );
    }
}
