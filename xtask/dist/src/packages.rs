//! Which packages the component is made of, as cargo resolves them, and what cargo knows of each.
//!
//! Not known here: which of the code of a package is still in the component after linking, and which packages the standard
//! library brings along, since cargo resolves those by themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use cargo_metadata::{MetadataCommand, Package as Known};
use xshell::{Shell, cmd};

/// The package of the connector.
const CONNECTOR: &str = "ninjaone-connector";
/// What the component is compiled for.
const TARGET: &str = "wasm32-unknown-unknown";

/// A package's name and version, as `cargo tree` writes them, which tell it apart from all others here: `bitflags v2.13.2`.
pub type Key = String;

/// A package and what it depends on.
#[derive(Debug)]
pub struct Package {
    /// Its name, version, licence and so on.
    pub known: Known,
    /// The SHA-256 of what was downloaded, in hexadecimal; nothing for a package of this workspace.
    pub checksum: Option<String>,
    /// The packages that it depends on.
    pub dependencies: BTreeSet<Key>,
    /// Those of them that are in the component because it depends on them; nothing where it only makes the component itself.
    pub inside: Option<BTreeSet<Key>>,
}

impl Package {
    /// Whether it is the connector, and not something that it depends on.
    pub fn is_connector(&self) -> bool {
        self.known.name == CONNECTOR
    }
}

/// All packages of the component in the workspace at `root`.
pub fn packages(root: &Path) -> Result<BTreeMap<Key, Package>> {
    let sh = Shell::new()?;
    sh.change_dir(root);
    // `cargo metadata` has a tree too, but of all packages of the workspace at once, with the features of all of them.
    let mut inside = tree(&sh, "normal,no-proc-macro")?;
    let metadata = MetadataCommand::new()
        .current_dir(root)
        .other_options(["--locked".to_owned()])
        .exec()?;
    let known = metadata.packages.into_iter();
    let mut known: BTreeMap<Key, _> = known
        .map(|package| (format!("{} v{}", package.name, package.version), package))
        .collect();
    let mut checksums = checksums(&sh).context("cannot read Cargo.lock")?;
    let all = tree(&sh, "normal,build")?.into_iter();
    all.map(|(key, dependencies)| {
        let known = known.remove(&key);
        let package = Package {
            known: known.with_context(|| format!("`cargo metadata` does not know {key}"))?,
            checksum: checksums.remove(&key),
            inside: inside.remove(&key),
            dependencies,
        };
        Ok((key, package))
    })
    .collect()
}

/// Who depends on whom: a graph of the packages.
type Tree = BTreeMap<Key, BTreeSet<Key>>;

/// The packages of the component that are reached over `edges`.
fn tree(sh: &Shell, edges: &str) -> Result<Tree> {
    let format = " {p}";
    parse(
        &cmd!(
            sh,
            "cargo tree --locked --package {CONNECTOR} --target {TARGET} --edges {edges} --prefix depth --format {format}"
        )
        .read()?,
    )
}

/// Reads lines of a depth, a name, a version and remarks: `2 bitflags v2.13.2 (*)`.
fn parse(text: &str) -> Result<Tree> {
    let mut tree = Tree::new();
    let mut path: Vec<Key> = Vec::new();
    for line in text.lines() {
        let words: Vec<_> = line.split(' ').collect();
        let depth = words.first().and_then(|depth| depth.parse().ok());
        let depth = depth.filter(|depth| *depth <= path.len() && words.len() > 2);
        path.truncate(depth.with_context(|| format!("unexpected of `cargo tree`: {line}"))?);
        let key = words[1..3].join(" ");
        if let Some(parent) = path.last() {
            tree.entry(parent.clone()).or_default().insert(key.clone());
        }
        tree.entry(key.clone()).or_default();
        path.push(key);
    }
    ensure!(!tree.is_empty(), "`cargo tree` printed nothing");
    Ok(tree)
}

/// The checksums in `Cargo.lock`.
fn checksums(sh: &Shell) -> Result<BTreeMap<Key, String>> {
    let lockfile: toml::Table = sh.read_file("Cargo.lock")?.parse()?;
    let packages = lockfile.get("package").and_then(toml::Value::as_array);
    let checksums = packages.context("it has no packages")?.iter();
    let checksums = checksums.filter_map(|package| {
        let text = |key: &str| package.get(key)?.as_str();
        let key = format!("{} v{}", text("name")?, text("version")?);
        Some((key, text("checksum")?.to_owned()))
    });
    Ok(checksums.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::packages;

    #[test]
    fn the_lines_of_a_tree_become_packages_and_who_depends_on_whom() {
        let tree = parse(
            "0 connector v0.1.0 (/somewhere)\n1 waki v0.5.1\n2 bitflags v2.13.2\n1 wit-bindgen v0.61.1\n2 bitflags v2.13.2 (*)",
        )
        .expect("it is a tree");
        let on = |key: &str| tree[key].iter().map(String::as_str).collect::<Vec<_>>();
        assert_eq!(tree.len(), 4);
        assert_eq!(
            on("connector v0.1.0"),
            ["waki v0.5.1", "wit-bindgen v0.61.1"]
        );
        assert_eq!(on("waki v0.5.1"), ["bitflags v2.13.2"]);
        assert_eq!(on("wit-bindgen v0.61.1"), ["bitflags v2.13.2"]);
    }

    #[test]
    fn a_line_that_is_not_understood_is_an_error() {
        for wrong in ["", "connector v0.1.0", "0 connector", "1 too-deep v1.0.0"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_packages_of_the_component_are_those_of_its_manifest() {
        let connector = packages().values().find(|package| package.is_connector());
        let names = connector.expect("it is there").dependencies.iter();
        let names: Vec<_> = names.filter_map(|key| key.split(' ').next()).collect();
        assert_eq!(
            names,
            [
                "icu_normalizer",
                "ninjaone-api",
                "talc",
                "waki",
                "wasi",
                "wit-bindgen"
            ]
        );
        for (key, package) in packages() {
            assert_eq!(
                package.checksum.is_some(),
                package.known.source.is_some(),
                "{key}: what is downloaded has a checksum"
            );
            assert_ne!(package.known.name, "wasmtime");
        }
        assert!(packages().values().any(|package| package.inside.is_none()));
    }
}
