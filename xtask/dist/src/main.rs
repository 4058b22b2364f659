//! Packs a component that was built into what is released, and pushes that to registries: `cargo xtask dist` runs it.
//!
//! Everything that is packed follows from the sources (and what cargo knows of the packages that they name), the component, and
//! what the command line says: no clock is read and nothing is left to chance, so that whoever packs the same again gets the same,
//! to the byte (`cargo xtask dist --verify`).
//!
//! Metadata is put in when a release is made, not in each build, so that the everyday component follows from the sources alone: name,
//! version, licence, source, revision and packages go into custom sections, which no host reads. The packages are listed twice: in the
//! component, as `.dep-v0`, the section of cargo-auditable, and beside it as a software bill of materials, CycloneDX 1.6, which also has
//! what only built it, as `excluded`. The contract's documentation is in the WIT package beside it, since a component has places for the
//! documentation of its own world only.

#![deny(missing_docs, clippy::missing_docs_in_private_items)]

mod contract;
mod metadata;
mod packages;
mod release;
mod sbom;
#[cfg(test)]
mod testing;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use sha2::{Digest as _, Sha256};
use xshell::{Shell, cmd};

use contract::Contract;
use release::{Provenance, Release};

/// How large a released component may be, in bytes.
const LARGEST: usize = 400 * 1024;
/// The checksums of all other files.
const CHECKSUMS: &str = "SHA256SUMS";

/// What is to be done.
#[derive(Debug, Parser)]
enum Command {
    /// Packs a component for release.
    Pack(Pack),
    /// Pushes a component or WIT package to a registry with wkg, which shows what the file says of itself.
    Push {
        /// The file.
        file: PathBuf,
        /// Where to.
        reference: String,
    },
}

/// What to pack.
#[derive(clap::Args, Debug)]
struct Pack {
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

/// Files by their names in the folder of the release.
type Files = BTreeMap<String, Vec<u8>>;

fn main() -> Result<()> {
    match Command::parse() {
        Command::Pack(arguments) => {
            let files = pack(&arguments)?;
            write(&arguments.out, &files)?;
            for (path, bytes) in files {
                println!("{:>9} bytes  {path}", bytes.len());
            }
        }
        Command::Push { file, reference } => {
            let annotations = metadata::annotations(&fs::read(&file)?)?.into_iter();
            let annotations = annotations.flat_map(|said| ["--annotation".to_owned(), said]);
            let sh = Shell::new()?;
            cmd!(sh, "wkg oci push {reference} {file} {annotations...}").run()?;
        }
    }
    Ok(())
}

/// Makes all files of the release.
fn pack(arguments: &Pack) -> Result<Files> {
    let Pack {
        root, component, ..
    } = arguments;
    let component =
        fs::read(component).with_context(|| format!("cannot read {}", component.display()))?;
    let packages = packages::packages(root)?;
    let connector = packages.values().find(|package| package.is_connector());
    let connector = connector.context("the connector is not there")?;
    let release = Release::new(connector, arguments.provenance.clone())?;
    let contract = Contract::read(root)?;
    let of_contract = contract.release(&release)?;

    let documentation = contract.documentation(&component)?;
    let component = metadata::describe_component(&component, &release, &documentation, &packages)?;
    ensure!(
        component.len() <= LARGEST,
        "the component has {} bytes with its metadata, and may have {LARGEST}: was it built without wasm-opt, or without the sources of the standard library (`rustup component add rust-src`)?",
        component.len()
    );
    let contract = metadata::describe(&contract.encode()?, &of_contract)?;
    let sbom = sbom::bill_of_materials(&component, &release, &packages);

    let mut files = Files::from([
        (release.file("cdx.json"), serde_json::to_vec_pretty(&sbom)?),
        (release.file("wasm"), component),
        (of_contract.file("wasm"), contract),
        ("LICENSE".to_owned(), fs::read(root.join("LICENSE"))?),
    ]);
    files.insert(CHECKSUMS.to_owned(), checksums(&files).into_bytes());
    Ok(files)
}

/// A checksum and a path a line, for `sha256sum --check`.
fn checksums(files: &Files) -> String {
    let lines = files.iter();
    lines
        .map(|(path, bytes)| format!("{}  {path}\n", sha256(bytes)))
        .collect()
}

/// The SHA-256 of `bytes`, in hexadecimal.
fn sha256(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

/// Makes the folder `out` anew, of these files and no others.
fn write(out: &Path, files: &Files) -> Result<()> {
    // Somebody's own folder is not to be emptied for a mistyped path.
    ensure!(
        !out.exists() || out.join(CHECKSUMS).exists(),
        "{} is there and is no release: name another folder",
        out.display()
    );
    let sh = Shell::new()?;
    sh.remove_path(out)?;
    for (path, bytes) in files {
        sh.write_file(out.join(path), bytes)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is packed of this component.
    fn packed(component: &[u8]) -> Result<Files> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("component.wasm");
        fs::write(&file, component)?;
        let line = "connector-dist pack --created 0 --revision a1b2c3 --built-with rustc --out nowhere --root";
        let line = line.split(' ').map(Into::into);
        let rest = [testing::root().into(), "--component".into(), file.into()];
        match Command::try_parse_from(line.chain::<[std::ffi::OsString; 3]>(rest))? {
            Command::Pack(arguments) => pack(&arguments),
            Command::Push { .. } => unreachable!("it is to be packed"),
        }
    }

    /// The file whose name begins and ends like this.
    fn file<'a>(files: &'a Files, begin: &str, end: &str) -> &'a [u8] {
        let mut found = files.iter();
        let found = found.find(|(path, _)| path.starts_with(begin) && path.ends_with(end));
        found.expect("it is there").1
    }

