//! Packs a component that was built into what is released: `cargo xtask dist` runs it.
//!
//! Everything here follows from the sources (and what cargo knows of the packages that they name), the component, and what the
//! command line says: no clock is read and nothing is left to chance, so that whoever packs the same again gets the same, to
//! the byte.

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
const LARGEST: usize = 400 * 1024;
/// The checksums of all other files, but not of those in the image layout, which are named by their own.
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
    let of_contract = contract.release(&release)?;

    let documentation = contract.documentation(&component)?;
    let component = metadata::describe_component(&component, &release, &documentation, &packages)?;
    ensure!(
        component.len() <= LARGEST,
        "the component has {} bytes with its metadata, and may have {LARGEST}: was it built without wasm-opt?",
        component.len()
    );
    let contract = metadata::describe(&contract.encode()?, &of_contract)?;
    let sbom = sbom::bill_of_materials(&component, &release, &packages);
    let mut layout = Layout::default();
    layout.add(&component, &release)?;
    layout.add(&contract, &of_contract)?;

    let mut files = Files::new();
    files.insert(release.file("cdx.json"), serde_json::to_vec_pretty(&sbom)?);
    files.insert(release.file("wasm"), component);
    files.insert(of_contract.file("wasm"), contract);
    files.insert("LICENSE".to_owned(), fs::read(root.join("LICENSE"))?);
    files.insert(CHECKSUMS.to_owned(), checksums(&files));
    for (path, bytes) in layout.into_files()? {
        files.insert(format!("oci/{path}"), bytes);
    }
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

    /// What is packed of this component.
    fn packed(component: &[u8]) -> Result<Files> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("component.wasm");
        fs::write(&file, component)?;
        let root = testing::root();
        let line = [
            "connector-dist",
            "--created",
            "0",
            "--revision",
            "a1b2c3",
            "--out",
            "nowhere",
        ];
        let mut line: Vec<_> = line.iter().map(std::ffi::OsString::from).collect();
        line.extend([
            "--root".into(),
            root.into(),
            "--component".into(),
            file.into(),
        ]);
        pack(&Arguments::try_parse_from(line)?)
    }

    /// The file whose name begins and ends like this.
    fn file<'a>(files: &'a Files, begin: &str, end: &str) -> &'a [u8] {
        let found = files
            .iter()
            .find(|(path, _)| path.starts_with(begin) && path.ends_with(end));
        found.expect("it is there").1
    }

    fn json(bytes: &[u8]) -> serde_json::Value {
        serde_json::from_slice(bytes).expect("it is JSON")
    }

    #[test]
    fn a_release_is_one_component_in_every_form() {
        let files = packed(&testing::component(0)).expect("it can be packed");
        let component = file(&files, "ninjaone-connector-", ".wasm");
        let digest = sha256(component);
        let bill = json(file(&files, "ninjaone-connector-", ".cdx.json"));
        assert_eq!(
            bill["metadata"]["component"]["hashes"][0]["content"],
            digest
        );
        let sums = String::from_utf8(files[CHECKSUMS].clone()).expect("it is text");
        assert!(sums.contains(&digest), "{sums}");
        assert!(!sums.contains("oci/"), "{sums}");

        let index = json(&files["oci/index.json"]);
        let blob = |descriptor: &serde_json::Value| {
            let digest = descriptor["digest"].as_str().expect("it has a digest");
            let path = format!("oci/blobs/sha256/{}", digest.trim_start_matches("sha256:"));
            assert_eq!(descriptor["size"], files[&path].len());
            files[&path].as_slice()
        };
        for (manifest, name) in [(0, "ninjaone-connector"), (1, "identity-connector")] {
            let named = &index["manifests"][manifest];
            assert_eq!(
                named["annotations"]["org.opencontainers.image.ref.name"],
                name
            );
            let manifest = json(blob(named));
            assert_eq!(blob(&manifest["layers"][0]), file(&files, name, ".wasm"));
            let config = json(blob(&manifest["config"]));
            assert_eq!(config["layerDigests"][0], manifest["layers"][0]["digest"]);
            assert!(config["component"]["exports"][0].is_string());
        }
    }

    #[test]
    fn the_component_carries_the_documentation_of_its_world() {
        let files = packed(&testing::component(0)).expect("it can be packed");
        let component = file(&files, "ninjaone-connector-", ".wasm");
        let wit_component::DecodedWasm::Component(resolve, world) =
            wit_component::decode(component).expect("it is a component")
        else {
            panic!("it is no component");
        };
        let docs = resolve.worlds[world].docs.contents.as_ref();
        assert!(
            docs.expect("it is there")
                .contains("the whole of what a connector can do")
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
        let files = Files::from([("a/b".to_owned(), b"1".to_vec())]);
        write(&folder, &files).expect("it is new");
        assert!(write(&folder, &files).is_err());
        assert_eq!(fs::read(folder.join("a/b")).expect("it is there"), b"1");
        fs::write(folder.join(CHECKSUMS), "").expect("it can be written");
        let files = Files::from([("c".to_owned(), b"2".to_vec())]);
        write(&folder, &files).expect("it is a release");
        assert!(!folder.join("a").exists());
    }

    #[test]
    fn the_checksums_are_in_the_form_of_sha256sum() {
        let files = Files::from([("a".to_owned(), b"abc".to_vec())]);
        let line = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  a\n";
        assert_eq!(checksums(&files), line.as_bytes());
    }
}
