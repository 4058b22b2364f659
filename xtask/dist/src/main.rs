//! Packs a component that was built into what is released: `cargo xtask dist` runs it.
//!
//! Everything here follows from the sources, the component, and what the command line says: no clock is read and nothing is
//! left to chance, so that whoever packs the same again gets the same, to the byte.

#![deny(missing_docs, clippy::missing_docs_in_private_items)]

mod contract;
mod digest;
mod metadata;
mod oci;
mod packages;
mod release;
mod sbom;
#[cfg(test)]
mod testing;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Parser;

use contract::Contract;
use digest::sha256;
use oci::Layout;
use release::{Provenance, Release};

/// How large a released component may be, in bytes.
const LARGEST: usize = 200 * 1024;
/// The checksums of all other files.
const CHECKSUMS: &str = "SHA256SUMS";

/// Packs a component for release.
#[derive(Debug, Parser)]
struct Arguments {
    /// The folder with the sources
    #[arg(long, value_name = "FOLDER")]
    root: PathBuf,
    /// The component
    #[arg(long, value_name = "FILE")]
    component: PathBuf,
    /// The folder to make; one that is there is replaced
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// What is known of the sources, and is not in them
    #[command(flatten)]
    provenance: Provenance,
}

/// Files by their paths in the folder of the release.
type Files = BTreeMap<String, Vec<u8>>;

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let files = pack(&arguments)?;
    write(&arguments.out, &files)?;
    let named = files.iter().filter(|(path, _)| !path.starts_with("oci/"));
    for (path, bytes) in named {
        println!("{:>9} bytes  {path}", bytes.len());
    }
    Ok(())
}

/// Makes all files of the release.
fn pack(arguments: &Arguments) -> Result<Files> {
    let Arguments {
        root, component, ..
    } = arguments;
    let component =
        fs::read(component).with_context(|| format!("cannot read {}", component.display()))?;
    let packages = packages::packages(root)?;
    let connector = packages.first().context("there are no packages")?;
    let release = Release::new(connector, arguments.provenance.clone())?;
    let contract = Contract::read(root)?;

    let documentation = contract.documentation(&component)?;
    let component = metadata::describe_component(&component, &release, &documentation, &packages)?;
    ensure!(
        component.len() <= LARGEST,
        "the component has {} bytes with its metadata, and may have {LARGEST}",
        component.len()
    );
    let contract_file = metadata::describe(&contract.encode()?, &contract.id(), &release)?;
    let sbom = sbom::bill_of_materials(&component, &release, &packages);
    let mut layout = Layout::default();
    layout.add(&release.name, &release.version, &component, &release)?;
    layout.add(
        &contract.name(),
        &contract.version(),
        &contract_file,
        &release,
    )?;

    let mut files = Files::new();
    files.insert(release.file("cdx.json"), serde_json::to_vec_pretty(&sbom)?);
    files.insert(release.file("wasm"), component);
    let contract_name = format!("{}-{}.wasm", contract.name(), contract.version());
    files.insert(contract_name, contract_file);
    files.insert("LICENSE".to_owned(), fs::read(root.join("LICENSE"))?);
    for (path, bytes) in layout.into_files()? {
        files.insert(format!("oci/{path}"), bytes);
    }
    files.insert(CHECKSUMS.to_owned(), checksums(&files));
    Ok(files)
}

/// A checksum and a path a line, for `sha256sum --check`.
fn checksums(files: &Files) -> Vec<u8> {
    let mut text = String::new();
    for (path, bytes) in files {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{}  {path}", sha256(bytes));
    }
    text.into_bytes()
}

/// Makes the folder `out` anew, of these files and no others.
fn write(out: &Path, files: &Files) -> Result<()> {
    if out.exists() {
        // Somebody's own folder is not to be emptied for a mistyped path.
        ensure!(
            out.join(CHECKSUMS).exists(),
            "{} is there and is no release: name another folder",
            out.display()
        );
        fs::remove_dir_all(out).with_context(|| format!("cannot remove {}", out.display()))?;
    }
    for (path, bytes) in files {
        let path = out.join(path);
        let folder = path.parent().context("a file is in a folder")?;
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&path, bytes))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_no_release_is_not_replaced() {
        let folder = std::env::temp_dir().join(format!("connector-dist-{}", std::process::id()));
        let files = Files::from([("a/b".to_owned(), b"1".to_vec())]);
        write(&folder, &files).expect("it is new");
        assert!(write(&folder, &files).is_err());
        assert_eq!(fs::read(folder.join("a/b")).expect("it is there"), b"1");
        fs::write(folder.join(CHECKSUMS), "").expect("it can be written");
        let files = Files::from([("c".to_owned(), b"2".to_vec())]);
        write(&folder, &files).expect("it is a release");
        assert!(!folder.join("a").exists());
        fs::remove_dir_all(folder).expect("it can be removed");
    }

    #[test]
    fn the_checksums_are_in_the_form_of_sha256sum() {
        let files = Files::from([("a".to_owned(), b"abc".to_vec())]);
        let line = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  a\n";
        assert_eq!(checksums(&files), line.as_bytes());
    }
}