    #[test]
    fn a_release_is_one_component_and_the_checksums_are_of_all_files() {
        let files = packed(&testing::component(0)).expect("it can be packed");
        let digest = sha256(file(&files, "ninjaone-connector-", ".wasm"));
        let bill = file(&files, "ninjaone-connector-", ".cdx.json");
        let bill: serde_json::Value = serde_json::from_slice(bill).expect("it is JSON");
        assert_eq!(
            bill["metadata"]["component"]["hashes"][0]["content"],
            digest
        );
        let sums = str::from_utf8(&files[CHECKSUMS]).expect("it is text");
        assert!(sums.contains(&digest), "{sums}");
        for path in files.keys().filter(|path| *path != CHECKSUMS) {
            assert!(sums.contains(&format!("  {path}\n")), "{path}");
        }
    }

    #[test]
    fn the_component_carries_the_documentation_of_its_world() {
        let files = packed(&testing::component(0)).expect("it can be packed");
        let component = file(&files, "ninjaone-connector-", ".wasm");
        let decoded = wit_component::decode(component).expect("it is a component");
        let wit_component::DecodedWasm::Component(resolve, world) = decoded else {
            panic!("it is no component");
        };
        let docs = resolve.worlds[world].docs.contents.as_ref();
        let docs = docs.expect("they are there");
        assert!(
            docs.contains("the whole of what a connector can do"),
            "{docs}"
        );
    }

    #[test]
    fn a_component_that_is_too_large_is_not_released() {
        let error = packed(&testing::component(LARGEST)).expect_err("it is too large");
        assert!(error.to_string().contains("wasm-opt"), "{error:#}");
    }

    #[test]
    fn a_folder_that_is_no_release_is_not_replaced() {
        let scratch = tempfile::tempdir().expect("there is room for files");
        let folder = scratch.path().join("dist");
        let files = Files::from([("a".to_owned(), b"1".to_vec())]);
        write(&folder, &files).expect("it is new");
        assert!(write(&folder, &files).is_err());
        assert_eq!(fs::read(folder.join("a")).expect("it is there"), b"1");
        fs::write(folder.join(CHECKSUMS), "").expect("it can be written");
        let files = Files::from([("c".to_owned(), b"2".to_vec())]);
        write(&folder, &files).expect("it is a release");
        assert!(!folder.join("a").exists());
    }

    #[test]
    fn the_checksums_are_in_the_form_of_sha256sum() {
        let files = Files::from([("a".to_owned(), b"abc".to_vec())]);
        let line = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  a\n";
        assert_eq!(checksums(&files), line);
    }
}
